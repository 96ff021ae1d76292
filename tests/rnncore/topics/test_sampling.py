"""Sampling follows the softmax, generating feeds back what it drew, and the last outputs are torch's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence

from rnncore.check import check
from rnncore.check.credit import SLIP
from rnncore.exercises import by_name
from rnncore.topics.sampling import generate, last_outputs, sample
from tests.rnncore.oracle import close


def test_last_outputs_are_the_final_states_that_torch_finds_with_packing():
    rng, lengths = np.random.default_rng(0), np.array([4, 6, 1, 3])
    module = torch.nn.RNN(3, 5, batch_first=True, dtype=torch.float64)
    x = torch.tensor(rng.normal(size=(4, 6, 3)))
    y, _ = module(x)
    packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    _, h_n = module(packed)
    close(last_outputs(y.detach().numpy(), lengths), h_n[0].detach().numpy())


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_symbols_are_drawn_with_their_probabilities(temperature):
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1.5, (3, 1, 5))
    probs = torch.softmax(torch.tensor(logits[:, 0]) / temperature, -1).numpy()
    N = 20_000
    ids = sample(np.repeat(logits, N, axis=1), temperature, rng)
    assert ids.shape == (3, N)
    counts = np.stack([np.bincount(row, minlength=5) for row in ids])
    assert (np.abs(counts - N * probs) <= 5 * np.sqrt(N * probs * (1 - probs)) + 1).all()


def test_rows_are_drawn_independently_of_each_other():
    ids = sample(np.zeros((20_000, 2, 4)), 1.0, np.random.default_rng(2))
    both = np.bincount(4 * ids[:, 0] + ids[:, 1], minlength=16)
    assert (np.abs(both - 1250) <= 5 * np.sqrt(1250)).all()


@given(st.integers(0, 10**6), st.sampled_from([1e-4, 1e-2, 1.0, 1e3]), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_any_logits_give_ids_in_range(seed, temperature, V):
    rng = np.random.default_rng(seed)
    ids = sample(rng.normal(0, 100, (2, 3, V)), temperature, rng)
    assert ids.shape == (2, 3)
    assert ((ids >= 0) & (ids < V)).all()


def test_near_zero_temperature_takes_the_likeliest_and_heat_levels_out():
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(50, 6))
    np.testing.assert_array_equal(sample(logits, 1e-6, rng), logits.argmax(-1))
    hot = sample(np.tile([9.0, 0.0], (20_000, 1)), 1e6, rng)
    assert abs(hot.mean() - 0.5) < 5 * 0.5 / np.sqrt(20_000)


def test_generating_feeds_back_each_symbol_and_carries_the_state():
    seen = []

    def step(symbol, state):
        seen.append((symbol, state))
        return 80.0 * (np.arange(7) == (symbol + state) % 7), state + 1

    ids = generate(step, 2, 3, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(ids, [5, 1, 5, 3, 2])
    assert seen == [(3, 2), (5, 3), (1, 4), (5, 5), (3, 6)]


def test_generated_symbols_follow_a_markov_chain():
    rng = np.random.default_rng(4)
    table = rng.dirichlet(np.ones(4), size=4)
    N = 20_000
    ids = generate(lambda symbol, state: (np.log(table[symbol]), state), None, 0, N, rng)
    moves = np.zeros((4, 4))
    np.add.at(moves, (ids[:-1], ids[1:]), 1)
    expected = moves.sum(axis=1, keepdims=True) * table
    assert (np.abs(moves - expected) <= 5 * np.sqrt(expected * (1 - table)) + 1).all()


# What check makes of answers that rest on chance -----------------------------------------------------


def test_a_right_sampler_is_never_marked_down_for_its_luck():
    exercise = by_name()["sample"]
    assert {check(exercise.reference, 1, seed=seed).earned for seed in range(100)} == {1}


@pytest.mark.parametrize("name", ["sample", "generate"])
@pytest.mark.parametrize(
    "returned", [3, 1.5, np.zeros((2, 2)), np.full(48, 99), "ids", [], [[1], [1, 2]], {"ids": 1}, (1, 2, 3)]
)
def test_what_is_no_ids_loses_the_points_without_an_error_of_ours(name, returned):
    def answer(*args):
        return returned

    answer.__name__ = name
    verdict = check(answer, 3)
    assert (verdict.earned, verdict.status) == (0, "wrong")


def test_sampling_at_a_slightly_wrong_temperature_costs_a_slip_and_is_called_no_known_mistake():
    def answer(logits, temperature, rng):
        return sample(logits, temperature**0.6, rng)

    answer.__name__ = "sample"
    verdict = check(answer, 2)
    assert verdict.earned <= 2 * (1 - SLIP)
    assert {named.id for named in verdict.mistakes} <= {
        "line-numbers"
    }  # found in the text, where it is at hand


def test_a_right_generate_over_a_wrong_sample_earns_its_points():
    argmax = next(one for one in by_name()["sample"].mistakes if one.id == "argmax")
    scope = {"np": np, "sample": by_name()["sample"].twin(argmax)}
    exec(by_name()["generate"].source, scope)
    verdict = check(scope["generate"], 4, seed=1)
    assert (verdict.earned, verdict.mistakes) == (4, ())
    assert "The fault is in `sample`" in verdict.remarks[0]
