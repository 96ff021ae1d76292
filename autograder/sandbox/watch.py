"""One sandbox watched for as long as it lives, asked something or not: it ends when it uses too much.

What a notebook has started goes on while nobody asks it anything, so looking only during questions would
leave it alone for as long as the judge computes. ``Watch`` looks in a thread of its own; whoever asks may
``look`` as well, so that nothing that a question has brought about is seen too late.
"""

import threading
import time

from autograder.sandbox.usage import MOST_TERMINALS, Used, used

SECONDS = 0.05  # between two looks
OFTEN = 0.02  # a look takes less than a hundredth of it


class Watch:
    """Looks after ``contained`` until ``end``; ``why`` is what it was ended for: "memory", "time" or "death".

    ``cpu_seconds``: the processor time that all of its processes may use.
    """

    def __init__(self, contained, memory, cpu_seconds):
        self.contained, self.memory, self.cpu_seconds = contained, memory, cpu_seconds
        self.why, self.last, self._before, self._lost, self._looked = None, Used(), 0.0, 0.0, 0.0
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._thread.start()

    @property
    def cpu(self):
        """Seconds of processor time used so far, by what has ended as well."""
        return self.last.cpu + self._lost

    def look(self, now=False):
        """Look, unless that was done a moment ago and ``now`` is false; returns ``why``."""
        with self._lock:
            if self.why or self._over.is_set() or (not now and time.monotonic() - self._looked < OFTEN):
                return self.why
            found = used(self.contained.root_pid)
            if found.memory:
                self._lost += max(0.0, self.last.cpu - found.cpu)  # of a process that nobody waited for
                self.last = found
            if found.memory > self.memory and self.contained.memory() > self.memory:
                self.why = "memory"
            elif self.cpu > self.cpu_seconds:
                self.why = "time"
            elif found.terminals > MOST_TERMINALS:
                self.why = "terminals"
            if self.why:
                self.contained.end()
            self._looked = time.monotonic()
            return self.why

    def end(self):
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _go_on(self):
        while not self._over.wait(SECONDS):
            if self.look():
                return
