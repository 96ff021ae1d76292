"""What training makes small: losses, each returned together with its gradient.

A loss is called on the forward pass and hands back the gradient that the backward pass starts from,
so there is no cache and no second function. Both losses are means, so that the size of a gradient
doesn't depend on how many numbers went into it.
"""

import numpy as np


def softmax_cross_entropy(logits, targets):
    """Mean negative log probability of the targets under the softmax of the logits, and its gradient.

    logits (B, T, V) and whole numbers targets (B, T) give loss, a float, and dlogits (B, T, V). The
    mean is over all B * T predictions. Subtracting the largest logit changes no probability and keeps
    every exponential at 1 or below, so that nothing overflows.
    """
    B, T, V = logits.shape
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    picked = np.take_along_axis(log_probs, targets[..., None], axis=-1)
    loss = -float(picked.sum()) / (B * T)
    one_hot = np.arange(V) == targets[..., None]
    dlogits = (np.exp(log_probs) - one_hot) / (B * T)
    return loss, dlogits


def mean_squared_error(y, target):
    """Mean of (y - target)**2 over all elements, and its gradient; y and target have one shape."""
    if np.shape(y) != np.shape(target):
        raise ValueError(f"target has shape {np.shape(target)}, expected the shape of y, {np.shape(y)}")
    difference = y - target
    loss = float((difference**2).mean())
    dy = 2 * difference / difference.size
    return loss, dy
