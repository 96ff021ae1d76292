"""The page on a course of one's own: what it has its reader write works as it says."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.classroom import proof
from autograder.cli import commands
from autograder.course.authoring import own

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "own-course.md").read_text("utf-8")
EXERCISES, VARIANTS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
(SAYS,) = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)


def unrolled(*words):
    return CliRunner().invoke(commands.app, words)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A new course with the two files of the page, and we stand in it; grading is tested elsewhere."""
    own.start(tmp_path / "my-course", [])
    folder = tmp_path / "my-course" / "solutions" / "21-echo"
    folder.mkdir()
    (folder / "exercises.py").write_text(EXERCISES, "utf-8")
    (folder / "variants.py").write_text(VARIANTS, "utf-8")
    monkeypatch.chdir(tmp_path / "my-course")
    monkeypatch.setattr(proof, "of_grading", lambda *words: [])
    return tmp_path / "my-course"


def test_the_lesson_of_the_page_is_drafted_released_and_found_right(course):
    for words in ("draft 21-echo --points 4", "release --tidy", "test"):
        assert words in PAGE
        result = unrolled(*words.split())
        assert result.exit_code == 0, result.output
    assert "Their mistakes, each named: 5. Variants, with full marks: 4." in result.output
    # And the fault that the page has its reader make is told in its very words.
    path = course / "solutions" / "21-echo" / "exercises.py"
    old, new = 'new="y[:, t - delay]"', 'new="gain * y[:, t - delay] + 0"'
    assert EXERCISES.count(old) == 1 and new in PAGE
    path.write_text(EXERCISES.replace(old, new), "utf-8")
    result = unrolled("test", "21")
    assert (
        result.exit_code == 1 and [line for line in result.stderr.splitlines() if line] == SAYS.splitlines()
    )


def test_every_command_and_file_of_the_page_is_there(course):
    for command in set(re.findall(r"unrolled (\w+)", PAGE)) - {"and"}:
        assert command in commands.COMMANDS, command
    for name in re.findall(r"`(solutions/20-[\w/.-]+|requirements\.txt|\.github[\w/.-]+|\.gitignore)`", PAGE):
        assert (course / name).exists(), name
