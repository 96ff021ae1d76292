"""The lessons in a browser: what is built, and a lesson worked on in it where there is a Pyodide with NumPy.

PYODIDE names the folder of one, as for `make lite`; the last tests are skipped without.
"""

import functools
import http.server
import importlib.util
import json
import os
import threading
from pathlib import Path

import nbformat
import pytest

from autograder.course.places import all_lessons
from autograder.course.spec import read_spec
from autograder.intake.contents.rescue import rescue
from tests.autograder.browser import Browser
from tests.test_site import WITH_TORCH, Tab
from tools.lite.__main__ import NEEDED, PUBLIC, build
from tools.lite.stage import browser_copy
from tools.repository import ROOT

LESSONS = all_lessons(ROOT)


@pytest.fixture(scope="module")
def pyodide():
    """The folder of a Pyodide with NumPy, or None."""
    folder = Path(os.environ.get("PYODIDE") or "nowhere")
    return folder.resolve() if any(folder.glob("numpy-*wasm32.whl")) else None


@pytest.fixture(scope="module")
def site(tmp_path_factory, pyodide):
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"it needs {', '.join(missing)}, which are not installed here")
    folder = tmp_path_factory.mktemp("lite") / "site"
    build(folder, str(pyodide or PUBLIC))
    return folder


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_below_its_first_code_each_lesson_says_what_is_different_and_all_else_is_the_same(lesson):
    copy = nbformat.reads(browser_copy(lesson), as_version=4)
    nbformat.validate(copy)
    release = nbformat.read(lesson.lesson_path, as_version=4)
    first = next(cell for cell in copy.cells if cell.cell_type == "code")
    (said,) = first.outputs
    assert "\n" not in said.data["text/markdown"]  # which JupyterLite would show as a comma
    assert ("needs PyTorch" in said.data["text/markdown"]) == (lesson.name in WITH_TORCH)
    assert ("You are in a browser" in said.data["text/markdown"]) == (lesson.name not in WITH_TORCH)
    first.outputs = []
    assert copy == release


def test_what_is_built_is_the_lessons_our_wheel_and_one_kernel(site, pyodide):
    data = json.loads((site / "jupyter-lite.json").read_text())["jupyter-config-data"]
    assert [one["name"] for one in data["federated_extensions"]] == ["@jupyterlite/pyodide-kernel-extension"]
    (kernel,) = (one for name, one in data["litePluginSettings"].items() if name.endswith(":kernel"))
    assert kernel["disablePyPIFallback"] is True
    assert kernel["pyodideUrl"] == ("./static/pyodide/pyodide.js" if pyodide else f"{PUBLIC}pyodide.js")
    named = {Path(one).name for one in kernel["loadPyodideOptions"]["packages"] if one.endswith(".whl")}
    assert {name.split("-")[0] for name in named} == {"unrolled", "tqdm"}
    assert all((site / "wheels" / name).is_file() for name in named)
    copies = {path.relative_to(site / "files").as_posix() for path in (site / "files").rglob("*.ipynb")}
    assert copies == {f"{lesson.name}/{lesson.notebook}.ipynb" for lesson in LESSONS}
    assert "BEGIN SOLUTION" not in "".join(path.read_text() for path in (site / "files").rglob("*.ipynb"))


def test_what_is_in_the_way_is_one_sentence(tmp_path):
    (tmp_path / "thesis").mkdir()
    with pytest.raises(SystemExit, match="holds something else"):
        build(tmp_path / "thesis", PUBLIC)
    with pytest.raises(SystemExit, match="holds no Pyodide"):
        build(tmp_path / "new", str(tmp_path / "thesis"))


class Lite(Tab):
    """A notebook open in JupyterLite, driven as its own menus drive it."""

    WIDGET = "jupyterapp.shell.currentWidget"

    def wait(self, expression):
        """Wait until an expression of the page's is true."""
        look = f"let is = false; try {{ is = {expression} }} catch {{}}; is ? done(1) : setTimeout(look, 100)"
        self.say(f"new Promise(done => {{ const look = () => {{ {look} }}; look() }})")

    def start(self, address):
        self.browser.events.clear()
        self.browser.tell("Page.navigate", self.session, url=address)
        self.browser._until("Page.loadEventFired")
        self.wait(f"{self.WIDGET}.sessionContext.session.kernel.status === 'idle'")

    def run(self, begins, source=None):
        """Run the first code cell that begins so, perhaps with other text in it; what it then shows."""
        find = f"[...{self.WIDGET}.content.model.cells].findIndex(one => one.type === 'code' && "
        find += f"one.sharedModel.source.startsWith({json.dumps(begins)}))"
        self.say(f"{self.WIDGET}.content.activeCellIndex = {find}")
        cell = f"{self.WIDGET}.content.activeCell.model"
        if source is not None:
            self.say(f"{cell}.sharedModel.setSource({json.dumps(source)})")
        self.say(
            "window.ran = 0; jupyterapp.commands.execute('notebook:run-cell').then(() => window.ran = 1); 1"
        )
        self.wait("window.ran")
        return self.say(f"JSON.stringify({cell}.outputs.toJSON())")


@pytest.fixture
def lesson_02(site, pyodide, tmp_path):
    """Lesson 02, open in a browser, its kernel ready."""
    if pyodide is None:
        pytest.skip("there is no Pyodide with NumPy here: PYODIDE names the folder of one")
    handler = functools.partial(Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = Browser(tmp_path / "browser", served=True)
        tab = Lite(browser, 1200)
        tab.start(
            f"http://127.0.0.1:{server.server_port}/notebooks/index.html?path=02-rnn-cell/rnn-cell.ipynb"
        )
        yield tab
        browser.close()
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


WRONG = "def sigmoid(x):\n    return 1 / (1 + np.exp(x))"
RIGHT = "def sigmoid(x):\n    return (1 + np.tanh(x / 2)) / 2"


def test_a_lesson_is_worked_on_in_the_browser_and_handed_in(lesson_02):
    assert "slower than on your own machine. The first cell" in lesson_02.say("document.body.innerText")
    assert '"error"' not in lesson_02.run("import numpy as np")
    assert "image/png" in lesson_02.run("plots.unrolled_graph")
    lesson_02.run("def sigmoid")
    assert "0 of 2 points. Not written yet." in lesson_02.run("check(sigmoid")
    lesson_02.run("def sigmoid", WRONG)
    shown = lesson_02.run("check(sigmoid")
    assert "2 of 2 points" not in shown and "The curve runs downhill" in shown
    lesson_02.run("def sigmoid", RIGHT)
    assert "2 of 2 points. Right, on inputs drawn just now." in lesson_02.run("check(sigmoid")
    raw = lesson_02.say(f"JSON.stringify({lesson_02.WIDGET}.content.model.toJSON())").encode()
    (lesson,) = [one for one in LESSONS if one.name == "02-rnn-cell"]
    came = rescue(raw, read_spec(lesson.lesson_path))
    assert {cell.id: cell.source for cell in came.notebook.cells}["sigmoid"] == RIGHT
    assert came.remarks == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_copy_is_handed_in_like_any_other(lesson):
    came = rescue(browser_copy(lesson).encode(), read_spec(lesson.lesson_path))
    assert came.remarks == []
