"""An Executor of worker processes on this machine, every one of which may die at any moment.

Workers are forked by a ``zygote``. Each has a pipe of its own and one task at a time, so it is known whose
task a dead one had, and nobody else's is lost. One thread looks after them all: it hands out tasks, takes
answers, and puts a new worker in the place of one that has ended. Nothing is shared between workers, so
nothing can be left locked by a dead one, and whatever the thread waits for ends when a worker is killed.
"""

import contextlib
import os
import pickle
import signal
import threading
import time
from collections import deque
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import wait

from autograder.classroom.worker import BEGUN, FULL, GO, GOES, MEMORY, MIB, READY, WorkerLost, held
from autograder.classroom.zygote import Zygote, ZygoteLost
from autograder.sandbox.cgroup import Group

PREPARE = ("autograder.judging.submission", "prepare")  # what a zygote calls before it forks
LOOK_SECONDS = 0.05  # how often the memory of busy workers is looked at
END_SECONDS = 5.0  # in which a worker ends that is told to
NEARLY_FULL = 0.8  # of its memory: a worker that died above this died of it
MOST_FAILED_STARTS = 3
SHARING = 4  # workers whose kernels one nursery forks: it forks one after the other
NURSERY = 1024 * MIB  # what the process that forks kernels may hold, with all that it has imported
SANDBOX = 2048 * MIB  # what a notebook may hold, as in ``box.Limits``, which needs more than this module may


def process_pool(workers, nursery=None, sandbox=SANDBOX, needs=()):
    """A pool of fresh processes, in which numerical libraries use one thread each.

    ``nursery``: what a lesson hides and needs, if processes that fork their kernels are to start with them.
    ``sandbox``: the bytes that a notebook may hold. ``needs``: packages that every task will import.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # inherited by the workers
    return Processes(workers, prepare=(*PREPARE, [list(needs)]), nursery=nursery, sandbox=sandbox)


@contextlib.contextmanager
def started_early(workers, nursery=None, needs=()):
    """A maker of pools, as ``process_pool`` is, whose first one is on its way before it is asked for."""
    first = process_pool(workers, nursery, needs=needs)
    ready = [first]

    def pool(workers, sandbox=SANDBOX):
        if not ready:
            return process_pool(workers, sandbox=sandbox, needs=needs)
        first.resize(workers)
        first.allow(sandbox)
        return ready.pop()

    try:
        yield pool
    finally:
        first.end_workers()
        first.shutdown(cancel_futures=True)


class Processes(Executor):
    """Grades in ``workers`` processes; a task whose worker dies fails with WorkerLost, or with MemoryError
    where that worker had used up the ``memory`` that each may have. ``sandbox``: what a notebook may hold
    besides, which the system keeps to where it counts that."""

    def __init__(self, workers, memory=MEMORY, prepare=None, nursery=None, sandbox=SANDBOX):
        self._size, self._memory, self._prepare, self._nursery = workers, memory, prepare, nursery
        self._bound = memory + sandbox + NURSERY
        self._waiting, self._workers, self._failed_starts = deque(), [], 0
        self._zygote, self._lines, self._nurseries = None, deque(), []
        self._closing, self._fault, self._lock = False, None, threading.Lock()
        self._woken, self._wake_up = Pipe(duplex=False)
        self._thread = threading.Thread(target=self._serve, name="workers", daemon=True)
        self._thread.start()

    def submit(self, function, /, *arguments):
        future = Future()
        with self._lock:
            if self._closing:
                raise self._fault or RuntimeError("this executor is shut down")
            self._waiting.append(_Task(future, function, arguments))
            self._wake_up.send_bytes(b"")
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        with self._lock:
            if cancel_futures:
                for task in self._waiting:
                    if not task.future.cancel():  # it was with a worker already, and came back
                        task.end(False, WorkerLost("the worker ended before it had begun"))
                self._waiting.clear()
            if not self._closing:
                self._closing = True
                self._wake_up.send_bytes(b"")
        if wait:
            self._thread.join()

    def resize(self, workers):
        """Have so many workers from now on, or those that there are, if they are more."""
        with self._lock:
            self._size = workers
            if not self._closing:
                self._wake_up.send_bytes(b"")

    def allow(self, sandbox):
        """Let a notebook hold so many bytes from now on."""
        self._bound = self._memory + sandbox + NURSERY
        for worker in list(self._workers):
            worker.group.allow(self._bound)

    def end_workers(self):
        """Kill the workers that are busy: their tasks fail, and new workers take their place."""
        zygote = self._zygote
        if zygote and not zygote.ready:
            zygote.process.kill()
        for worker in list(self._workers):
            if worker.task is not None or not worker.ready:
                worker.late = True
                worker.kill()

    # In the thread -----------------------------------------------------------------------------------

    def _serve(self):
        fault = None
        try:
            self._zygote = Zygote(self._prepare)
            if self._nursery:
                self._begin_with_nurseries()
            while self._go_on():
                self._hand_out()
                busy = any(worker.task is not None for worker in self._workers)
                lines = {worker.line: worker for worker in self._workers}
                for line in wait([*lines, self._woken, self._zygote.line], LOOK_SECONDS if busy else None):
                    if line is self._woken:
                        line.recv_bytes()
                    elif line is self._zygote.line:
                        self._hear_zygote()
                    else:
                        self._hear(lines[line])
                for worker in self._workers:
                    worker.look(self._memory)
        except BaseException as error:  # no process can be started here, say
            fault = RuntimeError(f"the workers cannot be kept ({type(error).__name__}: {error})")
        finally:
            self._end(fault)

    def _begin_with_nurseries(self):
        """Start nurseries beside the zygote, and have a line to one for each of the first workers.

        A few of them share a nursery. Whoever has no line, or one that has hung up, starts one alone.
        """
        from autograder.sandbox import warm  # which needs more than the standard library

        ours, theirs = zip(*(warm.pair() for _ in range(self._size)), strict=True)
        self._lines.extend(ours)
        for first in range(0, len(theirs), SHARING):
            lines = theirs[first : first + SHARING]
            with contextlib.suppress(Exception):  # the task that needs it will say so
                self._nurseries.append(warm.start(*self._nursery, lines))

    def _go_on(self):
        """Start workers where some are missing; False when all is done."""
        busy = sum(worker.task is not None for worker in self._workers)
        with self._lock:
            if self._closing and not self._waiting and not busy:
                return False
            wanted = min(self._size, busy + len(self._waiting)) if self._closing else self._size
        while self._zygote.ready and len(self._workers) < wanted:
            line = self._lines.popleft() if self._lines else None
            with contextlib.suppress(ZygoteLost):  # which its line says as well
                worker = _Worker(self._zygote, self._bound, self._memory, self._nursery, line)
                self._workers.append(worker)
        return True

    def _hear_zygote(self):
        """It is ready, or it has ended, and a new one takes its place."""
        try:
            self._zygote.hear()
        except ZygoteLost as fault:
            self._no_start(fault)
            self._zygote = Zygote(self._prepare)

    def _hand_out(self):
        for worker in list(self._workers):
            if not worker.ready:
                continue
            worker.ready = False  # before the task is said to run: from then on it may have to be ended
            task = self._next()
            if task is None:
                worker.ready = True
                return
            try:
                asked = pickle.dumps((task.function, task.arguments), pickle.HIGHEST_PROTOCOL)
            except Exception as error:
                task.future.set_exception(error)
                worker.ready = True
                continue
            worker.take(task)
            try:
                worker.line.send_bytes(asked)
            except OSError:
                self._lost(worker)

    def _next(self):
        """The next task that nobody has cancelled, or None."""
        with self._lock:
            while self._waiting:
                task = self._waiting.popleft()
                if task.future.running() or task.future.set_running_or_notify_cancel():
                    return task
        return None

    def _hear(self, worker):
        """Take what a worker says, or its end."""
        try:
            said = worker.line.recv_bytes()
        except (EOFError, OSError):
            self._lost(worker)
            return
        if said == READY:
            worker.ready, worker.was_ready, self._failed_starts = True, True, 0
        elif said == BEGUN:
            worker.begun = True
        elif said != GOES and worker.task is not None:
            worker.task.end(*_read(said))
            worker.task = None

    def _lost(self, worker):
        """Let a worker go that has ended, or closed its line, which comes to the same."""
        self._workers.remove(worker)
        status = worker.end(0)
        if worker.task is not None:
            how = _how(status)
            if worker.late:
                fault = WorkerLost("the worker did not answer in time and was ended")
            elif worker.full or status == FULL:
                fault = MemoryError(f"the worker had used up its {self._memory // MIB} MiB and ended {how}")
            elif not worker.begun and worker.task.returned < self._size:  # it was ending when it was asked
                worker.task.returned += 1  # as all that there were may have been
                with self._lock:
                    self._waiting.appendleft(worker.task)
                return
            else:
                fault = WorkerLost(f"the worker ended {how}")
            worker.task.end(False, fault)
        elif not worker.was_ready:
            self._no_start(f"exit status {status}")

    def _no_start(self, why):
        """Something did not start; when that is so every time, nothing can be done."""
        self._failed_starts += 1
        if self._failed_starts >= MOST_FAILED_STARTS:
            self._failed_starts = 0
            while task := self._next():
                task.end(False, RuntimeError(f"no worker can be started ({why})"))

    def _end(self, fault):
        """End every worker; where there are tasks left, because of a fault, they have that fault."""
        with self._lock:
            self._closing, self._fault = True, fault
        while task := self._next():
            task.end(False, fault)
        for worker in self._workers:
            if worker.task is not None:
                worker.kill()
                worker.task.end(False, fault)
            worker.line.close()
        deadline = time.monotonic() + END_SECONDS
        for worker in self._workers:
            worker.end(deadline - time.monotonic())
        self._workers.clear()
        if self._zygote:
            self._zygote.end()
        for nursery in self._nurseries:
            nursery.kill()
        for line in self._lines:
            line.close()


def _how(status):
    """How a process ended, in words."""
    if status is None:
        return "with the process that had forked it"
    if status >= 0:
        return f"with exit status {status}"
    names = {number.value: number.name for number in signal.Signals}
    return f"by {names.get(-status, f'signal {-status}')}"


@dataclass
class _Task:
    """Something to do, and the Future that waits for it."""

    future: Future
    function: object
    arguments: tuple
    returned: int = 0  # how many workers went away before they had begun

    def end(self, well, value):
        """Tell what came of it: its result, or the exception that it ended in."""
        (self.future.set_result if well else self.future.set_exception)(value)


def _read(answer):
    """(True, a result) or (False, an exception), as ``worker`` wrote it."""
    try:
        return pickle.loads(answer)
    except Exception as error:
        return False, RuntimeError(f"its result cannot be read ({type(error).__name__}: {error})")


class _Worker:
    """One worker, seen from outside: its process, its end of the line, and what it has to do."""

    def __init__(self, zygote, bound, memory, nursery, to_nursery=None):
        self.task, self.ready, self.was_ready = None, False, False
        self.begun, self.full, self.late = False, False, False
        self.line, theirs = Pipe()
        lent = [] if to_nursery is None else [to_nursery]
        try:
            self.process = zygote.fork([one.fileno() for one in (theirs, *lent)], memory, nursery)
        finally:
            for one in (theirs, *lent):
                one.close()
        self.group = Group(bound)
        self.group.take(self.process.pid)
        with contextlib.suppress(OSError):  # it has ended, which its line says as well
            self.line.send_bytes(GO)

    def take(self, task):
        """Have something to do."""
        self.task, self.ready, self.begun, self.full = task, False, False, False

    def look(self, memory):
        """Note whether it is about to use up its memory, for when it dies of that."""
        if self.task is not None and not self.full:
            self.full = held(self.process.pid) > NEARLY_FULL * memory

    def kill(self):
        """End it and all in its process group, now; does nothing where it has been seen to end."""
        self.process.kill()

    def end(self, seconds):
        """Its exit status, once it has ended; after ``seconds`` it is killed, with all that it left."""
        self.process.runs(seconds)
        self.process.kill()
        status = self.process.wait()
        self.line.close()
        self.full = self.full or self.group.overran()
        self.group.remove()
        return status
