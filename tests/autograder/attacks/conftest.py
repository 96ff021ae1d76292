"""The attack suite's runs: the whole class graded once for each file of tests, which says how (``WAY``)."""

import contextlib
import ctypes
import os
import secrets
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.sandbox.box import Sandbox
from tests.autograder.attacks import bank, core
from tests.autograder.attacks.honest import NEIGHBOURS
from tests.autograder.waiting import wait_until

pytest.register_assert_rewrite("tests.autograder.attacks.suite")

BANK = bank()
SECRET = b"the same for all of these runs, 32 or more bytes"
# Files and pages do not depend on how a kernel was started; what runs in it might.
MIGHT_DIFFER = ("forging", "reach", "exhaustion", "death")
# A cold kernel has the same limits and sees the same as a warm one (``sandbox/test_warm.py``), and is asked
# over the same wire. What is its own is how it came to be, so one submission a way in which that could matter
# is graded cold whenever tests run, and all of MIGHT_DIFFER with UNROLLED_ATTACKS=all (`make attacks`).
COLD = (
    # a program of its own instead of a fork: what lies in its memory, and who answers in it
    *("searched-frames", "patched-observe", "patched-run-cell", "answered-for", "everything-at-once"),
    # started from outside, with files, an environment and a parent of its own
    *("everywhere", "searched-disk", "read-secrets", "network", "overwritten-packages", "traced-parent"),
    *("left-startup-files", "left-behind", "left-behind-searched"),
    # its limits are taken by another program: time, memory of each kind, processes, disk, terminals, output
    *("uninterrupted-call", "memory-at-once", "memory-of-children", "memory-in-names", "fork-bomb"),
    *("full-disk", "all-terminals", "flood-in-a-call"),
    # it ends, is missed and is replaced in another way
    *("exits-in-a-call", "kills-itself", "kills-all-in-sight", "stops-itself", "closes-sockets"),
    "deadlock-at-exit",
)
ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER, see prctl(2)


def cold(attack):
    """Whether an attack is graded with cold kernels, too."""
    if os.environ.get("UNROLLED_ATTACKS") == "all":
        return attack.family in MIGHT_DIFFER
    return attack.id in COLD


def children():
    """What runs below this process, except what multiprocessing keeps for itself."""
    found = set()
    for task in os.listdir("/proc/self/task"):
        for pid in Path(f"/proc/self/task/{task}/children").read_text().split():
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if command and b"resource_tracker" not in command:
                found.add((pid, command))
    return found


def files_of(folder):
    """{path: content} of every file in a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The honest neighbours' results where nobody attacks."""
    Sandbox()  # without one, tests/conftest.py skips these tests, or fails them in CI
    return core.grade_class(tmp_path_factory.mktemp("alone"), NEIGHBOURS, secret=SECRET, workers=1)[3]


@pytest.fixture(scope="module")
def attacked(request, alone, tmp_path_factory):
    """The suite, graded as the module says (WAY): what came of it, and the host before and after."""
    way = request.module.WAY
    folder, token = tmp_path_factory.mktemp(way), core.CANARY + secrets.token_hex(16)
    chosen = {attack.id: attack.put for attack in BANK.values() if way == "warm" or cold(attack)}
    everyone = {**chosen, **NEIGHBOURS}
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1)
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.NamedTemporaryFile("w", dir=Path.home(), prefix=".unrolled-") as canary,
    ):
        canary.write(token)
        canary.flush()
        patch.setenv("UNROLLED_SECRET", token)
        patch.setenv("USER", token)
        course_before = files_of(core.write_course(folder / "course")[0])
        before = children(), dict(os.environ), os.getcwd()
        workspace, lesson, spec, results = core.grade_class(
            folder, everyone, warm=way == "warm", secret=SECRET
        )
        with contextlib.suppress(AssertionError):  # then test_host_is_as_it_was tells what is left
            wait_until(lambda: children() == before[0])  # what was killed takes a moment to end
        after = children(), dict(os.environ), os.getcwd()
    return SimpleNamespace(
        way=way,
        workspace=workspace,
        lesson=lesson,
        spec=spec,
        results=results,
        everyone=everyone,
        token=token,
        course_before=course_before,
        before=before,
        after=after,
    )
