"""To PyTorch and back. Names and shapes of parameters are PyTorch's own, so it is one line each way."""

import numpy as np

from rnncore.layers import RNN


def to_torch(layer):
    """The torch.nn.RNN (batch_first) that computes what ``layer``, an RNN of ours, computes."""
    import torch  # on use: rnncore works without it

    if not isinstance(layer, RNN):
        raise TypeError(f"layer is {type(layer).__name__}, expected rnncore.layers.RNN")
    module = torch.nn.RNN(
        layer.input_size,
        layer.hidden_size,
        layer.num_layers,
        nonlinearity=layer.nonlinearity,
        batch_first=True,
        bidirectional=layer.bidirectional,
        dtype=torch.float32 if layer.dtype == np.float32 else torch.float64,
    )
    module.load_state_dict({name: torch.tensor(array) for name, array in layer.params.items()})
    return module


def from_torch(module):
    """The rnncore.layers.RNN that computes what ``module``, a torch.nn.RNN, computes (batch first)."""
    if type(module).__name__ != "RNN" or not module.bias:
        raise TypeError(f"module is {module}, expected a torch.nn.RNN with biases")
    arrays = {name: tensor.detach().cpu().numpy().copy() for name, tensor in module.named_parameters()}
    layer = RNN(
        module.input_size,
        module.hidden_size,
        module.num_layers,
        module.bidirectional,
        module.nonlinearity,
        rng=np.random.default_rng(0),  # the start it draws is replaced by the module's parameters
        dtype=arrays["weight_ih_l0"].dtype,
    )
    layer.params = {name: arrays[name] for name in layer.params}
    return layer
