"""Figures of what a network does with a sequence: activations, states, gates, and who hears whom."""

import numpy as np

from rnncore.plots.style import (
    BLUE,
    GREY,
    LINE,
    MINUS,
    ORANGE,
    PALE,
    WHITE_TO_BLUE,
    canvas,
    heat_map,
    span,
    squares,
)
from rnncore.plots.training import curves

# What the letters of the cells stand for, and which of them have a sign.
GATES = {
    "i": "input gate i",
    "f": "forget gate f",
    "o": "output gate o",
    "g": "candidate g",
    "c": "memory c",
    "r": "reset gate r",
    "z": "update gate z",
    "n": "candidate n",
    "h": "state h",
}
SIGNED = ("g", "c", "n", "h")


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
    alt = f"Heat map of the states of {', '.join(names)}, a row each, letter by letter: a column for each of "
    alt += f"the {steps} letters of {text}. "
    alt += "; ".join(
        f"{name} {span(row, None, text)}, at the end {row[-1]:.2f}"
        for name, row in zip(names, states.T, strict=True)
    )
    with canvas(size=(max(4, 1.8 + 0.29 * steps), 0.9 + 0.36 * units), alt=alt) as (figure, axes):
        image = heat_map(axes, states.T)
        _letters(axes, text, fontsize=12)
        axes.set_yticks(range(units), names, fontsize=11)
        figure.colorbar(image, ax=axes, ticks=[-1, 0, 1], pad=0.02).outline.set_visible(False)


def gate_heat_maps(tokens, gates, units=None):
    """The gates over a sentence: T tokens (words, or letters), gates {"i": (T, H), "f": ...}, one map each.

    A name is a letter of the cell's equations or any other word. Rows are the ``units`` chosen, all of
    them if left out. A gate is white where it is closed, 0, and dark where it is open, 1; what has a sign
    (g, c, n, h) is blue below zero and marked with a minus.
    """
    gates = {name: np.asarray(values) for name, values in gates.items()}
    units = range(next(iter(gates.values())).shape[1]) if units is None else units
    for name, values in gates.items():
        if values.ndim != 2 or len(values) != len(tokens):
            raise ValueError(
                f"gates[{name!r}] has shape {values.shape}, expected (T, H) with T = {len(tokens)}, "
                "a row for each of the tokens"
            )
    titles = [GATES.get(name, name) for name in gates]
    rows = [f"unit {unit}" for unit in units] if len(units) > 1 else None
    alt = f"Heat maps of {', '.join(titles)}, "
    alt += f"{len(units)} rows each, one for each unit: " if rows else "one row each: "
    alt += f"a column for each of {' '.join(tokens)}. "
    alt += "; ".join(
        f"{title} {span(values[:, list(units)].T, rows, tokens)}"
        for title, values in zip(titles, gates.values(), strict=True)
    )
    words = max(map(len, tokens)) > 1
    size = (max(5, 2.2 + (0.42 if words else 0.29) * len(tokens)), len(gates) * (0.62 + 0.27 * len(units)))
    with canvas(len(gates), 1, size, alt, sharex=True, squeeze=False) as (figure, column):
        for axes, title, (name, values) in zip(column[:, 0], titles, gates.items(), strict=True):
            shown = values[:, list(units)].T
            signed = name in SIGNED or bool((shown < 0).any())
            limit = max(1.0, float(abs(shown).max()))
            image = heat_map(axes, shown, limit, signed)
            axes.set_title(title, loc="left", fontsize=11)
            named = [f"unit {unit}" for unit in units] if len(units) > 1 else [""]
            axes.set_yticks(range(len(units)), named)
            ticks = [-limit, 0, limit] if signed else [0, limit]
            bar = figure.colorbar(image, ax=axes, ticks=ticks, pad=0.02, aspect=2 * len(units) ** 0.5)
            bar.ax.set_yticklabels([f"{tick:.3g}".replace("-", MINUS) for tick in ticks])
            bar.outline.set_edgecolor(GREY)
        _letters(axes, tokens, rotation=90 if words else 0)


def _letters(axes, tokens, **look):
    """Write the tokens below the columns, blanks so that they can be seen."""
    axes.set_xticks(range(len(tokens)), ["␣" if token == " " else token for token in tokens], **look)


def influence(patterns, tokens=None):
    """Which input reaches which output: {name: (T, T)}, row t and column s for output t and input s.

    A square is filled where the number (a derivative, or the difference that a change makes) is not
    exactly 0. ``tokens`` labels both axes, time steps from 1 if left out.
    """
    alt = "Squares in rows for outputs and columns for inputs, filled where the input reaches the output. "
    alt += "; ".join(f"{name}: {_share(np.asarray(pattern))}" for name, pattern in patterns.items())
    with canvas(1, len(patterns), (4.1 * len(patterns), 4.3), alt, squeeze=False) as (_, row):
        for axes, (name, pattern) in zip(row[0], patterns.items(), strict=True):
            reached = np.asarray(pattern) != 0
            T = len(reached)
            axes.imshow(reached, cmap=WHITE_TO_BLUE, vmin=0, vmax=1.5, aspect="auto")
            squares(axes, *reached.shape, LINE)
            labels = range(1, T + 1) if tokens is None else tokens
            turned = 90 if tokens is not None and max(map(len, tokens)) > 1 else 0
            axes.set_xticks(range(T), labels, rotation=turned)
            axes.set_yticks(range(T), labels)
            axes.set(xlabel="input at step s", ylabel="output at step t")
            axes.set_title(f"{name}\n{_share(reached)}", fontsize=11)


def _share(pattern):
    return f"{np.count_nonzero(pattern)} of {pattern.size} pairs"
