"""What a forecast of lesson 13 is held against, and how sure one may be of the difference.

``calendar`` turns hours into numbers that a model can read; ``linear_forecast`` is the strongest baseline,
a regression for each horizon; ``blocks`` draws the resamples from which error bars are made.
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


def linear_forecast(series, calendar, lags, horizon, train):
    """Forecast with one linear regression for each number of steps ahead, fitted by least squares.

    Each reads the last ``lags`` values of a place and the calendar of the hour at which the forecast is
    made. series (B, T), calendar (T, K); ``train`` is the number of steps to fit on: no target lies later.
    Returns (B, T, horizon): at [b, t, h] the forecast made at t for t + 1 + h; NaN where t < lags - 1.
    """
    B, T = series.shape
    made_at = np.arange(lags - 1, T)
    past = np.lib.stride_tricks.sliding_window_view(series, lags, axis=1)
    known = np.column_stack([calendar, np.ones(T)])[made_at]
    known = np.broadcast_to(known, (B, *known.shape))
    inputs = np.concatenate([past, known], axis=2)
    fitted = len(made_at[made_at + horizon < train])
    targets = np.lib.stride_tricks.sliding_window_view(series[:, lags:], horizon, axis=1)[:, :fitted]
    x, y = (part.reshape(B * fitted, -1) for part in (inputs[:, :fitted], targets))
    weights = np.linalg.lstsq(x, y, rcond=None)[0]
    forecast = np.full((B, T, horizon), np.nan)
    forecast[:, made_at] = inputs @ weights
    return forecast


def blocks(steps, length, rng):
    """Indices of a resample of ``steps`` steps, drawn in blocks of ``length`` neighbours (Künsch, 1989).

    Forecasts made an hour apart err alike. To draw single hours would count one error many times over and
    make the error bars too small; a block keeps neighbours together.
    """
    starts = rng.integers(0, steps - length + 1, -(-steps // length))
    return (starts[:, np.newaxis] + np.arange(length)).ravel()[:steps]
