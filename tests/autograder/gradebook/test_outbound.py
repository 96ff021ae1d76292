"""Lessons go out through nbgrader's exchange, unchanged; what is in the way is one sentence."""

import os
import pwd
import shutil

import nbformat
import pytest
from nbgrader.apps import NbGrader
from nbgrader.apps.api import NbGraderAPI
from typer.testing import CliRunner

from autograder.cli import commands
from autograder.gradebook.configuration import CONFIG_NAME, prepare_workspace

LESSON, NOTEBOOK = "01-double", "double.ipynb"


@pytest.fixture
def course(released, tmp_path):
    """A course of our own with a second lesson, and an exchange that its workspace's configuration names."""
    copy = shutil.copytree(released, tmp_path / "course")
    second = copy / "solutions" / "02-again"
    second.mkdir()
    shutil.copy(copy / "solutions" / LESSON / NOTEBOOK, second / "again.ipynb")
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o1777)
    prepare_workspace(copy / "classroom", copy)
    with open(copy / "classroom" / CONFIG_NAME, "a") as file:
        file.write(f"get_config().Exchange.root = {str(exchange)!r}\n")
    return copy


@pytest.fixture
def room(course, empty_gradebook):
    """The same course's workspace, as `unrolled workspace` prepares it."""
    shutil.copy(empty_gradebook, course / "classroom" / "gradebook.db")
    assert unrolled(course, "workspace").exit_code == 0
    return course / "classroom"


def unrolled(course, *words):
    return CliRunner().invoke(commands.app, [*map(str, words), "--course", str(course)])


def release(course, *words):
    return unrolled(course, "release", *words, "--exchange")


def outbound(course, name="unrolled"):
    """{path: bytes} of all that students can fetch."""
    folder = course.parent / "exchange" / name / "outbound"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}


def refused(result, *says):
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.exception
    (line,) = result.stderr.strip().splitlines()
    for text in says:
        assert text in line, line


def test_one_command_takes_a_lesson_to_the_students(course):
    before = (course / "lessons" / LESSON / NOTEBOOK).read_bytes()
    (course / "lessons" / LESSON / NOTEBOOK).unlink()
    done = release(course, "01")
    folder = course.parent / "exchange" / "unrolled"
    assert done.exit_code == 0, done.output
    assert f"Released to {folder}: {LESSON}." in done.output
    assert f"unrolled collect {LESSON} {folder}" in done.output
    assert outbound(course) == {f"{LESSON}/{NOTEBOOK}": before}
    assert (folder / "inbound").stat().st_mode & 0o777 == 0o733  # handed in by all, listed by none
    assert (folder / "outbound" / LESSON / NOTEBOOK).stat().st_mode & 0o777 == 0o644


def test_all_lessons_or_those_that_are_named_and_each_once(course):
    assert f": {LESSON}." in release(course, "double").output
    done = release(course)
    assert f"already, as they are now: {LESSON}." in done.output and ": 02-again." in done.output
    assert set(outbound(course)) == {f"{LESSON}/{NOTEBOOK}", "02-again/again.ipynb"}
    again = release(course, "01", "02")
    assert again.exit_code == 0 and "Released to" not in again.output


def test_another_edition_is_handed_out_only_by_force_and_nothing_else_with_it(course):
    assert release(course, "01").exit_code == 0
    before = outbound(course)
    path = course / "solutions" / LESSON / NOTEBOOK
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].source = "Add the number to itself, once."
    nbformat.write(notebook, path)
    refused(release(course), f"{LESSON} was released to", "--force")
    assert outbound(course) == before
    assert release(course, "--force").exit_code == 0
    assert b"itself, once." in outbound(course)[f"{LESSON}/{NOTEBOOK}"]
    assert "02-again/again.ipynb" in outbound(course)


def test_the_courses_name_in_the_exchange(course):
    with open(course / "classroom" / CONFIG_NAME, "a") as file:
        file.write("get_config().CourseDirectory.course_id = 'rnn-2026'\n")
    assert release(course, "01").exit_code == 0 and outbound(course, "rnn-2026")
    assert release(course, "01", "--course-id", "spring").exit_code == 0 and outbound(course, "spring")
    assert not outbound(course)
    refused(release(course, "01", "--course-id", "../elsewhere"), "cannot be called '../elsewhere'")


def test_what_is_in_the_way_is_one_sentence(course):
    exchange = course.parent / "exchange"
    exchange.chmod(0o755)
    refused(release(course), "mode is 755", f"chmod 1777 {exchange}")
    exchange.rmdir()
    refused(release(course), f"There is no exchange at {exchange}", "mkdir -p", "Exchange.root")
    assert not (course / "release").exists()
    with open(course / "classroom" / CONFIG_NAME, "a") as file:
        file.write("get_config().Exchange.root = 7\n")
    refused(release(course), "configuration cannot be used", CONFIG_NAME)
    refused(unrolled(course, "release", "--force"), "add --exchange")
    refused(unrolled(course, "release", "--course-id", "x"), "add --exchange")
    refused(release(course, "--check"), "leave out")
    refused(release(course, "03"), "There is no lesson '03'")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_course_in_the_exchange_that_is_somebody_elses(course):
    folder = course.parent / "exchange" / "unrolled"
    folder.mkdir()
    os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
    refused(release(course), f"{folder} belongs to nobody", "--course-id")


def test_the_formgrader_of_a_new_workspace_lists_and_releases_the_lessons(course, room, monkeypatch):
    """Its buttons call these; release/ holds just what its own "Generate" makes."""
    monkeypatch.chdir(room)
    app = NbGrader()
    app.initialize([])
    formgrader = NbGraderAPI(config=app.config)

    def shown():
        return {row["name"]: (row["status"], row["release_path"]) for row in formgrader.get_assignments()}

    assert shown()[LESSON] == ("draft", f"release/{LESSON}")
    made = room / "release" / LESSON / NOTEBOOK
    before = made.read_bytes()
    assert before == (course / "lessons" / LESSON / NOTEBOOK).read_bytes()
    done = formgrader.release_assignment(LESSON)
    assert done["success"], done
    assert outbound(course) == {f"{LESSON}/{NOTEBOOK}": before}
    assert shown()[LESSON] == ("released", f"release/{LESSON}")
    done = formgrader.generate_assignment(LESSON, force=True)
    assert done["success"], done
    assert nbformat.reads(made.read_text(), 4).cells == nbformat.reads(before.decode(), 4).cells
