"""Which plain test cells the judge cannot run as they stand, and what is said of each."""

from pathlib import Path

import pytest

from autograder.course.places import all_lessons
from autograder.course.spec import CellSpec, LessonSpec, read_spec
from autograder.judging.obstacles import obstacles

SOLUTION = "def squares(n):\n    pass\n\n\nclass Stack:\n    pass\n\n\nanswer = None"


def said(test):
    cells = (
        CellSpec("setup", "locked", "code", "import math\nfrom numpy import allclose as near"),
        CellSpec("imports", "code", "code", "from numpy.testing import assert_allclose"),
        CellSpec("squares", "solution", "code", SOLUTION),
        CellSpec("test", "test", "code", test, 1.0),
    )
    return obstacles(LessonSpec("21-x", "x", cells, (), (), "hash")).get("test", [])


@pytest.mark.parametrize(
    "test",
    [
        "assert squares(2) == [1, 4]",
        "check(squares, points=2)",
        "check(Stack, points=2)",
        "assert near(squares(2), np.arange(2)) and math.pi > 3",
        "try:\n    squares(0)\nexcept ValueError as error:\n    print(error)\nelse:\n    assert False",
        "for n in range(3):\n    assert all(one > 0 for one in squares(n)) and answer == 3",
        "def right(n):\n    return n * n\n\nassert squares(1) == [right(1)]",
        "from numpy.testing import assert_allclose\nassert_allclose(squares(2), [1, 4])",
        "assert sorted(squares(3), key=lambda one: -one)[0] == 9",
    ],
)
def test_functions_in_and_plain_data_out_is_no_obstacle(test):
    assert said(test) == []


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ("kept = squares\ndel squares", "it takes `squares` away or puts something in its place"),
        ("squares = None\nassert total(3)", "it takes `squares` away"),
        ("def squares(n):\n    return []", "it takes `squares` away"),
        ("squares(lambda x: x)", "it hands a function to `squares`"),
        ("def f(x):\n    return x\n\nsquares(n=f)", "it hands a function to `squares`"),
        ("assert squares.__doc__", "it looks at `squares.__doc__`"),
        ("assert Stack().push(1)", "`Stack` is a class"),
        ("assert 'squares' in In[-1]", "it uses `In` of Jupyter"),
        ("assert open('data.csv').read()", "it reads a file with `open`"),
        ("assert_allclose(squares(1), [1])", "import or define it in the test cell itself"),
        ("%matplotlib inline\nassert squares(1)", "it is no Python by itself"),
    ],
)
def test_each_obstacle_is_told_with_what_to_change(test, says):
    assert any(says in sentence for sentence in said(test)), said(test)


@pytest.mark.parametrize("lesson", all_lessons(Path(__file__).parents[3]), ids=lambda lesson: lesson.name)
def test_our_own_lessons_have_none(lesson):
    assert obstacles(read_spec(lesson.lesson_path)) == {}
