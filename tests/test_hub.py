"""A class on a real hub, in real browsers: fetched, worked on, handed in, graded, and the feedback fetched.

UNROLLED_HUB names the environment with JupyterHub, as deploy/jupyterhub/set-up.sh makes it; without, this is
skipped. UNROLLED_HUB_PICTURES names a folder for pictures of what people see.
"""

import html
import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from autograder.course.places import find_lesson
from rnncore.exercises import by_name
from tests.autograder.browser import Browser
from tests.hub import DEPLOY, Hub, Seat
from tools.repository import ROOT

LESSON = find_lesson(ROOT, "02")
(MISTAKE,) = [one for one in by_name()["rnn_cell"].mistakes if one.id == "weight-ih-untransposed"]
BUTTON = "[...document.querySelectorAll('#nbgrader-assignment-list button')].some(e => e.innerText === {!r})"


@pytest.fixture(scope="module")
def prefix():
    folder = os.environ.get("UNROLLED_HUB")
    if not folder:
        pytest.skip("UNROLLED_HUB does not name an environment with JupyterHub (deploy/jupyterhub/README.md)")
    prefix = Path(folder).absolute()
    missing = [
        name for name in ("jupyterhub", "nbgrader", "unrolled") if not (prefix / "bin" / name).exists()
    ]
    proxy = "configurable-http-proxy"
    if not (prefix / "node_modules" / ".bin" / proxy).exists() and not shutil.which(proxy):
        missing.append(proxy)
    assert not missing, f"UNROLLED_HUB names {prefix}, where {', '.join(missing)} is missing"
    return prefix


@pytest.fixture(scope="module")
def hub(prefix, tmp_path_factory):
    """A hub whose teacher has a course of one lesson."""
    hub = Hub(prefix, tmp_path_factory.mktemp("hub"))
    for side in ("solutions", "lessons"):
        shutil.copytree(ROOT / side / LESSON.name, hub.home / "unrolled" / side / LESSON.name)
    hub.start()
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def seat(hub, tmp_path_factory):
    """Seats people before a browser, by name."""
    browser = Browser(tmp_path_factory.mktemp("browser"), served=True)
    pictures = os.environ.get("UNROLLED_HUB_PICTURES")
    if pictures:
        Path(pictures).mkdir(parents=True, exist_ok=True)
    yield lambda name: Seat(browser, hub, name, pictures and Path(pictures))
    browser.close()


@pytest.fixture(scope="module")
def answers():
    """{name: the right answer's source} of the lesson's cells that students fill in."""
    solution = nbformat.read(LESSON.solution_path, as_version=4)
    cells = [cell for cell in solution.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    marker = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
    return {cell.id: marker.sub("", cell.source) for cell in cells if cell.cell_type == "code"}


def fetch(student):
    """Open the list of assignments and fetch the lesson."""
    assert [entry for entry in student.menu() if entry] == ["Assignment List"]  # nothing of the instructor's
    student.click("Assignment List", ".lm-Menu")
    student.see(LESSON.name)
    student.picture(f"{student.name}-assignments")
    student.click("Fetch", "#nbgrader-assignment-list")
    student.wait(BUTTON.format("Submit"))


def hand_in(student):
    student.click("Submit", "#nbgrader-assignment-list")
    student.wait(BUTTON.format("Fetch Feedback"))
    student.picture(f"{student.name}-handed-in")


def fetch_feedback(student):
    """Fetch the feedback; the one page that came, as text."""
    student.click("Fetch Feedback", "#nbgrader-assignment-list")
    student.wait("document.querySelector('#nbgrader-assignment-list').innerText.includes('view feedback')")
    student.picture(f"{student.name}-feedback-listed")
    (page,) = (student.hub.homes / student.name / LESSON.name).glob("feedback/*/*.html")
    return page


def test_from_fetching_a_lesson_to_fetching_its_feedback(hub, seat, answers):
    assert f"ready for {LESSON.name}" in hub.teacher("unrolled", "workspace")
    said = hub.teacher("unrolled", "release", "02", "--exchange")
    assert f"Released to {hub.exchange}/unrolled: {LESSON.name}." in said

    ann = seat("ann")
    ann.log_in()
    for path in ("formgrader", "formgraders"):  # the formgrader, and the list of courses that can be graded
        assert ann.status(f"/user/ann/{path}") == 404
    fetch(ann)
    ann.click(LESSON.name, "#fetched_assignments_list")
    ann.click(LESSON.notebook, "#fetched_assignments_list")
    ann.wait(f"{ann.WIDGET}.sessionContext.session.kernel.status === 'idle'")
    ann.picture("ann-lesson")
    assert '"error"' not in ann.run("import numpy as np")
    for name, source in answers.items():
        ann.run(f"def {name}", source)
    assert "2 of 2 points" in ann.run("check(sigmoid")
    ann.picture("ann-checks")
    ann.say("jupyterapp.commands.execute('docmanager:save').then(() => 1)")
    ann.click("Assignments", ".lm-TabBar")
    hand_in(ann)

    bob = seat("bob")
    bob.log_in()
    fetch(bob)
    path = hub.homes / "bob" / LESSON.name / f"{LESSON.notebook}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
        if cell.id == "rnn_cell":
            assert MISTAKE.old in cell.source
            cell.source = cell.source.replace(MISTAKE.old, MISTAKE.new)
    nbformat.write(notebook, path)
    hand_in(bob)

    said = hub.teacher("unrolled", "collect", "02", hub.exchange / "unrolled")
    assert "2 new" in said
    hub.teacher("unrolled", "grade", "02", "--workers", "2")
    assert "Wrote 2 feedback pages" in hub.teacher("unrolled", "feedback", "02")
    hub.teacher("nbgrader", "release_feedback", LESSON.name, cwd="unrolled/classroom")

    teacher = seat("teacher")
    teacher.log_in()
    assert [entry for entry in teacher.menu() if entry] == ["Assignment List", "Create assignment"]
    teacher.go("/hub/home")
    teacher.click("formgrader", ".announcement")
    teacher.see(LESSON.name, "released")
    teacher.picture("teacher-formgrader")
    row = f"[...document.querySelectorAll('tr')].find(e => e.innerText.includes({LESSON.name!r}))"
    assert teacher.say(f"{row}.querySelector('.num-submissions').innerText.trim()") == "2"
    teacher.go(f"/user/teacher/formgrader/manage_submissions/{LESSON.name}")
    teacher.see("ann", "bob")
    teacher.picture("teacher-submissions")

    pages = {student.name: fetch_feedback(student) for student in (ann, bob)}
    assert MISTAKE.says in html.unescape(pages["bob"].read_text())
    assert MISTAKE.says not in html.unescape(pages["ann"].read_text())
    bob.go(f"/user/bob/files/{pages['bob'].relative_to(hub.homes / 'bob')}")
    bob.see("weight_ih")
    bob.picture("bob-feedback")

    bob.go("/user/teacher/formgrader")
    bob.see("403")
    cem = seat("cem")  # a colleague
    cem.log_in()
    cem.go("/user/teacher/formgrader")
    cem.click("Authorize")
    cem.see(LESSON.name, "released")
    cem.picture("colleague-formgrader")


def test_a_link_brings_the_lessons_and_keeps_what_a_student_wrote(hub, seat):
    """nbgitpuller's link, on a repository that lessons.sh made."""
    repository = hub.folder / "lessons"
    assert "Committed" in hub.teacher(DEPLOY / "lessons.sh", repository, ".")
    link = f"/hub/user-redirect/git-pull?repo=file://{repository}&branch=main&targetPath=lessons"
    link += f"&urlpath=lab/tree/lessons/{LESSON.name}/{LESSON.notebook}.ipynb"
    ann = seat("ann")
    ann.log_in()
    ann.go(link)
    path = hub.homes / "ann" / "lessons" / LESSON.name / f"{LESSON.notebook}.ipynb"
    ann.see("A feed-forward network meets every input")
    assert path.read_bytes() == LESSON.lesson_path.read_bytes()
    ann.picture("ann-pulled")

    path.write_text(path.read_text().replace("raise NotImplementedError", "return 1", 1))
    mine = path.read_bytes()
    (hub.home / "unrolled" / "lessons" / "README.md").write_text("Newer.")
    assert "Committed" in hub.teacher(DEPLOY / "lessons.sh", repository, ".")
    ann.go(link)
    ann.wait("document.querySelector('.jp-Notebook')")
    assert (hub.homes / "ann" / "lessons" / "README.md").read_text() == "Newer."
    assert path.read_bytes() == mine
