"""How a written answer is marked: its question, the model answer, and the mark scheme line by line.

Only the solution has them. A line of the scheme is an item of a list that begins with what it is worth, as in
`- 1 point: the sum is right.`; whatever else stands there is told beside the lines.
"""

import re
from dataclasses import dataclass

from autograder.course.solutions import ReleaseError, read_solution
from autograder.course.spec import cell_kind

LINE = re.compile(r"[-*+]\s+(\d+(?:[.,]\d+)?)\s+(?:points?|marks?)\b[:.]?\s*(.*)", re.IGNORECASE)
HEADING = re.compile(r"^#{1,6} +", re.MULTILINE)


@dataclass(frozen=True)
class Line:
    """One line of a mark scheme, in Markdown, and what it is worth."""

    points: float
    text: str


@dataclass(frozen=True)
class Scheme:
    """What a person marks a written answer by, all in Markdown; "" and () for what there is not."""

    question: str = ""
    answer: str = ""
    lines: tuple = ()
    rest: str = ""  # of the scheme: what is no line of it


def read_schemes(lesson):
    """{grade_id: Scheme} of the lesson's written answers; none where there is no solution to read."""
    try:
        cells = read_solution(lesson).cells
    except ReleaseError:
        return {}
    return {
        cell.metadata["nbgrader"].get("grade_id", cell.get("id")): Scheme(
            _question(cells[:index]), _answer(cell.source), *_lines(cell.source)
        )
        for index, cell in enumerate(cells)
        if cell_kind(cell) == "written"
    }


def region(source, name):
    """What stands between nbgrader's marks BEGIN and END of that name."""
    found = re.findall(rf"BEGIN {name}[^\n]*\n(.*?)\n?[^\n]*END {name}", source, flags=re.DOTALL)
    return "\n\n".join(part.strip() for part in found)


def _question(before):
    """The text that comes right before an answer, from its last heading on."""
    if not before or before[-1].cell_type != "markdown":
        return ""
    text = before[-1].source
    headings = list(HEADING.finditer(text))
    return text[headings[-1].start() :] if headings else text


def _answer(source):
    """The model answer: what is marked as the solution, else all that is no mark scheme."""
    scheme = r"[^\n]*BEGIN MARK SCHEME.*?END MARK SCHEME[^\n]*"
    return region(source, "SOLUTION") or re.sub(scheme, "", source, flags=re.DOTALL).strip()


def _lines(source):
    """The lines of the mark scheme, and the rest of it."""
    lines, rest = [], []
    for line in region(source, "MARK SCHEME").split("\n"):
        found = LINE.match(line)
        if found:
            lines.append(Line(float(found[1].replace(",", ".")), found[2].strip()))
        elif lines and not rest and re.match(r"\s+\S", line):  # goes on with the line above
            lines[-1] = Line(lines[-1].points, f"{lines[-1].text} {line.strip()}")
        elif line.strip():
            rest.append(line)
    return tuple(lines), "\n".join(rest)
