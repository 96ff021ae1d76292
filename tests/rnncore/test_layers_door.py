"""What the recurrent layers say to wrong input, and what they make of unusual but right input."""

import re

import numpy as np
import pytest

from rnncore.cells.rnn import rnn_cell, rnn_cell_backward
from rnncore.layers import RNN

D, H = 6, 5
X, H0 = np.zeros((3, 7, D)), np.zeros((2, 3, H))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((X[0],), "x has shape (7, 6), expected (B, T, D) with D = 6"),
        ((X[..., :4],), "x has shape (3, 7, 4), expected (B, T, D) with D = 6"),
        ((X[:, :0],), "x has shape (3, 0, 6), expected (B, T, D) with D = 6 and B and T at least 1"),
        ((X + 1j,), "x has dtype complex128, expected real numbers"),
        ((X, H0[0]), "h0 has shape (3, 5), expected (L * directions, B, H) = (2, 3, 5)"),
        (
            (X, H0, [7, 7]),
            "lengths has shape (2,) and dtype int64, expected whole numbers of shape (B,) = (3,)",
        ),
        ((X, H0, [7.0, 7.0, 7.0]), "lengths has shape (3,) and dtype float64, expected whole numbers"),
        ((X, H0, [7, 3, 9]), "lengths[2] = 9 exceeds T = 7"),
        ((X, H0, [7, 0, 2]), "lengths[1] = 0, expected at least 1"),
    ],
)
def test_rnn_says_what_is_wrong_at_its_door(arguments, sentence):
    layer = RNN(D, H, 2, rng=np.random.default_rng(0))
    with pytest.raises((ValueError, TypeError), match=re.escape(sentence)):
        layer.forward(*arguments)


def test_rnn_says_what_is_wrong_on_the_way_back():
    layer = RNN(D, H, 2, rng=np.random.default_rng(0))
    _, _, cache = layer.forward(X)
    with pytest.raises(
        ValueError, match=re.escape("dy has shape (3, 5), expected (B, T, directions * H) = (3, 7, 5)")
    ):
        layer.backward(np.zeros((3, 5)), cache)
    with pytest.raises(
        ValueError, match=re.escape("dh_n has shape (3, 5), expected (L * directions, B, H) = (2, 3, 5)")
    ):
        layer.backward(np.zeros((3, 7, 5)), cache, np.zeros((3, 5)))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"input_size": 0}, "input_size is 0, expected a whole number of at least 1"),
        ({"hidden_size": 2.5}, "hidden_size is 2.5, expected a whole number of at least 1"),
        ({"num_layers": -1}, "num_layers is -1, expected a whole number of at least 1"),
        ({"nonlinearity": "gelu"}, "nonlinearity is 'gelu', expected 'tanh' or 'relu'"),
        ({"rng": 3}, "rng is 3, expected a generator such as np.random.default_rng(0)"),
        ({"dtype": np.int64}, "dtype is int64, expected float32 or float64"),
    ],
)
def test_rnn_says_which_option_is_wrong(options, sentence):
    right = {"input_size": D, "hidden_size": H, "rng": np.random.default_rng(0)}
    with pytest.raises((ValueError, TypeError), match=re.escape(sentence)):
        RNN(**{**right, **options})


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        (lambda p, x, h: h, "the cell returned ndarray, expected a pair: state_next, cache"),
        (
            lambda p, x, h: (h[:, :2], ()),
            "the cell returned a state of shape (3, 2), expected (B, H) = (3, 5)",
        ),
        (lambda p, x, h: (None, ()), "the cell returned a state of shape (), expected (B, H) = (3, 5)"),
    ],
)
def test_a_plugged_in_cell_that_returns_the_wrong_thing_is_told_so(cell, sentence):
    layer = RNN(D, H, rng=np.random.default_rng(0), cell=cell, cell_backward=rnn_cell_backward)
    with pytest.raises((ValueError, TypeError), match=re.escape(sentence)):
        layer.forward(X)


def test_a_layer_with_half_a_pair_runs_forward_only():
    layer = RNN(D, H, rng=np.random.default_rng(0), cell=rnn_cell)
    y, _, cache = layer.forward(X)
    with pytest.raises(ValueError, match="this layer has a cell but no cell_backward"):
        layer.backward(y, cache)
