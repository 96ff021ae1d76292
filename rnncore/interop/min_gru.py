"""The minGRU as a torch module: PyTorch has no layer that computes it, so it is written here in torch.

torch loads with this module, so ``pytorch`` imports it where it is used.
"""

import torch

from rnncore.layers import MinGRU as Layer


class MinGRU(torch.nn.Module):
    """What ``rnncore.layers.MinGRU`` computes, batch first, under the same names; autograd goes back.

    x (B, T, D) and h0 (L * directions, B, H) or None for zeros give y (B, T, directions * H) and h_n,
    as from torch.nn.GRU(batch_first=True). Packed sequences are not taken.
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        *,
        bias=True,
        dropout=0.0,
        bidirectional=False,
        dtype=None,
    ):
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.dropout, self.bidirectional = bias, dropout, bidirectional
        self.suffixes = [
            [f"_l{number}", f"_l{number}_reverse"][: 1 + bidirectional] for number in range(num_layers)
        ]
        for number, level in enumerate(self.suffixes):
            inputs = input_size if number == 0 else len(level) * hidden_size
            for suffix in level:
                shapes = {"weight_ih": (2 * hidden_size, inputs), "bias_ih": (2 * hidden_size,)}
                for name, shape in list(shapes.items())[: 1 + bias]:
                    start = (2 * torch.rand(shape, dtype=dtype) - 1) / hidden_size**0.5
                    self.register_parameter(name + suffix, torch.nn.Parameter(start))

    def forward(self, x, h0=None):
        if h0 is None:
            h0 = x.new_zeros(sum(map(len, self.suffixes)), len(x), self.hidden_size)
        y, last, index = x, [], 0
        for level in self.suffixes:
            outputs = []
            for suffix in level:
                steps = y.flip(1) if suffix.endswith("_reverse") else y
                bias = getattr(self, "bias_ih" + suffix, None)
                sums = torch.nn.functional.linear(steps, getattr(self, "weight_ih" + suffix), bias)
                x_z, n = sums.chunk(2, dim=2)
                z = torch.sigmoid(x_z)
                h = scan(z, (1 - z) * n, h0[index])
                last.append(h[:, -1])
                outputs.append(h.flip(1) if suffix.endswith("_reverse") else h)
                index += 1
            y = torch.cat(outputs, dim=2)
            if level is not self.suffixes[-1]:
                y = torch.nn.functional.dropout(y, self.dropout, self.training)
        return y, torch.stack(last)


def scan(a, b, h0):
    """As rnncore.topics.scan.scan, out of place, because autograd needs what was there."""
    b = torch.cat([(b[:, 0] + a[:, 0] * h0)[:, None], b[:, 1:]], dim=1)
    shift = 1
    while shift < a.shape[1]:
        joined = a[:, shift:] * b[:, :-shift] + b[:, shift:]
        a = torch.cat([a[:, :shift], a[:, shift:] * a[:, :-shift]], dim=1)
        b = torch.cat([b[:, :shift], joined], dim=1)
        shift *= 2
    return b


def to_module(layer):
    """The torch module that computes what a layer, our MinGRU, computes."""
    dtype = torch.float32 if layer.dtype == "float32" else torch.float64
    module = MinGRU(
        layer.input_size,
        layer.hidden_size,
        layer.num_layers,
        bias=layer.bias,
        dropout=layer.dropout,
        bidirectional=layer.bidirectional,
        dtype=dtype,
    )
    module.load_state_dict({name: torch.tensor(array) for name, array in layer.params.items()})
    return module


def to_layer(module, rng):
    """The layer that computes what a module of the class above computes; rng draws a start, then replaced."""
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in module.named_parameters()}
    layer = Layer(
        module.input_size,
        module.hidden_size,
        module.num_layers,
        module.bidirectional,
        rng=rng,
        dtype=arrays["weight_ih_l0"].dtype,
        bias=module.bias,
        dropout=module.dropout,
    )
    for name, array in arrays.items():
        layer.params[name][...] = array
    return layer
