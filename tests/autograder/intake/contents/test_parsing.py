"""What is read is counted before it is made: a file cannot become many times its size in memory."""

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.intake.contents import parsing, reading
from autograder.intake.contents.parsing import TooMany, parse_json, parse_python
from autograder.intake.contents.reading import Unreadable, functions_defined, read_cells
from autograder.intake.contents.rescue import rescue

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(), inner, max_size=5)),
    max_leaves=30,
)


def values_in(data):
    """How many values there are in JSON data."""
    inside = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return 1 + sum(map(values_in, inside))


def marks_in(data):
    """Its brackets, braces and commas: one for each list or dict, and one before each item but the first."""
    if not isinstance(data, list | dict):
        return 0
    return max(1, len(data)) + sum(map(marks_in, data.values() if isinstance(data, dict) else data))


@given(JSON, st.booleans())
def test_marks_are_counted_exactly_whatever_stands_in_strings(data, ascii):
    text = json.dumps(data, ensure_ascii=ascii)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsing, "MOST_VALUES", marks_in(data))
        assert parse_json(text) == data
        patch.setattr(parsing, "MOST_VALUES", marks_in(data) - 1)
        if marks_in(data):
            with pytest.raises(TooMany):
                parse_json(text)
    assert values_in(data) <= 2 * marks_in(data) + 1


@pytest.mark.parametrize(
    "text", ['"' * 10**6, '"' + '\\"' * 10**6, "\\" * 10**6, "x" * 10**6, '"",' + '"' * 10**6]
)
def test_what_is_no_json_is_scanned_once(text):
    """What is passed over ends at the next mark or at the end of the text: nothing is looked at again."""
    ends = [found.end() for found in parsing.NEXT_MARK.finditer(text)]
    assert len(ends) <= 3 and ends[-1] == len(text)


@pytest.fixture
def unparsed(monkeypatch):
    """Nothing may be made of the text."""
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("it was read"))
    monkeypatch.setattr(ast, "parse", lambda source: pytest.fail("it was parsed"))


@pytest.mark.parametrize("item", ['"a"', "[]", "{}", '{"cell_type": "code", "source": "", "outputs": []}'])
def test_file_of_more_values_than_are_read_is_unreadable(item, unparsed):
    """Thirty million texts in a list were 2.9 GB, six million empty cells 1.1 GB."""
    text = '{"cells": [' + f"{item}," * 1_000_001 + "{}]}"
    with pytest.raises(Unreadable, match=r"more than the 1,000,000 values.*clear its outputs"):
        read_cells(text.encode(), [])


def test_commas_in_stored_outputs_are_no_values():
    output = {"output_type": "stream", "name": "stdout", "text": "1, [2], {3} \\" * 400_000}
    cell = {"cell_type": "code", "source": "def f():\n    return 1", "outputs": [output]}
    (found,) = read_cells(json.dumps({"cells": [cell]}).encode(), [])
    assert found.defines == {"f"}


def test_more_cells_than_are_read_are_unreadable():
    with pytest.raises(Unreadable, match="10,001 cells"):
        read_cells(json.dumps({"cells": [{}] * 10_001}).encode(), [])


def test_long_cells_are_not_parsed_and_their_functions_are_found_by_eye(unparsed):
    """Two and a half megabytes of names were a tree of 2.3 GB."""
    source = "def f():\n    return 1\n" + "a\n" * 60_000
    assert parse_python(source) is None
    assert functions_defined(source) == {"f"}


def test_many_long_cells_are_parsed_only_so_far(monkeypatch):
    parsed = []
    monkeypatch.setattr(reading, "parse_python", lambda source: parsed.append(len(source)))
    cell = {"cell_type": "code", "source": "def f():\n    return 1\n" + "a\n" * 40_000}
    found = read_cells(json.dumps({"cells": [cell] * 50}).encode(), [])
    assert [one.defines for one in found] == [{"f"}] * 50
    assert 0 < sum(parsed) <= reading.MAX_PARSED


@pytest.mark.parametrize("source", ["def f(:", "(" * 5000, "-" * 90_000 + "1", "x\0", "a" + ".b" * 40_000])
def test_what_is_no_python_has_no_tree(source):
    assert parse_python(source) is None


def test_attachments_are_names_with_texts_however_deep_something_else_is(lesson_notebook, spec):
    deep = "x"
    for _ in range(600):
        deep = {"x": deep}
    notebook = json.loads(json.dumps(lesson_notebook))
    written = next(cell for cell in notebook["cells"] if cell.get("id") == "written")
    written["source"] = "What I saw: ![a](attachment:a.png)"
    written["attachments"] = {"a.png": {"image/png": "AAAA", "deep": deep}, "deep": deep, "b": [deep]}
    rescued = rescue(json.dumps(notebook).encode(), spec)
    cell = next(cell for cell in rescued.notebook.cells if cell.id == "written")
    assert cell.attachments == {"a.png": {"image/png": "AAAA"}, "deep": {}}
