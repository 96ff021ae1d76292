"""An error that nobody listed hides no other slip: what is behind it is marked, less what an error costs."""

import os

import pytest

from rnncore.check import check
from rnncore.exercises import by_name
from tests.rnncore.asked import once_a_case
from tests.rnncore.check.slips.test_repair import student

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="other versions run in a forked process")


def written(name, source):
    return student(name, source, f"{name}, {hash(source)}")


def cost_of(id):
    return next(mistake.cost for mistake in by_name()["rnn_cell"].mistakes if mistake.id == id)


SPELLED = {
    "a name": ("return h_next, (x, h, h_next)", "return h_next, (x, h, h_nxt)", 5),
    "a name in two places": ("return h_next, (x, h, h_next)", "return hnext, (x, h, hnext)", 5),
    "a capital": ("np.tanh(a)", "np.tanh(A)", 4),
    "a function": ("np.tanh", "np.tahn", 4),
    "a key": ('p["bias_ih"]', 'p["bais_ih"]', 3),
}
CELL = """
def rnn_cell(p, x, h):
    a = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    h_next = np.tanh(a)
    return h_next, (x, h, h_next)
"""
WITHOUT_A_BIAS = CELL.replace(' + p["bias_hh"]', "")


@pytest.mark.parametrize(("right", "wrong", "line"), SPELLED.values(), ids=SPELLED)
def test_a_word_misspelled_is_one_slip(right, wrong, line):
    verdict = check(written("rnn_cell", CELL.replace(right, wrong)), 10, seed=1)
    (slip,) = verdict.mistakes
    assert f"Everything but line {line} is right" in slip.says and "look at its spelling" in slip.says
    assert verdict.earned == 7


@pytest.mark.parametrize(("right", "wrong", "line"), SPELLED.values(), ids=SPELLED)
def test_what_a_word_misspelled_hides_has_its_own_name_and_cost(right, wrong, line):
    verdict = check(written("rnn_cell", WITHOUT_A_BIAS.replace(right, wrong)), 10, seed=1)
    spelled, hidden = verdict.mistakes
    assert spelled.says.startswith(f"Line {line} stops it") and "look at its spelling" in spelled.says
    assert hidden.id == "bias-hh-missing"
    assert verdict.earned == pytest.approx(7 - 10 * cost_of("bias-hh-missing"))


SHAPES = {
    "a transpose": ('h @ p["weight_hh"].T', '(h @ p["weight_hh"].T).T'),
    "an axis too much": ('p["bias_ih"]', 'p["bias_ih"][:, None]'),
}


@pytest.mark.parametrize(("right", "wrong"), SHAPES.values(), ids=SHAPES)
def test_shapes_that_do_not_fit_hide_no_listed_mistake(right, wrong):
    source = WITHOUT_A_BIAS.replace("np.tanh(a)", "np.maximum(a, 0)").replace(
        ' + p["bias_ih"]', ' + p["bias_ih"] + p["bias_hh"]'
    )
    assert [m.id for m in check(written("rnn_cell", source), 10, seed=1).mistakes] == ["relu-for-tanh"]
    verdict = check(written("rnn_cell", source.replace(right, wrong)), 10, seed=1)
    assert [m.id for m in verdict.mistakes][1:] == ["relu-for-tanh"]
    assert verdict.earned == pytest.approx(7 - 10 * cost_of("relu-for-tanh"))


STOPPED_GRADIENT = """
def rnn_cell_backward(p, dh, cache):
    x, h, h_next = cache
    da = dh * (1 - h_next ** 2)
    grads = {k: np.zeros_like(v) for k, v in p.items()}
    grads["weight_hh"] += np.einsum("bi,bj->bij", da, h)
    grads["weight_ih"] += da.T @ x
    grads["bias_ih"] += da.sum(0)
    grads["bias_hh"] += da.sum(0)
    return da @ p["weight_ih"], da @ p["weight_hh"], grads
"""


def test_where_the_line_that_stops_can_only_be_taken_out_the_rest_is_paid_and_nothing_named_for_it():
    verdict = check(written("rnn_cell_backward", STOPPED_GRADIENT), 10, seed=1)
    (slip,) = verdict.mistakes
    assert slip.says == 'Line 6 stops it, `grads["weight_hh"] += np.einsum("bi,bj->bij", da, h)`.'
    assert verdict.headline == "It stops with an error. What is right behind it counts."
    assert 4 <= verdict.earned < 7


def stubs(exercise):
    """Answers that stop and do no work, with a word in them that is nearly one that there is."""
    arguments = [name for name in exercise.arguments if name.isidentifier()]
    signature, first = ", ".join(arguments), arguments[0]
    values = {
        "an argument": first + first[-1],
        "arguments": ", ".join([first + first[-1]] * max(len(exercise.returns), 2)),
    }
    for stub, value in values.items():
        yield stub, f"\ndef {exercise.name}({signature}):\n    {first} = {first}{first}\n    return {value}\n"


PLAIN = [name for name, exercise in by_name().items() if exercise.use is None]


@pytest.mark.parametrize("name", PLAIN)
def test_a_stub_that_stops_earns_a_tenth_at_most(name):
    paid = {}
    with once_a_case():
        for stub, source in stubs(by_name()[name]):
            earned = check(written(name, source), 1, seed=1).earned
            if earned > 0.1:
                paid[stub] = earned
    assert paid == {}


def test_a_text_that_cannot_be_read_is_an_answer_like_any_other():
    source = """
cells = {
    "mine": lambda p, x, h: h_nxt + 1,
}
rnn_cell = cells["mine"]
rnn_cell.__name__ = "rnn_cell"
"""
    verdict = check(written("rnn_cell", source), 10, seed=1)
    assert (verdict.earned, verdict.mistakes) == (0, ())
