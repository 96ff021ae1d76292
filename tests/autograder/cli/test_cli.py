"""The command line: the daily commands work, and each wrong use is one clear sentence."""

import importlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from typer.main import get_group
from typer.testing import CliRunner

from autograder.classroom.runner import run
from autograder.cli import commands
from autograder.cli.commands.grade import run_with_progress
from autograder.course.places import CourseError, all_lessons, find_course, find_lesson
from autograder.course.spec import read_spec
from autograder.gradebook import database
from autograder.gradebook.configuration import CONFIG_NAME
from tests.autograder.standins import half_marks


@pytest.fixture
def course(released, tmp_path, monkeypatch):
    """A released course of our own, and we stand in it."""
    copy = shutil.copytree(released, tmp_path / "course")
    monkeypatch.chdir(copy)
    return copy


def unrolled(*words):
    return CliRunner().invoke(commands.app, [str(word) for word in words])


def refused(result, *says):
    """The command failed with one sentence on stderr that says these things."""
    assert result.exit_code in (1, 2), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    for text in says:
        assert text in result.stderr


def graded_class(course, workspace, students=("Ann", "Bob")):
    """A class graded by a stand-in."""
    lesson = all_lessons(course)[0]
    for student in students:
        path = workspace.submitted / student / lesson.name / "double.ipynb"
        path.parent.mkdir(parents=True)
        shutil.copy(lesson.lesson_path, path)
    spec = read_spec(lesson.lesson_path)
    run(workspace, lesson, spec, grade=half_marks, executor=ThreadPoolExecutor)


# Finding things


def test_a_course_is_found_from_below_and_a_lesson_by_part_of_its_name(course):
    inside = course / "lessons" / "01-double"
    assert find_course(inside) == course
    (course / "solutions" / "02-triple").mkdir()
    for text in ("01-double", "01", "double", "DOUBLE", "01-double/"):
        assert find_lesson(course, text).name == "01-double"


def test_a_lesson_that_does_not_exist(course):
    refused(unrolled("grade", "09"), "There is no lesson '09'", "the lessons are: 01-double")


def test_a_name_that_fits_several_lessons(course):
    (course / "solutions" / "02-double-again").mkdir()
    refused(unrolled("report", "double"), "fits several lessons (01-double, 02-double-again)")


def test_no_course_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(unrolled("release"), "No course at", "--course")
    refused(unrolled("release", "--course", tmp_path / "nowhere"), "There is no folder")


def test_a_workspace_elsewhere_knows_its_course(course, tmp_path, monkeypatch):
    room = tmp_path / "elsewhere" / "room"
    assert unrolled("workspace", room).exit_code == 0
    monkeypatch.chdir(room)
    refused(unrolled("report", "01"), f"Nothing was graded for 01-double in {room}")
    monkeypatch.chdir(tmp_path)
    refused(unrolled("report", "01", "-w", room), f"Nothing was graded for 01-double in {room}")


# release


def test_release_check_and_tidy(course):
    assert "Nothing to do" in unrolled("release").output
    path = all_lessons(course)[0].lesson_path
    path.unlink()
    result = unrolled("release", "--check")
    refused(result, "missing: lessons/01-double/double.ipynb")
    assert "released lessons/01-double/double.ipynb" in unrolled("release", "01").output
    assert path.is_file()
    assert unrolled("release", "--check").exit_code == 0


def test_release_of_a_missing_solution(course):
    all_lessons(course)[0].solution_path.unlink()
    refused(unrolled("release"), "double.ipynb is missing")


def test_release_tidies_first_when_asked(untidy_course):
    told = unrolled("release", "--check", "--course", untidy_course).stderr
    assert f"run `unrolled release --tidy --course {untidy_course}`" in told
    result = unrolled("release", "--tidy", "--course", untidy_course)
    assert "tidied solutions/01-double/double.ipynb" in result.output
    assert unrolled("release", "--check", "--course", untidy_course).exit_code == 0


# grade


def test_grading_without_submissions(course):
    refused(unrolled("grade", "01"), "There are no submissions to 01-double", "--submissions")


def test_grading_a_folder_that_is_missing_or_empty(course, tmp_path):
    refused(unrolled("grade", "01", "-s", tmp_path / "nowhere"), "There is no file or folder")
    (tmp_path / "empty").mkdir()
    refused(unrolled("grade", "01", "-s", tmp_path / "empty"), "There are no submissions to 01-double in")
    file = tmp_path / "file"
    file.write_text("")
    refused(unrolled("grade", "01", "-s", file), "is no archive")


def test_submissions_in_the_wrong_layout(course):
    folder = course / "classroom" / "submitted" / "01-double" / "Ann"
    folder.mkdir(parents=True)
    refused(unrolled("grade", "01"), "is laid out as LESSON/STUDENT")


def test_a_lesson_that_was_not_released(course):
    all_lessons(course)[0].lesson_path.unlink()
    refused(unrolled("grade", "01"), "There is no released lesson", "unrolled release")


@pytest.mark.parametrize("place", ["file", "file above"])
def test_a_workspace_that_cannot_be_written(course, tmp_path, place):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" if place == "file" else tmp_path / "file" / "below"
    refused(unrolled("grade", "01", "--workspace", folder), "cannot be written", "--workspace")


def test_a_workspace_on_a_read_only_disk(course):
    folder = next(path for path in (Path("/proc"), Path("/sys")) if path.is_dir()) / "classroom"
    refused(unrolled("grade", "01", "--workspace", folder), "cannot be written", "--workspace")


def test_no_bubblewrap(course, monkeypatch, tmp_path):
    lesson = all_lessons(course)[0]
    (tmp_path / "in").mkdir()
    shutil.copy(lesson.lesson_path, tmp_path / "in" / "Ann.ipynb")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    refused(unrolled("grade", "01", "-s", tmp_path / "in"), "bubblewrap", "--unsafe-no-sandbox")
    refused(unrolled("check", lesson.lesson_path), "bubblewrap", "--unsafe-no-sandbox")
    assert not (course / "classroom" / "autograded").exists()


def test_a_gradebook_of_another_course(course, workspace):
    with Gradebook(workspace.db_url, "physics101") as book:
        book.add_assignment("ps1")
    graded = unrolled("workspace", workspace.root, "--course", course)
    refused(graded, "belongs to the course 'physics101'")


def test_a_workspace_with_a_config_of_another_course(course, tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / CONFIG_NAME).write_text("c = get_config()\n")
    refused(unrolled("grade", "01", "-w", tmp_path / "theirs"), "configures another course")
    assert (tmp_path / "theirs" / CONFIG_NAME).read_text() == "c = get_config()\n"


def test_an_unknown_student(course, workspace):
    graded_class(course, workspace)
    refused(unrolled("grade", "01", "-w", workspace.root, "--student", "Zoe"), "no submission of 'Zoe'")
    refused(unrolled("feedback", "01", "-w", workspace.root, "--student", "Zoe"), "'Zoe' was not graded")


def test_a_damaged_secret(course, workspace):
    (workspace.root / "course-secret").write_text("x")
    with pytest.raises(CourseError, match="damaged"):
        workspace.secret()


def test_the_secret_is_private_and_stays(workspace):
    secret = workspace.secret()
    assert len(secret) >= 32 and workspace.secret() == secret
    assert (workspace.root / "course-secret").stat().st_mode & 0o777 == 0o600


# check, feedback, report


def test_checking_what_is_no_notebook(course, tmp_path):
    refused(unrolled("check", tmp_path / "nothing.ipynb"), "There is no file")
    refused(unrolled("check", tmp_path), "is a folder")
    (tmp_path / "x.ipynb").write_text("{")
    refused(unrolled("check", tmp_path / "x.ipynb"), "not valid JSON")
    (tmp_path / "x.ipynb").write_text('{"cells": []}')
    refused(unrolled("check", tmp_path / "x.ipynb"), "does not look like any lesson", "--lesson")


def test_feedback_and_report_before_grading(course):
    refused(unrolled("feedback", "01"), "Nothing was graded for 01-double")
    refused(unrolled("report", "01"), "Nothing was graded for 01-double")


def test_feedback_and_report_of_a_graded_class(course, workspace):
    graded_class(course, workspace)
    result = unrolled("feedback", "01", "-w", workspace.root)
    assert result.exit_code == 0, result.output
    assert "Wrote 2 feedback pages" in result.output
    page = (workspace.feedback / "Ann" / "01-double" / "double.html").read_text()
    assert "Content-Security-Policy" in page and "<script" not in page
    result = unrolled("report", "01", "-w", workspace.root)
    assert result.exit_code == 0, result.output
    assert "Ann" in result.output and "2.5 / 7" in result.output
    assert (workspace.reports / "01-double.html").is_file()


def test_the_tables_show_what_the_gradebook_holds(course, workspace, capsys):
    """Points given by hand, a written answer, and what lateness costs, in `grade` and in `report`."""
    lesson, students = all_lessons(course)[0], ("Ann", "Bob", "Cem")
    with open(workspace.root / CONFIG_NAME, "a") as config:
        config.write("c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    with Gradebook(workspace.db_url, database.COURSE_ID) as book:
        book.update_or_create_assignment(lesson.name, duedate="2026-02-03 12:00:00 UTC")
    for student in students:
        path = workspace.submitted / student / lesson.name / "timestamp.txt"
        path.parent.mkdir(parents=True)
        path.write_text(f"2026-02-03 {'15' if student == 'Bob' else '11'}:30:00 UTC")
        shutil.copy(lesson.lesson_path, path.with_name("double.ipynb"))
    spec = read_spec(lesson.lesson_path)
    options = {"grade": half_marks, "executor": ThreadPoolExecutor}
    run(workspace, lesson, spec, **options)
    with Gradebook(workspace.db_url, database.COURSE_ID) as book:
        book.find_grade("written", "double", lesson.name, "Ann").manual_score = 1.75
        book.db.commit()
    run_with_progress(workspace, lesson, spec, **options)
    for printed in (capsys.readouterr().out, unrolled("report", "01", "-w", workspace.root).output):
        told = {line.split()[1]: line for line in printed.splitlines() if "/ 7" in line}
        assert set(told) == set(students)
        assert "4.25 / 7" in told["Ann"] and "2.5 / 7" in told["Cem"]
        assert " 0 / 7" in told["Bob"] and "2.5 off for lateness" in told["Bob"]


def test_a_student_who_was_removed_from_the_gradebook_is_gone_from_everything(course, workspace):
    """As `nbgrader db student remove` does; feedback once ended in a traceback after the pages before it."""
    graded_class(course, workspace)
    with Gradebook(workspace.db_url, database.COURSE_ID) as book:
        book.remove_student("Ann")
    written = unrolled("feedback", "01", "-w", workspace.root)
    assert written.exit_code == 0 and "Wrote 1 feedback page" in written.output, written.output
    told = unrolled("report", "01", "-w", workspace.root)
    assert told.exit_code == 0 and "Bob" in told.output and "Ann" not in told.output
    assert "Ann" not in (workspace.reports / "01-double.html").read_text()
    assert "1 grade for 01-double" in unrolled("export", "01", "-w", workspace.root).output
    refused(unrolled("feedback", "01", "-w", workspace.root, "--student", "Ann"), "'Ann' was not graded")
    with Gradebook(workspace.db_url, database.COURSE_ID) as book:
        book.remove_student("Bob")
    refused(unrolled("report", "01", "-w", workspace.root), "Nothing was graded for 01-double")


def test_the_demo_does_not_mix_with_a_real_class(course, workspace):
    graded_class(course, workspace)
    solution = course / "solutions" / "03-bptt"
    shutil.copytree(course / "solutions" / "01-double", solution)
    shutil.copytree(course / "lessons" / "01-double", course / "lessons" / "03-bptt")
    for side in ("solutions", "lessons"):
        (course / side / "03-bptt" / "double.ipynb").rename(course / side / "03-bptt" / "bptt.ipynb")
    refused(
        unrolled("demo", "-w", workspace.root, "--course", course),
        "holds a real class ('Ann' handed in there)",
    )
    refused(unrolled("demo", "--unsafe-no-sandbox"), "only graded in a sandbox")


# workspace, help


def test_a_workspace_is_ready_for_plain_nbgrader(course, tmp_path):
    result = unrolled("workspace", tmp_path / "room")
    assert result.exit_code == 0, result.output
    with Gradebook(f"sqlite:///{tmp_path}/room/gradebook.db", database.COURSE_ID) as book:
        cells = book.find_notebook("double", "01-double").grade_cells
        assert {cell.name: cell.max_score for cell in cells} == {
            "double-check": 3,
            "triple-check": 2,
            "written": 2,
        }
    line = (tmp_path / "room" / CONFIG_NAME).read_text()
    assert line.count("\n") == 1 and str(course) in line


def test_every_command_has_the_help_text_that_the_list_shows():
    overview = unrolled("--help").output
    modules = {module for module, _ in commands.COMMANDS.values()}
    made = [command for module in modules for command in get_group(open_module(module).app).commands]
    assert sorted(made) == sorted(commands.COMMANDS)
    for name, (_, says) in commands.COMMANDS.items():
        assert commands.open_command(name).help.splitlines()[0] == says
        assert name in overview
        assert unrolled(name, "--help").exit_code == 0
    assert unrolled().exit_code in (0, 2)
    refused_as_usage(unrolled("no-such-command"))


def open_module(name):
    return importlib.import_module(f"autograder.cli.commands.{name}")


def refused_as_usage(result):
    assert result.exit_code == 2 and "No such command" in result.stderr


def in_a_new_process(code, folder):
    """Run code in an interpreter of its own, as the installed command runs; returns what became of it."""
    home = {**os.environ, "HOME": str(folder)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=home, cwd=folder)


HEAVY = {"nbformat", "nbgrader", "numpy", "torch", "nbconvert", "sqlalchemy", "matplotlib", "jupyter_client"}


@pytest.mark.parametrize("words", [["--help"], ["grade", "--help"], ["grade", "99"], ["report", "99"]])
def test_help_and_wrong_arguments_are_answered_without_heavy_imports(words, course, tmp_path):
    code = (
        f"import sys; sys.argv[1:] = {words!r}; from autograder.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"sys.exit(sorted({HEAVY!r} & set(sys.modules)) or 0)"
    )
    done = in_a_new_process(code, course)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout or "There is no lesson" in done.stderr


@pytest.mark.parametrize("package, words", [("typer", ["report", "01"]), ("nbgrader", ["report", "01"])])
def test_a_package_that_is_missing_is_one_sentence(package, words, course):
    results = course / "classroom" / "results" / "01-double"
    results.mkdir(parents=True)
    (results / "Ann.json").write_text("{}")
    code = (
        f"import sys; sys.modules[{package!r}] = None; sys.argv[1:] = {words!r}\n"
        "from autograder.cli import main; main()"
    )
    done = in_a_new_process(code, course)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"needs the package {package}" in done.stderr and "'unrolled[grading]'" in done.stderr


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_help_without_typer_names_what_a_student_can_do(words, course):
    code = f"import sys; sys.modules['typer'] = None; sys.argv[1:] = {words!r}\n"
    done = in_a_new_process(f"{code}from autograder.cli import main; main()", course)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("`unrolled lessons FOLDER`") and "'unrolled[grading]'" in done.stdout
