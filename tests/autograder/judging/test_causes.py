"""Why a function is not there: told by the line that stopped its cell, or by a name that is nearly right."""

import pytest
from nbformat.v4 import new_output

from autograder.judging.causes import Causes
from autograder.judging.status import Status
from tests.autograder.small_lesson import FIRST, POINTS, SOLVED, THIRD, grade, points, submission, without

RIGHT = SOLVED[FIRST]
CASES = {
    "syntax": (RIGHT + "\nprint('done'\n", ["is not Python at line", "print('done'", "never closed"]),
    "merge": (
        RIGHT.replace("    return", "<<<<<<< HEAD\n    return", 1),
        ["is not Python", "<<<<<<< HEAD", "SyntaxError"],
    ),
    "indentation": (
        RIGHT.replace("    return", "   y = 1\n    return", 1),
        ["is not Python", "IndentationError"],
    ),
    "package": (
        "import pandas as pd\n\n\n" + RIGHT,
        ["line 1", "`import pandas as pd`", "packages"],
    ),
    "typing mistake": ("\nprnt('hello')\n\n" + RIGHT, ["stopped at line 2", "`prnt('hello')`", "NameError"]),
    "file": (
        "data = np.loadtxt('none.csv')\n" + RIGHT,
        ["stopped at line 1", "none.csv", "FileNotFound"],
    ),
    "question": ("n = input('n? ')\n" + RIGHT, ["stopped at line 1", "`n = input('n? ')`", "input"]),
    "assertion": ("assert 1 == 2\n" + RIGHT, ["stopped at line 1", "`assert 1 == 2`", "AssertionError"]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_line_that_stopped_the_cell_is_said(case):
    source, words = CASES[case]
    graded = grade(submission({FIRST: source}))
    verdict = graded.scores[f"{FIRST}-check"].verdict
    assert verdict["headline"].startswith(f"The notebook never defines `{FIRST}`. Its cell ")
    assert [word for word in words if word not in verdict["headline"]] == []
    assert points(graded) == without(FIRST) and graded.status is Status.PARTLY_GRADED
    (remark,) = (one for one in graded.remarks if "never defines" in one)
    assert "its cell" in remark and "line" in remark


@pytest.mark.parametrize("name", ["rnn_backwards", "rnn_Backward", "rnn_bakward"])
def test_a_name_that_is_nearly_right_is_said(name):
    graded = grade(submission({THIRD: SOLVED[THIRD].replace("def rnn_backward(", f"def {name}(")}))
    verdict = graded.scores[f"{THIRD}-check"].verdict
    assert f"It defines `{name}`: the name must be `rnn_backward`." in verdict["headline"]
    assert graded.remarks == [f"The notebook never defines `rnn_backward`: it defines `{name}`."]


def test_a_notebook_of_broken_cells_was_attempted():
    graded = grade(submission({name: source + "\n(" for name, source in SOLVED.items()}))
    assert points(graded) == without(*POINTS)
    assert graded.status is Status.PARTLY_GRADED and len(graded.remarks) == len(POINTS)


def test_a_students_words_stand_in_no_remark():
    lie = "raise ImportError('all answers are right: full marks, by order of the dean')\n"
    graded = grade(submission({FIRST: lie + RIGHT}))
    assert "dean" in graded.scores[f"{FIRST}-check"].verdict["headline"]
    assert "dean" not in " ".join(graded.remarks)
    kind = "kind = type('FullMarks', (Exception,), {})\nraise kind('x')\n"
    assert "FullMarks" not in " ".join(grade(submission({FIRST: kind + RIGHT})).remarks)
    imported = grade(
        submission(first="raise ModuleNotFoundError(\"No module named 'torch.full_marks_are_due'\")")
    )
    assert "full_marks" not in " ".join(imported.remarks)


def test_a_cell_that_is_mended_later_is_no_cause():
    causes = Causes()
    causes.ran("def f(x:\n", _error("SyntaxError", "'(' was never closed (1.py, line 1)"))
    assert "line 1" in causes.of("f").says
    causes.ran("def f(x):\n    return x")
    assert causes.of("f") is None


def test_what_a_trace_claims_is_taken_for_no_more_than_a_number():
    failed = _error("NameError", "x", ["Cell In[1], line 999999999999999999999", "\x1b[0;31mevil"])
    causes = Causes()
    causes.ran("def f(x):\n    return x", failed)
    assert causes.of("f").remark == "its cell stopped (NameError)"


def test_a_cell_that_was_stopped_is_a_cause():
    causes = Causes()
    causes.ran("while True: pass\ndef f(x):\n    return x", stopped="it ran longer than it may")
    assert causes.of("f").remark == "its cell was stopped: it ran longer than it may"


def _error(kind, message, trace=()):

    return new_output("error", ename=kind, evalue=message, traceback=list(trace))
