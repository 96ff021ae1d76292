"""The GRU layer, and its fast kernel.

The equations are those of ``rnncore.cells.gru.gru_cell``: the reset gate acts on the finished recurrent
sum, as in PyTorch. As in the LSTM, one tanh serves r and z together, whose rows in every parameter are
halved; n has to wait for r. On the way back every gate's gradient is dh times a factor that the forward
pass knows, and the factors are made for all steps at once.
"""

import numpy as np

from rnncore.layers.recurrent import Recurrent, walk


class GRU(Recurrent):
    """Gated recurrent unit (Cho et al., 2014), as torch.nn.GRU(batch_first=True).

    The equations and the order of the gates, r, z, n, are those of ``rnncore.cells.gru.gru_cell``; the
    variant with the reset before the product runs as a ``cell``. For everything else see ``Recurrent``.
    """

    gates = 3

    def sequence_forward(self, p, x, h0, padded, reverse):
        """One direction of one layer: x (T, B, D), h0 (B, H) give y (T, B, H), the last h, the cache."""
        T, B, D = x.shape
        H = self.hidden_size
        scale = np.repeat(np.array([0.5, 0.5, 1], x.dtype), H)
        order, before, after = walk(h0, T, reverse)
        gates = np.matmul(x.reshape(T * B, D), (p["weight_ih"] * scale[:, None]).T).reshape(T, B, -1)
        gates += p["bias_ih"] * scale
        gates[..., : 2 * H] += 0.5 * p["bias_hh"][: 2 * H]
        if padded is not None:
            # A padded step is one that keeps the old state: r = 0, z = 1, n = 0.
            gates[padded] = np.repeat(np.array([-np.inf, np.inf, 0], x.dtype), H)
        r, z, n = np.split(gates, 3, axis=2)
        weight_hh = np.ascontiguousarray((p["weight_hh"] * scale[:, None]).T)
        bias_n = p["bias_hh"][2 * H :]
        h_n = np.empty_like(after)  # the candidate's share of the recurrent sum, before the reset
        from_before, move = np.empty_like(gates[0]), np.empty_like(h0)
        for t in order:
            np.matmul(before[t], weight_hh, out=from_before)
            np.add(from_before[:, 2 * H :], bias_n, out=h_n[t])
            rz = gates[t, :, : 2 * H]
            np.add(rz, from_before[:, : 2 * H], out=rz)
            np.tanh(rz, out=rz)
            np.multiply(rz, 0.5, out=rz)
            np.add(rz, 0.5, out=rz)
            np.multiply(r[t], h_n[t], out=move)
            np.add(n[t], move, out=n[t])
            np.tanh(n[t], out=n[t])
            # (1 - z) n + z h = n + z (h - n)
            np.subtract(before[t], n[t], out=move)
            np.multiply(z[t], move, out=move)
            np.add(n[t], move, out=after[t])
        y = after if padded is None else np.where(padded[..., None], 0, after)
        return y, after[order[-1]], (p, x, before, gates, h_n, padded, order)

    def sequence_backward(self, dy, dh, cache):
        """dy (T, B, H) and dh (B, H), the gradient at the last h, give dx, the gradient at h0, and grads."""
        p, x, before, gates, h_n, padded, order = cache
        T, B, D = x.shape
        r, z, n = np.split(gates, 3, axis=2)
        if padded is not None:
            dy = np.where(padded[..., None], 0, dy)
        # What dh is to be multiplied by, for each block of the recurrent sum; where dh arrives this becomes
        # that block's gradient. The candidate's share from x is apart: r does not act on it.
        da = np.subtract(1, gates)
        da *= gates  # sigmoid' = y (1 - y)
        da_r, da_z, da_n = np.split(da, 3, axis=2)
        from_x = n * n
        np.subtract(1, from_x, out=from_x)  # tanh' = 1 - y^2
        from_x *= np.subtract(1, z, out=da_n)
        da_z *= np.subtract(before, n, out=da_n)
        da_r *= from_x
        da_r *= h_n
        np.multiply(from_x, r, out=da_n)

        weight_hh = p["weight_hh"]
        dh = dh.copy()
        arriving = np.empty_like(dh)
        blocks = da.reshape(T, B, 3, -1)
        for t in reversed(order):
            np.add(dy[t], dh, out=arriving)
            np.multiply(blocks[t], arriving[:, None], out=blocks[t])
            np.multiply(from_x[t], arriving, out=from_x[t])
            np.matmul(da[t], weight_hh, out=dh)
            np.multiply(arriving, z[t], out=arriving)
            np.add(dh, arriving, out=dh)
        rows = da.reshape(T * B, -1)
        grads = {"weight_hh": rows.T @ before.reshape(T * B, -1), "bias_hh": rows.sum(axis=0)}
        np.copyto(da_n, from_x)
        grads |= {"weight_ih": rows.T @ x.reshape(T * B, D), "bias_ih": rows.sum(axis=0)}
        dx = (rows @ p["weight_ih"]).reshape(T, B, D)
        return dx, dh, grads
