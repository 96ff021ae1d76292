"""A check that is played again gives what it gave, on the recorded inputs and within the recorded limits."""

import json
from concurrent.futures import Executor, Future
from pathlib import Path

import nbformat
import numpy as np
import pytest
from typer.testing import CliRunner

from autograder.classroom.runner import run
from autograder.cli import commands
from autograder.course.places import Lesson
from autograder.course.spec import read_spec
from autograder.gradebook.configuration import prepare_workspace
from autograder.sandbox.box import Limits
from rnncore.exercises import by_name

ROOT = Path(__file__).parents[3]
LESSON = Lesson("03-bptt", ROOT)
EXERCISE = "rnn_cell_backward"


class Here(Executor):
    """Runs a task in this very thread."""

    def __init__(self, workers):
        pass

    def submit(self, function, /, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


def hand_in(workspace, student, raw):
    path = workspace.submitted / student / LESSON.name / f"{LESSON.notebook}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)


def wrong_notebook():
    """Ann's work: everything right, but the derivative of tanh in one exercise; and she prints a little."""
    exercise = by_name()[EXERCISE]
    (mistake,) = [one for one in exercise.mistakes if one.id == "not-squared"]
    answers = {name: one.source for name, one in by_name().items()}
    answers[EXERCISE] = exercise.twin_source(mistake) + "\n    # \x1b[2J and the screen is clear"
    notebook = nbformat.read(LESSON.lesson_path, as_version=4)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if cell.cell_type == "code" and name in answers:
            cell.source = answers[name]
    notebook.cells.append(nbformat.v4.new_code_cell('print("x" * 200_000)'))
    return nbformat.writes(notebook).encode()


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A workspace in which Ann, and Bob who handed in no notebook, were graded in the sandbox."""
    workspace = prepare_workspace(tmp_path_factory.mktemp("explain"), ROOT)
    hand_in(workspace, "Ann", wrong_notebook())
    hand_in(workspace, "Bob", b"this is no notebook")
    limits = Limits(cell_seconds=300, call_seconds=300, notebook_seconds=1200)  # no time is meant to run out
    run(workspace, LESSON, read_spec(LESSON.lesson_path), limits=limits, executor=Here)
    return workspace


@pytest.fixture
def record(graded):
    """Ann's result; what a test writes into it is undone."""
    path = graded.results / LESSON.name / "Ann.json"
    before = path.read_text()
    yield path
    path.write_text(before)


def explain(workspace, student, exercise):
    words = ["grade", LESSON.name, "--course", ROOT, "-w", workspace.root, "--explain", student, exercise]
    return CliRunner().invoke(commands.app, [str(word) for word in words])


def test_the_same_verdict_with_all_there_is_to_it(graded, record):
    before = {path: path.read_bytes() for path in graded.root.rglob("*") if path.is_file()}
    result = explain(graded, "Ann", EXERCISE)
    assert result.exit_code == 0, result.stderr
    text, score = result.stdout, json.loads(record.read_text())["exercises"][f"{EXERCISE}-check"]
    assert score["points"] < score["max_points"]
    assert f"The same as recorded: {score['points']:g} of {score['max_points']:g} points." in text
    assert score["verdict"]["mistakes"][0]["says"] in text
    assert f"drawn with the seed {score['seed']}" in text
    first = by_name()[EXERCISE].draw(np.random.default_rng(score["seed"]))[0]
    assert "1. " + ", ".join(f"{letter} = {size}" for letter, size in first.sizes.items()) in text
    assert f"dh: {first.args[1].shape} float64" in text
    assert f"  numpy: {np.__version__}\n" in text and "memory 2048 MiB" in text
    assert "    da = dh * (1 - h_next)" in text
    assert "and the screen is clear" in text and "\x1b" not in text
    # The other tests were not run, and nothing was written.
    assert "softmax_cross_entropy" not in text
    assert {path: path.read_bytes() for path in graded.root.rglob("*") if path.is_file()} == before


def test_the_recorded_seed_limits_and_versions_are_what_counts(graded, record):
    data = json.loads(record.read_text())
    score = data["exercises"][f"{EXERCISE}-check"]
    score["seed"], score["points"] = 12345, score["points"] + 0.5
    data["provenance"]["limits"]["output_bytes"] = 100_000
    data["provenance"]["limits"]["of_an_older_version"] = 7
    data["provenance"]["versions"]["numpy"] = "1.26.0"
    data["hashes"]["release"] = "0123456789abcdef"
    record.write_text(json.dumps(data))
    result = explain(graded, "Ann", f"{EXERCISE}-check")
    assert result.exit_code == 0, result.stderr
    assert f"DIFFERENT from what is recorded: {score['points']:g} points then" in result.stdout
    assert f"`check({EXERCISE}, seed=12345)`" in result.stdout
    assert "it printed more than may be printed" in result.stdout
    assert f"numpy: 1.26.0 then, {np.__version__} now" in result.stdout
    assert "release: 0123456789ab then" in result.stdout


@pytest.mark.parametrize(
    ("student", "exercise", "says"),
    [
        ("Zoe", EXERCISE, "There is no submission of 'Zoe' to 03-bptt"),
        ("Ann", "rnn_sideways", "03-bptt has no exercise 'rnn_sideways'; its exercises are: softmax_cross_"),
        ("Ann", "written", "has no exercise 'written'"),
        ("Bob", EXERCISE, "the submission ended as 'unreadable' before it"),
        (
            "Cem",
            EXERCISE,
            "The submission of 'Cem' to 03-bptt has no result yet; run `unrolled grade",
        ),
        ("../Ann", EXERCISE, "There is no submission of '../Ann'"),
    ],
)
def test_what_cannot_be_explained(graded, student, exercise, says):
    if student == "Cem":
        hand_in(graded, "Cem", wrong_notebook())
    refuses(explain(graded, student, exercise), says)


def test_other_work_than_was_graded(graded, record):
    raw = wrong_notebook()
    hand_in(graded, "Ann", raw + b"\n")
    refuses(explain(graded, "Ann", EXERCISE), "'Ann' has handed in other work since that was graded")
    hand_in(graded, "Ann", raw)


def refuses(result, says):
    assert result.exit_code == 1 and says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
