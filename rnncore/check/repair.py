"""A slip that nobody listed, from the student's own side: one small edit after which everything is right.

``edits`` gives versions of the answer's own text in a fixed order; each is called once, in a process that
leaves nothing behind (``rnncore.versions``). One that is right in every case shows the line, and that the
rest is right. What to write there is never said. In comes a ``Marking``, out goes a ``Slip``, or None.
"""

from itertools import islice

from rnncore.check.compare import agree
from rnncore.check.edits import edits
from rnncore.check.marking import changed_arguments
from rnncore.check.packing import Slip
from rnncore.check.shares import is_idle
from rnncore.check.verdict import FOUND_BY_LINE
from rnncore.versions import run_versions, source_of

MOST, AT_ONCE = 600, 100  # versions that are tried: a number, not seconds


def repair_slip(marking) -> Slip | None:
    """The slip of an answer that one small edit of its own text makes right in every case."""
    if marking.exercise.use is not None or marking.exercise.view is not None or is_idle(marking):
        return None
    source, first = source_of(marking.function)
    trials = islice(edits(source), MOST) if source else ()
    # First a case in which the answer is wrong, which few versions get right.
    numbers = sorted(range(len(marking.cases)), key=lambda n: _right(marking, n, marking.outcomes[n]))
    while batch := list(islice(trials, AT_ONCE)):
        sources, first_call = [edit.source for edit in batch], [marking.cases[numbers[0]].args]
        outcomes = run_versions(marking.function, sources, first_call)
        for edit, outcome in zip(batch, outcomes, strict=False):
            if _right(marking, numbers[0], outcome) and _right_elsewhere(marking, edit, numbers[1:]):
                return _slip(edit, source, first)
        if not outcomes:
            return None
    return None


def _right_elsewhere(marking, edit, numbers) -> bool:
    outcomes = run_versions(marking.function, [edit.source], [marking.cases[n].args for n in numbers])
    return len(outcomes) == len(numbers) and all(map(_right, [marking] * len(numbers), numbers, outcomes))


def _right(marking, number: int, outcome) -> bool:
    case, want = marking.cases[number], marking.wanted[number]
    return (
        not outcome.error
        and not (outcome.warnings and not want.warnings)
        and agree(outcome.value, want.value, marking.exercise.tolerance)
        and not changed_arguments(marking.exercise, case, outcome)
    )


def _slip(edit, source: str, first: int) -> Slip:
    line = source.splitlines()[edit.line - 1].strip() if edit.line else ""
    says = f"Everything but line {first + edit.line - 1} is right, `{line[:100]}`: look at its {edit.kind}."
    return Slip(FOUND_BY_LINE + edit.kind.replace(" ", "-"), says)
