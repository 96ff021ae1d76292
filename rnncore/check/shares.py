"""How much of a wrong answer is right where no slip explains it: fine shares, from a patient teacher.

A part is made of units: the blocks of its gates, time steps from either end, two directions, the items of
a cache; each ordinary case counts alike. A unit that an answer without any work gets right as well (zeros,
ones, an argument handed back) proves nothing and is not counted. In come a ``Marking`` and the parts that
are wrong, out go shares from 0 to 1.
"""

import numpy as np

from rnncore.check.compare import agree, leaves, same_numbers
from rnncore.observe import Unplain, as_numbers

NOT_WHOLE = 0.7  # the most that a wrong part is worth: what proves anything is right, but not all is


def shares(marking, wrong) -> dict[str, float | None]:
    """{part: the share of its units that are right}; None for a part that is right and proves nothing.

    ``wrong``: the parts that are wrong in some ordinary case.
    """
    found: dict[str, list[float]] = {}
    unproven: dict[str, list[float]] = {}  # where nothing in a case proves anything
    for number, (case, got, want) in enumerate(
        zip(marking.cases, marking.outcomes, marking.wanted, strict=True)
    ):
        if case.when:
            continue
        right, answers = marking.split(case, want.value), _answers(marking, case, got, want)
        idle = [_answers(marking, case, outcomes[number], want) for outcomes in idle_outcomes(marking)]
        for part in right:
            unit, of_part = _Units(marking.exercise, case, right[part]), found.setdefault(part, [])
            free = np.array([unit.right(each[part]) for each in idle if each] + unit.right_for_nothing())
            counted = ~free.any(axis=0) if len(free) else np.ones(unit.count, dtype=bool)
            if part not in wrong:
                of_part += [1.0] * bool(counted.any())
                continue
            earned = unit.right(answers[part]) if answers else np.zeros(unit.count, dtype=bool)
            if counted.any():
                of_part.append(float(earned[counted].mean()))
            else:
                unproven.setdefault(part, []).append(float(earned.mean()))
    found = {part: each or (unproven.get(part, []) if part in wrong else []) for part, each in found.items()}
    most = {part: NOT_WHOLE if part in wrong else 1.0 for part in found}
    return {part: min(float(np.mean(each)), most[part]) if each else None for part, each in found.items()}


def is_idle(marking) -> bool:
    """Whether the answer is one without any work: in every case what some constant or echo would give."""
    ordinary = [number for number, case in enumerate(marking.cases) if not case.when]
    tolerance = marking.exercise.tolerance

    def same(outcomes):
        return all(
            not ours.error
            and not idle.error
            and not any(
                isinstance(leaf, Unplain) for _, leaf in leaves(idle.value)
            )  # nothing to be seen there
            and agree(ours.value, idle.value, tolerance)
            for ours, idle in ((marking.outcomes[number], outcomes[number]) for number in ordinary)
        )

    return any(same(outcomes) for outcomes in idle_outcomes(marking)) or _made_of_nothing(marking, ordinary)


def says_something(marking, part: str) -> bool:
    """Whether what was returned for a part has its form in some ordinary case, and is no constant."""
    for case, got, want in zip(marking.cases, marking.outcomes, marking.wanted, strict=True):
        answers = {} if case.when else _answers(marking, case, got, want)
        right = marking.split(case, want.value).get(part)
        numbers, wanted = as_numbers(answers.get(part)), as_numbers(right)
        if (
            numbers is None
            and isinstance(answers.get(part), tuple | str)
            and type(answers[part]) is type(right)
        ):
            return True
        if numbers is not None and wanted is not None and numbers.shape == wanted.shape:
            if numbers.size == 1 or one_number(numbers, marking.exercise.tolerance) is None:
                return True
    return False


def says_nothing(marking, parts) -> bool:
    """Whether each of the parts is one and the same number in every ordinary case, as a stub would return."""
    seen: dict[str, list] = {part: [] for part in parts}
    for case, got, want in zip(marking.cases, marking.outcomes, marking.wanted, strict=True):
        if case.when:
            continue
        answers = _answers(marking, case, got, want)
        for part, numbers in seen.items():
            array = as_numbers(answers.get(part))
            if array is None or not array.size:
                return False
            numbers.append(one_number(array, marking.exercise.tolerance))
    return all(_all_one(numbers, marking.exercise.tolerance) for numbers in seen.values())


def one_number(array: np.ndarray, tolerance: float) -> complex | None:
    """The one number that stands everywhere in an array, up to rounding; None where there are several.

    Up to rounding, as two answers are compared: a speck of something in all zeros makes no work of them.
    """
    first = complex(array.flat[0])
    if not np.isfinite(array).all():
        return first if np.array_equal(array, np.full_like(array, array.flat[0]), equal_nan=True) else None
    middle = complex(*(part.min() / 2 + part.max() / 2 for part in (array.real, array.imag)))
    return middle if same_numbers(array, np.full(array.shape, middle), 2 * tolerance).all() else None


def _all_one(numbers: list, tolerance: float) -> bool:
    """Whether ``one_number`` has said the same of several arrays, and never None."""
    return bool(numbers) and None not in numbers and one_number(np.array(numbers), tolerance) is not None


def nothing_to_see(marking) -> bool:
    """Whether an answer's values are none that its exercise can look at, in any ordinary case."""
    ordinary = [got for case, got in zip(marking.cases, marking.outcomes, strict=True) if not case.when]
    return all(
        not got.error and any(isinstance(leaf, Unplain) for _, leaf in leaves(got.value)) for got in ordinary
    )


def idle_outcomes(marking) -> list:
    """What answers without any work do with every case, each a list of outcomes."""
    if not hasattr(marking, "idle"):
        marking.idle = [marking.run(answer) for answer in _idle_answers(marking.exercise)]
    return marking.idle


def _idle_answers(exercise):
    """Functions that give back an argument or a constant, and those that set the right result to one."""
    if exercise.use is None and exercise.view is None:
        return []  # what they give is seen in the arguments and the right values themselves
    echoes = [lambda *args, n=n: args[min(n, len(args) - 1)] for n in range(3)]
    constants = [lambda *args, value=value: value for value in (0.0, True, [])]
    if exercise.use is not None:
        return echoes + constants
    return echoes + [lambda *args, n=n: _filled(exercise.reference(*args), n) for n in (0, 1)]


def _filled(value, number: int):
    if isinstance(value, tuple | list):
        return type(value)(_filled(item, number) for item in value)
    if isinstance(value, dict):
        return {key: _filled(item, number) for key, item in value.items()}
    return np.full_like(value, number) if isinstance(value, np.ndarray) else type(value)(number)


def _made_of_nothing(marking, ordinary) -> bool:
    """Whether each array that was returned holds one and the same number in every case, or is an argument."""
    if marking.exercise.use is not None or marking.exercise.view is not None:
        return False
    constants, texts, tolerance = {}, {}, marking.exercise.tolerance
    for case, got in ((marking.cases[number], marking.outcomes[number]) for number in ordinary):
        if got.error or got.value is None:
            return False
        given = [leaf for _, leaf in leaves(case.args)]
        for path, leaf in leaves(got.value):
            array = as_numbers(leaf)
            if array is not None and array.size and not _handed_back(array, given, tolerance):
                number = one_number(array, tolerance)
                if number is None or not np.isfinite(number):
                    return False
                constants.setdefault(path, []).append(number)
            elif isinstance(leaf, str) and leaf and not any(isinstance(o, str) and o == leaf for o in given):
                texts.setdefault(path, set()).add(leaf)
    same = all(_all_one(numbers, tolerance) for numbers in constants.values())  # in every case
    return same and not constants.keys() & texts.keys() and all(len(each) == 1 for each in texts.values())


def _handed_back(array, given, tolerance) -> bool:
    others = (as_numbers(leaf) for leaf in given)
    return any(
        o is not None and o.shape == array.shape and same_numbers(array, o, tolerance).all() for o in others
    )


def _answers(marking, case, got, want) -> dict:
    """A case's outcome by part; empty where it has none."""
    if got.error or got.unviewed or marking.whole_fault(case, got.value):
        return {}
    return marking.split(case, got.value, like=want.value)


class _Units:
    """The units of one part of one case: which of them are right in a value."""

    def __init__(self, exercise, case, want):
        self.exercise, self.case = exercise, case
        self.wants = want if isinstance(want, tuple) else (want,)
        self.nested = isinstance(want, tuple)
        self.pieces = [self._pieces(as_numbers(item)) for item in self.wants]
        self.count = sum(len(pieces) or 1 for pieces in self.pieces)

    def right(self, value) -> np.ndarray:
        """Which units of ``value`` are right."""
        values = value if self.nested else (value,)
        if not isinstance(values, tuple | list) or len(values) != len(self.wants):
            return np.zeros(self.count, dtype=bool)
        return np.array(
            [one for item in zip(values, self.wants, self.pieces, strict=True) for one in self._item(*item)]
        )

    def right_for_nothing(self) -> list[np.ndarray]:
        """Which units a part has right that is zeros, ones, or an argument, where that can be seen here."""
        constant = [
            array is not None and array[piece].size != 1 and np.unique(array[piece]).size < 2
            for item, pieces in zip(self.wants, self.pieces, strict=True)
            for array in [as_numbers(item)]
            for piece in pieces or [...]
        ]
        if self.exercise.use is not None or self.exercise.view is not None:
            return [np.array(constant)]
        given = [leaf for _, leaf in leaves(self.case.args)]
        free = []
        for item, pieces in zip(self.wants, self.pieces, strict=True):
            like = as_numbers(item)
            tried = [] if like is None else [np.zeros_like(like), np.ones_like(like)]
            rights = [self._item(value, item, pieces) for value in (*tried, *given, "", True, False, None)]
            free += list(np.any(rights, axis=0))
        names = self.exercise.layout if self.nested and len(self.exercise.layout) == len(self.wants) else ()
        # A cache holds what was returned beside it: that is judged there.
        own = [name in self.exercise.returns for name in names] or [False] * len(self.wants)
        repeated = [flag for flag, pieces in zip(own, self.pieces, strict=True) for _ in pieces or [None]]
        return [np.array(free) | np.array(repeated) | np.array(constant)]

    def _item(self, value, want, pieces) -> list[bool]:
        if not pieces:
            return [agree(value, want, self.exercise.tolerance)]
        numbers, right = as_numbers(value), as_numbers(want)
        if numbers is None or numbers.shape != right.shape:
            return [False] * len(pieces)
        close = same_numbers(numbers, right, self.exercise.tolerance)
        flags = [bool(close[piece].all()) for piece in pieces]
        return _from_the_ends(flags, self.case.sizes["T"]) if right.ndim == 3 else flags

    def _pieces(self, want) -> list:
        """Where in an array its units lie; empty for what is one unit."""
        sizes = self.case.sizes
        H, T, gates = sizes.get("H", 0), sizes.get("T", 0), self.exercise.gates
        if want is None:
            return []
        if gates and H and want.ndim in (1, 2) and len(want) == len(gates) * H != sizes.get("B"):
            return [np.s_[start : start + H] for start in range(0, len(want), H)]
        if want.ndim == 3 and want.shape[1] == T > 1:
            width = H if H and want.shape[2] == 2 * H else want.shape[2]
            sides = range(0, want.shape[2], width) if width else ()
            return [np.s_[:, t, side : side + width] for side in sides for t in range(T)]
        return []


def _from_the_ends(flags: list[bool], T: int) -> list[bool]:
    """The same flags, where a step in the middle counts only if all from it to one of the ends do."""
    kept = []
    for start in range(0, len(flags), T):
        side = np.array(flags[start : start + T])
        ends = np.logical_and.accumulate(side) | np.logical_and.accumulate(side[::-1])[::-1]
        kept += list(ends)
    return kept
