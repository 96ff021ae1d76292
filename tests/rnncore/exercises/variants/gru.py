"""Correct variants for lesson 06."""

import numpy as np

from rnncore.cells.activations import sigmoid
from tests.rnncore.exercises.variants import answers


def blocks(p):
    """The parameters gate by gate: W, U, b, d of r, z and n."""
    return zip(
        *(np.split(p[name], 3) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")), strict=True
    )


@answers("gru_cell")
def slices(p, x, h):
    H = h.shape[1]
    gi = x @ p["weight_ih"].T + p["bias_ih"]
    gh = h @ p["weight_hh"].T + p["bias_hh"]
    r = 1 / (1 + np.exp(-(gi[:, :H] + gh[:, :H])))
    z = 1 / (1 + np.exp(-(gi[:, H : 2 * H] + gh[:, H : 2 * H])))
    n = np.tanh(gi[:, 2 * H :] + r * gh[:, 2 * H :])
    return n + z * (h - n), (x, h, r, z, n, gh[:, 2 * H :])


@answers("gru_cell")
def gate_by_gate(p, x, h):
    (W_r, U_r, b_r, d_r), (W_z, U_z, b_z, d_z), (W_n, U_n, b_n, d_n) = blocks(p)
    r = sigmoid(x @ W_r.T + h @ U_r.T + b_r + d_r)
    z = sigmoid(x @ W_z.T + h @ U_z.T + b_z + d_z)
    recurrent = h @ U_n.T + d_n
    n = np.tanh(x @ W_n.T + b_n + r * recurrent)
    return [z * h + (1 - z) * n, [x, h, r, z, n, recurrent]]


@answers("gru_cell")
def example_by_example(p, x, h):
    rows = []
    for x_b, h_b in zip(x, h, strict=True):
        i_r, i_z, i_n = np.split(p["weight_ih"] @ x_b + p["bias_ih"], 3)
        h_r, h_z, h_n = np.split(p["weight_hh"] @ h_b + p["bias_hh"], 3)
        r, z = sigmoid(i_r + h_r), sigmoid(i_z + h_z)
        n = np.tanh(i_n + r * h_n)
        rows.append(((1 - z) * n + z * h_b, x_b, h_b, r, z, n, h_n))
    h_next, *cache = (np.stack(column) for column in zip(*rows, strict=True))
    return h_next, tuple(cache)


@answers("gru_cell")
def both_gates_together(p, x, h):
    H = h.shape[1]
    a = np.hstack([x, h]) @ np.hstack([p["weight_ih"], p["weight_hh"]])[: 2 * H].T
    a += (p["bias_ih"] + p["bias_hh"])[: 2 * H]
    r, z = np.hsplit(sigmoid(a), 2)
    h_n = h @ p["weight_hh"][2 * H :].T + p["bias_hh"][2 * H :]
    n = np.tanh(r * h_n + x @ p["weight_ih"][2 * H :].T + p["bias_ih"][2 * H :])
    h_next = n.copy()
    h_next *= 1 - z
    h_next += z * h
    return h_next, (x.copy(), h.copy(), r, z, n, h_n)


@answers("gru_cell")
def einsum(p, x, h):
    from_x = np.einsum("bd,gd->bg", x, p["weight_ih"]) + p["bias_ih"]
    from_h = np.einsum("bh,gh->bg", h, p["weight_hh"]) + p["bias_hh"]
    from_x, from_h = from_x.reshape(len(x), 3, -1), from_h.reshape(len(x), 3, -1)
    gates = sigmoid(from_x[:, :2] + from_h[:, :2])
    n = np.tanh(from_x[:, 2] + gates[:, 0] * from_h[:, 2])
    mix = np.stack([1 - gates[:, 1], gates[:, 1]])
    return (mix * np.stack([n, h])).sum(axis=0), (x, h, gates[:, 0], gates[:, 1], n, from_h[:, 2])


@answers("gru_cell")
def single_precision_inside(p, x, h):
    (W_r, U_r, b_r, d_r), (W_z, U_z, b_z, d_z), (W_n, U_n, b_n, d_n) = blocks(
        {name: value.astype(np.float32) for name, value in p.items()}
    )
    x, h = x.astype(np.float32), h.astype(np.float32)
    r = sigmoid(x @ W_r.T + b_r + h @ U_r.T + d_r)
    z = sigmoid(x @ W_z.T + b_z + h @ U_z.T + d_z)
    h_n = h @ U_n.T + d_n
    n = np.tanh(x @ W_n.T + b_n + r * h_n)
    return (1 - z) * n + z * h, (x, h, r, z, n, h_n)


@answers("gru_cell_backward")
def every_product_named(p, dh, cache):
    x, h, r, z, n, h_n = cache
    dz = dh * h - dh * n
    dn = dh - dh * z
    dh_direct = dh * z
    da_n = dn * (1 - n) * (1 + n)
    dh_n, dr = da_n * r, da_n * h_n
    da_z, da_r = dz * (z - z**2), dr * (r - r**2)
    left, right = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z, dh_n])
    grads = {
        "weight_ih": left.T @ x,
        "weight_hh": right.T @ h,
        "bias_ih": left.sum(0),
        "bias_hh": right.sum(0),
    }
    return left @ p["weight_ih"], dh_direct + right @ p["weight_hh"], grads


@answers("gru_cell_backward")
def gate_by_gate_back(p, dh, cache):
    x, h, r, z, n, h_n = cache
    da_n = dh * (1 - z) * (1 - n**2)
    from_x = [da_n * h_n * r * (1 - r), dh * (h - n) * z * (1 - z), da_n]
    from_h = [from_x[0], from_x[1], da_n * r]
    dx, dh_prev = np.zeros_like(x), dh * z
    grads = {"weight_ih": [], "weight_hh": [], "bias_ih": [], "bias_hh": []}
    for (W, U, _, _), dx_gate, dh_gate in zip(blocks(p), from_x, from_h, strict=True):
        dx += dx_gate @ W
        dh_prev += dh_gate @ U
        grads["weight_ih"].append(dx_gate.T @ x)
        grads["weight_hh"].append(dh_gate.T @ h)
        grads["bias_ih"].append(dx_gate.sum(axis=0))
        grads["bias_hh"].append(dh_gate.sum(axis=0))
    return [dx, dh_prev, {name: np.concatenate(parts) for name, parts in grads.items()}]


@answers("gru_cell_backward")
def filled_in_place(p, dh, cache):
    x, h, r, z, n, h_n = cache
    H = h.shape[1]
    d = np.zeros((len(x), 3 * H))
    d[:, 2 * H :] = dh * (1 - z) * (1 - n**2)
    d[:, H : 2 * H] = dh * (h - n) * z * (1 - z)
    d[:, :H] = d[:, 2 * H :] * h_n * r * (1 - r)
    dx = d @ p["weight_ih"]
    grads = {"weight_ih": d.T @ x, "bias_ih": np.ones(len(d)) @ d}
    d[:, 2 * H :] *= r
    grads |= {"weight_hh": d.T @ h, "bias_hh": np.ones(len(d)) @ d}
    dh = dh.copy()
    dh *= z
    dh += d @ p["weight_hh"]
    return dx, dh, grads


@answers("gru_cell_backward")
def example_by_example_back(p, dh, cache):
    totals = {name: np.zeros_like(value) for name, value in p.items()}
    dxs, dhs = [], []
    for d, x, h, r, z, n, h_n in zip(dh, *cache, strict=True):
        a_n = d * (1 - z) * (1 - n**2)
        left = np.concatenate([a_n * h_n * r * (1 - r), d * (h - n) * z * (1 - z), a_n])
        right = left * np.concatenate([np.ones_like(r), np.ones_like(z), r])
        dxs.append(p["weight_ih"].T @ left)
        dhs.append(p["weight_hh"].T @ right + d * z)
        totals["weight_ih"] += np.outer(left, x)
        totals["weight_hh"] += np.outer(right, h)
        totals["bias_ih"] += left
        totals["bias_hh"] += right
    return np.array(dxs), np.array(dhs), totals


@answers("gru_cell_backward")
def einsum_back(p, dh, cache):
    x, h, r, z, n, h_n = cache
    da_n = dh * (1 - z) / np.cosh(np.arctanh(n)) ** 2
    left = np.stack([da_n * h_n * r * (1 - r), dh * (h - n) * z * (1 - z), da_n])
    right = left * np.stack([np.ones_like(r), np.ones_like(z), r])
    W, U = (p[name].reshape(3, h.shape[1], -1) for name in ("weight_ih", "weight_hh"))
    grads = {
        "weight_ih": np.einsum("kbh,bd->khd", left, x).reshape(p["weight_ih"].shape),
        "weight_hh": np.einsum("kbh,bj->khj", right, h).reshape(p["weight_hh"].shape),
        "bias_ih": left.sum(axis=1).ravel(),
        "bias_hh": right.sum(axis=1).ravel(),
    }
    return np.einsum("kbh,khd->bd", left, W), dh * z + np.einsum("kbh,khj->bj", right, U), grads


@answers("gru_cell_backward")
def single_precision_back(p, dh, cache):
    dh, (x, h, r, z, n, h_n) = dh.astype(np.float32), (item.astype(np.float32) for item in cache)
    da_n = dh * (1 - z) * (1 - n**2)
    da_r, da_z = da_n * h_n * r * (1 - r), dh * (h - n) * z * (1 - z)
    left, right = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z, da_n * r])
    q = {name: value.astype(np.float32) for name, value in p.items()}
    grads = {
        "weight_ih": left.T @ x,
        "weight_hh": right.T @ h,
        "bias_ih": left.sum(0),
        "bias_hh": right.sum(0),
    }
    return left @ q["weight_ih"], right @ q["weight_hh"] + dh * z, grads


@answers("gru_cell_reset_before")
def before_with_slices(p, x, h):
    H = h.shape[1]
    W, U = p["weight_ih"], p["weight_hh"]
    b, d = p["bias_ih"], p["bias_hh"]
    r = sigmoid(x @ W[:H].T + b[:H] + h @ U[:H].T + d[:H])
    z = sigmoid(x @ W[H : 2 * H].T + b[H : 2 * H] + h @ U[H : 2 * H].T + d[H : 2 * H])
    n = np.tanh(x @ W[2 * H :].T + b[2 * H :] + (h * r) @ U[2 * H :].T + d[2 * H :])
    return n + z * (h - n), [x, h, r, z, n]


@answers("gru_cell_reset_before")
def before_gate_by_gate(p, x, h):
    r_block, z_block, n_block = blocks(p)

    def total(block, state):
        W, U, b, d = block
        return np.hstack([x, state]) @ np.hstack([W, U]).T + (b + d)

    r, z = 1 / (1 + np.exp(-total(r_block, h))), 1 / (1 + np.exp(-total(z_block, h)))
    n = np.tanh(total(n_block, r * h))
    return z * h + (1 - z) * n, (x, h, r, z, n)


@answers("gru_cell_reset_before")
def before_example_by_example(p, x, h):
    rows = []
    for x_b, h_b in zip(x, h, strict=True):
        i_r, i_z, i_n = np.split(p["weight_ih"] @ x_b + p["bias_ih"] + p["bias_hh"], 3)
        U_r, U_z, U_n = np.split(p["weight_hh"], 3)
        r, z = sigmoid(i_r + U_r @ h_b), sigmoid(i_z + U_z @ h_b)
        n = np.tanh(i_n + U_n @ (r * h_b))
        rows.append(((1 - z) * n + z * h_b, x_b, h_b, r, z, n))
    h_next, *cache = (np.array(column) for column in zip(*rows, strict=True))
    return h_next, cache


@answers("gru_cell_reset_before")
def before_with_einsum(p, x, h):
    W, U = (p[name].reshape(3, h.shape[1], -1) for name in ("weight_ih", "weight_hh"))
    a = np.einsum("bd,khd->kbh", x, W) + (p["bias_ih"] + p["bias_hh"]).reshape(3, 1, -1)
    r, z = sigmoid(a[:2] + np.einsum("bj,khj->kbh", h, U[:2]))
    n = np.tanh(a[2] + np.einsum("bj,bj,hj->bh", r, h, U[2]))
    return (1 - z) * n + z * h, (x, h, r, z, n)


@answers("gru_cell_reset_before")
def before_scaled_weights(p, x, h):
    (W_r, U_r, b_r, d_r), (W_z, U_z, b_z, d_z), (W_n, U_n, b_n, d_n) = blocks(p)
    r = 0.5 * (1 + np.tanh(0.5 * (x @ W_r.T + h @ U_r.T + b_r + d_r)))
    z = 0.5 * (1 + np.tanh(0.5 * (x @ W_z.T + h @ U_z.T + b_z + d_z)))
    past = np.stack([(U_n * r_b) @ h_b for r_b, h_b in zip(r, h, strict=True)])
    n = np.tanh(x @ W_n.T + b_n + past + d_n)
    h_next = h - (1 - z) * (h - n)
    return h_next, (x, h, r, z, n)


@answers("gru_cell_reset_before")
def before_in_single_precision(p, x, h):
    x, h = x.astype(np.float32), h.astype(np.float32)
    r_block, z_block, n_block = blocks({name: value.astype(np.float32) for name, value in p.items()})
    r, z = (sigmoid(x @ W.T + b + h @ U.T + d) for W, U, b, d in (r_block, z_block))
    W, U, b, d = n_block
    n = np.tanh(x @ W.T + b + (r * h) @ U.T + d)
    return (1 - z) * n + z * h, (x, h, r, z, n)


@answers("parameter_counts")
def by_shapes(D, H):
    def count(G):
        return sum(int(np.prod(shape)) for shape in ((G * H, D), (G * H, H), (G * H,), (G * H,)))

    return {"rnn": count(1), "gru": count(3), "lstm": count(4)}


@answers("parameter_counts")
def by_arrays(D, H):
    def count(G):
        return np.zeros((G * H, D)).size + np.zeros((G * H, H)).size + 2 * np.zeros(G * H).size

    return {"lstm": count(4), "gru": count(3), "rnn": count(1)}


@answers("parameter_counts")
def factored(D, H):
    return {name: blocks * H * (D + H + 2) for name, blocks in (("rnn", 1), ("gru", 3), ("lstm", 4))}


@answers("parameter_counts")
def term_by_term(D, H):
    counts = {}
    for name, gates in zip(["rnn", "gru", "lstm"], [1, 3, 4], strict=True):
        counts[name] = 0
        for _ in range(gates):
            counts[name] += H * D
            counts[name] += H * H
            counts[name] += H + H
    return counts


@answers("parameter_counts")
def as_floats(D, H):
    block = H * (float(D) + H) + 2.0 * H
    return dict(rnn=block, gru=3 * block, lstm=4 * block, unit=H)


@answers("parameter_counts")
def in_a_numpy_array(D, H):
    return dict(zip(("rnn", "gru", "lstm"), np.array([1, 3, 4]) * (H * (D + H) + 2 * H), strict=True))
