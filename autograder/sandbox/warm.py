"""Warm kernels, from outside: one nursery for each lesson's view, and the kernels forked in it.

``nursery_for`` keeps a few nurseries for as long as this process lives. One of them may be ``lent``: started
by another process, for several to use, each by a line of its own. A nursery's death is our affair: the next
request starts another, and a notebook that was lost with it is graded again with a cold kernel.
"""

import atexit
import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from autograder.sandbox import cgroup
from autograder.sandbox.box import Contained, Limits, fresh_user, in_memory, own_processor, start_nursery
from autograder.sandbox.seccomp import refusals
from autograder.sandbox.usage import MOST_TERMINALS
from autograder.sandbox.view import python, view

PROGRAM = "/kernel/nursery.py"
START_SECONDS = 120.0
FORK_SECONDS = 30.0
MOST_NURSERIES = 2
STAMP_SECONDS = 2.0  # how often it is looked whether what a nursery shows has changed

_kept, _lock = {}, threading.Lock()


class NoNursery(RuntimeError):
    """Kernels cannot be forked here, or the process that forks them has died."""


def start(hides, needs, lines):
    """Start a sandbox in which a process imports what a lesson may use; returns its Contained.

    ``lines``: sockets on which it will say that it is ready, and then forks kernels. They are closed here.
    """
    try:
        if refusals() is None:
            raise NoNursery("There is no filter of system calls for this processor.")
        source = Path(__file__).with_name("nursery.py").read_bytes()
        numbers = [line.fileno() for line in lines]
        argv = [python(), PROGRAM, ",".join(map(str, numbers)), *needs]
        shown = view(tuple(hides), tuple(needs), nursery=True)
        return start_nursery(shown, argv, {PROGRAM: source}, numbers)
    finally:
        for line in lines:
            line.close()


def pair():
    """Both ends of a line to a nursery: ours, and its own."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Nursery:
    """A nursery as the process sees it that has kernels forked there, once it is ``ready``.

    ``line``: our end of a line to one that somebody else has started; else it is started here.
    """

    def __init__(self, hides=(), needs=(), line=None):
        self.kernels, self.contained, self.line = [], None, line
        if line is None:
            self.line, theirs = pair()
            try:
                self.contained = start(hides, needs, [theirs])
            except BaseException:
                self.line.close()
                raise
        self._is_ready = False

    def ready(self):
        """Wait until it can fork; returns it, or raises NoNursery if it cannot."""
        if not self._is_ready:
            self.line.settimeout(START_SECONDS)
            try:
                self._is_ready = self.line.recv(100) == b"ready"
            except OSError:
                pass
        if not self._is_ready:
            self.close()
            says = self.contained.output()[-2000:] if self.contained else "nothing, since another started it"
            raise NoNursery(f"Nothing can be forked here; it says: {says}")
        return self

    @property
    def alive(self):
        """Whether it can fork."""
        return self.lives(0)

    def lives(self, seconds):
        """Whether it still lives in so many seconds; returns at once when it ends."""
        if self.contained and self.contained.process.poll() is not None:
            return False
        poller = select.poll()
        poller.register(self.line, 0)  # hung up as soon as the other end is gone
        return not poller.poll(seconds * 1000)

    @property
    def busy(self):
        """Whether a kernel of it is running."""
        self.kernels = [kernel for kernel in self.kernels if kernel.process.poll() is None]
        return bool(self.kernels)

    def start(self, connection: dict, limits: Limits) -> Contained:
        """Fork a kernel that listens at ``connection``; NoNursery if that fails."""
        output = in_memory()
        ours, theirs = pair()
        request = {
            "connection": connection,
            "limits": limits.as_rlimits(),
            "disk": limits.disk,
            "terminals": 2 * MOST_TERMINALS,  # who takes more than may be had is ended, as a cold kernel is
            "user": fresh_user(),
            "processor": own_processor(),
        }
        ours.settimeout(FORK_SECONDS)
        process = None
        try:
            with theirs, in_memory(refusals()) as rules:
                descriptors = [theirs.fileno(), output.fileno(), rules.fileno()]
                socket.send_fds(self.line, [json.dumps(request).encode()], descriptors)
                theirs.close()
                inside = False
                while not (inside and process):  # the two processes that answer may do so in either order
                    said, descriptors, _, _ = socket.recv_fds(ours, 4096, 1)
                    if said == b"started":
                        process = Forked(*descriptors)
                    elif said == b"inside":
                        inside = True
                    else:
                        raise NoNursery(f"A kernel could not be forked: {said.decode(errors='replace')}")
                number = process.pid()
                cgroup.take_into_own(number)
                ours.send(b"go")
                kernel = Born(process, number, output, ours.detach())
        except (OSError, NoNursery) as error:
            ours.close()
            output.close()
            if process:
                process.kill()
            if isinstance(error, NoNursery):
                raise
            raise NoNursery(f"The process that forks kernels does not answer: {error}") from None
        self.kernels.append(kernel)
        return kernel

    def close(self):
        """End it and every kernel in it; where it is another's, our own kernels."""
        for one in (self.contained,) if self.contained else self.kernels:
            one.kill()
        self.line.close()


class Born(Contained):
    """A forked kernel's sandbox, seen from outside; it ends when this process does."""

    def end(self):
        """Begin to end it, from any thread."""
        self.process.kill()


class Forked:
    """A process that is not our child, known by a descriptor, with the methods of a Popen that we use."""

    def __init__(self, descriptor):
        self._descriptor = descriptor

    def pid(self):
        """Its number in our own namespace."""
        for line in Path(f"/proc/self/fdinfo/{self._descriptor}").read_text().splitlines():
            if line.startswith("Pid:") and int(line[4:]) > 0:
                return int(line[4:])
        raise NoNursery("A kernel ended as soon as it was forked.")

    def poll(self):
        """None while it runs, then 1: how it ended is told to nobody but its parent."""
        return 1 if self._ended(0) else None

    def wait(self, seconds=None):
        """Wait for its end; subprocess.TimeoutExpired if it goes on."""
        if not self._ended(seconds):
            raise subprocess.TimeoutExpired("kernel", seconds)
        return 1

    def kill(self):
        """End it, and with it everything in its namespace."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def _ended(self, seconds):
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        return bool(poller.poll(None if seconds is None else seconds * 1000))

    def __del__(self):
        os.close(self._descriptor)


def nursery_for(hides=(), needs=()):
    """The nursery for a lesson in this process, started if need be; NoNursery where there can be none."""
    with _lock:
        return _begun(hides, needs).ready()


def begin(hides=(), needs=(), line=None):
    """Have the nursery for a lesson start in this process, without waiting for it.

    ``line``: the descriptor of our end of a line to one that was lent to us.
    """
    with _lock:
        _begun(hides, needs, line)


def _begun(hides, needs, line=None):
    key = (os.getpid(), *_stamp(tuple(hides), tuple(needs), time.monotonic() // STAMP_SECONDS))
    nursery = _kept.pop(key, None) if line is None else Nursery(line=socket.socket(fileno=line))
    if nursery is None or not nursery.alive:
        if nursery is not None:
            nursery.close()
        nursery = Nursery(hides, needs)
    _kept[key] = nursery  # the last one used stands last
    idle = [
        key for key, one in _kept.items() if key[0] == os.getpid() and one is not nursery and not one.busy
    ]
    for key in idle[: max(0, len(_kept) - MOST_NURSERIES)]:
        _kept.pop(key).close()
    return nursery


def close_all():
    """End every nursery of this process."""
    with _lock:
        for key in [key for key in _kept if key[0] == os.getpid()]:
            _kept.pop(key).close()


atexit.register(close_all)


@functools.lru_cache(maxsize=4)
def _stamp(hides, needs, moment):
    """What a nursery depends on: the files that it shows, and when rnncore's were last written.

    ``moment``: those that ask in the same one have the same answer.
    """
    shown = view(hides, needs, nursery=True)
    files = [word for word in shown if word.endswith(".py")]
    return tuple(shown), needs, tuple(os.stat(file).st_mtime_ns for file in files if os.path.exists(file))
