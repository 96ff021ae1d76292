"""Linear recurrences without waiting: the prefix scan, its gradient, and the minGRU that runs on it.

    h_t = a_t * h_{t-1} + b_t,    all products element by element

A step is a pair (a, b), and two steps in a row are one step again (``combine``). Joining is associative,
so the states of all T steps take log2 T rounds in which nothing waits for its neighbour (Hillis and
Steele, 1986; Blelloch, 1990; for recurrent networks, Martin and Cundy, 2018). It is more arithmetic than
the loop's, T log2 T joins instead of T: a bargain only where many can be made at once.
"""

import numpy as np

from rnncore.cells.activations import sigmoid


def combine(first, second):
    """The one step (a, b) that does what two steps do, first then second; a and b of any shared shape."""
    a_1, b_1 = first
    a_2, b_2 = second
    return a_2 * a_1, a_2 * b_1 + b_2


def scan(a, b, h0):
    """All states of h_t = a_t * h_{t-1} + b_t: a, b (B, T, H) and h0 (B, H) give h (B, T, H).

    In log2 T rounds, T a power of two or not. After a round with a shift, every step stands for itself
    and the 2 * shift - 1 steps before it, as far as there are any.
    """
    a, b = a.copy(), b.copy()
    b[:, 0] += a[:, 0] * h0
    shift = 1
    while shift < a.shape[1]:
        a_1, b_1 = a[:, :-shift], b[:, :-shift]
        a_2, b_2 = a[:, shift:], b[:, shift:]
        a[:, shift:], b[:, shift:] = a_2 * a_1, a_2 * b_1 + b_2  # combine, for every step at once
        shift *= 2
    return b


def scan_backward(a, h0, h, dh):
    """The gradients of a scan: dh (B, T, H), what arrives at every state from outside, gives da, db, dh0.

    a (B, T, H) and h0 (B, H) went in, h (B, T, H) came out. What arrives at a state in all, db, is a
    recurrence of the same form that runs from the last step to the first.
    """
    a_next = np.concatenate([a[:, 1:], np.ones_like(a[:, :1])], axis=1)
    db = scan(a_next[:, ::-1], dh[:, ::-1], np.zeros_like(h0))[:, ::-1]
    h_prev = np.concatenate([h0[:, np.newaxis], h[:, :-1]], axis=1)
    da = db * h_prev
    dh0 = db[:, 0] * a[:, 0]
    return da, db, dh0


def min_gru(p, x, h0):
    """A minGRU over whole sequences (Feng et al., 2024), without a loop over time.

    p holds weight_ih (2H, D) and bias_ih (2H,), rows stacked z, n. x (B, T, D) and h0 (B, H) give
    h (B, T, H) and the cache (x, h0, z, n, h). z = 1 keeps the old state; the paper's z is our 1 - z.
    """
    x_z, n = np.split(x @ p["weight_ih"].T + p["bias_ih"], 2, axis=2)
    z = sigmoid(x_z)
    h = scan(z, (1 - z) * n, h0)
    cache = (x, h0, z, n, h)
    return h, cache


def min_gru_backward(p, dh, cache):
    """Back through min_gru: dh (B, T, H) at all states gives dx (B, T, D), dh0 (B, H) and grads."""
    x, h0, z, n, h = cache
    d_factor, db, dh0 = scan_backward(z, h0, h, dh)
    dz = d_factor - db * n
    da = np.concatenate([dz * z * (1 - z), db * (1 - z)], axis=2)
    grads = {"weight_ih": np.einsum("bti,btj->ij", da, x), "bias_ih": da.sum(axis=(0, 1))}
    return da @ p["weight_ih"], dh0, grads
