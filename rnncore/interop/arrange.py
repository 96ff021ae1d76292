"""What the crossings share: which layer it is, its parameters run by run, and the order of its gates.

A run is one direction of one layer. Libraries agree on the gates themselves and stack their blocks of
rows in different orders, so an order is a tuple: block k over there is block order[k] over here. A cell
of your own is taken to compute what its layer does; the one exception is ``gru_cell_reset_before``.
"""

import numpy as np

from rnncore import layers
from rnncore.cells.gru import gru_cell_reset_before

NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def kind_of(layer):
    """Which of RNN, GRU and LSTM the layer is, by name."""
    for kind in GATES:
        if isinstance(layer, getattr(layers, kind)):
            return kind
    raise TypeError(f"layer is {type(layer).__name__}, expected an RNN, GRU or LSTM of rnncore.layers")


def resets_before(layer):
    """Whether the layer is driven by the other GRU, whose reset gate acts before the matrix product."""
    return layer.cell is gru_cell_reset_before


def runs(layer):
    """The parameters of every run, forward before backward and lower layers first, as in h0's rows.

    Where the layer has no biases these are zeros.
    """
    none = np.zeros(GATES[kind_of(layer)] * layer.hidden_size, dtype=layer.dtype)
    for number in range(layer.num_layers):
        for suffix in (f"_l{number}", f"_l{number}_reverse")[: layer.directions]:
            yield {name: layer.params.get(name + suffix, none) for name in NAMES}


def new_layer(kind, params, *, bidirectional, **options):
    """A layer of that kind which holds params, a list with a dict for every run."""
    weight_ih, weight_hh = params[0]["weight_ih"], params[0]["weight_hh"]
    directions = 2 if bidirectional else 1
    layer = getattr(layers, kind)(
        weight_ih.shape[1],
        weight_hh.shape[1],
        len(params) // directions,
        bidirectional=bidirectional,
        bias="bias_ih" in params[0],
        rng=np.random.default_rng(0),  # the start it draws is replaced below
        dtype=weight_ih.dtype,
        **options,
    )
    for mine, given in zip(runs(layer), params, strict=True):
        for name, array in given.items():
            mine[name][...] = array
    return layer


def reorder(rows, order):
    """Stack the blocks of rows in another order: block k of the result is block order[k] of rows."""
    blocks = np.split(rows, len(order))
    return np.concatenate([blocks[k] for k in order])
