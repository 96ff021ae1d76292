"""Drawings of the network itself: folded up and unrolled, and the way that errors take back through it."""

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from rnncore.plots.style import ARROW, BLUE, GREY, INK, ORANGE, PALE, arrow, canvas


def unrolled_graph(inputs=("x_1", "x_2", "x_3", "x_4")):
    """A recurrent cell folded up (left) and unrolled over its inputs (right), the weights on every arrow.

    ``inputs`` names the input of each step: mathtext such as ``x_1``, or single letters of a word.
    """
    steps = len(inputs)
    alt = "Left: one cell with an arrow from itself to itself. Right: the same cell drawn "
    alt += f"{steps} times in a row, handing its state on, with the same two weight matrices at every step"
    with canvas(size=(2.1 * steps + 2.4, 3), alt=alt) as (_, axes):
        axes.set(xlim=(-1.1, 2.35 + 1.75 * steps), ylim=(-1.75, 1.75), aspect="equal")
        axes.axis("off")
        _cell(axes, 0, "t", "x_t")
        loop = Path([(0.5, 0.2), (1.35, 0.75), (1.35, -0.75), (0.5, -0.2)], [1, 4, 4, 4])
        axes.add_patch(FancyArrowPatch(path=loop, color=ORANGE, fc="none", lw=2, **ARROW))
        axes.text(0.85, 0.42, "$W_{hh}$", color=ORANGE, ha="center")
        axes.text(1.5, 0, "=", fontsize=22, ha="center", va="center")
        axes.text(2.05, 0, "$h_0$", ha="center", va="center", fontsize=13)
        for step, name in enumerate(inputs, start=1):
            x = 1.6 + 1.75 * step
            _cell(axes, x, step, name)
            arrow(axes, (x - 1.25 if step > 1 else 2.3, 0), (x - 0.5, 0), ORANGE)
            axes.text(x - 0.88, 0.14, "$W_{hh}$", color=ORANGE, ha="center", va="bottom")


def _cell(axes, x, step, name):
    """One cell with its input below and its output above."""
    look = {"boxstyle": "round,pad=0.02,rounding_size=0.12", "fc": PALE, "ec": INK, "lw": 1.5}
    axes.add_patch(FancyBboxPatch((x - 0.48, -0.38), 0.96, 0.76, **look))
    axes.text(x, 0, "tanh", ha="center", va="center", fontsize=12)
    axes.text(x, -1.6, f"${name}$", ha="center", fontsize=13)
    axes.text(x, 1.3, f"$y_{step} = h_{step}$", ha="center", fontsize=13)
    arrow(axes, (x, -1.25), (x, -0.4), BLUE)
    arrow(axes, (x, 0.4), (x, 1.2), INK)
    axes.text(x + 0.08, -0.85, "$W_{ih}$", color=BLUE, va="center")


def backward_graph(steps=4):
    """The unrolled graph with errors flowing back (dashed), each step adding its part to one gradient."""
    alt = f"{steps} cells in a row. Thin arrows go forward from h_0 to h_{steps}. Dashed arrows bring dy_t "
    alt += "into each cell from above and carry the error to the cell on its left. From each cell an arrow "
    alt += "leads down into one long box: the sum over t, the gradient of W_hh"
    look = {"boxstyle": "round,pad=0.02,rounding_size=0.12", "ec": INK, "lw": 1.5}
    words = {"ha": "center", "va": "center", "fontsize": 13}
    with canvas(size=(2.1 * steps + 1.2, 3.7), alt=alt) as (_, axes):
        axes.set(xlim=(-0.3, 2.1 * steps + 0.7), ylim=(-2.15, 1.75), aspect="equal")
        axes.axis("off")
        axes.text(0, 0.17, "$h_0$", **words)
        axes.text(0, -0.22, "$dh_0$", color=ORANGE, **words)
        for t in range(1, steps + 1):
            x = 2.1 * t - 0.6
            left = x - (1.55 if t > 1 else 1.15)
            axes.add_patch(FancyBboxPatch((x - 0.48, -0.42), 0.96, 0.84, fc=PALE, **look))
            axes.text(x, 0, f"step {t}", ha="center", va="center", fontsize=12)
            arrow(axes, (left, 0.17), (x - 0.52, 0.17), GREY)
            arrow(axes, (x - 0.52, -0.22), (left, -0.22), ORANGE, "--")
            arrow(axes, (x, 1.3), (x, 0.46), ORANGE, "--")
            axes.text(x, 1.5, f"$dy_{t}$", color=ORANGE, **words)
            arrow(axes, (x, -0.46), (x, -1.4), BLUE)
            axes.text(x + 0.1, -0.93, rf"$da_{t}^\top\, h_{t - 1}$", va="center", fontsize=13, color=BLUE)
            if t > 1:
                axes.text(x - 1.05, 0.27, f"$h_{t - 1}$", ha="center", va="bottom", color=GREY)
                axes.text(x - 1.05, -0.36, "carry", ha="center", va="top", color=ORANGE, fontsize=10)
        axes.add_patch(FancyBboxPatch((0.97, -2.05), 2.1 * steps - 0.9, 0.6, fc="white", **look))
        total = r"$dW_{hh} \; = \; \sum_t \; da_t^\top \, h_{t-1}$"
        axes.text(1.05 * steps + 0.52, -1.77, total, color=BLUE, **words)
