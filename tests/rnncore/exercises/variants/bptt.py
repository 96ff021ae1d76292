"""Correct variants for lesson 03."""

import numpy as np

from rnncore.cells.rnn import rnn_backward, rnn_cell_backward
from tests.rnncore.exercises.variants import answers


@answers("softmax_cross_entropy")
def probabilities_first(logits, targets):
    z = logits - logits.max(axis=2, keepdims=True)
    e = np.exp(z)
    probs = e / e.sum(axis=2, keepdims=True)
    B, T, _ = logits.shape
    b, t = np.arange(B)[:, None], np.arange(T)[None, :]
    loss = (np.log(e.sum(axis=2)) - z[b, t, targets]).mean()
    dlogits = probs.copy()
    dlogits[b, t, targets] -= 1
    return loss, dlogits / (B * T)


@answers("softmax_cross_entropy")
def flattened(logits, targets):
    flat = logits.reshape(-1, logits.shape[-1])
    flat = flat - flat.max(axis=1, keepdims=True)
    total = np.exp(flat).sum(axis=1)
    rows = np.arange(len(flat))
    loss = (np.log(total) - flat[rows, targets.ravel()]).mean()
    d = np.exp(flat) / total[:, None]
    d[rows, targets.ravel()] -= 1
    return loss, (d / len(flat)).reshape(logits.shape)


@answers("softmax_cross_entropy")
def loops(logits, targets):
    B, T, _V = logits.shape
    loss, dlogits = 0.0, np.zeros(logits.shape)
    for b in range(B):
        for t in range(T):
            z = logits[b, t] - np.max(logits[b, t])
            probs = np.exp(z) / np.sum(np.exp(z))
            loss += (np.log(np.sum(np.exp(z))) - z[targets[b, t]]) / (B * T)
            dlogits[b, t] = probs / (B * T)
            dlogits[b, t, targets[b, t]] -= 1 / (B * T)
    return loss, dlogits


@answers("softmax_cross_entropy")
def log_sum_exp_by_reduction(logits, targets):
    log_probs = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    one_hot = np.zeros(logits.shape)
    np.put_along_axis(one_hot, targets[..., None], 1.0, axis=-1)
    return -(log_probs * one_hot).sum() / targets.size, (np.exp(log_probs) - one_hot) / targets.size


@answers("softmax_cross_entropy")
def single_precision_inside(logits, targets):
    z = (logits - logits.max(axis=-1, keepdims=True)).astype(np.float32)
    probs = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    one_hot = (targets[..., None] == np.arange(logits.shape[-1])).astype(np.float32)
    loss = (np.log(np.exp(z).sum(axis=-1)) - (z * one_hot).sum(axis=-1)).mean()
    return loss, (probs - one_hot) / np.float32(targets.size)


@answers("numerical_gradient")
def smaller_step(f, x):
    gradient = np.empty(x.shape)
    for index in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[index] += 1e-6
        down[index] -= 1e-6
        gradient[index] = (f(up) - f(down)) / 2e-6
    return gradient


@answers("numerical_gradient")
def flat_index(f, x):
    flat, gradient = x.astype(float).ravel(), np.zeros(x.size)
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = 1e-5
        above, below = f((flat + step).reshape(x.shape)), f((flat - step).reshape(x.shape))
        gradient[i] = (above - below) / 2e-5
    return gradient.reshape(x.shape)


@answers("numerical_gradient")
def with_nditer(f, x):
    x, gradient = x.copy(), np.zeros(x.shape)
    walk = np.nditer(x, flags=["multi_index"])
    while not walk.finished:
        index = walk.multi_index
        kept = float(x[index])
        x[index] = kept + 1e-5
        above = f(x)
        x[index] = kept - 1e-5
        gradient[index] = (above - f(x)) / 2e-5
        x[index] = kept
        walk.iternext()
    return gradient


@answers("numerical_gradient")
def nudges_the_input_and_restores_it(f, x):
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + 1e-5
        above = f(x)
        x[index] = kept - 1e-5
        below = f(x)
        x[index] = kept
        gradient[index] = (above - below) / 2e-5
    return gradient


@answers("numerical_gradient")
def fourth_order(f, x):
    h, gradient = 1e-3, np.zeros_like(x)
    for index in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[index] = h
        gradient[index] = (8 * (f(x + e) - f(x - e)) - (f(x + 2 * e) - f(x - 2 * e))) / (12 * h)
    return gradient


@answers("numerical_gradient")
def larger_step_and_a_list(f, x):
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[index] = 1e-4
        gradient[index] = (f(x + e) - f(x - e)) / 2e-4
    return gradient.tolist()


@answers("rnn_cell_backward")
def one_example_at_a_time(p, dh, cache):
    x, h, h_next = cache
    dx, dh_prev = np.zeros_like(x), np.zeros_like(h)
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    for b in range(len(dh)):
        da = dh[b] * (1 - h_next[b] * h_next[b])
        dx[b], dh_prev[b] = p["weight_ih"].T @ da, p["weight_hh"].T @ da
        grads["weight_ih"] += np.outer(da, x[b])
        grads["weight_hh"] += np.outer(da, h[b])
        grads["bias_ih"] += da
        grads["bias_hh"] += da
    return dx, dh_prev, grads


@answers("rnn_cell_backward")
def einsum_and_any_key_order(p, dh, cache):
    x, h, h_next = cache
    da = dh - dh * h_next**2
    bias = np.einsum("bh->h", da)
    grads = {"bias_hh": bias, "bias_ih": bias, "weight_hh": np.einsum("bi,bj->ij", da, h)}
    grads["weight_ih"] = np.einsum("bi,bd->id", da, x)
    return np.einsum("bh,hd->bd", da, p["weight_ih"]), np.einsum("bi,ij->bj", da, p["weight_hh"]), grads


@answers("rnn_cell_backward")
def transposed_twice(p, dh, cache):
    x, h, h_next = cache
    da = dh * (1 - h_next) * (1 + h_next)
    grads = dict(weight_ih=(x.T @ da).T, weight_hh=(h.T @ da).T, bias_ih=np.sum(da, 0), bias_hh=np.sum(da, 0))
    return [(p["weight_ih"].T @ da.T).T, (p["weight_hh"].T @ da.T).T, grads]


@answers("rnn_cell_backward")
def in_place_on_a_private_copy(p, dh, cache):
    x, h, h_next = cache
    da = dh.copy()
    da *= 1 - h_next**2
    ones = np.ones(len(da))
    grads = {"weight_ih": da.T @ x, "weight_hh": da.T @ h, "bias_ih": ones @ da, "bias_hh": ones @ da}
    return da @ p["weight_ih"], da @ p["weight_hh"], grads


@answers("rnn_cell_backward")
def recomputes_the_activation(p, dh, cache):
    x, h, _ = cache
    a = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    da = dh / np.cosh(a) ** 2
    bias = da.sum(axis=0)
    return (
        da @ p["weight_ih"],
        da @ p["weight_hh"],
        {"weight_ih": da.T @ x, "weight_hh": da.T @ h, "bias_ih": bias, "bias_hh": bias.copy()},
    )


@answers("rnn_cell_backward")
def single_precision(p, dh, cache):
    x, h, h_next = (item.astype(np.float32) for item in cache)
    da = dh.astype(np.float32) * (1 - h_next**2)
    grads = {"weight_ih": da.T @ x, "weight_hh": da.T @ h, "bias_ih": da.sum(0), "bias_hh": da.sum(0)}
    return da @ p["weight_ih"].astype(np.float32), da @ p["weight_hh"].astype(np.float32), grads


def zeros_like_params(p):
    return {name: np.zeros_like(value) for name, value in p.items()}


@answers("rnn_backward")
def counts_down(p, dy, caches):
    carry, t, dxs, total = 0.0, dy.shape[1] - 1, [], zeros_like_params(p)
    while t >= 0:
        dx, carry, grads = rnn_cell_backward(p, dy[:, t] + carry, caches[t])
        dxs.insert(0, dx)
        total = {name: total[name] + grads[name] for name in total}
        t -= 1
    return np.stack(dxs, axis=1), carry, total


@answers("rnn_backward")
def zipped_and_stacked(p, dy, caches):
    dh, shares, dxs = np.zeros_like(dy[:, 0]), [], []
    for dy_t, cache in zip(dy.transpose(1, 0, 2)[::-1], caches[::-1], strict=True):
        dx, dh, grads = rnn_cell_backward(p, dh + dy_t, cache)
        dxs.append(dx)
        shares.append(grads)
    grads = {name: np.sum([share[name] for share in shares], axis=0) for name in p}
    return np.stack(dxs[::-1], axis=1), dh, grads


@answers("rnn_backward")
def without_calling_the_cell(p, dy, caches):
    B, T, H = dy.shape
    x, h, y = (np.stack([cache[i] for cache in caches], axis=1) for i in range(3))
    da, carry = np.zeros((B, T, H)), np.zeros((B, H))
    for t in range(T - 1, -1, -1):
        da[:, t] = (dy[:, t] + carry) * (1 - y[:, t] ** 2)
        carry = da[:, t] @ p["weight_hh"]
    bias = da.sum(axis=(0, 1))
    grads = {
        "weight_ih": np.einsum("bth,btd->hd", da, x),
        "weight_hh": np.einsum("bti,btj->ij", da, h),
        "bias_ih": bias,
        "bias_hh": bias,
    }
    return da @ p["weight_ih"], carry, grads


@answers("rnn_backward")
def adds_the_carry_into_a_private_copy(p, dy, caches):
    dy = dy.copy()
    total, dx = zeros_like_params(p), [None] * len(caches)
    for t in range(len(caches) - 1, -1, -1):
        dx[t], back, grads = rnn_cell_backward(p, dy[:, t], caches[t])
        if t:
            dy[:, t - 1] += back
        for name, share in grads.items():
            total[name] += share
    return np.stack(dx, axis=1), back, total


@answers("rnn_backward")
def recursive(p, dy, caches, t=0):
    if t == len(caches):
        return [], np.zeros_like(dy[:, 0]), zeros_like_params(p)
    later, carry, total = recursive(p, dy, caches, t + 1)
    dx, carry, grads = rnn_cell_backward(p, dy[:, t] + carry, caches[t])
    total = {name: total[name] + grads[name] for name in total}
    if t == 0:
        return np.stack([dx, *later], axis=1), carry, total
    return [dx, *later], carry, total


@answers("truncated_backward")
def chunk_by_chunk(p, dy, caches, k):
    total, dxs, dh0 = zeros_like_params(p), [], None
    for start in range(0, len(caches), k):
        dx, back, grads = rnn_backward(p, dy[:, start : start + k], caches[start : start + k])
        dxs.append(dx)
        dh0 = back if dh0 is None else dh0
        total = {name: total[name] + grads[name] for name in total}
    return np.concatenate(dxs, axis=1), dh0, total


@answers("truncated_backward")
def cuts_after_the_step(p, dy, caches, k):
    carry, dx, total = np.zeros(dy.shape[::2]), [], zeros_like_params(p)
    for t in range(len(caches) - 1, -1, -1):
        dx_t, back, grads = rnn_cell_backward(p, dy[:, t] + carry, caches[t])
        carry = back if t % k else np.zeros_like(back)
        dx.append(dx_t)
        for name in total:
            total[name] += grads[name]
    return np.stack(dx[::-1], axis=1), back, total


@answers("truncated_backward")
def nested_loops(p, dy, caches, k):
    T = dy.shape[1]
    dx, total = np.zeros((len(dy), T, p["weight_ih"].shape[1])), zeros_like_params(p)
    for chunk in reversed(range((T + k - 1) // k)):
        dh = np.zeros_like(dy[:, 0])
        for t in reversed(range(chunk * k, min((chunk + 1) * k, T))):
            dx[:, t], dh, grads = rnn_cell_backward(p, dh + dy[:, t], caches[t])
            for name in grads:
                total[name] = total[name] + grads[name]
    return dx, dh, total


@answers("truncated_backward")
def multiplies_the_carry_by_zero(p, dy, caches, k):
    carry, dx, total = np.zeros_like(dy[:, 0]), {}, zeros_like_params(p)
    for t in range(dy.shape[1])[::-1]:
        same_chunk = t // k == (t + 1) // k
        dx[t], carry, grads = rnn_cell_backward(p, dy[:, t] + same_chunk * carry, caches[t])
        total = {name: total[name] + share for name, share in grads.items()}
    return np.stack([dx[t] for t in sorted(dx)], axis=1), carry, total


@answers("truncated_backward")
def cell_written_out(p, dy, caches, k):
    dxs, total, carry = [], zeros_like_params(p), 0
    for t in reversed(range(len(caches))):
        x, h, h_next = caches[t]
        if t % k == k - 1:
            carry = 0
        da = (dy[:, t] + carry) * (1 - h_next**2)
        carry = da @ p["weight_hh"]
        dxs.append(da @ p["weight_ih"])
        total["weight_ih"] += da.T @ x
        total["weight_hh"] += da.T @ h
        for bias in ("bias_ih", "bias_hh"):
            total[bias] += da.sum(axis=0)
    return np.stack(dxs[::-1], axis=1), carry, total
