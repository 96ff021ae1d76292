"""Notebooks and Markdown as Sphinx reads them, made from the files of this repository without changing these.

A solved lesson loses the markers that only nbgrader needs, gets each figure's words where myst-nb looks for
them, and a line below its title with the ways to open the lesson itself.
"""

import posixpath
import re

import nbformat
from nbformat.v4 import new_code_cell

from tools.lite.stage import needs_torch
from tools.repository import ROOT, link_elsewhere

MARKER = re.compile(r"^[ \t]*### (BEGIN|END) (SOLUTION|MARK SCHEME)[ \t]*\n?", flags=re.MULTILINE)
HOW_MARKED = "\n**How it is marked**\n\n"


def lesson_page(lesson, home, version, lite=None):
    """The solved lesson as a notebook for Sphinx.

    ``home``: the repository's address, or None. ``lite``: where `make lite` will lie, seen from the book.
    """
    notebook = nbformat.read(lesson.solution_path, as_version=4)
    notebook.cells = [piece for cell in notebook.cells for piece in _one_picture_each(cell)]
    for cell in notebook.cells:
        cell.source = without_markers(cell.source, cell.cell_type)
        words = [alt for output in cell.get("outputs", ()) if (alt := _words_of(output))]
        if words:
            cell.metadata["mystnb"] = {"image": {"alt": " ".join(words[0].split())}}
    opening = notebook.cells[0]
    title, rest = opening.source.split("\n", 1)
    opening.source = f"{title}\n\n{ways_in(lesson, notebook, home, version, lite)}\n{rest}"
    return nbformat.writes(notebook)


def without_markers(source, cell_type="code"):
    """A cell's source as a reader should see it; in text a mark scheme gets a title instead of its marker."""
    if cell_type == "markdown":
        source = source.replace("### BEGIN MARK SCHEME\n", HOW_MARKED)
    return MARKER.sub("", source).rstrip("\n")


def _one_picture_each(cell):
    """The cell, and one with unseen code for each further picture: a book has words for one a cell."""
    outputs, pieces = cell.get("outputs", []), [cell]
    if cell.cell_type == "code":
        cell.outputs = []
    for output in outputs:
        if _words_of(output) and any(map(_words_of, pieces[-1].outputs)):
            pieces.append(new_code_cell("# unseen", metadata={"tags": ["remove-input"]}))
        pieces[-1].outputs.append(output)
    return pieces


def _words_of(output):
    return output.get("metadata", {}).get("image/png", {}).get("alt")


def ways_in(lesson, notebook, home, version, lite=None):
    """The line below a lesson's title: download it, open it in the browser, open it in Colab."""
    path = f"lessons/{lesson.name}/{lesson.notebook}.ipynb"
    ways = [f"{{download}}`Download the lesson <../handout/{lesson.name}/{lesson.notebook}.ipynb>`"]
    torch = needs_torch(notebook)
    if lite and not torch:
        address = f"../{lite}/notebooks/index.html?path={lesson.name}/{lesson.notebook}.ipynb"
        ways.append(f'<a href="{address}">open it in the browser</a>')
    if home:
        name = home.removeprefix("https://github.com/")
        if not torch and not lite:  # Binder's machines get the light list, and little memory
            ways.append(
                f"[open it in the browser](https://mybinder.org/v2/gh/{name}/{version}?labpath={path})"
            )
        ways.append(
            f"[open it in Colab](https://colab.research.google.com/github/{name}/blob/{version}/{path})"
        )
    line = " · ".join(ways)
    if home:
        line += f" (there, first run `%pip install -q {' '.join(colab_needs(home, notebook))}`)"
    return f"{line}\n"


def colab_needs(home, notebook):
    """What `%pip install` needs to be told in Colab, which has torch itself."""
    needs = [one for one in notebook.metadata["unrolled"]["needs"] if one != "torch"]
    return [f"git+{home}", *needs]


def markdown_page(path, home, version, book):
    """A Markdown file of the repository; links to what is not in the book lead to the repository.

    ``book``: the repository's paths that the book has at the same place.
    """
    folder = posixpath.dirname(path)
    return link_elsewhere((ROOT / path).read_text("utf-8"), home, version, folder=folder, kept=book)
