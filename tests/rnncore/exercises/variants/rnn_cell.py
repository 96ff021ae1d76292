"""Correct variants for lesson 02."""

import numpy as np

from rnncore.cells.rnn import rnn_cell
from tests.rnncore.exercises.variants import answers


@answers("sigmoid")
def two_branches_without_overflow(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


@answers("sigmoid")
def clipped_exponent(x):
    return 1 / (1 + np.exp(-np.clip(x, -500, 500)))


@answers("sigmoid")
def log_add_exp(x):
    return np.exp(-np.logaddexp(0, -x))


@answers("sigmoid")
def by_masks(x):
    x = np.asarray(x, dtype=float)
    y = np.empty_like(x)
    up = x >= 0
    y[up] = 1 / (1 + np.exp(-x[up]))
    e = np.exp(x[~up])
    y[~up] = e / (1 + e)
    return y


@answers("sigmoid")
def tanh_the_other_way_round(x):
    half = np.tanh(0.5 * x)
    half += 1
    half /= 2
    return half


@answers("sigmoid")
def single_precision(x):
    return (0.5 + 0.5 * np.tanh(np.asarray(x, dtype=np.float32) / 2)).astype(np.float32)


@answers("activation_grad")
def by_dictionary(name, y):
    return {"sigmoid": y - y * y, "tanh": (1 - y) * (1 + y), "relu": np.where(y > 0, 1.0, 0.0)}[name]


@answers("activation_grad")
def relu_as_booleans(name, y):
    if name == "relu":
        return y > 0
    return y * (1 - y) if name == "sigmoid" else 1 - np.square(y)


@answers("activation_grad")
def relu_by_sign(name, y):
    match name:
        case "sigmoid":
            return y * (1.0 - y)
        case "tanh":
            return 1.0 - y * y
        case "relu":
            return np.sign(y)


@answers("activation_grad")
def heaviside_and_ones(name, y):
    if name == "tanh":
        return np.ones_like(y) - np.power(y, 2)
    if name == "sigmoid":
        return np.multiply(y, 1 - y)
    return np.heaviside(y, 0.0)


@answers("activation_grad")
def element_by_element(name, y):
    slope = {"sigmoid": lambda v: v * (1 - v), "tanh": lambda v: 1 - v**2, "relu": lambda v: float(v > 0)}
    return np.array([slope[name](value) for value in y.ravel()]).reshape(y.shape)


@answers("rnn_cell")
def column_vectors(p, x, h):
    a = p["weight_ih"] @ x.T + p["weight_hh"] @ h.T + (p["bias_ih"] + p["bias_hh"])[:, None]
    h_next = np.tanh(a).T
    return h_next, (x, h, h_next)


@answers("rnn_cell")
def one_example_at_a_time(p, x, h):
    h_next = np.zeros_like(h)
    for b in range(len(x)):
        h_next[b] = np.tanh(p["weight_ih"] @ x[b] + p["bias_ih"] + p["weight_hh"] @ h[b] + p["bias_hh"])
    return h_next, (x, h, h_next)


@answers("rnn_cell")
def einsum(p, x, h):
    a = np.einsum("bd,hd->bh", x, p["weight_ih"]) + np.einsum("bj,hj->bh", h, p["weight_hh"])
    h_next = np.tanh(a + p["bias_ih"] + p["bias_hh"])
    return h_next, (x, h, h_next)


@answers("rnn_cell")
def stacked_weights(p, x, h):
    W = np.hstack([p["weight_ih"], p["weight_hh"]])
    h_next = np.tanh(np.hstack([x, h]) @ W.T + p["bias_ih"] + p["bias_hh"])
    return [h_next, [x, h, h_next]]


@answers("rnn_cell")
def in_place_on_its_own_array(p, x, h):
    a = x @ p["weight_ih"].T
    a += p["bias_ih"]
    a += h @ p["weight_hh"].T
    a += p["bias_hh"]
    np.tanh(a, out=a)
    return a, (x.copy(), h.copy(), a.copy())


@answers("rnn_cell")
def tanh_by_exponentials(p, x, h):
    a = np.matmul(h, p["weight_hh"].T) + p["bias_hh"] + np.matmul(x, p["weight_ih"].T) + p["bias_ih"]
    e = np.exp(2 * a)
    return (e - 1) / (e + 1), (x, h, (e - 1) / (e + 1))


@answers("rnn_cell")
def single_precision_inside(p, x, h):
    q = {name: value.astype(np.float32) for name, value in p.items()}
    a = x.astype(np.float32) @ q["weight_ih"].T + q["bias_ih"]
    h_next = np.tanh(a + h.astype(np.float32) @ q["weight_hh"].T + q["bias_hh"])
    return h_next, (x, h, h_next)


@answers("rnn_forward")
def stacked_states(p, x, h0):
    states, caches = [h0], []
    for t in range(x.shape[1]):
        h, cache = rnn_cell(p, x[:, t, :], states[-1])
        states.append(h)
        caches.append(cache)
    return np.stack(states[1:], axis=1), states[-1], caches


@answers("rnn_forward")
def time_first_inside(p, x, h0):
    h, ys, caches = h0.copy(), [], []
    for x_t in x.transpose(1, 0, 2):
        h, cache = rnn_cell(p, x_t, h)
        ys.append(h)
        caches.append(cache)
    return np.array(ys).transpose(1, 0, 2), h, tuple(caches)


@answers("rnn_forward")
def final_state_from_y(p, x, h0):
    B, T, _ = x.shape
    y = np.empty((B, T, h0.shape[-1]))
    caches = [None] * T
    for t in range(T):
        y[:, t], caches[t] = rnn_cell(p, x[:, t], y[:, t - 1] if t else h0)
    return y, y[:, -1], caches


@answers("rnn_forward")
def without_calling_the_cell(p, x, h0):
    inputs = x @ p["weight_ih"].T + p["bias_ih"] + p["bias_hh"]
    h, y, caches = h0, np.zeros(inputs.shape), []
    for t in range(x.shape[1]):
        before, h = h, np.tanh(inputs[:, t] + h @ p["weight_hh"].T)
        caches.append((x[:, t], before, h))
        y[:, t] = h
    return y, h, caches


@answers("rnn_forward")
def recursive(p, x, h0):
    h, cache = rnn_cell(p, x[:, 0], h0)
    if x.shape[1] == 1:
        return h[:, None], h, [cache]
    y, last, caches = recursive(p, x[:, 1:], h)
    return np.concatenate([h[:, None], y], axis=1), last, [cache, *caches]
