"""Times and their zones: numbers and places are right; letters that say too little are no time in UTC."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from autograder.intake.times import MachineZone, UnknownZone, read_time, read_timestamp


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("2026-07-01 17:00:00.000000 UTC", 17, 0),
        ("2026-07-01 17:00:00 utc", 17, 0),
        ("2026-07-01T17:00Z", 17, 0),
        ("2026-07-01 17:00:00.000000 +0200", 15, 0),
        ("2026-07-01 17:00:00.000000 -0330", 20, 30),
        ("2026-07-01 17:00 +02", 15, 0),
        ("2026-07-01T17:00:00+02:00", 15, 0),
        ("2026-07-01 17:00 GMT+2", 15, 0),
        ("2026-07-01 17:00:00 UTC+0530", 11, 30),
        ("Wed, 01 Jul 2026 17:00:00 +0200 (CEST)", 15, 0),
        ("2026-07-01 17:00:00.123456789 -08:00", 1, 0),
        ("Jul 1 2026 5:00 PM", 17, 0),
        ("2026-07-01 17:00 Europe/Berlin", 15, 0),
        ("2026-07-01 17:00 America/Argentina/Buenos_Aires", 20, 0),
        ("2026-07-01 17:00 MST", 0, 0),
        ("2026-07-01", 0, 0),
    ],
)
def test_numbers_places_and_utc_are_read_as_they_are_written(text, hour, minute):
    when = read_time(text)
    assert (when.tzinfo, when.month, when.hour, when.minute) == (UTC, 7, hour, minute)
    assert read_timestamp(text) == when.replace(tzinfo=None)


@pytest.mark.parametrize("name", ["PDT", "CEST", "IST", "BST", "CST", "AEST", "X", "Mars/Olympus", "CET"])
def test_letters_that_say_too_little_are_never_taken_for_utc(name):
    """CET, too: in July the zone of that name has summer time, so the letters contradict the date."""
    with pytest.raises(UnknownZone, match=name):
        read_time(f"2026-07-01 17:00:00.000000 {name}")
    with pytest.raises(ValueError):
        read_timestamp(f"2026-07-01 17:00:00.000000 {name}")


@pytest.mark.parametrize(
    ("place", "name", "hour"),
    [("America/Los_Angeles", "PDT", 24), ("Europe/Berlin", "CEST", 15), ("Asia/Jerusalem", "IDT", 14)],
)
def test_letters_are_read_where_the_class_is(place, name, hour):
    when = read_time(f"2026-07-01 17:00:00 {name}", ZoneInfo(place))
    assert when == datetime(2026, 7, 1 + hour // 24, hour % 24, tzinfo=UTC)
    with pytest.raises(UnknownZone):  # a winter's name in summer
        read_time(f"2026-07-01 17:00:00 {name[0]}ST", ZoneInfo(place))


@pytest.mark.parametrize(("month", "hour"), [(1, 17), (7, 16)])
def test_the_machines_zone_has_summer_and_winter(monkeypatch, month, hour):
    """Whenever it is read: in winter, what was handed in in summer is not an hour early."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert read_time(f"2026-{month:02}-10 12:00", MachineZone()).hour == hour
        assert read_time(f"2026-{month:02}-10 12:00 E{'SD'[month == 7]}T", MachineZone()).hour == hour
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday-ish",
        "4:05",
        "99999-13-45 tomorrow",
        "2026-07-01 17:00 ../../etc/passwd",
        "2026-07-01 25:00 UTC",
        "0001-01-01 00:00 +14:00",
        "9999-12-31 23:59 -05:00",
        "2026-07-01 17:00 +99:99",
        "\ud800" * 10,
        "9" * 10**6,
    ],
)
def test_what_is_no_time_is_none(text):
    assert read_time(text) is None
