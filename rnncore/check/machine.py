"""A slip that nobody listed, from our own side: one small edit of the reference gives the student's numbers.

A mistake in the bank is an edit that a person wrote down; here ``edits`` makes them. A version of the
reference that does what the student's function does in every case shows that there is one slip, of what
kind, and what it spoils: it finds what ``repair`` cannot, such as a line that is missing. In comes a
``Marking`` with its findings, out goes a ``Slip``, or None.
"""

import textwrap
from itertools import islice

from rnncore.check.edits import edits
from rnncore.check.packing import Slip
from rnncore.check.shares import is_idle
from rnncore.check.verdict import FOUND_BY_LINE

MOST, SLOW = 800, 100  # edits that are tried; the second where a call trains a model, say


def machine_slip(marking, found, same) -> Slip | None:
    """The slip of an answer that does what one small edit of the reference does, in every case.

    ``same(case, outcome, other)``: whether two outcomes of a case are the same to a student.
    """
    exercise = marking.exercise
    if is_idle(marking) or any(outcome.error for outcome in marking.outcomes) or not found.wrong:
        return None
    numbers = sorted(range(len(marking.cases)), key=lambda n: bool(marking.cases[n].when))
    slow = exercise.use is not None or any(case.more for case in marking.cases)
    for edit in islice(edits(textwrap.dedent(exercise.source)), SLOW if slow else MOST):
        twin = exercise.made(edit.source)
        if twin is not None and all(_does(marking, twin, n, same) for n in numbers):
            return _slip(found, edit)
    return None


def _does(marking, twin, number: int, same) -> bool:
    case = marking.cases[number]
    return same(case, marking.outcomes[number], marking.exercise.outcome(twin, case))


def _slip(found, edit) -> Slip:
    parts = [f"`{part}`" for part in found.wrong]
    shown = ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1]
    says = (
        f"One small slip explains all the numbers, and the rest is right: {shown} "
        f"{'comes' if len(parts) == 1 else 'come'} out as with a slip in the {edit.kind}. Look there."
    )
    return Slip(f"{FOUND_BY_LINE}none-{edit.kind.replace(' ', '-')}", says)
