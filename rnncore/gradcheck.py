"""How we know that a gradient is right: measure it, without any calculus.

``numerical_gradient`` nudges one number at a time and looks at how much the result moves.
``complex_step_gradient`` does the same in the imaginary direction, where nothing is subtracted and so
nothing is rounded away: exact to the last digits, for functions that accept complex numbers (np.tanh
and products do; abs doesn't). ``gradient_check`` compares your gradients with either, for any nest
of arrays, and its report says where the worst difference is.
"""

import warnings
from dataclasses import dataclass

import numpy as np

TINY = 1e-8  # gradients below this may be nothing but rounding
NUDGE, CORNER = 1e-5, 1e-2  # a step to either side, and by how much two slopes must differ to be a corner


def numerical_gradient(f, x, h=1e-5):
    """Gradient of f at x by central differences: (f(x + h) - f(x - h)) / 2h for each element of x.

    f takes a float64 array of x's shape, whatever x holds, and returns one number; the gradient has that
    shape too. The error shrinks with h**2, but rounding grows as 1 / h: 1e-5 is near the best for float64.
    """
    x = np.array(x, dtype=float)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + h
        above = f(x)
        x[index] = kept - h
        below = f(x)
        x[index] = kept
        gradient[index] = (above - below) / (2 * h)
    return gradient


def complex_step_gradient(f, x, h=1e-20):
    """Gradient of f at x by the complex step: imag(f(x + ih)) / h (Squire and Trapp, 1998).

    f takes a complex array like x and returns one complex number; it must be built from functions
    that are analytic at x. No difference is taken, so h can be tiny and the result is exact to rounding.
    """
    x = np.array(x, dtype=complex)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + 1j * h
        gradient[index] = np.imag(f(x)) / h
        x[index] = kept
    return gradient


@dataclass(frozen=True)
class Difference:
    """The worst place of one parameter: what was received, what was measured, how far apart they are.

    ``relative_error`` is the distance over the largest element of the parameter's gradient. ``index`` is
    None where a random direction was measured instead of single elements. ``too_small``: both are so near to
    zero that rounding decides. ``corners``: at so many places two slopes meet, and what was received lies
    between them.
    """

    parameter: str
    index: tuple | None
    received: float
    expected: float
    relative_error: float
    too_small: bool = False
    corners: int = 0

    def note(self, limit):
        """What is to be said of it beside its numbers."""
        if self.too_small:
            return "  <- too small to judge: multiply the function by a large number"
        if self.relative_error > limit:
            return "  <- wrong"
        return f"  ({self.corners} at a corner, between its two slopes)" if self.corners else ""


@dataclass(frozen=True)
class GradientReport:
    """What ``gradient_check`` found: one Difference for each array, and whether all are within the limit."""

    differences: tuple[Difference, ...]
    method: str
    limit: float

    @property
    def right(self):
        return all(d.relative_error <= self.limit and not d.too_small for d in self.differences)

    @property
    def worst(self):
        return max(self.differences, key=lambda d: d.relative_error)

    def __repr__(self):
        small = sum(d.too_small for d in self.differences)
        wrong = sum(d.relative_error > self.limit for d in self.differences)
        count = len(self.differences)
        plural = "gradient" if count == 1 else "gradients"
        found = (
            f"{wrong} of {count} {plural} wrong" if wrong else f"{count - small} of {count} {plural} right"
        )
        found += f", {small} too small to judge" if small else ""
        rows = [("parameter", "worst at", "received", "expected", "relative error")]
        for d in self.differences:
            place = "one direction" if d.index is None else str(list(d.index))
            error = f"{d.relative_error:.1e}{d.note(self.limit)}"
            rows.append((d.parameter, place, f"{d.received:.6g}", f"{d.expected:.6g}", error))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = [f"{found} (measured by {self.method}, limit {self.limit:.0e})"]
        for row in rows:
            lines.append("  " + "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[4]]))
        return "\n".join(lines)


def gradient_check(f, arrays, grads, *, directions=False, limit=None, rng=None):
    """Compare grads with the measured gradient of f at arrays, and report the worst place of each array.

    arrays is an array, or a dict, list or tuple (a named one too) of such, nested at will; grads has the
    same structure; f(arrays) returns one number. The complex step is used where f allows it, else central
    differences. With ``directions=True`` each array is checked along one random direction, which takes
    two calls of f for an array of any size: for big layers. The limit of the relative error is 1e-9 for
    the complex step, 1e-6 for central differences and 1e-4 for gradients in float32, unless you set it.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    grads = dict(_leaves(grads))
    extra = grads.keys() - dict(_leaves(arrays)).keys()
    if extra:
        raise ValueError(f"grads holds {_name(min(extra, key=str))}, and arrays has nothing of that name")
    use_complex = _allows_complex_step(f, arrays, rng)
    measure = complex_step_gradient if use_complex else numerical_gradient
    coarse = any(np.asarray(leaf).dtype in (np.float16, np.float32) for leaf in grads.values())
    limit = limit or (1e-4 if coarse else 1e-9 if use_complex else 1e-6)
    found = {}
    for path, array in _leaves(arrays):
        received = grads.get(path)
        if received is None or received.shape != array.shape:
            has = "is missing" if received is None else f"has shape {received.shape}"
            raise ValueError(f"the gradient of {_name(path)} {has}, expected shape {array.shape}")
        start, move = array.astype(float), None
        if directions:
            move = rng.normal(size=array.shape) / np.sqrt(max(array.size, 1))
            received, start = np.asarray((received * move).sum()), np.zeros(())
        of_leaf = _one_leaf(f, arrays, path, move, use_complex)
        expected, corners = measure(of_leaf, start), 0
        if not use_complex:
            expected, corners = _at_corners(of_leaf, start, received, expected, limit)
        found[path] = received, expected, corners
    # A gradient that is all but zero is judged on the scale of the others, not on rounding noise.
    largest = {path: max(map(_largest, pair[:2])) for path, pair in found.items()}
    floor = 1e-3 * max(largest.values(), default=0.0)
    differences = []
    for path, (received, expected, corners) in found.items():
        distance = np.abs(received - expected)
        error = distance / max(largest[path], floor, TINY)
        error = np.where(np.isfinite(error), error, np.inf)
        index = tuple(int(i) for i in np.unravel_index(error.argmax(), error.shape))
        place = None if directions else index
        numbers = float(received[index]), float(expected[index]), float(error[index])
        scale = max(largest[path], floor)
        small = scale < TINY and bool(distance[index] > limit * scale)
        differences.append(Difference(_name(path), place, *numbers, small, corners))
    method = ("complex step" if use_complex else "central differences") + ", in float32" * coarse
    return GradientReport(tuple(differences), method, limit)


def _at_corners(f, x, received, expected, limit):
    """``expected`` with what was received wherever that lies between the two slopes of a corner; how many."""
    expected, corners, here = expected.copy(), 0, None
    scale = max(_largest(received), _largest(expected), TINY)
    for index in np.ndindex(expected.shape):
        if abs(received[index] - expected[index]) <= limit * scale:
            continue
        here = f(x) if here is None else here
        slopes, nearer = (_two_slopes(f, x, index, here, h) for h in (NUDGE, NUDGE / 10))
        gap, nearer_gap = slopes[1] - slopes[0], nearer[1] - nearer[0]
        # Of a bend the gap shrinks with the step, of rounding it grows: of a corner it stays.
        if gap < CORNER * scale or not gap / 2 < nearer_gap < 2 * gap:
            return expected, corners  # not a corner: the worst place stays wrong whatever the others are
        if slopes[0] - limit * scale <= received[index] <= slopes[1] + limit * scale:
            expected[index] = received[index]
            corners += 1
    return expected, corners


def _two_slopes(f, x, index, here, h):
    """The slopes of f to both sides of x[index], the smaller one first; ``here``: f(x)."""
    below, above = x.copy(), x.copy()
    below[index] -= h
    above[index] += h
    return sorted(((here - f(below)) / h, (f(above) - here) / h))


def _largest(array):
    return float(np.abs(array[np.isfinite(array)]).max(initial=0.0))


def _name(path):
    return ".".join(str(key) for key in path) or "the array"


def _leaves(structure, path=()):
    """Every array of a nest of dicts, lists and tuples, with the path of keys that leads to it."""
    if isinstance(structure, dict):
        inside = structure.items()
    elif isinstance(structure, list | tuple):
        inside = enumerate(structure)
    else:
        yield path, np.asarray(structure)
        return
    for key, value in inside:
        yield from _leaves(value, (*path, key))


def _rebuilt(structure, change, path=()):
    """The same nest, with each array replaced by change(path, array)."""
    if isinstance(structure, dict):
        return {key: _rebuilt(value, change, (*path, key)) for key, value in structure.items()}
    if isinstance(structure, list | tuple):
        values = [_rebuilt(value, change, (*path, i)) for i, value in enumerate(structure)]
        return structure._make(values) if hasattr(structure, "_make") else type(structure)(values)
    return change(path, np.asarray(structure))


def _one_leaf(f, arrays, path, move, use_complex):
    """f as a function of one array of the nest, or, where move is given, of how far that array has moved."""
    kind = complex if use_complex else float

    def change(here, array, x):
        if here != path:
            return array.astype(kind)
        return x if move is None else array + x * move

    return lambda x: f(_rebuilt(arrays, lambda here, array: change(here, array, x)))


def _allows_complex_step(f, arrays, rng):
    """Whether f takes complex arrays and is analytic there: both methods agree along a random direction."""
    moves = {path: rng.normal(size=array.shape) for path, array in _leaves(arrays)}

    def along(distance):
        return f(_rebuilt(arrays, lambda path, array: array + distance * moves[path]))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy warns when an imaginary part is thrown away
            by_complex = np.imag(along(1e-20j)) / 1e-20
    except Exception:  # whatever f raises, it means the same: not this way
        return False
    by_difference = (along(1e-5) - along(-1e-5)) / 2e-5
    return bool(abs(by_complex - by_difference) <= 1e-5 * max(abs(by_difference), 1e-3))
