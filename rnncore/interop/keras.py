"""To Keras 3 and back, as the list of weights that a Keras model gets and sets.

Keras arranges the same numbers differently: matrices are transposed, a layer has one bias where
PyTorch has two to be added up (only the GRU has both, as its reset gate acts on one of them), and
the GRU's gates come in the order z, r, h. One run is kernel (D, G*H), recurrent kernel (H, G*H), bias.
"""

import numpy as np

from rnncore.cells.gru import gru_cell_reset_before, gru_cell_reset_before_backward
from rnncore.interop.arrange import GATES, kind_of, new_layer, reorder, resets_before, runs

# Block k of a Keras array is this block of ours; each order also leads back again.
ORDERS = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 1, 2, 3)}


def to_keras_weights(layer):
    """The arrays of ``layer`` as ``set_weights`` of a Keras model takes them.

    The model is a SimpleRNN, a GRU (with reset_after=True, as Keras starts them, unless the layer's cell
    is gru_cell_reset_before) or an LSTM, within Bidirectional for two directions, or a Sequential of as
    many as ``layer`` has layers:

        keras.Sequential([keras.Input((None, D)), keras.layers.LSTM(H, return_sequences=True)])
    """
    kind = kind_of(layer)
    two_biases = kind == "GRU" and not resets_before(layer)
    weights = []
    for p in runs(layer):
        p = {name: reorder(array, ORDERS[kind]) for name, array in p.items()}
        weights += [np.ascontiguousarray(p[name].T) for name in ("weight_ih", "weight_hh")]
        if layer.bias:
            both = p["bias_ih"], p["bias_hh"]
            weights.append(np.stack(both) if two_biases else sum(both))
    return weights


def from_keras_weights(weights, bidirectional=False, nonlinearity="tanh", bias=True):
    """The layer of rnncore with ``weights``, what ``get_weights`` of such a Keras model returned.

    Whether it is an RNN, GRU or LSTM shows in the shapes, and which GRU; whether it reads in two
    directions does not always, so say it; say ``bias=False`` for use_bias=False (a GRU is then taken
    to reset after). A single bias becomes bias_ih, with zeros for bias_hh.
    """
    weights = [np.asarray(array) for array in weights]
    per_run = 3 if bias else 2
    per_layer = per_run * (2 if bidirectional else 1)
    if not weights or len(weights) % per_layer:
        raise ValueError(
            f"weights holds {len(weights)} arrays, expected {per_layer} for each layer "
            f"with bidirectional={bidirectional} and bias={bias}: "
            f"kernel, recurrent kernel{' and bias' if bias else ''} of every direction"
        )
    H, columns = (weights[1].shape * 2)[:2]
    kind = {count * H: kind for kind, count in GATES.items()}.get(columns)
    if kind is None or weights[1].ndim != 2:
        raise ValueError(
            f"weights[1], the recurrent kernel, has shape {weights[1].shape}, "
            "expected (H, H), (H, 3H) or (H, 4H), of a SimpleRNN, GRU or LSTM"
        )
    one_bias = bias and weights[2].ndim == 1
    two_biases = kind == "GRU" and not one_bias
    params = []
    for first in range(0, len(weights), per_run):
        inputs = len(weights[0]) if first < per_layer else per_layer // per_run * H
        shapes = [(inputs, columns), (H, columns), (2, columns) if two_biases else (columns,)][:per_run]
        for number, shape in enumerate(shapes, start=first):
            if weights[number].shape != shape:
                name = ("kernel", "recurrent kernel", "bias")[number - first]
                raise ValueError(
                    f"weights[{number}], a {name}, has shape {weights[number].shape}, expected {shape}: "
                    f"is bidirectional={bidirectional} right?"
                )
        run = {"weight_ih": weights[first].T, "weight_hh": weights[first + 1].T}
        if bias:
            given = weights[first + 2]
            run["bias_ih"], run["bias_hh"] = given if two_biases else (given, np.zeros_like(given))
        params.append({name: reorder(array, ORDERS[kind]) for name, array in run.items()})
    options = {"nonlinearity": nonlinearity} if kind == "RNN" else {}
    if kind == "GRU" and one_bias:
        options = {"cell": gru_cell_reset_before, "cell_backward": gru_cell_reset_before_backward}
    return new_layer(kind, params, bidirectional=bidirectional, **options)
