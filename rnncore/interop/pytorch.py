"""To PyTorch and back. Names and shapes of parameters are PyTorch's own, so it is one line each way."""

import numpy as np

from rnncore.interop.arrange import NAMES, kind_of, new_layer, resets_before
from rnncore.layers import MinGRU


def to_torch(layer):
    """The torch.nn.RNN, GRU or LSTM (batch_first) that computes what ``layer``, one of ours, computes.

    PyTorch has no minGRU: a MinGRU becomes ``rnncore.interop.min_gru.MinGRU``, a module with torch's manners.
    """
    import torch  # on use: rnncore works without it

    if isinstance(layer, MinGRU):
        if layer.cell is not None:
            raise TypeError(
                "layer is a MinGRU with a cell of your own, which cannot be read: leave the cell out"
            )
        from rnncore.interop.min_gru import to_module

        return to_module(layer)
    kind = kind_of(layer)
    if resets_before(layer):
        raise TypeError("layer is a GRU with gru_cell_reset_before, which PyTorch does not have")
    module = getattr(torch.nn, kind)(
        layer.input_size,
        layer.hidden_size,
        layer.num_layers,
        bias=layer.bias,
        dropout=layer.dropout if layer.num_layers > 1 else 0,  # torch warns where it has no effect
        batch_first=True,
        bidirectional=layer.bidirectional,
        dtype=torch.float32 if layer.dtype == np.float32 else torch.float64,
        **({"nonlinearity": layer.nonlinearity} if kind == "RNN" else {}),
    )
    module.load_state_dict({name: torch.tensor(array) for name, array in layer.params.items()})
    return module


def from_torch(module):
    """The layer of rnncore that computes what ``module``, a torch.nn.RNN, GRU or LSTM, computes.

    A module that ``to_torch`` made of a MinGRU comes back as one, too.
    Ours is batch first whatever the module is. An LSTM with a projection (``proj_size``) has no
    counterpart here.
    """
    import torch

    from rnncore.interop import min_gru

    if isinstance(module, min_gru.MinGRU):
        return min_gru.to_layer(module, np.random.default_rng(0))
    if not isinstance(module, torch.nn.RNNBase) or module.proj_size:
        raise TypeError(f"module is {module}, expected a torch.nn.RNN, GRU or LSTM without proj_size")
    kind, *nonlinearity = module.mode.split("_")  # RNN_TANH, RNN_RELU, GRU or LSTM
    groups = [[tensor.detach().cpu().numpy() for tensor in group] for group in module.all_weights]
    return new_layer(
        kind,
        [dict(zip(NAMES, group, strict=False)) for group in groups],
        bidirectional=module.bidirectional,
        dropout=module.dropout,
        **({"nonlinearity": nonlinearity[0].lower()} if nonlinearity else {}),
    )
