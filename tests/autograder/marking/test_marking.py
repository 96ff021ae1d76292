"""Marks that were given on the marking page: in the gradebook, and wherever the gradebook is read."""

import errno
import json
import os
import sqlite3
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import sqlalchemy
from nbgrader.api import Gradebook

from autograder.course.places import CourseError
from autograder.gradebook import by_hand, database
from autograder.gradebook.feedback import write_feedback
from tests.autograder.waiting import FOR_EVER

LINES = ["addition is enough, since $2x = x + x$.", "an example."]


@pytest.fixture
def mark(desk):
    """Marks a student's answer as the page does."""

    def tell(student, score, comment="", ticked=(), digest=None, settled=True):
        (answer,) = [one for one in answers(desk) if one.student == student]
        told = {"student": student, "digest": digest or answer.digest, "score": score, "comment": comment}
        return desk.mark("", {**told, "ticked": list(ticked), "settled": settled})

    return tell


def answers(desk):
    return by_hand.answers(desk.workspace, desk.spec, "written")


def rows(desk):
    """{student: (manual score, waits, comment)} as nbgrader reads them."""
    found = {}
    with Gradebook(desk.workspace.db_url, database.COURSE_ID) as book:
        for one in book.assignment_submissions(desk.spec.assignment):
            names = ("written", desk.spec.notebook, desk.spec.assignment, one.student_id)
            grade, comment = book.find_grade(*names), book.find_comment(*names)
            found[one.student_id] = (grade.manual_score, grade.needs_manual_grade, comment.manual_comment)
    return found


def test_a_mark_is_in_the_gradebook_at_once_and_on_the_feedback_page(desk, lesson, hand_in, mark):
    hand_in(Ann="Adding it to itself.", Bob="Magic.")
    assert mark("Ann", 1.5, "An *example*?", LINES[:1]) == {"said": "Saved: 1.5 of 2.", "waits": False}
    assert rows(desk) == {"Ann": (1.5, False, "An *example*?"), "Bob": (None, True, None)}
    assert database.standings(desk.workspace, desk.spec) == {"Ann": (3.5, False), "Bob": (2.0, True)}
    write_feedback(desk.workspace, lesson.course, desk.spec, ["Ann"])
    page = (desk.workspace.feedback / "Ann" / lesson.name / "double.html").read_text()
    assert "1.5 / 2" in page and "<em>example</em>" in page


def test_who_wrote_nothing_does_not_wait(desk, hand_in):
    hand_in(Ann="*Write your answer here.*", Bob="Magic.")
    assert [one.student for one in answers(desk)] == ["Bob"]


def test_nought_is_a_mark_and_nothing_is_none(desk, hand_in, mark):
    hand_in(Ann="Magic.")
    assert not mark("Ann", 0)["waits"]
    assert rows(desk)["Ann"] == (0, False, None)
    assert mark("Ann", None)["waits"]
    assert rows(desk)["Ann"] == (None, True, None)
    assert mark("Ann", None, "Say more.", settled=False)["waits"]  # a comment alone settles nothing
    assert rows(desk)["Ann"] == (None, True, "Say more.")


def test_marks_survive_grading_again_until_the_answer_changes(desk, hand_in, mark):
    hand_in(Ann="Adding it to itself.")
    mark("Ann", 2, "Yes.", LINES)
    hand_in(Ann="Adding it to itself.")
    assert rows(desk)["Ann"] == (2, False, "Yes.")
    (ann,) = answers(desk)
    assert ann.ticked == tuple(LINES) and not ann.again
    hand_in(Ann="Subtracting.")
    assert rows(desk)["Ann"] == (2, True, "Yes.")
    (ann,) = answers(desk)
    assert ann.again and ann.text == "Subtracting."
    assert mark("Ann", 2, "Yes?", LINES, settled=False)["waits"]
    assert rows(desk)["Ann"] == (2, True, "Yes?")
    mark("Ann", 0, "No more.")
    assert rows(desk)["Ann"] == (0, False, "No more.")


def test_ticks_are_forgotten_when_the_formgrader_gave_other_points(desk, hand_in, mark):
    hand_in(Ann="Adding it to itself.")
    mark("Ann", 1.5, ticked=LINES[:1])
    with Gradebook(desk.workspace.db_url, database.COURSE_ID) as book:
        grade = book.find_grade("written", desk.spec.notebook, desk.spec.assignment, "Ann")
        grade.manual_score = 1
        book.db.commit()
    (ann,) = answers(desk)
    assert (ann.score, ann.ticked) == (1, ())
    assert mark("Ann", None, "Yes.", settled=False) == {"said": "Saved.", "waits": False}
    assert rows(desk)["Ann"] == (1, False, "Yes.")


def test_an_answer_that_nobody_read_is_not_marked(desk, hand_in, mark):
    hand_in(Ann="Adding it to itself.")
    (read,) = answers(desk)
    hand_in(Ann="Subtracting.")
    with pytest.raises(CourseError, match="Ann has handed in another answer"):
        mark("Ann", 2, digest=read.digest)
    assert rows(desk)["Ann"] == (None, True, None)


@pytest.mark.parametrize("score", [-0.5, 2.5, float("nan"), float("inf")])
def test_points_are_between_nought_and_all(desk, hand_in, mark, score):
    hand_in(Ann="Adding it to itself.")
    with pytest.raises(CourseError, match="is not between 0 and 2"):
        mark("Ann", score)
    assert rows(desk)["Ann"] == (None, True, None)


@pytest.mark.parametrize("student", ["Mallory", "../Ann", ""])
def test_nobody_else_can_be_marked(desk, hand_in, student):
    hand_in(Ann="Adding it to itself.")
    told = {"student": student, "digest": "0", "score": 1, "comment": "", "ticked": [], "settled": True}
    with pytest.raises(CourseError, match="no graded answer"):
        desk.mark("", told)
    assert not (desk.workspace.root / "marks").exists()


def test_the_page_shows_who_waits_and_on_request_who_does_not(desk, hand_in, mark):
    hand_in(Ann="Adding it to itself.", Bob="Magic.")
    mark("Ann", 1.5, ticked=LINES[:1])
    page = desk.page("", False)
    assert 'data-student="Bob"' in page and 'data-student="Ann"' not in page
    assert "1 of 2 answers are marked." in page and "Why does this work?" in page and "<math" in page
    page = desk.page("", True)
    ann = page[page.index('data-student="Ann"') : page.index('data-student="Bob"')]
    assert ann.count(" checked") == 1 and 'value="1.5"' in ann


def ask(url, told=None, **headers):
    """The status of an answer, and its text."""
    data = None if told is None else json.dumps(told).encode()
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=FOR_EVER) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_only_who_knows_the_address_is_answered(desk, hand_in, served):
    hand_in(Ann="Adding it to itself.")
    (ann,) = answers(desk)
    told = {"student": "Ann", "digest": ann.digest, "score": 1, "comment": "", "ticked": [], "settled": True}
    origin = served.address.rsplit("/", 2)[0]
    kind = {"Content-Type": "application/json"}
    assert served.address.startswith("http://127.0.0.1:")
    assert ask(f"{origin}/")[0] == 404
    assert ask(f"{origin}/guess/")[0] == ask(f"{origin}/guess/mark", told, **kind)[0] == 404
    assert ask(served.address, Host="example.org")[0] == 404  # a name that leads here by another's doing
    assert ask(f"{served.address}mark", told, **kind, Host="example.org")[0] == 404
    assert ask(f"{served.address}mark", told, **{"Content-Type": "text/plain"})[0] == 415
    assert ask(f"{served.address}?question=other")[0] == 404
    assert rows(desk)["Ann"] == (None, True, None)
    status, said = ask(f"{served.address}mark", told, **kind)
    assert (status, json.loads(said)) == (200, {"said": "Saved: 1 of 2.", "waits": False})
    status, said = ask(f"{served.address}mark", {**told, "score": 9}, **kind)
    assert status == 409 and "not between 0 and 2" in json.loads(said)["said"]
    assert rows(desk)["Ann"] == (1, False, None)


def no_room(*words, **named):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # writing names no file


def no_room_for_rows(session):
    raise sqlalchemy.exc.OperationalError("UPDATE", {}, sqlite3.OperationalError("database or disk is full"))


@pytest.mark.parametrize(
    ("kind", "call", "fails", "says"),
    [
        (Path, "write_bytes", no_room, "The disk is full; make room, and save it again ("),
        (Path, "mkdir", no_room, "The disk is full; make room, and save it again ("),
        (sqlalchemy.orm.Session, "commit", no_room_for_rows, "because the disk is full; make room, and"),
    ],
)
def test_on_a_full_disk_a_mark_is_whole_or_not_there(
    desk, hand_in, mark, served, monkeypatch, kind, call, fails, says
):
    """Points without the lines that were ticked for them, or the other way round, would be half of one."""
    hand_in(Ann="Adding it to itself.", Bob="Magic.")
    mark("Ann", 1.5, "Good.", LINES[:1])
    before = answers(desk), rows(desk)
    for ann in before[0]:
        told = {
            "student": ann.student,
            "digest": ann.digest,
            "score": 2,
            "comment": "Better.",
            "ticked": LINES,
        }
        with monkeypatch.context() as patch:
            patch.setattr(kind, call, fails)
            status, said = ask(
                f"{served.address}mark", {**told, "settled": True}, **{"Content-Type": "application/json"}
            )
        said = json.loads(said)["said"]
        assert status == 409 and said.startswith("Not saved: ") and says in said and "\n" not in said
        assert "Errno" not in said
        assert (answers(desk), rows(desk)) == before
    assert not list(desk.workspace.root.rglob("*.part"))
    for one in before[0]:
        assert mark(one.student, 2, "", LINES)["said"] == "Saved: 2 of 2."
    assert [one.ticked for one in answers(desk)] == [tuple(LINES)] * 2
