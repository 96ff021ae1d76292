"""The lessons' figures show the numbers they are given, can be read without colour, and return None."""

import subprocess
import sys

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


def words(figure):
    """Every piece of text in the figure."""
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


def test_importing_rnncore_leaves_matplotlib_alone():
    code = "import rnncore, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_curves_draw_the_given_numbers_under_their_names():
    rng = np.random.default_rng(1)
    x = np.arange(7)
    lines = {f"line {i}": rng.normal(size=7) for i in range(5)}
    assert plots.curves(x, lines, xlabel="step", ylabel="size", markers=True) is None
    axes = plt.gca()
    for drawn, y in zip(axes.lines, lines.values(), strict=True):
        np.testing.assert_array_equal(drawn.get_ydata(), y)
    assert {*lines, "step", "size"} <= set(words(plt.gcf()))
    assert len({str(line._dash_pattern) for line in axes.lines}) == 5, (
        "strokes tell lines apart without colour"
    )
    assert len({line.get_marker() for line in axes.lines}) == 5


@pytest.mark.parametrize("log", [False, True])
def test_names_of_lines_that_end_together_do_not_touch(log):
    lines = {"first": np.ones(3), "second": np.ones(3), "third": np.array([1, 2, 3])}
    plots.curves(np.arange(3), lines, log=log)
    figure = plt.gcf()
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in plt.gca().texts]
    assert len(boxes) == 3
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_activation_curves_use_the_functions_they_are_given():
    plots.activation_curves({"sigmoid": np.cos, "tanh": np.sin}, lambda name, y: y * len(name))
    for axes, function, factor in zip(plt.gcf().axes, [np.cos, np.sin], [7, 4], strict=True):
        output, derivative = axes.lines
        np.testing.assert_allclose(output.get_ydata(), function(output.get_xdata()))
        np.testing.assert_allclose(derivative.get_ydata(), factor * function(output.get_xdata()))
        assert output.get_linestyle() != derivative.get_linestyle()


def test_impulse_memory_starts_at_the_impulse():
    plots.impulse_memory({"tanh": np.array([0.5, 0.25, 0.125]), "relu": np.ones(3)})
    assert [line.get_xdata().tolist() for line in plt.gca().lines] == [[0, 1, 2]] * 2


def test_state_heat_map_has_a_letter_for_each_step_and_a_minus_for_each_negative_state():
    states = np.array([[0.9, -0.9, 0.0], [-0.3, 0.4, -0.6], [0.1, 0.2, 0.3], [0.5, -0.5, 1.0]])
    assert plots.state_heat_map("a ba", states, ["p", "q", "r"]) is None
    axes = plt.gcf().axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), states.T)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "␣", "b", "a"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["p", "q", "r"]
    marked = {tuple(text.get_position()) for text in axes.texts if text.get_text() == "\N{MINUS SIGN}"}
    assert marked == {(0, 1), (1, 0), (1, 2), (3, 1)}


def test_unrolled_graph_repeats_the_weights_at_every_step():
    plots.unrolled_graph(["c", "a", "t"])
    found = words(plt.gcf())
    assert found.count("$W_{ih}$") == found.count("$W_{hh}$") == 4, "once folded, three times unrolled"
    assert {"$c$", "$a$", "$t$", "$h_0$"} <= set(found)


def test_in_a_notebook_the_picture_carries_its_description():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.pylabtools import select_figure_formats
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    try:
        select_figure_formats(shell, {"png"})
        with capture_output() as caught:
            plots.impulse_memory({"tanh": np.ones(3), "relu": np.ones(3)})
        (picture,) = caught.outputs
        assert picture.data["image/png"]
        assert "tanh, relu" in picture.metadata["image/png"]["alt"]
        assert plt.get_fignums() == []
    finally:
        InteractiveShell.clear_instance()


def test_backward_graph_has_an_error_and_a_share_for_each_step_and_a_carry_between_two():
    assert plots.backward_graph(3) is None
    found = words(plt.gcf())
    assert {"$h_0$", "$dh_0$", "$dy_1$", "$dy_2$", "$dy_3$"} <= set(found)
    assert found.count("carry") == 2
    assert sum("da_t" in text and "sum" in text for text in found) == 1


def test_next_letter_writes_every_number_with_its_sign_and_hatches_the_letter_that_came():
    plots.next_letter(["a", "e"], 1, np.array([0.75, 0.25]), np.array([-0.75, 0.75]))
    left, right = plt.gcf().axes
    assert [text.get_text() for text in left.texts] == ["0.75", "0.25"]
    assert [text.get_text() for text in right.texts] == ["\N{MINUS SIGN}0.75", "+0.75"]
    assert [bar.get_hatch() for bar in right.patches] == ["", "//"]


def test_step_sizes_draws_the_given_errors_on_two_logarithmic_axes():
    h = np.array([1e-1, 1e-4, 1e-8])
    errors = {"one-sided": 3 * h, "central": h**2}
    plots.step_sizes(h, errors)
    axes = plt.gca()
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    for drawn, y in zip(axes.lines, errors.values(), strict=True):
        np.testing.assert_array_equal(drawn.get_xydata(), np.stack([h, y], axis=1))


def test_contributions_end_in_their_sum():
    parts = np.random.default_rng(4).normal(size=(3, 2, 4))
    plots.contributions(parts)
    panels = [axes.images[0].get_array() for axes in plt.gcf().axes]
    np.testing.assert_allclose(panels, [*parts, parts.sum(axis=0)])
    signs = [axes.texts[-1].get_text() for axes in plt.gcf().axes]
    assert signs == ["", "+", "+", "="]


@pytest.mark.parametrize("length", [3, 7])
def test_losses_are_means_of_the_last_steps_or_of_all_there_are(length):
    values = np.random.default_rng(5).normal(2, 0.3, length)
    plots.losses({"run": list(values)}, chance=3.0, smooth=4)
    want = [values[max(0, t - 4) : t].mean() for t in range(1, length + 1)]
    drawn = plt.gca().lines[0]
    np.testing.assert_allclose(drawn.get_ydata(), want)
    assert drawn.get_xdata().tolist() == list(range(1, length + 1))


def test_reach_puts_exact_zeros_on_the_floor_and_borders_between_steps():
    sizes = {"all": np.array([1e-3, 1e-2, 1e-1]), "cut": np.array([0, 0, 0.5])}
    plots.reach(sizes, {"all": [], "cut": [2]})
    whole, cut = plt.gcf().axes
    assert whole.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert cut.lines[0].get_xydata().tolist() == [[3, 0.5]]
    assert cut.lines[1].get_xdata().tolist() == [1, 2]
    assert "exactly zero" in words(plt.gcf())
    assert cut.lines[2].get_xdata() == [2.5, 2.5]
