"""What must hold for the attack suite, however its kernels are started: a run in each of two files.

No wrong answer earns a point, no correct one loses any, everybody has a row, and the host, the gradebook and
the neighbours are as if nobody had attacked.
"""

import json
import sqlite3
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter

from autograder.classroom.runner import run
from autograder.gradebook import database
from autograder.gradebook.feedback import write_feedback
from autograder.intake.submissions import read_submission
from autograder.judging.submission import Task, grade_task
from autograder.reporting.grades import grades
from autograder.reporting.report import write_report
from autograder.sandbox import warm
from tests.autograder.attacks import core
from tests.autograder.attacks.conftest import BANK, SECRET, files_of
from tests.autograder.attacks.honest import NEIGHBOURS
from tests.autograder.attacks.reach import LOOK
from tests.autograder.attacks.rendering import active

# A kernel that has opened all the sockets it may can still answer, or is waited for until its time is over.
# Python 3.13 sees a stack come to its end, and prints how it came there, which is more than may be printed.
EITHER = {"sockets": ("time limit",), "stack-overflow": ("output limit",)}
RENDERING = [attack.id for attack in BANK.values() if attack.family == "rendering"]


def stored(attacked, student):
    return attacked.workspace.autograded / student / attacked.lesson.name / "bptt.ipynb"


def outputs_of(text):
    cells = nbformat.reads(text, as_version=4).cells
    return str([dict(output) for cell in cells if cell.cell_type == "code" for output in cell.outputs])


class Suite:
    """The tests of one run, for a subclass; its module says in WAY which run it is, "warm" or "cold"."""

    @pytest.mark.parametrize("name", BANK)
    def test_each_ends_as_it_must(self, attacked, name):
        if name not in attacked.everyone:
            pytest.skip("graded with warm kernels alone")
        attack, result = BANK[name], attacked.results[name]
        points = {test: score["points"] for test, score in result["exercises"].items()}
        assert points == attack.points(attacked.spec), result
        assert result["status"] in (attack.status, *EITHER.get(name, ())), result["remarks"]
        assert attack.says in " ".join(result["remarks"])

    def test_neighbours_have_the_results_that_they_have_alone(self, attacked, alone):
        for name in NEIGHBOURS:
            for part in ("exercises", "status", "remarks", "score"):
                assert attacked.results[name][part] == alone[name][part], name
        scores = [alone[name]["score"] for name in NEIGHBOURS]
        assert scores[0] == 20 and 0 < scores[1] < 20 and scores[2:] == [0, 0]

    def test_everybody_has_a_row_and_a_notebook(self, attacked):
        everyone = set(attacked.everyone)
        assert set(attacked.results) == everyone
        standings = database.standings(attacked.workspace, attacked.spec)
        assert {name: round(score, 2) for name, (score, _) in standings.items()} == {
            name: result["score"] for name, result in attacked.results.items()
        }
        for name in everyone:
            nbformat.validate(nbformat.read(stored(attacked, name), as_version=4))

    def test_gradebook_holds_nothing_but_grades(self, attacked):
        with sqlite3.connect(attacked.workspace.gradebook) as book:
            assert book.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert book.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall() == []
            assert book.execute("SELECT count(*) FROM grade WHERE manual_score IS NOT NULL").fetchone() == (
                0,
            )
            assert book.execute("SELECT id FROM course").fetchall() == [(database.COURSE_ID,)]
            assert book.execute("SELECT count(*) FROM student").fetchone() == (len(attacked.everyone),)

    def test_host_is_as_it_was(self, attacked):
        assert attacked.after == attacked.before
        assert files_of(attacked.lesson.course) == attacked.course_before
        ours = {
            "submitted",
            "autograded",
            "results",
            "nbgrader_config.py",
            "gradebook.db",
            "course-secret",
            ".lock",
        }
        assert {path.name for path in attacked.workspace.root.iterdir()} - {"feedback", "reports"} == ours
        outside = [
            Path("/tmp/escaped"),
            Path.home() / ".escaped",
            *attacked.workspace.root.rglob("*escaped*"),
        ]
        assert not [path for path in outside if path.exists()]

    def test_nothing_was_reached(self, attacked):
        texts = {name: stored(attacked, name).read_text() for name in attacked.everyone}
        assert [name for name, text in texts.items() if attacked.token in text] == []
        for name in ("everywhere", "network", "overwritten-packages", "traced-parent", "searched-disk"):
            outputs = outputs_of(texts[name])
            assert "REACHED" not in outputs and "FOUND" not in outputs
        assert outputs_of(texts["network"]).count("\\n") >= 5  # it did try
        assert (
            outputs_of(texts["everywhere"]).count("refused")
            + outputs_of(texts["everywhere"]).count("nothing")
            == 31
        )
        assert "'[]\\n'" in outputs_of(texts["left-behind-searched"])

    def test_nothing_is_left_for_the_next_on_the_same_worker(self, attacked, tmp_path):
        """Two notebooks in this very process: one leaves all that it can, the other looks for it."""
        released = nbformat.read(attacked.lesson.lesson_path, as_version=4)
        for name in ("left-behind", "left-startup-files", "patched-comparisons", "left-behind-searched"):
            folder = tmp_path / name / attacked.lesson.name
            folder.mkdir(parents=True)
            BANK[name].put(folder, released)
            submission = read_submission(tmp_path / name, attacked.lesson)
            graded = grade_task(
                Task(submission, attacked.spec, core.LIMITS, SECRET, True, attacked.way == "warm")
            )
            assert graded.provenance["kernel"] == attacked.way
        warm.close_all()
        last = graded.notebook.cells[-1]
        assert (last.source, last.outputs[0].text) == (LOOK, "[]\n")

    def test_once_more_changes_nothing(self, attacked):
        """Nothing unchanged is graded again, and what is graded again by force comes out the same."""
        words = {"limits": core.LIMITS, "warm": attacked.way == "warm"}
        again, skipped = run(attacked.workspace, attacked.lesson, attacked.spec, **words)
        # What was read from a file has lists where what was just made has tuples.
        assert again == json.loads(json.dumps(attacked.results, default=str))
        assert set(skipped) == set(attacked.everyone)
        chosen = ["searched-frames", "memory-at-once", "kills-itself", "neighbour partly right"]
        forced, _ = run(attacked.workspace, attacked.lesson, attacked.spec, only=chosen, force=True, **words)
        for name in chosen:
            for part in ("exercises", "status", "score", "hashes"):
                assert forced[name][part] == attacked.results[name][part]

    def test_no_page_runs_what_a_student_wrote(self, attacked):
        names = [
            name for name in (*RENDERING, "read-secrets", "everything-at-once") if name in attacked.everyone
        ]
        assert write_feedback(attacked.workspace, attacked.lesson.course, attacked.spec, names) == len(names)
        formgraders = HTMLExporter()
        for name in names:
            page = (attacked.workspace.feedback / name / attacked.lesson.name / "bptt.html").read_text()
            assert active(page) == [] and "<script" not in page.lower(), name
            notebook = nbformat.read(stored(attacked, name), as_version=4)
            assert active(formgraders.from_notebook_node(notebook)[0]) == [], name
        standings = {grade.student: grade for grade in grades(attacked.workspace, attacked.spec)}
        report = write_report(attacked.workspace, attacked.spec, attacked.results, standings)
        assert active(report.read_text()) == []
