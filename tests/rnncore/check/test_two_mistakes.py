"""Two mistakes in one answer: their costs add up, and yet what its parts prove is kept.

Unexplained, an answer earns what its parts prove, and names alone shall not make it poorer. But each mistake
costs something: of what the other leaves, it leaves its own share at the most.
"""

import random
from itertools import combinations

import numpy as np
import pytest

from rnncore.check import check
from rnncore.check.credit import earned_share
from rnncore.check.diagnosis import Explanation, explain
from rnncore.check.marking import Marking
from rnncore.exercises import by_name
from tests.rnncore.asked import once_a_case

EXERCISES = by_name()
PLAIN = [name for name, exercise in EXERCISES.items() if not exercise.slow]
EACH = 5  # pairs of an exercise, the same every time


def pairs(exercise):
    """Pairs of mistakes that can be made together and raise no error, in an order of no meaning."""
    found = list(combinations(exercise.mistakes, 2))
    random.Random(exercise.name).shuffle(found)
    for pair in found:
        twin = exercise.twin(*pair)
        if twin is not None and not Marking(exercise, twin, 1).first_error():
            yield pair, twin


def explained(exercise, twin):
    marking = Marking(exercise, twin, 1)
    found = marking.findings()
    return marking, found, explain(marking, found)


def bounds(marking, found, explanation):
    """The least and the most that an answer with all its mistakes named is worth."""
    costs = [mistake.cost for mistake in explanation.mistakes]
    unnamed = earned_share(marking, found, Explanation())
    return min(unnamed, np.prod([1 - cost for cost in costs])), 1 - max(costs)


@pytest.mark.parametrize("name", PLAIN)
def test_names_make_no_answer_poorer(name):
    exercise, seen = EXERCISES[name], 0
    with once_a_case():
        for pair, twin in pairs(exercise):
            marking, found, explanation = explained(exercise, twin)
            if found.special or not explanation.whole or len(explanation.mistakes) < 2:
                continue
            least, most = bounds(marking, found, explanation)
            earned = earned_share(marking, found, explanation)
            assert least - 1e-9 <= earned <= most + 1e-9, [mistake.id for mistake in pair]
            seen += 1
            if seen == EACH:
                break


LARGE = {
    "half of the parts is right": ("linear_attention", "past-hidden", "values-not-met", 0.3),
    "five of seven are": (
        "lstm_cell_backward",
        "dc-not-handed-on",
        "one-block-missing-on-the-way-back",
        0.35,
    ),
    "three of six are": ("rnn_backward", "biases-not-summed", "dh0-before-the-first-step", 0.49),
    "nothing is": ("rnn_cell", "state-ignored", "input-ignored", 0.0),
}


@pytest.mark.parametrize(("name", "first", "second", "share"), LARGE.values(), ids=LARGE)
def test_two_large_mistakes_leave_what_the_parts_prove(name, first, second, share):
    exercise = EXERCISES[name]
    known = {mistake.id: mistake for mistake in exercise.mistakes}
    verdict = check(exercise.twin(known[first], known[second]), 1, seed=1)
    assert {mistake.id for mistake in verdict.mistakes} == {first, second}
    assert verdict.earned == pytest.approx(share, abs=0.005)
