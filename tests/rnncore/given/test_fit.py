"""The training loop of the lessons with torch does what an optimiser driven by hand does."""

import math
import subprocess
import sys

import pytest
import torch

from rnncore.given.fit import fit
from tests.rnncore.oracle import close

B, D = 5, 3


def squared_error(model, batch):
    x, y = batch
    return ((model(x)[:, 0] - y) ** 2).mean()


def model_and_batches(count=4):
    torch.manual_seed(0)
    model = torch.nn.Linear(D, 1, dtype=torch.float64)
    return model, [
        (torch.randn(B, D, dtype=torch.float64), torch.randn(B, dtype=torch.float64)) for _ in range(count)
    ]


@pytest.mark.parametrize("decay", [False, True])
@pytest.mark.parametrize("max_norm", [0.3, 1e9])
def test_each_step_is_adam_on_the_clipped_gradient(decay, max_norm):
    model, batches = model_and_batches()
    losses = fit(model, squared_error, batches, epochs=3, lr=0.05, max_norm=max_norm, decay=decay)
    ours = [parameter.detach().clone() for parameter in model.parameters()]

    model, batches = model_and_batches()
    parameters = list(model.parameters())
    adam, expected = torch.optim.Adam(parameters, lr=0.05), []
    for step, batch in enumerate(batches * 3):
        if decay:
            adam.param_groups[0]["lr"] = 0.025 * (1 + math.cos(math.pi * step / 12))
        loss = squared_error(model, batch)
        grads = torch.autograd.grad(loss, parameters)
        norm = torch.cat([grad.flatten() for grad in grads]).norm()
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = grad * min(1, max_norm / (norm.item() + 1e-6))
        adam.step()
        expected.append(loss.item())
    close(losses, expected)
    for received, wanted in zip(ours, parameters, strict=True):
        close(received.numpy(), wanted.detach().numpy())


def test_batches_may_be_a_function_that_is_asked_once_an_epoch():
    model, batches = model_and_batches()
    asked = []

    def next_epoch():
        asked.append(len(asked))
        return iter(batches[: 1 + len(asked)])

    assert len(fit(model, squared_error, next_epoch, epochs=2, lr=0.01)) == 2 + 3
    assert asked == [0, 1]


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_in_training_mode_meanwhile_and_as_before_afterwards(training):
    model, batches = model_and_batches(1)
    model.train(training)
    seen = []

    def loss(model, batch):
        seen.append(model.training)
        return squared_error(model, batch)

    fit(model, loss, batches, epochs=1, lr=0.01)
    assert (seen, model.training) == ([True], training)


def test_a_loss_that_is_not_finite_stops_before_it_reaches_the_parameters():
    model, batches = model_and_batches()
    before = model.weight.detach().clone()
    with pytest.raises(FloatingPointError, match="the loss is nan at step 1 of epoch 1"):
        fit(model, lambda model, batch: squared_error(model, batch) * math.nan, batches, epochs=1, lr=0.1)
    assert torch.equal(model.weight, before)


ON_THE_STAND_IN = """
from rnncore.given import standin
from rnncore.given.fit import fit
from tests.rnncore.given.test_fit import model_and_batches, squared_error

model, batches = model_and_batches()
batches = [tuple(tensor.to(standin.device) for tensor in batch) for batch in batches]
assert len(fit(model.to(standin.device), squared_error, batches, epochs=3, lr=0.01)) == 6
"""


def test_on_the_stand_in_device_two_batches_an_epoch_are_enough():
    # Autograd knows only the devices that were there when it was first used: so in a process of its own.
    done = subprocess.run([sys.executable, "-c", ON_THE_STAND_IN], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
