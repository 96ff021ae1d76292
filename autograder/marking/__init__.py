"""Written answers, marked by a person: one question for the whole class, on a page of this machine's own.

In come answers and the mark scheme; out go points and comments, through ``gradebook.by_hand`` into nbgrader's
gradebook. ``page`` is what is seen, ``server`` hands it to one browser and takes marks from it. Checks, extra
credit and everything else stay in nbgrader's formgrader.
"""
