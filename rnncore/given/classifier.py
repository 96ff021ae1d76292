"""A network that reads a whole sequence and then names its class: a recurrent layer, then a linear one.

Lesson 01 uses it as a black box, before the reader has built any of its parts. Given sequences of a
single step it is an ordinary feed-forward network with one hidden layer, so that the same few lines
train both and nothing but the input differs.
"""

import numpy as np

from rnncore.layers import RNN, Linear
from rnncore.losses import softmax_cross_entropy
from rnncore.optim import Adam, join
from rnncore.train import train


class Classifier:
    """An RNN of D inputs and H units, and a linear layer from its last state to the scores of the classes."""

    def __init__(self, input_size, hidden_size, classes, *, rng, dtype=np.float32):
        self.network = RNN(input_size, hidden_size, rng=rng, dtype=dtype)
        self.output = Linear(hidden_size, classes, rng=rng, dtype=dtype)
        self.params = join(network=self.network.params, output=self.output.params)
        self.rng = rng

    def loss(self, x, labels, lengths=None):
        """Mean surprise at the labels: x (B, T, D), labels (B,), lengths (B,) give loss and gradients."""
        y, h_n, cache = self.network.forward(x, lengths=lengths)
        logits, kept = self.output.forward(h_n.swapaxes(0, 1))
        loss, dlogits = softmax_cross_entropy(logits, labels[:, np.newaxis])
        dh_n, output_grads = self.output.backward(dlogits, kept)
        _, _, network_grads = self.network.backward(np.zeros_like(y), cache, dh_n.swapaxes(0, 1))
        return loss, join(network=network_grads, output=output_grads)

    def fit(self, x, labels, lengths=None, *, epochs=30, batch_size=40, lr=0.005):
        """Learn the labels (B,) of the sequences x (B, T, D), by Adam on shuffled batches; returns itself."""
        lengths = np.full(len(x), x.shape[1]) if lengths is None else lengths

        def step(rows):
            return self.loss(x[rows], labels[rows], lengths[rows])

        def batches():
            return np.array_split(self.rng.permutation(len(x)), -(-len(x) // batch_size))

        train(step, batches, Adam(self.params, lr=lr), epochs=epochs, max_norm=1, progress=False)
        return self

    def predict(self, x, lengths=None):
        """The class of each sequence: x (B, T, D) and lengths (B,) give (B,) whole numbers."""
        _, h_n, _ = self.network.forward(x, lengths=lengths)
        logits, _ = self.output.forward(h_n.swapaxes(0, 1))
        return logits[:, 0].argmax(axis=-1)
