"""The minGRU layer: against a loop in torch with autograd, against its own cell, and to torch and back."""

import numpy as np
import pytest
import torch

from rnncore.cells.min_gru import min_gru_cell, min_gru_cell_backward
from rnncore.interop import from_torch, to_keras_weights, to_onnx, to_torch
from rnncore.layers import MinGRU, min_gru
from rnncore.topics.scan import scan
from tests.rnncore.oracle import close

B, T, D, H = 4, 7, 6, 5
each_direction = pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "both-ways"])
each_bias = pytest.mark.parametrize("bias", [True, False], ids=["biases", "none"])
each_depth = pytest.mark.parametrize("num_layers", [1, 2, 3])
every_length = pytest.mark.parametrize(
    "lengths", [None, [5, 7, 1, 3], [2, 6, 6, 4]], ids=["full", "padded", "shorter"]
)


def made(num_layers=1, bidirectional=False, steps=T, **options):
    rng = np.random.default_rng(0)
    layer = MinGRU(D, H, num_layers, bidirectional, rng=rng, **options)
    states = rng.normal(size=(2, num_layers * layer.directions, B, H))
    x, dy = rng.normal(size=(B, steps, D)), rng.normal(size=(B, steps, layer.directions * H))
    return layer, x, states[0], dy, states[1]


def ran(layer, x, h0, lengths, dy, dh_n):
    y, h_n, cache = layer.forward(x, h0, lengths)
    dx, dh0, grads = layer.backward(dy, cache, dh_n)
    return {"y": y, "h_n": h_n, "dx": dx, "dh0": dh0, "grads": grads}


def in_torch(layer, x, h0, lengths, dy, dh_n):
    """The same, sequence by sequence and step by step in torch, with gradients from autograd."""
    params = {name: torch.tensor(array, requires_grad=True) for name, array in layer.params.items()}
    x, h0 = torch.tensor(x, requires_grad=True), torch.tensor(h0, requires_grad=True)
    lengths = [x.shape[1]] * B if lengths is None else lengths
    rows, lasts = [], []
    for b, length in enumerate(lengths):
        y, last = x[b, :length], []
        for number in range(layer.num_layers):
            sides = []
            for side, suffix in enumerate((f"_l{number}", f"_l{number}_reverse")[: layer.directions]):
                h, states = h0[number * layer.directions + side, b], []
                for step in y if side == 0 else y.flip(0):
                    sums = params["weight_ih" + suffix] @ step + params.get("bias_ih" + suffix, 0)
                    z, n = torch.sigmoid(sums[:H]), sums[H:]
                    h = z * h + (1 - z) * n
                    states.append(h)
                last.append(h)
                sides.append(torch.stack(states if side == 0 else states[::-1]))
            y = torch.cat(sides, dim=1)
        rows.append(torch.nn.functional.pad(y, (0, 0, 0, x.shape[1] - length)))
        lasts.append(torch.stack(last))
    y, h_n = torch.stack(rows), torch.stack(lasts, dim=1)
    ((y * torch.tensor(dy)).sum() + (h_n * torch.tensor(dh_n)).sum()).backward()
    grads = {name: tensor.grad.numpy() for name, tensor in params.items()}
    found = {"y": y.detach().numpy(), "h_n": h_n.detach().numpy()}
    return found | {"dx": x.grad.numpy(), "dh0": h0.grad.numpy(), "grads": grads}


@each_bias
@every_length
@each_direction
@each_depth
def test_a_layer_equals_torch_step_by_step(num_layers, bidirectional, lengths, bias):
    layer, x, h0, dy, dh_n = made(num_layers, bidirectional, bias=bias)
    close(ran(layer, x, h0, lengths, dy, dh_n), in_torch(layer, x, h0, lengths, dy, dh_n))


@pytest.mark.parametrize("steps", [1, 2, 15, 16, 17, 40, 120])
@each_direction
def test_in_chunks_or_step_by_step_it_is_the_cells_layer(steps, bidirectional):
    layer, x, h0, dy, dh_n = made(2, bidirectional, steps)
    slow, *_ = made(2, bidirectional, steps, cell=min_gru_cell, cell_backward=min_gru_cell_backward)
    lengths = [steps, max(1, steps // 2), 1, steps]
    close(ran(layer, x, h0, lengths, dy, dh_n), ran(slow, x, h0, lengths, dy, dh_n))


@pytest.mark.parametrize("steps", [1, 2, 3, 15, 16, 17, 25, 63, 64, 65, 257, 1000])
@pytest.mark.parametrize("wide", [1, 10**9], ids=["step by step", "in chunks"])
def test_the_recurrence_equals_the_scan(steps, wide, monkeypatch):
    monkeypatch.setattr(min_gru, "WIDE", wide)
    rng = np.random.default_rng(steps)
    a, b, start = rng.uniform(-1, 1, (steps, B, H)), rng.normal(size=(steps, B, H)), rng.normal(size=(B, H))
    expected = scan(a.swapaxes(0, 1), b.swapaxes(0, 1), start).swapaxes(0, 1)
    np.testing.assert_allclose(min_gru.recurrence(a, b, start), expected, rtol=1e-12, atol=1e-12)


def test_single_precision_stays_single():
    layer, x, h0, dy, dh_n = made(2, True, dtype=np.float32)
    found = ran(layer, x, h0, None, dy, dh_n)
    assert {found[name].dtype for name in ("y", "h_n", "dx", "dh0")} == {np.dtype(np.float32)}
    assert {grad.dtype for grad in found["grads"].values()} == {np.dtype(np.float32)}


def test_it_has_no_recurrent_weights():
    layer, *_ = made(1, True)
    assert list(layer.params) == ["weight_ih_l0", "bias_ih_l0", "weight_ih_l0_reverse", "bias_ih_l0_reverse"]
    assert layer.params["weight_ih_l0"].shape == (2 * H, D)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_bias
@each_direction
@each_depth
def test_to_torch_and_back(num_layers, bidirectional, bias, dtype):
    layer, x, h0, _, _ = made(num_layers, bidirectional, bias=bias, dtype=dtype)
    x, h0 = x.astype(dtype), h0.astype(dtype)
    module = to_torch(layer)
    with torch.no_grad():
        y, h_n = module(torch.tensor(x), torch.tensor(h0))
        from_zeros = module(torch.tensor(x))[0]
    rtol = 1e-10 if dtype == np.float64 else 1e-5
    ours = layer.forward(x, h0)
    close(ours[0], y.numpy(), rtol)
    close(ours[1], h_n.numpy(), rtol)
    close(layer.forward(x)[0], from_zeros.numpy(), rtol)
    back = from_torch(module)
    assert type(back) is MinGRU and back.dtype == dtype
    close(back.params, layer.params, rtol=1e-15)
    close(back.forward(x, h0)[0], ours[0], rtol=1e-15)


def test_the_torch_modules_gradients_are_ours():
    layer, x, h0, dy, dh_n = made(2, True)
    module = to_torch(layer)
    y, h_n = module(torch.tensor(x), torch.tensor(h0))
    ((y * torch.tensor(dy)).sum() + (h_n * torch.tensor(dh_n)).sum()).backward()
    theirs = {name: tensor.grad.numpy() for name, tensor in module.named_parameters()}
    close(ran(layer, x, h0, None, dy, dh_n)["grads"], theirs)


def test_dropout_acts_between_layers_while_training_alone():
    layer, x, *_ = made(2, dropout=0.5)
    module, steps = to_torch(layer), torch.tensor(x)
    assert not torch.equal(module(steps)[0], module(steps)[0])
    module.eval()
    assert torch.equal(module(steps)[0], module(steps)[0])
    assert from_torch(module).dropout == 0.5


def test_what_other_libraries_do_not_have_is_refused(tmp_path):
    layer, *_ = made()
    for convert in (to_keras_weights, lambda layer: to_onnx(layer, tmp_path / "layer.onnx")):
        with pytest.raises(TypeError, match="MinGRU, expected an RNN, GRU or LSTM"):
            convert(layer)
    driven, *_ = made(cell=min_gru_cell)
    with pytest.raises(TypeError, match="leave the cell out"):
        to_torch(driven)
