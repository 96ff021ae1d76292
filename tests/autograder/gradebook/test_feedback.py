"""Formulas of a feedback page are drawn by the browser itself, and what looks like one stays what it is."""

from xml.etree import ElementTree

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder.gradebook.feedback import META, FeedbackExporter, lower_headings, secure
from autograder.gradebook.typeset import for_everybody, typeset


def test_formulas_become_mathml():
    text = typeset("The slope $1 - h^2$ is\n\n$$dh_t = \\frac{a_1*b}{|c|}$$\n\nat most 1.")
    assert "$" not in text and text.count("<math") == 2 and text.count('display="block"') == 1
    for part in text.split("<math")[1:]:
        ElementTree.fromstring("<math" + part.split("</math>")[0] + "</math>")
    between = text.split("<math")[2].split("</math>")[0].replace("&#", "")
    assert not set("*_|") & set(between)


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 or $6, not $ 7 $.",
        "`cost = $x$` and\n```\n$y$\n```",
        "An escaped \\$x\\$ stays.",
        "$\\left($",
        "Nothing here.",
    ],
)
def test_what_is_no_formula_stays(text):
    assert typeset(text) == text


@pytest.mark.parametrize(
    "tex",
    [
        "\\href{javascript:alert(1)}{x}",
        "\\text{</mtext><script>alert(1)</script>}",
        "<img src=x onerror=alert(1)>",
    ],
)
def test_a_formula_can_only_typeset(tex):
    made = typeset(f"${tex}$")
    if "<math" in made:
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(made).iter()}
        assert not tags & {"a", "script", "img"} and "href" not in made.replace("\\href", "")
    else:
        assert made == f"${tex}$"


def test_the_page_has_the_policy_the_style_and_no_script():
    notebook = new_notebook(cells=[new_markdown_cell("# Sum $x_t$ over time")])
    page, _ = FeedbackExporter().from_notebook_node(notebook)
    assert "<script" not in page and page.count(META) == 1 and "<math" in page
    assert secure(page).count("<script") == 0


def test_the_notebooks_headings_come_below_the_pages_own():
    page = '<h1>Feedback</h1><h2 id="work">Your work</h2><h1>a</h1><h5 id="x">b</h5>'
    assert lower_headings(page) == page.replace("h1>a</h1", "h3>a</h3").replace("h5", "h6")


def test_text_that_cannot_be_converted_is_shown_as_it_was_written():
    lost = new_markdown_cell("before ![x](attachment:lost.png) <script>alert(1)</script> $x_t$")
    page, _ = FeedbackExporter().from_notebook_node(new_notebook(cells=[lost]))
    assert "before ![x](attachment:lost.png)" in page and "<script" not in page and "$x_t$" in page


def test_what_scrolls_is_reached_by_keyboard_and_nothing_else():
    long, short = "x" * 60, "x" * 20
    assert (
        for_everybody(f'<div class="highlight hl"><pre>{long}</pre></div>').count('<pre tabindex="0">') == 1
    )
    assert for_everybody(f"<pre><code>{short}\n{long}</code></pre>").startswith('<pre tabindex="0">')
    for text in (f'<div class="highlight"><pre>{short}</pre></div>', f"<pre>{long}</pre>"):
        assert for_everybody(text) == text  # fits, or is broken into lines
    table = "<table><tr><td><table></table></td></tr></table>"
    assert for_everybody(table).count('<div class="wide" tabindex="0"><table>') == 2
    assert for_everybody(table).count("</table></div>") == 2
    assert '<math display="block" tabindex="0">' in typeset("$$x$$")
