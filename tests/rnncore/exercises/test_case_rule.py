"""Why cases are drawn as they are: each weaker way of drawing them lets a classic mistake through.

The rule: B of 3 or more, T of 4 or more, all sizes different, random non-zero initial states, distinct
biases, random upstream gradients at every step. Each row below gives up one of these and shows what
passes then; under the full rule the same mistakes lose marks.
"""

from dataclasses import replace

import numpy as np
import pytest

from rnncore.check import mark
from rnncore.exercises import by_name
from rnncore.exercises.bptt import backward_case, sequence_case
from rnncore.exercises.rnn_cell import cell_case, forward_case


def with_args(case, change):
    return replace(case, args=change(*case.args))


def ones_upstream(p, dh, cache):
    return p, np.ones_like(dh), cache


def zero_state(p, x, h):
    return p, x, np.zeros_like(h)


def equal_biases(p, x, h):
    return {**p, "bias_hh": p["bias_ih"]}, x, h


def last_step_only(p, dy, caches):
    return p, np.concatenate([0 * dy[:, :-1], dy[:, -1:]], axis=1), caches


WEAKER = {
    "T = 1": (
        "rnn_backward",
        lambda rng: [sequence_case(rng, 3, 1, 4, 2)],
        {"no-carry", "overwrites-gradients"},
    ),
    "B = 1": (
        "rnn_cell_backward",
        lambda rng: [backward_case(rng, 1, 5, 2)],
        {"bias-averaged", "divided-by-batch"},
    ),
    "H = 1": (
        "rnn_cell_backward",
        lambda rng: [backward_case(rng, 3, 5, 1)],
        {"weight-hh-not-transposed-on-the-way-back", "weight-hh-gradient-transposed"},
    ),
    "ones upstream": (
        "rnn_cell_backward",
        lambda rng: [with_args(backward_case(rng, 3, 5, 2), ones_upstream)],
        {"upstream-ignored"},
    ),
    "the last step's gradient only": (
        "rnn_backward",
        lambda rng: [with_args(sequence_case(rng, 3, 5, 4, 2), last_step_only)],
        {"inner-upstream-ignored"},
    ),
    "zero initial state": (
        "rnn_forward",
        lambda rng: [with_args(forward_case(rng, 3, 5, 4, 2), zero_state)],
        {"initial-state-ignored"},
    ),
    "equal biases": (
        "rnn_cell",
        lambda rng: [with_args(cell_case(rng, 3, 5, 2), equal_biases)],
        {"bias-ih-twice", "bias-hh-twice"},
    ),
}


@pytest.mark.parametrize("rule", WEAKER)
def test_a_weaker_rule_lets_mistakes_through_that_ours_finds(rule):
    name, draw, expected = WEAKER[rule]
    exercise = by_name()[name]
    weak = replace(exercise, draw=draw)
    through = {m.id for m in exercise.mistakes if mark(weak, exercise.twin(m), 1, seed=0).earned == 1}
    assert expected <= through
    for mistake in exercise.mistakes:
        assert mark(exercise, exercise.twin(mistake), 1, seed=0).earned < 1
