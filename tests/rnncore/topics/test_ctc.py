"""CTC agrees with torch in value and gradient, with the sum over all paths, and with measured gradients."""

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncore.gradcheck import gradient_check
from rnncore.losses import ctc_loss
from tests.rnncore.oracle import close


def torch_ctc(logits, targets, lengths, blank):
    """Mean loss over the batch and its gradient at the logits, by torch in float64."""
    tensor = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    losses = torch.nn.functional.ctc_loss(
        tensor.log_softmax(-1).transpose(0, 1),
        torch.tensor([symbol for target in targets for symbol in target], dtype=torch.long),
        torch.tensor(lengths),
        torch.tensor([len(target) for target in targets]),
        blank=blank,
        reduction="none",
    )
    losses.mean().backward()
    return losses.mean().item(), tensor.grad.numpy()


CASES = {
    "different lengths": ((4, 9, 6), [[1, 2, 3], [5], [4, 2], [3, 1, 2, 5]], [9, 4, 6, 8], 0),
    "repeated labels": ((3, 8, 4), [[1, 1, 2], [3, 3, 3], [2, 1, 1]], [8, 5, 7], 0),
    "empty targets": ((3, 5, 4), [[], [2, 1], []], [5, 4, 1], 0),
    "only just possible": ((2, 5, 3), [[1, 1, 2, 1], [2, 2, 2]], [5, 5], 0),
    "another blank": ((3, 6, 5), [[0, 1], [3, 3], [2]], [6, 5, 4], 4),
    "T = 1": ((3, 1, 4), [[1], [], [3]], [1, 1, 1], 0),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_value_and_gradient_equal_torchs(name, scale):
    shape, targets, lengths, blank = CASES[name]
    logits = scale * np.random.default_rng(len(name)).normal(size=shape)
    expected, gradient = torch_ctc(logits, targets, lengths, blank)
    loss, dlogits = ctc_loss(logits, targets, lengths, blank)
    assert isinstance(loss, float)
    close(loss, expected, 1e-10)
    np.testing.assert_allclose(dlogits, gradient, rtol=1e-8, atol=1e-12)


def test_the_loss_is_minus_the_log_of_the_sum_over_all_paths():
    rng = np.random.default_rng(3)
    logits, target = rng.normal(size=(1, 5, 3)), [1, 1]
    probs = np.exp(logits[0]) / np.exp(logits[0]).sum(-1, keepdims=True)
    total = 0.0
    for path in itertools.product(range(3), repeat=5):
        spelled = [symbol for symbol, _ in itertools.groupby(path) if symbol != 0]
        total += np.prod(probs[range(5), path]) * (spelled == target)
    close(ctc_loss(logits, [target])[0], -np.log(total))


def test_the_gradient_is_the_measured_one():
    shape, targets, lengths, blank = CASES["different lengths"]
    logits = np.random.default_rng(4).normal(size=shape)
    report = gradient_check(
        lambda x: ctc_loss(x, targets, lengths, blank)[0],
        logits,
        ctc_loss(logits, targets, lengths, blank)[1],
    )
    assert report.right, report


def test_log_probabilities_will_do_as_logits():
    shape, targets, lengths, blank = CASES["repeated labels"]
    logits = np.random.default_rng(5).normal(size=shape)
    log_probs = torch.tensor(logits).log_softmax(-1).numpy()
    first, second = ctc_loss(logits, targets, lengths, blank), ctc_loss(log_probs, targets, lengths, blank)
    close(first[0], second[0])
    close(first[1], second[1])


def test_an_impossible_target_is_infinitely_bad_and_leaves_the_others_their_gradient():
    logits = np.random.default_rng(6).normal(size=(2, 3, 4))
    loss, dlogits = ctc_loss(logits, [[1, 1, 1], [2, 3]])  # three repeats need five frames
    assert loss == np.inf
    assert not dlogits[0].any()
    close(dlogits[1], torch_ctc(logits[1:], [[2, 3]], [3], 0)[1][0] / 2)


def test_a_symbol_that_is_ruled_out_makes_no_nan():
    logits = np.random.default_rng(7).normal(size=(1, 4, 3))
    logits[0, 1, 2] = -np.inf
    loss, dlogits = ctc_loss(logits, [[1, 2]])
    expected, gradient = torch_ctc(logits, [[1, 2]], [4], 0)
    close(loss, expected)
    assert np.isfinite(dlogits).all()
    assert np.isnan(gradient[0, 1]).all()  # torch has no gradient in that frame
    others = [0, 2, 3]
    np.testing.assert_allclose(dlogits[0, others], gradient[0, others], rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(dlogits.sum(-1), 0, atol=1e-12)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_padded_frames_influence_nothing_and_get_no_gradient(seed):
    shape, targets, lengths, blank = CASES["different lengths"]
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=shape)
    other = logits.copy()
    beyond = np.arange(shape[1]) >= np.array(lengths)[:, None]
    other[beyond] = rng.normal(0, 100, other[beyond].shape)
    first, second = (ctc_loss(x, targets, lengths, blank) for x in (logits, other))
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])
    assert not first[1][beyond].any()


def test_nothing_is_changed_and_float32_is_kept():
    shape, targets, lengths, blank = CASES["different lengths"]
    logits = np.random.default_rng(8).normal(size=shape).astype(np.float32)
    kept = logits.copy()
    loss, dlogits = ctc_loss(logits, targets, lengths, blank)
    assert dlogits.dtype == np.float32
    np.testing.assert_array_equal(logits, kept)
    assert loss == pytest.approx(torch_ctc(logits, targets, lengths, blank)[0], rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"targets": [[1]]}, "targets holds 1 sequences, expected one for each of the B = 2"),
        ({"input_lengths": [3]}, "input_lengths has shape (1,), expected (2,)"),
        ({"input_lengths": [3, 0]}, "input_lengths[1] = 0, expected 1 to T = 3"),
        ({"input_lengths": [4, 3]}, "input_lengths[0] = 4, expected 1 to T = 3"),
        ({"targets": [[1], [4]]}, "targets[1] holds 4, expected ids from 0 to V - 1 = 3 without blank = 0"),
        ({"targets": [[0], [1]]}, "targets[0] holds 0, expected ids"),
        ({"targets": [[1], [-1]]}, "targets[1] holds -1, expected ids"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(changes, sentence):
    arguments = {"targets": [[1], [2, 3]], "input_lengths": [3, 3]} | changes
    with pytest.raises(ValueError, match=re.escape(sentence)):
        ctc_loss(np.zeros((2, 3, 4)), **arguments)
