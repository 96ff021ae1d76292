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
    if isinstance(expected, tuple):
        assert len(received) == len(expected)
        for one, other in zip(received, expected, strict=True):
            close(one, other, rtol)
        return
    received, expected = np.asarray(received), np.asarray(expected)
    assert received.shape == expected.shape
    np.testing.assert_allclose(received, expected, rtol=rtol, atol=rtol * max(abs(expected).max(), 1e-3))


def mapped(change, state):
    """change(array) for a state that is one array, or for each array of one that is a pair."""
    return tuple(map(change, state)) if isinstance(state, tuple) else change(state)


def torch_layer(layer, x, h0, lengths, dy, dh_n):
    """What torch's layer of the same name and parameters gives: a dict of y, h_n, dx, dh0 and grads.

    For an LSTM, h0, dh_n, h_n and dh0 are pairs.
    """
    kind = type(layer).__name__
    options = {"nonlinearity": layer.nonlinearity} if kind == "RNN" else {}
    module = getattr(torch.nn, kind)(
        layer.input_size,
        layer.hidden_size,
        layer.num_layers,
        bias=layer.bias,
        batch_first=True,
        bidirectional=layer.bidirectional,
        dtype=torch.float64,
        **options,
    )
    module.load_state_dict({name: torch.tensor(array).double() for name, array in layer.params.items()})
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    h0 = mapped(lambda array: torch.tensor(array, dtype=torch.float64, requires_grad=True), h0)
    if lengths is None:
        y, h_n = module(x, h0)
    else:
        packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        y, h_n = module(packed, h0)
        y, _ = pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
    pairs = zip(h_n, dh_n, strict=True) if isinstance(h_n, tuple) else [(h_n, dh_n)]
    ((y * torch.tensor(dy)).sum() + sum((h * torch.tensor(dh)).sum() for h, dh in pairs)).backward()
    return {
        "y": y.detach().numpy(),
        "h_n": mapped(lambda h: h.detach().numpy(), h_n),
        "dx": x.grad.numpy(),
        "dh0": mapped(lambda h: h.grad.numpy(), h0),
        "grads": {name: p.grad.numpy() for name, p in module.named_parameters()},
    }
