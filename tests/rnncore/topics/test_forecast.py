"""Lesson 13: references against scikit-learn and plain loops, the linear baseline, the error bars."""

import numpy as np
import pytest

from rnncore.given.baselines import blocks, calendar, fit_linear, futures, linear_forecast, pasts
from rnncore.topics.forecast import (
    errors_by_horizon,
    roll_forecast,
    scale_from_train,
    seasonal_naive,
    split_by_time,
)


@pytest.fixture
def rng():
    return np.random.default_rng(13)


def test_split_by_time_cuts_as_scikit_learns_time_series_split_does(rng):
    from sklearn.model_selection import TimeSeriesSplit

    series = rng.normal(size=(3, 23))
    train, valid, test = split_by_time(series, 6, 4)
    ((before, last),) = list(TimeSeriesSplit(n_splits=2, test_size=4).split(series.T))[1:]
    np.testing.assert_array_equal(test, series[:, last])
    np.testing.assert_array_equal(np.concatenate([train, valid], axis=1), series[:, before])
    assert valid.shape == (3, 6) and train.shape == (3, 13)


@pytest.mark.parametrize(("valid", "test"), [(0, 5), (5, 0), (0, 0), (7, 12)])
def test_the_parts_side_by_side_are_the_series(rng, valid, test):
    series = rng.normal(size=(2, 19))
    parts = split_by_time(series, valid, test)
    assert [part.shape[1] for part in parts] == [19 - valid - test, valid, test]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), series)


def test_scale_from_train_is_scikit_learns_scaler_fitted_on_train(rng):
    from sklearn.preprocessing import StandardScaler

    parts = [rng.normal(12, 5, (3, T)) for T in (17, 7, 5)]
    scaled, mean, std = scale_from_train(*parts)
    scaler = StandardScaler().fit(parts[0].reshape(-1, 1))
    for ours, part in zip(scaled, parts, strict=True):
        theirs = scaler.transform(part.reshape(-1, 1)).reshape(part.shape)
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
        np.testing.assert_allclose(ours * std + mean, part, rtol=1e-10)


@pytest.mark.parametrize(("season", "horizon"), [(5, 13), (7, 4), (6, 6), (1, 3)])
def test_seasonal_naive_is_the_latest_known_value_whole_seasons_before(rng, season, horizon):
    history = rng.normal(size=(3, 17))
    forecast = seasonal_naive(history, season, horizon)
    assert forecast.shape == (3, horizon)
    for h in range(horizon):
        t = max(t for t in range(17) if (17 + h - t) % season == 0)
        np.testing.assert_array_equal(forecast[:, h], history[:, t])


def test_seasonal_naive_is_right_about_what_repeats(rng):
    season = rng.normal(size=(3, 5))
    series = np.tile(season, 7)
    np.testing.assert_array_equal(seasonal_naive(series[:, :18], 5, 17), series[:, 18:])


def test_roll_forecast_feeds_a_linear_model_its_own_forecasts(rng):
    weights = rng.normal(0, 0.5, (4, 4))

    def step(x, state):  # of the values of two steps: a power of one matrix says what comes of it
        now = np.concatenate([x, state])
        return weights[:2] @ now, weights[2:] @ now

    last, state = rng.normal(size=2), rng.normal(size=2)
    forecasts = roll_forecast(step, state, last, 6)
    assert forecasts.shape == (2, 6)
    for h in range(6):
        ahead = np.linalg.matrix_power(weights, h + 1) @ np.concatenate([last, state])
        np.testing.assert_allclose(forecasts[:, h], ahead[:2], rtol=1e-10)


def test_errors_by_horizon_are_scikit_learns_errors_in_degrees(rng):
    from sklearn.metrics import root_mean_squared_error

    forecasts, truth = rng.normal(size=(2, 9, 5))
    theirs = root_mean_squared_error(10 + 4 * truth, 10 + 4 * forecasts, multioutput="raw_values")
    np.testing.assert_allclose(errors_by_horizon(forecasts, truth, 4.0), theirs, rtol=1e-10)


def test_the_calendar_turns_once_a_day_and_once_a_year():
    hours = np.arange("2013-01-01T00", "2015-01-01T00", dtype="datetime64[h]")
    turns = calendar(hours)
    assert turns.shape == (2 * 365 * 24, 6)
    np.testing.assert_allclose((turns**2).sum(axis=1), 3, rtol=1e-10)
    day_of, year_of = turns[:, [0, 1, 3, 4]], turns[:, [2, 5]]
    np.testing.assert_allclose(day_of[24:], day_of[:-24], atol=1e-10)
    np.testing.assert_allclose(year_of[365 * 24 :], year_of[: 365 * 24], atol=1e-10)
    assert np.abs(year_of[365 * 12] - year_of[0]).max() > 1.9  # half a year is the other side


def test_pasts_and_futures_meet_at_each_hour(rng):
    series = rng.normal(size=(2, 11))
    past, future = pasts(series, 4), futures(series, 3)
    assert past.shape == (2, 11, 4) and future.shape == (2, 8, 3)
    for t in range(3, 8):
        np.testing.assert_array_equal(past[:, t], series[:, t - 3 : t + 1])
        np.testing.assert_array_equal(future[:, t], series[:, t + 1 : t + 4])
    np.testing.assert_array_equal(past[:, 1], series[:, [0, 0, 0, 1]])


def test_the_linear_forecast_is_one_least_squares_fit_for_each_horizon(rng):
    B, N, K, lags, horizon = 2, 40, 3, 4, 5
    past, known = rng.normal(size=(B, N, lags)), rng.normal(size=(N, K))
    future = rng.normal(size=(B, N, horizon))
    weights = fit_linear(past, known, future)
    assert weights.shape == (lags + K + 1, horizon)
    forecast = linear_forecast(weights, past[:, -3:], known[-3:])
    assert forecast.shape == (B, 3, horizon)
    rows = np.array([[*past[b, n], *known[n], 1] for b in range(B) for n in range(N)])
    for h in range(horizon):
        targets = np.array([future[b, n, h] for b in range(B) for n in range(N)])
        by_hand = np.linalg.solve(rows.T @ rows, rows.T @ targets)
        np.testing.assert_allclose(weights[:, h], by_hand, rtol=1e-8)
        np.testing.assert_allclose(forecast[1, 2, h], rows[-1] @ by_hand, rtol=1e-8)


def test_blocks_are_runs_of_neighbours(rng):
    drawn = blocks(23, 5, rng)
    assert len(drawn) == 23 and drawn.min() >= 0 and drawn.max() < 23
    for start in range(0, 23, 5):
        run = drawn[start : start + 5]
        np.testing.assert_array_equal(run, run[0] + np.arange(len(run)))
    assert not np.array_equal(drawn, blocks(23, 5, rng))
