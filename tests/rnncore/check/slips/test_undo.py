"""An error that a listed mistake raises proves nothing: it is paid by what the rest of the text is worth."""

import ast
import inspect
import linecache
import os
import textwrap

import numpy as np
import pytest

from rnncore.check import check
from rnncore.check.marking import Marking
from rnncore.check.slips.rows import row_slip
from rnncore.check.slips.undo import undone
from rnncore.exercises import by_name
from rnncore.observe import as_numbers

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="other versions run in a forked process")


def raises(exercise, mistake):
    """Whether nothing but an error, or NaN, is seen of a mistake."""
    marking = Marking(exercise, exercise.twin(mistake), 1)
    marking.findings()
    ordinary = (got for case, got in zip(marking.cases, marking.outcomes, strict=True) if not case.when)
    return all(got.error or is_nan(as_numbers(got.value)) for got in ordinary)


def is_nan(numbers):
    return numbers is not None and bool(np.isnan(numbers).all())


RAISING = [
    (name, mistake.id)
    for name, exercise in by_name().items()
    for mistake in exercise.mistakes
    if raises(exercise, mistake)
]
FIRST = list(dict(reversed(RAISING)).items())  # one of an exercise


def mistake_of(name, id):
    return next(mistake for mistake in by_name()[name].mistakes if mistake.id == id)


def written(name, source, **names):
    """A function of a notebook: its text is known."""
    exercise = by_name()[name]
    kind = exercise.reference.forward if inspect.isclass(exercise.reference) else exercise.reference
    scope, file = {**kind.__globals__, **names}, f"<{name}, {hash(source)}>"
    scope.pop(name, None)
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), scope)
    return scope[name]


def in_other_words(source):
    """The same text with local names of a student's own, and without docstring and comments."""
    tree = ast.parse(textwrap.dedent(source))
    made = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    made -= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in made:
            node.id = f"my_{node.id}"
    return ast.unparse(tree)


def works_for_one_row(name, id):
    """Whether a mistake raises for a batch only: its twin does its work, see test_rows."""
    marking = Marking(by_name()[name], by_name()[name].twin(mistake_of(name, id)), 1)
    return row_slip(marking, marking.findings()) is not None


ALONE = [
    each for each in FIRST if each[0] != "HandLSTM" and not works_for_one_row(*each)
]  # a class: see below


@pytest.mark.parametrize(("name", "id"), ALONE)
def test_an_error_alone_earns_nothing(name, id):
    twin = by_name()[name].twin(mistake_of(name, id))
    verdict = check(written(name, f"def {name}(*args):\n    return twin(*args)\n", twin=twin), 10, seed=1)
    assert (verdict.earned, verdict.mistakes[0].id) == (0, id)


def test_a_class_that_only_raises_earns_nothing():
    source = """
class HandLSTM(torch.nn.Module):
    def __init__(self, input_size, hidden_size):
        self.weight_ih = torch.nn.Parameter(torch.empty(4 * hidden_size, input_size))

    def forward(self, x, state=None):
        return x
"""
    import torch

    verdict = check(written("HandLSTM", source, torch=torch), 10, seed=1)
    assert verdict.mistakes[0].id == "base-class-not-initialised"
    assert verdict.earned == 0


@pytest.mark.parametrize(("name", "id"), FIRST)
def test_the_mistake_in_words_of_a_students_own_is_paid(name, id):
    exercise, mistake = by_name()[name], mistake_of(name, id)
    answer = written(name, in_other_words(exercise.twin_source(mistake)))
    verdict = check(answer, 10, seed=1)
    assert [found.id for found in verdict.mistakes] == [id]
    assert verdict.earned == pytest.approx(10 * (1 - mistake.cost))


OTHERS = {
    "three lines that belong together": (
        "rnn_forward",
        """
def rnn_forward(p, x, h0):
    hidden, states, out = h0, [], np.zeros((len(x), x.shape[1], h0.shape[1]))
    for step in range(x.shape[1]):
        hidden = rnn_cell(p, x[:, step], hidden)
        out[:, step] = hidden[0]
        states.append(hidden[1])
    return out, hidden, states
""",
        "pair-not-taken-apart",
    ),
    "a size that the student never took": (
        "final_states",
        """
def final_states(y, lengths):
    H = y.shape[2] // 2
    return np.concatenate([y[:, lengths - 1, :H], y[:, 0, H:]], axis=-1)
""",
        "every-row-with-every-length",
    ),
    "in several places": (
        "place",
        """
def place(canvas, digit, row, col):
    out = canvas.copy()
    side = len(digit)
    out[row:row + side, col:col + side] = np.maximum(out[row:row + side, col:col + side], digit)
    return out
""",
        "one-side-for-both",
    ),
}


@pytest.mark.parametrize(("name", "source", "id"), OTHERS.values(), ids=OTHERS)
def test_it_is_found_in_other_hands_styles(name, source, id):
    verdict = check(written(name, source), 10, seed=1)
    assert [found.id for found in verdict.mistakes] == [id]
    assert verdict.earned == pytest.approx(10 * (1 - mistake_of(name, id).cost))


BEHIND = {
    "one that nobody listed": (
        """
def rnn_cell(p, x, h):
    a = x @ p["weight_ih"] + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]

    h_next = np.sin(a)
    return h_next, (x, h, h_next)
""",
        ["weight-ih-untransposed", "line-functions"],
        "but line 5 is right, `h_next = np.sin(a)`: look at its functions",
    ),
    "a listed one": (
        """
def rnn_cell(p, x, h):
    a = x @ p["weight_ih"] + p["bias_ih"] + h @ p["weight_hh"].T
    h_next = np.tanh(a)
    return h_next, (x, h, h_next)
""",
        ["weight-ih-untransposed", "bias-hh-missing"],
        "bias_hh",
    ),
}


def earned_without_the_error(source):
    return check(
        written("rnn_cell", source.replace('["weight_ih"] +', '["weight_ih"].T +')), 10, seed=1
    ).earned


@pytest.mark.parametrize(("source", "ids", "word"), BEHIND.values(), ids=BEHIND)
def test_an_error_that_hides_another_slip_costs_what_both_cost(source, ids, word):
    verdict = check(written("rnn_cell", source), 10, seed=1)
    assert [found.id for found in verdict.mistakes] == ids
    assert word in verdict.mistakes[1].says
    cost = mistake_of("rnn_cell", ids[0]).cost
    assert verdict.earned == pytest.approx(earned_without_the_error(source) - 10 * cost)
    assert verdict.earned > 0


NOTHING_BEHIND = {
    "nothing": "return a",
    "zeros": "return np.zeros_like(h), (x, h, np.zeros_like(h))",
    "an argument": "return h, (x, h, h)",
    "another error": "return a + p",
}


@pytest.mark.parametrize("rest", NOTHING_BEHIND.values(), ids=NOTHING_BEHIND)
def test_an_error_with_no_work_behind_it_earns_nothing(rest):
    source = f'def rnn_cell(p, x, h):\n    a = x @ p["weight_ih"] + p["bias_ih"]\n    {rest}\n'
    verdict = check(written("rnn_cell", source), 10, seed=1)
    assert verdict.earned == 0
    assert earned_without_the_error(source) <= 1


def test_a_version_that_nobody_can_run_pays_nothing(monkeypatch):
    monkeypatch.setattr("rnncore.check.slips.beneath.run_versions", lambda *args: [])
    assert check(written("rnn_cell", BEHIND["a listed one"][0]), 10, seed=1).earned == 0


@pytest.mark.parametrize("more", ["+ 0" * 900, "+ (" * 90 + "0" + ")" * 90])
def test_a_text_nested_deeply_is_an_answer_like_any_other(more):
    source = f"def rnn_cell(p, x, h):\n    return x @ p['weight_ih'] {more}\n"
    assert check(written("rnn_cell", source), 10, seed=1).earned == 0


def test_what_opens_a_file_is_not_tried():
    exercise, mistake = by_name()["rnn_cell"], mistake_of("rnn_cell", "weight-ih-untransposed")
    source = exercise.twin_source(mistake)
    assert list(undone(source, exercise, mistake))
    source = source.replace("    a = ", "    open('notes', 'w')\n    a = ")
    assert not list(undone(source, exercise, mistake))


LINES = {
    "the one that is wrong, behind the one that stops": (
        "rnn_cell",
        """
def rnn_cell(p, x, h):
    W = p["weight_ih"]
    a = x @ W + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    return np.tanh(a), (x, h, np.tanh(a))
""",
        'All but line 3, `W = p["weight_ih"]` is right.',
    ),
    "the one that stops, where another slip is behind it": (
        "rnn_cell",
        BEHIND["a listed one"][0],
        'It stops in line 3: `a = x @ p["weight_ih"] + p["bias_ih"] + h @ p["weight_hh"].T`.',
    ),
}


@pytest.mark.parametrize(("name", "source", "says"), LINES.values(), ids=LINES)
def test_a_mistake_that_raises_is_told_its_line(name, source, says):
    assert says in check(written(name, source), 10, seed=1).remarks
