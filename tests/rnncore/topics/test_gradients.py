"""The functions of lesson 04: gradient norms against torch's autograd, radius and matrices against theory."""

import numpy as np
import pytest
import torch

from rnncore.cells.rnn import rnn_backward, rnn_forward
from rnncore.exercises.rnn_cell import draw_params
from rnncore.gradcheck import numerical_gradient
from rnncore.optim import clip_grad_norm
from rnncore.topics.gradients import gradient_norms, orthogonal, spectral_radius

SIZES = [(3, 5, 4, 2), (4, 6, 2, 3), (1, 4, 3, 2), (3, 1, 4, 2), (2, 5, 3, 1), (3, 4, 1, 2)]


def run(rng, B, T, D, H):
    p = draw_params(rng, D, H)
    x, h0, dy = rng.normal(size=(B, T, D)), rng.normal(size=(B, H)), rng.normal(size=(B, T, H))
    _, _, caches = rnn_forward(p, x, h0)
    return p, x, h0, dy, caches


@pytest.mark.parametrize(("B", "T", "D", "H"), SIZES)
def test_gradient_norms_are_those_of_autograd(B, T, D, H):
    p, x, h0, dy, caches = run(np.random.default_rng(B * T), B, T, D, H)
    cell = torch.nn.RNNCell(D, H, dtype=torch.float64)
    cell.load_state_dict({name: torch.tensor(value) for name, value in p.items()})
    h, states = torch.tensor(h0), []
    for t in range(T):
        h = cell(torch.tensor(x[:, t]), h)
        h.retain_grad()
        states.append(h)
    sum((state * torch.tensor(dy[:, t])).sum() for t, state in enumerate(states)).backward()
    expected = [state.grad.norm().item() for state in states]
    np.testing.assert_allclose(gradient_norms(p, dy, caches), expected, rtol=1e-10)


def test_the_norm_at_a_state_is_what_finite_differences_measure_there():
    B, T, D, H = 3, 5, 2, 4
    p, x, h0, dy, caches = run(np.random.default_rng(0), B, T, D, H)
    y, _, _ = rnn_forward(p, x, h0)
    for t in range(T):

        def loss(h, t=t):
            later = 0.0
            if t + 1 < T:
                later = np.sum(rnn_forward(p, x[:, t + 1 :], h)[0] * dy[:, t + 1 :])
            return float(np.sum(h * dy[:, t]) + later)

        measured = np.linalg.norm(numerical_gradient(loss, y[:, t]))
        np.testing.assert_allclose(gradient_norms(p, dy, caches)[t], measured, rtol=1e-8)


def test_without_later_losses_the_norms_are_zero_and_nothing_warns():
    p, _, _, dy, caches = run(np.random.default_rng(1), 3, 6, 2, 4)
    dy[:, 3:] = 0
    norms = gradient_norms(p, dy, caches)
    assert (norms[3:] == 0).all()
    assert (norms[:3] > 0).all()


def test_an_orthogonal_linear_step_keeps_the_norm():
    # At states of zero tanh has slope 1, so a step's Jacobian is weight_hh itself.
    rng, B, T, D, H = np.random.default_rng(2), 3, 7, 2, 5
    for radius in (0.8, 1.0, 1.25):
        p = {"weight_ih": np.zeros((H, D)), "bias_ih": np.zeros(H), "bias_hh": np.zeros(H)}
        p["weight_hh"] = radius * orthogonal(rng, H)
        _, _, caches = rnn_forward(p, np.zeros((B, T, D)), np.zeros((B, H)))
        dy = np.zeros((B, T, H))
        dy[:, -1] = rng.normal(size=(B, H))
        norms = gradient_norms(p, dy, caches)
        np.testing.assert_allclose(norms, norms[-1] * radius ** np.arange(T - 1, -1, -1), rtol=1e-10)
        dx, dh0, _ = rnn_backward(p, dy, caches)
        assert not dx.any()
        np.testing.assert_allclose(np.linalg.norm(dh0), norms[0] * radius, rtol=1e-10)


def test_an_error_from_the_last_step_is_a_product_of_jacobians():
    # The lesson's equation: J_t = diag(1 - h_t^2) W_hh, and going back multiplies by one of them a step.
    B, T, D, H = 1, 5, 2, 4
    p, x, _, dy, caches = run(np.random.default_rng(3), B, T, D, H)
    dy[:, :-1] = 0
    tensors = {name: torch.tensor(value) for name, value in p.items()}
    cell = torch.nn.RNNCell(D, H, dtype=torch.float64)
    dh, norms = dy[0, -1], [np.linalg.norm(dy[0, -1])]
    for t in reversed(range(1, T)):
        _, before, after = caches[t]
        jacobian = np.diag(1 - after[0] ** 2) @ p["weight_hh"]
        measured = torch.autograd.functional.jacobian(
            lambda h, t=t: torch.func.functional_call(cell, tensors, (torch.tensor(x[0, t]), h)),
            torch.tensor(before[0]),
        )
        np.testing.assert_allclose(jacobian, measured, rtol=1e-10)
        dh = dh @ jacobian
        norms.insert(0, np.linalg.norm(dh))
    np.testing.assert_allclose(gradient_norms(p, dy, caches), norms, rtol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_spectral_radius_is_the_growth_of_high_powers(n):
    # Gelfand's formula: the norm of W**k, to the power 1 / k, tends to the spectral radius.
    W = np.random.default_rng(n).normal(size=(n, n))
    power, log_scale, k = W.copy(), 0.0, 1
    for _ in range(45):
        size = np.linalg.norm(power)
        power, log_scale, k = power / size, log_scale + np.log(size), 2 * k
        power, log_scale = power @ power, 2 * log_scale
    radius = spectral_radius(W)
    assert isinstance(radius, float)
    np.testing.assert_allclose(radius, np.exp((log_scale + np.log(np.linalg.norm(power))) / k), rtol=1e-9)


def test_spectral_radius_of_matrices_whose_answer_is_known():
    assert spectral_radius(np.diag([0.5, -2.0, 1.0])) == 2.0
    np.testing.assert_allclose(spectral_radius(np.array([[0.0, -3.0], [3.0, 0.0]])), 3.0)
    assert spectral_radius(np.zeros((3, 3))) == 0.0


@pytest.mark.parametrize("share", [0.1, 0.9, 1.5])
def test_clipping_is_that_of_torch_and_changes_nothing_it_was_given(share):
    grads = draw_params(np.random.default_rng(3), 4, 3)
    before = {name: grad.copy() for name, grad in grads.items()}
    total = np.sqrt(sum(np.sum(grad**2) for grad in grads.values()))
    tensors = [torch.zeros(grad.shape, dtype=torch.float64, requires_grad=True) for grad in grads.values()]
    for tensor, grad in zip(tensors, grads.values(), strict=True):
        tensor.grad = torch.tensor(grad)
    norm = torch.nn.utils.clip_grad_norm_(tensors, share * total)
    clipped, received = clip_grad_norm(grads, share * total)
    np.testing.assert_allclose(received, norm.item(), rtol=1e-12)
    for tensor, name in zip(tensors, grads, strict=True):
        np.testing.assert_allclose(clipped[name], tensor.grad.numpy(), rtol=1e-12)
        np.testing.assert_array_equal(grads[name], before[name])


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_orthogonal_matrices_are_orthogonal_and_drawn_from_rng(n):
    first, again, other = (orthogonal(np.random.default_rng(seed), n) for seed in (5, 5, 6))
    np.testing.assert_allclose(first.T @ first, np.eye(n), atol=1e-12)
    np.testing.assert_array_equal(first, again)
    assert n == 1 or not np.allclose(first, other)


def test_all_orthogonal_matrices_are_equally_likely():
    # Under the uniform (Haar) distribution trace(Q) has mean 0 and mean square 1, as has trace(Q @ F) for any
    # fixed orthogonal F (Diaconis and Shahshahani, 1994); plain QR without the sign correction fails this.
    rng, n, count = np.random.default_rng(7), 4, 4000
    fixed = orthogonal(rng, n)

    def furthest_from_expected(draw):
        matrices = [draw() for _ in range(count)]
        traces = np.array([[np.trace(Q), np.trace(Q @ fixed), n**0.5 * Q[0, 0]] for Q in matrices])
        off_mean = np.abs(traces.mean(axis=0)) * count**0.5
        off_square = np.abs((traces**2).mean(axis=0) - 1) * (count / 2) ** 0.5
        return max(off_mean.max(), off_square.max())

    assert furthest_from_expected(lambda: orthogonal(rng, n)) < 4.5
    assert furthest_from_expected(lambda: np.linalg.qr(rng.normal(size=(n, n)))[0]) > 20
