"""The sandbox: what exists in it, what it bounds, and that it says what to do where it cannot be made."""

import ast
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.sandbox import box, view
from autograder.sandbox.box import MIB, Limits, NoSandbox, Sandbox
from autograder.sandbox.doctor import attempts
from autograder.sandbox.seccomp import MACHINES, WHAT, refusals
from tests.autograder.waiting import FOR_EVER, wait_until

LIMITS = Limits(memory=256 * MIB, disk=8 * MIB)


@pytest.fixture(scope="module")
def sandbox():
    return Sandbox(["rnncore.cells", "rnncore.losses"], [], LIMITS)


def run(sandbox, code):
    """The value that a program printed."""
    status, text = sandbox.run(f"import os, sys\nprint({code})")
    assert status == 0, text
    return ast.literal_eval(text.strip())


def test_every_attack_is_held():
    findings = list(attempts())
    assert len(findings) == 16
    assert [finding for finding in findings if not finding.held] == []
    assert all(finding.says for finding in findings)


def test_hidden_modules_are_not_on_disk(sandbox):
    seen = set(run(sandbox, "[d + '/' + f for d, _, fs in os.walk('/site/rnncore') for f in fs]"))
    here = Path(box.__file__).parents[2] / "rnncore"
    assert {
        "/site/rnncore/__init__.py",
        "/site/rnncore/check/__init__.py",
        "/site/rnncore/observe.py",
    } <= seen
    assert not [name for name in seen if name.split("/")[3] in ("cells", "losses.py", "exercises")]
    assert not [name for name in seen if name.endswith(".pyc")]
    assert (here / "cells").is_dir() and (here / "losses.py").is_file()


def test_a_students_installation_is_there_and_nothing_else(sandbox):
    names = {name.split("-")[0].split(".")[0] for name in run(sandbox, "os.listdir('/site')")}
    assert {"numpy", "matplotlib", "ipykernel", "zmq", "tqdm", "rnncore", "unrolled_bridge"} <= names
    assert names.isdisjoint({"torch", "nbgrader", "jupyterlab", "autograder", "pytest", "nbformat", "pip"})


def test_needed_packages_come_with_what_they_require():
    names = set(run(Sandbox(needs=["nbformat"]), "os.listdir('/site')"))
    assert {"nbformat", "jsonschema", "attrs", "fastjsonschema"} <= names


def test_a_needed_package_that_is_not_installed_is_named():
    with pytest.raises(NoSandbox, match="needs the package not-a-package-of-ours"):
        Sandbox(needs=["not-a-package-of-ours"])


def test_rnncore_may_be_installed_as_a_wheel(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages" / "rnncore"
    for name in ("__init__.py", "check.py", "cells/rnn.py", "cells.py", "exercises/bptt.py", "data/x.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "check.pyc").write_text("")
    found = type("Spec", (), {"origin": str(folder / "__init__.py")})
    monkeypatch.setattr(view.importlib.util, "find_spec", lambda name: found)
    shown = {name.removeprefix("/site/rnncore/") for name in view._rnncore(("rnncore.cells",))}
    assert shown == {"__init__.py", "check.py", "data/x.txt"}


def test_environment_is_the_listed_one(sandbox, monkeypatch):
    monkeypatch.setenv("A_SECRET", "unheard")
    seen = run(sandbox, "dict(os.environ)")
    assert {**view.ENVIRONMENT, "PWD": "/work"} == seen


def test_nobody_is_root_and_nothing_is_left_open(sandbox):
    assert run(sandbox, "os.getuid()") != 0
    assert run(sandbox, "os.getgroups()") in ([], [run(sandbox, "os.getgid()")], [65534])
    assert run(sandbox, "sorted(map(int, os.listdir('/proc/self/fd')))[:-1]") == [0, 1, 2]


def test_writable_folders_are_empty_and_small(sandbox):
    for folder in ("/work", "/tmp", "/dev/shm"):
        text = f"(lambda s: s.f_blocks * s.f_frsize)(os.statvfs({folder!r}))"
        assert run(sandbox, text) == LIMITS.disk
    assert run(sandbox, "os.listdir('/work')") == []
    sandbox.run("open('/work/left', 'w').write('by the one before')")
    assert run(sandbox, "os.listdir('/work')") == []


def test_resource_limits_are_set(sandbox):
    code = "import resource as r; print([r.getrlimit(getattr(r, n)) for n in {}])"
    names = list(LIMITS.as_rlimits())
    _, text = sandbox.run(code.format(names))
    assert ast.literal_eval(text) == [(value, value) for value in LIMITS.as_rlimits().values()]


def test_each_worker_has_a_processor_of_its_own_and_none_leaves_it(sandbox, monkeypatch):
    code = """
import os
print(os.sched_getaffinity(0))
try:
    os.sched_setaffinity(0, range(1000))
except OSError as error:
    print(error.strerror)
"""
    # Under a name of its own, apart from what this process and others have taken already.
    monkeypatch.setattr(box, "PROCESSOR", f"of-this-test-{os.getpid()}")
    monkeypatch.setattr(box, "_taken", [])
    box.own_processor.cache_clear()
    try:
        mine = box.own_processor()
        assert sandbox.run(code) == (0, f"{ {mine} }\nOperation not permitted\n")
        box.own_processor.cache_clear()
        monkeypatch.setattr(box.os, "sched_getaffinity", lambda pid: {mine})
        assert box.own_processor() is None  # another worker has it
        os.close(box._taken.pop())
        box.own_processor.cache_clear()
        assert box.own_processor() == mine
    finally:
        for kept in box._taken:
            os.close(kept)
        box.own_processor.cache_clear()


def test_whoever_only_asks_whether_there_is_a_sandbox_takes_no_processor():
    """The process that sends out work does: its workers are to have them."""
    code = """
from autograder.sandbox import box
box.Sandbox()
print(box._taken)
"""
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout == "[]\n"


def test_memory_of_children_is_counted(sandbox):
    code = "import os, time\nif os.fork() == 0: kept = bytearray(90 * 2**20)\ntime.sleep(120)"
    contained = sandbox.start([box.python(), "-c", code])
    try:
        while (held := contained.memory()) <= 90 * MIB:
            with pytest.raises(subprocess.TimeoutExpired):  # it has not ended without having held so much
                contained.process.wait(0.02)
        assert 90 * MIB < held < 140 * MIB
        assert len(contained.pids()) == 2
        assert contained.exceeds(90 * MIB) and not contained.exceeds(140 * MIB)
    finally:
        contained.kill()
    assert contained.pids() == []


def test_a_run_that_does_not_end_is_ended(sandbox, monkeypatch):
    start, started = Sandbox.start, []

    def start_and_listen(self, argv, files=None):
        """The limit counts from here, so it may be short once the program runs."""
        started.append(start(self, argv, files))
        wait_until(started[0].output)
        return started[0]

    monkeypatch.setattr(Sandbox, "start", start_and_listen)
    status, text = sandbox.run("print('here', flush=True)\nwhile True: pass", seconds=0.1)
    assert (status, text) == (None, "here\n")
    assert started[0].pids() == []


# Where there is no sandbox ---------------------------------------------------------------------------


@pytest.fixture
def bwrap(tmp_path, monkeypatch):
    """A stand-in for bubblewrap, made of its version and what it complains of."""
    box._probe.cache_clear()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(version, complaint):
        program = tmp_path / "bwrap"
        program.write_text(
            "#!/bin/sh\n"
            f"[ $1 = --version ] && echo bubblewrap {version} && exit\n"
            f"echo '{complaint}' >&2\nexit 1\n"
        )
        program.chmod(0o755)

    yield make
    box._probe.cache_clear()


def test_no_bubblewrap(bwrap, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoSandbox, match="apt install bubblewrap"):
        Sandbox()


def test_old_bubblewrap(bwrap):
    bwrap("0.6.1", "")
    with pytest.raises(NoSandbox, match=r"0\.8 or newer"):
        Sandbox()


@pytest.mark.parametrize(
    ("complaint", "apparmor", "container", "says"),
    [
        (
            "bwrap: setting up uid map: Permission denied",
            "1",
            False,
            "apparmor_restrict_unprivileged_userns=0",
        ),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "1", False, "AppArmor"),
        ("bwrap: No permissions to create new namespace, likely ...", None, True, "this container"),
        ("bwrap: Creating new namespace failed: Operation not permitted", "0", True, "this container"),
        ("bwrap: No permissions to create new namespace, likely ...", "0", False, "max_user_namespaces"),
        ("bwrap: Cannot find anything", "1", True, "it says: bwrap: Cannot find anything"),
        ("", None, False, "no message"),
    ],
)
def test_what_to_change_is_said_in_one_sentence(bwrap, monkeypatch, complaint, apparmor, container, says):
    bwrap("0.9.0", complaint)
    monkeypatch.setattr(box, "_apparmor_restricts", lambda: apparmor == "1")
    monkeypatch.setattr(box, "_in_container", lambda: container)
    with pytest.raises(NoSandbox) as caught:
        Sandbox()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


# System calls ------------------------------------------------------------------------------------------


def test_filter_names_as_many_calls_as_it_refuses_and_is_a_whole_program():
    for machine, (*_, refused) in MACHINES.items():
        assert len(refused) == len(set(refused)) == len(WHAT.split())
        assert len(refusals(machine)) % 8 == 0
    assert refusals("vax") is None


def test_namespaces_and_tracing_are_refused(sandbox):
    code = """
import ctypes, errno, os, threading
libc = ctypes.CDLL(None, use_errno=True)
for call, arguments in (("unshare", (0x10000000,)), ("ptrace", (0, 0, 0, 0)), ("setns", (0, 0))):
    print(getattr(libc, call)(*arguments), errno.errorcode[ctypes.get_errno()])
thread = threading.Thread(target=print, args=("threads work",))
thread.start(); thread.join()
if os.fork() == 0: os._exit(7)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    assert sandbox.run(code) == (0, "-1 EPERM\n" * 3 + "threads work\n7\n")


def test_memory_is_shared_by_way_of_files_that_have_a_size(sandbox):
    """What multiprocessing does; memory without a file is refused, as doctor shows."""
    code = """
import multiprocessing, os
numbers = multiprocessing.get_context("fork").Array("d", 3)
if os.fork() == 0:
    numbers[1] = 7.0
    os._exit(0)
os.wait()
print(numbers[:])
"""
    assert sandbox.run(code) == (0, "[0.0, 7.0, 0.0]\n")


def test_limits_can_be_changed_one_at_a_time():
    assert replace(Limits(), memory=5).as_rlimits()["RLIMIT_AS"] == 5 + 2048 * MIB


def test_interpreter_is_the_one_that_runs_this():
    assert Path(box.python()).resolve() == Path(sys.executable).resolve()


def test_a_sandbox_whose_owner_has_ended_while_it_was_made_ends(sandbox, monkeypatch):
    pipe, made = os.pipe, []

    def orphaned():
        made.append(pipe())
        if len(made) == 2:  # the second tells the sandbox of us
            end = os.open(os.devnull, os.O_WRONLY)
            os.dup2(end, made[1][1])
            os.close(end)
        return made[-1]

    monkeypatch.setattr(box.os, "pipe", orphaned)
    contained = sandbox.start([box.python(), "-c", "print('it runs')"])
    assert contained.process.wait(FOR_EVER) == 1
    contained.kill()
    assert contained.output().strip() == "who started this is gone"
