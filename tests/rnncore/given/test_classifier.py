"""The classifier of lesson 01: torch gives its loss and gradients, and order is what it can learn."""

import numpy as np
import torch

from rnncore.data.idioms import WORDS, idiom_pairs
from rnncore.given.classifier import Classifier
from rnncore.topics.sequences import one_hot, pad_sequences


def test_loss_and_gradients_are_torchs():
    B, T, D, H, C = 5, 7, 3, 4, 2
    rng = np.random.default_rng(1)
    model = Classifier(D, H, C, rng=rng, dtype=np.float64)
    x, labels, lengths = rng.normal(size=(B, T, D)), rng.integers(0, C, B), np.array([7, 2, 5, 1, 6])
    loss, grads = model.loss(x, labels, lengths)

    network = torch.nn.RNN(D, H, batch_first=True, dtype=torch.float64)
    output = torch.nn.Linear(H, C, dtype=torch.float64)
    theirs = {f"network.{name}": p for name, p in network.named_parameters()}
    theirs |= {f"output.{name}": p for name, p in output.named_parameters()}
    assert set(theirs) == set(model.params)
    with torch.no_grad():
        for name, parameter in theirs.items():
            parameter.copy_(torch.from_numpy(model.params[name]))
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.from_numpy(x), torch.from_numpy(lengths), batch_first=True, enforce_sorted=False
    )
    logits = output(network(packed)[1][0])
    expected = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))
    expected.backward()
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-10)
    for name, parameter in theirs.items():
        np.testing.assert_allclose(grads[name], parameter.grad.numpy(), rtol=1e-10, atol=1e-14, err_msg=name)
    np.testing.assert_array_equal(model.predict(x, lengths), logits.argmax(dim=1).numpy())


def test_without_lengths_every_step_counts():
    rng = np.random.default_rng(2)
    model = Classifier(3, 4, 2, rng=rng)
    x, labels = rng.normal(size=(5, 6, 3)), rng.integers(0, 2, 5)
    full = np.full(5, 6)
    assert model.loss(x, labels)[0] == model.loss(x, labels, full)[0]
    np.testing.assert_array_equal(model.predict(x), model.predict(x, full))


def test_words_in_order_are_told_apart_and_counts_are_not():
    sentences, labels = idiom_pairs(300, np.random.default_rng(7))
    padded, lengths = pad_sequences([[WORDS.index(word) for word in sentence] for sentence in sentences])
    x, labels = one_hot(padded, len(WORDS)).astype(np.float32), np.array(labels)
    counts, ones = x.sum(axis=1, keepdims=True), np.ones_like(lengths)
    accuracy = {}
    for name, (inputs, steps) in {"in order": (x, lengths), "counted": (counts, ones)}.items():
        model = Classifier(len(WORDS), 24, 2, rng=np.random.default_rng(8))
        model.fit(inputs[:400], labels[:400], steps[:400])
        accuracy[name] = (model.predict(inputs[400:], steps[400:]) == labels[400:]).mean()
    assert accuracy["counted"] == 0.5
    assert accuracy["in order"] > 0.8


def test_the_last_batch_may_be_smaller():
    rng = np.random.default_rng(9)
    model = Classifier(2, 3, 2, rng=rng)
    before = {name: value.copy() for name, value in model.params.items()}
    assert model.fit(rng.normal(size=(7, 4, 2)), rng.integers(0, 2, 7), epochs=1, batch_size=3) is model
    assert any((model.params[name] != before[name]).any() for name in before)
