"""A layer as an ONNX file, which onnxruntime and other runtimes execute without Python or NumPy.

The operators RNN, GRU and LSTM of ONNX hold one layer in one or two directions, so a layer of ours
becomes a chain of them. They want time first and put the directions on an axis of their own;
transposes inside the graph keep our (B, T, D) at its doors.
"""

import numpy as np

from rnncore.interop.arrange import kind_of, reorder, resets_before, runs

# Gate blocks in ONNX's order: z, r, h for the GRU, and i, o, f, c for the LSTM.
ORDERS = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 3, 1, 2)}
# An operator set and a file format that runtimes since 2022 read.
OPSET, IR_VERSION = 17, 8


def to_onnx(layer, path=None, *, dtype=np.float32, states=False, lengths=False):
    """The onnx.ModelProto that computes ``layer.forward``; also written to ``path`` if it is given.

    Input x (B, T, D) gives y (B, T, directions * H) and h_n (L * directions, B, H), and an LSTM's c_n.
    The first states are zeros; with ``states=True`` the graph has inputs h0, and c0 for an LSTM. With
    ``lengths=True`` it has an input lengths (B,) of int32, for padded batches.

    Two limits are not ours: onnxruntime 1.32 has these operators in float32 alone, hence the ``dtype``;
    and onnx's own ReferenceEvaluator 1.23 pays no heed to lengths and knows no relu here.
    """
    try:
        import onnx  # on use: rnncore works without it
        from onnx import helper, numpy_helper
    except ImportError:
        raise ImportError("onnx is not installed; install it with: python -m pip install onnx") from None

    kind, dtype = kind_of(layer), np.dtype(dtype)
    nodes, arrays = [], {}

    def node(operator, inputs, outputs, **attributes):
        nodes.append(helper.make_node(operator, inputs, outputs, name=outputs[0], **attributes))
        return outputs

    letters = "hc" if kind == "LSTM" else "h"
    starts = {letter: [""] * layer.num_layers for letter in letters}
    if states:
        arrays["per_layer"] = np.full(layer.num_layers, layer.directions)
        for letter in letters:
            pieces = [f"{letter}0_l{number}" for number in range(layer.num_layers)]
            starts[letter] = node("Split", [f"{letter}0", "per_layer"], pieces, axis=0)
    arrays["join_directions"] = np.array([0, 0, -1])  # keeps T and B, and joins the last two axes
    steps = node("Transpose", ["x"], ["steps"], perm=[1, 0, 2])[0]
    parameters = [{name: p[name].astype(dtype) for name in p} for p in runs(layer)]
    for number in range(layer.num_layers):
        first = number * layer.directions
        names = _add_parameters(arrays, number, parameters[first : first + layer.directions], ORDERS[kind])
        names += ["lengths" if lengths else "", *(starts[letter][number] for letter in letters)]
        ends = [f"{letter}_n_l{number}" for letter in letters]
        raw = f"y_l{number}"
        node(kind, [steps, *names], [raw, *ends], **_attributes(layer, kind))
        # (T, directions, B, H) to (T, B, directions * H)
        node("Transpose", [raw], [f"{raw}_batch"], perm=[0, 2, 1, 3])
        steps = node("Reshape", [f"{raw}_batch", "join_directions"], [f"{raw}_steps"])[0]
    node("Transpose", [steps], ["y"], perm=[1, 0, 2])
    for letter in letters:
        pieces = [f"{letter}_n_l{number}" for number in range(layer.num_layers)]
        node("Concat", pieces, [f"{letter}_n"], axis=0)

    real = helper.np_dtype_to_tensor_dtype(dtype)
    state = (layer.num_layers * layer.directions, "B", layer.hidden_size)
    inputs = [("x", real, ("B", "T", layer.input_size))]
    inputs += [(f"{letter}0", real, state) for letter in letters if states]
    inputs += [("lengths", onnx.TensorProto.INT32, ("B",))] if lengths else []
    outputs = [("y", real, ("B", "T", layer.directions * layer.hidden_size))]
    outputs += [(f"{letter}_n", real, state) for letter in letters]
    graph = helper.make_graph(
        nodes,
        kind,
        [helper.make_tensor_value_info(*one) for one in inputs],
        [helper.make_tensor_value_info(*one) for one in outputs],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="rnncore",
    )
    if path is not None:
        onnx.save(model, path)
    return model


def _add_parameters(arrays, number, parameters, order):
    """Put one layer's W, R and B, stacked over directions, among the graph's arrays; their names."""
    for letter, names in (("W", ["weight_ih"]), ("R", ["weight_hh"]), ("B", ["bias_ih", "bias_hh"])):
        stacked = [np.concatenate([reorder(p[name], order) for name in names]) for p in parameters]
        arrays[f"{letter}_l{number}"] = np.stack(stacked)
    return [f"{letter}_l{number}" for letter in "WRB"]


def _attributes(layer, kind):
    attributes = {"hidden_size": layer.hidden_size}
    attributes["direction"] = "bidirectional" if layer.bidirectional else "forward"
    if kind == "RNN":
        attributes["activations"] = [layer.nonlinearity.capitalize()] * layer.directions
    if kind == "GRU":
        # Linear before reset: the reset gate acts after the matrix product.
        attributes["linear_before_reset"] = 0 if resets_before(layer) else 1
    return attributes
