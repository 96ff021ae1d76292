"""Where a class stands in one screen, what a command would do before it does it, and what to type next."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograder.classroom.runner import run
from autograder.cli import commands
from autograder.cli.common import completed, plainly
from autograder.course.places import all_lessons
from autograder.gradebook.database import COURSE_ID
from autograder.gradebook.results import result_path
from tests.autograder.standins import half_marks


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]


@pytest.fixture
def room(lesson, spec, workspace):
    """Ann, Bob and Cem are graded, Bob late; Ann then handed in anew, and Dan for the first time."""
    with Gradebook(workspace.db_url, COURSE_ID) as book:
        book.update_or_create_assignment(lesson.name, duedate="2026-02-03 12:00:00 UTC")
    for student in ("Ann", "Bob", "Cem"):
        path = workspace.submitted / student / lesson.name / "double.ipynb"
        path.parent.mkdir(parents=True)
        shutil.copy(lesson.lesson_path, path)
        hour = 15 if student == "Bob" else 11
        path.with_name("timestamp.txt").write_text(f"2026-02-03 {hour}:30:00 UTC")
    run(workspace, lesson, spec, grade=half_marks, executor=ThreadPoolExecutor)
    notebook = nbformat.read(lesson.lesson_path, as_version=4)
    notebook.cells[3].source = "def double(x):\n    return 2 * x"
    nbformat.write(notebook, workspace.submitted / "Ann" / lesson.name / "double.ipynb")
    shutil.copytree(workspace.submitted / "Cem", workspace.submitted / "Dan")
    with Gradebook(workspace.db_url, COURSE_ID) as book:
        cem = book.find_grade("written", "double", lesson.name, "Cem")
        cem.manual_score, cem.needs_manual_grade = 1, False
        book.find_grade("written", "double", lesson.name, "Bob").needs_manual_grade = True
        book.find_grade("written", "double", lesson.name, "Ann").needs_manual_grade = False
        book.db.commit()
    return workspace


@pytest.fixture
def unrolled(released, room):
    def call(*words):
        told = [*words, "--course", released, *(["-w", room.root] if words[0] != "release" else [])]
        result = CliRunner().invoke(commands.app, [str(word) for word in told])
        assert result.exit_code == 0, result.output
        return result.output

    return call


def everything(folder):
    """{path: what lies there}, but for the lock."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def test_the_screen(unrolled, room):
    before = everything(room.root)
    told = unrolled("status")
    (row,) = [line for line in told.splitlines() if "01-double" in line and "/" not in line]
    assert row.replace("│", " ").split() == ["01-double", "4", "3", "2", "1", "1", "-"]
    assert f"Next: 2 to grade: `unrolled grade 01-double --workspace {room.root}" in told
    assert everything(room.root) == before


def test_the_names(unrolled):
    told = unrolled("status", "01")
    for line in (
        "handed in (4): Ann, Bob, Cem, Dan",
        "graded (3): Ann, Bob, Cem",
        "to grade (2): Ann (handed in anew), Dan (new)",
        "wait for a person (1): Bob",
        "late (1): Bob",
        "no feedback, or old (3): Ann, Bob, Cem",
    ):
        assert line in told.splitlines()


def test_feedback_that_is_older_than_the_grading_is_none(unrolled, room, spec):
    unrolled("feedback", "01")
    assert "no feedback, or old (0)" in unrolled("status", "01")
    path = result_path(room, spec, "Bob")
    later = path.stat().st_mtime + 100
    os.utime(path, (later, later))
    assert "no feedback, or old (1): Bob" in unrolled("status", "01")


def test_a_lesson_that_is_not_released(unrolled, released, room, tmp_path):
    course = shutil.copytree(released, tmp_path / "course")
    all_lessons(course)[0].lesson_path.unlink()
    told = CliRunner().invoke(commands.app, ["status", "-w", str(room.root), "--course", str(course)]).output
    assert "not released" in told and f"`unrolled release 01-double --course {course}`" in told


def test_without_a_workspace_nothing_is_made(released, tmp_path):
    told = CliRunner().invoke(
        commands.app, ["status", "--course", str(released), "-w", str(tmp_path / "none")]
    )
    assert told.exit_code == 1 and "There is no workspace at" in told.stderr
    assert not (tmp_path / "none").exists()


# What would be done


def test_what_would_be_graded(unrolled, room, spec):
    before = everything(room.root)
    told = unrolled("grade", "01", "--dry-run")
    assert told.splitlines()[:2] == ["Ann: handed in anew", "Dan: new"]
    assert "2 of 4 would be graded" in told
    assert "Bob: --force" in unrolled("grade", "01", "--dry-run", "--force", "--student", "Bob")
    assert everything(room.root) == before
    changes = ("Bob", "release", "the lesson changed"), ("Cem", "grader", "another edition of the grader")
    for student, name, why in changes:
        path = result_path(room, spec, student)
        path.write_text(path.read_text().replace(f'"{name}": "', f'"{name}": "x'))
        assert f"{student}: {why}" in unrolled("grade", "01", "--dry-run")


def test_what_would_be_written(unrolled, room):
    unrolled("feedback", "01", "--student", "Bob")
    before = everything(room.root)
    told = unrolled("feedback", "01", "--dry-run")
    assert "Would be written (2): Ann, Cem" in told and "Would be written over (1): Bob" in told
    told = unrolled("export", "01", "--dry-run")
    assert "Nothing was changed; 3 grades for 01-double would be written:" in told
    assert everything(room.root) == before
    unrolled("export", "01")
    assert "would be written over what is there" in unrolled("export", "01", "--dry-run")


def test_what_would_be_released(released, tmp_path):
    course = shutil.copytree(released, tmp_path / "course")
    path = all_lessons(course)[0].lesson_path
    path.unlink()
    words = ["release", "--course", str(course)]
    told = CliRunner().invoke(commands.app, [*words, "--dry-run"])
    assert told.exit_code == 0 and "would release lessons/01-double/double.ipynb" in told.output
    assert not path.exists()
    told = CliRunner().invoke(commands.app, [*words, "--dry-run", "--tidy"])
    assert told.exit_code == 1 and "leave out --check, --tidy and --exchange" in told.stderr


# What to type next


def hint(text, **given):
    """The text as a command says it that was given these options."""
    found = []
    plainly(lambda **options: found.append(completed(text)))(**given)
    return found[0]


@pytest.mark.parametrize(
    ("text", "given", "says"),
    [
        ("`unrolled grade 01`", {}, "`unrolled grade 01`"),
        ("`unrolled grade 01`", {"workspace": "autumn"}, "`unrolled grade 01 --workspace autumn`"),
        ("`unrolled grade 01`", {"workspace": "a b"}, "`unrolled grade 01 --workspace 'a b'`"),
        ("`unrolled release`", {"workspace": "autumn", "course": "c"}, "`unrolled release --course c`"),
        ("`unrolled doctor`", {"workspace": "autumn", "course": "c"}, "`unrolled doctor`"),
        ("`unrolled grade 01 --workspace x`", {"workspace": "y"}, "`unrolled grade 01 --workspace x`"),
        ("run `nbgrader db` or `grade`", {"workspace": "y"}, "run `nbgrader db` or `grade`"),
    ],
)
def test_a_hint_names_what_was_given(text, given, says):
    assert hint(text, **given) == says
    assert hint(text) == text


def test_closing_hints_and_errors_can_be_typed_as_they_are(unrolled, room, released):
    told = unrolled("report", "01")
    assert f"`unrolled feedback 01-double --workspace {room.root} --course {released}`" in told
    shutil.rmtree(room.results)
    result = CliRunner().invoke(
        commands.app, ["report", "01", "-w", str(room.root), "--course", str(released)]
    )
    assert f"`unrolled grade 01-double --workspace {room.root} --course {released}` first" in result.stderr
