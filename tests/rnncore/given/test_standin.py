"""The stand-in device computes what the CPU computes, and refuses what CUDA would refuse."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

# The mere import of the stand-in adds a device to torch, and torch with a device refuses autograd in forks.
pytestmark = pytest.mark.own_process
B, T, D, H = 3, 4, 5, 6
RECURRENT = [nn.RNN, nn.GRU, nn.LSTM]


def stand_in():
    from rnncore.given import standin

    return standin.device


def two_models(kind, **options):
    """The same model on the CPU and on the stand-in, and one batch for both."""
    torch.manual_seed(0)
    here = kind(D, H, batch_first=True, dtype=torch.float64, **options)
    return here, copy.deepcopy(here).to(stand_in()), torch.randn(B, T, D, dtype=torch.float64)


def agree(here, there):
    assert there.device == stand_in()
    torch.testing.assert_close(there.detach().cpu(), here.detach(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", RECURRENT)
def test_recurrent_layers_and_all_gradients_agree_with_the_cpu(kind, bias):
    here, there, x = two_models(kind, num_layers=2, bidirectional=True, bias=bias)
    x_there = x.to(stand_in()).requires_grad_()
    x_here = x.clone().requires_grad_()
    weights = torch.randn(B, T, 2 * H, dtype=torch.float64)
    y_here, _ = here(x_here)
    y_there, _ = there(x_there)
    (y_here * weights).sum().backward()
    (y_there * weights.to(stand_in())).sum().backward()
    agree(y_here, y_there)
    agree(x_here.grad, x_there.grad)
    for p_here, p_there in zip(here.parameters(), there.parameters(), strict=True):
        agree(p_here.grad, p_there.grad)


@pytest.mark.parametrize("kind", RECURRENT)
def test_packed_sequences_agree_with_the_cpu(kind):
    here, there, x = two_models(kind)
    lengths = torch.tensor([4, 3, 1])
    y_here, _ = pad_packed_sequence(here(pack_padded_sequence(x, lengths, batch_first=True))[0])
    x_there = x.to(stand_in())
    y_there, _ = pad_packed_sequence(there(pack_padded_sequence(x_there, lengths, batch_first=True))[0])
    agree(y_here, y_there)


@pytest.mark.parametrize("optimiser", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
@pytest.mark.parametrize("kind", RECURRENT)
def test_training_steps_agree_with_the_cpu(kind, optimiser):
    here, there, x = two_models(kind)
    for model, batch in ((here, x), (there, x.to(stand_in()))):
        steps = optimiser(model.parameters(), lr=0.1)
        for _ in range(3):
            steps.zero_grad()
            model(batch)[0].pow(2).mean().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            steps.step()
    for p_here, p_there in zip(here.parameters(), there.parameters(), strict=True):
        agree(p_here, p_there)


def test_a_whole_classifier_trains_when_everything_was_moved():
    torch.manual_seed(0)
    device = stand_in()
    embed, layer, out = nn.Embedding(7, D).to(device), nn.GRU(D, H).to(device), nn.Linear(H, 7).to(device)
    ids = torch.randint(0, 7, (T, B), device=device)
    parameters = [*embed.parameters(), *layer.parameters(), *out.parameters()]
    steps = torch.optim.Adam(parameters, lr=0.05)
    losses = []
    for _ in range(8):
        y, _ = layer(embed(ids), torch.zeros(1, B, H, device=ids.device))
        loss = nn.functional.cross_entropy(out(y).flatten(0, 1), ids.flatten())
        steps.zero_grad()
        loss.backward()
        steps.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_a_cell_written_by_hand_with_assignments_in_place():
    torch.manual_seed(0)
    w, x = torch.randn(H, H, dtype=torch.float64), torch.randn(T, B, H, dtype=torch.float64)
    gradients = []
    for device in (torch.device("cpu"), stand_in()):
        weight = w.clone().to(device).requires_grad_()
        y = torch.zeros(T, B, H, dtype=torch.float64, device=device)
        h = torch.zeros(B, H, dtype=torch.float64, device=device)
        for t in range(T):
            h = torch.tanh(x[t].to(device) + h @ weight.T)
            y[t] = h
        y.sum().backward()
        gradients.append(weight.grad)
    agree(*gradients)


def forget_the_batch(device):
    nn.LSTM(D, H).to(device)(torch.randn(T, B, D))


def forget_the_model(device):
    nn.LSTM(D, H)(torch.randn(T, B, D, device=device))


def forget_the_hidden_state(device):
    nn.GRU(D, H).to(device)(torch.randn(T, B, D, device=device), torch.zeros(1, B, H))


def forget_the_targets(device):
    nn.functional.cross_entropy(torch.randn(B, D, device=device), torch.zeros(B, dtype=torch.long))


def forget_what_was_made_on_the_way(device):
    torch.ones(B, H, device=device) + torch.zeros(B, H)


def forget_a_mask(device):
    torch.where(torch.ones(B, H) > 0, torch.ones(B, H, device=device), 0.0)


def forget_one_of_a_list(device):
    torch.cat([torch.ones(B, H, device=device), torch.ones(B, H)])


def add_to_a_number_on_the_cpu(device):
    total = torch.zeros(())
    total += torch.ones((), device=device)


def index_the_cpu_with_the_device(device):
    torch.zeros(B, H)[torch.zeros(B, dtype=torch.long, device=device)]


@pytest.mark.parametrize(
    "mistake",
    [
        forget_the_batch,
        forget_the_model,
        forget_the_hidden_state,
        forget_the_targets,
        forget_what_was_made_on_the_way,
        forget_a_mask,
        forget_one_of_a_list,
        add_to_a_number_on_the_cpu,
        index_the_cpu_with_the_device,
    ],
)
def test_a_forgotten_move_is_refused_and_says_what_to_do(mistake):
    ours = r"two devices: .* on standin:0 and .* on cpu.*\.to\(device\)"
    of_torch = r"not at the same device, found .* tensor at (cpu|standin:0)"
    with pytest.raises(RuntimeError, match=f"{ours}|{of_torch}"):
        mistake(stand_in())
    mistake(torch.device("cpu"))  # where nothing can be forgotten


def test_lengths_stay_on_the_cpu_as_on_cuda():
    lengths = torch.tensor([4, 2, 1], device=stand_in())
    with pytest.raises(RuntimeError, match="lengths"):
        pack_padded_sequence(torch.zeros(T, B, D, device=stand_in()), lengths)


def test_what_cuda_allows_is_allowed():
    x = torch.ones(B, H, device=stand_in())
    agree(torch.full((B, H), 3.0), x + torch.tensor(2.0))
    agree(torch.ones(2, H), x[torch.tensor([0, 2])])
    into = torch.zeros(B, H)
    into.copy_(x)
    assert into.sum() == B * H
    assert x.sum().item() == B * H
    assert f"{x.sum():.1f}" == "18.0"
    assert x[0].tolist() == [1.0] * H
    assert torch.tensor([1.0, 2.0], device=stand_in()).device == stand_in()


def test_numpy_needs_a_copy_on_the_cpu_as_on_cuda():
    x = torch.ones(B, device=stand_in())
    for convert in (np.asarray, torch.Tensor.numpy, type(x).numpy):
        with pytest.raises((TypeError, RuntimeError), match="numpy"):
            convert(x)
    np.testing.assert_array_equal(x.cpu().numpy(), np.ones(B))


def test_printing_names_the_stand_in():
    assert repr(torch.ones(2, device=stand_in())) == "tensor([1., 1.], device='standin:0')"
