"""The marking page in a browser: by keyboard alone, with hostile answers on it, asking nobody else."""

import json
from urllib.parse import urlsplit

import nbformat
import pytest

from autograder.gradebook import by_hand
from autograder.gradebook.results import graded_path
from tests.autograder.browser import IDLE, Browser
from tests.autograder.waiting import wait_until

HOSTILE = [
    "<script>ran()</script>",
    "<img src=x onerror=ran()>![x](http://away.example/x.png)",
    "[click](javascript:ran())",
    "</textarea><svg onload=ran()>",
    "<style>@import 'http://away.example/x.css';</style>",
    '<form action="http://away.example/"><button>Next</button></form>',
    "$\\href{javascript:ran()}{x}$",
    "```mermaid\n<img src=x onerror=ran()>\n```",
]
KEYS = {"Tab": 9, "Enter": 13, " ": 32}
CTRL, SHIFT = 2, 8


class Person:
    """Somebody before the page who has a keyboard and no mouse."""

    def __init__(self, browser, address, width=1280, scheme="light"):
        self.browser = browser
        self.target = browser.tell("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.tell("Target.attachToTarget", targetId=self.target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            browser.tell(f"{domain}.enable", self.session)
        browser.tell("Runtime.addBinding", self.session, name="told")
        source = "window.ran = () => told('ran')"
        browser.tell("Page.addScriptToEvaluateOnNewDocument", self.session, source=source)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.tell("Emulation.setDeviceMetricsOverride", self.session, **size)
        liked = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.tell("Emulation.setEmulatedMedia", self.session, features=liked)
        browser.events.clear()
        browser.tell("Page.navigate", self.session, url=address)
        wait_until(lambda: self.say("document.readyState") == "complete")
        self.say(IDLE)

    def say(self, expression):
        return self.browser._say(self.session, expression)

    def press(self, key, modifiers=0, text=""):
        told = {"key": key, "code": "Space" if key == " " else key, "modifiers": modifiers}
        told["windowsVirtualKeyCode"] = KEYS.get(key, ord(key[0]))
        if text:
            told["text"] = text
        self.browser.tell("Input.dispatchKeyEvent", self.session, type="keyDown", **told)
        self.browser.tell("Input.dispatchKeyEvent", self.session, type="keyUp", **told)

    def type(self, text):
        for letter in text:
            self.press(letter, text=letter)

    def at(self):
        """Where the keyboard is: whose answer, and what kind of thing."""
        return self.say(
            "[document.activeElement.closest('article')?.dataset.student ?? '', "
            "document.activeElement.type ?? document.activeElement.localName].join(' ')"
        )

    def asked(self):
        """The addresses that the page has asked for."""
        sent = [one["params"] for one in self.browser.events if one["method"] == "Network.requestWillBeSent"]
        return [one["request"]["url"] for one in sent]

    def ran(self):
        return [one for one in self.browser.events if one["method"] == "Runtime.bindingCalled"]

    def close(self):
        self.browser.tell("Target.closeTarget", targetId=self.target)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"), served=True)
    yield browser
    browser.close()


def given(desk):
    """{student: (score, comment, waits)} as the gradebook has them."""
    found = by_hand.answers(desk.workspace, desk.spec, "written")
    return {one.student: (one.score, one.comment, one.waits) for one in found}


def test_a_class_is_marked_by_keyboard_alone(desk, hand_in, served, browser):
    hand_in(Ann="Adding.", Bob="Magic.", Cem="Adding, as in 1 + 1.")
    person = Person(browser, served.address)
    for _ in range(10):
        person.press("Tab")
        if person.at() == "Ann checkbox":
            break
    person.press(" ", text=" ")
    wait_until(lambda: given(desk)["Ann"] == (1.5, "", False))
    person.press("Tab")  # the second line
    person.press("Tab")
    assert person.at() == "Ann number"
    person.press("Tab")
    assert person.at() == "Ann textarea"
    person.type("An example?")
    person.press("Enter", CTRL)
    wait_until(lambda: given(desk)["Ann"] == (1.5, "An example?", False))
    assert person.at() == "Bob checkbox"
    person.press("Enter", CTRL | SHIFT)
    assert person.at() == "Ann checkbox"
    person.press("Enter", CTRL)  # on to the next that waits
    assert person.at() == "Bob checkbox"
    person.press("Tab")
    person.press("Tab")
    person.type("0")
    person.press("Enter", CTRL)
    wait_until(lambda: given(desk)["Bob"] == (0, "", False))
    assert person.at() == "Cem checkbox"
    person.press(" ", text=" ")
    person.press("Tab")
    person.press(" ", text=" ")
    wait_until(lambda: given(desk)["Cem"] == (2, "", False))
    person.press("Enter", CTRL)
    wait_until(
        lambda: person.say("document.getElementById('count').textContent") == "All 3 answers are marked."
    )
    assert person.say("document.activeElement.id") == "count"
    host = urlsplit(served.address).netloc
    assert {urlsplit(url).netloc for url in person.asked()} == {host}
    person.close()


def test_a_comment_on_a_changed_answer_is_no_mark_and_going_on_is(desk, hand_in, served, browser):
    hand_in(Ann="Adding.")
    (ann,) = by_hand.answers(desk.workspace, desk.spec, "written")
    told = {"student": "Ann", "digest": ann.digest, "score": 2, "comment": "", "ticked": [], "settled": True}
    desk.mark("", told)
    hand_in(Ann="Subtracting.")
    person = Person(browser, served.address)
    person.say("document.querySelector('textarea').focus()")
    person.type("Why?")
    wait_until(lambda: given(desk)["Ann"] == (2, "Why?", True))
    person.press("Enter", CTRL)
    wait_until(lambda: given(desk)["Ann"] == (2, "Why?", False))
    person.close()


def test_what_is_refused_or_cannot_be_saved_is_said_and_kept(desk, hand_in, served, browser):
    hand_in(Ann="Adding.")
    person = Person(browser, served.address)
    said = "document.querySelector('.said').textContent"
    person.say("document.querySelector('input[type=number]').focus()")
    person.type("7")
    person.press("Tab")
    wait_until(lambda: "not between 0 and 2" in person.say(said))
    assert given(desk)["Ann"] == (None, "", True)
    hand_in(Ann="Subtracting.")
    person.say("document.querySelector('input[type=checkbox]').focus()")
    person.press(" ", text=" ")
    wait_until(lambda: "another answer" in person.say(said))
    assert given(desk)["Ann"] == (None, "", True)
    person.say(
        "document.querySelectorAll('[data-unsaved]').forEach((one) => one.removeAttribute('data-unsaved'))"
    )
    person.close()


@pytest.mark.parametrize("width, scheme", [(390, "dark"), (1280, "light")])
def test_hostile_answers_stay_inert_and_fit(desk, hand_in, served, browser, width, scheme):
    hand_in(**{f"s{number}": text + "\n\n" + "long" * 200 for number, text in enumerate(HOSTILE)})
    person = Person(browser, served.address, width, scheme)
    person.say(
        "for (const one of document.querySelectorAll('.text *'))"
        " for (const name of ['mouseover', 'focus', 'click', 'toggle', 'load', 'error'])"
        " one.dispatchEvent(new Event(name, {bubbles: true, cancelable: true}))"
    )
    person.say(IDLE)
    assert person.ran() == []
    assert {urlsplit(url).netloc for url in person.asked()} == {urlsplit(served.address).netloc}
    assert person.say("document.querySelectorAll('article').length") == len(HOSTILE)
    inside = (
        "document.querySelectorAll('.text script, .text form, .text style, .text svg, .text iframe').length"
    )
    assert person.say(inside) == 0
    assert person.say("document.documentElement.scrollWidth") <= width
    dark = person.say("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    person.close()


def test_even_what_nobody_cleaned_is_inert(desk, hand_in, served, browser):
    """The graded notebook is cleaned again on its way to the page, and the page's policy is behind that."""
    hand_in(Ann="Adding.")
    path = graded_path(desk.workspace, desk.spec, "Ann")
    notebook = nbformat.read(path, as_version=4)
    next(cell for cell in notebook.cells if cell.id == "written").source = "\n\n".join(HOSTILE)
    path.write_text(json.dumps(notebook))
    person = Person(browser, served.address)
    assert person.ran() == []
    person.say("document.querySelector('.text').innerHTML = '<img src=x onerror=ran()>'")
    person.say("document.body.append(Object.assign(document.createElement('script'), {text: 'ran()'}))")
    person.say(IDLE)
    assert person.ran() == []
    person.close()
