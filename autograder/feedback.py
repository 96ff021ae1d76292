"""Feedback pages: the graded notebook with scores and comments, as one file that runs nothing.

nbgrader's feedback template lays the page out. Then everything that could run or load something is
removed, and a content-security policy is written at the top, so that even what was overlooked is inert.
Formulas stay in TeX, since typesetting them would take a script.
"""

import logging
import re

from nbconvert.exporters import HTMLExporter

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'"
META = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'


class FeedbackExporter(HTMLExporter):
    """nbgrader's feedback page without scripts; named in the workspace's nbgrader_config."""

    def from_notebook_node(self, nb, resources=None, **kw):
        page, resources = super().from_notebook_node(nb, resources, **kw)
        return secure(page), resources


def secure(page):
    """The page without scripts and remote files, with the policy as the first thing in its head."""
    page = re.sub(r"<script\b.*?</script\s*>", "", page, flags=re.DOTALL | re.IGNORECASE)
    page = re.sub(r"<link\b[^>]*>", "", page, flags=re.IGNORECASE)
    return re.sub(
        r"<head[^>]*>", lambda match: match.group() + "\n" + META, page, count=1, flags=re.IGNORECASE
    )


def write_feedback(workspace, course, spec, students, on_result=None):
    """Write the feedback pages of these students with nbgrader's GenerateFeedback; returns how many."""
    from nbgrader.converters import GenerateFeedback
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    from autograder.nbgrader_config import configure

    count = 0
    for student in students:
        if (workspace.autograded / student / spec.assignment / f"{spec.notebook}.ipynb").is_file():
            config = configure(Config(), course=course, workspace=workspace.root)
            config.CourseDirectory.assignment_id = spec.assignment
            config.CourseDirectory.student_id = student
            converter = GenerateFeedback(coursedir=CourseDirectory(config=config), config=config, force=True)
            converter.log = logging.getLogger("unrolled.nbgrader")
            converter.start()
            count += 1
        if on_result:
            on_result(student)
    return count
