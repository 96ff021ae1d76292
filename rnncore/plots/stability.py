"""Figures of what repeated multiplication does: errors that fade or grow, and runs that end in NaN.

The pictures of the lesson on vanishing and exploding gradients; ``gradients`` has those of the
gradients themselves.
"""

import numpy as np

from rnncore.plots.style import BLUE, COLOURS, GREY, INK, MARKERS, PLATE, PURPLE, STROKES, canvas


def repeated_factor(factors=(0.8, 1.0, 1.25), steps=8):
    """An error going back ``steps`` steps, multiplied by one factor at each: a row for each factor.

    The area of a disc is the size of the error, which is written below it.
    """
    rows = [factor ** np.arange(steps + 1) for factor in factors]
    alt = f"{len(factors)} rows of {steps + 1} discs. The first of each, at the right, has size 1. "
    alt += f"Going left each row multiplies by {', '.join(f'{factor:g}' for factor in factors)}; "
    alt += f"the last sizes are {', '.join(f'{row[-1]:.2f}' for row in rows)}"
    with canvas(size=(9, 1.15 * len(factors) + 0.5), alt=alt) as (_, axes):
        axes.set(xlim=(steps + 1.3, -0.6), ylim=(len(factors) - 0.35, -0.35), yticks=[])
        axes.grid(False)
        axes.spines[:].set_visible(False)
        for i, (factor, row) in enumerate(zip(factors, rows, strict=True)):
            axes.text(steps + 1.25, i, f"× {factor:g}", color=COLOURS[i % 5], va="center", fontsize=13)
            axes.plot([0, steps], [i, i], color=GREY, lw=1, zorder=0)
            axes.scatter(range(steps + 1), np.full(steps + 1, i), s=220 * row, color=COLOURS[i % 5])
            for k, size in enumerate(row):
                axes.text(k, i + 0.36, f"{size:.2f}", ha="center", va="top", fontsize=10)
        names = [f"$dh_{{t-{k}}}$" if k else "$dh_t$" for k in range(steps + 1)]
        axes.set_xticks(range(steps + 1), names, fontsize=12)
        axes.tick_params(length=0)


def until_nan(panels, frames, limit=None):
    """Training runs of which some end in NaN: {panel: {run: (N,)}}, one panel each.

    ``frames`` is {panel: (lowest, highest)}, what a panel shows, since what explodes leaves any frame; a
    tall frame is logarithmic. A run that ends is marked with a cross where it does. ``limit`` draws a line
    in the panels whose title begins with "norm" or "gradient norm".
    """
    runs = next(iter(panels.values()))
    ended = [name for name, values in runs.items() if not np.isfinite(values[-1])]
    alt = f"By training step, one panel each for {', '.join(panels)}, one line each for {', '.join(runs)}"
    alt += f"; {', '.join(ended)} shoots up and ends at a cross, where it becomes NaN" if ended else ""
    with canvas(1, len(panels), (9.5, 3.3), alt, squeeze=False) as (figure, row):
        for axes, (title, lines) in zip(row[0], panels.items(), strict=True):
            lowest, highest = frames[title]
            scale = "log" if lowest > 0 and highest / lowest > 50 else "linear"
            axes.set(yscale=scale, ylim=(lowest, highest), title=title, xlabel="training step")
            for i, (name, values) in enumerate(lines.items()):
                steps, finite = np.arange(1, len(values) + 1), np.isfinite(values)
                colour = COLOURS[i % 5]
                look = {"color": colour, "ls": STROKES[i % 5], "lw": 1.6, "label": name}
                axes.plot(steps[finite], np.asarray(values)[finite], **look)
                if not finite.all():
                    last = steps[finite][-1]
                    axes.plot(last, highest, "X", color=colour, ms=9, clip_on=False)
                    look = {"color": colour, "weight": "bold", "bbox": PLATE, "va": "top"}
                    axes.annotate("NaN", (last, highest), (8, -3), textcoords="offset points", **look)
            if limit is not None and title.startswith(("norm", "gradient norm")):
                axes.axhline(limit, color=INK, lw=1)
                look = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
                axes.annotate(f"limit {limit:g}", (1, limit), (0, -4), ha="right", va="top", **look)
        named = row[0, 0].get_legend_handles_labels()
        figure.legend(*named, loc="outside lower center", ncols=5, frameon=False)


def eigenvalues(matrices):
    """Where the eigenvalues of each matrix lie in the complex plane, beside the circle of radius 1."""
    found = {name: np.linalg.eigvals(W) for name, W in matrices.items()}
    alt = "Eigenvalues in the complex plane beside the circle of radius 1; the largest absolute value is "
    alt += ", ".join(f"{np.abs(values).max():.2f} for {name}" for name, values in found.items())
    angle = np.linspace(0, 2 * np.pi, 200)
    with canvas(1, len(found), (3.6 * len(found), 3.7), alt, sharex=True, sharey=True, squeeze=False) as (
        _,
        row,
    ):
        for i, (axes, (name, values)) in enumerate(zip(row[0], found.items(), strict=True)):
            axes.plot(np.cos(angle), np.sin(angle), color=GREY, lw=1)
            look = {"color": (BLUE, PURPLE)[i % 2], "marker": MARKERS[3 * (i % 2)]}
            axes.plot(values.real, values.imag, ls="", ms=5, **look)
            axes.set(title=name, xlabel="real part", aspect="equal", xlim=(-1.25, 1.25), ylim=(-1.25, 1.25))
        row[0, 0].set_ylabel("imaginary part")
