"""Which of several versions of a function is the answer: the one that running the notebook would leave."""

import copy
import json

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.course.spec import CellSpec, LessonSpec
from autograder.intake.contents.drafts import is_empty
from autograder.intake.contents.rescue import amount_of_work, rescue

STUB = 'def double(x):\n    """Twice x."""\n    raise NotImplementedError'
DONE = "def double(x):\n    return 2 * x"
DRAFT = "def double(x):\n    return x"
REMEMBERED = "def double(x):\n    # raise NotImplementedError\n    return 2 * x"
LEFT_BELOW = "def double(x):\n    return 2 * x\n    raise NotImplementedError"
FOR_OTHERS = """\
def double(x):
    if isinstance(x, str):
        raise NotImplementedError("no text")
    return 2 * x"""


def answer(notebook, spec):
    found = rescue(json.dumps(notebook).encode(), spec).notebook
    return next(cell.source for cell in found.cells if cell.id == "double")


@pytest.fixture
def notebook(lesson_notebook):
    return lesson_notebook


def put(notebook, source):
    next(cell for cell in notebook.cells if cell.id == "double").source = source


@pytest.mark.parametrize("finished", [REMEMBERED, LEFT_BELOW, FOR_OTHERS])
@pytest.mark.parametrize("place", [0, 3])
def test_words_left_in_a_finished_answer_do_not_make_a_draft_of_it(notebook, spec, finished, place):
    put(notebook, finished)
    notebook.cells.insert(place, new_code_cell(DRAFT))
    assert answer(notebook, spec) == finished


@pytest.mark.parametrize(
    "stub",
    [
        STUB,
        "def double(x):\n    raise NotImplementedError()",
        "def double(x):\n    # I begin tomorrow.\n    raise ValueError('not yet')",
        "def double(x):\n    pass",
        "# def double(x):\n#     return 3 * x",
        "raise NotImplementedError",
        "%%time\ndef double(x):\n    raise NotImplementedError",
    ],
)
def test_an_empty_version_gives_way_to_one_that_does_something(notebook, spec, stub):
    put(notebook, stub)
    notebook.cells.insert(3, new_code_cell(DRAFT))
    assert answer(notebook, spec) == DRAFT
    notebook.cells.pop(3)
    notebook.cells.append(new_code_cell(DRAFT))
    assert answer(notebook, spec) == DRAFT


@pytest.mark.parametrize(
    "source",
    [
        f"{STUB}\n\n\ndouble = lambda x: 2 * x",
        f"{STUB}\n\n\ndef double(x):\n    return 2 * x",
        f"{STUB}\n\n\nfrom operator import neg as double",
        f"{STUB}\n\n\nif True:\n\n    def double(x):\n        return 2 * x",
        f"{DONE}\n\n\ndef later(x):\n    raise NotImplementedError",
        "def double(x):\n    y = 2 * x\n    raise NotImplementedError",
        "def double(x):\n    return 2 *",
    ],
)
def test_what_the_last_definition_does_counts(source):
    assert not is_empty(source, STUB, "double")


def test_a_last_definition_that_is_empty_counts_too():
    assert is_empty(f"{DONE}\n\n\n{STUB}", STUB, "double")


def test_a_broken_cell_defines_nothing_so_the_draft_counts(notebook, spec):
    put(notebook, "def double(x):\n    return 2 *")
    notebook.cells.insert(3, new_code_cell(DRAFT))
    assert answer(notebook, spec) == DRAFT


def test_an_answer_that_was_cut_in_two_is_put_together(notebook, spec):
    place = next(n for n, cell in enumerate(notebook.cells) if cell.id == "double")
    half = copy.deepcopy(notebook.cells[place])
    put(notebook, 'def double(x):\n    """Twice x."""')
    half.source = "    y = 2 * x\n    return y"
    notebook.cells.insert(place + 1, half)
    found = rescue(json.dumps(notebook).encode(), spec)
    assert answer(notebook, spec) == 'def double(x):\n    """Twice x."""\n    y = 2 * x\n    return y'
    assert "The cell double was cut in 2; they were put together." in found.remarks
    assert not [cell for cell in found.notebook.cells if cell.id.startswith("added")]


def test_a_text_that_quotes_a_function_is_no_answer(notebook, spec):
    quote = "I began with\n\n```python\ndef double(x):\n    return x\n```\n\nand that was wrong."
    notebook.cells.insert(3, new_markdown_cell(quote))
    assert answer(notebook, spec) == spec.cell("double").source


def test_a_class_is_empty_while_it_is_the_lessons_own():
    given = (
        'class Net(Base):\n    """A net."""\n\n    def forward(self, x):\n        raise NotImplementedError'
    )
    mine = "class Net(Base):\n    def forward(self, x):  # soon\n        raise NotImplementedError()"
    assert is_empty(mine, given, "Net")
    assert not is_empty(mine.replace("raise NotImplementedError()", "return x"), given, "Net")


def test_an_idle_copy_goes_only_if_nothing_else_is_in_its_cell(notebook, spec):
    put(notebook, DONE)
    notebook.cells.append(new_code_cell(f"half = 0.5\n\n\n{STUB}"))
    notebook.cells.append(new_code_cell(STUB))
    added = [
        cell.source
        for cell in rescue(json.dumps(notebook).encode(), spec).notebook.cells
        if cell.id.startswith("added")
    ]
    assert added == [f"half = 0.5\n\n\n{STUB}"]


def test_work_is_counted_answer_by_answer(notebook, spec):
    raw = json.dumps(notebook).encode()
    assert amount_of_work(raw, spec) == 0
    put(notebook, DONE)
    notebook.cells.append(new_markdown_cell("Because it is the sum."))
    assert amount_of_work(json.dumps(notebook).encode(), spec) == 2


def test_a_lesson_without_written_answers_keeps_texts_where_they_are():
    spec = LessonSpec("01-x", "x", (CellSpec("double", "solution", "code", STUB),), (), (), "hash")
    cells = [{"cell_type": "markdown", "source": "My notes.", "metadata": {}}]
    found = rescue(json.dumps({"cells": cells}).encode(), spec).notebook
    assert [cell.source for cell in found.cells] == ["My notes.", STUB]
