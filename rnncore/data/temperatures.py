"""Temperatures, hour by hour: what three airports of New York measured in 2013, and Seattle's normals.

``measured()`` is weather: lesson 13 forecasts it. ``normals()`` is the hourly series of vega_datasets
that is often taken for Seattle's weather of 2010. It is no weather: each value is an average over
the years 1981 to 2010 at that hour and date. ``tools.data.temperatures`` made the file; sources and
licences are in temperatures.LICENSE.txt.
"""

import csv

import numpy as np

from rnncore.data import FILES

AIRPORTS = ("newark", "kennedy", "laguardia")


def measured():
    """The hours (T,) of 2013, datetime64[h] in standard time, and degrees Celsius (3, T), a row an airport.

    Some 25 hours of an airport are missing in the source. They hold the last temperature known before: a
    line drawn to the next one would have told the past of the future.
    """
    hours, columns = _table(2013)
    return _from_first_to_last(hours, np.stack([columns[name] for name in AIRPORTS]))


def normals():
    """The hours (T,) of a year, datetime64[h], and Seattle's normal temperature (1, T) in degrees Celsius."""
    hours, columns = _table(2010)
    return _from_first_to_last(hours, columns["seattle_normal"][np.newaxis])


def _table(year):
    with open(FILES / "temperatures.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    hours = np.array([f"{year}-{row.pop('hour').replace(' ', 'T')}" for row in rows], dtype="datetime64[h]")
    return hours, {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}


def _from_first_to_last(hours, values):
    """From the first to the last hour known everywhere; gaps are filled with the value before."""
    known = np.flatnonzero(np.isfinite(values).all(axis=0))
    hours, values = hours[known[0] : known[-1] + 1], values[:, known[0] : known[-1] + 1]
    latest = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(hours)), 0), axis=1)
    return hours, np.take_along_axis(values, latest, axis=1)
