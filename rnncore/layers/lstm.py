"""The LSTM layer, and its fast kernel.

The equations are those of ``rnncore.cells.lstm``; only what has to wait for the step before is done step
by step. Since sigmoid(x) = (1 + tanh(x / 2)) / 2, one tanh serves all four gates, once the rows of i, f
and o in every parameter are halved. On the way back each gate's gradient is a factor that the forward
pass knows, times the gradient that arrives; the factors are made for all steps at once.
"""

import numpy as np

from rnncore.layers.recurrent import Recurrent, walk


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
        T, B, D = x.shape
        half, one, zero = np.repeat(np.array([[0.5], [1], [0]], x.dtype), self.hidden_size, axis=1)
        scale, shift = np.concatenate([half, half, one, half]), np.concatenate([half, half, zero, half])
        order, h_before, h_after = walk(state[0], T, reverse)
        order, c_before, c_after = walk(state[1], T, reverse)
        gates = np.matmul(x.reshape(T * B, D), (p["weight_ih"] * scale[:, None]).T).reshape(T, B, -1)
        gates += (p["bias_ih"] + p["bias_hh"]) * scale
        if padded is not None:
            # A padded step is one that leaves the memory alone: i = 0, f = 1, o = 0.
            gates[padded] = np.repeat(np.array([-np.inf, np.inf, 0, -np.inf], x.dtype), self.hidden_size)
        i, f, g, o = np.split(gates, 4, axis=2)
        weight_hh = np.ascontiguousarray((p["weight_hh"] * scale[:, None]).T)
        tanh_c = np.empty_like(c_after)
        from_before, added = np.empty_like(gates[0]), np.empty_like(state[1])
        for t in order:
            a = gates[t]
            np.matmul(h_before[t], weight_hh, out=from_before)
            np.add(a, from_before, out=a)
            np.tanh(a, out=a)
            np.multiply(a, scale, out=a)
            np.add(a, shift, out=a)
            np.multiply(i[t], g[t], out=added)
            np.multiply(f[t], c_before[t], out=c_after[t])
            np.add(c_after[t], added, out=c_after[t])
            np.tanh(c_after[t], out=tanh_c[t])
            np.multiply(o[t], tanh_c[t], out=h_after[t])
            if padded is not None:
                np.copyto(h_after[t], h_before[t], where=padded[t][:, None])
        y = h_after if padded is None else np.where(padded[..., None], 0, h_after)
        cache = (p, x, h_before, c_before, gates, tanh_c, padded, order)
        return y, (h_after[order[-1]], c_after[order[-1]]), cache

    def sequence_backward(self, dy, d_state, cache):
        """dy (T, B, H) and (dh, dc) at the last state give dx, the gradients at (h0, c0), and grads."""
        p, x, h_before, c_before, gates, tanh_c, padded, order = cache
        T, B, D = x.shape
        i, f, g, o = np.split(gates, 4, axis=2)
        if padded is not None:
            dy = np.where(padded[..., None], 0, dy)
        # What dc is to be multiplied by for i, f and g, and dh for o: where they arrive this becomes da.
        da = np.subtract(1, gates)
        da *= gates  # sigmoid' = y (1 - y)
        da_i, da_f, da_g, da_o = np.split(da, 4, axis=2)
        np.subtract(1, np.multiply(g, g, out=da_g), out=da_g)  # tanh' = 1 - y^2
        da_i *= g
        da_f *= c_before
        da_g *= i
        da_o *= tanh_c
        into_c = tanh_c * tanh_c  # what dh is to be multiplied by on its way into the memory
        np.subtract(1, into_c, out=into_c)
        into_c *= o

        weight_hh = p["weight_hh"]
        dh, dc = d_state[0].copy(), d_state[1].copy()
        arriving = np.empty_like(dh)
        from_dc = da.reshape(T, B, 4, -1)[:, :, :3]
        for t in reversed(order):
            np.add(dy[t], dh, out=arriving)
            np.multiply(arriving, into_c[t], out=dh)
            np.add(dc, dh, out=dc)
            np.multiply(from_dc[t], dc[:, None], out=from_dc[t])
            np.multiply(da_o[t], arriving, out=da_o[t])
            np.multiply(dc, f[t], out=dc)
            np.matmul(da[t], weight_hh, out=dh)
            if padded is not None:
                np.copyto(dh, arriving, where=padded[t][:, None])
        rows = da.reshape(T * B, -1)
        bias = rows.sum(axis=0)
        grads = {
            "weight_ih": rows.T @ x.reshape(T * B, D),
            "weight_hh": rows.T @ h_before.reshape(T * B, -1),
            "bias_ih": bias,
            "bias_hh": bias.copy(),
        }
        dx = (rows @ p["weight_ih"]).reshape(T, B, D)
        return dx, (dh, dc), grads
