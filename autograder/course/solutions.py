"""Solutions as files: read in one sentence's care, and put in the one form in which notebooks are committed.

``tidy`` brings the solutions into that canonical form, so that two people's edits differ only where they
changed something; ``release`` gives lessons the same form.
"""

import ast
import re

import nbformat

from autograder.course.places import CourseError, all_lessons, write_atomically
from autograder.course.spec import KERNELSPEC, cell_kind

CELL_METADATA = ("nbgrader", "tags", "deletable", "editable")
WIDGETS = "application/vnd.jupyter.widget"
SHORT_WORD = re.compile(r"[a-z][a-z0-9_-]{1,39}")
MACHINE_ID = re.compile(r"(?=.*\d)[0-9a-f]{6,}(-[0-9a-f]{4,})*|[0-9a-f]{8}")


class ReleaseError(CourseError):
    """A solution that cannot be released, and why."""


def read_solution(lesson):
    """The solution's notebook, or one sentence on why there is none."""
    try:
        return nbformat.read(lesson.solution_path, as_version=4)
    except FileNotFoundError:
        raise ReleaseError(f"The solution {lesson.solution_path} is missing.") from None
    except Exception as error:
        raise ReleaseError(f"The solution {lesson.solution_path} is no notebook: {error}") from error


def tidy(course, lessons=None):
    """Put the solutions in canonical form; returns the paths of those that changed."""
    changed = []
    for lesson in lessons or all_lessons(course):
        text = tidy_text(lesson)
        if text != lesson.solution_path.read_text():
            write_atomically(lesson.solution_path, text)
            changed.append(lesson.solution_path)
    return changed


def tidy_text(lesson):
    """The solution's text in canonical form; raises ReleaseError where a stored output is an error."""
    notebook = read_solution(lesson)
    for index, cell in enumerate(notebook.cells):
        if any(output.output_type == "error" for output in cell.get("outputs", ())):
            raise ReleaseError(
                f"{lesson.solution_path} stores an error in cell {index} ({cell.source.strip()[:40]!r}); "
                "run the notebook again."
            )
        said = points_of_check(cell.source) if cell_kind(cell) == "test" else None
        if said is not None:  # what a student reads there is what nbgrader gives
            cell.metadata["nbgrader"]["points"] = whole(said)
    return to_text(canonical(notebook))


def whole(points):
    """3 for 3.0, as nbgrader's own cells have it."""
    return int(points) if float(points).is_integer() else points


def points_of_check(source):
    """The points that a test cell's last line names, as check(rnn_cell, points=5); None if it is no check."""
    try:
        last = ast.parse(source).body[-1]
        call = ast.Expression(last.value).body
        if call.func.id != "check":
            return None
        given = [word.value for word in call.keywords if word.arg == "points"] or call.args[1:2]
        return float(ast.literal_eval(given[0])) if given else 1.0
    except (SyntaxError, ValueError, TypeError, IndexError, AttributeError):
        return None


def canonical(notebook):
    """The one form in which notebooks are committed (changes ``notebook`` and returns it)."""
    asks = notebook.metadata.get("unrolled")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": {"name": "python"}})
    if asks is not None:
        notebook.metadata["unrolled"] = asks
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    taken = set()
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
        )
        cell.id = _unique(_cell_word(cell), taken)
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [output for output in map(_canonical_output, cell.outputs) if output]
    return notebook


def _canonical_output(output):
    if output.output_type == "stream" and output.name == "stderr":
        return None
    if "execution_count" in output:
        output.execution_count = None
    if "data" in output:
        output.data = {kind: data for kind, data in output.data.items() if not kind.startswith(WIDGETS)}
        # A picture's description for screen readers is all that is kept beside it.
        output.metadata = {
            kind: {"alt": about["alt"]}
            for kind, about in output.get("metadata", {}).items()
            if kind in output.data and isinstance(about, dict) and "alt" in about
        }
        if not output.data:
            return None
    return output


def _cell_word(cell):
    """The cell's id: its grade_id, the word it already has, or one made from its first words."""
    grade_id = (cell.metadata.get("nbgrader") or {}).get("grade_id")
    if grade_id:
        return grade_id
    old = cell.get("id", "")
    if SHORT_WORD.fullmatch(old) and not MACHINE_ID.fullmatch(old):
        return old
    words = re.findall(r"[a-z]+", cell.source.lower() if cell.cell_type == "markdown" else "")
    return "-".join(words[:3])[:32] or cell.cell_type


def _unique(word, taken):
    name, number = word, 2
    while name in taken:
        name, number = f"{word}-{number}", number + 1
    taken.add(name)
    return name


def to_text(notebook):
    """The notebook as the text of its file: sorted keys, one space of indent, a last line end."""
    return nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False).rstrip("\n") + "\n"
