"""Grading on a Dask cluster: a real scheduler and real workers, over TLS on loopback, some of which die."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from threading import Thread
from unittest.mock import ANY

import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograder.classroom import cluster
from autograder.classroom.runner import run
from autograder.cli import commands
from autograder.course.places import CourseError, all_lessons
from autograder.gradebook import database
from autograder.sandbox.box import Limits, NoSandbox
from tests.autograder.standins import (
    doomed_by_its_second,
    hoards_for_mallory,
    kills_worker_for_mallory,
    starts,
)
from tests.autograder.waiting import FOR_EVER, wait_until

ROOT = Path(__file__).parents[3]


class Machines:
    """A scheduler and its workers, started by a test, each a process of its own."""

    def __init__(self, folder):
        self.folder, self.log = folder, folder / "log"
        self.tls = {"tls_ca": folder / "cert.pem", "tls_cert": folder / "cert.pem"}
        self.tls["tls_key"] = folder / "key.pem"
        subprocess.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
            "-subj /CN=test -keyout key.pem -out cert.pem".split(),
            cwd=folder,
            check=True,
            capture_output=True,
        )
        self.processes = []
        told = folder / "scheduler.json"
        self.scheduler = self.start(
            "scheduler", "--host", "tls://127.0.0.1", "--port", "0", "--scheduler-file", told
        )
        wait_until(told.exists)
        wait_until(lambda: told.read_text().endswith("}"))
        self.address = json.loads(told.read_text())["address"]

    def start(self, kind, *words, **environment):
        files = ("--tls-ca-file", self.tls["tls_ca"], "--tls-cert", self.tls["tls_cert"])
        words = (*words, *files, "--tls-key", self.tls["tls_key"], "--no-dashboard")
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", kind, *map(str, words)],
            cwd=ROOT,
            env={**os.environ, "STANDIN_LOG": str(self.log), "OMP_NUM_THREADS": "1", **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def start_worker(self, threads=1, **environment):
        """A worker without the process that would start it again."""
        words = ("--nthreads", threads, "--no-nanny", "--local-directory", self.folder)
        return self.start("worker", self.address, *words, **environment)

    def connect(self):
        return cluster.connect(self.address, **self.tls)

    def wait_for_workers(self, count, threads=1):
        with self.connect() as client:
            wait_until(lambda: list(client.nthreads().values()) == [threads] * count)

    def starts(self):
        """(process, student) for every time that a stand-in began, in order."""
        return starts(self.log)

    def end(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def machines(tmp_path, monkeypatch):
    # A file that is edited while this test runs would make the later workers another version.
    monkeypatch.setattr(cluster, "grader_version", lambda: ANY)
    for name in ("CONNECT_SECONDS", "SILENCE_SECONDS"):
        monkeypatch.setattr(cluster, name, FOR_EVER)
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificates, is not installed")
    machines = Machines(tmp_path)
    yield machines
    machines.end()


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]


def hand_in(workspace, lesson, students):
    for student in students:
        path = workspace.submitted / student / lesson.name / "double.ipynb"
        path.parent.mkdir(parents=True)
        shutil.copy(lesson.lesson_path, path)


def test_lost_workers_cost_nobody_anything(machines, workspace, lesson, spec):
    """One worker is killed in the middle, then a notebook kills two of the three that there are."""
    students = [f"student{number}" for number in range(6)]
    hand_in(workspace, lesson, students)
    workers = [machines.start_worker(STANDIN_DOOMED="DOOMED")]
    workers.append(machines.start_worker(STANDIN_DOOMED=str(workers[0].pid)))
    seen = []

    def kill_one():
        wait_until(lambda: [pid for pid, _ in machines.starts()].count(workers[0].pid) == 2)
        workers[0].kill()

    machines.wait_for_workers(2)
    with machines.connect() as client:
        executor = cluster.Cluster(client, spec, Limits()).executor
        options = {"executor": executor, "grade": doomed_by_its_second}
        Thread(target=kill_one, daemon=True).start()
        results, _ = run(workspace, lesson, spec, on_result=seen.append, **options)
        assert {(r["status"], r["score"]) for r in results.values()} == {("graded", 2.5)}
        assert database.standings(workspace, spec) == {name: (2.5, False) for name in students}
        assert sorted(result["student"] for result in seen) == students
        (lost,) = [name for pid, name in machines.starts() if pid == workers[0].pid][-1:]
        twice = [name for name, times in Counter(name for _, name in machines.starts()).items() if times > 1]
        assert twice == [lost]

        machines.log.unlink()
        hand_in(workspace, lesson, ["Mallory"])
        workers += [machines.start_worker(), machines.start_worker()]
        machines.wait_for_workers(3)
        some = ["Mallory", *students[:3]]
        options = {"executor": executor, "grade": kills_worker_for_mallory, "force": True, "only": some}
        results, _ = run(workspace, lesson, spec, **options)
        assert results.pop("Mallory")["status"] == "infrastructure fault"
        assert {r["status"] for r in results.values()} == {"graded"}
        times = Counter(name for _, name in machines.starts())
        assert times == {**dict.fromkeys(some[1:], 1), "Mallory": 2}
        ended = [-signal.SIGKILL] * 2
        wait_until(lambda: [status for worker in workers[1:] if (status := worker.poll())] == ended)
        with Gradebook(workspace.db_url, database.COURSE_ID) as book:
            grades = book.find_submission_notebook("double", lesson.name, "Mallory").grades
            assert [one.auto_score for one in grades] == [None, None, None]

        options = {"executor": executor, "grade": hoards_for_mallory, "force": True, "only": ["Mallory"]}
        results, _ = run(workspace, lesson, spec, **options)
        assert results["Mallory"]["status"] == "memory limit"


def test_the_command_grades_on_a_cluster_and_a_worker_without_a_sandbox_stops_it(
    machines, workspace, lesson, released
):
    hand_in(workspace, lesson, ["Ann"])
    good = machines.start_worker()
    machines.wait_for_workers(1)
    words = ["grade", "01", "--course", released, "-w", workspace.root, "--scheduler", machines.address]
    for name, path in machines.tls.items():
        words += [f"--{name.replace('_', '-')}", path]
    words = list(map(str, words))
    result = CliRunner().invoke(commands.app, words)
    assert result.exit_code == 0, result.output
    told = json.loads((workspace.results / lesson.name / "Ann.json").read_text())
    assert told["status"] == "graded" and told["provenance"]["sandbox"] is True

    good.kill()
    machines.wait_for_workers(0)
    bare = machines.start_worker(PATH=str(machines.folder))
    machines.wait_for_workers(1)
    result = CliRunner().invoke(commands.app, [*words, "--force"])
    assert result.exit_code == 1
    assert "On the worker tls://127.0.0.1" in result.stderr and "bubblewrap" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1

    bare.kill()
    machines.wait_for_workers(0)
    machines.start_worker(threads=2)
    machines.wait_for_workers(1, threads=2)
    result = CliRunner().invoke(commands.app, [*words, "--force"])
    assert result.exit_code == 1 and "has 2 threads" in result.stderr


# Without any cluster


@pytest.mark.parametrize(
    ("address", "options", "says"),
    [
        ("tcp://grading.example:8786", {}, "is not encrypted, and Dask's messages are pickles"),
        ("grading.example:8786", {}, "is not encrypted"),
        ("tcp://10.0.0.7:8786", {}, "is not encrypted"),
        ("ws://10.0.0.7:8786", {}, "is not encrypted"),
        ("tcp://127.evil.example:8786", {}, "is not encrypted"),
        ("tcp://127.0.0.1:8786", {"tls_ca": Path(__file__)}, "TLS files have no use"),
        ("tls://grading.example:8786", {}, "name the file with --tls-ca"),
        ("tls://grading.example:8786", {"tls_ca": Path("/nowhere.pem")}, "There is no file /nowhere.pem"),
        ("8786", {}, "expected the address that `dask scheduler` prints"),
        ("ftp://grading.example:8786", {}, "expected the address"),
    ],
)
def test_addresses_that_are_refused(address, options, says):
    with pytest.raises(CourseError, match=says):
        cluster.connect(address, **options)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "localhost:9", "tcp://[::1]:9"])
def test_a_scheduler_on_this_machine_may_be_plain_and_its_absence_is_told(address, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(CourseError, match="No scheduler can be talked to at"):
        cluster.connect(address)


def test_tls_options_without_a_scheduler(released, workspace):
    words = ["grade", "01", "--course", str(released), "-w", str(workspace.root), "--insecure"]
    result = CliRunner().invoke(commands.app, words)
    assert result.exit_code == 1 and "add --scheduler" in result.stderr


class Answer:
    """A future of Dask's that holds a worker's answer, or what it raised."""

    def __init__(self, answer):
        self.answer = answer

    def result(self, timeout):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (ModuleNotFoundError("No module named 'autograder'"), CourseError, "cannot run the grader"),
        ({"grader": "older", "no_sandbox": ""}, CourseError, "another version of the grader"),
        (
            {"grader": ANY, "no_sandbox": "There is none."},
            NoSandbox,
            "On the worker tls://w:1: There is none.",
        ),
    ],
)
def test_workers_that_may_not_grade(answer, kind, says, spec):
    class Client:
        class scheduler:
            address = "tls://s:1"

    some = cluster.Cluster(Client, spec, Limits())
    with pytest.raises(kind, match=says):
        some.approve("tls://w:1", Answer(answer))
    assert not some.examined
