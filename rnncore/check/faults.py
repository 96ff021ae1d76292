"""The sentence for an exception in a student's function, with the student's own line."""

import re

from rnncore.observe import StudentError

# NumPy's own words for a product of arrays that do not fit are hard to read.
INNER_SIZES = re.compile(r"matmul: Input operand \d has a mismatch .*\(size (\d+) is different from (\d+)\)")


def line(where) -> str:
    """(line 3: `y = ...`), or nothing where the line is not known."""
    if not where.line_text:
        return f" (line {where.line_number})" if where.line_number else ""
    return f" (line {where.line_number}: `{where.line_text}`)"


def error_sentence(error: StudentError, name: str, case=None) -> str:
    """An exception inside a student's function, in a sentence with their own line."""
    if error.kind == "Arguments":
        return f"It takes {error.message}."
    inside = f" in `{error.function}`" if error.function and error.function != name else ""
    text = INNER_SIZES.sub(r"the inner sizes of a product differ: \1 and \2", error.message)
    message = f": {text}" if text else ""
    if error.kind == "KeyError" and case is not None:
        known = [", ".join(arg) for arg in case.args if isinstance(arg, dict)]
        message += f". The keys there are: {known[0]}." if known else ""
    return f"{error.kind} was raised{inside}{line(error)}{message}"
