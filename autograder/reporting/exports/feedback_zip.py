"""Feedback pages as one zip that Moodle takes back, each under its student's number there.

In come the grades and the record of what was collected from Moodle; the pages are those that
`unrolled feedback` wrote. Moodle's import goes by the number and the two words behind it (Moodle,
mod/assign/feedback/file/importziplib.php); the name in front is for people.
"""

import io
import re
import zipfile

from autograder.course.places import CourseError
from autograder.gradebook.results import feedback_path
from autograder.reporting.grades import some

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same pages make the same file


def moodle_zip(workspace, spec, found, ledger):
    """(bytes of the zip, how many pages are in it, notes); ``found``: the grades."""
    numbers = {
        folder: (str(entry.get("student") or folder), str(entry.get("number") or ""))
        for folder, entry in ledger.items()
        if entry.get("platform") == "Moodle"
    }
    written, unnumbered, unwritten = io.BytesIO(), [], []
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for grade in found:
            name, number = numbers.get(grade.student, ("", ""))
            page = feedback_path(workspace, spec, grade.student)
            if not number.isdigit():
                unnumbered.append(grade.student)
            elif not page.is_file():
                unwritten.append(grade.student)
            else:
                place = f"{_readable(name)}_{number}_assignsubmission_file/{spec.assignment}-feedback.html"
                archive.writestr(zipfile.ZipInfo(place, LONG_AGO), page.read_bytes())
        count = len(archive.namelist())
    notes = []
    if unnumbered:
        who = some(unnumbered)
        notes.append(f"{len(unnumbered)} were not collected from Moodle, and have no number there: {who}.")
    if unwritten:
        hint = f"run `unrolled feedback {spec.assignment}` first"
        notes.append(f"{len(unwritten)} have no feedback page yet; {hint}: {some(unwritten)}.")
    if not count:
        raise CourseError(f"There is no page to put into the zip. {' '.join(notes)}")
    return written.getvalue(), count, notes


def _readable(name):
    """A name without what Moodle splits at, or what a path would."""
    return re.sub(r"[^\w.@,' +-]|_", " ", name).strip() or "student"
