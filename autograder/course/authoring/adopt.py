"""A plain nbgrader course, source/ASSIGNMENT/NOTEBOOK.ipynb, brought into a course of one's own.

Each notebook becomes a lesson; what nbgrader's metadata say of its cells stays as it is. Nothing of the other
course is changed.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell

from autograder.course.places import CourseError, Lesson, all_lessons, write_atomically
from autograder.course.solutions import canonical, to_text

LAST = 99


@dataclass
class Adopted:
    """A lesson made of a notebook, and what has to be said of it."""

    lesson: Lesson
    source: Path
    remarks: list = field(default_factory=list)


def adopt(course, source):
    """Make lessons of all notebooks of an nbgrader course; returns an Adopted for each."""
    folder = source / "source" if (source / "source").is_dir() else source
    paths = sorted(path for path in folder.glob("*/*.ipynb") if not path.parent.name.startswith("."))
    if not paths:
        where = f"{folder}/ASSIGNMENT/NOTEBOOK.ipynb"
        raise CourseError(f"There are no notebooks at {where}; name the folder of an nbgrader course.")
    taken = all_lessons(course)
    number = max((int(lesson.name[:2]) for lesson in taken), default=0)
    if number + len(paths) > LAST:
        raise CourseError(f"{len(paths)} more lessons do not fit: they are numbered up to {LAST}.")
    adopted = []
    for path in paths:
        slug = re.sub(r"[^a-z0-9]+", "-", f"{path.parent.name}-{path.stem}".lower()).strip("-")
        if any(lesson.notebook == slug for lesson in taken):
            raise CourseError(f"The course has a lesson {slug} already; rename or remove it to adopt {path}.")
        number += 1
        adopted.append(_lesson(Lesson(f"{number:02d}-{slug}", course), path))
    for one, notebook in adopted:
        write_atomically(one.lesson.solution_path, to_text(canonical(notebook)))
    return [one for one, _ in adopted]


def _lesson(lesson, path):
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        raise CourseError(f"{path} is no notebook: {error}") from None
    one = Adopted(lesson, path)
    title = f"# {lesson.name[:2]} · {lesson.notebook.replace('-', ' ').capitalize()}"
    if not notebook.cells or not notebook.cells[0].source.startswith("# "):
        notebook.cells.insert(0, new_markdown_cell(title))
    about = {"hides": [], "makes": "", "minutes": 0, "needs": []}
    notebook.metadata["unrolled"] = nbformat.from_dict({**about, **notebook.metadata.get("unrolled", {})})
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader") or {}
        name = marks.get("grade_id")
        if marks.get("task"):
            one.remarks.append(
                f"{name} is a task, which has no cell of its own to be answered in, and its "
                f"{marks.get('points', 0):g} points are not counted; make it a manually graded answer."
            )
        if "BEGIN HIDDEN TESTS" in cell.source:
            advice = "take the markers away, or draw fresh inputs with a `check`"
            one.remarks.append(f"{name} hides tests, and the judge runs what is released; {advice}.")
        if marks.get("grade") and marks.get("solution") and cell.cell_type == "code":
            one.remarks.append(f"{name} is code that a person grades; it is shown as text, and not run.")
    beside = (other for other in path.parent.iterdir() if other.suffix != ".ipynb" and other.is_file())
    others = sorted(other.name for other in beside)
    if others:
        one.remarks.append(f"{', '.join(others)} lies beside it and is not handed out with it.")
    return one, notebook
