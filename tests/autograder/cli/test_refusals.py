"""What the machine refuses, a full disk, a damaged gradebook: one sentence, and what is done is kept."""

import contextlib
import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy
from nbconvert.writers import FilesWriter
from nbgrader.api import InvalidEntry
from typer import Exit
from typer.testing import CliRunner

from autograder.classroom import runner
from autograder.cli import commands
from autograder.cli.common import plainly
from autograder.course.places import all_lessons
from autograder.gradebook.plugin import SaveGrades
from autograder.judging import submission
from autograder.judging.submission import fault_of_ours
from tests.autograder.standins import half_marks

STUDENTS = ("Ann", "Bob", "Cem")


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    """Grading by a stand-in, in this process."""
    graded = partial(runner.run, grade=half_marks, executor=ThreadPoolExecutor)
    monkeypatch.setattr(runner, "run", lambda *words, **options: graded(*words, **{**options, "workers": 1}))


@pytest.fixture
def room(released, workspace):
    lesson = all_lessons(released)[0]
    for student in STUDENTS:
        path = workspace.submitted / student / lesson.name / "double.ipynb"
        path.parent.mkdir(parents=True)
        shutil.copy(lesson.lesson_path, path)
    return workspace


@pytest.fixture
def unrolled(released, room):
    def call(command, *words):
        told = [command, "01", *words, "--course", released, "-w", room.root]
        return CliRunner().invoke(commands.app, [str(word) for word in told])

    return call


def refused(result, *says):
    """One sentence on stderr that says these things, and exit status 1."""
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.exception
    (line,) = result.stderr.strip().splitlines()
    for text in says:
        assert text in line


def graded(room):
    return {path.stem for path in (room.results / "01-double").glob("*.json")}


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def full_for(part, fits=0):
    """``Path.write_bytes`` on a disk that takes so many files with this in their path, and then no more."""
    write, left = Path.write_bytes, [None] * fits

    def written(path, data):
        if part in str(path):
            if not left:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # writing names no file
            left.pop()
        return write(path, data)

    return written


@pytest.mark.parametrize(
    ("part", "fits", "kept"), [("autograded/", 1, 1), ("results/", 0, 0), ("results/", 2, 2)]
)
def test_grading_on_a_full_disk(unrolled, room, monkeypatch, part, fits, kept):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full_for(part, fits))
        refused(unrolled("grade"), "The disk is full", f"{room.root}/{part}", "What was finished is kept")
    assert len(graded(room)) == kept
    assert not list(room.root.rglob("*.part"))
    again = unrolled("grade")
    assert again.exit_code == 0 and graded(room) == set(STUDENTS), again.output


@pytest.mark.parametrize(
    ("part", "fits", "told"),
    [("autograded/", 1, 1), ("results/", 1, 1), ("watched/", 1, 2), ("feedback/", 0, 0), ("feedback/", 1, 1)],
)
def test_watching_on_a_full_disk(unrolled, room, monkeypatch, part, fits, told):
    """Whose page is there was graded, counted or not; the others are graded, or told, when there is room."""
    watch = ("watch", "--once", "--unsafe-no-sandbox")
    write = FilesWriter.write
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full_for(part, fits))
        left = [None] * fits

        def page(self, output, resources, **words):
            if part == "feedback/" and not left:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), f"{room.root}/feedback/")
            left[:1] = []
            return write(self, output, resources, **words)

        patch.setattr(FilesWriter, "write", page)
        refused(unrolled(*watch), "The disk is full", f"{room.root}/", part, "What was finished is kept")
    before = files(room.feedback)
    assert len([path for path in before if path.suffix == ".html"]) == told
    assert not list(room.root.rglob("*.part")) and not list(room.root.glob(".feedback-*"))
    again = unrolled(*watch)
    assert again.exit_code == 0 and "Nothing more to grade" in again.stdout, again.output
    assert graded(room) == set(STUDENTS)
    after = files(room.feedback)
    assert before.items() <= after.items()
    assert len([path for path in after if path.suffix == ".html"]) == len(STUDENTS)


def test_watching_once_with_a_gradebook_on_a_full_disk_does_not_say_that_all_is_done(unrolled, monkeypatch):
    def full(self, notebook, resources):
        raise sqlalchemy.exc.OperationalError("INSERT", {}, FULL)

    monkeypatch.setattr(SaveGrades, "preprocess", full)
    said = unrolled("watch", "--once", "--unsafe-no-sandbox")
    refused(said, "because the disk is full", "what was finished is kept")
    assert "Nothing more" not in said.stdout


def test_a_course_secret_is_whole_or_not_there(unrolled, room, monkeypatch):
    def opened(descriptor, mode):
        os.close(descriptor)
        return open("/dev/full", "wb")

    with monkeypatch.context() as patch:
        patch.setattr("autograder.course.places.os.fdopen", opened)
        refused(unrolled("grade"), "The disk is full")
    assert unrolled("grade").exit_code == 0


def test_feedback_on_a_full_disk_keeps_the_pages_of_before(unrolled, room, monkeypatch):
    assert unrolled("grade").exit_code == 0 and unrolled("feedback").exit_code == 0
    before, write = files(room.feedback), FilesWriter.write
    assert len(before) >= len(STUDENTS)

    def full(self, output, resources, **words):
        if "Bob" in self.build_directory:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.build_directory)
        return write(self, output, resources, **words)

    with monkeypatch.context() as patch:
        patch.setattr(FilesWriter, "write", full)
        refused(unrolled("feedback"), "The disk is full", "Bob")
    assert files(room.feedback).keys() == before.keys()
    assert not list(room.root.glob(".feedback-*"))


def test_report_and_collect_on_a_full_disk(unrolled, room, monkeypatch, tmp_path, released):
    assert unrolled("grade").exit_code == 0
    source = tmp_path / "handed-in"
    source.mkdir()
    shutil.copy(all_lessons(released)[0].solution_path, source / "Dee.ipynb")
    before = files(room.submitted)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full_for("classroom"))
        refused(unrolled("report"), "The disk is full", "01-double.html")
        collected = unrolled("collect", source)
    refused(collected, "No space left on device")
    assert files(room.submitted) == before
    assert unrolled("collect", source).exit_code == 0 and (room.submitted / "Dee").is_dir()


def test_what_may_not_be_used_is_named(capsys):
    def command():
        raise PermissionError(errno.EACCES, "Permission denied", "/some/where")

    with pytest.raises(Exit):
        plainly(command)()
    assert "/some/where could not be used (Permission denied)" in capsys.readouterr().err


def test_no_room_for_temporary_files(capsys, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/dev/full"])
    with pytest.raises(Exit):
        plainly(tempfile.gettempdir)()
    assert "make room in /tmp, or name another folder in TMPDIR." in capsys.readouterr().err


def test_checking_a_notebook_exits_with_1_where_grading_fails(released, monkeypatch):
    failed = partial(fault_of_ours, remark="No space left on device")
    monkeypatch.setattr(submission, "grade_task", lambda task: failed(task.spec))
    done = CliRunner().invoke(
        commands.app, ["check", str(all_lessons(released)[0].lesson_path), "--course", str(released)]
    )
    refused(done, "The grader itself failed for you; run the command again.")
    assert "No space left on device" in done.stdout


# The gradebook


@pytest.fixture
def on_connect():
    """Have every connection to a gradebook begin with a statement."""
    listeners = []

    def begin(statement):
        def listener(connection, record):
            connection.execute(statement)

        sqlalchemy.event.listen(sqlalchemy.engine.Engine, "connect", listener)
        listeners.append(listener)

    yield begin
    for listener in listeners:
        sqlalchemy.event.remove(sqlalchemy.engine.Engine, "connect", listener)


FULL = sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize(
    "error",
    [
        sqlalchemy.exc.OperationalError("INSERT", {}, FULL),
        InvalidEntry(f"(sqlite3.OperationalError) {FULL}"),  # as nbgrader hands it on
    ],
)
def test_a_gradebook_on_a_full_disk(unrolled, room, monkeypatch, error):
    save, saved = SaveGrades.preprocess, []

    def full(self, notebook, resources):
        saved.append(resources["nbgrader"]["student"])
        if len(saved) == 2:
            raise error
        return save(self, notebook, resources)

    with monkeypatch.context() as patch:
        patch.setattr(SaveGrades, "preprocess", full)
        refused(
            unrolled("grade"), str(room.gradebook), "because the disk is full", "what was finished is kept"
        )
    assert graded(room) == set(saved[:1])
    assert unrolled("grade").exit_code == 0 and graded(room) == set(STUDENTS)


def test_a_gradebook_that_may_only_be_read(unrolled, room, on_connect):
    on_connect("PRAGMA query_only = ON")
    refused(unrolled("grade"), str(room.gradebook), "is read-only")


def test_a_gradebook_in_a_folder_that_takes_no_other_file(unrolled, room, monkeypatch):
    error = sqlite3.OperationalError("unable to open database file")  # no number is left for its journal

    def full(self, notebook, resources):
        raise sqlalchemy.exc.OperationalError("INSERT", {}, error)

    monkeypatch.setattr(SaveGrades, "preprocess", full)
    refused(unrolled("grade"), str(room.gradebook), "cannot be opened", "room for another file")


def test_a_gradebook_that_is_in_use(unrolled, room, on_connect):
    assert unrolled("grade").exit_code == 0
    on_connect("PRAGMA busy_timeout = 1")
    with contextlib.closing(sqlite3.connect(room.gradebook)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for words in (["grade", "--force"], ["feedback"], ["report"], ["export"]):
            refused(unrolled(*words), str(room.gradebook), "is in use by another program")
        other.rollback()
    assert unrolled("grade").exit_code == 0


def test_a_damaged_gradebook(unrolled, room):
    assert unrolled("grade").exit_code == 0
    with open(room.gradebook, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(4096)
        file.write(b"\xab" * (size - 4096))
    for words in (["grade", "--force"], ["report"], ["feedback"], ["export"]):
        refused(unrolled(*words), str(room.gradebook), "is damaged")


def test_a_gradebook_of_another_version_of_nbgrader(unrolled, room):
    """What the sentence tells one to do mends it."""
    with contextlib.closing(sqlite3.connect(room.gradebook)) as book, book:
        book.execute("ALTER TABLE student DROP COLUMN lms_user_id")
        book.execute("UPDATE alembic_version SET version_num = '167914646830'")
    refused(unrolled("grade"), str(room.gradebook), "another version of nbgrader", "`nbgrader db upgrade`")
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "db", "upgrade"], cwd=room.root, check=True, capture_output=True
    )
    assert unrolled("grade").exit_code == 0 and graded(room) == set(STUDENTS)
