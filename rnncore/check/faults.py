"""The sentence for an exception in a student's function, with the student's own line.

A framework's own words come last: before them stand the line and what its names held there, and after them,
where an error is well known, what it means.
"""

import re

from rnncore.observe import StudentError

# NumPy's own words for a product of arrays that do not fit are hard to read.
INNER_SIZES = re.compile(r"matmul: Input operand \d has a mismatch .*\(size (\d+) is different from (\d+)\)")


MEANINGS = (  # what an error says -> what it means
    (
        r"truth value of an array",
        "Python's `if`, `and`, `or` and `not` want one yes or no, and here are many",
    ),
    (
        r"Boolean value of Tensor",
        "Python's `if`, `and`, `or` and `not` want one yes or no, and here are many",
    ),
    (
        r"'(int|float|numpy\.float64)' object is not subscriptable",
        "a single number has no places to pick from",
    ),
    (
        r"not enough values to unpack|too many values to unpack",
        "on the left stand more or fewer names than values",
    ),
    (
        r"inhomogeneous shape",
        "an array is made of things of different shapes, or of a pair that is not taken apart",
    ),
    (
        r"expected Tensor as element|must be Tensor, not|expected .*Tensor.* but got",
        "only tensors go in here",
    ),
    (
        r"modified by an inplace operation",
        "what autograd still needs was changed in place, by `+=` or `[...] =`",
    ),
    (r"is out of bounds for axis (\d+) with size (\d+)", r"axis \1 has \2 places, counted from 0"),
    (r"same number of dimensions", "these arrays have different numbers of axes, so they cannot be joined"),
    (
        r"could not be broadcast|must match the size of tensor",
        "sizes that meet must be equal, or one of them 1",
    ),
    (r"'NoneType'", "something is None here: a function without a `return`, or a name never set"),
    (r"read-only", "this array may not be written to; work on a copy"),
)


def meaning(message: str) -> str:
    """What a well-known error means, as the end of a sentence; nothing for the others."""
    for pattern, words in MEANINGS:
        if found := re.search(pattern, message):
            return f". In other words: {found.expand(words)}"
    return ""


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
    text = INNER_SIZES.sub(r"the inner sizes of a product differ: \1 and \2", error.message).strip()
    message = f": {text}" if text else ""
    if error.kind == "KeyError" and case is not None:
        known = [", ".join(arg) for arg in case.args if isinstance(arg, dict)]
        message += f". The keys there are: {known[0]}." if known else ""
    held = f", where {error.held}" if error.held and error.kind != "NotImplementedError" else ""
    return f"{error.kind} was raised{inside}{line(error)}{held}{message}{meaning(error.message)}"
