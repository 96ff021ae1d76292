"""Forecasts of a series, and how to be honest about them: the heart of lesson 13.

A series is (B, T): B places side by side, T hours. ``split_by_time`` and ``scale_from_train`` keep the
future out of the past; ``seasonal_naive`` is the forecast that any other has to beat; ``roll_forecast``
makes a model of the next step look further ahead; ``errors_by_horizon`` says how wrong it all was. The
linear baseline and the error bars, which the lesson gives away, are in ``rnncore.given.baselines``.
"""

import numpy as np


def split_by_time(series, valid, test):
    """Cut a series (B, T) into past, then the ``valid`` steps after it, then the last ``test`` steps.

    Returns train (B, T - valid - test), valid (B, valid) and test (B, test), in the order of time.
    """
    T = series.shape[1]
    end_of_valid = T - test
    end_of_train = end_of_valid - valid
    return series[:, :end_of_train], series[:, end_of_train:end_of_valid], series[:, end_of_valid:]


def scale_from_train(train, valid, test):
    """Scale three parts of a series alike, so that ``train`` has mean 0 and standard deviation 1.

    Each part is (B, its own number of steps). Returns (train, valid, test) scaled, and the mean and
    the standard deviation of all of train's numbers, with which to scale back.
    """
    mean = train.mean()
    std = train.std()
    scaled = tuple((part - mean) / std for part in (train, valid, test))
    return scaled, mean, std


def seasonal_naive(history, season, horizon):
    """Forecast that all will be as it was one season ago: history (B, T) gives (B, horizon).

    The forecast for h steps ahead is the latest known value that lies a whole number of seasons before.
    Needs T >= season.
    """
    last_season = history[:, -season:]
    ahead = np.arange(horizon)
    return last_season[:, ahead % season]


def roll_forecast(step, state, last, horizon):
    """Forecast ``horizon`` steps with a model of one: each forecast is what the model reads next.

    step(x, state) reads the values x (B,) of one hour and gives a forecast (B,) of the next hour, and the
    state after. ``last`` (B,) are the last values known. Returns (B, horizon).
    """
    forecasts = []
    x = last
    for _ in range(horizon):
        x, state = step(x, state)
        forecasts.append(x)
    return np.stack(forecasts, axis=1)


def errors_by_horizon(forecasts, truth, std):
    """The root mean squared error of each horizon, in the units of the series before it was scaled.

    forecasts and truth are scaled values (N, horizon), N forecasts of 1, 2, ... steps ahead; std is what
    they were divided by. Returns (horizon,).
    """
    errors = (forecasts - truth) * std
    return np.sqrt((errors**2).mean(axis=0))
