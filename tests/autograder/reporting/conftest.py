"""A graded class with all that an export must get right, and its exports."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from autograder.classroom.runner import run
from autograder.course.places import Workspace, all_lessons
from autograder.gradebook.configuration import prepare_workspace
from autograder.gradebook.database import open_gradebook
from autograder.judging.status import Status
from autograder.reporting.exports.files import export
from tests.autograder.reporting.reading import HOSTILE, read
from tests.autograder.standins import half_marks


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]


def graded(task):
    """Half marks, as the stand-in gives them, with a named mistake, a fault and a hostile remark."""
    result = half_marks(task)
    if task.submission.student == "Fay":
        return replace(result, status=Status.INFRASTRUCTURE_FAULT, remarks=["The worker died."])
    verdict = {
        "exercise": "double",
        "points": 3,
        "earned": 1.5,
        "status": "partly right",
        "parts": [{"name": "the result", "right": False, "says": "is half"}],
        "mistakes": [{"id": "halved", "says": "You halved <b>x</b>."}],
        "remarks": [],
    }
    scores = dict(result.scores)
    scores["double-check"] = replace(scores["double-check"], verdict=verdict)
    return replace(result, scores=scores, remarks=["=HYPERLINK(1)", "ok; =1+1"], seconds=1.25)


@pytest.fixture(scope="session")
def graded_room(released, empty_gradebook, spec, tmp_path_factory):
    """Ann is done by hand and late, Bob waits, Fay's grading failed; one id came in by nbgrader's own way."""
    lesson = all_lessons(released)[0]
    workspace = prepare_workspace(tmp_path_factory.mktemp("graded") / "classroom", released)
    shutil.copy(empty_gradebook, workspace.gradebook)
    for student in ("Ann", "Bob", "Fay"):
        path = workspace.submitted / student / lesson.name / f"{lesson.notebook}.ipynb"
        path.parent.mkdir(parents=True)
        shutil.copy(lesson.lesson_path, path)
    run(workspace, lesson, spec, grade=graded, executor=ThreadPoolExecutor)
    with open_gradebook(workspace) as book:
        notebook = book.find_submission_notebook("double", "01-double", "Ann")
        ann, bob = (book.find_grade("written", "double", "01-double", name) for name in ("Ann", "Bob"))
        ann.manual_score, ann.extra_credit, ann.needs_manual_grade = 1.75, 0.5, False
        bob.auto_score, bob.needs_manual_grade = None, True
        notebook.late_submission_penalty = 0.25
        book.update_or_create_student("Ann", first_name="Ann", last_name="Lee", email="ann@example.org")
        book.update_or_create_student(HOSTILE, first_name="@x", last_name='-y,\n"z"', email="+1")
        book.update_or_create_submission("01-double", HOSTILE)
        book.find_grade("written", "double", "01-double", HOSTILE).manual_score = 1
        book.update_or_create_student("Never graded")
        book.update_or_create_submission("01-double", "Never graded")
        book.db.commit()
    return workspace.root


@pytest.fixture
def room(graded_room, tmp_path):
    """A copy of the graded class, for the test to change."""
    return Workspace(shutil.copytree(graded_room, tmp_path / "classroom"))


@pytest.fixture
def exported(room, lesson, spec, tmp_path):
    """Export and read back: (rows, notes); ``roster`` is text."""

    def write(kind="csv", roster=None, **options):
        if roster is not None:
            (tmp_path / "roster.csv").write_text(roster)
            options["roster"] = tmp_path / "roster.csv"
        path, _, notes = export(room, lesson, spec, kind, tmp_path / f"{kind}.csv", **options)
        return read(path), notes

    return write
