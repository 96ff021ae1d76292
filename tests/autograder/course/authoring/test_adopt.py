"""nbgrader's own quickstart course, brought in: what can be judged is, and the rest is said."""

import json
import shutil
from pathlib import Path

import nbformat
import nbgrader
import pytest
from typer.testing import CliRunner

from autograder.classroom import proof
from autograder.cli import commands
from autograder.course.authoring import own
from autograder.course.places import all_lessons
from autograder.course.spec import read_spec
from autograder.intake.submissions import Submission
from autograder.judging.submission import Task, grade_task
from tests.autograder.small_lesson import LIMITS, SECRET

QUICKSTART = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide" / "source"


@pytest.fixture
def course(tmp_path, monkeypatch):
    own.start(tmp_path / "mine", [])
    shutil.rmtree(tmp_path / "mine" / "solutions" / "20-average")
    monkeypatch.chdir(tmp_path / "mine")
    return tmp_path / "mine"


@pytest.fixture
def plain(tmp_path):
    """The course as `nbgrader quickstart` writes it."""
    shutil.copytree(QUICKSTART / "ps1", tmp_path / "plain" / "source" / "ps1")
    return tmp_path / "plain"


def unrolled(*words):
    return CliRunner().invoke(commands.app, [str(word) for word in words])


def test_the_quickstart_course_is_graded_as_far_as_the_judge_reaches(course, plain, monkeypatch):
    before = {path: path.read_bytes() for path in plain.rglob("*") if path.is_file()}
    result = unrolled("adopt", plain)
    assert result.exit_code == 0, result.output
    assert {path: path.read_bytes() for path in plain.rglob("*") if path.is_file()} == before
    assert [lesson.name for lesson in all_lessons(course)] == ["01-ps1-problem1", "02-ps1-problem2"]
    for says in (
        "sum_of_squares_uses_squares cannot be judged as it stands: it takes `squares` away",
        "sum_of_squares_application is code that a person grades; it is shown as text, and not run.",
        "is a task, which has no cell of its own to be answered in, and its 4 points are not counted",
        "jupyter.png lies beside it and is not handed out with it.",
    ):
        assert says in result.output
    assert result.output.count("cannot be judged") == 1
    lesson = all_lessons(course)[0]
    spec = read_spec(lesson.lesson_path)
    scores = {}
    for what, path in (("solved", lesson.solution_path), ("untouched", lesson.lesson_path)):
        submission = Submission("ann", path.read_bytes())
        graded = grade_task(Task(submission, spec, LIMITS, SECRET, True, warm=False))
        scores[what] = {name: score.points for name, score in graded.scores.items()}
    assert scores["solved"] == {
        "correct_squares": 1,
        "squares_invalid_input": 1,
        "correct_sum_of_squares": 0.5,
        "sum_of_squares_uses_squares": 0,  # as was said
    }
    assert set(scores["untouched"].values()) == {0}
    monkeypatch.setattr(proof, "of_grading", lambda *words: [])
    tested = unrolled("test", "01")
    assert tested.exit_code == 1 and "1 fault, in the sentences above." in tested.stderr
    assert "the test sum_of_squares_uses_squares cannot be judged as it stands: it takes" in tested.stderr
    again = unrolled("adopt", plain)
    assert again.exit_code == 1 and "has a lesson ps1-problem1 already" in again.stderr


def test_what_cannot_be_adopted_is_one_sentence(course, plain, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken" / "source" / "ps1").mkdir(parents=True)
    (tmp_path / "broken" / "source" / "ps1" / "a.ipynb").write_text("{")
    for folder, says in {
        tmp_path / "none": "There is no folder",
        tmp_path / "empty": "There are no notebooks at",
        tmp_path / "broken": "a.ipynb is no notebook",
    }.items():
        result = unrolled("adopt", folder)
        assert result.exit_code == 1 and says in result.stderr and len(result.stderr.splitlines()) == 1
    assert all_lessons(course) == []


def test_hidden_tests_are_said_and_the_lesson_waits(course, plain):
    path = plain / "source" / "ps1" / "problem1.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "correct_squares":
            cell.source += "\n### BEGIN HIDDEN TESTS\nassert squares(3) == [1, 4, 9]\n### END HIDDEN TESTS"
    path.write_text(json.dumps(notebook))
    result = unrolled("adopt", plain)
    assert (
        result.exit_code == 0
        and "correct_squares hides tests, and the judge runs what is released" in result.output
    )
    assert "It cannot be released yet: 01-ps1-problem1: cell" in result.output
