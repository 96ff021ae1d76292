"""`unrolled lessons`: copies to work in, and nothing that somebody worked in is ever written over."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rnncore
from autograder.course.handout import CHECKOUT, hand_out, sentences
from autograder.course.places import CourseError

BPTT = "03-bptt/bptt.ipynb"


@pytest.fixture
def source(tmp_path):
    """A course of three files, of which editions can be made."""
    for name, text in {
        BPTT: "first",
        "09-pytorch/pytorch.ipynb": "first",
        "README.md": "# Lessons\n",
    }.items():
        (tmp_path / "course" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "course" / name).write_text(text)
    return tmp_path / "course"


def everything(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def test_the_courses_lessons_arrive_with_their_pictures_and_no_dead_link(tmp_path):
    done = hand_out(tmp_path / "mine")
    copied = everything(tmp_path / "mine")
    assert done.lessons == len(list(CHECKOUT.glob("*/*.ipynb"))) >= 14
    for name, data in copied.items():
        assert name == "README.md" or data == (CHECKOUT / name).read_bytes()
    page = copied["README.md"].decode()
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert len(links) >= 2 * done.lessons and all((tmp_path / "mine" / link).is_file() for link in links)
    assert "make" not in page and "solutions" not in page
    assert (
        sentences(done).__next__() == f"15 lessons are in {tmp_path / 'mine'}; {len(copied)} files are new."
    )


def test_copying_again_changes_nothing_and_says_what_differs(source, tmp_path):
    mine = tmp_path / "mine"
    hand_out(mine, source=source)
    (mine / BPTT).write_text("my answers")
    (mine / "notes.txt").write_text("mine, too")
    before = everything(mine)
    done = hand_out(mine, source=source)
    assert everything(mine) == before
    assert (done.written, done.theirs, done.older) == ([], [BPTT], [])
    assert f"Yours, and left as they are: {BPTT}." in list(sentences(done))


def test_a_newer_edition_comes_only_when_asked_for_and_beside_what_was_worked_in(source, tmp_path):
    mine = tmp_path / "mine"
    hand_out(mine, source=source)
    (mine / BPTT).write_text("my answers")
    for name in (BPTT, "09-pytorch/pytorch.ipynb"):
        (source / name).write_text("second")
    before = everything(mine)
    done = hand_out(mine, source=source)
    assert everything(mine) == before and done.older == [BPTT, "09-pytorch/pytorch.ipynb"]
    assert any(f"unrolled lessons {mine} --update" in line for line in sentences(done))

    done = hand_out(mine, update=True, source=source)
    beside = f"03-bptt/bptt-{rnncore.__version__}.ipynb"
    assert everything(mine) == before | {beside: b"second", "09-pytorch/pytorch.ipynb": b"second"}
    assert done.renewed == ["09-pytorch/pytorch.ipynb"]
    assert any(
        "is yours and left as it is; the newer edition lies beside it" in line for line in sentences(done)
    )
    (mine / beside).write_text("answers in the newer one")
    before = everything(mine)
    assert hand_out(mine, update=True, source=source).theirs == [BPTT]  # nothing newer than what was brought
    (source / BPTT).write_text("third, of the same version")
    hand_out(mine, update=True, source=source)
    third = f"03-bptt/bptt-{rnncore.__version__}-2.ipynb"
    assert everything(mine) == before | {third: b"third, of the same version"}


@pytest.mark.parametrize("note", ["", "[]", '{"03-bptt/bptt.ipynb": 7}', None])
def test_without_a_note_every_file_counts_as_worked_in(source, tmp_path, note):
    mine = tmp_path / "mine"
    (mine / BPTT).parent.mkdir(parents=True)
    (mine / BPTT).write_text("my answers")
    if note is not None:
        (mine / ".unrolled.json").write_text(note)
    hand_out(mine, update=True, source=source)
    assert (mine / BPTT).read_text() == "my answers"
    assert (mine / f"03-bptt/bptt-{rnncore.__version__}.ipynb").read_text() == "first"
    assert BPTT in json.loads((mine / ".unrolled.json").read_text())


def test_what_cannot_be_done_is_one_sentence(source, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "mine" / "03-bptt").mkdir(parents=True)
    (tmp_path / "mine" / BPTT).mkdir()
    for folder, says in {
        source: "holds the course's own lessons",
        source / "within": "holds the course's own lessons",
        tmp_path / "file": "is a file; name a folder",
        tmp_path / "file" / "below": "Could not write",
        tmp_path / "mine": "Could not write",
    }.items():
        with pytest.raises(CourseError, match=says) as raised:
            hand_out(folder, source=source)
        assert "\n" not in str(raised.value)
    with pytest.raises(CourseError, match=r"There are no lessons in .*empty"):
        hand_out(tmp_path / "new", source=tmp_path / "empty")


@pytest.mark.parametrize("without", ["typer", "nothing"])
def test_a_course_of_ones_own_hands_out_its_own_lessons(without, released, tmp_path):
    code = f"import sys; sys.modules[{without!r}] = None; from autograder.cli import main; main()"
    words = [sys.executable, "-c", code, "lessons", tmp_path / "mine", "--course", released]
    done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert (done.returncode, done.stderr) == (0, "")
    assert [name for name in everything(tmp_path / "mine") if name.endswith("ipynb")] == [
        "01-double/double.ipynb"
    ]


@pytest.mark.parametrize("without", ["typer", "nbgrader", "packaging", "nothing"])
def test_the_command_needs_nothing_that_grading_needs(without, tmp_path):
    code = f"import sys; sys.modules[{without!r}] = None; from autograder.cli import main; main()"

    def unrolled(*words):
        command = [sys.executable, "-c", code, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3])

    done = unrolled("lessons", tmp_path / "mine")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("15 lessons are in ") and "jupyter lab" in done.stdout
    assert (tmp_path / "mine" / BPTT).is_file()
    done = unrolled("lessons", CHECKOUT, "--update")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "another folder" in done.stderr
    assert "never over it" in " ".join(unrolled("lessons", "--help").stdout.split())
    done = unrolled("lessons")
    assert done.returncode != 0 and "Traceback" not in done.stderr and "folder" in done.stderr.lower()
