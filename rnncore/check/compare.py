"""Compare one returned value with the right one, and say in words where and how they differ.

``difference(got, want)`` is None when the two agree and otherwise the sentence a student reads: what is
wrong with the kind, the shape or the numbers, and, where a simple cause explains the numbers (a
transpose, a sign, a constant factor, a gate's block, steps of time from some point on), that cause.
"""

import numpy as np

from rnncore.observe import MOST_BITS, Unplain, as_numbers

TINY = 1e-10
LONGEST = 60  # characters of a text or a name that are shown


def same_numbers(got: np.ndarray, want: np.ndarray, tolerance: float) -> np.ndarray:
    """Elementwise, whether got is want up to rounding: relative to each number and to the largest."""
    scale = np.abs(want[np.isfinite(want)]).max(initial=0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        close = np.abs(got - want) <= tolerance * np.abs(want) + max(0.1 * tolerance * scale, TINY)
    close &= np.isfinite(want)  # a tolerance of infinity would let every number pass
    return close | (got == want) | (np.isnan(got) & np.isnan(want))


def agree(got, want, tolerance: float) -> bool:
    """Whether two plain values say the same, nested or not; lists, tuples and arrays count alike."""
    if isinstance(want, dict):
        return (
            isinstance(got, dict)
            and got.keys() >= want.keys()
            and all(agree(got[key], want[key], tolerance) for key in want)
        )
    if isinstance(want, tuple | list):
        return (
            isinstance(got, tuple | list)
            and len(got) == len(want)
            and all(agree(g, w, tolerance) for g, w in zip(got, want, strict=True))
        )
    if want is None or isinstance(want, str | Unplain):
        return got == want if type(got) is type(want) else False
    want = as_numbers(want)
    got = as_numbers(got) if _fits(got, want.shape) else None
    if got is None or got.shape != want.shape:
        return False
    return bool((got == want).all() or same_numbers(got, want, tolerance).all())


def _fits(value, shape) -> bool:
    """Whether a value may have this shape: what does not is never made an array of, however large it is."""
    if isinstance(value, list | tuple):
        return bool(shape) and len(value) == shape[0] and all(_fits(item, shape[1:]) for item in value)
    return np.shape(value) == shape if isinstance(value, np.ndarray | np.generic) else not shape


def leaves(value, path=()):
    """(path of keys, leaf) of all that stands in a nest of tuples, dicts, and lists that are no arrays."""
    inside = _inside(value)
    if inside is None:
        yield path, value
        return
    for key, item in inside:
        yield from leaves(item, (*path, key))


def pieces(value):
    """All leaves of a nest, and all nests in it, empty ones too."""
    yield value
    for _, item in _inside(value) or ():
        yield from pieces(item)


def _inside(value):
    """The (key, item) pairs of a nest; None for a leaf."""
    if isinstance(value, dict):
        return value.items()
    nested = isinstance(value, tuple) or (isinstance(value, list) and _holds_values(value))
    return enumerate(value) if nested else None


def _holds_values(items: list) -> bool:
    """Whether a list is one of values, such as caches, and not an array written as a list of numbers."""
    return any(isinstance(item, tuple | dict | np.ndarray) for item in items) or as_numbers(items) is None


def difference(
    got, want, name: str, *, tolerance: float, sizes: dict[str, int], layout=(), gates=()
) -> str | None:
    """Why ``got`` is not ``want``, in one or two sentences that begin with ``name``; None if it is.

    ``sizes``: the case's sizes by letter, such as {"B": 3, "T": 5}, to name a constant factor.
    ``layout``: what the items of an inner tuple are called, to name the first wrong one.
    ``gates``: the letters of the blocks of H rows that parameters are made of, to name the wrong ones.
    """
    if agree(got, want, tolerance):
        return None
    if isinstance(want, bool):
        return f"{name} is {not want}, expected {want}."
    if isinstance(want, str):
        return f"{name} is {_quoted(got) if isinstance(got, str) else kind(got)}, expected {want!r}."
    if isinstance(want, tuple | list):
        return _container_difference(got, want, name, tolerance=tolerance, sizes=sizes, layout=layout)
    array, want = as_numbers(got), as_numbers(want)
    if array is None:
        return f"{name} is {kind(got)}, expected {_expected(want)}."
    if array.shape != want.shape:
        turned = array.ndim == 2 and array.T.shape == want.shape
        hint = ""
        if turned and bool(same_numbers(array.T, want, tolerance).all()):
            hint = " Its transpose would be right."
        return f"{name} has shape {array.shape}, expected {want.shape}.{hint}"
    if not np.isfinite(array).all() and np.isfinite(want).all():
        bad = tuple(np.argwhere(~np.isfinite(array))[0])
        where = f" holds {array[bad]} at {_place(name, bad)}" if bad else f" is {array[bad]}"
        return f"{name}{where}, where a finite number is expected."
    other = ~np.isfinite(want) & ~same_numbers(array, want, tolerance)
    if other.any():
        index = tuple(np.argwhere(other)[0])
        return f"{_place(name, index)} is {array[index]:.6g}, expected {want[index]}."
    cause = _cause(array, want, tolerance, sizes, gates)
    return f"{name} {cause}{_sample(array, want, name, tolerance)}"


def kind(value) -> str:
    """What a plain value is, in words, as in "None" or "a tuple of 2"."""
    if value is None:
        return "None"
    if isinstance(value, Unplain):
        name = " ".join(value.type_name.split())[:LONGEST] or "value whose type has no name"
        return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
    if isinstance(value, tuple | list | dict):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return "a whole number of more than 300 digits"
    return "a string" if isinstance(value, str) else f"the number {value}"[:LONGEST]


def _quoted(text: str) -> str:
    return repr(text) if len(text) <= LONGEST else f"{text[:LONGEST]!r} ... ({len(text)} characters)"


def _expected(want: np.ndarray) -> str:
    return "a number" if want.ndim == 0 else f"an array of shape {want.shape}"


def _place(name: str, index) -> str:
    return f"{name}[{', '.join(str(i) for i in index)}]" if len(index) else name


def _simple_cause(got: np.ndarray, want: np.ndarray, tolerance: float, sizes: dict[str, int]) -> str:
    """One story that explains all of the numbers, or an empty string if there is none."""

    def explains(other):
        return bool(same_numbers(got, other, 10 * tolerance).all())

    if not got.any():
        return "is all zeros."
    if explains(-want):
        return "has the wrong sign everywhere: it is exactly minus the right answer."
    if want.ndim == 2 and want.shape[0] == want.shape[1] and explains(want.T):
        return "is the transpose of the right answer."
    for factor, words in _factors(sizes):
        if explains(factor * want):
            return f"is the right answer {words}, everywhere."
    return ""


def _cause(got: np.ndarray, want: np.ndarray, tolerance: float, sizes: dict[str, int], gates) -> str:
    """The simplest story that explains all of the numbers, or how many of them are wrong."""
    simple = _simple_cause(got, want, tolerance, sizes)
    if simple:
        return simple
    wrong = ~same_numbers(got, want, tolerance)
    H = sizes.get("H", 0)
    if gates and H and want.ndim in (1, 2) and len(want) == len(gates) * H != sizes.get("B"):
        said = _gate_blocks(got, want, tolerance, sizes, gates)
        if said:
            return said
    if want.ndim == 3 and want.shape[1] == sizes.get("T"):
        if want.shape[1] > 1 and same_numbers(got, got[:, -1:], tolerance).all():
            return "holds the same numbers at every time step: is one array written over and over?"
        steps = np.flatnonzero(wrong.any(axis=(0, 2)))
        if 0 < len(steps) < want.shape[1]:
            return _steps(steps, want.shape[1])
    apart = got - want
    if want.size > 1 and same_numbers(apart, np.broadcast_to(apart.flat[0], apart.shape), 1e-3).all():
        return f"is {abs(apart.flat[0]):.4g} too {'large' if apart.flat[0] > 0 else 'small'}, everywhere."
    off = (np.abs(apart) / (np.abs(want) + 1e-3 * np.abs(want).max() + TINY)).max()
    if off < 1e-2 and wrong.mean() > 0.5:
        return f"is close, but right to only about {max(int(-np.log10(off)), 1)} digits."
    if wrong.all():
        return "has the right shape and the wrong numbers."
    return f"is wrong in {int(wrong.sum())} of its {wrong.size} numbers."


GATES = {
    "i": "the input gate i",
    "f": "the forget gate f",
    "g": "the candidate g",
    "o": "the output gate o",
    "r": "the reset gate r",
    "z": "the update gate z",
    "n": "the candidate n",
}
COUNT = {2: "two", 3: "three"}


def _gate_blocks(got, want, tolerance: float, sizes: dict[str, int], gates) -> str:
    """Which gates' blocks of rows are wrong, or in another order; an empty string if all are wrong."""
    H = sizes["H"]
    ours, right = np.split(got, len(gates)), np.split(want, len(gates))
    holds = [
        [gate for gate, block in zip(gates, right, strict=True) if same_numbers(mine, block, tolerance).all()]
        for mine in ours
    ]
    wrong = [position for position, gate in enumerate(gates) if gate not in holds[position]]
    order = [found[0] if len(found) == 1 else "" for found in holds]
    if sorted(order) == sorted(gates):
        return f"holds the right blocks in the order {', '.join(order)}, expected {', '.join(gates)}."
    if len(wrong) == len(gates):
        return ""

    def block(position):
        first, last = position * H, (position + 1) * H - 1
        rows = f"row {first}" if H == 1 else f"rows {first} to {last}"
        return f"{GATES.get(gates[position], gates[position])} ({rows})"

    fine = [position for position in range(len(gates)) if position not in wrong]
    rest = f"that of {block(fine[0])}" if len(fine) == 1 else f"the other {COUNT.get(len(fine), len(fine))}"
    named = " and ".join(block(position) for position in wrong)
    says = f"is wrong in the block{'s' * (len(wrong) > 1)} of {named} and right in {rest}."
    cause = _simple_cause(ours[wrong[0]], right[wrong[0]], tolerance, sizes) if len(wrong) == 1 else ""
    return says + (f" That block {cause}" if cause else "")


def _steps(wrong: np.ndarray, T: int) -> str:
    """Which time steps are wrong, told in the direction in which the error spreads."""
    if np.array_equal(wrong, np.arange(len(wrong))):
        right = f"the last {T - len(wrong)} steps" if T - len(wrong) > 1 else "the last step"
        return f"is right at {right}; going backwards in time, the first wrong step is t = {wrong[-1]}."
    if np.array_equal(wrong, np.arange(wrong[0], T)):
        return f"is right before t = {wrong[0]} and wrong from there on."
    listed = ", ".join(str(t) for t in wrong)
    return f"is wrong at time step{'s' if len(wrong) > 1 else ''} t = {listed} and right at the others."


def _factors(sizes: dict[str, int]):
    """Constant factors that people lose or add, each with the words for it."""
    yield 2.0, "times 2"
    yield 0.5, "divided by 2"
    products = dict(sizes)
    if "B" in sizes and "T" in sizes:
        products["B·T"] = sizes["B"] * sizes["T"]
    for letter, size in products.items():
        if size > 1:
            yield float(size), f"times {letter} = {size}"
            yield 1.0 / size, f"divided by {letter} = {size}"


def _sample(got: np.ndarray, want: np.ndarray, name: str, tolerance: float) -> str:
    """One wrong number beside the right one: the one that is furthest off."""
    off = np.where(same_numbers(got, want, tolerance), -1.0, np.abs(got - want))
    index = np.unravel_index(int(np.argmax(off)), off.shape)
    shown, right = f"{got[index]:.6g}", f"{want[index]:.6g}"
    if shown == right:
        shown, right = f"{got[index]:.12g}", f"{want[index]:.12g}"
    return f" For instance {_place(name, index)} is {shown}, expected {right}."


def _container_difference(got, want, name, *, tolerance, sizes, layout) -> str:
    if not isinstance(got, tuple | list):
        return f"{name} is {kind(got)}, expected a {type(want).__name__} of {len(want)}."
    named = layout if layout and len(layout) == len(want) and not isinstance(want[0], tuple | list) else ()
    if len(got) != len(want):
        items = f": ({', '.join(named)})" if named else ""
        return f"{name} holds {len(got)} item{'s' if len(got) != 1 else ''}, expected {len(want)}{items}."
    for position, (g, w) in enumerate(zip(got, want, strict=True)):
        inner = f"{name}[{position}]"
        said = difference(g, w, inner, tolerance=tolerance, sizes=sizes, layout=layout)
        if said and named:
            said = said.replace(inner, f"{inner} (the cached {named[position]})", 1)
        if said:
            return said
    return f"{name} differs."
