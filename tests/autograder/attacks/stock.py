"""The same submissions graded by nbgrader as it comes: its own command and preprocessors, a plain kernel.

nbgrader grades with the rights of whoever runs it, so the whole of it runs in a sandbox of ours here, with a
course folder that holds what an instructor's has: source, released lesson, gradebook, another student's
submission. rnncore is importable, as ``check`` needs it. Each submission meets a fresh copy of that course.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox import box
from autograder.sandbox.box import MIB, Limits
from autograder.sandbox.view import ENVIRONMENT, _folders, _system
from tests.autograder.attacks import core
from tests.autograder.attacks.rendering import active

CELL_SECONDS = 8.0
SECONDS = 240.0  # for all of nbgrader's run with one submission, on a busy machine
ATTACKER = "attacker"
PYTHON = "/python/bin/python"
CONFIG = f"""
c = get_config()
c.CourseDirectory.course_id = "stock"
c.ClearSolutions.code_stub = {{"python": "raise NotImplementedError"}}
c.ClearMarkScheme.enforce_metadata = False
c.ExecutePreprocessor.timeout = {CELL_SECONDS:g}
"""
# What runs inside: everything that an instructor would do, then the scores as JSON.
INSIDE = """
import json, os, shutil, subprocess, sys, time
python, student, lesson, looked_at = sys.argv[1:]
shutil.copytree("/template", "/work/course", symlinks=True)
os.chdir("/work/course")
def nbgrader(*words):
    done = subprocess.run([python, "-m", "nbgrader", *words], stderr=subprocess.PIPE, errors="replace")
    return done.returncode, done.stderr[-20000:]
status, log = nbgrader("autograde", lesson, "--student", student)
page = ""
if status == 0 and looked_at:
    nbgrader("generate_feedback", lesson, "--student", student)
    path = f"/work/course/feedback/{student}/{lesson}/bptt.html"
    page = open(path).read() if os.path.exists(path) else ""
import sqlite3
book = sqlite3.connect("/work/course/gradebook.db")
rows = book.execute(
    "SELECT base_cell.name, grade.auto_score, grade.manual_score FROM grade "
    "JOIN base_cell ON base_cell.id = grade.cell_id "
    "JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id "
    "JOIN submitted_assignment AS one ON one.id = submitted_notebook.assignment_id "
    "WHERE one.student_id = ?", (student,)).fetchall()
notebook = f"/work/course/autograded/{student}/{lesson}/bptt.ipynb"
text = open(notebook).read() if os.path.exists(notebook) else ""
result = {"status": status, "log": log, "rows": rows, "page": page, "notebook": text}
open("/work/result.part", "w").write(json.dumps(result))
os.rename("/work/result.part", "/work/result.json")
time.sleep(60)  # until it has been read
"""
# How the end of a traceback names what went wrong.
ERROR = re.compile(r"^\s*(?:[a-z_.]+\.)?(\w+(?:Error|Exception)):? ", re.MULTILINE)


@dataclass(frozen=True)
class Stock:
    """What nbgrader alone makes of a submission: its points (None for no grade) and what else happened."""

    points: float | None
    notes: tuple = ()


class StockCourse:
    """A plain nbgrader course of the attacks' lesson, made once by nbgrader's own generate_assignment."""

    def __init__(self, folder):
        self.folder = folder
        _, self.lesson = core.write_course(folder / "ours")
        self.root = folder / "stock"
        source = self.root / "source" / self.lesson.name / "bptt.ipynb"
        source.parent.mkdir(parents=True)
        source.write_bytes(self.lesson.solution_path.read_bytes())
        (self.root / "nbgrader_config.py").write_text(CONFIG)
        subprocess.run(
            [sys.executable, "-m", "nbgrader", "generate_assignment", self.lesson.name],
            cwd=self.root,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            check=True,
            capture_output=True,
        )
        self.released = core.nbformat.read(
            self.root / "release" / self.lesson.name / "bptt.ipynb", as_version=4
        )
        self._hand_in("neighbour", core.hand_in())

    def _hand_in(self, student, put):
        folder = self.root / "submitted" / student / self.lesson.name
        folder.mkdir(parents=True)
        put(folder, self.released)
        return folder

    def grade(self, attack, token):
        """Have nbgrader grade this attack; the course is put back as it was."""
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            root = Path(place, "course")
            subprocess.run(["cp", "-r", "--preserve=links", str(self.root), str(root)], check=True)
            folder = root / "submitted" / ATTACKER / self.lesson.name
            folder.mkdir(parents=True)
            attack.put(folder, self.released)
            subprocess.run(["chmod", "-R", "a+rX", place], check=True)
            return self._run(root, token, "look" if attack.family == "rendering" else "")

    def _run(self, root, token, looked_at):
        limits = Limits(memory=2048 * MIB, disk=256 * MIB, processes=200, notebook_seconds=SECONDS)
        argv = [PYTHON, "-c", INSIDE, PYTHON, ATTACKER, self.lesson.name, looked_at]
        contained = box._start(_view(root, token), limits, argv, {})
        why, deadline = "", time.monotonic() + SECONDS
        try:
            while contained.process.poll() is None and not why:
                time.sleep(0.2)
                if contained.exceeds(limits.memory):
                    why = "takes all memory; ended by us"
                elif time.monotonic() > deadline:
                    why = "does not end; ended by us"
                result = Path(contained.path("/work/result.json"))
                if result.exists():
                    return _outcome(json.loads(result.read_text()), token)
        finally:
            contained.kill()
        return Stock(None, (why or "nbgrader itself is killed",))


def _view(root, token):
    """What an instructor's machine shows: the system, Python and its packages, rnncore, the course."""
    shown = {"/python": Path(sys.prefix), "/code/rnncore": Path(core.COURSE, "rnncore")}
    words = ["--die-with-parent", "--new-session", "--hostname", "stock", "--cap-drop", "ALL"]
    words += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    if os.geteuid() == 0:
        words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        words += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    variables = {
        **ENVIRONMENT,
        "PATH": "/python/bin:/usr/bin:/bin",
        "PYTHONPATH": "/code",
        "MPLBACKEND": "agg",
        "UNROLLED_SECRET": token,
    }
    words += ["--clearenv", *(word for pair in variables.items() for word in ("--setenv", *pair))]
    words += ["--proc", "/proc", "--dev", "/dev", *_system(), *_folders(shown)]
    for inside, path in shown.items():
        words += ["--ro-bind", str(path), inside]
    words += ["--perms", "0755", "--dir", "/kernel", "--ro-bind", str(root), "/template"]
    return words


def _outcome(told, token):
    notes = []
    scored = [row for row in told["rows"] if row[1] is not None or row[2] is not None]
    points = None
    if told["status"] != 0 or not scored:
        errors = ERROR.findall(told["log"])
        notes.append(f"no grade ({errors[-1]})" if errors else "no grade")
    else:
        points = sum((row[2] if row[2] is not None else row[1]) or 0 for row in scored if row[0] != "written")
        if any(row[2] is not None for row in scored):
            notes.append("wrote grades of its own into the gradebook")
    if token in told["notebook"]:
        notes.append("read the secret")
    if active(told["page"]):
        notes.append("its code runs in the feedback page")
    return Stock(points, tuple(notes))
