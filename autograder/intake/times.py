"""When something was handed in: times as platforms, nbgrader and people write them, read as UTC.

A zone may be written as a number, as UTC, or as a place (Europe/Berlin). Letters such as IST belong to
several places; they are read where the class is known to be in one that uses them, and else are no time.
"""

import re
import warnings
import zoneinfo
from datetime import UTC, datetime, timedelta, timezone, tzinfo

# What stands after the time of day, and never after a date alone: 2026-11-01 has no zone of minus one.
OFFSET = re.compile(r"(?P<rest>.*:.*?)\s*(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>\d\d?):?(?P<minutes>\d\d)?")
LETTERS = re.compile(r"(?P<rest>.*:.*?\d)\s*(?P<name>[A-Za-z][A-Za-z_]*(?:[/+-]\w+)*)")
BRACKETS = re.compile(r"(?P<rest>.*\d)\s*\([A-Za-z ]+\)")  # as in an e-mail: +0200 (CEST)
HALF_OF_DAY = ("am", "pm")


class UnknownZone(ValueError):
    """A time with the name of a zone that may be one of several, or none; the message is that name."""


class MachineZone(tzinfo):
    """The zone that this machine is set to, with its summer and winter time."""

    def utcoffset(self, when):
        return when.replace(tzinfo=None).astimezone().utcoffset()

    def tzname(self, when):
        return when.replace(tzinfo=None).astimezone().tzname()

    def dst(self, when):
        return timedelta(0)


def read_time(text, zone=None, place=None):
    """A time as text in UTC, or None; a time without a zone is ``zone``'s, else UTC.

    ``place``: the zone whose letters are understood, if not ``zone``. Raises UnknownZone for a zone whose
    name says too little.
    """
    text = " ".join(str(text)[:200].split())
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)  # Ruby writes nanoseconds
    if match := BRACKETS.fullmatch(text):
        text = match["rest"]
    text, own = _zone_of(text, zone)
    when = _clock(text)
    if when is None:
        return None
    try:
        if isinstance(own, str):
            own = _named(own, when, place or zone)
        if when.tzinfo is None:
            when = when.replace(tzinfo=own or zone or UTC)
        return when.astimezone(UTC)
    except OverflowError:
        return None


def read_timestamp(text):
    """A submission's time, as timestamp.txt has it: in UTC, without its zone; ValueError if it is none."""
    when = read_time(text)
    if when is None:
        raise ValueError("no time")
    return when.replace(tzinfo=None)


def _zone_of(text, zone):
    """(the text without its zone, the zone: a tzinfo, a name that has to be looked up, or None)."""
    if match := OFFSET.fullmatch(text):
        size = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
        if size < timedelta(hours=24):
            return match["rest"], timezone(size if match["sign"] == "+" else -size)
    match = LETTERS.fullmatch(text)
    if not match or match["name"].lower() in HALF_OF_DAY:
        return text, None
    return match["rest"], UTC if match["name"].upper() in ("UTC", "GMT", "Z") else match["name"]


def _named(name, when, place):
    """The zone of that name: a place, or letters that ``place`` or the letters' own zone uses at the time."""
    if place is not None and when.replace(tzinfo=place).tzname() == name:
        return place
    try:
        found = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(name) from None
    if "/" not in name and when.replace(tzinfo=found).tzname() != name:
        raise UnknownZone(name)  # "CET" in July, when the zone of that name has summer time
    return found


def _clock(text):
    """The date and time of a text that names no zone, or None."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if not re.search(r"\d{4}", text):
        return None  # what the parser does not find in it, such as the year, it would take from today
    from nbgrader.utils import parse_utc  # takes a second, and few times need it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # it warns of a zone's name that it passes over
            return parse_utc(text.replace(" ", "  "))  # in three words it would look up the last as a zone
    except (ValueError, OverflowError, TypeError, AttributeError, Warning):
        return None
