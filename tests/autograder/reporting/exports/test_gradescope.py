"""results.json: what Gradescope documents, and nothing else."""

import json

import pytest

from autograder.judging.status import Status
from autograder.reporting.exports import gradescope
from autograder.reporting.exports.files import export
from autograder.reporting.grades import feedback_text
from tests.autograder.reporting.reading import HOSTILE, grade_of


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
    said = "Something ran longer than it may and was stopped; the rest was graded."
    assert feedback_text(grade) == said
