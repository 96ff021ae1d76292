"""What a sandbox uses is seen from outside, whoever is charged for it, and asked something or not."""

import contextlib
import os
import signal

import pytest

from autograder.sandbox import usage, watch
from autograder.sandbox.box import MIB, Limits, Sandbox, python
from autograder.sandbox.kernels import StudentKernel
from autograder.sandbox.usage import Used
from autograder.sandbox.watch import Watch
from tests.autograder.attacks.exhaustion import MESSAGE
from tests.autograder.waiting import wait_until

LONG = 120  # seconds that nothing here needs
READY = "print('ready', flush=True); time.sleep(1000)"
SOCKETS = f"""
import socket, time
kept = [socket.socketpair() for _ in range(100)]
{READY}
"""
FILES = f"""
import time
open("/tmp/a", "wb").write(bytes(20 * 2**20))
for number in range(5000): open(f"/work/{{number}}", "w").close()
{READY}
"""
TERMINALS = f"import os, time\nkept = [os.openpty() for _ in range(5)]\n{READY}"
ENDED = f"""
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    while time.process_time() < 0.5: pass
    open("/work/done", "w").close(); time.sleep(1000)
{READY}
"""


@contextlib.contextmanager
def running(code, **limits):
    """A program in a sandbox, as soon as it says that it is ready."""
    contained = Sandbox(limits=Limits(**limits)).start([python(), "-c", code])
    try:
        wait_until(lambda: "ready" in contained.output())
        yield contained
    finally:
        contained.kill()


def test_memory_in_sockets_counts_as_far_as_it_may_go():
    one, _ = usage._buffers()
    with running(SOCKETS) as contained:
        found = usage.of_nobody(contained.root_pid)
        assert 200 * one <= found < 260 * one
        assert contained.memory() > found


def test_files_in_memory_and_their_names_count():
    with running(FILES) as contained:
        found = usage.of_nobody(contained.root_pid)
        assert found >= 20 * MIB + 5000 * usage.A_FILE
        assert found < 20 * MIB + 40 * MIB
        assert not contained.exceeds(200 * MIB) and contained.exceeds(20 * MIB)


def test_a_process_that_may_not_be_looked_into_counts_with_all_that_it_maps(monkeypatch):
    """Whoever is not root may not, once it says so; it counted for nothing."""
    read = usage._read

    def refused(root_pid, number, name):
        if name == "smaps_rollup":
            raise PermissionError
        return read(root_pid, number, name)

    with running(f"import time\nkept = bytearray(b'x' * (64 * 2**20))\n{READY}") as contained:
        monkeypatch.setattr(usage, "_read", refused)
        assert contained.exceeds(64 * MIB) and not contained.exceeds(200 * MIB)


def test_terminals_are_counted():
    with running(TERMINALS) as contained:
        assert usage.used(contained.root_pid).terminals == 5


def test_a_sandbox_that_is_not_yet_made_or_has_ended_uses_nothing():
    assert (
        usage.used(os.getpid()) == Used() and usage.memory(os.getpid()) == 0
    )  # our own files: not one's own
    assert usage.used(2**22) == Used() and usage.memory(2**22) == 0


def test_processor_time_of_what_has_ended_stays_counted(monkeypatch):
    """Nobody waits for this child, so the system forgets what it used."""
    monkeypatch.setattr(watch, "SECONDS", LONG)
    with running(ENDED) as contained:
        seen = Watch(contained, 10**12, LONG)
        wait_until(lambda: usage.used(contained.root_pid).cpu >= 0.5)
        seen.look(now=True)
        before = seen.cpu
        last = max(contained.pids())
        os.kill(last, signal.SIGKILL)
        wait_until(lambda: len(contained.pids()) == 1)
        seen.look(now=True)
        seen._over.set()
    assert before >= 0.5 and seen.cpu >= before and seen.why is None


class Contained:
    """A sandbox that says what it uses."""

    root_pid, ended, exact = 1, False, 0

    def memory(self):
        return self.exact

    def end(self):
        self.ended = True


@pytest.mark.parametrize(
    ("found", "exact", "why"),
    [
        (Used(memory=10), 0, None),
        (Used(memory=101), 100, None),  # shared pages were counted twice
        (Used(memory=101), 101, "memory"),
        (Used(memory=1, cpu=5.1), 0, "time"),
        (Used(memory=1, cpu=4.9, terminals=usage.MOST_TERMINALS), 0, None),
        (Used(memory=1, terminals=usage.MOST_TERMINALS + 1), 0, "terminals"),
    ],
)
def test_what_uses_too_much_is_ended_with_a_reason(monkeypatch, found, exact, why):
    monkeypatch.setattr(watch, "SECONDS", LONG)
    monkeypatch.setattr(watch, "used", lambda pid: found)
    contained = Contained()
    contained.exact = exact
    seen = Watch(contained, memory=100, cpu_seconds=5.0)
    try:
        assert seen.look(now=True) == why == seen.why
        assert contained.ended == (why is not None)
        assert seen.look(now=True) == why
    finally:
        seen._over.set()


# Kernels ---------------------------------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["cold", "warm"])
def kernel(request):
    kernel = StudentKernel(limits=Limits(memory=300 * MIB, output_bytes=MIB), warm=request.param)
    yield kernel
    kernel.close()


def test_memory_is_looked_at_while_nobody_asks(kernel):
    """What a cell has left behind took 3.6 GB against a limit of 2 while the judge computed."""
    code = "import threading\nkept = []\ndef more():\n    while True: kept.append(bytes(2**20) + b'x')\n"
    assert kernel.run(f"{code}threading.Timer(0.5, more).start()", LONG).stopped is None
    wait_until(lambda: not kernel.alive)
    assert kernel.run("1", LONG).stopped == "memory"


def test_memory_is_looked_at_in_every_question(monkeypatch):
    """Not only by who looks now and then."""
    monkeypatch.setattr(watch, "SECONDS", LONG)
    kernel = StudentKernel(limits=Limits(memory=300 * MIB))
    kernel.watch.look()
    kernel.run("def f():\n    global kept\n    kept = b'x' * (400 * 2**20)", LONG)
    assert kernel.ask(LONG, do="call", name="f", args=(), named={}).stopped == "memory"
    kernel.close()


def test_processor_time_is_bounded_whoever_uses_it():
    kernel = StudentKernel(limits=Limits(), cpu_seconds=3.0)
    children = "for _ in range(3):\n    if os.fork() == 0:\n        while True: pass\n"
    assert kernel.run(f"import os, time\n{children}time.sleep(1000)", LONG).stopped == "time"
    assert kernel.closed and 3.0 < kernel.cpu < 60.0
    kernel.close()


def test_shell_commands_and_children_work_as_ever(kernel):
    """The first take a terminal; and without a name for the loopback a kernel does not even start."""
    fork = (
        "import multiprocessing\nchild = multiprocessing.get_context('fork').Process(target=len, args=('x',))"
    )
    ran = kernel.run(f"!echo one\n{fork}\nchild.start()\nchild.join()\nprint(child.exitcode)", LONG)
    assert "".join(output.text for output in ran.outputs).split() == ["one", "0"]


def test_endless_message_is_too_much_output(kernel):
    """Written to the kernel's own sockets, past all that counts messages."""
    assert kernel.run(MESSAGE, LONG).stopped == "output"
    assert kernel.closed


def test_time_in_which_others_had_the_processor_is_not_the_notebooks(monkeypatch):
    """By figures that the system might give of what it had waited; half a second is given to each cell."""
    kernel = StudentKernel(limits=Limits(), cpu_seconds=LONG)
    try:
        kernel.watch.end()
        waits = iter([0.0, 1.0, 1.0])
        monkeypatch.setattr(kernel, "_waited", lambda now=False: next(waits))
        ran = kernel.run("import time\ntime.sleep(1000)", 0.5)
        assert (ran.stopped, ran.waited, ran.starved) == ("time", 1.0, False)
        assert ran.seconds >= 1.5
        waits = iter([0.0, 5.0, 5.0])
        ran = kernel.run("import time\ntime.sleep(1000)", 0.5)
        assert (ran.stopped, ran.waited, ran.starved) == ("time", 1.0, True)
        assert kernel.waited == 2.0 and kernel.starved
        waits = iter([0.0, 0.01])
        ran = kernel.run("import time\ntime.sleep(1000)", 0.5)
        assert (ran.stopped, ran.waited, ran.starved) == ("time", 0.0, False)
    finally:
        kernel.close()
