"""The picture of the GRU names what its equations name, and its description says where each gate acts."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from rnncore import plots


def test_gru_graph_names_both_gates_the_candidate_and_both_shares():
    assert plots.gru_graph() is None
    found = [text.get_text() for text in plt.gca().texts]
    assert {"$z$", "$r$", "$n$", "$1 - z$", "$h_n$", "$x_n$", "$h_{t-1}$", "$h_t$"} <= set(found)
    assert found.count("×") == 3 and found.count("+") == 1
    assert found.count("tanh") == 1 and found.count(r"$\sigma$") == 2
    plt.close("all")
