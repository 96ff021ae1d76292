"""A lesson of three real exercises, submissions to it, and what grading them should give."""

import os

import nbformat
from nbformat.v4 import new_code_cell

from autograder.course.spec import CellSpec, LessonSpec
from autograder.judging.notebook import grade_notebook
from autograder.sandbox.box import MIB, Limits
from rnncore.exercises import by_name

SECRET = b"a course secret, 32 bytes long.."
# Times that no test comes to: one that is about them has its own.
LIMITS = Limits(
    cell_seconds=120.0, call_seconds=60.0, notebook_seconds=600.0, memory=400 * MIB, output_bytes=MIB
)
SETUP = "import numpy as np\n\nfrom rnncore.check import check\n"
POINTS = {"softmax_cross_entropy": 3.0, "rnn_cell_backward": 5.0, "rnn_backward": 4.0}
NAMES = tuple(POINTS)
FIRST, SECOND, THIRD = NAMES
FULL = {f"{name}-check": points for name, points in POINTS.items()}

SOLVED = {name: by_name()[name].source for name in NAMES}
UNTOUCHED = {name: f"{SOLVED[name].split(chr(10))[0]}\n    raise NotImplementedError\n" for name in NAMES}


HIDES = ("rnncore.cells", "rnncore.layers", "rnncore.losses", "rnncore.gradcheck")


def lesson(*, setup=SETUP, tests=None, needs=(), extra=(), hides=HIDES):
    """The spec; ``tests``: other sources for test cells by exercise; ``extra``: more CellSpecs at the end."""
    cells = [CellSpec("setup", "locked", "code", setup, metadata=_marks("setup"))]
    for name, points in POINTS.items():
        cells.append(CellSpec(name, "solution", "code", UNTOUCHED[name], metadata=_marks(name)))
        source = (tests or {}).get(name, f"check({name}, points={points:g})")
        mark = f"{name}-check"
        cells.append(CellSpec(mark, "test", "code", source, points, metadata=_marks(mark)))
    return LessonSpec("03-bptt", "bptt", (*cells, *extra), hides, tuple(needs), "a release hash")


def _marks(grade_id):
    return {"nbgrader": {"grade_id": grade_id}}


def submission(answers=None, *, first="", last="", spec=None):
    """A notebook with ``answers`` by name (others solved), and cells added before and after them."""
    notebook = nbformat.v4.new_notebook()
    answers = {**SOLVED, **(answers or {})}
    for cell in (spec or lesson()).cells:
        source = answers.get(cell.grade_id, cell.source)
        notebook.cells.append(new_code_cell(source, metadata=cell.metadata))
        if cell.grade_id == "setup" and first:
            notebook.cells.append(new_code_cell(first))
    if last:
        notebook.cells.append(new_code_cell(last))
    return notebook


def grade(notebook, spec=None, limits=LIMITS, student="student", sandbox=True):
    """Grade in the sandbox; the result's notebook must be one that nbformat accepts."""
    warm = os.environ.get("KERNELS_OF_TESTS") == "warm"  # reaches the processes of a pool, too
    graded = grade_notebook(
        notebook, spec or lesson(), limits, student=student, secret=SECRET, sandbox=sandbox, warm=warm
    )
    if graded.scores:
        assert graded.provenance["kernel"] == ("warm" if warm and sandbox else "cold")
    nbformat.validate(graded.notebook)
    return graded


def points(graded):
    """Points by the exercise's name."""
    return {name.removesuffix("-check"): score.points for name, score in graded.scores.items()}


def without(*names):
    """Full marks but for these exercises, which have none."""
    return {name: 0.0 if name in names else full for name, full in POINTS.items()}
