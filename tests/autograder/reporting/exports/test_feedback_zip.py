"""Moodle takes the pages back: each lies under its student's number, and who has none there is named."""

import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.classroom.runner import run
from autograder.course.places import CourseError
from autograder.gradebook.results import feedback_path
from autograder.intake.collect import collect
from autograder.reporting.exports.files import export
from tests.autograder.standins import half_marks


def moodles_reading(name, participants):
    """Whose file this is and what it is called, by the rule of Moodle's importer since 4.1, or None."""
    parts = name.split("/")
    for at, part in enumerate(parts):
        words = part.split("_", 4)
        if len(words) < 4 or not words[1].isdigit() or int(words[1]) not in participants:
            continue
        if words[2:4] in (["assignsubmission", "file"], ["assignfeedback", "file"]):
            return int(words[1]), "/".join([*words[4:], *parts[at + 1 :]]).lstrip("/")
    return None


@pytest.fixture
def moodles(workspace, lesson, spec, tmp_path):
    with zipfile.ZipFile(tmp_path / "moodle.zip", "w") as file:
        for name in (
            "Ann Lee_11_assignsubmission_file_",
            "Ann Lee_12_assignsubmission_file_",
            "Bo_13_assignsubmission_file",
        ):
            file.writestr(f"{name}/double.ipynb", lesson.lesson_path.read_bytes())
    collect(tmp_path / "moodle.zip", workspace, lesson, spec)
    other = workspace.submitted / "Cem" / lesson.name / "double.ipynb"
    other.parent.mkdir(parents=True)
    other.write_bytes(lesson.lesson_path.read_bytes())
    run(workspace, lesson, spec, grade=half_marks, executor=ThreadPoolExecutor)
    for student in ("Ann Lee_11", "Ann Lee_12", "Cem"):
        page = feedback_path(workspace, spec, student)
        page.parent.mkdir(parents=True)
        page.write_text(f"the page of {student}")
    return workspace


def test_each_page_goes_to_its_own_student(moodles, lesson, spec):
    path, count, notes = export(moodles, lesson, spec, "moodle-feedback")
    assert path.suffix == ".zip" and count == 2
    with zipfile.ZipFile(path) as archive:
        found = {
            moodles_reading(name, {11, 12, 13}): archive.read(name).decode() for name in archive.namelist()
        }
    assert found == {
        (11, "01-double-feedback.html"): "the page of Ann Lee_11",
        (12, "01-double-feedback.html"): "the page of Ann Lee_12",
    }
    assert any("1 were not collected from Moodle" in note and "Cem" in note for note in notes)
    assert any("1 have no feedback page yet" in note and "Bo" in note for note in notes)
    again, _, _ = export(moodles, lesson, spec, "moodle-feedback", path.with_name("again.zip"))
    assert again.read_bytes() == path.read_bytes()


def test_where_there_is_no_page_or_no_number_nothing_is_written(moodles, lesson, spec):
    for student in ("Ann Lee_11", "Ann Lee_12"):
        feedback_path(moodles, spec, student).unlink()
    with pytest.raises(CourseError, match="There is no page to put into the zip"):
        export(moodles, lesson, spec, "moodle-feedback")
    assert not list(moodles.reports.glob("*.zip"))
