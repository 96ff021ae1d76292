"""The cells' equations agree with torch.nn.RNNCell and with the complex step, and overflow nowhere."""

import re

import numpy as np
import pytest
import torch

from rnncore.cells.activations import activate, activation_grad, relu, sigmoid
from rnncore.cells.rnn import rnn_backward, rnn_cell, rnn_cell_backward, rnn_forward, truncated_backward
from rnncore.gradcheck import gradient_check
from tests.rnncore.oracle import close

B, T, D, H = 3, 7, 4, 5


@pytest.fixture
def case():
    """Parameters and inputs, all of them random, the two biases different."""
    rng = np.random.default_rng(0)
    shapes = {"weight_ih": (H, D), "weight_hh": (H, H), "bias_ih": H, "bias_hh": H}
    p = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return p, rng.normal(size=(B, T, D)), rng.normal(size=(B, H)), rng.normal(size=(B, T, H))


def torch_cell(p):
    cell = torch.nn.RNNCell(D, H, dtype=torch.float64)
    cell.load_state_dict({name: torch.tensor(array) for name, array in p.items()})
    return cell


def gradients(module):
    return {name: parameter.grad.numpy() for name, parameter in module.named_parameters()}


def test_one_step_and_its_gradient_equal_torchs(case):
    p, x, h, dy = case
    h_next, cache = rnn_cell(p, x[:, 0], h)
    dx, dh_prev, grads = rnn_cell_backward(p, dy[:, 0], cache)
    cell = torch_cell(p)
    tensor_x, tensor_h = torch.tensor(x[:, 0], requires_grad=True), torch.tensor(h, requires_grad=True)
    expected = cell(tensor_x, tensor_h)
    expected.backward(torch.tensor(dy[:, 0]))
    close(h_next, expected.detach().numpy())
    close(dx, tensor_x.grad.numpy())
    close(dh_prev, tensor_h.grad.numpy())
    close(grads, gradients(cell))
    for stored, meant in zip(cache, (x[:, 0], h, h_next), strict=True):
        np.testing.assert_array_equal(stored, meant)


@pytest.mark.parametrize("k", [None, 1, 2, 3, T - 1, T, T + 2])
def test_a_whole_sequence_and_its_truncated_gradient_equal_torchs(case, k):
    p, x, h0, dy = case
    y, h_last, caches = rnn_forward(p, x, h0)
    if k is None:
        dx, dh0, grads = rnn_backward(p, dy, caches)
    else:
        dx, dh0, grads = truncated_backward(p, dy, caches, k)
    cell = torch_cell(p)
    tensor_x, tensor_h0 = torch.tensor(x, requires_grad=True), torch.tensor(h0, requires_grad=True)
    h, outputs = tensor_h0, []
    for t in range(T):
        if k is not None and t > 0 and t % k == 0:
            h = h.detach()
        h = cell(tensor_x[:, t], h)
        outputs.append(h)
    expected = torch.stack(outputs, dim=1)
    expected.backward(torch.tensor(dy))
    close(y, expected.detach().numpy())
    close(h_last, y[:, -1])
    assert len(caches) == T
    close(dx, tensor_x.grad.numpy())
    close(dh0, tensor_h0.grad.numpy())
    close(grads, gradients(cell))


def test_the_gradients_equal_the_complex_step(case):
    p, x, h0, dy = case

    def f(arrays):
        return (rnn_forward(arrays["p"], arrays["x"], arrays["h0"])[0] * dy).sum()

    dx, dh0, grads = rnn_backward(p, dy, rnn_forward(p, x, h0)[2])
    report = gradient_check(f, {"p": p, "x": x, "h0": h0}, {"p": grads, "x": dx, "h0": dh0}, limit=1e-12)
    assert report.method == "complex step" and report.right, report


def test_nothing_that_was_given_is_changed(case):
    p, x, h0, dy = case
    arrays = [*p.values(), x, h0, dy]
    copies = [array.copy() for array in arrays]
    _, _, caches = rnn_forward(p, x, h0)
    first = rnn_backward(p, dy, caches)
    truncated_backward(p, dy, caches, 2)
    second = rnn_backward(p, dy, caches)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    close(second[2], first[2], rtol=1e-15)


def test_float32_stays_float32(case):
    p, x, h0, dy = case
    p = {name: array.astype(np.float32) for name, array in p.items()}
    y, h, caches = rnn_forward(p, x.astype(np.float32), h0.astype(np.float32))
    dx, dh0, grads = rnn_backward(p, dy.astype(np.float32), caches)
    assert {array.dtype for array in (y, h, dx, dh0, *grads.values())} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
def test_activations_and_their_derivatives_equal_torchs(name):
    x = np.concatenate([np.linspace(-6, 6, 25), [-800.0, 800.0, 0.0]])
    tensor = torch.tensor(x, requires_grad=True)
    expected = getattr(torch, name)(tensor)
    expected.sum().backward()
    y = activate(name, x)
    close(y, expected.detach().numpy())
    close(activation_grad(name, y), tensor.grad.numpy())


def test_sigmoid_and_relu_are_what_activate_calls():
    x = np.linspace(-3, 3, 13)
    np.testing.assert_array_equal(activate("sigmoid", x), sigmoid(x))
    np.testing.assert_array_equal(activate("relu", x), relu(x))


@pytest.mark.parametrize("function", [activate, activation_grad])
def test_an_unknown_activation_is_named(function):
    with pytest.raises(ValueError, match=re.escape("name is 'swish', expected 'sigmoid', 'tanh' or 'relu'")):
        function("swish", np.zeros(3))
