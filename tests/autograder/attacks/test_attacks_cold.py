"""The attack suite with kernels that are started afresh, where that might make a difference."""

from tests.autograder.attacks.conftest import BANK, COLD, MIGHT_DIFFER
from tests.autograder.attacks.suite import Suite

WAY = "cold"


class TestCold(Suite):
    """What ``conftest.COLD`` names, with cold kernels; all of its families with UNROLLED_ATTACKS=all."""


def test_some_of_each_family_that_might_differ_are_graded_cold():
    assert set(COLD) <= set(BANK) and len(set(COLD)) == len(COLD)
    assert {BANK[name].family for name in COLD} == set(MIGHT_DIFFER)
