"""Workers, and tasks that come back whatever becomes of a worker.

Only ``concurrent.futures.Executor`` is known here: on one machine a pool of processes, started afresh
(spawn) with one notebook a task, on many ``cluster``'s. A fault of ours, such as a worker that died, is tried
again and never charged.
"""

import os
import signal
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ProcessPoolExecutor, wait
from multiprocessing import get_context

from autograder.course.places import CourseError
from autograder.judging.status import Status
from autograder.judging.submission import fault_of_ours
from autograder.sandbox.view import NoSandbox

ATTEMPTS = 3
MOST_WORKERS_LOST = 2  # by one submission that was alone on each of them
LEAST_AHEAD, AHEAD = 32, 4  # notebooks sent before one is back: at least, and for each worker


class WorkerLost(Exception):
    """A worker went away while it had this task, and this task only."""


def _ignore_interrupts():
    # Ctrl-C is for the process that writes; it ends its workers itself, without their tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def process_pool(workers):
    """A pool of fresh processes, in which numerical libraries use one thread each."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # inherited by the workers
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_ignore_interrupts)


def graded(folders, task_of, grade, executor, workers, patience):
    """Yield (note, GradedNotebook) as they come; ``task_of(folder)`` gives a note to keep and a Task to send.

    What a dying worker took with it is tried again, then alone. Only a few notebooks are in memory at a time,
    however large the class is.
    """
    waiting, given_up, notes = list(folders), [], {}
    faults, tries, lost = {}, Counter(), Counter()

    def failed(folder, fault):
        if isinstance(fault, CourseError | NoSandbox):
            raise fault  # nothing can be graded, this or any other
        faults[folder] = fault
        tries[folder] += 1
        lost[folder] += isinstance(fault, WorkerLost)
        (waiting if lost[folder] < MOST_WORKERS_LOST else given_up).append(folder)

    def send(pool, folder):
        notes[folder], task = task_of(folder)
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
                            yield notes[folder], future.result()
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
            times = f"{tries[folder]} time{'s' * (tries[folder] != 1)}"
            said = f"The grader failed {times} ({type(fault).__name__}: {fault}); nothing was charged."
            notes[folder], task = task_of(folder)
            fault = fault_of_ours(task.spec, said)
        yield notes[folder], fault


def _end_workers(pool):
    """Kill a process pool's workers (from Python 3.14 on a public method does); give up a cluster's."""
    if hasattr(pool, "end_workers"):
        pool.end_workers()
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.kill()
