"""Checking an answer: from a student's function to a verdict in words and points.

In come a function and an exercise (``rnncore.exercises``); out goes a ``Verdict``. ``checking`` is the way
through: ``marking`` runs the function on fresh cases and compares, part by part (``compare`` finds the words
for numbers, ``faults`` those for exceptions), ``follow_through`` forgives what an earlier function spoiled,
``diagnosis`` names the mistakes, with ``packing`` and ``repair`` (by ``edits``) for those that nobody listed
and ``undo`` for those that only raise an error, ``beneath`` for what an error hides, listed or not, ``rows``
for what is right for one row alone,
``credit`` and ``shares`` make points of it, ``verdict`` shows it all. ``matrix`` checks every known mistake.
Nothing here knows notebooks, kernels or grading, nor what any one exercise is about.
"""

from rnncore.check.checking import check, mark

__all__ = ["check", "mark"]
