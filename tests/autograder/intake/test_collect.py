"""Collecting: which notebook is taken and when it came; nothing is lost, and a run can be repeated."""

import json
import os
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from autograder.course.places import CourseError
from autograder.intake.collect import parse_received, time_zone
from autograder.intake.submissions import find_submissions
from tests.autograder.intake.handing import UTC_TIME, archive, folder, noted, stamped

# Which notebook, and when


def test_without_the_right_name_the_one_with_the_exercises_is_taken(tmp_path, bring, handed_in):
    root = folder(tmp_path / "class", {"Ann/a.ipynb": "double triple", "Ann/z.ipynb": "nothing of it"})
    rows, _ = bring(root)
    assert handed_in() == {"Ann": "double triple"}
    assert "None of 2 notebooks is called double.ipynb; a.ipynb, which has most" in rows["Ann"].remarks[0]


def test_of_two_that_fit_the_newer_file_is_taken_and_said(tmp_path, bring, handed_in):
    root = folder(tmp_path / "class", {"Ann.ipynb": "older", "Ann/double.ipynb": "newer"})
    stamped(root / "Ann.ipynb", UTC_TIME)
    rows, _ = bring(root)
    assert handed_in() == {"Ann": "newer"}
    assert "Ann/double.ipynb was taken, not Ann.ipynb." in rows["Ann"].remarks


def test_an_attempt_without_a_notebook_leaves_the_one_before(tmp_path, bring, handed_in):
    entries = {
        "hw_ann_attempt_2026-11-01-10-00-00_double.ipynb": "first",
        "hw_ann_attempt_2026-11-02-10-00-00_essay.pdf": "pdf",
    }
    rows, _ = bring(archive(tmp_path / "bb.zip", entries))
    assert handed_in() == {"ann": "first"}
    assert "as later ones have no notebook" in rows["ann"].remarks[0]


def test_received_goes_before_every_other_time(tmp_path, bring, workspace):
    when = parse_received("2026-11-05 18:00", ZoneInfo("Europe/Berlin"))
    bring(folder(tmp_path / "class", {"Ann.ipynb": "ann"}), received=when)
    assert noted(workspace, "Ann") == "2026-11-05 17:00:00.000000 UTC"


def test_times_that_can_be_given():
    offset = timezone(timedelta(hours=2))
    assert parse_received("2026-11-05T18:00+01:00") == datetime(2026, 11, 5, 17, tzinfo=UTC)
    assert parse_received("2026-11-05", offset) == datetime(2026, 11, 4, 22, tzinfo=UTC)
    assert abs((parse_received("now") - datetime.now(UTC)).total_seconds()) < 60
    for text in ("yesterday", "2026-13-01", "", "99999999999"):
        with pytest.raises(CourseError, match="is no time; write"):
            parse_received(text)
    for name in ("Europe/Nowhere", "../../etc/passwd"):
        with pytest.raises(CourseError, match="There is no time zone"):
            time_zone(name)


def test_nbgrader_and_the_runner_read_our_time(tmp_path, bring, workspace, lesson):
    bring(folder(tmp_path / "class", {"Ann.ipynb": "{}"}), received=UTC_TIME)
    (submission,) = find_submissions(workspace, lesson)
    assert submission.timestamp == UTC_TIME.replace(tzinfo=None) and not submission.remarks


# What is there already


def attempt(tmp_path, number, text, hour):
    root = tmp_path / f"class{number}"
    folder(root, {"Ann.ipynb": text})
    stamped(root / "Ann.ipynb", UTC_TIME.replace(hour=hour))
    return root


def test_only_newer_replaces_and_what_was_replaced_is_kept(tmp_path, bring, handed_in, workspace):
    assert bring(attempt(tmp_path, 1, "ten", 10))[0]["Ann"].outcome == "new"
    assert bring(attempt(tmp_path, 1, "ten", 10))[0]["Ann"].outcome == "unchanged"
    row = bring(attempt(tmp_path, 2, "nine", 9))[0]["Ann"]
    assert row.outcome == "kept" and "no newer; `unrolled collect --force` takes it" in row.remarks[0]
    assert handed_in() == {"Ann": "ten"}
    row = bring(attempt(tmp_path, 3, "eleven", 11))[0]["Ann"]
    assert row.outcome == "newer" and "replaced/Ann/01-double-1" in row.remarks[0]
    assert handed_in() == {"Ann": "eleven"} and noted(workspace, "Ann").startswith("2026-11-01 11")
    assert bring(attempt(tmp_path, 2, "nine", 9), force=True)[0]["Ann"].outcome == "forced"
    kept = sorted((workspace.root / "replaced" / "Ann").glob("*/double.ipynb"))
    assert [path.read_text() for path in kept] == ["ten", "eleven"] and handed_in() == {"Ann": "nine"}


def test_the_same_file_handed_in_again_keeps_its_first_time(tmp_path, bring, workspace):
    bring(attempt(tmp_path, 1, "same", 10))
    assert bring(attempt(tmp_path, 2, "same", 23))[0]["Ann"].outcome == "unchanged"
    assert noted(workspace, "Ann").startswith("2026-11-01 10")


def test_a_later_download_is_newer_and_an_earlier_one_is_not(tmp_path, bring, handed_in):
    first = archive(tmp_path / "1.zip", {"ann_5_10_double.ipynb": "first"})
    second = archive(tmp_path / "2.zip", {"ann_5_11_double-1.ipynb": "second"})
    stamped(first, UTC_TIME)
    assert bring(first)[0]["ann_5"].outcome == "new"
    assert bring(second)[0]["ann_5"].outcome == "newer"
    assert bring(first)[0]["ann_5"].outcome == "kept"
    assert handed_in() == {"ann_5": "second"}


def test_a_student_who_changed_their_name_in_canvas_keeps_their_folder(tmp_path, bring, handed_in):
    bring(archive(tmp_path / "1.zip", {"ann_5_10_double.ipynb": "first"}))
    stamped(tmp_path / "1.zip", UTC_TIME)
    rows, _ = bring(
        stamped(
            archive(tmp_path / "2.zip", {"anna_5_11_double.ipynb": "2"}),
            datetime.now(UTC) + timedelta(hours=1),
        )
    )
    assert handed_in() == {"ann_5": "2"} and "changed their name" in rows["ann_5"].remarks[0]


def test_what_was_put_there_by_hand_is_not_replaced_unasked(tmp_path, bring, handed_in, workspace, lesson):
    folder(workspace.submitted, {"ann_5/01-double/double.ipynb": "by hand"})
    source = archive(tmp_path / "1.zip", {"ann_5_10_double.ipynb": "collected"})
    assert bring(source)[0]["ann_5"].outcome == "kept"
    assert bring(source, force=True)[0]["ann_5"].outcome == "forced"
    assert handed_in() == {"ann_5": "collected"} and noted(workspace, "ann_5") is None


def test_a_time_that_is_learned_later_is_noted(tmp_path, bring, workspace):
    source = archive(tmp_path / "1.zip", {"ann_5_10_double.ipynb": "x"})
    bring(source)
    assert bring(source, received=UTC_TIME)[0]["ann_5"].outcome == "time noted"
    assert noted(workspace, "ann_5") == "2026-11-01 10:00:00.000000 UTC"


def test_a_link_in_the_workspace_is_not_written_through(tmp_path, bring, workspace):
    (tmp_path / "outside").mkdir()
    (workspace.submitted / "Ann").symlink_to(tmp_path / "outside")
    row = bring(folder(tmp_path / "class", {"Ann.ipynb": "x"}))[0]["Ann"]
    assert row.outcome == "left alone" and not list((tmp_path / "outside").iterdir())


def test_a_dry_run_changes_nothing(tmp_path, bring, workspace):
    before = sorted(workspace.root.rglob("*"))
    assert bring(folder(tmp_path / "class", {"Ann.ipynb": "x"}), dry_run=True)[0]["Ann"].outcome == "new"
    assert sorted(workspace.root.rglob("*")) == before


def test_a_run_that_is_stopped_leaves_whole_submissions_and_can_be_repeated(
    tmp_path, bring, handed_in, workspace, monkeypatch
):
    root = folder(tmp_path / "class", {"Ann.ipynb": "ann", "Bob.ipynb": "bob", "Cem.ipynb": "cem"})
    renames, rename = [], os.rename

    def stopping(source, target):
        renames.append(target)
        if len(renames) == 2:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", stopping)
    with pytest.raises(KeyboardInterrupt):
        bring(root)
    monkeypatch.undo()
    assert handed_in() == {"Ann": "ann"}
    (workspace.root / ".collecting" / "Bob").mkdir(parents=True)  # as after a power cut
    rows, _ = bring(root)
    assert [rows[name].outcome for name in ("Ann", "Bob", "Cem")] == ["unchanged", "new", "new"]
    assert not (workspace.root / ".collecting").exists()


# Wrong use


def test_wrong_sources_are_one_sentence(tmp_path, bring, workspace):
    (tmp_path / "one.ipynb").write_text("{}")
    (tmp_path / "no.zip").write_text("no archive")
    (tmp_path / "empty").mkdir()
    broken = archive(tmp_path / "broken.zip", {"a.ipynb": "x" * 100})
    broken.write_bytes(broken.read_bytes().replace(b"PK\1\2", b"PK\1\3"))
    for source, says in (
        (tmp_path / "nowhere", "There is no file or folder"),
        (tmp_path / "one.ipynb", "put it in a folder as STUDENT.ipynb"),
        (tmp_path / "no.zip", "takes a folder or a zip archive"),
        (broken, "is damaged"),
        (tmp_path / "empty", "There are no submissions to 01-double"),
        (workspace.submitted, "is where submissions are collected to"),
    ):
        with pytest.raises(CourseError, match=says) as caught:
            bring(source)
        assert "\n" not in str(caught.value)


def test_the_record_says_where_each_came_from(tmp_path, bring, workspace):
    bring(archive(tmp_path / "canvas.zip", {"ann_5_10_double.ipynb": "x"}))
    record = json.loads((workspace.root / "collected" / "01-double.json").read_text())
    told = {key: record["ann_5"][key] for key in ("student", "number", "platform", "source", "file", "time")}
    assert told == {
        "student": "ann_5",
        "number": "5",
        "platform": "Canvas",
        "source": "canvas.zip",
        "file": "double.ipynb",
        "time": None,
    }
