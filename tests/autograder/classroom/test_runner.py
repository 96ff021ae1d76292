"""A class is graded whole: every submission gets a row, nobody's result depends on a neighbour's.

The grader itself is tested elsewhere; here small stand-ins take its place, some of which die.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC

import nbformat
import pytest
from nbgrader.api import Course, Gradebook

from autograder.classroom import pool, runner
from autograder.classroom.runner import run
from autograder.course.places import CourseError, all_lessons
from autograder.gradebook import database
from autograder.gradebook.results import read_results
from autograder.intake.collect import collect
from autograder.intake.submissions import find_submissions, left_out
from autograder.sandbox.box import Limits
from tests.autograder.standins import (
    aborts_for_mallory,
    check_fails,
    dies_for_mallory,
    half_marks,
    hangs_for_mallory,
    hoards_for_mallory,
    short_of_time_with_others,
    starts,
)
from tests.autograder.waiting import wait_until


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]


def hand_in(workspace, student, raw, name="double.ipynb"):
    path = workspace.submitted / student / "01-double" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return path


def test_workers_are_started_before_nbgrader_is_imported():
    imports = "import sys, autograder.cli.commands.grade, autograder.classroom.runner"
    code = f"{imports}; sys.exit('nbgrader' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Where stand-ins in other processes write down what they began."""
    monkeypatch.setenv("STANDIN_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


@pytest.fixture
def handed_in(workspace, lesson):
    raw = lesson.lesson_path.read_bytes()
    for student in ("Ann", "Bob", "Cem"):
        hand_in(workspace, student, raw)
    return workspace


def grade(workspace, lesson, spec, **options):
    options = {"grade": half_marks, "executor": ThreadPoolExecutor, **options}
    return run(workspace, lesson, spec, **options)


def test_everyone_gets_a_row_in_the_gradebook_and_a_file(handed_in, lesson, spec):
    results, skipped = grade(handed_in, lesson, spec)
    assert skipped == []
    assert {name: (r["score"], r["max_score"], r["status"]) for name, r in results.items()} == {
        name: (2.5, 5, "graded") for name in ("Ann", "Bob", "Cem")
    }
    # The written answer was left as it was, which is no answer, so nothing waits for a person.
    assert database.standings(handed_in, spec) == {name: (2.5, False) for name in ("Ann", "Bob", "Cem")}
    stored = nbformat.read(handed_in.autograded / "Ann" / "01-double" / "double.ipynb", as_version=4)
    nbformat.validate(stored)
    with Gradebook(handed_in.db_url, database.COURSE_ID) as book:
        grades = book.find_submission_notebook("double", "01-double", "Ann").grades
        assert {one.name: one.auto_score for one in grades} == {
            "double-check": 1.5,
            "triple-check": 1,
            "written": 0,
        }
        assert [row.id for row in book.db.query(Course).all()] == [database.COURSE_ID]


def test_what_has_not_changed_is_skipped_and_force_changes_nothing(handed_in, lesson, spec):
    first, _ = grade(handed_in, lesson, spec)
    again, skipped = grade(handed_in, lesson, spec)
    assert (again, skipped) == (first, ["Ann", "Bob", "Cem"])
    forced, skipped = grade(handed_in, lesson, spec, force=True)
    assert (forced, skipped) == (first, [])


@pytest.mark.parametrize("memory", [2**28, 2**33])
def test_workers_may_hold_what_a_notebook_may(handed_in, lesson, spec, monkeypatch, memory):
    """Whether it is known when they start or not, as where the instructor's own limits are read later."""
    told = []

    @contextlib.contextmanager
    def early(workers, nursery, needs):
        def pool(workers, sandbox):
            told.append(sandbox)
            return ThreadPoolExecutor(workers)

        yield pool

    monkeypatch.setattr(runner, "started_early", early)
    results, _ = run(handed_in, lesson, spec, limits=Limits(memory=memory), grade=half_marks, workers=1)
    assert set(told) == {memory} and len(results) == 3


def test_only_a_few_notebooks_are_in_memory_however_large_the_class(workspace, lesson, spec):
    for number in range(60):
        hand_in(workspace, f"Student {number}", lesson.lesson_path.read_bytes())
    notebooks, most = [], []

    class Counting(ThreadPoolExecutor):
        def submit(self, function, task):
            notebooks.append(weakref.ref(task))
            return super().submit(function, task)

    def half(task):
        notebooks.append(weakref.ref(result := half_marks(task)))
        most.append(sum(notebook() is not None for notebook in notebooks))
        return result

    graded, _ = grade(workspace, lesson, spec, executor=Counting, grade=half)
    assert len(graded) == 60 and {one["score"] for one in graded.values()} == {2.5}
    assert 2 <= max(most) <= 45, max(most)  # of 120 tasks and results


def test_where_a_check_fails_a_person_is_waited_for_and_it_is_tried_again(handed_in, lesson, spec):
    def waiting():
        with Gradebook(handed_in.db_url, database.COURSE_ID) as book:
            grades = book.find_submission_notebook("double", "01-double", "Ann").grades
            return {one.name for one in grades if one.needs_manual_grade}

    results, _ = grade(handed_in, lesson, spec, grade=check_fails)
    assert {(one["score"], one["status"]) for one in results.values()} == {(1.5, "graded")}
    assert waiting() == {"triple-check"}
    again, skipped = grade(handed_in, lesson, spec)
    assert skipped == [] and {one["score"] for one in again.values()} == {2.5}
    assert waiting() == set()
    assert grade(handed_in, lesson, spec)[1] == ["Ann", "Bob", "Cem"]


@pytest.mark.parametrize("lost", ["result", "notebook", "row", "submission changed", "lesson changed"])
def test_what_was_lost_or_changed_is_graded_again(handed_in, lesson, spec, lost):
    grade(handed_in, lesson, spec)
    if lost == "result":
        (handed_in.results / "01-double" / "Bob.json").write_text("{")
    elif lost == "notebook":
        (handed_in.autograded / "Bob" / "01-double" / "double.ipynb").unlink()
    elif lost == "row":
        with Gradebook(handed_in.db_url, database.COURSE_ID) as book:
            book.remove_submission("01-double", "Bob")
    elif lost == "submission changed":
        hand_in(handed_in, "Bob", lesson.lesson_path.read_bytes() + b"\n")
    else:
        spec = type(spec)(**{**vars(spec), "release_hash": "another"})
    _, skipped = grade(handed_in, lesson, spec)
    assert skipped == ([] if lost == "lesson changed" else ["Ann", "Cem"])


def test_what_a_person_gave_is_never_touched(handed_in, lesson, spec):
    grade(handed_in, lesson, spec)
    with Gradebook(handed_in.db_url, database.COURSE_ID) as book:
        one = book.find_grade("triple-check", "double", "01-double", "Ann")
        one.manual_score, one.extra_credit = 2.0, 0.5
        book.find_comment("double", "double", "01-double", "Ann").manual_comment = "Nicely put."
        book.db.commit()
    grade(handed_in, lesson, spec, force=True)
    with Gradebook(handed_in.db_url, database.COURSE_ID) as book:
        one = book.find_grade("triple-check", "double", "01-double", "Ann")
        assert (one.manual_score, one.extra_credit, one.auto_score) == (2.0, 0.5, 1.0)
        assert book.find_comment("double", "double", "01-double", "Ann").manual_comment == "Nicely put."
    assert database.standings(handed_in, spec)["Ann"][0] == 4.0


def test_what_a_person_settled_waits_again_only_if_the_answer_changed(handed_in, lesson, spec):
    def waiting():
        with Gradebook(handed_in.db_url, database.COURSE_ID) as book:
            grades = book.find_submission_notebook("double", "01-double", "Ann").grades
            return {one.name for one in grades if one.needs_manual_grade}

    def answered(text, code="x = 3"):
        notebook = nbformat.read(lesson.lesson_path, as_version=4)
        notebook.cells[-1].source, notebook.cells[8].source = text, code
        hand_in(handed_in, "Ann", nbformat.writes(notebook).encode())

    answered("Addition.")
    grade(handed_in, lesson, spec)
    assert waiting() == {"written"}
    with Gradebook(handed_in.db_url, database.COURSE_ID) as book:
        for name, points in {"written": 1.5, "double-check": 3}.items():
            one = book.find_grade(name, "double", "01-double", "Ann")
            one.manual_score, one.needs_manual_grade = points, False
        book.db.commit()
    grade(handed_in, lesson, spec, force=True)
    assert waiting() == set() and database.changed_since_by_hand(handed_in, spec) == {}
    answered("Addition, as in 2 + 2.")
    grade(handed_in, lesson, spec)
    assert waiting() == {"written"}  # and the code is as it was
    assert database.changed_since_by_hand(handed_in, spec) == {"Ann": ["written"]}
    assert database.standings(handed_in, spec)["Ann"] == (5.5, True)
    answered("Addition, as in 2 + 2.", code="x = 4")
    grade(handed_in, lesson, spec)
    assert waiting() == {"double-check", "written"}


def test_a_written_answer_waits_for_a_person(handed_in, lesson, spec):
    notebook = nbformat.read(lesson.lesson_path, as_version=4)
    notebook.cells[-1].source = "Addition."
    hand_in(handed_in, "Ann", nbformat.writes(notebook).encode())
    grade(handed_in, lesson, spec)
    standings = database.standings(handed_in, spec)
    assert (standings["Ann"], standings["Bob"]) == ((2.5, True), (2.5, False))


def test_a_worker_that_dies_costs_nobody_anything(handed_in, lesson, spec, log):
    hand_in(handed_in, "Mallory", lesson.lesson_path.read_bytes())
    seen = []
    results, _ = run(
        handed_in, lesson, spec, grade=dies_for_mallory, sandbox=False, on_result=seen.append, workers=2
    )
    assert {name: r["status"] for name, r in results.items()} == {
        "Ann": "graded",
        "Bob": "graded",
        "Cem": "graded",
        "Mallory": "infrastructure fault",
    }
    assert sorted(result["student"] for result in seen) == sorted(results)
    times = Counter(student for _, student in starts(log))
    assert times == {"Ann": 1, "Bob": 1, "Cem": 1, "Mallory": 2}  # no neighbour's work was lost
    assert "nothing was charged" in results["Mallory"]["remarks"][0]
    with Gradebook(handed_in.db_url, database.COURSE_ID) as book:
        grades = book.find_submission_notebook("double", "01-double", "Mallory").grades
        assert [one.auto_score for one in grades] == [None, None, None]
    # Our fault is tried again the next time, without being asked.
    results, skipped = grade(handed_in, lesson, spec)
    assert skipped == ["Ann", "Bob", "Cem"] or results["Mallory"]["status"] == "graded"


def test_a_worker_that_hangs_is_ended(handed_in, lesson, spec, log, monkeypatch):
    def wait(futures, patience, return_when):
        """Patience begins when only the one that hangs is left and has begun; it is then soon over."""
        assert patience == limits.notebook_seconds + runner.PATIENCE
        alone = len(futures) == 1
        wait_until(lambda: any(one.done() for one in futures) or (alone and "Mallory" in begun()))
        return whole(futures, 0.1, return_when)

    def begun():
        return [student for _, student in starts(log)]

    hand_in(handed_in, "Mallory", lesson.lesson_path.read_bytes())
    whole, limits = pool.wait, Limits(notebook_seconds=1)
    monkeypatch.setattr(pool, "wait", wait)
    monkeypatch.setattr(pool, "ATTEMPTS", 1)
    results, _ = run(
        handed_in,
        lesson,
        spec,
        grade=hangs_for_mallory,
        sandbox=False,
        limits=limits,
        only=["Ann", "Mallory"],
    )
    assert {name: r["status"] for name, r in results.items()} == {
        "Ann": "graded",
        "Mallory": "infrastructure fault",
    }


@pytest.mark.parametrize("stand_in", [hoards_for_mallory, aborts_for_mallory])
def test_more_memory_than_a_worker_may_have_is_graded_again_alone_and_then_a_memory_limit(
    handed_in, lesson, spec, log, stand_in
):
    hand_in(handed_in, "Mallory", lesson.lesson_path.read_bytes())
    results, _ = run(handed_in, lesson, spec, grade=stand_in, sandbox=False, workers=2)
    mallory = results.pop("Mallory")
    assert (mallory["status"], mallory["score"]) == ("memory limit", 0)
    assert "more memory than a worker may use" in mallory["remarks"][0]
    assert {(r["status"], r["score"]) for r in results.values()} == {("graded", 2.5)}
    began = starts(log)
    times = Counter(student for _, student in began)
    assert times == {"Ann": 1, "Bob": 1, "Cem": 1, "Mallory": 2}
    assert began[-1][1] == "Mallory"  # when all others were done
    assert database.standings(handed_in, spec)["Mallory"] == (0, False)
    _, skipped = run(handed_in, lesson, spec, grade=stand_in, sandbox=False)
    assert "Mallory" in skipped  # a row like any other: nobody grades it for ever


def test_what_ran_out_beside_others_is_graded_once_more_alone(handed_in, lesson, spec, log):
    seen = []
    results, _ = run(
        handed_in,
        lesson,
        spec,
        grade=short_of_time_with_others,
        sandbox=False,
        workers=2,
        on_result=seen.append,
    )
    assert {(r["status"], r["score"]) for r in results.values()} == {("graded", 2.5)} and len(seen) == 3
    assert Counter(student for _, student in starts(log)) == {"Ann": 2, "Bob": 2, "Cem": 2}
    log.unlink()
    options = {"grade": short_of_time_with_others, "sandbox": False, "force": True, "only": ["Bob"]}
    results, _ = run(handed_in, lesson, spec, **options)
    assert results["Bob"]["status"] == "time limit" and len(starts(log)) == 1  # alone it was at once


def test_a_fault_that_passes_is_tried_again(handed_in, lesson, spec):
    tries = []

    def shaky(task):
        tries.append(task.submission.student)
        if task.submission.student == "Bob" and tries.count("Bob") < 2:
            raise OSError("no such luck")
        return half_marks(task)

    results, _ = grade(handed_in, lesson, spec, grade=shaky)
    assert results["Bob"]["status"] == "graded"
    assert sorted(tries) == ["Ann", "Bob", "Bob", "Cem"]


def test_a_run_that_was_stopped_goes_on(handed_in, lesson, spec):
    def stop(result):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade(handed_in, lesson, spec, on_result=stop, workers=1)
    assert len(read_results(handed_in, spec)) == 1
    results, skipped = grade(handed_in, lesson, spec)
    assert len(results) == 3 and len(skipped) == 1
    assert not list(handed_in.root.rglob("*.part"))


def test_two_runs_in_one_workspace_are_refused(handed_in, lesson, spec):
    with database.sole_writer(handed_in), pytest.raises(CourseError, match="Another run is grading"):
        grade(handed_in, lesson, spec)


# Files


def test_strange_submissions_get_a_row_that_says_why(handed_in, lesson, spec, tmp_path):
    raw = lesson.lesson_path.read_bytes()
    (handed_in.submitted / "Dir" / "01-double" / "double.ipynb").mkdir(parents=True)
    (handed_in.submitted / "Empty" / "01-double").mkdir(parents=True)
    (handed_in.submitted / "File").mkdir()
    (handed_in.submitted / "File" / "01-double").write_text("x")
    link = hand_in(handed_in, "Link", b"")
    link.unlink()
    link.symlink_to(lesson.solution_path)
    whole = tmp_path / "elsewhere"
    whole.mkdir()
    (handed_in.submitted / "Linked").mkdir()
    (handed_in.submitted / "Linked" / "01-double").symlink_to(lesson.solution_path.parent)
    pipe = hand_in(handed_in, "Pipe", b"")
    pipe.unlink()
    os.mkfifo(pipe)
    hand_in(handed_in, "Two", raw, "a.ipynb")
    hand_in(handed_in, "Two", raw, "b.ipynb")
    hand_in(handed_in, "Wrong", raw, "double (1).ipynb")
    hand_in(handed_in, "Time", raw).with_name("timestamp.txt").write_text("yesterday-ish")
    results, _ = grade(handed_in, lesson, spec)
    said = {name: (r["status"], " ".join(r["remarks"])) for name, r in results.items()}
    for name, says in {
        "Dir": "is a folder",
        "Empty": "no notebook double.ipynb",
        "File": "is a file",
        "Link": "links are not followed",
        "Linked": "links are not followed",
        "Pipe": "no plain file",
        "Two": "2 notebooks, none of them called",
    }.items():
        assert said[name][0] == "unreadable" and says in said[name][1], name
    by_student = {one.student: one for one in find_submissions(handed_in, lesson)}
    assert "it was taken for double.ipynb" in by_student["Wrong"].remarks[0]
    assert "could not be read" in by_student["Time"].remarks[0]
    assert said["Wrong"][0] == said["Time"][0] == "graded"
    assert set(database.standings(handed_in, spec)) == set(results)


def test_the_time_of_submission_reaches_the_gradebook(handed_in, lesson, spec):
    path = handed_in.submitted / "Ann" / "01-double" / "timestamp.txt"
    path.write_text("2026-02-03 04:05:06 UTC")
    grade(handed_in, lesson, spec)
    with Gradebook(handed_in.db_url, database.COURSE_ID) as book:
        when = book.find_submission("01-double", "Ann").timestamp
    assert (when.year, when.month, when.hour, when.second) == (2026, 2, 4, 6)
    path.write_text("2026-02-04 04:05:06 UTC")  # a time learned later is part of the grade
    _, skipped = grade(handed_in, lesson, spec)
    assert skipped == ["Bob", "Cem"]
    with Gradebook(handed_in.db_url, database.COURSE_ID) as book:
        assert book.find_submission("01-double", "Ann").timestamp.day == 4


def test_what_was_odd_in_the_exchange_stands_in_the_row(workspace, lesson, spec, tmp_path):
    name = "Ann+01-double+2026-07-01 17:00:00.000000 IST+r4nd0m"
    (tmp_path / "inbound" / name).mkdir(parents=True)
    shutil.copy(lesson.lesson_path, tmp_path / "inbound" / name / "double.ipynb")
    collect(tmp_path / "inbound", workspace, lesson, spec, zone=UTC)
    results, _ = grade(workspace, lesson, spec, grade=with_remarks)
    assert "in the zone IST, which may be one of several" in " ".join(results["Ann"]["remarks"])
    with Gradebook(workspace.db_url, database.COURSE_ID) as book:
        assert book.find_submission("01-double", "Ann").timestamp is None


def with_remarks(task):
    return replace(half_marks(task), remarks=list(task.submission.remarks))


def test_what_nbgraders_exchange_releases_feedback_by_is_kept(handed_in, lesson, spec):
    hand_in(handed_in, "Ann", b"a secret of Ann's", "submission_secret.txt")
    grade(handed_in, lesson, spec)
    (kept,) = handed_in.autograded.glob("*/*/submission_secret.txt")
    assert kept.parts[-3] == "Ann" and kept.read_text() == "a secret of Ann's"


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        ([], "There are no submissions to 01-double"),
        (["01-double/Ann/double.ipynb"], "laid out as LESSON/STUDENT"),
        (["Ann.ipynb"], "lack a folder for their lesson"),
        (["Ann/double.ipynb"], "lack a folder for their lesson"),
        (["Ann/02-other/other.ipynb"], "there are some to 02-other"),
    ],
)
def test_a_wrong_layout_is_explained(workspace, lesson, paths, says):
    for name in paths:
        path = workspace.submitted / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    with pytest.raises(CourseError, match=says):
        find_submissions(workspace, lesson)


def test_what_is_left_out_is_named(handed_in, lesson):
    (handed_in.submitted / "Loose.ipynb").write_text("{}")
    (handed_in.submitted / "Flat").mkdir()
    (handed_in.submitted / "Flat" / "double.ipynb").write_text("{}")
    (handed_in.submitted / "<b>x" / "01-double").mkdir(parents=True)
    notes = " ".join(left_out(handed_in, lesson))
    assert "Loose.ipynb is not in a student's folder" in notes
    assert "Flat has notebooks, but no folder 01-double" in notes
    assert "'<b>x' is not usable" in notes
    assert [one.student for one in find_submissions(handed_in, lesson)] == ["Ann", "Bob", "Cem"]


# The gradebook


def test_a_gradebook_of_another_course_is_refused(handed_in, lesson, spec):
    with Gradebook(handed_in.db_url, "physics101") as book:
        book.add_assignment("ps1")
    with pytest.raises(CourseError, match="belongs to the course 'physics101'"):
        grade(handed_in, lesson, spec)


def test_a_gradebook_with_strange_assignments_is_refused(handed_in, lesson, spec):
    with Gradebook(handed_in.db_url) as book:
        book.add_assignment("ps1")
    with pytest.raises(CourseError, match=r"another course \(it has 'ps1'\)"):
        grade(handed_in, lesson, spec)


def test_a_file_that_is_no_gradebook_is_refused(handed_in, lesson, spec):
    handed_in.gradebook.write_text("not a database, but long enough to look like a header of one" * 9)
    with pytest.raises(CourseError, match="is not a gradebook"):
        grade(handed_in, lesson, spec)


def test_grades_of_another_version_of_the_lesson_are_kept(handed_in, lesson, spec):
    grade(handed_in, lesson, spec)
    shorter = type(spec)(**{**vars(spec), "cells": spec.cells[:-1], "release_hash": "shorter"})
    with pytest.raises(CourseError, match="with other cells"):
        grade(handed_in, lesson, shorter)


def test_results_are_json_with_all_that_reports_need(handed_in, lesson, spec):
    grade(handed_in, lesson, spec)
    result = json.loads((handed_in.results / "01-double" / "Ann.json").read_text())
    assert result["exercises"]["double-check"] == {
        **{"points": 1.5, "max_points": 3, "verdict": None, "seed": 7},
        **{"failed": "", "signature": ""},
    }
    assert result["provenance"] == {"by": "stand-in"}
    assert set(result["hashes"]) == {"submission", "received", "release", "grader", "limits", "sandbox"}
