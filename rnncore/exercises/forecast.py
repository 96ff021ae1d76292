"""Lesson 13, Forecast tomorrow: five functions that keep a forecast honest, and make it look further ahead."""

import numpy as np

from rnncore.exercises.exercise import Case, Exercise, Mistake, each_row
from rnncore.observe import Formula
from rnncore.topics.forecast import (
    errors_by_horizon,
    roll_forecast,
    scale_from_train,
    seasonal_naive,
    split_by_time,
)

SHUFFLED = "a part whose steps are not in the order of time"


def view_split(case, value):
    """The three parts; where their steps are some of the series', but mixed, no matter how they are mixed."""
    series = case.args[0]
    parts = tuple(np.asarray(part, dtype=float) for part in value)
    for part in parts:
        at = [np.flatnonzero(series[0] == number) for number in part[0]]
        if any(len(found) != 1 for found in at):
            return value
        at = np.concatenate(at) if at else np.zeros(0, dtype=int)
        if (np.diff(at) != 1).any() and np.array_equal(part, series[:, at]):
            return (SHUFFLED,) * 3
    return value


def draw_split_by_time(rng):
    def case(B, T, valid, test, when=""):
        return Case((rng.normal(12, 6, (B, T)), valid, test), {"B": B, "T": T}, when)

    return [
        case(3, 23, 6, 4),
        case(4, 31, 5, 8),
        case(3, 19, 4, 0, "test = 0"),
        case(2, 17, 0, 5, "valid = 0"),
        case(1, 13, 4, 3, "B = 1"),
    ]


LENGTH = "T = series.shape[1]"
PARTS = "return series[:, :end_of_train], series[:, end_of_train:end_of_valid], series[:, end_of_valid:]"

SPLIT_BY_TIME = Exercise(
    reference=split_by_time,
    returns=("train", "valid", "test"),
    draw=draw_split_by_time,
    view=view_split,
    mistakes=(
        Mistake(
            "minus-zero-in-the-test",
            old="return series[:, :end_of_train], series[:, end_of_train:end_of_valid], series[:, end_of_valid:]",
            new="return series[:, :end_of_train], series[:, end_of_train:end_of_valid], series[:, -test:]",
            says="This goes wrong when test is 0: -0 is 0, so series[:, -test:] is the whole series. Count "
            "the border from the start: T - test.",
            cost=0.2,
        ),
        Mistake(
            "borders-one-step-early",
            old="end_of_valid = T - test",
            new="end_of_valid = T - test - 1",
            says="Both borders are one step early, so the test has a step too many. It has the last test "
            "steps and begins at T - test.",
            cost=0.3,
        ),
        Mistake(
            "shuffled-first",
            old=LENGTH,
            new="T = series.shape[1]\n    series = series[:, np.random.default_rng(0).permutation(T)]",
            says="The hours are mixed before they are split. Then nearly every hour of the test has its own "
            "neighbours in the training part, and a forecast can be copied. Cut by time, and mix nothing.",
            cost=0.7,
        ),
        Mistake(
            "test-before-train",
            old=PARTS,
            new="return series[:, valid + test :], series[:, test : valid + test], series[:, :test]",
            also=("return series[:, valid + test :], series[:, :valid], series[:, valid : valid + test]",),
            says="What is held out stands *before* the training part, so the model learns from the future of its "
            "own test. Train on the oldest hours and test on the newest.",
            cost=0.6,
        ),
        Mistake(
            "test-before-valid",
            old=PARTS,
            new="return series[:, :end_of_train], series[:, T - valid :], series[:, end_of_train : T - valid]",
            says="The test comes before the validation part. Whoever chooses a model by the validation part "
            "would then choose it with hours that lie after the test: the newest hours are the test's.",
            cost=0.3,
        ),
        Mistake(
            "valid-and-test-swapped",
            old=PARTS,
            new="return series[:, :end_of_train], series[:, end_of_valid:], series[:, end_of_train:end_of_valid]",
            says="The second and the third result are swapped: the order is train, valid, test.",
            cost=0.1,
        ),
        Mistake(
            "test-within-valid",
            old=PARTS,
            new="return series[:, :end_of_train], series[:, end_of_train:], series[:, end_of_valid:]",
            says="The validation part runs on to the end of the series and holds the test, too. It ends where "
            "the test begins.",
            cost=0.4,
        ),
        Mistake(
            "valid-within-train",
            old=PARTS,
            new="return series[:, :end_of_valid], series[:, end_of_train:end_of_valid], series[:, end_of_valid:]",
            says="The training part holds the validation hours as well, so they measure how well the model "
            "remembers. Training ends where validation begins.",
            cost=0.4,
        ),
        Mistake(
            "borders-shared",
            old=PARTS,
            new="return (series[:, : end_of_train + 1], series[:, end_of_train : end_of_valid + 1], "
            "series[:, end_of_valid:])",
            also=(
                "return series[:, : end_of_train + 1], series[:, end_of_train:end_of_valid], series[:, end_of_valid:]",
                "return series[:, :end_of_train], series[:, end_of_train : end_of_valid + 1], series[:, end_of_valid:]",
                "return series[:, :end_of_train], series[:, end_of_train - 1 : end_of_valid], series[:, end_of_valid:]",
            ),
            says="A border hour belongs to two parts: the end of one part overlaps with the start of the "
            "next by one. A slice already stops *before* its second number.",
            cost=0.3,
        ),
        Mistake(
            "border-hours-lost",
            old=PARTS,
            new="return (series[:, :end_of_train], series[:, end_of_train + 1 : end_of_valid], "
            "series[:, end_of_valid + 1 :])",
            also=(
                "return (series[:, : end_of_train - 1], series[:, end_of_train : end_of_valid - 1], "
                "series[:, end_of_valid:])",
                "return series[:, : end_of_train - 1], series[:, end_of_train:end_of_valid], series[:, end_of_valid:]",
                "return series[:, :end_of_train], series[:, end_of_train + 1 : end_of_valid], series[:, end_of_valid:]",
            ),
            says="An hour is lost at a border. Put side by side again, the three parts are the series.",
            cost=0.3,
        ),
        Mistake(
            "minus-zero",
            old=PARTS,
            new="return series[:, : -valid - test], series[:, -valid - test : -test], series[:, -test:]",
            says="This goes wrong when test is 0: -0 is 0, so that a slice from there is the whole series and a "
            "slice up to there is empty. Count the borders from the start: T - test, and so on.",
            cost=0.2,
        ),
        Mistake(
            "shares-of-its-own",
            old="end_of_valid = T - test\n    end_of_train = end_of_valid - valid",
            new="end_of_valid = int(0.85 * T)\n    end_of_train = int(0.7 * T)",
            also=tuple(
                f"end_of_valid = int({b} * T)\n    end_of_train = int({a} * T)"
                for a, b in ((0.8, 0.9), (0.6, 0.8), (0.7, 0.9), (0.7, 0.8))
            ),
            says="The series is cut at shares of its own choice (such as 70% and 15%). How many steps the last two "
            "parts have is given: valid and test.",
            cost=0.4,
        ),
        Mistake(
            "counts-taken-for-borders",
            old=PARTS,
            new="return series[:, :valid], series[:, valid:test], series[:, test:]",
            says="valid and test are used as places of borders. They say how many steps each part has, counted "
            "from the end of the series.",
            cost=0.4,
        ),
        Mistake(
            "places-split",
            old=PARTS,
            new="return series[: len(series) - valid - test], series[len(series) - valid - test : len(series) - test], "
            "series[len(series) - test :]",
            also=(
                "return series[: T - valid - test], series[T - valid - test : T - test], series[T - test :]",
            ),
            says="The places are split (axis 0), not the time. Time is axis 1 of (B, T).",
            cost=0.4,
        ),
    ),
)


def view_scaled(case, value):
    """The parts and the statistics; a standard deviation that divides by N - 1 is as good as one by N."""
    (train, valid, test), mean, std = value
    ours = case.args[0]
    other = ours.std(ddof=1)
    if np.shape(std) == () and abs(std - other) <= 1e-6 * other:
        ratio = other / ours.std()
        return tuple(np.asarray(part) * ratio for part in (train, valid, test)), mean, std / ratio
    return value


def draw_scale_from_train(rng):
    def case(B, times, when=""):
        parts = (rng.normal(m, s, (B, T)) for m, s, T in zip((9, 15, 4), (5, 3, 7), times, strict=True))
        return Case(tuple(part + rng.normal(0, 4, (B, 1)) for part in parts), {"B": B, "T": times[0]}, when)

    return [case(3, (17, 7, 5)), case(4, (11, 6, 9)), case(1, (13, 5, 4), "B = 1")]


MEAN = "mean = train.mean()"
STD = "std = train.std()"
SCALED = "(part - mean) / std for part in"
BOTH = "mean = train.mean()\n    std = train.std()"
RESULT = "return scaled, mean, std"

SCALE_FROM_TRAIN = Exercise(
    reference=scale_from_train,
    returns=(("train", "valid", "test"), "mean", "std"),
    draw=draw_scale_from_train,
    view=view_scaled,
    mistakes=(
        Mistake(
            "scaled-by-the-whole-series",
            old=BOTH,
            new="whole = np.concatenate([train, valid, test], axis=1)\n"
            "    mean = whole.mean()\n    std = whole.std()",
            says="The mean and the standard deviation are those of the *whole* series. That is a leak: how warm "
            "the test is has gone into every number that the model learns from. Take both from train alone.",
            cost=0.6,
        ),
        Mistake(
            "scaled-by-train-and-valid",
            old=BOTH,
            new="known = np.concatenate([train, valid], axis=1)\n"
            "    mean = known.mean()\n    std = known.std()",
            says="The mean and the standard deviation include the validation part. It stands for a future that is "
            "not known while training: take both from train alone.",
            cost=0.5,
        ),
        Mistake(
            "each-part-by-itself",
            old=SCALED,
            new="(part - part.mean()) / part.std() for part in",
            says="Each part is scaled by its own mean and standard deviation. The same temperature then has three "
            "different numbers, and a warm and a cold autumn look alike. Scale all parts by train's.",
            cost=0.6,
        ),
        Mistake(
            "scaled-by-the-test",
            old=BOTH,
            new="mean = test.mean()\n    std = test.std()",
            says="The mean and the standard deviation are the test's, which nobody knows in time.",
            cost=0.6,
        ),
        Mistake(
            "each-place-by-itself",
            old=BOTH,
            new="mean = train.mean(axis=1, keepdims=True)\n    std = train.std(axis=1, keepdims=True)",
            says="Each place has a mean and a standard deviation of its own (axis=1). Here one network reads all "
            "places, and their differences are something to learn: one mean and one standard deviation, "
            "of all of train's numbers.",
            cost=0.3,
        ),
        Mistake(
            "each-hour-by-itself",
            old=BOTH,
            new="mean = train.mean(axis=0)\n    std = train.std(axis=0)",
            says="There is a mean for each *hour* of train (axis=0), so the other parts, which have other hours, "
            "can't be scaled by them. One mean and one standard deviation are asked for.",
            cost=0.3,
        ),
        Mistake(
            "train-only",
            old="scaled = tuple((part - mean) / std for part in (train, valid, test))",
            new="scaled = ((train - mean) / std, valid, test)",
            says="Only train is scaled. A network that has learned from scaled numbers must be given scaled "
            "numbers: valid and test are scaled too, by train's mean and standard deviation.",
            cost=0.4,
        ),
        Mistake(
            "variance",
            old=STD,
            new="std = train.var()",
            says="The parts are divided by the variance. The standard deviation is its square root.",
            cost=0.3,
        ),
        Mistake(
            "mean-not-removed",
            old=SCALED,
            new="part / std for part in",
            says="The mean is not taken off: train's mean should be 0 afterwards.",
            cost=0.4,
        ),
        Mistake(
            "not-divided",
            old=SCALED,
            new="part - mean for part in",
            says="The parts are not divided by the standard deviation: train's should be 1 afterwards.",
            cost=0.4,
        ),
        Mistake(
            "multiplied",
            old=SCALED,
            new="(part - mean) * std for part in",
            says="The parts are multiplied by the standard deviation. That is the way back: divide.",
            cost=0.3,
        ),
        Mistake(
            "divided-first",
            old=SCALED,
            new="part / std - mean for part in",
            says="The division comes first and the mean is taken off afterwards, when it no longer fits. "
            "Mind the brackets.",
            cost=0.3,
        ),
        Mistake(
            "smallest-to-largest",
            old=BOTH,
            new="mean = train.min()\n    std = train.max() - train.min()",
            says="The parts are scaled by train's smallest and largest value. One hot hour would decide "
            "everything; mean and standard deviation are asked for.",
            cost=0.5,
        ),
        Mistake(
            "mean-and-std-swapped",
            old=RESULT,
            new="return scaled, std, mean",
            says="The mean and the standard deviation are returned in the wrong order.",
            cost=0.1,
        ),
        Mistake(
            "brackets-forgotten",
            old="(part - mean) / std for part in",
            new="part - mean / std for part in",
            says="A division comes before a subtraction: without brackets only the mean is "
            "divided by the standard deviation.",
            cost=0.25,
        ),
        Mistake(
            "statistics-of-the-scaled",
            old="return scaled, mean, std",
            new="return scaled, scaled[0].mean(), scaled[0].std()",
            says="The mean and the standard deviation that come back are those of the "
            "*scaled* train, 0 and 1. To scale back, the old ones are needed.",
            cost=0.3,
        ),
        Mistake(
            "each-place-of-the-whole-series",
            old="mean = train.mean()\n    std = train.std()",
            new="whole = np.concatenate([train, valid, test], axis=1)\n"
            "    mean = whole.mean(axis=1, keepdims=True)\n"
            "    std = whole.std(axis=1, keepdims=True)",
            says="Two things: the mean and the standard deviation are those of all three "
            "parts together, and of each place by itself. Only train may be looked at, "
            "and one mean and one standard deviation serve all places.",
            cost=0.7,
        ),
    ),
)


def draw_seasonal_naive(rng):
    def case(B, T, season, horizon, when=""):
        return Case((rng.normal(12, 6, (B, T)), season, horizon), {"B": B, "T": T}, when)

    return [
        case(3, 19, 5, 13),
        case(4, 23, 7, 4),
        case(2, 17, 4, 6),
        case(3, 6, 6, 8, "T = season"),
        case(2, 11, 1, 4, "season = 1"),
        case(1, 14, 3, 5, "B = 1"),
    ]


LAST = "last_season = history[:, -season:]"
REPEATED = "return last_season[:, ahead % season]"

SEASONAL_NAIVE = Exercise(
    reference=seasonal_naive,
    returns=("forecast",),
    draw=draw_seasonal_naive,
    by_row=each_row,
    mistakes=(
        Mistake(
            "repeats-the-last-value",
            old=REPEATED,
            new="return np.repeat(history[:, -1:], horizon, axis=1)",
            says="The last value is repeated for all hours ahead. That is another baseline, persistence. Here the "
            "forecast for 3 in the afternoon is what it was at 3 in the afternoon.",
            cost=0.7,
        ),
        Mistake(
            "beyond-what-is-known",
            old=REPEATED,
            new="return history[:, ahead - season]",
            says="The first season ahead is right, and then the forecast jumps to the start of the history. One "
            "season before that hour lies in the future (the index has become positive): go back "
            "further, by whole seasons, until the value is known.",
            cost=0.4,
        ),
        Mistake(
            "asks-the-future",
            old=REPEATED,
            new="return history[:, history.shape[1] + ahead - season]",
            says="Further ahead than a season, this asks for hours that have not come yet, beyond the end of the "
            "history. Go back by whole seasons until the value is known.",
            cost=0.4,
        ),
        Mistake(
            "nothing-beyond-a-season",
            old=REPEATED,
            new="return np.where(ahead < season, last_season[:, ahead % season], 0.0)",
            also=("return np.where(ahead < season, last_season[:, ahead % season], np.nan)",),
            says="The first season ahead is right, and nothing is forecast after it. One season before those hours "
            "is not known yet: go back further, by whole seasons.",
            cost=0.4,
        ),
        Mistake(
            "read-on-across-places",
            old=REPEATED,
            new="return np.resize(last_season, (len(history), horizon))",
            says="The forecasts of one place are filled up with the values of another: np.resize reads on across the "
            "rows. Repeat the season within each row.",
            cost=0.3,
        ),
        Mistake(
            "one-season-only",
            old=REPEATED,
            new="return last_season[:, :horizon]",
            says="The forecast ends after one season, however far ahead it was asked for. Repeat the season.",
            cost=0.4,
        ),
        Mistake(
            "one-step-late",
            old=REPEATED,
            new="return last_season[:, (ahead + 1) % season]",
            says="The forecast is one step out of phase: it begins with the season's second value. The "
            "first step ahead is T: where does it stand one season before?",
            cost=0.3,
        ),
        Mistake(
            "one-step-early",
            old=REPEATED,
            new="return last_season[:, (ahead - 1) % season]",
            also=("return history[:, -season - 1 :][:, ahead % season]",),
            says="The forecast is one step out of phase: it begins one value too early. The first step "
            "ahead is T: where does it stand one season before?",
            cost=0.3,
        ),
        Mistake(
            "first-season",
            old=LAST,
            new="last_season = history[:, :season]",
            says="The *first* season of the history is repeated. The last one is the freshest.",
            cost=0.3,
        ),
        Mistake(
            "oldest-value-of-that-phase",
            old=REPEATED,
            new="return history[:, (history.shape[1] + ahead) % season]",
            says="The phase is right, but the values are those of the first season of the history. Take the "
            "latest that are known.",
            cost=0.3,
        ),
        Mistake(
            "two-seasons-ago",
            old=REPEATED,
            new="return history[:, -2 * season : history.shape[1] - season][:, ahead % season]",
            says="The values are two seasons old. Those of the last season are known already.",
            cost=0.3,
        ),
        Mistake(
            "last-horizon",
            old=REPEATED,
            new="return history[:, -horizon:]",
            says="The last `horizon` values are repeated. That fits only if the horizon is one season.",
            cost=0.4,
        ),
        Mistake(
            "newest-first",
            old=REPEATED,
            new="return last_season[:, ::-1][:, ahead % season]",
            says="The season runs backwards in time. Keep its order.",
            cost=0.3,
        ),
        Mistake(
            "mean-of-the-season",
            old=REPEATED,
            new="return np.repeat(last_season.mean(axis=1, keepdims=True), horizon, axis=1)",
            says="All hours get the mean of the last season. Each step ahead has its own place in the season.",
            cost=0.6,
        ),
        Mistake(
            "mean-of-all-seasons",
            old=LAST,
            new="T = history.shape[1]\n"
            "    last_season = np.stack([history[:, T - 1 - (season - 1 - s) :: -season].mean(axis=1) "
            "for s in range(season)], axis=1)",
            says="This is the mean over all seasons of the history. It may well be a good forecast, but it is "
            "another one, climatology. Take the last season alone.",
            cost=0.4,
        ),
        Mistake(
            "each-value-repeated",
            old=REPEATED,
            new="return np.repeat(last_season, -(-horizon // season), axis=1)[:, :horizon]",
            says="Each value is repeated before the next one comes (np.repeat does that). The season is to be "
            "repeated as a whole.",
            cost=0.3,
        ),
        Mistake(
            "transposed",
            old=REPEATED,
            new="return last_season[:, ahead % season].T",
            says="The forecast is (horizon, B). There is one row for each place: (B, horizon).",
            cost=0.15,
        ),
        Mistake(
            "season-ends-in-its-last-value",
            old="return last_season[:, ahead % season]",
            new="return last_season[:, np.minimum(ahead, season - 1)]",
            says="Beyond one season the last value is repeated. It is the whole season that comes again.",
            cost=0.4,
        ),
        Mistake(
            "repeated-over-the-places",
            old="return last_season[:, ahead % season]",
            new="return np.tile(last_season, (-(-horizon // season), 1))[:, :horizon]",
            says="The season is repeated along the places, which gives more rows, and not along time.",
            cost=0.3,
        ),
    ),
)

STEP = (
    "lambda x, state: (np.sin(1.3 * x + 0.8 * state) + {a:.3f}, 0.6 * np.cos(state - {b:.3f} * x) + 0.2 * x)"
)


def draw_roll_forecast(rng):
    def case(B, horizon, when=""):
        step = Formula(STEP.format(a=rng.uniform(0.2, 0.6), b=rng.uniform(0.5, 1.0)))
        state, last = rng.normal(0, 1, B) + 0.5, rng.normal(0, 1, B)
        return Case((step, state, last, horizon), {"B": B}, when)

    return [case(3, 5), case(4, 7), case(1, 4, "B = 1"), case(3, 1, "horizon = 1")]


CALL = "x, state = step(x, state)"
FEED = "        x, state = step(x, state)\n        forecasts.append(x)\n"
STACK = "return np.stack(forecasts, axis=1)"

ROLL_FORECAST = Exercise(
    reference=roll_forecast,
    returns=("forecasts",),
    draw=draw_roll_forecast,
    mistakes=(
        Mistake(
            "state-not-carried",
            old=CALL,
            new="x, _ = step(x, state)",
            says="Every step starts from the first state again, so all that the model has read is forgotten. "
            "Hand the state that step returns to the next call.",
            cost=0.5,
        ),
        Mistake(
            "last-value-fed-again",
            old=FEED,
            new="        value, state = step(last, state)\n        forecasts.append(value)\n",
            says="The model reads the last known value at every step, as if the clock had stopped. From the second "
            "step on it must read its own forecast of the hour before.",
            cost=0.5,
        ),
        Mistake(
            "first-forecast-fed-again",
            old=FEED,
            new="        value, state = step(x, state)\n        forecasts.append(value)\n        x = forecasts[0]\n",
            says="From the second step on the model reads the *first* forecast again and again. It must read the "
            "one that it has just made.",
            cost=0.4,
        ),
        Mistake(
            "starts-with-the-last-value",
            old=FEED,
            new="        forecasts.append(x)\n        x, state = step(x, state)\n",
            says="The forecasts begin with the last *known* value, and the one furthest ahead is missing: all are "
            "an hour too late. The first forecast is what step returns first.",
            cost=0.3,
        ),
        Mistake(
            "last-value-included",
            old=STACK,
            new="return np.stack([last, *forecasts], axis=1)",
            says="The last known value stands before the forecasts, horizon + 1 in all. It was given.",
            cost=0.2,
        ),
        Mistake(
            "first-forecast-skipped",
            old=FEED,
            new="        x, state = step(x, state)\n        forecasts.append(step(x, state)[0])\n",
            says="The first forecast is lost and all others stand one hour too early. What step(last, state) "
            "returns is already the forecast for one hour ahead.",
            cost=0.3,
        ),
        Mistake(
            "one-too-few",
            old=STACK,
            new="return np.stack(forecasts[:-1] or forecasts, axis=1)[:, : horizon - 1]",
            says="One forecast is missing: `horizon` of them are asked for.",
            cost=0.2,
        ),
        Mistake(
            "only-the-last",
            old=STACK,
            new="return x",
            says="Only the forecast furthest ahead is returned. All of them are asked for, (B, horizon).",
            cost=0.3,
        ),
        Mistake(
            "time-first",
            old=STACK,
            new="return np.stack(forecasts)",
            also=("return forecasts",),
            says="The forecasts are (horizon, B), time first. In this course arrays are batch first.",
            cost=0.15,
        ),
        Mistake(
            "added-up",
            old=FEED,
            new="        change, state = step(x, state)\n        x = x + change\n        forecasts.append(x)\n",
            says="What step returns is added to the value before. It is the forecast itself, not a change.",
            cost=0.3,
        ),
        Mistake(
            "last-overwritten",
            old=FEED,
            new="        value, state = step(x, state)\n        x[:] = value\n        forecasts.append(x)\n",
            says="All forecasts are written into one array, the caller's `last`: they end up equal, and the last "
            "known value is gone. Give the name x to the new array instead of filling the old one.",
            cost=0.4,
        ),
        Mistake(
            "asked-twice-a-step",
            old=FEED,
            new="        value, _ = step(x, state)\n        forecasts.append(value)\n"
            "        _, state = step(value, state)\n        x = value\n",
            says="step is called twice for each hour, and the state comes from the call that read the forecast, so "
            "`last` is never in it and each forecast is read once more before the next. One call gives both, "
            "forecast and state.",
            cost=0.3,
        ),
        Mistake(
            "last-read-twice",
            old="    x = last\n",
            new="    x = last\n    _, state = step(last, state)\n",
            says="`last` is read twice, once before the loop and once in it, so the state is "
            "one step too far.",
            cost=0.3,
        ),
        Mistake(
            "jumbled-by-reshape",
            old="return np.stack(forecasts, axis=1)",
            new="return np.array(forecasts).reshape(len(last), horizon)",
            also=("return np.concatenate(forecasts).reshape(len(last), -1)",),
            says="The forecasts lie hour by hour, and reshape only cuts that row anew, which "
            "jumbles places and hours. Exchange the axes instead.",
            cost=0.3,
        ),
    ),
)


def draw_errors_by_horizon(rng):
    def case(N, horizon, std, when=""):
        truth = rng.normal(0.4, 1, (N, horizon))
        noise = rng.normal(0, 0.6, (N, horizon))
        noise -= noise.mean(axis=0)  # so that the mean errors are these, too low first and too high later
        bias = np.linspace(-0.9, 0.9, horizon) if horizon > 1 else 0.5
        forecasts = truth + bias + noise
        return Case((forecasts, truth, std), {"N": N, "H": horizon}, when)

    return [case(9, 5, 7.25), case(7, 4, 0.6), case(8, 1, 3.5, "horizon = 1"), case(1, 6, 2.5, "N = 1")]


ERRORS = "errors = (forecasts - truth) * std"
ROOT = "return np.sqrt((errors**2).mean(axis=0))"

ERRORS_BY_HORIZON = Exercise(
    reference=errors_by_horizon,
    returns=("errors",),
    draw=draw_errors_by_horizon,
    mistakes=(
        Mistake(
            "scaling-not-undone",
            old=ERRORS,
            new="errors = forecasts - truth",
            says="The errors are still in scaled units: an error of 0.5 then means half a standard deviation. "
            "Scale back to degrees.",
            cost=0.4,
        ),
        Mistake(
            "divided-by-std",
            old=ERRORS,
            new="errors = (forecasts - truth) / std",
            says="The errors are divided by the standard deviation a second time. The way back is the other way.",
            cost=0.3,
        ),
        Mistake(
            "scaled-back-after-squaring",
            old="(errors**2).mean(axis=0)",
            new="(errors**2).mean(axis=0) / std",
            says="The squared errors are multiplied by std. A squared error is in squared degrees, so it would take "
            "std squared; scale back first, then square.",
            cost=0.3,
        ),
        Mistake(
            "absolute-errors",
            old=ROOT,
            new="return np.abs(errors).mean(axis=0)",
            says="This is the mean *absolute* error (or the root was taken before the mean, which gives the same). "
            "Square, take the mean, and take the root last.",
            cost=0.4,
        ),
        Mistake(
            "root-forgotten",
            old=ROOT,
            new="return (errors**2).mean(axis=0)",
            says="The root is missing: this is in squared degrees.",
            cost=0.4,
        ),
        Mistake(
            "one-number-for-all-horizons",
            old="mean(axis=0)",
            new="mean()",
            says="All horizons are averaged into one number, which hides the very thing to be seen: one hour ahead is "
            "easy, a day ahead is not.",
            cost=0.6,
        ),
        Mistake(
            "averaged-over-horizons",
            old="mean(axis=0)",
            new="mean(axis=1)",
            says="The mean runs over the horizons (axis 1), so there is an error for each forecast, (N,). "
            "An error for each horizon is asked for.",
            cost=0.4,
        ),
        Mistake(
            "signed-errors",
            old=ROOT,
            new="return errors.mean(axis=0)",
            says="Errors of opposite signs cancel: this is the bias. Square them before taking the mean.",
            cost=0.5,
        ),
        Mistake(
            "spread-of-the-errors",
            old=ROOT,
            new="return errors.std(axis=0)",
            says="This is the standard deviation of the errors, which takes their mean off: a forecast that is "
            "always 3 degrees too warm would count as perfect.",
            cost=0.4,
        ),
        Mistake(
            "added-up",
            old="mean(axis=0)",
            new="sum(axis=0)",
            says="The squared errors are added up: more forecasts, more error. Take their mean.",
            cost=0.3,
        ),
        Mistake(
            "up-to-the-horizon",
            old=ROOT,
            new="return np.sqrt((errors**2).mean(axis=0).cumsum() / np.arange(1, errors.shape[1] + 1))",
            says="Each number is the error of all hours *up to* that horizon, so the easy first hours make the late "
            "ones look better. Keep the horizons apart.",
            cost=0.4,
        ),
        Mistake(
            "relative-errors",
            old="(errors**2)",
            new="((errors / (truth * std)) ** 2)",
            says="The errors are divided by the truth. Per cent of a temperature mean nothing: 0 degrees is no "
            "natural zero.",
            cost=0.4,
        ),
        Mistake(
            "mean-before-the-square",
            old="return np.sqrt((errors**2).mean(axis=0))",
            new="return np.abs(errors.mean(axis=0))",
            says="The mean is taken before the square, so errors of opposite signs cancel. "
            "Square them first.",
            cost=0.4,
        ),
    ),
)

EXERCISES = (SPLIT_BY_TIME, SCALE_FROM_TRAIN, SEASONAL_NAIVE, ERRORS_BY_HORIZON, ROLL_FORECAST)
