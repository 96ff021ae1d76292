"""A lesson's sandbox shows of rnncore what the lesson's cells import, and nothing of it is an answer."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course.places import all_lessons, find_course
from autograder.course.shown import hidden_modules
from autograder.course.spec import read_spec
from autograder.sandbox.view import _rnncore
from tests.autograder.small_lesson import grade, lesson, points, submission

COURSE = find_course(Path(__file__).parent)
LESSONS = {lesson.name: lesson for lesson in all_lessons(COURSE) if lesson.lesson_path.is_file()}


def shown(hides):
    """The modules of rnncore that are in a sandbox."""
    files = [inside[len("/site/") : -3] for inside in _rnncore(hides) if inside.endswith(".py")]
    return [name.replace("/", ".").removesuffix(".__init__") for name in files]


def answers_in(name, modules, tmp_path):
    """{exercise: [[function, part of the right answer]]} that these modules compute."""
    words = [sys.executable, "-m", "tests.autograder.course.within_reach", name, *modules]
    environment = {**os.environ, "PYTHONPATH": str(COURSE)}
    ended = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert set(said["modules"]) == set(modules)
    return said["found"]


@pytest.mark.parametrize("name", LESSONS)
def test_nothing_that_is_shown_computes_an_answer(name, tmp_path):
    """Every function that students' code reaches is run on the inputs of every exercise of the lesson."""
    found = answers_in(name, shown(read_spec(LESSONS[name].lesson_path).hides), tmp_path)
    assert found == {exercise: [] for exercise in found}
    assert len(found) >= 3


@pytest.mark.parametrize(
    ("name", "module", "exercise", "function"),
    [
        ("05-lstm", "rnncore.topics.pytorch", "lstm_cell", "HandLSTM(...).forward"),
        ("08-shapes", "rnncore.topics.translation", "last_outputs", "encode"),
        ("02-rnn-cell", "rnncore.cells.rnn", "rnn_forward", "rnn_forward"),
        ("04-gradients", "rnncore.topics.gradients", "orthogonal", "orthogonal"),
        ("11-speech", "rnncore.topics.ctc", "ctc_greedy", "ctc_greedy"),
        ("10-translation", "rnncore.topics.attention", "attention", "attention"),
    ],
)
def test_what_computes_an_answer_is_found(name, module, exercise, function, tmp_path):
    """By running it, whatever it is called: an LSTM by an imagined torch, a last output by a translator."""
    needs = ["rnncore.cells", "rnncore.cells.rnn"] if module == "rnncore.topics.gradients" else []
    modules = ["rnncore", module.rpartition(".")[0], *needs, module]
    found = answers_in(name, modules, tmp_path)[exercise]
    assert f"{module}.{function}" in {one for one, _ in found}


def test_a_lesson_shows_what_its_cells_import_and_what_that_imports():
    cells = [
        "from rnncore import plots\nfrom rnncore.check import check",
        "%matplotlib inline\nfrom rnncore.train import train",
        "def f():\n    from rnncore.topics.ctc import ctc_greedy",
        "this is no Python: import rnncore.losses",
    ]
    seen = set(shown(hidden_modules(cells, ("rnncore.cells",))))
    assert {"rnncore", "rnncore.plots.style", "rnncore.check.checking", "rnncore.observe"} <= seen
    assert {"rnncore.train", "rnncore.optim", "rnncore.checkpoint", "rnncore.topics.ctc"} <= seen
    hidden = {"rnncore.losses", "rnncore.topics.speech", "rnncore.interop", "rnncore.gradcheck"}
    assert not hidden & seen
    assert not [name for name in seen if name.startswith(("rnncore.cells", "rnncore.exercises"))]


def test_what_metadata_hide_stays_hidden_though_a_cell_imports_it():
    hides = hidden_modules(["from rnncore.layers import LSTM", "import torch"], ("rnncore.layers", "torch"))
    assert hides[:2] == ("rnncore.layers", "torch")
    assert not [name for name in shown(hides) if name.startswith("rnncore.layers")]
    assert all(importlib.util.find_spec(name) for name in hides if name != "torch")


def test_what_a_lesson_does_not_use_is_an_import_error_that_says_why():
    """And a remark; what the notebook does without it is graded."""
    spec = lesson()
    hides = hidden_modules([cell.source for cell in spec.cells], spec.hides)
    first = "from rnncore import interop\n"
    graded = grade(submission(first=first, last="import rnncore.topics.ctc"), spec=lesson(hides=hides))
    outputs = [output for cell in graded.notebook.cells for output in cell.get("outputs", ())]
    said = [output.evalue for output in outputs if "evalue" in output]
    assert [text.split(" while this lesson is graded")[0] for text in said] == [
        "No module named 'rnncore.interop'",
        "No module named 'rnncore.topics'",
    ]
    assert "only what the lesson's own cells import" in said[0]
    noted = [remark.split(" imports ")[1].split(",")[0] for remark in graded.remarks if " imports " in remark]
    assert noted == ["rnncore.interop", "rnncore.topics"]
    assert sum(points(graded).values()) == 12
