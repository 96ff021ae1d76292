"""The pictures of lesson 11: a sound and its features, the paths that spell a text, who says what when."""

from itertools import pairwise

import numpy as np

from rnncore.plots.style import BLUE, GREY, INK, LINE, ORANGE, PALE, WHITE_TO_BLUE, canvas, span

SPACE = "\N{OPEN BOX}"  # how a space between words is drawn
LOUD, SILENT = 9, -14  # log energies
BLANK = "\N{EN DASH}"  # how a blank is drawn: a hyphen is too short to be seen


def recording(signal, features, rate, hop, title=""):
    """A sound, samples (N,), above its features (T, bands), over the same seconds; ``title`` above."""
    length = len(signal) / rate
    alt = (
        f"Above, the wave of {length:.1f} seconds of speech: bursts of swings, and calmer stretches. Below, "
    )
    alt += f"its {features.shape[1]} bands over {len(features)} frames, dark where it is loud: vowels as "
    alt += (
        "stripes that bend up and down, hissing consonants in the upper bands, white silence. Rows are the "
    )
    seconds = [f"{hop / rate * frame:.2f} seconds" for frame in range(len(features))]
    alt += f"bands, columns the frames; {span(features.T, range(1, features.shape[1] + 1), seconds)}"
    with canvas(2, 1, (9, 4.2), alt, sharex=True, height_ratios=[1, 1.4]) as (figure, (wave, bands)):
        wave.plot(np.arange(len(signal)) / rate, signal, color=INK, lw=0.5)
        wave.set(ylabel="air pressure", yticks=[], title=title)
        shown = image(bands, features, hop / rate)
        figure.colorbar(shown, ax=bands, label="log energy", pad=0.01)
        bands.set(xlabel="seconds", ylabel="mel band", xlim=(0, length))
        bands.set_yticks([1, features.shape[1] // 2, features.shape[1]])


def image(axes, features, seconds):
    """Features (T, bands) as a picture over time, low bands below, dark where it is loud; returns it."""
    extent = (0, len(features) * seconds, 0.5, features.shape[1] + 0.5)
    look = {"cmap": WHITE_TO_BLUE, "vmin": SILENT, "vmax": LOUD, "interpolation": "nearest"}
    shown = axes.imshow(features.T, origin="lower", aspect="auto", extent=extent, **look)
    axes.grid(False)
    return shown


def paths(labels, T, path):
    """All moves of CTC's paths that spell the labels in T frames, and one path in bold.

    labels is a word such as "too"; path has one symbol for each frame, "-" being the blank.
    """
    places = ["-"] + [symbol for label in labels for symbol in (label, "-")]
    last = len(places) - 1
    moves = [(s, s + k) for s in range(len(places)) for k in (0, 1, 2) if _allowed(places, s, s + k)]
    starts = [{0, 1}]  # by frame, the places that can be reached
    for _ in range(T - 1):
        starts.append({there for here, there in moves if here in starts[-1]})
    ends = [{last - 1, last}]  # and those from which the end can
    for _ in range(T - 1):
        ends.insert(0, {here for here, there in moves if there in ends[0]})
    alive = [reached & leading for reached, leading in zip(starts, ends, strict=True)]
    walked = _walk(places, alive, moves, path)
    named = ["blank" if place == "-" else place for place in places]
    alt = (
        f"A grid of {len(places)} places by {T} frames. The places, from the top: {', '.join(named)}. Arrows "
    )
    alt += "run to the right: straight on, one place down, or two down where that skips a blank between two "
    alt += f"different letters. In bold, the path {' '.join(path)} (- is the blank), which spells {labels}"
    with canvas(size=(1.1 * T + 1, 0.52 * len(places) + 0.6), alt=alt) as (_, axes):
        for t in range(T - 1):
            for here, there in moves:
                if here in alive[t] and there in alive[t + 1]:
                    bold = (walked[t], walked[t + 1]) == (here, there)
                    look = {"color": ORANGE, "lw": 3} if bold else {"color": GREY, "lw": 1}
                    arrow = {"arrowstyle": "-|>", "shrinkA": 11, "shrinkB": 11, **look}
                    axes.annotate("", (t + 2, there), (t + 1, here), arrowprops=arrow)
        for t, s in ((t, s) for t in range(T) for s in range(len(places))):
            colour = GREY if s not in alive[t] else ORANGE if walked[t] == s else INK
            weight, blank = "bold" if walked[t] == s else "normal", places[s] == "-"
            box = {"boxstyle": "round,pad=0.25" if blank else "circle,pad=0.2", "lw": 1}
            box |= {"fc": PALE if blank else "white", "ec": colour if s in alive[t] else LINE}
            text = {"ha": "center", "va": "center", "color": INK if s in alive[t] else GREY, "weight": weight}
            axes.text(t + 1, s, BLANK if blank else places[s], fontsize=12, bbox=box, **text)
        axes.set(xlim=(0.6, T + 0.4), ylim=(len(places) - 0.5, -0.5), xlabel="frame")
        axes.set_yticks(range(len(places)), named)
        axes.tick_params(axis="y", length=0, labelsize=11)
        axes.set_xticks(range(1, T + 1))
        axes.spines["left"].set_visible(False)
        axes.grid(False)


def _allowed(places, here, there):
    return there < len(places) and (
        there < here + 2 or (places[there] != "-" != places[here] != places[there])
    )


def _walk(places, alive, moves, path):
    """The places of a path, from its symbols: the one way along the moves that ends where it may."""
    ways = [[s] for s in alive[0] if places[s] == path[0]]
    for t, symbol in enumerate(path[1:], 1):
        ways = [[*way, s] for way in ways for s in alive[t] if places[s] == symbol and (way[-1], s) in moves]
    return ways[0]


def alignment(features, rows, symbols, seconds):
    """A recording's features, and below who says what when: {title: probabilities (T, V)}.

    Each row of a panel is a symbol, the text's own in the order in which it has them, the blank (symbol 0)
    last. Over the features stand the letters of the last panel, where they are likeliest.
    """
    *_, final = rows.values()
    marks = letters(final)
    order = [*dict.fromkeys(symbol for symbol, _ in marks), 0]
    names = {0: "blank", **{i: SPACE if symbols[i] == " " else symbols[i] for i in order if i}}
    spelled = "".join(symbols[symbol] for symbol, _ in marks)
    alt = (
        f"Above, the features of a recording with the letters of “{spelled}” over the frames where they are "
    )
    alt += (
        "heard, from left to right. Below, for each of "
        + ", ".join(rows)
        + ", a map of symbols by time, dark "
    )
    alt += f"where a symbol is likely. Rows: {', '.join(names[i] for i in order)}; columns: the frames. "
    alt += "Of the letters: "
    times = [f"{seconds * frame:.2f} seconds" for frame in range(len(features))]
    spelling = [names[i] for i in order if i]
    alt += "; ".join(f"{name}, {span(probs.T[order[:-1]], spelling, times)}" for name, probs in rows.items())
    heights = [1.3, *[0.2 * len(order)] * len(rows)]
    size = (9, 1.8 + 0.2 * len(order) * len(rows))
    with canvas(1 + len(rows), 1, size, alt, sharex=True, height_ratios=heights) as (_, (above, *panels)):
        image(above, features, seconds)
        above.set(yticks=[], ylabel="features", xlim=(0, len(features) * seconds))
        for symbol, frame in marks:
            place = {"ha": "center", "va": "bottom", "fontsize": 9, "weight": "bold"}
            above.text((frame + 0.5) * seconds, features.shape[1] + 0.7, names[symbol], **place)
        for axes, (title, probs) in zip(panels, rows.items(), strict=True):
            extent = (0, len(probs) * seconds, len(order) - 0.5, -0.5)
            look = {"cmap": WHITE_TO_BLUE, "vmin": 0, "vmax": 1, "interpolation": "nearest"}
            axes.imshow(probs.T[order], aspect="auto", extent=extent, **look)
            axes.set_yticks(range(len(order)), [names[symbol] for symbol in order])
            axes.tick_params(axis="y", length=0, labelsize=9)
            axes.set_title(title, loc="left")
            axes.grid(False)
            axes.axhline(len(order) - 1.5, color=BLUE, lw=0.8)
        panels[-1].set_xlabel("seconds")


def letters(probs):
    """Each label of the likeliest path with the middle of its frames: a list of (symbol, frame)."""
    path = probs.argmax(axis=1)
    borders = np.flatnonzero(np.diff(path, prepend=-1, append=-1))
    runs = [(int(path[start]), (start + end - 1) / 2) for start, end in pairwise(borders)]
    return [(symbol, frame) for symbol, frame in runs if symbol != 0]
