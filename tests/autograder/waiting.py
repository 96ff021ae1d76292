"""Waiting for what happens instead of for a moment: tests must hold where all takes ten times as long."""

import os
import time

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


# What a cell says of itself, for ``has_begun`` to see.
BEGIN = "open('/work/begun', 'w').close()\n"


def has_begun(kernel):
    """Whether a cell of this StudentKernel has come to BEGIN."""
    return os.path.exists(kernel.manager.provisioner.contained.path("/work/begun"))
