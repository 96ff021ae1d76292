"""Nobody earns for nothing: answers without any work are worth a tenth at most, in every exercise."""

import numpy as np
import pytest

from rnncore.check import check
from rnncore.exercises import by_name
from tests.rnncore.asked import once_a_case

EXERCISES = by_name()
MOST = 0.1


def whole(number):
    return int(number) if np.isfinite(number) else 0


def filled(value, number):
    """A right value with every number in it replaced by one; tensors stay tied to what they came from."""
    if hasattr(value, "detach"):
        return value * 0 + number if value.dtype.is_floating_point else value * 0 + whole(number)
    if isinstance(value, tuple | list):
        return type(value)(filled(item, number) for item in value)
    if isinstance(value, dict):
        return {key: filled(item, number) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return np.full_like(value, number if value.dtype.kind in "fc" else whole(number))
    number = number if isinstance(value, float) else whole(number)
    return type(value)(number) if isinstance(value, int | float | bool) else value if value is None else ""


def by_right(exercise, number):
    """Zeros or ones where the right numbers would stand; a class keeps its form and computes nothing."""
    if isinstance(exercise.reference, type):

        class Filled(exercise.reference):
            def forward(self, *args):
                return filled(super().forward(*args), number)

        return Filled
    # What works on its arguments, a model say, has done its work once it was called: not here.
    return None if exercise.name == "train_step" else lambda *args: filled(exercise.reference(*args), number)


def called_and_ignored(exercise):
    """Every function among the arguments is called with what is there, and the result thrown away."""

    def answer(*args):
        for one in args:
            for given in (args[1:2], args[2:3], ()):
                try:
                    callable(one) and one(*given)
                except Exception:
                    pass
        return 0.0

    return answer


def specked(exercise, number):
    """``by_right`` with a speck in each array that no comparison sees, so that no two numbers are equal."""
    whole = None if isinstance(exercise.reference, type) else by_right(exercise, number)
    return whole and (lambda *args: speck(whole(*args)))


def speck(value):
    if isinstance(value, tuple | list):
        return type(value)(speck(item) for item in value)
    if isinstance(value, dict):
        return {key: speck(item) for key, item in value.items()}
    is_array = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value + 1e-13 * np.arange(1, value.size + 1).reshape(value.shape) if is_array else value


IDLE = {
    "zeros": lambda exercise: by_right(exercise, 0),
    "ones": lambda exercise: by_right(exercise, 1),
    "sevens": lambda exercise: by_right(exercise, 7),
    "zeros with a speck": lambda exercise: specked(exercise, 0),
    "ones with a speck": lambda exercise: specked(exercise, 1),
    "NaN": lambda exercise: by_right(exercise, np.nan),
    "minus infinity": lambda exercise: by_right(exercise, -np.inf),
    "called and ignored": called_and_ignored,
    **{
        f"echo of argument {n}": lambda exercise, n=n: lambda *args: args[min(n, len(args) - 1)]
        for n in range(4)
    },
    **{
        f"argument {n} for each value": lambda exercise, n=n: (
            lambda *args: (args[min(n, len(args) - 1)],) * len(exercise.returns)
        )
        for n in range(3)
    },
    "all arguments": lambda exercise: lambda *args: args,
    **{
        f"the constant {value!r}": lambda exercise, value=value: lambda *args: value
        for value in (
            None,
            np.nan,
            np.inf,
            -np.inf,
            0,
            1,
            0.5,
            True,
            False,
            "",
            [],
            (),
            {},
            [0],
            [1],
            [[]],
            np.zeros((3, 3)),
            np.eye(3),
        )
    },
    "identity": lambda exercise: (
        lambda *args: np.eye(min(next((a for a in args if isinstance(a, int)), 3), 50))
    ),
}


@pytest.mark.parametrize("name", EXERCISES)
def test_an_answer_without_any_work_earns_a_tenth_at_most(name):
    paid = {}
    with once_a_case():
        for idle, make in IDLE.items():
            answer = make(EXERCISES[name])
            if answer is None:
                continue
            answer.__name__ = name
            share = max(check(answer, 1, seed=seed).earned for seed in (1, 2))
            if share > MOST:
                paid[idle] = share
    assert paid == {}
