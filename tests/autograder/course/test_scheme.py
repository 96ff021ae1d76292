"""The mark scheme as it is read from a solution, line by line."""

import nbformat
import pytest

from autograder.course.places import all_lessons
from autograder.course.scheme import Line, read_schemes
from autograder.course.spec import read_spec
from tools.repository import ROOT

SCHEME = """\
### BEGIN SOLUTION
Because of $x + x$.
### END SOLUTION
### BEGIN MARK SCHEME
- 1 point: that addition is enough.
* 0.5 points: an example,
  as in 1 + 1.
- 1,5 marks A proof.

Whoever says it in other words has the point.
### END MARK SCHEME"""


def test_a_scheme_has_lines_with_points_and_whatever_else_stands_there(untidy_course):
    (lesson,) = all_lessons(untidy_course)
    notebook = nbformat.read(lesson.solution_path, as_version=4)
    notebook.cells[-2].source = "Here is a figure.\n\n## Think\n\nWhy does this work?"
    notebook.cells[-1].source = SCHEME
    nbformat.write(notebook, lesson.solution_path)
    (scheme,) = read_schemes(lesson).values()
    assert scheme.lines == (
        Line(1, "that addition is enough."),
        Line(0.5, "an example, as in 1 + 1."),
        Line(1.5, "A proof."),
    )
    assert scheme.rest == "Whoever says it in other words has the point."
    assert scheme.answer == "Because of $x + x$."
    assert scheme.question == "## Think\n\nWhy does this work?"


def test_a_scheme_in_prose_has_no_lines(untidy_course):
    (scheme,) = read_schemes(all_lessons(untidy_course)[0]).values()
    assert scheme.answer == "Because a doubled number is the number added to itself."
    assert scheme.lines == () and scheme.rest.startswith("One mark for saying")


def test_without_a_solution_there_is_no_scheme(untidy_course):
    (lesson,) = all_lessons(untidy_course)
    lesson.solution_path.unlink()
    assert read_schemes(lesson) == {}


@pytest.mark.parametrize("lesson", all_lessons(ROOT), ids=lambda lesson: lesson.name)
def test_in_our_lessons_the_lines_add_up_to_the_points(lesson):
    written = [cell for cell in read_spec(lesson.lesson_path).cells if cell.kind == "written"]
    schemes = read_schemes(lesson)
    assert written and {cell.grade_id for cell in written} == set(schemes)
    for cell in written:
        scheme = schemes[cell.grade_id]
        assert sum(line.points for line in scheme.lines) == cell.points
        assert scheme.question.startswith("## ") and scheme.answer and not scheme.rest
