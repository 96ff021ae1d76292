"""Of every released lesson: solved it earns all, untouched nothing, and no answer is in sight."""

import ast
import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

from autograder.course.places import all_lessons, find_course
from autograder.course.spec import read_spec
from autograder.intake.submissions import Submission
from autograder.judging.submission import Task, grade_task
from autograder.sandbox.box import Limits, Sandbox
from autograder.sandbox.view import NEVER, _rnncore

COURSE = find_course(Path(__file__).parent)
LESSONS = {lesson.name: lesson for lesson in all_lessons(COURSE) if lesson.lesson_path.is_file()}
UNHURRIED = Limits(cell_seconds=600, call_seconds=600, notebook_seconds=3600)  # no time is meant to run out
MARKED = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)


@pytest.mark.parametrize("name", LESSONS)
@pytest.mark.parametrize("side", ["solved", "untouched"])
def test_a_lesson_earns_all_solved_and_nothing_untouched(name, side):
    lesson, spec = LESSONS[name], read_spec(LESSONS[name].lesson_path)
    Sandbox(spec.hides, spec.needs)
    raw = (lesson.solution_path if side == "solved" else lesson.lesson_path).read_bytes()
    graded = grade_task(Task(Submission("ada", raw), spec, UNHURRIED, b"secret" * 6, True, warm=False))
    points = {cell.grade_id: cell.points for cell in spec.cells if cell.kind == "test"}
    assert points
    if side == "untouched":
        points = dict.fromkeys(points, 0.0)
    assert {test: score.points for test, score in graded.scores.items()} == points, graded.remarks
    assert graded.status == ("graded" if side == "solved" else "not attempted")


def answers(lesson):
    """The functions that the lesson asks for, and the lines that only their answers have."""
    solved = nbformat.read(lesson.solution_path, as_version=4)
    released = "\n".join(cell.source for cell in nbformat.read(lesson.lesson_path, as_version=4).cells)
    given = {"".join(line.split()) for line in released.splitlines()}
    names, lines = set(), set()
    for cell in solved.cells:
        if cell.metadata.get("nbgrader", {}).get("solution") and cell.cell_type == "code":
            names |= {node.name for node in ast.parse(cell.source).body if hasattr(node, "name")}
            for answer in MARKED.findall(cell.source):
                lines |= {"".join(line.split("#")[0].split()) for line in answer.splitlines()}
    return names, {line for line in lines - given if len(line) >= 30}


@pytest.mark.parametrize("name", LESSONS)
def test_no_answer_is_in_sight(name):
    """What the sandbox shows of rnncore defines no exercise, and has no two lines that only answers have."""
    lesson, spec = LESSONS[name], read_spec(LESSONS[name].lesson_path)
    names, lines = answers(lesson)
    assert names
    shown = {inside: path for inside, path in _rnncore(spec.hides).items() if path.suffix == ".py"}
    assert "/site/rnncore/check/__init__.py" in shown
    for inside, path in shown.items():
        text = path.read_text()
        defined = {node.name for node in ast.parse(text).body if hasattr(node, "name")}
        other = inside.startswith(("/site/rnncore/plots/", "/site/rnncore/data/"))  # these only share names
        assert other or not defined & names, inside
        squeezed = {"".join(line.split("#")[0].split()) for line in text.splitlines()}
        assert len(squeezed & lines) < 2, inside


@pytest.mark.parametrize("name", LESSONS)
def test_what_a_lesson_hides_is_there_to_be_hidden(name):
    """A name that no module has any more would hide nothing, without a word."""
    hides = read_spec(LESSONS[name].lesson_path).hides
    assert hides
    assert [module for module in (*hides, *NEVER) if importlib.util.find_spec(module) is None] == []
