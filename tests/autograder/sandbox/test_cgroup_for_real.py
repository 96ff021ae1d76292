"""Control groups on a system that has them to give (cgroup 2): the system itself keeps to the bounds.

Few machines for tests have: `make cgroup2` runs these in a small Linux of its own.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.classroom.processes import Processes
from autograder.classroom.worker import MIB
from autograder.sandbox.box import Sandbox
from autograder.sandbox.cgroup import Group, where
from autograder.sandbox.kernels import StudentKernel
from tests.autograder.waiting import FOR_EVER

pytestmark = pytest.mark.skipif(where()[0] is None, reason=f"no control groups can be made: {where()[1]}")

MEMORY, BOUND = 300 * MIB, 256 * MIB
OF_ITS_OWN = "kept = b'x' * (1024 * 2**20)"
IN_A_FILE = "import os; file = os.memfd_create('x'); [os.write(file, bytes(2**20)) for _ in range(1024)]"


@pytest.mark.parametrize("code", [OF_ITS_OWN, IN_A_FILE], ids=["of its own", "in a file"])
def test_whoever_takes_more_than_the_group_may_hold_is_ended(code):
    group = Group(BOUND)
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", f"input(); {code}"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        group.take(process.pid)
        process.communicate(b"\n", FOR_EVER)
        assert process.returncode == -signal.SIGKILL and group.overran()
    finally:
        group.remove()
    assert group.folder is None


def test_what_no_limit_of_a_process_sees_is_a_workers_memory_error_and_the_next_has_it_again():
    with Processes(1, memory=MEMORY, sandbox=BOUND) as pool:
        first = pool.submit(os.getpid).result()
        pool._workers[0].group.allow(MEMORY)
        with pytest.raises(MemoryError, match="had used up its 300 MiB"):
            pool.submit(exec, IN_A_FILE, {}).result()
        assert pool.submit(os.getpid).result() != first
    assert not list(where()[0].glob(f"unrolled-{os.getpid()}-*"))


KERNELS = []  # of a worker, as long as it lives


def group_of_a_kernel(warm):
    """The groups of this worker and of a kernel that it has started."""
    KERNELS.append(StudentKernel(["rnncore.cells"], warm=warm))
    assert KERNELS[-1].run("1", FOR_EVER).stopped is None
    kernel = KERNELS[-1].manager.provisioner.contained.root_pid
    return [Path(f"/proc/{one}/cgroup").read_text() for one in ("self", kernel)]


@pytest.mark.parametrize("warm", [False, True])
def test_a_notebook_is_in_its_workers_group_however_its_kernel_was_started(warm):
    Sandbox()
    with Processes(2, nursery=(["rnncore.cells"], []) if warm else None) as pool:
        groups = [pool.submit(group_of_a_kernel, warm) for _ in range(2)]
        for workers, kernels in (one.result() for one in groups):
            assert workers == kernels and "/unrolled-" in workers


# What waits in sockets belongs to no process, and to no limit of one.
SOCKETS = """
import socket
kept = []
for _ in range(200):
    door = socket.create_server(("127.0.0.1", 0))
    kept += [socket.create_connection(door.getsockname()), door.accept()[0]]
    door.close()
    kept[-1].setblocking(False)
    try:
        while True:
            kept[-1].send(bytes(2**16))
    except BlockingIOError:
        pass
"""


def fill_sockets():
    return KERNELS[-1].run(SOCKETS, FOR_EVER).stopped


def test_what_a_notebook_lets_wait_in_sockets_counts_and_the_next_is_graded():
    Sandbox()
    with Processes(1, nursery=(["rnncore.cells"], [])) as pool:
        pool.submit(group_of_a_kernel, True).result()
        group = pool._workers[0].group
        group.allow(int((group.folder / "memory.current").read_text()) + 64 * MIB)
        with contextlib.suppress(MemoryError):  # the system ends one of the group: the worker, perhaps
            assert pool.submit(fill_sockets).result() is not None
        assert pool.submit(int, "7").result() == 7
