"""Everything that grades: from a student's file to a grade, a feedback page and a report.

Eight rooms, and imports run one way, from the first to the last: ``cli`` (the commands); ``reporting`` and
``classroom`` (a class, and what there is to tell of it); ``gradebook`` (nbgrader's); ``judging`` (one
submission); ``sandbox`` and ``intake`` (where students' code runs, and how their files are read);
``course`` (what was set). Each room's first lines say what comes in, what goes out and what it must not know.
"""
