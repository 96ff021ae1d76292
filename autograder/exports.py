"""Grades for other programs: a table for spreadsheets, and the files that learning platforms import.

The numbers are nbgrader's: with grades given by hand and late penalties in them. What the grader found,
the status and the mistakes that were named, comes from the results beside it. A student whose grading
failed through no fault of theirs gets an empty cell, which platforms leave as it is, never a zero.
``rosters`` fills in Canvas's or Moodle's own file, ``gradescope`` writes its results.json.
"""

import csv
import io
import math
import re
from dataclasses import dataclass, field

from autograder.course import CourseError, write_atomically
from autograder.results import read_results
from autograder.status import Status

KINDS = ("csv", "canvas", "moodle", "gradescope")
FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001  (spreadsheets take the wide ones for formulas, too)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Grade:
    """One student's grade for one lesson; ``score`` is None where nobody knows it."""

    student: str
    score: float | None
    max_score: float
    before_penalty: float | None = None
    late_penalty: float = 0
    waits: bool = False  # for grading by hand
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
    from nbgrader.api import MissingEntry

    from autograder.gradebook import open_gradebook

    results = read_results(workspace, spec)
    with open_gradebook(workspace) as gradebook:
        try:
            submissions = gradebook.assignment_submissions(spec.assignment)
        except MissingEntry:
            submissions = []
        found = [_grade(submission, results.get(submission.student.id, {})) for submission in submissions]
    return sorted(found, key=lambda grade: grade.student)


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
    person = submission.student
    return Grade(
        student=person.id,
        score=score,
        max_score=as_number(submission.max_score) or 0,
        before_penalty=before,
        late_penalty=penalty,
        waits=bool(submission.needs_manual_grade) and score is not None,
        last_name=person.last_name or "",
        first_name=person.first_name or "",
        email=person.email or "",
        submitted=submission.timestamp,
        status=result.get("status", ""),
        parts=parts,
        verdicts=result.get("exercises", {}),
        mistakes=tuple(result.get("mistakes", ())),
        remarks=tuple(result.get("remarks", ())),
        seconds=float(result.get("seconds") or 0.0),
    )


def as_number(value):
    """A number as it should be read by others: finite, four decimals, whole where it is."""
    if value is None or not math.isfinite(value):
        return None
    value = round(float(value), 4)
    return int(value) if value.is_integer() else value


def export(workspace, lesson, spec, kind, out=None, *, roster=None, column=None, excel=False):
    """Write the grades of a lesson in one of KINDS; returns (path, how many, notes).

    ``roster``: the platform's own export. ``column``: the assignment's column in Canvas's.
    """
    from autograder import gradescope, rosters
    from autograder.ledger import recorded

    if kind not in KINDS:
        raise CourseError(f"There is no format {kind!r}; the formats are: {', '.join(KINDS)}.")
    if roster is not None and kind not in ("canvas", "moodle"):
        raise CourseError(f"--roster belongs to canvas and moodle; {kind} needs none.")
    if column is not None and kind != "canvas":
        raise CourseError("--column names a column of Canvas's gradebook; it goes with --format canvas.")
    if kind == "canvas" and roster is None:
        raise CourseError(
            "Canvas needs its own gradebook: in Canvas Grades, Export; then --roster that file."
        )
    if excel and kind == "gradescope":
        raise CourseError("--excel is for tables; gradescope writes results.json files.")
    if out is None:
        out = workspace.reports / (f"{lesson.name}-{kind}" + (".csv" if kind != "gradescope" else ""))
    if roster is not None and roster.exists() and out.exists() and out.samefile(roster):
        raise CourseError(f"--out would write over the roster {roster}; name another file.")
    if (kind == "gradescope") == out.is_file() and out.exists():
        kinds = ("file", "folder") if kind == "gradescope" else ("folder", "file")
        raise CourseError(f"--out {out} is a {kinds[0]}; {kind} writes a {kinds[1]}.")
    found = grades(workspace, spec)
    if not found:
        raise CourseError(
            f"Nothing was graded for {lesson.name} in {workspace.root} yet; run `unrolled grade` first."
        )
    delimiter, more = ",", []
    if kind == "csv":
        rows = table(found, spec)
    elif kind == "canvas":
        record = recorded(workspace, lesson.name)
        rows, delimiter, more = rosters.canvas(found, spec, record, roster, column)
    elif kind == "moodle":
        record = recorded(workspace, lesson.name)
        rows, delimiter, more = rosters.moodle(found, spec, record, roster)
    try:
        if kind == "gradescope":
            count = gradescope.write_results(found, spec, out)
        else:
            write_atomically(out, csv_bytes(rows, bom=excel, delimiter=delimiter))
            count = sum(grade.score is not None for grade in found)
    except OSError as error:
        raise CourseError(f"{out} cannot be written ({error.strerror or error}).") from None
    return out, count, [*more, *notes(found, spec)]


# Tables


def safe_text(text):
    """Text that no spreadsheet runs: what would start a formula gets an apostrophe before it."""
    text = CONTROL.sub(lambda match: "\t" if match[0] == "\t" else " ", str(text))
    # Where a spreadsheet splits at semicolons or tabs, a formula could also start in the middle.
    text = re.sub(rf"([;\t]\s*)(?=[{''.join(map(re.escape, FORMULA))}])", r"\1'", text).replace("\t", " ")
    is_formula = text.lstrip(" '\"").startswith(FORMULA) and text != "-"  # Moodle's "nothing"
    return "'" + text if is_formula else text


def csv_bytes(rows, *, bom=False, delimiter=","):
    """The rows as CSV: numbers bare, all text quoted and safe, None as an empty cell."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC)
    for row in rows:
        writer.writerow(
            [value if isinstance(value, int | float) else safe_text(value or "") for value in row]
        )
    text = file.getvalue().encode("utf-8", errors="replace").decode()
    return text.encode("utf-8-sig" if bom else "utf-8")


def table(found, spec):
    """The rows for a spreadsheet: a header, then a row for each grade."""
    names = [cell.grade_id for cell in spec.cells if cell.kind in ("test", "written")]
    header = ["student", "last name", "first name", "email", "submitted (UTC)", "status"]
    header += ["score", "out of", "before penalty", "late penalty", "waits for grading by hand"]
    header += [name.removesuffix("-check") for name in names]
    rows = [[*header, "mistakes", "remarks"]]
    for grade in found:
        submitted = grade.submitted.strftime("%Y-%m-%d %H:%M:%S") if grade.submitted else ""
        row = [grade.student, grade.last_name, grade.first_name, grade.email, submitted, grade.status]
        row += [grade.score, grade.max_score, grade.before_penalty, grade.late_penalty]
        row.append("yes" if grade.waits else "no")
        for name in names:
            known = grade.score is not None and name in grade.parts
            row.append(as_number(grade.parts[name][0]) if known else None)
        row.append("; ".join(f"{mistake['exercise']}: {mistake['id']}" for mistake in grade.mistakes))
        row.append(" ".join(grade.remarks))
        rows.append(row)
    return rows


def feedback_text(grade):
    """What a platform's feedback field says to the student: the status, a penalty, each mistake."""
    said = [] if grade.status in ("", Status.GRADED) else [f"Status: {grade.status}."]
    if grade.late_penalty:
        said.append(f"{grade.late_penalty:g} points were taken off for lateness.")
    said += [f"{mistake['exercise']}: {mistake['says']}" for mistake in grade.mistakes]
    return " ".join(said)


def notes(found, spec):
    """Sentences on what the numbers do not say: whose are missing, and whose will change."""
    said = []
    unknown = [grade.student for grade in found if grade.score is None]
    waiting = sum(grade.waits for grade in found)
    if unknown:
        said.append(f"No score for {some(unknown)}: not graded, or grading failed; run `unrolled grade`.")
    if waiting:
        said.append(f"{waiting} of {len(found)} wait for grading by hand; their scores will change.")
    return said


def some(names, limit=5):
    """The first few names as text, and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
