"""Activation functions and their derivatives, written in terms of what a backward pass has at hand.

An activation squashes the sum inside a cell. Its derivative is taken from the *output* y, because
that is what a cell stores: tanh' = 1 - y**2 costs one multiplication and no second tanh.
"""

import numpy as np


def sigmoid(x):
    """Logistic function 1 / (1 + exp(-x)), elementwise, for x of any shape and size.

    Written with tanh, which is the same function stretched, so that no exponential can overflow.
    """
    return 0.5 * (1 + np.tanh(x / 2))


def relu(x):
    """Rectified linear unit max(0, x), elementwise (Nair and Hinton, 2010)."""
    return np.maximum(x, 0)


def activate(name, x):
    """The activation called ``name`` ("sigmoid", "tanh" or "relu") of x, elementwise."""
    if name == "sigmoid":
        return sigmoid(x)
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return relu(x)
    raise ValueError(f"name is {name!r}, expected 'sigmoid', 'tanh' or 'relu'")


def activation_grad(name, y):
    """Derivative of the activation called ``name`` at the point whose *output* is y, elementwise.

    At relu's corner (y = 0) the derivative is taken to be 0, as PyTorch does.
    """
    if name == "sigmoid":
        return y * (1 - y)
    if name == "tanh":
        return 1 - y**2
    if name == "relu":
        return (y > 0).astype(y.dtype)
    raise ValueError(f"name is {name!r}, expected 'sigmoid', 'tanh' or 'relu'")
