"""The judge, over a line to a namespace in this process: no kernel is needed to see what it does."""

import dataclasses

import nbformat
import numpy as np
import pytest

from autograder.judging import judge
from autograder.judging.judge import JudgeFault, judge_cell, seed_of
from autograder.judging.notebook import secret_of_work
from autograder.judging.received import outcome_of
from autograder.sandbox import bridge
from autograder.sandbox.kernels import Ran
from rnncore.exercises import by_name
from tests.autograder.small_lesson import (
    FIRST,
    LIMITS,
    NAMES,
    POINTS,
    SECOND,
    SECRET,
    SOLVED,
    THIRD,
    UNTOUCHED,
    lesson,
)


class Namespace:
    """Answers the judge's questions as a kernel would, and counts the calls."""

    def __init__(self, *sources, **names):
        self.names, self.calls, self.stopped_by = {"np": np, **names}, [], None
        self.helped = []
        for source in sources:
            exec(source, self.names)

    def ask(self, seconds, **request):
        request = bridge.decode(bridge.encode(request), formulas=True)
        if self.calls and self.stopped_by:  # the kernel has ended
            return Ran(stopped="death")
        if request["do"] in ("call", "calls"):
            self.calls.append(request["name"])
            self.helped += [*request.get("ours", ())]
            if self.stopped_by:
                return Ran(stopped=self.stopped_by)
        return Ran(answer=bridge.respond(self.names, {"most": 2**24, **request}))


def judged(namespace, name=FIRST, *, test=None, limits=LIMITS, may_help=False, at_once=False, **lesson_words):
    spec = lesson(tests={name: test} if test else None, **lesson_words)
    options = {"limits": limits, "seconds": 5.0, "student": "ada", "secret": SECRET}
    options |= {"may_help": may_help, "at_once": at_once}
    return judge_cell(spec.cell(f"{name}-check"), spec, namespace.ask, **options)


@pytest.mark.parametrize("name", NAMES)
def test_right_and_untouched(name):
    right = judged(Namespace(*SOLVED.values()), name)
    assert (right.points, right.verdict["status"], right.attempted) == (POINTS[name], "right", True)
    untouched = judged(Namespace(*UNTOUCHED.values()), name)
    assert (untouched.points, untouched.verdict["status"]) == (0, "not attempted")
    assert not untouched.attempted


def test_seed_depends_on_every_word_and_is_the_one_used():
    words = (SECRET, "03-bptt", "ada", FIRST)
    seeds = {seed_of(*words[:i], type(words[i])(words[i][:-1]), *words[i + 1 :]) for i in range(4)}
    assert len(seeds | {seed_of(*words)}) == 5
    result = judged(Namespace(*SOLVED.values()))
    assert result.seed == result.verdict["seed"] == seed_of(*words)


def test_names_run_together_make_another_seed():
    assert seed_of(SECRET, "a", "bc", "d") != seed_of(SECRET, "ab", "c", "d")


TWICE = SOLVED[SECOND].replace("def ", "def right_", 1)
WRONG_HELPER = f"{TWICE}\ndef {SECOND}(p, dh, cache):\n    return right_{SECOND}(p, 2 * dh, cache)\n"


def test_our_helper_takes_the_place_of_a_wrong_one_only_where_it_may():
    namespace = Namespace(WRONG_HELPER, SOLVED[THIRD])
    assert judged(namespace, SECOND).points < POINTS[SECOND]
    first = judged(namespace, THIRD)
    assert first.points < POINTS[THIRD] and first.wants_ours == {SECOND} and namespace.helped == []
    theirs = namespace.names[SECOND]
    second = judged(namespace, THIRD, may_help=True)
    assert second.points == POINTS[THIRD] and second.seed == first.seed
    assert set(namespace.helped) == {SECOND}
    assert namespace.names[SECOND] is theirs
    assert "The fault is in `rnn_cell_backward`" in str(second.verdict)


def test_a_right_answer_asks_for_no_helper():
    assert judged(Namespace(*SOLVED.values()), THIRD).wants_ours == set()


def test_nothing_that_an_answer_says_while_ours_is_there_reaches_the_verdict():
    """It has our helper in its hands then, and could tell its own author what is in it."""
    spies = (
        f"{SOLVED[THIRD].replace('def ', 'def right_', 1)}\n"
        f"def {THIRD}(p, dy, caches):\n"
        f"    if not hasattr({SECOND}, 'mine'):\n"
        f"        print('SECRET'); raise ValueError('SECRET ' + str({SECOND}.__code__.co_names))\n"
        f"    return right_{THIRD}(p, dy, caches)\n"
    )
    namespace = Namespace(WRONG_HELPER, f"{SECOND}.mine = True", spies)
    result = judged(namespace, THIRD, may_help=True)
    assert namespace.helped
    assert "SECRET" not in str(result.verdict) and "SECRET" not in str(result.outputs)
    assert result.points < POINTS[THIRD]


def test_nor_does_what_it_packs_its_numbers_in():
    """Keys of a dict are quoted where numbers are packed in one, and could be our helper's text."""
    packs = (
        f"{SOLVED[THIRD].replace('def ', 'def right_', 1)}\n"
        f"def {THIRD}(p, dy, caches):\n"
        f"    dx, dh0, grads = right_{THIRD}(p, dy, caches)\n"
        f"    if hasattr({SECOND}, 'mine'): return dx, dh0, grads\n"
        f"    return {{'SECRET ' + str({SECOND}.__code__.co_names): dx, 'more': dh0, **grads}}\n"
    )
    result = judged(Namespace(WRONG_HELPER, f"{SECOND}.mine = True", packs), THIRD, may_help=True)
    (slip,) = result.verdict["mistakes"]
    assert "packed as `{...: dx, ...: dh0, weight_ih:" in slip["says"]
    assert "SECRET" not in str(result.verdict) and "SECRET" not in str(result.outputs)


@pytest.mark.parametrize(
    ("stopped", "kind"),
    [("time", "TimeLimit"), ("memory", "MemoryLimit"), ("output", "OutputLimit"), ("death", "KernelDied")],
)
@pytest.mark.parametrize("name", [FIRST, THIRD])  # the last asks for another function of the student's
def test_after_a_stop_nothing_more_is_called(stopped, kind, name):
    namespace = Namespace(*SOLVED.values())
    namespace.stopped_by = stopped
    result = judged(namespace, name)
    assert (result.points, result.stopped, len(namespace.calls)) == (0, stopped, 1)
    assert kind in str(result.verdict)


def test_all_calls_together_have_a_time():
    namespace = Namespace(*SOLVED.values())
    ask = namespace.ask
    namespace.ask = lambda seconds, **request: dataclasses.replace(ask(seconds, **request), seconds=2.0)
    result = judged(namespace)
    assert result.stopped == "time"
    assert len(namespace.calls) == 2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [False, True])
def test_all_calls_but_the_first_are_made_at_once_and_say_the_same(name, wrong):
    twin = by_name()[name].twin_source(by_name()[name].mistakes[0])
    answers = [*SOLVED.values(), *([twin] if wrong else [])]
    one_by_one, at_once = Namespace(*answers), Namespace(*answers)
    expected, found = judged(one_by_one, name), judged(at_once, name, at_once=True)
    assert (found.points, found.verdict) == (expected.points, expected.verdict)
    assert len(at_once.calls) == 2 < len(one_by_one.calls)
    assert (expected.points < POINTS[name]) == wrong


@pytest.mark.parametrize(
    "answer",
    ["[]", "[[], []]", "nonsense", '{"l": []}', '{"l": [{"l": [1, 2]}]}', '{"l": [{"l": []}]}', None],
)
def test_calls_that_were_answered_oddly_are_made_one_by_one(answer):
    namespace = Namespace(*SOLVED.values())
    ask = namespace.ask
    namespace.ask = lambda seconds, **request: (
        Ran(answer=answer) if request["do"] == "calls" else ask(seconds, **request)
    )
    result = judged(namespace, at_once=True)
    assert (result.points, result.unreadable, result.stopped_at_once) == (POINTS[FIRST], False, False)
    assert len(namespace.calls) > 2


def test_calls_that_are_more_than_may_be_sent_at_once_are_made_one_by_one(monkeypatch):
    namespace = Namespace(*SOLVED.values())
    ask = namespace.ask

    def small(seconds, **request):
        if request["do"] == "calls":
            raise bridge.TooLarge("more bytes than may be sent")
        return ask(seconds, **request)

    namespace.ask = small
    assert judged(namespace, at_once=True).points == POINTS[FIRST]


def test_a_stop_in_many_calls_is_told_as_one():
    namespace = Namespace(*SOLVED.values())
    ask = namespace.ask
    namespace.ask = lambda seconds, **request: (
        Ran(stopped="death") if request["do"] == "calls" else ask(seconds, **request)
    )
    result = judged(namespace, at_once=True)
    assert (result.stopped, result.stopped_at_once) == ("death", True)


def test_direct_calls_return_values_and_raise_what_the_student_raised():
    student = """
def add(a, b=1): return a + b
def strange(): return {1, 2}
def fails(): raise ZeroDivisionError('by nothing')
class Own(Exception): pass
def fails_oddly(): raise Own('mine')
def fails_for_room(): raise MemoryError('theirs')
answer = 42
"""
    test = """
assert add(2) == 3 and add(np.ones(2), b=2).tolist() == [3, 3] and answer == 42
for call, kind in ((fails, ZeroDivisionError), (lambda: add(1, 2, 3), TypeError), (fails_oddly, Exception),
                   (fails_for_room, Exception)):
    try:
        call()
    except kind as error:
        print(type(error).__name__, error)
assert strange() != {1, 2}
"""
    result = judged(Namespace(student), test=test)
    assert result.points == POINTS[FIRST]
    assert result.outputs[0].text.splitlines() == [
        "ZeroDivisionError by nothing",
        "TypeError (a, b=1)",
        "StudentFailure Own: mine",
        "StudentFailure MemoryError: theirs",  # of its own kind it would say that there is no room here
    ]
    assert judged(Namespace(student), test="fails_for_room()").points == 0


def test_names_of_the_setup_cell_are_the_judges_own():
    student = "def mean(x): return 7\ndef floor(x): return 7\n"
    setup = "from statistics import mean\nimport math as floor\nmean = 3"
    test = "assert mean([1, 3]) == 2 and floor.pi > 3"
    assert judged(Namespace(student), setup=setup, test=test).points == POINTS[FIRST]


def test_an_exercise_is_the_students_even_if_the_setup_cell_imports_it():
    setup = f"from rnncore.losses import {FIRST}\nfrom rnncore.check import check"
    assert judged(Namespace(UNTOUCHED[FIRST]), setup=setup).points == 0


@pytest.mark.parametrize(
    ("test", "points", "shown"),
    [
        ("assert True", 3.0, "3"),
        ("1.25", 1.25, "1.25"),
        ("99", 3.0, "3"),
        ("-4", 0.0, "0"),
        ("True", 3.0, "3"),
        ("assert 1 == 2, 'no'", 0.0, None),
        ("nowhere(3)", 0.0, None),
        ("[1][5]", 0.0, None),
    ],
)
def test_points_of_other_tests_are_read_as_nbgrader_reads_them(test, points, shown):
    result = judged(Namespace(), test=test)
    assert result.points == points
    output = result.outputs[-1]
    assert output.output_type == ("error" if shown is None else "execute_result")
    assert shown is None or output.data["text/plain"] == shown


def test_a_missing_name_says_so():
    result = judged(Namespace())
    assert (result.points, result.missing, result.attempted) == (0, [FIRST], False)
    assert "never defines" in result.verdict["headline"]


def test_a_random_test_draws_the_same_for_the_same_student_and_leaves_no_trace():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    results = [judged(Namespace(), test="float(np.random.rand())").points for _ in range(2)]
    assert results[0] == results[1]
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_failure_of_our_own_check_is_a_fault(monkeypatch):
    import rnncore.check

    def broken(function, points, *, seed):
        raise KeyError("ours")

    monkeypatch.setattr(rnncore.check, "check", broken)
    with pytest.raises(JudgeFault, match="KeyError: 'ours'"):
        judged(Namespace(*SOLVED.values()))


def test_value_that_breaks_our_check_is_the_students(monkeypatch):
    """Comparison never raises; if it did, the student is told, and nothing is a fault of ours."""
    import rnncore.check

    def fragile(function, points, *, seed):
        if isinstance(function, judge.StudentFunction):
            raise RecursionError("of a value")
        return whole(function, points, seed=seed)

    whole = rnncore.check.check
    monkeypatch.setattr(rnncore.check, "check", fragile)
    result = judged(Namespace(*SOLVED.values()))
    assert (result.points, result.unjudged) == (0, [(FIRST, "RecursionError")])
    assert "compared with the right answer" in result.verdict["headline"]


@pytest.mark.parametrize(
    "returned",
    [
        "10**5000",
        "(10**5000, -10**400)",
        "type('', (), {})()",
        "['x' * 10**6, *'ab' * 9999], 0",
        "2.0**1000 * 1j",
    ],
)
def test_odd_values_are_wrong_answers(returned):
    for name in (FIRST, THIRD):
        result = judged(Namespace(*SOLVED.values(), f"def {name}(*args):\n    return {returned}\n"), name)
        assert (result.points, result.verdict["status"], result.unjudged) == (0, "wrong", [])


def test_odd_values_in_an_instructors_own_test_are_its_failure():
    test = "answer = odd()\nassert answer == 1, answer ** 20"
    result = judged(Namespace("def odd(): return 2**1000"), test=test)
    assert (result.points, result.outputs[-1].ename) == (0, "AssertionError")


ERROR = {"kind": "E", "message": "m", "line_number": 1, "line_text": "t", "function": "f"}
GOOD = {"value": 1, "error": None, "warnings": [], "args_after": [], "printed": ""}


@pytest.mark.parametrize(
    "change",
    [
        {"error": {**ERROR, "kind": np.zeros(3)}},
        {"error": {**ERROR, "line_number": "one"}},
        {"error": {**ERROR, "another": 1}},
        {"error": "text"},
        {"warnings": [{"message": 3}]},
        {"warnings": 3},
        {"args_after": 3},
        {"printed": ["text"]},
    ],
)
def test_outcome_of_the_wrong_form_is_no_answer(change):
    assert outcome_of(GOOD).value == 1
    assert outcome_of({**GOOD, **change}).error.kind == "NoAnswer"
    assert outcome_of(change).error.kind == "NoAnswer"


def test_changed_work_meets_new_inputs_and_unchanged_work_the_same():
    """Who hands in again, having printed what their functions were given, cannot answer by heart."""
    first, again, changed = (
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        for source in ("def f(x):\n    print(x)", "def f(x):\n    print(x)", "def f(x):\n    return KNOWN[x]")
    )
    assert secret_of_work(SECRET, first) == secret_of_work(SECRET, again) != secret_of_work(SECRET, changed)
    assert secret_of_work(SECRET, first) != secret_of_work(SECRET[:-1], first)
