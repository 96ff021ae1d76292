"""The figures of vanishing and exploding gradients show the numbers they are given."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnncore import plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_repeated_factor_draws_and_writes_the_powers():
    assert plots.repeated_factor((0.5, 3.0), steps=2) is None
    axes = plt.gca()
    sizes = [row.get_sizes() / 220 for row in axes.collections]
    np.testing.assert_allclose(sizes, [[1, 0.5, 0.25], [1, 3, 9]])
    found = [text.get_text() for text in axes.texts]
    assert found == ["× 0.5", "1.00", "0.50", "0.25", "× 3", "1.00", "3.00", "9.00"]
    assert axes.get_xlim()[0] > axes.get_xlim()[1], "time runs to the right, the error to the left"


def test_until_nan_draws_what_is_finite_and_marks_where_a_run_ends():
    runs = {"free": np.array([1.0, 40.0, np.inf, np.nan]), "held": np.array([1.0, 0.5, 0.4, 0.3])}
    frames = {"loss": (0.1, 20), "gradient norm": (0.5, 2.0)}
    assert plots.until_nan({title: runs for title in frames}, frames, limit=0.7) is None
    left, right = plt.gcf().axes
    free, cross, held = left.lines
    np.testing.assert_array_equal(free.get_xydata(), [[1, 1], [2, 40]])
    np.testing.assert_array_equal(held.get_ydata(), runs["held"])
    assert cross.get_xydata().tolist() == [[2, 20]] and free.get_linestyle() != held.get_linestyle()
    assert [text.get_text() for text in left.texts] == ["NaN"]
    assert [text.get_text() for text in right.texts] == ["NaN", "limit 0.7"]
    assert (left.get_yscale(), right.get_yscale(), left.get_ylim()) == ("log", "linear", (0.1, 20))
    assert [text.get_text() for text in plt.gcf().legends[0].get_texts()] == ["free", "held"]


def test_eigenvalues_are_where_they_are():
    turn = np.array([[0.0, -0.5], [0.5, 0.0]])
    assert plots.eigenvalues({"turn": turn, "stretch": np.diag([2.0, -0.25])}) is None
    first, second = (axes.lines[1] for axes in plt.gcf().axes)
    assert sorted(first.get_ydata()) == pytest.approx([-0.5, 0.5])
    assert sorted(second.get_xdata()) == pytest.approx([-0.25, 2.0])
