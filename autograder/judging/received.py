"""What a kernel says that a call did, believed only as far as its form goes."""

from dataclasses import replace

from rnncore.observe import Outcome, StudentError, Warned

NO_ANSWER = Outcome(error=StudentError("NoAnswer", "The kernel gave no answer that can be read."))


def outcome_of(data):
    """An Outcome from what a kernel sent, every field of the type that it should have."""
    try:
        outcome = Outcome.from_plain({**data, "printed": _text(data["printed"], 2000)})
        error = outcome.error
        if error is not None:
            error = StudentError(
                _text(error.kind, 100),
                _text(error.message, 500),
                whole_number(error.line_number),
                _text(error.line_text, 300),
                _text(error.function, 100),
                _text(error.held, 300),
            )
        warned = tuple(
            Warned(_text(one.message, 300), whole_number(one.line_number), _text(one.line_text, 300))
            for one in outcome.warnings[:20]
        )
        return replace(outcome, error=error, warnings=warned)
    except (TypeError, KeyError, AttributeError, ValueError):
        return NO_ANSWER


def _text(value, most):
    if not isinstance(value, str):
        raise TypeError("not text")
    return value[:most]


def whole_number(value):
    """A whole number that a line may have; TypeError if it is none."""
    if type(value) is not int:
        raise TypeError("not a whole number")
    return min(max(value, 0), 10**6)
