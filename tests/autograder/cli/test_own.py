"""The commands for a course of one's own: each wrong use is one sentence, and help knows them."""

import pytest
from typer.testing import CliRunner

from autograder.cli import commands


def unrolled(*words):
    return CliRunner().invoke(commands.app, [str(word) for word in words])


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with something in it, and a course without lessons in ours/; we stand in the first."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "ours" / "solutions").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("new .", "is not empty; name a new folder for the course."),
        ("new notes.txt", "is a file; name a new folder for the course."),
        ("new mine --lessons 02,77", "There is no lesson '77'; the lessons are: 01-sequences, 02-rnn-cell"),
        ("new mine --lessons ,", "No lesson is named in ','; write 02,03,05, or none."),
        ("test", "a course has a folder solutions/"),
        ("test --course ours", "a lesson is solutions/NN-slug/slug.ipynb."),
        ("test 03 --course ours", "There is no lesson '03'; the lessons are: none yet."),
        ("update --course ours", "has no lesson that came from the package"),
        ("update --lessons 77 --course ours", "There is no lesson '77'"),
        ("draft 21-leak --course ours", "and a draft is made from its exercises"),
        ("draft leak --course ours", "'leak' is no name for a lesson"),
        ("draft 21-leak --points many --course ours", "--points is 'many'; write numbers with commas"),
        ("draft 21-leak --points 3,0 --course ours", "an exercise has more than no points"),
        ("adopt nowhere --course ours", "There is no folder nowhere"),
    ],
)
def test_a_wrong_use_is_one_sentence_and_writes_nothing(here, words, says):
    before = sorted(here.rglob("*"))
    result = unrolled(*words.split())
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.output
    assert says in result.stderr and len(result.stderr.strip().splitlines()) == 1
    assert sorted(here.rglob("*")) == before


def test_a_new_course_says_what_is_in_it_and_what_comes_next(here):
    result = unrolled("new", "mine", "--lessons", "none")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "mine is a course of 1 lesson:",
        "  20-average (an example of a lesson of yours)",
        "Next: cd mine && unrolled test. Its README.md says the rest.",
    ]
    assert unrolled("release", "--check", "--course", "mine").stdout == "lessons/ is what solutions/ makes.\n"
