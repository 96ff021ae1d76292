"""Where every lesson stands: released, handed in, graded, waiting, late, told; asking changes nothing."""

from dataclasses import dataclass, field

from autograder.course.places import all_lessons
from autograder.course.spec import SpecError, read_spec
from autograder.gradebook.configuration import instructors_config, limits_of
from autograder.gradebook.database import in_short
from autograder.gradebook.due import due, handed_in, is_told
from autograder.gradebook.results import read_results
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
        if not is_told(workspace, spec, student):
            found.untold.append(student)
    return found
