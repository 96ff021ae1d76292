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


def numerical_gradient(f, x, h=1e-5):
    """Gradient of f at x by central differences: (f(x + h) - f(x - h)) / 2h for each element of x.

    f takes an array like x, of floats, and returns one number; the gradient has the shape of x. The
    error shrinks with h**2, but rounding grows as 1 / h: 1e-5 is near the best for float64.
    """
    x = x.copy()
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
    x = x.astype(complex)
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

    ``relative_error`` is ``abs(received - expected)`` over the largest element of the parameter's gradient.
    ``index`` is None where a random direction was measured instead of single elements.
    """

    parameter: str
    index: tuple | None
    received: float
    expected: float
    relative_error: float


@dataclass(frozen=True)
class GradientReport:
    """What ``gradient_check`` found: one Difference for each array, and whether all are within the limit."""

    differences: tuple[Difference, ...]
    method: str
    limit: float

    @property
    def right(self):
        return all(d.relative_error <= self.limit for d in self.differences)

    @property
    def worst(self):
        return max(self.differences, key=lambda d: d.relative_error)

    def __repr__(self):
        wrong = sum(not d.relative_error <= self.limit for d in self.differences)
        count = len(self.differences)
        plural = "gradient" if count == 1 else "gradients"
        found = f"{wrong} of {count} {plural} wrong" if wrong else f"{count} of {count} {plural} right"
        rows = [("parameter", "worst at", "received", "expected", "relative error")]
        for d in self.differences:
            place = "one direction" if d.index is None else str(list(d.index))
            error = f"{d.relative_error:.1e}" + ("" if d.relative_error <= self.limit else "  <- wrong")
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
    the complex step and 1e-6 for central differences, unless you set it.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    grads = dict(_leaves(grads))
    extra = grads.keys() - dict(_leaves(arrays)).keys()
    if extra:
        raise ValueError(f"grads holds {_name(min(extra, key=str))}, and arrays has nothing of that name")
    use_complex = _allows_complex_step(f, arrays, rng)
    measure = complex_step_gradient if use_complex else numerical_gradient
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
        found[path] = received, measure(_one_leaf(f, arrays, path, move, use_complex), start)
    # A gradient that is all but zero is judged on the scale of the others, not on rounding noise.
    largest = {path: max(map(_largest, pair)) for path, pair in found.items()}
    floor = max(1e-3 * max(largest.values()), 1e-8)
    differences = []
    for path, (received, expected) in found.items():
        error = np.abs(received - expected) / max(largest[path], floor)
        error = np.where(np.isfinite(error), error, np.inf)
        index = tuple(int(i) for i in np.unravel_index(error.argmax(), error.shape))
        place = None if directions else index
        numbers = float(received[index]), float(expected[index]), float(error[index])
        differences.append(Difference(_name(path), place, *numbers))
    method = "complex step" if use_complex else "central differences"
    return GradientReport(tuple(differences), method, limit or (1e-9 if use_complex else 1e-6))


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
