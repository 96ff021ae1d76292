"""Grades for other programs: a table for spreadsheets, and the files that learning platforms import.

``grades`` says what the numbers are. A student whose score nobody knows gets an empty cell, which platforms
leave as it is. ``rosters`` fills in Canvas's or Moodle's own file, ``gradescope`` writes its results.json.
"""

import csv
import io
import re

from autograder.course.places import CourseError, write_atomically
from autograder.intake.ledger import recorded
from autograder.intake.plain import plain
from autograder.reporting.exports import gradescope, rosters
from autograder.reporting.exports.feedback_zip import moodle_zip
from autograder.reporting.grades import as_number, feedback_text, grades, some, unread

KINDS = ("csv", "canvas", "moodle", "moodle-feedback", "gradescope")
ENDINGS = {"moodle-feedback": ".zip", "gradescope": ""}  # of what is written; others are tables
FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001  (spreadsheets take the wide ones for formulas, too)
MOST_IN_A_CELL = 30_000  # characters: what spreadsheets take


def export(workspace, lesson, spec, kind, out=None, *, roster=None, column=None, excel=False, dry_run=False):
    """Write the grades of a lesson in one of KINDS; returns (path, how many, notes).

    ``roster``: the platform's own export. ``column``: the assignment's column in Canvas's. ``dry_run``: write
    nothing, and return what would be.
    """
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
    if excel and kind in ENDINGS:
        raise CourseError(f"--excel is for tables; {kind} writes other files.")
    if out is None:
        out = workspace.reports / f"{lesson.name}-{kind}{ENDINGS.get(kind, '.csv')}"
    if roster is not None and roster.exists() and out.exists() and out.samefile(roster):
        raise CourseError(f"--out would write over the roster {roster}; name another file.")
    if (kind == "gradescope") == out.is_file() and out.exists():
        kinds = ("file", "folder") if kind == "gradescope" else ("folder", "file")
        raise CourseError(f"--out {out} is a {kinds[0]}; {kind} writes a {kinds[1]}.")
    found = [_exportable(grade, spec, kind) for grade in grades(workspace, spec)]
    if not found:
        raise CourseError(
            f"Nothing was graded for {lesson.name} in {workspace.root} yet; "
            f"run `unrolled grade {lesson.name}` first."
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
    count = sum(grade.score is not None for grade in found)
    if kind == "moodle-feedback":
        pages, count, more = moodle_zip(workspace, spec, found, recorded(workspace, lesson.name))
    if dry_run:
        return out, count, [*more, *notes(found, spec)]
    try:
        if kind == "gradescope":
            count = gradescope.write_results(found, spec, out)
        elif kind == "moodle-feedback":
            write_atomically(out, pages)
        else:
            write_atomically(out, csv_bytes(rows, bom=excel, delimiter=delimiter))
    except OSError as error:
        raise CourseError(f"{out} cannot be written ({error.strerror or error}).") from None
    return out, count, [*more, *notes(found, spec)]


def _exportable(grade, spec, kind):
    """The grade, or an empty one where it cannot be written in this format, which must stop no other."""
    try:
        table([grade], spec)
        if kind == "gradescope" and grade.score is not None:
            gradescope.results_of(grade, spec)
        elif kind == "moodle":
            feedback_text(grade)
        return grade
    except Exception as error:
        return unread(grade.student, grade.max_score, error)


# Tables


def safe_text(text):
    """Text that no spreadsheet runs: what would start a formula gets an apostrophe before it."""
    text = plain(text, MOST_IN_A_CELL, lines=True, tex=True).replace("\n", " ")
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
