"""The picture of lesson 07: two networks over one sequence, one from each end, and what they say together."""

from matplotlib.patches import FancyBboxPatch

from rnncore.plots.style import BLUE, INK, ORANGE, PALE, arrow, canvas


def bidirectional_graph(inputs=("x_1", "x_2", "x_3", "x_4")):
    """Two rows of cells over the same inputs: one hands its state to the right, the other to the left."""
    steps = len(inputs)
    alt = f"{steps} inputs below. Above each stand two cells. The lower row hands its state from left to "
    alt += "right, the upper row, dashed, from right to left. Each output joins the two states of its step"
    look = {"boxstyle": "round,pad=0.02,rounding_size=0.12", "fc": PALE, "lw": 1.5}
    words = {"ha": "center", "va": "center", "fontsize": 13}
    with canvas(size=(2.1 * steps + 1.2, 4), alt=alt) as (_, axes):
        axes.set(xlim=(-0.6, 2.1 * steps + 0.6), ylim=(-2, 2.6), aspect="equal")
        axes.axis("off")
        axes.text(0, -0.5, "$0$", **words)
        axes.text(2.1 * steps + 0.05, 0.8, "$0$", **words)
        for t, name in enumerate(inputs, start=1):
            left, right = 2.1 * t - 1.45, 2.1 * t - 0.65
            middle = (left + right) / 2
            for x, y, color, style in ((left, -0.5, BLUE, "-"), (right, 0.8, ORANGE, "--")):
                axes.add_patch(FancyBboxPatch((x - 0.3, y - 0.28), 0.6, 0.56, ec=color, ls=style, **look))
                arrow(axes, (middle, -1.4), (x, y - 0.34), INK)
                arrow(axes, (x, y + 0.34), (middle, 1.85), INK)
            axes.text(left, -0.5, rf"$\overrightarrow{{h}}_{t}$", **words)
            axes.text(right, 0.8, rf"$\overleftarrow{{h}}_{t}$", **words)
            arrow(axes, (left - 1.7 if t > 1 else 0.15, -0.5), (left - 0.36, -0.5), BLUE)
            arrow(axes, (right + 1.7 if t < steps else right + 0.56, 0.8), (right + 0.36, 0.8), ORANGE, "--")
            axes.text(middle, -1.65, f"${name}$", **words)
            axes.text(middle, 2.1, f"$y_{t}$", **words)
