"""A right answer over a wrong earlier function keeps its marks, whatever that one does: nothing raises.

Every exercise that builds on others is answered rightly while each of those is, in turn, every wrong twin
of it and every odd thing that a name can hold. Nobody is accused of what the helper did.
"""

import numpy as np
import pytest

from rnncore.check import check
from rnncore.exercises import by_name

EXERCISES = by_name()
PAIRS = [(name, helper) for name, exercise in EXERCISES.items() for helper in exercise.uses]


def raises(*args):
    raise RuntimeError("this helper is broken")


def leaves(*args):
    raise SystemExit


def goes_on_for_ever(*args):
    while True:
        yield args


def spoils_its_inputs(*args):
    for array in args:
        if isinstance(array, np.ndarray) and array.dtype == float:
            array *= 0
    return args


def of_torch(*args):
    torch = pytest.importorskip("torch")
    return tuple(torch.zeros(2, 3) for _ in args)


ODD = {
    "None": lambda *args: None,
    "nothing it takes": lambda: None,
    "text": lambda *args: "text",
    "NaN": lambda *args: float("nan"),
    "arrays of NaN": lambda *args: tuple(np.full((2, 3), np.nan) for _ in range(3)),
    "a ragged list": lambda *args: [[1, 2], [3]],
    "an endless generator": goes_on_for_ever,
    "a huge number": lambda *args: 10**5000,
    "tensors": of_torch,
    "no function": 3,
    "its own arguments": lambda *args: args,
    "raises": raises,
    "ends Python": leaves,
    "spoils its inputs": spoils_its_inputs,
    "a class": dict,
}


def answer(name, helper, instead):
    """The right answer to ``name``, in a notebook where ``helper`` is something else."""
    exercise = EXERCISES[name]
    names = {**exercise.reference.__globals__, helper: instead}
    exec(compile(exercise.source, f"<{name} over {helper}>", "exec"), names)
    return names[name]


def assert_it_keeps_its_marks(name, helper, instead):
    verdict = check(answer(name, helper, instead), 10, seed=1)
    assert verdict.earned == 10 and not verdict.mistakes, verdict
    assert repr(verdict) and verdict.html()


@pytest.mark.parametrize(("name", "helper"), PAIRS)
def test_over_every_wrong_twin_of_a_helper(name, helper):
    for mistake in EXERCISES[helper].mistakes:
        assert_it_keeps_its_marks(name, helper, EXERCISES[helper].twin(mistake))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(("name", "helper"), PAIRS)
def test_over_whatever_else_bears_the_name(name, helper, odd):
    assert_it_keeps_its_marks(name, helper, ODD[odd])


@pytest.mark.parametrize(("name", "helper"), PAIRS)
def test_a_wrong_answer_over_a_wrong_helper_neither_raises_nor_earns_in_full(name, helper):
    exercise = EXERCISES[name]
    for mistake, instead in zip(exercise.mistakes, (ODD | {"twin": None}).values(), strict=False):
        names = {**exercise.reference.__globals__, helper: instead}
        exec(exercise.twin_source(mistake), names)
        verdict = check(names[name], 10, seed=3)
        assert verdict.earned < 10, verdict
