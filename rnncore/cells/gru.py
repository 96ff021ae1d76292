"""Gated recurrent unit (Cho et al., 2014), in PyTorch's form and in the original one.

    h_t = (1 - z) * n + z * h_{t-1}

The update gate z is how much of the old state stays. The literature disagrees twice, so look before you
load weights. *Where the reset gate r acts:* PyTorch multiplies it onto the finished recurrent sum
(``gru_cell``), Cho et al., as published, onto the state before the matrix product
(``gru_cell_reset_before``; their first draft had it after). *What z means:* here, as in PyTorch and in
Cho et al., z = 1 keeps the old state; in Chung et al. (2014) z = 1 takes the new one. The gates' rows
are stacked in PyTorch's order r, z, n in every parameter.
"""

import numpy as np

from rnncore.cells.activations import sigmoid


def gru_cell(p, x, h):
    """One step: x (B, D) and h (B, H) give h_next (B, H) and the cache (x, h, r, z, n, h_n).

    h_n is the candidate's share of the recurrent sum, bias included, *before* r is multiplied onto it.
    """
    from_x = x @ p["weight_ih"].T + p["bias_ih"]
    from_h = h @ p["weight_hh"].T + p["bias_hh"]
    x_r, x_z, x_n = np.split(from_x, 3, axis=1)
    h_r, h_z, h_n = np.split(from_h, 3, axis=1)
    r = sigmoid(x_r + h_r)
    z = sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    h_next = (1 - z) * n + z * h
    cache = (x, h, r, z, n, h_n)
    return h_next, cache


def gru_cell_backward(p, dh, cache):
    """One step back: dh (B, H), the loss's gradient at h_next, gives dx (B, D), dh_prev (B, H), grads."""
    x, h, r, z, n, h_n = cache
    da_n = dh * (1 - z) * (1 - n**2)
    da_z = dh * (h - n) * z * (1 - z)
    da_r = da_n * h_n * r * (1 - r)
    d_from_x = np.concatenate([da_r, da_z, da_n], axis=1)
    d_from_h = np.concatenate([da_r, da_z, da_n * r], axis=1)
    dx = d_from_x @ p["weight_ih"]
    dh_prev = d_from_h @ p["weight_hh"] + dh * z
    grads = {
        "weight_ih": d_from_x.T @ x,
        "weight_hh": d_from_h.T @ h,
        "bias_ih": d_from_x.sum(axis=0),
        "bias_hh": d_from_h.sum(axis=0),
    }
    return dx, dh_prev, grads


def gru_cell_reset_before(p, x, h):
    """One step with the reset before the matrix product (Cho et al., 2014): r * h meets the weights.

    x (B, D) and h (B, H) give h_next (B, H) and the cache (x, h, r, z, n). z = 1 keeps the old state, as
    in gru_cell. The biases, which the paper leaves out, are PyTorch's two; neither is reset.
    """
    x_r, x_z, x_n = np.split(x @ p["weight_ih"].T + p["bias_ih"], 3, axis=1)
    W_r, W_z, W_n = np.split(p["weight_hh"], 3)
    b_r, b_z, b_n = np.split(p["bias_hh"], 3)
    r = sigmoid(x_r + h @ W_r.T + b_r)
    z = sigmoid(x_z + h @ W_z.T + b_z)
    n = np.tanh(x_n + (r * h) @ W_n.T + b_n)
    h_next = (1 - z) * n + z * h
    cache = (x, h, r, z, n)
    return h_next, cache


def gru_cell_reset_before_backward(p, dh, cache):
    """One step back through gru_cell_reset_before: dh (B, H) gives dx (B, D), dh_prev (B, H), grads."""
    x, h, r, z, n = cache
    W_r, W_z, W_n = np.split(p["weight_hh"], 3)
    da_n = dh * (1 - z) * (1 - n**2)
    da_z = dh * (h - n) * z * (1 - z)
    d_reset = da_n @ W_n  # at r * h
    da_r = d_reset * h * r * (1 - r)
    da = np.concatenate([da_r, da_z, da_n], axis=1)
    dx = da @ p["weight_ih"]
    dh_prev = da_r @ W_r + da_z @ W_z + d_reset * r + dh * z
    grads = {
        "weight_ih": da.T @ x,
        "weight_hh": np.concatenate([da_r.T @ h, da_z.T @ h, da_n.T @ (r * h)]),
        "bias_ih": da.sum(axis=0),
        "bias_hh": da.sum(axis=0),
    }
    return dx, dh_prev, grads


def parameter_counts(D, H):
    """How many numbers each cell learns for D inputs and H units: {"rnn": ..., "gru": ..., "lstm": ...}.

    Both biases count, as in PyTorch: every gate block has weights from x and from h and two biases.
    """
    block = H * D + H * H + 2 * H
    return {"rnn": block, "gru": 3 * block, "lstm": 4 * block}
