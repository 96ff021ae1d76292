"""The one writer of a lesson's results: the graded notebook, the gradebook's row, the result, in this order.

While it is entered, no other process writes to the workspace. The result is written last and vouches for the
other two, so a run that was stopped at any moment goes on where it was.
"""

import contextlib

import nbformat

from autograder.course.places import write_atomically
from autograder.gradebook import database
from autograder.gradebook.configuration import instructors_config
from autograder.gradebook.results import (
    as_data,
    changed_answers,
    graded_path,
    read_results,
    why_due,
    write_result,
)
from autograder.intake.contents.reading import Unreadable
from autograder.intake.submissions import read_regular
from autograder.judging.status import Status


class Writer:
    """Writes what grading finds for one lesson (``spec``) in a workspace; a context in which it may write.

    ``config``: the workspace's configuration with what the instructor set. ``results``: {student: result},
    those of earlier runs too.
    """

    def __init__(self, workspace, spec):
        self.workspace, self.spec = workspace, spec
        self.config = instructors_config(workspace)
        self.results, self._rows, self._open = {}, {}, contextlib.ExitStack()

    def __enter__(self):
        self._open.enter_context(database.sole_writer(self.workspace))
        try:
            database.register(self.workspace, self.spec)
            self._rows = database.standings(self.workspace, self.spec)
            self.results = read_results(self.workspace, self.spec)
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *error):
        self._open.close()

    def is_current(self, student, hashes):
        """Whether the student's work was graded as it is: same ``hashes``, and all three are still there."""
        old = self.results.get(student, {})
        return (
            not why_due(old, hashes)
            and student in self._rows
            and graded_path(self.workspace, self.spec, student).is_file()
        )

    def write(self, student, timestamp, graded, hashes):
        """Write one student's GradedNotebook; returns the result as JSON data."""
        old = self.results.get(student, {})
        changed = changed_answers(old, graded, self.spec, hashes.get("submission"))
        if graded.status == Status.INFRASTRUCTURE_FAULT:
            database.record(self.workspace, self.spec, student, None, timestamp)
        else:
            self._write_notebook(student, timestamp, graded.notebook)
            database.record(
                self.workspace, self.spec, student, graded.notebook, timestamp, self.config, changed
            )
        self.results[student] = write_result(self.workspace, self.spec, student, graded, hashes, old)
        return self.results[student]

    def give_up(self, student, fault):
        """Give a student whose result cannot be written a row that says so, as far as that can be written."""
        old = self.results.get(student, {})
        self.results[student] = as_data(self.spec, student, fault, hashes={}, old=old)
        with contextlib.suppress(Exception):
            database.record(self.workspace, self.spec, student)
        with contextlib.suppress(Exception):
            write_result(self.workspace, self.spec, student, fault, hashes={}, old=old)
        return self.results[student]

    def penalise_late(self, students):
        """Count again what lateness costs these students, whose work has not changed: the rule may have.

        Returns {student: the exception} of those for whom that failed.
        """
        return database.penalise_late(self.workspace, self.spec, set(students), self.config)

    def _write_notebook(self, student, timestamp, notebook):
        path = graded_path(self.workspace, self.spec, student)
        write_atomically(path, nbformat.writes(notebook))
        if timestamp:
            write_atomically(path.with_name("timestamp.txt"), f"{timestamp} UTC\n")
        with contextlib.suppress(Unreadable):  # by it nbgrader's exchange finds whose the feedback is
            secret = self.workspace.submitted / student / self.spec.assignment / "submission_secret.txt"
            write_atomically(path.with_name(secret.name), read_regular(secret)[:1000])
