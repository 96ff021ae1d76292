"""The picture of lesson 14: which steps every place of a scan stands for, round by round."""

from rnncore.plots.style import BLUE, GREY, INK, ORANGE, PALE, arrow, canvas

MIDDLE = {"ha": "center", "va": "center"}


def scan_graph(T=8):
    """The rounds of a scan over T steps: who is joined with whom, and the steps that each then stands for."""
    shifts = [1 << k for k in range((T - 1).bit_length())]
    rounds = "; ".join(f"in round {k} with the one {shift} before it" for k, shift in enumerate(shifts, 1))
    alt = f"A table with a column for each of {T} steps and {len(shifts) + 1} rows. "
    alt += f"Arrows join each place {rounds}. "
    alt += "In the last row every place stands for all steps from the first to its own"
    with canvas(size=(9, 1 + 1.1 * len(shifts)), alt=alt) as (_, axes):
        axes.set(xlim=(-1.6, T - 0.3), ylim=(-1.15 * len(shifts) - 0.45, 0.5))
        axes.axis("off")
        for row, shift in enumerate([None, *shifts]):
            y, above = -1.15 * row, -1.15 * (row - 1)
            axes.text(-1, y, "steps" if shift is None else f"shift {shift}", color=GREY, **MIDDLE)
            for t in range(T):
                joined = shift is not None and t >= shift
                if shift is not None:
                    axes.plot([t, t], [above - 0.2, y + 0.2], color=GREY, lw=1)
                if joined:
                    arrow(axes, (t - shift + 0.12, above - 0.22), (t - 0.08, y + 0.24), ORANGE)
                first = max(0, t + 1 - (1 if shift is None else 2 * shift))
                says = f"{t + 1}" if first == t else f"{first + 1}-{t + 1}"
                colour = BLUE if first == 0 else INK
                look = {"boxstyle": "round,pad=0.25", "fc": PALE, "ec": colour, "lw": 2 if first == 0 else 1}
                axes.text(t, y, says, color=colour, fontsize=11, bbox=look, **MIDDLE)
