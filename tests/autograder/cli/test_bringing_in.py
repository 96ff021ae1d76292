"""`grade --submissions` goes the way of `collect`: the same care, and nobody left out without a sentence."""

import os
import shutil

import pytest

from autograder.cli.commands import collect, grade
from autograder.course.places import all_lessons
from autograder.intake.submissions import find_submissions
from tests.autograder.cli.test_cli import course, refused, unrolled  # noqa: F401  (a fixture)

ANOTHER = '{"cells": [{"cell_type": "code", "source": ["x = 1"]}], "nbformat": 4}'


@pytest.fixture
def lesson(course):  # noqa: F811
    return all_lessons(course)[0]


@pytest.fixture
def submitted(course, monkeypatch):  # noqa: F811
    """Grade nothing, and say what would be: {student: bytes} of what lies in submitted/."""
    monkeypatch.setattr(grade, "run_with_progress", lambda *words, **options: {})
    from autograder.gradebook.configuration import prepare_workspace

    room = prepare_workspace(course / "classroom", course)
    return lambda: {one.student: one.raw for one in find_submissions(room, all_lessons(course)[0])}


def handed_in(folder, lesson, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(lesson.lesson_path, path)
    return folder


def test_a_class_in_one_folder_has_a_row_or_a_sentence_for_each(lesson, submitted, tmp_path):
    names = ["Ana#1.ipynb", "Ana_1.ipynb", "ann:e.ipynb", "ann;e.ipynb", "bob.ipynb", "bob/double.ipynb"]
    names += ["X.IPYNB", "cem.ipynb.json", "dee.ipynb.txt", "eve/hw/deep/double.ipynb", "汉" * 82 + ".ipynb"]
    source = handed_in(tmp_path / "in", lesson, *names, "fay.zip", "gil.html")
    (source / "mallory").symlink_to(lesson.solution_path.parent)
    (source / "mal.ipynb").symlink_to(lesson.solution_path)
    os.rename(
        handed_in(tmp_path / "other", lesson, "zoe.ipynb") / "zoe.ipynb",
        os.fsencode(source) + b"/zo\xeb.ipynb",
    )
    done = unrolled("grade", "01", "-s", source)
    assert done.exit_code == 0, done.output
    found = submitted()
    released = lesson.lesson_path.read_bytes()
    taken = {"Ana_1", "Ana_1_2", "ann_e", "ann_e_2", "bob", "X", "cem", "dee", "eve", "汉" * 30, "zo_"}
    assert {name for name, raw in found.items() if raw == released} == taken
    assert {name for name, raw in found.items() if raw is None} == {"mal"}  # with a row that says why
    for said in ("bob/double.ipynb was taken, not bob.ipynb", "bob.ipynb was taken, not bob/double.ipynb"):
        if said in done.stdout:
            break
    else:
        raise AssertionError(done.stdout)
    for said in (
        "'fay.zip' is neither",
        "'gil.html' is neither",
        "'mallory' is a link",
        "mal.ipynb is a link",
    ):
        assert said in done.stdout


def test_what_is_there_is_replaced_only_by_what_is_newer(lesson, submitted, tmp_path):
    source = handed_in(tmp_path / "in", lesson, "Ann.ipynb")
    assert "1 new" in unrolled("grade", "01", "-s", source).stdout
    assert "1 unchanged" in unrolled("grade", "01", "-s", source).stdout
    (source / "Ann.ipynb").write_bytes(b"older")
    os.utime(source / "Ann.ipynb", (10**9, 10**9))
    done = unrolled("grade", "01", "-s", source)
    assert "1 kept" in done.stdout and "is no newer" in done.stdout and submitted()["Ann"] != b"older"
    (source / "Ann.ipynb").write_bytes(b"newer")
    os.utime(source / "Ann.ipynb", (2 * 10**9, 2 * 10**9))
    done = unrolled("grade", "01", "-s", source)
    assert "1 newer" in done.stdout and submitted()["Ann"] == b"newer"


def test_submissions_that_lie_where_they_are_graded_are_graded_there(course, lesson, submitted):  # noqa: F811
    room = course / "classroom" / "submitted"
    handed_in(room, lesson, "Ann/01-double/double.ipynb")
    assert unrolled("grade", "01", "-s", room).exit_code == 0 and set(submitted()) == {"Ann"}


@pytest.mark.parametrize("command", [("grade", "01", "-s"), ("collect", "01")])
def test_a_wrong_folder_is_asked_about_in_a_terminal_and_refused_without(
    lesson, submitted, tmp_path, monkeypatch, command
):
    home = handed_in(tmp_path / "home", lesson, "course/solutions/01-double/double.ipynb")
    for name in ("empty", "in"):
        (home / name).mkdir()
    (home / "in" / "x.ipynb").write_text(ANOTHER)
    refused(
        unrolled(*command, home), "Nothing in", "'course' is a copy of the course", "'empty'", "'in'", "--yes"
    )
    with pytest.raises(Exception, match="There are no submissions"):
        submitted()
    monkeypatch.setattr(collect, "is_terminal", lambda: True)
    questions = []
    monkeypatch.setattr(collect.typer, "confirm", lambda text, **words: questions.append(text))
    assert unrolled(*command, home).exit_code == 1 and len(questions) == 1
    monkeypatch.setattr(collect.typer, "confirm", lambda text, **words: True)
    assert unrolled(*command, home).exit_code == 0 and set(submitted()) == {"course", "empty", "in"}


def test_yes_takes_strangers_and_otherwise_they_are_named(lesson, submitted, tmp_path):
    source = handed_in(tmp_path / "in", lesson, "Ann.ipynb", "Bob/double.ipynb")
    (source / "old").mkdir()
    (source / "thesis.ipynb").write_text(ANOTHER)
    done = unrolled("grade", "01", "-s", source)
    assert done.exit_code == 0 and set(submitted()) == {"Ann", "Bob"}
    assert (
        "'old' has no notebook; 'thesis' has none of the lesson's exercises (--yes takes it, too)"
        in done.stdout
    )
    assert unrolled("grade", "01", "-s", source, "--yes").exit_code == 0
    assert set(submitted()) == {"Ann", "Bob", "old", "thesis"}


def test_the_help_says_how_a_student_is_removed():
    text = " ".join(unrolled("grade", "--help").output.replace("│", " ").split())
    assert "nbgrader db student remove STUDENT --force" in text and "submitted/STUDENT" in text
