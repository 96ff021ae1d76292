"""Waiting for what happens instead of for a moment: tests must hold where all takes ten times as long."""

import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

# No test waits as long as this for anything that comes: it only ends tests that would never end.
FOR_EVER = 300.0


def wait_until(true, seconds=FOR_EVER):
    """Return as soon as ``true()`` is; the test fails if it never is."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.01)


class LateClock:
    """In place of a module's ``time``: stands still until ``begun()``, so that no limit is reached before.

    A limit that is to be reached can then be short, however long a program takes to start.
    """

    sleep = staticmethod(time.sleep)

    def __init__(self, begun):
        self.begun, self.since = begun, None
        self.latest = time.monotonic() + FOR_EVER

    def monotonic(self):
        now = time.monotonic()
        if self.since is None and self.begun():
            self.since = now
        assert self.since is not None or now < self.latest, "it has not begun"
        return 0.0 if self.since is None else now - self.since


def listen():
    """What a process runs first that is to be stopped by signals, however the tests were started.

    A run in the background, or under nohup, ignores some of them, and so does all that it starts.
    """
    for one in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)


# What a cell says of itself, for ``has_begun`` to see.
BEGIN = "open('/work/begun', 'w').close()\n"


def has_begun(kernel):
    """Whether a cell of this StudentKernel has come to BEGIN."""
    return os.path.exists(kernel.manager.provisioner.contained.path("/work/begun"))


class Seen(NamedTuple):
    """A process that was there: its number, and when it began, since numbers come again."""

    pid: int
    began: str

    def lives(self):
        """Whether it still runs; one that has ended and that nobody has asked about does not."""
        state = _stat(self.pid)
        return bool(state) and state[19] == self.began and state[0] != "Z"


def descendants(pid):
    """All that a process has started, and what these have."""
    parents = {
        int(name): int(state[1]) for name in os.listdir("/proc") if name.isdigit() and (state := _stat(name))
    }
    found, queue = [], [pid]
    while queue:
        last = queue.pop()
        children = [child for child, parent in parents.items() if parent == last]
        queue += children
        found += children
    return [Seen(child, state[19]) for child in found if (state := _stat(child))]


def is_worker(one):
    """Whether a process that was seen is a worker, and not what forked it."""
    try:
        return one.lives() and Path(f"/proc/{one.pid}/comm").read_text() == "worker\n"
    except OSError:
        return False


def wait_until_looked_at(times=40):
    """In a worker: return when whoever looks after it from time to time has woken up so many times."""
    _, zygotes_parent, *_ = _stat(os.getppid())

    def woken():
        tasks = Path(f"/proc/{zygotes_parent}/task").glob("*/status")
        lines = [line for task in tasks for line in task.read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))

    before = woken()
    wait_until(lambda: woken() >= before + times)


def _stat(pid):
    """The fields of a process after its name, from its state on; None where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
