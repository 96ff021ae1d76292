"""The numbers that every export starts from: nbgrader's, with what was given by hand and taken off."""

import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from nbgrader.plugins import LateSubmissionPlugin

from autograder.classroom.runner import run
from autograder.gradebook.database import open_gradebook
from autograder.intake.collect import collect
from autograder.reporting.grades import as_number, grades
from tests.autograder.reporting.reading import fine
from tests.autograder.standins import half_marks


def test_manual_scores_and_late_penalties_are_in_the_numbers(room, spec):
    found = {grade.student: grade for grade in grades(room, spec)}
    assert (found["Ann"].score, found["Ann"].before_penalty, found["Ann"].late_penalty) == (4.5, 4.75, 0.25)
    assert found["Ann"].max_score == 7 and not found["Ann"].waits
    assert found["Bob"].score == 2.5 and found["Bob"].waits
    assert found["Fay"].score is None  # through no fault of hers
    assert found["Never graded"].score is None and not found["Never graded"].waits
    assert list(found) == sorted(found)


def test_a_penalty_never_makes_a_score_negative(room, spec):
    fine(room, "Bob", 99)
    assert next(grade for grade in grades(room, spec) if grade.student == "Bob").score == 0


def test_numbers_are_finite_and_short():
    assert [as_number(value) for value in (2.0, 1.25, 0.1 + 0.2, None, float("nan"), float("inf"))] == [
        2,
        1.25,
        0.3,
        None,
        None,
        None,
    ]


def test_lateness_counts_from_the_platforms_time_and_not_from_a_students_file(
    workspace, lesson, spec, tmp_path, monkeypatch
):
    rule = lambda plugin, student, score, seconds: 1.0  # noqa: E731
    monkeypatch.setattr(LateSubmissionPlugin, "late_submission_penalty", rule)
    raw = lesson.lesson_path.read_bytes()
    with zipfile.ZipFile(tmp_path / "blackboard.zip", "w") as file:
        for student, day in (("ann", "01"), ("bob", "09")):
            file.writestr(f"hw_{student}_attempt_2026-11-{day}-10-00-00_double.ipynb", raw)
            file.writestr(
                f"hw_{student}_attempt_2026-11-{day}-10-00-00_timestamp.txt", "2026-11-01 00:00:00 UTC"
            )
    collect(tmp_path / "blackboard.zip", workspace, lesson, spec, zone=UTC)
    with open_gradebook(workspace) as book:
        book.update_or_create_assignment("01-double", duedate=datetime(2026, 11, 5))
    run(workspace, lesson, spec, grade=half_marks, executor=ThreadPoolExecutor)
    found = {grade.student: (grade.score, grade.late_penalty) for grade in grades(workspace, spec)}
    assert found == {"ann": (2.5, 0), "bob": (1.5, 1)}
