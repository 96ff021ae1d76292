"""A control group of the system's for a worker and all that it starts, where we may make one (cgroup 2).

What belongs to no process, such as files in memory and what waits in sockets, is counted there as well, and
the system itself keeps to the limit. Nothing depends on it: each process has limits of its own besides.
"""

import contextlib
import itertools
import os
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
BESIDE = "unified"  # where cgroup 2 is on a system that keeps cgroup 1 as well
NAME = "unrolled-"  # and the number of the process that made it, and one more
EMPTY_SECONDS = 2.0  # a group can be removed once its last process is gone
_numbers = itertools.count()


def where():
    """(the folder in which groups can be made, "") or (None, why there is none)."""
    if not (ROOT / "cgroup.controllers").is_file():
        if (ROOT / BESIDE / "cgroup.controllers").is_file():
            return None, "here memory is counted by cgroup 1, and cgroup 2 beside it counts none"
        return None, "this system has no cgroup 2"
    try:
        own = next(line[3:] for line in OWN.read_text().splitlines() if line.startswith("0::"))
        here = ROOT / own.lstrip("/")
        # Processes and groups do not go together in one group, so ours are made beside our own.
        for folder in dict.fromkeys((here, here.parent if here != ROOT else here)):
            passes_on = "memory" in (folder / "cgroup.subtree_control").read_text().split()
            if passes_on and os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK):
                return folder, ""
    except (OSError, StopIteration) as error:
        return None, f"this process's group cannot be read ({error})"
    return None, "no group here may be divided; `systemd-run --user --scope` starts a command in one that may"


def take_into_own(pid):
    """Put a process that another group's member has started into this process's own, if that is a Group."""
    with contextlib.suppress(OSError, StopIteration):
        own = next(line[3:] for line in OWN.read_text().splitlines() if line.startswith("0::"))
        if Path(own).name.startswith(NAME):
            (ROOT / own.lstrip("/") / "cgroup.procs").write_text(str(pid))


class Group:
    """A group that holds at most ``memory`` bytes; one that cannot be made takes nobody in and is silent."""

    def __init__(self, memory):
        self.folder = None
        parent, _ = where()
        if parent is None:
            return
        for left in parent.glob(f"{NAME}*"):  # by a run that was killed
            if not os.path.exists(f"/proc/{left.name.split('-')[1]}"):
                with contextlib.suppress(OSError):
                    left.rmdir()
        folder = parent / f"{NAME}{os.getpid()}-{next(_numbers)}"
        try:
            folder.mkdir()
            self.folder = folder
            (folder / "memory.max").write_text(str(memory))
            with contextlib.suppress(OSError):  # not where there is nothing to swap to
                (folder / "memory.swap.max").write_text("0")
        except OSError:
            self.remove()

    def allow(self, memory):
        """Hold at most so many bytes from now on."""
        if self.folder is not None:
            with contextlib.suppress(OSError):
                (self.folder / "memory.max").write_text(str(memory))

    def take(self, pid):
        """Put a process in; what it starts from now on is in it, too."""
        if self.folder is not None:
            with contextlib.suppress(OSError):
                (self.folder / "cgroup.procs").write_text(str(pid))

    def overran(self):
        """Whether the system has ended a process in it for want of memory."""
        try:
            events = (self.folder / "memory.events").read_text().split()
            return int(events[events.index("oom_kill") + 1]) > 0
        except (OSError, TypeError, ValueError):
            return False

    def remove(self):
        """End all that is left in it, and the group."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError):  # Linux 5.14 has it
            (self.folder / "cgroup.kill").write_text("1")
        deadline = time.monotonic() + EMPTY_SECONDS
        while True:
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                if time.monotonic() < deadline:
                    time.sleep(0.01)
                    continue
                return
            self.folder = None
            return
