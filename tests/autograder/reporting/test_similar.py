"""Similar work: copies are seen whatever was done to them, independent answers are not; nobody is judged."""

import inspect
import re
import shutil
import textwrap
from functools import cache
from importlib import import_module
from itertools import combinations

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from typer.testing import CliRunner

from autograder.cli import commands
from autograder.course.places import all_lessons, find_course
from autograder.course.spec import read_spec
from autograder.reporting import likeness
from autograder.reporting.likeness import LEAST, LINE, Text, alike, of_their_own
from autograder.reporting.similar import ADDED, compare, page
from rnncore.exercises import MODULES, by_name
from tests.autograder.reporting.copying import KINDS
from tests.rnncore.exercises import variants

LONG = """\
def double(x):
    total, count = 0.0, 2
    for turn in range(count):
        total = total + x * 1.0 - 0.5 * turn + 0.5 * turn
    weights = {"first": total / count, "second": total / count}
    return weights["first"] + weights["second"] - 0.0 * x
"""
OTHER = """\
def double(x):
    shift = int(1)
    whole, part = divmod(x, 1)
    answer = (int(whole) << shift) + part * pow(2, shift)
    while abs(answer - x - x) > 1e-9 * max(abs(x), 1):
        answer = answer + (x + x - answer) / 2
    return answer
"""


@cache
def texts():
    """{exercise: (its lesson's pieces, {style: source})}, of the reference and every other right answer."""
    given = {}
    for lesson in all_lessons(find_course()):
        cells = read_spec(lesson.lesson_path).cells
        pieces = frozenset().union(*(Text(cell.source).pieces for cell in cells if cell.cell_type == "code"))
        given |= {cell.grade_id: pieces for cell in cells if cell.kind == "solution"}
    for module in MODULES.values():
        import_module(f"{variants.__name__}.{module}")
    found = {}
    for name, functions in variants.VARIANTS.items():
        sources = {one.variant: textwrap.dedent(inspect.getsource(one)) for one in functions}
        sources = {style: re.sub(r"^@.*\n", "", source) for style, source in sources.items()}
        found[name] = given[name], {"the reference": by_name()[name].source, **sources}
    return found


def share(one, other, given):
    """How alike two sources are; None where one of them is too short to be compared."""
    own = of_their_own({"one": Text(one), "other": Text(other)}, given)
    if len(own) < 2:
        return None
    (pair,) = alike("any", own, line=0.0)
    return pair.share


def test_no_two_independent_answers_are_alike():
    highest, compared = 0.0, 0
    for name, (given, sources) in texts().items():
        for one, other in combinations(sources, 2):
            found = share(sources[one], sources[other], given)
            assert found is None or found < LINE - 0.1, (name, one, other, found)
            highest, compared = max(highest, found or 0.0), compared + (found is not None)
    assert compared > 500 and highest > 0.4  # they answer one question, after all


@pytest.mark.parametrize("kind", KINDS)
def test_every_copy_is_alike(kind):
    compared = 0
    for name, (given, sources) in texts().items():
        for style, source in sources.items():
            found = share(source, KINDS[kind](source), given)
            assert found is None or found > LINE + 0.05, (name, style, found)
            compared += found is not None
    assert compared > 100


def test_what_the_lesson_hands_out_and_what_most_of_the_class_has_do_not_count():
    long = Text(LONG)
    assert len(long.pieces) >= LEAST
    assert of_their_own({"Ann": long}, long.pieces) == {}
    many = {f"s{n}": long for n in range(likeness.LEAST_CLASS)} | {"Ann": Text(OTHER), "Bob": Text(OTHER)}
    assert set(of_their_own(many)) == {"Ann", "Bob"}
    few = {f"s{n}": long for n in range(3)}
    assert set(of_their_own(few)) == set(few)


def test_the_sides_of_sums_may_change_places():
    swapped = LONG.replace(
        "total + x * 1.0 - 0.5 * turn + 0.5 * turn", "turn * 0.5 + (1.0 * x + total - turn * 0.5)"
    )
    assert swapped != LONG and share(LONG, swapped, frozenset()) == 1


def test_broken_and_endless_code_is_read_as_far_as_it_goes():
    broken = LONG.replace("total, count = 0.0, 2", "total, count = = 2") + "    return weights["
    assert share(LONG, broken, frozenset()) == 1
    assert Text("(" * 50_000).pieces == frozenset()
    assert Text("x = " + "1 + " * 20_000 + "1").pieces is not None
    assert Text("y = '\\d' is 1\n" * 3).pieces  # Python warns of it, and that is the student's affair


def test_prose_is_compared_word_by_word():
    words = (
        "The forget gate decides how much of the old cell is kept, and the input gate what is added to it."
    )
    other = (
        "Because its gradient is a sum over paths, a cell whose gate stays near one forgets slowly indeed."
    )
    own = {name: Text(text, prose=True) for name, text in (("a", words), ("b", f"Well: {words.upper()}"))}
    (pair,) = alike("written", of_their_own(own))
    assert pair.share == 1
    assert not Text(words, prose=True).pieces & Text(other, prose=True).pieces


@pytest.fixture
def room(released, workspace, lesson_notebook):
    """Ann's double is Bob's renamed; Cem thought for himself; Dan did nothing and Eve's file is broken."""
    answers = {"Ann": LONG, "Bob": KINDS["renamed"](LONG), "Cem": OTHER, "Dan": None}
    for student, answer in answers.items():
        path = workspace.submitted / student / "01-double" / "double.ipynb"
        path.parent.mkdir(parents=True)
        notebook = nbformat.from_dict(lesson_notebook)
        notebook.cells[3].source = answer or lesson_notebook.cells[3].source
        nbformat.write(notebook, path)
        lesson_notebook.cells[3].source = LONG if answer is None else notebook.cells[3].source
    (workspace.submitted / "Dan" / "01-double" / "double.ipynb").write_bytes(
        all_lessons(released)[0].lesson_path.read_bytes()
    )
    shutil.copytree(workspace.submitted / "Dan", workspace.submitted / "Eve")
    (workspace.submitted / "Eve" / "01-double" / "double.ipynb").write_text("{")
    return workspace


def test_pairs_of_a_class(room, released, spec):
    found = compare(room, all_lessons(released)[0], spec)
    assert list(found.by_students()) == [("Ann", "Bob")]
    (pair,) = found.by_students()["Ann", "Bob"]
    assert (pair.exercise, pair.share) == ("double", 1)
    assert set(found.times) == {"Ann", "Bob", "Cem", "Dan"} and set(found.left_out) == {"Eve"}
    (double,) = found.exercises
    assert set(double.sources) == {"Ann", "Bob", "Cem"}


def test_cells_that_were_added_are_compared_too(room, released, spec):
    for student in ("Cem", "Dan"):
        path = room.submitted / student / "01-double" / "double.ipynb"
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.append(new_code_cell(LONG.replace("double", "helper")))
        nbformat.write(notebook, path)
    found = compare(room, all_lessons(released)[0], spec).by_students()
    assert [pair.exercise for pair in found["Cem", "Dan"]] == [ADDED]


def test_the_page_shows_both_and_judges_nobody(room, released):
    (room.submitted / "Ann").rename(room.submitted / "Ann, née Lee")
    words = ["similar", "01", "-w", str(room.root), "--course", str(released)]
    told = CliRunner().invoke(commands.app, words)
    assert told.exit_code == 0, told.output
    assert "Ann, née Lee and Bob: double 100%" in told.output and "no proof" in told.output
    written = (room.reports / "01-double-similar.html").read_text()
    assert "Likeness is no proof" in written and "nothing of it was sent" in written
    assert "default-src 'none'" in written and "<script" not in written and "http:" not in written
    assert written.count("<details>") == 1 and 'class="same"' in written
    assert "Eve" in written and "no notebook" in written
    assert not re.search("cheat|plagiar|guilty|suspect", written, re.IGNORECASE)
    (room.submitted / "Bob" / "01-double" / "double.ipynb").write_text("{")
    told = CliRunner().invoke(commands.app, words)
    assert "0 pairs" in told.output
    assert "None." in (room.reports / "01-double-similar.html").read_text()


def test_hostile_text_is_only_text(room, released, spec):
    path = room.submitted / "Bob" / "01-double" / "double.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[3].source += "\nevil = '<script>alert(1)</script>\x1b[31m'"
    nbformat.write(notebook, path)
    found = compare(room, all_lessons(released)[0], spec, line=0.5)
    written = page("01-double", found)
    assert "&lt;script&gt;alert(1)" in written and "<script" not in written and "\x1b" not in written


def test_more_than_two_stand_together(room, released, spec):
    shutil.copytree(room.submitted / "Ann", room.submitted / "Zoe")
    written = page("01-double", compare(room, all_lessons(released)[0], spec))
    assert "<li>Ann, Bob, Zoe</li>" in written and written.count("<details>") == 3


@pytest.mark.parametrize("line", ["0", "1.5", "half"])
def test_a_share_that_is_none_is_refused(room, released, line):
    told = CliRunner().invoke(
        commands.app, ["similar", "01", "--line", line, "-w", str(room.root), "--course", str(released)]
    )
    assert told.exit_code != 0 and "line" in told.output
