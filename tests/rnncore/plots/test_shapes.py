"""The figures of lesson 08 show what they are given: every shape, note, opinion and chance."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnncore import plots
from rnncore.plots.shapes import SHAPES


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def bars(axes):
    return [patch for patch in axes.patches if isinstance(patch, matplotlib.patches.Rectangle)]


def test_five_shapes_have_a_box_for_each_input_step_and_output():
    assert plots.five_shapes() is None
    axes = plt.gca()
    boxes = [p for p in axes.patches if isinstance(p, matplotlib.patches.FancyBboxPatch)]
    assert len(boxes) == sum(steps + len(read) + len(said) for _, _, steps, read, said in SHAPES)
    found = [text.get_text() for text in axes.texts]
    assert {name for name, *_ in SHAPES} <= set(found) and found.count("") == 4  # what is fed back
    assert [len(read) == 1 for _, _, _, read, _ in SHAPES] == [True, True, False, False, False]
    assert [len(said) == 1 for *_, said in SHAPES] == [True, False, True, False, False]


def test_tune_rolls_draw_each_note_at_its_time_pitch_and_length():
    tunes = {"one": ["A2", "|", "d", "F3", "|"], "two": ["f"]}
    assert plots.tune_rolls(tunes) is None
    first, second = plt.gcf().axes
    dashes = [(p.get_x(), p.get_y() + p.get_height() / 2, p.get_width()) for p in bars(first)]
    np.testing.assert_allclose(dashes, [(0, 69, 1.88), (2, 74, 0.88), (3, 66, 2.88)])
    assert [line.get_xdata()[0] for line in first.lines[:2]] == [1.94, 5.94]
    assert len(bars(second)) == 1 and first.get_title("left") == "one"
    assert first.get_xlim() == second.get_xlim() and first.get_xlim()[1] >= 6


def test_opinions_stand_above_or_below_the_middle():
    assert plots.opinions({"t": (["not", "bad"], np.array([0.25, 0.75]))}) is None
    (axes,) = plt.gcf().axes
    ends = [(patch.get_y(), patch.get_y() + patch.get_height(), patch.get_hatch()) for patch in bars(axes)]
    assert ends == [(0.5, 0.25, "//"), (0.5, 0.75, "")]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["not", "bad"]


def test_temperatures_show_chances_and_counts_side_by_side():
    chances = {0.5: np.array([0.9, 0.1]), 2.0: np.array([0.6, 0.4])}
    counted = {0.5: np.array([0.88, 0.12]), 2.0: np.array([0.61, 0.39])}
    assert plots.temperatures(["d", "|"], chances, counted) is None
    for axes, heat in zip(plt.gcf().axes, chances, strict=True):
        assert [patch.get_height() for patch in bars(axes)] == list(chances[heat])
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), counted[heat])
        assert axes.get_title() == f"temperature {heat}"
