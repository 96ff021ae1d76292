"""Layers that treat every time step alike: a linear map, and a table of vectors to look up.

Both start as PyTorch's do, and take any shape in front of the features: (B, T, D), (B, D), ...
"""

import numpy as np


class Linear:
    """y = x W^T + b over the last axis: x (..., D) gives y (..., O), with weight (O, D) and bias (O,)."""

    def __init__(self, input_size, output_size, *, rng, dtype=np.float64):
        bound = 1 / np.sqrt(input_size)
        self.params = {
            "weight": rng.uniform(-bound, bound, size=(output_size, input_size)).astype(dtype),
            "bias": rng.uniform(-bound, bound, size=output_size).astype(dtype),
        }

    def forward(self, x):
        """x (..., D) gives y (..., O) and the cache for backward."""
        weight = self.params["weight"]
        if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
            raise ValueError(f"x has shape {x.shape}, expected (..., D) with D = {weight.shape[1]}")
        x = x.astype(weight.dtype, copy=False)
        cache = (x, weight)
        return x @ weight.T + self.params["bias"], cache

    def backward(self, dy, cache):
        """dy (..., O), the loss's gradient at y, gives dx (..., D) and the gradients of the parameters."""
        x, weight = cache
        expected = (*x.shape[:-1], weight.shape[0])
        if dy.shape != expected:
            raise ValueError(f"dy has shape {dy.shape}, expected the shape of y, {expected}")
        dy = dy.astype(weight.dtype, copy=False)
        rows = dy.reshape(-1, weight.shape[0])
        grads = {"weight": rows.T @ x.reshape(-1, weight.shape[1]), "bias": rows.sum(axis=0)}
        return dy @ weight, grads


class Embedding:
    """A table of V vectors: whole numbers ids (...) give y (..., D), the rows that they name."""

    def __init__(self, vocabulary_size, size, *, rng, dtype=np.float64):
        self.params = {"weight": rng.normal(size=(vocabulary_size, size)).astype(dtype)}

    def forward(self, ids):
        """ids (...), each in 0 .. V - 1, give y (..., D) and the cache for backward."""
        weight = self.params["weight"]
        ids = np.asarray(ids)
        if not np.issubdtype(ids.dtype, np.integer):
            raise TypeError(f"ids has dtype {ids.dtype}, expected whole numbers")
        outside = (ids < 0) | (ids >= len(weight))
        if outside.any():
            first = tuple(int(i) for i in np.argwhere(outside)[0])
            where = "".join(f"[{', '.join(map(str, first))}]" if first else "")
            raise ValueError(f"ids{where} = {ids[first]} is outside 0 .. V - 1 = {len(weight) - 1}")
        cache = (ids, weight)
        return weight[ids], cache

    def backward(self, dy, cache):
        """dy (..., D) gives the table's gradient: a row used many times collects the sum of its uses."""
        ids, weight = cache
        if dy.shape != (*ids.shape, weight.shape[1]):
            expected = (*ids.shape, weight.shape[1])
            raise ValueError(f"dy has shape {dy.shape}, expected the shape of y, {expected}")
        grad = np.zeros_like(weight)
        np.add.at(grad, ids.ravel(), dy.reshape(-1, weight.shape[1]).astype(weight.dtype, copy=False))
        return {"weight": grad}
