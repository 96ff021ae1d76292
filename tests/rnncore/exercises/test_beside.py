"""A course's own exercises: found beside a notebook, checked like the package's, refused in one sentence."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rnncore.check import check
from rnncore.exercises import NotExercises, by_name, found_here, own, using

ROOT = Path(__file__).parents[3]
STARTER = ROOT / "autograder" / "course" / "authoring" / "starter" / "solutions" / "20-average"
TEXT = (STARTER / "exercises.py").read_text("utf-8")
NAME = "average_backward"


def answer(source, name=NAME):
    """A function as a student's notebook has it."""
    names = {"np": np}
    exec(source, names)
    return names[name]


@pytest.fixture
def exercise():
    return own(TEXT)[NAME]


@pytest.fixture
def beside_the_lesson(tmp_path, monkeypatch):
    """We stand where a student's notebook lies."""
    (tmp_path / "exercises.py").write_text(TEXT, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_reference_is_what_autograd_finds(exercise):
    for case in exercise.draw(np.random.default_rng(3)):
        dy, x, y, keep = case.args
        X, k = (
            torch.tensor(x, requires_grad=True),
            torch.tensor(keep, dtype=torch.float64, requires_grad=True),
        )
        outs, before = [], torch.zeros(len(x), dtype=torch.float64)
        for t in range(x.shape[1]):
            before = k * before + (1 - k) * X[:, t]
            outs.append(before)
        torch.stack(outs, 1).backward(torch.tensor(dy))
        np.testing.assert_allclose(y, torch.stack(outs, 1).detach().numpy(), rtol=1e-12)
        dx, dkeep = exercise.reference(*case.args)
        np.testing.assert_allclose(dx, X.grad.numpy(), rtol=1e-10)
        np.testing.assert_allclose(dkeep, k.grad.item(), rtol=1e-10)


def test_a_check_finds_the_exercise_beside_the_notebook_and_names_its_mistakes(exercise, beside_the_lesson):
    verdict = check(answer(exercise.source), 5)
    assert (verdict.status, verdict.earned) == ("right", 5)
    for mistake in exercise.mistakes:
        verdict = check(answer(exercise.twin_source(mistake)), 5, seed=1)
        assert [named.id for named in verdict.mistakes] == [mistake.id]
        assert verdict.earned == pytest.approx(5 * (1 - mistake.cost))
    assert check(by_name()["sigmoid"].reference).status == "right"  # the package's are there as ever
    assert NAME not in by_name()  # nothing is left behind


def test_without_the_file_the_check_says_where_it_belongs(exercise, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    verdict = check(answer(exercise.source))
    assert verdict.status == "error" and "exercises.py, which belongs beside the notebook" in verdict.headline


def test_what_is_in_use_counts_and_no_file_is_read(exercise, beside_the_lesson):
    with using({}):
        assert found_here(NAME) == {}
        assert check(answer(exercise.source)).status == "error"
    with using(own(TEXT)):
        (beside_the_lesson / "exercises.py").write_text("EXERCISES = 1 / 0")
        assert check(answer(exercise.source)).status == "right"


def test_a_readers_own_file_of_that_name_is_left_alone(beside_the_lesson):
    (beside_the_lesson / "exercises.py").write_text("raise SystemExit('my own training exercises')")
    assert check(answer("def mine():\n    pass", "mine")).status == "error"


SMALL = """\
from rnncore.exercises import Case, Exercise

def double(x):
    return x + x

def draw(rng):
    return [Case((rng.normal(size=3),))]

EXERCISES = (Exercise(double, ("twice",), draw, ()),)
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SMALL.replace("x + x", "x +"), "mine.py is not Python: line 4: invalid syntax"),
        (SMALL.replace("import Case", "import Box"), "mine.py does not run (line 1): ImportError: cannot"),
        (SMALL.replace("EXERCISES", "TASKS"), "mine.py lists no exercises; it ends with EXERCISES ="),
        ("EXERCISES = ()", "mine.py lists no exercises"),
        ("EXERCISES = (3,)", "mine.py: item 1 of EXERCISES is of type int, and no Exercise."),
        (SMALL.replace("double", "sigmoid"), "an exercise `sigmoid` in the package"),
        (SMALL + "EXERCISES *= 2", "mine.py has two exercises `double`"),
        (
            SMALL.replace("draw, ()", "draw, (Mistake('m', 'x * x', 'x', 'No.'),)").replace(
                "import Case", "import Mistake, Case"
            ),
            "does not run (line 9): ValueError: mistake 'm' of double: its old text stands 0 times",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(text, says, tmp_path, monkeypatch):
    with pytest.raises(NotExercises) as raised:
        own(text, "mine.py")
    assert says in str(raised.value) and "\n" not in str(raised.value)
    # And a check in a notebook beside it says the same, for no points.
    (tmp_path / "exercises.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    verdict = check(answer("def my_own(x):\n    return x", "my_own"), 3)
    if "EXERCISES" in text:
        assert (verdict.status, verdict.earned) == ("not checked here", 0)
        assert verdict.headline == str(raised.value).replace("mine.py", "exercises.py")


def test_an_exercise_that_uses_another_of_the_same_file_forgives_what_that_one_spoils():
    text = SMALL.replace(
        "EXERCISES = (",
        "def quadruple(x):\n    return double(double(x))\n\n"
        "EXERCISES = (Exercise(quadruple, ('four',), draw, (), uses=('double',)), ",
    )
    notebook = {"double": None}
    exec("def double(x):\n    return x + x + 1\n\ndef quadruple(x):\n    return double(double(x))", notebook)
    with using(own(text)):
        verdict = check(notebook["quadruple"], 2, seed=4)
    assert verdict.earned == 2 and "Right with our `double`" in " ".join(verdict.remarks)
