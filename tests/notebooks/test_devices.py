"""Solutions run on any device: a stand-in for a GPU refuses whatever was forgotten on the CPU.

In a module of its own, so that it runs beside the rest: the stand-in is slow.
"""

import re

import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from tests.notebooks import reading
from tests.notebooks.reading import ROOT, SOLUTIONS, name_of
from tests.notebooks.test_run import execute, uses_torch


@pytest.mark.parametrize("path", [path for path in SOLUTIONS if uses_torch(path)], ids=name_of)
def test_a_solution_that_uses_torch_would_run_on_a_gpu(path):
    execute(briefly(reading.read(path)), path.parent, device="standin")


def briefly(notebook):
    """The same notebook, which trains for one epoch: what was left on the CPU shows in the first step."""
    for cell in reading.code(notebook):
        cell.source = re.sub(r"\bepochs=\d+", "epochs=1", cell.source)
    return notebook


FORGETFUL = {
    "the batch": ("model = torch.nn.LSTM(5, 6).to(device())", "y, _ = model(torch.randn(4, 3, 5))"),
    "the model": ("model = torch.nn.LSTM(5, 6)", "y, _ = model(torch.randn(4, 3, 5, device=device()))"),
    "the hidden state": (
        "model = torch.nn.GRU(5, 6).to(device())",
        "y, _ = model(torch.randn(4, 3, 5, device=device()), torch.zeros(1, 3, 6))",
    ),
}
CAREFUL = (
    "model = torch.nn.GRU(5, 6).to(device())",
    "x, h0 = torch.randn(4, 3, 5, device=device()), torch.zeros(1, 3, 6, device=device())",
    "y, _ = model(x, h0)\ny.sum().backward()\ntorch.optim.Adam(model.parameters()).step()",
)


def torch_notebook(cells):
    imports = "import torch\nfrom rnncore.given.device import device"
    return new_notebook(cells=[new_code_cell(source) for source in (imports, *cells)])


@pytest.mark.parametrize("what", FORGETFUL)
def test_a_notebook_that_forgets_to_move_something_fails_on_the_stand_in(what):
    with pytest.raises(CellExecutionError, match=r"two devices|not at the same device"):
        execute(torch_notebook(FORGETFUL[what]), ROOT, device="standin")


def test_a_notebook_that_moves_everything_passes_on_the_stand_in():
    execute(torch_notebook(CAREFUL), ROOT, device="standin")
