"""What tests share: those that grade need a sandbox, and some need a process of their own.

Without a sandbox a test is skipped with its reason, and fails in CI. A test marked ``own_process`` runs in a
fork of pytest's: once autograd has run on a device, torch refuses it in every later fork of that process,
and ``rnncore.versions`` tries its versions in forks.
"""

import os
import traceback

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


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if "own_process" not in pyfuncitem.keywords:
        return None
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said = b"it never began"
        try:
            names = pyfuncitem._fixtureinfo.argnames
            pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
            said = b""
        except BaseException:
            said = traceback.format_exc().encode()
        finally:
            with open(writing, "wb") as pipe:
                pipe.write(said)
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if said or status:
        pytest.fail(said or f"its process ended with status {status}", pytrace=False)
    return True
