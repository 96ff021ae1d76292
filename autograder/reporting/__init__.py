"""What there is to tell of a class: a page for the instructor, and grades for other programs.

In come results and the gradebook's numbers; out go a table, a page that opens from disk, and files that
spreadsheets, Canvas, Moodle and Gradescope take. ``grades`` is what every export starts from. Nothing is
graded or changed here, and nothing is known of workers or sandboxes.
"""
