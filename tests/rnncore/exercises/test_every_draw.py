"""Every draw contains each deciding case: whatever the seed, each mistake loses marks and is named as itself.

A twin is named after the first mistake in the bank that does the same in every case, so two things must hold
on every draw: it differs from the reference, and from every mistake before its own. Here that is looked at
without the rest of a check, which makes many seeds affordable. One is tried by default;
``UNROLLED_DRAWS=200 pytest tests/rnncore/exercises/test_every_draw.py`` tries two
hundred.
"""

import os

import numpy as np
import pytest

from rnncore.check.compare import agree
from rnncore.check.diagnosis import same_outcome
from rnncore.check.marking import changed_arguments
from rnncore.exercises import by_name

EXERCISES = by_name()
FIRST = 1000  # far from the seeds of other tests
SEEDS = range(FIRST, FIRST + int(os.environ.get("UNROLLED_DRAWS", "1")))


def is_right(exercise, case, outcome, want):
    return (
        not outcome.error
        and not outcome.unviewed
        and bool(outcome.warnings) <= bool(want.warnings)
        and agree(outcome.value, want.value, exercise.tolerance)
        and not changed_arguments(exercise, case, outcome)
    )


class Draw:
    """What each wording of each mistake does with the cases that one seed draws, found when asked for."""

    def __init__(self, exercise, seed):
        self.exercise, self.cases = exercise, exercise.draw(np.random.default_rng(seed))
        self.known = {}

    def outcome(self, function, number):
        if (function, number) not in self.known:
            self.known[function, number] = self.exercise.outcome(function, self.cases[number])
        return self.known[function, number]

    def loses_marks(self, twin):
        right = self.exercise.reference
        return any(
            not is_right(self.exercise, case, self.outcome(twin, n), self.outcome(right, n))
            for n, case in enumerate(self.cases)
        )

    def alike(self, twin, other):
        return all(
            same_outcome(self.exercise, case, self.outcome(twin, n), self.outcome(other, n))
            for n, case in enumerate(self.cases)
        )


@pytest.mark.parametrize("name", EXERCISES)
def test_every_draw_tells_each_mistake_from_what_is_right_and_from_those_before(name):
    exercise = EXERCISES[name]
    twins = [(m.id, exercise.twin(wording)) for m in exercise.mistakes for wording in m.wordings()]
    found = []
    for seed in SEEDS:
        draw = Draw(exercise, seed)
        for at, (id, twin) in enumerate(twins):
            if not draw.loses_marks(twin):
                found.append((seed, id, "loses nothing"))
            others = (other for other in twins[:at] if other[0] != id and draw.alike(twin, other[1]))
            found += [(seed, id, f"is named {other}") for other, _ in others]
    assert found == []


@pytest.mark.parametrize("seed", range(FIRST, FIRST + 50))
def test_one_symbol_never_occurs_where_a_1_for_every_id_must_not_be_all_ones(seed):
    for case in EXERCISES["one_hot"].draw(np.random.default_rng(seed)):
        ids, V = case.args
        assert case.when or set(ids.flat) < set(range(V))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + 50))
def test_no_label_has_the_same_place_counted_from_the_other_end(seed):
    for case in EXERCISES["ctc_loss"].draw(np.random.default_rng(seed)):
        log_probs, targets = case.args
        assert not (targets == log_probs.shape[1] - targets).any()


@pytest.mark.parametrize("seed", [*range(FIRST, FIRST + 50), 5109])
def test_a_text_without_an_end_is_beside_one_that_says_0_before_it_is_over(seed):
    draw = Draw(EXERCISES["greedy_decode"], seed)
    twin = {m.id: draw.exercise.twin(m) for m in draw.exercise.mistakes}
    assert not draw.alike(twin["end-is-zero"], twin["written-on-after-the-end"])


@pytest.mark.parametrize("seed", [*range(FIRST, FIRST + 10), 5011, 5042, 5079, 5087])
def test_where_scores_lie_far_apart_every_exponential_before_a_logarithm_loses_marks(seed):
    draw = Draw(EXERCISES["beam_search"], seed)
    (mistake,) = (m for m in draw.exercise.mistakes if m.id == "log-of-a-probability")
    assert all(draw.loses_marks(draw.exercise.twin(wording)) for wording in mistake.wordings())


@pytest.mark.parametrize("seed", range(FIRST, FIRST + 50))
def test_a_small_constant_outside_the_brackets_is_seen(seed):
    exercise, draw = EXERCISES["clip_grad_norm"], Draw(EXERCISES["clip_grad_norm"], seed)
    right, wrong = "max_norm / (norm + 1e-6)", "max_norm / norm + 1e-6"
    scope = dict(exercise.reference.__globals__)
    exec(exercise.source.replace(right, wrong), scope)
    assert right in exercise.source and draw.loses_marks(scope["clip_grad_norm"])


SPOKEN = ("picture-ignored", "picture-at-every-step", "state-not-carried", "everything-read-again")


@pytest.mark.parametrize("seed", [*range(FIRST, FIRST + 5), 5009, 5022, 5094, 5151])
def test_what_a_caption_is_made_from_shows_in_every_case(seed):
    draw = Draw(EXERCISES["caption"], seed)
    mistakes = [mistake for mistake in draw.exercise.mistakes if mistake.id in SPOKEN]
    twins = [draw.exercise.twin(wording) for mistake in mistakes for wording in mistake.wordings()]
    for number in range(len(draw.cases)):
        words = [tuple(draw.outcome(one, number).value[0]) for one in (draw.exercise.reference, *twins)]
        assert len(set(words)) == len(words)
