"""What a second look finds through the sandbox: as much as in a notebook, and nothing of it is charged."""

import pytest

from autograder.judging import notebook as grading
from autograder.judging.judge import JudgeFault
from autograder.judging.status import Status
from tests.autograder.small_lesson import (
    FIRST,
    POINTS,
    SECOND,
    THIRD,
    UNTOUCHED,
    grade,
    points,
    submission,
)
from tests.rnncore.check.slips.test_repair import ANSWERS

CUBED = ANSWERS["a number"][1].lstrip()


@pytest.fixture(autouse=True, params=["cold", "warm"])
def kernels_of_tests(request, monkeypatch):
    """Everything here holds for kernels that are started, and for those that are forked."""
    monkeypatch.setenv("KERNELS_OF_TESTS", request.param)


def verdict(graded, name):
    return graded.scores[f"{name}-check"].verdict


def test_a_slip_that_nobody_listed_is_told_by_its_line():
    graded = grade(submission({SECOND: CUBED}))
    (slip,) = verdict(graded, SECOND)["mistakes"]
    assert "Everything but line 3 is right" in slip["says"] and slip["says"].endswith("look at its numbers.")
    assert points(graded) == POINTS | {SECOND: 3.5}
    assert (graded.status, graded.remarks) == (Status.GRADED, [])


def test_an_error_that_a_mistake_raises_is_paid_where_the_rest_is_right_and_only_there():
    cell = ANSWERS["a number"][1].lstrip().replace("h_next ** 3", "h_next ** 2")
    raising = cell.replace('da @ p["weight_ih"], ', 'da @ p["weight_ih"].T, ')
    lone = f"def {SECOND}(p, dh, cache):\n    return dh @ p['weight_ih'].T\n"
    for answer, earned in ((cell, POINTS[SECOND]), (raising, 3.5), (lone, 0.0)):
        graded = grade(submission({SECOND: answer}))
        assert points(graded)[SECOND] == earned
    (mistake,) = verdict(graded, SECOND)["mistakes"]
    assert mistake["id"] == "weight-ih-transposed-on-the-way-back"


def test_an_error_that_hides_another_slip_is_paid_by_what_is_behind_it():
    graded = grade(submission({SECOND: CUBED.replace('da @ p["weight_ih"], ', 'da @ p["weight_ih"].T, ')}))
    raised, slip = verdict(graded, SECOND)["mistakes"]
    assert raised["id"] == "weight-ih-transposed-on-the-way-back"
    assert "everything but line 3 is right" in slip["says"]
    assert points(graded) == POINTS | {SECOND: 2.0}


def test_an_answer_for_one_row_alone_is_tried_row_by_row():
    one_row = """def rnn_cell_backward(p, dh, cache):
    x, h, h_next = cache
    da = dh * (1 - h_next**2)
    grads = {"weight_ih": np.outer(da, x), "weight_hh": np.outer(da, h), "bias_ih": da, "bias_hh": da}
    return p["weight_ih"].T @ da, p["weight_hh"].T @ da, grads
"""
    graded = grade(submission({SECOND: one_row}))
    assert [mistake["id"] for mistake in verdict(graded, SECOND)["mistakes"]] == ["one-row-only"]
    assert points(graded) == POINTS | {SECOND: 2.5}


def test_a_helper_that_is_not_written_costs_nothing_later():
    graded = grade(submission({SECOND: UNTOUCHED[SECOND]}))
    assert points(graded) == POINTS | {SECOND: 0.0}
    assert "The fault is in `rnn_cell_backward`" in str(verdict(graded, THIRD)["remarks"])


@pytest.mark.parametrize("last", ["%reset -f", f"del {SECOND}, {THIRD}", "print('nothing')"])
def test_what_a_cell_at_the_end_takes_away_is_there_for_a_second_look(last):
    graded = grade(submission({SECOND: UNTOUCHED[SECOND]}, last=last))
    assert points(graded) == POINTS | {SECOND: 0.0}
    assert (graded.status, graded.remarks) == (Status.GRADED, [])


def test_a_fault_of_ours_in_a_second_look_leaves_the_first_marks(monkeypatch):
    first_looks = grading.judge_cell

    def judge_cell(*args, may_help=False, **words):
        if may_help:
            raise JudgeFault("a bug of ours")
        return first_looks(*args, **words)

    monkeypatch.setattr(grading, "judge_cell", judge_cell)
    graded = grade(submission({SECOND: CUBED}))
    assert points(graded)[FIRST] == POINTS[FIRST] and points(graded)[THIRD] == 0
    assert any("failed, and its first marks stand: a bug of ours" in remark for remark in graded.remarks)
    assert graded.status is Status.GRADED


def test_a_check_that_fails_costs_no_other_exercise_anything(monkeypatch):
    """A person gives its points, and the page says whose fault it is."""
    sound = grading.judge_cell

    def judge_cell(cell, *args, **words):
        if cell.grade_id == f"{SECOND}-check":
            raise JudgeFault("a bug of ours")
        return sound(cell, *args, **words)

    monkeypatch.setattr(grading, "judge_cell", judge_cell)
    graded = grade(submission({}))
    assert points(graded) == POINTS | {SECOND: 0.0}
    assert graded.scores[f"{SECOND}-check"].failed == "a bug of ours"
    assert any("which is our fault, and waits for a person: a bug of ours" in one for one in graded.remarks)
    assert graded.status is Status.GRADED
    assert "not your answer's fault" in str([cell.get("outputs") for cell in graded.notebook.cells])


def test_where_no_check_works_it_is_no_single_checks_fault(monkeypatch):
    def judge_cell(*args, **words):
        raise JudgeFault("a bug of ours")

    monkeypatch.setattr(grading, "judge_cell", judge_cell)
    graded = grade(submission({}))
    assert graded.status is Status.INFRASTRUCTURE_FAULT and graded.scores == {}


@pytest.mark.parametrize(
    "trick",
    [
        "import inspect; inspect.getsourcelines = lambda f: ([RIGHT], 1)",
        "import rnncore.versions; rnncore.versions.source_of = lambda f: (RIGHT, 1)",
        "import rnncore.versions; rnncore.versions.run_versions = lambda *a: [None] * 1000",
        "import rnncore.versions; rnncore.versions.source_of = lambda f: ('x' * 10**7, 'one')",
        "import os; os.fork = lambda: 1 / 0",
        "import os; os.fork = lambda: os._exit(1)",
    ],
)
def test_a_kernel_that_lies_about_versions_earns_nothing(trick):
    wrong = f"def {SECOND}(p, dh, cache):\n    return dh, dh, {{}}\n"
    last = f"RIGHT = {'def rnn_cell_backward(p, dh, cache): return dh'!r}\n{trick}\n"
    graded = grade(submission({SECOND: wrong}, last=last))
    assert points(graded)[SECOND] == 0
    assert points(graded)[FIRST] == POINTS[FIRST]
    assert graded.status is Status.GRADED
