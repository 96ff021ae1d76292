"""Slips that nobody listed: found by one small edit of the student's own text, and told by their line."""

import ast
import linecache
import os
from itertools import islice

import numpy as np
import pytest

from rnncore.check import check
from rnncore.check.edits import edits
from rnncore.exercises import by_name
from rnncore.versions import run_versions, source_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="other versions run in a forked process")

RESIDUAL = """
def rnn_cell(p, x, h):
    from_input = x @ p["weight_ih"].T
    from_input = from_input + p["bias_ih"]
    from_state = h @ p["weight_hh"].T + p["bias_hh"]
    h_next = np.tanh(from_input + from_state) + from_state
    return h_next, (x, h, h_next)
"""
ANSWERS = {
    "a term too much": ("rnn_cell", RESIDUAL, 6, "terms"),
    "a number": (
        "rnn_cell_backward",
        """
def rnn_cell_backward(p, dh, cache):
    x, h, h_next = cache
    slope = 1 - h_next ** 3
    da = slope * dh
    grads = dict(weight_ih=da.T @ x, weight_hh=da.T @ h, bias_ih=da.sum(0), bias_hh=da.sum(0))
    return da @ p["weight_ih"], da @ p["weight_hh"], grads
""",
        4,
        "numbers",
    ),
    "a name": (
        "lstm_cell_backward",
        """
def lstm_cell_backward(p, d_state, cache):
    dh, dc_from_later = d_state
    x, h, c, i, f, g, o, tanh_c = cache
    dc = dc_from_later + dh * o * (1 - tanh_c ** 2)
    pieces = [dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - i ** 2), dh * tanh_c * o * (1 - o)]
    da = np.concatenate(pieces, axis=1)
    both = da.sum(axis=0)
    grads = {"weight_ih": da.T @ x, "weight_hh": da.T @ h, "bias_ih": both, "bias_hh": both}
    return da @ p["weight_ih"], (da @ p["weight_hh"], dc * f), grads
""",
        6,
        "names",
    ),
}


def student(name, source, file):
    """The function as a notebook's cell defines it: its text can be looked up."""
    file = f"<{file}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope = {"np": np}
    exec(compile(source, file, "exec"), scope)
    return scope[name]


@pytest.mark.parametrize("case", ANSWERS)
def test_one_slip_is_told_by_its_line_and_the_rest_counts_as_right(case):
    name, source, line, kind = ANSWERS[case]
    for seed in range(3):
        verdict = check(student(name, source, case), 10, seed=seed)
        (slip,) = verdict.mistakes
        assert f"Everything but line {line} is right" in slip.says, verdict
        assert slip.says.endswith(f"look at its {kind}.")
        assert verdict.earned >= 7


def test_no_edit_of_an_unrelated_answer_makes_it_right():
    source = (
        "def rnn_cell(p, x, h):\n    h_next = np.cos(x.sum() + h) * 3\n    return h_next, (x, h, h_next)\n"
    )
    verdict = check(student("rnn_cell", source, "unrelated"), 10)
    assert verdict.mistakes == ()
    assert verdict.earned == 0


def test_a_version_leaves_nothing_behind(capsys, tmp_path):
    source = (
        "seen = []\n"
        "def sigmoid(x):\n"
        "    print('hello'); seen.append(1); x += 1\n"
        f"    open({str(tmp_path / 'left')!r}, 'a').write('text')\n"
        "    return x\n"
    )
    function, x = student("sigmoid", source, "leaves"), np.zeros(2)
    (outcome,) = run_versions(function, [source_of(function)[0]], [(x,)])
    np.testing.assert_array_equal(outcome.value, [1, 1])
    assert outcome.printed == "hello\n"
    assert not (tmp_path / "left").exists() or (tmp_path / "left").read_text() == ""
    assert function.__globals__["seen"] == [] and not x.any() and capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "body",
    ["os._exit(3)", "os.kill(os.getpid(), 9)", "import sys; sys.exit(4)", "raise KeyboardInterrupt", "1 / 0"],
)
def test_a_version_that_ends_its_process_ends_nothing_here(body):
    function = student("sigmoid", "def sigmoid(x):\n    return x\n", "ends")
    outcomes = run_versions(function, [f"import os\ndef sigmoid(x):\n    {body}\n"], [(1.0,)])
    assert outcomes == [] or outcomes[0].error


def test_a_version_that_does_not_end_is_stopped():
    function = student("sigmoid", "def sigmoid(x):\n    return x\n", "endless")
    endless = "def sigmoid(x):\n    while True: pass\n"
    first, second = run_versions(function, [endless, "def sigmoid(x):\n    return x\n"], [(1.0,)])
    assert first.error and second.value == 1.0


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    while x > 1:\n        x = x / 2\n    return x",
        "def f(x):\n    return f(x - 1)",
        "def f(x):\n    global y\n    return y",
        "f = 3",
        "def f(x:",
        "def f(x):\n    return " + "-" * 5000 + "x",
        "def f(x):\n    return " + "(" * 500 + "x" + ")" * 500,
        "class f:\n    pass",
        "def f(x):\n    open('log', 'w').write(str(x))\n    return x",
    ],
)
def test_what_might_not_end_or_is_no_function_is_not_edited(source):
    assert list(edits(source)) == []


def test_every_edit_is_a_text_that_can_be_read_and_differs():
    for exercise in by_name().values():
        source = ast.unparse(ast.parse(exercise.source.strip()))
        for edit in islice(edits(source), 300):
            assert edit.source != source, (exercise.name, edit)
            ast.parse(edit.source)


def test_huge_numbers_in_an_answer_do_no_harm():
    source = f"def sigmoid(x):\n    return x * {10**400} + 1e308\n"
    assert check(student("sigmoid", source, "huge"), 4).earned < 4
