"""Forked kernels: they are as cold ones are, and nothing passes between them or to what forks them."""

import ast
import os
import signal
import textwrap
import threading

import pytest

from autograder.judging.notebook import grade_notebook
from autograder.judging.status import Status
from autograder.sandbox import warm
from autograder.sandbox.box import MIB, Limits
from autograder.sandbox.kernels import NurseryFault, StudentKernel
from autograder.sandbox.warm import NoNursery, Nursery, nursery_for
from tests.autograder.attacks.exhaustion import FORK_BOMB, HELD
from tests.autograder.attacks.reach import LEAVE, LOOK
from tests.autograder.small_lesson import LIMITS as GRADING
from tests.autograder.small_lesson import POINTS, SECRET, lesson, points, submission
from tests.autograder.waiting import BEGIN, has_begun, wait_until

LIMITS = Limits(memory=400 * MIB, disk=8 * MIB, output_bytes=MIB, reply_bytes=MIB, processes=24)
LONG = 120  # seconds that nothing here needs


@pytest.fixture
def start():
    """Starts kernels, which end with the test."""
    started = []

    def start(forked=True, limits=LIMITS):
        started.append(StudentKernel(["rnncore.cells"], limits=limits, warm=forked))
        assert started[-1].warm == forked
        return started[-1]

    yield start
    for kernel in started:
        kernel.close()


def said(kernel, code):
    """What a cell printed."""
    ran = kernel.run(code, LONG)
    assert ran.stopped is None
    assert [output.output_type for output in ran.outputs] in (["stream"], []), ran.outputs
    return ran.outputs[0].text if ran.outputs else ""


FACTS = """
import builtins, gc, os, resource, signal, sys, threading, warnings
import numpy

def status():
    lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
    kept = ("Cap", "Seccomp", "NoNew", "Umask")
    return {name: lines[name].split() for name in lines if name.startswith(kept)}

def opened():
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append((os.readlink(f"/proc/self/fd/{number}").split(":")[0], int(number) < 3))
        except OSError:
            pass
    return sorted(found)

def limits():
    names = [name for name in dir(resource) if name[:6] == "RLIMIT"]
    return {name: resource.getrlimit(getattr(resource, name)) for name in names}

def folders():
    return {name: (sorted(os.listdir(name)), os.statvfs(name).f_blocks, oct(os.stat(name).st_mode))
            for name in ("/work", "/tmp", "/tmp/matplotlib", "/dev/shm", "/kernel", "/dev/pts", "/", "/site")}

def mounts():
    words = [line.split() for line in open("/proc/self/mounts")]
    kept = ("/", "/usr", "/dev", "/work", "/tmp", "/dev/shm", "/kernel", "/proc", "/dev/pts")
    flags = ("ro", "rw", "nosuid", "nodev", "noexec")
    last = {word[1]: (word[2], sorted(set(word[3].split(",")).intersection(flags))) for word in words}
    return {name: last[name] for name in kept if name != "/kernel"}

print(dict(
    argv=sys.argv, path=sys.path, folder=os.getcwd(), environment=dict(os.environ), status=status(),
    opened=opened(), limits=limits(), folders=folders(), mounts=mounts(), groups=os.getgroups(),
    rooted=os.getuid() == 0 or os.getgid() == 0, numbers=(os.getpid(), os.readlink("/proc/self")),
    processes=sorted(filter(str.isdigit, os.listdir("/proc"))), leader=os.getsid(0) == os.getpid(),
    threads=sorted(thread.name.split("-")[0] for thread in threading.enumerate()),
    handlers=[str(signal.getsignal(number)) for number in (1, 2, 10, 12, 13, 14, 15, 17)],
    filters=sorted(map(str, warnings.filters)), enabled=gc.isenabled(), names=sorted(vars(builtins)),
    host=os.uname().nodename, flags=tuple(sys.flags), here=[name for name in dir() if name[0] != "_"],
    loopback=open("/sys/class/net/lo/operstate").read() if os.path.exists("/sys") else "",
    network=open("/proc/net/dev").read().count(":"), version=sys.version, recursion=sys.getrecursionlimit(),
))
"""


def test_a_forked_kernel_is_as_one_that_was_started(start):
    cold, forked = (ast.literal_eval(said(start(way), FACTS)) for way in (False, True))
    rights = {name: value for name, value in forked["status"].items() if name.startswith("Cap")}
    assert set(map(tuple, rights.values())) == {("0000000000000000",)}
    for name in ("CapBnd", "CapInh"):  # bubblewrap leaves something there, of no use to anybody
        cold["status"].pop(name), forked["status"].pop(name)
    assert forked["status"]["Seccomp"] == ["2"]
    assert {name for name in cold if cold[name] != forked[name]} == set()


def test_nothing_is_left_for_the_next_one(start):
    first = start()
    left = first.manager.provisioner.contained
    assert first.run(LEAVE, LONG).stopped is None
    outside = [left.root_pid, *left.pids()]
    assert len(outside) == 4
    first.close()
    assert not [pid for pid in outside if os.path.exists(f"/proc/{pid}/stat") and _runs(pid)]
    second = start()
    assert second.nursery is first.nursery
    assert said(second, LOOK) == "[]\n"


def test_nothing_is_seen_by_one_beside_it(start):
    first, second = start(), start()
    assert second.nursery is first.nursery
    assert first.run(LEAVE, LONG).stopped is None
    assert said(second, LOOK) == "[]\n"


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


ATTACK = """
import ctypes, glob, os, resource, signal
libc = ctypes.CDLL(None, use_errno=True)
reached = []
own = set(map(int, os.listdir("/proc/self/task")))
for pid in {{{numbers}, 1}} - own:
    for name in ("mem", "environ", "maps", "fd/0", "fd/3", "root/kernel", "cwd/x", "task/1/children"):
        try:
            text = open(f"/proc/{{pid}}/{{name}}", "rb").read(1)
            if name != "task/1/children" or pid != 1:
                reached.append((pid, name))
        except OSError:
            pass
    if libc.ptrace(16, pid, None, None) == 0:
        reached.append((pid, "ptrace"))
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, signal.SIGUSR1, 33):
        try:
            os.kill(pid, number)
        except OSError:
            pass
    try:
        os.setpriority(os.PRIO_PROCESS, pid, 19)
    except OSError:
        pass
for name, arguments in (("unshare", (0x10000000,)), ("unshare", (0x20000,)), ("setns", (0, 0)),
                        ("umount2", (b"/work", 2)), ("mount", (b"x", b"/work", b"tmpfs", 0, None)),
                        ("setuid", (0,)), ("setgid", (0,)), ("chroot", (b"/work",)),
                        ("ptrace", (0, 0, 0, 0))):
    if getattr(libc, name)(*arguments) == 0:
        reached.append(name)
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/self/uid_map", "/usr/x",
             "/site/x", "/dev/x", "/x", "/etc/x", "/kernel/connection.json"):
    try:
        open(path, "wb", buffering=0).write(b"x")
        reached.append(path)
    except OSError:
        pass
try:
    os.kill(-1, signal.SIGUSR2)
except OSError:
    pass
print(reached)
"""


def test_neighbours_and_what_forks_them_cannot_be_touched(start):
    attacker, neighbour = start(), start()
    nursery = attacker.nursery
    victims = [*nursery.contained.pids(), neighbour.manager.provisioner.contained.root_pid]
    inner = [_inner(pid) for pid in victims]
    quiet = "import signal; signal.signal(signal.SIGUSR2, signal.SIG_IGN)\n"
    numbers = ", ".join(str(number) for number in {*victims, *inner, 3, 4, 5} - {1, 2})
    assert ast.literal_eval(said(attacker, quiet + ATTACK.format(numbers=numbers))) == []
    assert said(neighbour, "print('untouched')") == "untouched\n"
    assert nursery.alive
    assert start().nursery is nursery


def _inner(pid):
    """The number of a process in the nursery's own namespace."""
    with open(f"/proc/{pid}/status") as file:
        return int(next(line for line in file if line.startswith("NSpid")).split()[2])


TRAIN = """
import sys
names = {"torch", "torch._dynamo", "rnncore.given.standin", "rnncore.topics.pytorch"}
here = sorted(names.intersection(sys.modules))
import torch
drawn = torch.rand(1).item()
torch.manual_seed(0)
model = torch.nn.LSTM(3, 5, batch_first=True)
optimiser = torch.optim.Adam(model.parameters())
for _ in range(3):
    model(torch.rand(4, 7, 3))[0].sum().backward()
    optimiser.step()
print(dict(
    here=here, drawn=drawn, threads=torch.get_num_threads(), trained=float(model.weight_hh_l0.detach().sum()),
    device=torch.empty(0).device.type, cuda=torch.cuda.is_available(),
))
"""


def test_a_lesson_that_needs_torch_finds_it_imported_and_is_none_the_worse():
    ways = (False, True, True)
    kernels = [StudentKernel(["rnncore.topics.pytorch"], ["torch"], warm=forked) for forked in ways]
    try:
        cold, forked, another = (ast.literal_eval(said(kernel, TRAIN)) for kernel in kernels)
        assert cold.pop("here") == []
        for one in (forked, another):
            assert one.pop("here") == ["torch", "torch._dynamo"]  # the second is what optimisers import
        assert len({one.pop("drawn") for one in (cold, forked, another)}) == 3
        assert cold == forked == another and forked["threads"] == 1
        held = kernels[1].nursery.contained.memory() + kernels[1].manager.provisioner.contained.memory()
        assert held < 1200 * MIB
    finally:
        for kernel in kernels:
            kernel.close()


def test_users_differ_and_so_do_random_numbers(start):
    code = "import os, random, numpy as np\nprint(os.getuid(), random.random(), np.random.rand())"
    words = [said(start(), code).split() for _ in range(3)]
    users, *numbers = zip(*words, strict=True)
    assert all(len(set(column)) == 3 for column in numbers)
    assert len(set(users)) == (3 if os.geteuid() == 0 else 1)


def test_one_that_takes_all_processes_and_memory_takes_only_its_own(start):
    bomb, neighbour = start(), start()
    code = FORK_BOMB.replace("except OSError: pass", f"except OSError: {BEGIN}")
    assert BEGIN in code  # which it says when nothing more can be started
    bomb.session.send(bomb.shell, "execute_request", {"code": code, "silent": True})
    wait_until(lambda: has_begun(bomb))
    code = "import os, warnings\nwarnings.simplefilter('ignore')\n"  # of a kernel's threads
    code += "for _ in range(5):\n    if os.fork() == 0: os._exit(0)\n    os.wait()\nprint('forked')"
    assert said(neighbour, code) == "forked\n"
    assert said(start(), code) == "forked\n"
    assert len(bomb.manager.provisioner.contained.pids()) > 10


@pytest.mark.parametrize("way", ["cell", "call"])
def test_one_that_takes_memory_without_end_is_stopped_for_that_alone(start, way):
    hog, neighbour = start(), start()
    hog.run(f"def f():\n{textwrap.indent(HELD, '    ')}", LONG)
    ran = hog.run("f()", LONG) if way == "cell" else hog.ask(LONG, do="call", name="f", args=(), named={})
    assert (ran.stopped, hog.closed, hog.nursery.alive) == ("memory", True, True)
    assert said(neighbour, "print(len(b'x' * 2**26))") == f"{2**26}\n"
    assert start().nursery is hog.nursery


def test_disk_of_one_is_not_taken_from_another(start):
    first, second = start(), start()
    fill = "try:\n    open('/tmp/x', 'wb').write(bytes(2**26))\nexcept OSError as e: print(e.errno)"
    assert said(first, fill) == "28\n"
    assert said(second, "print(open('/tmp/y', 'wb').write(bytes(2**22)))") == f"{2**22}\n"


# The nursery's death ---------------------------------------------------------------------------------


def test_death_of_the_nursery_is_not_the_students(start):
    kernel = start()
    os.kill(kernel.nursery.contained.pids()[0], signal.SIGKILL)
    assert kernel.run("import time; time.sleep(600)", LONG).stopped == "death"
    with pytest.raises(NurseryFault):
        kernel.blame()
    another = start()
    assert another.nursery is not kernel.nursery
    assert said(another, "print(1)") == "1\n"
    assert another.run("import os; os._exit(0)", LONG).stopped == "death"
    another.blame()


def test_notebook_whose_nursery_died_is_graded_cold_and_the_next_warm(monkeypatch):
    def grade(first):
        words = {"student": "ada", "secret": SECRET, "warm": True}
        return grade_notebook(submission(first=first), lesson(), GRADING, **words)

    def kill(kernel):
        wait_until(lambda: has_begun(kernel))
        os.kill(kernel.nursery.contained.pids()[0], signal.SIGKILL)

    def run(kernel, code, *limits):
        if code == BEGIN and kernel.warm:
            code += "import time; time.sleep(600)"  # it is there when the nursery dies
            threading.Thread(target=kill, args=(kernel,), daemon=True).start()
        return whole(kernel, code, *limits)

    whole = StudentKernel.run
    monkeypatch.setattr(StudentKernel, "run", run)
    graded = grade(BEGIN)
    assert (points(graded), graded.status, graded.remarks) == (POINTS, Status.GRADED, [])
    assert graded.provenance["kernel"] == "cold"
    graded = grade("print(1)")
    assert (points(graded), graded.provenance["kernel"]) == (POINTS, "warm")


def test_where_nothing_can_be_forked_kernels_are_started(monkeypatch):
    monkeypatch.setattr(warm, "refusals", lambda: None)
    with pytest.raises(NoNursery, match="no filter"):
        Nursery()
    kernel = StudentKernel(["rnncore.layers"], limits=LIMITS, warm=True)
    try:
        assert not kernel.warm
        assert said(kernel, "print(1)") == "1\n"
    finally:
        kernel.close()


def test_a_package_that_starts_a_thread_is_not_imported_beforehand(tmp_path, monkeypatch):
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(10**6,), daemon=True).start()"
    )
    whole = warm.view
    monkeypatch.setattr(
        warm,
        "view",
        lambda hides, needs, nursery: [
            *whole(hides, (), nursery),
            "--ro-bind",
            str(tmp_path / "threaded.py"),
            "/site/threaded.py",
        ],
    )
    with pytest.raises(NoNursery, match="started a thread"):
        Nursery(needs=["threaded"]).ready()


def test_nurseries_are_kept_by_what_they_show_and_not_without_end():
    first = nursery_for(["rnncore.cells"])
    assert nursery_for(["rnncore.cells"]) is first
    second = nursery_for(["rnncore.layers"])
    assert second is not first and first.alive and second.alive
    nursery_for(["rnncore.losses"])
    assert not first.alive and second.alive
    warm.close_all()
    assert not second.alive


def test_nothing_of_it_stays_when_it_is_closed(start):
    kernel = start()
    pids = [*kernel.nursery.contained.pids(), kernel.manager.provisioner.contained.root_pid]
    warm.close_all()
    assert not [pid for pid in pids if _runs(pid)]
