"""What every run of pytest here shares: which device notebooks use, how nbval reads them, what comes first.

Notebooks run on the CPU unless RNNCORE_DEVICE says otherwise (cuda, or standin), also where there is a GPU.
This file lies at the top because it holds for solutions/ as well as for tests/.
"""

import os

import pytest

os.environ.setdefault("RNNCORE_DEVICE", "cpu")

# Tests of checks fork the process that they run in, hundreds of times, and a fork takes the longer the more
# that process holds: they come before all that makes it large.
LEAN = "tests/rnncore/"

# Then modules that take long, the longest in front: whoever is free takes the next one, so that short ones
# are left for the end and no worker waits for another's long last module.
LONG = (
    "tests/rnncore/exercises/test_mistakes.py",
    "tests/rnncore/check/test_idle_answers.py",
    "tests/rnncore/check/test_check.py",
    "tests/autograder/attacks/test_attacks.py",
    "tests/autograder/attacks/test_attacks_cold.py",
    "tests/autograder/course/test_shown.py",
    "tests/autograder/course/test_lessons.py",
    "tests/autograder/cli/test_stopping.py",
    "tests/test_site.py",
    "tests/test_lite.py",
    "tests/test_gpu.py",
    "tests/autograder/classroom/test_demo.py",
    "tests/autograder/cli/test_doors.py",
    "tests/autograder/judging/test_notebook.py",
    "tests/autograder/judging/test_second_look.py",
    "tests/autograder/sandbox/test_warm.py",
    "tests/autograder/judging/test_hostile_pages.py",
    "tests/notebooks/test_devices.py",
    "tests/notebooks/test_run.py",
)


def missing_device():
    """Why the notebooks cannot run on the device asked for, or None where they can."""
    name = os.environ["RNNCORE_DEVICE"]
    if not name.startswith("cuda"):
        return None
    import torch  # takes a second, which other runs should not wait for

    return (
        None if torch.cuda.is_available() else f"RNNCORE_DEVICE is {name}, and torch finds no CUDA GPU here"
    )


def pytest_collection_modifyitems(items):
    rank = {name: place for place, name in enumerate(LONG)}

    def turn(item):
        return not item.nodeid.startswith(LEAN), rank.get(item.nodeid.split("::")[0], len(LONG))

    items.sort(key=turn)
    reason = missing_device()
    for item in items:
        if type(item).__name__ == "IPyNbCell":  # nbval's item, one code cell
            # Notebooks are committed without execution counts, and nbval takes a cell that has none for one
            # that never ran: it would not compare its output.
            item.cell.execution_count = 0
        elif "runs_notebooks" not in item.keywords:
            continue
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
