"""A written answer is found wherever a student wrote it, and what is the lesson's own is nobody's answer."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from autograder.course.places import all_lessons, find_course
from autograder.course.spec import read_spec
from autograder.intake.contents.rescue import rescue

ANSWER = "Because adding a number to itself is the same as doubling it."
SECOND = "And it is exact."


def place_of(notebook, name):
    return next(n for n, cell in enumerate(notebook.cells) if cell.get("id") == name)


def written(notebook, spec):
    found = rescue(json.dumps(notebook).encode(), spec)
    return next(cell for cell in found.notebook.cells if cell.id == "written")


def below(*cells):
    def change(notebook):
        place = place_of(notebook, "written") + 1
        notebook.cells[place:place] = list(cells)

    return change


def above(*cells):
    def change(notebook):
        place = place_of(notebook, "written")
        notebook.cells[place:place] = list(cells)

    return change


def instead(*cells):
    def change(notebook):
        place = place_of(notebook, "written")
        notebook.cells[place : place + 1] = list(cells)

    return change


def into(name, text, **changes):
    def change(notebook):
        cell = notebook.cells[place_of(notebook, name)]
        cell.source = text.format(cell.source)
        cell.update(changes)

    return change


def far_away(*cells):
    def change(notebook):
        notebook.cells[1:1] = list(cells)

    return change


ELSEWHERE = {
    "below": below(new_markdown_cell(ANSWER)),
    "above": above(new_markdown_cell(ANSWER)),
    "in its place": instead(new_markdown_cell(ANSWER)),
    "raw": instead(new_raw_cell(ANSWER)),
    "in its own cell as raw": into("written", ANSWER, cell_type="raw"),
    "in its own cell as comments": into("written", f"# {ANSWER}", cell_type="code"),
    "comments": below(new_code_cell(f"# {ANSWER}")),
    "one word in a comment": below(new_code_cell("# Addition")),
    "comments over two lines": below(new_code_cell(f"# {ANSWER}\n#\n# {SECOND}")),
    "comments with a little code": below(new_code_cell(f"print(1)\n# {ANSWER}")),
    "a string": above(new_code_cell(f'"""{ANSWER}"""')),
    "a string with a name": above(new_code_cell(f'answer = "{ANSWER}"')),
    "printed": above(new_code_cell(f'print("{ANSWER}")')),
    "a sentence in a code cell": below(new_code_cell(ANSWER)),
    "a sentence that begins like code": below(
        new_code_cell("for every number the sum with itself is its double")
    ),
    "a magic": below(new_code_cell(f"%md\n{ANSWER}")),
    "another magic": below(new_code_cell(f"%%markdown\n\n{ANSWER}")),
    "under the question": into("why-does-this", "{}\n\n" + ANSWER),
    "over the question": into("why-does-this", ANSWER + "\n{}"),
    "in the text above": into("add-the-number", "{}\n\n" + ANSWER),
    "under the check": into("double-check", "{}\n# " + ANSWER),
    "in the check's place": into("triple-check", ANSWER, cell_type="markdown"),
    "under an answer": into("double", "{}\n\n\n# " + ANSWER),
    "in the set-up": into("setup", "{}\n# " + ANSWER),
    "far away": far_away(new_markdown_cell(ANSWER)),
    "in two cells": instead(new_markdown_cell(ANSWER), new_markdown_cell(SECOND)),
    "the cell emptied": lambda notebook: (
        into("written", "")(notebook),
        below(new_markdown_cell(ANSWER))(notebook),
    ),
    "in another script": below(new_code_cell("# 足し算だから")),
}


@pytest.mark.parametrize("way", ELSEWHERE)
def test_an_answer_is_found_wherever_it_stands(lesson_notebook, spec, way):
    ELSEWHERE[way](lesson_notebook)
    cell = written(lesson_notebook, spec)
    wanted = ["Addition", "足し算だから", "for every number", ANSWER]
    assert any(one in cell.source for one in wanted) and cell.cell_type == "markdown"
    assert "Write your answer" not in cell.source and spec.cell("written").source not in cell.source
    assert SECOND in cell.source or "two" not in way
    assert not cell.source.startswith("#")


NOBODYS = {
    "untouched": lambda notebook: None,
    "emptied": into("written", " \n"),
    "deleted": instead(),
    "copied": below(new_markdown_cell("Why does this work?")),
    "question in bold": into("why-does-this", "**{}**"),
    "the placeholder set otherwise": into("written", "__Write your answer here.__\n"),
    "only signs": below(new_markdown_cell("---")),
    "solved": into("double", "def double(x):\n    # the sum of the number with itself\n    return x + x"),
    "a short comment": into("double", "# my try\ndef double(x):\n    return x + x\n# done"),
    "code that was commented out": below(new_code_cell("# def triple(x):\n#     return x + x + x")),
    "a trial": below(new_code_cell("y = double(4)\nprint('y is', y)")),
    "marks of nbgrader's": into(
        "double", "### BEGIN SOLUTION\ndef double(x):\n    return 2 * x\n### END SOLUTION"
    ),
}


@pytest.mark.parametrize("way", NOBODYS)
def test_nothing_written_is_nothing_to_read(lesson_notebook, spec, way):
    NOBODYS[way](lesson_notebook)
    assert written(lesson_notebook, spec).source == spec.cell("written").source


def test_an_answer_in_its_cell_stays_alone(lesson_notebook, spec):
    into("written", ANSWER)(lesson_notebook)
    far_away(new_markdown_cell("My notes: read this again."))(lesson_notebook)
    below(new_markdown_cell(SECOND))(lesson_notebook)
    found = rescue(json.dumps(lesson_notebook).encode(), spec).notebook.cells
    assert next(cell.source for cell in found if cell.id == "written") == ANSWER
    assert {"My notes: read this again.", SECOND} <= {cell.source for cell in found}


@pytest.mark.parametrize(
    "text", ["Add the number to itself.", "?", "3", "\u2211", "*Write your answer here.* Yes."]
)
def test_whatever_is_in_its_own_cell_is_the_answer(lesson_notebook, spec, text):
    into("written", text)(lesson_notebook)
    assert written(lesson_notebook, spec).source == text


def test_what_stood_in_a_restored_cell_is_kept_beside_the_answer(lesson_notebook, spec):
    into("written", ANSWER)(lesson_notebook)
    into("triple-check", "{}\n# The other half of my answer is here.")(lesson_notebook)
    text = written(lesson_notebook, spec).source
    assert text.startswith(ANSWER) and "The other half of my answer is here." in text


def test_pictures_come_along(lesson_notebook, spec):
    cell = new_markdown_cell("![x](attachment:x.png)", attachments={"x.png": {"image/png": "iVBORw0KGgo="}})
    below(cell)(lesson_notebook)
    assert dict(written(lesson_notebook, spec).attachments) == {"x.png": {"image/png": "iVBORw0KGgo="}}


@pytest.mark.parametrize("lesson", all_lessons(find_course()), ids=lambda lesson: lesson.name)
def test_a_solved_lesson_without_the_answer_waits_for_nobody(lesson):
    """The solutions' own comments, in every lesson, are no written answers."""
    spec = read_spec(lesson.lesson_path)
    notebook = nbformat.read(lesson.lesson_path, as_version=4)
    right = {cell.id: cell.source for cell in nbformat.read(lesson.solution_path, as_version=4).cells}
    for cell in notebook.cells:
        if (cell.metadata.get("nbgrader") or {}).get("solution") and cell.cell_type == "code":
            cell.source = right[cell.id]
    result = rescue(json.dumps(notebook).encode(), spec)
    assert result.remarks == []
    assert next(c.source for c in result.notebook.cells if c.id == "written") == spec.cell("written").source


MEGABYTES = ["y", "a ", "a, ", "#", "# a\n", "(", "\u3042", "=", "a =", " ", "'", "%md ", "\\", "f("]


@pytest.mark.parametrize("part", MEGABYTES)
def test_a_cell_of_megabytes_is_read_through_once(lesson_notebook, spec, part):
    """Nothing here takes time that grows with the square of a text: with that, this would take hours."""
    far_away(new_code_cell(part * 500_000), new_markdown_cell(part * 500_000))(lesson_notebook)
    assert written(lesson_notebook, spec) is not None
