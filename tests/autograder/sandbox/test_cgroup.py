"""Control groups where there are some: a folder stands for the system's, which few machines let us divide."""

import os

import pytest
from typer.testing import CliRunner

from autograder.classroom.processes import NURSERY, SANDBOX, started_early
from autograder.classroom.worker import MEMORY
from autograder.cli import commands
from autograder.sandbox import cgroup
from autograder.sandbox.box import Limits
from autograder.sandbox.cgroup import Group, where
from tests.autograder.waiting import FOR_EVER, wait_until


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A system with cgroup 2 in which we are in /user/shell, beside which there is room."""
    root, own = tmp_path / "cgroup", tmp_path / "own"
    here = root / "user" / "shell"
    here.mkdir(parents=True)
    (root / "cgroup.controllers").write_text("cpu memory pids\n")
    for folder, passes_on in ((root, "memory"), (root / "user", "cpu memory"), (here, "")):
        (folder / "cgroup.subtree_control").write_text(passes_on)
        (folder / "cgroup.procs").write_text("")
    own.write_text("1:name=systemd:/elsewhere\n0::/user/shell\n")
    monkeypatch.setattr(cgroup, "ROOT", root)
    monkeypatch.setattr(cgroup, "OWN", own)
    monkeypatch.setattr(cgroup, "EMPTY_SECONDS", 0)
    return root


def test_a_group_is_made_beside_our_own(system):
    assert where() == (system / "user", "")
    group = Group(2**30)
    assert group.folder.parent == system / "user"
    assert (group.folder / "memory.max").read_text() == str(2**30)
    group.take(42)
    assert (group.folder / "cgroup.procs").read_text() == "42"
    assert not group.overran()
    (group.folder / "memory.events").write_text("low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\noom_group_kill 0\n")
    assert group.overran()
    group.remove()
    assert (group.folder / "cgroup.kill").read_text() == "1"


def test_who_was_started_by_another_is_taken_into_our_group_if_that_is_one_of_ours(system):
    cgroup.take_into_own(42)
    assert not (system / "user" / "shell" / "cgroup.procs").read_text()
    group = Group(2**30)
    cgroup.OWN.write_text(f"0::/user/{group.folder.name}\n")
    cgroup.take_into_own(42)
    assert (group.folder / "cgroup.procs").read_text() == "42"
    cgroup.OWN.unlink()
    cgroup.take_into_own(43)


def test_it_follows_what_the_instructor_lets_a_notebook_hold(system):
    """A bound of ours below theirs would end work that is within theirs."""
    assert Limits().memory == SANDBOX

    def bounds():
        return [int((folder / "memory.max").read_text()) for folder in (system / "user").glob("unrolled-*")]

    with started_early(1) as pool:
        wait_until(bounds)
        with pool(1, sandbox=8 * 2**30):
            assert bounds() == [MEMORY + 8 * 2**30 + NURSERY]
        with pool(1, sandbox=2**28) as second:
            second.submit(int).result(FOR_EVER)
            assert MEMORY + 2**28 + NURSERY in bounds()  # beside the first one's, which only a system removes


def test_what_a_killed_run_left_is_removed(system):
    left = system / "user" / "unrolled-0-0"
    left.mkdir()
    assert Group(1).folder.name.startswith(f"unrolled-{os.getpid()}-") and not left.exists()


@pytest.mark.parametrize("lacks", ["cgroup 2", "its memory", "memory", "room", "a line of ours"])
def test_where_there_is_none_nothing_is_made_and_doctor_says_why(system, lacks, monkeypatch):
    if lacks == "cgroup 2":
        (system / "cgroup.controllers").unlink()
    elif lacks == "its memory":
        (system / "unified").mkdir()
        (system / "cgroup.controllers").rename(system / "unified" / "cgroup.controllers")
        assert "cgroup 1" in where()[1]
    elif lacks == "memory":
        (system / "user" / "cgroup.subtree_control").write_text("cpu")
    elif lacks == "room":
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    else:
        cgroup.OWN.write_text("4:memory:/\n")
    before = sorted(system.rglob("*"))
    folder, why = where()
    assert folder is None and why
    group = Group(1)
    group.take(os.getpid())
    group.remove()
    assert group.folder is None and not group.overran() and sorted(system.rglob("*")) == before
    monkeypatch.setattr("autograder.cli.commands.prepare.attempts", lambda: [])
    said = CliRunner().invoke(commands.app, ["doctor"])
    assert said.exit_code == 0 and why in " ".join(said.output.split())


def test_a_group_that_the_system_refuses_after_all_takes_nobody_in(system, monkeypatch):
    (system / "user").chmod(0o700)
    monkeypatch.setattr(cgroup.Path, "write_text", refuse)
    group = Group(1)
    group.take(os.getpid())
    assert group.folder is None and not list(system.rglob("unrolled-*"))


def refuse(path, text):
    raise PermissionError(13, "Permission denied", str(path))
