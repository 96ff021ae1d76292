"""Exports: the gradebook's numbers reach each platform's file, and no cell of any file is run."""

import csv
import io
import json
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from nbgrader.plugins import LateSubmissionPlugin
from typer.testing import CliRunner

from autograder.classroom.runner import run
from autograder.cli import commands
from autograder.course.places import CourseError, Workspace, all_lessons
from autograder.gradebook.configuration import prepare_workspace
from autograder.gradebook.database import open_gradebook
from autograder.intake.collect import collect
from autograder.judging.status import Status
from autograder.reporting import gradescope, rosters
from autograder.reporting.exports import csv_bytes, export, safe_text
from autograder.reporting.grades import Grade, as_number, feedback_text, grades
from tests.autograder.standins import half_marks

HOSTILE = "=cmd|'/c calc'!A1"


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]


def graded(task):
    """Half marks, as the stand-in gives them, with a named mistake, a fault and a hostile remark."""
    result = half_marks(task)
    if task.submission.student == "Fay":
        return replace(result, status=Status.INFRASTRUCTURE_FAULT, remarks=["The worker died."])
    verdict = {
        "exercise": "double",
        "points": 3,
        "earned": 1.5,
        "status": "partly right",
        "parts": [{"name": "the result", "right": False, "says": "is half"}],
        "mistakes": [{"id": "halved", "says": "You halved <b>x</b>."}],
        "remarks": [],
    }
    scores = dict(result.scores)
    scores["double-check"] = replace(scores["double-check"], verdict=verdict)
    return replace(result, scores=scores, remarks=["=HYPERLINK(1)", "ok; =1+1"], seconds=1.25)


@pytest.fixture(scope="module")
def graded_room(released, empty_gradebook, spec, tmp_path_factory):
    """Ann is done by hand and late, Bob waits, Fay's grading failed; one id came in by nbgrader's own way."""
    lesson = all_lessons(released)[0]
    workspace = prepare_workspace(tmp_path_factory.mktemp("graded") / "classroom", released)
    shutil.copy(empty_gradebook, workspace.gradebook)
    for student in ("Ann", "Bob", "Fay"):
        path = workspace.submitted / student / lesson.name / f"{lesson.notebook}.ipynb"
        path.parent.mkdir(parents=True)
        shutil.copy(lesson.lesson_path, path)
    run(workspace, lesson, spec, grade=graded, executor=ThreadPoolExecutor)
    with open_gradebook(workspace) as book:
        notebook = book.find_submission_notebook("double", "01-double", "Ann")
        ann, bob = (book.find_grade("written", "double", "01-double", name) for name in ("Ann", "Bob"))
        ann.manual_score, ann.extra_credit, ann.needs_manual_grade = 1.75, 0.5, False
        bob.auto_score, bob.needs_manual_grade = None, True
        notebook.late_submission_penalty = 0.25
        book.update_or_create_student("Ann", first_name="Ann", last_name="Lee", email="ann@example.org")
        book.update_or_create_student(HOSTILE, first_name="@x", last_name='-y,\n"z"', email="+1")
        book.update_or_create_submission("01-double", HOSTILE)
        book.find_grade("written", "double", "01-double", HOSTILE).manual_score = 1
        book.update_or_create_student("Never graded")
        book.update_or_create_submission("01-double", "Never graded")
        book.db.commit()
    return workspace.root


@pytest.fixture
def room(graded_room, tmp_path):
    """A copy of the graded class, for the test to change."""
    return Workspace(shutil.copytree(graded_room, tmp_path / "classroom"))


def fine(room, student, penalty):
    with open_gradebook(room) as book:
        book.find_submission_notebook("double", "01-double", student).late_submission_penalty = penalty
        book.db.commit()


def read(path, **options):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, **options))


@pytest.fixture
def exported(room, lesson, spec, tmp_path):
    """Export and read back: (rows, notes); ``roster`` is text."""

    def write(kind="csv", roster=None, **options):
        if roster is not None:
            (tmp_path / "roster.csv").write_text(roster)
            options["roster"] = tmp_path / "roster.csv"
        path, _, notes = export(room, lesson, spec, kind, tmp_path / f"{kind}.csv", **options)
        return read(path), notes

    return write


# The numbers


def test_manual_scores_and_late_penalties_are_in_the_numbers(room, spec):
    found = {grade.student: grade for grade in grades(room, spec)}
    assert (found["Ann"].score, found["Ann"].before_penalty, found["Ann"].late_penalty) == (4.5, 4.75, 0.25)
    assert found["Ann"].max_score == 7 and not found["Ann"].waits
    assert found["Bob"].score == 2.5 and found["Bob"].waits
    assert found["Fay"].score is None  # through no fault of hers
    assert found["Never graded"].score is None and not found["Never graded"].waits
    assert list(found) == sorted(found)


def test_a_penalty_never_makes_a_score_negative(room, spec):
    fine(room, "Bob", 99)
    assert next(grade for grade in grades(room, spec) if grade.student == "Bob").score == 0


def test_numbers_are_finite_and_short():
    assert [as_number(value) for value in (2.0, 1.25, 0.1 + 0.2, None, float("nan"), float("inf"))] == [
        2,
        1.25,
        0.3,
        None,
        None,
        None,
    ]


def test_lateness_counts_from_the_platforms_time_and_not_from_a_students_file(
    workspace, lesson, spec, tmp_path, monkeypatch
):
    rule = lambda plugin, student, score, seconds: 1.0  # noqa: E731
    monkeypatch.setattr(LateSubmissionPlugin, "late_submission_penalty", rule)
    raw = lesson.lesson_path.read_bytes()
    with zipfile.ZipFile(tmp_path / "blackboard.zip", "w") as file:
        for student, day in (("ann", "01"), ("bob", "09")):
            file.writestr(f"hw_{student}_attempt_2026-11-{day}-10-00-00_double.ipynb", raw)
            file.writestr(
                f"hw_{student}_attempt_2026-11-{day}-10-00-00_timestamp.txt", "2026-11-01 00:00:00 UTC"
            )
    collect(tmp_path / "blackboard.zip", workspace, lesson, spec, zone=UTC)
    with open_gradebook(workspace) as book:
        book.update_or_create_assignment("01-double", duedate=datetime(2026, 11, 5))
    run(workspace, lesson, spec, grade=half_marks, executor=ThreadPoolExecutor)
    found = {grade.student: (grade.score, grade.late_penalty) for grade in grades(workspace, spec)}
    assert found == {"ann": (2.5, 0), "bob": (1.5, 1)}


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


def grade_of(student, **more):
    return Grade(student, 1, 7, **more)


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


# Gradescope


def test_gradescopes_results_are_what_it_documents(room, lesson, spec, tmp_path):
    folder, count, notes = export(room, lesson, spec, "gradescope", tmp_path / "gs")
    made = {path.parent.name: json.loads(path.read_text()) for path in folder.glob("*/results.json")}
    assert set(made) == {"Ann", "Bob", "_cmd_'_c calc'_A1"} and count == 3
    assert any("No score for Fay, Never graded" in note for note in notes)
    ann = made["Ann"]
    gradescope.check_results(ann)
    assert ann["score"] == 4.5 and ann["visibility"] == "after_published" and ann["execution_time"] == 1.25
    double, triple, written = ann["tests"]
    assert (double["name"], double["score"], double["max_score"]) == ("double", 1.5, 3)
    assert double["status"] == "failed" and "You halved <b>x</b>." in double["output"]
    assert double["output_format"] == "text" and triple["score"] == 1
    assert (
        written["score"] == 2.25 and written["output"] == "Graded by hand." and written["status"] == "passed"
    )
    assert "status" not in made["Bob"]["tests"][2] and "Waits" in made["Bob"]["tests"][2]["output"]
    assert made["_cmd_'_c calc'_A1"]["extra_data"]["student"] == HOSTILE


@pytest.mark.parametrize(
    "change, says",
    [
        ({"grade": 1}, "field 'grade'"),
        ({"score": "4"}, "score is str"),
        ({"score": True}, "score is bool"),
        ({"score": float("nan")}, "not JSON compliant"),
        ({"visibility": "shown"}, "visibility is 'shown'"),
        ({"output_format": "latex"}, "output_format"),
        ({"tests": [{"score": 1, "status": "ok"}]}, r"tests\[0\].status is 'ok'"),
        ({"tests": ["x"]}, r"tests\[0\] is str"),
        ({"score": None}, "score is NoneType"),
    ],
)
def test_what_gradescope_does_not_document_is_refused(change, says):
    good = {"score": 1.5, "tests": [{"score": 1.5, "max_score": 2, "name": "a", "status": "failed"}]}
    gradescope.check_results(good)
    with pytest.raises(ValueError, match=says):
        gradescope.check_results({**good, **change})
    with pytest.raises(ValueError, match="has no score"):
        gradescope.check_results({"tests": [{"name": "a"}]})


def test_students_whose_folders_would_be_the_same(spec, tmp_path):
    found = [grade_of("a/b"), grade_of("a\\b"), grade_of("A_B"), grade_of("CON"), grade_of("/etc/passwd")]
    assert gradescope.write_results(found, spec, tmp_path / "out") == 5
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["A_B_3", "_etc_passwd", "a_b", "a_b_2", "student CON"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_feedback_is_for_the_student_and_holds_no_remark():
    grade = grade_of("Ann", status=Status.TIME_LIMIT, remarks=("Cells had been copied from Bob.",))
    assert feedback_text(grade) == "Status: time limit."


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
        (("export", "double", "--format", "excel"), "the formats are: csv, canvas, moodle, gradescope"),
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
