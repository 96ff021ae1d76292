"""The plain loop: one direction of one layer, driven by any pair of cell functions.

It is what runs when a student's own cell is plugged into a layer: slow and readable, one call of the
cell for each time step. The state is an array (B, H), or a tuple of them whose first is the output,
as the LSTM's (h, c). A step that is padding for a row leaves that row's state as it was: so the state
after the last step is the state at every sequence's own end, and read backward, nothing happens
before a sequence's end is reached.
"""

import numpy as np


def loop_forward(cell, p, x, state, padded=None, reverse=False):
    """x (T, B, D) and a state give y (T, B, H), zero where padded (T, B), the last state and the cache."""
    T, B, _ = x.shape
    y = np.zeros((T, B, _parts(state)[0].shape[1]), dtype=x.dtype)
    caches = [None] * T
    for t in _order(T, reverse):
        state_next, caches[t] = _call_cell(cell, p, x[t], state)
        if padded is not None:
            state_next = _choose(padded[t], state, state_next)
        state = state_next
        y[t] = _parts(state)[0]
    if padded is not None:
        y[padded] = 0
    return y, state, (p, caches, x.shape, padded, reverse)


def loop_backward(cell_backward, dy, d_state, cache):
    """dy (T, B, H) and the gradient at the last state give dx, the gradient at the first, and grads."""
    p, caches, shape, padded, reverse = cache
    dx = np.zeros(shape, dtype=dy.dtype)
    grads = {name: np.zeros_like(array) for name, array in p.items()}
    for t in reversed(_order(len(dx), reverse)):
        if padded is None:
            dx[t], d_state, step = cell_backward(p, _add_output(d_state, dy[t]), caches[t])
        else:
            # The gradient at a padded row's state goes around the cell, and its output was a constant 0.
            arriving = _add_output(d_state, np.where(padded[t][:, None], 0, dy[t]))
            inside = _choose(padded[t], _zeros(arriving), arriving)
            dx[t], d_state, step = cell_backward(p, inside, caches[t])
            d_state = _choose(padded[t], arriving, d_state)
        for name in grads:
            grads[name] += step[name]
    return dx, d_state, grads


def _order(T, reverse):
    return range(T - 1, -1, -1) if reverse else range(T)


def _parts(state):
    return state if isinstance(state, tuple) else (state,)


def _like(state, parts):
    return tuple(parts) if isinstance(state, tuple) else next(iter(parts))


def _zeros(state):
    return _like(state, (np.zeros_like(part) for part in _parts(state)))


def _choose(rows, there, elsewhere):
    """Where rows (B,) is true, the row of one state, else that of the other."""
    pairs = zip(_parts(there), _parts(elsewhere), strict=True)
    return _like(there, (np.where(rows[:, None], a, b) for a, b in pairs))


def _add_output(d_state, dy):
    dh, *others = _parts(d_state)
    return _like(d_state, (dh + dy, *others))


def _call_cell(cell, p, x, state):
    result = cell(p, x, state)
    if not (isinstance(result, tuple) and len(result) == 2):
        raise TypeError(f"the cell returned {type(result).__name__}, expected a pair: state_next, cache")
    shapes = [np.shape(part) for part in _parts(result[0])]
    expected = [part.shape for part in _parts(state)]
    if shapes != expected:
        raise ValueError(
            f"the cell returned a state of shape {', '.join(map(str, shapes))}, "
            f"expected (B, H) = {', '.join(map(str, expected))}"
        )
    return result
