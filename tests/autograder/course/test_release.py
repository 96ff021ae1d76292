"""A lesson is its solution without the answers: complete, the same every time, and nothing leaks."""

import json
import shutil

import nbformat
import pytest

from autograder.course.places import all_lessons
from autograder.course.release import build_lesson, check, release
from autograder.course.solutions import ReleaseError, tidy, tidy_text


@pytest.fixture
def course(released, tmp_path):
    return shutil.copytree(released, tmp_path / "copy")


def edit(path, change):
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def cell(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def test_the_lesson_keeps_what_a_student_needs_and_nothing_else(course):
    lesson = nbformat.read(all_lessons(course)[0].lesson_path, as_version=4)
    assert (
        cell(lesson, "double").source == 'def double(x):\n    """Twice x."""\n    raise NotImplementedError'
    )
    assert cell(lesson, "double-check").source == "check(double, points=3)"
    assert cell(lesson, "double-check").metadata.nbgrader.points == 3
    assert cell(lesson, "double-check").metadata.editable is False
    assert cell(lesson, "see").metadata.tags == ["experiment"]
    assert lesson.metadata.unrolled == {"hides": ["rnncore.cells"], "minutes": 5, "needs": []}
    assert all(not c.get("outputs") and c.get("execution_count") is None for c in lesson.cells)
    text = json.dumps(lesson)
    for secret in ("twice_the_input", "double(x) + x", "added to itself", "One mark for", "BEGIN"):
        assert secret not in text


def test_releasing_twice_changes_nothing_and_leaves_nothing_behind(course, monkeypatch, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    before = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    assert release(course) == []
    assert build_lesson(all_lessons(course)[0]).encode() == before[all_lessons(course)[0].lesson_path]
    assert {path: path.read_bytes() for path in course.rglob("*") if path.is_file()} == before
    assert list(elsewhere.iterdir()) == []


def test_a_sibling_of_the_solution_stays_at_home(course):
    (course / "solutions" / "01-double" / "answers.txt").write_text("twice_the_input = x + x")
    release(course)
    assert [path.name for path in (course / "lessons" / "01-double").iterdir()] == ["double.ipynb"]


def test_check_names_changed_missing_and_stray_files(course):
    assert check(course) == []
    lesson = all_lessons(course)[0]
    stray = course / "lessons" / "01-double" / "notes.txt"
    stray.write_text("stray")
    assert [line.split(" (")[0] for line in check(course)] == ["stray: lessons/01-double/notes.txt"]
    stray.unlink()
    edit(lesson.lesson_path, lambda notebook: notebook.cells.pop())
    assert [line.split(" (")[0] for line in check(course)] == ["changed: lessons/01-double/double.ipynb"]
    lesson.lesson_path.unlink()
    assert [line.split(" (")[0] for line in check(course)] == ["missing: lessons/01-double/double.ipynb"]
    release(course)
    shutil.rmtree(course / "solutions" / "01-double")
    problems = check(course)
    assert any(line.startswith("stray: lessons/01-double/double.ipynb") for line in problems)
    assert any("solutions/01-double/double.ipynb is missing" in line for line in problems)


def test_check_notices_an_edited_solution_and_an_untidy_one(course):
    lesson = all_lessons(course)[0]
    edit(lesson.solution_path, lambda notebook: cell(notebook, "add-the-number").update(source="Twice!"))
    assert [line.split(":")[0] for line in check(course)] == ["changed"]
    edit(lesson.solution_path, lambda notebook: notebook.metadata.update(widgets={"state": {}}))
    assert [line.split(":")[0] for line in check(course)] == ["untidy", "changed"]


def test_hidden_tests_which_nobody_would_run_stop_the_release(course):
    hidden = "check(double, points=3)\n### BEGIN HIDDEN TESTS\nassert double(1) == 2\n### END HIDDEN TESTS"
    lesson = all_lessons(course)[0]
    edit(lesson.solution_path, lambda notebook: cell(notebook, "double-check").update(source=hidden))
    with pytest.raises(ReleaseError, match="'double-check' hides tests"):
        release(course)


@pytest.mark.parametrize(
    ("where", "text", "named"),
    [
        ("see", "twice_the_input = x + x\nreturn twice_the_input", "twice_the_input"),
        ("see", "def f(x):\n    return double(x) + x", "double(x) + x"),
        ("double-a-number", "Because a doubled number is the number added to itself.", "model answer"),
        (
            "add-the-number",
            "One mark for saying that addition is enough, one for an example.",
            "model answer",
        ),
        ("add-the-number", "See HIDDEN TESTS below.", "HIDDEN TESTS"),
    ],
)
def test_an_answer_that_reached_another_cell_stops_the_release(course, where, text, named):
    lesson = all_lessons(course)[0]
    edit(lesson.solution_path, lambda notebook: cell(notebook, where).update(source=text))
    before = lesson.lesson_path.read_bytes()
    with pytest.raises(ReleaseError, match="leak") as caught:
        release(course)
    assert named in str(caught.value)
    assert lesson.lesson_path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda nb: cell(nb, "double").update(source="### BEGIN SOLUTION\nx = 1"), "solution statement"),
        (lambda nb: cell(nb, "double-check").metadata.nbgrader.update(grade_id="double"), "[Dd]uplicate"),
        (
            lambda nb: cell(nb, "see").update(source="### BEGIN SOLUTION\nx\n### END SOLUTION"),
            "Solution region",
        ),
    ],
)
def test_a_broken_solution_is_refused_in_one_sentence(course, change, says):
    edit(all_lessons(course)[0].solution_path, change)
    with pytest.raises(ReleaseError, match=says) as caught:
        release(course)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source, fits",
    [
        ("check(triple, points=8)", False),
        ("check(triple, 8)", False),
        ("check(triple)", False),
        ("check(triple, points=2.0)", True),
        ("assert triple(1) == 3", True),
        ("assert check(triple, points=8).earned == 8", True),
    ],
)
def test_the_points_of_a_check_are_those_of_its_metadata(course, source, fits):
    """A student would read 8 points, and nbgrader would give 2."""
    edit(
        all_lessons(course)[0].solution_path,
        lambda notebook: cell(notebook, "triple-check").update(source=source),
    )
    if fits:
        release(course)
        return
    with pytest.raises(ReleaseError, match=r"'triple-check' says check\(\.\.\., points=[81]\) .* 2 points"):
        release(course)


def test_tidy_reaches_the_canonical_form_once_and_stays_there(untidy_course):
    lesson = all_lessons(untidy_course)[0]

    def dirty(notebook):
        notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
        notebook.metadata["language_info"] = {"name": "python", "version": "3.11.4"}
        seen = cell(notebook, notebook.cells[5].id)
        seen.execution_count = 12
        seen.metadata["collapsed"] = True
        data = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "42"}
        seen.outputs = [
            nbformat.v4.new_output("stream", name="stderr", text="warning"),
            nbformat.v4.new_output("execute_result", data=data, execution_count=12),
        ]

    edit(lesson.solution_path, dirty)
    assert tidy(untidy_course) == [lesson.solution_path]
    assert tidy(untidy_course) == []
    notebook = nbformat.read(lesson.solution_path, as_version=4)
    assert set(notebook.metadata) == {"kernelspec", "language_info", "unrolled"}
    assert notebook.metadata.language_info == {"name": "python"}
    names = [cell.id for cell in notebook.cells]
    assert names[:5] == ["double-a-number", "setup", "add-the-number", "double", "double-check"]
    assert names[-3:] == ["code", "why-does-this", "written"]
    seen = cell(notebook, "see")
    assert set(seen.metadata) == {"nbgrader", "tags"}
    assert [output.data for output in seen.outputs] == [{"text/plain": "42"}]
    assert seen.execution_count is None and seen.outputs[0].execution_count is None


def test_tidy_refuses_to_hide_a_stored_error(untidy_course):
    lesson = all_lessons(untidy_course)[0]
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=["no"])
    edit(lesson.solution_path, lambda notebook: notebook.cells[5].update(outputs=[error]))
    with pytest.raises(ReleaseError, match="stores an error in cell 5"):
        tidy_text(lesson)


def test_a_missing_solution_and_a_broken_one_are_named(course):
    lesson = all_lessons(course)[0]
    lesson.solution_path.write_text("{")
    with pytest.raises(ReleaseError, match="is no notebook"):
        release(course)
    lesson.solution_path.unlink()
    with pytest.raises(ReleaseError, match=r"double\.ipynb is missing"):
        release(course)
