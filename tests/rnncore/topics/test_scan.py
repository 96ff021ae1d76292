"""Lesson 14: the scan against loop and autograd, for many lengths; the minGRU against its own cell."""

import numpy as np
import pytest
import torch

from rnncore.cells.min_gru import min_gru_cell, min_gru_cell_backward
from rnncore.gradcheck import numerical_gradient
from rnncore.topics.scan import combine, min_gru, min_gru_backward, scan, scan_backward
from tests.rnncore.oracle import close

B, D, H = 3, 5, 2
LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 33, 64, 100, 257, 1000]
every_length = pytest.mark.parametrize("T", LENGTHS)


def drawn(T, seed=0, dtype=np.float64):
    rng = np.random.default_rng([seed, T])
    a, b, dh = rng.uniform(-1, 1, (B, T, H)), rng.normal(size=(B, T, H)), rng.normal(size=(B, T, H))
    return [array.astype(dtype) for array in (a, b, rng.normal(size=(B, H)), dh)]


def looped(a, b, h0):
    """The recurrence as it is written, one step after the other."""
    h, states = h0, []
    for t in range(a.shape[1]):
        h = a[:, t] * h + b[:, t]
        states.append(h)
    return np.stack(states, axis=1)


def in_torch(a, b, h0):
    h, states = h0, []
    for t in range(a.shape[1]):
        h = a[:, t] * h + b[:, t]
        states.append(h)
    return torch.stack(states, dim=1)


def leaves(*arrays):
    return [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]


def parameters(seed=1):
    rng = np.random.default_rng(seed)
    return {"weight_ih": rng.normal(size=(2 * H, D)), "bias_ih": rng.normal(size=2 * H)}


@every_length
def test_the_scan_equals_the_loop(T):
    a, b, h0, _ = drawn(T)
    np.testing.assert_allclose(scan(a, b, h0), looped(a, b, h0), rtol=1e-12, atol=1e-12)


@every_length
def test_the_scan_keeps_single_precision(T):
    a, b, h0, _ = drawn(T, dtype=np.float32)
    h = scan(a, b, h0)
    assert h.dtype == np.float32
    np.testing.assert_allclose(h, looped(*drawn(T)[:3]), rtol=1e-4, atol=1e-5)


class Counted(np.ndarray):
    """An array that counts the operations made with it."""

    count = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        Counted.count += 1
        inputs = [one.view(np.ndarray) if isinstance(one, Counted) else one for one in inputs]
        options = {name: tuple(one.view(np.ndarray) for one in out) for name, out in options.items()}
        return getattr(ufunc, method)(*inputs, **options).view(Counted)


@every_length
def test_the_scan_takes_as_many_rounds_as_the_length_has_doublings(T):
    a, b, h0, _ = (array.view(Counted) for array in drawn(T))
    Counted.count = 0
    scan(a, b, h0)
    assert Counted.count == 2 + 3 * int(np.ceil(np.log2(T)))  # two for h0, three to join


def test_factors_of_zero_are_taken_as_they_are():
    a, b, h0, _ = drawn(33)
    a[:, ::4] = 0
    np.testing.assert_allclose(scan(a, b, h0), looped(a, b, h0), rtol=1e-12, atol=1e-12)


def test_nothing_that_goes_in_is_changed():
    a, b, h0, dh = drawn(9)
    kept = [array.copy() for array in (a, b, h0, dh)]
    scan_backward(a, h0, scan(a, b, h0), dh)
    for array, before in zip((a, b, h0, dh), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_joining_is_associative_and_does_not_commute():
    rng = np.random.default_rng(2)
    one, two, three = ((rng.normal(size=(B, H)), rng.normal(size=(B, H))) for _ in range(3))
    close(combine(combine(one, two), three), combine(one, combine(two, three)), rtol=1e-12)
    h = rng.normal(size=(B, H))
    a, b = combine(one, two)
    close(a * h + b, two[0] * (one[0] * h + one[1]) + two[1], rtol=1e-12)
    assert np.abs(combine(one, two)[1] - combine(two, one)[1]).max() > 0.1


def test_the_gradient_of_joining_is_autograds():
    rng = np.random.default_rng(3)
    arrays = rng.normal(size=(4, B, H))
    a_1, b_1, a_2, b_2 = leaves(*arrays)
    a, b = combine((a_1, b_1), (a_2, b_2))  # plain operators: it also joins tensors
    close(a.detach().numpy(), combine(arrays[:2], arrays[2:])[0])
    (a.sum() + b.sum()).backward()
    close(a_2.grad.numpy(), arrays[0] + arrays[1])


@every_length
def test_the_scans_gradients_are_autograds(T):
    a, b, h0, dh = drawn(T)
    tensors = leaves(a, b, h0)
    in_torch(*tensors).backward(torch.tensor(dh))
    da, db, dh0 = scan_backward(a, h0, scan(a, b, h0), dh)
    for ours, tensor in zip((da, db, dh0), tensors, strict=True):
        close(ours, tensor.grad.numpy())


@every_length
def test_a_min_gru_equals_its_cell_step_by_step_there_and_back(T):
    p, (_, _, h0, dh) = parameters(), drawn(T)
    x = np.random.default_rng(T).normal(size=(B, T, D))
    h, cache = min_gru(p, x, h0)
    dx, dh0, grads = min_gru_backward(p, dh, cache)
    state, caches = h0, []
    for t in range(T):
        state, one = min_gru_cell(p, x[:, t], state)
        caches.append(one)
        close(h[:, t], state)
    totals, d_state = {name: np.zeros_like(value) for name, value in p.items()}, np.zeros_like(h0)
    for t in reversed(range(T)):
        dx_t, d_state, step = min_gru_cell_backward(p, d_state + dh[:, t], caches[t])
        close(dx[:, t], dx_t)
        for name in totals:
            totals[name] += step[name]
    close(dh0, d_state)
    close(grads, totals)


@every_length
def test_a_min_grus_gradients_are_autograds(T):
    p, (_, _, h0, dh) = parameters(), drawn(T)
    x = np.random.default_rng(T).normal(size=(B, T, D))
    weight, bias, x_leaf, h0_leaf = leaves(p["weight_ih"], p["bias_ih"], x, h0)
    x_z, n = (x_leaf @ weight.T + bias).chunk(2, dim=2)
    z = torch.sigmoid(x_z)
    in_torch(z, (1 - z) * n, h0_leaf).backward(torch.tensor(dh))
    dx, dh0, grads = min_gru_backward(p, dh, min_gru(p, x, h0)[1])
    close(dx, x_leaf.grad.numpy())
    close(dh0, h0_leaf.grad.numpy())
    close(grads, {"weight_ih": weight.grad.numpy(), "bias_ih": bias.grad.numpy()})


def test_gradients_agree_with_finite_differences():
    a, b, h0, dh = drawn(6)
    derived = scan_backward(a, h0, scan(a, b, h0), dh)
    for ours, name in zip(derived, ("a", "b", "h0"), strict=True):
        given = {"a": a, "b": b, "h0": h0}
        measured = numerical_gradient(
            lambda value, given=given, name=name: (dh * looped(**{**given, name: value})).sum(), given[name]
        )
        np.testing.assert_allclose(ours, measured, atol=1e-8)
