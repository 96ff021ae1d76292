"""A small course, made with nbformat, so that these tests need no real lesson."""

import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.course.places import all_lessons
from autograder.course.release import release
from autograder.course.solutions import tidy
from autograder.course.spec import read_spec

DOUBLE = '''\
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    twice_the_input = x + x
    return twice_the_input
    ### END SOLUTION'''

TRIPLE = '''\
def triple(x):
    """Three times x."""
    ### BEGIN SOLUTION
    return double(x) + x
    ### END SOLUTION'''

ANSWER = """\
Because a doubled number is the number added to itself.

### BEGIN MARK SCHEME
One mark for saying that addition is enough, one for an example.
### END MARK SCHEME"""


def marks(grade_id, *, grade=False, solution=False, points=None):
    """nbgrader's metadata for one cell."""
    data = {"grade": grade, "grade_id": grade_id, "locked": not solution, "schema_version": 3}
    data |= {"solution": solution, "task": False}
    if points is not None:
        data["points"] = points
    return {"nbgrader": data}


def solution_notebook():
    """A solved lesson with every kind of cell in it."""
    setup = new_code_cell("import numpy as np\nfrom rnncore.check import check", metadata=marks("setup"))
    experiment = new_code_cell(
        "print(double(21))",
        metadata={**marks("see"), "tags": ["experiment"]},
        outputs=[new_output("stream", name="stdout", text="42\n")],
    )
    cells = [
        new_markdown_cell("# Double a number"),
        setup,
        new_markdown_cell("Add the number to itself."),
        new_code_cell(DOUBLE, metadata=marks("double", solution=True)),
        new_code_cell("check(double, points=3)", metadata=marks("double-check", grade=True, points=3)),
        experiment,
        new_code_cell(TRIPLE, metadata=marks("triple", solution=True)),
        new_code_cell("check(triple, points=2)", metadata=marks("triple-check", grade=True, points=2)),
        new_code_cell("x = 3  # try another number", metadata={}),
        new_markdown_cell("Why does this work?"),
        new_markdown_cell(ANSWER, metadata=marks("written", grade=True, solution=True, points=2)),
    ]
    notebook = new_notebook(cells=cells)
    notebook.metadata["unrolled"] = {"hides": ["rnncore.cells"], "minutes": 5, "needs": []}
    return notebook


@pytest.fixture
def untidy_course(tmp_path):
    """A course with one solved lesson, 01-double, saved as Jupyter would; nothing is released yet."""
    folder = tmp_path / "course" / "solutions" / "01-double"
    folder.mkdir(parents=True)
    nbformat.write(solution_notebook(), folder / "double.ipynb")
    return tmp_path / "course"


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """The same course, tidied and released; read-only for tests."""
    root = tmp_path_factory.mktemp("released")
    folder = root / "solutions" / "01-double"
    folder.mkdir(parents=True)
    nbformat.write(solution_notebook(), folder / "double.ipynb")
    tidy(root)
    release(root)
    return root


@pytest.fixture(scope="session")
def spec(released):
    """The spec of the released lesson."""
    return read_spec(all_lessons(released)[0].lesson_path)


@pytest.fixture(scope="session")
def empty_gradebook(tmp_path_factory):
    """A gradebook with nothing in it, to be copied: making one takes nbgrader more than a second."""
    from autograder.course.places import Workspace
    from autograder.gradebook.database import open_gradebook

    workspace = Workspace(tmp_path_factory.mktemp("gradebook"))
    with open_gradebook(workspace):
        pass
    return workspace.gradebook


@pytest.fixture
def workspace(released, empty_gradebook, tmp_path):
    """An empty workspace of the released course."""
    from autograder.gradebook.configuration import prepare_workspace

    workspace = prepare_workspace(tmp_path / "classroom", released)
    shutil.copy(empty_gradebook, workspace.gradebook)
    return workspace


@pytest.fixture
def lesson_notebook(released):
    """The released lesson as a student opens it, for the test to change."""
    return nbformat.read(all_lessons(released)[0].lesson_path, as_version=4)
