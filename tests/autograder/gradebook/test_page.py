"""What a student reads on a feedback page: what counts first, in words, and nothing that is not known yet."""

import itertools
import json
import re

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook

from autograder.gradebook import database
from autograder.gradebook.feedback import write_feedback
from autograder.gradebook.page import prose
from autograder.intake.contents.rescue import rescue
from autograder.judging.graded import CellScore, GradedNotebook
from autograder.judging.sanitise import sanitise
from autograder.judging.status import Status
from autograder.judging.submission import no_marks, told
from rnncore.check.verdict import Named, Part, Verdict
from tests.autograder.browser import Browser

ANSWER = "Because it is the sum."


def hand_in(workspace, released, spec, notebook, status=Status.GRADED, remarks=()):
    """The page of a notebook that was graded with a right ``double`` and a wrong ``triple``."""
    verdicts = {
        "double-check": Verdict("double", 3, 3.0, "right", "Right.", (Part("double", True),)),
        "triple-check": Verdict(
            "triple",
            2,
            0.5,
            "partly right",
            "1 of 2 parts is right.",
            (Part("y", True), Part("z", False, "is off")),
            (Named("twice", "this is only *two* times `x`"),),
        ),
    }
    rescued = rescue(json.dumps(notebook).encode(), spec).notebook
    for cell in rescued.cells:
        if cell.id in verdicts:
            data = {"text/plain": f"{verdicts[cell.id].earned:g}", "text/html": verdicts[cell.id].html()}
            cell.outputs = [nbformat.v4.new_output("execute_result", data)]
    scores = {name: CellScore(one.earned, one.points, one.as_dict(), 1) for name, one in verdicts.items()}
    return write(workspace, released, spec, GradedNotebook(rescued, scores, status, list(remarks)))


def write(workspace, released, spec, graded):
    notebook = sanitise(graded.notebook, spec)
    notebook.metadata["unrolled"]["graded"] = nbformat.from_dict(told(graded, spec))
    database.register(workspace, spec)
    database.record(workspace, spec, "Ann", notebook)
    path = workspace.autograded / "Ann" / spec.assignment / f"{spec.notebook}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return again(workspace, released, spec)


def again(workspace, released, spec):
    assert write_feedback(workspace, released, spec, ["Ann"]) == 1
    return (workspace.feedback / "Ann" / spec.assignment / f"{spec.notebook}.html").read_text()


def words(page):
    """What is read on a page, and its first part, above the student's work."""
    body = page.partition("<body>")[2]
    text = [
        " ".join(re.sub(r"<[^>]+>", " ", part).split()) for part in (body, body.partition('id="work"')[0])
    ]
    return [" ".join(one.replace("\u200b", "").split()) for one in text]


@pytest.fixture
def done(lesson_notebook):
    for cell in lesson_notebook.cells:
        if cell.id == "double":
            cell.source = "def double(x):\n    return x + x"
        elif cell.id == "written":
            cell.source = ANSWER
    return lesson_notebook


def test_what_counts_comes_first(workspace, released, spec, done):
    page = hand_in(workspace, released, spec, done, remarks=["1 added cell was kept, ungraded."])
    whole, first = words(page)
    assert first.startswith("Feedback: 01-double Ann 3.5 of 7 points so far Right double To look at again")
    assert "triple 0.5 / 2 this is only two times x" in first and "Right: y" in first
    assert "1 added cell was kept, ungraded." in first
    assert '<a href="#triple-check"><code>triple</code></a>' in page and 'id="triple-check"' in page
    assert ANSWER in whole and ANSWER not in first


def test_an_answer_that_nobody_graded_has_no_score(workspace, released, spec, done):
    whole, first = words(hand_in(workspace, released, spec, done))
    assert "Your written answer is not graded yet: it waits for a person, who gives up to 2 points." in first
    assert "Your written answer: not graded yet" in whole
    assert not re.search(r"written answer[^.]*\b0(\.0)? ?/ ?2", whole)


def test_where_our_check_failed_nothing_is_said_to_be_wrong(workspace, released, spec, done):
    rescued = rescue(json.dumps(done).encode(), spec).notebook
    scores = {"double-check": CellScore(3.0, 3), "triple-check": CellScore(0.0, 2, failed="KeyError")}
    for cell in rescued.cells:
        if cell.id in scores:
            data = {"text/plain": f"{scores[cell.id].points:g}"}
            cell.outputs = [nbformat.v4.new_output("execute_result", data)]
    whole, first = words(write(workspace, released, spec, GradedNotebook(rescued, scores, Status.GRADED)))
    assert "triple is not graded yet: it waits for a person, who gives up to 2 points." in first
    assert "To look at again" not in first and "triple not graded yet" in whole


def test_a_grade_by_hand_and_a_comment_are_there(workspace, released, spec, done):
    hand_in(workspace, released, spec, done)
    with Gradebook(workspace.db_url, database.COURSE_ID) as book:
        grade = book.find_grade("written", spec.notebook, spec.assignment, "Ann")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        comment = book.find_comment("written", spec.notebook, spec.assignment, "Ann")
        comment.manual_comment = "Well *said* <script>alert(1)</script> \x1b]0;x\x07"
        book.db.commit()
    page = again(workspace, released, spec)
    _, first = words(page)
    assert "5 of 7 points Right" in first and "so far" not in first
    assert "Your written answer has 1.5 / 2 ." in first and "There is a comment" in first
    assert "<em>said</em>" in page and "<script" not in page and "\x1b" not in page


def test_a_changed_answer_waits_to_be_read_again(workspace, released, spec, done):
    hand_in(workspace, released, spec, done)
    with Gradebook(workspace.db_url, database.COURSE_ID) as book:
        book.find_grade("written", spec.notebook, spec.assignment, "Ann").manual_score = 1
        book.db.commit()
    _, first = words(again(workspace, released, spec))
    assert "was changed after it was graded and waits to be read again." in first


def test_an_unreadable_submission_says_why(workspace, released, spec, lesson_notebook):
    rescued = rescue(json.dumps(lesson_notebook).encode(), spec).notebook
    graded = no_marks(rescued, spec, Status.UNREADABLE, "The file is not valid JSON at line 1.")
    whole, first = words(write(workspace, released, spec, graded))
    assert "could not be read" in first and "The file is not valid JSON at line 1." in first
    assert "0 of 7 points" in first and "Your answer" not in whole and "To look at again" not in first


@pytest.mark.parametrize("status", [one for one in Status if one not in ("graded", "infrastructure fault")])
def test_every_ending_has_a_sentence(workspace, released, spec, done, status):
    _, first = words(hand_in(workspace, released, spec, done, status))
    assert re.search(r"(not graded|was graded|were graded|was begun|in it was graded)", first)


def test_the_lesson_is_folded_and_the_students_own_is_not(workspace, released, spec, done):
    done.cells.insert(3, new_markdown_cell("My own note."))
    page = hand_in(workspace, released, spec, done)
    folds = re.findall(r"<details class=\"lesson\">.*?</details>", page, flags=re.DOTALL)
    assert folds and page.count("<details") == page.count("</details>")
    folded = " ".join(folds)
    assert "Add the number to itself." in folded and "The lesson: Double a number" in folded
    for own in ("My own note.", "return", ANSWER, 'id="double-check"'):
        assert own in page and own not in folded


def test_it_reads_well_everywhere(workspace, released, spec, done):
    page = hand_in(workspace, released, spec, done)
    head = page.partition("</head>")[0]
    assert '<html lang="en">' in head and "<title>Feedback: 01-double</title>" in head
    assert "width=device-width" in head and "prefers-color-scheme: dark" in head and "@media print" in head
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(later <= before + 1 for before, later in itertools.pairwise(levels))
    assert page.count("<main>") == 1 and len(page) < 60_000


def test_a_notebook_of_an_earlier_grader_still_has_a_page(workspace, released, spec, done):
    hand_in(workspace, released, spec, done)
    path = workspace.autograded / "Ann" / spec.assignment / f"{spec.notebook}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    del notebook.metadata["unrolled"]["graded"]
    nbformat.write(notebook, path)
    _, first = words(again(workspace, released, spec))
    assert "3.5 of 7 points so far" in first and "triple 0.5 / 2" in first


def test_words_are_words():
    assert prose("`a<b` and *this* \x1b[31m<b>") == "<code>a&lt;b</code> and <em>this</em> &lt;b&gt;"


def test_every_link_leads_to_a_place(workspace, released, spec, done):
    page = hand_in(workspace, released, spec, done)
    places = set(re.findall(r'\bid="([^"]+)"', page))
    links = set(re.findall(r'href="#([^"]+)"', page.partition('id="work"')[0]))
    assert links and links <= places


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


def test_it_fits_a_telephone_and_the_dark(browser, workspace, released, spec, done):
    """Long lines of code and wide tables scroll by themselves: the page does not."""
    for cell in done.cells:
        if cell.id == "double":
            cell.source = f"def double(x):\n    return x + x  # {'wide ' * 60}{'w' * 300}"
        elif cell.id == "written":
            cell.source = (
                f"| {' | '.join('abcdefghij' * 2)} |\n|{'---|' * 20}\n\n{'unbroken' * 60}\n\n`{'c' * 200}`"
            )
    hand_in(workspace, released, spec, done, remarks=[f"`{'m' * 300}` was graded."])
    path = workspace.feedback / "Ann" / spec.assignment / f"{spec.notebook}.html"
    papers = {}
    for scheme in ("light", "dark"):
        for width in (390, 1280):
            seen = browser.look(path, width=width, scheme=scheme)
            assert seen["wide"] <= width, (scheme, width)
            papers[scheme] = seen["paper"]
    assert papers == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 25, 31)"}
