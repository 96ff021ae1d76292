"""Figures of gradients: how they are measured, made up of steps, vanish, explode, and go wrong."""

import sys

import numpy as np

from rnncore.plots.style import (
    BLUE,
    BLUE_TO_ORANGE,
    COLOURS,
    GREY,
    INK,
    MARKERS,
    MINUS,
    ORANGE,
    PLATE,
    STROKES,
    as_html,
    canvas,
    from_to,
    name_the_ends,
    span,
    widgets,
)

ELSEWHERE = (  # what stands in the place of a slider where no kernel runs
    "(In a running notebook a slider stands here: it sets the radius, {:g} to {:g}, and the figure follows.)"
)


def step_sizes(h, errors):
    """Error of a finite difference by its step: h (N,) falling, errors {name: (N,)}, both logarithmic."""
    alt = (
        f"Error against step size h, both logarithmic, for {' and '.join(errors)}: each falls as h shrinks, "
    )
    alt += "then rises again, and the central difference reaches a far smaller error at a larger h"
    with canvas(size=(8, 3.6), alt=alt) as (_, axes):
        for i, y in enumerate(errors.values()):
            axes.loglog(h, y, color=COLOURS[i], ls=STROKES[i], marker=MARKERS[i], ms=5, clip_on=False)
        axes.set(xlabel="step h, smaller to the right", ylabel="error", xlim=(h[0], h[-1]))
        for x, name in ((0.02, "too big: the curve bends"), (0.98, "too small: digits are lost")):
            axes.text(x, 0.04, name, transform=axes.transAxes, color=GREY, ha="left" if x < 0.5 else "right")
        name_the_ends(axes, h[-1], errors)


def contributions(parts, name="W_hh"):
    """Each time step's part of one gradient, and their sum: parts (T, rows, columns), numbers written in.

    Orange is positive and blue negative, and every number carries its sign.
    """
    parts = np.asarray(parts)
    shown = [*parts, parts.sum(axis=0)]
    limit = max(np.abs(part).max() for part in shown)
    middle = {"ha": "center", "va": "center"}
    alt = f"{len(parts)} small matrices of numbers, one for each time step, joined by plus signs; after the "
    alt += f"equals sign their sum, the gradient of {name}. "
    titles = [*(f"step {t + 1}" for t in range(len(parts))), "the sum"]
    alt += "; ".join(
        f"{title} {span(part, range(1, len(part) + 1))}" for title, part in zip(titles, shown, strict=True)
    )
    with canvas(1, len(shown), (1.9 * len(shown), 2.3), alt) as (_, row):
        for t, (axes, part) in enumerate(zip(row, shown, strict=True)):
            axes.imshow(part, cmap=BLUE_TO_ORANGE, vmin=-limit, vmax=limit)
            for (i, j), value in np.ndenumerate(part):
                dark = not -0.5 < value / limit < 0.75
                number = f"{value:+.2f}".replace("-", MINUS)
                axes.text(j, i, number, color="white" if dark else INK, fontsize=9, **middle)
            last = t == len(parts)
            axes.set_title(
                f"gradient of ${name}$" if last else f"step {t + 1}", weight="bold" if last else None
            )
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
            axes.spines[:].set(visible=last, color=INK, linewidth=2)
            sign = "" if t == 0 else "=" if last else "+"
            axes.text(-0.13, 0.5, sign, transform=axes.transAxes, fontsize=18, **middle)


def reach(sizes, borders):
    """How far back an error reaches: {name: (T,) sizes of dL/dx_t}, one logarithmic panel each.

    A cross on the floor is a step that hears nothing: an exact zero. ``borders`` is {name: list of steps
    at which a chunk begins}, drawn as dotted lines.
    """
    alt = "The gradient by time step, one panel each for " + ", ".join(sizes)
    alt += "; dotted lines are the borders of chunks, and crosses on the floor are exact zeros"
    floor = min(y[y > 0].min() for y in sizes.values()) / 10
    with canvas(1, len(sizes), (9.5, 3.1), alt, sharey=True) as (_, row):
        for i, (axes, (name, y)) in enumerate(zip(row, sizes.items(), strict=True)):
            steps, heard = np.arange(1, len(y) + 1), y > 0
            axes.semilogy(steps[heard], y[heard], color=COLOURS[i], ls="", marker=MARKERS[i], ms=5)
            axes.plot(steps[~heard], np.full(np.sum(~heard), floor), "x", color=GREY)
            if not heard.all():
                axes.text(1, floor * 3, "exactly zero", color=GREY, va="bottom", bbox=PLATE)
            for border in borders[name]:
                axes.axvline(border + 0.5, color=INK, ls=":", lw=1.2)
            axes.set(title=name, xlabel="time step t", xlim=(0, len(y) + 1))
            axes.xaxis.get_major_locator().set_params(integer=True)
        row[0].set_ylabel("size of $dL/dx_t$")


def gradient_norms(runs, limit=None, xlabel="time step t", ylabel="size of $dL/dh_t$"):
    """Sizes of gradients step by step, {name: (N,)}, on a logarithmic axis; steps count from 1.

    Exact zeros are crosses on the floor and numbers that are not finite crosses at the top. ``limit`` draws
    the line at which clipping sets in.
    """
    runs = {name: np.asarray(sizes, dtype=float) for name, sizes in runs.items()}
    alt = f"{ylabel.replace('$', '')} by {xlabel}, on a logarithmic axis: {from_to(runs)}"
    seen = np.concatenate([sizes[np.isfinite(sizes) & (sizes > 0)] for sizes in runs.values()])
    seen = seen if len(seen) else np.ones(1)
    floor, top = seen.min() / 10, seen.max() * 10
    longest = max(map(len, runs.values()))
    with canvas(size=(8, 3.6), alt=alt) as (_, axes):
        axes.set_yscale("log")
        ends = {}
        for i, (name, sizes) in enumerate(runs.items()):
            steps, usual = np.arange(1, len(sizes) + 1), np.isfinite(sizes) & (sizes > 0)
            look = {"color": COLOURS[i % 5], "ls": STROKES[i % 5], "marker": MARKERS[i % 5]}
            axes.plot(steps, np.where(usual, sizes, np.nan), ms=5 if len(sizes) <= 40 else 0, **look)
            _crosses(axes, steps[sizes == 0], floor, "exactly zero", COLOURS[i % 5], above=True)
            _crosses(axes, steps[~np.isfinite(sizes)], top, "not finite", COLOURS[i % 5], above=False)
            ends[name] = [sizes[usual][-1] if usual.any() else floor]
        if limit is not None:
            axes.axhline(limit, color=INK, lw=1)
            place = {"xytext": (-5, 5), "textcoords": "offset points", "ha": "right"}
            axes.annotate(f"clipped at {limit:g}", (longest, limit), bbox=PLATE, **place)
        axes.set(xlabel=xlabel, ylabel=ylabel, xlim=(1, longest))
        axes.margins(y=0.08)
        axes.xaxis.get_major_locator().set_params(integer=True)
        name_the_ends(axes, longest, ends)


def _crosses(axes, steps, at, words, colour, above):
    """Mark the steps whose number a logarithmic axis has no place for."""
    if len(steps):
        axes.plot(steps, np.full(len(steps), at), "x", color=colour, ms=7)
        place = {"xytext": (5, 8 if above else -8), "va": "bottom" if above else "top"}
        axes.annotate(words, (steps[0], at), textcoords="offset points", color=GREY, bbox=PLATE, **place)


def radius_and_gradient(measure, radii=(0.5, 0.9, 1.0, 1.1, 1.5), slider=False):
    """How the recurrent weights' spectral radius decides what becomes of the gradient on its way back.

    measure(radius) returns sizes (T,), ||dL/dh_t|| for a loss at the last step. One small figure for each
    of the ``radii``; thin lines are what the radius alone foretells, radius to the power of the steps.
    With ``slider=True``, in a notebook with ipywidgets, one figure whose radius the reader moves.
    """
    shown = widgets() if slider else None
    if shown is None:
        _radius_panels(measure, radii)
        return
    lowest, highest = min(radii), max(radii)
    extremes = np.concatenate([measure(lowest), measure(highest)])
    extremes = extremes[np.isfinite(extremes) & (extremes > 0)]
    bar = shown.FloatSlider(
        value=radii[len(radii) // 2],
        min=lowest,
        max=highest,
        step=0.05,
        description="radius",
        continuous_update=False,
    )
    limits = extremes.min() / 2, extremes.max() * 2
    picture = shown.HTML()

    def draw(_):
        picture.value = as_html(_radius_panels, measure, [bar.value], limits)

    bar.observe(draw, "value")
    draw(None)
    bundle = shown.VBox([bar, picture])._repr_mimebundle_()
    sys.modules["IPython"].display.display(
        bundle | {"text/plain": ELSEWHERE.format(lowest, highest)}, raw=True
    )


def _radius_panels(measure, radii, limits=None):
    alt = "Size of the gradient by steps back from the loss, logarithmic, for spectral radius "
    alt += ", ".join(f"{radius:g}" for radius in radii)
    alt += "; thin lines show the radius to the power of the steps"
    size = (max(5, 2.1 * len(radii)), 2.7 if len(radii) > 1 else 3.2)
    with canvas(1, len(radii), size, alt, sharey=True, squeeze=False) as (_, row):
        for axes, radius in zip(row[0], radii, strict=True):
            sizes = np.asarray(measure(radius), dtype=float)[::-1]
            steps = np.arange(len(sizes))
            axes.semilogy(steps, sizes[0] * float(radius) ** steps, color=GREY, lw=1)
            usual = np.isfinite(sizes) & (sizes > 0)
            axes.plot(steps, np.where(usual, sizes, np.nan), color=BLUE, marker="o", ms=3)
            axes.set(title=f"radius {radius:g}", xlabel="steps back")
            if limits is not None:
                axes.set_ylim(*limits)
            axes.xaxis.get_major_locator().set_params(integer=True, nbins=4)
        row[0, 0].set_ylabel("size of $dL/dh_t$")


def error_by_step(received, expected, name="dx", tolerance=1e-7):
    """Where in time an answer (B, T, ...) leaves the right one: the largest error at each time step t.

    Errors are relative to the largest number expected, on a logarithmic axis; t counts from 0, as in
    ``dx[:, t]``. Crosses are wrong steps, circles right ones: those within the tolerance, on the floor
    if they are far within it.
    """
    received, expected = np.asarray(received), np.asarray(expected)
    if received.shape != expected.shape:
        raise ValueError(f"received has shape {received.shape}, expected the shape {expected.shape}")
    T = expected.shape[1]
    apart = np.abs(received - expected).swapaxes(0, 1).reshape(T, -1).max(axis=1)
    errors = apart / max(np.abs(expected).max(), 1e-300)
    errors = np.where(np.isfinite(errors), errors, np.inf)
    wrong, steps = errors > tolerance, np.arange(T)
    story = _steps_in_words(steps[wrong], T)
    finite = errors[np.isfinite(errors)]
    drawn = np.clip(errors, tolerance * 1e-3, max(1, 10 * finite.max(initial=0)))  # infinite: above the rest
    with canvas(size=(8, 3), alt=f"Error of {name} by time step: {story}") as (_, axes):
        axes.set_yscale("log")
        axes.axhline(tolerance, color=INK, lw=1)
        axes.text(T - 0.6, tolerance * 1.4, "tolerance", color=INK, ha="right", va="bottom")
        axes.vlines(steps[wrong], tolerance, drawn[wrong], color=ORANGE, lw=1.5)
        axes.plot(steps[wrong], drawn[wrong], ls="", marker="X", color=ORANGE, ms=9)
        axes.plot(steps[~wrong], drawn[~wrong], ls="", marker="o", color=BLUE, mfc="white", mew=2, ms=8)
        for t in steps[np.isinf(errors)]:
            words = {"ha": "center", "color": ORANGE}
            axes.annotate("not finite", (t, drawn[t]), (0, 8), textcoords="offset points", **words)
        axes.set(
            title=f"{name}: {story}", xlabel="time step t", ylabel="relative error", xlim=(-0.6, T - 0.4)
        )
        axes.set_ylim(tolerance * 3e-4, 100 * max(drawn.max(), tolerance))
        axes.xaxis.get_major_locator().set_params(integer=True)


def _steps_in_words(wrong, T):
    """Which steps are wrong, told in the direction in which the error spreads."""
    if not len(wrong):
        return "right at every step"
    if len(wrong) == T:
        return "wrong at every step"
    if len(wrong) > 1 and np.array_equal(wrong, np.arange(len(wrong))):
        return f"going back in time, wrong from t = {wrong[-1]} on"
    if len(wrong) > 1 and np.array_equal(wrong, np.arange(wrong[0], T)):
        return f"wrong from t = {wrong[0]} on"
    return f"wrong at t = {', '.join(map(str, wrong))}"
