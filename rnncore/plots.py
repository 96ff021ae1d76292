"""The figures of the lessons, in one quiet style that also reads in grey and without colour vision.

Every function draws one figure from plain arrays, often made by the reader's own functions, and returns
None, so that nothing but the picture lands in a notebook's output. Lines differ by colour, stroke *and*
marker, and are named beside their ends rather than in a legend. The colours are those of Okabe and Ito
(2008), with a darker purple. Each figure carries a description for screen readers (the ``alt`` text of
the stored picture).
"""

import sys
from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

INK, GREY, PALE = "#222222", "#767676", "#E9EEF2"
BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#56B4E9"
COLOURS = [BLUE, ORANGE, GREEN, PURPLE, SKY]
STROKES = ["-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1))]
MARKERS = ["o", "s", "^", "D", "v"]
BLUE_TO_ORANGE = LinearSegmentedColormap.from_list(
    "blue to orange", ["#004B80", SKY, "#F7F7F7", "#F0A35E", "#A33B00"]
)
ARROW = {"arrowstyle": "-|>", "mutation_scale": 14, "shrinkA": 0, "shrinkB": 0}

STYLE = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "axes.grid": True,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "lines.linewidth": 2,
}


@contextmanager
def canvas(rows=1, columns=1, size=(9, 3), alt="", **options):
    """Figure and axes in the lessons' style, ``size`` in inches, shown when the block ends.

    In a notebook the picture is displayed with ``alt`` as its description. Elsewhere the figure stays
    open, for ``matplotlib.pyplot.show()`` or ``savefig``.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(rows, columns, figsize=size, **options)
        yield figure, axes
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        data, about = shell.display_formatter.format(figure) if shell else ({}, {})
        if "image/png" in data:
            about["image/png"] = about.get("image/png", {}) | {"alt": alt}
            shell.display_pub.publish(data, about)
            plt.close(figure)


def curves(x, lines, *, xlabel="", ylabel="", log=False, markers=False, diagonal=False, size=(8, 3.4)):
    """Named lines over a shared axis: x (N,) and lines {name: (N,)}, each named at its right end.

    ``log`` makes the vertical axis logarithmic, ``markers`` puts one on every point, and ``diagonal``
    adds the line y = x, on which a step changes nothing.
    """
    alt = f"{ylabel} against {xlabel}, one line each for {', '.join(lines)}"
    with canvas(size=size, alt=alt) as (_, axes):
        for i, y in enumerate(lines.values()):
            marker = MARKERS[i % 5] if markers else ""
            axes.plot(x, y, color=COLOURS[i % 5], ls=STROKES[i % 5], marker=marker, ms=5)
        if diagonal:
            axes.plot(x, x, color=GREY, lw=1)
        if log:
            axes.set_yscale("log")
        axes.set(xlabel=xlabel, ylabel=ylabel, xlim=(x[0], x[-1]))
        _name_the_ends(axes, x[-1], lines)


def _name_the_ends(axes, x, lines):
    """Write each line's name beside its last point, moved apart where two would touch."""
    axes.figure.canvas.draw()
    height = axes.bbox.height
    last = [axes.transData.transform((x, np.asarray(y)[-1]))[1] - axes.bbox.y0 for y in lines.values()]
    gap = 1.35 * plt.rcParams["font.size"] * axes.figure.dpi / 72
    floor = -np.inf
    for i in np.argsort(last):
        at = max(last[i], floor)
        floor = at + gap
        name, colour = list(lines)[i], COLOURS[i % 5]
        axes.text(1.02, at / height, name, color=colour, transform=axes.transAxes, va="center", weight="bold")


def activation_curves(activations, grad):
    """Each activation and its derivative, side by side, the saturated regions shaded.

    ``activations`` is {name: function of an array}; ``grad(name, y)`` is the derivative from the output.
    """
    x = np.linspace(-6, 6, 481)
    alt = f"{', '.join(activations)} from -6 to 6, each with its derivative, shaded where that is below 0.05"
    with canvas(1, len(activations), (3.2 * len(activations), 3.4), alt, sharey=True) as (figure, row):
        for axes, (name, function) in zip(np.atleast_1d(row), activations.items(), strict=True):
            y = function(x)
            slope = grad(name, y)
            flat = axes.fill_between(x, -1.2, 2.2, where=slope < 0.05, color=PALE, lw=0)
            (output,) = axes.plot(x, y, color=BLUE)
            (derivative,) = axes.plot(x, slope, color=ORANGE, ls="--")
            axes.set(title=name, xlabel="x", ylim=(-1.2, 2.2), xticks=[-6, -3, 0, 3, 6])
        keys = ["output y", "derivative dy/dx", "saturated: derivative below 0.05"]
        figure.legend([output, derivative, flat], keys, loc="outside lower center", ncols=3, frameon=False)


def impulse_memory(memories):
    """What is left of one input, step by step: {name: (T,) differences between with and without it}."""
    steps = np.arange(len(next(iter(memories.values()))))
    labels = {"xlabel": "steps since the impulse", "ylabel": "difference it still makes"}
    curves(steps, memories, markers=True, **labels)


def state_heat_map(text, states, names=None):
    """The state after every letter: text of T letters, states (T, H) in -1..1, one row for each unit.

    Orange is positive; blue is negative and carries a minus sign, so the map also reads in grey.
    ``names`` gives the rows' labels, ``unit 0`` and so on if left out.
    """
    states = np.asarray(states)
    steps, units = states.shape
    names = names or [f"unit {i}" for i in range(units)]
    alt = f"Heat map of the states {', '.join(names)} after each letter of: {text}"
    with canvas(size=(max(4, 1.8 + 0.29 * steps), 0.9 + 0.36 * units), alt=alt) as (figure, axes):
        image = axes.imshow(states.T, cmap=BLUE_TO_ORANGE, vmin=-1, vmax=1, aspect="auto")
        for t, i in zip(*np.nonzero(states < -0.05), strict=True):
            axes.text(
                t,
                i,
                "\N{MINUS SIGN}",
                ha="center",
                va="center",
                color="white" if states[t, i] < -0.5 else INK,
            )
        axes.set_xticks(range(steps), ["␣" if letter == " " else letter for letter in text], fontsize=12)
        axes.set_yticks(range(units), names, fontsize=11)
        axes.tick_params(length=0)
        axes.set_xticks(np.arange(steps + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(units + 1) - 0.5, minor=True)
        axes.grid(False)
        axes.grid(which="minor", color="white", lw=1.5)
        axes.tick_params(which="minor", length=0)
        axes.spines[:].set_visible(False)
        figure.colorbar(image, ax=axes, ticks=[-1, 0, 1], pad=0.02).outline.set_visible(False)


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
            _arrow(axes, (x - 1.25 if step > 1 else 2.3, 0), (x - 0.5, 0), ORANGE)
            axes.text(x - 0.88, 0.14, "$W_{hh}$", color=ORANGE, ha="center", va="bottom")


def _cell(axes, x, step, name):
    """One cell with its input below and its output above."""
    look = {"boxstyle": "round,pad=0.02,rounding_size=0.12", "fc": PALE, "ec": INK, "lw": 1.5}
    axes.add_patch(FancyBboxPatch((x - 0.48, -0.38), 0.96, 0.76, **look))
    axes.text(x, 0, "tanh", ha="center", va="center", fontsize=12)
    axes.text(x, -1.6, f"${name}$", ha="center", fontsize=13)
    axes.text(x, 1.3, f"$y_{step} = h_{step}$", ha="center", fontsize=13)
    _arrow(axes, (x, -1.25), (x, -0.4), BLUE)
    _arrow(axes, (x, 0.4), (x, 1.2), INK)
    axes.text(x + 0.08, -0.85, "$W_{ih}$", color=BLUE, va="center")


def _arrow(axes, start, end, colour, stroke="-"):
    axes.add_patch(FancyArrowPatch(start, end, color=colour, lw=2, ls=stroke, **ARROW))


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
            _arrow(axes, (left, 0.17), (x - 0.52, 0.17), GREY)
            _arrow(axes, (x - 0.52, -0.22), (left, -0.22), ORANGE, "--")
            _arrow(axes, (x, 1.3), (x, 0.46), ORANGE, "--")
            axes.text(x, 1.5, f"$dy_{t}$", color=ORANGE, **words)
            _arrow(axes, (x, -0.46), (x, -1.4), BLUE)
            axes.text(x + 0.1, -0.93, rf"$da_{t}^\top\, h_{t - 1}$", va="center", fontsize=13, color=BLUE)
            if t > 1:
                axes.text(x - 1.05, 0.27, f"$h_{t - 1}$", ha="center", va="bottom", color=GREY)
                axes.text(x - 1.05, -0.36, "carry", ha="center", va="top", color=ORANGE, fontsize=10)
        axes.add_patch(FancyBboxPatch((0.97, -2.05), 2.1 * steps - 0.9, 0.6, fc="white", **look))
        total = r"$dW_{hh} \; = \; \sum_t \; da_t^\top \, h_{t-1}$"
        axes.text(1.05 * steps + 0.52, -1.77, total, color=BLUE, **words)


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
            labels = [f"{value:{form}}".replace("-", "\N{MINUS SIGN}") for value in values]
            axes.bar_label(bars, labels, padding=3)
            axes.margins(y=0.25)
            axes.axhline(0, color=INK, lw=1)
            axes.grid(axis="x", visible=False)
        left.set(title="what it believed", ylabel="probability", ylim=(0, 1))
        right.set(title="what it is told", ylabel="push on the score")


def step_sizes(h, errors):
    """Error of a finite difference by its step: h (N,) falling, errors {name: (N,)}, both logarithmic."""
    alt = (
        f"Error against step size h, both logarithmic, for {' and '.join(errors)}: each falls as h shrinks, "
    )
    alt += "then rises again, and the central difference reaches a far smaller error at a larger h"
    with canvas(size=(8, 3.6), alt=alt) as (_, axes):
        for i, y in enumerate(errors.values()):
            axes.loglog(h, y, color=COLOURS[i], ls=STROKES[i], marker=MARKERS[i], ms=5)
        axes.set(xlabel="step h, smaller to the right", ylabel="error", xlim=(h[0], h[-1]))
        for x, name in ((0.02, "too big: the curve bends"), (0.98, "too small: digits are lost")):
            axes.text(x, 0.04, name, transform=axes.transAxes, color=GREY, ha="left" if x < 0.5 else "right")
        _name_the_ends(axes, h[-1], errors)


def contributions(parts, name="W_hh"):
    """Each time step's part of one gradient, and their sum: parts (T, rows, columns), numbers written in.

    Orange is positive and blue negative, and every number carries its sign.
    """
    parts = np.asarray(parts)
    shown = [*parts, parts.sum(axis=0)]
    limit = max(np.abs(part).max() for part in shown)
    middle = {"ha": "center", "va": "center"}
    alt = f"{len(parts)} small matrices of numbers, one for each time step, joined by plus signs; after the "
    alt += f"equals sign their sum, the gradient of {name}"
    with canvas(1, len(shown), (1.9 * len(shown), 2.3), alt) as (_, row):
        for t, (axes, part) in enumerate(zip(row, shown, strict=True)):
            axes.imshow(part, cmap=BLUE_TO_ORANGE, vmin=-limit, vmax=limit)
            for (i, j), value in np.ndenumerate(part):
                dark = not -0.5 < value / limit < 0.75
                number = f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")
                axes.text(j, i, number, color="white" if dark else INK, fontsize=9, **middle)
            last = t == len(parts)
            axes.set_title(
                f"gradient of ${name}$" if last else f"step {t + 1}", weight="bold" if last else None
            )
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
            axes.spines[:].set(visible=last, color=INK, linewidth=2)
            sign = "" if t == 0 else "=" if last else "+"
            axes.text(-0.13, 0.5, sign, transform=axes.transAxes, fontsize=18, **middle)


def losses(runs, chance=None, smooth=50, size=(8, 3.4)):
    """Training losses {name: (N,)} by step, each the mean of the last ``smooth`` (at first, of all) steps.

    ``chance`` draws a line at the loss of a blind guess.
    """
    alt = f"Training loss by step, one line each for {', '.join(runs)}"
    alt += "" if chance is None else f"; a thin line marks a blind guess, {chance:.2f}"
    means = {}
    for name, values in runs.items():
        total = np.cumsum(np.asarray(values, dtype=float))
        before = np.concatenate([np.zeros(min(smooth, len(total))), total[:-smooth]])
        means[name] = (total - before) / np.minimum(np.arange(1, len(total) + 1), smooth)
    with canvas(size=size, alt=alt) as (_, axes):
        for i, mean in enumerate(means.values()):
            steps = np.arange(1, len(mean) + 1)
            axes.plot(steps, mean, color=COLOURS[i % 5], ls=STROKES[i % 5])
        if chance is not None:
            axes.axhline(chance, color=GREY, lw=1)
            axes.text(steps[-1], chance, "blind guess ", color=GREY, ha="right", va="bottom")
        axes.set(xlabel="training step", ylabel="loss", xlim=(0, steps[-1]))
        axes.set_ylim(0, 1.12 * axes.dataLim.y1)
        _name_the_ends(axes, steps[-1], means)


def reach(sizes, borders):
    """How far back an error reaches: {name: (T,) sizes of dL/dx_t}, one logarithmic panel each.

    A cross on the floor is a step that hears nothing: an exact zero. ``borders`` is {name: list of steps
    at which a chunk begins}, drawn as dotted lines.
    """
    alt = "The gradient by time step, one panel each for " + ", ".join(sizes)
    alt += "; dotted lines are the borders of chunks, and crosses on the floor are exact zeros"
    floor = min(y[y > 0].min() for y in sizes.values()) / 10
    with canvas(1, len(sizes), (9.5, 3.1), alt, sharey=True) as (_, row):
        for i, (axes, (name, y)) in enumerate(zip(row, sizes.items(), strict=True)):
            steps, heard = np.arange(1, len(y) + 1), y > 0
            axes.semilogy(steps[heard], y[heard], color=COLOURS[i], ls="", marker=MARKERS[i], ms=5)
            axes.plot(steps[~heard], np.full(np.sum(~heard), floor), "x", color=GREY)
            if not heard.all():
                plate = {"fc": "white", "ec": "none", "pad": 1}
                axes.text(1, floor * 3, "exactly zero", color=GREY, va="bottom", bbox=plate)
            for border in borders[name]:
                axes.axvline(border + 0.5, color=INK, ls=":", lw=1.2)
            axes.set(title=name, xlabel="time step t", xlim=(0, len(y) + 1))
            axes.xaxis.get_major_locator().set_params(integer=True)
        row[0].set_ylabel("size of $dL/dx_t$")
