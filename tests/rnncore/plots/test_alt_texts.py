"""Heat maps say in their alt texts what rows and columns are, the range, and where the largest number is."""

import inspect
from contextlib import contextmanager

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnncore import plots
from rnncore.plots import captions, cells, gradients, memory, sequences, speech, style, translation


@pytest.fixture
def alt(monkeypatch):
    """A function that gives the alt text of the figure that it is told to draw."""
    told = []

    @contextmanager
    def listening(*args, **options):
        told.append(inspect.signature(style.canvas).bind(*args, **options).arguments["alt"])
        with style.canvas(*args, **options) as drawn:
            yield drawn

    for module in (captions, cells, gradients, memory, sequences, speech, translation):
        monkeypatch.setattr(module, "canvas", listening)

    def of(draw, *args, **named):
        draw(*args, **named)
        plt.close("all")
        return told.pop()

    return of


def test_span_names_the_range_and_the_place_of_the_largest():
    values = np.array([[0.25, -0.5, 0.0], [0.125, 1.5, 0.75]])
    said = style.span(values, ["up", "down"], ["x", "y", "z"])
    assert said == "from -0.50 to 1.50, the largest in row down in column 2, y"
    assert style.span(values[0] * 0 - 1e-9, None) == "from 0.00 to 0.00, the largest in column 1"


def test_states_and_gates(alt):
    states = np.array([[0.1, 0.9], [0.2, -0.4], [0.7, 0.3]])
    said = alt(plots.state_heat_map, "abc", states, ["first", "second"])
    assert said.startswith("Heat map of the states of first, second, a row each, letter by letter: a column")
    assert "first from 0.10 to 0.70, the largest in column 3, c" in said
    assert "second from -0.40 to 0.90, the largest in column 1, a" in said
    said = alt(plots.gate_heat_maps, ["so", "it", "is"], {"f": states[:, :1], "c": states[:, 1:]})
    assert said.startswith(
        "Heat maps of forget gate f, memory c, one row each: a column for each of so it is"
    )
    assert "memory c from -0.40 to 0.90, the largest in column 1, so" in said
    said = alt(plots.gate_heat_maps, "abc", {"f": abs(states)}, units=[1, 0])
    assert "2 rows each, one for each unit" in said
    assert "forget gate f from 0.10 to 0.90, the largest in row unit 1 in column 1, a" in said


def test_attention(alt):
    weights = np.array([[0.75, 0.25, 0.0], [0.5, 0.4, 0.1]])
    said = alt(plots.attention_map, weights, ["four ", "thirty", "."], "vi")
    assert "a row for each letter written, v i, a column for each part read, four thirty ." in said
    assert "Weights from 0.00 to 0.75, the largest in row v in column 1, four" in said
    said = alt(plots.looks_back, np.array([[1.0, 0.0], [0.25, 0.75]]), ["red", "blue"])
    assert "from 0.00 to 1.00, the largest in row red in column 1, red" in said and "masked out" in said


def test_matrices_of_numbers(alt):
    said = alt(plots.state_matrices, {"after one": np.array([[1.0, -2.0], [3.0, 0.0]])})
    assert "a row for each feature of the key" in said
    assert "after one, from -2.00 to 3.00, the largest in row 2 in column 1" in said
    said = alt(plots.contributions, np.array([[[1.0, 2.0]], [[3.0, -1.0]]]))
    assert "step 1 from 1.00 to 2.00, the largest in row 1 in column 2" in said
    assert "the sum from 1.00 to 4.00, the largest in row 1 in column 1" in said


def test_words_that_were_not_said_but_likelier_are_named(alt):
    runs = {"one": (["a", "two"], np.array([[0.9, 0.1, 0.0], [0.0, 0.7, 0.3]]))}
    said = alt(plots.word_probabilities, np.zeros((2, 2)), ["a", "one", "two"], runs)
    assert "a row for each of the words a, one, two, a column for each word that was said" in said
    assert said.endswith("one: a 0.90, two 0.30 (likeliest: one 0.70)")


def test_bars_whose_names_have_two_lines(alt):
    said = alt(plots.accuracies, {"held out": {"GRU\n63 weights": [0.5, 0.7]}})
    assert said.endswith("held out: GRU, 63 weights 0.60")


def test_speech(alt):
    features = np.array([[-3.0, 2.0], [5.0, 1.0]])
    said = alt(plots.recording, np.zeros(40), features, rate=100, hop=20)
    assert (
        "Rows are the bands, columns the frames; from -3.00 to 5.00, the largest in row 1 in column 2" in said
    )
    rows = {"believed": np.array([[0.1, 0.9], [0.8, 0.2]])}
    said = alt(plots.alignment, features, rows, ("-", "t"), 0.5)
    assert "Rows: t, blank; columns: the frames" in said
    assert (
        "Of the letters: believed, from 0.20 to 0.90, the largest in row t in column 1, 0.00 seconds" in said
    )
    said = alt(plots.paths, "to", 3, "t-o")
    assert "from the top: blank, t, blank, o, blank" in said and "t - o (- is the blank)" in said
