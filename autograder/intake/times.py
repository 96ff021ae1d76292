"""When something was handed in: times as platforms, nbgrader and people write them, read as UTC."""

import re
from datetime import UTC, datetime


def read_time(text, zone=None):
    """A time as text in UTC, or None; a time without a zone is ``zone``'s, else UTC."""
    text = str(text).strip()
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)  # Ruby writes nanoseconds
    text = re.sub(r" (?:UTC|GMT|Z)$", "+00:00", text)
    text = re.sub(r" ([+-]\d\d):?(\d\d)$", r"\1:\2", text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        try:
            return read_timestamp(text).replace(tzinfo=UTC)
        except ValueError:
            return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=zone or UTC)
    try:
        return when.astimezone(UTC)
    except OverflowError:
        return None


def read_timestamp(text):
    """A submission's time as nbgrader writes it in timestamp.txt; ValueError if it is none."""
    from nbgrader.utils import parse_utc  # takes a second, and few times need it

    try:
        return parse_utc(text.strip())
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError("no time") from error
