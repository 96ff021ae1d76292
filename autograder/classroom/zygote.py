"""A zygote, seen from both its sides: a process that has imported what grading needs, and forks workers.

To import takes seconds, to fork takes milliseconds, and what was imported is in memory once for all
workers. A zygote does nothing else: it sees no task and no notebook, so nothing that happens in a worker
comes back to it. It reaps a worker only when it is told to, so that a worker's number stays its own until
then. It ends with whoever started it, and its workers end with it.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading

from autograder.classroom.worker import READY, end_with, serve

START = """
import json, sys
path, *told = json.loads(sys.argv[1])
sys.path[:] = path
from autograder.classroom.zygote import fork_workers
fork_workers(*told)
"""
ANSWER_SECONDS = 60.0  # in which a zygote that is not stopped has forked, or reaped what has ended
MOST_TOLD = 2**16
FAILED = b"failed: "


def _command(line, parent, prepare):
    """What starts a zygote: the arguments of ``fork_workers``, and where modules are found."""
    return [sys.executable, "-c", START, json.dumps([list(map(str, sys.path)), line, parent, prepare])]


class ZygoteLost(RuntimeError):
    """A zygote does not answer: it has ended, or will be ended now."""


# Outside -----------------------------------------------------------------------------------------------


class Zygote:
    """A zygote of this process, ``ready`` once it has said so.

    ``prepare``: (a module, a function of it, its arguments), called there before anything is forked.
    """

    def __init__(self, prepare=None):
        self.line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ready = False
        try:
            # A process group of its own, as each worker has one: Ctrl-C in the terminal is for the parent.
            self.process = subprocess.Popen(
                _command(theirs.fileno(), os.getpid(), prepare),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        except BaseException:
            self.line.close()
            raise
        finally:
            theirs.close()
        self.line.settimeout(ANSWER_SECONDS)

    def hear(self):
        """Note that it is ready; raises ZygoteLost if it has ended."""
        try:
            self.ready = self.line.recv(MOST_TOLD) == READY
        except OSError:
            self.ready = False
        if not self.ready:
            raise ZygoteLost(f"exit status {self.end(1.0)}")

    def fork(self, descriptors, *told):
        """A new worker, which serves ``told`` on the first of these descriptors; ZygoteLost, or OSError."""
        said = self._ask(["fork", *told], descriptors)
        if said.startswith(FAILED):
            raise OSError(said.removeprefix(FAILED).decode())
        return Forked(self, int(said))

    def reap(self, number):
        """The exit status of a worker that has ended; None where that is not known any more."""
        try:
            return int(self._ask(["reap", number]))
        except ZygoteLost:
            return None

    def _ask(self, told, descriptors=()):
        try:
            socket.send_fds(self.line, [json.dumps(told).encode()], descriptors)
            said = self.line.recv(MOST_TOLD)
        except OSError:
            said = b""
        if not said:
            self.ready = False
            self.process.kill()
            raise ZygoteLost("the process that forks workers does not answer")
        return said

    def end(self, seconds=0.0):
        """End it and its workers, if it has not ended in so many seconds; returns its exit status."""
        self.ready = False
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.process.kill()
        self.line.close()
        return self.process.wait()


class Forked:
    """A worker that a zygote of ours has forked."""

    def __init__(self, zygote, number):
        self.pid, self._zygote, self._status, self._reaped = number, zygote, None, False
        self._descriptor = os.pidfd_open(number)
        self._lock = threading.Lock()

    def runs(self, seconds=0.0):
        """Whether it still runs after so many seconds; returns at once when it has ended."""
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        return not poller.poll(1000 * max(0.0, seconds))

    def kill(self):
        """End it and all in its process group, now; does nothing where it has been reaped."""
        with self._lock, contextlib.suppress(ProcessLookupError):
            if not self._reaped:  # or the number may be another's by now
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
                os.killpg(self.pid, signal.SIGKILL)

    def wait(self):
        """Its exit status, once it has ended; None where its zygote took that along."""
        while self.runs(ANSWER_SECONDS):
            continue
        with self._lock:
            if not self._reaped:
                self._status, self._reaped = self._zygote.reap(self.pid), True
                os.close(self._descriptor)
        return self._status


# Inside ------------------------------------------------------------------------------------------------


def fork_workers(line, parent, prepare):
    """Be a zygote for as long as somebody holds the other end of the descriptor ``line``.

    Where ``prepare`` starts threads, as some packages do, workers import for themselves.
    """
    end_with(parent)
    line = socket.socket(fileno=line)
    gc.disable()  # nothing that is imported is garbage, and to look for some takes a quarter of the time
    if prepare:
        module, function, arguments = prepare
        with contextlib.suppress(Exception):  # the task that needs it will say so
            getattr(importlib.import_module(module), function)(*arguments)
    if len(os.listdir("/proc/self/task")) > 1:  # what has threads must not be forked: begin again without
        os.set_inheritable(line.fileno(), True)
        os.execv(sys.executable, _command(line.fileno(), parent, None))
    gc.enable()
    gc.freeze()  # to collect must not touch what is shared with the workers
    with contextlib.suppress(OSError):  # nobody is there any more
        line.send(READY)
        while True:
            told, descriptors, _, _ = socket.recv_fds(line, MOST_TOLD, 2)
            if not told:
                break
            verb, *told = json.loads(told)
            line.send(_fork(line, descriptors, *told) if verb == "fork" else _reap(*told))
    os._exit(0)


def _fork(line, descriptors, memory, nursery):
    ours = os.getpid()
    try:
        number = os.fork()
    except OSError as error:
        return FAILED + str(error).encode()
    if number == 0:
        try:
            line.close()
            os.setpgid(0, 0)
            first, *lent = descriptors
            serve(first, ours, memory, nursery and [*nursery, *lent])
        finally:
            os._exit(1)
    with contextlib.suppress(OSError):  # it did so itself
        os.setpgid(number, number)
    for descriptor in descriptors:
        os.close(descriptor)
    return str(number).encode()


def _reap(number):
    return str(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])).encode()
