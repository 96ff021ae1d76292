"""The simple recurrent network (Elman, 1990): one step, its gradient, and both over a sequence.

    h_t = tanh(x_t W_ih^T + b_ih + h_{t-1} W_hh^T + b_hh)

``rnn_cell`` and ``rnn_cell_backward`` are the pair that a layer can be driven by. ``rnn_forward`` and
``rnn_backward`` walk that pair along a sequence, one step at a time: the plain text of
backpropagation through time (Rumelhart, Hinton and Williams, 1986; Werbos, 1990).
``rnncore.layers.RNN`` computes the same numbers much faster; the tests hold the two equal.
"""

import numpy as np


def rnn_cell(p, x, h):
    """One step: x (B, D) and h (B, H) give h_next (B, H) and the cache (x, h, h_next)."""
    a = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    h_next = np.tanh(a)
    cache = (x, h, h_next)
    return h_next, cache


def rnn_cell_backward(p, dh, cache):
    """One step back: dh (B, H), the loss's gradient at h_next, gives dx (B, D), dh_prev (B, H), grads."""
    x, h, h_next = cache
    da = dh * (1 - h_next**2)
    dx = da @ p["weight_ih"]
    dh_prev = da @ p["weight_hh"]
    grads = {
        "weight_ih": da.T @ x,
        "weight_hh": da.T @ h,
        "bias_ih": da.sum(axis=0),
        "bias_hh": da.sum(axis=0),
    }
    return dx, dh_prev, grads


def rnn_forward(p, x, h0):
    """All steps: x (B, T, D) and h0 (B, H) give y (B, T, H), h_T (B, H) and a list of T caches."""
    B, T, _ = x.shape
    y = np.zeros((B, T, h0.shape[1]), dtype=h0.dtype)
    h = h0
    caches = []
    for t in range(T):
        h, cache = rnn_cell(p, x[:, t], h)
        y[:, t] = h
        caches.append(cache)
    return y, h, caches


def rnn_backward(p, dy, caches):
    """All steps back: dy (B, T, H) gives dx (B, T, D), dh0 (B, H) and grads summed over time."""
    B, T, _ = dy.shape
    dx = np.zeros((B, T, p["weight_ih"].shape[1]), dtype=dy.dtype)
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    dh_next = np.zeros_like(dy[:, 0])
    for t in reversed(range(T)):
        dh = dy[:, t] + dh_next
        dx[:, t], dh_next, step = rnn_cell_backward(p, dh, caches[t])
        for name in grads:
            grads[name] += step[name]
    return dx, dh_next, grads


def truncated_backward(p, dy, caches, k):
    """Truncated BPTT (Williams and Peng, 1990): as rnn_backward, but no gradient crosses a border.

    The T steps are cut into chunks of k, and the last chunk may be shorter. Within a chunk the
    gradient flows as usual; it is dropped where it would pass from one chunk into the one before.
    """
    B, T, _ = dy.shape
    dx = np.zeros((B, T, p["weight_ih"].shape[1]), dtype=dy.dtype)
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    dh_next = np.zeros_like(dy[:, 0])
    for t in reversed(range(T)):
        if (t + 1) % k == 0:
            dh_next = np.zeros_like(dh_next)
        dh = dy[:, t] + dh_next
        dx[:, t], dh_next, step = rnn_cell_backward(p, dh, caches[t])
        for name in grads:
            grads[name] += step[name]
    return dx, dh_next, grads
