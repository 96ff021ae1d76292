"""A layer computes the same on either side of the crossing, and comes back as it went."""

import re

import numpy as np
import pytest
import torch

from rnncore.interop import from_torch, to_torch
from rnncore.layers import RNN
from tests.rnncore.oracle import close


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_there_and_back(num_layers, bidirectional, nonlinearity, dtype):
    rng = np.random.default_rng(0)
    layer = RNN(4, 5, num_layers, bidirectional, nonlinearity, rng=rng, dtype=dtype)
    x = rng.normal(size=(3, 7, 4)).astype(dtype)
    module = to_torch(layer)
    back = from_torch(module)
    y, h_n, _ = layer.forward(x)
    with torch.no_grad():
        their_y, their_h = module(torch.tensor(x))
    assert their_y.numpy().dtype == y.dtype == dtype
    rtol = 1e-10 if dtype == np.float64 else 1e-5
    close(y, their_y.numpy(), rtol)
    close(h_n, their_h.numpy(), rtol)
    close(back.forward(x)[0], y, rtol=1e-15)
    close(back.params, layer.params, rtol=1e-15)


def test_the_two_sides_share_no_memory():
    layer = RNN(4, 5, rng=np.random.default_rng(0))
    module = to_torch(layer)
    back = from_torch(module)
    kept = layer.params["bias_ih_l0"].copy()
    with torch.no_grad():
        module.bias_ih_l0 += 1
    np.testing.assert_array_equal(layer.params["bias_ih_l0"], kept)
    np.testing.assert_array_equal(back.params["bias_ih_l0"], kept)


def test_what_cannot_cross_is_named():
    with pytest.raises(TypeError, match=re.escape("layer is list, expected rnncore.layers.RNN")):
        to_torch([])
    with pytest.raises(TypeError, match=re.escape("expected a torch.nn.RNN with biases")):
        from_torch(torch.nn.LSTM(2, 3))
    with pytest.raises(TypeError, match=re.escape("expected a torch.nn.RNN with biases")):
        from_torch(torch.nn.RNN(2, 3, bias=False))
