"""A short time for what never ends, and a long one for all else, in one run.

Stopping what never ends takes its whole limit, so that should be short; but a limit that is short for
everything is one that honest work comes to, too, on a busy machine. Workers import this, and little more.
"""

from functools import partial
from unittest import mock

from autograder.judging import notebook
from autograder.judging.submission import grade_task
from autograder.sandbox.kernels import StudentKernel

SECONDS = 2.0


class HurriedKernel(StudentKernel):
    """A student's kernel in which one cell, or the calls of one function, get only SECONDS.

    If that cell comes to its end, it is what is asked next that does not.
    """

    def __init__(self, endless, *words, **named):
        self.endless, self.next_too = endless, False
        super().__init__(*words, **named)

    def run(self, code, seconds, *most):
        it = code == self.endless
        ran = super().run(code, min(seconds, SECONDS) if it or self.next_too else seconds, *most)
        self.next_too = it and ran.stopped is None
        return ran

    def ask(self, seconds, **request):
        hurry, self.next_too = self.next_too or request.get("name") == self.endless, False
        return super().ask(min(seconds, SECONDS) if hurry else seconds, **request)


def grade_hurried(endless, task):
    """``grade_task``; ``endless``: by student, the cell's source or the function's name that never ends."""
    name = endless.get(task.submission.student)
    if name is None:
        return grade_task(task)
    with mock.patch.object(notebook, "StudentKernel", partial(HurriedKernel, name)):
        return grade_task(task)
