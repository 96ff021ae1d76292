"""Canvas's and Moodle's own files come back filled in; nobody is guessed at."""

import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.classroom.runner import run
from autograder.course.places import CourseError
from autograder.intake.collect import collect
from autograder.reporting.exports import rosters
from autograder.reporting.exports.files import export
from tests.autograder.reporting.reading import HOSTILE, fine, grade_of, read
from tests.autograder.standins import half_marks

# Canvas

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Homework (8),"BPTT, 01-double (98765)",Current Score
,,,,,Manual Posting,,
    Points Possible,,,,,10,7.00,(read only)
"Lee, Ann",101,s1,Ann,A,9,,90
"Bobson, Bob",102,BOB,bobson,A,8,3,80
"=Evil, Eve",103,s3,eve,"A; =1",,,
"Student, Test",104,,,A,,,
"""


def test_canvas_gets_its_own_columns_and_rows_back_with_the_scores(exported):
    rows, notes = exported("canvas", CANVAS)
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "BPTT, 01-double (98765)"]
    assert rows[1] == ["    Points Possible", "", "", "", "", "7"]
    assert rows[2] == ["Lee, Ann", "101", "s1", "Ann", "A", "4.5"]
    assert rows[3] == ["Bobson, Bob", "102", "BOB", "bobson", "A", "2.5"]  # by SIS User ID, whatever the case
    assert rows[4] == ["'=Evil, Eve", "103", "s3", "eve", "A; '=1", ""]
    assert len(rows) == 6  # without the row on posting
    assert any("3 graded students fit no row" in note and "Fay" in note for note in notes)


def test_canvas_in_a_country_with_semicolons(room, lesson, spec, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_bytes(
        b"\xef\xbb\xbfStudent;ID;SIS Login ID;Section;01-double (5)\r\n    Points Possible;;;;7,5\r\n"
        b'"Lee, Ann";1;ann;A;\r\n'
    )
    path, _, notes = export(room, lesson, spec, "canvas", tmp_path / "out.csv", roster=roster)
    assert path.read_text().splitlines()[2] == '"Lee, Ann";"1";"ann";"A";4.5'
    assert any("The lesson has 7 points and Canvas 7.5" in note for note in notes)


def test_which_canvas_column_is_ours(exported):
    head = "Student,ID,SIS Login ID,Section,"
    body = "\n    Points Possible,,,,7\nx,1,Ann,A,\n"
    assert exported("canvas", f"{head}Double (5){body}")[0][2][-1] == "4.5"
    assert exported("canvas", f"{head}Week 3 (5){body}", column="Week 3")[0][2][-1] == "4.5"
    for names, column, says in (
        ("Doubles (5)", None, "one column for 01-double"),
        ("double (5),double (6)", None, "double (5), double (6)"),
        ("Double (5)", "Triple", "column 'Triple'"),
    ):
        with pytest.raises(CourseError) as caught:
            exported("canvas", f"{head}{names}{body}", column=column)
        assert says in str(caught.value) and "--column" in str(caught.value)


def test_what_was_collected_from_canvas_finds_its_way_back(workspace, lesson, spec, tmp_path):
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as file:
        for name in ("leeann_101_9_x.ipynb", "leeann_102_8_x.ipynb"):  # namesakes
            file.writestr(name, lesson.lesson_path.read_bytes())
    collect(tmp_path / "submissions.zip", workspace, lesson, spec)
    run(workspace, lesson, spec, grade=half_marks, executor=ThreadPoolExecutor)
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "Student,ID,SIS Login ID,Section,01-double (5)\n    Points Possible,,,,7\n"
        '"Lee, Ann",101,al1,A,\n"Lee, Ann",102,al2,A,\n"Lee, Ann",103,al3,A,\n'
    )
    path, count, notes = export(workspace, lesson, spec, "canvas", roster=roster)
    rows = read(path)
    assert [row[-1] for row in rows[2:]] == ["2.5", "2.5", ""] and count == 2
    assert not any("fit no row" in note for note in notes)


def test_nobody_is_guessed_at():
    rows = [["ann", "x"], ["bob", "ann"], ["cem", "cem"], ["dan", "eva"]]
    tiers = [(lambda row: row, lambda grade: [grade.student, grade.email])]
    found = [grade_of("ann"), grade_of("cem"), grade_of("dan", email="eva"), grade_of("CEM ")]
    matched, notes = rosters.match(rows, found, tiers)
    assert {index: grade.student for index, grade in matched.items()} == {3: "dan"}  # eva's row, by one way
    assert "3 graded students fit no row of the roster, or several: ann, cem, CEM ." in notes[0]


# Moodle

WORKSHEET = """\
\ufeffIdentifier,"Full name","Email address",Status,Grade,"Maximum grade",\
"Last modified (grade)","Feedback comments"
"Participant 11","Ann Lee",ann@example.org,"Submitted","-",10.00,-,
"Participant 12","Bob Bobson",bob@example.org,"Submitted",5.00,10.00,-,old
"Participant 13","Eve",eve@example.org,"No submission",,10.00,-,
"""


def test_moodles_grading_worksheet_keeps_its_columns(exported):
    rows, notes = exported("moodle", WORKSHEET)
    assert rows[0][0] == "Identifier" and rows[0][-1] == "Feedback comments"
    said = "0.25 points were taken off for lateness. double: You halved <b>x</b>."
    assert rows[1] == ["Participant 11", "Ann Lee", "ann@example.org", "Submitted", "4.5", "10.00", "-", said]
    assert rows[2][4] == "2.5"  # by the part of the address before the @
    assert rows[3] == ["Participant 13", "Eve", "eve@example.org", "No submission", "", "10.00", "-", ""]
    assert any("The lesson has 7 points and Moodle 10" in note for note in notes)


def test_moodle_without_a_roster_and_with_a_list_of_people(exported):
    rows, _ = exported("moodle")
    assert rows[0] == ["username", "email", "01-double", "01-double feedback"]
    assert rows[1][0] == "'" + HOSTILE and rows[2][:3] == ["Ann", "ann@example.org", "4.5"]
    rows, _ = exported("moodle", "First name,Last name,Username\nAnn,Lee,al\nX,Y,bob\n")
    assert rows[1][:4] == ["Ann", "Lee", "al", "4.5"] and rows[2][3] == "2.5"


def test_the_number_in_moodles_zip_finds_the_row_in_its_worksheet(workspace, lesson, spec, tmp_path):
    with zipfile.ZipFile(tmp_path / "moodle.zip", "w") as file:
        for number in (11, 12):
            name = f"Ann Lee_{number}_assignsubmission_file_/double.ipynb"
            file.writestr(name, lesson.lesson_path.read_bytes())
    collect(tmp_path / "moodle.zip", workspace, lesson, spec)
    run(workspace, lesson, spec, grade=half_marks, executor=ThreadPoolExecutor)
    roster = tmp_path / "roster.csv"
    roster.write_text("Identifier,Full name,Grade\nParticipant 12,Ann Lee,\nParticipant 11,Ann Lee,\n")
    fine(workspace, "Ann Lee_11", 1)
    path, _, _ = export(workspace, lesson, spec, "moodle", roster=roster)
    assert [row[2] for row in read(path)] == ["Grade", "2.5", "1.5"]
