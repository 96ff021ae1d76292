"""The picture of lesson 05: an LSTM cell, whose memory runs straight through while gates stand beside it."""

from matplotlib.patches import Circle, FancyBboxPatch

from rnncore.plots.style import BLUE, GREY, INK, ORANGE, PALE, arrow, canvas

MIDDLE = {"ha": "center", "va": "center"}
BELT, INNER, ROW, BUS = 4.0, 2.75, 1.55, 0.55  # heights: the memory, the products, the gates, their input


def lstm_graph():
    """One LSTM cell: the memory c on top, only multiplied and added to; below it the gates f, i, o and g."""
    alt = (
        "An LSTM cell. Along the top a straight line carries the memory from c_t-1 to c_t: it is multiplied "
    )
    alt += "by f, then i times g is added. Below, four boxes f, i, g, o, all fed by x_t and h_t-1. "
    alt += "From the new memory a branch goes down through a tanh, is multiplied by o, and leaves as h_t"
    with canvas(size=(9.6, 4.3), alt=alt) as (_, axes):
        axes.set(xlim=(-0.7, 10.1), ylim=(-0.35, 4.5), aspect="equal")
        axes.axis("off")
        for start, end in ((0.3, 1.72), (2.28, 4.12), (4.68, 9.1)):
            arrow(axes, (start, BELT), (end, BELT), ORANGE)
        for x, name in ((-0.1, "$c_{t-1}$"), (9.5, "$c_t$")):
            axes.text(x, BELT, name, fontsize=15, color=ORANGE, **MIDDLE)
        axes.text(-0.1, BUS, "$x_t$\n$h_{t-1}$", fontsize=14, **MIDDLE)
        axes.plot([0.4, 6.7], [BUS, BUS], color=GREY, lw=2)
        gates = (("f", 2.0, "keep?"), ("i", 3.7, "write?"), ("g", 5.1, "what?"), ("o", 6.7, "show?"))
        for name, x, question in gates:
            _gate(axes, name, x, question)
        for x, y, sign in ((2.0, BELT, "×"), (4.4, BELT, "+"), (4.4, INNER, "×"), (8.2, ROW, "×")):
            axes.add_patch(Circle((x, y), 0.26, fc="white", ec=INK, lw=1.5))
            axes.text(x, y - 0.02, sign, fontsize=14, **MIDDLE)
        arrow(axes, (2.0, ROW + 0.42), (2.0, BELT - 0.28), BLUE)
        arrow(axes, (3.7, ROW + 0.42), (4.18, INNER - 0.2), BLUE)
        arrow(axes, (5.1, ROW + 0.42), (4.62, INNER - 0.2), BLUE)
        arrow(axes, (4.4, INNER + 0.28), (4.4, BELT - 0.28), BLUE)
        arrow(axes, (7.12, ROW), (7.92, ROW), BLUE)
        arrow(axes, (8.2, BELT), (8.2, 3.12), INK)
        _box(axes, 8.2, INNER, "tanh", "white")
        arrow(axes, (8.2, INNER - 0.38), (8.2, ROW + 0.28), INK)
        arrow(axes, (8.48, ROW), (9.1, ROW), INK)
        axes.text(9.5, ROW, "$h_t$", fontsize=15, **MIDDLE)


def _gate(axes, name, x, question):
    """A gate, or the candidate, on top of the line that feeds all four."""
    arrow(axes, (x, BUS), (x, ROW - 0.42), GREY)
    _box(axes, x, ROW, f"${name}$", PALE)
    axes.text(
        x + 0.5, ROW - 0.28, "tanh" if name == "g" else r"$\sigma$", fontsize=10, color=GREY, va="center"
    )
    axes.text(x, BUS - 0.45, question, fontsize=11, color=BLUE, **MIDDLE)


def _box(axes, x, y, text, colour):
    look = {"boxstyle": "round,pad=0.02,rounding_size=0.1", "fc": colour, "ec": INK, "lw": 1.5}
    axes.add_patch(FancyBboxPatch((x - 0.38, y - 0.36), 0.76, 0.72, **look))
    axes.text(x, y, text, fontsize=11 if len(text) > 3 else 14, **MIDDLE)
