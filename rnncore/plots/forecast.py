"""The figures of lesson 13: temperatures over days, forecasts beside what came, and errors by horizon."""

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from rnncore.plots.style import COLOURS, GREY, INK, MARKERS, STROKES, WORDS, canvas, colour_of, name_the_ends

DEGREES = "degrees Celsius"


def weather(hours, panels, size=(9, 4.2)):
    """Series over the same hours, a panel each: hours (T,), datetime64, and panels {title: (T,)}.

    All panels share one vertical axis, so that their ups and downs can be compared.
    """
    moves = [f"{name}: from {series.min():.0f} to {series.max():.0f}" for name, series in panels.items()]
    alt = f"Temperature in degrees Celsius, hour by hour, a panel each. {'; '.join(moves)}"
    with canvas(len(panels), 1, size, alt, sharex=True, sharey=True, squeeze=False) as (figure, rows):
        for axes, (name, series) in zip(rows[:, 0], panels.items(), strict=True):
            axes.plot(hours, series, color=INK, lw=1.2)
            axes.set_title(name, loc="left")
        dates = AutoDateLocator(minticks=4, maxticks=9)
        axes.xaxis.set_major_locator(dates)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(dates))
        axes.set_xlim(hours[0], hours[-1])
        figure.supylabel(DEGREES, fontsize=11)


def one_forecast(past, future, forecasts, size=(9, 3.6)):
    """One day ahead: the known past (P,), what came (H,), and forecasts {name: (H,)} of it.

    Hours are counted from the moment of the forecast, the past to the left of it.
    """
    ahead = np.arange(1, len(future) + 1)
    alt = f"Temperature of the past {len(past)} hours and of the {len(future)} hours after, in grey, and "
    alt += f"forecasts of these, one line each for {', '.join(forecasts)}"
    with canvas(size=size, alt=alt) as (_, axes):
        axes.plot(np.arange(1 - len(past), 1), past, color=INK, lw=2)
        axes.plot([0, *ahead], [past[-1], *future], color=GREY, lw=5, alpha=0.45)
        for i, forecast in enumerate(forecasts.values()):
            axes.plot(ahead, forecast, color=COLOURS[i], ls=STROKES[i], marker=MARKERS[i], ms=5, markevery=4)
        axes.axvline(0, color=GREY, lw=1)
        axes.margins(y=0.12)
        axes.text(0, 1, "known  ", transform=axes.get_xaxis_transform(), ha="right", va="top", color=GREY)
        axes.text(0, 1, "  grey: what came", transform=axes.get_xaxis_transform(), va="top", color=GREY)
        axes.set(xlabel="hours from now", ylabel=DEGREES, xlim=(1 - len(past), len(future)))
        axes.set_xticks(range(-(len(past) // 12) * 12, len(future) + 1, 12))
        name_the_ends(axes, len(future), forecasts)


def by_horizon(lines, bands=None, ylabel="error in degrees Celsius", zero=None, looks=None, size=(8.5, 3.8)):
    """Lines {name: (H,)} over 1 to H hours ahead, and bands {name: (lowest (H,), highest (H,))} around some.

    Several bands would cover each other, so each gets a panel of its own, with the edges of the others thin
    and grey. ``zero`` draws a thin line at 0 and writes these words on it. ``looks`` {name: number} gives a
    line the colour, stroke and marker that it has in other figures; None is a thin grey line.
    """
    H = len(next(iter(lines.values())))
    ends = ", ".join(f"{name} {line[0]:.2f} to {line[-1]:.2f}" for name, line in lines.items())
    alt = f"{ylabel} against hours ahead, from 1 to {H}, one line each: {ends}"
    shaded = {name: bands[name] for name in lines if name in (bands or {})}
    around = (f"{name}, at {H} from {low[-1]:.2f} to {high[-1]:.2f}" for name, (low, high) in shaded.items())
    alt += f". Shaded bands of uncertainty around {'; '.join(around)}" if shaded else ""
    if len(shaded) > 1:
        _panels(lines, shaded, ylabel, looks, size, alt)
        return
    with canvas(size=size, alt=alt) as (_, axes):
        for i, name in enumerate(lines):
            _line(axes, i, name, lines[name], shaded.get(name), looks)
        if zero is not None:
            axes.axhline(0, color=INK, lw=1)
            axes.text(1.2, 0, zero, color=INK, va="bottom")
        else:
            axes.set_ylim(0)
        axes.set(xlabel="hours ahead", ylabel=ylabel, xlim=(1, H), xticks=[1, *range(4, H + 1, 4)])
        name_the_ends(axes, H, lines, looks)


def _line(axes, i, name, line, band, looks):
    """The ``i``-th line, with its band if it has one."""
    ahead, number, colour = np.arange(1, len(line) + 1), (looks or {}).get(name, i), colour_of(name, i, looks)
    thin = {"ls": STROKES[i % 5], "lw": 1.2}
    look = thin if number is None else {"ls": STROKES[number % 5], "marker": MARKERS[number % 5]}
    axes.plot(ahead, line, markevery=(i, 5), ms=5, color=colour, clip_on=False, **look)
    if band is not None:
        axes.fill_between(ahead, *band, color=colour, alpha=0.18, lw=0)


def _panels(lines, bands, ylabel, looks, size, alt):
    """A panel for each band, all on one scale: its line, and where the other bands begin and end."""
    H = len(next(iter(lines.values())))
    with canvas(1, len(bands), (3.3 * len(bands), size[1]), alt, sharey=True) as (_, row):
        for axes, name in zip(row, bands, strict=True):
            for other in bands.keys() - {name}:
                for edge in bands[other]:
                    axes.plot(np.arange(1, H + 1), edge, color=GREY, lw=0.8, ls=":")
            i = list(lines).index(name)
            _line(axes, i, name, lines[name], bands[name], looks)
            colour = colour_of(name, i, looks)
            axes.set_title(name, color=WORDS.get(colour, colour), weight="bold")
            axes.set(xlabel="hours ahead", xlim=(1, H), ylim=0, xticks=[1, *range(6, H + 1, 6)])
        row[0].set_ylabel(ylabel)
        look = {"transform": row[0].transAxes, "ha": "right", "va": "bottom", "color": GREY, "fontsize": 10}
        row[0].text(0.98, 0.02, "dotted: the edges\nof the other bands", **look)
