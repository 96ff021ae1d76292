"""The optimisers take torch's steps, number for number, and clipping scales all gradients together."""

import re

import numpy as np
import pytest
import torch

from rnncore.optim import SGD, Adam, clip_grad_norm, join
from tests.rnncore.oracle import close

SHAPES = {"weight": (3, 4), "bias": (5,)}


def drawn(rng, scale=1.0):
    return {name: scale * rng.normal(size=shape) for name, shape in SHAPES.items()}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda p: SGD(p, 0.1), lambda p: torch.optim.SGD(p, 0.1)),
        (lambda p: SGD(p, 0.1, momentum=0.9), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
        (lambda p: Adam(p), lambda p: torch.optim.Adam(p)),
        (lambda p: Adam(p, 0.03, (0.8, 0.9), 1e-3), lambda p: torch.optim.Adam(p, 0.03, (0.8, 0.9), 1e-3)),
    ],
    ids=["sgd", "momentum", "adam", "adam-with-options"],
)
def test_steps_equal_torchs(ours, theirs):
    rng = np.random.default_rng(0)
    params = drawn(rng)
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in params.items()}
    arrays = dict(params)
    optimiser, expected = ours(params), theirs(list(tensors.values()))
    for step in range(12):
        grads = drawn(rng, 10.0 ** (step % 3 - 1))
        kept = {name: grad.copy() for name, grad in grads.items()}
        optimiser.step(grads)
        for name, tensor in tensors.items():
            tensor.grad = torch.tensor(grads[name])
        expected.step()
        close(params, {name: tensor.detach().numpy() for name, tensor in tensors.items()}, rtol=1e-12)
        close(grads, kept, rtol=1e-15)
    assert all(params[name] is arrays[name] for name in params), "the layers' own arrays must be changed"


@pytest.mark.parametrize("make", [lambda p: SGD(p, 0.1, momentum=0.9), lambda p: Adam(p)])
def test_steps_stay_in_float32(make):
    params = {name: array.astype(np.float32) for name, array in drawn(np.random.default_rng(0)).items()}
    make(params).step(drawn(np.random.default_rng(1)))
    assert {array.dtype for array in params.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("max_norm", [0.5, 3.0])
def test_clipping_equals_torchs(max_norm):
    grads = drawn(np.random.default_rng(0))
    tensors = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in SHAPES.items()}
    for name, tensor in tensors.items():
        tensor.grad = torch.tensor(grads[name])
    expected = torch.nn.utils.clip_grad_norm_(tensors.values(), max_norm).item()
    kept = {name: grad.copy() for name, grad in grads.items()}
    clipped, norm = clip_grad_norm(grads, max_norm)
    close(norm, expected)
    close(clipped, {name: tensor.grad.numpy() for name, tensor in tensors.items()})
    close(grads, kept, rtol=1e-15)
    assert np.sqrt(sum((grad**2).sum() for grad in clipped.values())) == pytest.approx(max_norm, rel=1e-5)


def test_clipping_leaves_small_gradients_as_they_are():
    grads = drawn(np.random.default_rng(0))
    clipped, norm = clip_grad_norm(grads, 100.0)
    assert norm < 100 and all(clipped[name] is grads[name] for name in grads)


def test_join_names_every_array_after_its_group():
    a, b = np.zeros(2), np.ones(3)
    joined = join(rnn={"bias": a}, output={"bias": b})
    assert list(joined) == ["rnn.bias", "output.bias"]
    assert joined["rnn.bias"] is a and joined["output.bias"] is b


@pytest.mark.parametrize("optimiser", [SGD, Adam])
@pytest.mark.parametrize(
    ("grads", "sentence"),
    [
        (
            {"weight": np.zeros((3, 4))},
            "grads has no 'bias'; expected one gradient for each of ['bias', 'weight']",
        ),
        (
            {"weight": np.zeros((4, 3)), "bias": np.zeros(5)},
            "grads['weight'] has shape (4, 3), expected the parameter's, (3, 4)",
        ),
    ],
)
def test_optimisers_say_which_gradient_is_wrong(optimiser, grads, sentence):
    params = drawn(np.random.default_rng(0))
    kept = {name: array.copy() for name, array in params.items()}
    with pytest.raises(ValueError, match=re.escape(sentence)):
        optimiser(params, 0.1).step(grads)
    close(params, kept, rtol=1e-15)


@pytest.mark.parametrize("lr", [0, -0.1, float("nan")])
@pytest.mark.parametrize("optimiser", [SGD, Adam])
def test_a_learning_rate_must_be_positive(optimiser, lr):
    with pytest.raises(ValueError, match=f"lr is {lr}, expected a positive learning rate"):
        optimiser({}, lr)
