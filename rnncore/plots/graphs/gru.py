"""The picture of lesson 06: a GRU cell, whose state runs straight through and is mixed with a candidate."""

from matplotlib.patches import Circle, FancyBboxPatch

from rnncore.plots.style import BLUE, GREY, INK, ORANGE, PALE, arrow, canvas

MIDDLE = {"ha": "center", "va": "center"}
BELT, INNER, ROW, BUS = (
    4.0,
    2.75,
    1.55,
    0.4,
)  # heights: the state, the candidate's share, the gates, their input
Z, R, RESET, N, END = 2.0, 4.0, 5.3, 6.9, 8.9  # from left to right


def gru_graph():
    """One GRU cell: the state h on top is multiplied by z, and 1 - z times the candidate n is added."""
    alt = "A GRU cell. Along the top a straight line carries the state from h_t-1 to h_t: it is multiplied "
    alt += "by z, then (1 - z) times n is added. Below, three boxes z, r, n, all fed by x_t and h_t-1. "
    alt += "The candidate n gets its share of h_t-1 only after that has been multiplied by r"
    with canvas(size=(9, 4.3), alt=alt) as (_, axes):
        axes.set(xlim=(-0.7, 9.6), ylim=(-0.35, 4.5), aspect="equal")
        axes.axis("off")
        for start, end in ((0.3, Z - 0.28), (Z + 0.28, N - 0.28), (N + 0.28, END)):
            arrow(axes, (start, BELT), (end, BELT), ORANGE)
        axes.text(-0.1, BELT, "$h_{t-1}$", fontsize=15, color=ORANGE, **MIDDLE)
        axes.text(END + 0.3, BELT, "$h_t$", fontsize=15, color=ORANGE, **MIDDLE)
        axes.text(-0.1, BUS, "$x_t$\n$h_{t-1}$", fontsize=14, **MIDDLE)
        axes.plot([0.4, N], [BUS, BUS], color=GREY, lw=2)
        for name, x, question in (("z", Z, "keep?"), ("r", R, "look back?"), ("n", N, "what else?")):
            _box(axes, name, x, question)
        for x, y, sign in ((Z, BELT, "×"), (N, BELT, "+"), (N, INNER, "×"), (RESET, ROW, "×")):
            axes.add_patch(Circle((x, y), 0.26, fc="white", ec=INK, lw=1.5))
            axes.text(x, y - 0.02, sign, fontsize=14, **MIDDLE)
        arrow(axes, (Z, ROW + 0.42), (Z, BELT - 0.28), BLUE)
        arrow(axes, (Z, INNER), (N - 0.28, INNER), BLUE)
        axes.text((Z + N) / 2, INNER + 0.22, "$1 - z$", color=BLUE, fontsize=13, **MIDDLE)
        arrow(axes, (N, ROW + 0.42), (N, INNER - 0.28), BLUE)
        arrow(axes, (N, INNER + 0.28), (N, BELT - 0.28), BLUE)
        arrow(axes, (R + 0.42, ROW), (RESET - 0.28, ROW), BLUE)
        arrow(axes, (RESET, BUS), (RESET, ROW - 0.28), GREY)
        for x, name in ((RESET, "$h_n$"), (N, "$x_n$")):
            axes.text(x + 0.1, (BUS + ROW) / 2 - 0.1, name, color=GREY, fontsize=13, va="center")
        arrow(axes, (RESET + 0.28, ROW), (N - 0.4, ROW), INK)


def _box(axes, name, x, question):
    """A gate, or the candidate, on top of the line that feeds all three."""
    arrow(axes, (x, BUS), (x, ROW - 0.42), GREY)
    look = {"boxstyle": "round,pad=0.02,rounding_size=0.1", "fc": PALE, "ec": INK, "lw": 1.5}
    axes.add_patch(FancyBboxPatch((x - 0.38, ROW - 0.36), 0.76, 0.72, **look))
    axes.text(x, ROW, f"${name}$", fontsize=14, **MIDDLE)
    axes.text(
        x + 0.46, ROW - 0.3, "tanh" if name == "n" else r"$\sigma$", fontsize=10, color=GREY, va="center"
    )
    axes.text(x, BUS - 0.45, question, fontsize=11, color=BLUE, **MIDDLE)
