"""The first draft of a lesson's notebook: it runs, releases, and asks for what its exercises say."""

import ast

import nbformat
import pytest

from autograder.course import release
from autograder.course.authoring.draft import answer, draft
from autograder.course.places import CourseError, find_lesson
from autograder.course.solutions import tidy
from autograder.course.spec import SpecError, read_spec

EXERCISES = '''\
import numpy as np

from rnncore.exercises import Case, Exercise, Mistake


def leak(x, h, a):
    """One step of a leaky unit: h (B, H) moves towards x (B, H).

    All are arrays.
    """
    # towards x
    return h + a * (x - h)


class Unit:
    def __init__(self, a):
        self.a = a


def draw(rng):
    return [Case((rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), 0.25), {"B": 2, "H": 3})]


def use(Unit, *args):
    return Unit(args[2]).a


EXERCISES = (Exercise(leak, ("h_next",), draw, ()), Exercise(Unit, ("a",), draw, (), use=use))
'''


@pytest.fixture
def course(tmp_path):
    folder = tmp_path / "solutions" / "21-leak"
    folder.mkdir(parents=True)
    (folder / "exercises.py").write_text(EXERCISES)
    return tmp_path


def test_a_draft_releases_and_the_lesson_asks_for_what_the_exercises_say(course):
    path, exercises = draft(course, "21-leak", (3.0, 2.5))
    assert path == course / "solutions/21-leak/leak.ipynb" and len(exercises) == 2
    release.release(course)
    assert release.check(course) == []
    spec = read_spec(find_lesson(course, "21").lesson_path)
    assert [(cell.grade_id, cell.points) for cell in spec.cells if cell.kind == "test"] == [
        ("leak-check", 3.0),
        ("Unit-check", 2.5),
    ]
    asked = spec.cell("leak").source
    assert asked.endswith("raise NotImplementedError") and "a * (x - h)" not in asked and "All are" in asked
    assert spec.cell("leak-task").source.startswith("### Exercise 1 · `leak(x, h, a)`")
    cells = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
    names = {"np": None}
    exec(cells["leak"].source, names)
    assert names["leak"](1.0, 0.0, 0.25) == 0.25
    assert cells["leak-check"].metadata["nbgrader"]["points"] == 3


def test_points_are_changed_in_one_place_and_tidied_into_the_other(course):
    path, _ = draft(course, "21-leak")
    path.write_text(path.read_text().replace("check(leak, points=5)", "check(leak, points=8)"))
    with pytest.raises(CourseError, match="`unrolled release --tidy` makes them the same"):
        release.release(course)
    assert tidy(course) == [path]
    release.release(course)
    assert read_spec(find_lesson(course, "21").lesson_path).max_points == 13


@pytest.mark.parametrize(
    ("source", "marked"),
    [
        (
            "def f(x):\n    return x\n",
            "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION",
        ),
        (
            'def f(x):\n    """One."""\n    y = x\n\n    return y\n',
            'def f(x):\n    """One."""\n    ### BEGIN SOLUTION\n    y = x\n\n    return y\n'
            "    ### END SOLUTION",
        ),
        (
            "class A:\n    x = 1\n",
            "class A:\n    ### BEGIN SOLUTION\n    x = 1\n    ### END SOLUTION",
        ),
    ],
)
def test_what_students_write_is_between_the_markers(source, marked):
    assert answer(source) == marked
    assert ast.dump(ast.parse(marked)) == ast.dump(ast.parse(source))


def test_what_cannot_be_drafted_is_one_sentence(course):
    for name, points, says in (
        ("leak", (), "'leak' is no name for a lesson; write two digits and words"),
        ("22-none", (), "22-none/exercises.py, and a draft is made from its exercises"),
        ("21-leak", (1.0,), "--points gives 1 numbers to 2 exercises"),
    ):
        with pytest.raises(CourseError) as raised:
            draft(course, name, points)
        assert says in str(raised.value) and "\n" not in str(raised.value)
    draft(course, "21-leak")
    with pytest.raises(CourseError, match=r"leak\.ipynb is there already; edit it in Jupyter"):
        draft(course, "21-leak")
    (course / "solutions" / "22-other").mkdir()
    (course / "solutions" / "22-other" / "exercises.py").write_text("EXERCISES = (")
    with pytest.raises(SpecError, match="is not Python: line 1"):
        draft(course, "22-other")
