"""A sample class for lesson 03, so that a newcomer sees every kind of submission once.

Each student's notebook is the released lesson filled in with the reference's own text, with a known
mistake made in it, or with something worse. The names are invented.
"""

import copy
import json

import nbformat

from autograder.course.places import write_atomically
from rnncore.exercises import of_lesson

LESSON = "03-bptt"
WRITTEN = (
    "A parameter is used at every time step, so its effect on the loss is the sum of its effects at each "
    "step; backpropagation through time adds the steps' gradients up."
)

# One exercise replaced by something that breaks or attacks the grader; run only in the sandbox.
ENDLESS = "def truncated_backward(p, dy, caches, k):\n    while True:\n        pass\n"
EXIT = "import os\n\n\ndef rnn_backward(p, dy, caches):\n    os._exit(0)\n"
HOG = (
    "def truncated_backward(p, dy, caches, k):\n"
    "    kept = []\n"
    "    while True:\n"
    "        kept.append(b'x' * 50_000_000)\n"
)
FLOOD = (
    "import time\n\n\n"
    "def numerical_gradient(f, x):\n"
    "    return x\n\n\n"
    "while True:\n"
    "    print('nearly there ' * 1000)\n"
    "    time.sleep(0.001)\n"
)
REACH = (
    "def rnn_cell_backward(p, dh, cache):\n"
    "    from rnncore.cells.rnn import rnn_cell_backward as answer\n"
    "    return answer(p, dh, cache)\n"
)
FORGED = '''\
import builtins

import numpy as np
import rnncore.check


class Full:
    """Equal to everything, and worth five points."""

    def __eq__(self, other):
        return True

    def __array__(self, *args, **kwargs):
        return np.zeros(1)

    def __repr__(self):
        return "5"


np.allclose = np.array_equal = lambda *args, **kwargs: True
np.testing.assert_allclose = lambda *args, **kwargs: None
rnncore.check.check = builtins.check = check = lambda *args, **kwargs: 5.0


def {name}(*args):
    print(5.0)
    return Full()
'''


def students():
    """{name: what they hand in, as bytes}, in alphabetical order; needs the released lesson's text."""
    return {name: make for name, make in sorted(_class().items())}


def write_class(lesson, workspace):
    """Write the sample class into the workspace's submitted/; returns the students' names."""
    released = nbformat.read(lesson.lesson_path, as_version=4)
    for name, make in students().items():
        folder = workspace.submitted / name / lesson.name
        write_atomically(folder / f"{lesson.notebook}.ipynb", make(released))
    return list(students())


def _class():
    exercises = {exercise.name: exercise for exercise in of_lesson(LESSON)}
    loss, measured, cell, through_time, truncated = exercises

    def right(*names):
        return {name: exercises[name].source for name in names or exercises}

    def wrong(**mistakes):
        answers = right()
        for name, ids in mistakes.items():
            exercise = exercises[name]
            made = [mistake for mistake in exercise.mistakes if mistake.id in ids.split()]
            answers[name] = exercise.twin_source(*made)
        return filled(answers)

    def instead(name, source):
        return filled({**right(), name: source})

    forged = {name: FORGED.format(name=name) for name in exercises}
    return {
        "Amelia Okafor": filled(right()),
        "Bruno Ferreira": filled(right(), change=untidy),
        "Chen Wei": filled(right(loss, measured)),
        "Dalia Haddad": wrong(rnn_backward="no-carry"),
        "Elif Yilmaz": wrong(rnn_cell_backward="not-squared"),
        "Farid Rahimi": wrong(softmax_cross_entropy="unstable"),
        "Grace Mwangi": wrong(numerical_gradient="one-sided"),
        "Hanna Lindqvist": wrong(rnn_cell_backward="bias-averaged new-state-in-weight-hh"),
        "Ivan Petrov": wrong(truncated_backward="never-truncated"),
        "Jasmine Patel": wrong(rnn_backward="overwrites-gradients", softmax_cross_entropy="averaged-twice"),
        "Kofi Mensah": filled({}, written=None),
        "Lena Fischer": lambda released: filled(right())(released)[:2000],
        "Mateo Garcia": instead(truncated, ENDLESS),
        "Nora Haugen": filled(forged, change=forge_test_cells),
        "Omar Siddiqui": instead(cell, REACH),
        "Priya Nair": instead(through_time, EXIT),
        "Quentin Dubois": filled(right(), change=delete_tests),
        "Rosa Jimenez": filled(right(), change=duplicate),
        "Sofia Rossi": instead(through_time, "def rnn_backward(p, dy):\n    return p, dy\n"),
        "Tomas Novak": instead(truncated, HOG),
        "Uma Krishnan": instead(measured, FLOOD),
    }


def filled(answers, *, written=WRITTEN, change=None):
    """What hands in the lesson with these answers: a function from the released lesson to bytes."""

    def make(released):
        notebook = copy.deepcopy(released)
        for cell in notebook.cells:
            marks = cell.metadata.get("nbgrader") or {}
            if cell.id in answers and marks.get("solution"):
                cell.source = answers[cell.id].rstrip("\n")
            elif written and marks.get("solution") and marks.get("grade"):
                cell.source = written
        if change:
            change(notebook)
        return json.dumps(notebook, indent=1).encode()

    return make


def untidy(notebook):
    """An honest mess: cells moved, a note and a trial added, a figure's cell deleted."""
    notebook.cells.append(notebook.cells.pop(1))
    notebook.cells.insert(3, nbformat.v4.new_code_cell("trial = [1, 2, 3]\ntrial"))
    notebook.cells.insert(5, nbformat.v4.new_markdown_cell("*My note:* read this again."))
    notebook.metadata["kernelspec"] = {"name": "my-env", "display_name": "my-env", "language": "python"}


def check_cells(notebook):
    return [cell for cell in notebook.cells if cell.source.startswith("check(") and cell.cell_type == "code"]


def forge_test_cells(notebook):
    for cell in check_cells(notebook):
        cell.source = "5.0"
        cell.metadata["tags"] = ["skip-execution"]
        cell.metadata["nbgrader"]["points"] = 100
        cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "100"})]


def delete_tests(notebook):
    gone = check_cells(notebook)[:2]
    notebook.cells = [cell for cell in notebook.cells if cell not in gone]


def duplicate(notebook):
    place = next(i for i, cell in enumerate(notebook.cells) if cell.id == "rnn_cell_backward")
    notebook.cells.insert(place + 1, copy.deepcopy(notebook.cells[place]))
    test = check_cells(notebook)[0]
    notebook.cells.insert(notebook.cells.index(test), copy.deepcopy(test))
