"""``check(fn)``: what a student calls, and what grades them.

It finds the exercise by the function's name, draws cases that nobody has seen before, calls the function
and the reference on them, and returns a ``Verdict``. Credit is per part (dx, dh_prev, each parameter).
Where numbers are wrong it looks for the known mistake whose twin gives the same numbers
(``rnncore.diagnose``), and says where an answer that is wrong only because of an earlier function of
the student's own goes wrong. It never raises for what a student wrote.
"""

import secrets
from dataclasses import dataclass, field

import numpy as np

from rnncore.compare import agree, difference, kind
from rnncore.observe import Outcome, StudentError, Unplain, observe
from rnncore.verdict import Part, Verdict

MISSING = Unplain("missing")


def check(function, points: float = 1, *, seed: int | None = None) -> Verdict:
    """Check a student's function against its reference on freshly drawn inputs.

    ``function``: the function itself; its ``__name__`` says which exercise it answers.
    ``points``: what a fully right answer earns; each right part earns its share.
    ``seed``: draws the same inputs again; a fresh one is drawn if None.
    """
    name = getattr(function, "__name__", None)
    if name is None or not callable(function):
        return Verdict(
            "check",
            points,
            status="error",
            headline="check needs the function itself, without parentheses, as in `check(rnn_cell)`; "
            f"it was given {_article(type(function).__name__)}.",
        )
    try:
        from rnncore.exercises import by_name
    except ModuleNotFoundError as missing:
        if not (missing.name or "").startswith("rnncore"):
            raise
        return Verdict(name, points, status="not checked here", headline="The grader runs this check itself.")
    if name not in by_name():
        return Verdict(
            name,
            points,
            status="error",
            headline=f"check goes by the function's name, and no exercise is called `{name}`. "
            f"Those it knows are {', '.join(by_name())}.",
        )
    return mark(by_name()[name], function, points, secrets.randbits(32) if seed is None else seed)


def mark(exercise, function, points: float, seed: int) -> Verdict:
    """Mark ``function`` as an answer to ``exercise``, whatever it is called."""
    return _Marking(exercise, function, seed).verdict(points)


@dataclass
class Findings:
    """What comparing a function's outcomes with the right ones brought to light.

    ``wrong``: part -> sentence, from the ordinary cases. ``special``: condition -> sentence, where a part
    that is otherwise right fails under a condition, such as T = 1. ``parts``: all the parts there are.
    """

    parts: dict[str, None] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    special: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, None] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not self.wrong and not self.special


class _Marking:
    """One function being marked: the cases, the right outcomes, and the student's."""

    def __init__(self, exercise, function, seed: int):
        self.exercise, self.function, self.seed = exercise, function, seed
        self.cases = exercise.draw(np.random.default_rng(seed))
        # The first case comes again at the end: nothing may be left over from earlier calls.
        again = self.cases[0]
        self.cases.append(type(again)(again.args, again.sizes, "it is called a second time", again.part))
        self.wanted = [exercise.outcome(exercise.reference, case) for case in self.cases]

    def verdict(self, points: float) -> Verdict:
        first = self.exercise.outcome(self.function, self.cases[0])
        refusal = self._refusal(first.error) if first.error else None
        if refusal:
            status, headline = refusal
            return Verdict(self.exercise.name, points, status=status, headline=headline, seed=self.seed)
        self.outcomes = [first, *(self.exercise.outcome(self.function, case) for case in self.cases[1:])]
        found = self.compare(self.outcomes)
        if found.clean:
            return self._full_marks(points, found)
        blame = self._follow_through(found)
        mistakes = ()
        if not found.clean:
            from rnncore.diagnose import named_mistakes

            mistakes = named_mistakes(self, found)
        return self._marked(points, found, blame, mistakes)

    # Comparing ------------------------------------------------------------------------------------

    def compare(self, outcomes: list[Outcome], wanted: list[Outcome] | None = None) -> Findings:
        """Hold outcomes against the right ones, case by case and part by part."""
        found = Findings()
        for case, got, want in zip(self.cases, outcomes, wanted or self.wanted, strict=True):
            faults = self._faults(case, got, want, found)
            if not case.when:
                for part, says in faults.items():
                    found.wrong.setdefault(part, says)
                continue
            faults = [says for part, says in faults.items() if part not in found.wrong]
            if faults:
                found.special.setdefault(case.when, faults[0])
        if len(found.wrong) == len(found.parts):
            found.special.clear()  # nothing is right, so there is nothing that a condition could spoil
        self._manners(outcomes, wanted or self.wanted, found)
        return found

    def _faults(self, case, got: Outcome, want: Outcome, found: Findings) -> dict[str, str]:
        """The wrong parts of one case, each with its sentence."""
        right = self.split(case, want.value)
        found.parts.update(dict.fromkeys(right))
        if got.error:
            return dict.fromkeys(right, _error_sentence(got.error, self.exercise.name))
        whole = self._whole_fault(got.value)
        if whole:
            return dict.fromkeys(right, whole)
        answers, faults = self.split(case, got.value, like=want.value), {}
        for part, value in right.items():
            answer = answers[part]
            if answer is MISSING:
                faults[part] = f"{part} is missing from the dict that was returned."
                continue
            says = difference(
                answer,
                value,
                part,
                tolerance=self.exercise.tolerance,
                sizes=case.sizes,
                layout=self.exercise.layout,
            )
            if says:
                faults[part] = says
            else:
                self._remark(part, answer, value, found)
        return faults

    def split(self, case, value, like=None) -> dict:
        """A returned value by part: tuples by the exercise's names, dicts by key."""
        like = value if like is None else like
        names = self.exercise.returns
        if len(names) == 1:
            return {case.part or names[0]: value}
        parts = {}
        for name, item, model in zip(names, value, like, strict=True):
            if not isinstance(model, dict):
                parts[name] = item
                continue
            for key in model:
                whole = item if not isinstance(item, dict) else item.get(key, MISSING)
                parts[f'{name}["{key}"]'] = whole
        return parts

    def _whole_fault(self, value) -> str | None:
        """What is wrong with the returned value before any part of it can be looked at."""
        names = self.exercise.returns
        if value is None:
            return "The function returned None: is its `return` missing?"
        if len(names) == 1:
            return None
        wanted = f"{len(names)} values, `{', '.join(names)}`"
        if not isinstance(value, tuple | list):
            return f"The function returned {kind(value)}, expected {wanted}."
        if len(value) != len(names):
            return f"The function returned {len(value)} value{'s' * (len(value) != 1)}, expected {wanted}."
        return None

    def _remark(self, part: str, answer, want, found: Findings) -> None:
        """Notes on a right answer that cost nothing."""
        if not isinstance(want, np.ndarray):
            return
        if isinstance(answer, list | tuple):
            found.remarks[f"`{part}` is a {type(answer).__name__}; an array is expected. Accepted."] = None
        elif getattr(answer, "dtype", None) == np.float32 and want.dtype == np.float64:
            note = f"`{part}` came back as float32, though the inputs are float64. Accepted, but keep "
            found.remarks[note + "the dtype: a gradient check needs all the digits."] = None

    def _manners(self, outcomes, wanted, found: Findings) -> None:
        """Changed inputs and numerical warnings count against an answer like one more wrong part."""
        for case, got, want in zip(self.cases, outcomes, wanted, strict=True):
            for name in changed_arguments(self.exercise, case, got):
                found.special["inputs stay unchanged"] = (
                    f"The function changes its input `{name}`. Work on a copy: the caller still needs it. "
                    "(An in-place `+=` on an array that was passed in does this.)"
                )
            if got.warnings and not want.warnings and case.when not in found.special and not got.error:
                warned = got.warnings[0]
                found.special["no numerical warnings"] = f"NumPy warned: {warned.message}{_line(warned)}."

    # Follow-through -------------------------------------------------------------------------------

    def own_functions(self) -> dict:
        """The student's own earlier functions that this one may call, wrapped for observing."""
        names = getattr(self.function, "__globals__", {})
        own = {}
        for name in self.exercise.uses:
            helper = names.get(name)
            if helper is not None and helper is not self.exercise.reference.__globals__.get(name):
                own[name] = _observed(helper)
        return own

    def _follow_through(self, found: Findings) -> str:
        """Give back what is right given the student's own earlier functions; say where the fault is."""
        own = self.own_functions()
        if not found.wrong or not own:
            return ""
        rebound = self.exercise.twin(given=own)
        given = [self.exercise.outcome(rebound, case) for case in self.cases]
        name = " and ".join(f"`{helper}`" for helper in own)
        if all(outcome.error for outcome in given):
            return f"The reference's own loop stops in your {name} as well: mend that first."
        second = self.compare(self.outcomes, given)
        forgiven = [part for part in found.wrong if part not in second.wrong]
        if not forgiven:
            return ""
        found.special.clear()
        found.special.update(second.special)
        for part in forgiven:
            del found.wrong[part]
        return (
            f"Right given your {name}: the reference's own loop over your {name} gives the same numbers. "
            f"The fault is in {name}; see its own check."
        )

    # Verdicts -------------------------------------------------------------------------------------

    def _refusal(self, error: StudentError) -> tuple[str, str] | None:
        """Status and headline for a function that there is no point in calling again."""
        name = self.exercise.name
        if error.kind == "NotImplementedError":
            if error.function and error.function != name and error.function in self.exercise.uses:
                return "error", f"It calls `{error.function}`, which is not written yet. Write that first."
            return "not attempted", "Not written yet."
        if error.kind == "Arguments":
            return "error", f"`{name}` takes {error.message}, expected {self.exercise.signature}."
        if error.kind == "UndefinedInNotebook":
            return "not attempted", f"The notebook never defines `{name}`."
        return None

    def _full_marks(self, points: float, found: Findings) -> Verdict:
        headline = "Right, on inputs drawn just now."
        parts = tuple(Part(part, True) for part in found.parts)
        return Verdict(
            self.exercise.name,
            points,
            float(points),
            "right",
            headline,
            parts,
            remarks=tuple(found.remarks),
            seed=self.seed,
        )

    def _marked(self, points: float, found: Findings, blame: str, mistakes) -> Verdict:
        total = len(found.parts) + len(found.special)
        right = len(found.parts) - len(found.wrong)
        earned = round(points * right / total, 2)
        error = next((o.error for o in self.outcomes if o.error), None)
        if not found.wrong and not found.special:
            status, headline = "right", ""
        elif earned > 0:
            status, headline = "partly right", f"{right} of {total} parts are right."
        elif error:
            status, headline = "error", _error_sentence(error, self.exercise.name)
        else:
            status, headline = "wrong", "No part is right yet."
        parts = [
            Part(part, part not in found.wrong, found.wrong.get(part, "").removeprefix(f"{part} "))
            for part in found.parts
        ]
        parts = _fold(parts)
        if right == 0 and len(parts) == 1 and (error or not mistakes) and parts[0].says[:1].isupper():
            headline, parts = parts[0].says, []  # one sentence explains it all: say it once
        parts += [Part(when, False, says) for when, says in found.special.items()]
        remarks = [blame] if blame else []
        remarks += found.remarks
        if status in ("partly right", "wrong"):
            remarks.append(f"To see the same numbers again: `check({self.exercise.name}, seed={self.seed})`.")
        return Verdict(
            self.exercise.name,
            points,
            earned,
            status,
            headline,
            tuple(parts),
            tuple(mistakes),
            tuple(remarks),
            self.seed,
        )


def changed_arguments(exercise, case, outcome: Outcome) -> list[str]:
    """The names of the arguments that a call left different from how it found them."""
    names = exercise.signature.strip("()").split(", ")
    return [
        name
        for name, before, after in zip(names, case.args, outcome.args_after, strict=False)
        if after is not None and not agree(after, before, 1e-12)
    ]


class OwnFunctionFailed(Exception):
    """Raised inside the reference's loop where the student's own earlier function raised."""


def _observed(helper):
    """A student's function as one that returns plain values and raises only OwnFunctionFailed."""

    def call(*args):
        outcome = observe(helper, args)
        if outcome.error:
            raise OwnFunctionFailed(outcome.error.message)
        return outcome.value

    return call


def _fold(parts: list[Part]) -> list[Part]:
    """Parts that are wrong in the very same words said once."""
    folded: dict[str, list[str]] = {}
    for part in parts:
        if not part.right:
            folded.setdefault(part.says, []).append(part.name)
    seen, result = set(), []
    for part in parts:
        if part.right:
            result.append(part)
        elif part.says not in seen:
            seen.add(part.says)
            result.append(Part(", ".join(folded[part.says]), False, part.says))
    return result


def _article(name: str) -> str:
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"


def _line(where) -> str:
    """(line 3: `y = ...`), or nothing where the line is not known."""
    if not where.line_text:
        return f" (line {where.line_number})" if where.line_number else ""
    return f" (line {where.line_number}: `{where.line_text}`)"


def _error_sentence(error: StudentError, name: str) -> str:
    """An exception inside a student's function, in a sentence with their own line."""
    if error.kind == "Arguments":
        return f"It takes {error.message}."
    inside = f" in `{error.function}`" if error.function and error.function != name else ""
    message = f": {error.message}" if error.message else ""
    return f"{error.kind} was raised{inside}{_line(error)}{message}"
