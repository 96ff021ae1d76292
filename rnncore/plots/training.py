"""Figures of learning: any lines over a shared axis, losses, and what a softmax is told."""

import numpy as np
from matplotlib.ticker import LogLocator

from rnncore.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    LINE,
    MARKERS,
    MINUS,
    ORANGE,
    PLATE,
    STROKES,
    canvas,
    from_to,
    name_the_ends,
)


def curves(
    x,
    lines,
    *,
    xlabel="",
    ylabel="",
    log=False,
    markers=False,
    diagonal=False,
    behind=None,
    ylim=None,
    xticks=None,
    looks=None,
    size=(8, 3.4),
):
    """Named lines over a shared axis: x (N,) and lines {name: (N,)}, each named at its right end.

    ``log`` makes the vertical axis logarithmic, ``markers`` puts one on every point, and ``diagonal``
    adds the line y = x, on which a step changes nothing. ``behind`` {name: (N,)}: thin grey traces, named
    above the figure, of what the lines come from.
    ``ylim`` and ``xticks`` replace matplotlib's own. ``looks`` {name: number} gives a line the colour,
    stroke and marker that it has in other figures.
    """
    alt = f"{ylabel} against {xlabel}: {from_to(lines)}".replace("$", "")
    alt += ", and a thin line where the two are equal" if diagonal else ""
    alt += f"; behind them, thin and grey, {', '.join(behind)}" if behind else ""
    with canvas(size=size, alt=alt) as (_, axes):
        for trace in (behind or {}).values():
            axes.plot(x, trace, color=LINE, lw=1)
        if behind:
            axes.set_title("grey: " + ", ".join(behind), loc="left", color=GREY, fontsize=10)
        for i, (name, y) in enumerate(lines.items()):
            i = (looks or {}).get(name, i)
            marker = MARKERS[i % 5] if markers else ""
            look = {"color": COLOURS[i % 5], "ls": STROKES[i % 5], "marker": marker, "ms": 5}
            axes.plot(x, y, clip_on=not markers, **look)  # a marker on the frame is drawn whole
        if diagonal:
            axes.plot(x, x, color=GREY, lw=1)
        if log:
            axes.set_yscale("log")
        if xticks is not None:
            axes.set_xticks(list(xticks))
        axes.set(xlabel=xlabel, ylabel=ylabel, xlim=(x[0], x[-1]), ylim=ylim)
        name_the_ends(axes, x[-1], lines, looks)


def losses(runs, chance=None, smooth=50, log=False, size=(8, 3.4)):
    """Training losses {name: (N,)} by step, each a mean of the last quarter of the steps until then.

    Of ``smooth`` steps at most: so the line begins at the first loss and bends nowhere by itself.
    ``chance`` draws a line at the loss of a blind guess; ``log`` makes the vertical axis logarithmic.
    """
    means = {name: _running_mean(np.asarray(values, dtype=float), smooth) for name, values in runs.items()}
    alt = f"Training loss by step: {from_to(means)}"
    alt += "; the axis of the loss is logarithmic" if log else ""
    alt += "" if chance is None else f"; a thin line marks a blind guess, {chance:.2f}"
    with canvas(size=size, alt=alt) as (_, axes):
        for i, mean in enumerate(means.values()):
            steps = np.arange(1, len(mean) + 1)
            axes.plot(steps, mean, color=COLOURS[i % 5], ls=STROKES[i % 5])
        if chance is not None:
            axes.axhline(chance, color=GREY, lw=1)
            where = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "bbox": PLATE}
            axes.annotate("blind guess", (1, chance), (-4, 8), color=GREY, ha="right", va="bottom", **where)
        axes.set(xlabel="training step", ylabel="loss", xlim=(0, steps[-1]))
        if log:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.minorticks_off()
        else:
            axes.set_ylim(0, 1.12 * axes.dataLim.y1)
        name_the_ends(axes, steps[-1], means)


def _running_mean(values, most):
    """At each of N steps the mean of the last quarter of the steps until then, of ``most`` at most."""
    steps = np.arange(1, len(values) + 1)
    width = np.clip(-(-steps // 4), 1, most)
    total = np.concatenate([[0], np.cumsum(values)])
    return (total[steps] - total[steps - width]) / width


def next_letter(letters, target, probabilities, push):
    """What a softmax believes about the next letter, and which way the loss pushes each score.

    ``probabilities`` and ``push`` are (V,), one number for each of the ``letters``; ``target`` is the
    index of the letter that really came.
    """
    alt = f"Two charts with a bar for each letter, {', '.join(letters)}: the probabilities, and minus the "
    alt += f"gradient, which is above zero for {letters[target]} alone, the letter that came"
    hatches = ["//" if i == target else "" for i in range(len(letters))]
    names = [f"{letter}\n(came)" if i == target else letter for i, letter in enumerate(letters)]
    with canvas(1, 2, (8, 2.8), alt) as (_, (left, right)):
        for axes, values, form in ((left, probabilities, ".2f"), (right, push, "+.2f")):
            colours = [BLUE if value >= 0 else ORANGE for value in values]
            bars = axes.bar(names, values, color=colours, hatch=hatches, edgecolor="white", width=0.6)
            labels = [f"{value:{form}}".replace("-", MINUS) for value in values]
            axes.bar_label(bars, labels, padding=3)
            axes.margins(y=0.25)
            axes.axhline(0, color=INK, lw=1)
            axes.grid(axis="x", visible=False)
        left.set(title="what it believed", ylabel="probability", ylim=(0, 1))
        right.set(title="what it is told", ylabel="push on the score")
