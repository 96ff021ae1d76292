"""What the fast kernels share: everything that does not have to wait for the step before.

Inside a kernel each gate is an array of its own, and in it time comes first: gates are (G, T, B, H), so that
one gate of one step, or of all, is one block of memory, and ``i, f, g, o = gates`` names all steps of each.
"""

import numpy as np

IN_CACHE = 1 << 16  # numbers of which a core keeps a few times as many at hand


def walk(start, T, reverse):
    """The order of T steps, and room for the state before and after each, both (T, B, H).

    The two are views of one array, so that a step writes its state where the next will read it.
    """
    states = np.empty((T + 1, *start.shape), dtype=start.dtype)
    if reverse:
        order, before, after = range(T - 1, -1, -1), states[1:], states[:-1]
    else:
        order, before, after = range(T), states[:-1], states[1:]
    before[order[0]] = start
    return order, before, after


def by_run(order, size):
    """The steps of an order in runs of neighbours, as (steps, their slice); size is the numbers in a step.

    What needs no waiting is computed for a whole run at once, and used before the next: few calls where
    steps are small, and no pass through main memory where they are large.
    """
    length = max(1, IN_CACHE // size)
    for start in range(0, len(order), length):
        steps = order[start : start + length]
        first = min(steps[0], steps[-1])
        yield steps, slice(first, first + len(steps))


def by_gate(parameter, G):
    """A parameter's G blocks: (G * H, ...) becomes (G, H, ...)."""
    return parameter.reshape(G, -1, *parameter.shape[1:])


def from_inputs(x, weight, bias):
    """x (T, B, D), weight (G, H, D) and bias (G, H) give the inputs' part of every sum, (G, T, B, H)."""
    T, B, D = x.shape
    G, H, _ = weight.shape
    sums = np.matmul(x.reshape(T * B, D), weight.swapaxes(1, 2))
    sums += bias[:, None]
    return sums.reshape(G, T, B, H)


def weight_gradient(da, seen):
    """da (G, T, B, H) at the sums and what their weights saw, (T, B, N), give the gradient (G * H, N)."""
    G, T, B, H = da.shape
    return np.matmul(da.reshape(G, T * B, H).swapaxes(1, 2), seen.reshape(T * B, -1)).reshape(G * H, -1)


def bias_gradient(da):
    """da (G, T, B, H) at the sums gives (G * H,)."""
    G, T, B, H = da.shape
    return da.reshape(G, T * B, H).sum(axis=1).reshape(G * H)


def input_gradient(da, weight):
    """da (G, T, B, H) at the sums and weight (G, H, D) give dx (T, B, D)."""
    G, T, B, H = da.shape
    rows = da.reshape(G, T * B, H)
    dx = rows[0] @ weight[0]
    one = np.empty_like(dx) if G > 1 else None
    for gate in range(1, G):
        dx += np.matmul(rows[gate], weight[gate], out=one)
    return dx.reshape(T, B, -1)
