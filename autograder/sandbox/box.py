"""One bubblewrap sandbox: what a student's code can see, and how much it can use.

What is visible is a list of what is allowed (``view``). Nothing of the host can be written: the few
writable folders are memory with a size. Limits are set by the first program inside, which also gives up
being root; ``seccomp`` says which system calls are refused. Without a working bubblewrap nothing starts, and
``NoSandbox`` says what to do. ``provisioner`` starts Jupyter kernels in here; ``doctor`` attacks it.
"""

import functools
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox import usage
from autograder.sandbox.seccomp import refusals
from autograder.sandbox.view import NEVER, WORK, NoSandbox, font_lists, python, view

__all__ = ["MIB", "NEVER", "Contained", "Limits", "NoSandbox", "Sandbox", "python"]

MIB = 2**20
OLDEST_BWRAP = (0, 8)
_taken = []  # descriptors that keep a processor for this process

# The first program in the sandbox: takes its limits, gives up being root, becomes the real one. Bubblewrap
# binds the sandbox to who started it only when it is made; whoever ended before that is noticed here.
LAUNCH = """
import json, os, resource, select, sys
limits, user, owner, argv = json.loads(sys.argv[1])
gone = select.poll()
gone.register(owner, 0)
if gone.poll(0):
    sys.exit("who started this is gone")
os.close(owner)
free = resource.getrlimit(resource.RLIMIT_DATA)[1]  # who started us has a limit of its own
resource.setrlimit(resource.RLIMIT_DATA, (free, free))
for name, value in limits.items():
    hard = resource.getrlimit(getattr(resource, name))[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(getattr(resource, name), (value, value))
if user:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
os.execv(argv[0], argv)
"""


@dataclass(frozen=True)
class Limits:
    """What one submission may use: times in seconds, sizes in bytes.

    ``memory`` is what the kernel and its children really hold; a single process may reserve 2 GiB
    more, because numerical libraries reserve far more than they touch.
    """

    cell_seconds: float = 30.0
    call_seconds: float = 10.0
    notebook_seconds: float = 180.0
    memory: int = 2048 * MIB
    disk: int = 64 * MIB
    output_bytes: int = 4 * MIB
    reply_bytes: int = 16 * MIB
    processes: int = 64

    def as_rlimits(self):
        """The limits that the kernel of the operating system holds for us, by resource name."""
        return {
            "RLIMIT_AS": self.memory + 2048 * MIB,
            "RLIMIT_NPROC": self.processes,
            "RLIMIT_FSIZE": self.disk,
            "RLIMIT_NOFILE": 512,
            "RLIMIT_CORE": 0,
            "RLIMIT_CPU": int(self.notebook_seconds) + 60,
        }


class Sandbox:
    """A sandbox for one lesson: ``hides`` names modules that do not exist in it, ``needs`` extra packages.

    Raises NoSandbox if bubblewrap does not work here or a needed package is not installed.
    """

    def __init__(self, hides=(), needs=(), limits=None):
        self.limits = limits or Limits()
        self.view = view(tuple(hides), tuple(needs))
        _probe()

    def start(self, argv, files=None):
        """Start ``argv`` in the sandbox with ``files`` (path inside -> bytes); returns a Contained."""
        return _start(self.view, self.limits, argv, files or {}, processor=own_processor())

    def run(self, code, seconds=30.0):
        """Run Python ``code`` to its end; returns (exit status or None if out of time, output text)."""
        contained = self.start([python(), "-c", code])
        try:
            status = contained.process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        contained.kill()
        return status, contained.output()


class Contained:
    """A running sandbox, seen from outside."""

    def __init__(self, process, root_pid, output, owner=None):
        self.process, self.root_pid, self._output, self._said = process, root_pid, output, ""
        self._owner = owner  # a descriptor that is open for as long as this process lives

    def path(self, inside):
        """The path by which this process reaches ``inside``, a path in the sandbox."""
        return f"/proc/{self.root_pid}/root{inside}"

    def pids(self):
        """Every process in the sandbox, the started one first; empty when it has ended."""
        found = []
        queue = [self.root_pid]
        while queue:
            pid = queue.pop(0)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    queue += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
            except OSError:
                continue
            found.append(pid)
        return found[1:]

    def memory(self):
        """Bytes of memory that the sandbox holds, whoever is charged for them."""
        return usage.memory(self.root_pid)

    def exceeds(self, most):
        """Whether it holds more than ``most`` bytes: a quick look, and an exact one only near the limit."""
        return usage.used(self.root_pid).memory > most and self.memory() > most

    def interrupt(self):
        """Send SIGINT to the started process, across the process namespace."""
        for pid in self.pids()[:1]:
            _signal(pid, signal.SIGINT)

    def kill(self):
        """End everything in the sandbox, now; returns when it is gone."""
        if self.process.poll() is None:
            self.end()
        try:
            self.process.wait(5.0)  # bubblewrap ends when the last of them is gone
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._said = self.output()
        self._output.close()
        if self._owner is not None:
            os.close(self._owner)
            self._owner = None

    def end(self):
        """Begin to end it, from any thread."""
        _signal(self.root_pid, signal.SIGKILL)  # the namespace's first process: all others die with it

    def output(self):
        """What was written to standard output and error, the first 64 KiB."""
        if self._output.closed:
            return self._said
        return os.pread(self._output.fileno(), 65536, 0).decode(errors="replace")


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def start_nursery(view, argv, files, lines):
    """Start ``warm``'s forking process, unlimited and with its rights; it keeps the descriptors ``lines``."""
    return _start(view, Limits(), argv, files, lines)


def fresh_user():
    """A user number that nobody else has, if we are root and may choose; else 0.

    Not one for all kernels: a limit on processes counts all that a user has.
    """
    if os.geteuid() != 0:
        return 0
    ranges = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    last = max(int(start) + int(count) for start, _, count in ranges)  # fewer than all, in a container
    return 20000 + secrets.randbelow(max(1, min(last, 2**31) - 25000))


def in_memory(content=b""):
    """A file without a name that holds ``content``: a sandbox is made without any disk, which may be full."""
    file = open(os.memfd_create("sandbox"), "w+b", buffering=0)
    file.write(content)
    file.seek(0)
    return file


PROCESSOR = "unrolled-processor"


@functools.lru_cache(maxsize=1)
def own_processor():
    """The processor on which what this process puts in sandboxes runs; None where all have been taken.

    Each worker has one of its own, so that whoever keeps it busy slows down nobody but themselves. A name
    that only one process can have, and loses with its end, says that it is taken.
    """
    for number in sorted(os.sched_getaffinity(0)):
        taken = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            taken.bind(f"\0{PROCESSOR}-{os.geteuid()}-{number}")
        except OSError:
            taken.close()
            continue
        _taken.append(taken.detach())  # open until this process ends
        return number
    return None


def _start(view, limits, argv, files, lines=None, processor=None):
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise NoSandbox(
            "Grading needs bubblewrap, which is not installed: install it with `apt install bubblewrap` "
            "(or your system's package of that name; Linux or WSL only)."
        )
    arguments, keep = [*view, *_writable(limits)], []

    def as_file(content):
        keep.append(in_memory(content))
        return str(keep[-1].fileno())

    for inside, content in files.items():
        arguments += ["--perms", "0444", "--ro-bind-data", as_file(content), inside]
    if refusals() is not None and lines is None:
        arguments += ["--seccomp", as_file(refusals())]
    (info_read, info_write), (owner, ours) = os.pipe(), os.pipe()
    output = in_memory()
    limited = [limits.as_rlimits(), fresh_user()] if lines is None else [{}, 0]
    launch = json.dumps([*limited, owner, list(argv)])
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK]
    arguments += ["--info-fd", str(info_write)]
    arguments += ["--", python(), "-I", "-S", "-c", LAUNCH, launch]
    processors = os.sched_getaffinity(0)
    try:
        if processor is not None:
            os.sched_setaffinity(0, [processor])  # which it inherits: inside that may not be changed
        process = subprocess.Popen(
            [bwrap, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={},  # bubblewrap's own environment could be read from inside
            cwd="/",
            pass_fds=[
                *(info_write, owner),
                *(lines or ()),
                *(handle.fileno() for handle in keep),
            ],
        )
    finally:
        os.sched_setaffinity(0, processors)
        os.close(info_write)
        os.close(owner)
        for handle in keep:
            handle.close()
    with open(info_read) as info:
        told = info.read()
    if not told:
        contained = Contained(process, process.pid, output, ours)
        contained.kill()
        raise NoSandbox(_explain(contained.output()))
    return Contained(process, json.loads(told)["child-pid"], output, ours)


@functools.lru_cache(maxsize=1)
def _probe():
    """Raise NoSandbox unless bubblewrap is new enough and a program can be run in it."""
    bwrap = shutil.which("bwrap")
    if bwrap:
        version = subprocess.run([bwrap, "--version"], capture_output=True, text=True).stdout
        numbers = tuple(map(int, re.findall(r"\d+", version)))
        if numbers < OLDEST_BWRAP:
            raise NoSandbox(
                f"Grading needs bubblewrap 0.8 or newer and this is {version.strip()!r}: "
                "install a newer one (Debian 12, Ubuntu 24.04 and Fedora 38 have it)."
            )
    contained = _start(view((), ()), Limits(), [python(), "-I", "-S", "-c", "print('it works')"], {})
    contained.process.wait()
    contained.kill()
    if contained.output().strip() != "it works":
        raise NoSandbox(_explain(contained.output()))


def _explain(complaint):
    """One sentence for what bubblewrap complained about."""
    complaint = " ".join(complaint.split()) or "no message"
    forbidden = ("new namespace", "uid map", "RTM_NEWADDR", "Operation not permitted", "Permission denied")
    if not complaint.startswith("bwrap:") or not any(words in complaint for words in forbidden):
        return f"Bubblewrap does not work here; it says: {complaint}"
    if _apparmor_restricts():
        return (
            "The sandbox cannot be made because AppArmor forbids unprivileged user namespaces here (Ubuntu "
            "23.10 and newer): allow them with `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    if _in_container():
        return (
            "The sandbox cannot be made because this container may not create namespaces: start it with "
            "`--cap-add SYS_ADMIN` and `--security-opt` seccomp=unconfined, apparmor=unconfined and "
            "systempaths=unconfined "
            f"(bubblewrap says: {complaint})."
        )
    return (
        "The sandbox cannot be made because unprivileged user namespaces are forbidden here: allow them "
        f"with `sudo sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000` "
        f"(bubblewrap says: {complaint})."
    )


def _apparmor_restricts():
    knob = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    return knob.exists() and knob.read_text().strip() == "1"


def _in_container():
    return any(os.path.exists(mark) for mark in ("/.dockerenv", "/run/.containerenv"))


def _writable(limits):
    """The few folders that can be written, all of them memory with a size."""
    arguments = []
    for folder in (WORK, "/tmp", "/dev/shm"):
        arguments += ["--size", str(limits.disk), "--perms", "1777", "--tmpfs", folder]
    arguments += ["--size", str(MIB), "--perms", "1777", "--tmpfs", "/kernel"]
    arguments += ["--perms", "1777", "--dir", "/tmp/matplotlib"]
    for file in font_lists():
        arguments += ["--ro-bind", str(file), f"/tmp/matplotlib/{file.name}"]
    return arguments
