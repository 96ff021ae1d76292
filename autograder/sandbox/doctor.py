"""Attack the sandbox from inside and say what held.

Each attempt is a small program that really tries, run where students' code runs; whether it held is
decided out here, by whether the thing that it was after (a canary, a connection, a file) was reached.
``unrolled doctor`` prints the findings; the tests assert that all of them held.
"""

import contextlib
import importlib.util
import os
import re
import secrets
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from autograder.sandbox.box import MIB, Limits, Sandbox, python
from autograder.sandbox.watch import Watch

WATCHED_SECONDS = 60.0
LIMITS = Limits(memory=256 * MIB, disk=16 * MIB, processes=32)

NETWORK = """
import socket
for family, address in (
    (socket.AF_INET, ("127.0.0.1", {port})), (socket.AF_INET, ("1.1.1.1", 53)), (socket.AF_UNIX, "\\0{name}")
):
    try:
        socket.socket(family).connect(address)
        print("REACHED", address)
    except OSError as error:
        print(error.strerror)
"""
READ = """
for path in {paths!r}:
    try:
        print(open(path, errors="replace").read())
    except OSError as error:
        print(error.strerror)
"""
ENVIRONMENT = """
import glob, os
print(dict(os.environ))
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        print(open(path, "rb").read())
    except OSError as error:
        print(error.strerror)
"""
ANSWERS = """
import importlib
for name in ("rnncore.exercises", "autograder", "torch", "nbgrader"):
    try:
        importlib.import_module(name)
        print("REACHED", name)
    except ModuleNotFoundError:
        print("no module", name)
"""
WRITE = """
import os
for folder in {folders!r}:
    try:
        open(os.path.join(folder, "unrolled-doctor"), "w").write("here")
        print("REACHED", folder)
    except OSError as error:
        print(error.strerror)
"""
FORK_BOMB = """
import os, time
count = 0
while count < 5000:
    try:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        count += 1
    except OSError:
        break
print("COUNT", count)
"""
MEMORY = """
import mmap
kept = []
try:
    while len(kept) < 1000:
        kept.append(mmap.mmap(-1, 64 * 2**20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
except (MemoryError, OSError):
    pass
print("COUNT", 64 * len(kept))
"""
UNCOUNTED = """
import ctypes, mmap, os
libc = ctypes.CDLL(None)
attempts = {
    "a file without a name": lambda: os.memfd_create("x"),
    "shared memory": lambda: libc.shmget(0, 2**26, 0o1600),
    "a queue of messages": lambda: libc.msgget(0, 0o1600),
    "semaphores": lambda: libc.semget(0, 32000, 0o1600),
    "a shared mapping": lambda: mmap.mmap(-1, 2**26),
    "a mapping of zeros": lambda: mmap.mmap(os.open("/dev/zero", os.O_RDWR), 2**26),
}
for name, attempt in attempts.items():
    try:
        print("refused:" if attempt() == -1 else "REACHED", name)
    except OSError as error:
        print(error.strerror)
"""
DISK = """
total = 0
for number, folder in enumerate(("/work", "/tmp", "/dev/shm", "/kernel", "/dev", "/run", "/")):
    try:
        for part in range(1000):
            with open(f"{folder}/{part}", "wb") as file:
                for _ in range(64):
                    total += file.write(bytes(2**18))
                    file.flush()
    except OSError:
        pass
print("COUNT", total // 2**20)
"""
NEIGHBOUR = """
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
for pid in [{pid}, *(int(name) for name in os.listdir("/proc") if name.isdigit())]:
    if pid == os.getpid():
        continue
    try:
        print(open(f"/proc/{{pid}}/mem", "rb").read(1))
        print(open(f"/proc/{{pid}}/environ", "rb").read())
    except OSError as error:
        print(error.strerror)
    if libc.ptrace(16, pid, None, None) == 0:
        print("REACHED", pid)
try:
    os.kill({pid}, signal.SIGKILL)
except OSError as error:
    print(error.strerror)
"""
FAMILIES = """
import socket
others = [(family, 0) for family in range(46) if family not in (1, 2, 16)]
for family, protocol in [*others, (16, 4), (16, 9), (16, 12), (16, 15)]:
    try:
        socket.socket(family, socket.SOCK_DGRAM, protocol)
        print("REACHED family", family)
    except OSError as error:
        print(error.strerror)
"""
SOCKETS = """
import socket, time
kept, sent = [], 0
print("here", flush=True)
try:
    while True:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**24)
        ours.setblocking(False)
        kept.append((ours, theirs))
        try:
            while True:
                sent += ours.send(bytes(2**16))
        except BlockingIOError:
            pass
        print("COUNT", sent // 2**20, flush=True)
except OSError:
    time.sleep(60)
"""
TERMINALS = """
import os, time
kept = []
try:
    while True:
        kept.append(os.openpty()[0])
        os.close(kept[-1] + 1)
        print("COUNT", len(kept), flush=True)
except OSError:
    time.sleep(60)
"""
PROCESSES = """
import os
print("COUNT", sum(name.isdigit() for name in os.listdir("/proc")))
"""
PRIVILEGES = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
attempts = {
    "setuid(0)": lambda: libc.setuid(0) if os.getuid() else -1,
    "a user namespace": lambda: libc.unshare(0x10000000),
    "a mount": lambda: libc.mount(b"none", b"/work", b"tmpfs", 0, None),
    "a host name": lambda: libc.sethostname(b"mine", 4),
    "/proc/sys": lambda: open("/proc/sys/kernel/core_pattern", "w").write("|/tmp/x") and 0,
}
for name, attempt in attempts.items():
    try:
        print("REACHED" if attempt() == 0 else "refused:", name)
    except OSError as error:
        print(error.strerror)
"""


class Finding(NamedTuple):
    """One attack: what was tried, whether the sandbox held, and what was seen."""

    attempt: str
    held: bool
    says: str


def attempts():
    """Yield a Finding for every attack; NoSandbox if there is no sandbox to attack."""
    sandbox, token = Sandbox(limits=LIMITS), secrets.token_hex(16)
    yield _network(sandbox)
    with tempfile.TemporaryDirectory() as folder, _canary(Path.home(), token) as at_home:
        other = Path(folder, "another-student.ipynb")
        other.write_text(token)
        yield _unseen(sandbox, "read a file in the home folder", READ.format(paths=[str(at_home)]), token)
        yield _unseen(sandbox, "read another student's submission", READ.format(paths=[str(other)]), token)
        yield _refused(
            sandbox,
            "write outside its own folders",
            WRITE.format(folders=["/", "/usr/bin", "/etc", "/site", "/dev", "/proc/sys", folder]),
            "everything else is read-only",
        )
    answers = [str(path) for path in _answers()]
    marks = READ.format(paths=answers) + ANSWERS
    status, text = sandbox.run(marks)
    reached = re.findall(r"REACHED (\S+)", text) or ["the course's files"] * ("EXERCISES" in text)
    says = f"reached {', '.join(reached)}" if reached else "neither on disk nor importable"
    yield Finding("reach the answers, torch or the grader", status == 0 and not reached, says)
    os.environ["UNROLLED_DOCTOR"] = token
    try:
        yield _unseen(sandbox, "read secrets from environment variables", ENVIRONMENT, token)
    finally:
        del os.environ["UNROLLED_DOCTOR"]
    yield _counted(
        sandbox, "start processes without end", FORK_BOMB, LIMITS.processes, "stopped at {} processes"
    )
    most = (LIMITS.memory + 2048 * MIB) // MIB
    yield _counted(sandbox, "take all memory", MEMORY, most, "stopped at {} MiB")
    yield _refused(sandbox, "hide memory from being counted", UNCOUNTED, "all of it belongs to a process")
    yield _counted(sandbox, "fill the disk", DISK, 3 * LIMITS.disk // MIB + 4, "stopped at {} MiB, of memory")
    yield _refused(sandbox, "open a socket of another kind", FAMILIES, "no other than a kernel needs")
    yield _ended(sandbox, "keep memory in sockets", SOCKETS, "memory")
    yield _ended(sandbox, "take all terminals", TERMINALS, "terminals")
    yield _counted(sandbox, "see other processes", PROCESSES, 2, "{} in sight, both its own")
    yield _neighbour(sandbox, token)
    yield _refused(sandbox, "gain privileges", PRIVILEGES, "no way up")


def _network(sandbox):
    name = secrets.token_hex(8)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.socket(family)) for family in (socket.AF_INET, socket.AF_UNIX)]
        servers[0].bind(("127.0.0.1", 0))
        servers[1].bind(f"\0{name}")
        for server in servers:
            server.listen()
            server.setblocking(False)
        status, text = sandbox.run(NETWORK.format(port=servers[0].getsockname()[1], name=name))
        arrived = 0
        for server in servers:
            with contextlib.suppress(BlockingIOError):
                server.accept()[0].close()
                arrived += 1
    held = status == 0 and not arrived and "REACHED" not in text
    return Finding("use the network", held, "; ".join(dict.fromkeys(text.split("\n")[:-1])))


def _neighbour(sandbox, token):
    neighbour = sandbox.start([python(), "-c", f"import time; kept = {token!r}; time.sleep(60)"])
    try:
        pid = (neighbour.pids() or [neighbour.root_pid])[0]
        status, text = sandbox.run(NEIGHBOUR.format(pid=pid))
        alive = neighbour.process.poll() is None
    finally:
        neighbour.kill()
    held = status is not None and alive and "REACHED" not in text and token not in text
    return Finding("trace, read or kill a neighbour", held, "it lives" if alive else "the neighbour died")


def _unseen(sandbox, attempt, code, token):
    status, text = sandbox.run(code)
    seen = token in text
    return Finding(attempt, status == 0 and not seen, "the canary was read" if seen else "it is not there")


def _refused(sandbox, attempt, code, fine):
    status, text = sandbox.run(code)
    reached = re.findall(r"REACHED (.+)", text)
    return Finding(attempt, status == 0 and not reached, f"reached {', '.join(reached)}" if reached else fine)


def _ended(sandbox, attempt, code, why):
    """An attempt that is ended from outside, by who looks after students' kernels."""
    contained = sandbox.start([python(), "-c", code])
    watch = Watch(contained, 32 * MIB, WATCHED_SECONDS)
    try:
        contained.process.wait(WATCHED_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    watch.end()
    contained.kill()
    counts = re.findall(r"COUNT (\d+)", contained.output()) or ["0"]
    says = f"ended at {counts[-1]}{' MiB' if why == 'memory' else ''}"
    return Finding(attempt, watch.why == why, says if watch.why == why else f"went on to {counts[-1]}")


def _counted(sandbox, attempt, code, most, says):
    status, text = sandbox.run(code)
    found = re.search(r"COUNT (\d+)", text)
    if found is None:
        return Finding(attempt, status is not None, "it was ended by the system")
    return Finding(attempt, int(found[1]) <= most, says.format(found[1]))


@contextlib.contextmanager
def _canary(folder, token):
    """A file in ``folder`` that holds the token, for as long as this lasts."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".unrolled-doctor-") as file:
            file.write(token)
            file.flush()
            yield Path(file.name)
    except PermissionError:  # a home that cannot be written: then any file in it will do
        yield next((path for path in folder.iterdir() if path.is_file()), folder / "nothing")


def _answers():
    """The files of rnncore.exercises, where they lie on this machine."""
    spec = importlib.util.find_spec("rnncore.exercises")
    return sorted(Path(spec.origin).parent.glob("*.py")) if spec else []
