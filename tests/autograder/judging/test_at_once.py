"""Calls that are made at once come to what they come to one by one, whatever stops them."""

from dataclasses import replace

import pytest

from autograder.judging import judge as judging
from autograder.judging import notebook as grading
from tests.autograder.small_lesson import FIRST, LIMITS, POINTS, SECOND, SOLVED, grade, points, submission

LATER = {
    "death": ("import os", "os._exit(3)", "KernelDied"),
    "time": ("import time", "time.sleep(600)", "TimeLimit"),
    "memory": ("import numpy as np", "np.ones(10**10)", "MemoryError"),
}


@pytest.mark.parametrize("how", LATER)
def test_what_only_a_later_call_does_is_that_calls_alone(how, monkeypatch):
    """They are made one by one where they are stopped, so the same comes of it."""
    monkeypatch.setenv("KERNELS_OF_TESTS", "warm")  # in which a stop costs least
    imports, does, kind = LATER[how]
    begin, _, rest = SOLVED[SECOND].partition("\n")
    third = f"    called.append(1)\n    if len(called) % 3 == 0:\n        {does}\n"
    later = f"{imports}\ncalled = []\n{begin}\n{third}{rest}"
    limits = replace(LIMITS, call_seconds=1.0, cell_seconds=30.0)
    at_once = grade(submission({SECOND: later}), limits=limits)
    asked = judging.judge_cell
    monkeypatch.setattr(
        grading, "judge_cell", lambda *words, **named: asked(*words, **{**named, "at_once": False})
    )
    one_by_one = grade(submission({SECOND: later}), limits=limits)
    assert at_once.status == one_by_one.status and at_once.remarks == one_by_one.remarks
    assert points(at_once) == points(one_by_one) and points(at_once)[SECOND] < POINTS[SECOND]
    assert points(at_once)[FIRST] == POINTS[FIRST]
    assert kind in str(at_once.scores[f"{SECOND}-check"].verdict)
