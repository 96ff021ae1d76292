"""What a released lesson asks for, as plain data: its cells, what each is worth, and what grading hides.

Grading trusts this and never the student's copy. A ``LessonSpec`` is read once from the released
notebook, pickles well, and goes to every worker.
"""

import hashlib
from dataclasses import dataclass, field

from autograder.course.places import EXERCISES
from autograder.course.shown import hidden_modules

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


class SpecError(ValueError):
    """A released lesson that grading cannot work from."""


@dataclass(frozen=True)
class CellSpec:
    """One cell of the release. ``grade_id`` is the cell's id where nbgrader gives it none."""

    grade_id: str
    kind: str  # locked, solution, test, written, text or code
    cell_type: str
    source: str
    points: float = 0.0
    tags: tuple = ()
    metadata: dict = field(default_factory=dict)

    @property
    def graded(self):
        return self.kind in ("test", "written")


@dataclass(frozen=True)
class LessonSpec:
    """A released lesson: every cell in order, and the modules hidden from students' code while grading.

    Those are what its metadata name, and what none of its cells imports (``shown``). ``exercises``: the text
    of the exercises.py beside it, for the judge; students' code does not see that file.
    """

    assignment: str
    notebook: str
    cells: tuple
    hides: tuple
    needs: tuple
    release_hash: str
    exercises: str = ""

    @property
    def max_points(self):
        return sum(cell.points for cell in self.cells if cell.graded)

    @property
    def notebook_metadata(self):
        """The metadata of a notebook rebuilt from this lesson; nothing of the student's is in it."""
        return {
            "kernelspec": dict(KERNELSPEC),
            "language_info": {"name": "python"},
            "unrolled": {"hides": list(self.hides), "needs": list(self.needs)},
        }

    def cell(self, grade_id):
        """The cell with this grade_id."""
        for cell in self.cells:
            if cell.grade_id == grade_id:
                return cell
        raise KeyError(f"{self.assignment} has no cell {grade_id!r}")


def cell_kind(cell):
    """What nbgrader's metadata makes of a cell: one of CellSpec's kinds."""
    marks = cell.metadata.get("nbgrader") or {}
    if marks.get("grade") and marks.get("solution"):
        return "written"
    if marks.get("grade"):
        return "test"
    if marks.get("solution"):
        return "solution"
    if marks.get("locked"):
        return "locked"
    return "code" if cell.cell_type == "code" else "text"


def read_spec(path):
    """The spec of the released lesson at ``path`` (lessons/NN-slug/slug.ipynb)."""
    try:
        raw = path.read_bytes()
    except OSError:
        raise SpecError(f"There is no released lesson at {path}; make it with `unrolled release`.") from None
    import nbformat  # takes a second, which a wrong argument should not

    try:
        notebook = nbformat.reads(raw.decode(), as_version=4)
    except Exception as error:
        raise SpecError(f"The released lesson {path} is no notebook: {error}") from error
    asks = notebook.metadata.get("unrolled")
    if asks is None or "hides" not in asks:
        raise SpecError(
            f"{path} does not say which modules grading hides: "
            'its notebook metadata needs "unrolled": {"hides": [...]}.'
        )
    cells = tuple(_cell_spec(cell, index) for index, cell in enumerate(notebook.cells))
    seen = set()
    for cell in cells:
        if cell.grade_id in seen:
            raise SpecError(f"{path} has two cells called {cell.grade_id!r}; a name is used once.")
        seen.add(cell.grade_id)
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    exercises = read_exercises(path.with_name(EXERCISES))
    return LessonSpec(
        assignment=path.parent.name,
        notebook=path.stem,
        cells=cells,
        hides=hidden_modules(sources, tuple(asks["hides"])),
        needs=tuple(asks.get("needs", ())),
        release_hash=hashlib.sha256(raw + exercises.encode()).hexdigest(),
        exercises=exercises,
    )


def read_exercises(path):
    """The text of a lesson's exercises.py, "" where there is none; SpecError if it cannot be used."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} cannot be read: {error}.") from None
    from rnncore.exercises import NotExercises, own  # takes a moment, which other lessons need not

    try:
        own(text, str(path))
    except NotExercises as error:
        raise SpecError(str(error)) from None
    if not text.strip():
        raise SpecError(f"{path} is empty; remove it, or write exercises.")
    return text


def _cell_spec(cell, index):
    marks = cell.metadata.get("nbgrader") or {}
    kind = cell_kind(cell)
    return CellSpec(
        grade_id=marks.get("grade_id") or cell.get("id") or f"cell-{index}",
        kind=kind,
        cell_type=cell.cell_type,
        source=cell.source,
        points=float(marks.get("points", 0)) if kind in ("test", "written") else 0.0,
        tags=tuple(cell.metadata.get("tags", ())),
        metadata=_plain(cell.metadata),
    )


def _plain(value):
    """NotebookNodes as ordinary dicts, so that a spec pickles without nbformat's classes."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
