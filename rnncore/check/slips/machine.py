"""A slip that nobody listed, from our own side: one small edit of the reference gives the student's numbers.

A mistake in the bank is an edit that a person wrote down; here ``edits`` makes them. A version of the
reference that does what the student's function does in every case shows that there is one slip, of what
kind, and what it spoils: it finds what ``repair`` cannot, such as a line that is missing. In comes a
``Marking`` with its findings, out goes a ``Slip``, or None.
"""

import ast
import textwrap
from itertools import islice

from rnncore.check.shares import is_idle
from rnncore.check.slips.edits import edits
from rnncore.check.slips.packing import Slip
from rnncore.check.verdict import FOUND_BY_LINE
from rnncore.observe import as_numbers

LESS = 4  # characters: what takes more out of the reference proves nothing about the rest
MOST, AT_ONCE = 500, 100  # edits that are tried, a number, not seconds
SLOW, AT_ONCE_SLOW = 60, 20  # the same where a call trains a model, say


def machine_slip(marking, found, same) -> tuple[Slip, bool] | None:
    """The slip of an answer that does what one small edit of the reference does, in every case.

    And whether that proves the rest: where the edit leaves something out, an answer that never did
    the work may do the same.

    ``same(case, outcome, other)``: whether two outcomes of a case are the same to a student.
    """
    exercise = marking.exercise
    if not found.wrong or not _has_the_form(marking) or is_idle(marking):
        return None
    numbers = sorted(range(len(marking.cases)), key=lambda n: bool(marking.cases[n].when))
    whole = len(ast.unparse(ast.parse(textwrap.dedent(exercise.source))))
    most, at_once = (SLOW, AT_ONCE_SLOW) if exercise.slow else (MOST, AT_ONCE)
    trials = islice(edits(textwrap.dedent(exercise.source)), most)
    while batch := list(islice(trials, at_once)):
        sources = [edit.source for edit in batch]
        alike = _alike(marking, sources, numbers[:1], same)
        for edit, does in zip(batch, alike, strict=False):
            if does and _alike(marking, [edit.source], numbers[1:], same) == [True]:
                return _slip(found, edit), len(edit.source) >= whole - LESS
    return None


def _has_the_form(marking) -> bool:
    """Whether all parts of the first outcome have the shapes asked for: most edits change numbers."""
    case, got, want = marking.cases[0], marking.outcomes[0], marking.wanted[0]
    if any(outcome.error for outcome in marking.outcomes) or marking.whole_fault(case, got.value):
        return False
    right, answers = marking.split(case, want.value), marking.split(case, got.value, like=want.value)
    return all(_shape(answers[part]) == _shape(value) for part, value in right.items())


def _shape(value):
    numbers = as_numbers(value)
    return type(value) if numbers is None else numbers.shape


def _alike(marking, sources: list[str], numbers: list[int], same) -> list[bool]:
    """Which versions of the reference do in these cases what the student's function did there.

    They run in a process of their own: an edit of a loop may never end, or grow.
    """
    cases, ours = [marking.cases[n] for n in numbers], [marking.outcomes[n] for n in numbers]
    does = marking.exercise.versions(marking.exercise.reference, sources, cases)
    return [all(map(same, cases, ours, outcomes)) for outcomes in does]


def _slip(found, edit) -> Slip:
    parts = [f"`{part}`" for part in found.wrong]
    shown = ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1]
    says = (
        f"One small slip explains all the numbers, and the rest is right: {shown} "
        f"{'comes' if len(parts) == 1 else 'come'} out as with a slip in the {edit.kind}. Look there."
    )
    return Slip(f"{FOUND_BY_LINE}none-{edit.kind.replace(' ', '-')}", says)
