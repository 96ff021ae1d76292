"""A class of submissions to one lesson: found, graded in parallel (``pool``), written by one writer.

Every submission ends with a row and a status. A submission that has not changed is skipped, and since its
result is written last, a run that was stopped at any moment goes on where it was.
"""

import contextlib
from dataclasses import dataclass, replace
from functools import partial
from os.path import isfile

from autograder.classroom.pool import graded
from autograder.classroom.processes import process_pool, started_early
from autograder.course.places import FULL, CourseError
from autograder.gradebook.configuration import limits_of
from autograder.gradebook.results import hashes_of, result_path
from autograder.intake.ledger import doubts
from autograder.intake.naming import said
from autograder.intake.submissions import read_submission, students_folders
from autograder.judging.submission import Task, fault_of_ours, grade_task
from autograder.sandbox.box import Sandbox

PATIENCE = 120  # seconds beyond a notebook's own time in which a worker must answer


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
    folders = students_folders(workspace.submitted, lesson)
    if only is not None:
        folders = [folder for folder in folders if folder.name in only]
    told = doubts(workspace, lesson.name)

    def read(folder):
        submission = read_submission(folder, lesson)
        return replace(submission, remarks=(*submission.remarks, *told.get(submission.student, ())))

    with contextlib.ExitStack() as stack:
        new = [one for one in folders if force or not isfile(result_path(workspace, spec, one.name))]
        boxed = sandbox and grade is grade_task and executor is None
        ours = executor is None
        if executor is None and new:  # workers start while nbgrader is imported and the gradebook opens
            nursery = (spec.hides, spec.needs) if boxed and warm and len(new) > workers else None
            early = started_early(min(max(1, workers), len(new)), nursery, spec.needs)
            executor = stack.enter_context(early)
        from autograder.gradebook.writer import Writer

        writer = Writer(workspace, spec)
        limits = limits or limits_of(writer.config)
        if boxed:
            Sandbox(spec.hides, spec.needs, limits)  # without a working sandbox no task is sent to anyone
        stack.enter_context(writer)
        skipped, todo = [], []
        for folder in folders:
            current = not force and _is_current(writer, read(folder), limits, sandbox)
            (skipped if current else todo).append(folder)
        if on_start:
            on_start(len(todo))
        warm = warm and len(todo) > workers
        secret, patience = workspace.secret(), limits.notebook_seconds + PATIENCE

        def task_of(folder):
            submission = read(folder)
            hashes = hashes_of(submission, spec, limits, sandbox)
            sent = _Sent(submission.student, submission.timestamp, hashes)
            return sent, Task(submission, spec, limits, secret, sandbox, warm)

        pools = executor or process_pool
        pools = partial(pools, sandbox=limits.memory) if ours else pools
        with contextlib.closing(graded(todo, task_of, grade, pools, max(1, workers), patience)) as done:
            for sent, notebook in done:
                result = _written(writer, sent, notebook)
                if on_result:
                    on_result(result)
        for student, error in writer.penalise_late(folder.name for folder in skipped).items():
            remark = f"What lateness costs could not be counted ({said(error)}); run the command again."
            writer.give_up(student, fault_of_ours(spec, remark))
    results = {student: writer.results[student] for student in sorted(folder.name for folder in folders)}
    return results, [folder.name for folder in skipped]


def _is_current(writer, submission, limits, sandbox):
    """Whether it was graded as it is; where that cannot be found out, it is graded again."""
    try:
        return writer.is_current(submission.student, hashes_of(submission, writer.spec, limits, sandbox))
    except Exception:
        return False


def _written(writer, sent, notebook):
    """The result as it was written; what cannot be written for one student is that student's row."""
    try:
        return writer.write(sent.student, sent.timestamp, notebook, sent.hashes)
    except CourseError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        remark = f"What was graded could not be written ({said(error)}); nothing was charged."
        return writer.give_up(sent.student, fault_of_ours(writer.spec, remark))


@dataclass(frozen=True)
class _Sent:
    """What is remembered of a task that was sent to a worker: all but the notebook."""

    student: str
    timestamp: object
    hashes: dict
