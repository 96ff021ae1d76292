"""The losses and their gradients agree with torch and with measured gradients, at any size of logit."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncore.gradcheck import gradient_check
from rnncore.losses import mean_squared_error, softmax_cross_entropy
from tests.rnncore.oracle import close

B, T, V = 3, 4, 5


def drawn(scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=(B, T, V)), rng.integers(0, V, size=(B, T))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
def test_cross_entropy_equals_torchs(scale):
    logits, targets = drawn(scale)
    tensor = torch.tensor(logits, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(tensor.reshape(-1, V), torch.tensor(targets).reshape(-1))
    expected.backward()
    loss, dlogits = softmax_cross_entropy(logits, targets)
    assert isinstance(loss, float)
    close(loss, expected.item())
    close(dlogits, tensor.grad.numpy())


def test_cross_entropy_of_equal_logits_is_the_logarithm_of_their_number():
    loss, dlogits = softmax_cross_entropy(np.full((B, T, V), 1e4), np.zeros((B, T), dtype=int))
    close(loss, np.log(V))
    close(dlogits[..., 0], np.full((B, T), (1 / V - 1) / (B * T)))


def test_the_gradient_of_cross_entropy_is_the_measured_one():
    logits, targets = drawn()
    report = gradient_check(
        lambda x: softmax_cross_entropy(x, targets)[0], logits, softmax_cross_entropy(logits, targets)[1]
    )
    assert report.right, report


@given(st.floats(-1e3, 1e3), st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_cross_entropy_does_not_see_a_constant_added_to_all_logits(constant, seed):
    logits, targets = drawn(seed=seed)
    close(
        softmax_cross_entropy(logits + constant, targets)[1], softmax_cross_entropy(logits, targets)[1], 1e-9
    )


def test_cross_entropy_keeps_float32_and_changes_nothing():
    logits, targets = drawn()
    logits = logits.astype(np.float32)
    copies = logits.copy(), targets.copy()
    assert softmax_cross_entropy(logits, targets)[1].dtype == np.float32
    np.testing.assert_array_equal(logits, copies[0])
    np.testing.assert_array_equal(targets, copies[1])


def test_mean_squared_error_equals_torchs():
    rng = np.random.default_rng(0)
    y, target = rng.normal(size=(B, T, V)), rng.normal(size=(B, T, V))
    tensor = torch.tensor(y, requires_grad=True)
    expected = torch.nn.functional.mse_loss(tensor, torch.tensor(target))
    expected.backward()
    loss, dy = mean_squared_error(y, target)
    assert isinstance(loss, float)
    close(loss, expected.item())
    close(dy, tensor.grad.numpy())


def test_mean_squared_error_does_not_broadcast():
    sentence = "target has shape (3, 1), expected the shape of y, (3, 4)"
    with pytest.raises(ValueError, match=re.escape(sentence)):
        mean_squared_error(np.zeros((3, 4)), np.zeros((3, 1)))
