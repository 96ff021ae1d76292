"""The book, built from what is stored and read in a browser: nothing is missing, nothing is asked outside."""

import html
import importlib.util
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import nbformat
import pytest

from autograder.course.places import all_lessons
from tests.autograder.browser import Browser
from tools.repository import ROOT
from tools.site import stage
from tools.site.__main__ import NEEDED, build
from tools.site.pages import front

LESSONS = all_lessons(ROOT)
WITH_TORCH = {"09-pytorch", "10-translation", "11-speech", "12-captions", "13-forecast", "15-attention"}
HOME = "https://github.com/someone/course"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the book needs {', '.join(missing)}, which are not installed here")
    folder = tmp_path_factory.mktemp("book") / "a book"  # a space, as in many a path on a reader's disk
    build(folder, HOME, "main")
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


class Page(HTMLParser):
    """What a page links to, and the places in it that can be linked to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.ids, self.pictures, self.text = [], set(), [], path.read_text("utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attrs):
        about = dict(attrs)
        self.ids |= {about[name] for name in ("id", "name") if about.get(name)}
        self.links += [about[name] for name in ("href", "src") if about.get(name)]
        if tag == "img":
            self.pictures.append(about)


@pytest.fixture(scope="module")
def pages(book):
    return {path: Page(path) for path in sorted(book.rglob("*.html"))}


def test_every_lesson_is_there_with_its_exercises_and_no_marker_left(book, pages):
    for lesson in LESSONS:
        page = pages[book / lesson.name / f"{lesson.notebook}.html"]
        notebook = nbformat.read(lesson.solution_path, as_version=4)
        figures = [
            one
            for cell in notebook.cells
            for one in cell.get("outputs", ())
            if "image/png" in one.get("data", {})
        ]
        assert sum("_images" in picture["src"] for picture in page.pictures) == len(figures)
        assert page.text.count("<details") >= sum(cell.source.count("<details") for cell in notebook.cells)
        assert page.text.count("<audio") == sum(
            "<audio" in one.get("data", {}).get("text/html", "")
            for cell in notebook.cells
            for one in cell.get("outputs", ())
        )
        assert "points. Right, on inputs drawn just now." in page.text
        assert "How it is marked" in page.text
    for path, page in pages.items():
        if path.name in ("own-course.html", "instructors.html"):
            continue  # which say how a lesson is written
        assert not re.search(
            r"### (BEGIN|END)|(BEGIN|END) (SOLUTION|MARK SCHEME)", re.sub(r"<[^>]*>", "", page.text)
        ), path


def test_every_picture_has_its_words(pages, book):
    told = set()
    for path, page in pages.items():
        for picture in page.pictures:
            words = picture.get("alt", "")
            assert len(words.split()) >= 3 and not words.endswith(".png"), f"{path}: {picture}"
            told.add(words)
    wanted = {
        " ".join(alt.split())
        for lesson in LESSONS
        for cell in nbformat.read(lesson.solution_path, as_version=4).cells
        for output in cell.get("outputs", ())
        if (alt := output.get("metadata", {}).get("image/png", {}).get("alt"))
    }
    assert len(wanted) > 60 and wanted <= {" ".join(words.split()) for words in told}


def test_every_link_within_leads_somewhere(pages, book):
    checked = 0
    for path, page in pages.items():
        for link in page.links:
            if urlsplit(link).scheme:
                assert link.startswith(("https://", "data:", "mailto:")), f"{path} links to {link}"
                continue
            place, anchor = urldefrag(link)
            target = (path.parent / unquote(urlsplit(place).path)).resolve() if place else path
            assert target.is_file() and target.is_relative_to(book.resolve()), f"{path}: {link}"
            if anchor and target.suffix == ".html":
                assert unquote(anchor) in pages[book / target.relative_to(book.resolve())].ids, (
                    f"{path}: {link}"
                )
            checked += 1
    assert checked > 1000


def test_a_lesson_can_be_taken_along_or_opened_elsewhere(pages, book):
    for lesson in LESSONS:
        page = pages[book / lesson.name / f"{lesson.notebook}.html"]
        path = f"lessons/{lesson.name}/{lesson.notebook}.ipynb"
        (link,) = [
            one for one in page.links if one.endswith(f"{lesson.notebook}.ipynb") and "_downloads" in one
        ]
        target = (book / lesson.name / unquote(link)).resolve()
        assert target.read_bytes() == lesson.lesson_path.read_bytes()
        assert f"https://colab.research.google.com/github/someone/course/blob/main/{path}" in page.links
        binder = [one for one in page.links if "mybinder.org" in one]
        assert binder == (
            [f"https://mybinder.org/v2/gh/someone/course/main?labpath={path}"]
            if lesson.name not in WITH_TORCH
            else []
        )
    assert "num2words" in pages[book / "10-translation/translation.html"].text


def test_the_front_page_says_what_a_downloaded_lesson_needs(pages, book):
    said = " ".join(html.unescape(re.sub(r"<[^>]*>", "", pages[book / "index.html"].text)).split())
    assert f"pip install 'unrolled[lab] @ git+{HOME}' brings that" in said
    numbers = re.findall(r"\d\d", said.split("brings that")[1].split("need PyTorch")[0])
    assert numbers == ["09", "13", "15"] and WITH_TORCH == {
        one.name for one in LESSONS if "09" <= one.name[:2] <= "13" or one.name[:2] == "15"
    }
    assert "`pip install '.[lab]'` in the course's folder" in front(LESSONS, [], None)["index.md"]


def test_without_an_address_only_the_download_is_offered():
    for lesson in LESSONS:
        notebook = nbformat.reads(stage.lesson_page(lesson, None, "main"), as_version=4)
        line = notebook.cells[0].source.split("\n")[2]
        assert line == f"{{download}}`Download the lesson <../handout/{lesson.name}/{lesson.notebook}.ipynb>`"


def test_where_the_lessons_lie_beside_the_book_they_open_there():
    for lesson in LESSONS:
        notebook = nbformat.reads(stage.lesson_page(lesson, HOME, "main", "lite"), as_version=4)
        line = notebook.cells[0].source.split("\n")[2]
        address = f"../lite/notebooks/index.html?path={lesson.name}/{lesson.notebook}.ipynb"
        assert (address in line) == (lesson.name not in WITH_TORCH) and "mybinder" not in line


def test_mistakes_and_commands_and_the_package_are_in_the_book(pages, book):
    from autograder.cli.commands import COMMANDS

    rows = re.findall(r"^\| [a-z0-9-]+ \|", (ROOT / "docs/mistakes.md").read_text(), flags=re.MULTILINE)
    shown = [pages[path].text.count("<tr class=") for path in sorted((book / "mistakes").glob("[0-9]*.html"))]
    assert len(shown) == len(LESSONS) and sum(shown) >= len(rows) > 500
    for name in COMMANDS:
        assert f"unrolled-{name}" in " ".join(pages[book / "commands.html"].ids)
    documented = " ".join(one for path in (book / "api").glob("*.html") for one in pages[path].ids)
    for name in (
        "rnncore.cells.lstm.lstm_cell",
        "rnncore.check.checking.check",
        "rnncore.losses",
        "rnncore.topics.ctc",
    ):
        assert name in documented


LOOK = r"""JSON.stringify({
  wide: document.documentElement.scrollWidth,
  formulas: document.querySelectorAll('.math').length,
  drawn: document.querySelectorAll('mjx-container > svg').length,
  faults: [...document.querySelectorAll('mjx-merror, [data-mjx-error]')].map(one => one.textContent),
  dollars: (() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    while (walker.nextNode()) {
      const text = walker.currentNode.textContent, at = walker.currentNode.parentElement;
      if (/\$[^$]+\$/.test(text) && !at.closest('pre, code, .sig, script, style')) found.push(text);
    }
    return found;
  })(),
  broken: [...document.images].filter(one => one.complete && !one.naturalWidth).map(one => one.src),
  text: document.body.innerText,
})"""


class Tab:
    """A tab of the browser that stays open, and remembers what went wrong and what was asked for."""

    def __init__(self, browser, width, dark=False):
        self.browser = browser
        target = browser.tell("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            browser.tell(f"{domain}.enable", self.session)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.tell("Emulation.setDeviceMetricsOverride", self.session, **size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        browser.tell("Emulation.setEmulatedMedia", self.session, features=scheme)

    def say(self, expression):
        asked = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        return self.browser.tell("Runtime.evaluate", self.session, **asked)["result"].get("value")

    def open(self, address):
        """Go there, wait until all is drawn, and return what LOOK sees, "asked" and "errors" added."""
        self.browser.events.clear()
        self.browser.tell("Page.navigate", self.session, url=address)
        self.browser._until("Page.loadEventFired")
        self.say("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => 1) : 1")
        self.browser._rest(self.session)
        seen = json.loads(self.say(LOOK))
        events = [(one["method"], one["params"]) for one in self.browser.events]
        seen["asked"] = [
            about["request"]["url"] for kind, about in events if kind == "Network.requestWillBeSent"
        ]
        seen["errors"] = [about for kind, about in events if kind == "Runtime.exceptionThrown"]
        seen["errors"] += [
            about for kind, about in events if kind == "Runtime.consoleAPICalled" and about["type"] == "error"
        ]
        seen["errors"] += [
            about["entry"]
            for kind, about in events
            if kind == "Log.entryAdded" and about["entry"]["level"] == "error"
        ]
        return seen


def test_every_page_opens_from_disk_whole_and_asks_nothing_outside(pages, browser):
    tab, formulas = Tab(browser, 1200), 0
    for path in pages:
        seen = tab.open(path.as_uri())
        assert not seen["errors"], f"{path}: {seen['errors']}"
        assert {urlsplit(one).scheme for one in seen["asked"]} <= {"file", "data", "blob"}, (
            f"{path}: {seen['asked']}"
        )
        assert not seen["broken"] and not seen["faults"] and not seen["dollars"], (
            path,
            seen["faults"],
            seen["dollars"],
        )
        assert seen["drawn"] == seen["formulas"], path
        formulas += seen["drawn"]
    assert formulas > 300


def test_no_page_scrolls_sideways_on_a_phone(pages, browser):
    tab = Tab(browser, 390)
    for path in pages:
        assert tab.open(path.as_uri())["wide"] <= 390, path


def test_search_finds_a_lesson_from_disk(book, browser):
    tab = Tab(browser, 1200)
    tab.open((book / "search.html").as_uri() + "?q=carry")
    tab.say(
        "new Promise(done => { const look = () => document.querySelector('#search-results li') ? done(1) : "
        "setTimeout(look, 20); look() })"
    )
    found = tab.say("[...document.querySelectorAll('#search-results li a')].map(one => one.href).join(' ')")
    assert "03-bptt/bptt.html" in found


def test_hints_open_next_leads_on_and_night_is_dark(book, browser):
    tab = Tab(browser, 1200, dark=True)
    tab.open((book / "03-bptt" / "bptt.html").as_uri())
    assert tab.say("getComputedStyle(document.body).backgroundColor") not in ("rgb(255, 255, 255)", "")
    height = "document.querySelector('article details').getBoundingClientRect().height"
    before = tab.say(height)
    tab.say("document.querySelector('article details summary').click()")
    assert tab.say(height) > before
    assert tab.say("document.querySelector('.next-page').href").endswith("/04-gradients/gradients.html")
    assert tab.say("document.querySelector('.prev-page').href").endswith("/02-rnn-cell/rnn-cell.html")


def test_what_is_missing_or_in_the_way_is_one_sentence(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    for target, says in {
        tmp_path: "something else than a book",
        tmp_path / "thesis.tex": "is a file",
    }.items():
        with pytest.raises(SystemExit, match=says):
            build(target, None, "main")
    code = "import sys; sys.modules['furo'] = None; sys.argv[1:] = ['book']\n"
    code += "from tools.site.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "The book needs" in done.stderr and done.stderr.count("\n") == 1
    assert not Path(ROOT / "book").exists()
