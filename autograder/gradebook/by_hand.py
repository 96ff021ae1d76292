"""Written answers as a person marks them: read from the graded notebooks, marked in nbgrader's gradebook.

What is written is what the formgrader's boxes write, so formgrader, reports, exports and feedback all see it.
Beside the gradebook, WORKSPACE/marks/ keeps which lines of the mark scheme were ticked, which nbgrader has no
place for; they count for as long as the gradebook has the points that were given with them.
"""

import contextlib
import hashlib
import json
from dataclasses import dataclass, field

import nbformat
from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    GradeCell,
    MissingEntry,
    Notebook,
    SolutionCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)

from autograder.course.places import CourseError, replacing
from autograder.gradebook.database import open_gradebook
from autograder.gradebook.results import graded_path
from autograder.intake.contents.reading import Unreadable
from autograder.intake.submissions import read_regular
from autograder.judging.sanitise import sanitise


@dataclass(frozen=True)
class Answer:
    """One student's written answer, cleaned, with what the gradebook says of it.

    ``text``: Markdown; ``pictures``: its attachments. ``digest`` tells this answer from another of theirs.
    ``again``: whether it was marked, and then changed. ``ticked``: texts of the scheme's lines.
    """

    student: str
    name: str
    text: str
    pictures: dict
    digest: str
    score: float | None
    comment: str
    waits: bool
    ticked: tuple = field(default=())

    @property
    def again(self):
        return self.waits and self.score is not None


def written_cells(spec):
    """The lesson's written answers, as its CellSpecs."""
    return [cell for cell in spec.cells if cell.kind == "written"]


def answers(workspace, spec, grade_id):
    """The Answers that wait for a person or were marked by one, by the student's name."""
    found = []
    with open_gradebook(workspace) as gradebook:
        comments = dict(_rows(gradebook, spec, grade_id, Comment, SolutionCell, Comment.manual_comment))
        rows = _rows(
            gradebook,
            spec,
            grade_id,
            Grade,
            GradeCell,
            Grade.manual_score,
            Grade.needs_manual_grade,
            Student.last_name,
            Student.first_name,
        ).all()
    for student, score, waits, last, first in rows:
        if not waits and score is None:  # nothing was written there, which nbgrader grades itself
            continue
        cell = _cell(workspace, spec, student, grade_id)
        if cell is None:
            continue
        digest = _digest(cell)
        cell.setdefault("id", grade_id)
        (cell,) = sanitise(nbformat.v4.new_notebook(cells=[cell]), spec).cells
        found.append(
            Answer(
                student=student,
                name=" ".join(part for part in (first, last) if part),
                text=cell.source,
                pictures=cell.get("attachments", {}),
                digest=digest,
                score=score,
                comment=comments.get(student) or "",
                waits=bool(waits),
                ticked=_ticked(workspace, spec, student, grade_id, score),
            )
        )
    return sorted(found, key=lambda one: one.student.lower())


def give(workspace, spec, grade_id, student, *, digest, score, comment, ticked=(), settled=True):
    """Write one answer's points (None: it waits again) and comment; returns whether it waits.

    ``digest``: of the answer that was read; another one may have been graded since. ``settled``: False writes
    the comment alone. Raises CourseError, with nothing written.
    """
    top = spec.cell(grade_id).points
    if score is not None and not 0 <= score <= top:
        raise CourseError(
            f"{score:g} is not between 0 and {top:g}, the points of this answer; "
            "extra credit is given in the formgrader."
        )
    cell = _cell(workspace, spec, student, grade_id)
    if cell is None:
        raise CourseError(f"There is no graded answer of {student!r} any more; load the page again.")
    if _digest(cell) != digest:
        raise CourseError(f"{student} has handed in another answer; load the page again to read it.")
    names = (grade_id, spec.notebook, spec.assignment, student)
    path = _ticks_path(workspace, spec, student)
    ticks = {**_read(path), grade_id: {"score": score, "ticked": list(ticked)}}
    ticks = json.dumps(ticks, indent=1, ensure_ascii=False) + "\n"
    with open_gradebook(workspace) as gradebook:
        try:
            grade, note = gradebook.find_grade(*names), gradebook.find_comment(*names)
        except MissingEntry:
            raise CourseError(
                f"The gradebook has no row for {student!r}; `unrolled grade` makes it."
            ) from None
        if settled:
            grade.manual_score, grade.needs_manual_grade = score, score is None
        note.manual_comment = comment.strip() or None
        waits = bool(grade.needs_manual_grade)
        with replacing(path, ticks) if settled else contextlib.nullcontext():
            gradebook.db.commit()
    return waits


def _rows(gradebook, spec, grade_id, table, cells, *columns):
    """Rows of (student, *columns) of the gradebook's table of grades or comments, for one cell."""
    return (
        gradebook.db.query(Student.id, *columns)
        .select_from(table)
        .join(cells, cells.id == table.cell_id)
        .join(SubmittedNotebook, SubmittedNotebook.id == table.notebook_id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(Student, Student.id == SubmittedAssignment.student_id)
        .filter(cells.name == grade_id, Notebook.name == spec.notebook, Assignment.name == spec.assignment)
    )


def _cell(workspace, spec, student, grade_id):
    """The answer's cell in the student's graded notebook; None where there is none."""
    try:
        # Not validated, which takes most of the time; the grader wrote it.
        cells = nbformat.v4.reads(read_regular(graded_path(workspace, spec, student)).decode()).cells
    except (Unreadable, OSError, ValueError, AttributeError, TypeError):
        return None
    for cell in cells:
        if cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    return None


def _digest(cell):
    text = json.dumps([cell.source, cell.get("attachments", {})], sort_keys=True)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]


def _ticks_path(workspace, spec, student):
    return workspace.root / "marks" / spec.assignment / f"{student}.json"


def _ticked(workspace, spec, student, grade_id, score):
    """The lines that were ticked when the answer was given its score; () if it has another by now."""
    kept = _read(_ticks_path(workspace, spec, student)).get(grade_id, {})
    return tuple(kept.get("ticked", ())) if score is not None and kept.get("score") == score else ()


def _read(path):
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
