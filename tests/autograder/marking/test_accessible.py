"""What screen readers, keyboards and weak eyes meet on every page that the grader writes; axe-core is asked.

Of what it finds one thing is left out: to it a table's heading that is a formula is an empty one, since it
reads no MathML, which browsers and screen readers do.
"""

import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from autograder.cli.commands.report import write_report
from autograder.gradebook.feedback import write_feedback
from autograder.gradebook.results import graded_path
from autograder.gradebook.typeset import as_html, led_on
from autograder.judging.sanitise import clean_output
from autograder.reporting.similar import write_similar
from autograder.reporting.term import gather
from autograder.reporting.term_page import write_term
from tests.autograder.axe import axe, violations
from tests.autograder.browser import Browser
from tests.autograder.marking.test_marking_page import Person
from tests.autograder.reporting.test_similar import LONG

ANSWER = """\
# My answer

#

| $x$ | word |
|---|---|
| 1 | one |

$$2x = x + x + 0 \\cdot (x + x + x + x + x + x + x + x + x + x + x + x + x + x)$$

```python
def double(x):
    return x + x  # a line that is much longer than a telephone is wide, so that it must go somewhere
```

See [lesson 02](../02-rnn-cell/rnn-cell.ipynb) and [this](https://example.org).
"""
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def pages(desk, lesson, hand_in, served):
    """{name: the address of a page} of everything that is written for a class."""
    hand_in(code=LONG, Ann=ANSWER, Bob=ANSWER)
    for student in ("Ann", "Bob"):
        folder = desk.workspace.submitted / student / lesson.name
        folder.mkdir(parents=True)
        path = graded_path(desk.workspace, desk.spec, student)
        shutil.copy(path, folder / path.name)
        notebook = nbformat.read(path, as_version=4)
        shown = new_output("display_data", {"image/png": DOT}, metadata={"image/png": {"alt": "A dot"}})
        notebook.cells.append(new_code_cell("plot()", outputs=[clean_output(shown)]))
        notebook.cells[-1].metadata["unrolled"] = {"added": True}
        nbformat.write(notebook, path)
    assert write_feedback(desk.workspace, lesson.course, desk.spec, ["Ann", "Bob"]) == 2
    report, *_ = write_report(desk.workspace, lesson)
    alike, found = write_similar(desk.workspace, lesson)
    assert found.by_students()
    written = {
        "feedback": desk.workspace.feedback / "Ann" / lesson.name / "double.html",
        "report": report,
        "similar": alike,
        "course": write_term(desk.workspace, gather(desk.workspace, lesson.course)),
    }
    return {**{name: path.as_uri() for name, path in written.items()}, "marking": served.address}


def test_no_page_stands_in_anybodys_way(pages, tmp_path):
    text, found = axe(), []
    browser = Browser(tmp_path / "browser", served=True)
    for name, address in pages.items():
        for width, scheme in ((1280, "light"), (390, "dark")):
            person = Person(browser, address, width, scheme)
            person.say("document.querySelectorAll('details').forEach((one) => one.open = true)")
            said = violations(person.say, text)
            found += [
                f"{name}, {width}, {scheme}: {one}"
                for one in said
                if not (one.startswith("empty-table-header") and "<math" in one)
            ]
            person.close()
    browser.close()
    assert found == []


def test_a_feedback_page_says_what_its_figures_show_and_its_links_lead_somewhere(desk, lesson, pages):
    page = (desk.workspace.feedback / "Ann" / lesson.name / "double.html").read_text()
    assert '<html lang="en">' in page and 'alt="A dot"' in page
    assert "lesson 02" in page and ".ipynb" not in page and 'href="https://example.org"' in page


def test_headings_are_never_empty_and_stand_below_the_pages_own():
    made = as_html("# One\n\n#\n\n##   \n\n###### Six\n\n#### $x$", below=2)
    assert made.count("<h3>One</h3>") == made.count("<h6>Six</h6>") == made.count("<h6><math") == 1
    assert made.count("<h") == 3


def test_links_to_lessons_lead_to_where_they_are_read(monkeypatch):
    link = '<a href="../02-rnn-cell/rnn-cell.ipynb">lesson <em>02</em></a> <a href="other.txt">other</a>'
    monkeypatch.setattr("autograder.gradebook.typeset.home", lambda: "")
    assert led_on(link) == "lesson <em>02</em> other"
    monkeypatch.setattr("autograder.gradebook.typeset.home", lambda: "https://example.org/unrolled")
    address = "https://example.org/unrolled/blob/main/lessons/02-rnn-cell/rnn-cell.ipynb"
    assert led_on(link) == f'<a href="{address}">lesson <em>02</em></a> other'
