"""Tasks that come back whatever becomes of a worker: sent, tried again, and given up.

Only ``concurrent.futures.Executor`` is known here: on one machine ``processes``', one notebook a process at
a time, on many ``cluster``'s. A fault of ours, such as a worker that died, is tried again and never charged.
What may have been for want of memory, or whatever else a notebook shares with those that are graded beside
it, is graded once more alone before it counts.
"""

import contextlib
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait

from autograder.classroom.worker import WorkerLost
from autograder.course.places import CourseError
from autograder.judging.status import Status
from autograder.judging.submission import fault_of_ours, over_memory
from autograder.sandbox.view import NoSandbox

ATTEMPTS = 3
MOST_WORKERS_LOST = 2  # by one submission that was alone on each of them
LEAST_AHEAD, AHEAD = 32, 4  # notebooks sent before one is back: at least, and for each worker
MOST_AHEAD = 256 * 2**20  # bytes of their files: where these are large, fewer are sent


def graded(folders, task_of, grade, executor, workers, patience):
    """Yield (note, GradedNotebook) as they come; ``task_of(folder)`` gives a note to keep and a Task to send.

    What a dying worker took with it is tried again, alone. Only a few notebooks are in memory at a time,
    however large the class is.
    """
    groups, faults, tries, lost = [list(folders)] if folders else [], {}, Counter(), Counter()
    for attempt in range(1, ATTEMPTS + 1):
        together, alone = [], []
        for group in groups:
            sent = _sent(group, task_of, grade, executor, workers, patience)
            with contextlib.closing(sent):
                for folder, note, outcome in sent:
                    if isinstance(outcome, CourseError | NoSandbox):
                        raise outcome  # nothing can be graded, this or any other
                    by_itself = len(group) == 1
                    if isinstance(outcome, MemoryError) and by_itself:
                        outcome = over_memory(task_of(folder)[1].spec)
                    fault = (
                        isinstance(outcome, BaseException) or outcome.status == Status.INFRASTRUCTURE_FAULT
                    )
                    if not fault and (by_itself or not outcome.starved):
                        faults.pop(folder, None)
                        yield note, outcome
                        continue
                    faults[folder] = note, outcome
                    tries[folder] += 1
                    lost[folder] += isinstance(outcome, WorkerLost)
                    if lost[folder] == MOST_WORKERS_LOST:
                        continue
                    # The last attempt is made one by one, so that what one task does harms no other.
                    shared = isinstance(outcome, MemoryError | WorkerLost) or not fault
                    (alone if shared or attempt + 1 == ATTEMPTS else together).append(folder)
        groups = [together] * bool(together) + [[folder] for folder in alone]
    for folder, (note, fault) in faults.items():
        if isinstance(fault, BaseException):
            times = f"{tries[folder]} time{'s' * (tries[folder] != 1)}"
            said = f"The grader failed {times} ({type(fault).__name__}: {fault}); nothing was charged."
            fault = fault_of_ours(task_of(folder)[1].spec, said)
        yield note, fault


def _sent(group, task_of, grade, executor, workers, patience):
    """Yield (folder, note, GradedNotebook or what was raised) for each of a group, from one executor."""
    most = max(LEAST_AHEAD, AHEAD * workers)
    queue, futures = deque(group), {}
    pool = executor(min(workers, len(group)))
    try:
        while queue or futures:
            while queue and len(futures) < most and sum(size for *_, size in futures.values()) < MOST_AHEAD:
                folder = queue.popleft()
                note, task = task_of(folder)
                try:
                    futures[pool.submit(grade, task)] = folder, note, len(task.submission.raw or b"")
                except (BrokenExecutor, RuntimeError) as error:
                    yield folder, note, error
            done, pending = wait(futures, patience, return_when=FIRST_COMPLETED)
            if pending and not done:
                _end_workers(pool)  # stuck: their tasks now fail, and are tried again
            while done:
                future = done.pop()
                folder, note, _ = futures.pop(future)
                yield folder, note, future.exception() or future.result()
    except BaseException:
        _end_workers(pool)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _end_workers(pool):
    """End what an executor's workers are doing, where it can."""
    if hasattr(pool, "end_workers"):
        pool.end_workers()
