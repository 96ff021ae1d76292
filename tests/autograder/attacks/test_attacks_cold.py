"""The attack suite with kernels that are started afresh, where that might make a difference."""

from tests.autograder.attacks.suite import Suite

WAY = "cold"


class TestCold(Suite):
    """The families of ``conftest.COLD``, with cold kernels."""
