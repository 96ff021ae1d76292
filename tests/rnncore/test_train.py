"""The training loop takes torch's path, stops before NaN spreads, and leaves no litter in a notebook."""

import re

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient

from rnncore.layers import RNN, Linear
from rnncore.losses import mean_squared_error, softmax_cross_entropy
from rnncore.optim import SGD, Adam, join
from rnncore.train import train
from tests.patience import PATIENT
from tests.rnncore.oracle import close

B, T, D, H, V = 3, 6, 4, 7, 5


def line(seed=0):
    """A step and an optimiser that fit a straight line, and its batches."""
    rng = np.random.default_rng(seed)
    params = {"slope": np.zeros(2)}
    batches = [(x, x @ np.array([2.0, -3.0])) for x in rng.normal(size=(8, 20, 2))]

    def step(batch):
        x, target = batch
        loss, dy = mean_squared_error(x @ params["slope"], target)
        return loss, {"slope": x.T @ dy}

    return params, step, batches


def test_training_takes_the_path_that_torch_takes():
    rng = np.random.default_rng(0)
    rnn, output = RNN(D, H, 2, True, rng=rng), Linear(2 * H, V, rng=rng)
    batches = [(rng.normal(size=(B, T, D)), rng.integers(0, V, size=(B, T))) for _ in range(4)]
    their_rnn = torch.nn.RNN(D, H, 2, bidirectional=True, batch_first=True, dtype=torch.float64)
    their_output = torch.nn.Linear(2 * H, V, dtype=torch.float64)
    their_rnn.load_state_dict({name: torch.tensor(array) for name, array in rnn.params.items()})
    their_output.load_state_dict({name: torch.tensor(array) for name, array in output.params.items()})
    parameters = [*their_rnn.parameters(), *their_output.parameters()]
    their_optimiser = torch.optim.Adam(parameters, 0.01)
    losses, norms = [], []
    for x, targets in batches * 3:
        their_optimiser.zero_grad()
        logits = their_output(their_rnn(torch.tensor(x))[0])
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, V), torch.tensor(targets).reshape(-1))
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, 0.48).item())
        their_optimiser.step()
        losses.append(loss.item())

    def step(batch):
        x, targets = batch
        y, _, cache = rnn.forward(x)
        logits, cache_output = output.forward(y)
        loss, dlogits = softmax_cross_entropy(logits, targets)
        dy, grads_output = output.backward(dlogits, cache_output)
        _, _, grads = rnn.backward(dy, cache)
        return loss, join(rnn=grads, output=grads_output)

    optimiser = Adam(join(rnn=rnn.params, output=output.params), 0.01)
    history = train(step, batches, optimiser, epochs=3, max_norm=0.48, progress=False)
    close(history.losses, losses, rtol=1e-8)
    close(history.norms, norms, rtol=1e-8)
    close(rnn.params, {n: p.detach().numpy() for n, p in their_rnn.named_parameters()}, rtol=1e-6)
    assert min(norms) < 0.48 < max(norms), "clipping must have been needed, and not always"


def test_training_learns_and_keeps_a_history():
    params, step, batches = line()
    history = train(step, batches, SGD(params, 0.1), epochs=5, progress=False)
    np.testing.assert_allclose(params["slope"], [2, -3], atol=0.01)
    assert len(history.losses) == len(history.norms) == len(history.seconds) == 40
    assert history.seconds == sorted(history.seconds)
    assert repr(history) == f"History of 40 steps: loss {history.losses[0]:.4f} -> {history.losses[-1]:.4f}"


def test_batches_may_be_a_function_that_is_called_for_every_epoch():
    params, step, batches = line()
    calls = []

    def fresh():
        calls.append(len(calls))
        return (batch for batch in batches)

    assert len(train(step, fresh, SGD(params, 0.1), epochs=3, progress=False).losses) == 24
    assert calls == [0, 1, 2]


@pytest.mark.parametrize("epochs", [1, 2])
def test_batches_that_are_used_up_are_noticed(epochs):
    params, step, batches = line()
    used_once = iter(batches if epochs == 2 else [])
    with pytest.raises(
        ValueError, match=f"batches has nothing in it in epoch {epochs}; give a list, or a function"
    ):
        train(step, used_once, SGD(params, 0.1), epochs=epochs, progress=False)


@pytest.mark.parametrize(
    ("loss", "grad", "sentence"),
    [
        (
            np.nan,
            1.0,
            "the loss is nan at step 3 of epoch 1: give max_norm=1, or make the optimiser's lr smaller",
        ),
        (1.0, np.inf, "the gradient's norm is inf at step 3 of epoch 1"),
    ],
)
def test_training_stops_before_nan_reaches_the_parameters(loss, grad, sentence):
    params = {"w": np.ones(2)}
    results = iter([(1.0, 1.0), (1.0, 1.0), (loss, grad)])

    def step(batch):
        loss, grad = next(results)
        return loss, {"w": np.full(2, grad)}

    with pytest.raises(FloatingPointError, match=re.escape(sentence)):
        train(step, range(9), SGD(params, 0.1), progress=False)
    np.testing.assert_allclose(params["w"], 0.8)


@pytest.mark.parametrize("progress", [False, True])
def test_nothing_is_written_where_no_terminal_shows_it(progress, capfd):
    params, step, batches = line()
    train(step, batches, SGD(params, 0.1), progress=progress)
    assert capfd.readouterr() == ("", "")


def test_in_a_notebook_the_bar_is_one_line_and_no_red_block():
    source = """
import time
import numpy as np
from rnncore.optim import SGD
from rnncore.train import train

def step(batch):
    time.sleep(0.05)
    return 1.25, {"w": np.ones(2)}

train(step, range(12), SGD({"w": np.ones(2)}, 0.1), progress=PROGRESS);
"""
    cells = [nbformat.v4.new_code_cell(source.replace("PROGRESS", word)) for word in ("True", "False")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, **PATIENT, kernel_name="python3").execute()
    shown, silent = (cell.outputs for cell in notebook.cells)
    assert [output.output_type for output in shown] == ["display_data"]
    assert list(shown[0].data) == ["text/plain"]
    assert "12/12" in shown[0].data["text/plain"] and "loss 1.250" in shown[0].data["text/plain"]
    assert silent == []
