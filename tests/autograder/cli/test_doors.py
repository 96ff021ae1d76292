"""The doors through which a student's words reach somebody: none lets an order, a link, or megabytes pass.

One submission writes orders into all that it can: its file's name, its answers, what they print, raise and
return. It is graded once; then everything that a person may look at is opened, and looked through.
"""

import ast
import base64
import contextlib
import json
import re
import shutil
import sqlite3
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from typer.testing import CliRunner

import autograder
from autograder.cli import commands
from autograder.course.places import Workspace, find_course, find_lesson
from autograder.course.scheme import read_schemes
from autograder.course.spec import read_spec
from autograder.intake.plain import all_plain, named, plain
from autograder.marking.server import Desk
from rnncore.exercises import by_name

FAR = "http://evil.example"
ORDERS = (
    f"\x1b]0;taken\x07\x1b[2J\x1b[31mred\x1b[0m \x9b31m\u202edesrever\u202c\r\x08 $\\href{{{FAR}}}{{x}}$ "
    f"\\(\\style{{background:url({FAR})}}{{y}}\\) \\url{{{FAR}}} ![far]({FAR}/p.png) "
    f"<img src={FAR}/p.png> [x](javascript:alert(1)) \U000e0041 `tick` end"
)
LARGE = 1_000_000
ANSWERS = {
    "softmax_cross_entropy": (
        f"def softmax_cross_entropy(logits, targets):\n    raise ValueError({ORDERS!r})\n"
    ),
    "numerical_gradient": (
        f"def numerical_gradient(f, x):\n    print({ORDERS!r})\n    return {{{ORDERS!r}: 'x' * {LARGE}}}\n"
    ),
    "rnn_cell_backward": (
        "def rnn_cell_backward(p, dh, cache):\n"
        f"    kind = type('FullMarksAreDue', (Exception,), {{}})\n    raise kind('z' * {LARGE})\n"
    ),
    "rnn_backward": (
        f"raise ModuleNotFoundError({ORDERS!r})\n\n\ndef rnn_backward(p, dy, caches):\n    pass\n"
    ),
    "truncated_backward": by_name()["truncated_backward"].source,
}
OUTPUTS = f"""
import sys
from IPython.display import HTML, Latex, Markdown, display
for text in [{ORDERS!r}]:
    print(text)
    print(text, file=sys.stderr)
    for kind in (HTML, Latex, Markdown):
        display(kind(text))
display(HTML("<p>" + "<b>x</b>" * 100_000))
raise ModuleNotFoundError("No module named 'torch.full_marks_are_due'")
"""
PICTURE = base64.b64encode(b"\x89PNG " + b"x" * 1000).decode()
NAME = "Full marks\x1b[31m\u202e `x`.ipynb"
OTHER_SCRIPTS = "\u0627\u0644\u062d\u0627\u0644\u0629 \u200d \U0001f469\u200d\U0001f52c"
WAYS = ("print", "typer.echo", "click.echo", "typer.secho", "sys.stdout.write", "sys.stderr.write")
CLEAN = {  # commands that print nothing of a student's, and are not opened here
    *("lessons", "release", "workspace", "doctor", "demo", "collect"),
    *("new", "draft", "test", "update", "adopt"),
}


def unrolled(*words):
    return CliRunner().invoke(commands.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def doors(tmp_path_factory):
    """{door: what is seen there} after grading the submission."""
    course = find_course()
    lesson = find_lesson(course, "03")
    room = tmp_path_factory.mktemp("doors") / "room"
    notebook = nbformat.read(lesson.lesson_path, as_version=4)
    for cell in notebook.cells:
        if cell.id in ANSWERS:
            cell.source = ANSWERS[cell.id]
        elif cell.id == "written":
            cell.source = f"{ORDERS}\n\n{'long ' * 50_000}"
            cell.attachments = {ORDERS: {"image/png": base64.b64encode(b"\x89PNG " + b"x" * 1000).decode()}}
    notebook.cells[2:2] = [
        new_code_cell(f"text = {'y' * LARGE!r}"),
        new_code_cell(OUTPUTS),
        new_raw_cell(ORDERS),
    ]
    notebook.cells.append(new_markdown_cell(ORDERS))
    folder = room / "submitted" / "Mallory" / lesson.name
    folder.mkdir(parents=True)
    (folder / NAME).write_text(json.dumps(notebook))
    found = {}

    def run(door, *words):
        result = unrolled(*words, "--course", course, *(["--workspace", room] if door != "check" else []))
        assert result.exit_code == 0, result.output
        found[f"terminal: {door}"] = result.output
        return result

    run("grade", "grade", "03", "-n", "1")
    run("explain", "grade", "03", "--explain", "Mallory", "softmax_cross_entropy")
    run("check", "check", folder / NAME, "--lesson", "03")
    run("feedback", "feedback", "03")
    run("report", "report", "03")
    run("status", "status", "03")
    for kind in ("csv", "gradescope"):
        run(kind, "export", "03", "--format", kind)
    shutil.copytree(room / "submitted" / "Mallory", room / "submitted" / "Trudy")
    run("mistake", "mistake", "new", "rnn_backward", "--student", "Mallory")
    run("similar", "similar", "03")
    run("watch", "watch", "03", "--once")
    graded = room / "autograded" / "Mallory" / lesson.name / "bptt.ipynb"
    found["notebook"] = graded.read_text()
    found["page: formgrader"] = HTMLExporter(template_name="classic").from_filename(str(graded))[0]
    found["page: feedback"] = (room / "feedback" / "Mallory" / lesson.name / "bptt.html").read_text()
    found["page: report"] = (room / "reports" / "03-bptt.html").read_text()
    found["page: similar"] = (room / "reports" / "03-bptt-similar.html").read_text()
    desk = Desk(Workspace(room), read_spec(lesson.lesson_path), read_schemes(lesson))
    found["page: marking"] = desk.page("", True)
    found["result"] = (room / "results" / lesson.name / "Mallory.json").read_text()
    found["csv"] = (room / "reports" / "03-bptt-csv.csv").read_text()
    (gradescope,) = (room / "reports" / "03-bptt-gradescope").rglob("results.json")
    found["gradescope"] = gradescope.read_text()
    with contextlib.closing(sqlite3.connect(room / "gradebook.db")) as book:
        found["gradebook"] = "\n".join(book.iterdump())
    return found


DOORS = [
    *(
        f"terminal: {name}"
        for name in (
            "grade",
            "explain",
            "check",
            "feedback",
            "report",
            "csv",
            "gradescope",
            "similar",
            "status",
            "mistake",
            "watch",
        )
    ),
    *("notebook", "page: formgrader", "page: feedback", "page: report", "page: similar", "page: marking"),
    *("result", "csv", "gradescope", "gradebook"),
]


@pytest.mark.parametrize("door", DOORS)
def test_no_order_passes(doors, door):
    text = doors[door]
    if door in ("result", "gradescope"):
        text = "\n".join(_strings(json.loads(text)))
    elif door == "notebook":
        notebook = nbformat.reads(text, as_version=4)
        text = "\n".join(cell.source for cell in notebook.cells)
        shown = "\n".join(_strings([cell.get("outputs", []) for cell in notebook.cells]))
        text += re.sub(r"\x1b\[[0-9;]*m", "", shown)  # colours, which pages turn into styles
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\U000e0000-\U000e0fff]", text)


@pytest.mark.parametrize("door", DOORS)
def test_nothing_is_longer_than_somebody_would_read(doors, door):
    assert len(doors[door]) < (3_000_000 if door.startswith(("page", "notebook")) else 100_000)


@pytest.mark.parametrize("door", [door for door in DOORS if door.startswith("page")])
def test_no_page_fetches_or_leads_to_code(doors, door):
    body = doors[door].partition("<body")[2]
    for tag in re.findall(r"<[a-z][^<>]*>", body):
        assert not re.search(r"(src|srcset|style|background)\s*=\s*[\"']?[^\"'>]*evil", tag), tag
        assert not re.search(r"=\s*[\"']?\s*javascript:", tag), tag
    typeset = re.sub(r"<(pre|code|script)\b.*?</\1>", "", body, flags=re.DOTALL)  # what MathJax reads
    assert not re.search(r"\\(href|url|style)\b", typeset)


@pytest.mark.parametrize("door", ["terminal: grade", "page: report", "csv"])
def test_a_graders_remark_is_in_the_graders_words(doors, door):
    assert "FullMarksAreDue" not in doors[door] and "full_marks_are_due" not in doors[door]


def test_the_words_themselves_arrive(doors):
    pages = ("page: feedback", "page: formgrader", "page: marking")
    for door in ("terminal: check", "terminal: explain", *pages, "result"):
        assert "red" in doors[door] and "end" in doors[door], door


def test_every_command_is_a_door_that_was_looked_at():
    assert set(commands.COMMANDS) == CLEAN | {
        "grade",
        "check",
        "mark",
        "feedback",
        "report",
        "export",
        "similar",
        "status",
        "watch",
        "mistake",
    }


def test_all_that_is_printed_goes_through_one_function():
    printing = []
    for path in sorted(Path(autograder.__file__).parent.rglob("*.py")):
        if "sandbox" in path.parts:  # its programs print inside, for us to read
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in WAYS or called.endswith(".print"):
                printing.append(f"{path.parent.name}/{path.name}: {called}")
    assert sorted(set(printing)) == [
        "cli/common.py: typer.echo",
        "cli/light.py: print",  # where a student has no typer; names of the course's own files
        "commands/collect.py: console().print",  # tables, of plain cells
        "commands/grade.py: console().print",
        "commands/prepare.py: screen.print",
        "commands/report.py: console().print",
        "commands/status.py: console().print",  # numbers and names of lessons
    ]


# The function itself


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\x1b[31mb\x1b[0m", "ab"),
        ("a\x1b]8;;http://x\x07b\x1b]8;;\x1b\\c", "abc"),
        ("a\x9b2Jb\x9d0;x\x9cc", "abc"),
        ("a\x1bPq#1\x1b\\b\x1b(Bc\x1b7d\x1b", "abcd"),
        ("one\r\ntwo\rthree\x0bfour\u2028five", "one two three four five"),
        ("\u202eabc\u202c \u2066d\u2069", "abc d"),
        ("\U000e0041b\ufeff\x00\x7f", "b"),
        ("\ud800x", "?x"),
        (
            "\u0627\u0644\u062d\u0627\u0644\u0629 \u200d \U0001f469\u200d\U0001f52c",
            "\u0627\u0644\u062d\u0627\u0644\u0629 \u200d \U0001f469\u200d\U0001f52c",
        ),
        ("\\href{x} \\hrefs \\frac", "\\\u200bhref{x} \\hrefs \\frac"),
    ],
)
def test_plain_text_only_says_something(text, left):
    assert plain(text) == left
    assert plain(plain(text)) == plain(text)


def test_plain_text_keeps_what_it_is_asked_to_keep():
    assert plain("a\n\tb\x1b[1;31mc\x1b[2Jd", lines=True, colours=True) == "a\n\tb\x1b[1;31mcd"
    assert plain("\\href", tex=True) == "\\href"
    assert plain("x" * 30, 10) == "x" * 10 + " [... the rest was left out]"
    assert named("a`b\nc") == "`a'b c`"
    assert all_plain({"a\x1b[1m": ["b\x07", 1, ("c\u202e", None)]}) == {"a": ["b", 1, ("c", None)]}


def test_plain_text_takes_time_that_grows_with_the_text():
    for part in ("\x1b]", "\x1b[", "\x9d", "\x1b[31", "\\href", "\r", " "):
        assert len(plain(part * 200_000, 10**7, lines=True, colours=True)) < 10**7


def _strings(value):
    if isinstance(value, str):
        return [value]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [text for key, one in items for text in [*_strings(key), *_strings(one)]]
