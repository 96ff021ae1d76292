"""What the notebook tests need to know of a notebook: where it is, its words, its exercises, its outputs."""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
SOLUTIONS = sorted((ROOT / "solutions").glob("[0-9][0-9]-*/*.ipynb"))
LESSONS = sorted((ROOT / "lessons").glob("[0-9][0-9]-*/*.ipynb"))

CHECK = re.compile(r"check\((?P<name>\w+), points=(?P<points>\d+)\)")
FOR_GRADERS = re.compile(r"### BEGIN (SOLUTION|MARK SCHEME)\n.*?### END \1", flags=re.DOTALL)
STRETCH = "stretch"  # the tag of the answer to a lesson's ungraded task
NO_PROSE = re.compile(r"```.*?```|\$\$.*?\$\$|\$[^$]+\$|`[^`]*`|<[^>]+>|\]\([^)]*\)", flags=re.DOTALL)


def name_of(path):
    """How a test names its notebook: 'solutions/03-bptt'."""
    return f"{path.parts[-3]}/{path.parts[-2]}"


def read(path):
    return nbformat.read(path, as_version=4)


def marks(cell):
    """nbgrader's metadata of a cell; an empty dict where there is none."""
    return cell.metadata.get("nbgrader", {})


def tags(cell):
    return cell.metadata.get("tags", [])


def markdown(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def words(notebook):
    """How many words of prose a student reads: no formulas, no code, no mark scheme."""
    text = "\n\n".join(FOR_GRADERS.sub("", cell.source) for cell in markdown(notebook))
    return len(re.findall(r"[^\W\d_][\w'\u2019-]*", NO_PROSE.sub(" ", text)))


def headings(notebook):
    """(level, text) of every heading, in order; lines inside code fences are none."""
    text = "\n\n".join(
        re.sub(r"```.*?```", "", FOR_GRADERS.sub("", cell.source), flags=re.DOTALL)
        for cell in markdown(notebook)
    )
    return [(len(mark), title) for mark, title in re.findall(r"^(#{1,6}) +(.*)$", text, flags=re.MULTILINE)]


@dataclass
class Exercise:
    """One exercise as a notebook shows it: what is asked, where it is answered, where it is checked."""

    name: str
    task: nbformat.NotebookNode
    answer: nbformat.NotebookNode
    check: nbformat.NotebookNode


def exercises(notebook):
    """Every graded exercise: its answer's cell, the markdown before it, and the code cell after it."""
    return _answered(notebook, stretch=False)


def stretches(notebook):
    """What a lesson asks of the quick, for no points; its ``check`` is the experiment after it."""
    return _answered(notebook, stretch=True)


def _answered(notebook, stretch):
    found = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not marks(cell).get("solution"):
            continue
        if (STRETCH in tags(cell)) == stretch:
            task = next(
                (one for one in reversed(notebook.cells[:index]) if one.cell_type == "markdown"), None
            )
            check = next((one for one in notebook.cells[index + 1 :] if one.cell_type == "code"), None)
            found.append(Exercise(marks(cell)["grade_id"], task, cell, check))
    return found


def text_outputs(cell):
    """Everything that a code cell printed or returned as plain text."""
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            yield output.text
        elif output.get("data", {}).get("text/plain"):
            yield output.data["text/plain"]
