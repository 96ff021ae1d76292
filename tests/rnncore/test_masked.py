"""The masked loss agrees with torch's ignore_index, and padding influences nothing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncore.gradcheck import gradient_check
from rnncore.losses import masked_cross_entropy, softmax_cross_entropy
from tests.rnncore.oracle import close

B, T, V = 4, 6, 5
LENGTHS = np.array([3, 6, 1, 4])
PADDED = np.arange(T) >= LENGTHS[:, None]


def drawn(scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=(B, T, V)), rng.integers(0, V, size=(B, T))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_it_equals_torchs_with_the_padding_ignored(scale):
    logits, targets = drawn(scale)
    tensor = torch.tensor(logits, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(
        tensor.flatten(0, 1), torch.tensor(np.where(PADDED, -100, targets)).flatten(), ignore_index=-100
    )
    expected.backward()
    loss, dlogits = masked_cross_entropy(logits, targets, LENGTHS)
    assert isinstance(loss, float)
    close(loss, expected.item())
    close(dlogits, tensor.grad.numpy())
    assert not dlogits[PADDED].any()


def test_the_gradient_is_the_measured_one():
    logits, targets = drawn()
    report = gradient_check(
        lambda x: masked_cross_entropy(x, targets, LENGTHS)[0],
        logits,
        masked_cross_entropy(logits, targets, LENGTHS)[1],
    )
    assert report.right, report


@given(st.sampled_from([np.nan, np.inf, -np.inf, 1e300, 0.0]), st.sampled_from([-100, -1, 0, V, 10**9]))
@settings(max_examples=25, deadline=None)
def test_padding_may_hold_anything(number, target):
    logits, targets = drawn()
    before = masked_cross_entropy(logits, targets, LENGTHS)
    logits[PADDED], targets[PADDED] = number, target
    after = masked_cross_entropy(logits, targets, LENGTHS)
    assert before[0] == after[0]
    np.testing.assert_array_equal(before[1], after[1])


def test_without_padding_it_is_the_plain_loss():
    logits, targets = drawn()
    plain = softmax_cross_entropy(logits, targets)
    masked = masked_cross_entropy(logits, targets, np.full(B, T))
    close(masked[0], plain[0])
    close(masked[1], plain[1])


def test_each_real_prediction_counts_the_same_not_each_sequence():
    logits, targets = drawn()
    each = [
        masked_cross_entropy(logits[b : b + 1], targets[b : b + 1], LENGTHS[b : b + 1])[0] for b in range(B)
    ]
    close(masked_cross_entropy(logits, targets, LENGTHS)[0], np.average(each, weights=LENGTHS))


def test_float32_is_kept_and_nothing_is_changed():
    logits, targets = drawn()
    logits = logits.astype(np.float32)
    copies = logits.copy(), targets.copy(), LENGTHS.copy()
    assert masked_cross_entropy(logits, targets, LENGTHS)[1].dtype == np.float32
    for now, before in zip((logits, targets, LENGTHS), copies, strict=True):
        np.testing.assert_array_equal(now, before)
