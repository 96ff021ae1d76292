"""What turns gradients into learning: optimisers over dicts of parameters, and clipping.

An optimiser holds the dict it was given and changes the arrays in it, so a layer whose ``params`` it
was given learns. ``state()`` is what it remembers between steps, as arrays that change in place too.
Everything here agrees with ``torch.optim`` number for number. For a model of several layers, ``join``
makes one dict of theirs: join(rnn=rnn.params, output=output.params).
"""

import numpy as np


def join(**groups):
    """One dict of several, their keys prefixed: join(rnn={"bias": b}) is {"rnn.bias": b}."""
    return {f"{group}.{name}": array for group, named in groups.items() for name, array in named.items()}


def clip_grad_norm(grads, max_norm):
    """Scale all gradients together so that their norm is at most max_norm (Pascanu et al., 2013).

    Returns the dict of gradients and the norm that they had: the root of the sum of all squares.
    """
    norm = float(np.sqrt(sum(float(np.vdot(grad, grad)) for grad in grads.values())))
    if norm <= max_norm:
        return dict(grads), norm
    # The small constant is PyTorch's.
    return {name: grad * (max_norm / (norm + 1e-6)) for name, grad in grads.items()}, norm


class SGD:
    """Stochastic gradient descent with momentum, as torch.optim.SGD: v = momentum * v + grad; p -= lr * v."""

    def __init__(self, params, lr, momentum=0.0):
        _check_learning_rate(lr)
        self.params, self.lr, self.momentum = params, lr, momentum
        self.velocity = {name: np.zeros_like(array) for name, array in params.items()}

    def step(self, grads):
        """One step against grads, a dict with the parameters' keys and shapes."""
        _check_grads(self.params, grads)
        for name, param in self.params.items():
            velocity = self.velocity[name]
            velocity *= self.momentum
            velocity += grads[name]
            param -= self.lr * velocity

    def state(self):
        """The velocity of every parameter: what a checkpoint keeps."""
        return join(velocity=self.velocity)


class Adam:
    """Adam (Kingma and Ba, 2015), as torch.optim.Adam: each step scaled by how much each gradient varies."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        _check_learning_rate(lr)
        self.params, self.lr, self.betas, self.eps = params, lr, betas, eps
        self.mean = {name: np.zeros_like(array) for name, array in params.items()}
        self.square = {name: np.zeros_like(array) for name, array in params.items()}
        self.steps = np.zeros((), dtype=np.int64)

    def step(self, grads):
        """One step against grads, a dict with the parameters' keys and shapes."""
        _check_grads(self.params, grads)
        self.steps += 1
        beta1, beta2 = self.betas
        # Both averages start at zero; dividing by these takes that start out of them.
        correction1 = 1 - beta1 ** int(self.steps)
        correction2 = 1 - beta2 ** int(self.steps)
        for name, param in self.params.items():
            grad, mean, square = grads[name], self.mean[name], self.square[name]
            mean += (1 - beta1) * (grad - mean)
            square += (1 - beta2) * (grad * grad - square)
            param -= (self.lr / correction1) * mean / (np.sqrt(square / correction2) + self.eps)

    def state(self):
        """Both averages of every parameter and the count of steps: what a checkpoint keeps."""
        return join(mean=self.mean, square=self.square) | {"steps": self.steps}


def _check_learning_rate(lr):
    if not lr > 0:
        raise ValueError(f"lr is {lr}, expected a positive learning rate such as 0.01")


def _check_grads(params, grads):
    for name, param in params.items():
        if name not in grads:
            raise ValueError(f"grads has no {name!r}; expected one gradient for each of {sorted(params)}")
        if np.shape(grads[name]) != param.shape:
            shape = np.shape(grads[name])
            raise ValueError(f"grads[{name!r}] has shape {shape}, expected the parameter's, {param.shape}")
