"""The figures of lesson 01 show what they are given, in their words and in their alt text's numbers."""

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


def words(axes):
    axes.figure.canvas.draw()  # ticks get their words when they are drawn
    return [text.get_text() for text in axes.findobj(matplotlib.text.Text) if text.get_text()]


def test_four_sequences_draws_words_notes_sound_and_price():
    dates = np.arange("2020-01-01", "2022-01-01", dtype="datetime64[D]")
    dollars = np.linspace(100, 400, len(dates))
    sound = (np.arange(50) / 4, np.sin(np.arange(50)))
    assert (
        plots.four_sequences(["once", "upon"], [("C", 0), ("E", 2), ("C", 0)], sound, (dates, dollars))
        is None
    )
    text, music, wave, market = plt.gcf().axes
    assert {"once", "upon"} <= set(words(text))
    assert len(music.collections[0].get_segments()) == 3
    np.testing.assert_array_equal(wave.lines[0].get_ydata(), sound[1])
    np.testing.assert_array_equal(market.lines[0].get_ydata(), dollars)
    assert {"2021", "2022"} & set(words(market))


def test_piano_roll_has_time_to_the_right_and_symbols_upwards():
    x = np.eye(3)[[0, 2, 1, 1]]
    assert plots.piano_roll({"a": x, "b": x[::-1]}, "CDE") is None
    first, second = plt.gcf().axes
    np.testing.assert_array_equal(first.images[0].get_array(), x.T)
    np.testing.assert_array_equal(second.images[0].get_array(), x[::-1].T)
    assert first.images[0].origin == "lower" and {"C", "D", "E"} <= set(words(first))


def test_padded_batch_hatches_what_lies_beyond_each_length():
    assert plots.padded_batch([["is", "it", ""], ["so", "", ""]], [2, 1]) is None
    (axes,) = plt.gcf().axes
    hatched = [bool(square.get_hatch()) for square in axes.patches]
    assert hatched == [False, False, True, False, True, True]
    assert {"is", "it", "so", "0", "length 2", "length 1"} <= set(words(axes))


def test_accuracies_draws_means_and_every_run():
    groups = {"near": {"one": [0.5, 0.7], "two": [1.0, 0.8]}, "far": {"one": [0.4, 0.4], "two": [0.2, 0.3]}}
    assert plots.accuracies(groups) is None
    for axes, models in zip(plt.gcf().axes, groups.values(), strict=True):
        assert [bar.get_height() for bar in axes.patches] == pytest.approx(
            [np.mean(r) for r in models.values()]
        )
        dots = [line.get_ydata() for line in axes.lines if line.get_marker() == "o"]
        np.testing.assert_array_equal(dots, list(models.values()))
        assert len({bar.get_hatch() for bar in axes.patches}) == 2, "hatches tell bars apart without colour"
        assert {f"{np.mean(runs):.2f}" for runs in models.values()} <= set(words(axes))
