"""Figures of sequences themselves: four kinds of them, one-hot, padded, and how well they are told apart."""

import numpy as np
from matplotlib.dates import DateFormatter, YearLocator
from matplotlib.patches import Rectangle

from rnncore.plots.style import (
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    INK,
    LINE,
    ORANGE,
    PALE,
    WHITE_TO_BLUE,
    canvas,
    squares,
)

HATCHES = ["", "//", "..", "xx", "--"]


def four_sequences(words, notes, sound, price):
    """Text, music, sound and a price, each drawn over its own time.

    ``words`` is a list of words, ``notes`` a list of (name, height), ``sound`` is (milliseconds, air
    pressure) and ``price`` is (dates, dollars), each two arrays of one length.
    """
    alt = f"Four panels over time. Text: {' '.join(words)}. Music: the notes "
    alt += f"{' '.join(name for name, _ in notes)}. Sound: a wave that swings and fades. "
    alt += "A price: a ragged line"
    with canvas(2, 2, (9, 4.6), alt) as (_, ((text, music), (wave, market))):
        steps = range(1, len(words) + 1)
        for step, word in zip(steps, words, strict=True):
            box = {"boxstyle": "round,pad=0.35", "fc": PALE, "ec": "none"}
            text.text(step, 0.5, word, ha="center", va="center", bbox=box, fontsize=10.5)
        text.set(xlim=(0.3, len(words) + 0.7), ylim=(0, 1), yticks=[], title="text: words, one after another")
        names, heights = zip(*notes, strict=True)
        places = np.arange(1, len(notes) + 1)
        music.step(places, heights, where="mid", color=LINE, lw=1)
        music.hlines(heights, places - 0.4, places + 0.4, color=ORANGE, lw=5)
        music.set(title="music: notes, one after another", xlabel="note")
        ticks = dict(zip(heights, names, strict=True))
        music.set_yticks(list(ticks), ticks.values())
        text.set(xlabel="word")
        text.set_xticks(steps)
        wave.plot(*sound, color=BLUE, lw=1.2)
        wave.set(title="sound: air pressure, moment by moment", xlabel="milliseconds", yticks=[])
        market.plot(*price, color=GREEN, lw=1.2)
        market.set(title="a price: one share, every trading day", ylabel="dollars")
        market.locator_params(axis="y", nbins=4)
        market.xaxis.set_major_locator(YearLocator())
        market.xaxis.set_major_formatter(DateFormatter("%Y"))
        for axes in (text, music, wave, market):
            axes.grid(axis="x", visible=False)
        text.spines["left"].set_visible(False)


def piano_roll(tunes, names):
    """One-hot notes as squares: {title: x (T, V)}, a column for each step and a row for each of V names."""
    parts = []
    for title, x in tunes.items():
        order = " ".join(names[i] for i in np.argmax(x, axis=1))
        parts.append(f"{title}: {order}")
    alt = "One filled square in each column, at the height of the note. " + "; ".join(parts)
    with canvas(1, len(tunes), (9, 2.6), alt, sharey=True, squeeze=False) as (_, row):
        for axes, (title, x) in zip(row[0], tunes.items(), strict=True):
            axes.imshow(np.asarray(x).T, cmap=WHITE_TO_BLUE, vmin=0, vmax=1.4, aspect="auto", origin="lower")
            squares(axes, x.shape[1], x.shape[0], LINE)
            axes.set_yticks(range(len(names)), names)
            axes.set_xticks(range(0, len(x), 2), range(1, len(x) + 1, 2))
            axes.set(title=title, xlabel="step")


def padded_batch(rows, lengths):
    """A padded batch as a table: rows, a list of B lists of T words or ids, hatched from ``lengths`` on."""
    B, T = len(rows), len(rows[0])
    real = [" ".join(str(one) for one in row[:length]) for row, length in zip(rows, lengths, strict=True)]
    alt = f"A table of {B} rows and {T} columns; padding is hatched. " + "; ".join(
        f"row {b}: {text}, then {T - length} of padding"
        for b, (text, length) in enumerate(zip(real, lengths, strict=True))
    )
    with canvas(size=(9, 0.6 + 0.36 * B), alt=alt) as (_, axes):
        for b, row in enumerate(rows):
            for t, word in enumerate(row):
                padded = t >= lengths[b]
                look = {"fc": "white", "ec": LINE, "hatch": "///"} if padded else {"fc": PALE, "ec": "white"}
                axes.add_patch(_square(t, b, look))
                ink = GREY if padded else INK
                shown = 0 if padded else word
                axes.text(t, b, shown, ha="center", va="center", color=ink, fontsize=10)
        axes.set(xlim=(-0.5, T - 0.5), ylim=(B - 0.5, -0.5), xlabel="time step t")
        axes.set_yticks(range(B), [f"length {length}" for length in lengths])
        axes.set_xticks(range(T))
        axes.grid(False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)


def _square(column, row, look):
    return Rectangle((column - 0.5, row - 0.5), 1, 1, lw=1.5, **look)


def accuracies(groups, chance=0.5):
    """Accuracy side by side: {group: {name: one accuracy for each run}}, bars for means, dots for runs."""
    means = "; ".join(
        f"{group}: " + ", ".join(f"{name} {np.mean(runs):.2f}" for name, runs in models.items())
        for group, models in groups.items()
    )
    alt = f"Bars of accuracy, a dashed line at a blind guess, {chance:.2f}. {means}".replace("\n", ", ")
    with canvas(1, len(groups), (min(4.6 * len(groups), 11), 3.2), alt, sharey=True, squeeze=False) as (
        _,
        row,
    ):
        for axes, (group, models) in zip(row[0], groups.items(), strict=True):
            for i, runs in enumerate(models.values()):
                look = {"color": COLOURS[i % 5], "hatch": HATCHES[i % 5], "edgecolor": "white"}
                axes.bar(i, np.mean(runs), width=0.6, **look)
                axes.plot(np.full(len(runs), i), runs, "o", color=INK, mfc="white", ms=5, ls="")
                above = max(np.max(runs), chance if np.mean(runs) < chance else 0) + 0.04
                axes.text(i, above, f"{np.mean(runs):.2f}", ha="center", va="bottom", weight="bold")
            axes.set_xticks(range(len(models)), models)
            axes.axhline(chance, color=GREY, ls="--", lw=1)
            axes.grid(axis="x", visible=False)
            axes.set(title=group, ylim=(0, 1.12), yticks=[0, 0.25, 0.5, 0.75, 1])
        row[0][0].set(ylabel="accuracy")
        axes.text(len(models) - 0.55, chance, "blind guess", color=GREY, ha="left", va="bottom", fontsize=9)
