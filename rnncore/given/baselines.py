"""What a forecast of lesson 13 is held against, and how sure one may be of the difference.

``calendar`` turns hours into numbers that a model can read; ``fit_linear`` and ``linear_forecast`` are the
strongest baseline, a regression for each horizon; ``blocks`` draws what error bars are made from.
"""

import numpy as np


def calendar(hours):
    """The time of day and of year as points on circles: hours (T,), datetime64[h], give (T, 6).

    Sine and cosine of the day, of half a day (an afternoon is no mirror image of a morning), of the year.
    """
    day = (hours - hours.astype("datetime64[D]")).astype(float) / 24
    year = (hours - hours.astype("datetime64[Y]")).astype(float) / (24 * 365.25)
    turns = 2 * np.pi * np.stack([day, 2 * day, year], axis=1)
    return np.concatenate([np.sin(turns), np.cos(turns)], axis=1)


def pasts(series, length):
    """At each hour the values up to it, oldest first: series (B, T) gives (B, T, length), a view.

    What lies before the first value is taken to be like it.
    """
    padded = np.pad(series, ((0, 0), (length - 1, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, length, axis=1)


def futures(series, horizon):
    """At each hour the values after it, the next one first: series (B, T) gives (B, T - horizon, horizon)."""
    return np.lib.stride_tricks.sliding_window_view(series[:, 1:], horizon, axis=1)


def fit_linear(past, calendar, future):
    """Fit one linear regression for each number of steps ahead, by least squares.

    past (B, N, lags) and calendar (N, K) are what is known when a forecast is made, future (B, N, horizon)
    what came. Returns the weights (lags + K + 1, horizon), those of a constant 1 last.
    """
    inputs = _inputs(past, calendar)
    return np.linalg.lstsq(inputs.reshape(-1, inputs.shape[2]), future.reshape(-1, future.shape[2]))[0]


def linear_forecast(weights, past, calendar):
    """The forecasts of ``fit_linear``'s weights: past (B, N, lags), calendar (N, K) give (B, N, horizon)."""
    return _inputs(past, calendar) @ weights


def _inputs(past, calendar):
    known = np.column_stack([calendar, np.ones(len(calendar))])
    return np.concatenate([past, np.broadcast_to(known, (len(past), *known.shape))], axis=2)


def blocks(steps, length, rng):
    """Indices of a resample of ``steps`` steps, drawn in blocks of ``length`` neighbours (Künsch, 1989).

    Forecasts made an hour apart err alike. To draw single hours would count one error many times over and
    make the error bars too small; a block keeps neighbours together.
    """
    starts = rng.integers(0, steps - length + 1, -(-steps // length))
    return (starts[:, np.newaxis] + np.arange(length)).ravel()[:steps]
