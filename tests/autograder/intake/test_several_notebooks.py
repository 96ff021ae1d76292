"""Of several notebooks in a folder the one that was worked on is graded, and what else there is, is said."""

import copy
import os

import nbformat
import pytest

from autograder.course.places import all_lessons
from autograder.intake.submissions import read_submission

DONE = "def double(x):\n    return x + x"


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]


@pytest.fixture
def put(lesson, tmp_path):
    """Writes notebooks into Ann's folder, by name with the answers in each, and reads what she handed in."""

    def write(**answers):
        folder = tmp_path / "Ann" / lesson.name
        folder.mkdir(parents=True)
        released = nbformat.read(lesson.lesson_path, as_version=4)
        for name, given in answers.items():
            notebook = copy.deepcopy(released)
            for cell in notebook.cells:
                cell.source = given.get(cell.id, cell.source) if isinstance(given, dict) else cell.source
            path = folder / f"{name.replace('_', '-')}.ipynb"
            path.write_text(nbformat.writes(notebook) if isinstance(given, dict) else given)
        return read_submission(tmp_path / "Ann", lesson)

    return write


ONE, TWO = {"double": DONE}, {"double": DONE, "triple": "def triple(x):\n    return 3 * x"}


def test_a_solved_copy_beside_the_untouched_lesson_is_graded(put):
    found = put(double={}, double_Copy1=ONE)
    assert DONE.split("\n")[1].encode() in found.raw
    assert found.remarks == ("`double-Copy1.ipynb` was graded, since nothing was done in double.ipynb.",)


def test_of_two_solved_copies_the_fuller_one(put):
    found = put(double={}, double_Copy1=TWO, double_Copy2=ONE)
    assert b"return 3 * x" in found.raw
    assert "`double-Copy1.ipynb` was graded" in found.remarks[0] and "most answers" in found.remarks[0]


def test_work_in_two_notebooks_is_said(put):
    found = put(double=ONE, old=TWO)
    assert b"return 3 * x" not in found.raw
    assert found.remarks == ("There is also work in `old.ipynb`; double.ipynb was graded.",)


@pytest.mark.parametrize("other", [{}, "{", ONE])
def test_what_changes_nothing_needs_no_remark(put, other):
    assert put(double=ONE, other=other).remarks == ()


def test_a_broken_notebook_gives_way_to_a_whole_one(put):
    assert put(double="{", double_Copy1=ONE).remarks[0].startswith("`double-Copy1.ipynb` was graded")


def test_without_one_of_the_right_name_the_one_with_work_counts(put):
    found = put(first={}, second=ONE)
    assert found.remarks == ("`second.ipynb` was graded, since nothing was done in the other notebooks.",)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"first": ONE, "second": TWO}, "there is work in `first.ipynb` and `second.ipynb`"),
        ({"first": {}, "second": {}}, "nothing was done in any"),
    ],
)
def test_where_nobody_knows_which_is_meant_nothing_is_guessed(put, answers, says):
    found = put(**answers)
    assert found.raw is None and says in found.problem and "hand in one" in found.problem


def test_a_link_is_no_copy(put, lesson, tmp_path):
    put(double={})
    secret = tmp_path / "solution.ipynb"
    secret.write_text(nbformat.writes(nbformat.read(lesson.solution_path, as_version=4)))
    os.symlink(secret, tmp_path / "Ann" / lesson.name / "double-Copy1.ipynb")
    found = read_submission(tmp_path / "Ann", lesson)
    assert found.raw is not None and b"twice_the_input" not in found.raw and found.remarks == ()


def test_a_name_gives_no_orders(put, lesson, tmp_path):
    put(x={})
    folder = tmp_path / "Ann" / lesson.name
    (folder / "x.ipynb").rename(folder / "full `marks`\x1b[2J\u202e.ipynb")
    found = read_submission(tmp_path / "Ann", lesson)
    assert found.remarks == ("The notebook is called `full 'marks'.ipynb`; it was taken for double.ipynb.",)
