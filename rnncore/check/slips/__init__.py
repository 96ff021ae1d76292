"""Slips that nobody listed, and what an error hides: found in a student's own text, or from the right one's.

In comes a ``Marking`` of a wrong answer, and for some the name that it has already; out goes a ``Slip`` with
its sentence, or None. Which of them is told, and what it costs, is for ``diagnosis`` and ``credit`` to say.
"""
