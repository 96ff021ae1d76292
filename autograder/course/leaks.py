"""Nothing that only the solution should hold may reach a lesson; the last look before one is handed out."""

import re
from itertools import pairwise

from autograder.course.solutions import ReleaseError

MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN MARK SCHEME", "END MARK SCHEME", "HIDDEN TESTS")


def refuse_leaks(solution, lesson_notebook, lesson):
    """Raise ReleaseError if the lesson holds anything that only the solution should.

    The markers and outputs must be gone. Of a solution's code, two lines in a row (or the whole of a
    one-line solution) must not appear in any code cell; of a model answer or a mark scheme, no line of
    20 characters or more may appear anywhere. Shorter scraps occur by chance, and hints quote code.
    """
    for cell in solution.cells:
        if "BEGIN HIDDEN TESTS" in cell.source:
            raise ReleaseError(
                f"{lesson.name}: cell {cell.id!r} hides tests, and grading would never run them, because it "
                "runs the cells that are released; draw fresh inputs instead, as `check` does."
            )
    where = f"{lesson.name} would leak its solution"
    secrets_of_code, secrets_of_text = _secrets(solution)
    for cell in lesson_notebook.cells:
        for marker in MARKERS:
            if marker in cell.source:
                raise ReleaseError(f"{where}: cell {cell.id!r} still contains {marker!r}.")
        if cell.get("outputs"):
            raise ReleaseError(f"{where}: cell {cell.id!r} still has outputs.")
        lines = _significant(cell.source)
        for secret in secrets_of_text:
            if any(secret in line for line in lines):
                raise ReleaseError(f"{where}: cell {cell.id!r} contains {secret!r}, from a model answer.")
        if cell.cell_type == "code":
            for secret in secrets_of_code:
                if _contains_run(lines, secret):
                    raise ReleaseError(
                        f"{where}: cell {cell.id!r} contains {' / '.join(secret)!r}, from between "
                        "BEGIN SOLUTION and END SOLUTION."
                    )


def _secrets(solution):
    """What must not reach a lesson: runs of code lines, and lines of model answers."""
    code, text = [], []
    for cell in solution.cells:
        marks = cell.metadata.get("nbgrader") or {}
        if cell.cell_type == "code":
            for region in _regions(cell.source, "SOLUTION"):
                lines = _significant(region)
                code.extend(pairwise(lines))
                if len(lines) == 1 and len(lines[0]) >= 12:
                    code.append((lines[0],))
        else:
            regions = _regions(cell.source, "MARK SCHEME") + _regions(cell.source, "SOLUTION")
            if marks.get("solution") and not _regions(cell.source, "SOLUTION"):
                regions.append(cell.source)
            for region in regions:
                text.extend(line for line in _significant(region) if len(line) >= 20)
    return code, [line for line in text if not any(marker in line for marker in MARKERS)]


def _regions(source, name):
    return re.findall(rf"BEGIN {name}[^\n]*\n(.*?)\n[^\n]*END {name}", source, flags=re.DOTALL)


def _significant(source):
    lines = (line.strip() for line in source.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _contains_run(lines, run):
    width = len(run)
    return any(tuple(lines[start : start + width]) == run for start in range(len(lines) - width + 1))
