"""check: what a student is told, and what they earn, for each way an answer can go wrong."""

import json
import linecache
import subprocess
import sys

import numpy as np
import pytest

from rnncore.cells import rnn as reference
from rnncore.check import check
from rnncore.exercises import by_name
from rnncore.losses import masked_cross_entropy
from rnncore.observe import Outcome, observe


def backward(change=lambda dx, dh, grads: (dx, dh, grads)):
    """A right rnn_cell_backward whose result is changed by ``change`` before it is returned."""

    def rnn_cell_backward(p, dh, cache):
        return change(*reference.rnn_cell_backward(p, dh, cache))

    return rnn_cell_backward


def student(source: str, name: str, **names):
    """A function from source text, as a notebook cell would define it, with ``names`` beside it."""
    scope = {"np": np, **names}
    exec(compile(source, "/tmp/cell.py", "exec"), scope)
    return scope[name]


def test_each_part_earns_its_share():
    verdict = check(
        backward(lambda dx, dh, grads: (dx, dh, {**grads, "weight_hh": grads["weight_hh"] + 1})), 6
    )
    assert (verdict.earned, verdict.status) == (5, "partly right")
    assert [part.name for part in verdict.parts if not part.right] == ['grads["weight_hh"]']


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda dx, dh, g: None, "returned None: is a `return` missing?"),
        (lambda dx, dh, g: (dx, dh), "returned 2 values, expected 3 values, `dx, dh_prev, grads`"),
        (lambda dx, dh, g: g, "returned a dict of 4, expected 3 values"),
        (lambda dx, dh, g: (dx.T, dh, g), "The numbers are right, but dx has shape (5, 3), expected (3, 5)."),
        (lambda dx, dh, g: (dx[:, 0], dh, g), "has shape (3,), expected (3, 5)."),
        (lambda dx, dh, g: (dx * np.nan, dh, g), "holds nan at dx[0, 0], where a finite number is expected"),
        (lambda dx, dh, g: (None, dh, g), "is None, expected an array of shape (3, 5)"),
        (lambda dx, dh, g: ("dx", dh, g), "is a string, expected an array"),
        (lambda dx, dh, g: (dx.astype(object), dh, g), "is an array of dtype object, expected an array"),
        (lambda dx, dh, g: (-dx, dh, g), "has the wrong sign everywhere"),
        (lambda dx, dh, g: (0 * dx, dh, g), "is all zeros"),
        (lambda dx, dh, g: (dx / 3, dh, g), "is the right answer divided by B = 3, everywhere"),
        (lambda dx, dh, g: (2 * dx, dh, g), "is the right answer times 2, everywhere"),
        (lambda dx, dh, g: (dx * (1 + 1e-3), dh, g), "is close, but right to only about 3 digits"),
        (
            lambda dx, dh, g: (dx, dh, None),
            "belongs in a dict, under its name; what was returned there is None",
        ),
        (lambda dx, dh, g: (dx, dh, {"weight_ih": g["weight_ih"]}), "is missing from the dict"),
        (lambda dx, dh, g: (dx, dh, {**g, "weight_hh": g["weight_hh"].T}), "is transposed"),
    ],
)
def test_what_is_wrong_is_said(change, sentence):
    verdict = check(backward(change), 6)
    assert verdict.earned < 6
    assert sentence in repr(verdict), repr(verdict)


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (lambda dx, dh, g: (dx.tolist(), dh, g), "`dx` is a list; an array is expected. Accepted."),
        (lambda dx, dh, g: (dx.astype(np.float32), dh, g), "`dx` came back as float32"),
    ],
)
def test_harmless_oddities_cost_nothing_and_are_mentioned(change, remark):
    verdict = check(backward(change), 6)
    assert (verdict.earned, verdict.status) == (6, "right")
    assert any(remark in text for text in verdict.remarks)


def test_an_exception_is_told_with_the_students_own_line_and_none_of_ours():
    source = "def rnn_cell_backward(p, dh, cache):\n    x, h = cache\n    return x\n"
    verdict = check(student(source, "rnn_cell_backward"), 5)
    assert (verdict.earned, verdict.status) == (0, "error")
    text = repr(verdict) + verdict.html()
    assert "ValueError was raised (line 2" in text
    assert "too many values to unpack" in text
    assert "observe" not in text
    assert "Traceback" not in text


def test_an_error_deep_in_compiled_code_is_told_with_the_students_own_line():
    def sample(logits, temperature, rng):
        probs = np.exp(logits / temperature)
        return rng.choice(logits.shape[-1], p=probs)

    verdict = check(sample, 4, seed=1)
    assert "`return rng.choice(logits.shape[-1], p=probs)`" in str(verdict)
    assert "_generator" not in str(verdict)


def test_wrong_arguments_are_told_by_signature():
    verdict = check(student("def rnn_cell_backward(p, dh): return p", "rnn_cell_backward"), 5)
    assert verdict.headline == "`rnn_cell_backward` takes (p, dh), expected (p, dh, cache)."


@pytest.mark.parametrize("stub", ["raise NotImplementedError", "raise NotImplementedError()"])
def test_an_untouched_stub_is_not_attempted(stub):
    for name, exercise in by_name().items():
        verdict = check(student(f"def {name}{exercise.signature}:\n    {stub}\n", name), 5)
        assert (verdict.earned, verdict.status, verdict.headline) == (0, "not attempted", "Not written yet.")


def test_a_function_resting_on_an_unwritten_one_says_so():
    unwritten = student(
        "def rnn_cell_backward(p, dh, cache):\n    raise NotImplementedError\n", "rnn_cell_backward"
    )
    own = student(by_name()["rnn_backward"].source, "rnn_backward", rnn_cell_backward=unwritten)
    verdict = check(own, 5)
    assert verdict.earned == 5 and "The fault is in `rnn_cell_backward`" in verdict.remarks[0]
    no_loop = student(
        "def rnn_backward(p, dy, caches):\n    return rnn_cell_backward(p, dy, caches)", "rnn_backward"
    )
    no_loop.__globals__["rnn_cell_backward"] = unwritten
    assert check(no_loop, 5).earned == 0


def test_follow_through_marks_a_right_loop_over_a_wrong_cell():
    wrong_cell = by_name()["rnn_cell_backward"].twin(by_name()["rnn_cell_backward"].mistakes[0])
    for name in ("rnn_backward", "truncated_backward"):
        right_loop = student(by_name()[name].source, name, rnn_cell_backward=wrong_cell)
        verdict = check(right_loop, 6)
        assert (verdict.earned, verdict.mistakes) == (6, ())
        assert "The fault is in `rnn_cell_backward`" in verdict.remarks[0]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_follow_through_rewards_nothing_over_a_function_that_proves_nothing(value):
    """A cell that returns constants makes every loop over it look right: no marks for that."""
    constants = student(
        "def rnn_cell_backward(p, dh, cache):\n"
        f"    full = lambda a: np.full(a.shape, {value})\n"
        "    return full(cache[0]), full(dh), {name: full(a) for name, a in p.items()}",
        "rnn_cell_backward",
    )
    source = (
        "def rnn_backward(p, dy, caches):\n"
        f"    T = len(caches); full = lambda a, v: np.full(a.shape, v)\n"
        "    x = np.stack([cache[0] for cache in caches], axis=1)\n"
        f"    return full(x, {value}), full(dy[:, 0], {value}), "
        f"{{name: full(a, T * {value}) for name, a in p.items()}}"
    )
    assert check(student(source, "rnn_backward", rnn_cell_backward=constants), 6).earned == 0


@pytest.mark.parametrize(
    "name, source",
    [
        (
            "sample",
            "def sample(logits, temperature, rng):\n"
            "    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)\n"
            "    return e / e.sum(axis=-1, keepdims=True), True",
        ),
        ("sample", "def sample(logits, temperature, rng):\n    return 'heads', True"),
        ("orthogonal", "def orthogonal(rng, n):\n    return 1"),
        ("orthogonal", "def orthogonal(rng, n):\n    return True"),
        ("orthogonal", "def orthogonal(rng, n):\n    return np.eye(n) > 0, True, True, True"),
        ("generate", "def generate(step, state, first, count, temperature, rng):\n    return [first], True"),
        ("split_by_time", "def split_by_time(series, valid, test):\n    return True"),
    ],
)
def test_what_cannot_be_looked_at_is_wrong_in_words_whatever_it_looks_like(name, source):
    """Such a value was once compared, as it is, with what should be seen of a right one."""
    given = by_name()[name].signature
    source = source.replace(source.split("(", 1)[1].split("):", 1)[0], given.strip("()"), 1)
    verdict = check(student(source + "\n", name), 4)
    assert verdict.earned == 0 and verdict.mistakes == ()
    assert verdict.headline and all(part.says for part in verdict.parts if not part.right)


def test_zeros_are_no_known_mistake():
    verdict = check(
        student("def numerical_gradient(f, x):\n    return np.zeros_like(x)", "numerical_gradient"), 3
    )
    assert (verdict.earned, verdict.mistakes) == (0, ())
    assert "is all zeros" in repr(verdict)


def test_the_common_unstable_softmax_is_named():
    source = (
        "def softmax_cross_entropy(logits, targets):\n    B, T, V = logits.shape\n    e = np.exp(logits)\n"
        "    p = e / e.sum(-1, keepdims=True)\n    b, t = np.ogrid[:B, :T]\n"
        "    loss = -np.log(p[b, t, targets]).mean()\n    d = p.copy()\n    d[b, t, targets] -= 1\n"
        "    return loss, d / (B * T)"
    )
    verdict = check(student(source, "softmax_cross_entropy"), 4)
    assert [named.id for named in verdict.mistakes] == ["unstable"]


def test_prints_appear_once_as_a_remark(capsys):
    source = "def sigmoid(x):\n    print('hello', np.shape(x))\n    return 0.5 + 0.5 * np.tanh(x / 2)"
    verdict = check(student(source, "sigmoid"), 4)
    assert verdict.earned == 4
    assert verdict.remarks == ("It printed, when first called:\nhello (3, 5)",)
    assert capsys.readouterr().out == ""


def test_only_the_beginning_of_what_is_printed_is_kept():
    source = "def sigmoid(x):\n    for _ in range(10**5): print('x' * 50)\n    return x"
    assert len(observe(student(source, "sigmoid"), (np.ones(2),)).printed) == 1000


def test_a_wrong_loop_over_a_wrong_cell_is_named_for_its_own_mistake():
    cell, loop = by_name()["rnn_cell_backward"], by_name()["rnn_backward"]
    wrong_cell = cell.twin(cell.mistakes[0])
    wrong_loop = student(loop.twin_source(loop.mistakes[0]), "rnn_backward", rnn_cell_backward=wrong_cell)
    verdict = check(wrong_loop, 6)
    assert verdict.earned < 6
    assert [named.id for named in verdict.mistakes] == [loop.mistakes[0].id]


@pytest.mark.parametrize("body", ["return 1 / 0", "return None", "dh[:] = 0", "return dh, dh, {}"])
def test_an_earlier_function_that_is_wrong_costs_nothing_whatever_it_does(body):
    broken = student(f"def rnn_cell_backward(p, dh, cache):\n    {body}\n", "rnn_cell_backward")
    source, mistake = by_name()["rnn_backward"].source, by_name()["rnn_backward"].mistakes[0]
    verdict = check(student(source, "rnn_backward", rnn_cell_backward=broken), 6)
    assert (verdict.earned, verdict.mistakes) == (6, ())
    assert "The fault is in `rnn_cell_backward`" in verdict.remarks[0]
    wrong = student(by_name()["rnn_backward"].twin_source(mistake), "rnn_backward", rnn_cell_backward=broken)
    verdict = check(wrong, 6)
    assert verdict.earned < 6 and [named.id for named in verdict.mistakes] == [mistake.id]
    assert wrong.__globals__["rnn_cell_backward"] is broken


def test_a_helper_that_counts_its_calls_proves_nothing():
    """It once gave a right loop the zeros of the student's own, then raised: 15 of 15 for a loop of zeros."""
    for most in (0, 1, 10, 30, 100, 1000):
        counting = student(
            "calls = []\n"
            "def rnn_cell(p, x, h_prev):\n"
            "    calls.append(1)\n"
            f"    if len(calls) > {most}: raise ValueError('enough')\n"
            "    return np.zeros_like(h_prev), (x, h_prev, h_prev)\n",
            "rnn_cell",
        )
        zeros = student(
            f"def rnn_forward{by_name()['rnn_forward'].signature}:\n"
            "    B, T, _ = x.shape; H = len(p['bias_hh'])\n"
            "    return np.zeros((B, T, H)), np.zeros((B, H)), [None] * T\n",
            "rnn_forward",
            rnn_cell=counting,
        )
        assert check(zeros, 5).earned == 0


def test_two_mistakes_at_once_are_both_named():
    exercise = by_name()["rnn_cell_backward"]
    by_id = {mistake.id: mistake for mistake in exercise.mistakes}
    for pair in (("bias-averaged", "weight-hh-gradient-transposed"), ("not-squared", "bias-averaged")):
        verdict = check(exercise.twin(*(by_id[one] for one in pair)), 6)
        assert {named.id for named in verdict.mistakes} == set(pair)


@pytest.mark.parametrize(
    ("name", "source", "sentence"),
    [
        (
            "activation_grad",
            "def activation_grad(name, y):\n    if name == 'sigmoid': return y * (1 - y)\n"
            "    if name == 'tanh': return 1 - y**2\n    if name == 'ReLU': return (y > 0) * 1.0",
            "returned None for name = 'relu': is a `return` missing?",
        ),
        (
            "rnn_cell",
            "def rnn_cell(p, x, h):\n    return np.tanh(x @ p['W_ih'].T), (x, h, h)",
            "'W_ih'. The keys there are: weight_ih, weight_hh, bias_ih, bias_hh.",
        ),
        (
            "rnn_cell",
            "def rnn_cell(p, x, h):\n    new, cache = right(p, x, h)\n    return new, cache[:2]",
            "cache: holds 2 items, expected 3: (x, h, h_next).",
        ),
        (
            "rnn_cell",
            "def rnn_cell(p, x, h):\n    new, cache = right(p, x, h)\n    return new, (x, -h, new)",
            "cache[1] (the cached h) has the wrong sign everywhere",
        ),
        ("sigmoid", "def sigmoid(x):\n    return 0.5 * np.tanh(x / 2) + 1", "is 0.5 too large, everywhere."),
    ],
)
def test_lesson_02_slips_are_told_in_its_own_words(name, source, sentence):
    verdict = check(student(source, name, right=reference.rnn_cell), 6)
    assert verdict.earned < 6
    assert sentence in repr(verdict), repr(verdict)


def test_a_cache_that_holds_the_wrong_state_returned_is_charged_once():
    exercise = by_name()["rnn_cell"]
    forgotten = next(m for m in exercise.mistakes if m.id == "bias-ih-missing")
    verdict = check(exercise.twin(forgotten), 4)
    assert (verdict.earned, [named.id for named in verdict.mistakes]) == (3.2, ["bias-ih-missing"])


def test_two_mistakes_in_cases_of_their_own_are_both_named():
    source = (
        "def activation_grad(name, y):\n"
        "    return {'sigmoid': y * (1 - y), 'tanh': 1 - y, 'relu': (y >= 0) * 1}[name]"
    )
    verdict = check(student(source, "activation_grad"), 3)
    assert verdict.earned == 1.2  # 0.3 each
    assert {named.id for named in verdict.mistakes} == {"tanh-not-squared", "relu-slope-one-everywhere"}


def test_changed_inputs_cost_a_fifth_and_are_named():
    source = (
        "def rnn_cell_backward(p, dh, cache):\n"
        "    result = right(p, dh, cache)\n    dh *= 2\n    return result\n"
    )
    verdict = check(student(source, "rnn_cell_backward", right=reference.rnn_cell_backward), 5)
    assert verdict.earned == 4
    assert "changes its input `dh`" in repr(verdict)


def test_changed_inputs_are_told_beside_a_named_mistake_too():
    source = (
        "def rnn_cell_backward(p, dh, cache):\n    x, h, h_next = cache\n    dh *= 1 - h_next\n"
        "    bias = dh.sum(axis=0)\n"
        "    grads = {'weight_ih': dh.T @ x, 'weight_hh': dh.T @ h, 'bias_ih': bias, 'bias_hh': bias}\n"
        "    return dh @ p['weight_ih'], dh @ p['weight_hh'], grads"
    )
    verdict = check(student(source, "rnn_cell_backward"), 7)
    assert [named.id for named in verdict.mistakes] == ["not-squared", "input-changed"]
    assert "changes its input `dh`" in repr(verdict)


def test_state_that_leaks_between_calls_is_found():
    source = (
        "total = 0\ndef rnn_cell_backward(p, dh, cache):\n    global total\n    total += 1\n"
        "    dx, dh, grads = right(p, dh, cache)\n    return dx * (1 if total < 5 else 2), dh, grads\n"
    )
    verdict = check(student(source, "rnn_cell_backward", right=reference.rnn_cell_backward), 10)
    assert verdict.earned == 7
    assert "called a second time" in repr(verdict)


def test_a_special_case_costs_less_than_everything():
    source = (
        "def rnn_backward(p, dy, caches):\n    if len(caches) == 1:\n        raise ValueError('T = 1?')\n"
        "    return right(p, dy, caches)\n"
    )
    verdict = check(student(source, "rnn_backward", right=reference.rnn_backward), 10)
    assert verdict.earned == 7
    assert [part.name for part in verdict.parts if not part.right] == ["T = 1"]


def test_the_first_wrong_time_step_is_told_going_backwards():
    def rnn_backward(p, dy, caches):
        dx, dh0, grads = reference.rnn_backward(p, dy, caches)
        dx[:, : dx.shape[1] - 2] += 1
        return dx, dh0, grads

    assert "is right at the last 2 steps; going backwards in time, the first wrong step is t = 2" in repr(
        check(rnn_backward, 6)
    )


def test_unrelated_errors_are_not_called_known_mistakes():
    """Random damage to a right answer: something is wrong, but none of the mistakes in the bank was made."""
    rng = np.random.default_rng(0)

    def damaged(exercise, damage):
        def function(*args):
            return damage(exercise.reference(*args))

        function.__name__ = exercise.name
        return function

    def spoil(value):
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(spoil(item) for item in value)
        if isinstance(value, list):
            numbers = bool(value) and all(isinstance(item, int) for item in value)
            return [*value, 71, 72] if numbers else [spoil(i) if isinstance(i, list) else i for i in value]
        value = np.array(value, dtype=float)
        return value + rng.normal(0, 0.1, value.shape)

    falsely_named = []
    for number, exercise in enumerate(by_name().values()):
        verdict = check(damaged(exercise, spoil), 4, seed=number)
        assert verdict.earned < 4
        falsely_named += [(exercise.name, named.id) for named in verdict.mistakes]
    assert falsely_named == []


def test_misuse_of_check_is_one_sentence():
    assert "without parentheses" in check(np.zeros(3)).headline
    assert "no exercise is called `mean`" in check(np.mean).headline


def test_the_same_seed_draws_the_same_inputs():
    wrong = backward(lambda dx, dh, g: (dx + 1, dh, g))
    assert repr(check(wrong, seed=7)) == repr(check(wrong, seed=7)) != repr(check(wrong, seed=8))


def test_a_verdict_speaks_to_notebooks_people_and_programs():
    verdict = check(backward(lambda dx, dh, g: (dx + 1, dh, g)), 3)
    bundle = verdict._repr_mimebundle_()
    assert bundle["text/plain"] == "2.5"
    assert "2.5 of 3 points" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert json.loads(json.dumps(verdict.as_dict()))["earned"] == 2.5


def test_what_a_student_returns_is_escaped():
    source = "def rnn_cell_backward(p, dh, cache):\n    raise ValueError('<script>alert(1)</script>')\n"
    assert "<script" not in check(student(source, "rnn_cell_backward")).html()


def test_an_observed_outcome_survives_the_wire():
    source = "def f(x):\n    x += 1\n    return np.exp(x * 1000), [1, {'a': None}]\n"
    outcome = observe(student(source, "f"), (np.ones(2),))
    again = Outcome.from_plain(outcome.to_plain())
    assert again.warnings == outcome.warnings
    assert again.warnings[0].message == "overflow encountered in exp"
    np.testing.assert_array_equal(again.args_after[0], [2, 2])


def without(package, code):
    """What ``code`` prints in a fresh Python that cannot import ``package``."""
    hide = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.startswith({package!r}):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    done = subprocess.run([sys.executable, "-c", hide + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_where_exercises_are_out_of_reach_check_says_so():
    code = (
        "from rnncore.check import check\ndef rnn_cell(p, x, h): return h\nprint(check(rnn_cell, 3).status)\n"
    )
    assert without("rnncore.exercises", code) == "not checked here"


NEED_TORCH = [
    "to_torch",
    "HandLSTM",
    "train_step",
    "evaluate",
    "encode",
    "attention",
    "beam_search",
    "caption",
]
DO_WITHOUT = ["rnn_cell", "lstm_cell", "log_mel", "place", "seasonal_naive"]


def test_an_exercise_without_its_package_says_so_in_a_sentence():
    """Where torch is missing, its exercises cannot be checked; those that do without it can."""
    code = (
        "from rnncore.check import check\n"
        f"for name in {NEED_TORCH + DO_WITHOUT!r}:\n"
        "    def answer(*args, **named): return 0\n"
        "    answer.__name__ = name\n"
        "    verdict = check(answer, 3)\n"
        "    if verdict.status == 'not checked here': print(name, verdict.points_text, verdict.headline)\n"
        "    else: assert verdict.headline, name\n"
    )
    said = [line.split(" ", 1) for line in without("torch", code).splitlines()]
    assert [name for name, _ in said] == NEED_TORCH
    assert set(dict(said).values()) == {
        "0 of 3 points This exercise needs the package torch, which is not installed here: "
        "`pip install torch` brings it; then restart the kernel and try again."
    }


def test_a_grader_without_the_package_charges_nobody():
    code = (
        "from rnncore.check import check\n"
        "class Remote:\n"
        "    __name__ = 'to_torch'\n"
        "    def __call__(self): pass\n"
        "    def observe_remotely(self, args): raise AssertionError('nothing to ask for')\n"
        "try: print(check(Remote(), 3))\n"
        "except ModuleNotFoundError as missing: print(missing.name)\n"
    )
    assert without("torch", code) == "torch"


def test_an_error_is_told_with_what_the_names_in_its_line_held():
    source = "def rnn_cell(p, x, h):\n    n = len(x)\n    total = x + h[:n, :1].T\n    return total, (x, h)\n"
    linecache.cache["<a cell>"] = (len(source), None, source.splitlines(keepends=True), "<a cell>")
    scope = {"np": np}
    exec(compile(source, "<a cell>", "exec"), scope)
    said = repr(check(scope["rnn_cell"], 2, seed=1))
    assert "line 3" in said and "x: (" in said and "h: (" in said and "n: " in said
    assert "sizes that meet must be equal, or one of them 1" in said


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        ("return y[0] @ y[0] + {}", ""),
        ("return y if y > 2 else 1 - y", "want one yes or no, and here are many"),
        ("a, b = y.shape[:1]\n    return y", "on the left stand more or fewer names than values"),
        ("return y[len(y)]", "counted from 0"),
        ("return np.concatenate([y, y[0]])", "different numbers of axes"),
        ("return None + y", "something is None here"),
    ],
)
def test_a_well_known_error_is_told_in_other_words(body, meaning):
    said = repr(check(student(f"def activation_grad(name, y):\n    {body}\n", "activation_grad"), 3, seed=2))
    assert ("In other words" in said) == bool(meaning)
    assert meaning in said


def test_a_mistake_and_a_changed_input_are_both_told():
    source = (
        "def masked_cross_entropy(logits, targets, lengths):\n"
        "    logits -= logits.max(axis=-1, keepdims=True)\n"
        "    loss, slope = right(logits, targets, lengths)\n    return -loss, slope\n"
    )
    verdict = check(student(source, "masked_cross_entropy", right=masked_cross_entropy), 10, seed=3)
    assert [named.id for named in verdict.mistakes] == ["sign-of-the-loss", "input-changed"]
    assert verdict.earned == pytest.approx(5)


def test_what_a_named_mistake_leaves_unexplained_keeps_its_numbers_open():
    exercise = by_name()["gru_cell_backward"]
    twin = exercise.twin(next(one for one in exercise.mistakes if one.id == "update-gate-sign"))

    def gru_cell_backward(p, dh, cache):
        dx, dh_prev, grads = twin(p, dh, cache)
        return dx, dh_prev, grads | {"bias_hh": grads["bias_hh"][:-1]}

    verdict = check(gru_cell_backward, seed=1)
    assert [named.id for named in verdict.mistakes] == ["update-gate-sign"]
    (left,) = [remark for remark in verdict.remarks if remark.startswith("Not explained by that")]
    assert left == 'Not explained by that: `grads["bias_hh"]` has shape (5,), expected (6,).'
