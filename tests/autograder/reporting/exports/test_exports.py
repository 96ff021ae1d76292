"""Exports: the table for spreadsheets, of which no cell is ever run, and the command."""

import csv
import io
import shutil

import pytest
from typer.testing import CliRunner

from autograder.cli import commands
from autograder.course.places import CourseError
from autograder.reporting.exports.files import csv_bytes, export, safe_text
from tests.autograder.reporting.reading import HOSTILE

# Tables


def test_the_table_has_status_mistakes_and_a_column_for_each_exercise(exported):
    rows, notes = exported()
    ann = dict(zip(rows[0], next(row for row in rows if row[0] == "Ann"), strict=True))
    assert ann["score"] == "4.5" and ann["out of"] == "7" and ann["late penalty"] == "0.25"
    assert (ann["double"], ann["triple"], ann["written"]) == ("1.5", "1", "2.25")
    assert ann["status"] == "graded" and ann["mistakes"] == "double: halved"
    assert ann["waits for grading by hand"] == "no" and ann["email"] == "ann@example.org"
    fay = dict(zip(rows[0], next(row for row in rows if row[0] == "Fay"), strict=True))
    assert fay["score"] == fay["double"] == "" and fay["status"] == "infrastructure fault"
    assert any("No score for Fay, Never graded" in note for note in notes)
    assert any("wait for grading by hand" in note for note in notes)


def test_hostile_cells_are_neutral_and_come_back_whole(exported):
    rows, _ = exported()
    hostile = next(row for row in rows if HOSTILE in row[0])
    assert hostile[:4] == ["'" + HOSTILE, '\'-y, "z"', "'@x", "'+1"]
    assert {len(row) for row in rows} == {len(rows[0])}
    for row in rows:
        for value in row:
            assert not value.lstrip().startswith(tuple("=+-@\t\r")), value


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "\n@", '"=', "\uff1d", "\uff20"])
def test_whatever_starts_a_formula_gets_an_apostrophe(start):
    safe = safe_text(f"{start}1+1")
    assert safe.startswith("'") and "\n" not in safe and "\r" not in safe and "\t" not in safe


@pytest.mark.parametrize("text", ["Ann Lee", "a=b", "1-2", "", "-", "Zoë", "x, y", 'say "hi"', "O'Neil"])
def test_other_text_stays_as_it_is(text):
    assert safe_text(text) == text


def test_a_formula_after_another_programs_separator():
    assert safe_text("ok;=1+1") == "ok;'=1+1" and safe_text("ok; \t@x") == "ok;  '@x"


def test_numbers_stay_numbers_and_text_that_looks_like_one_stays_text():
    rows = [["007", 7, -1.5, None], ["1e5", 0.1, 2, "\ud800"]]
    raw = csv_bytes(rows)
    assert raw.startswith(b'"007",7,-1.5,""\r\n"1e5",0.1,2,')
    read = list(csv.reader(io.StringIO(raw.decode(), newline=""), quoting=csv.QUOTE_NONNUMERIC))
    assert read[0] == ["007", 7.0, -1.5, ""] and read[1][:3] == ["1e5", 0.1, 2.0]


def test_the_byte_order_mark_is_there_when_asked_for(room, lesson, spec, tmp_path):
    plain, _, _ = export(room, lesson, spec, "csv", tmp_path / "plain.csv")
    excel, _, _ = export(room, lesson, spec, "csv", tmp_path / "excel.csv", excel=True)
    assert excel.read_bytes() == b"\xef\xbb\xbf" + plain.read_bytes()


# The command


def test_the_commands_and_their_wrong_uses(room, released, lesson, tmp_path, monkeypatch):
    monkeypatch.chdir(released)

    def unrolled(*words):
        return CliRunner().invoke(commands.app, [*map(str, words), "--workspace", str(room.root)])

    result = unrolled("export", "double")
    assert result.exit_code == 0 and (room.reports / "01-double-csv.csv").is_file(), result.output
    assert "3 grades for 01-double" in result.stdout and "No score for Fay, Never graded" in result.stderr
    (tmp_path / "class").mkdir()
    shutil.copy(lesson.lesson_path, tmp_path / "class" / "Gus.ipynb")
    result = unrolled("collect", "double", tmp_path / "class")
    assert result.exit_code == 0 and "Gus" in result.stdout and ": 1 new." in result.stdout, result.output
    roster = tmp_path / "r.csv"
    roster.write_text("a,b\n1,2\n")
    binary = tmp_path / "b.csv"
    binary.write_bytes(b"\xff\x00\x81")
    for words, says in (
        (
            ("export", "double", "--format", "excel"),
            "the formats are: csv, canvas, moodle, moodle-feedback, gradescope",
        ),
        (("export", "double", "--format", "canvas"), "then --roster that file"),
        (("export", "double", "--format", "canvas", "--roster", tmp_path / "none.csv"), "could not be read"),
        (("export", "double", "--format", "canvas", "--roster", roster), "is no gradebook of Canvas"),
        (("export", "double", "--format", "moodle", "--roster", roster), "is no list of Moodle's"),
        (("export", "double", "--format", "moodle", "--roster", binary), "is no CSV file in UTF-8"),
        (("export", "double", "--roster", roster), "--roster belongs to canvas and moodle"),
        (("export", "double", "--column", "x"), "--column names a column of Canvas's"),
        (("export", "double", "--out", tmp_path), "is a folder; csv writes a file"),
        (("export", "double", "--format", "gradescope", "--out", roster), "is a file; gradescope writes"),
        (("export", "double", "--format", "gradescope", "--excel"), "--excel is for tables"),
        (("export", "double", "--format", "moodle", "--roster", roster, "--out", roster), "would write over"),
        (("export", "double", "--out", roster / "x.csv"), "cannot be written"),
        (("collect", "double", tmp_path / "nothing"), "There is no file or folder"),
        (("collect", "double", roster), "takes a folder or a zip archive"),
        (("collect", "double", tmp_path / "class", "--received", "soon"), "'soon' is no time"),
        (("collect", "double", tmp_path / "class", "--timezone", "Mars"), "There is no time zone 'Mars'"),
    ):
        result = unrolled(*words)
        assert result.exit_code == 1 and says in result.stderr, (words, result.output)
        assert len(result.stderr.strip().splitlines()) == 1 and "Traceback" not in result.output


def test_nothing_graded_yet(workspace, lesson, spec):
    with pytest.raises(CourseError, match="Nothing was graded for 01-double"):
        export(workspace, lesson, spec, "csv")
