"""Stand-ins for the grader, in a module of their own because worker processes import it."""

import os
import signal
import time

import nbformat

from autograder.intake.rescue import rescue, untouched
from autograder.judging.graded import CellScore, GradedNotebook
from autograder.judging.status import Status
from autograder.judging.submission import no_marks


def half_marks(task):
    """A stand-in for the grader: half of each exercise's points to whoever handed in a notebook."""
    if task.submission.raw is None:
        notebook = untouched(task.spec)
        return no_marks(notebook, task.spec, Status.UNREADABLE, task.submission.problem)
    notebook = rescue(task.submission.raw, task.spec).notebook
    scores = {}
    for cell in task.spec.cells:
        if cell.kind == "test":
            scores[cell.grade_id] = CellScore(cell.points / 2, cell.points, None, 7)
            output = nbformat.v4.new_output("execute_result", {"text/plain": f"{cell.points / 2:g}"})
            next(own for own in notebook.cells if own.id == cell.grade_id).outputs = [output]
    return GradedNotebook(notebook, scores, Status.GRADED, [], 0.1, {"by": "stand-in"})


def dies_for_mallory(task):
    """Like half_marks, but one submission takes its worker with it."""
    if task.submission.student == "Mallory":
        os._exit(3)
    time.sleep(0.05)
    return half_marks(task)


def hangs_for_mallory(task):
    """Like half_marks, but one submission is never done."""
    if task.submission.student == "Mallory":
        time.sleep(600)
    return half_marks(task)


def _note_start(task):
    """Write down who is graded where, for a test that cannot look into its workers."""
    with open(os.environ["STANDIN_LOG"], "a") as log:
        log.write(f"{os.getpid()} {task.submission.student}\n")


def takes_a_moment(task):
    """Like half_marks, but there is time to kill the worker."""
    _note_start(task)
    time.sleep(0.6)
    return half_marks(task)


def kills_worker_for_mallory(task):
    """Like half_marks, but one submission kills its worker, whichever it is."""
    _note_start(task)
    if task.submission.student == "Mallory":
        os.kill(os.getpid(), signal.SIGKILL)
    return half_marks(task)
