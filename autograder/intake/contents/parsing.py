"""JSON and Python text parsed within bounds: what is read can become many times its size in memory.

A bracket and a comma are three bytes in a file and seventy in memory; a name in a cell is two, and a
kilobyte as a tree. So values are counted before they are made, and long cells are not parsed at all.
"""

import ast
import json
import re
from itertools import islice

MOST_VALUES = 1_000_000  # in one file; a lesson's notebook has a few thousand
MOST_PARSED = 100_000  # characters of one piece of Python

# Up to the next bracket, brace or comma that stands in no string; it never goes back, and so is linear.
NEXT_MARK = re.compile(r'[^"\[{,]*+(?:"(?:[^"\\]++|\\.)*+(?:"|\Z)[^"\[{,]*+)*+(?:([\[{,])|\Z)', re.DOTALL)


class TooMany(ValueError):
    """There are more values in a text than are read."""


def parse_json(text):
    """The value of JSON text; TooMany where it holds more than MOST_VALUES, else as ``json.loads``."""
    if sum(map(text.count, "[{,")) > MOST_VALUES:  # a quick look: they may well stand in strings
        marks = (found for found in NEXT_MARK.finditer(text) if found.lastindex)
        if next(islice(marks, MOST_VALUES, None), None):
            raise TooMany(f"more than {MOST_VALUES} values")
    return json.loads(text)


def parse_python(source):
    """The syntax tree of a cell; None where it cannot be parsed, or is longer than anybody writes."""
    if len(source) > MOST_PARSED:
        return None
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
