"""Lesson 09's figures show what PyTorch recorded and packed, and times as they are given."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.patches import FancyArrowPatch
from torch.nn.utils.rnn import pack_padded_sequence

from rnncore import plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def words():
    return [text.get_text().strip() for text in plt.gca().texts]


def test_autograd_graph_shows_the_record_with_the_gradients_of_the_echo():
    w = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    h0 = torch.tensor(1.3, dtype=torch.float64)
    h1 = torch.tanh(w * h0)
    h2 = torch.tanh(w * h1)
    loss = h1 + h2
    assert plots.autograd_graph(loss, w=w) is None
    # By hand, as lesson 03 does it.
    da2 = 1 - np.tanh(0.7 * h1.item()) ** 2
    dh1 = 1 + da2 * 0.7
    da1 = dh1 * (1 - h1.item() ** 2)
    whole = da1 * 1.3 + da2 * h1.item()
    expected = [("w", whole), ("×", da1), ("tanh", dh1), ("×", da2), ("tanh", 1), ("+", 1)]
    found = words()
    assert list(zip(found[::2], found[1::2], strict=True)) == [(sign, f"{g:.4f}") for sign, g in expected]
    assert sum(isinstance(patch, FancyArrowPatch) for patch in plt.gca().patches) == 7
    assert w.grad is None
    loss.backward()  # what was recorded is still there, and no hook is left
    assert w.grad.item() == pytest.approx(whole, rel=1e-12)


def test_autograd_graph_names_the_gradients_at_results():
    w = torch.tensor(0.5, requires_grad=True)
    a1 = w * 3
    plots.autograd_graph(torch.tanh(a1) + 1, w=w, a1=a1)
    found = words()
    assert found[found.index("×") + 2] == "$da_{1}$"
    assert sum(word.startswith("$") for word in found) == 1


def test_packed_batch_reads_as_torch_packs():
    rows, lengths = [list("abc..."), list("defghi"), list("jk...."), list("lmn...")], [3, 6, 2, 3]
    assert plots.packed_batch(rows, lengths) is None
    ids = torch.tensor([[ord(letter) for letter in row] for row in rows])
    packed = pack_padded_sequence(ids, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    found = words()
    below = [word for word in found[found.index("packed") + 1 :] if not word.startswith("t =")]
    assert below == [chr(code) for code in packed.data.tolist()]
    assert [word for word in found if word.startswith("t =")] == [f"t = {t}" for t in range(6)]
    assert [word for word in found if word.startswith("length")] == [f"length {n}" for n in lengths]
    assert not {"."} & set(found), "padding is hatched, not written"


def test_speed_draws_what_was_measured_and_says_what_was_not():
    sizes = [16, 64, 256]
    assert plots.speed(sizes, {"loop": [3.0, 4.0, 50.0], "fused": [1.0, 1.5, 30.0], "GPU": None}) is None
    axes = plt.gca()
    assert [line.get_ydata().tolist() for line in axes.lines] == [[3, 4, 50], [1, 1.5, 30]]
    assert len({line.get_linestyle() for line in axes.lines}) == 2
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert set(words()) == {"GPU: not measured here", "loop", "fused"}
