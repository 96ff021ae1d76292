"""The pictures of lesson 11 hold the data that they were given."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnncore import plots
from rnncore.plots.speech import BLANK, SPACE, letters


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_a_recording_is_drawn_as_wave_and_as_bands():
    rng = np.random.default_rng(0)
    signal, features = rng.normal(size=900), rng.normal(size=(7, 5))
    assert plots.recording(signal, features, rate=1000, hop=120, title="one two") is None
    wave, bands, colours = plt.gcf().axes
    np.testing.assert_array_equal(wave.lines[0].get_ydata(), signal)
    np.testing.assert_array_equal(bands.images[0].get_array(), features.T)
    assert bands.images[0].get_extent() == [0, pytest.approx(7 * 0.12), 0.5, 5.5]
    assert wave.get_title() == "one two" and colours.get_ylabel() == "log energy"


def test_paths_draw_every_move_that_some_path_takes_and_one_path_in_bold():
    assert plots.paths("aba", 4, "ab-a") is None
    axes = plt.gca()
    moves = [((int(one.xyann[0]), one.xyann[1]), one.xy) for one in axes.texts if one.get_text() == ""]
    assert len(moves) == len(set(moves))
    # By hand: one frame more than there are letters. One path a place: each letter twice, or one blank more.
    paths = ["aaba", "abba", "abaa", "-aba", "a-ba", "ab-a", "aba-"]
    places = "-a-b-a-"
    expected = set()
    for path in paths:
        at = walk(places, path)
        expected |= {((t + 1, at[t]), (t + 2, at[t + 1])) for t in range(3)}
    assert set(moves) == expected
    bold = [one for one in axes.texts if one.get_text() and one.get_weight() == "bold"]
    assert [one.get_text() for one in bold] == ["a", "b", BLANK, "a"]
    named = [label.get_text() for label in axes.get_yticklabels()]
    assert named == ["blank", "a", "blank", "b", "blank", "a", "blank"]


def walk(places, path):
    """The places of a path in which each letter that comes anew is the next letter."""
    at, here = [], -1
    for t, symbol in enumerate(path):
        if t == 0 or symbol != path[t - 1]:
            here = next(s for s in range(here + 1, len(places)) if places[s] == symbol)
        at.append(here)
    return at


def spiky(symbols, V):
    probs = np.full((len(symbols), V), 0.01)
    probs[np.arange(len(symbols)), symbols] = 0.9
    return probs


def test_letters_stand_in_the_middle_of_their_frames():
    assert letters(spiky([0, 2, 2, 2, 0, 2, 1, 1], 4)) == [(2, 2.0), (2, 5.0), (1, 6.5)]


def test_an_alignment_writes_the_letters_above_the_frames_in_which_they_are_heard():
    features = np.random.default_rng(0).normal(size=(8, 5))
    rows = {"before": np.full((8, 4), 0.25), "after": spiky([0, 2, 2, 2, 0, 1, 3, 3], 4)}
    assert plots.alignment(features, rows, ("-", " ", "t", "o"), 0.5) is None
    above, *panels = plt.gcf().axes
    assert [(text.get_text(), text.get_position()[0]) for text in above.texts] == [
        ("t", 1.25),
        (SPACE, 2.75),
        ("o", 3.5),
    ]
    for panel, (title, probs) in zip(panels, rows.items(), strict=True):
        assert panel.get_title(loc="left") == title
        np.testing.assert_array_equal(panel.images[0].get_array(), probs.T[[2, 1, 3, 0]])
        assert [label.get_text() for label in panel.get_yticklabels()] == ["t", SPACE, "o", "blank"]
