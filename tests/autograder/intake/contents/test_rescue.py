"""Whatever was handed in, the graded notebook is the release with the student's own work in it."""

import copy
import json
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.utils import compute_checksum

from autograder.intake.contents.reading import MAX_BYTES, Unreadable, functions_defined, read_cells
from autograder.intake.contents.rescue import MAX_ADDED, rescue, untouched

LESSONS = Path(__file__).parents[4] / "lessons"
DOUBLED = "def double(x):\n    return 2 * x"
TRIPLED = "def triple(x):\n    return 3 * x"
REASON = "Because multiplication by two is repeated addition."


@pytest.fixture
def done(lesson_notebook):
    """The lesson with all its answers written, as an honest student hands it in."""
    cell(lesson_notebook, "double").source = DOUBLED
    cell(lesson_notebook, "triple").source = TRIPLED
    cell(lesson_notebook, "written").source = REASON
    return lesson_notebook


def cell(notebook, name):
    return next(cell for cell in notebook.cells if cell.get("id") == name)


def as_bytes(notebook):
    return json.dumps(notebook).encode()


def sources(rescued):
    return {cell.id: cell.source for cell in rescued.notebook.cells}


def outline(notebook):
    """Everything of a notebook but the sources of its cells."""
    cells = [{key: value for key, value in cell.items() if key != "source"} for cell in notebook.cells]
    return {"cells": cells, "metadata": notebook.metadata}


def test_an_honest_notebook_is_taken_as_it_is(done, spec):
    result = rescue(as_bytes(done), spec)
    assert result.remarks == []
    assert {c.id: c.source for c in done.cells} == sources(result)
    assert outline(result.notebook) == outline(untouched(spec))
    nbformat.validate(result.notebook)


def test_an_untouched_notebook_is_the_release(lesson_notebook, spec):
    result = rescue(as_bytes(lesson_notebook), spec)
    assert result.remarks == []
    assert result.notebook == untouched(spec)


# Each mends one kind of mess. The answers must be found and the outline restored; `says` is in a remark.


def strip_metadata(notebook):
    for c in notebook.cells:
        c.metadata = {}
        del c["id"]
    notebook.metadata = {}
    notebook.nbformat_minor = 2


def rename(notebook):
    cell(notebook, "double").metadata.nbgrader.grade_id = "triple"
    cell(notebook, "triple").metadata.nbgrader.grade_id = "no-such-cell"
    cell(notebook, "triple")["id"] = "abc"


def delete(*names):
    def change(notebook):
        notebook.cells = [c for c in notebook.cells if c.id not in names]

    return change


def duplicate(notebook, name, **changes):
    index = next(i for i, c in enumerate(notebook.cells) if c.id == name)
    twin = copy.deepcopy(notebook.cells[index])
    twin.update(changes)
    notebook.cells.insert(index + 1, twin)


def retype(notebook):
    for name, kind in (("double", "markdown"), ("triple", "raw"), ("written", "code"), ("setup", "markdown")):
        cell(notebook, name).cell_type = kind


def retag(notebook):
    cell(notebook, "double-check").metadata.tags = ["skip-execution"]
    cell(notebook, "see").metadata.tags = []


def forge(notebook):
    test = cell(notebook, "double-check")
    test.source = "3.0"
    test.metadata.nbgrader.points = 100
    cell(notebook, "setup").source += "\ncheck = print"


def everything_in_one_cell(notebook):
    cell(notebook, "double").source = DOUBLED + "\n\n" + TRIPLED
    cell(notebook, "triple").source = "def triple(x):\n    raise NotImplementedError"


MESSES = {
    "stripped metadata": (strip_metadata, "found by its function's name"),
    "renamed": (rename, "found by its function's name"),
    "test cell deleted": (delete("double-check"), "double-check was missing"),
    "set-up and text deleted": (delete("setup", "double-a-number", "code"), "setup was missing"),
    "reversed": (lambda nb: nb.cells.reverse(), "put back in the lesson's order"),
    "retyped": (retype, "turned back"),
    "retagged": (retag, "changed tags"),
    "forged": (forge, "changed text and changed points"),
    "duplicated test": (lambda nb: duplicate(nb, "double-check"), "there 2 times"),
    "duplicated answer": (lambda nb: duplicate(nb, "double"), "there 2 times"),
    "idle copy below": (
        lambda nb: duplicate(
            nb, "double", source='def double(x):\n    """Twice x."""\n    raise NotImplementedError'
        ),
        "there 2 times",
    ),
    "metadata of other types": (lambda nb: [c.update(metadata=[1]) for c in nb.cells], ""),
    "nbgrader null": (lambda nb: [c.metadata.update(nbgrader=None, tags="x") for c in nb.cells], ""),
    "outputs and counts": (
        lambda nb: cell(nb, "see").update(outputs=[{"output_type": "?"}], execution_count="x"),
        "",
    ),
    "kernel of another name": (lambda nb: nb.metadata.update(kernelspec={"name": "julia"}, widgets={}), ""),
}


@pytest.mark.parametrize("mess", MESSES)
def test_honest_mess_is_mended(done, spec, mess):
    change, says = MESSES[mess]
    change(done)
    result = rescue(as_bytes(done), spec)
    found = sources(result)
    assert found["double"].startswith(DOUBLED)
    assert found["written"] == REASON
    assert found["triple"] == TRIPLED
    kept = [c for c in result.notebook.cells if not c.id.startswith("added-")]
    assert [c.id for c in kept] == [c.grade_id for c in spec.cells]
    for c in kept:
        if spec.cell(c.id).kind in ("locked", "test"):
            assert c.source == spec.cell(c.id).source
        assert c.cell_type == spec.cell(c.id).cell_type
        assert c.metadata == spec.cell(c.id).metadata
    assert any(says in remark for remark in result.remarks) or (says == "" and result.remarks == [])
    nbformat.validate(result.notebook)


def given_out_before(notebook, *, without=()):
    """The lesson as an earlier release had it: other set-up and points, one cell more, some fewer."""
    cell(notebook, "setup").source = "import numpy as np  # and no check yet"
    test = cell(notebook, "double-check")
    test.source, test.metadata.nbgrader.points = "check(double, points=1)", 1
    marks = {**cell(notebook, "setup").metadata.nbgrader, "grade_id": "gone"}
    notebook.cells.insert(1, new_code_cell("print('welcome')", id="gone", metadata={"nbgrader": marks}))
    notebook.cells = [one for one in notebook.cells if one.get("id") not in without]
    for one in notebook.cells:
        if "nbgrader" in one.metadata:
            one.metadata.nbgrader["checksum"] = compute_checksum(one)


def test_nobody_is_blamed_for_what_another_release_had(done, spec):
    """They hand in the lesson that they were given: the cells are today's, and nothing is said."""
    given_out_before(done, without=("see", "triple-check"))
    result = rescue(as_bytes(done), spec)
    assert result.remarks == []
    assert sources(result)["setup"] == spec.cell("setup").source
    assert sources(result)["double-check"] == spec.cell("double-check").source
    assert sources(result)["double"] == DOUBLED


def test_what_a_student_changed_in_another_release_is_still_said(done, spec):
    given_out_before(done)
    cell(done, "setup").source += "\ncheck = print"
    cell(done, "see").metadata.tags = ["skip-execution"]
    remarks = " ".join(rescue(as_bytes(done), spec).remarks)
    assert "setup had changed text" in remarks and "see had changed tags" in remarks
    assert "double-check" not in remarks


def test_a_cell_is_as_given_where_nbgrader_says_so():
    """By its own checksum, and never for what is a student's."""
    for path in sorted(LESSONS.glob("*/*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        found = {one.name: one.as_given for one in read_cells(path.read_bytes(), [])}
        for one in notebook.cells:
            marks = one.metadata.get("nbgrader") or {}
            ours = bool(marks) and not marks["solution"]
            assert found[marks.get("grade_id") or one.id] == ours, (path.name, one.id)
            assert not ours or marks["checksum"] == compute_checksum(one)
    for odd in (
        {},
        {"points": 10**400},
        {"points": "many"},
        {"points": None},
        {"checksum": ""},
        {"checksum": 5},
    ):
        marks = {"grade": True, "solution": False, "grade_id": "x", "locked": True, **odd}
        cells = [{"cell_type": "code", "source": "1", "metadata": {"nbgrader": marks}}]
        assert not read_cells(json.dumps({"cells": cells}).encode(), [])[0].as_given


def test_two_answers_in_one_cell_are_both_found(done, spec):
    everything_in_one_cell(done)
    found = sources(rescue(as_bytes(done), spec))
    assert TRIPLED in found["triple"] and DOUBLED in found["double"]


def test_an_answer_written_in_a_new_cell_counts(done, spec):
    cell(done, "triple").source = spec.cell("triple").source
    done.cells.append(new_code_cell(TRIPLED))
    result = rescue(as_bytes(done), spec)
    assert sources(result)["triple"] == TRIPLED
    assert not any(c.id.startswith("added") for c in result.notebook.cells)


def test_the_named_cell_wins_over_an_older_draft(done, spec):
    done.cells.insert(0, new_code_cell("def double(x):\n    return x"))
    result = rescue(as_bytes(done), spec)
    assert sources(result)["double"] == DOUBLED
    assert result.notebook.cells[0].source == "def double(x):\n    return x"


def test_an_answer_that_does_not_parse_stays_where_it_is(done, spec):
    cell(done, "double").source = broken = "def double(x):\n    return 2 *"
    assert sources(rescue(as_bytes(done), spec))["double"] == broken


def test_added_cells_stay_in_their_place_without_metadata(done, spec):
    place = [c.id for c in done.cells].index("double")
    helper = new_code_cell("half = 0.5", metadata={"tags": ["x'><script>"], "nbgrader": {"grade_id": "?"}})
    done.cells.insert(place, helper)
    done.cells.append({"cell_type": "raw", "metadata": {"raw_mimetype": "text/html"}, "source": "<script>"})
    result = rescue(as_bytes(done), spec)
    names = [c.id for c in result.notebook.cells]
    assert names[place - 1 : place + 2] == ["add-the-number", "added-1", "double"]
    assert result.notebook.cells[place].metadata == {"unrolled": {"added": True}}
    assert result.notebook.cells[-1].cell_type == "markdown"
    assert "2 added cells were kept, ungraded." in result.remarks


def test_unlocked_cells_keep_what_the_student_made_of_them(done, spec):
    cell(done, "code").source = "x = 4"
    cell(done, "why-does-this").source = "Why? My notes."
    result = rescue(as_bytes(done), spec)
    assert sources(result)["code"] == "x = 4"
    assert sources(result)["why-does-this"] == "Why? My notes."


def test_a_written_answer_without_a_name_is_found_by_its_place(done, spec):
    cell(done, "written").metadata = {}
    cell(done, "written")["id"] = "7f3a"
    result = rescue(as_bytes(done), spec)
    assert sources(result)["written"] == REASON
    assert "The written answer written was found by its place." in result.remarks


def test_a_flood_of_added_cells_is_cut(done, spec):
    done.cells += [new_code_cell(f"x = {number}") for number in range(MAX_ADDED + 7)]
    result = rescue(as_bytes(done), spec)
    assert len(result.notebook.cells) == len(spec.cells) + MAX_ADDED
    assert f"{MAX_ADDED + 7} cells had been added; only the first {MAX_ADDED} were kept." in result.remarks


# Files


@pytest.mark.parametrize(
    ("encode", "says"),
    [
        (lambda text: b"\xef\xbb\xbf" + text.encode(), "byte-order mark"),
        (lambda text: text.encode("utf-16"), "UTF-16"),
        (lambda text: text.replace("Because", "Weil schön").encode("cp1252"), "Windows-1252"),
        (lambda text: text.replace("\\n", "\\r\\n").encode(), None),
    ],
)
def test_other_encodings_are_read(done, spec, encode, says):
    result = rescue(encode(json.dumps(done, ensure_ascii=False)), spec)
    assert sources(result)["double"] == DOUBLED
    assert any(says in remark for remark in result.remarks) if says else result.remarks == []


def test_format_3_is_read(done, spec):
    old = nbformat.convert(copy.deepcopy(done), 3)
    old.worksheets[0].cells.insert(1, {"cell_type": "heading", "level": 3, "source": "Mine", "metadata": {}})
    result = rescue(json.dumps(old).encode(), spec)
    found = sources(result)
    assert (found["double"], found["triple"], found["written"]) == (DOUBLED, TRIPLED, REASON)
    assert "### Mine" in found.values()
    assert any("old notebook format" in remark for remark in result.remarks)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty"),
        (b"\0" * 100, "empty"),
        (b"{", "not valid JSON at line 1"),
        (b"<html>", "not valid JSON"),
        (b"PK\x03\x04", "not valid JSON"),
        (b"null", "no cells"),
        (b'{"a": 1}', "no cells"),
        (b'{"cells": 3}', "no cells"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"cells": [' + b"9" * 5000 + b"]}", "not valid JSON"),
        (b" " * (MAX_BYTES + 1) + b"{}", "clear its outputs"),
    ],
)
def test_a_file_without_a_notebook_is_unreadable(raw, says, spec):
    with pytest.raises(Unreadable, match=says):
        rescue(raw, spec)


def test_no_cells_at_all_is_the_untouched_lesson(spec):
    result = rescue(b'{"cells": []}', spec)
    assert result.notebook == untouched(spec)
    assert "The notebook had no cells." in result.remarks


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
keys = ["cell_type", "source", "metadata", "outputs", "id", "input", "level", "attachments", "nbgrader"]
wild_cells = st.dictionaries(st.sampled_from(keys), json_values | st.sampled_from(["double", "code", "raw"]))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(cells=st.lists(wild_cells | json_values, max_size=6))
def test_no_arrangement_of_json_breaks_it(spec, cells):
    result = rescue(json.dumps({"cells": cells}).encode(), spec)
    names = [c.id for c in result.notebook.cells if not c.id.startswith("added-")]
    assert names == [c.grade_id for c in spec.cells]
    json.dumps(result.notebook).encode()


def test_a_copied_markdown_cell_is_not_taken_for_an_answer(done, spec):
    done.cells.append(new_markdown_cell("My notes"))
    result = rescue(as_bytes(done), spec)
    assert sources(result)["written"] == REASON
    assert result.notebook.cells[-1].source == "My notes"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("class HandLSTM:\n    def forward(self):\n        pass\n", {"HandLSTM"}),
        ("def f(x):\n    def g(): pass\n    return g\n\nclass Net(f): pass\n", {"f", "Net"}),
        ("class Broken(:\n    pass\ndef f(x):", {"Broken", "f"}),
    ],
)
def test_an_answer_may_be_a_class(source, names):
    assert functions_defined(source) == names
