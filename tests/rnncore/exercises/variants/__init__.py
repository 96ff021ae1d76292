"""Correct answers that are written differently from the reference: all must keep full marks.

One module a lesson, named like the lesson's module in ``rnncore.exercises``. ``@answers("rnn_cell")``
files a function under the exercise that it answers.
"""

from collections import defaultdict

VARIANTS = defaultdict(list)


def answers(exercise):
    """File a correct variant under ``exercise``, whose name it takes on, since check goes by the name."""

    def file(function):
        function.variant, function.__name__ = function.__name__, exercise
        VARIANTS[exercise].append(function)
        return function

    return file
