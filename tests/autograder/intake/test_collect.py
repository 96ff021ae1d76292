"""Collecting: each platform's names, attempts and times; nothing is lost, and no archive does harm."""

import io
import json
import os
import shutil
import stat
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from autograder.course.places import CourseError, all_lessons
from autograder.intake import sources
from autograder.intake.collect import collect, parse_received, time_zone
from autograder.intake.ledger import folder_name
from autograder.intake.submissions import STUDENT_NAME, find_submissions, left_out

UTC_TIME = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]  # 01-double, double.ipynb


@pytest.fixture
def bring(workspace, lesson, spec):
    """Collect into the workspace; zone UTC unless said otherwise."""

    def run(source, **options):
        options.setdefault("zone", UTC)
        result = collect(source, workspace, lesson, spec, **options)
        return {row.student: row for row in result.rows}, result.remarks

    return run


@pytest.fixture
def handed_in(workspace, lesson):
    """{student: text} of what lies in submitted/."""

    def read():
        found = {}
        for path in sorted(workspace.submitted.glob(f"*/{lesson.name}")):
            notebook = path / f"{lesson.notebook}.ipynb"
            found[path.parent.name] = notebook.read_text() if notebook.is_file() else None
        return found

    return read


def archive(path, entries):
    """A zip of {name: text or bytes}; or of (ZipInfo, data) pairs."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items() if isinstance(entries, dict) else entries:
            file.writestr(name, data)
    return path


def folder(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def stamped(path, when):
    os.utime(path, (when.timestamp(), when.timestamp()))
    return path


def noted(workspace, student):
    path = workspace.submitted / student / "01-double" / "timestamp.txt"
    return path.read_text().strip() if path.exists() else None


# Platforms


def test_canvas_names_late_marks_and_resubmissions(tmp_path, bring, handed_in, workspace):
    source = archive(
        tmp_path / "submissions.zip",
        {
            "smithbob_340934_208490284_double.ipynb": "bob",
            "leeann_LATE_51_900_double-1.ipynb": "ann, again",
            "leeann_LATE_51_890_double.ipynb": "ann, first",
            "leeann_52_800_double.ipynb": "the other ann",
            "chencem_53_801_work.zip": "PK",
        },
    )
    rows, remarks = bring(source)
    assert handed_in() == {
        "smithbob_340934": "bob",
        "leeann_51": "ann, again",
        "leeann_52": "the other ann",
        "chencem_53": None,
    }
    assert "was taken, not leeann_LATE_51_890_double.ipynb" in " ".join(rows["leeann_51"].remarks)
    assert "no notebook among what was handed in (work.zip); archives within" in rows["chencem_53"].remarks[0]
    assert [r for r in remarks if "4 of 4 came without a time" in r and "late: leeann_51)" in r]
    assert noted(workspace, "leeann_51") is None  # an archive's times are those of the download


def test_canvas_without_names(tmp_path, bring, handed_in):
    entries = {"anon_ab12C_77_double.ipynb": "x", "LATE_anon_Zz9_78_double.ipynb": "y"}
    _, remarks = bring(archive(tmp_path / "anonymous.zip", entries))
    assert handed_in() == {"anon_ab12C": "x", "anon_Zz9": "y"} and "late: anon_Zz9)" in remarks[0]


def test_moodle_folders_flat_names_and_namesakes(tmp_path, bring, handed_in):
    source = archive(
        tmp_path / "moodle.zip",
        {
            "Ann Lee_12345_assignsubmission_file_/double.ipynb": "one",
            "Ann Lee_12346_assignsubmission_file_/double.ipynb": "two",
            "Bob O'Neil_12347_assignsubmission_file_double.ipynb": "flat",
            "Bob O'Neil_12347_assignsubmission_onlinetext_onlinetext.html": "<p>",
            "Çem Ünal_12348_assignsubmission_file_/sub/double.ipynb": "deeper",
        },
    )
    bring(source)
    assert handed_in() == {
        "Ann Lee_12345": "one",
        "Ann Lee_12346": "two",
        "Bob O'Neil": "flat",
        "Çem Ünal": "deeper",
    }


def test_a_namesake_who_comes_later_does_not_get_the_first_ones_folder(tmp_path, bring, handed_in):
    bring(archive(tmp_path / "a.zip", {"Ann Lee_1_assignsubmission_file_/double.ipynb": "one"}))
    bring(archive(tmp_path / "b.zip", {"Ann Lee_2_assignsubmission_file_/double.ipynb": "two"}))
    bring(archive(tmp_path / "c.zip", {"Ann Lee_1_assignsubmission_file_/double.ipynb": "one"}))
    assert handed_in() == {"Ann Lee": "one", "Ann Lee_2": "two"}


def test_blackboard_attempts_have_their_time_in_the_name(tmp_path, bring, handed_in, workspace):
    source = archive(
        tmp_path / "bb.zip",
        {
            "Week_3_4_ann_attempt_2026-11-01-10-00-00_double.ipynb": "first",
            "Week_3_4_ann_attempt_2026-11-02-11-30-05_double.ipynb": "second",
            "Week_3_4_ann_attempt_2026-11-02-11-30-05.txt": "receipt",
            "Week_3_4_a_b_attempt_2026-11-01-10-00-00_double.ipynb": "underscore",
            "Week_3_4_cem_attempt_2026-11-03-09-00-00.txt": "receipt only",
        },
    )
    rows, _ = bring(source, zone=ZoneInfo("America/New_York"))
    assert handed_in() == {"ann": "second", "a_b": "underscore", "cem": None}
    assert noted(workspace, "ann") == "2026-11-02 16:30:05.000000 UTC"
    assert "2 attempts: that of 2026-11-02 16:30 UTC was taken, the newest." in rows["ann"].remarks


def test_blackboard_with_student_numbers_is_not_taken_for_canvas(tmp_path, bring, handed_in):
    entries = {f"Homework_3_{n}_attempt_2026-11-01-10-00-00_double.ipynb": f"of {n}" for n in (4567, 4568)}
    bring(archive(tmp_path / "two.zip", entries))
    alone = "Homework_3_4569_attempt_2026-11-01-10-00-00"
    bring(archive(tmp_path / "one.zip", {f"{alone}_double.ipynb": "of 4569", f"{alone}.txt": ""}))
    assert handed_in() == {"4567": "of 4567", "4568": "of 4568", "4569": "of 4569"}


def test_a_lone_forger_in_canvas_hits_nobody(tmp_path, bring, handed_in):
    entries = {
        f"mallory_666_{n}_{name}_attempt_2020-01-01-00-00-00_double.ipynb": name
        for n, name in enumerate(("victim", "other"), 10)
    }
    bring(archive(tmp_path / "canvas.zip", entries))
    assert not {"victim", "other"} & set(handed_in())


def test_a_file_named_like_another_platforms_stays_its_students(tmp_path, bring, handed_in, workspace):
    forged = "victim_attempt_2020-01-01-00-00-00_double.ipynb"
    entries = {f"mallory_666_1_{forged}": "forged", "victim_5_2_double.ipynb": "real"}
    entries |= {
        "mal_667_3_4_5_double.ipynb": "two ways",
        "m_668_6_x_9_assignsubmission_file_double.ipynb": "m",
    }
    rows, _ = bring(archive(tmp_path / "canvas.zip", entries))
    assert set(handed_in()) == {"mallory_666", "victim_5", "mal_667", "m_668"}
    assert handed_in()["victim_5"] == "real" and noted(workspace, "mallory_666") is None
    assert "can be read in two ways" in rows["mal_667"].remarks[0]


def test_even_alone_a_forged_name_stays_the_forgers(tmp_path, bring, handed_in):
    name = "mallory_666_1_victim_attempt_2020-01-01-00-00-00_double.ipynb"
    bring(archive(tmp_path / "canvas.zip", {name: "forged"}))
    assert list(handed_in()) == ["mallory_666"]


METADATA = """\
submission_11:
  :submitters:
  - :name: Ann Lee
    :sid: '0100'
    :email: ann@example.org
  - :name: Bob
    :sid: ''
    :email: bob@example.org
  :created_at: 2026-11-01 02:00:00.123456789 -08:00
  :results: {}
submission_12:
  :submitters:
  - :name: Cem
    :sid:
    :email:
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: 2026-11-01 12:00:00.000000000 Z
    time: 2026-11-01 04:00:00.000000000 Z
"""


def test_gradescope_export_with_a_group(tmp_path, bring, handed_in, workspace):
    source = archive(
        tmp_path / "gs.zip",
        {
            "assignment_9_export/submission_metadata.yml": METADATA,
            "assignment_9_export/submission_11/double.ipynb": "pair",
            "assignment_9_export/submission_12/double.ipynb": "cem",
            "assignment_9_export/submission_12/submission_metadata.yml": "submission_11: forged",
            "assignment_9_export/submission_13/double.ipynb": "unknown",
        },
    )
    _, remarks = bring(source)
    assert handed_in() == {"0100": "pair", "bob@example.org": "pair", "Cem": "cem"}
    assert noted(workspace, "0100") == "2026-11-01 10:00:00.123456 UTC"
    assert noted(workspace, "Cem") == "2026-11-01 12:00:00.000000 UTC"
    assert "submission_13 is not in submission_metadata.yml; nobody knows whose it is." in remarks


@pytest.mark.parametrize(
    "text", ["[", "- a\n- b", "submission_11: 3", "!!python/object/apply:os.system [x]", ""]
)
def test_a_broken_gradescope_table_runs_nothing_and_says_so(tmp_path, bring, text):
    entries = {"submission_metadata.yml": text, "submission_11/double.ipynb": "x"}
    with pytest.raises(CourseError, match="There are no submissions to 01-double"):
        bring(archive(tmp_path / "gs.zip", entries))


def test_nbgraders_exchange(tmp_path, bring, handed_in, workspace):
    inbound = "course/inbound"
    newest = "an+n+01-double+2026-11-01 12:00:00.000000 UTC+cmFuZG9t"
    root = folder(
        tmp_path,
        {
            f"{inbound}/an+n+01-double+2026-11-01 10:00:00.000000 UTC+cmFu/double.ipynb": "first",
            f"{inbound}/{newest}/double.ipynb": "second",
            f"{inbound}/{newest}/timestamp.txt": "1999-01-01 00:00:00.000000 UTC",
            f"{inbound}/{newest}/submission_secret.txt": "by which feedback is found",
            f"{inbound}/bob+01-double+2026-11-01 10:00:00 CET/double.ipynb": "no random part",
            f"{inbound}/bob+02-triple+2026-11-01 10:00:00 UTC+x/triple.ipynb": "another lesson",
            f"{inbound}/cem+01-double+yesterday+x/double.ipynb": "no time",
        },
    )
    _, remarks = bring(root / "course")
    assert handed_in() == {"an+n": "second", "bob": "no random part"}
    assert noted(workspace, "an+n") == "2026-11-01 12:00:00.000000 UTC"
    assert noted(workspace, "bob") == "2026-11-01 09:00:00.000000 UTC"
    (secret,) = workspace.submitted.rglob("submission_secret.txt")
    assert secret.parts[-3] == "an+n" and secret.read_text() == "by which feedback is found"
    assert "Left out, as they belong to other lessons: 1 folders." in remarks
    assert any("'cem+01-double+yesterday+x'" in remark for remark in remarks)


def test_an_exchange_folder_that_belongs_to_somebody_else_is_remarked(tmp_path, bring, monkeypatch):
    name = "victim+01-double+2026-11-01 10:00:00.000000 UTC+x"
    folder(tmp_path / "inbound", {f"{name}/double.ipynb": "forged"})
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    rows, _ = bring(tmp_path / "inbound")
    assert any("did victim hand it in?" in remark for remark in rows["victim"].remarks)


def test_a_plain_folder_with_the_files_own_times(tmp_path, bring, handed_in, workspace):
    root = folder(
        tmp_path / "class",
        {
            "Ann.IPYNB": "ann",
            "Bob/double.ipynb": "bob",
            "Bob/timestamp.txt": "1999-01-01 00:00:00 UTC",
            "Cem/01-double/double.ipynb": "cem",
            "Cem/02-triple/triple.ipynb": "another lesson",
            "Dan/02-triple/triple.ipynb": "another lesson",
            "Eva/old/double.ipynb": "old",
            "Eva/double.ipynb": "eva",
            "Eva/.ipynb_checkpoints/double-checkpoint.ipynb": "never",
            "grades.csv": "",
            "double.ipynb": "whose?",
        },
    )
    (root / "Fay").mkdir()
    stamped(root / "Bob" / "double.ipynb", UTC_TIME)
    rows, remarks = bring(root)
    assert handed_in() == {"Ann": "ann", "Bob": "bob", "Cem": "cem", "Eva": "eva", "Fay": None}
    assert noted(workspace, "Bob") == "2026-11-01 10:00:00.000000 UTC"
    assert "A timestamp.txt among the files was not believed." in rows["Bob"].remarks
    assert "'grades.csv' is neither a notebook nor a student's folder; it was left out." in remarks
    assert "double.ipynb does not say whose it is; it was left out." in remarks


def test_a_plain_archive_with_a_folder_around_it_has_no_times(tmp_path, bring, handed_in, workspace):
    entries = {
        "class/": "",
        "class/Ann.ipynb": "ann",
        "class/Bob/double.ipynb": "bob",
        "__MACOSX/class/._Ann": "",
    }
    bring(archive(tmp_path / "class.zip", entries))
    assert handed_in() == {"Ann": "ann", "Bob": "bob"}
    assert noted(workspace, "Ann") is None


def test_one_students_folder_in_an_archive_is_not_taken_for_a_wrapper(tmp_path, bring, handed_in):
    bring(archive(tmp_path / "one.zip", {"Ann/my work.ipynb": "ann", "Ann/notes.txt": ""}))
    assert handed_in() == {"Ann": "ann"}


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
    assert row.outcome == "kept" and "no newer; --force takes it" in row.remarks[0]
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


# Names


@pytest.mark.parametrize(
    "name, expected",
    [
        ("Ann Lee", "Ann Lee"),
        ("../../etc", "_.._etc"),
        ("..", "student"),
        ("", "student"),
        ("con", "student con"),
        ("LPT1.x", "student LPT1.x"),
        ("=cmd|'/c calc'!A1", "_cmd_'_c calc'_A1"),
        ("-rf", "student -rf"),
        ("a\u202eb\x1b[31m\n", "a_b_[31m".replace("[", "_")),
        ("Zoe\u0308", "Zo\u00eb"),
        ("x" * 300, "x" * 90),
        ("dots. . ", "dots"),
    ],
)
def test_folder_names_are_safe_on_any_disk(name, expected):
    assert folder_name(name) == expected and STUDENT_NAME.fullmatch(expected)


def test_names_that_meet_in_one_folder_are_kept_apart(tmp_path, bring, handed_in, workspace, lesson):
    entries = {"Ann.ipynb": "A", "ann.ipynb": "a", "a?b.ipynb": "1", "a*b.ipynb": "2", "con.ipynb": "3"}
    rows, _ = bring(archive(tmp_path / "class.zip", entries))
    assert handed_in() == {"Ann": "A", "ann_2": "a", "a_b": "2", "a_b_2": "1", "student con": "3"}
    assert rows["ann_2"].remarks == ["'ann' is kept as ann_2."]
    bring(archive(tmp_path / "again.zip", {"a?b.ipynb": "1"}))  # alone, it must not take the other's place
    assert handed_in()["a_b"] == "2"
    assert len(find_submissions(workspace, lesson)) == 5 and not left_out(workspace, lesson)


def test_names_in_other_encodings(tmp_path, bring, handed_in):
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("Çem.ipynb", "utf-8")
        file.writestr("Bob.ipynb", "x")
    raw = path.read_bytes()
    assert raw.count("Çem".encode()) == 2
    for mark in (b"PK\3\4", b"PK\1\2"):  # take the flag away that says UTF-8
        at = raw.index(mark) + (6 if mark == b"PK\3\4" else 8)
        raw = raw[:at] + b"\0\0" + raw[at + 2 :]
    path.write_bytes(raw)
    os.makedirs(tmp_path / "bytes")
    with open(os.fsencode(tmp_path / "bytes") + b"/Zo\xeb.ipynb", "w") as file:
        file.write("latin-1")
    bring(path)
    bring(tmp_path / "bytes")
    assert handed_in() == {"Çem": "utf-8", "Bob": "x", "Zo_": "latin-1"}


# Harm


def entry(name, data, mode):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info, data


def test_paths_links_and_devices_in_an_archive(tmp_path, bring, handed_in, workspace):
    canary = tmp_path / "canary"
    canary.write_text("secret")
    source = archive(
        tmp_path / "class.zip",
        [
            ("Ann.ipynb", "ann"),
            ("../canary", "overwritten"),
            ("../../Eve.ipynb", "eve"),
            ("/etc/Eve.ipynb", "eve"),
            ("C:\\Eve.ipynb", "eve"),
            ("Eve\\..\\..\\x.ipynb", "eve"),
            entry("Link.ipynb", str(canary), stat.S_IFLNK | 0o777),
            entry("Fifo.ipynb", "", stat.S_IFIFO | 0o666),
            entry("Dev/double.ipynb", "", stat.S_IFCHR | 0o666),
            ("Dir/double.ipynb/", ""),
            ("Dir/double.ipynb/double.ipynb", "inside"),
            ("Win\\double.ipynb", "backslash"),
        ],
    )
    rows, remarks = bring(source)
    assert handed_in() == {
        "Ann": "ann",
        "Win": "backslash",
        "Link": None,
        "Fifo": None,
        "Dev": None,
        "Dir": None,
    }
    assert canary.read_text() == "secret" and sum("leads outside" in remark for remark in remarks) == 5
    assert "Link.ipynb is a link, and links are not followed." in rows["Link"].remarks
    assert "double.ipynb is a folder." in rows["Dir"].remarks
    assert {path.name for path in tmp_path.iterdir()} == {"canary", "class.zip", "classroom"}


def test_links_devices_and_folders_in_a_folder(tmp_path, bring, handed_in):
    secret = tmp_path / "secret.ipynb"
    secret.write_text("secret")
    root = folder(tmp_path / "class", {"Ann.ipynb": "ann", "Dir/double.ipynb/double.ipynb": "inside"})
    (root / "Link.ipynb").symlink_to(secret)
    (root / "Far").symlink_to(tmp_path)
    (root / "Sub").mkdir()
    (root / "Sub" / "inner").symlink_to(tmp_path)
    os.link(secret, root / "Hard.ipynb")
    os.mkfifo(root / "Fifo.ipynb")
    rows, remarks = bring(root)
    assert handed_in() == {"Ann": "ann", "Dir": None, "Link": None, "Sub": None, "Hard": None, "Fifo": None}
    assert "is a hard link" in rows["Hard"].remarks[0] and "is no plain file" in rows["Fifo"].remarks[0]
    assert "'Far' is a link, and links are not followed; it was left out." in remarks


def test_a_folder_swapped_for_a_link_while_we_look(tmp_path, bring, handed_in, monkeypatch):
    root = folder(tmp_path / "class", {"Ann/double.ipynb": "ann", "Bob/double.ipynb": "bob"})
    folder(tmp_path / "secrets", {"double.ipynb": "secret"})
    listing = sources._list_folder

    def swapping(path):
        result = listing(path)
        shutil.rmtree(root / "Ann")
        (root / "Ann").symlink_to(tmp_path / "secrets")
        return result

    monkeypatch.setattr(sources, "_list_folder", swapping)
    rows, _ = bring(root)
    assert handed_in() == {"Ann": None, "Bob": "bob"} and "could not be read" in rows["Ann"].remarks[0]


def test_bombs_cost_their_student_and_nobody_else(tmp_path, bring, handed_in, monkeypatch):
    monkeypatch.setattr(sources, "MAX_BYTES", 3_000_000)
    path = archive(
        tmp_path / "class.zip",
        {
            "Ann.ipynb": "ann",
            "Ratio.ipynb": b"\0" * 2_000_000,
            "Large.ipynb": os.urandom(3_000_001),
            "Nested/double.zip": b"PK\3\4" + b"\0" * 100,
        },
    )
    rows, _ = bring(path)
    assert handed_in() == {"Ann": "ann", "Ratio": None, "Large": None, "Nested": None}
    assert (
        "times its size" in rows["Ratio"].remarks[0]
        and "more than the 3 MB that are read" in rows["Large"].remarks[0]
    )


def test_an_entry_that_lies_about_its_size(tmp_path, bring, handed_in):
    path = archive(tmp_path / "class.zip", {"Ann.ipynb": "ann", "Liar.ipynb": "x" * 5000})
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b"PK\1\2") + 24
    assert int.from_bytes(raw[at : at + 4], "little") == 5000
    raw[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(raw)
    rows, _ = bring(path)
    assert handed_in() == {"Ann": "ann", "Liar": None}
    assert "Liar.ipynb is damaged in the archive." in rows["Liar"].remarks


def test_archives_too_large_to_be_a_class(tmp_path, bring, monkeypatch):
    path = archive(tmp_path / "class.zip", {f"s{n}.ipynb": "x" * 10 for n in range(30)})
    for limit, value, says in (
        ("MAX_ENTRIES", 29, "more than 29 entries"),
        ("MAX_DIRECTORY", 100, "table of contents"),
        ("MAX_TOTAL", 100, "collect them in parts"),
    ):
        with monkeypatch.context() as patch, pytest.raises(CourseError, match=says):
            patch.setattr(sources, limit, value)
            bring(path)
    assert len(bring(path)[0]) == 30


def test_a_zip64_table_of_contents_is_measured(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("a.ipynb", "x")
    raw = data.getvalue()
    end = raw.index(b"PK\5\6")
    size = int.from_bytes(raw[end + 12 : end + 16], "little")
    assert sources._directory_size(io.BytesIO(raw)) == size
    record = b"PK\6\6" + (44).to_bytes(8, "little") + b"\0" * 28 + (7**11).to_bytes(8, "little") + b"\0" * 8
    locator = b"PK\6\7" + b"\0" * 4 + end.to_bytes(8, "little") + b"\0" * 4
    tail = raw[end : end + 12] + b"\xff" * 4 + raw[end + 16 :]
    assert sources._directory_size(io.BytesIO(raw[:end] + record + locator + tail)) == 7**11


def test_a_locked_or_oddly_packed_entry(tmp_path, bring, handed_in):
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("Ann.ipynb", "ann")
        file.writestr("Odd.ipynb", "odd", compress_type=zipfile.ZIP_BZIP2)
        file.writestr("Locked.ipynb", "locked")
    raw = bytearray(path.read_bytes())
    raw[raw.rindex(b"PK\1\2") + 8] |= 1
    path.write_bytes(raw)
    rows, _ = bring(path)
    assert handed_in() == {"Ann": "ann", "Odd": None, "Locked": None}
    assert "is locked with a password" in rows["Locked"].remarks[0]


def test_a_student_with_very_many_files(tmp_path, bring, handed_in, monkeypatch):
    monkeypatch.setattr(sources, "MAX_FILES_EACH", 20)
    files = {f"Mallory/f{n:03}.txt": "" for n in range(50)} | {"Ann.ipynb": "ann"}
    _, remarks = bring(folder(tmp_path / "class", files))
    assert handed_in() == {"Ann": "ann", "Mallory": None}
    assert "Mallory holds too many files; only the first 20 were looked at." in remarks


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
