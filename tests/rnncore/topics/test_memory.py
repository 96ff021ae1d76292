"""Lesson 15's memories against torch in float64: outputs, and every gradient by autograd."""

import numpy as np
import pytest
import torch

from rnncore.topics import memory
from tests.rnncore.oracle import close

SIZES = [(3, 5, 4, 2), (2, 7, 3, 3), (4, 1, 5, 6)]  # B, T, D, H


def drawn(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def leaves(arrays):
    return [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]


def numbers(tensors):
    return tuple(one.detach().numpy() for one in tensors)


def sequence(B, T, D, H):
    return drawn((B, T, D), (B, T, D), (B, T, H))


def one_step(B, D, H):
    S, q, k, v = drawn((B, D, H), (B, D), (B, D), (B, H))
    return S, q, k, v, np.random.default_rng(1).uniform(0.1, 0.9, (B, 1))


def torch_delta_step(S, q, k, v, beta):
    error = v - torch.einsum("bd,bdh->bh", k, S)
    S = S + torch.einsum("bd,bh->bdh", k, beta * error)
    return torch.einsum("bd,bdh->bh", q, S), S


@pytest.mark.parametrize(("B", "T", "D", "H"), SIZES)
def test_causal_attention_is_torchs(B, T, D, H):
    q, k, v = sequence(B, T, D, H)
    (dy,) = drawn((B, T, H), seed=2)
    theirs = leaves((q, k, v))
    expected = torch.nn.functional.scaled_dot_product_attention(*theirs, is_causal=True)
    y, weights = memory.causal_attention(q, k, v)
    close(y, expected.detach().numpy())
    close(weights.sum(axis=2), np.ones((B, T)))
    assert not np.triu(weights, 1).any()
    grads = torch.autograd.grad(expected, theirs, torch.tensor(dy))
    close(memory.causal_attention_backward(dy, q, k, v, weights), numbers(grads))


def test_causal_attention_is_finite_where_scores_lie_thousands_apart():
    q, k, v = sequence(3, 5, 4, 2)
    y, weights = memory.causal_attention(1000 * q, k, v)
    expected = torch.nn.functional.scaled_dot_product_attention(*leaves((1000 * q, k, v)), is_causal=True)
    close(y, expected.detach().numpy())
    assert np.isfinite(weights).all()


@pytest.mark.parametrize(("B", "T", "D", "H"), SIZES)
def test_linear_attention_equals_its_loop(B, T, D, H):
    q, k, v = sequence(B, T, D, H)
    y, last = memory.linear_attention(q, k, v)
    S = np.zeros((B, D, H))
    for t in range(T):
        step, S = memory.linear_attention_step(S, q[:, t], k[:, t], v[:, t])
        close(y[:, t], step, rtol=1e-12)
    close(last, S, rtol=1e-12)


@pytest.mark.parametrize(("B", "T", "D", "H"), SIZES)
def test_linear_attention_backward(B, T, D, H):
    q, k, v = sequence(B, T, D, H)
    dy, dS = drawn((B, T, H), (B, D, H), seed=2)
    theirs = leaves((q, k, v))
    S, outputs = torch.zeros(B, D, H, dtype=torch.float64), []
    for one_q, one_k, one_v in zip(*(one.unbind(1) for one in theirs), strict=True):
        S = S + torch.einsum("bd,bh->bdh", one_k, one_v)
        outputs.append(torch.einsum("bd,bdh->bh", one_q, S))
    y = torch.stack(outputs, dim=1)
    close(memory.linear_attention(q, k, v), numbers((y, S)))
    grads = torch.autograd.grad((y, S), theirs, (torch.tensor(dy), torch.tensor(dS)))
    close(memory.linear_attention_backward(dy, dS, q, k, v), numbers(grads))


@pytest.mark.parametrize(("B", "D", "H"), [(3, 4, 2), (2, 3, 3), (4, 1, 5)])
def test_linear_attention_step_backward(B, D, H):
    arrays = one_step(B, D, H)[:4]
    dy, dS = drawn((B, H), (B, D, H), seed=2)
    theirs = leaves(arrays)
    S, q, k, v = theirs
    S_next = S + torch.einsum("bd,bh->bdh", k, v)
    y = torch.einsum("bd,bdh->bh", q, S_next)
    ours = memory.linear_attention_step(*arrays)
    close(ours, numbers((y, S_next)))
    grads = torch.autograd.grad((y, S_next), theirs, (torch.tensor(dy), torch.tensor(dS)))
    close(memory.linear_attention_step_backward(dy, dS, ours[1], *arrays[1:]), numbers(grads))


@pytest.mark.parametrize(("B", "D", "H"), [(3, 4, 2), (2, 3, 3), (4, 1, 5)])
def test_delta_step_and_its_gradient(B, D, H):
    arrays = one_step(B, D, H)
    dy, dS = drawn((B, H), (B, D, H), seed=2)
    theirs = leaves(arrays)
    expected = torch_delta_step(*theirs)
    y, S_next, cache = memory.delta_step(*arrays)
    close((y, S_next), numbers(expected))
    grads = torch.autograd.grad(expected, theirs, (torch.tensor(dy), torch.tensor(dS)))
    close(memory.delta_step_backward(dy, dS, cache), numbers(grads))


def test_the_delta_rule_is_one_gradient_step_of_least_squares():
    S, q, k, v, beta = one_step(3, 4, 2)
    theirs = torch.tensor(S, requires_grad=True)
    miss = torch.tensor(v) - torch.einsum("bd,bdh->bh", torch.tensor(k), theirs)
    (downhill,) = torch.autograd.grad(0.5 * (miss**2).sum(), theirs)
    close(memory.delta_step(S, q, k, v, beta)[1], S - beta[:, :, None] * downhill.numpy())


def test_with_a_key_of_length_one_and_beta_one_the_newest_value_is_the_answer():
    S, _, k, v, _ = one_step(3, 4, 2)
    k = k / np.linalg.norm(k, axis=1, keepdims=True)
    close(memory.delta_step(S, k, k, v, np.ones((3, 1)))[0], v)


def test_passed_often_enough_the_delta_rule_solves_the_least_squares_problem():
    """Fewer keys than features, so that some S answers all of them; from 0 it becomes the shortest such S."""
    keys, values = drawn((3, 5), (3, 2), seed=3)
    S = np.zeros((1, 5, 2))
    for sweep in range(1500):
        k, v = keys[None, sweep % 3], values[None, sweep % 3]
        S = memory.delta_step(S, k, k, v, 1 / (k**2).sum(axis=1, keepdims=True))[1]
    close(S[0], np.linalg.lstsq(keys, values, rcond=None)[0])


def test_the_backward_passes_change_nothing_that_they_are_given():
    arrays = one_step(3, 4, 2)
    dy, dS = drawn((3, 2), (3, 4, 2), seed=2)
    _, _, cache = memory.delta_step(*arrays)
    before = [one.copy() for one in (dy, dS, *cache)]
    memory.delta_step_backward(dy, dS, cache)
    memory.linear_attention_step_backward(dy, dS, cache[-1], *arrays[1:4])
    assert all((one == two).all() for one, two in zip(before, (dy, dS, *cache), strict=True))
