"""The right numbers, packed otherwise: a flat tuple for a pair, other keys, another order, other axes.

Every array that is asked for is looked for among those that were returned, and must be in the same place in
every ordinary case. In comes a ``Marking``, out goes a slip that explains the whole answer, or None.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from rnncore.check.compare import agree, leaves, same_numbers
from rnncore.observe import Unplain, as_numbers

PACKED, FORGOTTEN = 0.15, 0.3  # of the points: for other packing, and for a cache that was not returned
EMPTY = object()


@dataclass(frozen=True)
class Slip:
    """A slip of no exercise's own: its id, the sentence to say, and its cost as a ``Mistake`` has it."""

    id: str
    says: str
    cost: float | None = None


def packing_slip(marking) -> Slip | None:
    """The slip of an answer whose numbers are all right but not where they are asked for."""
    pairs = list(zip(marking.cases, marking.outcomes, marking.wanted, strict=True))
    if any(got.error or got.unviewed or got.value is None for case, got, _ in pairs if not case.when):
        return None
    if any(case.part for case, _, _ in pairs) or marking.exercise.view is not None:
        return None
    wanted = _named(marking.exercise, pairs[0][2].value)
    returned = dict(leaves(pairs[0][1].value))
    if not 0 < len(returned) <= 2 * len(wanted) + 2:
        return None
    places, missing, taken = {}, [], {}
    for path in wanted:
        fitting = [
            place
            for place in returned
            if all(
                _same(_at(got.value, place), _at(want.value, path), marking.exercise.tolerance)
                for case, got, want in pairs
                if not case.when
            )
        ]
        # One array may serve two names of one dict, but never two of the values that are returned.
        fitting = [place for place in fitting if all(path[:1] == other[:1] for other in taken.get(place, ()))]
        if fitting:
            places[path] = path if path in fitting else fitting[0]
            taken.setdefault(places[path], []).append(path)
        else:
            missing.append(path)
    if not places or not _forgotten(marking.exercise, returned, places, missing):
        return None
    return _slip(marking, pairs, wanted, places, missing)


def _forgotten(exercise, returned, places, missing) -> bool:
    """Whether all that is missing are whole values that were left out, and less than what is there."""
    lost, kept = ({path[0] for path in paths if len(exercise.returns) > 1} for paths in (missing, places))
    if not missing:
        return True
    if lost & kept or not lost:
        return False  # a value that lacks something is wrong, not forgotten
    return all(_in_cache(exercise, path) for path in missing) or (
        len(missing) < len(places) == len(set(places.values())) == len(returned)
    )


def _slip(marking, pairs, wanted, places, missing) -> Slip | None:
    asked = marking.spelled
    if missing:
        names = ", ".join(dict.fromkeys(str(marking.exercise.returns[path[0]]) for path in missing))
        says = f"What was returned is right, but `{names}` is not among it: asked for is {asked}."
        cache = all(_in_cache(marking.exercise, path) for path in missing)
        share = len({path[0] for path in missing}) / len(marking.exercise.returns)
        if cache:
            return Slip("cache-not-returned", says, cost=FORGOTTEN)
        return Slip("value-not-returned", says, cost=max(FORGOTTEN, share))
    value = pairs[0][1].value
    for path, place in places.items():
        theirs, ours = np.shape(_at(value, place)), np.shape(_at(pairs[0][2].value, path))
        if theirs != ours:
            says = f"The numbers are right, but {wanted[path]} has shape {theirs}, expected {ours}."
            if sorted(theirs) == sorted(ours):
                return Slip("axes-in-another-order", says, cost=PACKED)
            flat = len(theirs) == 1 and len(_long(ours)) > 1
            return Slip("flat" if flat else "an-axis-too-many-or-too-few", says, cost=PACKED)
    names = {place: wanted[path] for path, place in places.items()}
    asked_keys = [key for path in wanted for key in path if isinstance(key, str)]
    drawn = _drawn(value, names, asked_keys if marking.has_ours else None)
    says = f"The numbers are right. They are packed as `{drawn}`, asked for is {asked}."
    if asked_keys and not {key for path in places.values() for key in path} >= set(asked_keys):
        says += f" The keys asked for are {', '.join(dict.fromkeys(asked_keys))}."
    return Slip("packed-otherwise", says, cost=PACKED)


def _named(exercise, value) -> dict:
    """{path: name} of every leaf of a right value."""
    names = {}
    returns = exercise.returns if len(exercise.returns) > 1 else None
    for path, _ in leaves(value):
        name, rest = (exercise.returns[0], path) if returns is None else (returns[path[0]], path[1:])
        if isinstance(name, tuple):
            name, rest = name[rest[0]], rest[1:]
        if name == "cache" and len(rest) == 1 and exercise.layout:
            names[path] = exercise.layout[rest[0]]
        else:
            names[path] = name + "".join(f'["{key}"]' if isinstance(key, str) else f"[{key}]" for key in rest)
    return names


def _in_cache(exercise, path) -> bool:
    return len(exercise.returns) > 1 and str(exercise.returns[path[0]]) in ("cache", "caches")


def _same(got, want, tolerance: float) -> bool:
    if got is EMPTY or isinstance(got, Unplain):
        return False
    theirs, ours = as_numbers(got), as_numbers(want)
    if theirs is None or ours is None:
        return agree(got, want, tolerance)
    if theirs.size != ours.size:
        return False
    tried = [theirs.reshape(ours.shape)] if _long(theirs.shape) in (_long(ours.shape), (ours.size,)) else []
    if theirs.shape != ours.shape and sorted(theirs.shape) == sorted(ours.shape) and ours.ndim < 4:
        turned = (theirs.transpose(axes) for axes in permutations(range(ours.ndim)))
        tried += [array for array in turned if array.shape == ours.shape]
    return any(bool(same_numbers(array, ours, tolerance).all()) for array in tried)


def _long(shape) -> tuple:
    """A shape without its axes of size 1."""
    return tuple(size for size in shape if size != 1)


def _at(value, path):
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return EMPTY
    return value


def _drawn(value, names: dict, keys, path=()) -> str:
    """The returned value's form, its arrays by the names they are asked for under.

    ``keys``: those of a dict that may be told; None for all.
    """
    if isinstance(value, dict):
        inside = (
            f"{key if keys is None or key in keys else '...'}: {_drawn(item, names, keys, (*path, key))}"
            for key, item in value.items()
        )
        return "{" + ", ".join(inside) + "}"
    if isinstance(value, tuple | list) and path not in names:
        drawn = ", ".join(_drawn(item, names, keys, (*path, key)) for key, item in enumerate(value))
        return f"({drawn})" if path else drawn
    return names.get(path, "...")
