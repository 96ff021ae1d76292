"""The figures of lesson 13 hold the numbers they are given, in their places."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.dates import date2num

from rnncore import plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_weather_draws_each_series_over_the_same_hours():
    hours = np.arange("2013-03-01T00", "2013-03-04T00", dtype="datetime64[h]")
    panels = {"mild": np.linspace(0, 1, 72), "wild": np.linspace(-20, 9, 72)}
    assert plots.weather(hours, panels) is None
    upper, lower = plt.gcf().axes
    for axes, (name, series) in zip((upper, lower), panels.items(), strict=True):
        assert axes.get_title(loc="left") == name
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), series)
    assert upper.get_ylim() == lower.get_ylim()
    assert lower.get_xlim() == pytest.approx((date2num(hours[0]), date2num(hours[-1])))


def test_one_forecast_puts_the_past_left_of_now_and_forecasts_right():
    past, future = np.arange(24.0), np.arange(4.0) - 9
    assert plots.one_forecast(past, future, {"flat": np.full(4, 23.0), "falls": -np.arange(4.0)}) is None
    axes = plt.gca()
    known, came, flat, falls = axes.lines[:4]
    np.testing.assert_array_equal(known.get_xdata(), np.arange(-23, 1))
    np.testing.assert_array_equal(known.get_ydata(), past)
    np.testing.assert_array_equal(came.get_ydata(), [23, *future])
    for line, values in ((flat, np.full(4, 23.0)), (falls, -np.arange(4.0))):
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
        np.testing.assert_array_equal(line.get_ydata(), values)
    assert flat.get_linestyle() != falls.get_linestyle()
    assert {"flat", "falls"} <= {text.get_text() for text in axes.texts}


def test_by_horizon_counts_from_one_and_shades_the_bands():
    lines = {"a": np.array([1.0, 2.0, 3.0, 5.0]), "b": np.array([2.0, 2.5, 2.5, 2.0])}
    band = np.array([[0.5, 1.0, 2.0, 4.0], [1.5, 3.0, 4.0, 6.0]])
    assert plots.by_horizon(lines, {"a": band}) is None
    axes = plt.gca()
    for line, values in zip(axes.lines, lines.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
        np.testing.assert_array_equal(line.get_ydata(), values)
    (shade,) = axes.collections
    corners = shade.get_paths()[0].vertices
    assert {(1.0, 0.5), (1.0, 1.5), (4.0, 4.0), (4.0, 6.0)} <= set(map(tuple, corners))
    assert axes.get_ylim()[0] == 0


def test_by_horizon_names_the_line_at_zero():
    plots.by_horizon({"a": np.array([-1.0, 2.0, 0.5])}, ylabel="%", zero="as before")
    axes = plt.gca()
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), [0, 0])
    assert "as before" in {text.get_text() for text in axes.texts} and axes.get_ylim()[0] < -1


def test_by_horizon_gives_a_line_the_look_that_it_has_elsewhere():
    lines = {"a": np.arange(4.0), "b": np.arange(4.0) + 1, "thin": np.arange(4.0) + 2}
    plots.by_horizon(lines, looks={"a": 3, "b": 0, "thin": None})
    a, b, thin = plt.gca().lines
    plots.by_horizon({"z": np.arange(4.0), **lines})
    _, second, *_ = plt.gca().lines
    assert (a.get_color(), a.get_marker()) != (second.get_color(), second.get_marker())
    plots.by_horizon({"b": lines["b"]})
    (alone,) = plt.gca().lines
    assert (b.get_color(), b.get_marker()) == (alone.get_color(), alone.get_marker())
    assert thin.get_marker() == "None" and thin.get_linewidth() < b.get_linewidth()


def test_several_bands_get_a_panel_each_on_one_scale_with_the_edges_of_the_others():
    lines = {"a": np.arange(4.0) + 1, "b": np.arange(4.0) + 2, "no band": np.arange(4.0)}
    bands = {name: np.array([lines[name] - 0.5, lines[name] + 0.5]) for name in "ab"}
    plots.by_horizon(lines, bands, looks={"a": 3, "b": 1})
    panels = plt.gcf().axes
    assert [axes.get_title() for axes in panels] == ["a", "b"]
    assert panels[0].get_ylim() == panels[1].get_ylim()
    for axes, name, other in zip(panels, "ab", "ba", strict=True):
        *edges, line = axes.lines
        np.testing.assert_array_equal(line.get_ydata(), lines[name])
        np.testing.assert_array_equal([edge.get_ydata() for edge in edges], bands[other])
        (shade,) = axes.collections
        corners = set(map(tuple, shade.get_paths()[0].vertices))
        assert {(1.0, bands[name][0][0]), (4.0, bands[name][1][-1])} <= corners
    assert panels[0].lines[-1].get_marker() != panels[1].lines[-1].get_marker()
