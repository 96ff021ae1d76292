"""A run that is killed at any moment goes on where it was, and ends as if nothing had happened."""

import contextlib
import json
import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.classroom.runner import run
from autograder.course.places import Workspace, all_lessons
from autograder.gradebook import database
from tests.autograder.standins import half_marks

KILLED = 9


def grade(workspace, lesson, spec):
    return run(
        workspace, lesson, spec, grade=half_marks, executor=ThreadPoolExecutor, workers=1, sandbox=False
    )


@contextlib.contextmanager
def moments(tick):
    """Call ``tick`` around every step of grading that leaves something behind: a file put in its place, a
    step of nbgrader's, a row, a commit."""

    def watched(function):
        def wrapped(*words, **named):
            tick()
            result = function(*words, **named)
            tick()
            return result

        return wrapped

    with pytest.MonkeyPatch.context() as patch:
        for place, name in ((os, "replace"), (database, "_step"), (database, "record")):
            patch.setattr(place, name, watched(getattr(place, name)))
        yield


def left_at_every_moment(workspace, lesson, spec, folder):
    """Grade, and copy at each moment the files that are there: they are all that a kill would leave.

    One run gives every copy; to be killed at each, the class would be graded from its start every time.
    """
    left = []

    def copy():
        left.append(Workspace(folder / f"moment-{len(left) + 1}"))
        shutil.copytree(workspace.root, left[-1].root)

    with moments(copy):
        grade(workspace, lesson, spec)
    return left


def killed_at(moment, workspace, lesson, spec):
    """Grade in a child that dies at this moment; whether it did."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    passed = []

    def die():
        passed.append(1)
        if len(passed) == moment:
            os._exit(KILLED)

    try:
        with moments(die):
            grade(workspace, lesson, spec)
        os._exit(0)
    except BaseException:
        os._exit(1)


def state(workspace, spec):
    """All that a run leaves, without what differs from run to run."""
    notebooks = {path.parent.parent.name: path.read_text() for path in workspace.autograded.rglob("*.ipynb")}
    results = {path.stem: json.loads(path.read_text()) for path in workspace.results.rglob("*.json")}
    with contextlib.closing(sqlite3.connect(workspace.gradebook)) as book:
        assert book.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = book.execute("SELECT auto_score, manual_score FROM grade ORDER BY auto_score").fetchall()
    return notebooks, results, rows, database.standings(workspace, spec)


def test_a_run_killed_at_any_moment_goes_on(workspace, released, spec, tmp_path):
    lesson = all_lessons(released)[0]
    for student in ("Ann", "Bob"):
        place = workspace.submitted / student / lesson.name
        place.mkdir(parents=True)
        shutil.copy(lesson.lesson_path, place)
    workspace.secret()
    fresh = Workspace(tmp_path / "fresh")
    shutil.copytree(workspace.root, fresh.root)
    left = left_at_every_moment(workspace, lesson, spec, tmp_path)
    expected = state(workspace, spec)
    assert len(left) > 14
    # One kill in earnest: what is locked, say, no copy of files shows.
    middle = len(left) // 2
    assert killed_at(middle, fresh, lesson, spec)
    for moment, again in [*enumerate(left, 1), (middle, fresh)]:
        results, skipped = grade(again, lesson, spec)
        assert state(again, spec) == expected, moment
        assert set(results) == {"Ann", "Bob"} and len(skipped) < 2 + (moment > 10)
        assert not [path for path in again.root.rglob("*.part") if path.stat().st_size == 0]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"hashes": 3}', "\udcff"])
def test_a_damaged_result_is_made_again(workspace, released, spec, text):
    lesson = all_lessons(released)[0]
    place = workspace.submitted / "Ann" / lesson.name
    place.mkdir(parents=True)
    shutil.copy(lesson.lesson_path, place)
    first, _ = grade(workspace, lesson, spec)
    path = workspace.results / lesson.name / "Ann.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    again, skipped = grade(workspace, lesson, spec)
    assert (again, skipped) == (first, [])
