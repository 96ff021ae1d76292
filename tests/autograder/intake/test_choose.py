"""Which file is meant, under whatever name it was saved; and what is nobody's submission at all."""

import os

import pytest

from autograder.course.places import CourseError
from autograder.intake.naming import notebook_stem
from autograder.intake.submissions import find_submissions
from tests.autograder.intake.handing import archive, everything, folder

ANOTHER = '{"cells": [{"cell_type": "code", "source": ["x = 1"]}], "nbformat": 4}'
OURS = '{"cells": [{"cell_type": "code", "source": ["def double(x):\\n", "    return x"]}], "nbformat": 4}'

# Names


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("double.ipynb", "double"),
        ("DOUBLE.IPYNB", "DOUBLE"),
        ("double.ipynb.txt", "double"),
        ("double.ipynb.json", "double"),
        ("double.ipynb-1.json", "double-1"),
        ("double.ipynb (2).txt", "double (2)"),
        ("double.ipynb.ipynb", "double"),
        ("double-1.ipynb", "double-1"),
        ("double.html", None),
        ("double.json", None),
        ("double.ipynb.html", None),
        ("double.ipynb.zip", None),
        ("ipynb", None),
    ],
)
def test_what_is_a_notebook_by_its_name(name, stem):
    assert notebook_stem(name) == stem


@pytest.mark.parametrize(
    "name", ["double.ipynb.txt", "DOUBLE.IPYNB", "double.ipynb.json", "double.ipynb-1.json"]
)
def test_other_endings_are_read_wherever_they_come_from(tmp_path, bring, handed_in, workspace, lesson, name):
    bring(folder(tmp_path / "class", {f"Ann/{name}": OURS, f"Bob{name[6:]}": OURS, "Cem/double.ipynb": OURS}))
    assert handed_in() == {"Ann": OURS, "Bob": OURS, "Cem": OURS}
    folder(workspace.submitted, {f"By hand/01-double/{name}": OURS})  # and where they lie already
    found = {one.student: one for one in find_submissions(workspace, lesson)}
    assert found["By hand"].raw == OURS.encode()
    assert f"is called `{name}`; it was taken for double.ipynb" in found["By hand"].remarks[0]


def test_a_canvas_archive_of_double_endings(tmp_path, bring, handed_in):
    entries = {"leeana_1001_90001_double.ipynb.json": "old", "leeana_1001_90003_double.ipynb-1.json": "new"}
    bring(archive(tmp_path / "canvas.zip", {**entries, "okaybo_1002_90002_DOUBLE.IPYNB": "bo"}))
    assert handed_in() == {"leeana_1001": "new", "okaybo_1002": "bo"}


def test_everything_found_is_taken_or_named(tmp_path, bring, handed_in):
    files = {
        "Ann.ipynb": OURS,
        "Bob/double.ipynb": OURS,
        "Bob/double-1.ipynb": OURS,
        "Bob/draft.ipynb": OURS,
        "Bob/notes.txt": "",
        "Bob.ipynb": OURS,
        "Cem/deep/er/double.ipynb": OURS,
        "Dee.zip": "PK",
        "Eve.html": "<html>",
        "Fay.ipynb.zip": "PK",
        "Gil/double.zip": "PK",
        "Hal.py": "",
        ".Ina.ipynb": OURS,
        "Jon/02-triple/triple.ipynb": OURS,
        "a/b/c/d/e/f/g/h/double.ipynb": OURS,
        "grades.csv": "",
    }
    root = folder(tmp_path / "class", files)
    (root / "Kim").symlink_to(tmp_path)
    rows, remarks = bring(root, admit=everything)
    assert {name for name, text in handed_in().items() if text} == {"Ann", "Bob", "Cem"}
    said = " ".join(remarks) + " ".join(one for row in rows.values() for one in row.remarks)
    for name in ("double-1.ipynb", "draft.ipynb", "Bob.ipynb", "notes.txt", "Dee.zip", "Eve.html", "Hal.py"):
        assert name in said, name
    for name in (
        "Fay.ipynb.zip",
        "double.zip",
        ".Ina.ipynb",
        "Kim",
        "grades.csv",
        "a/b/c/d/e/f/g lies too deep",
    ):
        assert name.removeprefix("a/") in said, name
    assert "other lessons: 1 folders" in said  # Jon's
    assert "ask whoever handed it in for the .ipynb file" in said and "archives within are not opened" in said


@pytest.mark.parametrize(
    ("one", "other"), [("Ana#1", "Ana_1"), ("Ana_1", "Ana#1"), ("ann:e", "ann;e"), ("Zoë", "Zoë ")]
)
def test_two_names_that_clean_to_one_are_two_students(tmp_path, bring, handed_in, one, other):
    root = folder(tmp_path / "class", {f"{one}.ipynb": "first", f"{other}/double.ipynb": "second"})
    for _ in range(2):
        rows, _ = bring(root)
        assert sorted(handed_in().values()) == ["first", "second"]
        changed = [name for name in rows if name not in (one, other)]
        assert all("is kept as" in " ".join(rows[name].remarks) for name in changed)
    exact = {name for name in (one, other) if name == name.replace("#", "_")}
    for name in exact & set(handed_in()):
        assert handed_in()[name] == ("first" if name == one else "second")


def test_who_is_called_like_a_folder_has_it_before_those_for_whom_it_would_be_made_up(
    tmp_path, bring, handed_in
):
    names = ("Ana#1", "Ana_1", "Ana_1_2")
    bring(folder(tmp_path / "class", {f"{name}.ipynb": name for name in names}))
    assert handed_in() == {"Ana_1": "Ana_1", "Ana_1_2": "Ana_1_2", "Ana_1_3": "Ana#1"}


def test_a_name_that_has_to_be_cleaned_never_takes_what_was_there(tmp_path, bring, handed_in, workspace):
    folder(workspace.submitted, {"Ana_1/01-double/double.ipynb": "by hand"})
    rows, _ = bring(folder(tmp_path / "class", {"Ana#1.ipynb": "collected"}), force=True)
    assert handed_in() == {"Ana_1": "by hand", "Ana_1_2": "collected"}
    assert "'Ana#1' is kept as Ana_1_2." in rows["Ana_1_2"].remarks


def test_a_folder_is_one_person_in_all_lessons(tmp_path, released, workspace, spec, lesson, handed_in):
    from autograder.course.places import Lesson
    from autograder.intake.collect import collect

    first = folder(tmp_path / "first", {"Ana#1.ipynb": OURS})
    collect(first, workspace, Lesson("02-triple", released), spec)
    second = folder(tmp_path / "second", {"Ana_1.ipynb": "another person's"})
    collect(second, workspace, lesson, spec)
    assert handed_in() == {"Ana_1_2": "another person's"}
    collect(folder(second, {"Ana#1.ipynb": "hers"}), workspace, lesson, spec)
    assert (workspace.submitted / "Ana_1" / "02-triple").is_dir()
    assert handed_in() == {"Ana_1": "hers", "Ana_1_2": "another person's"}


@pytest.mark.parametrize("letters", [82, 83])
def test_names_as_long_as_a_disk_allows(tmp_path, bring, workspace, lesson, handed_in, letters):
    name = "汉" * letters
    assert len(f"{name}.ipynb".encode()) <= 255
    bring(folder(tmp_path / "class", {f"{name}.ipynb": "long", "Ann/double.ipynb": "ann"}))
    assert sorted(handed_in().values()) == ["ann", "long"]
    folder(workspace.submitted, {f"Bob/01-double/{name}.ipynb": "bob"})
    assert {one.raw for one in find_submissions(workspace, lesson)} == {b"ann", b"long", b"bob"}


def test_names_that_are_no_utf8(tmp_path, bring, workspace, lesson, handed_in):
    root = folder(tmp_path / "class", {"Ann/double.ipynb": "ann"})
    os.makedirs(os.fsencode(root) + b"/Zo\xeb")
    for path in (b"/Zo\xeb/aufgabe \xfc.ipynb", b"/Ann/n\xf6tes.txt"):
        with open(os.fsencode(root) + path, "w") as file:
            file.write("zoe")
    rows, remarks = bring(root)
    assert handed_in() == {"Ann": "ann", "Zo_": "zoe"}
    said = " ".join([*remarks, *(remark for row in rows.values() for remark in row.remarks)])
    assert said.encode() and "Beside it lay n\ufffdtes.txt" in said
    with open(os.fsencode(workspace.submitted / "Zo_" / "01-double") + b"/\xe9.ipynb", "w") as file:
        file.write("zoe")
    (workspace.submitted / "Zo_" / "01-double" / "double.ipynb").unlink()
    for one in find_submissions(workspace, lesson):
        assert one.raw and " ".join(one.remarks).encode() is not None


# Whose it is not


def test_a_wrong_folder_makes_no_students(tmp_path, bring, workspace):
    home = folder(
        tmp_path / "home",
        {
            "course/solutions/01-double/double.ipynb": OURS,
            "course/lessons/01-double/double.ipynb": OURS,
            "in/ann.ipynb": OURS,
            "in/bob.ipynb": OURS,
            "in/cem.ipynb": OURS,
            "class/ann/double.ipynb": OURS,
            "class/bob/double.ipynb": OURS,
            "scratch.ipynb": ANOTHER,
            "work/thesis.ipynb": ANOTHER,
        },
    )
    (home / "empty").mkdir()
    with pytest.raises(CourseError, match=r"Nothing in .* looks like a submission to 01-double") as refused:
        bring(home)
    for said in ("'course' is a copy of the course", "'in' holds 3 notebooks", "'empty' has no notebook"):
        assert said in str(refused.value)
    assert not list(workspace.submitted.iterdir())
    folder(home / "course", {"classroom/submitted/ann/01-double/double.ipynb": OURS, "docs/a.md": ""})
    with pytest.raises(CourseError, match="'lessons' is called like a folder of the course"):
        bring(home / "course")
    folder(home / "course" / "lessons", {"pictures/01-double.png": "", "README.md": ""})
    with pytest.raises(CourseError, match="'01-double' is called like a lesson; 'pictures' has no notebook"):
        bring(home / "course" / "lessons")


def test_what_lies_deep_in_a_wrong_folder_makes_it_no_students(tmp_path, bring, workspace):
    home = folder(
        tmp_path / "home",
        {
            "work/clone/solutions/01-double/double.ipynb": OURS,
            "tmp/a/b/x.ipynb": ANOTHER,
            "tmp/a/y.txt": "",
        },
    )
    (home / "tmp" / "a" / "link.ipynb").symlink_to(tmp_path / "nowhere")
    with pytest.raises(CourseError, match=r"'tmp' has none .*; 'work' is a copy of the course"):
        bring(home)


def test_no_students_folder_stops_or_hides_the_others(tmp_path, bring, handed_in):
    """In a folder into which all can write, somebody's may be called like what means something to us."""
    names = ("inbound", "lessons/01-double", "solutions/01-double", "outbound", "__MACOSX", "01-double")
    files = {f"{name}/double.ipynb": "mallory's" for name in names}
    bring(folder(tmp_path / "class", {**files, "Ann/double.ipynb": OURS, "Bob.ipynb": OURS}))
    assert {name: handed_in()[name] for name in ("Ann", "Bob")} == {"Ann": OURS, "Bob": OURS}


def test_strangers_among_submissions_are_named_or_asked_about(tmp_path, bring, handed_in):
    files = {"Ann/double.ipynb": OURS, "Bob.ipynb": OURS, "Cem/mine.ipynb": OURS, "Dee.ipynb": "{"}
    files |= {"old/other.ipynb": ANOTHER, "pictures/a.png": "", "scratch.ipynb": ANOTHER}
    root = folder(tmp_path / "class", files)
    _, remarks = bring(root)
    assert set(handed_in()) == {"Ann", "Bob", "Cem", "Dee"}
    (said,) = [remark for remark in remarks if "--yes" in remark]
    assert "'old' has none of the lesson's exercises" in said and "'pictures' has no notebook" in said
    assert "'scratch' has none" in said
    asked = []
    bring(root, admit=lambda alike, others: asked.append((alike, others)) or True)
    assert asked[0][0] == ["Ann", "Bob", "Cem", "Dee"] and len(asked[0][1]) == 3
    assert set(handed_in()) == {"Ann", "Bob", "Cem", "Dee", "old", "pictures", "scratch"}


def test_who_is_known_or_named_by_a_platform_is_no_stranger(tmp_path, bring, handed_in):
    bring(folder(tmp_path / "first", {"Ann/double.ipynb": OURS}))
    rows, _ = bring(folder(tmp_path / "second", {"Ann/other.ipynb": ANOTHER, "Bob/double.ipynb": OURS}))
    assert set(rows) == {"Ann", "Bob"}
    bring(archive(tmp_path / "moodle.zip", {"Eva Lee_1_assignsubmission_file_/essay.pdf": "pdf"}))
    assert set(handed_in()) == {"Ann", "Bob", "Eva Lee"}


@pytest.mark.parametrize(
    "text",
    [
        OURS,
        "",
        "{",
        '{"cells": [{"cell_type": "code", "source": ["x = 1',
        '{"cells": []}',
        "<html>",
        '{"cells": [{"id": "double"}]}',
        '{"cells": [{"metadata": {"nbgrader": {"grade_id": "triple-check"}}}]}',
        OURS.encode("utf-16").decode("utf-16"),
    ],
)
def test_a_broken_or_half_empty_notebook_is_somebodys(tmp_path, bring, handed_in, text):
    bring(folder(tmp_path / "class", {"Ann.ipynb": OURS, "Bob.ipynb": text}))
    assert handed_in()["Bob"] == text


def test_several_drafts_in_one_folder_are_one_students(tmp_path, bring, handed_in):
    bring(folder(tmp_path / "class", {"Ann/draft.ipynb": OURS, "Ann/final.ipynb": OURS, "Bob.ipynb": OURS}))
    assert handed_in() == {"Ann": OURS, "Bob": OURS}


def test_troubles_are_told_but_not_by_the_hundred(tmp_path, bring):
    root = folder(tmp_path / "class", {"Ann/double.ipynb": OURS})
    for number in range(50):
        (root / "Ann" / f"link{number}").symlink_to(tmp_path)
    (root / "Ann" / "z.ipynb").symlink_to(tmp_path)
    rows, _ = bring(root)
    assert len(rows["Ann"].remarks) < 12 and "z.ipynb is a link" in rows["Ann"].remarks[0]
    assert any("43 more files could not be used" in remark for remark in rows["Ann"].remarks)


# What may not be read


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_its_students_row(tmp_path, bring, handed_in, workspace, lesson):
    root = folder(
        tmp_path / "class", {"Ann/double.ipynb": OURS, "Bob/double.ipynb": OURS, "Cem/double.ipynb": OURS}
    )
    (root / "Bob").chmod(0)
    (root / "Cem" / "double.ipynb").chmod(0)
    try:
        rows, _ = bring(root)
        for name in ("Bob", "Cem"):
            assert rows[name].outcome == "could not be read" and "Permission denied" in " ".join(
                rows[name].remarks
            )
        assert handed_in() == {"Ann": OURS}
    finally:
        (root / "Bob").chmod(0o700)
