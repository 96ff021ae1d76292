"""Pictures in answers are shown, whatever they are called and however they were put in; none of them runs."""

import base64
import unicodedata
from urllib.parse import quote

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_markdown_cell

from autograder.intake.contents.rescue import untouched
from autograder.judging import pictures
from autograder.judging.pictures import NOT_SHOWN, Album, kind_of
from autograder.judging.sanitise import BLOCKED, clean_html, clean_markdown, sanitise

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n a picture").decode()
WEBP = base64.b64encode(b"RIFF\x10\0\0\0WEBPVP8 a picture").decode()
SVG = base64.b64encode(b"<svg onload='alert(1)'/>").decode()
NAMES = [
    "image.png",
    "Bild 1.png",
    "a,b+c.png",
    "Capture d\u2019\xe9cran 2026-11-29 \xe0 10.00.00.png",
    "Screenshot 2026-11-29 at 10.00.00\u202fPM.png",
    "Gew\xe4chs.png",
    unicodedata.normalize("NFD", "Gew\xe4chs.png"),
    "picture (1).png",
    "a_b*c.png",
    "100%.png",
    "\u56fe\u7247.png",
    "weird'\"name.png",
]
FORMS = {
    "as it is": lambda name: f"![x](attachment:{name})",
    "percent": lambda name: f"![x](attachment:{quote(name)})",
    "some percent": lambda name: f"![x](attachment:{quote(name, safe='+,()*')})",
    "in angle brackets": lambda name: f"![x](<attachment:{name}>)",
    "with a title": lambda name: f'![x](attachment:{quote(name)} "my picture")',
    "by reference": lambda name: f"![x][y]\n\n[y]: attachment:{quote(name)}",
    "as html": lambda name: f"<img alt='x' src=\"attachment:{quote(name)}\" width=300>",
    "decomposed": lambda name: f"![x](attachment:{unicodedata.normalize('NFD', name)})",
}


def shown(spec, source, attachments=None):
    """The page of a notebook whose written answer this is, as the formgrader makes it."""
    notebook = untouched(spec)
    cell = next(cell for cell in notebook.cells if cell.id == "written")
    cell.source, cell.attachments = source, nbformat.from_dict(attachments or {})
    notebook = sanitise(notebook, spec)
    nbformat.validate(notebook)
    page = HTMLExporter(template_name="classic").from_notebook_node(notebook)[0]
    return page, cell


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_shown_whatever_it_is_called(spec, name, form):
    if form == "as html" and '"' in name:
        name = name.replace('"', "")
    page, cell = shown(spec, f"Look: {FORMS[form](name)}", {name: {"image/png": PNG}})
    assert f'src="data:image/png;base64,{PNG}"' in page
    assert NOT_SHOWN not in cell.source


@pytest.mark.parametrize(
    ("source", "attachments"),
    [
        ("![x](attachment:a.webp)", {"a.webp": {"image/webp": WEBP}}),
        (f"![x](data:image/webp;base64,{WEBP})", {}),
        (f"see ![x](data:image/png;base64,{WEBP}) there", {}),
        (f'<img src="data:image/webp;base64,{WEBP}" alt="x">', {}),
        (f"<img src='data:image/webp;base64,{quote(WEBP, safe='')}'>", {}),
        (f"![x][y]\n\n[y]: data:image/webp;base64,{WEBP}", {}),
        ("![x](attachment:wrong-type.png)", {"wrong-type.png": {"image/png": WEBP}}),
        ("![x](attachment:called-otherwise.png)", {"something else": {"image/png": WEBP}}),
    ],
)
def test_other_kinds_and_ways(spec, source, attachments):
    page, cell = shown(spec, source, attachments)
    assert f'src="data:image/webp;base64,{WEBP}"' in page
    assert NOT_SHOWN not in cell.source and BLOCKED not in cell.source


def test_a_large_inline_picture_is_whole(spec):
    large = base64.b64encode(b"\x89PNG" + b"x" * 300_000).decode()
    page, _ = shown(spec, f"before ![x](data:image/png;base64,{large}) after")
    assert large in page and "after" in page


@pytest.mark.parametrize(
    ("source", "attachments"),
    [
        (f"![x](data:image/svg+xml;base64,{SVG})", {}),
        (f"<img src='data:image/svg+xml;base64,{SVG}'>", {}),
        (
            "![x](attachment:x.svg)",
            {"x.svg": {"image/svg+xml": SVG, "text/html": "<script>alert(1)</script>"}},
        ),
        ("![x](attachment:x.png)", {"x.png": {"image/png": SVG}}),
        ("![x](attachment:lost.png)", {}),
        ("![x](attachment:x.png)", {"x.png": [1]}),
    ],
)
def test_what_is_no_picture_is_not_shown_and_that_is_said(spec, source, attachments):
    page, cell = shown(spec, source, attachments)
    assert "svg+xml" not in page and "alert(1)" not in page and SVG not in page
    assert NOT_SHOWN in cell.source


def test_a_picture_stays_beside_a_link_that_is_not_shown(spec):
    page, cell = shown(spec, "![x](attachment:a.png) [y](javascript:alert(1))", {"a.png": {"image/png": PNG}})
    assert PNG in page and BLOCKED in cell.source and 'href="javascript' not in page


def test_pictures_have_a_size_that_they_do_not_exceed(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_ALL", 2 * len(PNG) + 5)
    album = Album()
    attachments = {f"{number}.png": {"image/png": PNG} for number in range(3)}
    text, kept = album.gather("".join(f"![x](attachment:{name})" for name in attachments), attachments)
    assert list(kept) == ["0.png", "1.png"] and NOT_SHOWN in text
    assert album.gather("![x](attachment:y)", {"y": {"image/png": PNG}})[1] == {}


def test_two_pictures_of_one_name_after_cleaning_stay_two(spec):
    other = base64.b64encode(b"\x89PNG another").decode()
    page, _ = shown(
        spec,
        "![x](attachment:a%20b) ![y](attachment:c%20d)",
        {"a b": {"image/png": PNG}, "c d": {"image/png": other}},
    )
    assert PNG in page and other in page


def test_twice_is_once(spec):
    source = f"![x](attachment:a%20b) <img src='data:image/png;base64,{PNG}'> ![z](attachment:lost)"
    _, cell = shown(spec, source, {"a b": {"image/png": PNG}})
    again, _ = Album().gather(cell.source, cell.attachments)
    assert again == cell.source


@pytest.mark.parametrize(
    "source", ["![far](http://far.example/a.png)", "![far][y]\n\n[y]: https://far.example"]
)
def test_a_picture_from_elsewhere_is_a_link_and_is_not_fetched(spec, source):
    page, _ = shown(spec, source)
    assert '<img src="http' not in page and "<img" not in page.partition("far")[0][-30:]
    assert 'href="http' in page
    assert "<img" not in clean_html('<img src="http://far.example/a.png">').replace("<img>", "")


HONEST = [
    "Let x = data: the numbers that come in. See [the book](https://d2l.ai).",
    "Let y = javascript: a language, and z = file: a name.",
    "x[0]: data: first, x[1]: file: second. [book](https://d2l.ai)",
    "if x <data: y, and a<b then h<c.",
]


@pytest.mark.parametrize("text", HONEST)
def test_words_that_look_like_schemes_are_words(text):
    cleaned = clean_markdown(text)
    assert BLOCKED not in cleaned and cleaned.replace("\u200b", "") == text


@pytest.mark.parametrize(
    "text",
    [
        "[y]: javascript:alert(1)\n\n[x][y]",
        "> [y]: javascript:alert(1)\n\n[x][y]",
        "see x\n[y]: java&#115;cript:alert(1)\n\n[x][y]",
        "[x\\[y]: javascript:alert(1)\n\n[z][x\\[y]",
        "[y]:\n  javascript:alert(1)\n\n[x][y]",
        "[x](\njavascript:alert(1))",
    ],
)
def test_links_that_lead_to_code_are_none(text):
    assert BLOCKED in clean_markdown(text)


def test_a_long_answer_is_shown_to_its_end(spec):
    page, cell = shown(spec, "Because it remembers. " * 2000 + "THE END")
    assert "THE END" in page and max(map(len, cell.source[31_000:].split("\n"))) <= 101


def test_the_beginning_of_a_long_answer_cannot_end_the_part_that_is_shown_as_written(spec):
    page, _ = shown(spec, "word " * 7000 + "\n~~~~~~\n<img src=x onerror=alert(1)>\n```\n# heading")
    assert "<img src=x" not in page and "heading</h1>" not in page


def test_kinds_are_known_by_their_first_bytes():
    assert [
        kind_of(raw) for raw in (b"GIF89a", b"\xff\xd8\xff", b"\0\0\0 ftypavif", b"<svg", b"", b"RIFF")
    ] == [
        "image/gif",
        "image/jpeg",
        "image/avif",
        None,
        None,
        None,
    ]


def test_a_picture_in_a_text_of_the_students_own_is_shown_too(spec):
    notebook = untouched(spec)
    cell = new_markdown_cell(
        "![x](attachment:a b.png)", id="added-1", attachments={"a b.png": {"image/png": PNG}}
    )
    notebook.cells.append(cell)
    page = HTMLExporter(template_name="classic").from_notebook_node(sanitise(notebook, spec))[0]
    assert PNG in page


MEGABYTES = ["![", "![x](attachment:a", "<img ", '<img "', "<img src='", "data:image/png;base64,"]
MEGABYTES += ["attachment:a b", "[a]:attachment:b\n", "\n", " ", "](", "![x][y]", "data:image/png;base64,A\n"]
MEGABYTES += ["\\", "\x1b]", "]:"]


@pytest.mark.parametrize("part", MEGABYTES)
def test_a_text_of_megabytes_is_read_through_once(spec, part):
    """Nothing here takes time that grows with the square of a text: with that, this would take hours."""
    notebook = untouched(spec)
    cell = next(cell for cell in notebook.cells if cell.id == "written")
    cell.source, cell.attachments = part * 200_000, {"a b": {"image/png": PNG}}
    sanitise(notebook, spec)
    assert len(cell.source) < 200_000
