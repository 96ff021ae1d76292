"""The sample class, graded for real in the sandbox, and the same scores through every door."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from autograder.classroom import demo
from autograder.classroom.processes import process_pool
from autograder.classroom.runner import run
from autograder.cli.commands import app
from autograder.course.places import find_course, find_lesson
from autograder.course.spec import read_spec
from autograder.gradebook import database
from autograder.gradebook.configuration import prepare_workspace
from autograder.gradebook.feedback import write_feedback
from autograder.sandbox.box import MIB, Limits, Sandbox

COURSE = find_course(Path(__file__).parent)
# Short is only what is meant to be hit, by the endless loop; no honest call takes a tenth of it. A cell that
# imports or draws may take long where much else runs, and so may one that prints until it is stopped.
QUICK = Limits(call_seconds=8, cell_seconds=300, notebook_seconds=1200, memory=512 * MIB)
# Who hands in what is told in demo.py; here is what it must come to.
EXPECTED = {
    "Amelia Okafor": (20, "graded"),
    "Bruno Ferreira": (20, "graded"),
    "Chen Wei": (6, "graded"),
    "Kofi Mensah": (0, "not attempted"),
    "Lena Fischer": (0, "unreadable"),
    "Mateo Garcia": (16, "time limit"),
    "Nora Haugen": (0, "graded"),
    "Priya Nair": (15, "killed itself"),
    "Quentin Dubois": (20, "graded"),
    "Rosa Jimenez": (20, "graded"),
    "Sofia Rossi": (15, "graded"),
    "Tomas Novak": (16, "memory limit"),
    "Uma Krishnan": (17, "output limit"),
}
NAMED = {
    "Dalia Haddad": {("rnn_backward", "no-carry")},
    "Elif Yilmaz": {("rnn_cell_backward", "not-squared")},
    "Farid Rahimi": {("softmax_cross_entropy", "unstable")},
    "Grace Mwangi": {("numerical_gradient", "one-sided")},
    "Hanna Lindqvist": {
        ("rnn_cell_backward", "bias-averaged"),
        ("rnn_cell_backward", "new-state-in-weight-hh"),
    },
    "Ivan Petrov": {("truncated_backward", "never-truncated")},
    "Jasmine Patel": {("rnn_backward", "overwrites-gradients"), ("softmax_cross_entropy", "averaged-twice")},
}


@pytest.fixture(scope="module")
def lesson():
    Sandbox()  # without one, tests/conftest.py skips these tests, or fails them in CI
    return find_lesson(COURSE, demo.LESSON)


@pytest.fixture(scope="module")
def spec(lesson):
    return read_spec(lesson.lesson_path)


@pytest.fixture(scope="module")
def graded(lesson, spec, tmp_path_factory):
    """The whole sample class, graded once: (workspace, results)."""
    workspace = prepare_workspace(tmp_path_factory.mktemp("demo") / "classroom", COURSE)
    demo.write_class(lesson, workspace)
    results, skipped = run(workspace, lesson, spec, limits=QUICK, workers=2)
    assert not skipped
    return workspace, results


@pytest.mark.parametrize("student", EXPECTED)
def test_each_kind_of_submission_ends_as_it_must(graded, student):
    result = graded[1][student]
    assert (result["score"], result["status"]) == EXPECTED[student], result["remarks"]


@pytest.mark.parametrize("student", NAMED)
def test_each_mistake_is_named_and_costs_marks(graded, student):
    result = graded[1][student]
    assert {(mistake["exercise"], mistake["id"]) for mistake in result["mistakes"]} == NAMED[student]
    assert 0 < result["score"] < 20
    assert result["status"] == "graded"


def test_the_class_is_complete(graded):
    _, results = graded
    assert set(results) == set(demo.students()) == {*EXPECTED, *NAMED, "Omar Siddiqui"}
    assert len({mistake for named in NAMED.values() for mistake in named}) >= 6


def test_the_reference_is_not_within_reach(graded):
    result = graded[1]["Omar Siddiqui"]
    assert result["exercises"]["rnn_cell_backward-check"]["points"] == 0
    assert any("rnncore.cells" in remark for remark in result["remarks"])


def test_what_was_mended_is_told(graded):
    said = {name: " ".join(result["remarks"]) for name, result in graded[1].items()}
    assert "put back in the lesson's order" in said["Bruno Ferreira"]
    assert "changed text and changed points and changed tags" in said["Nora Haugen"]
    assert "was missing and was put back" in said["Quentin Dubois"]
    assert "2 times" in said["Rosa Jimenez"]


def test_an_honest_student_scores_the_same_alone(graded, lesson, spec, tmp_path):
    workspace, results = graded
    alone = prepare_workspace(tmp_path / "alone", COURSE)
    shutil.copy(workspace.root / "course-secret", alone.root)
    for name in ("Amelia Okafor", "Hanna Lindqvist"):
        shutil.copytree(workspace.submitted / name, alone.submitted / name)
    again, _ = run(alone, lesson, spec, limits=QUICK, workers=1, executor=process_pool)
    for name, result in again.items():
        assert result["exercises"] == results[name]["exercises"]


def test_plain_nbgrader_gives_the_same_scores(graded, lesson, spec, tmp_path):
    """The instructor's other door: nbgrader's own command, with nothing but the workspace's config."""
    workspace, results = graded
    names = ["Amelia Okafor", "Hanna Lindqvist", "Kofi Mensah", "Lena Fischer", "Nora Haugen", "Rosa Jimenez"]
    plain = prepare_workspace(tmp_path / "plain", COURSE)
    database.register(plain, spec)
    shutil.copy(workspace.root / "course-secret", plain.root)
    for name in names:
        shutil.copytree(workspace.submitted / name, plain.submitted / name)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", lesson.name],
        cwd=plain.root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=3000,  # so that a hang ends at all
    )
    assert done.returncode == 0, done.stderr[-2000:]
    standings = database.standings(plain, spec)
    assert {name: score for name, (score, _) in standings.items()} == {
        name: results[name]["score"] for name in names
    }
    assert standings == {name: database.standings(workspace, spec)[name] for name in names}


def test_feedback_pages_run_nothing(graded, spec):
    workspace, _ = graded
    names = ["Hanna Lindqvist", "Nora Haugen", "Lena Fischer"]
    assert write_feedback(workspace, COURSE, spec, names) == 3
    for name in names:
        page = (workspace.feedback / name / spec.assignment / "bptt.html").read_text()
        assert "<script" not in page.lower()
        assert page.count("Content-Security-Policy") == 1
        assert 'src="http' not in page and "url(http" not in page
    assert (
        "averaged over the batch"
        in (workspace.feedback / "Hanna Lindqvist" / spec.assignment / "bptt.html").read_text()
    )


@pytest.mark.parametrize("name", ["02-rnn-cell", "03-bptt"])
def test_a_student_can_check_a_notebook_at_home(lesson, name, tmp_path):
    one = find_lesson(COURSE, name)
    points = sum(cell.points for cell in read_spec(one.lesson_path).cells if cell.kind == "test")
    for path, earned in ((one.solution_path, points), (one.lesson_path, 0)):
        copy = tmp_path / "my notebook.ipynb"
        shutil.copy(path, copy)
        result = CliRunner().invoke(app, ["check", str(copy), "--course", str(COURSE)])
        assert result.exit_code == 0, result.output
        assert f"{name}: {earned:g} of {points:g} points" in result.output


def test_every_stored_notebook_is_valid(graded):
    workspace, results = graded
    for name in results:
        path = workspace.autograded / name / "03-bptt" / "bptt.ipynb"
        nbformat.validate(nbformat.read(path, as_version=4))
