"""What every recurrent layer shares: the stack of layers and directions, and the checks at the door.

A subclass says how many gate blocks its parameters have, how many arrays its state has, and how one
direction of one layer runs over (T, B, D); this class does the rest. A cell of your own runs through
the plain loop instead. Padded batches behave as PyTorch's packed sequences: outputs after a
sequence's end are zero, the final state is the one at its own end, the backward direction starts
there, and padding has no gradient.
"""

import numpy as np

from rnncore.layers.loop import loop_backward, loop_forward


class Recurrent:
    """A stack of ``num_layers`` recurrent layers in one or two directions, in the terms of PyTorch.

    ``params`` holds, for each layer and direction, weight_ih_l0 (G * H, D), weight_hh_l0 (G * H, H),
    and with ``bias`` bias_ih_l0 and bias_hh_l0 (G * H,); then _l0_reverse for the second direction, and
    _l1 onward, whose inputs are the layer below. They start as ``rng`` draws them, of float64 or float32.

    Between layers (not after the last) ``dropout`` is the share of outputs that become 0. It acts in those
    calls of ``forward`` that are given an ``rng``: training gives one, evaluation does not.

    A ``cell`` and ``cell_backward`` of your own, with the signatures of ``rnncore.cells``, replace the
    fast kernel by a plain loop over them.
    """

    gates = 1  # G, the blocks of H rows in each parameter
    parameters = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    state_names = ("h",)

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        bidirectional=False,
        *,
        rng,
        dtype=np.float64,
        bias=True,
        dropout=0.0,
        cell=None,
        cell_backward=None,
    ):
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        for name, size in sizes.items():
            if not isinstance(size, int | np.integer) or size < 1:
                raise ValueError(f"{name} is {size!r}, expected a whole number of at least 1")
        if not isinstance(rng, np.random.Generator):
            raise TypeError(f"rng is {rng!r}, expected a generator such as np.random.default_rng(0)")
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype is {np.dtype(dtype)}, expected float32 or float64")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout!r}, expected a share of at least 0 and less than 1")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bidirectional, self.dtype = bool(bidirectional), np.dtype(dtype)
        self.bias, self.dropout = bool(bias), dropout
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
            columns = {"weight_ih": (inputs,), "weight_hh": (H,)}
            for name in self.parameters:
                if self.bias or name.startswith("weight"):
                    start = rng.uniform(-1, 1, size=(rows, *columns.get(name, ()))) / np.sqrt(H)
                    params[name + suffix] = start.astype(self.dtype)
        return params

    def _runs(self):
        """Every (index, layer, suffix) in PyTorch's order; index counts the rows of h0 and h_n."""
        for index in range(self.num_layers * self.directions):
            layer, second = divmod(index, self.directions)
            yield index, layer, f"_l{layer}" + ("_reverse" if second else "")

    def _params_of(self, suffix):
        """One run's parameters under the names of a cell. Without biases they are zeros there."""
        zeros = np.zeros(self.gates * self.hidden_size, dtype=self.dtype)
        return {name: self.params.get(name + suffix, zeros) for name in self.parameters}

    def forward(self, x, h0=None, lengths=None, rng=None):
        """Run over whole sequences.

        x (B, T, D), h0 (L * directions, B, H) or None for zeros, and lengths (B,) or None for all T,
        give y (B, T, directions * H), h_n shaped as h0, and the cache for backward. For the LSTM, h0
        and h_n are pairs (h, c) of such arrays. Dropout acts only if an rng is given.
        """
        x, padded = self._check_inputs(x, lengths)
        B, T, _ = x.shape
        states = self._states("0", h0, B)
        # A copy, time first: so a step is one block of memory, and nothing done to x reaches the cache.
        steps = np.array(x.swapaxes(0, 1), dtype=self.dtype, order="C")
        if padded is not None:
            steps[padded] = 0  # whatever stood there, even NaN, must not reach a sum over all steps
        outputs, finals, caches, masks = [], [], [], []
        for index, layer, suffix in self._runs():
            p, reverse = self._params_of(suffix), suffix.endswith("_reverse")
            start = self._unpaired([state[index] for state in states])
            if self.cell is None:
                y, final, cache = self.sequence_forward(p, steps, start, padded, reverse)
            else:
                y, final, cache = loop_forward(self.cell, p, steps, start, padded, reverse)
            outputs.append(y)
            finals.append(self._paired(final))
            caches.append(cache)
            if len(outputs) == self.directions:
                steps = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=2)
                outputs = []
                masks.append(self._mask(rng, steps.shape, layer))
                if masks[-1] is not None:
                    steps = steps * masks[-1]
        # Copies, so that nothing done to y or h_n reaches into the cache.
        y = np.array(steps.swapaxes(0, 1), order="C")
        return (
            y,
            self._unpaired([np.stack(part) for part in zip(*finals, strict=True)]),
            (caches, masks, B, T),
        )

    def backward(self, dy, cache, dh_n=None):
        """Send gradients back through the whole stack.

        dy like y, the cache from forward, and dh_n like h_n or None for zeros, give dx like x, dh0
        like h0, and the gradients of all parameters.
        """
        caches, masks, B, T = cache
        H = self.hidden_size
        dy = self._as_array("dy", dy, (B, T, self.directions * H), "(B, T, directions * H)")
        d_states = self._states("_n", dh_n, B, prefix="d")
        if self.cell is not None and self.cell_backward is None:
            raise ValueError("this layer has a cell but no cell_backward; give both to go backward")
        grads, d_starts = {}, [np.empty_like(d_state) for d_state in d_states]
        d_steps, below = dy.swapaxes(0, 1), None
        for index, layer, suffix in reversed(list(self._runs())):
            second = index % self.directions
            if second == self.directions - 1 and masks[layer] is not None:
                d_steps = d_steps * masks[layer]
            part = d_steps[..., second * H : (second + 1) * H]
            d_state = self._unpaired([d_state[index] for d_state in d_states])
            if self.cell is None:
                dx, d_start, step = self.sequence_backward(part, d_state, caches[index])
            else:
                dx, d_start, step = loop_backward(self.cell_backward, part, d_state, caches[index])
            for whole, one in zip(d_starts, self._paired(d_start), strict=True):
                whole[index] = one
            grads.update({name + suffix: grad for name, grad in step.items()})
            below = dx if below is None else below + dx
            if second == 0:
                d_steps, below = below, None
        grads = {name: grads[name] for name in self.params}
        return d_steps.swapaxes(0, 1), self._unpaired(d_starts), grads

    def _mask(self, rng, shape, layer):
        """What a layer's outputs are multiplied by: 0, or 1 / (1 - dropout) to keep their mean. Or None."""
        if rng is None or self.dropout == 0 or layer == self.num_layers - 1:
            return None
        kept = rng.random(shape, dtype=np.float32) >= self.dropout
        return kept.astype(self.dtype) / self.dtype.type(1 - self.dropout)

    def _check_inputs(self, x, lengths):
        x = np.asarray(x)
        if x.ndim != 3 or x.shape[2] != self.input_size or 0 in x.shape:
            raise ValueError(
                f"x has shape {x.shape}, expected (B, T, D) with D = {self.input_size} and B and T at least 1"
            )
        B, T, _ = x.shape
        return self._as_array("x", x, x.shape, ""), self._padded(lengths, B, T)

    def _paired(self, state):
        return state if len(self.state_names) > 1 else (state,)

    def _unpaired(self, parts):
        return tuple(parts) if len(self.state_names) > 1 else parts[0]

    def _states(self, suffix, given, B, prefix=""):
        """The arrays of a given state, checked: h0 of an RNN, (h0, c0) of an LSTM, zeros for None."""
        shape = (self.num_layers * self.directions, B, self.hidden_size)
        names = [prefix + name + suffix for name in self.state_names]
        if given is None:
            return [np.zeros(shape, dtype=self.dtype) for _ in names]
        if len(names) > 1 and not (isinstance(given, tuple | list) and len(given) == len(names)):
            what = f"a {type(given).__name__} of {len(given)}" if isinstance(given, tuple | list) else None
            raise TypeError(
                f"{names[0]} is {what or type(given).__name__}, expected the pair ({', '.join(names)}), "
                f"each (L * directions, B, H) = {shape}"
            )
        pairs = zip(names, self._paired(given), strict=True)
        # Copies, so that nothing done to a state later reaches a cache.
        return [self._as_array(name, array, shape, "(L * directions, B, H)").copy() for name, array in pairs]

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
