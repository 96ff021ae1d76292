"""A layer computes the same in PyTorch, Keras and ONNX as here, and comes back as it went."""

import importlib.util
import os
import re
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from rnncore import layers
from rnncore.cells.gru import gru_cell_reset_before, gru_cell_reset_before_backward
from rnncore.interop import from_keras_weights, from_torch, to_keras_weights, to_onnx, to_torch
from tests.rnncore.oracle import close

B, T, D, H = 3, 7, 4, 5
KINDS = ["tanh", "relu", "GRU", "LSTM", "GRU reset before"]
OPTIONS = {
    "tanh": {"nonlinearity": "tanh"},
    "relu": {"nonlinearity": "relu"},
    "GRU reset before": {"cell": gru_cell_reset_before, "cell_backward": gru_cell_reset_before_backward},
}
each_kind = pytest.mark.parametrize("kind", KINDS)
each_kind_of_torch = pytest.mark.parametrize("kind", KINDS[:4])
each_bias = pytest.mark.parametrize("bias", [True, False], ids=["biases", "no-biases"])
each_direction = pytest.mark.parametrize("bidirectional", [False, True])
each_depth = pytest.mark.parametrize("num_layers", [1, 2, 3])


def drawn(kind, num_layers=1, bidirectional=False, dtype=np.float64, **options):
    """A layer whose biases all differ, and an input for it."""
    rng = np.random.default_rng(KINDS.index(kind))
    make = {"GRU": layers.GRU, "LSTM": layers.LSTM}.get(kind[:4].strip(), layers.RNN)
    layer = make(D, H, num_layers, bidirectional, rng=rng, dtype=dtype, **OPTIONS.get(kind, {}), **options)
    return layer, rng.normal(size=(B, T, D)).astype(dtype)


def states(layer, seed=9):
    """First states as the layer takes them, and the same in a list."""
    shape = (layer.num_layers * layer.directions, B, H)
    rng = np.random.default_rng(seed)
    listed = [rng.normal(size=shape).astype(layer.dtype) for _ in range(2 if kind_is_lstm(layer) else 1)]
    return (tuple(listed) if len(listed) == 2 else listed[0]), listed


def kind_is_lstm(layer):
    return type(layer).__name__ == "LSTM"


def results(layer, x, *arguments):
    """y and every last state, in a list."""
    y, last, _ = layer.forward(x, *arguments)
    return [y, *last] if isinstance(last, tuple) else [y, last]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_kind_of_torch
@each_bias
@each_direction
@each_depth
def test_to_torch_and_back(kind, num_layers, bidirectional, bias, dtype):
    layer, x = drawn(kind, num_layers, bidirectional, dtype, bias=bias)
    module = to_torch(layer)
    start, listed = states(layer)
    with torch.no_grad():
        given = [torch.tensor(one) for one in listed]
        y, last = module(torch.tensor(x), tuple(given) if len(given) == 2 else given[0])
    theirs = [y, *last] if isinstance(last, tuple) else [y, last]
    assert {one.numpy().dtype for one in theirs} == {np.dtype(dtype)}
    rtol = 1e-10 if dtype == np.float64 else 1e-5
    for ours, tensor in zip(results(layer, x, start), theirs, strict=True):
        assert ours.dtype == dtype
        close(ours, tensor.numpy(), rtol)
    back = from_torch(module)
    assert type(back) is type(layer) and back.dtype == dtype
    close(back.params, layer.params, rtol=1e-15)
    close(results(back, x, start)[0], results(layer, x, start)[0], rtol=1e-15)


def test_dropout_between_layers_crosses_to_torch_and_back():
    module = to_torch(drawn("GRU", 2, dropout=0.25)[0])
    assert module.dropout == from_torch(module).dropout == 0.25


@each_kind_of_torch
def test_the_two_sides_share_no_memory(kind):
    layer, _ = drawn(kind)
    module = to_torch(layer)
    back = from_torch(module)
    kept = {name: array.copy() for name, array in layer.params.items()}
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 1
    close(layer.params, kept, rtol=1e-15)
    close(back.params, kept, rtol=1e-15)
    for array in to_keras_weights(layer):
        assert not any(np.shares_memory(array, mine) for mine in layer.params.values())


def test_what_cannot_cross_to_or_from_torch_is_named():
    sentence = "layer is list, expected an RNN, GRU or LSTM of rnncore.layers"
    for cross in (to_torch, to_onnx, to_keras_weights):
        with pytest.raises(TypeError, match=re.escape(sentence)):
            cross([])
    for module in (torch.nn.LSTM(2, 3, proj_size=1), torch.nn.Linear(2, 3)):
        with pytest.raises(
            TypeError, match=re.escape("expected a torch.nn.RNN, GRU or LSTM without proj_size")
        ):
            from_torch(module)
    with pytest.raises(TypeError, match="gru_cell_reset_before, which PyTorch does not have"):
        to_torch(drawn("GRU reset before")[0])


def run_onnx(model, inputs):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


@pytest.mark.parametrize("given", [False, True], ids=["zeros", "states"])
@each_kind
@each_bias
@each_direction
@each_depth
def test_onnx_gives_the_same_in_both_evaluators(kind, num_layers, bidirectional, bias, given):
    layer, x = drawn(kind, num_layers, bidirectional, bias=bias)
    start, listed = states(layer)
    expected = results(layer, x, *([start] if given else []))
    names = ["y", "h_n", "c_n"][: len(expected)]
    for dtype, rtol in ((np.float64, 1e-10), (np.float32, 1e-5)):
        model = to_onnx(layer, dtype=dtype, states=given)
        onnx.checker.check_model(model, full_check=True)
        assert [output.name for output in model.graph.output] == names
        inputs = {"x": x} | (
            {f"{letter}0": one for letter, one in zip("hc", listed, strict=False)} if given else {}
        )
        inputs = {name: array.astype(dtype) for name, array in inputs.items()}
        found = []
        if kind != "relu":  # the reference evaluator's RNN knows tanh alone
            found.append(ReferenceEvaluator(model).run(None, inputs))
        if dtype == np.float32:  # onnxruntime has no recurrent operators in float64
            found.append(run_onnx(model, inputs))
        for evaluated in found:
            for received, ours in zip(evaluated, expected, strict=True):
                assert received.dtype == dtype
                close(received, ours, rtol)


@each_kind
@each_direction
def test_onnx_reads_padded_batches_and_any_number_of_them(kind, bidirectional):
    layer, x = drawn(kind, 2, bidirectional, np.float32)
    model = to_onnx(layer, lengths=True)
    lengths = np.array([4, 7, 1], dtype=np.int32)
    for chosen in ([0, 1, 2], [2, 1]):
        received = run_onnx(model, {"x": x[chosen], "lengths": lengths[chosen]})
        expected = results(layer, x[chosen], None, lengths[chosen])
        for theirs, ours in zip(received, expected, strict=True):
            close(theirs, ours, rtol=1e-5)


def test_onnx_writes_the_file_that_it_returns(tmp_path):
    layer, x = drawn("GRU", 2, True)
    model = to_onnx(layer, tmp_path / "gru.onnx")
    assert onnx.load(tmp_path / "gru.onnx") == model
    session = onnxruntime.InferenceSession(tmp_path / "gru.onnx", providers=["CPUExecutionProvider"])
    close(session.run(["y"], {"x": x.astype(np.float32)})[0], results(layer, x)[0], rtol=1e-5)


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """Keras on torch, the backend that the tests have anyway; it writes its settings on import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        import keras
    assert keras.backend.backend() == "torch"
    return keras


def keras_model(keras, kind, num_layers, bidirectional, bias):
    """The Keras model that a layer of ours crosses to."""
    made, options = [], {"return_sequences": True, "use_bias": bias}
    for _ in range(num_layers):
        if kind in ("tanh", "relu"):
            one = keras.layers.SimpleRNN(H, activation=kind, **options)
        elif kind == "LSTM":
            one = keras.layers.LSTM(H, **options)
        else:
            one = keras.layers.GRU(H, reset_after=kind == "GRU", **options)
        made.append(keras.layers.Bidirectional(one) if bidirectional else one)
    return keras.Sequential([keras.Input((None, D)), *made])


# Keras 3.15 turns tensors into arrays in the way of NumPy 1.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@each_kind
@each_direction
@each_bias
@pytest.mark.parametrize("num_layers", [1, 2])
def test_to_keras_and_back(keras, kind, num_layers, bidirectional, bias):
    layer, x = drawn(kind, num_layers, bidirectional, np.float32, bias=bias)
    model = keras_model(keras, kind, num_layers, bidirectional, bias)
    model.set_weights(to_keras_weights(layer))
    theirs = keras.ops.convert_to_numpy(model(x))
    close(theirs, results(layer, x)[0], rtol=1e-5)
    if kind == "GRU reset before" and not bias:
        return  # which GRU it was does not show in the weights then
    back = from_keras_weights(model.get_weights(), bidirectional, "relu" if kind == "relu" else "tanh", bias)
    assert type(back) is type(layer) and back.dtype == np.float32 and back.cell is layer.cell
    close(results(back, x)[0], theirs, rtol=1e-5)
    for received, ours in zip(to_keras_weights(back), to_keras_weights(layer), strict=True):
        np.testing.assert_array_equal(received, ours)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.parametrize(
    ("make", "bidirectional", "sentence"),
    [
        (
            lambda k: [k.LSTM(H, return_sequences=True)],
            True,
            "weights holds 3 arrays, expected 6 for each layer",
        ),
        (lambda k: [k.LSTM(H, use_bias=False)], False, "weights holds 2 arrays, expected 3 for each layer"),
        (
            lambda k: [k.Bidirectional(k.GRU(H))],
            False,
            "weights[3], a kernel, has shape (4, 15), expected (5, 15): is bidirectional=False right?",
        ),
        (lambda k: [k.Dense(2), k.Dense(3), k.BatchNormalization()], False, "weights holds 8 arrays"),
        (
            lambda k: [k.Conv1D(2, 1, use_bias=False), k.Dense(3)],
            False,
            "weights[1], the recurrent kernel, has",
        ),
    ],
)
def test_keras_weights_that_do_not_fit_are_named(keras, make, bidirectional, sentence):
    model = keras.Sequential([keras.Input((None, D)), *make(keras.layers)])
    with pytest.raises(ValueError, match=re.escape(sentence)):
        from_keras_weights(model.get_weights(), bidirectional)


WITH_A_BACKEND = """
import keras, numpy as np
from rnncore import interop, layers
rng, (D, H) = np.random.default_rng(3), (3, 4)
x = rng.normal(size=(2, 5, D)).astype(np.float32)
for kind, twin in ((layers.LSTM, keras.layers.LSTM), (layers.GRU, keras.layers.GRU)):
    layer = kind(D, H, bidirectional=True, rng=rng, dtype=np.float32)
    both = keras.layers.Bidirectional(twin(H, return_sequences=True))
    model = keras.Sequential([keras.Input((None, D)), both])
    model.set_weights(interop.to_keras_weights(layer))
    close = np.allclose(keras.ops.convert_to_numpy(model(x)), layer.forward(x)[0], rtol=0, atol=1e-5)
    print(keras.backend.backend(), close)
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_keras_on_another_backend_where_it_is_installed(backend, tmp_path):
    """A process has one backend, so this is one of its own."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    settings = {"KERAS_BACKEND": backend, "KERAS_HOME": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    script = [sys.executable, "-c", WITH_A_BACKEND]
    ran = subprocess.run(script, env=os.environ | settings, capture_output=True, text=True)
    assert ran.stdout.splitlines() == [f"{backend} True"] * 2, ran.stderr[-2000:]
