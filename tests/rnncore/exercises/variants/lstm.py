"""Correct variants for lesson 05."""

import numpy as np

from rnncore.cells.activations import sigmoid
from tests.rnncore.exercises.variants import answers


@answers("lstm_cell")
def slices(p, x, state):
    h, c = state
    H = h.shape[1]
    a = x @ p["weight_ih"].T + h @ p["weight_hh"].T + p["bias_ih"] + p["bias_hh"]
    i = 1 / (1 + np.exp(-a[:, :H]))
    f = 1 / (1 + np.exp(-a[:, H : 2 * H]))
    g = np.tanh(a[:, 2 * H : 3 * H])
    o = 1 / (1 + np.exp(-a[:, 3 * H :]))
    c_new = f * c + i * g
    t = np.tanh(c_new)
    return (o * t, c_new), (x, h, c, i, f, g, o, t)


@answers("lstm_cell")
def one_gate_at_a_time(p, x, state):
    h, c = state
    W, U = p["weight_ih"].reshape(4, -1, x.shape[1]), p["weight_hh"].reshape(4, -1, h.shape[1])
    b = (p["bias_ih"] + p["bias_hh"]).reshape(4, -1)
    gates = []
    for k in range(4):
        a = x @ W[k].T + h @ U[k].T + b[k]
        gates.append(np.tanh(a) if k == 2 else sigmoid(a))
    i, f, g, o = gates
    c_next = f * c + i * g
    return [o * np.tanh(c_next), c_next], [x, h, c, i, f, g, o, np.tanh(c_next)]


@answers("lstm_cell")
def one_tanh_for_all_gates(p, x, state):
    h, c = state
    H = h.shape[1]
    a = np.hstack([x, h]) @ np.hstack([p["weight_ih"], p["weight_hh"]]).T + p["bias_ih"] + p["bias_hh"]
    half = np.repeat([0.5, 0.5, 1.0, 0.5], H)
    s = np.tanh(a * half) * half + (1 - half)
    i, f, g, o = (s[:, k * H : (k + 1) * H] for k in range(4))
    c_next = c * f
    c_next += i * g
    tanh_c = np.tanh(c_next)
    return (tanh_c * o, c_next), (x.copy(), h.copy(), c.copy(), i, f, g, o, tanh_c)


@answers("lstm_cell")
def unit_by_unit(p, x, state):
    h, c = state
    B, H = h.shape
    gates = np.zeros((4, B, H))
    for b in range(B):
        for k in range(4):
            for j in range(H):
                row = k * H + j
                a = p["weight_ih"][row] @ x[b] + p["bias_ih"][row] + p["weight_hh"][row] @ h[b]
                a += p["bias_hh"][row]
                gates[k, b, j] = np.tanh(a) if k == 2 else 0.5 + 0.5 * np.tanh(a / 2)
    i, f, g, o = gates
    c_next = f * c + i * g
    return (o * np.tanh(c_next), c_next), (x, h, c, i, f, g, o, np.tanh(c_next))


@answers("lstm_cell")
def einsum(p, x, state):
    h, c = state
    a = np.einsum("bd,gd->bg", x, p["weight_ih"]) + np.einsum("bh,gh->bg", h, p["weight_hh"])
    a = (a + p["bias_ih"] + p["bias_hh"]).reshape(len(x), 4, -1)
    i, f, o = sigmoid(a[:, 0]), sigmoid(a[:, 1]), sigmoid(a[:, 3])
    g = np.tanh(a[:, 2])
    c_next = np.add(np.multiply(f, c), np.multiply(i, g))
    tanh_c = np.tanh(c_next)
    return (o * tanh_c, c_next), (x, h, c, i, f, g, o, tanh_c)


@answers("lstm_cell")
def single_precision_inside(p, x, state):
    q = {name: value.astype(np.float32) for name, value in p.items()}
    x, (h, c) = x.astype(np.float32), (part.astype(np.float32) for part in state)
    a_i, a_f, a_g, a_o = np.split(
        x @ q["weight_ih"].T + q["bias_ih"] + h @ q["weight_hh"].T + q["bias_hh"], 4, axis=-1
    )
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c_next = f * c + i * g
    return (o * np.tanh(c_next), c_next), (x, h, c, i, f, g, o, np.tanh(c_next))


def grads_of(da, x, h):
    bias = da.sum(axis=0)
    return {"weight_ih": da.T @ x, "weight_hh": da.T @ h, "bias_ih": bias, "bias_hh": bias.copy()}


@answers("lstm_cell_backward")
def every_product_named(p, d_state, cache):
    x, h, c, i, f, g, o, tanh_c = cache
    dh, dc_next = d_state
    do = dh * tanh_c
    d_tanh = dh * o
    dc = dc_next + d_tanh - d_tanh * tanh_c * tanh_c
    df, dc_prev = dc * c, dc * f
    di, dg = dc * g, dc * i
    da = np.hstack([di * (i - i * i), df * (f - f * f), dg * (1 - g) * (1 + g), do * (o - o * o)])
    return da @ p["weight_ih"], (da @ p["weight_hh"], dc_prev), grads_of(da, x, h)


@answers("lstm_cell_backward")
def filled_in_place(p, d_state, cache):
    x, h, c, i, f, g, o, tanh_c = cache
    dh, dc = d_state
    H = h.shape[1]
    dc = dc.copy()
    dc += dh * o * (1 - tanh_c**2)
    da = np.empty((len(x), 4 * H))
    da[:, :H] = dc * g * i * (1 - i)
    da[:, H : 2 * H] = dc * c * f * (1 - f)
    da[:, 2 * H : 3 * H] = dc * i * (1 - g**2)
    da[:, 3 * H :] = dh * tanh_c * o * (1 - o)
    dc *= f
    return [da @ p["weight_ih"], [da @ p["weight_hh"], dc], grads_of(da, x, h)]


@answers("lstm_cell_backward")
def gate_by_gate(p, d_state, cache):
    x, h, c, i, f, g, o, tanh_c = cache
    dh, dc = d_state
    dc = dh * o * (1 - np.square(tanh_c)) + dc
    arriving = [dc * g, dc * c, dc * i, dh * tanh_c]
    slopes = [i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o)]
    W, U = np.split(p["weight_ih"], 4), np.split(p["weight_hh"], 4)
    dx, dh_prev = np.zeros_like(x), np.zeros_like(h)
    shares = {"weight_ih": [], "weight_hh": [], "bias_ih": [], "bias_hh": []}
    for k in range(4):
        da = arriving[k] * slopes[k]
        dx += da @ W[k]
        dh_prev += da @ U[k]
        for name, share in grads_of(da, x, h).items():
            shares[name].append(share)
    return dx, (dh_prev, dc * f), {name: np.concatenate(parts) for name, parts in shares.items()}


@answers("lstm_cell_backward")
def example_by_example(p, d_state, cache):
    totals = {name: np.zeros_like(value) for name, value in p.items()}
    dxs, dhs, dcs = [], [], []
    for x, h, c, i, f, g, o, t, dh, dc in zip(*cache, *d_state, strict=True):
        dc = dc + dh * o * (1 - t**2)
        da = np.concatenate(
            [dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), dh * t * o * (1 - o)]
        )
        dxs.append(p["weight_ih"].T @ da)
        dhs.append(p["weight_hh"].T @ da)
        dcs.append(dc * f)
        totals["weight_ih"] += np.outer(da, x)
        totals["weight_hh"] += np.outer(da, h)
        totals["bias_ih"] += da
        totals["bias_hh"] += da
    return np.array(dxs), (np.array(dhs), np.array(dcs)), totals


@answers("lstm_cell_backward")
def stacked_axes_and_einsum(p, d_state, cache):
    x, h, c, i, f, g, o, tanh_c = cache
    dh, dc = d_state
    dc = dc + dh * o / np.cosh(np.arctanh(tanh_c)) ** 2
    da = np.stack(
        [dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)]
    )
    W, U = (p[name].reshape(4, h.shape[1], -1) for name in ("weight_ih", "weight_hh"))
    grads = {
        "bias_hh": np.einsum("kbh->kh", da).ravel(),
        "bias_ih": np.einsum("kbh->kh", da).ravel(),
        "weight_hh": np.einsum("kbh,bj->khj", da, h).reshape(p["weight_hh"].shape),
        "weight_ih": np.einsum("kbh,bd->khd", da, x).reshape(p["weight_ih"].shape),
    }
    return np.einsum("kbh,khd->bd", da, W), (np.einsum("kbh,khj->bj", da, U), dc * f), grads


@answers("lstm_cell_backward")
def single_precision(p, d_state, cache):
    x, h, c, i, f, g, o, t = (item.astype(np.float32) for item in cache)
    dh, dc = (item.astype(np.float32) for item in d_state)
    dc = dc + dh * o * (1 - t**2)
    da = np.hstack([dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), dh * t * o * (1 - o)])
    q = {name: value.astype(np.float32) for name, value in p.items()}
    return da @ q["weight_ih"], (da @ q["weight_hh"], dc * f), grads_of(da, x, h)


@answers("set_forget_bias")
def by_reshaping(p, value):
    new = {name: np.array(array) for name, array in p.items()}
    new["bias_ih"].reshape(4, -1)[1] = value
    new["bias_hh"].reshape(4, -1)[1] = 0
    return new


@answers("set_forget_bias")
def glued_together(p, value):
    H = len(p["bias_ih"]) // 4
    b, d = p["bias_ih"], p["bias_hh"]
    return {
        "weight_ih": p["weight_ih"],
        "weight_hh": p["weight_hh"],
        "bias_ih": np.concatenate([b[:H], np.full(H, value), b[2 * H :]]),
        "bias_hh": np.concatenate([d[:H], np.zeros(H), d[2 * H :]]),
    }


@answers("set_forget_bias")
def by_a_mask(p, value):
    forget = np.repeat([False, True, False, False], p["weight_hh"].shape[1])
    return {
        **p,
        "bias_ih": np.where(forget, value, p["bias_ih"]),
        "bias_hh": np.where(forget, 0.0, p["bias_hh"]),
    }


@answers("set_forget_bias")
def row_by_row(p, value):
    result = dict(p)
    for name, number in (("bias_ih", value), ("bias_hh", 0.0)):
        result[name] = p[name].tolist()
        H = len(result[name]) // 4
        for row in range(H, 2 * H):
            result[name][row] = number
        result[name] = np.array(result[name])
    return result


@answers("set_forget_bias")
def only_the_two_copied(p, value):
    p = p.copy()
    for name in ("bias_ih", "bias_hh"):
        i, f, g, o = np.split(p[name], 4)
        p[name] = np.r_[i, 0 * f + (value if name == "bias_ih" else 0), g, o]
    return p


@answers("set_forget_bias")
def single_precision_inside_and_back(p, value):
    p = {name: array.astype(np.float32) for name, array in p.items()}
    H = p["weight_hh"].shape[1]
    p["bias_ih"][H : 2 * H], p["bias_hh"][H : 2 * H] = value, 0
    return {name: array.astype(np.float64) for name, array in p.items()}


@answers("cell_gradient_path")
def cumulative_product(caches):
    f = np.stack([cache[4] for cache in caches], axis=1)
    after = np.concatenate([f[:, 1:], np.ones_like(f[:, :1])], axis=1)
    return np.cumprod(after[:, ::-1], axis=1)[:, ::-1]


@answers("cell_gradient_path")
def product_of_each_tail(caches):
    f = np.array([cache[4] for cache in caches])
    return np.stack([f[t + 1 :].prod(axis=0) for t in range(len(f))], axis=1)


@answers("cell_gradient_path")
def carried_backwards_in_a_list(caches):
    path = [1.0 + 0 * caches[-1][4]]
    for _, _, _, _, f, *_ in caches[:0:-1]:
        path.insert(0, path[0] * f)
    return np.stack(path, axis=1)


@answers("cell_gradient_path")
def two_loops(caches):
    B, H = caches[0][4].shape
    path = np.ones((B, len(caches), H))
    for t in range(len(caches)):
        for later in range(t + 1, len(caches)):
            path[:, t] *= caches[later][4]
    return path


@answers("cell_gradient_path")
def by_logarithms(caches):
    log_f = np.log(np.stack([cache[4] for cache in caches], axis=1))
    total = log_f.sum(axis=1, keepdims=True)
    return np.exp(total - np.cumsum(log_f, axis=1))


@answers("cell_gradient_path")
def single_precision_paths(caches):
    f = np.stack([cache[4] for cache in caches]).astype(np.float32)
    path = np.ones_like(f)
    for t in range(len(caches) - 2, -1, -1):
        path[t] = path[t + 1] * f[t + 1]
    return path.swapaxes(0, 1)
