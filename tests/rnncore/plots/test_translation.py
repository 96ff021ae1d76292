"""The figures of lesson 10 hold what they are given."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnncore import plots


@pytest.fixture(autouse=True)
def closed():
    plt.close("all")
    yield
    plt.close("all")


def test_the_map_shows_every_weight_and_marks_the_most_of_each_row():
    weights = np.random.default_rng(0).dirichlet(np.ones(3), size=5)
    assert plots.attention_map(weights, ["a ", "b ", "c"], "vwxyz") is None
    axes = plt.gcf().axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), weights)
    marked = [(int(line.get_ydata()[0]), int(line.get_xdata()[0])) for line in axes.lines]
    assert marked == list(enumerate(weights.argmax(axis=1)))
    assert [label.get_text() for label in axes.get_yticklabels()] == list("vwxyz")


def test_the_two_networks_read_and_write_every_letter_and_one_looks_back():
    assert plots.translator_graph("six", "sechs") is None
    left, right = plt.gcf().axes
    for axes in (left, right):
        letters = [text.get_text() for text in axes.texts]
        assert [letter for letter in letters if len(letter) == 1] == list("sixsechs")
    assert (len(left.lines), len(right.lines)) == (0, 3)
