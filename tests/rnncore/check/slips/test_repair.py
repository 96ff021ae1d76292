"""Slips that nobody listed: found by one small edit of the student's own text, and told by their line."""

import ast
import linecache
import os
from itertools import islice

import numpy as np
import pytest

from rnncore.cells.rnn import rnn_cell_backward
from rnncore.check import check
from rnncore.check.slips.edits import edits, last_line
from rnncore.check.slips.repair import _Repair
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
    "brackets": (
        "errors_by_horizon",
        """
def errors_by_horizon(forecasts, truth, std):
    scaled_back = forecasts - truth * std
    return np.sqrt(np.mean(scaled_back**2, axis=0))
""",
        3,
        "brackets",
    ),
    "a factor of one term that is meant for both": (
        "errors_by_horizon",
        """
def errors_by_horizon(forecasts, truth, std):
    return np.sqrt(np.mean((std * forecasts - truth) ** 2, axis=0))
""",
        3,
        "brackets",
    ),
    "a walk left as it was made": (
        "rnn_forward",
        """
def rnn_forward(p, x, h0):
    h, ys, caches = h0, [], []
    for t in range(x.shape[1]):
        old, h = h, np.tanh(x[:, t] @ p["weight_ih"].T + h @ p["weight_hh"].T + p["bias_ih"] + p["bias_hh"])
        ys.insert(0, h)
        caches.append((x[:, t], old, h))
    return np.stack(ys, axis=1), h, caches
""",
        8,
        "order in time",
    ),
    "an axis that is missing": (
        "spectrogram",
        """
def spectrogram(signal, size=256, hop=160):
    starts = np.arange(0, len(signal) - size + 1, hop)
    frames = signal[starts + np.arange(size)]
    return np.abs(np.fft.rfft(frames * np.hanning(size))) ** 2
""",
        4,
        "axes",
    ),
    "two names in each other's place": (
        "one_hot",
        """
def one_hot(ids, V):
    vectors = np.zeros((*ids.shape, V))
    for b in range(len(ids)):
        for t in range(ids.shape[1]):
            vectors[t, b, ids[t, b]] = 1
    return vectors
""",
        6,
        "names",
    ),
    "an early return": (
        "roll_forecast",
        """
def roll_forecast(step, state, last, horizon):
    said = []
    for _ in range(horizon):
        last, state = step(last, state)
        said.append(last)
        return np.stack(said, axis=1)
""",
        7,
        "indentation",
    ),
    "a slice that is missing": (
        "windows",
        """
def windows(series, T):
    values = list(series)
    return [values[start : start + T] for start in range(len(values) - T)], values
""",
        4,
        "index",
    ),
    "an index for a slice": (
        "windows",
        """
def windows(series, T):
    stretches = np.lib.stride_tricks.sliding_window_view(series, T + 1)
    return stretches[:, :-1], stretches[0, -1]
""",
        4,
        "index",
    ),
    "an index that is missing": (
        "combine",
        """
def combine(first, second):
    a, b = first
    return second[0] * a, second * b + second[1]
""",
        4,
        "index",
    ),
    "a function that is missing": (
        "sigmoid",
        """
def sigmoid(x):
    return 1 / (1 + -np.clip(x, -500, 500))
""",
        3,
        "functions",
    ),
    "a one that is missing": (
        "sigmoid",
        """
def sigmoid(x):
    return 1 / np.exp(-np.clip(x, -500, 500))
""",
        3,
        "terms",
    ),
    "a bias that is missing": (
        "rnn_forward",
        """
def rnn_forward(p, x, h0):
    h, ys, caches = h0, [], []
    from_input = x @ p["weight_ih"].T + p["bias_ih"]
    for t in range(x.shape[1]):
        before, h = h, np.tanh(from_input[:, t] + h @ p["weight_hh"].T)
        ys.append(h)
        caches.append((x[:, t], before, h))
    return np.stack(ys, axis=1), h, caches
""",
        4,
        "terms",
    ),
    "numbers that are not counted": (
        "roll_forecast",
        """
def roll_forecast(step, state, last, horizon):
    said = []
    for h in horizon:
        last, state = step(last, state)
        said.append(last)
    return np.stack(said, axis=1)
""",
        4,
        "range",
    ),
    "a walk as long as something holds": (
        "spectrogram",
        """
def spectrogram(signal, size=256, hop=160):
    rows, start = [], 0
    while start + size <= len(signal):
        rows.append(np.abs(np.fft.rfft(signal[start : start + size] * np.hanning(size))) ** 2 + start)
        start += hop
    return np.array(rows)
""",
        5,
        "terms",
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


def student(name, source, file, **names):
    """The function as a notebook's cell defines it, with ``names`` beside it: its text can be looked up."""
    file = f"<{file}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope = {"np": np, **names}
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


TWO_LINES = """
def rnn_cell_backward(p, dh, cache):
    x, h, h_next = cache
    before = dh * (1 - h_next**2)
    dx = before @ p["weight_ih"] * 3
    dh_prev = -before @ p["weight_hh"]
    both = before.sum(axis=0)
    grads = {"weight_ih": before.T @ x, "weight_hh": before.T @ h, "bias_ih": both, "bias_hh": both}
    return dx, dh_prev, grads
"""
RETURNED = {
    "printed-not-returned": "def sigmoid(x):\n    y = 0.5 * (1 + np.tanh(x / 2))\n    print(y)\n",
    "not-returned": "def sigmoid(x):\n    y = 0.5 * (1 + np.tanh(x / 2))\n",
}


def test_two_slips_in_two_lines_are_told_apart():
    verdict = check(student("rnn_cell_backward", TWO_LINES, "two lines"), 10, seed=5)
    assert [slip.says.split("`")[1] for slip in verdict.mistakes] == [
        'dx = before @ p["weight_ih"] * 3',
        'dh_prev = -before @ p["weight_hh"]',
    ]
    assert "Everything but lines 5 and 6 is right" in verdict.mistakes[0].says
    assert 4 <= verdict.earned < 7


def test_the_same_keyword_in_two_lines_is_one_slip():
    source = """
def windows(series, T):
    n = len(series) - T
    x = np.zeros((n, T), dtype=int)
    y = np.zeros(n, dtype=int)
    for i in range(n):
        x[i] = series[i : i + T]
        y[i] = series[i + T]
    return x, y
"""
    verdict = check(student("windows", source, "two dtypes"), 10, seed=5)
    assert "lines 4 and 5" in verdict.mistakes[0].says and len(verdict.mistakes) == 2
    assert verdict.earned == 7


def test_a_return_in_the_loop_is_told_by_its_own_line():
    source = """
def next_step_pairs(ids):
    for _ in range(1):
        x = ids[:, :-1]
        y = ids[:, 1:]
        return x, y[:, :1] * 0 + y
"""
    lines = [edit.line for edit in edits(source.lstrip()) if edit.kind == "indentation"]
    assert lines and set(lines) == {5}


@pytest.mark.parametrize("id", RETURNED)
def test_what_is_made_and_not_returned_is_told_and_cheap(id):
    verdict = check(student("sigmoid", RETURNED[id], id), 4, seed=5)
    assert [slip.id for slip in verdict.mistakes] == [id]
    assert 3 <= verdict.earned < 4


def test_an_answer_that_is_put_to_use_is_repaired_as_well():
    """A module's own text is found through its method, and a version of it is made and used in a fork."""
    torch = pytest.importorskip("torch")
    source = """
class HandLSTM(torch.nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        for side, columns in (("ih", input_size), ("hh", hidden_size)):
            setattr(self, f"weight_{side}", torch.nn.Parameter(torch.zeros(4 * hidden_size, columns)))
            setattr(self, f"bias_{side}", torch.nn.Parameter(torch.zeros(4 * hidden_size)))

    def forward(self, x, state=None):
        h, c = state or [x.new_zeros(len(x), self.weight_hh.shape[1])] * 2
        said = []
        for x_t in x.unbind(1):
            a = x_t @ self.weight_ih.T + h @ self.weight_hh.T + self.bias_ih - self.bias_hh
            i, f, g, o = a.chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            said.append(h)
        return torch.stack(said, 1), (h, c)
"""
    verdict = check(student("HandLSTM", source, "a module", torch=torch), 10, seed=5)
    assert [slip.says for slip in verdict.mistakes] == [
        "Everything but line 13 is right, `a = x_t @ self.weight_ih.T + h @ self.weight_hh.T + self.bias_ih "
        "- self.bias_hh`: look at its signs."
    ]
    assert verdict.earned == 7


def test_an_edit_after_another_keeps_the_lines_of_the_text():
    source = "def f(x, y):\n    # a comment\n\n    a = x + y\n    return a - 1\n"
    first = next(edit for edit in edits(source) if edit.line == 4)
    again = list(edits(source, after=first))
    assert {edit.line for edit in again} == {4, 5}
    assert all("a = x - y" in edit.source for edit in again if edit.line == 5)


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


@pytest.mark.parametrize(
    ("source", "free"),
    [
        ("def f(x):\n    n = x\n    while n > 1:\n        y = x\n        n = n / 2\n    return x", {2, 4, 6}),
        (
            "def f(x):\n    while True:\n        y = x\n        if y < x:\n            break\n    return x",
            {6},
        ),
        ("def f(x):\n    while len(x) < 9:\n        y = x\n        x.append(y)\n    return x", {3, 5}),
        ("def f(x):\n    while x.any():\n        del x[0]\n        x[1:] = 2\n    return x", {5}),
    ],
)
def test_what_decides_when_a_loop_ends_is_not_edited(source, free):
    assert {edit.line for edit in edits(source)} == free


def test_a_loop_that_never_runs_is_named_and_earns_no_more_than_other_zeros():
    source = """
def gradient_norms(p, dy, caches):
    carry, norms = 0 * dy[:, 0], np.zeros(dy.shape[1])
    for t in range(dy.shape[1] - 1, -1, 1):
        upstream = dy[:, t] + carry
        norms[t] = np.linalg.norm(upstream)
        _, carry, _ = rnn_cell_backward(p, upstream, caches[t])
    return norms
"""
    answer = student("gradient_norms", source, "never runs", rnn_cell_backward=rnn_cell_backward)
    verdict = check(answer, 10, seed=0)
    (slip,) = verdict.mistakes
    assert "Everything but line 4 is right" in slip.says and verdict.earned <= 1
    assert slip.says.endswith("that earns a tenth at most.")


def test_every_edit_is_a_text_that_can_be_read_and_differs():
    for exercise in by_name().values():
        source = ast.unparse(ast.parse(exercise.source.strip()))
        for edit in islice(edits(source), 300):
            assert edit.source != source, (exercise.name, edit)
            ast.parse(edit.source)


def test_huge_numbers_in_an_answer_do_no_harm():
    source = f"def sigmoid(x):\n    return x * {10**400} + 1e308\n"
    assert check(student("sigmoid", source, "huge"), 4).earned < 4


LOOP = """
def f(x):
    a = x
    for b in x:
        c = b
        d = c
    e = a
    return e
"""
WITHIN = "def f(x):\n    def g():\n        return x\n    return g()\n"


@pytest.mark.parametrize(("line", "last"), [(3, 3), (4, 6), (5, 6), (7, 7), (2, 0), (1, 0)])
def test_what_stands_behind_an_error_was_not_run(line, last):
    assert last_line(LOOP, line) == last
    assert last_line(WITHIN, 3) == 0  # it may be called from behind


def test_no_edit_behind_an_error_is_tried(monkeypatch):
    tried, right = [], _Repair.right_one

    def noted(self, trials, *more):
        return right(self, (tried.append(one.line) or one for one in trials), *more)

    monkeypatch.setattr(_Repair, "right_one", noted)
    source = """
def rnn_cell(p, x, h):
    a = undefined
    h_next = np.tanh(x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + a)
    return h_next, (x, h, h_next)
"""
    check(student("rnn_cell", source, "<stopped>"), 1, seed=1)
    assert set(tried) == {2}  # of the function
