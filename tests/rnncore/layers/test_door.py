"""What the recurrent layers say to wrong input, and what they make of unusual but right input."""

import re

import numpy as np
import pytest

from rnncore.cells.rnn import rnn_cell, rnn_cell_backward
from rnncore.layers import GRU, LSTM, RNN
from tests.rnncore.oracle import close, mapped

D, H = 6, 5
X, H0 = np.zeros((3, 7, D)), np.zeros((2, 3, H))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((X[0],), "x has shape (7, 6), expected (B, T, D) with D = 6"),
        ((X[..., :4],), "x has shape (3, 7, 4), expected (B, T, D) with D = 6"),
        ((X[:, :0],), "x has shape (3, 0, 6), expected (B, T, D) with D = 6 and B and T at least 1"),
        ((X[:0],), "x has shape (0, 7, 6), expected (B, T, D) with D = 6 and B and T at least 1"),
        ((X + 1j,), "x has dtype complex128, expected real numbers"),
        ((X, H0[0]), "h0 has shape (3, 5), expected (L * directions, B, H) = (2, 3, 5)"),
        (
            (X, H0, [7, 7]),
            "lengths has shape (2,) and dtype int64, expected whole numbers of shape (B,) = (3,)",
        ),
        ((X, H0, [7.0, 7.0, 7.0]), "lengths has shape (3,) and dtype float64, expected whole numbers"),
        ((X, H0, [7, 3, 9]), "lengths[2] = 9 exceeds T = 7"),
        ((X, H0, [7, 0, 2]), "lengths[1] = 0, expected at least 1"),
        ((X, H0, [7, 4, -2]), "lengths[2] = -2, expected at least 1"),
        ((X.astype(str),), "x has dtype <U32, expected real numbers"),
        ((X, H0[:, :2]), "h0 has shape (2, 2, 5), expected (L * directions, B, H) = (2, 3, 5)"),
    ],
)
@pytest.mark.parametrize("kind", [RNN, GRU])
def test_a_layer_says_what_is_wrong_at_its_door(kind, arguments, sentence):
    layer = kind(D, H, 2, rng=np.random.default_rng(0))
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
        ({"dropout": 1}, "dropout is 1, expected a share of at least 0 and less than 1"),
        ({"dropout": -0.1}, "dropout is -0.1, expected a share of at least 0 and less than 1"),
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


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (H0, "h0 is ndarray, expected the pair (h0, c0), each (L * directions, B, H) = (2, 3, 5)"),
        ((H0,), "h0 is a tuple of 1, expected the pair (h0, c0), each (L * directions, B, H) = (2, 3, 5)"),
        ((H0[0], H0), "h0 has shape (3, 5), expected (L * directions, B, H) = (2, 3, 5)"),
        ((H0, H0[..., :4]), "c0 has shape (2, 3, 4), expected (L * directions, B, H) = (2, 3, 5)"),
    ],
)
def test_an_lstm_says_what_is_wrong_with_its_pair(given, sentence):
    layer = LSTM(D, H, 2, rng=np.random.default_rng(0))
    with pytest.raises((ValueError, TypeError), match=re.escape(sentence)):
        layer.forward(X, given)
    y, _, cache = layer.forward(X)
    backward = sentence.replace("h0", "dh_n").replace("c0", "dc_n")
    with pytest.raises((ValueError, TypeError), match=re.escape(backward)):
        layer.backward(y, cache, given)


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
@pytest.mark.parametrize("lengths", [None, np.array([7, 2, 4], np.uint8)], ids=["full", "padded"])
def test_arrays_of_any_layout_dtype_and_permission_give_the_right_answer(kind, lengths):
    rng = np.random.default_rng(0)
    layer = kind(D, H, 2, True, rng=rng)

    def ran(x, h0, dy, dh_n):
        y, h_n, cache = layer.forward(x, h0, lengths)
        dx, dh0, grads = layer.backward(dy, cache, dh_n)
        return {"y": y, "h_n": h_n, "dx": dx, "dh0": dh0, "grads": grads}

    # Small whole numbers are the same in every dtype.
    x, dy = rng.integers(-3, 4, size=(3, 7, D)), rng.integers(-3, 4, size=(3, 7, 2 * H))
    h0 = rng.integers(-3, 4, size=(4, 3, H))
    if kind is LSTM:
        h0 = (h0, rng.integers(-3, 4, size=(4, 3, H)))
    plain = ran(x.astype(float), mapped(lambda a: a.astype(float), h0), dy.astype(float), h0)

    def frozen(array):
        array = np.array(array)
        array.flags.writeable = False
        return array

    def strided(array):
        return np.repeat(array, 2, axis=-1)[..., ::2]

    for change in (
        frozen,
        strided,
        np.asfortranarray,
        lambda a: a[::-1].copy()[::-1],
        lambda a: a.astype(np.int8),
        lambda a: a.astype(np.float32),
        lambda a: a.astype(">f8"),
        lambda a: a.tolist(),
    ):
        close(ran(change(x), mapped(change, h0), change(dy), mapped(change, h0)), plain)
    close(ran(x.astype(np.float32), mapped(np.float64, h0), dy, h0), plain)


def test_a_layer_with_frozen_parameters_runs():
    for kind in (RNN, LSTM, GRU):
        layer = kind(D, H, rng=np.random.default_rng(0))
        for array in layer.params.values():
            array.flags.writeable = False
        y, _, cache = layer.forward(X + 1)
        layer.backward(y, cache)
