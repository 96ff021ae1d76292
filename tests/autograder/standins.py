"""Stand-ins for the grader, in a module of their own because worker processes import it."""

import contextlib
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import nbformat

from autograder.classroom.worker import MEMORY
from autograder.intake.contents.rescue import rescue, untouched
from autograder.judging.graded import CellScore, GradedNotebook
from autograder.judging.status import Status
from autograder.judging.submission import no_marks, told
from tests.autograder.waiting import FOR_EVER, wait_until, wait_until_looked_at


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


def check_fails(task):
    """Like half_marks, but the check of ``triple`` fails, which is our fault."""
    graded = half_marks(task)
    graded.scores["triple-check"] = CellScore(0.0, 2, failed="KeyError: 'ours'")
    cell = next(own for own in graded.notebook.cells if own.id == "triple-check")
    cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "0"})]
    graded.notebook.metadata["unrolled"]["graded"] = told(graded, task.spec)
    return graded


def starts(log):
    """(process, student) for every time that a stand-in began, in order, as they wrote it to this file."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(int(line.split()[0]), line.split()[1]) for line in lines]


def _note_start(task):
    """Write down who is graded where, for a test that cannot look into its workers; returns ``starts``."""
    log = Path(os.environ["STANDIN_LOG"])
    with open(log, "a") as file:
        file.write(f"{os.getpid()} {task.submission.student}\n")
    return starts(log)


def dies_for_mallory(task):
    """Like half_marks, but one submission ends its worker while a neighbour is in the middle of its own."""
    _note_start(task)
    log = Path(os.environ["STANDIN_LOG"])
    if task.submission.student == "Mallory":
        wait_until(lambda: "Cem" in [student for _, student in starts(log)])
        os._exit(3)
    if task.submission.student == "Cem":
        wait_until(lambda: "Mallory" in [student for _, student in starts(log)])
    return half_marks(task)


def hangs_for_mallory(task):
    """Like half_marks, but one submission is never done."""
    _note_start(task)
    if task.submission.student == "Mallory":
        time.sleep(FOR_EVER)
    return half_marks(task)


def doomed_by_its_second(task):
    """Like half_marks, but a worker that says it is DOOMED is killed with its second notebook.

    All others wait until it has come to that; they know it by the number of its process.
    """
    _note_start(task)
    log, doomed = Path(os.environ["STANDIN_LOG"]), os.environ["STANDIN_DOOMED"]
    number = os.getpid() if doomed == "DOOMED" else int(doomed)

    def has_two():
        return [pid for pid, _ in starts(log)].count(number) >= 2

    if doomed != "DOOMED":
        wait_until(has_two)
    elif has_two():
        time.sleep(FOR_EVER)
    return half_marks(task)


def kills_worker_for_mallory(task):
    """Like half_marks, but one submission kills its worker, whichever it is."""
    _note_start(task)
    if task.submission.student == "Mallory":
        os.kill(os.getpid(), signal.SIGKILL)
    return half_marks(task)


def hoards_for_mallory(task):
    """Like half_marks, but one submission takes more memory than a worker may hold."""
    _note_start(task)
    if task.submission.student == "Mallory":
        bytes(2 * MEMORY)
    return half_marks(task)


def aborts_for_mallory(task):
    """The same, in a library that ends its process where it gets no memory."""
    _note_start(task)
    if task.submission.student == "Mallory":
        abort_when_full()
    return half_marks(task)


def abort_when_full():
    """What a library does that ends its process where there is no memory, as zmq does."""
    kept = []
    with contextlib.suppress(MemoryError):
        while True:
            kept.append(bytearray(2**20))
    del kept[-64:]  # to wait takes a little, too
    wait_until_looked_at()
    os.abort()


def short_of_time_with_others(task):
    """Like half_marks, but whoever is not alone runs out of time; a time to be graded in again says so."""
    began = [student for _, student in _note_start(task)]
    result = half_marks(task)
    if began.count(task.submission.student) == 1:
        return replace(result, status=Status.TIME_LIMIT, starved=True)
    return result


def start_a_thread():
    """What some packages do when they are imported."""
    threading.Thread(target=time.sleep, args=[FOR_EVER], daemon=True).start()
