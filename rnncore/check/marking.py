"""Marking one function: run it on the cases, and find which parts of its answers are right.

``Marking`` draws an exercise's cases, records what the reference and the student's function do with
them, and compares the two part by part (``Findings``). ``check`` makes a verdict of that, and
``diagnose`` looks for the mistakes behind it.
"""

import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

import numpy as np

from rnncore.check.compare import agree, difference, kind, leaves, pieces
from rnncore.check.faults import error_sentence, line
from rnncore.observe import Absent, Outcome, StudentError, Unplain

SPARE = 2000  # values that may be returned beyond the numbers asked for: each is looked at from many sides
UNCHANGED = "inputs stay unchanged"
MISSING = Absent("is missing from the dict that was returned.")


@dataclass
class Findings:
    """What comparing a function's outcomes with the right ones brought to light.

    ``wrong``: part -> sentence, from the ordinary cases. ``special``: condition -> sentence, where a part
    that is otherwise right fails under a condition, such as T = 1. ``parts``: all the parts there are.
    ``remarks``: notes that cost nothing.
    """

    parts: dict[str, None] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    special: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, None] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not self.wrong and not self.special


class Marking:
    """One function being marked: the cases, the right outcomes, and the student's.

    ``single``: whether all numbers that are not whole are float32, not float64. ``has_ours``: whether the
    function meets something of ours that is no argument: then no word that it returns may be told.
    """

    def __init__(self, exercise, function, seed: int, single: bool = False, has_ours: bool = False):
        self.exercise, self.function, self.seed, self.single = exercise, function, seed, single
        self.has_ours = has_ours
        self.cases = exercise.draw(np.random.default_rng(seed))
        if single:
            self.cases = [
                replace(case, args=in_single(case.args), more=in_single(case.more)) for case in self.cases
            ]
        # The first case comes again at the end: nothing may be left over from earlier calls.
        self.cases.append(replace(self.cases[0], when="it is called a second time"))
        self.wanted = [exercise.outcome(exercise.reference, case) for case in self.cases[:-1]]
        self.wanted.append(self.wanted[0])
        self.outcomes: list[Outcome] = []
        self.twins_do: dict = {}  # what ``diagnosis`` has seen wrong twins do with these cases

    def of(self, function) -> "Marking":
        """The marking of another function of the student's on the same cases, which has something of ours."""
        other = copy.copy(self)
        other.function, other.outcomes, other.has_ours = function, [], True
        return other

    def first_error(self) -> StudentError | None:
        """Call the student's function once; its error, if there is one."""
        self.outcomes = [_bounded(self.exercise.outcome(self.function, self.cases[0]), self.wanted[0])]
        return self.outcomes[0].error

    def findings(self) -> Findings:
        """Call the student's function on the other cases too, and compare."""
        known = len(self.outcomes)
        rest = self.exercise.outcomes(self.function, self.cases[known:])
        self.outcomes += map(_bounded, rest, self.wanted[known:])
        return self.compare(self.wanted)

    @cached_property
    def conditions(self) -> frozenset[str]:
        """The parts that are words or yes or no beside others that are numbers: they say how, not what."""
        parts: dict[str, bool] = {}
        for case, want in zip(self.cases, self.wanted, strict=True):
            for part, value in self.split(case, want.value).items():
                parts[part] = parts.get(part, True) and isinstance(value, str | bool)
        return frozenset() if all(parts.values()) else frozenset(part for part in parts if parts[part])

    def run(self, function) -> list[Outcome]:
        """What a function of ours does with every case."""
        return [self.exercise.outcome(function, case) for case in self.cases]

    def compare(self, wanted: list[Outcome]) -> Findings:
        """Hold the student's outcomes against ``wanted``, case by case and part by part."""
        found = Findings()
        for case, got, want in zip(self.cases, self.outcomes, wanted, strict=True):
            faults = self._faults(case, got, want, found)
            if not case.when:
                for part, says in faults.items():
                    found.wrong.setdefault(part, says)
            else:
                faults = {part: says for part, says in faults.items() if part not in found.wrong}
                if faults:
                    found.special.setdefault(case.when, next(iter(faults.values())))
            if not faults:
                self._manners(case, got, want, found)
        if len(found.wrong) == len(found.parts):
            found.special.clear()  # nothing is right, so there is nothing that a condition could spoil
        self._changed_inputs(found)
        return found

    def _faults(self, case, got: Outcome, want: Outcome, found: Findings) -> dict[str, str]:
        """The wrong parts of one case, each with its sentence."""
        right = self.split(case, want.value)
        found.parts.update(dict.fromkeys(right))
        if got.error:
            return dict.fromkeys(right, error_sentence(got.error, self.exercise.name, case))
        whole = self.whole_fault(case, got.value)
        if whole:
            return dict.fromkeys(right, whole)
        answers, faults = self.split(case, got.value, like=want.value), {}
        for part, value in right.items():
            says = self._fault(case, part, answers, value)
            if got.unviewed and not says:
                says = f"{part} cannot be judged: what the function returned is {kind(got.value)}."
            if says:
                faults[part] = says
            else:
                _remark(part, answers[part], value, found)
        return faults

    @property
    def spelled(self) -> str:
        """The returned values as they are written in a return statement."""
        names = (f"({', '.join(n)})" if isinstance(n, tuple) else n for n in self.exercise.returns)
        return f"`{', '.join(names)}`"

    def _fault(self, case, part: str, answers: dict, value) -> str | None:
        answer, layout = answers[part], self.exercise.layout
        if isinstance(answer, Absent):
            return f"{part} {answer.type_name}"
        if isinstance(value, tuple) and len(value) == len(layout):
            # A cache is right if it holds what was returned: a wrong h_next is charged once.
            own = tuple(
                answers.get(name, item) if name in self.exercise.returns else item
                for name, item in zip(layout, value, strict=True)
            )
            if agree(answer, own, self.exercise.tolerance):
                return None
        return difference(
            answer,
            value,
            part,
            tolerance=self.exercise.tolerance,
            sizes=case.sizes,
            layout=layout,
            gates=self.exercise.gates,
        )

    def split(self, case, value, like=None) -> dict:
        """A returned value by part: tuples by the exercise's names, dicts by key."""
        like = value if like is None else like
        names = self.exercise.returns
        if len(names) == 1:
            names, value, like = (case.part or names[0],), (value,), (like,)
        parts = {}
        for name, item, model in zip(names, value, like, strict=True):
            if isinstance(name, tuple):
                if not isinstance(item, tuple | list) or len(item) != len(name):
                    says = f"belongs in a tuple ({', '.join(name)}); what was returned there is {kind(item)}."
                    item = [Absent(says)] * len(name)
                parts |= dict(zip(name, item, strict=True))
            elif isinstance(model, dict):
                no_dict = Absent(
                    f"belongs in a dict, under its name; what was returned there is {kind(item)}."
                )
                for key in model:
                    parts[f'{name}["{key}"]'] = item.get(key, MISSING) if isinstance(item, dict) else no_dict
            else:
                parts[name] = item
        return parts

    def whole_fault(self, case, value) -> str | None:
        """What is wrong with the returned value before any part of it can be looked at."""
        names = self.exercise.returns
        if value is None:
            words = [
                f" for {name} = {arg!r}"
                for name, arg in zip(self.exercise.arguments, case.args, strict=False)
                if isinstance(arg, str)
            ]
            return f"The function returned None{''.join(words)}: is a `return` missing?"
        if len(names) == 1:
            return None
        wanted = f"{len(names)} values, {self.spelled}"
        if not isinstance(value, tuple | list):
            return f"The function returned {kind(value)}, expected {wanted}."
        if len(value) != len(names):
            return f"The function returned {len(value)} value{'s' * (len(value) != 1)}, expected {wanted}."
        return None

    def _manners(self, case, got: Outcome, want: Outcome, found: Findings) -> None:
        """A numerical warning beside a right answer counts like one more wrong part."""
        if got.warnings and not want.warnings:
            warned = got.warnings[0]
            found.special["no numerical warnings"] = f"NumPy warned: {warned.message}{line(warned)}."

    def _changed_inputs(self, found: Findings) -> None:
        """So does an input that the function changed."""
        for case, got in zip(self.cases, self.outcomes, strict=True):
            for name in changed_arguments(self.exercise, case, got):
                found.special[UNCHANGED] = (
                    f"The function changes its input `{name}`. Work on a copy: the caller still needs it. "
                    "(An in-place `+=` or `*=` on an array that was passed in does this.)"
                )


def _bounded(got: Outcome, want: Outcome) -> Outcome:
    """The outcome; where there are far more values in it than in the right one, only that is kept."""
    most = SPARE + sum(np.size(leaf) for _, leaf in leaves(want.value))
    if sum(1 for _ in islice(pieces(got.value), most + 1)) <= most:
        return got
    return replace(got, value=Unplain(f"nest of more than {most} values"))


def changed_arguments(exercise, case, outcome: Outcome) -> list[str]:
    """The names of the arguments that a call left different from how it found them."""
    return [
        name
        for name, before, after in zip(exercise.arguments, case.args, outcome.args_after, strict=False)
        if after is not None and not agree(after, before, 1e-12)
    ]


def in_single(value):
    """The same value, with float32 wherever an array in it has float64."""
    if isinstance(value, tuple | list):
        return type(value)(in_single(item) for item in value)
    if isinstance(value, dict):
        return {key: in_single(item) for key, item in value.items()}
    is_double = isinstance(value, np.ndarray) and value.dtype == np.float64
    return value.astype(np.float32) if is_double else value


def _remark(part: str, answer, want, found: Findings) -> None:
    """Notes on a right answer that cost nothing."""
    if not isinstance(want, np.ndarray):
        return
    if isinstance(answer, list | tuple):
        found.remarks[f"`{part}` is a {type(answer).__name__}; an array is expected. Accepted."] = None
    elif getattr(answer, "dtype", None) == np.float32 and want.dtype == np.float64:
        note = f"`{part}` came back as float32, though the inputs are float64. Accepted, but keep "
        found.remarks[note + "the dtype: a gradient check needs all the digits."] = None
