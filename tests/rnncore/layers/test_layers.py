"""The recurrent layers agree with torch in float64: outputs and every gradient, to ten digits."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncore.cells.gru import (
    gru_cell,
    gru_cell_backward,
    gru_cell_reset_before,
    gru_cell_reset_before_backward,
)
from rnncore.cells.lstm import lstm_cell, lstm_cell_backward
from rnncore.cells.rnn import rnn_backward, rnn_cell, rnn_cell_backward, rnn_forward
from rnncore.gradcheck import gradient_check
from rnncore.layers import GRU, LSTM, RNN, kernel
from tests.rnncore.oracle import close, mapped, torch_layer

B, T, D, H = 4, 7, 6, 5


def relu_cell(p, x, h):
    a = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    return np.maximum(a, 0), (x, h, a)


def relu_cell_backward(p, dh, cache):
    x, h, a = cache
    da = dh * (a > 0)
    grads = {"weight_ih": da.T @ x, "weight_hh": da.T @ h, "bias_ih": da.sum(0), "bias_hh": da.sum(0)}
    return da @ p["weight_ih"], da @ p["weight_hh"], grads


# What makes a layer of each kind, and the pair of cells that makes the same one slowly.
KINDS = {
    "tanh": (RNN, {}, rnn_cell, rnn_cell_backward),
    "relu": (RNN, {"nonlinearity": "relu"}, relu_cell, relu_cell_backward),
    "lstm": (LSTM, {}, lstm_cell, lstm_cell_backward),
    "gru": (GRU, {}, gru_cell, gru_cell_backward),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
fast_and_cell = pytest.mark.parametrize("plugged_in", [False, True], ids=["fast", "cell"])
full_and_padded = pytest.mark.parametrize("lengths", [None, [5, 7, 1, 3]], ids=["full", "padded"])


def made(kind, *sizes, plugged_in=False, seed=0, **options):
    """A layer of a kind, on its fast kernel or driven by the cells."""
    layer, own, cell, cell_backward = KINDS[kind]
    cells = {"cell": cell, "cell_backward": cell_backward} if plugged_in else {}
    return layer(*sizes, rng=np.random.default_rng(seed), **own, **cells, **options)


def drawn(layer, batch=B, steps=T, seed=1):
    """Random x, h0, dy and dh_n for a layer."""
    rng = np.random.default_rng(seed)
    directions = 2 if layer.bidirectional else 1
    shape = (layer.num_layers * directions, batch, layer.hidden_size)
    states = [rng.normal(size=shape) for _ in range(4)]
    x = rng.normal(size=(batch, steps, layer.input_size))
    dy = rng.normal(size=(batch, steps, directions * layer.hidden_size))
    if isinstance(layer, LSTM):
        return x, (states[0], states[1]), dy, (states[2], states[3])
    return x, states[0], dy, states[2]


def ran(layer, x, h0, lengths, dy, dh_n):
    """What the layer gives, in the shape of the oracle's answer."""
    y, h_n, cache = layer.forward(x, h0, lengths)
    dx, dh0, grads = layer.backward(dy, cache, dh_n)
    return {"y": y, "h_n": h_n, "dx": dx, "dh0": dh0, "grads": grads}


def arrays_of(structure):
    """All arrays of a nest of dicts and tuples."""
    if isinstance(structure, dict | tuple):
        values = structure.values() if isinstance(structure, dict) else structure
        return [array for value in values for array in arrays_of(value)]
    return [structure]


@fast_and_cell
@pytest.mark.parametrize("bias", [True, False], ids=["biases", "none"])
@pytest.mark.parametrize("lengths", [None, [5, 7, 1, 3], [2, 6, 6, 4]], ids=["full", "padded", "shorter"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "both-ways"])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@every_kind
def test_a_layer_equals_torch(kind, num_layers, bidirectional, lengths, bias, plugged_in):
    layer = made(kind, D, H, num_layers, bidirectional, bias=bias, plugged_in=plugged_in)
    x, h0, dy, dh_n = drawn(layer)
    close(ran(layer, x, h0, lengths, dy, dh_n), torch_layer(layer, x, h0, lengths, dy, dh_n))


@pytest.mark.parametrize("one", ["B", "T", "D", "H"])
@fast_and_cell
@every_kind
def test_a_layer_equals_torch_where_a_size_is_one(kind, plugged_in, one):
    sizes = {"B": 3, "T": 5, "D": 2, "H": 4} | {one: 1}
    layer = made(kind, sizes["D"], sizes["H"], 2, True, plugged_in=plugged_in)
    x, h0, dy, dh_n = drawn(layer, sizes["B"], sizes["T"])
    close(ran(layer, x, h0, None, dy, dh_n), torch_layer(layer, x, h0, None, dy, dh_n))


@full_and_padded
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_layer_equals_torch_where_its_steps_take_several_runs(monkeypatch, kind, lengths):
    monkeypatch.setattr(kernel, "IN_CACHE", 3 * B * H)
    assert [list(steps) for steps, _ in kernel.by_run(range(T), B * H)] == [[0, 1, 2], [3, 4, 5], [6]]
    layer = made(kind, D, H, 2, True)
    x, h0, dy, dh_n = drawn(layer)
    close(ran(layer, x, h0, lengths, dy, dh_n), torch_layer(layer, x, h0, lengths, dy, dh_n))


def test_an_rnn_equals_the_plain_text_of_the_cells():
    layer = made("tanh", D, H)
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
@every_kind
def test_a_layer_starts_with_zeros_and_ends_with_no_gradient_unless_given(kind, bidirectional):
    layer = made(kind, D, H, 2, bidirectional)
    x, h0, dy, dh_n = drawn(layer)
    y, h_n, cache = layer.forward(x)
    dx, dh0, grads = layer.backward(dy, cache)
    expected = torch_layer(layer, x, mapped(np.zeros_like, h0), None, dy, mapped(np.zeros_like, dh_n))
    close({"y": y, "h_n": h_n, "dx": dx, "dh0": dh0, "grads": grads}, expected)


@full_and_padded
@fast_and_cell
@every_kind
def test_float32_stays_float32_and_is_as_close_as_it_can_be(kind, plugged_in, lengths):
    layer = made(kind, D, H, 2, True, dtype=np.float32, plugged_in=plugged_in)
    x, h0, dy, dh_n = drawn(layer)
    received = ran(layer, x, h0, lengths, dy, dh_n)
    assert {array.dtype for array in arrays_of(received)} == {np.dtype(np.float32)}
    close(received, torch_layer(layer, x, h0, lengths, dy, dh_n), rtol=1e-5)


@pytest.mark.parametrize("kind", ["tanh", "lstm", "gru"])  # relu has no bound
def test_large_sums_inside_neither_overflow_nor_warn(kind):
    layer = made(kind, D, H, dtype=np.float32)
    layer.params = {name: array * 1000 for name, array in layer.params.items()}
    x, h0, dy, dh_n = drawn(layer)
    assert all(np.isfinite(array).all() for array in arrays_of(ran(layer, x, h0, [7, 2, 7, 5], dy, dh_n)))


def measured(layer, lengths, directions=False):
    """gradient_check of everything that backward gives."""
    x, h0, dy, dh_n = drawn(layer)

    def f(arrays):
        layer.params = arrays["params"]
        y, h_n, _ = layer.forward(arrays["x"], arrays["h0"], lengths)
        return sum((a * da).sum() for a, da in zip(arrays_of((y, h_n)), arrays_of((dy, dh_n)), strict=True))

    arrays = {"params": layer.params, "x": x, "h0": h0}
    _, _, cache = layer.forward(x, h0, lengths)
    dx, dh0, grads = layer.backward(dy, cache, dh_n)
    return gradient_check(f, arrays, {"params": grads, "x": dx, "h0": dh0}, directions=directions)


@every_kind
def test_gradients_equal_finite_differences(kind):
    report = measured(made(kind, 2, 3), [5, 7, 1, 3])
    assert report.right, report


@every_kind
def test_gradients_of_a_stack_equal_finite_differences_along_random_directions(kind):
    report = measured(made(kind, 8, 9, 2, True), [5, 7, 1, 3], directions=True)
    assert report.right, report


@full_and_padded
def test_the_gru_with_the_reset_before_runs_as_a_plugged_in_cell(lengths):
    pair = {"cell": gru_cell_reset_before, "cell_backward": gru_cell_reset_before_backward}
    report = measured(GRU(2, 3, 2, True, rng=np.random.default_rng(0), **pair), lengths, directions=True)
    assert report.right, report


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_a_row_of_a_padded_batch_is_what_it_is_alone(data):
    lengths = data.draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    bidirectional, num_layers = data.draw(st.booleans()), data.draw(st.integers(1, 2))
    kind, plugged_in = data.draw(st.sampled_from(list(KINDS))), data.draw(st.booleans())
    seed = data.draw(st.integers(0, 99))
    layer = made(kind, 2, 3, num_layers, bidirectional, plugged_in=plugged_in, seed=seed)
    x, h0, dy, dh_n = drawn(layer, len(lengths), 8)
    for b, length in enumerate(lengths):
        x[b, length:] = np.nan  # padding may hold anything
        dy[b, length:] = np.nan
    batch = ran(layer, x, h0, lengths, dy, dh_n)
    total = dict.fromkeys(layer.params, 0)
    for b, n in enumerate(lengths):
        row = slice(b, b + 1)

        def of_row(state, row=row):
            return mapped(lambda array: array[:, row], state)

        alone = ran(layer, x[row, :n], of_row(h0), None, dy[row, :n], of_row(dh_n))
        close(batch["y"][row, :n], alone["y"])
        close(batch["dx"][row, :n], alone["dx"])
        close(of_row(batch["h_n"]), alone["h_n"])
        close(of_row(batch["dh0"]), alone["dh0"])
        assert not batch["y"][b, n:].any() and not batch["dx"][b, n:].any()
        total = {name: total[name] + grad for name, grad in alone["grads"].items()}
    close(batch["grads"], total)


@full_and_padded
@pytest.mark.parametrize(("num_layers", "bidirectional"), [(1, False), (2, True)])
@fast_and_cell
@every_kind
def test_a_layer_changes_nothing_that_it_was_given_and_keeps_nothing_that_it_gave(
    kind, plugged_in, num_layers, bidirectional, lengths
):
    layer = made(kind, D, H, num_layers, bidirectional, plugged_in=plugged_in, dropout=0.5)
    x, h0, dy, dh_n = case = drawn(layer)
    given_arrays = arrays_of((*case, layer.params))
    copies = [array.copy() for array in given_arrays]
    y, h_n, cache = layer.forward(x, h0, lengths, rng=np.random.default_rng(2))
    first = arrays_of(layer.backward(dy, cache, dh_n))
    for array, copy in zip(given_arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    kept = [array.copy() for array in first]
    for array in arrays_of((y, h_n, x, h0)):
        array += 1
    for array in first:
        array *= 2  # two that share memory would be doubled twice
    for array, half, copy in zip(
        arrays_of(layer.backward(dy, cache, dh_n)), [array / 2 for array in first], kept, strict=True
    ):
        np.testing.assert_array_equal(array, copy)
        np.testing.assert_array_equal(half, copy)


@pytest.mark.parametrize("bias", [True, False])
@every_kind
def test_parameters_have_torchs_names_shapes_and_spread(kind, bias):
    layer = made(kind, D, H, 2, True, bias=bias)
    module = getattr(torch.nn, type(layer).__name__)
    expected = module(D, H, 2, bidirectional=True, bias=bias).state_dict()
    assert [(n, a.shape) for n, a in layer.params.items()] == [
        (n, tuple(a.shape)) for n, a in expected.items()
    ]
    values = np.concatenate([array.ravel() for array in made(kind, 30, 49, bias=bias).params.values()])
    assert 0.99 / 7 < abs(values).max() < 1 / 7
    assert abs(values.std() - 1 / 7 / np.sqrt(3)) < 0.002


def test_the_same_generator_gives_the_same_layer():
    one, other, third = (made("tanh", D, H, seed=seed).params for seed in (3, 3, 4))
    close(one, other, rtol=1e-15)
    assert (one["weight_hh_l0"] != third["weight_hh_l0"]).all()


def stacked_by_hand(layers, x, h0, lengths, dy, dh_n, mask):
    """A dropout stack of two layers, one direction, made of two layers of one; mask (B, T, H) between."""
    below, above = layers

    def part(state, index):
        return mapped(lambda array: array[index : index + 1], state)

    inner, _, cache_0 = below.forward(x, part(h0, 0), lengths)
    y, _, cache_1 = above.forward(inner * mask, part(h0, 1), lengths)
    d_inner, _, grads_1 = above.backward(dy, cache_1, part(dh_n, 1))
    dx, _, grads_0 = below.backward(d_inner * mask, cache_0, part(dh_n, 0))
    renamed = {name.replace("_l0", "_l1"): grad for name, grad in grads_1.items()}
    return y, dx, grads_0 | renamed


@full_and_padded
@fast_and_cell
@every_kind
def test_dropout_scales_what_it_keeps_between_layers_and_nowhere_else(kind, plugged_in, lengths):
    layer = made(kind, D, H, 2, dropout=0.4, plugged_in=plugged_in)
    x, h0, dy, dh_n = drawn(layer)
    y, _, cache = layer.forward(x, h0, lengths, rng=np.random.default_rng(5))
    dx, _, grads = layer.backward(dy, cache, dh_n)
    mask = cache[1][0].swapaxes(0, 1)
    close(np.unique(mask), np.array([0, 1 / 0.6]))
    assert cache[1][1] is None
    halves = made(kind, D, H), made(kind, H, H)
    for index, half in enumerate(halves):
        half.params = {name: layer.params[name.replace("_l0", f"_l{index}")] for name in half.params}
    close((y, dx, grads), stacked_by_hand(halves, x, h0, lengths, dy, dh_n, mask))


def test_dropout_keeps_its_share_and_obeys_the_generator():
    layer = made("gru", D, 40, 2, True, dropout=0.3)
    x, *_ = drawn(layer, 10, 20)
    without, _, cache = layer.forward(x)
    assert cache[1] == [None, None]
    close(without, made("gru", D, 40, 2, True).forward(x)[0])
    one, other, third = (layer.forward(x, rng=np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one[0], other[0])
    assert (one[0] != third[0]).any()
    # 16 000 draws: five standard deviations of their mean are 0.018
    assert abs((one[2][1][0] == 0).mean() - 0.3) < 0.018
