"""A real browser's parser is the oracle's oracle: here Python's own html parser says what is left."""

import base64
import itertools
from html.parser import HTMLParser

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.gradebook.feedback import secure
from autograder.intake.contents.rescue import untouched
from autograder.judging.sanitise import clean_html, clean_markdown, clean_output, sanitise

DOT = base64.b64encode(b"\x89PNG dot").decode()

# Each tries to run, load or cover something; `alert` or `evil` stands in whatever would do it.
ATTACKS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><rect width=9 height=9 /></a></svg>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<form action=//evil><button formaction='javascript:alert(1)'>Next submission</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<embed src=//evil>",
    "<link rel=stylesheet href=//evil>",
    "<base href=//evil>",
    "<meta http-equiv=refresh content='0;url=//evil'>",
    "<style>body{position:fixed;background:url(//evil)}</style>",
    "<div style='position:fixed;inset:0;background:url(//evil)'>You passed</div>",
    "<div class='modal fixed-top' id='notebook'>x</div>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
    "<img src='//evil/pixel.png'>",
    "<video><source onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>x</details>",
    "<p onclick=alert(1)>x",
    "<!--><img src=x onerror=alert(1)>-->",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<plaintext>",
    "<textarea>",
    "</div></div></body><script>alert(1)</script>",
    "<img/src='x'/onerror=alert(1)>",
    "<<script>alert(1)//<</script>",
    "[x](javascript:alert(1))",
    "[x]( JaVaScRiPt:alert(1) )",
    "[x](java&#115;cript:alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "`<b>`<script>alert(1)</script>",
    "```html\n<b>\n```\n<img src=x onerror=alert(1)>",
    "$\\href{javascript:alert(1)}{x}$",
    "$$\\require{html}\\style{position:fixed}{x}$$",
    "\\(\\class{evil}{x}\\)",
]
ALLOWED = set(
    "html head body meta title style div span p br b i u s em strong sub sup code kbd pre a img".split()
)
ALLOWED |= set("h1 h2 h3 h4 h5 h6 ul ol li table thead tbody tr td th main blockquote hr del details".split())


class Reader(HTMLParser):
    """Collects every tag and attribute that a page holds."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.seen = []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))


def harmful(page, *, students=True):
    """What in a page could run, load, or leave its place."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    found = []
    for tag, attributes in reader.seen:
        if students and tag not in ALLOWED:
            found.append(tag)
        for name, value in attributes.items():
            value = "".join((value or "").split()).lower()
            bad_link = name in ("href", "src", "action", "xlink:href") and not value.startswith(
                ("http:", "https:", "mailto:", "#", "data:image/png;base64,")
            )
            if name.startswith("on") or bad_link or name in ("srcdoc", "formaction"):
                found.append((tag, name, value))
            # A converter colours code in fences with classes of its own; a student cannot choose them freely.
            own = tag in ("code", "div", "span", "pre") and (
                value.startswith(("language-", "highlight")) or len(value) < 4
            )
            if students and name in ("style", "class", "id") and not (name == "class" and own):
                found.append((tag, name, value))
    return found


def rendered(text):
    """Markdown as nbconvert's own converter renders it, which the formgrader uses too."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    return MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True)).render(text)


def strip_headings_ids(page):
    """nbconvert gives its headings ids of its own making."""
    return page.replace(' id="', ' title="')


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attacks_are_attacks_and_are_defused(attack):
    assert harmful(clean_html(attack)) == []
    assert harmful(strip_headings_ids(rendered(clean_markdown(attack)))) == []
    for tex in ("\\href", "\\require", "\\style", "\\class"):
        assert tex not in clean_markdown(attack) and tex not in clean_html(attack)


def test_without_cleaning_most_attacks_would_reach_the_page():
    armed = [attack for attack in ATTACKS if harmful(attack) or harmful(strip_headings_ids(rendered(attack)))]
    assert len(armed) >= 0.75 * len(ATTACKS)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([*ATTACKS, "`", "\n\n", "```\n", "    ", "\\", "](", "<", ">", "&lt;", "'"]),
        max_size=6,
    )
)
def test_no_combination_of_attacks_gets_through(pieces):
    text = "".join(pieces)
    assert harmful(clean_html(text)) == []
    assert harmful(strip_headings_ids(rendered(clean_markdown(text)))) == []


HONEST = [
    "Because **tanh** saturates: $1 - h^2 < 0.1$ when $|h| > 0.95$.",
    "See [the paper](https://example.org/a?b=c) & `x < y`, a<b, x<sub>t</sub>, line<br>break.",
    "- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n\n```python\nif a < b:\n    pass\n```",
    "The data: three rows. <https://example.org/page>",
]


@pytest.mark.parametrize("text", HONEST)
def test_honest_markdown_reads_the_same(text):
    assert rendered(clean_markdown(text)).replace("\u200b", "") == rendered(text)


def test_honest_html_survives():
    table = "<table><thead><tr><th>loss</th></tr></thead><tbody><tr><td>0.5</td></tr></tbody></table>"
    assert clean_html(table) == table
    picture = f'<img src="data:image/png;base64,{DOT}" alt="a dot">'
    assert clean_html(picture) == picture
    assert 'href="https://example.org"' in clean_html('<a href="https://example.org">x</a>')


def test_outputs_keep_only_kinds_that_can_be_looked_at():
    data = {
        "text/plain": "plain",
        "text/html": "<b onclick=alert(1)>bold</b>",
        "image/png": DOT + '"><script>',
        "image/svg+xml": "<svg onload=alert(1)>",
        "application/javascript": "alert(1)",
        "application/vnd.jupyter.widget-view+json": {"model_id": "x"},
        "text/latex": "$\\href{javascript:alert(1)}{x}$</span><script>",
        "text/markdown": "[x](javascript:alert(1))",
    }
    output = new_output("display_data", data, metadata={"image/png": {"width": "1 onerror=alert(1)"}})
    cleaned = clean_output(output)
    assert set(cleaned.data) == {"text/plain", "text/html", "image/png", "text/latex", "text/markdown"}
    assert cleaned.data["text/html"] == "<b>bold</b>"
    assert cleaned.data["image/png"].isascii() and "<" not in cleaned.data["image/png"]
    assert "<script" not in cleaned.data["text/latex"] and "\\href" not in cleaned.data["text/latex"]
    assert cleaned.metadata == {}


@pytest.mark.parametrize(
    "output",
    [
        {"output_type": "evil"},
        {"output_type": "display_data", "data": [1], "metadata": 3},
        {"output_type": "display_data", "data": {"application/javascript": "alert(1)"}, "metadata": {}},
        {},
    ],
)
def test_outputs_of_no_known_kind_are_dropped(output):
    assert clean_output(nbformat.from_dict(output)) is None


def test_long_and_malformed_outputs_become_valid_ones():
    stream = clean_output(
        nbformat.from_dict({"output_type": "stream", "name": "x onload", "text": ["a" * 300_000]})
    )
    assert stream.name == "stdout" and len(stream.text) < 101_000
    error = clean_output(nbformat.from_dict({"output_type": "error", "ename": 3, "traceback": None}))
    assert (error.ename, error.evalue, error.traceback) == ("3", "", [])


@pytest.fixture
def hostile(spec):
    """A graded notebook with every attack in every place that a student can write to."""
    notebook = untouched(spec)
    state = {"version_major": 2, "state": {"x": "</script><script>alert(1)</script>"}}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    notebook.metadata["title"] = "<script>alert(1)</script>"
    by_id = {cell.id: cell for cell in notebook.cells}
    verdict = '<div style="color: green">right</div>'
    data = {"text/plain": "3", "text/html": verdict}
    by_id["double-check"].outputs = [new_output("execute_result", data, execution_count=None)]
    by_id["double"].source = "\n".join(f"# {attack!r}" for attack in ATTACKS)
    by_id["double"].outputs = [
        new_output("stream", name="stdout", text="\n".join(ATTACKS)),
        new_output("error", ename=ATTACKS[0], evalue=ATTACKS[2], traceback=ATTACKS),
        *(new_output("display_data", {"text/html": a, "text/markdown": a, "text/plain": a}) for a in ATTACKS),
    ]
    by_id["written"].source = "\n\n".join(ATTACKS)
    by_id["written"].attachments = {
        "a.png": {"image/png": DOT, "text/html": "<script>"},
        "<b>": {"image/png": DOT},
    }
    by_id["add-the-number"].source = ATTACKS[0]
    notebook.cells += [new_markdown_cell(attack, id=f"added-{n}") for n, attack in enumerate(ATTACKS)]
    notebook.cells.append(new_code_cell("x", id="added-99"))
    return notebook


def test_a_hostile_notebook_is_harmless_as_a_page(hostile, spec):
    exporter = HTMLExporter(template_name="classic")
    before, _ = exporter.from_notebook_node(hostile)
    assert any(name == "onerror" for tag in harmful(before) if len(tag) == 3 for name in tag[1:2])
    cleaned = sanitise(hostile, spec)
    nbformat.validate(cleaned)
    page, _ = exporter.from_notebook_node(cleaned)
    page = secure(page)
    bad = [item for item in harmful(page, students=False)]
    assert bad == []
    assert "<script" not in page.lower() and "<link" not in page.lower() and "<iframe" not in page.lower()
    assert page.index("Content-Security-Policy") < page.index("<title>")


def test_the_instructors_own_cells_and_verdicts_are_left_alone(hostile, spec):
    cleaned = {cell.id: cell for cell in sanitise(hostile, spec).cells}
    assert cleaned["double-check"].outputs[0].data["text/html"] == '<div style="color: green">right</div>'
    assert cleaned["double-a-number"].source == spec.cell("double-a-number").source
    assert set(cleaned["written"].attachments) == {"a.png", "picture-2.png"}
    assert set(cleaned["written"].attachments["a.png"]) == {"image/png"}


def test_cleaning_twice_changes_nothing(hostile, spec):
    once = sanitise(hostile, spec)
    text = nbformat.writes(once)
    assert nbformat.writes(sanitise(nbformat.reads(text, as_version=4), spec)) == text


def test_every_attack_is_its_own():
    assert all(one != other for one, other in itertools.combinations(ATTACKS, 2))


@pytest.mark.parametrize(
    "text",
    [
        "![x](attachment:lost.png)",
        "![x]( <attachment:lost.png> )",
        "![x][y]\n\n[y]: attachment:lost.png",
        "![x](attachment&colon;lost.png)",
        "![x](\\attachment:lost.png) ![x](&#97;ttachment:lost.png)",
    ],
)
def test_a_picture_that_is_not_there_stops_no_page(text):
    notebook = nbformat.v4.new_notebook(cells=[new_markdown_cell(clean_markdown(text, {"a.png"}))])
    assert "x" in HTMLExporter().from_notebook_node(notebook)[0]


def test_text_without_end_is_cut(spec):
    notebook = untouched(spec)
    place = next(i for i, cell in enumerate(notebook.cells) if cell.id == "written")
    notebook.cells[place].source = "[" * 10**6
    notebook.cells += [new_markdown_cell("*a* " * 10**4, id=f"more-{number}") for number in range(20)]
    sanitise(notebook, spec)
    assert len(notebook.cells[place].source) < 100_000
    assert sum(len(cell.source) for cell in notebook.cells) < 300_000
    assert "the rest was left out" in notebook.cells[place].source


def test_a_picture_that_is_there_stays():
    text = "see the attachment: ![x](attachment:a.png)"
    assert clean_markdown(text, {"a.png"}) == text
