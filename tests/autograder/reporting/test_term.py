"""The course so far: whoever needs a word is named and nobody else, and the page says it on two sheets."""

import base64
import re

import pytest
from typer.testing import CliRunner

from autograder.cli import commands
from autograder.course.places import Workspace
from autograder.reporting import report
from autograder.reporting.ideas import IDEAS, OTHER, idea_of
from autograder.reporting.term import Term, by_idea, gather, has_stopped, odd_exercises, words_needed
from autograder.reporting.term_page import page
from rnncore.exercises import by_name
from tests.autograder.browser import Browser
from tests.autograder.reporting.made_up import NAMES, term
from tests.autograder.reporting.test_report import result


@pytest.fixture(scope="module")
def made():
    return term()


def test_who_needs_a_word_and_nobody_else(made):
    needed = words_needed(made)
    assert list(needed) == ["Gus", "Hana", "Ivo", "Jun", "Kofi"]
    assert needed["Gus"] == ["has stopped: nothing since 07-bidirectional"]
    assert re.fullmatch(r"has fallen from 8\d% to 4\d% in the last two lessons", needed["Hana"][0])
    assert re.fullmatch(r"has 3\d% of the points on average", needed["Ivo"][0])
    assert needed["Jun"] == ["was late 4 times"]
    assert needed["Kofi"] == ["has left out 04-gradients, 05-lstm"]
    assert [name for name, said in needed.items() if has_stopped(said)] == ["Gus"]


def test_a_lesson_that_few_have_begun_stops_nobody():
    some = Term(lessons=["01-a", "02-b", "03-c"])
    for number in range(10):
        some.shares[f"s{number}"] = {"01-a": 0.8} | ({"02-b": 0.8, "03-c": 0.8} if number < 4 else {})
    assert words_needed(some) == {}
    some.shares["s4"] |= {"02-b": 0.8, "03-c": None}  # handed in, and the grading failed
    assert set(words_needed(some)) == {"s5", "s6", "s7", "s8", "s9"}


def test_what_was_not_handed_in_is_no_zero(made):
    assert made.mean("Gus") > 0.7
    assert made.handed_in("15-attention") == len(NAMES) - 1 == len(made.of_lesson("15-attention"))
    assert Term(shares={"Ann": {"01-a": None}}).mean("Ann") is None


def test_exercises_that_tell_too_little(made):
    odd = {exercise: says for exercise, _, says in odd_exercises(made)}
    assert set(odd) == {("01-sequences", "one_hot"), ("02-rnn-cell", "sigmoid")}
    assert "easy, or well taught" in odd["01-sequences", "one_hot"]
    assert "do no better here" in odd["02-rnn-cell", "sigmoid"]
    hard = Term(exercises={("01-a", "f"): {f"s{n}": 0.2 for n in range(8)}, ("01-a", "g"): {"s1": 0.0}})
    ((exercise, mean, says),) = odd_exercises(hard)
    assert exercise == ("01-a", "f") and mean == pytest.approx(0.2) and says.startswith("Few have much of it")


def test_mistakes_are_grouped_over_lessons():
    some = Term(
        mistakes=[
            ("Ann", "02-rnn-cell", "rnn_cell", "weight-hh-transposed", "Turned."),
            ("Bob", "02-rnn-cell", "rnn_cell", "weight-hh-transposed", "Turned."),
            ("Ann", "05-lstm", "lstm_cell", "weight-ih-untransposed", "Not turned."),
            ("Cem", "03-bptt", "rnn_backward", "no-carry", "Lost."),
            ("Cem", "03-bptt", "rnn_backward", "flat", "Flat."),
            ("Dan", "03-bptt", "rnn_backward", "flat", "Flat."),
            ("Eve", "03-bptt", "rnn_backward", "flat", "Flat."),
        ]
    )
    turned, carried, other = by_idea(some)
    assert turned[:2] == ("Which way round a matrix stands", 2)
    assert [one[0] for one in turned[2]] == ["weight-hh-transposed", "weight-ih-untransposed"]
    assert carried[:2] == ("What is carried from step to step", 1)
    assert other[:2] == (OTHER, 3)  # the last, however many there are


def test_nearly_every_known_mistake_is_about_an_idea():
    ideas = [idea_of(mistake.id) for exercise in by_name().values() for mistake in exercise.mistakes]
    assert ideas.count(OTHER) < 0.08 * len(ideas)
    assert all(ideas.count(idea) >= 5 for idea in IDEAS)


# The page


def test_the_page_says_what_is_known(made):
    written = page(made)
    assert "<script" not in written and "default-src 'none'" in written
    assert '<td class="name">Gus</td><td>has stopped: nothing since 07-bidirectional</td>' in written
    assert "<td>14-scan</td>" in written and "31 of 32" in written
    gus = written.partition('class="who">Gus<')[2].partition("</div>")[0]
    assert gus.count(">·<") == 8 and len(re.findall(r'class="s\d"', gus)) == 7


def test_a_page_of_nothing_much():
    some = Term(lessons=["01-a"], shares={"<b>x</b>\x1b[31m": {"01-a": None}})
    written = page(some)
    assert "&lt;b&gt;x&lt;/b&gt;" in written and "\x1b" not in written and ">?<" in written
    assert "No known mistake was made." in written and "Nobody, by what the points say." in written


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    one = Browser(tmp_path_factory.mktemp("browser"))
    yield one
    one.close()


def test_it_fits_a_telephone_and_the_night_as_the_lessons_report_does(made, browser, spec, tmp_path):
    path = tmp_path / "course.html"
    results = {"Ann": result("Ann", (1.5, 0), mistakes=["halved"], remarks=["Cells had been moved. " * 9])}
    for written in (report.page(Workspace(tmp_path), spec, results, {}), page(made)):
        path.write_text(written)
        for width in (390, 1280):
            assert browser.look(path, width=width)["wide"] == width
    light, dark = (browser.look(path, scheme=scheme)["paper"] for scheme in ("light", "dark"))
    assert light == "rgb(255, 255, 255)" and dark != light


def test_a_class_of_thirty_prints_on_two_pages(made, browser, tmp_path):
    path = tmp_path / "course.html"
    path.write_text(page(made))
    target = browser.tell("Target.createTarget", url=path.as_uri())["targetId"]
    session = browser.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    browser.look(path)  # by then the other has loaded, too
    printed = browser.tell("Page.printToPDF", session, preferCSSPageSize=True, printBackground=False)
    assert len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"]))) == 2


# From a workspace


def test_it_is_gathered_from_what_was_graded(room, released):
    found = gather(room, released)
    assert found.lessons == ["01-double"]
    assert found.shares["Ann"]["01-double"] == pytest.approx(4.5 / 7)
    assert found.shares["Bob"]["01-double"] == 0.5  # half of the checks; nobody has read what he wrote
    assert found.shares["Fay"] == {"01-double": None}  # whose grading failed
    assert found.exercises["01-double", "double"]["Bob"] == 0.5
    assert ("Bob", "01-double", "double", "halved", "You halved <b>x</b>.") in found.mistakes
    assert found.waiting["01-double"] == 2  # Bob, and one who came in by nbgrader's own way


def test_the_command(room, released):
    told = CliRunner().invoke(
        commands.app, ["report", "all", "-w", str(room.root), "--course", str(released)]
    )
    assert told.exit_code == 0, told.output
    assert f"5 students, 1 lesson: {room.reports / 'course.html'}" in told.output
    assert "<h1>The course so far</h1>" in (room.reports / "course.html").read_text()


def test_before_anything_was_graded(workspace, released):
    words = ["report", "all", "-w", str(workspace.root), "--course", str(released)]
    told = CliRunner().invoke(commands.app, words)
    assert told.exit_code == 1 and "Nothing was graded in" in told.stderr
