"""Verdicts: cleaned where they are made, and turned from plain data into the text that a student reads."""

from autograder.intake.plain import all_plain
from rnncore.check.verdict import Named, Part, Verdict


def verdict_text(score):
    """A CellScore's verdict as text; where there is none, just the points."""
    if not score.verdict:
        return f"{score.points:g} of {score.max_points:g} points"
    data = dict(score.verdict)
    data["parts"] = tuple(Part(**part) for part in data.get("parts", ()))
    data["mistakes"] = tuple(Named(**mistake) for mistake in data.get("mistakes", ()))
    data["remarks"] = tuple(data.get("remarks", ()))
    return repr(Verdict(**data))


def cleaned(verdict):
    """A Verdict in which what a student wrote, printed or returned only says something."""
    return all_plain(verdict)
