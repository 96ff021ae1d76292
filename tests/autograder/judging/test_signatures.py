"""Wrong answers without a name: the same numbers have the same signature, and nothing else depends on it."""

from dataclasses import replace

import pytest

from autograder.judging import signatures
from autograder.judging.graded import CellScore
from autograder.judging.status import Status
from tests.autograder.small_lesson import FIRST, POINTS, SECOND, grade, points, submission

# Wrong in a way that is no known mistake, in two styles; and wrong in another way.
ODD = f"def {FIRST}(logits, targets):\n    return float(logits.sum()) * 1.37, logits * 0.21 + 3\n"
SAME = f"""\
import numpy as np

def {FIRST}(scores, labels):
    gradient = np.float32(0.21) * scores
    gradient = gradient + 3.0
    total = 0.0
    for row in scores:
        total = total + 1.37 * np.sum(row)
    return [total, gradient.tolist()]
"""
OTHER = ODD.replace("1.37", "1.38")


def signature(graded, name=FIRST):
    return graded.scores[f"{name}-check"].signature


def test_one_mistake_in_two_styles_has_one_signature():
    """Each student has inputs of their own, and a kernel of their own."""
    odd, same, other = (
        grade(submission({FIRST: text}, last=last), student=name)
        for name, text, last in (("Ann", ODD, ""), ("Bob", SAME, "%reset -f"), ("Cem", OTHER, ""))
    )
    assert signature(odd) and signature(odd) == signature(same) != signature(other) != ""
    assert points(odd)[FIRST] == 0 and not odd.scores[f"{FIRST}-check"].verdict["mistakes"]
    assert odd.scores[f"{SECOND}-check"].signature == ""  # it is right


def test_nothing_but_the_signature_changes(monkeypatch):
    signed = grade(submission({FIRST: ODD}))
    monkeypatch.setattr(signatures, "MOST", 0)
    plain = grade(submission({FIRST: ODD}))
    assert signature(signed) and not signature(plain)
    for name, score in plain.scores.items():
        assert replace(signed.scores[name], signature="") == score
    assert (signed.status, signed.remarks, signed.starved) == (plain.status, plain.remarks, plain.starved)
    assert [cell.get("outputs") for cell in signed.notebook.cells] == [
        cell.get("outputs") for cell in plain.notebook.cells
    ]


@pytest.mark.parametrize(
    "evil",
    [
        "import os; os._exit(1)",
        "while True: pass",
        "import rnncore.observe; rnncore.observe.observe = lambda *a: None",
    ],
)
def test_an_answer_that_waits_for_the_common_inputs_gains_and_harms_nothing(evil, monkeypatch):
    """It knows them by heart, and does its worst as soon as it sees them."""
    monkeypatch.setattr(signatures, "SECONDS", 1.0)
    body = ODD.partition("\n")[2]
    known = repr(float(first_common_input().ravel()[0]))
    seen = f"if abs(logits.ravel()[0] - {known}) < 1e-9"
    text = f"def {FIRST}(logits, targets):\n    {seen}:\n        {evil}\n{body}"
    graded = grade(submission({FIRST: text}))
    assert points(graded) == POINTS | {FIRST: 0.0}
    assert graded.status is Status.GRADED and graded.remarks == [] and not graded.starved


def test_a_right_answer_to_the_common_inputs_alone_is_no_right_answer():
    known = repr(float(first_common_input().ravel()[0]))
    text = (
        f"def {FIRST}(logits, targets):\n    if abs(logits.ravel()[0] - {known}) < 1e-9:\n"
        f"        return 1.0, logits\n{ODD.partition(chr(10))[2]}"
    )
    graded = grade(submission({FIRST: text}))
    assert points(graded)[FIRST] == 0 and graded.scores[f"{FIRST}-check"].max_points == POINTS[FIRST]


def first_common_input():
    import numpy as np

    from rnncore.exercises import by_name

    return by_name()[FIRST].draw(np.random.default_rng(signatures.COMMON_SEED))[0].args[0]


def test_what_cannot_be_signed_is_left_out():
    score = CellScore(0.0, 3.0, {"status": "wrong", "mistakes": (), "exercise": FIRST})

    def fails(name):
        raise MemoryError

    for fresh in (fails, lambda name: None):
        assert signatures.sign({"a": score}, fresh, None) == {"a": score}
    named = replace(score, verdict={**score.verdict, "mistakes": ({"id": "x", "says": "y"},)})
    right = replace(score, points=3.0)
    never = CellScore(0.0, 3.0, {"status": "not attempted", "mistakes": ()})
    for one in (named, right, never, CellScore(0.0, 3.0)):
        assert signatures.sign({"a": one}, fails, None) == {"a": one}
