"""What an instructor sets for nbgrader holds for `unrolled grade`, too: penalties for late work, times."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from nbgrader.api import Gradebook
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from autograder.classroom.runner import run
from autograder.course.places import CourseError, Workspace, all_lessons
from autograder.gradebook import database
from autograder.gradebook.configuration import (
    CONFIG_NAME,
    course_of,
    instructors_config,
    limits_of,
    prepare_workspace,
)
from autograder.sandbox.box import Limits
from tests.autograder.standins import half_marks

DUE, LATE = "2026-02-03 12:00:00 UTC", "2026-02-03 15:30:00 UTC"
AN_HOUR_COSTS_HALF_A_POINT = """\
from nbgrader.plugins import BasePlugin

class ByTheHour(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.5 * (total_seconds_late // 3600)
"""


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]


@pytest.fixture
def late_class(workspace, lesson, spec):
    """Ann is in time and Bob three and a half hours late; each has half of the five points."""
    with Gradebook(workspace.db_url, database.COURSE_ID) as book:
        book.update_or_create_assignment(lesson.name, duedate=DUE)
    for student, when in {"Ann": DUE, "Bob": LATE}.items():
        folder = workspace.submitted / student / lesson.name
        folder.mkdir(parents=True)
        (folder / "double.ipynb").write_bytes(lesson.lesson_path.read_bytes())
        (folder / "timestamp.txt").write_text(when)
    return workspace


def configure(workspace, *lines):
    path = workspace.root / CONFIG_NAME
    ours = path.read_text().splitlines()[0]
    path.write_text("\n".join([ours, "c = get_config()", *lines]) + "\n")


def scores(workspace, lesson, spec):
    _, skipped = run(workspace, lesson, spec, grade=half_marks, executor=ThreadPoolExecutor)
    return {name: score for name, (score, _) in database.standings(workspace, spec).items()}, skipped


def test_a_workspace_of_the_first_edition_works_as_it_is(late_class, lesson, spec, released):
    """Its line of configuration, as it was then, names us by a name that stays."""
    path = late_class.root / CONFIG_NAME
    line = (
        "from autograder.nbgrader_config import configure; "
        f"configure(get_config(), course={str(released)!r}, workspace={str(late_class.root)!r})\n"
    )
    path.write_text(line)
    config = instructors_config(late_class)
    assert config.CourseDirectory.course_id == database.COURSE_ID
    for name in config.Autograde.autograde_preprocessors:
        assert import_item(name)
    for name in (config.Autograde.exporter_class, config.GenerateFeedback.exporter_class):
        assert import_item(name)
    assert scores(late_class, lesson, spec)[0] == {"Ann": 2.5, "Bob": 2.5}


def directories(folder):
    """What nbgrader is told when it is started in a workspace: its root, and where submissions are graded."""
    config = instructors_config(Workspace(folder))
    return config.CourseDirectory.root, config.GradeInSandbox.workspace


@pytest.mark.parametrize("edition", ["first", "second"])
def test_a_copy_of_a_workspace_never_writes_to_the_original(late_class, released, tmp_path, edition):
    """Once the file held a line of the instructor's, the absolute path in ours was never changed again."""
    path, own = late_class.root / CONFIG_NAME, "c.LateSubmissionPlugin.penalty_method = 'zero'\n"
    if edition == "first":
        path.write_text(
            "from autograder.nbgrader_config import configure; "
            f"configure(get_config(), course={str(released)!r}, workspace={str(late_class.root)!r})\n"
        )
    path.write_text(f"{path.read_text()}c = get_config()\n{own}")
    assert directories(late_class.root) == (str(late_class.root),) * 2
    copy = shutil.copytree(late_class.root, tmp_path / "copy")
    if edition == "first":
        prepare_workspace(copy, released)  # as every command of ours does
    assert directories(copy) == (str(copy),) * 2
    assert (
        own in (copy / CONFIG_NAME).read_text() and instructors_config(Workspace(copy)).LateSubmissionPlugin
    )
    assert str(late_class.root) not in (copy / CONFIG_NAME).read_text()


def test_a_course_that_is_copied_with_its_workspace_is_a_course_of_its_own(released, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    shutil.copytree(released, first)
    prepare_workspace(first / "classroom", first)
    shutil.copytree(first, second)
    assert directories(second / "classroom") == (str(second / "classroom"),) * 2
    assert course_of(second / "classroom") == second
    config = instructors_config(Workspace(second / "classroom"))
    assert config.GradeInSandbox.lessons == str(second / "lessons")


def test_without_a_rule_lateness_costs_nothing(late_class, lesson, spec):
    assert scores(late_class, lesson, spec) == ({"Ann": 2.5, "Bob": 2.5}, [])


def test_a_rule_that_comes_and_goes_is_applied_without_grading_again(late_class, lesson, spec):
    configure(late_class, "c.LateSubmissionPlugin.penalty_method = 'zero'")
    assert scores(late_class, lesson, spec) == ({"Ann": 2.5, "Bob": 0}, [])
    configure(late_class)
    assert scores(late_class, lesson, spec) == ({"Ann": 2.5, "Bob": 2.5}, ["Ann", "Bob"])
    configure(late_class, "c.LateSubmissionPlugin.penalty_method = 'zero'")
    assert scores(late_class, lesson, spec) == ({"Ann": 2.5, "Bob": 0}, ["Ann", "Bob"])


def test_a_rule_of_the_instructors_own_lies_beside_the_configuration(late_class, lesson, spec):
    (late_class.root / "hours_of_lateness.py").write_text(AN_HOUR_COSTS_HALF_A_POINT)
    configure(late_class, "c.AssignLatePenalties.plugin_class = 'hours_of_lateness.ByTheHour'")
    assert scores(late_class, lesson, spec)[0] == {"Ann": 2.5, "Bob": 1}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("c.LateSubmissionPlugin.penalty_method = 'half'", "penalty for late work .* cannot be used"),
        ("c.AssignLatePenalties.plugin_class = 'no_such_module.Plugin'", "penalty for late work"),
        ("c.LateSubmissionPlugin.penalty_method = zero", r"nbgrader_config.py cannot be read \(NameError"),
        ("import sys; sys.exit(3)", r"cannot be read \(SystemExit"),
    ],
)
def test_a_mistake_in_the_configuration_is_one_sentence(late_class, lesson, spec, line, says):
    configure(late_class, line)
    with pytest.raises(CourseError, match=says):
        scores(late_class, lesson, spec)


def test_a_configuration_in_jupyters_own_folder_counts_and_the_workspaces_wins(
    workspace, tmp_path, monkeypatch
):
    folder = tmp_path / "jupyter"
    folder.mkdir()
    text = "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\nc.Execute.timeout = 70\n"
    (folder / CONFIG_NAME).write_text(text)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(folder))
    configure(workspace, "c.Execute.timeout = 80")
    config = instructors_config(workspace)
    assert config.LateSubmissionPlugin.penalty_method == "zero" and config.Execute.timeout == 80
    assert config.GradeInSandbox.workspace == str(workspace.root)


@pytest.mark.parametrize(("seconds", "cell", "whole"), [(2, 2, 180), ("45", 45, 180), (400, 400, 400)])
def test_nbgraders_time_for_a_cell_is_ours_too(seconds, cell, whole):
    limits = limits_of(Config(Execute={"timeout": seconds}))
    assert (limits.cell_seconds, limits.call_seconds, limits.notebook_seconds) == (cell, cell, whole)


@pytest.mark.parametrize("seconds", [None, 0, -1, "None", float("inf"), float("nan"), [3]])
def test_grading_never_goes_without_a_limit(seconds):
    assert limits_of(Config(Execute={"timeout": seconds})) == limits_of(Config()) == Limits()
