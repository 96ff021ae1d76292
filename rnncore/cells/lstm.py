"""Long short-term memory (Hochreiter and Schmidhuber, 1997; forget gate by Gers et al., 2000).

    c_t = f * c_{t-1} + i * g          h_t = o * tanh(c_t)

The cell state c is the memory: along it the gradient is only ever multiplied by the forget gate f, so
it need not fade. The gates' rows are stacked in PyTorch's order i, f, g, o in every parameter: rows 0
to H belong to the input gate i, then the forget gate f, the candidate g and the output gate o.
``rnncore.layers.LSTM`` computes the same numbers over whole sequences, and the tests hold the two equal.
"""

import numpy as np

from rnncore.cells.activations import sigmoid


def lstm_cell(p, x, state):
    """One step: x (B, D) and the state (h, c), each (B, H), give the new state (h, c) and the cache.

    The cache is (x, h, c, i, f, g, o, tanh_c): h and c are the *old* state, tanh_c is tanh of the new c.
    """
    h, c = state
    a = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)
    i = sigmoid(a_i)
    f = sigmoid(a_f)
    g = np.tanh(a_g)
    o = sigmoid(a_o)
    c_next = f * c + i * g
    tanh_c = np.tanh(c_next)
    h_next = o * tanh_c
    cache = (x, h, c, i, f, g, o, tanh_c)
    return (h_next, c_next), cache


def lstm_cell_backward(p, d_state, cache):
    """One step back: d_state (dh, dc) at the new state gives dx (B, D), (dh_prev, dc_prev) and grads."""
    x, h, c, i, f, g, o, tanh_c = cache
    dh, dc_carried = d_state
    dc = dc_carried + dh * o * (1 - tanh_c**2)
    da_i = dc * g * i * (1 - i)
    da_f = dc * c * f * (1 - f)
    da_g = dc * i * (1 - g**2)
    da_o = dh * tanh_c * o * (1 - o)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
    dx = da @ p["weight_ih"]
    dh_prev = da @ p["weight_hh"]
    dc_prev = dc * f
    grads = {
        "weight_ih": da.T @ x,
        "weight_hh": da.T @ h,
        "bias_ih": da.sum(axis=0),
        "bias_hh": da.sum(axis=0),
    }
    return dx, (dh_prev, dc_prev), grads


def set_forget_bias(p, value):
    """A copy of p whose forget gate starts with the bias ``value``; p itself stays as it is.

    The two biases are added up in the cell, so the value goes in once: into the f block of bias_ih, and
    the f block of bias_hh becomes 0. A value of 1 keeps the gate open at first (Jozefowicz et al., 2015).
    """
    p = {name: array.copy() for name, array in p.items()}
    H = p["weight_hh"].shape[1]
    p["bias_ih"][H : 2 * H] = value
    p["bias_hh"][H : 2 * H] = 0
    return p


def cell_gradient_path(caches):
    """How much of the gradient at the last cell state arrives at each c_t through the forget gates alone.

    The T caches of a forward pass give path (B, T, H): path[:, t] is the product of f over the steps
    t + 1, ..., T - 1, which is dc_{T-1} / dc_t along the cell state. No step follows the last one, so
    there it is 1.
    """
    f = np.stack([cache[4] for cache in caches], axis=1)
    path = np.ones_like(f)
    for t in reversed(range(len(caches) - 1)):
        path[:, t] = f[:, t + 1] * path[:, t + 1]
    return path
