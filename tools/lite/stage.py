"""A lesson's copy for the browser: the same notebook, whose first cell also says what is different there."""

import re

import nbformat

TORCH = re.compile(r"^\s*(import|from) torch\b", flags=re.MULTILINE)
# Minutes that the cells which train take in Chromium on two cores, all together, where that is noticeable.
MINUTES = {"01": 3, "03": 4, "04": 2, "05": 3, "06": 2, "07": 1, "08": 9}

HERE = """\
> **You are in a browser.** Python runs in this page, five to twenty times slower than on your own
> machine{training}. The first cell needs half a minute. Your work is kept in this browser alone:
> *File > Download* gives you the notebook, to keep and to hand in.
"""
NOT_HERE = """\
> **This lesson needs PyTorch, which does not run in a browser.** Read it here; to work on it, download it
> (*File > Download*) and open it where PyTorch is installed, or in Colab.
"""


def needs_torch(notebook):
    """Whether any of its cells imports PyTorch, also one that grading does not run."""
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
    title, rest = notebook.cells[0].source.split("\n", 1)
    notebook.cells[0].source = f"{title}\n\n{words}{rest}"
    return nbformat.writes(notebook)
