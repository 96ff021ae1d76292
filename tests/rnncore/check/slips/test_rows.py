"""An answer that was written for one row alone earns the half that it proves, and no more."""

import math

import numpy as np
import pytest

from rnncore.check import check
from tests.rnncore.check.slips.test_undo import pytestmark, written

assert pytestmark
ONE_ROW = {
    "lstm_cell": """
def lstm_cell(p, x, state):
    h, c = state
    a = p["weight_ih"] @ x + p["bias_ih"] + p["weight_hh"] @ h + p["bias_hh"]
    H = len(h)
    i, f, g, o = sigmoid(a[:H]), sigmoid(a[H:2*H]), np.tanh(a[2*H:3*H]), sigmoid(a[3*H:])
    c_next = f * c + i * g
    tanh_c = np.tanh(c_next)
    return (o * tanh_c, c_next), (x, h, c, i, f, g, o, tanh_c)
""",
    "rnn_cell_backward": """
def rnn_cell_backward(p, dh, cache):
    x, h, h_next = cache
    da = dh * (1 - h_next**2)
    grads = {"weight_ih": np.outer(da, x), "weight_hh": np.outer(da, h), "bias_ih": da, "bias_hh": da}
    return p["weight_ih"].T @ da, p["weight_hh"].T @ da, grads
""",
    "final_states": """
def final_states(y, lengths):
    H = y.shape[1] // 2
    return np.concatenate([y[lengths - 1, :H], y[0, H:]])
""",
    "sample": """
def sample(logits, temperature, rng):
    z = logits / temperature
    p = np.exp(z - z.max())
    p /= p.sum()
    return rng.choice(len(p), p=p)
""",
    "sigmoid": """
def sigmoid(x):
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    return math.exp(x) / (1 + math.exp(x))
""",
    "last_outputs": """
def last_outputs(y, lengths):
    out = np.zeros((len(y), y.shape[2]))
    out[0] = y[0, lengths[0] - 1]
    return out
""",
}


@pytest.mark.parametrize("name", ONE_ROW)
def test_what_is_right_for_one_row_alone_is_half_an_answer(name):
    for seed in (1, 2):
        verdict = check(written(name, ONE_ROW[name], math=math), 10, seed=seed)
        assert [found.id for found in verdict.mistakes] == ["one-row-only"]
        assert verdict.earned == 5


NO_ROW = {
    "an error": "def lstm_cell(p, x, state):\n    raise ValueError\n",
    "the state handed back": "def lstm_cell(p, x, state):\n    return state if x.ndim == 1 else None\n",
    "one gate wrong, for one row": ONE_ROW["lstm_cell"].replace("o * tanh_c, c_next", "tanh_c, c_next"),
}


@pytest.mark.parametrize("source", NO_ROW.values(), ids=NO_ROW)
def test_a_row_that_is_not_right_earns_nothing(source):
    verdict = check(written("lstm_cell", source), 10, seed=1)
    assert verdict.earned <= 1
    assert "one-row-only" not in [found.id for found in verdict.mistakes]


def test_the_rows_are_held_against_what_is_right_and_not_against_the_answer_itself():
    source = (
        "def sample(logits, temperature, rng):\n    return np.argmax(logits) if logits.ndim == 1 else 1 / 0\n"
    )
    assert check(written("sample", source, np=np), 10, seed=1).earned <= 1
