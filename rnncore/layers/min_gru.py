"""The minGRU layer, and the quick way to run a linear recurrence on a few cores.

A scan in log2 T rounds passes over all numbers log2 T times: right for thousands of cores, too much for
two. A loop over time passes over them once, and pays for T calls. Between the two stands what runs here
where steps are small: the sequence is cut into about sqrt(T) chunks, all chunks take their steps side by
side, each from a state of zero, and then what the chunks before left behind is added. That is three
passes and about 2 sqrt(T) calls. Where a step alone keeps a core busy, the plain loop is quicker.
"""

import numpy as np

from rnncore.layers.kernel import bias_gradient, by_gate, from_inputs, input_gradient, weight_gradient
from rnncore.layers.recurrent import Recurrent

WIDE = 1 << 9  # numbers in a step from which the plain loop is quicker


class MinGRU(Recurrent):
    """Minimal GRU (Feng et al., 2024): the gate and the candidate look at x alone, so nothing has to wait.

    The equations and the order of the rows, z, n, are those of ``rnncore.cells.min_gru.min_gru_cell``.
    Its parameters are weight_ih_l0 (2H, D) and bias_ih_l0 (2H,), and so on: there are no recurrent ones.
    For everything else see ``Recurrent``.
    """

    gates = 2
    parameters = ("weight_ih", "bias_ih")

    def sequence_forward(self, p, x, h0, padded, reverse):
        """One direction of one layer: x (T, B, D), h0 (B, H) give y (T, B, H), the last h, the cache."""
        if reverse:
            x, padded = x[::-1], None if padded is None else padded[::-1]
        gates = from_inputs(x, by_gate(p["weight_ih"], 2), by_gate(p["bias_ih"], 2))
        z, n = gates
        z *= 0.5
        np.tanh(z, out=z)
        z += 1
        z *= 0.5
        if padded is not None:
            z[padded] = 1  # a padded step keeps the old state
        h = recurrence(z, (1 - z) * n, h0)
        y = h if padded is None else np.where(padded[..., None], 0, h)
        return y[::-1] if reverse else y, h[-1], (p, x, h0, gates, h, padded, reverse)

    def sequence_backward(self, dy, dh, cache):
        """dy (T, B, H) and dh (B, H), the gradient at the last h, give dx, the gradient at h0, and grads."""
        p, x, h0, (z, n), h, padded, reverse = cache
        if reverse:
            dy = dy[::-1]
        arriving = np.array(dy) if padded is None else np.where(padded[..., None], 0, dy)
        arriving[-1] += dh
        z_next = np.ones_like(z)
        z_next[:-1] = z[1:]
        db = recurrence(z_next[::-1], arriving[::-1], np.zeros_like(h0))[::-1]
        dh0 = db[0] * z[0]
        da = np.empty((2, *z.shape), z.dtype)
        np.multiply(db, 1 - z, out=da[1])  # zero in a padded step, where z is 1
        np.multiply(da[1], z, out=da[0])
        da[0, 0] *= h0 - n[0]
        da[0, 1:] *= h[:-1] - n[1:]
        grads = {"weight_ih": weight_gradient(da, x), "bias_ih": bias_gradient(da)}
        dx = input_gradient(da, by_gate(p["weight_ih"], 2))
        return dx[::-1] if reverse else dx, dh0, grads


def recurrence(a, b, start):
    """All states of h_t = a_t * h_{t-1} + b_t: a and b (T, B, H), start (B, H) give h (T, B, H)."""
    T, width = len(a), start.size
    chunks = 1 if width >= WIDE or T < 16 else int(np.sqrt(T))
    length = T // chunks
    even = chunks * length  # the steps that the chunks hold; the rest follows them
    h = np.empty(a.shape, a.dtype)
    if chunks == 1:
        _steps(a, b, start, h)
        return h
    shape = (chunks, length, *start.shape)
    factors, inside = a[:even].reshape(shape).swapaxes(0, 1), b[:even].reshape(shape).swapaxes(0, 1)
    states, products = (
        h[:even].reshape(shape).swapaxes(0, 1),
        np.empty((length, chunks, *start.shape), a.dtype),
    )
    states[0], products[0] = inside[0], factors[0]
    for t in range(1, length):
        np.multiply(factors[t], states[t - 1], out=states[t])
        states[t] += inside[t]
        np.multiply(factors[t], products[t - 1], out=products[t])
    before = np.empty((chunks, *start.shape), a.dtype)
    before[0] = start
    for chunk in range(1, chunks):
        before[chunk] = products[-1, chunk - 1] * before[chunk - 1] + states[-1, chunk - 1]
    products *= before
    states += products
    _steps(a[even:], b[even:], h[even - 1], h[even:])
    return h


def _steps(a, b, start, h):
    """The plain loop, into h."""
    for t in range(len(a)):
        np.multiply(a[t], start if t == 0 else h[t - 1], out=h[t])
        h[t] += b[t]
