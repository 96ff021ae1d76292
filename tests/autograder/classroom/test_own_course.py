"""A course of one's own, worked with: tested, handed out, handed in, graded, told; faults are sentences."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from typer.testing import CliRunner

from autograder.classroom import proof
from autograder.cli import commands
from autograder.course import release
from autograder.course.authoring import own
from autograder.course.places import Workspace, all_lessons
from autograder.course.spec import read_spec
from autograder.intake.submissions import Submission
from autograder.judging.submission import Task, grade_task
from rnncore.exercises import own as exercises_in
from tests.autograder.small_lesson import LIMITS, SECRET

NAME = "average_backward"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A new course with the example lesson alone, released; read-only for tests."""
    root = tmp_path_factory.mktemp("own") / "my-course"
    own.start(root, [])
    release.release(root)
    return root


@pytest.fixture
def mine(course, tmp_path, monkeypatch):
    """A copy of it to change, and we stand in it."""
    root = shutil.copytree(course, tmp_path / "my-course")
    monkeypatch.chdir(root)
    return root


@pytest.fixture(scope="module")
def lesson(course):
    return all_lessons(course)[0]


@pytest.fixture(scope="module")
def spec(lesson):
    return read_spec(lesson.lesson_path)


@pytest.fixture(scope="module")
def exercise(spec):
    return exercises_in(spec.exercises)[NAME]


def handed_in(lesson, source=None, extra=""):
    """The released lesson with an answer in it, as bytes."""
    notebook = nbformat.read(lesson.lesson_path, as_version=4)
    for cell in notebook.cells:
        if source and cell.id == NAME:
            cell.source = source
    if extra:
        notebook.cells.insert(2, nbformat.v4.new_code_cell(extra, id="extra"))
    return json.dumps(notebook).encode()


def graded(lesson, spec, source=None, extra=""):
    task = Task(Submission("ann", handed_in(lesson, source, extra)), spec, LIMITS, SECRET, True, warm=False)
    return grade_task(task)


def unrolled(*words):
    return CliRunner().invoke(commands.app, [str(word) for word in words])


def test_every_step_of_the_proof_finds_nothing_wrong(course):
    lessons = all_lessons(course)
    steps = list(proof.of_exercises(lessons))
    assert len(steps) == 1 + 3 + 2
    steps += proof.of_release(course, None)
    assert [step.faults() for step in steps] == [[]] * 7
    assert [step.faults() for step in proof.of_grading(lessons, 1)] == [[], []]


def test_a_mistake_is_named_with_its_cost_and_the_solution_is_full(lesson, spec, exercise):
    assert graded(lesson, spec, exercise.source).scores[f"{NAME}-check"].points == 5
    mistake = exercise.mistakes[0]
    score = graded(lesson, spec, exercise.twin_source(mistake)).scores[f"{NAME}-check"]
    assert [one["id"] for one in score.verdict["mistakes"]] == [mistake.id]
    assert score.points == pytest.approx(5 * (1 - mistake.cost))


LOOK = """
import os, sys
seen = [path for path in ({course!r}, {package!r}) if os.path.exists(path)]
seen += [at for root in ("/site", "/work", "/tmp", "/home") for at, _, files in os.walk(root)
         if "exercises" in at or {{"exercises.py", "variants.py"}} & set(files)]
seen += [name for name in sys.modules if "exercises" in name]
print("seen:", seen)
from exercises import EXERCISES
"""


def test_the_sandbox_shows_nothing_of_the_answers_and_reaching_for_them_is_remarked(course, lesson, spec):
    look = LOOK.format(course=str(course), package=str(Path(own.__file__).parent))
    result = graded(lesson, spec, extra=look)
    (cell,) = [cell for cell in result.notebook.cells if cell.source.strip() == look.strip()]
    said, failed = cell.outputs
    assert said.text == "seen: []\n" and failed.evalue == "No module named 'exercises'"
    assert any("imports exercises, which is not there while" in remark for remark in result.remarks)
    assert result.scores[f"{NAME}-check"].points == 0


def test_the_judge_takes_the_releases_exercises_and_no_file_where_it_runs(
    lesson, spec, tmp_path, monkeypatch
):
    (tmp_path / "exercises.py").write_text("EXERCISES = 1 / 0")
    monkeypatch.chdir(tmp_path)
    source = exercises_in(spec.exercises)[NAME].source
    assert graded(lesson, spec, source).scores[f"{NAME}-check"].points == 5


def test_the_check_in_a_students_notebook_names_the_mistake(lesson, exercise, tmp_path):
    """A kernel in the folder that students are given, as Jupyter starts it."""
    folder = shutil.copytree(lesson.lesson_path.parent, tmp_path / "20-average")
    twin = exercise.twin_source(exercise.mistakes[1])
    notebook = nbformat.reads(handed_in(lesson, twin), as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}, allow_errors=True).execute()
    (cell,) = [cell for cell in notebook.cells if cell.id == f"{NAME}-check"]
    assert cell.outputs[0].data["text/plain"] == "3"
    assert "Only the share <code>keep</code>" in cell.outputs[0].data["text/html"]


def test_the_examples_stored_outputs_are_what_it_gives(lesson, tmp_path):
    folder = shutil.copytree(lesson.solution_path.parent, tmp_path / "20-average")
    stored = nbformat.read(folder / "average.ipynb", as_version=4)
    again = nbformat.read(folder / "average.ipynb", as_version=4)
    NotebookClient(again, resources={"metadata": {"path": str(folder)}}).execute()
    said = [
        {cell.id: "".join(one.get("text", "") for one in cell.get("outputs", ())) for cell in notebook.cells}
        for notebook in (stored, again)
    ]
    assert said[0] == said[1] and "0.0625" in said[0]["impulse"] and "keep = 0.7994" in said[0]["learn"]


def test_collected_graded_explained_and_told_as_in_our_own_repository(mine, lesson, exercise, tmp_path):
    source = tmp_path / "from-students" / "Ann"
    source.mkdir(parents=True)
    (source / "average.ipynb").write_bytes(handed_in(lesson, exercise.twin_source(exercise.mistakes[0])))
    shutil.copy(lesson.released_exercises, source)  # the whole folder came back
    for words, says in {
        ("grade", "20-average", "-s", source.parent, "-n", 1): "Ann",
        ("grade", "20", "--explain", "Ann", NAME): "dy: (2, 5) float64",
        ("feedback", "20"): "Wrote 1 feedback page",
        ("report", "20"): "Report:",
        ("export", "20"): "1 grade for 20-average",
        ("check", source / "average.ipynb"): "20-average: 2 of 5 points, graded. 3 more are given by hand",
    }.items():
        result = unrolled(*words)
        assert result.exit_code == 0 and says in result.output, result.output
    room = Workspace(mine / "classroom")
    (page,) = room.feedback.rglob("*.html")
    assert exercise.mistakes[0].says.split(",")[0] in page.read_text("utf-8")
    assert [path.name for path in room.submitted.rglob("*.py")] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("exercises.py", "cost=0.6", "cost=0.0", "mistake 'no-carry' costs nothing"),
        (
            "exercises.py",
            'new="carry = dh"',
            'new="carry = keep * dh + 0"',
            "mistake 'carry-not-scaled' costs nothing with seed 0; let `draw` make a case",
        ),
        (
            "exercises.py",
            'new="np.sum(dh * before)"',
            'new="np.sum(dh * (before - x[:, t]))\\n    carry = ("',
            "mistake 'input-share-forgotten' makes no Python of it",
        ),
        (
            "exercises.py",
            "return [_case(",
            "return 1 / 0, [_case(",
            "the reference: ZeroDivisionError",
        ),
        ("variants.py", "(1 - keep) * dh, float", "dh, float", "variant with_a_matrix is right and gets"),
        ("variants.py", '{"average_backward"', '{"average"', "there is no exercise 'average' beside it"),
        ("variants.py", "VARIANTS = {", "VARIANTS = list({", "variants.py is not Python"),
        ("variants.py", "VARIANTS", "OTHERS", "variants.py lists no variants; it ends with VARIANTS ="),
    ],
)
def test_each_fault_of_exercises_is_one_sentence(mine, monkeypatch, file, old, new, says):
    path = mine / "solutions" / "20-average" / file
    text = path.read_text("utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new), "utf-8")
    monkeypatch.setattr(proof, "of_grading", lambda *words: [])  # others are about that
    result = unrolled("test")
    said = [line for line in result.stderr.splitlines() if says in line]
    assert result.exit_code == 1 and len(said) == 1, result.output
    assert "Traceback" not in result.output and "All well" not in result.output


def test_a_wrong_solution_and_a_lesson_with_its_answer_are_told(mine):
    lesson = all_lessons(mine)[0]
    notebook = nbformat.read(lesson.solution_path, as_version=4)
    for cell in notebook.cells:
        if cell.id == NAME:
            cell.source = cell.source.replace("carry = keep * dh", "carry = dh")
    nbformat.write(notebook, lesson.solution_path)
    released = nbformat.read(lesson.lesson_path, as_version=4)
    for cell in released.cells:
        if cell.id == NAME:
            cell.source = exercises_in(lesson.own_exercises.read_text())[NAME].source
    nbformat.write(released, lesson.lesson_path)
    result = unrolled("test", "-n", 1)
    lines = result.stderr.splitlines()
    assert result.exit_code == 1 and "3 faults" in lines[-1], result.output
    for says in (
        "the solution gets 3 of 5 points in average_backward-check; the check says: One mistake explains",
        "the untouched lesson gets 5 points in average_backward-check, and should get none",
        "changed: lessons/20-average/average.ipynb (run `unrolled release`)",
    ):
        assert any(says in line for line in lines), result.output


def test_the_table_of_mistakes_is_written(mine, monkeypatch):
    monkeypatch.setattr(proof, "of_grading", lambda *words: [])
    assert unrolled("test", "20", "--mistakes", "mistakes.md").exit_code == 0
    text = (mine / "mistakes.md").read_text("utf-8")
    assert f"## 20-average\n\n### `{NAME}(dy, x, y, keep)`" in text and "rnn_cell" not in text
    assert "| no-carry | 60% | `dx`, `dkeep` | Each step only gets its own dy." in text
