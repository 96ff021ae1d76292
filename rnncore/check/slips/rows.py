"""An answer that is right for one row alone: written for one vector, and asked for a whole batch.

An exercise says how an answer is put to use row by row (``Exercise.by_row``). Where nothing of the batch is
right and everything is, row by row, the answer does its work and lacks the batch. The rows' results are put
together by us and held against the right ones. In comes a ``Marking`` with its findings, out goes a ``Slip``,
or None.
"""

from dataclasses import replace

from rnncore.check.compare import agree
from rnncore.check.shares import is_idle
from rnncore.check.slips.packing import Slip

ROW_ONLY, COST = "one-row-only", 0.5
SAYS = (
    "Right for each one alone; asked for are all at once, in one array. Which axis stands first then, and "
    "what does each line do with it?"
)


def row_slip(marking, found) -> Slip | None:
    """The slip of an answer of which nothing is right for a batch, and everything row by row."""
    if marking.exercise.by_row is None or found.wrong.keys() != found.parts.keys() or is_idle(marking):
        return None
    return Slip(ROW_ONLY, SAYS, COST) if is_right_by_row(marking, marking.function) else None


def is_right_by_row(marking, function) -> bool:
    """Whether a function is right row by row in the ordinary cases; where they are slow, in the first."""
    exercise = replace(marking.exercise, use=marking.exercise.by_row)
    ordinary = [number for number, case in enumerate(marking.cases) if not case.when]
    return all(
        _agree(exercise, exercise.outcome(function, marking.cases[number]), marking.wanted[number])
        for number in ordinary[: 1 if marking.exercise.slow else None]
    )


def _agree(exercise, outcome, want) -> bool:
    if outcome.error or outcome.unviewed:
        return False
    return agree(outcome.value, want.value, exercise.tolerance)
