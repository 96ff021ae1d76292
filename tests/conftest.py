"""Tests that grade need a sandbox: without one they are skipped with its reason, and fail in CI."""

import os

import pytest
from hypothesis import HealthCheck, settings

# Hypothesis gives an example 200 ms, and ten draws a second: a busy machine needs longer, and is not wrong.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def skip_without_sandbox():
    """A hook around a part of a test, in which grading may refuse to start."""
    try:
        return (yield)
    except Exception as error:
        # By name, so that students' tests on macOS and Windows import nothing of the autograder.
        if type(error).__name__ == "NoSandbox" and not os.environ.get("CI"):
            pytest.skip(str(error))
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    return (yield from skip_without_sandbox())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from skip_without_sandbox())
