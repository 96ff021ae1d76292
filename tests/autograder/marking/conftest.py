"""A lesson with a mark scheme of two lines, a class that was graded, and the page on which it is marked."""

import asyncio
import json
import shutil
import threading
from types import SimpleNamespace

import nbformat
import pytest

from autograder.course.places import all_lessons
from autograder.course.release import release
from autograder.course.scheme import read_schemes
from autograder.course.solutions import tidy
from autograder.course.spec import read_spec
from autograder.gradebook.configuration import prepare_workspace
from autograder.gradebook.writer import Writer
from autograder.intake.contents.rescue import rescue
from autograder.judging.graded import CellScore, GradedNotebook
from autograder.judging.sanitise import sanitise
from autograder.judging.status import Status
from autograder.judging.submission import told
from autograder.marking.server import Desk, serve
from rnncore.check.verdict import Named, Part, Verdict
from tests.autograder.conftest import solution_notebook
from tests.autograder.waiting import FOR_EVER

SCHEME = """\
### BEGIN SOLUTION
Because $2x = x + x$.
### END SOLUTION
### BEGIN MARK SCHEME
- 1.5 points: addition is enough, since $2x = x + x$.
- 0.5 points: an example.
### END MARK SCHEME"""

PARTS = (Part("y", True), Part("z", False, "is off by 2"))
NAMED = (Named("twice", "this is only *two* times `x`"),)
VERDICT = Verdict("double", 3, 1.0, "partly right", "1 of 2 parts is right.", PARTS, NAMED)


@pytest.fixture(scope="session")
def lesson(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    notebook = solution_notebook()
    notebook.cells[-2].source = "## Think\n\nWhy does this work?"
    notebook.cells[-1].source = SCHEME
    (root / "solutions" / "01-double").mkdir(parents=True)
    nbformat.write(notebook, root / "solutions" / "01-double" / "double.ipynb")
    tidy(root)
    release(root)
    return all_lessons(root)[0]


@pytest.fixture
def desk(lesson, empty_gradebook, tmp_path):
    """The desk of a workspace in which nobody has handed in."""
    room = prepare_workspace(tmp_path / "classroom", lesson.course)
    shutil.copy(empty_gradebook, room.gradebook)
    return Desk(room, read_spec(lesson.lesson_path), read_schemes(lesson))


@pytest.fixture
def hand_in(desk, lesson):
    """Has students' answers handed in and graded: ``hand_in(Ann="Because ...")``; ``code``: their double."""

    def graded(answer, code):
        notebook = nbformat.read(lesson.lesson_path, as_version=4)
        for cell in notebook.cells:
            if cell.id == "written":
                cell.source = answer
            elif cell.id == "double" and code:
                cell.source = code
        rescued = sanitise(rescue(json.dumps(notebook).encode(), desk.spec).notebook, desk.spec)
        tests = [cell for cell in desk.spec.cells if cell.kind == "test"]
        for cell in rescued.cells:
            if cell.id in [test.grade_id for test in tests]:
                data = {"text/plain": "1", "text/html": VERDICT.html()}
                cell.outputs = [nbformat.v4.new_output("execute_result", data)]
        verdict = VERDICT.as_dict()
        scores = {cell.grade_id: CellScore(1.0, cell.points, verdict, 1) for cell in tests}
        made = GradedNotebook(rescued, scores, Status.GRADED, [], 0.1, {"by": "a test"})
        made.notebook.metadata["unrolled"]["graded"] = nbformat.from_dict(told(made, desk.spec))
        return made

    def write(code="", **answers):
        with Writer(desk.workspace, desk.spec) as writer:
            for student, answer in answers.items():
                writer.write(student, None, graded(answer, code), {"submission": answer})

    return write


@pytest.fixture
def served(desk):
    """The desk's server in a thread: ``served.address``."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    shown = SimpleNamespace()

    def run():
        asyncio.set_event_loop(loop)

        async def begin():
            shown.address, shown.server = serve(desk)
            ready.set()

        loop.run_until_complete(begin())
        loop.run_forever()
        shown.server.stop()
        loop.run_until_complete(shown.server.close_all_connections())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(FOR_EVER)
    yield shown
    loop.call_soon_threadsafe(loop.stop)
    thread.join(FOR_EVER)
