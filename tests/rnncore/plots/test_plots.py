"""The lessons' figures show the numbers they are given, can be read without colour, and return None."""

import re
import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from rnncore import plots
from rnncore.plots import style
from tests.patience import PATIENT

ROOT = Path(__file__).parents[3]


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


def test_importing_the_plots_leaves_pyplot_alone():
    code = "import rnncore.plots, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
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


def test_a_curve_has_the_look_that_it_has_elsewhere():
    plots.curves([0, 1], {"a": [0, 1], "b": [1, 0]}, markers=True, looks={"a": 2})
    a, b = plt.gca().lines
    assert (a.get_color(), a.get_marker()) == (style.COLOURS[2], style.MARKERS[2])
    assert (b.get_color(), b.get_marker()) == (style.COLOURS[1], style.MARKERS[1])
    named = {text.get_text(): text.get_color() for text in plt.gca().texts}
    assert named["a"] == style.WORDS[style.COLOURS[2]]


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


def test_lstm_graph_has_three_gates_a_candidate_and_one_sum():
    assert plots.lstm_graph() is None
    found = words(plt.gcf())
    assert {"$c_{t-1}$", "$c_t$", "$h_t$", "$f$", "$i$", "$g$", "$o$"} <= set(found)
    assert (found.count("×"), found.count("+"), found.count("tanh")) == (3, 1, 2)
    assert found.count(r"$\sigma$") == 3


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
        assert "tanh from 1 to 1; relu from 1 to 1" in picture.metadata["image/png"]["alt"]
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


@pytest.mark.parametrize("length", [3, 7, 30])
def test_losses_are_means_of_the_last_quarter_of_the_steps_and_no_more_than_asked(length):
    values = np.random.default_rng(5).normal(2, 0.3, length)
    plots.losses({"run": list(values)}, chance=3.0, smooth=4)
    want = [values[t - min(4, -(-t // 4)) : t].mean() for t in range(1, length + 1)]
    drawn = plt.gca().lines[0]
    np.testing.assert_allclose(drawn.get_ydata(), want)
    assert drawn.get_xdata().tolist() == list(range(1, length + 1))


def test_losses_on_a_logarithmic_axis():
    plots.losses({"run": [2.0, 0.2, 0.02]}, log=True)
    assert plt.gca().get_yscale() == "log"


def test_names_that_move_apart_stay_within_the_axes_and_point_to_their_lines():
    lines = {"a": np.array([0, 1.0]), "b": np.array([0, 0.99]), "c": np.array([0, 0.98]), "d": np.zeros(2)}
    plots.curves(np.array([1, 2]), lines)
    axes = plt.gca()
    at = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert at["d"] < at["c"] < at["b"] < at["a"] <= 1
    end_of = axes.transAxes.inverted().transform(axes.transData.transform((2, 0)))[1]
    assert at["d"] == pytest.approx(end_of)
    assert 2 <= len(axes.patches) <= 3  # "d" has not moved


def test_reach_puts_exact_zeros_on_the_floor_and_borders_between_steps():
    sizes = {"all": np.array([1e-3, 1e-2, 1e-1]), "cut": np.array([0, 0, 0.5])}
    plots.reach(sizes, {"all": [], "cut": [2]})
    whole, cut = plt.gcf().axes
    assert whole.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert cut.lines[0].get_xydata().tolist() == [[3, 0.5]]
    assert cut.lines[1].get_xdata().tolist() == [1, 2]
    assert "exactly zero" in words(plt.gcf())
    assert cut.lines[2].get_xdata() == [2.5, 2.5]


def test_gate_heat_maps_show_the_chosen_units_of_every_gate():
    rng = np.random.default_rng(6)
    gates = {"i": rng.random((4, 5)), "c": 3 * rng.normal(size=(4, 5)), "attention": rng.random((4, 5))}
    assert plots.gate_heat_maps(["Alice", "can't", "eat", "nuts"], gates, units=[3, 0]) is None
    panels = [axes for axes in plt.gcf().axes if axes.images]
    for axes, (name, values) in zip(panels, gates.items(), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), values[:, [3, 0]].T)
        assert [label.get_text() for label in axes.get_yticklabels()] == ["unit 3", "unit 0"]
        negative = {tuple(text.get_position()) for text in axes.texts}
        limit = axes.images[0].get_clim()[1]
        assert negative == {(t, row) for row, t in np.argwhere(values[:, [3, 0]].T < -0.05 * limit)}
        assert axes.images[0].get_clim() == (pytest.approx((-limit, limit)) if name == "c" else (0, 1))
        assert limit >= abs(values[:, [3, 0]]).max()
    assert [axes.get_title(loc="left") for axes in panels] == ["input gate i", "memory c", "attention"]
    assert [label.get_text() for label in panels[-1].get_xticklabels()] == ["Alice", "can't", "eat", "nuts"]


def test_gate_heat_maps_take_letters_and_all_units_unless_told():
    plots.gate_heat_maps("a b", {"f": np.full((3, 2), 0.5)})
    axes = plt.gcf().axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "␣", "b"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["unit 0", "unit 1"]


@pytest.mark.parametrize("shape", [(4, 2), (1, 3, 2)])
def test_gate_heat_maps_want_a_row_for_each_token(shape):
    sentence = f"gates['o'] has shape {shape}, expected (T, H) with T = 3, a row for each of the tokens"
    with pytest.raises(ValueError, match=re.escape(sentence)):
        plots.gate_heat_maps("a b", {"i": np.zeros((3, 2)), "o": np.zeros(shape)})


@pytest.mark.parametrize("signed", [False, True])
def test_heat_maps_grow_darker_away_from_zero_in_grey_too(signed):
    colours = style.BLUE_TO_ORANGE if signed else style.WHITE_TO_BLUE
    grey = colours(np.linspace(0, 1, 101))[:, :3] @ [0.299, 0.587, 0.114]
    upper = grey[50:] if signed else grey
    assert (np.diff(upper) < 0.002).all() and upper[0] - upper[-1] > 0.5
    if signed:
        assert (np.diff(grey[:51]) > -0.002).all()


def test_gradient_norms_draw_what_is_finite_and_mark_the_rest():
    runs = {
        "unclipped": np.array([2.0, 30.0, np.inf, np.nan]),
        "cut": np.array([0.0, 0.5, 4.0, 2.0]),
    }
    assert plots.gradient_norms(runs, limit=1.5) is None
    axes = plt.gca()
    assert axes.get_yscale() == "log"
    unclipped, not_finite, cut, zero, limit = axes.lines
    np.testing.assert_array_equal(unclipped.get_xydata(), [[1, 2], [2, 30], [3, np.nan], [4, np.nan]])
    np.testing.assert_array_equal(cut.get_ydata(), [np.nan, 0.5, 4, 2])
    assert not_finite.get_xdata().tolist() == [3, 4] and min(not_finite.get_ydata()) > 30
    assert zero.get_xdata().tolist() == [1] and max(zero.get_ydata()) < 0.5
    assert list(limit.get_ydata()) == [1.5, 1.5]
    found = words(plt.gcf())
    assert {"unclipped", "cut", "not finite", "exactly zero", "clipped at 1.5", "time step t"} <= set(found)
    assert unclipped.get_linestyle() != cut.get_linestyle() and unclipped.get_marker() != cut.get_marker()


def test_gradient_norms_of_nothing_but_zeros_are_crosses():
    plots.gradient_norms({"dead": np.zeros(3)})
    assert plt.gca().lines[1].get_xdata().tolist() == [1, 2, 3]


def test_influence_fills_the_pairs_that_are_not_exactly_zero():
    rng = np.random.default_rng(7)
    one = np.tril(rng.normal(size=(3, 3)))
    assert plots.influence({"one direction": one, "two": one + 1e-12}, ["a", "b", "c"]) is None
    left, right = plt.gcf().axes
    np.testing.assert_array_equal(left.images[0].get_array(), np.tril(np.ones((3, 3))))
    assert right.images[0].get_array().all()
    assert left.get_title() == "one direction\n6 of 9 pairs" and right.get_title() == "two\n9 of 9 pairs"
    assert [label.get_text() for label in left.get_yticklabels()] == ["a", "b", "c"]
    assert (left.get_xlabel(), left.get_ylabel()) == ("input at step s", "output at step t")


@pytest.mark.parametrize(
    ("wrong", "story"),
    [
        ([0, 1, 2], "going back in time, wrong from t = 2 on"),
        ([3, 4, 5], "wrong from t = 3 on"),
        ([1, 3], "wrong at t = 1, 3"),
        ([5], "wrong at t = 5"),
        ([], "right at every step"),
        ([0, 1, 2, 3, 4, 5], "wrong at every step"),
    ],
)
def test_error_by_step_tells_wrong_steps_from_right_ones(wrong, story):
    expected = np.random.default_rng(8).normal(size=(3, 6, 4))
    received = expected.copy()
    received[1, wrong, 2] += 40
    assert plots.error_by_step(received, expected, "dh") is None
    axes = plt.gca()
    crosses, circles = axes.lines[1:]
    assert crosses.get_xdata().tolist() == wrong
    np.testing.assert_allclose(crosses.get_ydata(), 40 / abs(expected).max())
    assert circles.get_xdata().tolist() == [t for t in range(6) if t not in wrong]
    assert axes.get_title() == f"dh: {story}"
    assert crosses.get_marker() != circles.get_marker()


def test_error_by_step_shows_nan_and_refuses_other_shapes():
    expected = np.ones((2, 4, 3))
    received = expected.copy()
    received[0, 2, 1] = np.nan
    plots.error_by_step(received, expected)
    assert plt.gca().get_title() == "dx: wrong at t = 2" and "not finite" in words(plt.gcf())
    with pytest.raises(ValueError, match=r"received has shape \(2, 3, 3\), expected the shape \(2, 4, 3\)"):
        plots.error_by_step(received[:, :3], expected)


def sizes_by_radius(radius):
    return 3.0 * radius ** np.arange(5)[::-1]


@pytest.mark.parametrize("slider", [False, True])
def test_radius_and_gradient_is_a_row_of_figures_outside_a_notebook(slider):
    assert plots.radius_and_gradient(sizes_by_radius, (0.5, 1.0, 2.0), slider) is None
    panels = plt.gcf().axes
    assert [axes.get_title() for axes in panels] == ["radius 0.5", "radius 1", "radius 2"]
    for axes, radius in zip(panels, (0.5, 1.0, 2.0), strict=True):
        foretold, measured = axes.lines
        np.testing.assert_allclose(measured.get_ydata(), 3 * radius ** np.arange(5))
        np.testing.assert_allclose(foretold.get_ydata(), measured.get_ydata())
        assert axes.get_yscale() == "log" and axes.get_ylim() == panels[0].get_ylim()


@pytest.mark.parametrize("installed", [True, False])
def test_in_a_notebook_the_radius_is_a_slider_where_there_are_widgets(installed):
    source = f"""
import sys
if not {installed}:
    sys.modules["ipywidgets"] = None
import numpy as np
from rnncore import plots
plots.radius_and_gradient(lambda radius: 3 * radius ** np.arange(5.0)[::-1], (0.5, 1.0, 2.0), slider=True)
"""
    moved = """
import gc, ipywidgets
(bar,) = [one for one in gc.get_objects() if isinstance(one, ipywidgets.FloatSlider)]
bar.value = 0.5
"""
    cells = [nbformat.v4.new_code_cell(text) for text in ([source, moved] if installed else [source])]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(
        notebook, **PATIENT, kernel_name="python3", resources={"metadata": {"path": ROOT}}
    )
    client.execute()
    kinds = [set(output.data) for output in notebook.cells[0].outputs]
    if not installed:
        assert ["image/png" in kind for kind in kinds] == [True]
        return
    assert any("application/vnd.jupyter.widget-view+json" in kind for kind in kinds)
    (stored,) = [output.data["text/plain"] for output in notebook.cells[0].outputs]
    assert "a slider stands here" in stored and "0.5 to 2" in stored
    models = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    (shown,) = [model["state"]["value"] for model in models if model["model_name"] == "HTMLModel"]
    assert "for spectral radius 0.5;" in shown and "data:image/png;base64,iVBOR" in shown


@pytest.mark.parametrize("numbers", [np.full(3, np.nan), np.array([])])
def test_a_figure_with_nothing_to_show_says_so(numbers):
    with (
        pytest.raises(ValueError, match="panel 2 of the figure has nothing to show"),
        style.canvas(1, 2) as (_, axes),
    ):
        axes[0].plot([1, 2])
        axes[1].plot(numbers)
