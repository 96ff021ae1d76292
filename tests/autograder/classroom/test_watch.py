"""Watching: what arrives is graded and told once, whatever stops it, and nobody can keep the worker busy."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module

import nbformat
import pytest

from autograder.classroom import watch
from autograder.classroom.watch import BATCH, DAY, PAUSE, Watch
from autograder.course.places import all_lessons
from autograder.gradebook.database import sole_writer
from autograder.gradebook.results import read_results
from autograder.intake.collect import NothingThere, collect
from autograder.judging.status import Status
from tests.autograder.standins import half_marks


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]


@pytest.fixture
def inbox(tmp_path):
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def hand_in(inbox, lesson):
    """Hand in as a student: another answer each time, later each time."""
    count = iter(range(1, 1000))

    def hand_in(student):
        number = next(count)
        notebook = nbformat.read(lesson.lesson_path, as_version=4)
        notebook.cells[3].source = f"def double(x):\n    return {number} * x"
        path = inbox / student / lesson.name / "double.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        os.utime(path, (1_000_000 + 60 * number, 1_000_000 + 60 * number))

    return hand_in


@pytest.fixture
def graded():
    """The names of those who were graded, in order."""
    return []


@pytest.fixture
def watching(released, workspace, lesson, inbox, graded, monkeypatch):
    """Make a Watch, as a start of the command does."""
    monkeypatch.setattr(watch, "SETTLE", 0.0)
    clock, said = Clock(), []

    def grade(task):
        graded.append(task.submission.student)
        return half_marks(task)

    def make(source=inbox, at_most=10, grade=grade):
        options = {"grade": grade, "executor": ThreadPoolExecutor, "sandbox": False}
        one = Watch(
            workspace, released, [lesson], source, at_most=at_most, say=said.append, now=clock, **options
        )
        one.clock, one.said = clock, said
        return one

    return make


def page(workspace, student):
    return workspace.feedback / student / "01-double" / "double.html"


def test_what_arrives_is_graded_and_told_once(watching, hand_in, workspace, graded):
    one = watching()
    assert one.look() == 0 and one.said == []
    hand_in("Ann")
    assert one.look() == 1 and page(workspace, "Ann").is_file()
    assert "Ann: 01-double new" in one.said and "Ann: 01-double graded, 2.5 of 5 points" in one.said
    assert one.look() == one.look() == 0
    hand_in("Bob")
    hand_in("Ann")
    assert one.look() == 2 and one.look() == 0
    assert graded[0] == "Ann" and sorted(graded[1:]) == ["Ann", "Bob"]
    assert watching().look() == 0 and len(graded) == 3


def test_without_a_source_the_workspace_itself_is_watched(watching, hand_in, inbox, workspace, graded):
    one = watching(source=None)
    hand_in("Ann")
    shutil.copytree(inbox / "Ann", workspace.submitted / "Ann")
    assert one.look() == 1 and graded == ["Ann"]


def test_a_large_class_is_graded_a_few_at_a_time(watching, hand_in, graded):
    students = [f"s{number:02}" for number in range(BATCH + 2)]
    for student in students:
        hand_in(student)
    one = watching()
    assert one.look() == BATCH and sorted(graded) == students[:BATCH]
    for student in students[:BATCH]:
        hand_in(student)
    assert one.look() == BATCH  # whoever was graded less comes first
    assert set(students[BATCH:]) <= set(graded[BATCH:])
    assert one.look() == 2 and one.look() == 0


# Stopped, and started again


class Stop(BaseException):
    """As Ctrl-C is: nothing that catches an Exception catches it."""


@pytest.mark.parametrize(
    ("place", "before"),
    [
        ("autograder.classroom.watch.collect", True),
        ("autograder.classroom.watch.collect", False),
        ("autograder.gradebook.writer.write_result", True),
        ("autograder.gradebook.writer.write_result", False),
        ("autograder.gradebook.feedback.write_feedback", True),
        ("autograder.gradebook.feedback.write_feedback", False),
    ],
)
def test_stopped_at_any_moment_it_goes_on(
    watching, hand_in, workspace, spec, graded, monkeypatch, place, before
):
    name, _, function = place.rpartition(".")
    module = import_module(name)
    real, calls = getattr(module, function), []

    def stopping(*words, **options):
        calls.append(1)
        if before and len(calls) == 1:
            raise Stop
        done = real(*words, **options)
        if not before and len(calls) == 1:
            raise Stop
        return done

    monkeypatch.setattr(module, function, stopping)
    hand_in("Ann")
    hand_in("Bob")
    with pytest.raises(Stop):
        watching().look()
    finished = set(read_results(workspace, spec))
    one = watching()
    while one.look():
        pass
    assert set(read_results(workspace, spec)) == {"Ann", "Bob"}
    assert page(workspace, "Ann").is_file() and page(workspace, "Bob").is_file()
    assert bool(finished) == (
        place.endswith("write_feedback") or (place.endswith("write_result") and not before)
    )
    assert all(graded.count(student) == 1 for student in finished)


def test_another_run_is_waited_for(watching, hand_in, workspace, graded):
    hand_in("Ann")
    one = watching()
    with sole_writer(workspace):
        assert one.look() == one.look() == 0
    assert sum("Another run is grading" in said for said in one.said) == 1
    assert one.look() == 1 and graded == ["Ann"]


# How often


def test_one_student_is_graded_so_often_a_day(watching, hand_in, workspace, graded):
    one = watching(at_most=2)
    for _ in range(3):
        hand_in("Ann")
        one.look()
    hand_in("Bob")
    one.look()
    assert graded == ["Ann", "Ann", "Bob"]
    note = page(workspace, "Ann").with_name("waiting.txt")
    told = note.read_text()
    assert "has arrived and is kept" in told and "graded 2 times for you within 24 hours" in told
    assert "1970-01-13 13:46 UTC" in told and page(workspace, "Ann").is_file()
    assert any("Ann: 01-double was graded 2 times in 24 hours" in said for said in one.said)
    hand_in("Ann")
    restarted = watching(at_most=2)
    assert restarted.look() == 0 and graded.count("Ann") == 2
    restarted.clock.now += DAY + 1
    assert restarted.look() == 1 and graded.count("Ann") == 3
    assert not note.exists() and restarted.look() == 0


def test_the_count_is_of_the_last_day_and_a_broken_one_is_none(watching, hand_in, workspace):
    one = watching()
    hand_in("Ann")
    one.look()
    path = workspace.root / "watched" / "01-double.json"
    assert json.loads(path.read_text()) == {"Ann": [one.clock.now]}
    path.write_text("{")
    hand_in("Ann")
    assert one.look() == 1 and json.loads(path.read_text()) == {"Ann": [one.clock.now]}


def test_a_fault_of_ours_is_tried_again_later_and_not_counted(watching, hand_in, workspace, graded):
    def fails_at_first(task):
        graded.append(task.submission.student)
        fault = replace(half_marks(task), scores={}, status=Status.INFRASTRUCTURE_FAULT)
        return fault if len(graded) <= 3 else half_marks(task)  # a run tries three times

    one = watching(grade=fails_at_first)
    hand_in("Ann")
    assert one.look() == 1 and one.look() == 0 and not page(workspace, "Ann").exists()
    assert not (workspace.root / "watched").exists()
    one.clock.now += PAUSE + 1
    assert one.look() == 1 and page(workspace, "Ann").is_file() and one.look() == 0


def test_what_another_edition_graded_is_left_to_grade(watching, hand_in, workspace, spec, graded):
    hand_in("Ann")
    watching().look()
    path = workspace.results / "01-double" / "Ann.json"
    path.write_text(path.read_text().replace(spec.release_hash, "another"))
    one = watching()
    assert one.look() == 0 and graded == ["Ann"]
    assert any("`unrolled grade 01-double` grades them again" in said for said in one.said)


def test_of_several_lessons_only_what_names_its_own_is_taken(inbox, hand_in, workspace, lesson, spec):
    hand_in("Ann")
    shutil.copy(inbox / "Ann" / lesson.name / "double.ipynb", inbox / "Bob.ipynb")
    collected = collect(inbox, workspace, lesson, spec, named_only=True)
    assert [row.student for row in collected.rows] == ["Ann"]
    shutil.rmtree(inbox / "Ann")
    with pytest.raises(NothingThere):
        collect(inbox, workspace, lesson, spec, named_only=True)
