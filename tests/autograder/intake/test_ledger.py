"""Who has which folder: safe on any disk, and one for each student."""

import os
import zipfile

import pytest

from autograder.intake.ledger import folder_name
from autograder.intake.submissions import STUDENT_NAME, find_submissions, left_out
from tests.autograder.intake.handing import archive


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
