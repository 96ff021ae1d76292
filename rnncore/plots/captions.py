"""The pictures of lesson 12: the network that says what it sees, scenes with captions, and doubt by word."""

import textwrap

import numpy as np
from matplotlib.patches import FancyBboxPatch, Rectangle

from rnncore.plots.style import BLUE, INK, ORANGE, PALE, WHITE_TO_BLUE, WORDS, arrow, canvas, squares

WRONG = "\N{MULTIPLICATION SIGN} "  # in front of a caption that is not true
LOOK = {"boxstyle": "round,pad=0.02,rounding_size=0.12", "fc": PALE, "ec": INK, "lw": 1.5}


def caption_graph(scene, words):
    """A scene, an encoder, and a cell of the decoder for each word, which reads the word before its own."""
    steps = len(words)
    alt = "A picture goes through an encoder and becomes the state in which a row of cells starts. Each cell "
    alt += f"reads a word and says the next: {', '.join(['start', *words])}, end"
    with canvas(size=(1.45 * steps + 4.4, 3), alt=alt) as (_, axes):
        axes.set_aspect("equal")
        axes.axis("off")
        axes.imshow(scene, cmap="Greys", vmin=0, vmax=1, extent=(-3.4, -2, -0.7, 0.7), zorder=2)
        axes.add_patch(Rectangle((-3.4, -0.7), 1.4, 1.4, fc="none", ec=INK, zorder=3))
        axes.add_patch(FancyBboxPatch((-1.55, -0.35), 1.3, 0.7, **LOOK))
        axes.text(-0.9, 0, "encoder", ha="center", va="center")
        arrow(axes, (-1.95, 0), (-1.6, 0), BLUE)
        for step, (reads, says) in enumerate(zip(["<start>", *words], [*words, "<end>"], strict=True)):
            x = 1.45 * step + 0.95
            axes.add_patch(FancyBboxPatch((x - 0.35, -0.35), 0.7, 0.7, **LOOK))
            axes.text(x, 0, "GRU", ha="center", va="center", fontsize=10)
            arrow(axes, (x - 1.12 if step == 0 else x - 1.05, 0), (x - 0.4, 0), BLUE if step == 0 else ORANGE)
            arrow(axes, (x, -1.1), (x, -0.4), INK)
            arrow(axes, (x, 0.4), (x, 1.05), INK)
            axes.text(x, -1.2, reads, ha="center", va="top")
            axes.text(x, 1.15, says, ha="center", va="bottom", weight="bold")
        axes.text(0.2, 0.12, "$h_0$", color=BLUE, ha="center", va="bottom")
        axes.set(xlim=(-3.5, 1.45 * steps + 1.6), ylim=(-1.6, 1.6))


def scenes(canvases, captions, right=None, columns=4):
    """Scenes (N, height, width), a caption under each; one that is not right gets a cross and a frame."""
    right = [True] * len(captions) if right is None else list(right)
    rows = -(-len(captions) // columns)
    said = "; ".join(("" if good else "wrong: ") + text for text, good in zip(captions, right, strict=True))
    alt = f"{len(captions)} pictures of handwritten digits and what is said of them: {said}"
    size = (2.2 * columns, 2.6 * rows)
    with canvas(rows, columns, size, alt, squeeze=False) as (_, grid):
        for axes in grid.flat:
            axes.axis("off")
        for axes, scene, text, good in zip(grid.flat, canvases, captions, right, strict=False):
            axes.axis("on")
            axes.imshow(
                scene, cmap="Greys", vmin=0, vmax=1, interpolation="bilinear"
            )  # digits of 8 x 8 pixels
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
            axes.spines[:].set_visible(True)
            axes.spines[:].set(color=INK if good else ORANGE, lw=1 if good else 3)
            text = "\n".join(textwrap.wrap(("" if good else WRONG) + text, 18))
            axes.set_xlabel(text, fontsize=10, color=INK if good else WORDS[ORANGE])


def word_probabilities(scene, words, runs):
    """A scene, and for each run how probable each word was at each step: {name: (words said, (T, V))}.

    words names the V columns; those that are said or reach 1% somewhere are shown. What was said carries
    its number, and so does the likeliest word where another one was said.
    """
    likely = np.max([probs.max(axis=0) for _, probs in runs.values()], axis=0) >= 0.01
    likely[[words.index(word) for said, _ in runs.values() for word in said]] = True
    shown = np.flatnonzero(likely)
    told = "; ".join(f"{name}: {_doubts(words, *run)}" for name, run in runs.items())
    alt = (
        f"A picture, and beside it {len(runs)} heat maps of probabilities from 0 to 1: a row for each of the "
    )
    alt += f"words {', '.join(words[i] for i in shown)}, a column for each word that was said. {told}"
    steps = [len(said) for said, _ in runs.values()]
    shape = {"width_ratios": [3.2, *(n + 1 for n in steps)]}
    size = (3 + 0.85 * sum(steps), 0.9 + 0.3 * len(shown))
    with canvas(1, 1 + len(runs), size, alt, gridspec_kw=shape) as (_, (picture, *maps)):
        picture.imshow(scene, cmap="Greys", vmin=0, vmax=1)
        picture.set(xticks=[], yticks=[])
        picture.grid(False)
        picture.spines[:].set(visible=True, color=INK)
        for axes, (name, (said, probs)) in zip(maps, runs.items(), strict=True):
            table = probs[:, shown].T
            axes.imshow(table, cmap=WHITE_TO_BLUE, vmin=0, vmax=1, aspect="auto")
            squares(axes, *table.shape, "#C9D2DA")
            axes.set_xticks(range(len(said)), said, rotation=40, ha="right")
            axes.set_yticks(range(len(shown)), [words[i] for i in shown] if axes is maps[0] else [])
            axes.set_title(name)
            for t, word in enumerate(said):
                for row in sorted({list(shown).index(words.index(word)), int(table[:, t].argmax())}):
                    ink = "white" if table[row, t] > 0.5 else INK
                    axes.text(t, row, f"{table[row, t]:.2f}", ha="center", va="center", color=ink, fontsize=9)


def _doubts(words, said, probs):
    """What was said, with probabilities, in words; the likeliest word as well where another one was said."""
    told = []
    for word, row in zip(said, probs, strict=True):
        best = words[int(row.argmax())]
        other = f" (likeliest: {best} {row.max():.2f})" if best != word else ""
        told.append(f"{word} {row[words.index(word)]:.2f}{other}")
    return ", ".join(told)
