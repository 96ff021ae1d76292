"""Feedback pages: the graded notebook with scores and comments, as one file that runs nothing.

``page`` says what stands on it, in a template of our own. Formulas become MathML, which browsers draw by
themselves; then everything that could run or load something is removed, and a content-security policy is
written at the top, so that even what was overlooked is inert.
"""

import copy
import logging
import os
import re
import shutil
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.templateexporter import default_filters
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets import default
from traitlets.config import Config

from autograder.gradebook import page
from autograder.gradebook.configuration import COURSE_ID, configure
from autograder.gradebook.database import plain_errors
from autograder.gradebook.typeset import for_everybody, typeset

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'"
TEMPLATE = "unrolled"
META = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
PART = ".feedback-"  # what a folder in the workspace is called in which a page is being made


# Most of what is on a page is the lesson's, and the same on every page of a class.
_clean_html = lru_cache(maxsize=1000)(default_filters["clean_html"])


class FeedbackExporter(HTMLExporter):
    """The feedback page, without scripts; named in the workspace's nbgrader_config."""

    _as_written = False  # whether texts are shown as they are, unconverted

    @default("template_name")
    def _template_name_default(self):
        return TEMPLATE

    @default("extra_template_basedirs")
    def _extra_template_basedirs_default(self):
        return [str(page.TEMPLATES)]

    def default_filters(self):
        yield from super().default_filters()
        yield "clean_html", _clean_html

    def _preprocess(self, nb, resources):
        nb, resources = super()._preprocess(nb, resources)  # nbgrader's step puts grades and comments in
        resources["unrolled"] = page.lay_out(nb, resources, _waiting(resources.get("nbgrader", {})))
        for cell in nb.cells:
            if cell.cell_type == "markdown" and not self._as_written:
                cell.source = typeset(cell.source)
        return nb, resources

    def from_notebook_node(self, nb, resources=None, **kw):
        nb, self._as_written = copy.deepcopy(nb), False
        try:
            written, told = super().from_notebook_node(nb, copy.deepcopy(resources), **kw)
        except Exception:  # a student's text that the converter cannot read is shown as it was written
            self._as_written = True
            for cell in nb.cells:
                if cell.cell_type == "markdown":
                    cell.source = "\n".join(f"    {line}" for line in cell.source.splitlines())
            written, told = super().from_notebook_node(nb, resources, **kw)
        return for_everybody(secure(lower_headings(written))), told


def _waiting(names):
    """{grade_id: whether it was graded by hand before} of what waits for a person, by the gradebook."""
    if not names.get("db_url"):
        return {}
    with Gradebook(names["db_url"], COURSE_ID) as gradebook:
        found = gradebook.find_submission_notebook(names["notebook"], names["assignment"], names["student"])
        return {
            grade.name: grade.manual_score is not None for grade in found.grades if grade.needs_manual_grade
        }


def lower_headings(written):
    """The page with the notebook's headings below its own two levels."""
    place = written.find("</h2>", written.find('<h2 id="work">')) + 1
    lower = re.sub(r"(</?h)([1-6])\b", lambda one: f"{one[1]}{min(6, int(one[2]) + 2)}", written[place + 4 :])
    return written[: place + 4] + lower


def secure(written):
    """The page without scripts and remote files, with the policy as the first thing in its head."""
    written = re.sub(r"<script\b.*?</script\s*>", "", written, flags=re.DOTALL | re.IGNORECASE)
    written = re.sub(r"<link\b[^>]*>", "", written, flags=re.IGNORECASE)
    return re.sub(
        r"<head[^>]*>", lambda match: f"{match.group()}\n{META}", written, count=1, flags=re.IGNORECASE
    )


def write_feedback(workspace, course, spec, students, on_result=None):
    """Write the feedback pages of these students with nbgrader's GenerateFeedback; returns how many.

    A page is in its place when it is whole, and until then the one before it.
    """
    count = 0
    for left in workspace.root.glob(f"{PART}*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    for student in students:
        if (workspace.autograded / student / spec.assignment / f"{spec.notebook}.ipynb").is_file():
            with tempfile.TemporaryDirectory(prefix=PART, dir=workspace.root) as part:
                config = configure(Config(), course=course, workspace=workspace.root)
                config.CourseDirectory.assignment_id = spec.assignment
                config.CourseDirectory.student_id = student
                config.CourseDirectory.feedback_directory = part
                with plain_errors(workspace.gradebook):
                    _generate(config)
                _put_in_place(
                    Path(part, student, spec.assignment), workspace.feedback / student / spec.assignment
                )
            count += 1
        if on_result:
            on_result(student)
    return count


def _generate(config):
    """Run nbgrader's GenerateFeedback; what stops it is raised as it was, not only written to a log."""
    converter = GenerateFeedback(coursedir=CourseDirectory(config=config), config=config, force=True)
    converter.log = log = logging.getLogger("unrolled.feedback")
    stopped = _Stopped()
    log.propagate, log.handlers = False, [stopped]
    try:
        converter.start()
    except NbGraderException as error:
        raise stopped.by or error from None


class _Stopped(logging.Handler):
    """Keeps the first exception that is on its way while something is logged."""

    by = None

    def emit(self, record):
        self.by = self.by or sys.exc_info()[1]


def _put_in_place(made, folder):
    """Put the files of one folder in the place of another's, one by one."""
    files = [path.relative_to(made) for path in sorted(made.rglob("*")) if path.is_file()]
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        os.replace(made / file, folder / file)
    for path in folder.rglob("*") if files else ():
        if path.is_file() and path.relative_to(folder) not in files:
            path.unlink()
