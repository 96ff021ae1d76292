"""The form that every lesson has, read from solutions/: a new lesson is held to it without an edit here."""

import ast
import importlib.util
import re
from itertools import pairwise

import pytest

from rnncore.exercises import MODULES, by_name, of_lesson
from tests.notebooks import reading
from tests.notebooks.reading import SOLUTIONS, marks, name_of, tags

KERNELSPEC = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
WORD = re.compile(r"[a-z][a-z0-9_-]{1,39}")
IGNORED = "nbval-ignore-output"


@pytest.fixture(params=SOLUTIONS, ids=name_of)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return reading.read(path)


def test_every_lesson_has_exercises_and_a_row_in_the_readme():
    assert SOLUTIONS
    readme = (reading.ROOT / "README.md").read_text()
    for path in SOLUTIONS:
        assert path.parent.name in MODULES
        assert f"({path.relative_to(reading.ROOT).as_posix()})" in readme


def test_metadata_is_canonical(notebook, path):
    assert path.stem == path.parent.name.split("-", 1)[1]
    assert notebook.metadata.kernelspec == KERNELSPEC
    assert notebook.metadata.language_info == {"name": "python"}
    assert set(notebook.metadata) == {"kernelspec", "language_info", "unrolled"}
    assert set(notebook.metadata.unrolled) == {"hides", "makes", "minutes", "needs"}


def test_cells_are_canonical(notebook):
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    answers = [one.name for one in (*reading.exercises(notebook), *reading.stretches(notebook))]
    for cell in notebook.cells:
        assert cell.id == marks(cell).get("grade_id", cell.id), cell.id
        assert WORD.fullmatch(cell.id) or cell.id.removesuffix("-check") in answers, cell.id
        assert set(cell.metadata) <= {"nbgrader", "tags", "deletable", "editable"}, cell.id
    for cell in reading.code(notebook):
        assert cell.execution_count is None
        for output in cell.outputs:
            assert output.output_type != "error" and output.get("name") != "stderr", cell.id
            assert not any("widget" in kind for kind in output.get("data", {})), cell.id


def test_length(notebook):
    assert 25 <= len(reading.without_stretch(notebook)) <= 45
    assert 1200 <= reading.words(notebook) <= 2400
    for cell in reading.code(notebook):
        assert len(cell.source.splitlines()) <= 20, cell.id


def test_headings_never_skip_a_level(notebook, path):
    found = reading.headings(notebook)
    levels = [level for level, _ in found]
    assert levels[0] == 1 and levels.count(1) == 1
    assert found[0][1].startswith(path.parent.name[:2] + " · ")
    for (above, _), (level, title) in pairwise(found):
        assert level <= above + 1, f"the heading {title!r} skips a level"


def test_opening_says_what_and_how_long(notebook):
    opening = notebook.cells[0].source
    promise = opening.split("You will be able to")[1]
    assert len(re.findall(r"^[-*] ", promise, flags=re.MULTILINE)) == 3
    assert f"{notebook.metadata.unrolled.minutes} minutes" in opening
    assert "Needs" in opening or "needs" in opening


def test_the_standing_sections_are_there(notebook):
    titles = [title.lower() for _, title in reading.headings(notebook)]
    assert any("break it" in title for title in titles)
    assert any("further reading" in title for title in titles)
    sources = [cell.source for cell in reading.markdown(notebook)]
    reading_list = re.split(r"^#+ Further reading", "\n".join(sources), flags=re.MULTILINE)[-1]
    lines = re.findall(r"^- (.*)$", reading_list, flags=re.MULTILINE)
    assert lines
    for line in lines:
        link, _, says = line.partition("): ")
        assert link.startswith("[") and len(says.split()) >= 3, (
            f"further reading needs a link and a line: {line!r}"
        )
    assert sum("### BEGIN MARK SCHEME" in source for source in sources) == 1


def test_pictures_say_what_they_show(notebook):
    for index, cell in enumerate(notebook.cells):
        for alt in re.findall(r"!\[(.*?)\]\(", cell.source) if cell.cell_type == "markdown" else ():
            assert len(alt.split()) >= 3, f"{cell.id}: a picture's alt text is {alt!r}"
        assert all("alt=" in image for image in re.findall(r"<img[^>]*>", cell.source)), cell.id
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                described = output.metadata.get("image/png", {}).get("alt")
                after = notebook.cells[index + 1 :][:1]
                assert described or (after and after[0].cell_type == "markdown"), (
                    f"{cell.id}: a figure without words"
                )


def test_links_have_text_and_lead_somewhere(notebook, path):
    for cell in reading.markdown(notebook):
        for text, target in re.findall(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)", cell.source):
            assert len(text.strip()) > 3 and text.lower() not in ("here", "link", "this"), (
                f"{cell.id}: [{text}]"
            )
            if "://" not in target and not target.startswith("#"):
                assert (path.parent / target).exists(), f"{cell.id} links to {target}"
                in_lessons = reading.ROOT / "lessons" / path.parent.name / target
                assert in_lessons.exists(), f"in lessons/, {cell.id} links to {target}"
            else:
                assert target.startswith(("https://", "#")), f"{cell.id} links to {target}"


def test_outputs_hold_nothing_that_changes(notebook):
    for cell in reading.code(notebook):
        if IGNORED in tags(cell):
            continue
        for text in reading.text_outputs(cell):
            assert not re.search(r"0x[0-9a-fA-F]{6,}", text), f"{cell.id} shows a memory address"
            assert not re.search(r"\d ?(seconds?|ms|[µμ]s|s|it/s)\b", text), (
                f"{cell.id} shows a time: tag it {IGNORED}"
            )
            assert not re.search(r"\d\.\d{7,}", text), (
                f"{cell.id} shows more digits than another BLAS will give"
            )


def test_each_exercise_is_followed_by_its_check(notebook):
    for one in reading.exercises(notebook):
        said = reading.CHECK.fullmatch(one.check.source)
        assert said, f"the code cell after {one.name} is {one.check.source!r}"
        points = marks(one.check)["points"]
        expected = {"grade": True, "solution": False, "locked": True, "grade_id": f"{one.name}-check"}
        assert said["name"] == one.name and int(said["points"]) == points
        assert {key: marks(one.check)[key] for key in expected} == expected
        defined = ast.parse(one.answer.source).body[-1]
        assert isinstance(defined, ast.FunctionDef | ast.ClassDef)  # a torch module is a class
        assert defined.name == one.name and ast.get_docstring(defined)
        lines = (
            one.answer.source.split("### BEGIN SOLUTION\n")[1]
            .split("### END SOLUTION")[0]
            .strip()
            .splitlines()
        )
        assert 1 <= len(lines) <= 12, f"the answer of {one.name} has {len(lines)} lines"


def test_each_exercise_says_what_it_asks(notebook):
    found = reading.exercises(notebook)
    assert 3 <= len(found) <= 5
    for number, one in enumerate(found, 1):
        task = one.task.source
        assert f"Exercise {number} · `{one.name}(" in task
        points = marks(one.check)["points"]
        stated = re.search(r"(\d+) minutes?, difficulty ([123]) of 3, (\d+) points?", task)
        assert stated, f"{one.name}: minutes, difficulty and points"
        assert int(stated[3]) == points
        assert "**in**" in task and "**out**" in task
        assert task.count("<details>") >= 2 and task.count("<details>") == task.count("</details>")
        if number == 1:
            assert int(stated[2]) == 1, "the first exercise is the warm-up"


def test_a_stretch_is_ungraded_and_stands_after_the_exercises(notebook):
    """A lesson may have one: a task, an answer that the release clears, an experiment that tests it."""
    found = reading.stretches(notebook)
    sections = [level for level, title in reading.headings(notebook) if title.startswith("Stretch")]
    assert sections == [2] * len(found) and len(found) <= 1
    for one in found:
        at = [notebook.cells.index(cell) for cell in (one.task, one.answer, one.check)]
        assert at == [at[0], at[0] + 1, at[0] + 2], "task, answer and experiment stand side by side"
        assert at[0] > notebook.cells.index(reading.exercises(notebook)[-1].check)
        assert f"## Stretch · `{one.name}(" in one.task.source
        assert re.search(r"^\*Ungraded, about \d+ minutes\.", one.task.source, flags=re.MULTILINE)
        assert "**in**" in one.task.source and "**out**" in one.task.source
        assert one.task.source.count("<details>") == one.task.source.count("</details>") >= 1
        assert one.answer.source.count("### BEGIN SOLUTION") == 1
        assert ast.get_docstring(ast.parse(one.answer.source).body[-1])
        assert {marks(one.answer)[key] for key in ("grade", "locked", "task")} == {False}
        assert "experiment" in tags(one.check) and one.name in one.check.source and one.check.outputs
        assert one.name not in by_name(), "there is a check for it: make it an exercise"


def test_minutes_and_points_add_up(notebook, path):
    """What the exercises and the written question state fits the lesson; every point is in a graded cell."""
    written = [cell for cell in reading.markdown(notebook) if marks(cell).get("grade")]
    assert [marks(cell)["grade_id"] for cell in written] == ["written"]
    text = "\n".join(cell.source for cell in reading.markdown(notebook))
    minutes = [
        int(one) for one in re.findall(r"^\*(?:Written question, )?(\d+) minutes", text, flags=re.MULTILINE)
    ]
    assert len(minutes) == len(reading.exercises(notebook)) + 1
    assert sum(minutes) < notebook.metadata.unrolled.minutes
    question = re.search(r"\*Written question, \d+ minutes, (\d+) points", text)
    assert question and int(question[1]) == marks(written[0])["points"]
    scheme = written[0].source.split("### BEGIN MARK SCHEME")[1]
    assert sum(int(one) for one in re.findall(r"(\d+) points?:", scheme)) == marks(written[0])["points"]
    graded = [cell for cell in notebook.cells if marks(cell).get("grade")]
    assert len(graded) == len(reading.exercises(notebook)) + 1


def test_the_stored_verdicts_are_full_marks(notebook):
    for one in reading.exercises(notebook):
        (output,) = one.check.outputs
        assert float(output.data["text/plain"]) == marks(one.check)["points"]


def test_the_lesson_and_the_bank_of_exercises_agree(notebook, path):
    bank = [exercise.name for exercise in of_lesson(path.parent.name)]
    assert [one.name for one in reading.exercises(notebook)] == bank


def test_what_grading_hides_exists(notebook):
    hides = notebook.metadata.unrolled.hides
    assert hides and all(importlib.util.find_spec(module) for module in hides)
    assert all(importlib.util.find_spec(module) for module in notebook.metadata.unrolled.needs)
    for cell in reading.code(notebook):
        if "experiment" not in tags(cell):  # those are not run while grading
            for module in hides:
                assert module not in cell.source, f"{cell.id} needs {module}, which grading hides"
