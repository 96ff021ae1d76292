"""The layers agree with torch in float64: outputs and every gradient, to ten digits."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncore.cells.rnn import rnn_backward, rnn_cell, rnn_cell_backward, rnn_forward
from rnncore.gradcheck import gradient_check
from rnncore.layers import RNN, Embedding, Linear
from tests.rnncore.oracle import close, torch_rnn

B, T, D, H = 4, 7, 6, 5


def relu_cell(p, x, h):
    a = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    return np.maximum(a, 0), (x, h, a)


def relu_cell_backward(p, dh, cache):
    x, h, a = cache
    da = dh * (a > 0)
    grads = {"weight_ih": da.T @ x, "weight_hh": da.T @ h, "bias_ih": da.sum(0), "bias_hh": da.sum(0)}
    return da @ p["weight_ih"], da @ p["weight_hh"], grads


PLAIN = {
    "tanh": {"cell": rnn_cell, "cell_backward": rnn_cell_backward},
    "relu": {"cell": relu_cell, "cell_backward": relu_cell_backward},
}


def drawn(layer, batch=B, steps=T, seed=1):
    """Random x, h0, dy and dh_n for a layer."""
    rng = np.random.default_rng(seed)
    directions = 2 if layer.bidirectional else 1
    state = (layer.num_layers * directions, batch, layer.hidden_size)
    x = rng.normal(size=(batch, steps, layer.input_size))
    dy = rng.normal(size=(batch, steps, directions * layer.hidden_size))
    return x, rng.normal(size=state), dy, rng.normal(size=state)


def ran(layer, x, h0, lengths, dy, dh_n):
    """What the layer gives, in the shape of the oracle's answer."""
    y, h_n, cache = layer.forward(x, h0, lengths)
    dx, dh0, grads = layer.backward(dy, cache, dh_n)
    return {"y": y, "h_n": h_n, "dx": dx, "dh0": dh0, "grads": grads}


@pytest.mark.parametrize("plugged_in", [False, True], ids=["fast", "cell"])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("lengths", [None, [5, 7, 1, 3], [2, 6, 6, 4]], ids=["full", "padded", "shorter"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "both-ways"])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_rnn_equals_torch(num_layers, bidirectional, lengths, nonlinearity, plugged_in):
    cells = PLAIN[nonlinearity] if plugged_in else {}
    layer = RNN(D, H, num_layers, bidirectional, nonlinearity, rng=np.random.default_rng(0), **cells)
    case = drawn(layer)
    arguments = (*case[:2], lengths, *case[2:])
    close(ran(layer, *arguments), torch_rnn(layer, *arguments))


@pytest.mark.parametrize("one", ["B", "T", "D", "H"])
@pytest.mark.parametrize("plugged_in", [False, True], ids=["fast", "cell"])
def test_rnn_equals_torch_where_a_size_is_one(one, plugged_in):
    sizes = {"B": 3, "T": 5, "D": 2, "H": 4} | {one: 1}
    cells = PLAIN["tanh"] if plugged_in else {}
    layer = RNN(sizes["D"], sizes["H"], 2, True, rng=np.random.default_rng(0), **cells)
    x, h0, dy, dh_n = drawn(layer, sizes["B"], sizes["T"])
    close(ran(layer, x, h0, None, dy, dh_n), torch_rnn(layer, x, h0, None, dy, dh_n))


def test_rnn_equals_the_plain_text_of_the_cells():
    layer = RNN(D, H, rng=np.random.default_rng(0))
    x, h0, dy, _ = drawn(layer)
    p = {name.removesuffix("_l0"): array for name, array in layer.params.items()}
    y, h_n, cache = layer.forward(x, h0)
    dx, dh0, grads = layer.backward(dy, cache)
    plain_y, plain_h, caches = rnn_forward(p, x, h0[0])
    plain_dx, plain_dh0, plain_grads = rnn_backward(p, dy, caches)
    close(y, plain_y)
    close(h_n[0], plain_h)
    close(dx, plain_dx)
    close(dh0[0], plain_dh0)
    close(grads, {name + "_l0": grad for name, grad in plain_grads.items()})


@pytest.mark.parametrize("bidirectional", [False, True])
def test_rnn_starts_with_zeros_and_ends_with_no_gradient_unless_given(bidirectional):
    layer = RNN(D, H, 2, bidirectional, rng=np.random.default_rng(0))
    x, h0, dy, dh_n = drawn(layer)
    y, h_n, cache = layer.forward(x)
    dx, dh0, grads = layer.backward(dy, cache)
    expected = torch_rnn(layer, x, 0 * h0, None, dy, 0 * dh_n)
    close({"y": y, "h_n": h_n, "dx": dx, "dh0": dh0, "grads": grads}, expected)


@pytest.mark.parametrize("lengths", [None, [5, 7, 1, 3]], ids=["full", "padded"])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("plugged_in", [False, True], ids=["fast", "cell"])
def test_rnn_in_float32_stays_there_and_is_as_close_as_it_can_be(plugged_in, nonlinearity, lengths):
    cells = PLAIN[nonlinearity] if plugged_in else {}
    layer = RNN(D, H, 2, True, nonlinearity, rng=np.random.default_rng(0), dtype=np.float32, **cells)
    x, h0, dy, dh_n = drawn(layer)
    received = ran(layer, x, h0, lengths, dy, dh_n)
    arrays = [*list(received.values())[:4], *received["grads"].values()]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    close(received, torch_rnn(layer, x, h0, lengths, dy, dh_n), rtol=1e-5)


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_rnn_gradients_equal_finite_differences(nonlinearity):
    layer = RNN(2, 3, 2, True, nonlinearity, rng=np.random.default_rng(0))
    x, h0, dy, dh_n = drawn(layer, 4, 5)
    lengths = [5, 2, 4, 1]

    def f(arrays):
        layer.params = arrays["params"]
        y, h_n, _ = layer.forward(arrays["x"], arrays["h0"], lengths)
        return (y * dy).sum() + (h_n * dh_n).sum()

    arrays = {"params": layer.params, "x": x, "h0": h0}
    _, _, cache = layer.forward(x, h0, lengths)
    dx, dh0, grads = layer.backward(dy, cache, dh_n)
    report = gradient_check(f, arrays, {"params": grads, "x": dx, "h0": dh0})
    assert report.right, report


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_a_row_of_a_padded_batch_is_what_it_is_alone(data):
    lengths = data.draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    bidirectional, num_layers = data.draw(st.booleans()), data.draw(st.integers(1, 2))
    cells = PLAIN["tanh"] if data.draw(st.booleans()) else {}
    layer = RNN(
        2, 3, num_layers, bidirectional, rng=np.random.default_rng(data.draw(st.integers(0, 99))), **cells
    )
    x, h0, dy, dh_n = drawn(layer, len(lengths), 8)
    for b, length in enumerate(lengths):
        x[b, length:] = np.nan  # padding may hold anything
        dy[b, length:] = np.nan
    batch = ran(layer, x, h0, lengths, dy, dh_n)
    alone = [
        ran(layer, x[b : b + 1, :n], h0[:, b : b + 1], None, dy[b : b + 1, :n], dh_n[:, b : b + 1])
        for b, n in enumerate(lengths)
    ]
    for b, n in enumerate(lengths):
        close(batch["y"][b, :n], alone[b]["y"][0])
        close(batch["dx"][b, :n], alone[b]["dx"][0])
        close(batch["h_n"][:, b], alone[b]["h_n"][:, 0])
        close(batch["dh0"][:, b], alone[b]["dh0"][:, 0])
        assert not batch["y"][b, n:].any() and not batch["dx"][b, n:].any()
    close(batch["grads"], {name: sum(one["grads"][name] for one in alone) for name in layer.params})


@pytest.mark.parametrize("lengths", [None, [5, 7, 1, 3]], ids=["full", "padded"])
@pytest.mark.parametrize(("num_layers", "bidirectional"), [(1, False), (2, True)])
@pytest.mark.parametrize("plugged_in", [False, True], ids=["fast", "cell"])
def test_rnn_changes_nothing_that_it_was_given_and_keeps_nothing_that_it_gave(
    plugged_in, num_layers, bidirectional, lengths
):
    cells = PLAIN["tanh"] if plugged_in else {}
    layer = RNN(D, H, num_layers, bidirectional, rng=np.random.default_rng(0), **cells)
    case = drawn(layer)
    given_arrays = [*case, *layer.params.values()]
    copies = [array.copy() for array in given_arrays]
    x, h0, dy, dh_n = case
    y, h_n, cache = layer.forward(x, h0, lengths)
    first = layer.backward(dy, cache, dh_n)
    kept = [array.copy() for array in (first[0], first[1], *first[2].values())]
    y += 1
    h_n += 1
    for array in (first[0], first[1], *first[2].values()):
        array *= 2  # two that share memory would be doubled twice
    doubled = [array / 2 for array in (first[0], first[1], *first[2].values())]
    second = layer.backward(dy, cache, dh_n)
    for array, copy in zip(given_arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    for array, half, copy in zip((second[0], second[1], *second[2].values()), doubled, kept, strict=True):
        np.testing.assert_array_equal(array, copy)
        np.testing.assert_array_equal(half, copy)


def test_rnn_parameters_have_torchs_names_shapes_and_spread():
    layer = RNN(D, H, 2, True, rng=np.random.default_rng(0))
    expected = torch.nn.RNN(D, H, 2, bidirectional=True).state_dict()
    assert [(n, a.shape) for n, a in layer.params.items()] == [
        (n, tuple(a.shape)) for n, a in expected.items()
    ]
    values = np.concatenate(
        [array.ravel() for array in RNN(30, 49, rng=np.random.default_rng(0)).params.values()]
    )
    assert 0.99 / 7 < abs(values).max() < 1 / 7
    assert abs(values.std() - 1 / 7 / np.sqrt(3)) < 0.002


def test_the_same_generator_gives_the_same_layer():
    one, other, third = (RNN(D, H, rng=np.random.default_rng(seed)).params for seed in (3, 3, 4))
    close(one, other, rtol=1e-15)
    assert (one["weight_hh_l0"] != third["weight_hh_l0"]).all()


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


@pytest.mark.parametrize("shape", [(4,), (4, 7), ()])
def test_linear_equals_torch(shape):
    rng = np.random.default_rng(0)
    layer = Linear(3, 5, rng=rng)
    x, dy = rng.normal(size=(*shape, 3)), rng.normal(size=(*shape, 5))
    module = torch.nn.Linear(3, 5, dtype=torch.float64)
    module.load_state_dict({name: torch.tensor(array) for name, array in layer.params.items()})
    tensor = torch.tensor(x, requires_grad=True)
    expected = module(tensor)
    (expected * torch.tensor(dy)).sum().backward()
    y, cache = layer.forward(x)
    dx, grads = layer.backward(dy, cache)
    close(y, expected.detach().numpy())
    close(dx, tensor.grad.numpy())
    close(grads, {name: p.grad.numpy() for name, p in module.named_parameters()})


def test_embedding_equals_torch_where_ids_repeat():
    rng = np.random.default_rng(0)
    layer = Embedding(6, 3, rng=rng)
    ids, dy = rng.integers(0, 5, size=(4, 7)), rng.normal(size=(4, 7, 3))
    module = torch.nn.Embedding(6, 3, dtype=torch.float64)
    module.load_state_dict({"weight": torch.tensor(layer.params["weight"])})
    expected = module(torch.tensor(ids))
    (expected * torch.tensor(dy)).sum().backward()
    y, cache = layer.forward(ids)
    close(y, expected.detach().numpy())
    close(layer.backward(dy, cache), {"weight": module.weight.grad.numpy()})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_linear_and_embedding_keep_their_dtype(dtype):
    rng = np.random.default_rng(0)
    linear, embedding = Linear(3, 5, rng=rng, dtype=dtype), Embedding(6, 3, rng=rng, dtype=dtype)
    x, cache = embedding.forward(rng.integers(0, 6, size=(4, 7)))
    y, cache_linear = linear.forward(x)
    dx, grads = linear.backward(np.ones((4, 7, 5)), cache_linear)
    arrays = [x, y, dx, *grads.values(), *embedding.backward(dx, cache).values()]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda lin, emb: lin.forward(np.zeros((4, 2))), "x has shape (4, 2), expected (..., D) with D = 3"),
        (
            lambda lin, emb: lin.backward(np.zeros((4, 2)), lin.forward(np.zeros((4, 3)))[1]),
            "dy has shape (4, 2), expected the shape of y, (4, 5)",
        ),
        (lambda lin, emb: emb.forward([[1, 2], [3, 6]]), "ids[1, 1] = 6 is outside 0 .. V - 1 = 5"),
        (lambda lin, emb: emb.forward([-1]), "ids[0] = -1 is outside 0 .. V - 1 = 5"),
        (lambda lin, emb: emb.forward([1.0]), "ids has dtype float64, expected whole numbers"),
        (
            lambda lin, emb: emb.backward(np.zeros((4, 2)), emb.forward([1, 2])[1]),
            "dy has shape (4, 2), expected the shape of y, (2, 3)",
        ),
    ],
)
def test_linear_and_embedding_say_what_is_wrong(call, sentence):
    rng = np.random.default_rng(0)
    with pytest.raises((ValueError, TypeError), match=re.escape(sentence)):
        call(Linear(3, 5, rng=rng), Embedding(6, 3, rng=rng))
