"""A submission's file as cells of plain types, whatever the file is: the first half of a rescue.

Notebook formats 2 to 4, byte-order marks, other encodings and damaged fields are read as far as they make
sense. Nothing in here knows the lesson; ``rescue`` puts what was found in its place.
"""

import ast
import errno
import hashlib
import json
import re
from dataclasses import dataclass, field

from autograder.intake.contents.parsing import MOST_VALUES, TooMany, parse_json, parse_python

MAX_BYTES = 120_000_000
# What opening says where there is no file that could be opened: a link, a pipe, a folder, nothing.
THEIRS = (
    errno.ELOOP,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENXIO,
    errno.ENODEV,
    errno.ENAMETOOLONG,
)
# What turns a code cell into text where an editor has no text cells.
TEXT_MAGIC = re.compile(r"\s*%{1,2}(md|markdown)(-sandbox)?\b[^\S\n]*\n?")
MAX_CELLS = 10_000
MAX_PARSED = 500_000  # characters of code in which functions are looked for by parsing


class Unreadable(Exception):
    """There is no notebook in the file; the message says why in one sentence."""


class OutOfReach(Unreadable):
    """The file is there, and this machine would not let us read it: our fault, and never the student's."""


def could_not_read(error, what="", end=""):
    """The exception to raise for an OSError: whose fault it is depends on what the system says."""
    kind = Unreadable if error.errno in THEIRS else OutOfReach
    return kind(f"{what} could not be read ({error.strerror or error}){end}".lstrip())


@dataclass
class Found:
    """One cell of the student's file, reduced to what can be trusted to have a plain type.

    ``as_given``: whether a cell of the lesson is as it was handed out, by this release or by another one.
    """

    index: int
    source: str
    cell_type: str
    grade_id: str | None = None
    cell_id: str | None = None
    points: object = None
    tags: tuple = ()
    attachments: dict = field(default_factory=dict)
    defines: frozenset = frozenset()
    as_given: bool = False

    @property
    def name(self):
        """What the cell is called: its grade_id, or its id where that was lost."""
        return self.grade_id or self.cell_id


def read_cells(raw, remarks):
    """The cells of a notebook file of any format that has been in use since 2013."""
    if not raw.strip(b"\x00 \t\r\n"):
        raise Unreadable("The file is empty.")
    if len(raw) > MAX_BYTES:
        raise Unreadable(
            f"The file has more than the {MAX_BYTES / 1e6:.0f} MB that are read; "
            "clear its outputs and hand it in again."
        )
    try:
        data = parse_json(_decode(raw, remarks))
    except TooMany:
        raise Unreadable(
            f"The file holds more than the {MOST_VALUES:,} values that are read; clear its outputs and hand "
            "it in again."
        ) from None
    except RecursionError:
        raise Unreadable("The file is nested too deeply to be a notebook.") from None
    except ValueError as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"The file is not valid JSON{where}, so it is no notebook.") from None
    if not isinstance(data, dict):
        raise Unreadable("The file is JSON, but no notebook: it has no cells.")
    cells = data.get("cells")
    if not isinstance(cells, list):
        sheets = data.get("worksheets")
        if not isinstance(sheets, list):
            raise Unreadable("The file is JSON, but no notebook: it has no cells.")
        cells = [cell for sheet in sheets if isinstance(sheet, dict) for cell in _list(sheet.get("cells"))]
        remarks.append("The file was in an old notebook format and was converted.")
    if len(cells) > MAX_CELLS:
        raise Unreadable(f"The notebook has {len(cells):,} cells, more than the {MAX_CELLS:,} that are read.")
    found, left = [], MAX_PARSED
    for index, cell in enumerate(cells):
        if isinstance(cell, dict):
            found.append(_found(cell, index, left))
            left -= len(found[-1].source) if found[-1].defines else 0
    if len(found) < len(cells):
        remarks.append(f"{len(cells) - len(found)} damaged cells were left out.")
    if not found:
        remarks.append("The notebook had no cells.")
    return found


def _decode(raw, remarks):
    if raw.startswith(b"\xef\xbb\xbf"):
        remarks.append("A byte-order mark at the start of the file was ignored.")
    elif raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        remarks.append("The file was in UTF-16 and was converted.")
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        remarks.append("The file was not in UTF-8; it was read as Windows-1252.")
        return raw.decode("cp1252", errors="replace")


def _found(cell, index, parsed):
    metadata = _dict(cell.get("metadata"))
    marks = _dict(metadata.get("nbgrader"))
    source = _text(cell.get("source", cell.get("input", "")))
    cell_type = cell.get("cell_type")
    if cell_type not in ("code", "markdown", "raw"):
        if cell_type == "heading":
            level = cell.get("level")
            source = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " " + source
        cell_type = "code" if "outputs" in cell or "input" in cell else "markdown"
    if cell_type == "code" and (magic := TEXT_MAGIC.match(source)):
        source, cell_type = source[magic.end() :], "markdown"
    return Found(
        index=index,
        source=source,
        cell_type=cell_type,
        grade_id=_name(marks.get("grade_id")),
        cell_id=_name(cell.get("id")),
        points=marks.get("points"),
        tags=tuple(tag for tag in _list(metadata.get("tags")) if isinstance(tag, str)),
        attachments=_attachments(cell.get("attachments")),
        defines=functions_defined(source, parsed),
        as_given=_as_given(source, cell_type, marks),
    )


def _as_given(source, cell_type, marks):
    """Whether this is a locked cell with nbgrader's own checksum of it beside it, as every release has them.

    Importing nbgrader to compute it would take a worker a second, and half of its memory.
    """
    grade, solution = marks.get("grade"), marks.get("solution")
    if solution is not False or not (grade is True or marks.get("locked") is True):
        return False
    words = [source, cell_type, str(grade), "False", "True", _name(marks.get("grade_id")) or ""]
    if grade is True:
        try:
            words.append(str(float(marks.get("points"))))
        except (TypeError, ValueError, OverflowError):
            return False
    return hashlib.md5("".join(words).encode(), usedforsecurity=False).hexdigest() == marks.get("checksum")


def _attachments(value):
    """{name: {kind: text}}: what has another form is no attachment."""
    return {
        name: {kind: text for kind, text in bundle.items() if isinstance(text, str)}
        for name, bundle in _dict(value).items()
        if isinstance(bundle, dict)
    }


def functions_defined(source, most=MAX_PARSED):
    """The names of the functions and classes that a cell defines at its top level, parsed or not.

    ``most``: how long it may be to be parsed.
    """
    by_eye = frozenset(re.findall(r"^(?:(?:async )?def|class)[ \t]+(\w+)", source, flags=re.MULTILINE))
    if not by_eye:
        return by_eye
    tree = parse_python(source) if len(source) <= most else None
    if tree is None:
        return by_eye
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef))


def _text(value):
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return ""
    # Lone surrogates cannot be written to a file again.
    value = value.encode("utf-8", errors="replace").decode()
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _name(value):
    return value if isinstance(value, str) and 0 < len(value) <= 200 else None


def _dict(value):
    return value if isinstance(value, dict) else {}


def _list(value):
    return value if isinstance(value, list) else []
