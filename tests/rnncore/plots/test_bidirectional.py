"""The picture of two directions names every step's input, its two states and its output."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from rnncore import plots


def test_bidirectional_graph_has_two_cells_for_each_input():
    assert plots.bidirectional_graph(("a", "b", "c")) is None
    found = [text.get_text() for text in plt.gca().texts]
    for t, name in enumerate("abc", start=1):
        assert {
            f"${name}$",
            rf"$\overrightarrow{{h}}_{t}$",
            rf"$\overleftarrow{{h}}_{t}$",
            f"$y_{t}$",
        } <= set(found)
    assert found.count("$0$") == 2
    plt.close("all")
