"""What tests share: those that grade need a sandbox, and some need a process of their own.

Without a sandbox a test is skipped with its reason, and fails in CI. Tests marked ``own_process`` run in a
pytest of their own, a module's together: autograd knows only the devices that there were when it was first
used in a process, and once it has run on a device, torch refuses it in every later fork, in which
``rnncore.versions`` tries its versions.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Hypothesis gives an example 200 ms, and ten draws a second: a busy machine needs longer, and is not wrong.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

OWN_PROCESS = "UNROLLED_OWN_PROCESS"  # where tests in a process of their own say how they ended


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


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if "own_process" not in pyfuncitem.keywords or OWN_PROCESS in os.environ:
        return None
    said = in_a_process_of_its_own(pyfuncitem.session, pyfuncitem.path)
    if (words := said.get(pyfuncitem.nodeid, said["it"])) is not None:
        pytest.fail(words, pytrace=False)
    return True


@functools.cache
def in_a_process_of_its_own(session, path):
    """{test: why it failed, or None} of a module's marked tests; "it": what became of the process."""
    chosen = [one.nodeid for one in session.items if one.path == path and "own_process" in one.keywords]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *chosen]
        ended = subprocess.run(
            command,
            cwd=session.config.rootpath,
            env={**os.environ, OWN_PROCESS: str(report)},
            capture_output=True,
            text=True,
        )
        lines = report.read_text().splitlines() if report.exists() else []
    said = {"it": f"Its process ended with {ended.returncode}.\n{ended.stdout}{ended.stderr}"}
    for name, outcome, words in map(json.loads, lines):
        said[name] = said.get(name) or (None if outcome == "passed" else words)
    return said


def pytest_runtest_logreport(report):
    """In a process of their own, tests say there how they ended."""
    if OWN_PROCESS in os.environ and (report.when == "call" or not report.passed):
        with open(os.environ[OWN_PROCESS], "a") as file:
            file.write(json.dumps([report.nodeid, report.outcome, report.longreprtext]) + "\n")
