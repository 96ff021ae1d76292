"""The way back through one cell, arrow by arrow, for the cells of lessons 03, 05 and 06.

Each cell is a few nodes and the arrows between them. Every arrow is drawn twice: thin and grey as the
numbers went forward, dashed as the error comes back, with what it carries written beside it.
"""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.patches import Circle, FancyBboxPatch

from rnncore.plots.style import BLUE, GREY, INK, ORANGE, PALE, PLATE, arrow, canvas

APART = 0.1  # half the distance between an arrow and the same arrow on its way back
SMALLEST = {"value": 0.42, "box": 0.5, "sign": 0.28}  # how far arrows stay from a node's middle


@dataclass(frozen=True)
class Cell:
    """A cell's nodes {name: (kind, x, y, text)}, arrows [(from, to, error, dx, dy)] and notes [(x, y, text)].

    ``error`` is what the arrow carries on its way back; dx and dy move these words off the arrow's middle.
    """

    nodes: dict
    arrows: list
    notes: list = field(default_factory=list)
    alt: str = ""


RNN = Cell(
    nodes={
        "x": ("value", 0, 2.4, "$x_t$"),
        "h": ("value", 0, 0, "$h_{t-1}$"),
        "ih": ("box", 3, 2.4, "$W_{ih}$"),
        "hh": ("box", 3, 0, "$W_{hh}$"),
        "+": ("sign", 5.2, 1.2, "+"),
        "tanh": ("box", 8.6, 1.2, "tanh"),
        "out": ("value", 11.6, 1.2, "$h_t$"),
    },
    arrows=[
        ("x", "ih", r"$dx_t = da_t\, W_{ih}$", 0, 0.38),
        ("h", "hh", r"carry: $da_t\, W_{hh}$", 0, -0.42),
        ("ih", "+", "$da_t$", 0.35, 0.25),
        ("hh", "+", "$da_t$", 0.35, -0.3),
        ("+", "tanh", r"$da_t = dh_t \odot (1 - h_t^2)$", 0, 0.38),
        ("tanh", "out", "$dh_t$", 0, 0.35),
    ],
    notes=[
        (3, 3.3, r"$dW_{ih}$ gets $da_t^\top x_t$"),
        (3, -0.95, r"$dW_{hh}$ gets $da_t^\top h_{t-1}$"),
        (6.5, 0.6, "each bias gets $da_t$"),
        (10.6, 2.0, r"$dh_t = dy_t + $ carry"),
    ],
    alt="One step of a recurrent cell, from right to left: dh_t, the sum of the step's own error and "
    "the carry, passes the tanh and becomes da_t. At the plus sign da_t goes to both branches "
    "unchanged: through W_ih to dx_t, and through W_hh to the carry of the step before. On its "
    "way it leaves da_t times x_t, and da_t times h_t-1, at the two weight matrices",
)

LSTM = Cell(
    nodes={
        "c": ("value", 0, 4.6, "$c_{t-1}$"),
        "keep": ("sign", 2.4, 4.6, "×"),
        "+": ("sign", 5.7, 4.6, "+"),
        "fork": ("point", 10.4, 4.6, ""),
        "c_next": ("value", 13.2, 4.6, "$c_t$"),
        "write": ("sign", 5.7, 3.1, "×"),
        "tanh": ("box", 10.4, 3.1, "tanh"),
        "show": ("sign", 10.4, 1.5, "×"),
        "h_next": ("value", 13.2, 1.5, "$h_t$"),
        "f": ("box", 2.4, 1.5, "$f$"),
        "i": ("box", 4.7, 1.5, "$i$"),
        "g": ("box", 6.7, 1.5, "$g$"),
        "o": ("box", 8.6, 1.5, "$o$"),
    },
    arrows=[
        ("c", "keep", r"$dc_{t-1} = dc_t \odot f$", 0, 0.38),
        ("keep", "+", "$dc_t$", 0, 0.35),
        ("+", "fork", "$dc_t$, the sum of both", 0, 0.38),
        ("fork", "c_next", r"$dc_{\mathrm{carried}}$", 0, 0.38),
        ("write", "+", "$dc_t$", 0.45, 0),
        ("f", "keep", r"$dc_t \odot c_{t-1}$", 0.9, 0.3),
        ("i", "write", r"$dc_t \odot g$", -0.7, 0.2),
        ("g", "write", r"$dc_t \odot i$", 0.75, 0.2),
        ("fork", "tanh", r"$dh_t \odot o \odot (1 - \tanh^2 c_t)$", 1.75, 0),
        ("tanh", "show", r"$dh_t \odot o$", 0.75, 0),
        ("o", "show", r"$dh_t \odot \tanh c_t$", 0, -0.62),
        ("show", "h_next", "$dh_t$", 0, 0.35),
    ],
    notes=[
        (2.4, 0.75, r"$\cdot\, f(1 - f)$" "\n$= da_f$"),
        (4.7, 0.75, r"$\cdot\, i(1 - i)$" "\n$= da_i$"),
        (6.7, 0.75, r"$\cdot\, (1 - g^2)$" "\n$= da_g$"),
        (8.6, 0.35, r"$\cdot\, o(1 - o)$" "\n$= da_o$"),
        (0.1, 1.5, "all four\nas in lesson 03"),
    ],
    alt="An LSTM cell, from right to left. The carry arrives at c_t and dh_t at h_t. dh_t goes "
    "through the product with o: to the gate o with tanh c_t, and through the tanh up to the "
    "memory, where it is added to the carry: that sum is dc_t. Along the top dc_t passes the plus"
    " sign unchanged and the product with f: it leaves as dc_t times f, and f gets dc_t times "
    "c_t-1. Down the other branch of the plus sign i gets dc_t times g, and g gets dc_t times i. "
    "Under each of the four stands its slope",
)

GRU = Cell(
    nodes={
        "h": ("value", 0, 4.6, "$h_{t-1}$"),
        "keep": ("sign", 2.4, 4.6, "×"),
        "+": ("sign", 9.4, 4.6, "+"),
        "h_next": ("value", 12, 4.6, "$h_t$"),
        "new": ("sign", 9.4, 3.1, "×"),
        "1-z": ("sign", 4.6, 3.1, "1−"),
        "z": ("box", 2.4, 1.5, "$z$"),
        "r": ("box", 4.9, 1.5, "$r$"),
        "reset": ("sign", 7, 1.5, "×"),
        "n": ("box", 9.4, 1.5, "$n$"),
        "h_n": ("value", 7, 0, "$h_n$"),
        "x_n": ("value", 9.4, 0, "$x_n$"),
    },
    arrows=[
        ("h", "keep", r"$dh_t \odot z$", 0, 0.35),
        ("keep", "+", "$dh_t$", 0, 0.35),
        ("+", "h_next", "$dh_t$", 0, 0.35),
        ("new", "+", "$dh_t$", 0.45, 0),
        ("z", "keep", "?", -0.35, 0.3),
        ("z", "1-z", "", 0, 0),
        ("1-z", "new", "?", 0, 0.35),
        ("n", "new", r"$dh_t \odot (1 - z)$", 1.05, 0),
        ("reset", "n", "$da_n$", 0, 0.35),
        ("r", "reset", "?", 0, 0.35),
        ("h_n", "reset", r"$da_n \odot r$", 0.75, 0),
        ("x_n", "n", "$da_n$", 0.5, 0),
    ],
    notes=[(10.9, 1.5, r"$\cdot\, (1 - n^2)$" "\n$= da_n$")],
    alt="A GRU cell, from right to left. dh_t passes the plus sign unchanged to both branches. Along "
    "the top it is multiplied by z on its way to h_t-1; down to the candidate n it is multiplied "
    "by 1 - z, and n's slope makes it da_n. da_n goes to x_n unchanged and, through the product "
    "with r, to h_n. Question marks stand at the ways to the two gates: two to z, one of them "
    "through 1 - z, and one to r",
)

CELLS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


def way_back(kind):
    """One step of the cell ``kind``, "rnn", "lstm" or "gru", and what each arrow carries on its way back."""
    if kind not in CELLS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(map(repr, CELLS))}")
    cell = CELLS[kind]
    places = np.array([node[1:3] for node in cell.nodes.values()] + [note[:2] for note in cell.notes])
    left, low = places.min(axis=0) - np.array([0.9, 0.7])
    right, high = places.max(axis=0) + np.array([1.1, 0.7])
    width = 10.5
    with canvas(size=(width, width * (high - low) / (right - left)), alt=cell.alt) as (_, axes):
        axes.set(xlim=(left, right), ylim=(low, high), aspect="equal")
        axes.axis("off")
        words = {"ha": "center", "va": "center", "fontsize": 11}
        for start, end, error, dx, dy in cell.arrows:
            middle = _there_and_back(axes, cell.nodes[start], cell.nodes[end])
            axes.text(middle[0] + dx, middle[1] + dy, error, color=ORANGE, zorder=3, **words)
        for kind, x, y, text in cell.nodes.values():
            _node(axes, kind, x, y, text)
        for x, y, text in cell.notes:
            axes.text(x, y, text, color=BLUE, bbox=PLATE, **words)


def _there_and_back(axes, start, end):
    """The arrow from node to node and, beside it, the dashed one back; returns the middle between the two."""
    (first, *a), (last, *b) = (node[:3] for node in (start, end))
    a, b = np.array(a, float), np.array(b, float)
    along = (b - a) / np.linalg.norm(b - a)
    beside = APART * np.array([along[1], -along[0]])
    a, b = a + along * _gap(first, along), b - along * _gap(last, along)
    axes.plot(*np.transpose([a + beside, b + beside]), color=GREY, lw=1.2)
    arrow(axes, tuple(b - beside), tuple(a - beside), ORANGE, "--")
    return (a + b) / 2


def _node(axes, kind, x, y, text):
    if kind == "sign":
        axes.add_patch(Circle((x, y), 0.26, fc="white", ec=INK, lw=1.5, zorder=2))
    elif kind == "box":
        look = {"boxstyle": "round,pad=0.02,rounding_size=0.1", "fc": PALE, "ec": INK, "lw": 1.5}
        axes.add_patch(FancyBboxPatch((x - 0.45, y - 0.34), 0.9, 0.68, zorder=2, **look))
    axes.text(x, y - 0.02, text, ha="center", va="center", fontsize=12, zorder=3)


def _gap(kind, along):
    """How far an arrow along this way stays from the middle of a node: a box is wider than high."""
    if kind != "box":
        return SMALLEST.get(kind, 0)
    return min(0.47 / max(abs(along[0]), 1e-9), 0.36 / max(abs(along[1]), 1e-9)) + 0.07
