"""Figures of memories: one that grows, one of fixed size, what stands in a state, how much is recalled."""

import numpy as np
from matplotlib.patches import Rectangle

from rnncore.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    LINE,
    MARKERS,
    ORANGE,
    PALE,
    STROKES,
    arrow,
    canvas,
    heat_map,
    name_the_ends,
    span,
)


def memories_graph(steps=4, rows=3):
    """Two memories after each of ``steps`` steps: a list of keys and values that grows, and one matrix."""
    alt = f"Two memories over {steps} steps. Above, a list of keys and values, one pair longer at each step. "
    alt += f"Below, a matrix of {rows} by {rows} numbers that stays as large as it was"
    with canvas(2, 1, (8.6, 4.4), alt) as (_, (above, below)):
        for t in range(steps):
            left = 4.2 * t
            for pair in range(t + 1):
                for column, (name, colour) in enumerate((("k", BLUE), ("v", ORANGE))):
                    _square(above, left + 1.1 * column, -0.75 * pair, f"${name}_{pair + 1}$", colour)
            for row in range(rows):
                for column in range(rows):
                    _square(below, left + 0.75 * column, -0.75 * row, "", INK)
            below.text(left + 0.38 * rows, 0.75, f"$S_{t + 1}$", ha="center", va="bottom", fontsize=12)
            above.text(left + 1, 0.75, f"step {t + 1}", ha="center", va="bottom", color=GREY)
            if t:
                arrow(below, (left - 1.6, -0.4), (left - 0.3, -0.4), INK)
                arrow(above, (left - 1.6, 0.3), (left - 0.3, 0.3), INK)
        for axes, rows_shown, title in ((above, steps, "written down"), (below, rows, "added up")):
            axes.set(xlim=(-0.3, 4.2 * steps - 1), ylim=(-0.75 * rows_shown + 0.5, 1.6))
            axes.set_title(title, loc="left", weight="bold")
            axes.axis("off")


def _square(axes, x, y, text, colour):
    box = {"width": 0.95 if text else 0.65, "height": 0.6, "fc": PALE, "ec": colour, "lw": 1.5}
    axes.add_patch(Rectangle((x, y), **box))
    axes.text(x + box["width"] / 2, y + 0.3, text, ha="center", va="center", fontsize=11)


def looks_back(weights, steps):
    """Causal attention as a triangle: weights (T, T), a row for each step that asks, named by ``steps``.

    Darker squares got more attention; a dot marks the most of each row, where a row has weights at all.
    The future, which no step may look at, is grey and hatched.
    """
    weights = np.asarray(weights)
    most = [f"{steps[t]} at {steps[s]}" for t, s in enumerate(weights.argmax(axis=1))]
    alt = "Heat map of causal attention: a row for each step that asks, a column for each that is looked at. "
    alt += f"Weights {span(weights, steps, steps)}. Most: {', '.join(most)}. All squares to the right of the "
    alt += "diagonal, the future, are hatched: masked out"
    side = 1.6 + 0.5 * len(steps)
    with canvas(size=(side + 1.2, side), alt=alt) as (figure, axes):
        image = heat_map(axes, weights, limit=1, signed=False)
        for t, s in enumerate(weights.argmax(axis=1)):
            axes.plot(s, t, "o", ms=4, color="white" if weights[t, s] > 0.5 else INK)
            for later in range(t + 1, len(steps)):
                masked = {"fc": PALE, "ec": GREY, "hatch": "///", "lw": 0}
                axes.add_patch(Rectangle((later - 0.5, t - 0.5), 1, 1, **masked))
        axes.set_title("hatched: the future, masked out", loc="left", color=GREY, fontsize=10)
        axes.set_xticks(range(len(steps)), steps, rotation=90 if max(map(len, steps)) > 2 else 0)
        axes.set_yticks(range(len(steps)), steps)
        axes.set(xlabel="looks at", ylabel="asks")
        figure.colorbar(image, ax=axes, ticks=[0, 0.5, 1], pad=0.02).outline.set_visible(False)


def state_matrices(states, limit=1.0):
    """A state that is a matrix, several times: {title: (D, H)}, with its numbers written into the squares."""
    spans = {title: span(state, range(1, len(state) + 1)) for title, state in states.items()}
    alt = "Matrices of numbers, a row for each feature of the key, a column for each feature of the value: "
    alt += "; ".join(f"{title}, {said}" for title, said in spans.items())
    with canvas(1, len(states), (2.6 * len(states), 2.6), alt, squeeze=False) as (_, row):
        for axes, (title, state) in zip(row[0], states.items(), strict=True):
            state = np.asarray(state)
            axes.imshow(np.abs(state), cmap="Blues", vmin=0, vmax=2 * limit, aspect="auto")
            for d, h in np.ndindex(state.shape):
                text = f"{state[d, h] + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
                axes.text(h, d, text, ha="center", va="center", fontsize=10)
            axes.set_xticks(np.arange(state.shape[1] + 1) - 0.5, minor=True)
            axes.set_yticks(np.arange(state.shape[0] + 1) - 0.5, minor=True)
            axes.grid(False)
            axes.grid(which="minor", color=LINE, lw=1.5)
            axes.set(xticks=[], yticks=[], xlabel="value's features", ylabel="key's features")
            axes.tick_params(which="minor", length=0)
            axes.spines[:].set_visible(False)
            axes.set_title(title, fontsize=11)


def recall_curves(pairs, panels, chance, ylabel="answers right"):
    """Recall by number of pairs: {panel: {memory: (runs, N)}}, lines through the means, a dot for each run.

    A dashed line marks ``chance``, a blind guess.
    """
    alt = f"{ylabel} by number of pairs, from {pairs[0]} to {pairs[-1]}; with {pairs[-1]}, on average"
    for panel, memories in panels.items():
        last = ", ".join(f"{name} {np.mean(runs, axis=0)[-1]:.2f}" for name, runs in memories.items())
        alt += f"; {panel}: {last}"
    with canvas(1, len(panels), (5 * len(panels), 3.6), alt, sharey=True, squeeze=False) as (_, row):
        for axes, (panel, memories) in zip(row[0], panels.items(), strict=True):
            means = {name: np.mean(runs, axis=0) for name, runs in memories.items()}
            for i, (name, mean) in enumerate(means.items()):
                look = {"color": COLOURS[i % 5], "marker": MARKERS[i % 5]}
                axes.plot(pairs, mean, ls=STROKES[i % 5], ms=5, clip_on=False, **look)
                for run in np.asarray(memories[name]):
                    axes.plot(pairs, run, ls="", ms=4, mfc="none", alpha=0.7, clip_on=False, **look)
            axes.axhline(chance, color=GREY, ls="--", lw=1)
            beside = {"textcoords": "offset points", "xytext": (5, 2)}
            axes.annotate("blind guess", (pairs[0], chance), color=GREY, fontsize=9, **beside)
            axes.set(xscale="log", xlabel="pairs", title=panel, ylim=(0, 1.08), xlim=(pairs[0], pairs[-1]))
            axes.set_xticks(pairs, pairs)
            axes.minorticks_off()
            name_the_ends(axes, pairs[-1], means)
        row[0][0].set(ylabel=ylabel)
