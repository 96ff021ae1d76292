"""One step of the minimal GRU, minGRU (Feng et al., 2024): a GRU whose gate and candidate see x alone.

    h_t = z * h_{t-1} + (1 - z) * n,    z = sigmoid(x_z),    n = x_n

Nothing that is computed from the old state is multiplied with it, so the recurrence is linear in h, and
all steps can be joined at once (``rnncore.topics.scan``). The candidate has no tanh, as in the paper's
first form. As in ``rnncore.cells.gru``, z = 1 keeps the old state; the paper lets z = 1 take the new one.
The rows are stacked z, n; there are no recurrent weights.
"""

import numpy as np

from rnncore.cells.activations import sigmoid


def min_gru_cell(p, x, h):
    """One step: x (B, D) and h (B, H) give h_next (B, H) and the cache (x, h, z, n).

    p holds weight_ih (2H, D) and bias_ih (2H,).
    """
    x_z, n = np.split(x @ p["weight_ih"].T + p["bias_ih"], 2, axis=1)
    z = sigmoid(x_z)
    h_next = z * h + (1 - z) * n
    cache = (x, h, z, n)
    return h_next, cache


def min_gru_cell_backward(p, dh, cache):
    """One step back: dh (B, H), the loss's gradient at h_next, gives dx (B, D), dh_prev (B, H), grads."""
    x, h, z, n = cache
    da = np.concatenate([dh * (h - n) * z * (1 - z), dh * (1 - z)], axis=1)
    dx = da @ p["weight_ih"]
    dh_prev = dh * z
    grads = {"weight_ih": da.T @ x, "bias_ih": da.sum(axis=0)}
    return dx, dh_prev, grads
