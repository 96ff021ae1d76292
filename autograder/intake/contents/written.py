"""What a student wrote for a person to read, wherever in the notebook it stands.

A written answer belongs into its own cell; it also comes in a new cell, under the question, as comments, as
strings, or as text in a code cell. What counts is what the release does not have: a line of the lesson's own,
wherever it was moved or copied to, is nobody's answer.
"""

import ast
import io
import re
import tokenize

from autograder.intake.contents.drafts import DEFINITIONS, LONGEST, parsed, trimmed

FEW = 4  # words: shorter remarks beside code are about the code
LINE_OF_PROSE = re.compile(r"(?<!\w)(?:[^\W\d_]{1,40}[,;:.]? ){3}[^\W\d_]|[^\x00-\x7f]{6}")
LINE_OF_CODE = re.compile(r"\w\(|\w\[|\w *[-+*/]?= *\S|^\s*(def|class|import|return|print|#)\b|:\s*$|['\"]")
NOTHING = re.compile(r"#+ *((BEGIN|END) \w+( \w+)?|YOUR CODE HERE|%%.*)\s*$")


class Release:
    """The lines of a lesson: what a student did not write."""

    def __init__(self, spec):
        lines = [line for cell in spec.cells for line in cell.source.split("\n")]
        self.cells = {trimmed(cell.source) for cell in spec.cells}
        self.exact = {_plain(line) for line in lines}
        self.words = {_words(line) for line in lines if len(_words(line)) >= FEW}

    def has(self, line):
        """Is this a line of the lesson's, perhaps with other signs around its words?"""
        return _plain(line) in self.exact or _words(line) in self.words

    def text(self, source):
        """The lines of a text that the student wrote; "" where there are none."""
        lines = ["" if self.has(line) else line.rstrip() for line in source.split("\n")]
        kept = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
        return kept if re.search(r"\w", kept) else ""

    def prose(self, source, *, beside_code):
        """What the student wrote for a reader in a code cell: comments, strings, or text that is no code.

        ``beside_code``: whether code belongs here, so that a short comment will be about it.
        """
        if trimmed(source) in self.cells:
            return ""
        source = source[:LONGEST]
        tree, lines = parsed(source), source.split("\n")
        if tree is None and not beside_code and any(map(_is_prose, lines)):
            return self.text("\n".join(map(_uncommented, lines)))
        comments = [line for line in _comments(source) if not NOTHING.match(line)]
        said = [_uncommented(line) for line in comments]
        said = [] if _is_code("\n".join(said)) else [line for line in said if not _is_code(line)]
        only_strings = tree is not None and all(_strings(one) is not None for one in tree.body)
        if tree is not None:
            for one in tree.body:
                # Beside code, what is printed is the program's.
                if only_strings or isinstance(getattr(one, "value", None), ast.Constant):
                    said += _strings(one) or []
        text = self.text("\n".join(said))
        few = len(re.findall(r"\w+", text)) < FEW and not LINE_OF_PROSE.search(text)
        return "" if few and (beside_code or not only_strings) else text


def is_blank(source, placeholder):
    """Is there nothing in a written answer's own cell but the lesson's placeholder, however it is set?"""
    words = _words(source)
    return not source.strip() or (bool(words) and words == _words(placeholder))


def _plain(line):
    return line.strip().lstrip("# ").lower()


def _words(line):
    return tuple(re.findall(r"[^\W_]+", line.lower()))


def _uncommented(line):
    return re.sub(r"^\s*#+ ?", "", line)


def _comments(source):
    """The comments that stand on a line of their own, outside of functions and classes."""
    try:
        found = [
            (one.start[0], one.string)
            for one in tokenize.generate_tokens(io.StringIO(source).readline)
            if one.type == tokenize.COMMENT and one.start[1] == 0
        ]
    except (tokenize.TokenError, SyntaxError, ValueError):
        found = [(n, line) for n, line in enumerate(source.split("\n"), 1) if line.startswith("#")]
    tree = parsed(source)
    inside = (
        [(one.lineno, one.end_lineno) for one in tree.body if isinstance(one, DEFINITIONS)] if tree else []
    )
    return [text for line, text in found if not any(start <= line <= end for start, end in inside)]


def _is_prose(line):
    return bool(LINE_OF_PROSE.search(line)) and not LINE_OF_CODE.search(line)


def _is_code(text):
    """Is this commented-out code rather than a sentence?"""
    text = re.sub(r"^[%!].*$", "", text, flags=re.MULTILINE).strip()
    tree = parsed(f"{text}\n    pass" if text.endswith(":") else text)
    if tree is None or not tree.body:
        return False
    return not all(
        isinstance(one, ast.Expr) and isinstance(one.value, ast.Name | ast.Constant) for one in tree.body
    )


def _strings(statement):
    """The strings of a statement that does nothing but hold or print them; None for any other."""
    value = getattr(statement, "value", None) if isinstance(statement, ast.Expr | ast.Assign) else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name | ast.Attribute):
        name = getattr(value.func, "id", None) or value.func.attr
        parts = value.args if name in ("print", "Markdown", "display", "HTML") else [None]
    else:
        parts = [value]
    texts = [
        part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else None
        for part in parts
    ]
    return None if None in texts or isinstance(statement, DEFINITIONS) else texts
