"""nbgrader's gradebook, and what lies beside it: one writer, one result a student, feedback pages.

In come graded notebooks; out go rows, results as JSON, and feedback. ``configuration`` tells nbgrader about
us, ``plugin`` is how its own commands grade with our grader, ``database`` reads and writes through its own
steps, ``writer`` keeps notebook, row and result together. How notebooks reach workers is not known here.
"""
