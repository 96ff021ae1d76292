"""Whose answer changed after a person graded it: theirs who wrote something else, and nobody's besides."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.classroom.runner import run
from autograder.course.places import all_lessons
from autograder.gradebook import database
from autograder.judging.submission import fault_of_ours
from tests.autograder.standins import half_marks


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]


def hand_in(workspace, raw):
    path = workspace.submitted / "Ann" / "01-double" / "double.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)


@pytest.fixture
def class_of_one(workspace, lesson):
    hand_in(workspace, lesson.lesson_path.read_bytes())
    return workspace


def grade(workspace, lesson, spec, grader=half_marks, **options):
    return run(workspace, lesson, spec, grade=grader, executor=ThreadPoolExecutor, **options)


def settle(workspace, *names):
    """A person gives a point for each of these."""
    with Gradebook(workspace.db_url, database.COURSE_ID) as book:
        for name in names:
            one = book.find_grade(name, "double", "01-double", "Ann")
            one.manual_score, one.needs_manual_grade = 1, False
        book.db.commit()


def test_nobody_has_changed_what_the_instructor_changed(class_of_one, lesson, spec):
    """A new release, with other words in locked cells and stubs, asks no one to read anything again."""

    def released_again(number):
        cells = [
            replace(cell, source=f"{cell.source}\n# Edition {number}.") if cell.kind != "written" else cell
            for cell in spec.cells
        ]
        return replace(spec, cells=tuple(cells), release_hash=f"release {number}")

    notebook = nbformat.read(lesson.lesson_path, as_version=4)
    notebook.cells[-1].source, notebook.cells[3].source = "Addition.", "def double(x):\n    return x + x"
    hand_in(class_of_one, nbformat.writes(notebook).encode())
    grade(class_of_one, lesson, spec)
    settle(class_of_one, "written", "double-check")
    _, skipped = grade(class_of_one, lesson, released_again(2))
    assert skipped == [] and database.changed_since_by_hand(class_of_one, spec) == {}
    # Nor has who hands in the same answers in another file; who writes others has.
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="again")]
    hand_in(class_of_one, nbformat.writes(notebook).encode())
    grade(class_of_one, lesson, released_again(2))
    assert database.changed_since_by_hand(class_of_one, spec) == {}
    notebook.cells[3].source = "def double(x):\n    return 2 * x"
    hand_in(class_of_one, nbformat.writes(notebook).encode())
    grade(class_of_one, lesson, released_again(3))
    assert database.changed_since_by_hand(class_of_one, spec) == {"Ann": ["double-check"]}


def test_a_fault_of_ours_in_between_forgets_nobodys_answers(class_of_one, lesson, spec):
    def fails(task):
        return fault_of_ours(task.spec, "the disk was full")

    notebook = nbformat.read(lesson.lesson_path, as_version=4)
    notebook.cells[3].source = "def double(x):\n    return x + x"
    hand_in(class_of_one, nbformat.writes(notebook).encode())
    grade(class_of_one, lesson, spec)
    settle(class_of_one, "double-check")
    grade(class_of_one, lesson, spec, fails, force=True)
    grade(class_of_one, lesson, spec)
    assert database.changed_since_by_hand(class_of_one, spec) == {}
    notebook.cells[3].source = "def double(x):\n    return 2 * x"
    hand_in(class_of_one, nbformat.writes(notebook).encode())
    grade(class_of_one, lesson, spec, fails)
    grade(class_of_one, lesson, spec)
    assert database.changed_since_by_hand(class_of_one, spec) == {"Ann": ["double-check"]}
