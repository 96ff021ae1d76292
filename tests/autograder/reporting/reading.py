"""What tests of exports share: a name that a spreadsheet would run, and how a file is read back."""

import csv

from autograder.gradebook.database import open_gradebook
from autograder.reporting.grades import Grade

HOSTILE = "=cmd|'/c calc'!A1"


def fine(room, student, penalty):
    with open_gradebook(room) as book:
        book.find_submission_notebook("double", "01-double", student).late_submission_penalty = penalty
        book.db.commit()


def read(path, **options):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, **options))


def grade_of(student, **more):
    return Grade(student, 1, 7, **more)
