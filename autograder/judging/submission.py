"""Grade one submission: from a student's file to a graded notebook that is safe to show.

``grade_task`` is what every worker runs, whoever sent the task; nbgrader's own commands come in at
``grade_rescued``. Plain data in and out: no workspace, no database, nothing kept.
"""

import contextlib
from dataclasses import dataclass, replace
from importlib import import_module

import nbformat

from autograder.intake.contents.reading import Unreadable
from autograder.intake.contents.rescue import rescue, untouched
from autograder.intake.plain import plain
from autograder.intake.submissions import Submission
from autograder.judging.graded import OVER_MEMORY, CellScore, GradedNotebook
from autograder.judging.sanitise import sanitise
from autograder.judging.status import Status
from autograder.sandbox.box import Limits
from autograder.sandbox.nursery import modules_of

MOST_REMARK, MOST_REMARKS = 800, 60


@dataclass(frozen=True)
class Task:
    """All that a worker needs to grade one submission, as plain data."""

    submission: Submission
    spec: object
    limits: object
    secret: bytes
    sandbox: bool
    warm: bool = True


def prepare(needs):
    """Import all that grading will ask for, of a lesson that ``needs`` these packages."""
    import_module("autograder.judging.notebook")  # not needed by whoever only sends tasks, nor is the next
    import_module("rnncore.exercises").by_name()
    for name in modules_of(needs):
        with contextlib.suppress(ImportError):  # the task that needs it will say so
            import_module(name)


def grade_task(task):
    """Grade one submission in a worker process; returns a GradedNotebook, cleaned for browsers."""
    submission = task.submission
    options = {
        "student": submission.student,
        "secret": task.secret,
        "limits": task.limits,
        "sandbox": task.sandbox,
        "warm": task.warm,
    }
    remarks = list(submission.remarks)
    if submission.ours:
        return fault_of_ours(task.spec, submission.problem)
    try:
        if submission.raw is None:
            raise Unreadable(submission.problem)
        rescued = rescue(submission.raw, task.spec)
    except Unreadable as error:
        return grade_rescued(
            untouched(task.spec), task.spec, remarks=remarks, unreadable=str(error), **options
        )
    return grade_rescued(rescued.notebook, task.spec, remarks=remarks + rescued.remarks, **options)


def grade_rescued(
    notebook,
    spec,
    *,
    student,
    secret,
    limits=None,
    sandbox=True,
    warm=True,
    remarks=(),
    unreadable=None,
):
    """Grade a rescued notebook, put the remarks together, and clean the result for browsers."""
    from autograder.judging.notebook import grade_notebook  # not needed by whoever only sends tasks

    if unreadable:
        graded = no_marks(notebook, spec, Status.UNREADABLE, unreadable)
    else:
        graded = grade_notebook(
            notebook, spec, limits or Limits(), student=student, secret=secret, sandbox=sandbox, warm=warm
        )
    graded = replace(graded, remarks=remarks_of([*remarks, *graded.remarks]))
    sanitise(graded.notebook, spec)
    graded.notebook.metadata["unrolled"]["graded"] = nbformat.from_dict(told(graded, spec))
    return graded


def told(graded, spec):
    """What a feedback page says in words, as plain data; it travels in the graded notebook's metadata."""
    released = {cell.grade_id: cell.source for cell in spec.cells}
    return {
        "status": str(graded.status),
        "remarks": list(graded.remarks),
        "theirs": [cell.id for cell in graded.notebook.cells if released.get(cell.id) != cell.source],
        "checks": {name: _in_short(score.verdict) for name, score in graded.scores.items() if score.verdict},
        "failed": [name for name, score in graded.scores.items() if score.failed],
    }


def _in_short(verdict):
    return {
        "status": verdict["status"],
        "headline": verdict["headline"],
        "mistakes": [dict(mistake) for mistake in verdict["mistakes"]],
        "right": [part["name"] for part in verdict["parts"] if part["right"]],
    }


def remarks_of(remarks):
    """Remarks as they go to people: each a line, and no more of them than anybody reads."""
    said = [plain(remark, MOST_REMARK) for remark in remarks]
    more = len(said) - MOST_REMARKS
    return [*said[:MOST_REMARKS], f"{more} more remarks were left out."] if more > 0 else said


def no_marks(notebook, spec, status, remark):
    """The result of a submission in which there was nothing to grade: a zero for every exercise."""
    scores = {}
    for cell in notebook.cells:
        own = next((own for own in spec.cells if own.grade_id == cell.id and own.kind == "test"), None)
        if own:
            cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "0"})]
            scores[own.grade_id] = CellScore(0.0, own.points, None, None)
    return GradedNotebook(notebook, scores, status, [remark], 0.0, {})


def fault_of_ours(spec, remark):
    """The result of a submission that could not be graded, through no fault of its student: no scores."""
    return GradedNotebook(untouched(spec), {}, Status.INFRASTRUCTURE_FAULT, remarks_of([remark]), 0.0, {})


def over_memory(spec):
    """The result of a submission that takes more memory to grade, by itself, than a worker may use."""
    return no_marks(untouched(spec), spec, Status.MEMORY_LIMIT, OVER_MEMORY)
