"""Whatever a function returns is graded: nothing raises, nothing grows, and only right numbers earn.

Odd values are put in the place of an answer, and in the place of each of its parts; they come as the grader's
bridge would bring them, so a hostile kernel's are among them.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.sandbox.bridge import decode, encode
from rnncore.check import compare
from rnncore.check.checking import mark
from rnncore.exercises import by_name
from rnncore.observe import Outcome, StudentError, Unplain, as_numbers, plain
from tests.rnncore.asked import once_a_case

EXERCISES = by_name()
HUGE = 10**5000
ODD = [
    *(HUGE, -HUGE, 2**63, 2**64, -(2**63) - 1, 10**400, 1j, float("nan"), float("-inf"), True, None, "", "0"),
    *(
        "x" * 10**6,
        "\ud800",
        "1, " * 1000,
        b"",
        {},
        [],
        (),
        [[]],
        {"": None},
        {"W": HUGE},
        [HUGE],
        [None, 1.0],
    ),
    *([1.0, "x"], ["x" * 10**5, *"abc" * 300], [[1, 2], [3]], [np.zeros(3), 1], [np.zeros((2, 0))] * 3),
    *(np.array(1 + 2j), np.zeros(0), np.zeros((0, 3)), np.full((2, 3), np.nan), np.array(True)),
    *(np.zeros((1,) * 32), np.array([2**64 - 1], np.uint64), np.float16(1e4), np.full((3, 4), 1e308)),
    *(Unplain(""), Unplain("a"), Unplain("\n" * 50), [Unplain("")] * 3),
]
SCALARS = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(max_size=20)),
    # By their place: there are some that cannot be printed, which hypothesis would like to do.
    *(
        st.sampled_from(range(len(ODD))).map(lambda place: ODD[place]),
        st.builds(Unplain, st.text(max_size=5)),
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=6,
)


class Returns:
    """A function that lives elsewhere and has given ``outcome``."""

    def __init__(self, name, value=None, **words):
        self.__name__, self.outcome = name, Outcome(received(value), **words)

    def observe_remotely(self, args):
        return self.outcome


def received(value):
    """``value`` as the judge gets it; what may not be sent at all is nothing."""
    try:
        return decode(encode(plain(value)))
    except (ValueError, TypeError):
        return None


def marked(name, value=None, **words):
    verdict = mark(EXERCISES[name], Returns(name, value, **words), 1, seed=7)
    shown = repr(verdict) + verdict.html()
    shown.encode(errors="replace")
    assert len(shown) < 50_000
    return verdict


def right(name):
    """The right answer to an exercise's first case."""
    exercise = EXERCISES[name]
    case = exercise.draw(np.random.default_rng(7))[0]
    outcome = exercise.outcome(exercise.reference, case)
    return outcome.value


def with_one_changed(value, odd, steps):
    """``value`` with ``odd`` in the place to which ``steps``, whole numbers, lead."""
    if not steps or not isinstance(value, list | tuple | dict) or not value:
        return odd
    if isinstance(value, dict):
        keys = list(value)
        key = keys[steps[0] % len(keys)]
        return {**value, key: with_one_changed(value[key], odd, steps[1:])}
    items, place = list(value), steps[0] % len(value)
    items[place] = with_one_changed(items[place], odd, steps[1:])
    return type(value)(items)


@pytest.mark.parametrize("name", EXERCISES)
def test_odd_answers_are_wrong_in_words(name):
    """Every exercise gets a few of them, and every one of them comes to several exercises."""
    first = 5 * list(EXERCISES).index(name)
    with once_a_case():
        for place in range(first, first + 5):
            assert marked(name, ODD[place % len(ODD)]).earned < 1


@pytest.mark.parametrize("many", [(0.0,) * 5000, ((),) * 5000, {str(n): 1 for n in range(5000)}])
def test_a_nest_of_very_many_values_is_looked_at_once(many):
    """Not value by value, from every side: two hundred thousand of them took minutes."""
    for value in (many, (many, 0.0)):
        says = marked("softmax_cross_entropy", value).headline
        assert says.startswith("The function returned a nest of more than 2061 values, expected 2 values")
    whole = {"numerical_gradient": np.zeros((3, 4)).tolist(), "softmax_cross_entropy": [0.0, [[0.0]] * 3000]}
    for name, value in whole.items():  # a list of numbers is one value, like an array
        assert "nest of more" not in repr(marked(name, value))


def test_numbers_longer_than_any_that_travels_are_taken_as_those_that_do():
    value = right("softmax_cross_entropy")
    long = tuple(np.asarray(item, np.longdouble) for item in value)
    assert received(long)[1].dtype == np.float64
    assert compare.agree(received(long), value, 1e-12)
    assert plain(np.clongdouble(1 + 2j)).dtype == np.complex128


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(EXERCISES)), VALUES, st.lists(st.integers(0, 9), max_size=3))
def test_marking_never_raises_wherever_an_odd_value_stands(name, odd, steps):
    marked(name, with_one_changed(right(name), odd, steps))


NUMBERS = np.arange(24.0).reshape(2, 3, 4)
WANTED = [1.5, 3, True, "word", None, NUMBERS, (NUMBERS, [NUMBERS[0], 1.0]), {"W": NUMBERS[0, 0], "b": 2.0}]


@settings(max_examples=500, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(range(len(WANTED))), VALUES, st.lists(st.integers(0, 9), max_size=3))
def test_comparison_never_raises_and_says_little(place, odd, steps):
    want = WANTED[place]
    got = received(with_one_changed(want, odd, steps))
    for other in (odd, got):
        says = compare.agree(other, want, 1e-5) or compare.kind(other)
        assert says is True or len(says) < 200
        if want is not None and not isinstance(want, dict):
            says = compare.difference(other, want, "y", tolerance=1e-5, sizes={"B": 2, "T": 3})
            assert says is None or len(says) < 500


@pytest.mark.parametrize(
    "much",
    [
        ["x" * 10**7, *"abc" * 1000],
        [[0.0] * 4, [0.0] * 10**6],
        [0] * 10**6,
        np.zeros(2 * 10**6, bool),
        [1.0, *["a"] * 10**6],
    ],
)
def test_what_has_another_shape_is_never_made_an_array_of(much, monkeypatch):
    """Three thousand texts, one of them long, would be 120 gigabytes."""
    made = []
    monkeypatch.setattr(compare, "as_numbers", lambda value: made.append(value) or as_numbers(value))
    want = np.zeros((2, 4))
    assert not compare.agree(much, want, 1e-5)
    assert all(value is want for value in made)
    assert as_numbers(["x" * 10**7, *"abc" * 1000]) is None


def test_names_of_types_are_what_they_are_and_short():
    class Says(type):
        @property
        def __name__(cls):
            raise SystemExit("no name")

    class Nameless(metaclass=Says):
        pass

    assert plain(Nameless()) == Unplain("Nameless")
    assert plain(type("", (), {})()) == Unplain("")
    assert compare.kind(Unplain("")) == "a value whose type has no name"
    assert compare.kind(Unplain("A\n" + "x" * 900)) == f"an A {'x' * 58}"


def test_errors_of_any_kind_are_said():
    odd = [
        StudentError("", ""),
        StudentError("Arguments", "\n" * 500),
        StudentError("KeyError", "{" * 500, 10**6),
    ]
    for error in odd:
        assert marked("softmax_cross_entropy", error=error).earned == 0
