"""The gated cells against torch in float64, the ONNX reference evaluator, and the complex step."""

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from rnncore.cells.gru import (
    gru_cell,
    gru_cell_backward,
    gru_cell_reset_before,
    gru_cell_reset_before_backward,
    parameter_counts,
)
from rnncore.cells.lstm import cell_gradient_path, lstm_cell, lstm_cell_backward, set_forget_bias
from rnncore.exercises.rnn_cell import draw_params
from rnncore.gradcheck import gradient_check
from tests.rnncore.oracle import close

SIZES = [(3, 5, 2), (4, 2, 6), (1, 3, 2), (3, 4, 1), (2, 1, 3), (5, 7, 4)]  # B, D, H


def drawn(B, D, H, gates):
    rng = np.random.default_rng([B, D, H])
    p = draw_params(rng, D, H, gates)
    return p, rng.normal(size=(B, D)), rng.normal(size=(4, B, H))


def torch_cell(kind, p, x, states, upstream):
    """Values and all gradients of one torch cell: (outputs, dx, d_states, grads)."""
    cell = kind(x.shape[1], states[0].shape[1], dtype=torch.float64)
    cell.load_state_dict({name: torch.from_numpy(value) for name, value in p.items()})
    x = torch.tensor(x, requires_grad=True)
    states = [torch.tensor(state, requires_grad=True) for state in states]
    outputs = cell(x, states[0] if len(states) == 1 else tuple(states))
    outputs = (outputs,) if len(states) == 1 else outputs
    sum((out * torch.from_numpy(d)).sum() for out, d in zip(outputs, upstream, strict=True)).backward()
    grads = {name: parameter.grad.numpy() for name, parameter in cell.named_parameters()}
    return [out.detach().numpy() for out in outputs], x.grad.numpy(), [s.grad.numpy() for s in states], grads


def all_close(received, expected):
    assert received.keys() == expected.keys()
    for name in expected:
        close(received[name], expected[name])


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_lstm_cell_and_all_its_gradients_equal_torchs(sizes):
    p, x, (h, c, dh, dc) = drawn(*sizes, gates=4)
    (h_next, c_next), cache = lstm_cell(p, x, (h, c))
    dx, (dh_prev, dc_prev), grads = lstm_cell_backward(p, (dh, dc), cache)
    outputs, dx_torch, (dh_torch, dc_torch), grads_torch = torch_cell(
        torch.nn.LSTMCell, p, x, [h, c], [dh, dc]
    )
    for ours, theirs in zip(
        (h_next, c_next, dx, dh_prev, dc_prev), (*outputs, dx_torch, dh_torch, dc_torch), strict=True
    ):
        close(ours, theirs)
    all_close(grads, grads_torch)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_gru_cell_and_all_its_gradients_equal_torchs(sizes):
    p, x, (h, _, dh, _) = drawn(*sizes, gates=3)
    h_next, cache = gru_cell(p, x, h)
    dx, dh_prev, grads = gru_cell_backward(p, dh, cache)
    outputs, dx_torch, (dh_torch,), grads_torch = torch_cell(torch.nn.GRUCell, p, x, [h], [dh])
    for ours, theirs in zip((h_next, dx, dh_prev), (*outputs, dx_torch, dh_torch), strict=True):
        close(ours, theirs)
    all_close(grads, grads_torch)


def blocks(array, order):
    """The gate blocks of a parameter in another order, with ONNX's leading axis of directions."""
    parts = np.split(array, len(order))
    return np.concatenate([parts[position] for position in order])[None]


def onnx_step(op, p, x, states, order, **attributes):
    """The new states after one step of ONNX's GRU or LSTM, evaluated by ONNX's own reference."""
    names = ["X", "W", "R", "B", "", "h", "c"][: 5 + len(states)]
    bias = np.concatenate([blocks(p["bias_ih"], order), blocks(p["bias_hh"], order)], axis=1)
    values = [x[None], blocks(p["weight_ih"], order), blocks(p["weight_hh"], order), bias]
    feeds = dict(zip([n for n in names if n], [*values, *(state[None] for state in states)], strict=True))
    outputs = ["Y", "Y_h", "Y_c"][: 1 + len(states)]
    node = helper.make_node(op, names, outputs, hidden_size=states[0].shape[1], **attributes)

    def declared(name):
        return helper.make_tensor_value_info(name, TensorProto.DOUBLE, None)

    graph = helper.make_graph([node], "step", list(map(declared, feeds)), list(map(declared, outputs)))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    return [state.reshape(states[0].shape) for state in ReferenceEvaluator(model).run(None, feeds)[1:]]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize(("cell", "before"), [(gru_cell, 1), (gru_cell_reset_before, 0)])
def test_both_grus_equal_the_onnx_reference(cell, before, sizes):
    """ONNX's blocks are z, r, h; its linear_before_reset says whether the product comes first."""
    p, x, (h, *_) = drawn(*sizes, gates=3)
    (expected,) = onnx_step("GRU", p, x, [h], order=(1, 0, 2), linear_before_reset=before)
    close(cell(p, x, h)[0], expected)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_lstm_equals_the_onnx_reference(sizes):
    """ONNX's blocks are i, o, f, c."""
    p, x, (h, c, *_) = drawn(*sizes, gates=4)
    expected = onnx_step("LSTM", p, x, [h, c], order=(0, 3, 1, 2))
    for ours, theirs in zip(lstm_cell(p, x, (h, c))[0], expected, strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_gradient_with_the_reset_before_equals_the_complex_step(sizes):
    p, x, (h, _, dh, _) = drawn(*sizes, gates=3)
    _, cache = gru_cell_reset_before(p, x, h)
    dx, dh_prev, grads = gru_cell_reset_before_backward(p, dh, cache)
    report = gradient_check(
        lambda at: (gru_cell_reset_before(at["p"], at["x"], at["h"])[0] * dh).sum(),
        {"p": p, "x": x, "h": h},
        {"p": grads, "x": dx, "h": dh_prev},
        limit=1e-10,
    )
    assert report.method == "complex step"
    assert report.right, report


def test_the_two_grus_differ_unless_the_reset_gate_is_open():
    p, x, (h, *_) = drawn(3, 5, 2, gates=3)
    assert np.abs(gru_cell(p, x, h)[0] - gru_cell_reset_before(p, x, h)[0]).max() > 1e-3
    p["bias_ih"][:2] = 1000.0  # r = 1
    close(gru_cell(p, x, h)[0], gru_cell_reset_before(p, x, h)[0])


def test_the_old_state_is_what_the_caches_hold():
    p, x, (h, c, *_) = drawn(3, 5, 2, gates=4)
    (_, c_next), cache = lstm_cell(p, x, (h, c))
    assert cache[1] is h
    assert cache[2] is c
    close(cache[7], np.tanh(c_next))


def test_the_forget_bias_goes_in_once_and_leaves_its_argument_alone():
    p, x, (h, c, *_) = drawn(3, 5, 2, gates=4)
    before = {name: value.copy() for name, value in p.items()}
    changed = set_forget_bias(p, 1.5)
    for name in p:
        assert np.array_equal(p[name], before[name])
    close(
        changed["bias_ih"] + changed["bias_hh"],
        np.where(np.arange(8) // 2 == 1, 1.5, p["bias_ih"] + p["bias_hh"]),
    )
    assert changed["weight_ih"] is not p["weight_ih"]
    # What it is for: a large value holds the forget gate open.
    _, cache = lstm_cell(set_forget_bias(p, 1000.0), x, (h, c))
    assert np.array_equal(cache[4], np.ones((3, 2)))


def test_the_path_is_torchs_gradient_of_the_last_cell_state_with_h_cut_off():
    """With weight_hh = 0 the cell state is the only way back, so autograd must find the same path."""
    B, T, D, H = 3, 5, 4, 2
    rng = np.random.default_rng(1)
    p = draw_params(rng, D, H, gates=4)
    p["weight_hh"] *= 0
    x, state = rng.normal(size=(B, T, D)), (rng.normal(size=(B, H)), rng.normal(size=(B, H)))
    cell = torch.nn.LSTMCell(D, H, dtype=torch.float64)
    cell.load_state_dict({name: torch.from_numpy(value) for name, value in p.items()})
    torch_state, states, caches = tuple(map(torch.from_numpy, state)), [], []
    for t in range(T):
        state, cache = lstm_cell(p, x[:, t], state)
        caches.append(cache)
        h, c = cell(torch.from_numpy(x[:, t]), torch_state)
        c = c.requires_grad_()
        states.append(c)
        torch_state = h, c
    expected = torch.autograd.grad(states[-1].sum(), states)
    path = cell_gradient_path(caches)
    assert path.shape == (B, T, H)
    for t in range(T):
        close(path[:, t], expected[t].numpy())


@pytest.mark.parametrize(("D", "H"), [(5, 2), (1, 3), (7, 4)])
def test_the_parameter_counts_are_torchs(D, H):
    kinds = {"rnn": torch.nn.RNNCell, "gru": torch.nn.GRUCell, "lstm": torch.nn.LSTMCell}
    expected = {name: sum(p.numel() for p in kind(D, H).parameters()) for name, kind in kinds.items()}
    assert parameter_counts(D, H) == expected
