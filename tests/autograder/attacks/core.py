"""What an attack is, and how one is made from the released lesson: the bank's own words.

Attacks edit the sample class's lesson (``autograder.classroom.demo``), from which the cells that only show
something are left out, so that a class of a hundred is graded in a minute or two. Each says which exercises
it must lose; all others must keep their full marks.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.classroom import demo
from autograder.classroom.runner import run
from autograder.course.places import find_course, find_lesson
from autograder.course.release import release
from autograder.course.spec import read_spec
from autograder.gradebook.configuration import prepare_workspace
from autograder.sandbox.box import MIB, Limits, Sandbox
from rnncore.exercises import of_lesson
from tests.autograder import attacks
from tests.autograder.attacks.hurry import grade_hurried

COURSE = find_course(Path(__file__).parent)
EXERCISES = {exercise.name: exercise for exercise in of_lesson(demo.LESSON)}
LOSS, MEASURED, CELL, THROUGH_TIME, TRUNCATED = ALL = tuple(EXERCISES)
SOLVED = {name: exercise.source for name, exercise in EXERCISES.items()}
WRONG = {name: f"def {name}(*args):\n    return 0.0\n" for name in ALL}
UNTOUCHED = {name: f"def {name}(*args):\n    raise NotImplementedError\n" for name in ALL}

# Sizes are small, so that who wants too much is stopped soon. Times are what nobody needs, on a busy machine
# either: what never ends says so (``Attack.endless``), and is stopped sooner.
LIMITS = Limits(
    cell_seconds=120.0,
    call_seconds=120.0,
    notebook_seconds=900.0,
    memory=512 * MIB,
    output_bytes=MIB,
    disk=16 * MIB,
)

# What nobody may read stands on the host with these words before a random number.
CANARY = "UNROLLED-CANARY-"
# What nobody's browser may run has this word in it.
MARK = "pwned"


@dataclass(frozen=True)
class Attack:
    """One submission: what it tries in a sentence, how it is made, and how it must end.

    ``put(folder, released)`` writes the files; ``loses`` names the exercises that earn nothing, and every
    other one earns its full marks. ``says``: words that a remark to the instructor must hold. ``endless``:
    what never ends, by the whole source of a cell or the name of a function (``hurry``).
    """

    id: str
    tries: str
    put: Callable
    loses: tuple = ()
    status: str = "graded"
    says: str = ""
    endless: str = ""
    family: str = ""

    def points(self, spec):
        """The points that each test cell must come to."""
        full = {cell.grade_id: cell.points for cell in spec.cells if cell.kind == "test"}
        return {name: 0.0 if name.removesuffix("-check") in self.loses else full[name] for name in full}


def hand_in(answers=None, *, first="", last="", change=None, name="bptt.ipynb"):
    """A solved lesson with other ``answers``, cells added after the first and at the end, and ``change``."""

    def edit(notebook):
        place = next(i for i, cell in enumerate(notebook.cells) if cell.id == "setup")
        if first:
            notebook.cells.insert(place + 1, new_code_cell(first, id="first"))
        if last:
            notebook.cells.append(new_code_cell(last, id="last"))
        if change:
            change(notebook)

    make = demo.filled({**SOLVED, **(answers or {})}, change=edit)
    return lambda folder, released: (folder / name).write_bytes(make(released))


def hand_in_text(edit):
    """A solved lesson's file as bytes, edited by ``edit(bytes) -> bytes``."""

    def put(folder, released):
        (folder / "bptt.ipynb").write_bytes(edit(demo.filled(SOLVED)(released)))

    return put


def hand_in_json(edit):
    """A solved lesson's file as JSON data, changed by ``edit(data)`` or replaced by its value."""

    def change(raw):
        data = json.loads(raw)
        return json.dumps(edit(data) or data).encode()

    return hand_in_text(change)


def all_wrong(preparation="", *, last="", change=None):
    """Every answer is wrong, and what stands around it pretends that it is right."""
    return hand_in(WRONG, first=preparation, last=last, change=change)


def add_markdown(*texts):
    """An edit that puts pieces of text between the cells."""

    def change(notebook):
        for number, text in enumerate(texts):
            notebook.cells.insert(2 + number, new_markdown_cell(text, id=f"text-{number}"))

    return change


def write_course(folder):
    """A course of one lesson, the sample class's without what only shows; returns (course, lesson)."""
    whole = find_lesson(COURSE, demo.LESSON)
    notebook = nbformat.read(whole.solution_path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "experiment" not in cell.metadata.get("tags", ())]
    path = folder / "solutions" / whole.name / f"{whole.notebook}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    release(folder)
    return folder, find_lesson(folder, whole.name)


def grade_class(folder, putters, *, warm=True, workers=3, secret=None):
    """Hand in and grade a class, {student: put}, in one run; returns (workspace, lesson, spec, results).

    The course lies in ``folder``, or is made there.
    """
    course = folder / "course"
    lesson = find_lesson(course, demo.LESSON) if course.exists() else write_course(course)[1]
    workspace = prepare_workspace(folder / "classroom", course)
    if secret:
        (workspace.root / "course-secret").write_bytes(secret)
    released = nbformat.read(lesson.lesson_path, as_version=4)
    for student, put in putters.items():
        place = workspace.submitted / student / lesson.name
        place.mkdir(parents=True)
        put(place, released)
    spec = read_spec(lesson.lesson_path)
    Sandbox(spec.hides, spec.needs, LIMITS)
    endless = {attack.id: attack.endless for attack in attacks.bank().values() if attack.endless}
    grade = partial(grade_hurried, endless)
    results, skipped = run(workspace, lesson, spec, limits=LIMITS, workers=workers, warm=warm, grade=grade)
    assert not skipped
    return workspace, lesson, spec, results
