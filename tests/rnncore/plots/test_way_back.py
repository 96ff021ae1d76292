"""What the arrows of the way back say is what autograd finds at these places."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from rnncore import plots
from rnncore.plots.graphs.way_back import CELLS
from tests.rnncore.oracle import close

# What each label stands for, in terms of the values that the labels name.
MEANING = {
    "rnn": {
        r"$dx_t = da_t\, W_{ih}$": lambda v: v["da"] @ v["ih"],
        r"carry: $da_t\, W_{hh}$": lambda v: v["da"] @ v["hh"],
        "$da_t$": lambda v: v["da"],
        r"$da_t = dh_t \odot (1 - h_t^2)$": lambda v: v["dh"] * (1 - v["out"] ** 2),
        "$dh_t$": lambda v: v["dh"],
    },
    "lstm": {
        r"$dc_{t-1} = dc_t \odot f$": lambda v: v["dc"] * v["f"],
        "$dc_t$": lambda v: v["dc"],
        "$dc_t$, the sum of both": lambda v: v["dc"],
        r"$dc_{\mathrm{carried}}$": lambda v: v["carried"],
        r"$dc_t \odot c_{t-1}$": lambda v: v["dc"] * v["c"],
        r"$dc_t \odot g$": lambda v: v["dc"] * v["g"],
        r"$dc_t \odot i$": lambda v: v["dc"] * v["i"],
        r"$dh_t \odot o \odot (1 - \tanh^2 c_t)$": lambda v: (
            v["dh"] * v["o"] * (1 - np.tanh(v["c_next"]) ** 2)
        ),
        r"$dh_t \odot o$": lambda v: v["dh"] * v["o"],
        r"$dh_t \odot \tanh c_t$": lambda v: v["dh"] * np.tanh(v["c_next"]),
        "$dh_t$": lambda v: v["dh"],
    },
    "gru": {
        r"$dh_t \odot z$": lambda v: v["dh"] * v["z"],
        "$dh_t$": lambda v: v["dh"],
        r"$dh_t \odot (1 - z)$": lambda v: v["dh"] * (1 - v["z"]),
        "$da_n$": lambda v: v["dh"] * (1 - v["z"]) * (1 - v["n"] ** 2),
        r"$da_n \odot r$": lambda v: v["dh"] * (1 - v["z"]) * (1 - v["n"] ** 2) * v["r"],
    },
}


class Arrows:
    """A forward pass in torch in which every arrow's value is a tensor of its own."""

    def __init__(self):
        rng = np.random.default_rng(4)
        self.draw = lambda *shape: torch.tensor(rng.normal(size=shape), requires_grad=True)
        self.passed, self.values = {}, {}

    def __call__(self, start, end, value):
        """What ``start`` hands to ``end``: the value, on an arrow whose gradient is looked at later."""
        self.values[start] = value
        self.passed[start, end] = value.clone()
        self.passed[start, end].retain_grad()
        return self.passed[start, end]


def rnn(arrow, dh):
    x, h, ih, hh = (arrow.draw(*shape) for shape in ((2, 3), (2, 4), (4, 3), (4, 4)))
    a = arrow("ih", "+", arrow("x", "ih", x) @ ih.T) + arrow("hh", "+", arrow("h", "hh", h) @ hh.T)
    out = arrow("tanh", "out", torch.tanh(arrow("+", "tanh", a)))
    (out * dh).sum().backward()
    return {"ih": ih, "hh": hh, "out": out, "da": dh * (1 - out**2)}


def lstm(arrow, dh):
    c, *sums, carried = (arrow.draw(2, 4) for _ in range(6))
    i, f, o = (torch.sigmoid(one) for one in sums[:3])
    g = torch.tanh(sums[3])
    kept = arrow("keep", "+", arrow("c", "keep", c) * arrow("f", "keep", f))
    written = arrow("write", "+", arrow("i", "write", i) * arrow("g", "write", g))
    memory = arrow("+", "fork", kept + written)
    tanh = arrow("tanh", "show", torch.tanh(arrow("fork", "tanh", memory)))
    shown = arrow("show", "h_next", arrow("o", "show", o) * tanh)
    leaves = arrow("fork", "c_next", memory)
    ((shown * dh).sum() + (leaves * carried).sum()).backward()
    dc = carried + dh * o * (1 - torch.tanh(memory) ** 2)
    return {"c": c, "i": i, "f": f, "g": g, "o": o, "c_next": memory, "carried": carried, "dc": dc}


def gru(arrow, dh):
    h, *sums, x_n, h_n = (arrow.draw(2, 4) for _ in range(5))
    z, r = (torch.sigmoid(one) for one in sums)
    reset = arrow("reset", "n", arrow("r", "reset", r) * arrow("h_n", "reset", h_n))
    n = torch.tanh(arrow("x_n", "n", x_n) + reset)
    room = arrow("1-z", "new", 1 - arrow("z", "1-z", z))
    new = arrow("new", "+", arrow("n", "new", n) * room)
    kept = arrow("keep", "+", arrow("h", "keep", h) * arrow("z", "keep", z))
    (arrow("+", "h_next", new + kept) * dh).sum().backward()
    return {"z": z, "r": r, "n": n}


@pytest.mark.parametrize("kind", CELLS)
def test_each_arrow_says_what_autograd_finds_there(kind):
    arrow = Arrows()
    dh = arrow.draw(2, 4).detach()
    values = {name: value.detach().numpy() for name, value in globals()[kind](arrow, dh).items()}
    values["dh"] = dh.numpy()
    said = {(start, end): error for start, end, error, *_ in CELLS[kind].arrows}
    assert set(said) == set(arrow.passed)
    for place, error in said.items():
        if error in ("?", ""):
            assert kind == "gru" and {"z", "r", "1-z"} & set(place), "only the gates are the reader's to find"
        else:
            close(MEANING[kind][error](values), arrow.passed[place].grad.numpy())


@pytest.mark.parametrize("kind", CELLS)
def test_the_picture_is_drawn_and_described(kind):
    assert plots.way_back(kind) is None
    found = {text.get_text() for text in plt.gca().texts}
    assert {node[3] for node in CELLS[kind].nodes.values()} <= found
    assert len(CELLS[kind].alt.split()) > 40
    plt.close("all")


def test_an_unknown_cell_is_named():
    with pytest.raises(ValueError, match=r"kind is 'cnn'; expected one of 'rnn', 'lstm', 'gru'"):
        plots.way_back("cnn")
