"""The attack suite: every submission of ``attacks`` in one run, with honest neighbours, warm and cold.

No wrong answer earns a point, no correct one loses any, everybody has a row, and the host, the gradebook and
the neighbours are as if nobody had attacked.
"""

import ctypes
import json
import os
import re
import secrets
import sqlite3
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbconvert import HTMLExporter

from autograder.classroom.demo import LESSON
from autograder.classroom.runner import run
from autograder.course.places import find_lesson
from autograder.course.spec import read_spec
from autograder.gradebook import database
from autograder.gradebook.feedback import write_feedback
from autograder.intake.submissions import read_submission
from autograder.judging.status import Status
from autograder.judging.submission import Task, grade_task
from autograder.reporting.report import write_report
from autograder.sandbox import warm
from autograder.sandbox.box import Sandbox
from tests.autograder.attacks import FAMILIES, bank, core
from tests.autograder.attacks.honest import NEIGHBOURS
from tests.autograder.attacks.reach import LOOK
from tests.autograder.attacks.rendering import active

BANK = bank()
ATTACKS_PAGE = core.COURSE / "docs" / "attacks.md"
# Files and pages do not depend on how a kernel was started; what runs in it might.
COLD = ("forging", "reach", "exhaustion", "death")
RENDERING = [attack.id for attack in BANK.values() if attack.family == "rendering"]
SECRET = b"the same for all of these runs, 32 or more bytes"
ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER, see prctl(2)


def children():
    """What runs below this process, except what multiprocessing keeps for itself."""
    found = set()
    for task in os.listdir("/proc/self/task"):
        for pid in Path(f"/proc/self/task/{task}/children").read_text().split():
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if command and b"resource_tracker" not in command:
                found.add((pid, command))
    return found


def files_of(folder):
    """{path: content} of every file in a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The honest neighbours' results where nobody attacks."""
    Sandbox()  # without one, tests/conftest.py skips these tests, or fails them in CI
    return core.grade_class(tmp_path_factory.mktemp("alone"), NEIGHBOURS, secret=SECRET, workers=1)[3]


@pytest.fixture(scope="module", params=["warm", "cold"])
def attacked(request, alone, tmp_path_factory):
    """The whole suite, graded: what came of it, and what the host was like before and after."""
    folder, token = tmp_path_factory.mktemp(request.param), core.CANARY + secrets.token_hex(16)
    way = request.param
    chosen = {attack.id: attack.put for attack in BANK.values() if way == "warm" or attack.family in COLD}
    everyone = {**chosen, **NEIGHBOURS}
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1)
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.NamedTemporaryFile("w", dir=Path.home(), prefix=".unrolled-") as canary,
    ):
        canary.write(token)
        canary.flush()
        patch.setenv("UNROLLED_SECRET", token)
        course_before = files_of(core.write_course(folder / "course")[0])
        before = children(), dict(os.environ), os.getcwd()
        workspace, lesson, spec, results = core.grade_class(
            folder, everyone, warm=way == "warm", secret=SECRET
        )
        settled = time.monotonic() + 30
        while children() != before[0] and time.monotonic() < settled:
            time.sleep(0.1)  # what was killed takes a moment to end on a busy machine
        after = children(), dict(os.environ), os.getcwd()
    return SimpleNamespace(
        way=way,
        workspace=workspace,
        lesson=lesson,
        spec=spec,
        results=results,
        everyone=everyone,
        token=token,
        course_before=course_before,
        before=before,
        after=after,
    )


def stored(attacked, student):
    return attacked.workspace.autograded / student / attacked.lesson.name / "bptt.ipynb"


def test_the_bank_is_whole():
    hostile = [attack for attack in BANK.values() if attack.family != "honest"]
    assert len(hostile) >= 60
    assert {attack.family for attack in BANK.values()} == set(FAMILIES)
    assert min(Counter(attack.family for attack in BANK.values()).values()) >= 10
    assert all(attack.tries.endswith(".") and "\n" not in attack.tries for attack in BANK.values())
    assert {attack.status for attack in BANK.values()} == set(Status) - {Status.INFRASTRUCTURE_FAULT}
    odd = [attack for attack in BANK.values() if attack.family == "honest"]
    assert not any(attack.loses for attack in odd)


def test_the_page_shows_the_bank_as_it_is():
    """docs/attacks.md has a row for each submission, with what it must earn and what ours gives it."""
    spec = read_spec(find_lesson(core.COURSE, LESSON).lesson_path)
    row = re.compile(r"^\| ([\w-]+) \| (.+) \| ([\d.]+) \| .+ \| (.+) \|$", re.MULTILINE)
    rows = row.findall(ATTACKS_PAGE.read_text())
    assert {(name, tries, float(wanted), ours) for name, tries, wanted, ours in rows} == {
        (attack.id, attack.tries.replace("|", "\\|"), sum(attack.points(spec).values()), ours(attack, spec))
        for attack in BANK.values()
    }, "write it again with `make attacks`"


def ours(attack, spec):
    return f"{sum(attack.points(spec).values()):g}, {attack.status}"


@pytest.mark.parametrize("name", BANK)
def test_each_ends_as_it_must(attacked, name):
    if name not in attacked.everyone:
        pytest.skip("graded with warm kernels")
    attack, result = BANK[name], attacked.results[name]
    points = {test: score["points"] for test, score in result["exercises"].items()}
    assert points == attack.points(attacked.spec), result
    assert result["status"] == attack.status, result["remarks"]
    assert attack.says in " ".join(result["remarks"])


def test_neighbours_have_the_results_that_they_have_alone(attacked, alone):
    for name in NEIGHBOURS:
        for part in ("exercises", "status", "remarks", "score"):
            assert attacked.results[name][part] == alone[name][part], name
    scores = [alone[name]["score"] for name in NEIGHBOURS]
    assert scores[0] == 20 and 0 < scores[1] < 20 and scores[2:] == [0, 0]


def test_everybody_has_a_row_and_a_notebook(attacked):
    everyone = set(attacked.everyone)
    assert set(attacked.results) == everyone
    standings = database.standings(attacked.workspace, attacked.spec)
    assert {name: round(score, 2) for name, (score, _) in standings.items()} == {
        name: result["score"] for name, result in attacked.results.items()
    }
    for name in everyone:
        nbformat.validate(nbformat.read(stored(attacked, name), as_version=4))


def test_gradebook_holds_nothing_but_grades(attacked):
    with sqlite3.connect(attacked.workspace.gradebook) as book:
        assert book.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert book.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall() == []
        assert book.execute("SELECT count(*) FROM grade WHERE manual_score IS NOT NULL").fetchone() == (0,)
        assert book.execute("SELECT id FROM course").fetchall() == [(database.COURSE_ID,)]
        assert book.execute("SELECT count(*) FROM student").fetchone() == (len(attacked.everyone),)


def test_host_is_as_it_was(attacked):
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
    outside = [Path("/tmp/escaped"), Path.home() / ".escaped", *attacked.workspace.root.rglob("*escaped*")]
    assert not [path for path in outside if path.exists()]


def test_nothing_was_reached(attacked):
    texts = {name: stored(attacked, name).read_text() for name in attacked.everyone}
    assert [name for name, text in texts.items() if attacked.token in text] == []
    for name in ("everywhere", "network", "overwritten-packages", "traced-parent", "searched-disk"):
        outputs = outputs_of(texts[name])
        assert "REACHED" not in outputs and "FOUND" not in outputs
    assert outputs_of(texts["network"]).count("\\n") >= 5  # it did try
    assert (
        outputs_of(texts["everywhere"]).count("refused") + outputs_of(texts["everywhere"]).count("nothing")
        == 27
    )
    assert "'[]\\n'" in outputs_of(texts["left-behind-searched"])


def outputs_of(text):
    cells = nbformat.reads(text, as_version=4).cells
    return str([dict(output) for cell in cells if cell.cell_type == "code" for output in cell.outputs])


def test_nothing_is_left_for_the_next_on_the_same_worker(attacked, tmp_path):
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


def test_once_more_changes_nothing(attacked):
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


def test_no_page_runs_what_a_student_wrote(attacked):
    names = [name for name in (*RENDERING, "read-secrets", "everything-at-once") if name in attacked.everyone]
    assert write_feedback(attacked.workspace, attacked.lesson.course, attacked.spec, names) == len(names)
    formgraders = HTMLExporter()
    for name in names:
        page = (attacked.workspace.feedback / name / attacked.lesson.name / "bptt.html").read_text()
        assert active(page) == [] and "<script" not in page.lower(), name
        notebook = nbformat.read(stored(attacked, name), as_version=4)
        assert active(formgraders.from_notebook_node(notebook)[0]) == [], name
    report = write_report(
        attacked.workspace, attacked.spec, database.standings(attacked.workspace, attacked.spec)
    )
    assert active(report.read_text()) == []


@pytest.mark.parametrize("name", [name for name in RENDERING if name.endswith("-in-text")])
def test_what_renders_would_run_if_nobody_cleaned_it(name, tmp_path):
    """The attacks are attacks: the same detector finds them in what was handed in."""
    released = nbformat.read(find_lesson(core.COURSE, LESSON).lesson_path, as_version=4)
    BANK[name].put(tmp_path, released)
    notebook = nbformat.read(tmp_path / "bptt.ipynb", as_version=4)
    assert active(HTMLExporter().from_notebook_node(notebook)[0])
