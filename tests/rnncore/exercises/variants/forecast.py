"""Correct variants for lesson 13."""

import numpy as np

from tests.rnncore.exercises.variants import answers


@answers("split_by_time")
def np_split(series, valid, test):
    T = series.shape[1]
    return np.split(series, [T - valid - test, T - test], axis=1)


@answers("split_by_time")
def copies_of_slices(series, valid, test):
    train = series.shape[1] - valid - test
    parts = (slice(0, train), slice(train, train + valid), slice(train + valid, None))
    return tuple(series[:, part].copy() for part in parts)


@answers("split_by_time")
def column_by_column(series, valid, test):
    columns = list(series.T)
    parts = []
    for steps in (len(columns) - valid - test, valid, test):
        parts.append(np.array([columns.pop(0) for _ in range(steps)]).reshape(steps, len(series)).T)
    return parts


@answers("split_by_time")
def masks(series, valid, test):
    left = np.arange(series.shape[1])[::-1]
    return (
        series[:, left >= valid + test],
        series[:, (left >= test) & (left < valid + test)],
        series[:, left < test],
    )


@answers("split_by_time")
def peeled_off(series, valid, test):
    rest, newest = series[:, : series.shape[1] - test], series[:, series.shape[1] - test :]
    return rest[:, : rest.shape[1] - valid], rest[:, rest.shape[1] - valid :], newest


@answers("split_by_time")
def rows_as_lists(series, valid, test):
    a, b = len(series[0]) - valid - test, len(series[0]) - test
    return (
        np.array([r[:a] for r in series]),
        np.array([r[a:b] for r in series]),
        np.array([r[b:] for r in series]),
    )


@answers("scale_from_train")
def one_after_the_other(train, valid, test):
    mean, std = np.mean(train), np.std(train)
    return ((train - mean) / std, (valid - mean) / std, (test - mean) / std), mean, std


@answers("scale_from_train")
def divides_by_n_minus_one(train, valid, test):
    mean, std = train.mean(), train.std(ddof=1)
    return tuple((part - mean) / std for part in (train, valid, test)), mean, std


@answers("scale_from_train")
def by_hand(train, valid, test):
    mean = train.sum() / train.size
    std = (((train - mean) ** 2).sum() / train.size) ** 0.5
    return [(1 / std) * part - mean / std for part in (train, valid, test)], float(mean), float(std)


@answers("scale_from_train")
def in_place_on_copies(train, valid, test):
    mean, std = train.mean(), train.std()
    parts = [train.copy(), valid.copy(), test.copy()]
    for part in parts:
        part -= mean
        part /= std
    return tuple(parts), mean, std


@answers("scale_from_train")
def scikit_learn(train, valid, test):
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(train.reshape(-1, 1))
    scaled = tuple(scaler.transform(part.reshape(-1, 1)).reshape(part.shape) for part in (train, valid, test))
    return scaled, scaler.mean_[0], scaler.scale_[0]


@answers("scale_from_train")
def joined_and_split(train, valid, test):
    whole = np.concatenate([train, valid, test], axis=1)
    mean, variance = train.mean(), (train**2).mean() - train.mean() ** 2
    borders = [train.shape[1], train.shape[1] + valid.shape[1]]
    return tuple(np.split((whole - mean) / variance**0.5, borders, axis=1)), mean, variance**0.5


@answers("seasonal_naive")
def tiled(history, season, horizon):
    repeats = horizon // season + 1
    return np.tile(history[:, history.shape[1] - season :], (1, repeats))[:, :horizon]


@answers("seasonal_naive")
def goes_back_until_known(history, season, horizon):
    T = history.shape[1]
    forecast = np.zeros((len(history), horizon))
    for h in range(horizon):
        t = T + h
        while t >= T:
            t -= season
        forecast[:, h] = history[:, t]
    return forecast


@answers("seasonal_naive")
def appended_to_the_history(history, season, horizon):
    known = list(history.T)
    for _ in range(horizon):
        known.append(known[-season])
    return np.stack(known[history.shape[1] :], axis=1)


@answers("seasonal_naive")
def negative_indices(history, season, horizon):
    return history[:, [h % season - season for h in range(horizon)]]


@answers("seasonal_naive")
def taken_cyclically(history, season, horizon):
    return np.take(history[:, -season:], range(horizon), axis=1, mode="wrap")


@answers("seasonal_naive")
def lists_of_lists(history, season, horizon):
    return [[float(row[len(row) - season + h % season]) for h in range(horizon)] for row in history]


@answers("roll_forecast")
def filled_array(step, state, last, horizon):
    forecasts = np.empty((len(last), horizon))
    x = last.copy()
    for h in range(horizon):
        x, state = step(x, state)
        forecasts[:, h] = x
    return forecasts


@answers("roll_forecast")
def recursive(step, state, last, horizon):
    x, state = step(last, state)
    if horizon == 1:
        return x[:, None]
    return np.concatenate([x[:, None], roll_forecast_again(step, state, x, horizon - 1)], axis=1)


def roll_forecast_again(step, state, last, horizon):
    x, state = step(last, state)
    rest = [] if horizon == 1 else [roll_forecast_again(step, state, x, horizon - 1)]
    return np.concatenate([x[:, None], *rest], axis=1)


@answers("roll_forecast")
def list_that_starts_with_last(step, state, last, horizon):
    values = [last]
    while len(values) <= horizon:
        value, state = step(values[-1], state)
        values.append(value)
    return np.column_stack(values[1:])


@answers("roll_forecast")
def transposed_at_the_end(step, state, last, horizon):
    pair, rows = (last, state), []
    for _ in range(horizon):
        pair = step(*pair)
        rows.append(list(pair[0]))
    return np.array(rows).T


@answers("roll_forecast")
def place_by_place(step, state, last, horizon):
    rows = []
    for b in range(len(last)):
        x, s, row = last[b : b + 1], state[b : b + 1], []
        for _ in range(horizon):
            x, s = step(x, s)
            row.append(x[0])
        rows.append(row)
    return rows


@answers("roll_forecast")
def accumulated(step, state, last, horizon):
    from itertools import accumulate

    pairs = accumulate(range(horizon), lambda pair, _: step(*pair), initial=(last, state))
    return np.stack([x for x, _ in pairs][1:], axis=-1)


@answers("errors_by_horizon")
def scaled_back_first(forecasts, truth, std):
    return np.sqrt(np.mean((forecasts * std - truth * std) ** 2, axis=0))


@answers("errors_by_horizon")
def scaled_back_last(forecasts, truth, std):
    return std * np.sqrt(np.square(truth - forecasts).sum(0) / len(truth))


@answers("errors_by_horizon")
def norms(forecasts, truth, std):
    return np.linalg.norm((forecasts - truth) * std, axis=0) / np.sqrt(len(forecasts))


@answers("errors_by_horizon")
def loops(forecasts, truth, std):
    found = []
    for h in range(truth.shape[1]):
        total = 0.0
        for n in range(len(truth)):
            total += ((forecasts[n, h] - truth[n, h]) * std) ** 2
        found.append((total / len(truth)) ** 0.5)
    return found


@answers("errors_by_horizon")
def bias_and_spread(forecasts, truth, std):
    errors = std * (forecasts - truth)
    return np.hypot(errors.mean(axis=0), errors.std(axis=0))


@answers("errors_by_horizon")
def einsum(forecasts, truth, std):
    errors = (forecasts - truth) * std
    return np.sqrt(np.einsum("nh,nh->h", errors, errors) / errors.shape[0])
