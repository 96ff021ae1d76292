"""The one quiet look of all figures: it also reads in grey, without colour vision and read aloud.

Lines differ by colour, stroke *and* marker, and are named beside their ends rather than in a legend;
heat maps grow darker away from zero, and negative numbers carry a minus sign. The colours are those of
Okabe and Ito (2008), with a darker purple. Each figure carries a description for screen readers (the
``alt`` text of the stored picture).
"""

import base64
import html
import sys
from contextlib import contextmanager

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import FancyArrowPatch

INK, GREY, LINE, PALE = "#222222", "#767676", "#C9D2DA", "#E9EEF2"
PLATE = {"fc": "white", "ec": "none", "pad": 1}  # behind words that stand on lines
BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#56B4E9"
COLOURS = [BLUE, ORANGE, GREEN, PURPLE, SKY]
WORDS = {ORANGE: "#B34E00", GREEN: "#007F5D", SKY: "#2177A8"}  # for words in these colours: 4.5 to 1 on white
STROKES = ["-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1))]
MARKERS = ["o", "s", "^", "D", "v"]
BLUE_TO_ORANGE = LinearSegmentedColormap.from_list(
    "blue to orange", ["#004B80", SKY, "#F7F7F7", "#F0A35E", "#A33B00"]
)
WHITE_TO_BLUE = LinearSegmentedColormap.from_list("white to blue", ["#FFFFFF", "#9CCBEA", BLUE, "#00304F"])
MINUS = "\N{MINUS SIGN}"
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
    open, for ``matplotlib.pyplot.show()`` or ``savefig``. An empty panel raises ValueError: whoever drew
    it has nothing but NaN, or nothing at all, and should be told so rather than shown a blank.
    """
    import matplotlib.pyplot as plt  # takes longer than all else here, and many only import this module

    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(rows, columns, figsize=size, **options)
        yield figure, axes
        if number := _blank_panel(figure):
            plt.close(figure)
            raise ValueError(
                f"panel {number} of the figure has nothing to show: its numbers are NaN, or there are none"
            )
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        data, about = shell.display_formatter.format(figure) if shell else ({}, {})
        if "image/png" in data:
            about["image/png"] = about.get("image/png", {}) | {"alt": alt}
            shell.display_pub.publish(data, about)
            plt.close(figure)


def _blank_panel(figure):
    """The number of the first panel that holds no data, from 1; None where all do."""
    for number, panel in enumerate(figure.axes, 1):
        finite = np.isfinite(panel.dataLim.get_points()).all()
        filled = finite if panel.has_data() else panel.texts
        if panel.axison and not filled:
            return number
    return None


def name_the_ends(axes, x, lines, looks=None):
    """Write each line's name beside its last point; names that would touch move apart, and point to it.

    ``looks`` {name: number} says in which of the colours a line is drawn; None there is grey.
    """
    axes.figure.canvas.draw()
    height = axes.bbox.height
    last = [axes.transData.transform((x, np.asarray(y)[-1]))[1] - axes.bbox.y0 for y in lines.values()]
    gap = 1.35 * matplotlib.rcParams["font.size"] * axes.figure.dpi / 72
    for (i, name), at in zip(enumerate(lines), _apart(last, gap, height), strict=True):
        colour = colour_of(name, i, looks)
        beside = 1 + 14 / axes.bbox.width
        look = {"color": WORDS.get(colour, colour), "va": "center", "weight": "bold"}
        axes.text(beside, at / height, name, transform=axes.transAxes, **look)
        if abs(at - last[i]) > 2:
            ends = (1.0, last[i] / height), (beside - 2 / axes.bbox.width, at / height)
            axes.add_patch(
                FancyArrowPatch(
                    *ends,
                    arrowstyle="-",
                    transform=axes.transAxes,
                    color=colour,
                    lw=0.8,
                    shrinkA=0,
                    shrinkB=0,
                    clip_on=False,
                )
            )


def colour_of(name, number, looks=None):
    """The colour of a line, the ``number``-th drawn, unless ``looks`` has another for its ``name``."""
    if looks is not None and name in looks:
        number = looks[name]
    return GREY if number is None else COLOURS[number % 5]


def from_to(lines):
    """Named lines in words, for an alt text: where each begins and ends."""
    ends = ((name, np.asarray(y, dtype=float)) for name, y in lines.items())
    return "; ".join(f"{name} from {y[0]:.3g} to {y[-1]:.3g}" for name, y in ends)


def span(values, rows, columns=None):
    """The numbers of a heat map in words, for an alt text: their range, and where the largest stands.

    ``rows`` and ``columns`` name them; where a map has a single row, ``rows`` is left out as None.
    """
    values = np.asarray(values, dtype=float)
    values = values[np.newaxis] if values.ndim == 1 else values
    row, column = np.unravel_index(np.argmax(values), values.shape)
    at = [] if rows is None else [f"in row {rows[row]}"]
    at += [f"in column {column + 1}" if columns is None else f"in column {column + 1}, {columns[column]}"]
    lowest, highest = (f"{one + 0.0:.2f}".replace("-0.00", "0.00") for one in (values.min(), values.max()))
    return f"from {lowest} to {highest}, the largest {' '.join(at)}"


def _apart(wanted, gap, height):
    """Places at least ``gap`` apart and, where they fit, within ``height``, each near where it is wanted."""
    groups = []  # [indices, where their lowest would stand], from the lowest up
    for i in np.argsort(wanted, kind="stable"):
        groups.append([[i], wanted[i]])
        while len(groups) > 1 and groups[-2][1] + gap * len(groups[-2][0]) > groups[-1][1]:
            (lower, _), (upper, _) = groups[-2:]
            both = lower + upper
            groups[-2:] = [[both, np.mean([wanted[j] - gap * k for k, j in enumerate(both)])]]
    places = np.empty(len(wanted))
    for members, start in groups:
        room = height - gap * (len(members) - 1)
        places[members] = max(0, min(start, room)) + gap * np.arange(len(members))
    return places


def arrow(axes, start, end, colour, stroke="-"):
    axes.add_patch(FancyArrowPatch(start, end, color=colour, lw=2, ls=stroke, **ARROW))


def heat_map(axes, values, limit=1, signed=True):
    """Paint values (rows, columns) as separate squares, from -limit or 0 to limit; return the image.

    Signed: orange is positive; blue is negative and carries a minus sign.
    """
    rows, columns = values.shape
    colours, lowest = (BLUE_TO_ORANGE, -limit) if signed else (WHITE_TO_BLUE, 0)
    image = axes.imshow(values, cmap=colours, vmin=lowest, vmax=limit, aspect="auto")
    for row, column in zip(*np.nonzero(values < -0.05 * limit), strict=True):
        ink = "white" if values[row, column] < -0.5 * limit else INK
        axes.text(column, row, MINUS, ha="center", va="center", color=ink)
    squares(axes, rows, columns, "white" if signed else LINE)  # a closed gate is white itself
    return image


def squares(axes, rows, columns, colour):
    """Part the squares of a matrix by thin lines, and take everything else away from the axes."""
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    axes.grid(False)
    axes.grid(which="minor", color=colour, lw=1.5)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)


def widgets():
    """The module ipywidgets where sliders can be shown, in a notebook that has it; None elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    try:
        import ipywidgets
    except ImportError:
        return None
    return ipywidgets


def as_html(draw, *args):
    """What ``draw(*args)`` shows in a notebook, with its description, as an HTML image for a widget.

    An Output widget would do the same, but programs that run notebooks wait in vain for what it catches.
    """
    from IPython.utils.capture import capture_output

    with capture_output() as caught:
        draw(*args)
    (shown,) = caught.outputs
    image = shown.data["image/png"]
    code = image if isinstance(image, str) else base64.b64encode(image).decode()
    alt = html.escape(shown.metadata["image/png"]["alt"])
    return f'<img alt="{alt}" src="data:image/png;base64,{code.strip()}">'
