"""Whatever goes wrong with one submission is that submission's row; all others are graded and shown.

Each step from a file to an export is made to raise, for Bob and nobody else.
"""

import csv
import io
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograder.classroom import runner
from autograder.cli import commands
from autograder.course.places import all_lessons
from autograder.gradebook import database, feedback, writer
from autograder.intake import collect, naming, submissions
from autograder.intake.ledger import Ledger
from autograder.reporting import grades as grading
from autograder.reporting.exports import files as exports
from autograder.reporting.exports import gradescope
from tests.autograder.standins import half_marks

CLASS = ("Ann", "Bob", "Cem")
ERRORS = [
    RuntimeError("no such luck"),
    PermissionError(13, "Permission denied", "/somewhere/of Bob's"),
    UnicodeEncodeError("utf-8", "\udceb", 0, 1, "surrogates not allowed"),
    RecursionError("maximum recursion depth exceeded"),
    KeyError("cells"),
]


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]


@pytest.fixture
def course(released, tmp_path, monkeypatch):
    copy = shutil.copytree(released, tmp_path / "course")
    monkeypatch.chdir(copy)
    return copy


def is_bobs(value):
    """Whether an argument is about Bob."""
    student = getattr(getattr(value, "submission", value), "student", None)
    name = getattr(student, "id", student)
    return name == "Bob" or (isinstance(value, str | Path | list | tuple) and "Bob" in str(value))


def raising(function, error):
    def stand_in(*args, **words):
        if any(map(is_bobs, (*args, *words.values()))):
            raise error
        return function(*args, **words)

    return stand_in


def break_step(monkeypatch, where, name, error):
    monkeypatch.setattr(where, name, raising(getattr(where, name), error))


def hand_in(workspace, lesson):
    for student in CLASS:
        folder = workspace.submitted / student / lesson.name
        folder.mkdir(parents=True)
        shutil.copy(lesson.lesson_path, folder / "double.ipynb")
        (folder / "timestamp.txt").write_text("2026-11-01 10:00:00 UTC")


def grade(workspace, lesson, spec, **options):
    options = {"grade": half_marks_or_fault, "executor": ThreadPoolExecutor, **options}
    return runner.run(workspace, lesson, spec, **options)[0]


def half_marks_or_fault(task):
    if task.submission.ours:
        return runner.fault_of_ours(task.spec, task.submission.problem)
    return half_marks(task)


STEPS = {
    "choosing": (submissions, "_choose"),
    "reading": (submissions, "read_regular"),
    "reading the time": (submissions, "_read_time"),
    "comparing with before": (writer.Writer, "is_current"),
    "judging": (None, "grade"),
    "writing the notebook": (writer.Writer, "_write_notebook"),
    "the gradebook's row": (database, "record"),
    "the gradebook's scores": (database, "_resources"),
    "writing the result": (writer, "write_result"),
}


@pytest.mark.parametrize(("step", "error"), [*zip(STEPS, ERRORS * 2, strict=False)])
def test_grading_goes_on_whatever_step_raises(workspace, lesson, spec, monkeypatch, step, error):
    hand_in(workspace, lesson)
    where, name = STEPS[step]
    with monkeypatch.context() as patch:
        if where is None:
            results = grade(workspace, lesson, spec, grade=raising(half_marks, error))
        else:
            break_step(patch, where, name, error)
            results = grade(workspace, lesson, spec)
    assert set(results) == set(CLASS)
    for one in ("Ann", "Cem"):
        assert (results[one]["status"], results[one]["score"], results[one]["remarks"]) == ("graded", 2.5, [])
    standings = database.standings(workspace, spec)
    assert standings["Ann"] == standings["Cem"] == (2.5, False)
    if step != "comparing with before":
        assert results["Bob"]["status"] == "infrastructure fault", results["Bob"]
        assert "charged" in " ".join(results["Bob"]["remarks"])
    again = grade(workspace, lesson, spec)  # our fault is tried again, and has left nothing behind
    assert {name: (one["status"], one["score"]) for name, one in again.items()} == dict.fromkeys(
        CLASS, ("graded", 2.5)
    )
    assert database.standings(workspace, spec) == dict.fromkeys(CLASS, (2.5, False))


def test_a_folder_that_cannot_even_be_looked_at_has_a_row(workspace, lesson, spec, monkeypatch):
    hand_in(workspace, lesson)
    break_step(monkeypatch, Path, "lstat", PermissionError(13, "Permission denied"))
    results = grade(workspace, lesson, spec)
    assert {name: one["status"] for name, one in results.items()} == {
        "Ann": "graded",
        "Bob": "infrastructure fault",
        "Cem": "graded",
    }


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("closed", ["Bob", "Bob/01-double", "Bob/01-double/double.ipynb"])
def test_what_may_not_be_read_is_our_fault(workspace, lesson, spec, closed):
    hand_in(workspace, lesson)
    (workspace.submitted / closed).chmod(0)
    try:
        results = grade(workspace, lesson, spec)
    finally:
        (workspace.submitted / closed).chmod(0o700)
    assert results["Bob"]["status"] == "infrastructure fault" and results["Ann"]["status"] == "graded"
    assert "Permission denied" in " ".join(results["Bob"]["remarks"])


def test_lateness_that_cannot_be_counted_for_one(workspace, lesson, spec, monkeypatch):
    hand_in(workspace, lesson)
    with Gradebook(workspace.db_url, database.COURSE_ID) as book:
        book.update_or_create_assignment(lesson.name, duedate="2026-10-01 00:00:00 UTC")
    grade(workspace, lesson, spec)
    with monkeypatch.context() as patch:
        penalise = database._penalise

        def failing(notebook, resources, config):
            if resources["nbgrader"]["student"] == "Bob":
                raise ERRORS[0]
            penalise(notebook, resources, config)

        patch.setattr(database, "_penalise", failing)
        results = grade(workspace, lesson, spec)
    assert results["Ann"]["status"] == results["Cem"]["status"] == "graded"
    assert "What lateness costs could not be counted" in results["Bob"]["remarks"][0]


@pytest.mark.parametrize("letters", [40, 80, 81, 85])
def test_a_name_as_long_as_a_folders_may_be(workspace, lesson, spec, letters):
    """As UTF-8 three bytes a letter; files are called so, too, with an ending, and a disk takes 255 bytes."""
    hand_in(workspace, lesson)
    name = "汉" * letters
    (workspace.submitted / "Bob").rename(workspace.submitted / name)
    results = grade(workspace, lesson, spec)
    assert {results[one]["score"] for one in results} == {2.5} and {"Ann", "Cem"} <= set(results)
    left = " ".join(submissions.left_out(workspace, lesson))
    assert (name in results) != ("is not usable as a student's name (it is too long)" in left)
    assert (name in results) == (letters <= 80)


def test_a_name_that_is_no_utf8(workspace, lesson, spec):
    hand_in(workspace, lesson)
    os.rename(workspace.submitted / "Bob", os.fsencode(workspace.submitted) + b"/B\xf6b")
    (workspace.submitted / "Cem" / "01-double" / "double.ipynb").rename(
        os.fsdecode(os.fsencode(workspace.submitted / "Cem" / "01-double") + b"/\xfcbung.ipynb")
    )
    results = grade(workspace, lesson, spec)
    assert {name: one["status"] for name, one in results.items()} == {"Ann": "graded", "Cem": "graded"}
    (note,) = submissions.left_out(workspace, lesson)
    assert "'B\ufffdb' is not usable as a student's name" in note and note.encode()


# Collecting


@pytest.mark.parametrize("error", ERRORS[:2], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("where", "name"),
    [(naming, "_take_plain"), (Ledger, "folder"), (collect, "choose"), (collect, "place"), (Ledger, "note")],
    ids=["naming", "a folder", "choosing", "placing", "noting"],
)
def test_collecting_goes_on_whatever_step_raises(
    workspace, lesson, spec, tmp_path, monkeypatch, where, name, error
):
    source = tmp_path / "class"
    for student in CLASS:
        (source / student).mkdir(parents=True)
        shutil.copy(lesson.lesson_path, source / student / "double.ipynb")
    real = getattr(where, name)

    def failing(*args, **words):
        if "Bob" in repr((args, words)):
            raise error
        return real(*args, **words)

    monkeypatch.setattr(where, name, failing)
    found = collect.collect(source, workspace, lesson, spec)
    rows = {row.student: row for row in found.rows}
    assert rows["Ann"].outcome == rows["Cem"].outcome == "new"
    sentences = [*found.remarks, *(rows["Bob"].remarks if "Bob" in rows else ())]
    assert any(type(error).__name__ in sentence for sentence in sentences)


# Showing


@pytest.fixture
def graded(course, workspace, lesson, spec):
    hand_in(workspace, lesson)
    grade(workspace, lesson, spec)
    return workspace


def unrolled(*words):
    return CliRunner().invoke(commands.app, [str(word) for word in words])


@pytest.mark.parametrize("error", ERRORS[:2], ids=lambda error: type(error).__name__)
def test_a_page_that_cannot_be_written_is_the_only_one_missing(graded, monkeypatch, error):
    break_step(monkeypatch, feedback, "write_feedback", error)
    done = unrolled("feedback", "01", "-w", graded.root)
    assert done.exit_code == 1 and "Wrote 2 feedback pages" in done.stdout
    assert f"There is no page for Bob: {type(error).__name__}" in done.stderr
    assert sorted(path.parts[-3] for path in graded.feedback.rglob("double.html")) == ["Ann", "Cem"]


DAMAGES = [
    {"mistakes": None},
    {"mistakes": [{"exercise": "double"}]},
    {"exercises": 5},
    {"exercises": {"double-check": {}}},
    {"remarks": 7},
    {"status": []},
    {"seconds": "soon"},
    {"score": None},
]


@pytest.mark.parametrize("damage", [*DAMAGES, "everything gone"], ids=str)
def test_a_damaged_result_is_shown_as_our_fault_and_the_rest_as_it_is(graded, damage):
    path = graded.results / "01-double" / "Bob.json"
    data = {} if damage == "everything gone" else {**json.loads(path.read_text()), **damage}
    path.write_text(json.dumps(data))
    told = unrolled("report", "01", "-w", graded.root)
    assert told.exit_code == 0, told.output
    assert told.stdout.count("2.5 / 7") >= 2
    page = (graded.reports / "01-double.html").read_text()
    assert page.count(">Ann<") and page.count(">Bob<") and page.count(">Cem<")
    for kind in ("csv", "moodle", "gradescope"):
        done = unrolled("export", "01", "-w", graded.root, "--format", kind)
        assert done.exit_code == 0, done.output
    rows = {
        row["student"]: row
        for row in csv.DictReader(io.StringIO((graded.reports / "01-double-csv.csv").read_text()))
    }
    assert set(rows) == set(CLASS) and rows["Ann"]["score"] == rows["Cem"]["score"] == "2.5"
    there = {path.parent.name for path in (graded.reports / "01-double-gradescope").glob("*/results.json")}
    assert {"Ann", "Cem"} <= there


@pytest.mark.parametrize("error", ERRORS[:1], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("where", "name", "kinds"),
    [
        (grading, "_grade", ("csv", "moodle", "gradescope")),
        (exports, "table", ("csv", "moodle", "gradescope")),
        (gradescope, "results_of", ("gradescope",)),
        (exports, "feedback_text", ("moodle",)),
    ],
)
def test_exports_go_on_whatever_step_raises(graded, monkeypatch, where, name, kinds, error):
    real = getattr(where, name)

    def failing(one, *args):
        for grade in one if isinstance(one, list) else [one]:
            if is_bobs(grade) and getattr(grade, "score", 0) is not None:
                raise error
        return real(one, *args)

    monkeypatch.setattr(where, name, failing)
    for kind in kinds:
        done = unrolled("export", "01", "-w", graded.root, "--format", kind)
        assert done.exit_code == 0, done.output
        assert "2 grades for 01-double" in done.stdout and "No score for Bob" in done.stderr
