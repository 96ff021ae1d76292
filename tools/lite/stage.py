"""A lesson's copy for the browser: the same notebook, below whose first code stands what is different there.

It stands there as if that code had shown it. In a text of the lesson it would come back with what is handed
in, and be taken for the student's own words.
"""

import re

import nbformat
from nbformat.v4 import new_output

# An indented import is one that its cell can do without; what ``recall`` hands out is made of torch.
TORCH = re.compile(r"^(import|from) torch\b|^from rnncore\.given import recall\b", flags=re.MULTILINE)
# Minutes that the cells which train take in Chromium on two cores, all together, where that is noticeable.
MINUTES = {"01": 3, "03": 4, "04": 2, "05": 3, "06": 2, "07": 1, "08": 9, "14": 2}

# One line each: JupyterLite shows commas where the lines of an output come from a file.
HERE = (
    "> **You are in a browser.** Python runs in this page, five to twenty times slower than on your own "
    "machine{training}. The first cell needs half a minute. Your work is kept in this browser alone: "
    "*File > Download* gives you the notebook, to keep and to hand in."
)
NOT_HERE = (
    "> **This lesson needs PyTorch, which does not run in a browser.** Read it here; to work on it, download "
    "it (*File > Download*) and open it where this course and PyTorch are installed."
)


def needs_torch(notebook):
    """Whether any of its cells needs PyTorch, also one that grading does not run."""
    return any(cell.cell_type == "code" and TORCH.search(cell.source) for cell in notebook.cells)


def browser_copy(lesson):
    """The text of the lesson's notebook for the browser."""
    notebook = nbformat.read(lesson.lesson_path, as_version=4)
    if needs_torch(notebook):
        words = NOT_HERE
    else:
        minutes = MINUTES.get(lesson.name[:2])
        took = (
            f", and what trains takes about {minutes} minute{'s' * (minutes != 1)} in all" if minutes else ""
        )
        words = HERE.format(training=took)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.outputs = [new_output("display_data", data={"text/markdown": words, "text/plain": words})]
    return nbformat.writes(notebook)
