"""The GRU layer, and its fast kernel.

The equations are those of ``rnncore.cells.gru.gru_cell``: the reset gate acts on the finished recurrent
sum, as in PyTorch. As in the LSTM, one tanh serves r and z together, whose rows in every parameter are
halved; n has to wait for r. On the way back every gate's gradient is dh times a factor that the forward
pass knows, and the factors are made for a run of steps at once.
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


class GRU(Recurrent):
    """Gated recurrent unit (Cho et al., 2014), as torch.nn.GRU(batch_first=True).

    The equations and the order of the gates, r, z, n, are those of ``rnncore.cells.gru.gru_cell``; the
    variant with the reset before the product runs as a ``cell``. For everything else see ``Recurrent``.
    """

    gates = 3

    def sequence_forward(self, p, x, h0, padded, reverse):
        """One direction of one layer: x (T, B, D), h0 (B, H) give y (T, B, H), the last h, the cache."""
        scale = np.array([0.5, 0.5, 1], x.dtype)[:, None, None]
        bias_ih, bias_hh = by_gate(p["bias_ih"], 3), by_gate(p["bias_hh"], 3)
        bias = bias_ih * scale[..., 0]
        bias[:2] += 0.5 * bias_hh[:2]
        gates = from_inputs(x, by_gate(p["weight_ih"], 3) * scale, bias)
        if padded is not None:
            # A padded step is one that keeps the old state: r = 0, z = 1, n = 0.
            gates[:, padded] = np.array([-np.inf, np.inf, 0], x.dtype)[:, None, None]
        weight_hh = np.ascontiguousarray((by_gate(p["weight_hh"], 3) * scale).swapaxes(1, 2))
        order, before, after = walk(h0, len(x), reverse)
        h_n = np.empty_like(after)  # the candidate's share of the recurrent sum, before the reset
        a, move = np.empty_like(gates[:, 0]), np.empty_like(h0)
        bias_n = np.broadcast_to(bias_hh[2], h0.shape).copy()
        for t in order:
            r, z, n = step = gates[:, t]
            np.matmul(before[t], weight_hh, out=a)
            np.add(a[2], bias_n, out=h_n[t])
            rz = a[:2]
            np.add(rz, step[:2], out=rz)
            np.tanh(rz, out=rz)
            np.multiply(rz, 0.5, out=rz)
            np.add(rz, 0.5, out=step[:2])
            np.multiply(r, h_n[t], out=move)
            np.add(n, move, out=n)
            np.tanh(n, out=n)
            # (1 - z) n + z h = n + z (h - n)
            np.subtract(before[t], n, out=move)
            np.multiply(z, move, out=move)
            np.add(n, move, out=after[t])
        y = after if padded is None else np.where(padded[..., None], 0, after)
        return y, after[order[-1]], (p, x, before, gates, h_n, padded, order)

    def sequence_backward(self, dy, dh, cache):
        """dy (T, B, H) and dh (B, H), the gradient at the last h, give dx, the gradient at h0, and grads."""
        p, x, before, gates, h_n, padded, order = cache
        if padded is not None:
            dy = np.where(padded[..., None], 0, dy)
        weight_hh = by_gate(p["weight_hh"], 3)
        da, from_x = np.empty_like(gates), np.empty_like(h_n)
        dh = dh.copy()
        arriving, parts = np.empty_like(dh), np.empty((4, *dh.shape), dh.dtype)
        for steps, run in by_run(order[::-1], dh.size):
            self._factors(gates[:, run], before[run], h_n[run], out=(da[:, run], from_x[run]))
            for t in steps:
                step = da[:, t]
                np.add(dy[t], dh, out=arriving)
                np.multiply(step, arriving, out=step)
                np.multiply(from_x[t], arriving, out=from_x[t])
                np.matmul(step, weight_hh, out=parts[:3])
                np.multiply(arriving, gates[1, t], out=parts[3])
                np.add.reduce(parts, axis=0, out=dh)
        grads = {"weight_hh": weight_gradient(da, before), "bias_hh": bias_gradient(da)}
        da[2] = from_x
        grads |= {"weight_ih": weight_gradient(da, x), "bias_ih": bias_gradient(da)}
        return input_gradient(da, by_gate(p["weight_ih"], 3)), dh, grads

    @staticmethod
    def _factors(gates, before, h_n, out):
        """What dh is to be multiplied by for every block of the recurrent sum, and for n's share from x.

        The two differ in n alone: r acts on the recurrent share, and not on the one from x.
        """
        factors, from_x = out
        r, z, n = gates
        to_r, to_z, to_n = np.subtract(1, gates, out=factors)
        factors *= gates  # sigmoid' = y (1 - y)
        np.subtract(1, np.multiply(n, n, out=from_x), out=from_x)  # tanh' = 1 - y^2
        from_x *= np.subtract(1, z, out=to_n)
        to_z *= np.subtract(before, n, out=to_n)
        to_r *= from_x
        to_r *= h_n
        np.multiply(from_x, r, out=to_n)
