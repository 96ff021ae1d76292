"""The figures of lesson 13: temperatures over days, forecasts beside what came, and errors by horizon."""

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from rnncore.plots.style import COLOURS, GREY, INK, MARKERS, STROKES, canvas, colour_of, name_the_ends

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

    ``zero`` draws a thin line at 0 and writes these words on it. ``looks`` {name: number} gives a line the
    colour, stroke and marker that it has in other figures; None is a thin grey line.
    """
    H = len(next(iter(lines.values())))
    ends = ", ".join(f"{name} {line[0]:.2f} to {line[-1]:.2f}" for name, line in lines.items())
    alt = f"{ylabel} against hours ahead, from 1 to {H}, one line each: {ends}"
    shaded = [name for name in lines if name in (bands or {})]
    alt += f". Shaded bands of uncertainty around {', '.join(shaded)}" if shaded else ""
    ahead = np.arange(1, H + 1)
    with canvas(size=size, alt=alt) as (_, axes):
        for i, (name, line) in enumerate(lines.items()):
            number, colour = (looks or {}).get(name, i), colour_of(name, i, looks)
            thin = {"ls": STROKES[i % 5], "lw": 1.2}
            look = thin if number is None else {"ls": STROKES[number % 5], "marker": MARKERS[number % 5]}
            axes.plot(ahead, line, markevery=(i, 5), ms=5, color=colour, clip_on=False, **look)
            if name in shaded:
                axes.fill_between(ahead, *bands[name], color=colour, alpha=0.18, lw=0)
        if zero is not None:
            axes.axhline(0, color=INK, lw=1)
            axes.text(1.2, 0, zero, color=INK, va="bottom")
        else:
            axes.set_ylim(0)
        axes.set(xlabel="hours ahead", ylabel=ylabel, xlim=(1, H), xticks=[1, *range(4, H + 1, 4)])
        name_the_ends(axes, H, lines, looks)
