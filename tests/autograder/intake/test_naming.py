"""Whose it is: each platform's names, attempts and times, and what nobody can forge in them."""

import os
from zoneinfo import ZoneInfo

import pytest

from autograder.course.places import CourseError
from tests.autograder.intake.handing import UTC_TIME, archive, everything, folder, noted, stamped


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
    rows, remarks = bring(root, admit=everything)
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
