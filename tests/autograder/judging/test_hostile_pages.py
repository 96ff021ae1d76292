"""A hostile notebook's feedback page and its class's report, in a real browser: nothing ran, nothing left.

The same notebook as nbconvert alone shows it is the control: there, scripts run and requests leave. Our
pages are also looked at without their content-security policy, which is the second line, not the first.
"""

import json

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.course.places import Workspace
from autograder.gradebook import database
from autograder.gradebook.feedback import META, write_feedback
from autograder.intake.contents.rescue import rescue
from autograder.judging.sanitise import sanitise
from autograder.reporting.grades import Grade
from autograder.reporting.report import page
from autograder.reporting.sheet import POLICY
from tests.autograder.browser import Browser
from tests.autograder.judging.test_sanitise import ATTACKS, DOT

FAR = "http://evil.example"
LIVE = [attack.replace("alert(1)", "ran(1)").replace("//evil", FAR) for attack in ATTACKS]
LIVE += [
    f"<img src={FAR}/picture.png>",
    f"<style>@import url({FAR}/style.css); @font-face {{font-family: x; src: url({FAR}/font.woff)}}</style>"
    "<b style='font-family: x'>x</b>",
    f"<link rel=preload as=image href={FAR}/preload.png><link rel=dns-prefetch href={FAR}>",
    f"<iframe src={FAR}/frame></iframe><video poster={FAR}/poster.png></video>",
    f"<img srcset='{FAR}/large.png 2x'><table background={FAR}/table.png><tr><td>x</table>",
    f"![far]({FAR}/markdown.png)",
    "<a href='javascript:ran(1)' style='position:fixed;inset:0;z-index:9999'>covers the page</a>",
]
# These end the page, or take it away, so that nothing after them would be seen: each gets a page of its own.
ENDS = ("plaintext", "textarea", "refresh", "<base", "noscript", "<!--", "template", "</body>")
SEVERAL = [attack for attack in LIVE if not any(word in attack for word in ENDS)]
ALONE = [attack for attack in LIVE if attack not in SEVERAL]
PLOTLY = {"data": [{"x": [1]}], "layout": {"title": "<img src=x onerror=ran(1)>"}}
SCRIPT = "ran(1)"
# The parts of a lesson that a student writes to, by the name of the cell.
WRITTEN, SOLUTION = "written", "double"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


def outputs(attacks):
    """Everything hostile that a kernel can send as an output."""
    text = "\n".join(attacks)
    kinds = {
        "text/html": text,
        "text/markdown": "\n\n".join(attacks),
        "text/latex": text,
        "text/plain": text,
        "image/svg+xml": "<svg onload='ran(1)'><script>ran(1)</script></svg>",
        "application/javascript": SCRIPT,
        "text/vnd.mermaid": "graph TD; A[<img src=x onerror=ran(1)>]",
        "application/vnd.plotly.v1+json": PLOTLY,
        "application/vnd.jupyter.widget-view+json": {"model_id": "x", "version_major": 2, "version_minor": 0},
    }
    made = [new_output("display_data", {kind: data}) for kind, data in kinds.items()]
    made.append(new_output("execute_result", {"text/plain": "x", "text/html": text}))
    made.append(new_output("stream", name="stdout", text=text))
    made.append(
        new_output("error", ename="<script>ran(1)</script>", evalue=text, traceback=[text, "\x1b[31m" + text])
    )
    return made


def hostile_notebook(released_notebook, attacks):
    """A submission that attacks from every place that a student writes to."""
    notebook = nbformat.from_dict(json.loads(json.dumps(released_notebook)))
    text = "\n\n".join(attacks)
    for cell in notebook.cells:
        if cell.id == WRITTEN:
            cell.source = text
            cell.attachments = {
                "a.png\"onerror='ran(1)": {"image/png": DOT},
                "b.svg": {"image/svg+xml": "<svg/>"},
            }
        elif cell.id == SOLUTION:
            cell.source = (
                "def double(x):\n    # " + " ".join(attacks).replace("\n", " ") + "\n    return 2 * x"
            )
    added = new_markdown_cell("# " + text + "\n\n![x](attachment:b.svg)")
    added.attachments = {"b.svg": {"image/svg+xml": "<svg onload='ran(1)'/>"}}
    notebook.cells += [added, new_markdown_cell("```mermaid\ngraph TD; click A call ran(1)\n```")]
    notebook.cells += [new_code_cell("1", metadata={"tags": ["x'><script>ran(1)</script>"]})]
    notebook.cells.append(nbformat.v4.new_raw_cell("\n".join(attacks), metadata={"format": "text/html"}))
    notebook.metadata["title"] = "</title><script>ran(1)</script>"
    return notebook


@pytest.fixture(params=["together", *range(len(ALONE))])
def attacks(request):
    return SEVERAL if request.param == "together" else [ALONE[request.param], "<img src=x onerror=ran(1)>"]


@pytest.fixture
def feedback_page(attacks, workspace, released, spec, lesson_notebook):
    """The path of the page that `unrolled feedback` writes for a notebook with the attacks in it."""
    raw = nbformat.writes(hostile_notebook(lesson_notebook, attacks)).encode()
    notebook = rescue(raw, spec).notebook
    for cell in notebook.cells:
        if cell.cell_type == "code" and not cell.id.endswith("-check"):
            cell.outputs = nbformat.from_dict(outputs(attacks))
    notebook = sanitise(notebook, spec)
    database.register(workspace, spec)
    database.record(workspace, spec, "Mallory", notebook)
    path = workspace.autograded / "Mallory" / spec.assignment / f"{spec.notebook}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    assert write_feedback(workspace, released, spec, ["Mallory"]) == 1
    return workspace.feedback / "Mallory" / spec.assignment / f"{spec.notebook}.html"


def innocent(seen, path):
    """Nothing ran and nothing left, and nothing is there that could for a reader who does more than this."""
    assert seen["ran"] == [] and seen["asked"] == [] and seen["url"] == path.as_uri()
    for tag, attributes in seen["tags"]:
        assert tag not in ("script", "iframe", "object", "embed", "form", "link", "base", "frame"), tag
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("href", "src", "xlink:href", "action", "background", "poster", "srcset"):
                # "missing": what sanitise makes of a picture that is attached nowhere.
                own = ("#", "data:image/", "../feedback/", "missing")
                assert value.startswith((*own, "http", "mailto:") if tag == "a" else own), (tag, name, value)
    return True


def test_a_feedback_page_runs_nothing_and_asks_for_nothing(browser, feedback_page):
    seen = browser.look(feedback_page)
    assert innocent(seen, feedback_page) and "double" in seen["text"]
    text = feedback_page.read_text()
    assert text.count(META) == 1
    bare = feedback_page.with_name("without-its-policy.html")
    bare.write_text(text.replace(META, ""))
    assert innocent(browser.look(bare), bare)


@pytest.fixture
def report_page(spec, tmp_path):
    """The page of a class in which names, remarks, verdicts and exceptions are attacks."""
    results = {}
    for number, attack in enumerate(LIVE):
        verdict = {"exercise": attack, "id": attack, "says": f"{attack} `{attack}` *{attack}*"}
        results[f"{attack} {number}"] = {
            "status": "graded" if number % 2 else attack,
            "score": 1.0,
            "exercises": {"double-check": {"points": 1.0, "max_points": 3, "verdict": None, "seed": 1}},
            "mistakes": [verdict],
            "remarks": [f"The notebook is called {attack}.ipynb.", f"ModuleNotFoundError: {attack}", attack],
            "seconds": 1.0,
        }
        feedback = tmp_path / "feedback" / "".join(c for c in f"{attack} {number}" if c != "/")[:200]
        (feedback / spec.assignment).mkdir(parents=True, exist_ok=True)
        (feedback / spec.assignment / f"{spec.notebook}.html").touch()
    standings = {name: Grade(name, 1.0, 3, waits=True) for name in results}
    path = tmp_path / "reports" / "report.html"
    path.parent.mkdir()
    path.write_text(page(Workspace(tmp_path), spec, results, standings))
    return path


def test_a_report_runs_nothing_and_asks_for_nothing(browser, report_page):
    text = report_page.read_text()
    assert text.count(POLICY) == 1
    seen = browser.look(report_page)
    assert innocent(seen, report_page)
    shown = " ".join(seen["text"].split())
    for attack in LIVE:
        assert " ".join(attack.split()) in shown  # as text
    bare = report_page.with_name("without-its-policy.html")
    bare.write_text(text.replace(POLICY, ""))
    assert innocent(browser.look(bare), bare)


def test_the_same_attacks_without_us_run_and_ask(browser, tmp_path):
    """The control: the attacks are live, the browser runs scripts, and the recorder sees requests."""
    words = ("<script>", "<img src=x", "<svg onload", "ontoggle", "picture", "style.css", "frame", "markdown")
    live = [attack for attack in LIVE if any(word in attack for word in words)]
    cells = [new_markdown_cell("\n\n".join(live)), new_code_cell("1", outputs=outputs(live)[:1])]
    path = tmp_path / "stock.html"
    path.write_text(HTMLExporter().from_notebook_node(new_notebook(cells=cells))[0])
    seen = browser.look(path)
    assert len(seen["ran"]) >= 5
    asked = " ".join(seen["asked"])
    for name in ("picture.png", "markdown.png", "frame", "style.css", "poster.png"):
        assert f"{FAR}/{name}" in asked


@pytest.mark.parametrize("number", range(len(ALONE)))
def test_what_ends_a_page_would_run_too(browser, number, tmp_path):
    path = tmp_path / "alone.html"
    path.write_text(f"<!DOCTYPE html><body>{ALONE[number]}<img src=x onerror=ran(1)>")
    seen = browser.look(path)
    swallows = any(word in ALONE[number] for word in ("plaintext", "textarea"))
    assert swallows or seen["ran"] or seen["asked"]
