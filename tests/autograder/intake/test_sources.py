"""What was handed in, as files: no archive and no folder does harm, and each costs only its student."""

import io
import os
import shutil
import stat
import zipfile

import pytest

from autograder.course.places import CourseError
from autograder.intake import sources
from tests.autograder.intake.handing import archive, everything, folder


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
    rows, remarks = bring(root, admit=everything)
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


def test_a_folder_that_opens_and_cannot_be_listed(tmp_path, bring, handed_in, monkeypatch):
    """As folders in /proc do, and some on a disk elsewhere."""
    root = folder(tmp_path / "class", {"Ann/double.ipynb": "ann", "Bob/double.ipynb": "bob"})
    listing, bobs = os.listdir, os.stat(root / "Bob").st_ino

    def refusing(path):
        if isinstance(path, int) and os.fstat(path).st_ino == bobs:
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(os, "listdir", refusing)
    rows, _ = bring(root)
    assert rows["Bob"].outcome == "could not be read" and rows["Ann"].outcome == "new"


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


def test_a_student_with_very_many_large_notebooks(tmp_path, bring, handed_in, monkeypatch):
    """Nobody's files can be so many bytes that the class's are too many; few of one student's are read."""
    read, looked_at = sources._read_below, []

    def counting(root, raw):
        looked_at.append(raw[0])
        return read(root, raw)

    monkeypatch.setattr(sources, "_read_below", counting)
    files = {f"Mallory/f{n:03}.ipynb": "double" for n in range(60)}
    files |= {f"S{n}/any name.ipynb": "double" for n in range(9)}
    bring(folder(tmp_path / "class", files), admit=everything)
    assert len(handed_in()) == 10 and set(handed_in().values()) == {"double"}
    assert looked_at.count("Mallory") <= 20


def test_a_student_with_very_many_files(tmp_path, bring, handed_in, monkeypatch):
    monkeypatch.setattr(sources, "MAX_FILES_EACH", 20)
    files = {f"Mallory/f{n:03}.txt": "" for n in range(50)} | {"Ann.ipynb": "ann"}
    _, remarks = bring(folder(tmp_path / "class", files), admit=everything)
    assert handed_in() == {"Ann": "ann", "Mallory": None}
    assert "Mallory holds too many files; only the first 20 were looked at." in remarks
