"""grade_notebook on honest, mistaken and hostile notebooks, in real sandboxed kernels."""

import pickle
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from nbformat.v4 import new_code_cell

from autograder.course.spec import CellSpec
from autograder.judging import judge as judging
from autograder.judging import notebook as grading
from autograder.judging.status import Status
from autograder.sandbox import provisioner
from autograder.sandbox.box import Limits
from autograder.sandbox.kernels import StudentKernel
from rnncore.exercises import by_name
from tests.autograder.small_lesson import (
    FIRST,
    LIMITS,
    POINTS,
    SECOND,
    SOLVED,
    THIRD,
    UNTOUCHED,
    grade,
    lesson,
    points,
    submission,
    without,
)

WRONG = "def softmax_cross_entropy(logits, targets):\n    return 0.0, np.zeros(logits.shape)\n"


@pytest.fixture(autouse=True, params=["cold", "warm"])
def kernels_of_tests(request, monkeypatch):
    """Everything here holds for kernels that are started, and for those that are forked."""
    monkeypatch.setenv("KERNELS_OF_TESTS", request.param)


def test_solved_notebook_earns_everything_and_the_result_is_plain_data():
    graded = grade(submission())
    assert points(graded) == POINTS
    assert graded.status is Status.GRADED
    assert graded.remarks == []
    assert pickle.loads(pickle.dumps(graded)).scores == graded.scores
    tests = [cell for cell in graded.notebook.cells if cell.source.startswith("check(")]
    shown = [cell.outputs[-1].data for cell in tests]
    assert [data["text/plain"] for data in shown] == [f"{full:g}" for full in POINTS.values()]
    assert all("<code>" in data["text/html"] for data in shown)
    assert graded.provenance["release_hash"] == "a release hash"
    assert graded.provenance["sandbox"] is True
    assert graded.provenance["kernel_starts"] == 1


def test_seeds_differ_by_student_and_repeat():
    seeds = [grade(submission(), student=name).provenance["seeds"] for name in ("ada", "bob", "ada")]
    assert seeds[0] == seeds[2]
    assert len({*seeds[0].values(), *seeds[1].values()}) == 6


def test_untouched_lesson_earns_nothing():
    graded = grade(submission(UNTOUCHED))
    assert points(graded) == without(*POINTS)
    assert graded.status is Status.NOT_ATTEMPTED


def test_known_mistake_is_named_and_follow_through_reaches_the_students_own_function():
    exercise = by_name()[SECOND]
    mistake = next(mistake for mistake in exercise.mistakes if "transpose" in mistake.id)
    graded = grade(submission({SECOND: exercise.twin_source(mistake)}))
    verdict = graded.scores[f"{SECOND}-check"].verdict
    assert [named["id"] for named in verdict["mistakes"]] == [mistake.id]
    assert 0 < points(graded)[SECOND] < POINTS[SECOND]
    assert points(graded)[THIRD] == POINTS[THIRD]  # right, given the student's own cell
    assert graded.status is Status.GRADED


def test_function_that_was_never_defined_says_so():
    graded = grade(submission({FIRST: "answer = 3"}))
    assert points(graded) == without(FIRST)
    assert graded.status is Status.PARTLY_GRADED
    assert graded.remarks == [f"The notebook never defines `{FIRST}`."]
    assert "never defines" in graded.scores[f"{FIRST}-check"].verdict["headline"]


def test_exception_in_a_cell_is_stored_and_grading_goes_on():
    graded = grade(submission(first="print('before')\n1 / 0"))
    assert points(graded) == POINTS
    outputs = graded.notebook.cells[1].outputs
    assert [output.output_type for output in outputs] == ["stream", "error"]
    assert outputs[1].ename == "ZeroDivisionError"


def test_locked_cells_come_from_the_release_and_experiments_are_not_run():
    show = CellSpec("show", "code", "code", "raise SystemError('run')", tags=("experiment",))
    spec = lesson(extra=[show])
    notebook = submission(spec=spec)
    notebook.cells[0].source = "raise SystemError('the student changed this cell')"
    notebook.cells[-1].id = "show"
    graded = grade(notebook, spec)
    assert points(graded) == POINTS
    assert graded.notebook.cells[0].outputs == []
    assert graded.notebook.cells[-1].outputs[0].text == "Not run while grading.\n"


def test_test_cell_is_graded_once_and_never_lost():
    notebook = submission()
    copy = notebook.cells[2].copy()
    copy.id = "a-copy"
    del notebook.cells[4]
    graded = grade(notebook)
    assert points(graded) == POINTS
    assert graded.remarks == [f"The test cell {SECOND}-check was missing; it was run at the end."]
    notebook.cells.append(copy)
    copy.source = "check(softmax_cross_entropy, points=1000)"
    assert points(grade(notebook)) == POINTS


def test_asserts_of_an_instructors_own_score_all_or_nothing():
    tests = {
        FIRST: "assert softmax_cross_entropy(np.zeros((2, 3, 4)), np.zeros((2, 3), int))[0] > 1",
        SECOND: "assert False, 'never right'",
        THIRD: "2.5",
    }
    spec = lesson(tests=tests)
    graded = grade(submission(spec=spec), spec)
    assert points(graded) == {FIRST: 3.0, SECOND: 0.0, THIRD: 2.5}
    assert [cell.outputs[-1].output_type for cell in graded.notebook.cells[2::2]] == [
        *("execute_result", "error", "execute_result")
    ]


def test_without_a_sandbox_the_result_is_marked():
    graded = grade(submission(first="import os"), sandbox=False)
    assert points(graded) == POINTS
    assert "WITHOUT a sandbox" in graded.remarks[0]
    assert graded.provenance["sandbox"] is False


def test_our_own_fault_is_never_charged(monkeypatch):
    spec = lesson(setup="import numpy as np\nimport a_package_that_nobody_installed\n")
    graded = grade(submission(spec=spec), spec)
    assert (graded.status, graded.scores) == (Status.INFRASTRUCTURE_FAULT, {})
    assert "a_package_that_nobody_installed" in graded.remarks[0]
    monkeypatch.setattr(provisioner, "KERNEL", ("-c", "import sys; sys.exit('no kernel today')"))
    monkeypatch.setattr(provisioner.SandboxProvisioner, "_start_warm", lambda *words: None)
    graded = grade(submission())
    assert (graded.status, graded.scores) == (Status.INFRASTRUCTURE_FAULT, {})
    assert "no kernel today" in graded.remarks[0]


@pytest.mark.parametrize("where", ["in a check", "outside"])
def test_where_our_own_process_has_no_memory_left_what_was_earned_stays(monkeypatch, where):
    judge, seeded = grading.judge_cell, judging._seeded

    def short(own, *words, **named):
        if own.grade_id != f"{SECOND}-check":
            return judge(own, *words, **named)
        if where == "outside":
            raise MemoryError
        with monkeypatch.context() as patch:
            patch.setattr(judging, "_seeded", lambda check, *told: seeded(full, *told))
            return judge(own, *words, **named)

    def full(function, points, seed):
        raise MemoryError

    monkeypatch.setattr(grading, "judge_cell", short)
    graded = grade(submission())
    assert graded.status == Status.MEMORY_LIMIT and graded.starved
    assert points(graded) == without(SECOND, THIRD)
    assert "more memory than a worker may use" in graded.remarks[-1]


# What breaks a kernel; ``attacks`` holds all that is hostile, and test_attacks.py grades it ----------------


@pytest.mark.parametrize("says", ["exit()", "quit()"])
def test_a_cell_that_says_exit_ends_nothing_however_long_the_rest_takes(says):
    """Jupyter ends such a kernel a tenth of a second later, when a short notebook has been graded or not."""
    answers = {SECOND: f"{says}\n{SOLVED[SECOND]}"}
    notebook = submission(answers, first=f"kept = 5\n{says}", last="print(kept)")
    notebook.cells.insert(2, new_code_cell("import time\ntime.sleep(0.4)"))
    graded = grade(notebook)
    assert points(graded) == POINTS
    assert graded.status is Status.GRADED and graded.provenance["kernel_starts"] == 1
    ends = "says `exit()`, which ends nothing while grading."
    assert graded.remarks == [f"The cell number 2 {ends}", f"The cell `{SECOND}` {ends}"]
    assert graded.notebook.cells[-1].outputs[0].text == "5\n"


def test_cell_that_ends_the_kernel_a_moment_later_costs_nothing_else():
    """When it is next asked."""
    way = "import os; get_ipython().kernel.pre_handler_hook = lambda: os._exit(0)"
    graded = grade(submission(first=way))
    assert points(graded) == POINTS
    assert graded.status is Status.KILLED_ITSELF
    assert [remark.split(":")[0] for remark in graded.remarks] == [
        "The cell number 2 was left out when run again"
    ]


def test_time_of_the_whole_notebook_is_bounded(monkeypatch):
    """By a clock that goes on only in slow cells: 30 s in each, or what is left to them."""
    past, given = [0.0], []

    def run(kernel, code, seconds, *most):
        given.append(seconds)
        past[0] += min(30.0, seconds) if code in (slow, endless) else 0.0
        return whole(kernel, code, seconds, *most)

    whole = StudentKernel.run
    monkeypatch.setattr(StudentKernel, "run", run)
    monkeypatch.setattr(grading, "time", SimpleNamespace(monotonic=lambda: past[0], sleep=time.sleep))
    slow, endless = "print('slept')", "import time\nwhile True: time.sleep(1)"
    notebook = submission(first=slow, last=slow)
    notebook.cells[2:2] = [new_code_cell(slow), new_code_cell(slow), new_code_cell(endless)]
    graded = grade(notebook, limits=replace(LIMITS, cell_seconds=40.0, notebook_seconds=90.5))
    assert graded.status is Status.TIME_LIMIT
    assert given == [40.0, 40.0, 40.0, 30.5, 0.5]  # the set-up cell, three slow ones and the endless one
    assert graded.seconds == 90.5
    assert points(graded) == without(*POINTS)
    assert [cell.outputs[0].text for cell in graded.notebook.cells[1:4]] == ["slept\n"] * 3
    assert graded.notebook.cells[-1].outputs[0].ename == "NotRun"


def test_torch_that_finds_no_memory_is_at_the_limit_of_memory():
    spec = lesson(needs=["torch"])
    greedy = submission(first="import torch\nkept = torch.zeros(10**11)", spec=spec)
    graded = grade(greedy, spec, limits=Limits(cell_seconds=300.0, call_seconds=60.0, notebook_seconds=900.0))
    assert (points(graded), graded.status) == (POINTS, Status.MEMORY_LIMIT)
    assert set(graded.provenance["versions"]) >= {"python", "numpy", "torch"}


def test_display_of_an_earlier_cell_cannot_be_changed():
    first = "from IPython.display import display\nhandle = display('as it was', display_id='mine')"
    graded = grade(submission(first=first, last="handle.update('changed later'); print('updated')"))
    assert graded.notebook.cells[1].outputs[0].data["text/plain"] == "'as it was'"
    assert graded.notebook.cells[-1].outputs[0].text == "updated\n"


def test_malformed_messages_are_no_outputs():
    first = """
socket, session = get_ipython().kernel.iopub_socket, get_ipython().kernel.session
parent = get_ipython().kernel.get_parent()
half = {"text/plain": "\\ud800", "text/html": {"a": 1}}
for kind, content in (("stream", {"name": 5, "text": ["x"]}), ("display_data", {"data": 3}), ("error", {}),
                      ("display_data", {"data": half}), ("status", {}), ("execute_result", {"data": half})):
    session.send(socket, kind, content, parent=parent)
socket.send_multipart([b"<IDS|MSG>", b"wrong", b"{", b"}", b"[", b"]"])
"""
    graded = grade(submission(first=first))
    assert points(graded) == POINTS
    for output in graded.notebook.cells[1].outputs:
        str(output).encode()
