"""The figures of lesson 12 hold what they are given, mark what is wrong, and say it in words."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnncore import plots

SCENES = np.random.default_rng(0).random((5, 6, 7))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_caption_graph_reads_each_word_one_step_after_it_was_said():
    assert plots.caption_graph(SCENES[0], ["a", "three"]) is None
    places = {}
    for text in plt.gca().texts:
        places.setdefault(text.get_text(), []).append(text.get_position())
    (said, read), (start,), (end,) = sorted(places["a"]), places["<start>"], places["<end>"]
    assert start[0] == said[0] < read[0] and read[1] < 0 < said[1]
    assert end[0] == max(x for x, _ in places["three"])
    np.testing.assert_array_equal(plt.gca().images[0].get_array(), SCENES[0])


def test_scenes_have_their_captions_and_mark_the_wrong_ones():
    captions = [f"a caption of number {i}" for i in range(5)]
    assert plots.scenes(SCENES, captions, [True, False, True, True, False], columns=3) is None
    shown = [axes for axes in plt.gcf().axes if axes.images]
    assert len(shown) == 5 and len(plt.gcf().axes) == 6
    for i, axes in enumerate(shown):
        np.testing.assert_array_equal(axes.images[0].get_array(), SCENES[i])
        assert axes.get_xlabel().replace("\n", " ").endswith(captions[i])
        assert axes.get_xlabel().startswith("\N{MULTIPLICATION SIGN}") == (i in (1, 4))


def test_word_probabilities_show_the_words_that_matter():
    probs = np.array([[0.9, 0.1, 0, 0], [0, 0.002, 0.3, 0.698]])
    runs = {"one": (["a", "three"], probs), "two": (["a", "two"], probs)}
    assert plots.word_probabilities(SCENES[0], ["a", "one", "two", "three"], runs) is None
    _, first, second = plt.gcf().axes
    assert [label.get_text() for label in first.get_yticklabels()] == ["a", "one", "two", "three"]
    np.testing.assert_array_equal(first.images[0].get_array(), probs.T)
    assert [text.get_text() for text in first.texts] == ["0.90", "0.70"]
    assert [text.get_text() for text in second.texts] == ["0.90", "0.30", "0.70"]  # and the likeliest
