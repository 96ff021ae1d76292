"""What every run of pytest here shares: which device notebooks use, and how nbval reads them.

Notebooks run on the CPU unless RNNCORE_DEVICE says otherwise (cuda, or standin), also where there is a GPU.
This file lies at the top because it holds for solutions/ as well as for tests/.
"""

import os

import pytest

os.environ.setdefault("RNNCORE_DEVICE", "cpu")


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
