"""What is written to the gradebook: in one go or not at all, and a new one without starting Alembic."""

import gc
import os
import sqlite3
from contextlib import closing

import nbgrader.api
import pytest

from autograder.course.places import Workspace
from autograder.gradebook import database, revision
from autograder.intake.contents.rescue import untouched
from tests.autograder.small_lesson import lesson


@pytest.fixture
def spec():
    return lesson()


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


def test_the_newest_revision_is_the_one_that_alembic_names():
    assert revision.newest() == nbgrader.api.get_alembic_version()


def test_a_new_gradebook_names_it_and_starts_no_process(workspace, spec, monkeypatch):
    monkeypatch.setattr(nbgrader.api.sp, "check_output", lambda *_: pytest.fail("Alembic was started"))
    with database.sole_writer(workspace):
        database.register(workspace, spec)
    with closing(sqlite3.connect(workspace.gradebook)) as found:
        assert found.execute("SELECT version_num FROM alembic_version").fetchall() == [(revision.newest(),)]


@pytest.mark.parametrize(
    "scripts",
    [
        {},
        {"a": "revision = 'a'\ndown_revision = None\n", "b": "revision = 'b'\ndown_revision = None\n"},
        {"a": "revision = 'a'\ndown_revision = 'elsewhere'\n"},
        {"a": "revision = 'a'\ndown_revision = before()\n"},
        {"a": "revision = 'a\n"},
    ],
)
def test_what_cannot_be_read_for_sure_is_left_to_alembic(tmp_path, scripts, monkeypatch):
    for name, text in scripts.items():
        (tmp_path / f"{name}.py").write_text(text)
    assert revision.newest(tmp_path) is None
    monkeypatch.setattr(revision, "newest", lambda: None)
    monkeypatch.setattr(nbgrader.api, "get_alembic_version", lambda: "what Alembic says")
    with revision.quickly_found():
        assert nbgrader.api.get_alembic_version() == "what Alembic says"


def test_a_row_of_which_something_cannot_be_written_is_not_begun(workspace, spec, monkeypatch):
    def rows():
        with closing(sqlite3.connect(workspace.gradebook)) as found:
            tables = ("student", "submitted_assignment", "grade", "comment")
            return {name: found.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}

    with database.sole_writer(workspace):
        database.register(workspace, spec)
        before = rows()
        with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
            broken.setattr(database, "_penalise", lambda *_: 1 / 0)  # the last step
            database.record(workspace, spec, "ada", untouched(spec))
        assert rows() == before
        database.record(workspace, spec, "ada", untouched(spec))
        assert rows()["student"] == 1 and set(database.standings(workspace, spec)) == {"ada"}


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the system does not tell what is open")
def test_a_gradebook_is_closed_after_each_row_and_not_by_the_garbage_collector(workspace, spec):
    def opened():
        links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
        return [link for link in links if os.path.realpath(link) == os.path.realpath(workspace.gradebook)]

    gc.disable()
    try:
        with database.sole_writer(workspace):
            database.register(workspace, spec)
            assert opened() == []
            database.record(workspace, spec, "ada", untouched(spec))
            assert opened() == []
    finally:
        gc.enable()
