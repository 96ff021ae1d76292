"""A course of one's own: made, brought up to date, and nothing in it written over."""

import json
import shutil

import nbformat
import pytest

import rnncore
from autograder.course import handout, release
from autograder.course.authoring import own
from autograder.course.places import CourseError, all_lessons, find_course
from autograder.course.solutions import ReleaseError
from autograder.course.spec import SpecError, read_spec

CELL = "02-rnn-cell/rnn-cell.ipynb"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A new course with one lesson of ours, released; read-only for tests."""
    root = tmp_path_factory.mktemp("own") / "my-course"
    own.start(root, own.chosen("02"))
    release.release(root)
    return root


@pytest.fixture
def mine(course, tmp_path):
    """A copy of it to change."""
    return shutil.copytree(course, tmp_path / "my-course")


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit(path, **sources):
    """Give cells of a notebook other sources, by id."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = sources.get(cell.id.replace("-", "_"), cell.source)
    nbformat.write(notebook, path)


def test_a_new_course_has_all_that_it_needs_and_releases_as_it_should(course):
    assert [lesson.name for lesson in all_lessons(find_course(course / "lessons"))] == [
        "02-rnn-cell",
        "20-average",
    ]
    assert release.check(course) == []
    assert f"unrolled[grading]=={rnncore.__version__}" in (course / "requirements.txt").read_text()
    assert "unrolled test" in (course / ".github/workflows/test.yml").read_text()
    assert "/classroom/" in (course / ".gitignore").read_text()
    readme = (course / "README.md").read_text()
    assert readme.startswith("# my-course\n") and "@" not in readme.replace("20:00+01:00", "")
    assert "(solutions/20-average/average.ipynb)" in readme  # the table of lessons is written there, too
    assert "2 lessons, about 2 hours" in (course / "lessons" / "README.md").read_text()


def test_the_exercises_go_to_students_and_into_the_spec_and_variants_stay(course):
    solution, lesson = course / "solutions/20-average", course / "lessons/20-average"
    assert {path.name for path in lesson.iterdir()} == {"average.ipynb", "exercises.py"}
    text = (solution / "exercises.py").read_text("utf-8")
    assert (lesson / "exercises.py").read_text("utf-8") == text
    spec = read_spec(lesson / "average.ipynb")
    assert spec.exercises == text and spec.max_points == 8
    assert read_spec(course / "lessons/02-rnn-cell/rnn-cell.ipynb").exercises == ""


def test_the_same_notebook_with_other_exercises_is_another_release(mine):
    lesson = mine / "lessons/20-average"
    before = read_spec(lesson / "average.ipynb").release_hash
    text = (lesson / "exercises.py").read_text("utf-8").replace("cost=0.6", "cost=0.5")
    (lesson / "exercises.py").write_text(text, "utf-8")
    assert read_spec(lesson / "average.ipynb").release_hash != before
    assert release.check(mine) == ["changed: lessons/20-average/exercises.py (run `unrolled release`)"]
    (mine / "solutions/20-average/exercises.py").unlink()
    assert release.check(mine) == ["stray: lessons/20-average/exercises.py (nothing in solutions/ makes it)"]


def test_what_cannot_be_made_is_one_sentence_and_nothing_is_written(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = everything(tmp_path)
    ours = handout.CHECKOUT.with_name("solutions") / "mine"
    for folder, says in {
        tmp_path / "full": "is not empty; name a new folder",
        tmp_path / "file": "is a file; name a new folder",
        ours: "lies in the package's own course",
        tmp_path / "file" / "below": "Could not write",
    }.items():
        with pytest.raises(CourseError, match=says) as raised:
            own.start(folder, [])
        assert "\n" not in str(raised.value)
    assert everything(tmp_path) == before and not ours.exists()
    for words, says in {
        "77": "no lesson '77'; the lessons are: 01-",
        "02,": None,
        ",": "write 02,03,05",
    }.items():
        if says is None:
            assert [lesson.name for lesson in own.chosen(words)] == ["02-rnn-cell"]
            continue
        with pytest.raises(CourseError, match=says):
            own.chosen(words)
    assert own.chosen("none") == [] and len(own.chosen(None)) >= 15


def test_an_empty_folder_that_is_there_will_do(tmp_path):
    (tmp_path / "mine").mkdir()
    own.start(tmp_path / "mine", own.chosen("09"))
    assert "unrolled[grading,torch]==" in (tmp_path / "mine" / "requirements.txt").read_text()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("dx, dkeep = np", "dx, dkeep = = np", "exercises.py is not Python: line 16: invalid syntax"),
        ("import numpy as np", "import nmupy as np", "does not run .line 8.: ModuleNotFoundError: No module"),
        ("average_backward", "rnn_backward", "an exercise `rnn_backward` in the package"),
        ("EXERCISES = (", "EXERCISE = (", "lists no exercises"),
    ],
)
def test_exercises_that_cannot_be_used_are_refused_in_one_sentence(mine, old, new, says):
    for side, raises in (("solutions", ReleaseError), ("lessons", SpecError)):
        path = mine / side / "20-average" / "exercises.py"
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
        with pytest.raises(raises, match=says) as raised:
            release.release(mine) if side == "solutions" else read_spec(path.with_name("average.ipynb"))
        assert str(path) in str(raised.value) and "\n" not in str(raised.value)


# Newer editions


@pytest.fixture
def newer(tmp_path, monkeypatch):
    """A newer edition of the package's lessons, in which a cell of lesson 02 has changed."""
    checkout = tmp_path / "checkout" / "lessons"
    for name in ("02-rnn-cell", "03-bptt"):
        for side in ("lessons", "solutions"):
            shutil.copytree(handout.CHECKOUT.with_name(side) / name, checkout.with_name(side) / name)
    shutil.copy(handout.CHECKOUT.with_name("solutions") / "LETTERS.md", checkout.with_name("solutions"))
    edit(checkout.with_name("solutions") / CELL, title="# 02 · A newer title", order="A newer order.")
    monkeypatch.setattr(handout, "CHECKOUT", checkout)
    return checkout.with_name("solutions")


def told(mine, lessons=()):
    return list(own.sentences(own.update(mine, lessons), mine))


def test_an_update_renews_what_came_and_lies_beside_what_was_changed(mine, newer):
    theirs = shutil.copytree(mine, mine.parent / "changed")
    edit(theirs / "solutions" / CELL, title="# 02 · My title", idea="My idea.")
    before = everything(theirs)

    assert told(mine) == [
        f"Newer now, since you had not changed them: {CELL}.",
        "Now run `unrolled release` and `unrolled test`.",
    ]
    assert (mine / "solutions" / CELL).read_bytes() == (newer / CELL).read_bytes()
    assert told(mine)[-1].startswith("All that came from the package is the edition of unrolled")

    beside = f"rnn-cell-{rnncore.__version__}.ipynb"
    first, second, third = told(theirs)
    assert first.endswith(f"left as it is; the newer edition lies beside it, {beside}.")
    assert second.strip() == (
        "CONFLICT, changed by both: title; only by the newer edition: order; only by you: idea."
    )
    assert "Take over what you want" in third
    now = everything(theirs)
    assert now.pop(theirs / "solutions/02-rnn-cell" / beside) == (newer / CELL).read_bytes()
    notes = {theirs / "solutions" / name for name in (handout.NOTE, own.CELLS)}
    assert {path for path in now if now[path] != before[path]} <= notes and now.keys() == before.keys()
    assert release.build(all_lessons(theirs)[0])  # the edition beside it is in nobody's way
    # Nothing newer has come since, so nothing more is brought.
    assert told(theirs)[0] == f"Changed by you, and nothing newer has come: {CELL}."


def test_a_lesson_that_was_deleted_stays_away_and_another_can_be_brought(mine, newer):
    shutil.rmtree(mine / "solutions/02-rnn-cell")
    with pytest.raises(CourseError, match="has no lesson that came from the package"):
        own.update(mine)
    assert told(mine, own.chosen("03"))[0] == "New here: 03-bptt/bptt.ipynb."
    assert not (mine / "solutions/02-rnn-cell").exists()
    (mine / "solutions/02-rnn-cell").mkdir()
    note = mine / "solutions" / handout.NOTE
    note.write_text(json.dumps({name: 1 for name in json.loads(note.read_text()) if "02" not in name}))
    with pytest.raises(CourseError, match="has a lesson 02-rnn-cell of its own; ours was not brought"):
        own.update(mine, own.chosen("02"))


def test_who_changed_what_is_told_cell_by_cell():
    base = {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}
    theirs = {"a": 1, "b": 2, "c": 2, "d": 2, "mine": 1}
    newer = {"a": 2, "b": 1, "c": 2, "d": 3, "e": 2, "ours": 1}
    changed = own.compare(base, theirs, newer)
    assert (changed.theirs, changed.newer, changed.both) == (["b", "mine"], ["a", "ours"], ["d", "e"])
