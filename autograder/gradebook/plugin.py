"""How plain nbgrader grades with our grader: the pieces that nbgrader_config.py names.

``RescueExporter`` reads a submission as tolerantly as `unrolled grade` does, ``GradeInSandbox`` takes the
place of nbgrader's Execute and calls the same grader, and ``SaveGrades`` leaves to a person only what has
changed since that person graded it. The command line, the formgrader's button and nbgrader's API all go
through them.
"""

from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool, Unicode

from autograder.course.places import Workspace
from autograder.course.spec import read_spec
from autograder.gradebook.configuration import limits_of
from autograder.gradebook.results import changed_answers, read_result, write_result
from autograder.intake.contents.reading import OutOfReach, Unreadable
from autograder.intake.contents.rescue import rescue, untouched
from autograder.intake.submissions import read_regular
from autograder.judging.status import Status
from autograder.judging.submission import grade_rescued


class RescueExporter(NotebookExporter):
    """Reads a submission into a notebook that holds its file as it came, for GradeInSandbox to rescue."""

    lessons = Unicode(help="The folder of released lessons, one in each LESSON/.").tag(config=True)

    def from_filename(self, filename, resources=None, **kw):
        # nbgrader reads twice: the submission, and then the copy that this wrote.
        if not getattr(self.parent, "_sanitizing", False):
            return super().from_filename(filename, resources=resources, **kw)
        spec = _spec(self.lessons, resources)
        try:
            rescued = rescue(read_regular(Path(filename)), spec)
            notebook, note = rescued.notebook, {"remarks": rescued.remarks}
        except OutOfReach as error:  # our fault: nbgrader names the student, and goes on
            raise RuntimeError(str(error)) from error
        except Unreadable as error:
            notebook, note = untouched(spec), {"unreadable": str(error)}
        notebook.metadata["unrolled"].update(nbformat.from_dict(note))
        return self.from_notebook_node(notebook, resources, **kw)


class GradeInSandbox(NbGraderPreprocessor):
    """Grades a rescued notebook with the same grader as `unrolled grade`, and cleans it for browsers."""

    lessons = Unicode(help="The folder of released lessons, one in each LESSON/.").tag(config=True)
    workspace = Unicode(help="The folder with submitted/ and gradebook.db.").tag(config=True)
    sandbox = Bool(True, help="False runs students' code with your rights: only for code you trust.").tag(
        config=True
    )

    def preprocess(self, nb, resources):
        if self.config.Execute.get("enabled") is False:
            self.log.warning(
                "--no-execute has no effect here: stored outputs are the student's own text, so every "
                "score comes from running the notebook."
            )
        spec = _spec(self.lessons, resources)
        workspace = Workspace(Path(self.workspace))
        student = resources["nbgrader"]["student"]
        note = nb.metadata.get("unrolled", {})
        graded = grade_rescued(
            nb,
            spec,
            student=student,
            secret=workspace.secret(),
            limits=limits_of(self.config),
            sandbox=self.sandbox,
            remarks=list(note.get("remarks", ())),
            unreadable=note.get("unreadable"),
        )
        if graded.status == Status.INFRASTRUCTURE_FAULT:
            raise RuntimeError(f"{student} could not be graded: {' '.join(graded.remarks)}")
        resources["changed"] = changed_answers(read_result(workspace, spec, student), graded, spec)
        write_result(workspace, spec, student, graded, hashes={})
        return graded.notebook, resources


class SaveGrades(SaveAutoGrades):
    """nbgrader's step, but a grade given by hand waits for a person again only if its answer has changed.

    ``resources["changed"]``: the grade_ids of answers that changed since they were last graded. A test whose
    check failed waits for a person too.
    """

    def preprocess(self, nb, resources):
        self._failed = nb.metadata.get("unrolled", {}).get("graded", {}).get("failed", [])
        return super().preprocess(nb, resources)

    def _add_score(self, cell, resources):
        name = cell.metadata.nbgrader.grade_id
        grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
        done = grade.manual_score is not None and not grade.needs_manual_grade
        super()._add_score(cell, resources)
        if done and name not in resources.get("changed", (name,)):
            grade.needs_manual_grade = False
            self.gradebook.db.commit()
        elif name in self._failed:
            grade.needs_manual_grade = True
            self.gradebook.db.commit()


def _spec(lessons, resources):
    names = resources["nbgrader"]
    return read_spec(Path(lessons, names["assignment"], f"{names['notebook']}.ipynb"))
