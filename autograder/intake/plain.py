"""What a student wrote, cleaned on its way to any eye: a terminal, a page, a remark, a table.

``plain`` is the one way out for such text. It leaves words, and nothing that gives orders: no codes for
terminals, no signs that reorder or hide a line, no TeX that makes links; and no more than anybody reads.
"""

import re
from dataclasses import fields, is_dataclass

MOST = 2000  # characters of one text that stands among ours
MOST_ITEMS = 100
# A terminal's commands: with parameters, up to a terminator, or of two characters.
CODES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
COLOURS = re.compile(r"\x1b\[[0-9;]{0,20}m")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x0d\x0e-\x1f\x7f-\x9f\ufeff\ufff9-\ufffb]")
# Signs that turn the direction of what follows them, and tags that nobody sees.
UNSEEN = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]")
# TeX that MathJax turns into links, pictures, styles or markup.
TEX = re.compile(
    r"\\(href|url|style|class|cssId|bbox|require|html\w*|data|unicode|mmlToken|Tip|tooltip|texttip|includegraphics|"
    r"action\w*|toggle|enclose)\b"
)


def plain(text, most=MOST, *, lines=False, colours=False, tex=False):
    """Text that only says something.

    ``lines``: whether line breaks and tabs stay; else it is one line. ``colours``: whether a terminal's
    colours stay, for what a notebook shows. ``tex``: whether TeX that makes links is left to another cleaner.
    """
    text = str(text)
    cut = len(text) > most
    text = text[:most].encode("utf-8", errors="replace").decode()
    if colours:
        kept = COLOURS.findall(text)
        parts = [_words(part) for part in COLOURS.split(text)]
        text = "".join(part + code for part, code in zip(parts, [*kept, ""], strict=True))
    else:
        text = _words(text)
    text = text if tex else TEX.sub("\\\\\u200b\\1", text)
    text = text if lines else " ".join(text.split())
    return f"{text}{chr(10) if lines else ' '}[... the rest was left out]" if cut else text


def _words(text):
    text = re.sub("\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", CODES.sub("", text))
    return UNSEEN.sub("", CONTROLS.sub("", text))


def named(text, most=80):
    """A name that a student chose, set off from our own words around it."""
    return f"`{plain(text, most).replace('`', chr(39))}`"


def all_plain(value, most=MOST):
    """Plain data, or a dataclass, with every text in it plain and lists of a bearable length."""
    if isinstance(value, str):
        return plain(value, most, lines=True)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{one.name: all_plain(getattr(value, one.name), most) for one in fields(value)})
    if isinstance(value, dict):
        return {plain(key, 200): all_plain(one, most) for key, one in list(value.items())[:MOST_ITEMS]}
    if isinstance(value, list | tuple):
        return type(value)(all_plain(one, most) for one in value[:MOST_ITEMS])
    return value
