"""Wrong answers that nobody has named: counted, shown, and begun as an entry for the list of mistakes."""

import ast
import copy

import nbformat
import pytest
from typer.testing import CliRunner

from autograder.cli import commands
from autograder.course.places import Workspace, all_lessons, find_course
from autograder.course.spec import read_spec
from autograder.gradebook.results import graded_path
from autograder.reporting.nameless import groups, skeleton
from autograder.reporting.report import page
from rnncore.exercises import by_name
from rnncore.exercises.exercise import Mistake
from tests.autograder.reporting.copying import commented
from tests.autograder.reporting.test_report import result

ANSWER = "def double(x):\n    return x - 1  # <b>odd</b>\x1b[31m"


@pytest.fixture
def room(spec, tmp_path):
    """A workspace in which five students' answers were graded."""
    workspace = Workspace(tmp_path / "room")
    for student, more in (("Ann", "\n# longer"), ("Bob", ""), ("Cem", ""), ("Dan", ""), ("Eve", "")):
        path = graded_path(workspace, spec, student)
        path.parent.mkdir(parents=True)
        cell = {"cell_type": "code", "id": "double", "metadata": {}, "source": ANSWER + more}
        cell |= {"outputs": [], "execution_count": None}
        nbformat.write(
            nbformat.from_dict({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), path
        )
    return workspace


@pytest.fixture
def results():
    """Ann, Bob and Eve gave the same, Cem something else, and Dan's mistake has a name."""
    found = {}
    for student, signature in (("Ann", "aa"), ("Bob", "aa"), ("Cem", "cc"), ("Dan", "aa"), ("Eve", "aa")):
        found[student] = result(student, (0, 2), mistakes=["halved"] if student == "Dan" else [])
        found[student]["exercises"]["double-check"]["signature"] = signature
        found[student]["exercises"]["triple-check"]["signature"] = ""
    return found


def test_who_gave_the_same_is_one_group(room, spec, results):
    first, second = groups(results, room, spec)
    assert (first.exercise, first.students, second.students) == ("double", ("Ann", "Bob", "Eve"), ("Cem",))
    assert first.text == "def double(x):\n    return x - 1  # <b>odd</b>"


def test_the_report_shows_it_with_an_answer(room, spec, results):
    written = page(room, spec, results, {})
    assert (
        "No name yet" in written
        and '<td class="number">3</td><td><code>double</code>, no name yet' in written
    )
    assert "return x - 1  # &lt;b&gt;odd&lt;/b&gt;" in written and "\x1b" not in written
    alone = copy.deepcopy({name: results[name] for name in ("Ann", "Cem", "Dan")})
    assert "No name yet" not in page(room, spec, alone, {})
    for one in results.values():  # as an earlier edition wrote them
        for score in one["exercises"].values():
            del score["signature"]
    assert "No name yet" not in page(room, spec, results, {})


def entry(text):
    """The skeleton as Python reads it: the Mistake."""
    (call,) = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    words = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    return Mistake(ast.literal_eval(call.args[0]), **words)


def same(one, other):
    return ast.unparse(ast.parse(one)) == ast.unparse(ast.parse(other))


@pytest.mark.parametrize("disguise", [str, commented])
def test_a_skeleton_is_the_edit_that_makes_the_answer(disguise):
    """For known mistakes, of which the edit is known; where a text differs in one place."""
    whole = tried = 0
    for exercise in by_name().values():
        for mistake in exercise.mistakes[::3]:
            twin = exercise.twin_source(mistake)
            found = entry(skeleton(exercise.name, exercise.source, disguise(twin)))
            assert exercise.source.count(found.old) == 1, (exercise.name, mistake.id)
            tried += 1
            whole += same(exercise.source.replace(found.old, found.new), twin)
    assert tried > 300 and whole > 0.8 * tried  # others differ in several places


def test_arguments_of_other_names_are_no_difference():
    reference = by_name()["rnn_cell"].source
    answer = reference.replace("(p, x, h)", "(params, inputs, state)")
    for old, new in (("p[", "params["), ("x @", "inputs @"), ("h @", "state @")):
        answer = answer.replace(old, new)
    assert "inputs" in answer
    wrong = answer.replace("inputs @", "2 * inputs @")
    assert "2 * x @" in entry(skeleton("rnn_cell", reference, wrong)).new


@pytest.mark.parametrize("answer", ["", "def rnn_cell(", "def other():\n    pass", "x = 1", "'\\x00"])
def test_any_text_gives_some_skeleton(answer):
    source = by_name()["rnn_cell"].source
    assert source.count(entry(skeleton("rnn_cell", source, answer)).old) == 1


# The command


@pytest.fixture(scope="module")
def class_of_three(tmp_path_factory):
    """A workspace of the course in which three results of lesson 02 lie, as grading writes them."""
    import json

    from autograder.gradebook.configuration import prepare_workspace
    from autograder.gradebook.results import result_path

    course = find_course()
    spec = read_spec(all_lessons(course)[1].lesson_path)
    workspace = prepare_workspace(tmp_path_factory.mktemp("three") / "room", course)
    source = by_name()["rnn_cell"].source
    for student in ("Ann", "Bob", "Cem"):
        notebook = nbformat.read(all_lessons(course)[1].lesson_path, as_version=4)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "rnn_cell":
                cell.source = source.replace("np.tanh(", "np.tanh(3 + ")
        graded_path(workspace, spec, student).parent.mkdir(parents=True)
        nbformat.write(notebook, graded_path(workspace, spec, student))
        score = {
            "points": 0,
            "max_points": 5,
            "verdict": {"status": "wrong", "mistakes": []},
            "signature": "ab",
        }
        path = result_path(workspace, spec, student)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"exercises": {"rnn_cell-check": score}}))
    return workspace


@pytest.fixture
def unrolled(class_of_three):
    def call(*words):
        told = ["mistake", *words, "-w", class_of_three.root, "--course", find_course()]
        return CliRunner().invoke(commands.app, [str(word) for word in told])

    return call


def test_the_command_writes_what_most_gave(unrolled, tmp_path):
    told = unrolled("new", "rnn_cell")
    assert told.exit_code == 0 and "by 3 students" in told.output
    assert "np.tanh(3 + " in entry(told.output).new
    told = unrolled("new", "rnn_cell", "--student", "Bob", "--out", tmp_path / "entry.py")
    assert told.exit_code == 0, told.output
    assert "by 1 student." in (tmp_path / "entry.py").read_text()
    told = unrolled("new", "rnn_cell", "--out", tmp_path / "entry.py")
    assert told.exit_code == 1 and "is there already" in told.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("old", "rnn_cell"), "nothing called 'old' to do"),
        (("new", "rnn_sell"), "No lesson asks for 'rnn_sell'"),
        (("new", "rnn_forward"), "No wrong answer to rnn_forward without a name"),
        (("new", "rnn_cell", "--student", "Zoe"), "no graded answer of 'Zoe'"),
    ],
)
def test_wrong_uses_are_one_sentence(unrolled, words, says):
    told = unrolled(*words)
    assert told.exit_code == 1 and says in told.stderr and len(told.stderr.splitlines()) == 1
