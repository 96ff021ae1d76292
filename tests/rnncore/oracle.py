"""torch in float64, asked for the outputs and all the gradients of a recurrent layer."""

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def close(received, expected, rtol=1e-10):
    """Assert that a nest of arrays agrees with another, each within rtol of its largest element."""
    if isinstance(expected, dict):
        assert list(received) == list(expected)
        for name in expected:
            close(received[name], expected[name], rtol)
        return
    received, expected = np.asarray(received), np.asarray(expected)
    assert received.shape == expected.shape
    np.testing.assert_allclose(received, expected, rtol=rtol, atol=rtol * max(abs(expected).max(), 1e-3))


def torch_rnn(layer, x, h0, lengths, dy, dh_n):
    """What torch.nn.RNN with the layer's parameters gives: a dict of y, h_n, dx, dh0 and grads."""
    module = torch.nn.RNN(
        layer.input_size,
        layer.hidden_size,
        layer.num_layers,
        nonlinearity=layer.nonlinearity,
        batch_first=True,
        bidirectional=layer.bidirectional,
        dtype=torch.float64,
    )
    module.load_state_dict({name: torch.tensor(array).double() for name, array in layer.params.items()})
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    h0 = torch.tensor(h0, dtype=torch.float64, requires_grad=True)
    if lengths is None:
        y, h_n = module(x, h0)
    else:
        packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        y, h_n = module(packed, h0)
        y, _ = pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
    ((y * torch.tensor(dy)).sum() + (h_n * torch.tensor(dh_n)).sum()).backward()
    return {
        "y": y.detach().numpy(),
        "h_n": h_n.detach().numpy(),
        "dx": x.grad.numpy(),
        "dh0": h0.grad.numpy(),
        "grads": {name: p.grad.numpy() for name, p in module.named_parameters()},
    }
