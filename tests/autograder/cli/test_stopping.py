"""A command that is told to stop, at any moment: one sentence, what is done is kept, and no process stays.

Real commands with real workers and sandboxes; a student's cell that never ends gives the middle its time.
"""

import os
import shutil
import signal
import site
import subprocess
import sys
import sysconfig
from pathlib import Path

import nbformat
import pytest

from autograder.course.places import all_lessons
from autograder.sandbox.box import Sandbox
from tests.autograder.waiting import BEGIN, FOR_EVER, descendants, is_worker, listen, wait_until

ROOT = Path(__file__).parents[3]
COMMAND = "from autograder.cli import main; main()"
OLDEST = "/usr/bin/python3"  # Debian 12's 3.11.2, whose own pool of processes waits for ever


def same_packages(python):
    """Whether that interpreter is there and may use the packages of this one."""
    asked = "import sysconfig; print(sysconfig.get_config_var('SOABI'))"
    if shutil.which(python) is None:
        return False
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True)
    return done.stdout.strip() == sysconfig.get_config_var("SOABI")


@pytest.fixture(params=[sys.executable, OLDEST])
def python(request):
    if not same_packages(request.param):
        pytest.skip(f"there is no {request.param} here that could use our packages")
    return request.param


@pytest.fixture
def started():
    """Start commands in a session of their own, as a terminal does; at the end all of it is gone."""
    processes = []

    def start(*words, python=sys.executable, code=COMMAND, cwd=None):
        packages = [path for path in site.getsitepackages() if Path(path).is_dir()]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *packages])}
        process = subprocess.Popen(
            [python, "-c", code, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env=environment,
            start_new_session=True,
            preexec_fn=listen,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def room(released, workspace, lesson_notebook):
    """A class of two, the second of which never ends; cells have for ever."""
    Sandbox()
    lesson = all_lessons(released)[0]
    with open(workspace.root / "nbgrader_config.py", "a") as file:
        file.write(f"c = get_config()\nc.Execute.timeout = {FOR_EVER}\n")
    for student in ("Ann", "Mallory"):
        path = workspace.submitted / student / lesson.name / "double.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(lesson_notebook, path)
        lesson_notebook.cells[3].source = f"{BEGIN}while True: pass"
    return workspace


def in_the_middle(process):
    """Wait until the endless cell runs; returns all processes that there are then."""

    def begun():
        assert process.poll() is None, process.communicate()
        return any(map(runs_it, descendants(process.pid)))

    wait_until(begun)
    return descendants(process.pid)


def runs_it(one):
    """Whether a process is in the sandbox in which the endless cell runs."""
    return os.path.exists(f"/proc/{one.pid}/root/work/begun")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_a_run_that_is_stopped_in_the_middle_keeps_what_is_finished(room, released, started, python, name):
    if python != sys.executable and name not in ("SIGINT", "SIGKILL"):
        pytest.skip("two ways are enough there")
    process = started("grade", "01", "--course", released, "-w", room.root, "--workers", 1, python=python)
    others = in_the_middle(process)
    assert len(others) >= 4  # what forks workers, a worker, a sandbox, a kernel
    wait_until((room.results / "01-double" / "Ann.json").is_file)
    send = os.killpg if name in ("SIGINT", "SIGHUP") else os.kill  # as a terminal does, and as `kill` does
    send(process.pid, getattr(signal, name))
    _, said = process.communicate(timeout=FOR_EVER)
    if name == "SIGKILL":
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 128 + getattr(signal, name)
        assert "Stopped. What was finished is kept" in said and "Traceback" not in said
    wait_until_gone(others)
    assert {path.stem for path in (room.results / "01-double").iterdir()} == {"Ann"}


def test_watching_ends_when_told_and_goes_on_where_it_was(released, workspace, lesson_notebook, started):
    Sandbox()
    pages = {name: workspace.feedback / name / "01-double" / "double.html" for name in ("Ann", "Bob", "Cem")}
    told = ["watch", "01", workspace.root / "inbox", "--course", released, "-w", workspace.root, "--every", 1]

    def hand_in(student):
        path = workspace.root / "inbox" / f"{student}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(lesson_notebook, path)

    hand_in("Ann")
    process = started(*told)
    wait_until(pages["Ann"].is_file)
    hand_in("Bob")
    wait_until(pages["Bob"].is_file)
    os.kill(process.pid, signal.SIGTERM)
    said, complaint = process.communicate(timeout=FOR_EVER)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Stopped. What was finished is kept" in complaint and "Traceback" not in complaint
    written = pages["Ann"].stat().st_mtime_ns
    hand_in("Cem")
    process = started(*told, "--once")
    said, _ = process.communicate(timeout=FOR_EVER)
    assert process.returncode == 0 and said.count("graded, ") == 1 and "Cem: 01-double graded" in said
    assert pages["Cem"].is_file() and pages["Ann"].stat().st_mtime_ns == written


def test_a_worker_that_is_killed_is_not_the_end(room, released, started, python):
    """As the system does where memory is short: its notebook is tried again, and then given up."""
    process = started("grade", "01", "--course", released, "-w", room.root, "--workers", 1, python=python)
    for _ in range(2):
        others = in_the_middle(process)
        (worker,) = filter(is_worker, others)
        ends = [worker, *filter(runs_it, others)]
        assert len(ends) > 2
        os.kill(worker.pid, signal.SIGKILL)
        wait_until_gone(ends)
    _, said = process.communicate(timeout=FOR_EVER)
    assert process.returncode == 1 and "The grader itself failed for Mallory" in said, said
    assert {path.stem for path in (room.results / "01-double").iterdir()} == {"Ann", "Mallory"}


def test_a_result_that_cannot_be_written_is_not_the_end(room, released, started, python):
    shutil.rmtree(room.submitted / "Mallory")
    for student in ("Bob", "Cem"):
        shutil.copytree(room.submitted / "Ann", room.submitted / student)
    room.results.mkdir(exist_ok=True)
    (room.results / "01-double").write_text("a file where a folder was expected")
    process = started("grade", "01", "--course", released, "-w", room.root, "--workers", 2, python=python)
    _, said = process.communicate(timeout=FOR_EVER)
    assert process.returncode == 1 and said and "Traceback" not in said


def wait_until_gone(processes):
    wait_until(lambda: not any(one.lives() for one in processes))


# Ctrl-C as soon as a module is imported; the module, and what is done then.
AT_IMPORT = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class Press(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

from autograder.cli import main
sys.meta_path.insert(0, Press())
main()
"""


@pytest.mark.parametrize(
    "module", ["typer", "autograder.cli.commands.grade", "nbgrader", "autograder.classroom.processes"]
)
def test_ctrl_c_in_the_first_second(room, released, started, module):
    code = AT_IMPORT.format(module=module)
    process = started("grade", "01", "--course", released, "-w", room.root, code=code)
    _, said = process.communicate(timeout=FOR_EVER)
    assert process.returncode == 130
    assert said.strip().splitlines() == [
        "Stopped. What was finished is kept; run the same command again to go on."
    ]


TWICE = """
import os, signal, sys, time
import typer
from autograder.cli.common import plainly
from autograder.cli.stopping import leave_when_stopped

def command():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(3600)
    finally:
        print("closing", flush=True)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(3600)

leave_when_stopped()
plainly(command)()
"""


def test_asked_twice_it_ends_at_once(started):
    process = started(code=TWICE)
    told, said = process.communicate(timeout=FOR_EVER)
    assert (process.returncode, told) == (130, "closing\n") and "Traceback" not in said


def test_what_somebody_ignores_stays_ignored(started):
    code = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from autograder.cli.common import plainly; from autograder.cli.stopping import leave_when_stopped\n"
        "leave_when_stopped(); plainly(lambda: os.kill(os.getpid(), signal.SIGHUP))(); print('goes on')"
    )
    process = started(code=code)
    assert process.communicate(timeout=FOR_EVER)[0] == "goes on\n"
