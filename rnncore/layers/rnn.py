"""The simple recurrent layer, and its fast kernel.

Only ``h_{t-1} W_hh^T`` has to wait for the step before. Everything else is done for all steps at
once: the input projections are one matrix product, the derivatives of the activation one expression,
each weight gradient one product over T * B rows. Time comes first inside, so that a step is one
contiguous block of memory.
"""

import numpy as np

from rnncore.layers.kernel import walk
from rnncore.layers.recurrent import Recurrent


def _relu(x, out):
    return np.maximum(x, 0, out=out)


def _tanh_derivative(y):
    squared = y * y
    return np.subtract(1, squared, out=squared)


def _relu_derivative(y):
    return (y > 0).astype(y.dtype)


# Each activation, and its derivative at the point whose output is y.
ACTIVATIONS = {"tanh": (np.tanh, _tanh_derivative), "relu": (_relu, _relu_derivative)}


class RNN(Recurrent):
    """Simple recurrent network (Elman, 1990), as torch.nn.RNN(batch_first=True).

    h_t = tanh(x_t W_ih^T + b_ih + h_{t-1} W_hh^T + b_hh), or relu instead of tanh. The options,
    of which ``rng`` must be given, and the names in ``params`` are those of ``Recurrent``.
    """

    def __init__(
        self, input_size, hidden_size, num_layers=1, bidirectional=False, nonlinearity="tanh", **options
    ):
        if nonlinearity not in ACTIVATIONS:
            raise ValueError(f"nonlinearity is {nonlinearity!r}, expected 'tanh' or 'relu'")
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, bidirectional, **options)

    def sequence_forward(self, p, x, h0, padded, reverse):
        """One direction of one layer: x (T, B, D), h0 (B, H) give y (T, B, H), the last h, the cache."""
        T, B, D = x.shape
        activation, _ = ACTIVATIONS[self.nonlinearity]
        order, before, after = walk(h0, T, reverse)
        # What comes from the inputs is put where each step's state will be, and made into it there.
        np.matmul(x.reshape(T * B, D), p["weight_ih"].T, out=after.reshape(T * B, -1))
        after += p["bias_ih"] + p["bias_hh"]
        weight_hh = np.ascontiguousarray(p["weight_hh"].T)
        from_before = np.empty_like(h0)
        for t in order:
            h = after[t]
            np.matmul(before[t], weight_hh, out=from_before)
            np.add(h, from_before, out=h)
            activation(h, out=h)
            if padded is not None:
                np.copyto(h, before[t], where=padded[t][:, None])
        y = after if padded is None else np.where(padded[..., None], 0, after)
        return y, after[order[-1]], (p, x, before, after, padded, order)

    def sequence_backward(self, dy, dh, cache):
        """dy (T, B, H) and dh (B, H), the gradient at the last h, give dx, the gradient at h0, and grads."""
        p, x, before, after, padded, order = cache
        T, B, D = x.shape
        _, derivative = ACTIVATIONS[self.nonlinearity]
        da = derivative(after)
        if padded is not None:
            da[padded] = 0
            dy = np.where(padded[..., None], 0, dy)
        weight_hh = p["weight_hh"]
        dh = dh.copy()
        arriving = np.empty_like(dh)
        for t in reversed(order):
            np.add(dy[t], dh, out=arriving)
            da[t] *= arriving
            np.matmul(da[t], weight_hh, out=dh)
            if padded is not None:
                np.copyto(dh, arriving, where=padded[t][:, None])
        rows = da.reshape(T * B, -1)
        bias = rows.sum(axis=0)
        grads = {
            "weight_ih": rows.T @ x.reshape(T * B, D),
            "weight_hh": rows.T @ before.reshape(T * B, -1),
            "bias_ih": bias,
            "bias_hh": bias.copy(),
        }
        dx = (rows @ p["weight_ih"]).reshape(T, B, D)
        return dx, dh, grads
