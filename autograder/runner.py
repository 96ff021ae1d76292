"""A class of submissions to one lesson: found, graded in parallel, written by one writer.

The runner knows only ``concurrent.futures.Executor``; on one machine that is a pool of processes,
started afresh (spawn) with one notebook a task, and on many it is ``cluster``'s. Every submission ends
with a row and a status. A fault of ours, such as a worker that died, is tried again and never charged. A
submission that has not changed is skipped, and since its result is written last, a run that was stopped
at any moment goes on where it was.
"""

import contextlib
import os
import signal
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from multiprocessing import get_context

import nbformat

from autograder.course import CourseError, write_atomically
from autograder.reading import Unreadable
from autograder.rescue import rescue, untouched
from autograder.results import changed_answers, grader_version, read_results, write_result
from autograder.sanitise import sanitise
from autograder.status import Status
from autograder.submissions import Submission, read_regular, read_submission, students_folders
from autograder.view import NoSandbox

ATTEMPTS = 3
MOST_WORKERS_LOST = 2  # by one submission that was alone on each of them
LEAST_AHEAD, AHEAD = 32, 4  # notebooks sent before one is back: at least, and for each worker
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
    from autograder.nbgrader_config import instructors_config, limits_of
    from autograder.sandbox import Sandbox

    config = instructors_config(workspace)
    limits = limits or limits_of(config)
    folders = students_folders(workspace, lesson)
    if only is not None:
        folders = [folder for folder in folders if folder.name in only]
    if sandbox and grade is grade_task and executor is None:
        Sandbox(spec.hides, spec.needs, limits)  # without a working sandbox nothing is started at all
    with gradebook.sole_writer(workspace):
        gradebook.register(workspace, spec)
        rows = gradebook.standings(workspace, spec)
        results, skipped, todo = read_results(workspace, spec), [], []
        for folder in folders:
            submission = read_submission(folder, lesson)
            hashes = _hashes(submission, spec, limits, sandbox)
            old = results.get(submission.student, {})
            current = (
                old.get("hashes") == hashes
                and old.get("status") != Status.INFRASTRUCTURE_FAULT
                and submission.student in rows
                and _autograded_path(workspace, spec, submission.student).is_file()
            )
            (skipped if current and not force else todo).append(folder)
        if on_start:
            on_start(len(todo))
        warm = warm and len(todo) > workers
        secret, patience = workspace.secret(), limits.notebook_seconds + PATIENCE

        def task_of(folder):
            return Task(read_submission(folder, lesson), spec, limits, secret, sandbox, warm)

        for sent, graded in _graded(
            todo, task_of, grade, executor or process_pool, max(1, workers), patience
        ):
            changed = changed_answers(results.get(sent.student, {}), graded, spec)
            _write(workspace, spec, sent.student, sent.timestamp, graded, config, changed)
            results[sent.student] = write_result(workspace, spec, sent.student, graded, sent.hashes)
            if on_result:
                on_result(results[sent.student])
        gradebook.penalise_late(workspace, spec, {folder.name for folder in skipped}, config)
    graded = {student: results[student] for student in sorted(folder.name for folder in folders)}
    return graded, [folder.name for folder in skipped]


def _ignore_interrupts():
    # Ctrl-C is for the process that writes; it ends its workers itself, without their tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def process_pool(workers):
    """A pool of fresh processes, in which numerical libraries use one thread each."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # inherited by the workers
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_ignore_interrupts)


@dataclass(frozen=True)
class _Sent:
    """What is remembered of a task that was sent to a worker: all but the notebook."""

    student: str
    timestamp: object
    hashes: dict


def _graded(folders, task_of, grade, executor, workers, patience):
    """Yield (_Sent, result) as they come. What a dying worker took with it is tried again, then alone.

    Only a few notebooks are in memory at a time, however large the class is.
    """
    waiting, given_up, sent = list(folders), [], {}
    faults, tries, lost = {}, Counter(), Counter()

    def failed(folder, fault):
        if isinstance(fault, CourseError | NoSandbox):
            raise fault  # nothing can be graded, this or any other
        faults[folder] = fault
        tries[folder] += 1
        lost[folder] += isinstance(fault, WorkerLost)
        (waiting if lost[folder] < MOST_WORKERS_LOST else given_up).append(folder)

    def send(pool, folder):
        task = task_of(folder)
        submission, hashes = task.submission, _hashes(task.submission, task.spec, task.limits, task.sandbox)
        sent[folder] = _Sent(submission.student, submission.timestamp, hashes)
        return pool.submit(grade, task)

    for attempt in range(ATTEMPTS):
        # The last attempt is made one by one, so that a task that kills its worker harms no other.
        groups = [waiting] if attempt < ATTEMPTS - 1 else [[folder] for folder in waiting]
        waiting = []
        for group in groups:
            if not group:
                continue
            pool = executor(min(workers, len(group)))
            try:
                queue, futures = deque(group), {}
                while queue or futures:
                    while queue and len(futures) < max(LEAST_AHEAD, AHEAD * workers):
                        folder = queue.popleft()
                        try:
                            futures[send(pool, folder)] = folder
                        except (BrokenExecutor, RuntimeError) as error:
                            failed(folder, error)
                    done, pending = wait(futures, patience, return_when=FIRST_COMPLETED)
                    if pending and not done:
                        _end_workers(pool)  # stuck: their tasks now fail, and are tried again
                    while done:
                        future = done.pop()
                        folder = futures.pop(future)
                        error = future.exception()
                        if error is None and future.result().status != Status.INFRASTRUCTURE_FAULT:
                            yield sent[folder], future.result()
                        else:
                            failed(folder, error or future.result())
            except BaseException:
                _end_workers(pool)
                raise
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    for folder in (*waiting, *given_up):
        fault = faults[folder]
        if isinstance(fault, BaseException):
            from autograder.grade import GradedNotebook

            times = f"{tries[folder]} time{'s' * (tries[folder] != 1)}"
            said = f"The grader failed {times} ({type(fault).__name__}: {fault}); nothing was charged."
            notebook = untouched(task_of(folder).spec)
            fault = GradedNotebook(notebook, {}, Status.INFRASTRUCTURE_FAULT, [said], 0.0, {})
        yield sent[folder], fault


def _end_workers(pool):
    """Kill a process pool's workers (from Python 3.14 on a public method does); give up a cluster's."""
    if hasattr(pool, "end_workers"):
        pool.end_workers()
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.kill()


def _write(workspace, spec, student, timestamp, graded, config, changed):
    """The autograded notebook and the gradebook's row; the result follows, so that it vouches for both."""
    from autograder import gradebook

    if graded.status == Status.INFRASTRUCTURE_FAULT:
        gradebook.record(workspace, spec, student, None, timestamp)
        return
    path = _autograded_path(workspace, spec, student)
    write_atomically(path, nbformat.writes(graded.notebook))
    if timestamp:
        write_atomically(path.with_name("timestamp.txt"), f"{timestamp} UTC\n")
    with contextlib.suppress(Unreadable):  # by it nbgrader's exchange finds whose the feedback is
        secret = workspace.submitted / student / spec.assignment / "submission_secret.txt"
        write_atomically(path.with_name(secret.name), read_regular(secret)[:1000])
    gradebook.record(workspace, spec, student, graded.notebook, timestamp, config, changed)


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
