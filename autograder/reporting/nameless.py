"""Wrong answers without a name that return the same numbers: which mistakes of this class deserve one.

Grading signs what such answers return on inputs that are the same for everybody (``judging.signatures``).
Here they are counted, shown with one answer's text, and turned into the skeleton of an entry for the list of
known mistakes, which a person completes.
"""

import ast
import difflib
import html
from collections import defaultdict
from dataclasses import dataclass

from autograder.gradebook.results import graded_path
from autograder.intake.contents.parsing import parse_python
from autograder.intake.contents.reading import Unreadable, read_cells
from autograder.intake.plain import plain
from autograder.intake.submissions import read_regular
from autograder.judging.graded import unnamed
from autograder.reporting.sheet import table

LEAST = 2  # students who gave the same answer, from which on it is shown
MOST_SHOWN = 12
MOST_TEXT = 4000  # characters of an answer


@dataclass(frozen=True)
class Group:
    """The students whose unnamed wrong answers to an exercise return the same."""

    exercise: str
    students: tuple
    text: str = ""  # one of the answers, the shortest


def groups(results, workspace, spec):
    """The Groups of a lesson, the largest first; ``results``: {student: result}."""
    found = defaultdict(list)
    for student, result in sorted(results.items()):
        for name, score in result.get("exercises", {}).items():
            if score.get("signature") and unnamed(score):
                found[name.removesuffix("-check"), score["signature"]].append(student)
    made = []
    for (exercise, _), students in sorted(found.items(), key=lambda one: (-len(one[1]), one[0])):
        texts = (text_of(workspace, spec, student, exercise) for student in students)
        made.append(Group(exercise, tuple(students), min(filter(None, texts), key=len, default="")))
    return made


def text_of(workspace, spec, student, exercise):
    """The text of a student's answer as it was graded; "" where it is not there."""
    try:
        cells = read_cells(read_regular(graded_path(workspace, spec, student)), [])
    except Unreadable:
        return ""
    texts = (cell.source for cell in cells if exercise in (cell.grade_id, cell.cell_id))
    return plain(next(texts, ""), MOST_TEXT, lines=True, tex=True)


def nameless_table(results, workspace, spec, links):
    """The groups of two and more as html; "" where there are none."""
    shown = [one for one in groups(results, workspace, spec) if len(one.students) >= LEAST]
    if not shown:
        return ""
    rows = []
    for one in shown[:MOST_SHOWN]:
        exercise = html.escape(one.exercise)
        text = f"<details><summary>one of their answers</summary><pre>{html.escape(one.text)}</pre></details>"
        names = ", ".join(links.student(student, one.exercise) for student in one.students)
        rows.append(
            (len(one.students), f"<code>{exercise}</code>, no name yet{text if one.text else ''}", names)
        )
    more = len(shown) - MOST_SHOWN
    return (
        '<p class="soft">Wrong answers that are no known mistake and return the same numbers: in all '
        "likelihood the same mistake. <code>unrolled mistake new EXERCISE</code> begins an entry for it.</p>"
        + table((("students", "number"), ("mistake", ""), ("who", "")), rows)
        + (f'<p class="soft">And {more} more.</p>' if more > 0 else "")
    )


# A new entry


def skeleton(exercise, reference, answer, count=1):
    """An entry for the list of known mistakes, as Python's text: the first place where an answer differs.

    ``reference``: the right function's text. Nothing of a student's is run: what it gives is text to be read.
    """
    old, new, more = _difference(reference, answer)
    lines = [
        f"# {exercise}: the same wrong answer by {count} student{'s' * (count != 1)}. Complete it, put it",
        "# among the exercise's mistakes in rnncore/exercises/, and prove it: make mistakes, make unit.",
    ]
    if more:
        lines.append(
            f"# This is the first difference, and there {'are' if more > 1 else 'is'} {more} more in:"
        )
        lines += [f"#   {line}" for line in answer.strip().splitlines()]
    lines += [
        "Mistake(",
        '    "a-short-name",',
        f"    old={old!r},",
        f"    new={new!r},",
        '    says="What is wrong, in the student\'s words, and not what to type.",',
        "    cost=None,  # the share of the points that a fair teacher takes off: docs/marks.md",
        "),",
    ]
    return "\n".join(lines)


def _difference(reference, answer):
    """(old, new, further places): the first statements in which the answer differs.

    ``old`` stands exactly once in the reference. Layout and comments are no difference.
    """
    answer = _with_names_of(reference, answer)
    right, wrong = _statements(reference), _statements(answer)
    matcher = difflib.SequenceMatcher(None, [one for *_, one in right], [one for *_, one in wrong], False)
    places = [place for place in matcher.get_opcodes() if place[0] != "equal"]
    if not places:
        places = [("equal", len(right) - 1, len(right), len(wrong) - 1, len(wrong))]
    _, start, end, at, to = places[0]
    old = _lines(reference, right[start:end])
    while start > 0 and (not old or reference.count(old) != 1):  # with what stands before it, it is one place
        start, at = start - 1, max(0, at - 1)
        old = _lines(reference, right[start:end])
    return old, _lines(answer, wrong[at:to]), len(places) - 1


def _lines(source, statements):
    """The text of some statements that follow each other, with all that stands between them."""
    if not statements:
        return ""
    return "\n".join(source.splitlines()[statements[0][0] : statements[-1][1]])


def _statements(source):
    """[(first line, line after the last, as Python would write it)] of all simple statements and heads."""
    tree, lines = parse_python(source), source.splitlines()
    if tree is None:
        return [(number, number + 1, line.strip()) for number, line in enumerate(lines) if line.strip()]
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
            continue
        last, said = node.end_lineno, ast.unparse(node)
        if isinstance(getattr(node, "body", None), list):
            last = max(node.lineno, node.body[0].lineno - 1)
            said = said.partition("\n")[0]
        found.append((node.lineno - 1, last, said))
    return sorted(found)


def _with_names_of(reference, answer):
    """The answer with its arguments called as in the reference, where it has as many."""
    try:
        tree = ast.parse(answer)
        (right,) = (one for one in ast.parse(reference).body if isinstance(one, ast.FunctionDef))
        own = next(one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == right.name)
    except (SyntaxError, ValueError, RecursionError, MemoryError, StopIteration):
        return answer
    names = [arg.arg for arg in own.args.args], [arg.arg for arg in right.args.args]
    if len(names[0]) != len(names[1]) or names[0] == names[1]:
        return answer
    new = dict(zip(*names, strict=True))
    for node in ast.walk(own):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = new.get(node.arg, node.arg)
    return ast.unparse(own)
