"""What every recurrent layer shares: the stack of layers and directions, and the checks at the door.

A subclass says how many gate blocks its parameters have and how one direction of one layer runs over
(T, B, D); this class does the rest. A cell of your own runs through the plain loop instead. Padded
batches behave as PyTorch's packed sequences: outputs after a sequence's end are zero, the final state
is the one at its own end, the backward direction starts there, and padding has no gradient.
"""

import numpy as np

from rnncore.layers.loop import loop_backward, loop_forward


class Recurrent:
    """A stack of ``num_layers`` layers in one or two directions; see RNN for the arguments."""

    gates = 1

    def __init__(
        self, input_size, hidden_size, num_layers, bidirectional, *, rng, dtype, cell, cell_backward
    ):
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        for name, size in sizes.items():
            if not isinstance(size, int | np.integer) or size < 1:
                raise ValueError(f"{name} is {size!r}, expected a whole number of at least 1")
        if not isinstance(rng, np.random.Generator):
            raise TypeError(f"rng is {rng!r}, expected a generator such as np.random.default_rng(0)")
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype is {np.dtype(dtype)}, expected float32 or float64")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bidirectional, self.dtype = bool(bidirectional), np.dtype(dtype)
        self.cell, self.cell_backward = cell, cell_backward
        self.params = self._initial_params(rng)

    @property
    def directions(self):
        return 2 if self.bidirectional else 1

    def _initial_params(self, rng):
        """Uniform within 1 / sqrt(H) of zero, biases too, as PyTorch starts."""
        H, rows = self.hidden_size, self.gates * self.hidden_size
        params = {}
        for _, layer, suffix in self._runs():
            inputs = self.input_size if layer == 0 else self.directions * H
            shapes = {"weight_ih": (rows, inputs), "weight_hh": (rows, H), "bias_ih": rows, "bias_hh": rows}
            for name, shape in shapes.items():
                start = rng.uniform(-1, 1, size=shape) / np.sqrt(H)
                params[name + suffix] = start.astype(self.dtype)
        return params

    def _runs(self):
        """Every (index, layer, suffix) in PyTorch's order; index counts the rows of h0 and h_n."""
        for index in range(self.num_layers * self.directions):
            layer, second = divmod(index, self.directions)
            yield index, layer, f"_l{layer}" + ("_reverse" if second else "")

    def forward(self, x, h0=None, lengths=None):
        """Run over whole sequences.

        x (B, T, D), h0 (L * directions, B, H) or None for zeros, and lengths (B,) or None for all T,
        give y (B, T, directions * H), h_n shaped as h0, and the cache for backward.
        """
        x, h0, padded = self._check_inputs(x, h0, lengths)
        steps = np.ascontiguousarray(x.swapaxes(0, 1))
        if padded is not None:
            # Whatever stands in the padding, even NaN, must not reach a sum over all steps.
            steps = np.where(padded[..., None], 0, steps)
        outputs, finals, caches = [], [], []
        for index, _, suffix in self._runs():
            p = {
                name: self.params[name + suffix] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
            reverse = suffix.endswith("_reverse")
            if self.cell is None:
                y, final, cache = self.sequence_forward(p, steps, h0[index], padded, reverse)
            else:
                y, final, cache = loop_forward(self.cell, p, steps, h0[index], padded, reverse)
            outputs.append(y)
            finals.append(final)
            caches.append(cache)
            if len(outputs) == self.directions:
                steps = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=2)
                outputs = []
        # Copies, so that nothing done to y or h_n reaches into the cache.
        return np.array(steps.swapaxes(0, 1), order="C"), np.stack(finals), (caches, x.shape)

    def backward(self, dy, cache, dh_n=None):
        """Send gradients back through the whole stack.

        dy like y, the cache from forward, and dh_n like h_n or None for zeros, give dx like x, dh0
        like h0, and the gradients of all parameters.
        """
        caches, (B, T, _) = cache
        dy = self._as_array("dy", dy, (B, T, self.directions * self.hidden_size), "(B, T, directions * H)")
        dh_n = self._state("dh_n", dh_n, B)
        if self.cell is not None and self.cell_backward is None:
            raise ValueError("this layer has a cell but no cell_backward; give both to go backward")
        H = self.hidden_size
        grads, dh0 = {}, np.empty_like(dh_n)
        d_steps, below = dy.swapaxes(0, 1), None
        for index, _, suffix in reversed(list(self._runs())):
            second = index % self.directions
            part = d_steps[..., second * H : (second + 1) * H]
            if self.cell is None:
                dx, dh0[index], step = self.sequence_backward(part, dh_n[index], caches[index])
            else:
                dx, dh0[index], step = loop_backward(self.cell_backward, part, dh_n[index], caches[index])
            grads.update({name + suffix: grad for name, grad in step.items()})
            below = dx if below is None else below + dx
            if second == 0:
                d_steps, below = below, None
        grads = {name: grads[name] for name in self.params}
        return d_steps.swapaxes(0, 1), dh0, grads

    def _check_inputs(self, x, h0, lengths):
        x = np.asarray(x)
        if x.ndim != 3 or x.shape[2] != self.input_size or 0 in x.shape:
            raise ValueError(
                f"x has shape {x.shape}, expected (B, T, D) with D = {self.input_size} and B and T at least 1"
            )
        B, T, _ = x.shape
        return self._as_array("x", x, x.shape, ""), self._state("h0", h0, B), self._padded(lengths, B, T)

    def _state(self, name, state, B):
        shape = (self.num_layers * self.directions, B, self.hidden_size)
        if state is None:
            return np.zeros(shape, dtype=self.dtype)
        return self._as_array(name, state, shape, "(L * directions, B, H)")

    def _as_array(self, name, value, shape, words):
        value = np.asarray(value)
        if value.shape != shape:
            raise ValueError(f"{name} has shape {value.shape}, expected {words} = {shape}")
        if value.dtype.kind not in "fiub":
            raise TypeError(f"{name} has dtype {value.dtype}, expected real numbers")
        return value.astype(self.dtype, copy=False)

    @staticmethod
    def _padded(lengths, B, T):
        """(T, B), true where a step lies beyond its sequence's end; None where no step does."""
        if lengths is None:
            return None
        lengths = np.asarray(lengths)
        if lengths.shape != (B,) or lengths.dtype.kind not in "iu":
            raise ValueError(
                f"lengths has shape {lengths.shape} and dtype {lengths.dtype}, "
                f"expected whole numbers of shape (B,) = ({B},)"
            )
        for b, length in enumerate(lengths):
            if length > T:
                raise ValueError(f"lengths[{b}] = {length} exceeds T = {T}")
            if length < 1:
                raise ValueError(f"lengths[{b}] = {length}, expected at least 1: leave empty sequences out")
        padded = np.arange(T)[:, None] >= lengths
        return padded if padded.any() else None
