"""What the formgrader's page of one submission shows besides: the mark scheme, and formulas without MathJax.

nbgrader's page fetches MathJax from the internet. Here formulas are MathML, as on feedback pages, and a
template of ours (``templates/formgrade``) leaves the fetching out. All else on the page is nbgrader's own.
"""

from pathlib import Path

import nbformat
from nbconvert.preprocessors import Preprocessor
from traitlets import Unicode

from autograder.course.places import Lesson
from autograder.course.scheme import read_schemes
from autograder.gradebook.typeset import typeset


class Desk(Preprocessor):
    """Puts the mark scheme under each written answer on a page of the formgrader's, and only there."""

    course = Unicode(help="The course's folder, with solutions/ in it.").tag(config=True)

    def preprocess(self, nb, resources):
        if "submission_id" not in resources:
            return nb, resources
        schemes = read_schemes(Lesson(resources["assignment_id"], Path(self.course)))
        cells = []
        for cell in nb.cells:
            cells.append(cell)
            if cell.cell_type == "markdown":
                cell.source = typeset(cell.source)
            scheme = schemes.get((cell.metadata.get("nbgrader") or {}).get("grade_id"))
            if scheme:
                text = typeset(as_markdown(scheme, resources["assignment_id"]))
                cells.append(nbformat.v4.new_markdown_cell(text, metadata={"deletable": False}))
        nb.cells = cells
        return nb, resources


def as_markdown(scheme, lesson):
    """A Scheme as the text of one cell."""
    lines = [f"- {line.points:g} point{'s' * (line.points != 1)}: {line.text}" for line in scheme.lines]
    text = f"#### Mark scheme\n\n{chr(10).join(lines)}\n\n{scheme.rest}"
    if scheme.answer:
        text += f"\n\n<details><summary>Model answer</summary>\n\n{scheme.answer}\n\n</details>"
    return (
        f"{text}\n\n`unrolled mark {lesson}` has these lines as ticks, for the whole class."
        if lines
        else text
    )
