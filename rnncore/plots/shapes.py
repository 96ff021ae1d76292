"""The figures of lesson 08: the five shapes of a task, tunes, an opinion word by word, and temperature."""

import numpy as np
from matplotlib.patches import FancyBboxPatch, Rectangle

from rnncore.given.music import notes
from rnncore.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    ORANGE,
    PALE,
    arrow,
    canvas,
)

# For each shape its name, an example, how many steps it takes, and which have an input and an output.
SHAPES = (
    ("one to one", "picture → digit", 1, (0,), (0,)),
    ("one to many", "dance → tune", 3, (0,), (0, 1, 2)),
    ("many to one", "words → verdict", 3, (0, 1, 2), (2,)),
    ("many to many,\naligned", "words → kind of word", 3, (0, 1, 2), (0, 1, 2)),
    ("many to many,\nsequence to sequence", "English → German", 5, (0, 1, 2), (2, 3, 4)),
)
HATCHES = ["", "//", "..", "xx", "--"]


def five_shapes():
    """The five shapes in one row: inputs below, one cell for each step, outputs above."""
    alt = "Five unrolled networks side by side. "
    alt += ". ".join(
        f"{name.replace(chr(10), ' ')}, {example}: inputs at steps {_count(read)} of {steps}, "
        f"outputs at steps {_count(said)}"
        for name, example, steps, read, said in SHAPES
    )
    alt += ". Where a step has an output but no input, a dashed arrow feeds it the output before"
    widths = [0.8 * steps + 1.5 for _, _, steps, _, _ in SHAPES]
    with canvas(size=(11, 3.1), alt=alt) as (_, axes):
        axes.set(xlim=(-0.2, sum(widths) - 0.2), ylim=(-1.95, 2.45), aspect="equal")
        axes.axis("off")
        left = 0.0
        for (name, example, steps, read, said), width in zip(SHAPES, widths, strict=True):
            middle = left + width / 2 - 0.2
            first = middle - 0.4 * (steps - 1)
            places = [first + 0.8 * t for t in range(steps)]
            _network(axes, places, read, said)
            axes.text(middle, 2.15, name, ha="center", va="center", weight="bold", fontsize=9.5)
            axes.text(middle, -1.75, example, ha="center", va="center", fontsize=9.5)
            left += width


def _count(steps):
    return ", ".join(str(t + 1) for t in steps)


def _network(axes, places, read, said):
    for t, x in enumerate(places):
        _box(axes, x, 0, PALE, INK)
        if t:
            arrow(axes, (places[t - 1] + 0.24, 0), (x - 0.24, 0), GREY)
        if t in read:
            _box(axes, x, -1.1, "white", BLUE)
            arrow(axes, (x, -0.86), (x, -0.24), BLUE)
        if t in said:
            _box(axes, x, 1.1, "white", ORANGE, hatch="////")
            arrow(axes, (x, 0.24), (x, 0.86), ORANGE)
        if t in said and t not in read:
            look = {"arrowstyle": "-|>", "ls": "--", "color": ORANGE, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", (x - 0.13, 0.24), (places[t - 1] + 0.2, 0.88), arrowprops=look)


def _box(axes, x, y, face, edge, hatch=None):
    look = {"boxstyle": "round,pad=0.0,rounding_size=0.08", "fc": face, "ec": edge, "lw": 1.6, "hatch": hatch}
    axes.add_patch(FancyBboxPatch((x - 0.22, y - 0.22), 0.44, 0.44, **look))


def tune_rolls(tunes):
    """Tunes over time: {title: symbols}, a dash for each note, as high as its pitch and as long as it lasts.

    A vertical line stands wherever the symbols hold a bar line. The tunes share one scale of time.
    """
    alt = f"{len(tunes)} piano roll{'s' * (len(tunes) != 1)}, time to the right and pitch upwards. "
    alt += ". ".join(f"{title}: {' '.join(symbols)}" for title, symbols in tunes.items())
    size = (9, 1.45 * len(tunes) + 0.4)
    with canvas(len(tunes), 1, size, alt, sharex=True, sharey=True, squeeze=False) as (_, column):
        for axes, (title, symbols) in zip(column[:, 0], tunes.items(), strict=True):
            place = 0
            for symbol in symbols:
                if symbol == "|":
                    axes.axvline(place - 0.06, color=GREY, lw=1, ls=":")
                    continue
                ((pitch, length),) = notes([symbol])
                axes.add_patch(Rectangle((place, pitch - 0.6), length - 0.12, 1.2, fc=BLUE, ec="none"))
                place += length
            axes.plot([0, place], [73, 73], alpha=0)  # rectangles alone do not stretch the axes
            axes.set_title(title, loc="left", fontsize=10.5)
            axes.set(ylim=(54, 92), xlim=(-0.5, None))
            axes.set_yticks([62, 74, 86], ["D", "d", "d'"])
            axes.set_xticks([])
        axes.set_xlabel("time; a dotted line ends each bar")


def opinions(sentences):
    """What a judge thinks after each word: {title: (words, chances (T,))}, the chance of "pleased"."""
    alt = "The opinion after each word, 1 for pleased. " + "; ".join(
        " ".join(f"{word} {chance:.2f}" for word, chance in zip(words, chances, strict=True))
        for words, chances in sentences.values()
    )
    with canvas(len(sentences), 1, (9, 1.75 * len(sentences)), alt, squeeze=False) as (_, column):
        for axes, (title, (words, chances)) in zip(column[:, 0], sentences.items(), strict=True):
            places = np.arange(len(words))
            for place, chance in zip(places, chances, strict=True):
                colour, hatch = (BLUE, "") if chance >= 0.5 else (ORANGE, "//")
                axes.bar(place, chance - 0.5, bottom=0.5, width=0.7, color=colour, hatch=hatch, ec="white")
            axes.axhline(0.5, color=INK, lw=1)
            axes.set_xticks(places, words)
            axes.set(ylim=(0, 1), yticks=[0, 0.5, 1], title=title, xlim=(-0.6, len(words) - 0.4))
            axes.set_yticklabels(["not pleased", "undecided", "pleased"])
            axes.grid(axis="x", visible=False)


def temperatures(names, chances, counted):
    """Chances of V symbols at several temperatures, {temperature: (V,)}, and how often each was drawn."""
    alt = "Bars for the chance of each symbol, crosses for how often it was drawn. " + "; ".join(
        f"temperature {heat}: "
        + ", ".join(f"{name} {chance:.2f}" for name, chance in zip(names, row, strict=True))
        for heat, row in chances.items()
    )
    with canvas(1, len(chances), (9, 2.9), alt, sharey=True, squeeze=False) as (_, row):
        for i, (axes, heat) in enumerate(zip(row[0], chances, strict=True)):
            look = {"color": COLOURS[i % 5], "hatch": HATCHES[i % 5], "edgecolor": "white"}
            axes.bar(range(len(names)), chances[heat], **look)
            axes.plot(range(len(names)), counted[heat], "x", color=INK, ms=7, mew=2, clip_on=False, zorder=3)
            axes.set_xticks(range(len(names)), names)
            axes.set(title=f"temperature {heat}", ylim=(0, 1), xlabel="symbol")
            axes.grid(axis="x", visible=False)
        row[0][0].set(ylabel="probability")
