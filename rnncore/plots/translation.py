"""Figures of translating: a network that reads, one that writes, and where the second looks."""

import numpy as np

from rnncore.plots.style import BLUE, GREY, INK, PALE, PLATE, arrow, canvas, heat_map, span


def translator_graph(source="six", target="sechs"):
    """An encoder over the letters of ``source``, a decoder over those of ``target``, twice.

    On the left only the encoder's last state reaches the decoder; on the right each step of the decoder
    looks back at all of the encoder's outputs (drawn for one step).
    """
    alt = (
        f"Two networks. Each has a row of boxes that reads {source} and a row above it that writes {target}. "
    )
    alt += "Left, the bottleneck: one arrow leads from the last box that reads to the boxes that write. "
    alt += "Right, with attention: dashed arrows lead from every box that reads to one that writes"
    with canvas(1, 2, (10, 3.6), alt) as (_, row):
        for axes, looks in zip(row, (False, True), strict=True):
            _boxes(axes, source, 0, "reads")
            _boxes(axes, target, 2, "writes")
            last = len(source) - 1
            arrow(axes, (last - 0.15, 0.4), (0, 1.6), INK)
            axes.text(0.35 * last, 1.2, "state", ha="center", va="center", bbox=PLATE, fontsize=10)
            if looks:
                for s, width in enumerate(np.linspace(0.8, 4, len(source))):
                    axes.plot([s, 3], [0.4, 1.6], color=BLUE, ls="--", lw=width)
                axes.text(3.1, 1.0, "attention:\nlooks at all\nof them", color=BLUE, va="center", fontsize=10)
            axes.set(xlim=(-1.1, len(target) + 0.4), ylim=(-0.9, 3.1))
            axes.set_title("with attention" if looks else "through the bottleneck")
            axes.axis("off")


def _boxes(axes, letters, height, does):
    for t, letter in enumerate(letters):
        box = {"boxstyle": "round,pad=0.4", "fc": PALE, "ec": INK, "lw": 1.5}
        axes.text(t, height, "$h$" if height == 0 else "$s$", ha="center", va="center", bbox=box)
        if t:
            arrow(axes, (t - 0.72, height), (t - 0.26, height), INK)
        below = height == 0
        axes.text(t, height - 0.65 if below else height + 0.65, letter, ha="center", va="center", fontsize=12)
    axes.text(-0.45, height, does, ha="right", va="center", color=GREY, fontsize=10)


def attention_map(weights, source, target, size=None):
    """Where each letter of a translation looked: weights (T, S), a row for each letter of ``target``.

    ``source`` holds the S letters or words read, ``target`` the T letters written. Darker squares got more
    attention; a dot marks the most of each row.
    """
    weights = np.asarray(weights)
    pairs = ", ".join(
        f"{wrote} at {source[s].strip()}" for wrote, s in zip(target, weights.argmax(axis=1), strict=True)
    )
    parts = [part.strip() for part in source]
    alt = f"Heat map of attention: a row for each letter written, {' '.join(target)}, a column for each part "
    alt += f"read, {' '.join(parts)}. Weights {span(weights, target, parts)}. Most: {pairs}"
    longest = max(map(len, source))
    size = size or (2.2 + (0.4 + 0.075 * longest) * len(source), 1.1 + 0.33 * len(target))
    with canvas(size=size, alt=alt) as (figure, axes):
        image = heat_map(axes, weights, limit=1, signed=False)
        for t, s in enumerate(weights.argmax(axis=1)):
            axes.plot(s, t, "o", ms=4, color="white" if weights[t, s] > 0.5 else INK)
        axes.set_xticks(range(len(source)), source, fontsize=11)
        axes.set_yticks(range(len(target)), target, fontsize=12)
        axes.set(xlabel="read", ylabel="written")
        figure.colorbar(image, ax=axes, ticks=[0, 0.5, 1], pad=0.02).outline.set_visible(False)
