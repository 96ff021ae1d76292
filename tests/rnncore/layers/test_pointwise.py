"""The layers that treat every time step alike agree with torch in float64."""

import re

import numpy as np
import pytest
import torch

from rnncore.layers import Embedding, Linear
from tests.rnncore.oracle import close


@pytest.mark.parametrize("shape", [(4,), (4, 7), ()])
def test_linear_equals_torch(shape):
    rng = np.random.default_rng(0)
    layer = Linear(3, 5, rng=rng)
    x, dy = rng.normal(size=(*shape, 3)), rng.normal(size=(*shape, 5))
    module = torch.nn.Linear(3, 5, dtype=torch.float64)
    module.load_state_dict({name: torch.tensor(array) for name, array in layer.params.items()})
    tensor = torch.tensor(x, requires_grad=True)
    expected = module(tensor)
    (expected * torch.tensor(dy)).sum().backward()
    y, cache = layer.forward(x)
    dx, grads = layer.backward(dy, cache)
    close(y, expected.detach().numpy())
    close(dx, tensor.grad.numpy())
    close(grads, {name: p.grad.numpy() for name, p in module.named_parameters()})


def test_embedding_equals_torch_where_ids_repeat():
    rng = np.random.default_rng(0)
    layer = Embedding(6, 3, rng=rng)
    ids, dy = rng.integers(0, 5, size=(4, 7)), rng.normal(size=(4, 7, 3))
    module = torch.nn.Embedding(6, 3, dtype=torch.float64)
    module.load_state_dict({"weight": torch.tensor(layer.params["weight"])})
    expected = module(torch.tensor(ids))
    (expected * torch.tensor(dy)).sum().backward()
    y, cache = layer.forward(ids)
    close(y, expected.detach().numpy())
    close(layer.backward(dy, cache), {"weight": module.weight.grad.numpy()})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_linear_and_embedding_keep_their_dtype(dtype):
    rng = np.random.default_rng(0)
    linear, embedding = Linear(3, 5, rng=rng, dtype=dtype), Embedding(6, 3, rng=rng, dtype=dtype)
    x, cache = embedding.forward(rng.integers(0, 6, size=(4, 7)))
    y, cache_linear = linear.forward(x)
    dx, grads = linear.backward(np.ones((4, 7, 5)), cache_linear)
    arrays = [x, y, dx, *grads.values(), *embedding.backward(dx, cache).values()]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda lin, emb: lin.forward(np.zeros((4, 2))), "x has shape (4, 2), expected (..., D) with D = 3"),
        (
            lambda lin, emb: lin.backward(np.zeros((4, 2)), lin.forward(np.zeros((4, 3)))[1]),
            "dy has shape (4, 2), expected the shape of y, (4, 5)",
        ),
        (lambda lin, emb: emb.forward([[1, 2], [3, 6]]), "ids[1, 1] = 6 is outside 0 .. V - 1 = 5"),
        (lambda lin, emb: emb.forward([-1]), "ids[0] = -1 is outside 0 .. V - 1 = 5"),
        (lambda lin, emb: emb.forward([1.0]), "ids has dtype float64, expected whole numbers"),
        (
            lambda lin, emb: emb.backward(np.zeros((4, 2)), emb.forward([1, 2])[1]),
            "dy has shape (4, 2), expected the shape of y, (2, 3)",
        ),
    ],
)
def test_linear_and_embedding_say_what_is_wrong(call, sentence):
    rng = np.random.default_rng(0)
    with pytest.raises((ValueError, TypeError), match=re.escape(sentence)):
        call(Linear(3, 5, rng=rng), Embedding(6, 3, rng=rng))
