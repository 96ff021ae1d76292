"""A worker: a process that grades what comes through its pipe, one notebook at a time.

It is forked by a ``zygote`` and ends with it, however that ends. Its memory has a limit of its own, so that
a notebook which takes too much of it fails in here, as a MemoryError, and nowhere else on the machine. By
itself it needs the standard library alone.
"""

import contextlib
import ctypes
import importlib
import os
import pickle
import resource
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path

MIB = 2**20
MEMORY = 1536 * MIB  # what one worker may hold, without its sandboxes
MOST_ANSWER = 128 * MIB  # bytes of one graded notebook: its parent has to hold them, too
FULL = 75  # the exit status of a worker that has no memory left even to say so
READY, BEGUN, GOES = b"ready", b"begun", b"goes"  # what it says between its answers
GO = b"go"  # what it is told once it is in a group of the system's, before it starts anything
SET_PDEATHSIG, SET_NAME = 1, 15


class WorkerLost(Exception):
    """A worker went away while it had this task, and this task only."""


def serve(line, parent, memory, nursery=None):
    """Answer what comes through the descriptor ``line`` until it is closed; this process ends here.

    ``parent``: who forked us. ``nursery``: what a lesson hides and needs, where the process that forks its
    kernels is to be on its way by now, and our end of the line to it where it has been started for us.
    """
    status = 1
    try:
        end_with(parent)
        call_it("worker")
        limit_memory(memory)
        _serve(Connection(line), memory, nursery)
        status = 0
    except (EOFError, OSError):
        status = 0  # nobody is there any more
    except MemoryError:
        status = FULL
    finally:
        # Its sandboxes end with it, and there is nothing else to tidy up: Python would take a second for it.
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _serve(line, memory, nursery):
    line.recv_bytes()  # GO
    if nursery:
        with contextlib.suppress(Exception):  # the task that needs it will say so
            importlib.import_module("autograder.sandbox.warm").begin(*nursery)
    line.send_bytes(READY)
    while True:
        answer = _answer(_told(line))
        line.send_bytes(answer)
        del answer
        # What earlier notebooks left in here must be taken from no later one: then another takes over.
        last = held(os.getpid()) > memory // 2
        line.send_bytes(GOES if last else READY)
        if last:
            return


def _told(line):
    """The next task; who sent it learns that it has come."""
    asked = line.recv_bytes()
    line.send_bytes(BEGUN)
    return asked


def end_with(parent):
    """Have the system end this process when its parent ends, even by SIGKILL."""
    _prctl(SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was quicker
        os._exit(1)


def call_it(name):
    """Give this process a name, by which `top` and `ps` tell it from the one that it was forked from."""
    _prctl(SET_NAME, name.encode())


def _prctl(*arguments):
    with contextlib.suppress(AttributeError, OSError):  # Linux has it
        ctypes.CDLL(None).prctl(*arguments)


def limit_memory(most):
    """Limit what this process may write to: data alone, since libraries reserve far more than they touch.

    Only the soft limit, which ``sandbox.box`` lifts again: what students' code may use is said there.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bounds = [value for value in (most, soft, hard) if value != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))


def within_memory(function, *arguments):
    """Call ``function`` in a process that is not ours alone, with the memory that one of ours would have."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    limit_memory(held(os.getpid()) + MEMORY)
    try:
        return function(*arguments)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def held(pid):
    """Bytes of a process that count towards its limit; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[5]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def _answer(asked):
    """What a task comes to, as bytes: (True, its result) or (False, the exception that it ended in)."""
    try:
        function, arguments = pickle.loads(asked)
        del asked
        answer = pickle.dumps((True, function(*arguments)), pickle.HIGHEST_PROTOCOL)
        if len(answer) > MOST_ANSWER:
            raise MemoryError(f"the graded notebook has {len(answer) // MIB} MiB")
        return answer
    except BaseException as error:
        return _failure(error)


def _failure(error):
    try:
        answer = pickle.dumps((False, error))
        pickle.loads(answer)  # not every exception that can be written can be read
        return answer
    except MemoryError:
        raise
    except Exception:
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
