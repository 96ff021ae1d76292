"""The LSTM layer, and its fast kernel.

The equations are those of ``rnncore.cells.lstm``; only what has to wait for the step before is done step
by step. Since sigmoid(x) = (1 + tanh(x / 2)) / 2, one tanh serves all four gates, once the rows of i, f
and o in every parameter are halved. On the way back each gate's gradient is a factor that the forward
pass knows, times the gradient that arrives; the factors are made for a run of steps at once.
"""

import numpy as np

from rnncore.layers.kernel import (
    bias_gradient,
    by_gate,
    by_run,
    from_inputs,
    input_gradient,
    walk,
    weight_gradient,
)
from rnncore.layers.recurrent import Recurrent


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), as torch.nn.LSTM(batch_first=True).

    The equations and the order of the gates, i, f, g, o, are those of ``rnncore.cells.lstm``. Its state
    is a pair: h0 in ``forward`` is (h0, c0), h_n is (h_n, c_n), each (L * directions, B, H), and so
    are dh_n and dh0 in ``backward``. For everything else see ``Recurrent``.
    """

    gates = 4
    state_names = ("h", "c")

    def sequence_forward(self, p, x, state, padded, reverse):
        """One direction of one layer: x (T, B, D) and (h0, c0) give y, the last state, the cache."""
        h0, c0 = state
        scale = np.array([0.5, 0.5, 1, 0.5], x.dtype)[:, None, None]
        shift = np.array([0.5, 0.5, 0, 0.5], x.dtype)[:, None, None]
        weight_ih, weight_hh = by_gate(p["weight_ih"], 4) * scale, by_gate(p["weight_hh"], 4) * scale
        gates = from_inputs(x, weight_ih, by_gate(p["bias_ih"] + p["bias_hh"], 4) * scale[..., 0])
        if padded is not None:
            # A padded step is one that leaves the memory alone: i = 0, f = 1, o = 0.
            gates[:, padded] = np.array([-np.inf, np.inf, 0, -np.inf], x.dtype)[:, None, None]
        weight_hh = np.ascontiguousarray(weight_hh.swapaxes(1, 2))
        order, h_before, h_after = walk(h0, len(x), reverse)
        order, c_before, c_after = walk(c0, len(x), reverse)
        tanh_c = np.empty_like(c_after)
        a, added = np.empty_like(gates[:, 0]), np.empty_like(c0)
        for t in order:
            i, f, g, o = step = gates[:, t]
            c = c_after[t]
            np.matmul(h_before[t], weight_hh, out=a)
            np.add(a, step, out=a)
            np.tanh(a, out=a)
            np.multiply(a, scale, out=a)
            np.add(a, shift, out=step)
            np.multiply(i, g, out=added)
            np.multiply(f, c_before[t], out=c)
            np.add(c, added, out=c)
            np.tanh(c, out=tanh_c[t])
            np.multiply(o, tanh_c[t], out=h_after[t])
            if padded is not None:
                np.copyto(h_after[t], h_before[t], where=padded[t][:, None])
        y = h_after if padded is None else np.where(padded[..., None], 0, h_after)
        cache = (p, x, h_before, c_before, gates, tanh_c, padded, order)
        return y, (h_after[order[-1]], c_after[order[-1]]), cache

    def sequence_backward(self, dy, d_state, cache):
        """dy (T, B, H) and (dh, dc) at the last state give dx, the gradients at (h0, c0), and grads."""
        p, x, h_before, c_before, gates, tanh_c, padded, order = cache
        if padded is not None:
            dy = np.where(padded[..., None], 0, dy)
        weight_hh = by_gate(p["weight_hh"], 4)
        da = np.empty_like(gates)
        dh, dc = d_state[0].copy(), d_state[1].copy()
        arriving, by_block = np.empty_like(dh), np.empty_like(gates[:, 0])
        for steps, run in by_run(order[::-1], dh.size):
            into_c = self._factors(gates[:, run], c_before[run], tanh_c[run], out=da[:, run])
            for t in steps:
                step = da[:, t]
                np.add(dy[t], dh, out=arriving)
                np.multiply(arriving, into_c[t - run.start], out=dh)
                np.add(dc, dh, out=dc)
                np.multiply(step[:3], dc, out=step[:3])
                np.multiply(step[3], arriving, out=step[3])
                np.multiply(dc, gates[1, t], out=dc)
                np.matmul(step, weight_hh, out=by_block)
                np.add.reduce(by_block, axis=0, out=dh)
                if padded is not None:
                    np.copyto(dh, arriving, where=padded[t][:, None])
        bias = bias_gradient(da)
        grads = {
            "weight_ih": weight_gradient(da, x),
            "weight_hh": weight_gradient(da, h_before),
            "bias_ih": bias,
            "bias_hh": bias.copy(),
        }
        return input_gradient(da, by_gate(p["weight_ih"], 4)), (dh, dc), grads

    @staticmethod
    def _factors(gates, c_before, tanh_c, out):
        """What dc is to be multiplied by for i, f and g, and dh for o, into out; and what dh is, for dc."""
        i, _, g, o = gates
        to_i, to_f, to_g, to_o = np.subtract(1, gates, out=out)
        out *= gates  # sigmoid' = y (1 - y)
        np.subtract(1, np.multiply(g, g, out=to_g), out=to_g)  # tanh' = 1 - y^2
        to_i *= g
        to_f *= c_before
        to_g *= i
        to_o *= tanh_c
        into_c = tanh_c * tanh_c
        np.subtract(1, into_c, out=into_c)
        into_c *= o
        return into_c
