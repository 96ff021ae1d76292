"""A class's grades as plain data: what every export starts from.

The numbers are nbgrader's: with grades given by hand and late penalties in them. What the grader found,
the status and the mistakes that were named, comes from the results beside it. A student whose grading
failed through no fault of theirs has no score, never a zero.
"""

import math
from dataclasses import dataclass, field

from nbgrader.api import MissingEntry

from autograder.gradebook.database import open_gradebook
from autograder.gradebook.page import ENDINGS
from autograder.gradebook.results import read_results
from autograder.intake.naming import said
from autograder.intake.plain import all_plain
from autograder.judging.status import Status


@dataclass(frozen=True)
class Grade:
    """One student's grade for one lesson; ``score`` is None where nobody knows it."""

    student: str
    score: float | None
    max_score: float
    before_penalty: float | None = None
    late_penalty: float = 0
    waits: bool = False  # for grading by hand
    unmarked: float = 0  # points of answers that nobody has graded yet, which no score can hold
    last_name: str = ""
    first_name: str = ""
    email: str = ""
    submitted: object = None
    status: str = ""
    parts: dict = field(default_factory=dict)  # {grade_id: (points, most points, graded by hand)}
    verdicts: dict = field(default_factory=dict)  # {grade_id: the result's exercise}
    mistakes: tuple = ()
    remarks: tuple = ()
    seconds: float = 0.0


def grades(workspace, spec):
    """The grades of all who handed in, in the order of their names, as the gradebook has them."""
    results = read_results(workspace, spec)
    with open_gradebook(workspace) as gradebook:
        try:
            submissions = gradebook.assignment_submissions(spec.assignment)
        except MissingEntry:
            submissions = []
        found = []
        for submission in submissions:
            student = submission.student.id
            try:
                found.append(_grade(submission, results.get(student, {})))
            except Exception as error:
                found.append(unread(student, spec.max_points, error))
    return sorted(found, key=lambda grade: grade.student)


def unread(student, max_score, error):
    """The grade of a student whose own cannot be read, through no fault of theirs."""
    remark = f"The grade could not be read ({said(error)})."
    return Grade(student, None, max_score, status=str(Status.INFRASTRUCTURE_FAULT), remarks=(remark,))


def _grade(submission, result):
    entries = [entry for notebook in submission.notebooks for entry in notebook.grades]
    parts = {entry.name: (entry.score, entry.max_score, entry.manual_score is not None) for entry in entries}
    penalty = as_number(submission.late_submission_penalty or 0) or 0
    before = as_number(submission.score)
    score = None if before is None else as_number(max(0.0, before - penalty))
    fault = result.get("status") == Status.INFRASTRUCTURE_FAULT
    if not any(
        entry.manual_score is not None or (not fault and entry.auto_score is not None) for entry in entries
    ):
        score = before = None
    unmarked = [
        entry.max_score
        for entry in entries
        if entry.needs_manual_grade and entry.manual_score is None and entry.auto_score is None
    ]
    person = submission.student
    return Grade(
        student=person.id,
        score=score,
        max_score=as_number(submission.max_score) or 0,
        before_penalty=before,
        late_penalty=penalty,
        waits=bool(submission.needs_manual_grade) and score is not None,
        unmarked=as_number(sum(unmarked)) or 0,
        last_name=person.last_name or "",
        first_name=person.first_name or "",
        email=person.email or "",
        submitted=submission.timestamp,
        status=result.get("status", ""),
        parts=parts,
        verdicts=all_plain(result.get("exercises", {})),
        mistakes=tuple(all_plain(result.get("mistakes", ()))),
        remarks=tuple(all_plain(result.get("remarks", ()))),
        seconds=float(result.get("seconds") or 0.0),
    )


def as_number(value):
    """A number as it should be read by others: finite, four decimals, whole where it is."""
    if value is None or not math.isfinite(value):
        return None
    value = round(float(value), 4)
    return int(value) if value.is_integer() else value


def feedback_text(grade):
    """What a platform's feedback field says to the student: how grading ended, a penalty, each mistake."""
    said = (
        [] if grade.status in ("", Status.GRADED) else [ENDINGS.get(grade.status, f"Status: {grade.status}.")]
    )
    if grade.late_penalty:
        said.append(f"{grade.late_penalty:g} points were taken off for lateness.")
    said += [f"{mistake['exercise']}: {mistake['says']}" for mistake in grade.mistakes]
    return " ".join(said)


def some(names, limit=5):
    """The first few names as text, and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
