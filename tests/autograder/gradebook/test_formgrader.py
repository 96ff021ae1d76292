"""nbgrader's formgrader on what we grade: a real server on loopback, asked what its pages' buttons ask.

The button grades in our sandbox; a person then grades the written answer and comments; grading again keeps
both; feedback is generated and released by nbgrader, and says what ours says.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.course.places import all_lessons
from autograder.course.release import release
from autograder.course.solutions import tidy
from autograder.course.spec import read_spec
from autograder.gradebook import database
from autograder.gradebook.configuration import CONFIG_NAME, prepare_workspace
from autograder.gradebook.feedback import META, write_feedback
from autograder.gradebook.results import read_result
from tests.autograder.browser import Browser
from tests.autograder.conftest import solution_notebook
from tests.autograder.marking.test_marking_page import Person
from tests.autograder.waiting import FOR_EVER, wait_until

TOKEN = "a-token-for-this-test"
DUE, LATE = "2026-02-03 12:00:00 UTC", "2026-02-04 12:00:00 UTC"
NOTEBOOK, LESSON = "double", "01-double"


class Formgrader:
    """A Jupyter server with the formgrader, standing in a workspace."""

    def __init__(self, workspace, folder):
        places = ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "HOME")
        environment = {**os.environ, **{name: str(folder / name.lower()) for name in places}}
        environment["JUPYTER_NO_CONFIG"] = "1"
        self.log = open(folder / "server.log", "w+")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": port,
            "ServerApp.root_dir": workspace.root,
            "ServerApp.jpserver_extensions": {"nbgrader.server_extensions.formgrader": True},
            "ServerApp.open_browser": False,
            "ServerApp.allow_root": True,
            "IdentityProvider.token": TOKEN,
        }
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyter",
                "server",
                *(f"--{name}={one}" for name, one in options.items()),
            ],
            cwd=workspace.root,
            env=environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.url = f"http://127.0.0.1:{port}/formgrader"
        wait_until(self.answers)

    def answers(self):
        """Whether the server can be talked to; it must not have ended."""
        assert self.process.poll() is None, self.said()
        with contextlib.suppress(urllib.error.URLError):
            return self.ask("api/status") == {"status": True}

    def said(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def ask(self, path, method="GET", data=None):
        """What the server answers: JSON as data, a page as text."""
        request = urllib.request.Request(
            f"{self.url}/{path}",
            method=method,
            data=None if method == "GET" else json.dumps(data or {}).encode(),
            headers={"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=FOR_EVER) as response:
                text = response.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error}\n{self.said()[-3000:]}") from None
        return json.loads(text) if text[:1] in "[{" else text

    def autograde(self, student):
        done = self.ask(f"api/submission/{LESSON}/{student}/autograde", "POST")
        assert done["success"], done
        return self.ask(f"api/submission/{LESSON}/{student}")

    def notebook_id(self, student):
        rows = self.ask(f"api/submitted_notebooks/{LESSON}/{NOTEBOOK}")
        return next(row["id"] for row in rows if row["student"] == student)

    def mark(self, student, name, **values):
        """Give points by hand, as the formgrader's boxes do."""
        grades = self.ask(f"api/grades?submission_id={self.notebook_id(student)}")
        (grade,) = [one for one in grades if one["name"] == name]
        return self.ask(f"api/grade/{grade['id']}", "PUT", values)

    def comment(self, student, name, text):
        comments = self.ask(f"api/comments?submission_id={self.notebook_id(student)}")
        (comment,) = [one for one in comments if one["name"] == name]
        return self.ask(f"api/comment/{comment['id']}", "PUT", {"manual_comment": text})

    def close(self):
        self.process.terminate()
        self.process.wait(FOR_EVER)
        self.log.close()


def hand_in(workspace, lesson, student, answer, double="return x + x", when=None):
    notebook = nbformat.read(lesson.lesson_path, as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    cells["double"].source = f"def double(x):\n    {double}"
    cells["triple"].source = "def triple(x):\n    return double(x) + x"
    cells["written"].source = answer
    folder = workspace.submitted / student / lesson.name
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{NOTEBOOK}.ipynb")
    if when:
        (folder / "timestamp.txt").write_text(when)
        (folder / "submission_secret.txt").write_text(f"a secret of {student}'s")


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """A lesson whose tests are plain ones, worth three and two points, and a written answer worth two."""
    root = tmp_path_factory.mktemp("course")
    notebook = solution_notebook()
    for cell in notebook.cells:
        if cell.source.startswith("check("):
            name = cell.source.split("(")[1].split(",")[0]
            cell.source = f"assert {name}(7) == {dict(double=14, triple=21)[name]}"
    (root / "solutions" / LESSON).mkdir(parents=True)
    nbformat.write(notebook, root / "solutions" / LESSON / f"{NOTEBOOK}.ipynb")
    tidy(root)
    release(root)
    return all_lessons(root)[0]


@pytest.fixture(scope="module")
def spec_of_lesson(lesson):
    return read_spec(lesson.lesson_path)


@pytest.fixture(scope="module")
def room(lesson, spec_of_lesson, empty_gradebook, tmp_path_factory):
    """A workspace in which late work gets nothing and Ann, Bob (late) and Cem have handed in."""
    room = prepare_workspace(tmp_path_factory.mktemp("classroom"), lesson.course)
    shutil.copy(empty_gradebook, room.gradebook)
    line = "get_config().LateSubmissionPlugin.penalty_method = 'zero'\n"
    exchange = f"get_config().Exchange.root = {str(room.root / 'exchange')!r}\n"
    with open(room.root / CONFIG_NAME, "a") as file:
        file.write(line + exchange)
    (room.root / "exchange").mkdir()
    (room.root / "exchange").chmod(0o777)  # nbgrader asks for it
    database.register(room, spec_of_lesson)
    hand_in(room, lesson, "Ann", "Addition, as in 1 + 1.")
    hand_in(room, lesson, "Bob", "Addition.", when=LATE)
    hand_in(room, lesson, "Cem", "I do not know.", double="return x")
    return room


@pytest.fixture(scope="module")
def formgrader(room, tmp_path_factory):
    server = Formgrader(room, tmp_path_factory.mktemp("server"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def graded(formgrader):
    """Everyone, graded with the button."""
    formgrader.ask(
        f"api/assignment/{LESSON}", "PUT", {"duedate_notimezone": DUE[:19], "duedate_timezone": "UTC"}
    )
    return {student: formgrader.autograde(student) for student in ("Ann", "Bob", "Cem")}


def test_the_button_gives_our_grade(graded, room, spec_of_lesson):
    scores = {
        name: (row["score"], row["max_score"], row["needs_manual_grade"]) for name, row in graded.items()
    }
    assert scores["Ann"] == (5, 7, True)
    assert scores["Cem"][:2] == (0, 7)  # twice nothing is nothing, and triple builds on it
    for student in graded:
        result = read_result(room, spec_of_lesson, student)
        assert result["status"] == "graded" and result["provenance"]["sandbox"]
    assert read_result(room, spec_of_lesson, "Ann")["score"] == 5


def test_late_work_is_charged_as_the_instructor_says(graded, room, spec_of_lesson):
    assert database.standings(room, spec_of_lesson)["Bob"][0] == 0
    with Gradebook(room.db_url, database.COURSE_ID) as book:
        assert book.find_submission_notebook(NOTEBOOK, LESSON, "Bob").late_submission_penalty == 5


def test_its_pages_show_what_was_graded(graded, formgrader):
    page = formgrader.ask(f"submissions/{formgrader.notebook_id('Ann')}/")
    words = " ".join(re.sub(r"<[^>]*>", "", page).split())
    assert "Addition, as in 1 + 1." in words and "def double(x): return x + x" in words
    for place in ("manage_assignments", "gradebook", f"gradebook/{LESSON}", "manage_students"):
        assert "formgrader" in formgrader.ask(place).lower()


def test_a_page_shows_the_mark_scheme_and_asks_for_nothing_from_elsewhere(graded, formgrader, tmp_path):
    path = f"submissions/{formgrader.notebook_id('Ann')}/"
    page = formgrader.ask(path)
    answer, scheme = page.index("Addition, as in 1 + 1."), page.index("One mark for saying that addition")
    assert answer < page.index("Mark scheme") < scheme and "added to itself" in page[scheme:]
    assert "cdnjs" not in page and "MathJax" not in page
    browser = Browser(tmp_path / "browser", served=True)
    person = Person(browser, f"{formgrader.url}/{path}?token={TOKEN}")
    wait_until(lambda: person.say("document.querySelectorAll('input.score').length") == 3)
    asked = {urlsplit(one).netloc for one in person.asked() if one.startswith("http")}
    assert asked == {urlsplit(formgrader.url).netloc}
    browser.close()


def test_points_and_comments_by_hand_count_and_survive_grading_again(
    graded, formgrader, room, lesson, spec_of_lesson
):
    formgrader.mark("Ann", "written", manual_score=1.5)
    formgrader.mark("Ann", "triple-check", manual_score=1, extra_credit=0.25)
    formgrader.comment("Ann", "written", "An example would be worth half a point.")
    row = formgrader.ask(f"api/submission/{LESSON}/Ann")
    assert (row["score"], row["needs_manual_grade"]) == (5.75, False)

    again = formgrader.autograde("Ann")
    assert (again["score"], again["needs_manual_grade"]) == (5.75, False)  # nothing is new: nothing waits
    assert database.changed_since_by_hand(room, spec_of_lesson) == {}

    hand_in(room, lesson, "Ann", "Addition, as in 2 + 2.")
    changed = formgrader.autograde("Ann")
    assert (changed["score"], changed["needs_manual_grade"]) == (5.75, True)
    assert database.changed_since_by_hand(room, spec_of_lesson) == {"Ann": ["written"]}
    comments = formgrader.ask(f"api/comments?submission_id={formgrader.notebook_id('Ann')}")
    assert [one["manual_comment"] for one in comments if one["name"] == "written"] == [
        "An example would be worth half a point."
    ]


def test_feedback_is_generated_and_released(graded, formgrader, room, lesson, spec_of_lesson):
    formgrader.comment("Bob", "written", "Look at *addition* <b>again</b>.")
    done = formgrader.ask(f"api/assignment/{LESSON}/Bob/generate_feedback", "POST", {"force": True})
    assert done["success"], done
    path = room.feedback / "Bob" / LESSON / f"{NOTEBOOK}.html"
    theirs = path.read_text()
    assert META in theirs and "<script" not in theirs
    assert "Look at" in theirs and "Addition." in theirs
    write_feedback(room, lesson.course, spec_of_lesson, ["Bob"])
    assert path.read_text() == theirs
    done = formgrader.ask(f"api/assignment/{LESSON}/Bob/release_feedback", "POST")
    assert done["success"], done
    (released,) = (room.root / "exchange" / database.COURSE_ID / "feedback").glob("*.html")
    assert released.read_text() == theirs
