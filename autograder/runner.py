"""A class of submissions to one lesson: found, graded in parallel, written by one writer.

The runner knows only ``concurrent.futures.Executor``; on one machine that is a pool of processes,
started afresh (spawn) with one notebook a task, and on many it is ``cluster``'s. Every submission ends
with a row and a status. A fault of ours, such as a worker that died, is tried again and never charged. A
submission that has not changed is skipped, and since its result is written last, a run that was stopped
at any moment goes on where it was.
"""

import os
import signal
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from multiprocessing import get_context

import nbformat

from autograder.course import CourseError, write_atomically
from autograder.reading import Unreadable
from autograder.rescue import rescue, untouched
from autograder.results import grader_version, read_results, write_result
from autograder.sanitise import sanitise
from autograder.status import Status
from autograder.submissions import Submission, find_submissions
from autograder.view import NoSandbox

ATTEMPTS = 3
MOST_WORKERS_LOST = 2  # by one submission that was alone on each of them
PATIENCE = 120  # seconds beyond a notebook's own time in which a worker must answer


class WorkerLost(Exception):
    """A worker went away while it had this task, and this task only."""


# One submission


@dataclass(frozen=True)
class Task:
    """All that a worker needs to grade one submission, as plain data."""

    submission: Submission
    spec: object
    limits: object
    secret: bytes
    sandbox: bool
    warm: bool = True


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
    from autograder.grade import grade_notebook
    from autograder.sandbox import Limits

    if unreadable:
        graded = no_marks(notebook, spec, Status.UNREADABLE, unreadable)
    else:
        graded = grade_notebook(
            notebook, spec, limits or Limits(), student=student, secret=secret, sandbox=sandbox, warm=warm
        )
    sanitise(graded.notebook, spec)
    return replace(graded, remarks=[*remarks, *graded.remarks])


def no_marks(notebook, spec, status, remark):
    """The result of a submission in which there was nothing to grade: a zero for every exercise."""
    from autograder.grade import CellScore, GradedNotebook

    scores = {}
    for cell in notebook.cells:
        own = next((own for own in spec.cells if own.grade_id == cell.id and own.kind == "test"), None)
        if own:
            cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "0"})]
            scores[own.grade_id] = CellScore(0.0, own.points, None, None)
    return GradedNotebook(notebook, scores, status, [remark], 0.0, {})


# The run


def run(
    workspace,
    lesson,
    spec,
    *,
    limits=None,
    workers=2,
    force=False,
    sandbox=True,
    warm=True,
    only=None,
    executor=None,
    grade=grade_task,
    on_start=None,
    on_result=None,
):
    """Grade every submission to the lesson; returns {student: result} and the students skipped.

    ``executor`` makes an Executor from a number of workers, as ``process_pool`` does, and sees to it that
    they have a sandbox. ``warm``: whether a worker forks its kernels from a process that has imported
    everything, which takes longer than starting one and is worth it from the second. ``on_start(total)``
    and ``on_result(result)`` follow the progress.
    """
    from autograder import gradebook
    from autograder.sandbox import Limits, Sandbox

    limits = limits or Limits()
    submissions = find_submissions(workspace, lesson)
    if only is not None:
        submissions = [submission for submission in submissions if submission.student in only]
    if sandbox and grade is grade_task and executor is None:
        Sandbox(spec.hides, spec.needs, limits)  # without a working sandbox nothing is started at all
    with gradebook.sole_writer(workspace):
        gradebook.register(workspace, spec)
        rows = gradebook.standings(workspace, spec)
        results, skipped, todo = read_results(workspace, spec), [], []
        for submission in submissions:
            hashes = _hashes(submission, spec, limits, sandbox)
            old = results.get(submission.student, {})
            current = (
                old.get("hashes") == hashes
                and old.get("status") != Status.INFRASTRUCTURE_FAULT
                and submission.student in rows
                and _autograded_path(workspace, spec, submission.student).is_file()
            )
            (skipped if current and not force else todo).append(submission)
        if on_start:
            on_start(len(todo))
        warm = warm and len(todo) > workers
        tasks = [Task(submission, spec, limits, workspace.secret(), sandbox, warm) for submission in todo]
        patience = limits.notebook_seconds + PATIENCE
        for task, graded in _graded(tasks, grade, executor or process_pool, max(1, workers), patience):
            student = task.submission.student
            _write(workspace, spec, task.submission, graded)
            hashes = _hashes(task.submission, spec, limits, sandbox)
            results[student] = write_result(workspace, spec, student, graded, hashes)
            if on_result:
                on_result(results[student])
    names = {submission.student for submission in submissions}
    graded = {student: results[student] for student in sorted(names)}
    return graded, [submission.student for submission in skipped]


def _ignore_interrupts():
    # Ctrl-C is for the process that writes; it ends its workers itself, without their tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def process_pool(workers):
    """A pool of fresh processes, in which numerical libraries use one thread each."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # inherited by the workers
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_ignore_interrupts)


def _graded(tasks, grade, executor, workers, patience):
    """Yield (task, result) as they come. What a dying worker took with it is tried again, then alone."""
    waiting, given_up = list(tasks), []
    faults, tries, lost = {}, Counter(), Counter()

    def failed(task, fault):
        if isinstance(fault, CourseError | NoSandbox):
            raise fault  # nothing can be graded, this or any other
        student = task.submission.student
        faults[student] = fault
        tries[student] += 1
        lost[student] += isinstance(fault, WorkerLost)
        (waiting if lost[student] < MOST_WORKERS_LOST else given_up).append(task)

    for attempt in range(ATTEMPTS):
        # The last attempt is made one by one, so that a task that kills its worker harms no other.
        groups = [waiting] if attempt < ATTEMPTS - 1 else [[task] for task in waiting]
        waiting = []
        for group in groups:
            if not group:
                continue
            pool = executor(min(workers, len(group)))
            try:
                futures = {}
                for task in group:
                    try:
                        futures[pool.submit(grade, task)] = task
                    except (BrokenExecutor, RuntimeError) as error:
                        failed(task, error)
                pending = set(futures)
                while pending:
                    done, pending = wait(pending, patience, return_when=FIRST_COMPLETED)
                    if not done:
                        _end_workers(pool)  # stuck: their tasks now fail, and are tried again
                    for future in done:
                        task = futures[future]
                        error = future.exception()
                        if error is None and future.result().status != Status.INFRASTRUCTURE_FAULT:
                            yield task, future.result()
                        else:
                            failed(task, error or future.result())
            except BaseException:
                _end_workers(pool)
                raise
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    for task in (*waiting, *given_up):
        student = task.submission.student
        fault = faults[student]
        if isinstance(fault, BaseException):
            from autograder.grade import GradedNotebook

            times = f"{tries[student]} time{'s' * (tries[student] != 1)}"
            said = f"The grader failed {times} ({type(fault).__name__}: {fault}); nothing was charged."
            fault = GradedNotebook(untouched(task.spec), {}, Status.INFRASTRUCTURE_FAULT, [said], 0.0, {})
        yield task, fault


def _end_workers(pool):
    """Kill a process pool's workers (from Python 3.14 on a public method does); give up a cluster's."""
    if hasattr(pool, "end_workers"):
        pool.end_workers()
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.kill()


def _write(workspace, spec, submission, graded):
    """The autograded notebook and the gradebook's row; the result follows, so that it vouches for both."""
    from autograder import gradebook

    if graded.status == Status.INFRASTRUCTURE_FAULT:
        gradebook.record(workspace, spec, submission.student, None, submission.timestamp)
        return
    path = _autograded_path(workspace, spec, submission.student)
    write_atomically(path, nbformat.writes(graded.notebook))
    if submission.timestamp:
        write_atomically(path.with_name("timestamp.txt"), f"{submission.timestamp} UTC\n")
    gradebook.record(workspace, spec, submission.student, graded.notebook, submission.timestamp)


def _autograded_path(workspace, spec, student):
    return workspace.autograded / student / spec.assignment / f"{spec.notebook}.ipynb"


def _hashes(submission, spec, limits, sandbox):
    return {
        "submission": submission.hash,
        "received": str(submission.timestamp),  # lateness is part of a grade
        "release": spec.release_hash,
        "grader": grader_version(),
        "limits": repr(limits),
        "sandbox": sandbox,
    }
