"""Where every lesson stands: released, handed in, graded, waiting, late, told; asking changes nothing."""

from dataclasses import dataclass, field

from autograder.course.places import CourseError, all_lessons
from autograder.course.spec import SpecError, read_spec
from autograder.gradebook.configuration import instructors_config, limits_of
from autograder.gradebook.database import in_short
from autograder.gradebook.results import (
    feedback_path,
    graded_path,
    hashes_of,
    read_results,
    result_path,
    why_due,
)
from autograder.intake.submissions import read_submission, students_folders
from autograder.judging.status import Status


@dataclass
class Standing:
    """One lesson: the students in each state, by name; ``due`` says why each is to be graded."""

    lesson: object
    released: bool = False
    handed_in: list = field(default_factory=list)
    graded: list = field(default_factory=list)
    due: dict = field(default_factory=dict)
    waiting: list = field(default_factory=list)
    late: list = field(default_factory=list)
    untold: list = field(default_factory=list)  # graded, and no feedback page, or one from before the grading

    @property
    def told(self):
        return [student for student in self.graded if student not in self.untold]


def overview(workspace, course):
    """The Standing of every lesson of the course."""
    limits = limits_of(instructors_config(workspace))
    known = in_short(workspace)
    return [standing(workspace, lesson, limits, known.get(lesson.name, {})) for lesson in all_lessons(course)]


def standing(workspace, lesson, limits, known):
    """The Standing of one lesson; ``known``: what the gradebook says of its students (``in_short``)."""
    found = Standing(lesson)
    try:
        spec = read_spec(lesson.lesson_path)
    except SpecError:
        return found
    found.released = True
    found.due = due(workspace, lesson, spec, limits)
    found.handed_in = handed_in(workspace, lesson)
    results = read_results(workspace, spec)
    for student, result in results.items():
        if student not in known or result.get("status") == Status.INFRASTRUCTURE_FAULT:
            continue
        waits, late = known[student]
        found.graded.append(student)
        found.waiting += [student] * waits
        found.late += [student] * late
        if not _is_told(workspace, spec, student):
            found.untold.append(student)
    return found


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


def _is_told(workspace, spec, student):
    """Whether there is a feedback page that is no older than the result."""
    try:
        page = feedback_path(workspace, spec, student).stat().st_mtime
        return page >= result_path(workspace, spec, student).stat().st_mtime
    except OSError:
        return False
