"""A slip that nobody listed, from the student's own side: one small edit after which everything is right.

``edits`` gives versions of the answer's own text in a fixed order; each is called once, in a process that
leaves nothing behind (``rnncore.versions``). One that is right in every case shows the line, and that the
rest is right. Where none is, those that make a part right that was wrong are edited once more: two slips.
What to write there is never said. In comes a ``Marking``, out goes a ``Slip``, or None.
"""

import ast
import textwrap
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from rnncore.check.compare import agree
from rnncore.check.marking import changed_arguments
from rnncore.check.shares import is_idle
from rnncore.check.slips.beneath import Version
from rnncore.check.slips.edits import Edit, edits, last_line
from rnncore.check.slips.expressions import KEYWORDS
from rnncore.check.slips.packing import PACKED, Slip
from rnncore.check.slips.spelling import words_of
from rnncore.check.slips.statements import NOT_RETURNED, PRINTED
from rnncore.check.slips.undo import undone
from rnncore.check.verdict import FOUND_BY_LINE
from rnncore.versions import source_of

MOST, FIRST = 1000, 100  # versions that are tried, and how many at once at first: a number, not seconds
SLOW, FIRST_SLOW = 160, 20  # the same where a call trains a model, say, or a case has many calls
ENOUGH = 0.5  # of the right text: who gives zeros, and has written less than that, has made no slip
EARNS_A_TENTH = (
    "As it is, it returns what an answer without any work returns, and that earns a tenth at most."
)
BEGINNINGS = 2  # of versions that make more parts right: so many are edited once more


def repair_slips(marking, ran: list | None = None) -> tuple[Slip, ...]:
    """The slip of an answer that one small edit of its own text makes right in every case, or the two.

    ``ran``: where the answer stops with an error, the edits that run are put in here, with what they do.
    """
    source, first = source_of(marking.function)
    idle = is_idle(marking)
    if not source or (idle and _size(source) < ENOUGH * _size(textwrap.dedent(marking.exercise.source))):
        return ()
    repair = _Repair(marking, source, first, ran)
    return repair.slip_of_zeros() if idle else repair.slips()


def _size(source: str) -> int:
    """How much of a text is code: the nodes of its tree; 0 where it cannot be read."""
    try:
        return sum(1 for _ in ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):
        return 0


def turned_back(marking, mistake) -> str | None:
    """Where an answer is right in every case once a listed mistake is taken back in its own text.

    The line in words, or nothing where several must change; None where it is not right.
    """
    source, first = source_of(marking.function)
    if not source:
        return None
    repair = _Repair(marking, source, first)
    found = repair.right_one(undone(source, marking.exercise, mistake))
    return found and repair.place(found)


class _Repair:
    def __init__(self, marking, source: str, first: int, ran: list | None = None):
        self.marking, self.exercise, self.source, self.first = marking, marking.exercise, source, first
        self.ran = ran if marking.outcomes[0].error else None
        # First a case in which the answer is wrong, which few versions get right.
        numbers = range(len(marking.cases))
        self.numbers = sorted(numbers, key=lambda n: self._right(n, marking.outcomes[n]))
        self.most, self.first_few = (SLOW, FIRST_SLOW) if self.exercise.slow else (MOST, FIRST)
        self.after_one = self.most // 3
        self.best = self._right_parts(marking.outcomes[self.numbers[0]])

    def slips(self) -> tuple[Slip, ...]:
        """One edit, or else two; what they are called."""
        better: list[Edit] = []
        trials = self._before_the_error(edits(self.source, words=self._words))
        found = self.right_one(islice(trials, self.most), better)
        if found:
            return (self._one(found),)
        if isinstance(self.marking.function, Version):
            return ()  # with what was put right already that would be three
        for first in better[:BEGINNINGS]:
            found = self.right_one(islice(edits(self.source, first, self._words), self.after_one))
            if found and first.line == found.line:
                return (self._one(found),)
            if found:
                return self._two(first, found)
        return ()

    def slip_of_zeros(self) -> tuple[Slip, ...]:
        """One edit of an answer that gives what no work gives: named, and said why it earns no more."""
        found = self.right_one(islice(edits(self.source, words=self._words), self.after_one))
        slips = [self._one(found)] if found else []
        return tuple(replace(slip, says=f"{slip.says} {EARNS_A_TENTH}") for slip in slips)

    @property
    def _words(self) -> list[str]:
        return words_of(ast.parse(textwrap.dedent(self.exercise.source)))

    def _before_the_error(self, trials: Iterable[Edit]) -> Iterable[Edit]:
        """The edits that can matter: what stands behind an error, in no loop with it, was not run."""
        error = self.marking.outcomes[self.numbers[0]].error
        own = error and error.line_number and error.function in ("", self.exercise.name)
        last = last_line(self.source, error.line_number - self.first + 1) if own else 0
        return (edit for edit in trials if not last or edit.line <= last)

    def right_one(self, trials: Iterable[Edit], better: list | None = None) -> Edit | None:
        """The first edit of a text that is right in every case; what comes nearer is put into ``better``."""
        trials, number, scores, at_once = iter(trials), self.numbers[0], [], self.first_few
        while batch := list(islice(trials, at_once)):
            if not self.exercise.many_calls:  # or what a batch returns may be more than the grader takes
                at_once = 2 * self.first_few  # the likely ones came first, and each batch costs a process
            does = self._outcomes([edit.source for edit in batch], [number])
            for edit, (outcome,) in zip(batch, does, strict=False):
                if self._right(number, outcome) and self._right_elsewhere(edit):
                    return edit
                parts = set() if better is None else self._right_parts(outcome)
                if parts > self.best:
                    scores.append((-len(parts), len(scores), edit))
                if better is not None and self.ran is not None and not outcome.error:
                    self.ran.append((edit, outcome))
            if not does:
                return None
        if better is not None:
            better += [edit for _, _, edit in sorted(scores, key=lambda score: score[:2])]
        return None

    def _outcomes(self, sources: list[str], numbers: list[int]) -> list:
        """What versions do with each of these cases, as the exercise views it."""
        cases = [self.marking.cases[number] for number in numbers]
        return self.exercise.versions(self.marking.function, sources, cases)

    def _right_elsewhere(self, edit: Edit) -> bool:
        does = self._outcomes([edit.source], self.numbers[1:])
        return bool(does) and all(map(self._right, self.numbers[1:], does[0]))

    def _right(self, number: int, outcome) -> bool:
        case, want = self.marking.cases[number], self.marking.wanted[number]
        return (
            not outcome.error
            and not outcome.unviewed
            and not (outcome.warnings and not want.warnings)
            and agree(outcome.value, want.value, self.exercise.tolerance)
            and not changed_arguments(self.exercise, case, outcome)
        )

    def _right_parts(self, outcome) -> set[str]:
        """The parts that an outcome of the first case has right, where there are any to tell apart."""
        case, want = (each[self.numbers[0]] for each in (self.marking.cases, self.marking.wanted))
        if outcome.error or outcome.unviewed or self.marking.whole_fault(case, outcome.value):
            return set()
        right = self.marking.split(case, want.value)
        got = self.marking.split(case, outcome.value, like=want.value)
        return {part for part in right if agree(got[part], right[part], self.exercise.tolerance)}

    def _one(self, edit: Edit) -> Slip:
        if edit.kind == PRINTED:
            return Slip(
                "printed-not-returned", "The numbers are right, but they are printed. Return them.", PACKED
            )
        if edit.kind == NOT_RETURNED:
            return Slip("not-returned", "What the last line makes is right, but nothing is returned.", PACKED)
        text = self._text(edit)
        shown = f"line {self._line(edit)} is right, `{text}`" if text else "the same line is right"
        return Slip(self._id(edit), f"{self._all} but {shown}: look at its {edit.kind}.")

    def _two(self, *both: Edit) -> tuple[Slip, ...]:
        first, second = sorted(both, key=lambda edit: edit.line)
        return (
            Slip(
                self._id(first),
                f"{self._all} but lines {self._line(first)} and {self._line(second)} is right. "
                f"Line {self._line(first)}, `{self._text(first)}`: look at its {first.kind}.",
            ),
            Slip(
                self._id(second),
                f"Line {self._line(second)}, `{self._text(second)}`: look at its {second.kind}.",
                0.0 if first.kind == second.kind == KEYWORDS else None,  # a dtype, say, twice: one habit
            ),
        )

    def place(self, edit: Edit) -> str:
        """The one line that an edit changes, in words; nothing where there are several."""
        return f"line {self._line(edit)}, `{self._text(edit)}`" if edit.line else ""

    def _id(self, edit: Edit) -> str:
        return FOUND_BY_LINE + edit.kind.replace(" ", "-")

    @property
    def _all(self) -> str:
        return (
            "With that put right, everything" if isinstance(self.marking.function, Version) else "Everything"
        )

    def _line(self, edit: Edit) -> int:
        if isinstance(self.marking.function, Version):
            return self.marking.function.own_line(self._whole_line(edit))
        return self.first + edit.line - 1

    def _text(self, edit: Edit) -> str:
        """The line's own text; nothing where we put right what stands there."""
        return self._whole_line(edit).strip()[:100].rstrip(":") if self._line(edit) else ""

    def _whole_line(self, edit: Edit) -> str:
        return self.source.splitlines()[edit.line - 1] if edit.line else ""
