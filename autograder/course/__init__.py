"""What a course is: where its lessons lie, what each asks for, and how it is made from its solution.

In come the folders ``solutions/`` and ``lessons/``; out go ``Lesson``, ``Workspace`` and ``LessonSpec``
values, which say what its students may see (``shown``), released notebooks and the lists of lessons. Nothing
here knows submissions, sandboxes or gradebooks.
"""
