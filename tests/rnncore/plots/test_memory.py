"""The figures of lesson 15 hold what they are given."""

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


def test_one_memory_grows_and_the_other_does_not():
    assert plots.memories_graph(steps=3, rows=2) is None
    above, below = plt.gcf().axes
    names = [text.get_text() for text in above.texts if text.get_text().startswith("$")]
    assert sorted(names) == sorted(
        f"${letter}_{pair}$" for t in (1, 2, 3) for pair in range(1, t + 1) for letter in "kv"
    )
    squares = [patch for patch in below.patches if isinstance(patch, plt.Rectangle)]
    assert len(squares) == 3 * 2 * 2


def test_the_triangle_shows_every_weight_and_marks_the_most_of_each_row():
    weights = np.tril(np.random.default_rng(0).uniform(0.1, 1, (4, 4)))
    assert plots.looks_back(weights, list("abcd")) is None
    axes = plt.gcf().axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), weights)
    marked = [(int(line.get_ydata()[0]), int(line.get_xdata()[0])) for line in axes.lines]
    assert marked == list(enumerate(weights.argmax(axis=1)))
    hatched = {(patch.get_y() + 0.5, patch.get_x() + 0.5) for patch in axes.patches if patch.get_hatch()}
    assert hatched == {(t, s) for t in range(4) for s in range(4) if s > t}


def test_every_number_of_a_state_is_written_down():
    states = {"first": np.array([[1.0, -0.5]]), "second": np.array([[0.25, 2.0]])}
    assert plots.state_matrices(states) is None
    for axes, (title, state) in zip(plt.gcf().axes, states.items(), strict=True):
        assert axes.get_title() == title
        written = [float(text.get_text().replace("\N{MINUS SIGN}", "-")) for text in axes.texts]
        assert written == state.ravel().tolist()


def test_recall_is_a_line_of_means_and_a_dot_for_each_run():
    runs = np.array([[1.0, 0.5], [0.8, 0.3]])
    assert plots.recall_curves([2, 4], {"once": {"a": runs}, "twice": {"a": runs / 2}}, 0.1) is None
    for axes, factor in zip(plt.gcf().axes, (1, 0.5), strict=True):
        mean, *dots = [line.get_ydata() for line in axes.lines][:3]
        np.testing.assert_allclose(mean, factor * runs.mean(axis=0))
        np.testing.assert_allclose(dots, factor * runs)
