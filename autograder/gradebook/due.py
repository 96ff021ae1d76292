"""Who handed in, who is to be graded and why, and who has a feedback page: found out without a gradebook."""

from autograder.course.places import CourseError
from autograder.gradebook.results import (
    feedback_path,
    graded_path,
    hashes_of,
    read_results,
    result_path,
    why_due,
)
from autograder.intake.submissions import read_submission, students_folders


def handed_in(workspace, lesson):
    """The names of those who handed in."""
    try:
        return [folder.name for folder in students_folders(workspace.submitted, lesson)]
    except CourseError:
        return []


def due(workspace, lesson, spec, limits, *, sandbox=True, only=None, force=False):
    """{student: why} of those whom `unrolled grade` would grade now."""
    results, found = read_results(workspace, spec), {}
    for student in handed_in(workspace, lesson):
        if only and student not in only:
            continue
        submission = read_submission(workspace.submitted / student, lesson)
        why = why_due(results.get(student, {}), hashes_of(submission, spec, limits, sandbox))
        if not why and not graded_path(workspace, spec, student).is_file():
            why = "its graded notebook is gone"
        if why or force:
            found[student] = why or "--force"
    return found


def is_told(workspace, spec, student):
    """Whether there is a feedback page that is no older than the result."""
    try:
        page = feedback_path(workspace, spec, student).stat().st_mtime
        return page >= result_path(workspace, spec, student).stat().st_mtime
    except OSError:
        return False
