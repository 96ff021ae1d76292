"""What a sandbox uses, read from outside: memory, processor time, terminals.

The kernel of the operating system charges a process for its pages, and nobody for a file in memory, a
file's name or what waits in a socket. Here all of it is the sandbox's. Everything is read through the /proc
that is mounted inside, which shows the processes of that sandbox alone.
"""

import functools
import os
import re
from dataclasses import dataclass

from autograder.sandbox.view import WORK

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
FOLDERS = (WORK, "/tmp", "/dev/shm", "/kernel")  # what can be written, all of it memory
A_FILE = 3072  # bytes that a file takes beside its content, or a link with where it leads to
MOST_TERMINALS = 16  # a shell command in a notebook takes one


@dataclass(frozen=True)
class Used:
    """What the processes of a sandbox have at one moment: bytes, seconds, and how many terminals.

    ``waited``: seconds in which they were ready to run, and something else was running.
    """

    memory: int = 0
    cpu: float = 0.0
    waited: float = 0.0
    terminals: int = 0


def used(root_pid):
    """A quick look: memory that processes share is counted for each of them, so it may be less."""
    memory, ticks, waited = 0, 0, 0
    if not _is_made(root_pid):
        return Used()
    for number in _processes(root_pid):
        try:
            fields = _read(root_pid, number, "stat").rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))  # its own and that of children that have ended
            memory += int(fields[21]) * PAGE if number != "1" else 0
            waited += int(_read(root_pid, number, "schedstat").split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return Used(memory + of_nobody(root_pid), ticks / TICK, waited / 1e9, _terminals(root_pid))


def memory(root_pid):
    """Bytes that the sandbox holds, exactly: shared pages counted once, files in memory as files."""
    if not _is_made(root_pid):
        return 0
    total = of_nobody(root_pid)
    for number in _processes(root_pid):
        if number == "1":  # the one that looks after the others
            continue
        try:
            rollup = _read(root_pid, number, "smaps_rollup")
        except OSError:  # a process can see to it that this may not be read; then all counts that it maps
            total += _mapped(root_pid, number)
            continue
        kinds = dict(re.findall(r"^(Pss|Pss_Shmem):\s+(\d+) kB", rollup, re.MULTILINE))
        total += (int(kinds.get("Pss", 0)) - int(kinds.get("Pss_Shmem", 0))) * 1024
    return total


def _mapped(root_pid, number):
    try:
        return int(_read(root_pid, number, "statm").split()[1]) * PAGE
    except (OSError, ValueError, IndexError):
        return 0


def of_nobody(root_pid):
    """Bytes that no process is charged for: files in memory, their names, and what sockets may hold."""
    total = 0
    for folder in FOLDERS:
        try:
            found = os.statvfs(f"/proc/{root_pid}/root{folder}")
        except OSError:
            continue
        total += (found.f_blocks - found.f_bfree) * found.f_frsize
        total += (found.f_files - found.f_ffree) * A_FILE
    try:
        sockets = _text(f"/proc/{root_pid}/net/sockstat")
    except OSError:
        return total
    counts = dict(re.findall(r"^(sockets: used|TCP: inuse) (\d+)", sockets, re.MULTILINE))
    one, of_tcp = _buffers()
    return total + int(counts.get("sockets: used", 0)) * one + int(counts.get("TCP: inuse", 0)) * of_tcp


@functools.lru_cache(maxsize=1)
def _buffers():
    """Bytes that can wait in a socket of any kind, and in a TCP connection's end beyond that."""

    def setting(name):
        try:
            return int(_text(f"/proc/sys/net/{name}").split()[-1])
        except (OSError, ValueError):
            return 4 * 2**20

    one = max(setting("core/wmem_default"), setting("core/rmem_default"))
    return one, setting("ipv4/tcp_rmem") + setting("ipv4/tcp_wmem")


def _is_made(root_pid):
    """Whether its files are its own: for a moment after its start they are the machine's."""
    try:
        return not os.path.samefile(f"/proc/{root_pid}/root", "/")
    except OSError:
        return False


def _processes(root_pid):
    try:
        return [name for name in os.listdir(f"/proc/{root_pid}/root/proc") if name.isdigit()]
    except OSError:
        return []


def _terminals(root_pid):
    try:
        return sum(name.isdigit() for name in os.listdir(f"/proc/{root_pid}/root/dev/pts"))
    except OSError:
        return 0


def _read(root_pid, number, name):
    return _text(f"/proc/{root_pid}/root/proc/{number}/{name}")


def _text(path):
    """A small file of the system's, in one piece: there are dozens of looks to a notebook."""
    number = os.open(path, os.O_RDONLY)
    try:
        return os.read(number, 4096).decode("ascii", "replace")
    finally:
        os.close(number)
