"""Correct variants for lesson 09: real classes too, as a student writes them."""

import copy
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from tests.rnncore.exercises.variants import answers


@answers("to_torch")
def comprehension(params, requires_grad=False):
    return {name: torch.tensor(array, requires_grad=requires_grad) for name, array in params.items()}


@answers("to_torch")
def from_numpy_of_a_copy(params, requires_grad=False):
    return {
        name: torch.from_numpy(array.copy()).requires_grad_(requires_grad) for name, array in params.items()
    }


@answers("to_torch")
def parameters_where_asked(params, requires_grad=False):
    return {
        name: nn.Parameter(torch.from_numpy(array).clone(), requires_grad=requires_grad)
        for name, array in params.items()
    }


@answers("to_torch")
def attribute_set_afterwards(params, requires_grad=False):
    tensors = dict.fromkeys(reversed(params))
    for name in tensors:
        tensors[name] = torch.as_tensor(params[name]).clone().detach()
        tensors[name].requires_grad = requires_grad
    return tensors


@answers("to_torch")
def filled_into_empty_ones(params, requires_grad=False):
    kinds = {np.dtype("float32"): torch.float32, np.dtype("float64"): torch.float64}
    result = {}
    for name in sorted(params):
        result[name] = torch.empty(params[name].shape, dtype=kinds[params[name].dtype])
        result[name].copy_(torch.from_numpy(params[name]))
        result[name].requires_grad_(requires_grad)
    return result


@answers("to_torch")
def from_lists(params, requires_grad=False):
    dtypes = {name: getattr(torch, str(array.dtype)) for name, array in params.items()}
    return {
        name: torch.tensor(array.tolist(), dtype=dtypes[name], requires_grad=requires_grad)
        for name, array in params.items()
    }


@answers("HandLSTM")
class PlainEquations(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.weight_ih = nn.Parameter(torch.randn(4 * hidden_size, input_size) / math.sqrt(hidden_size))
        self.weight_hh = nn.Parameter(torch.randn(4 * hidden_size, hidden_size) / math.sqrt(hidden_size))
        self.bias_ih = nn.Parameter(torch.zeros(4 * hidden_size))
        self.bias_hh = nn.Parameter(torch.zeros(4 * hidden_size))

    def forward(self, x, state=None):
        H = self.weight_hh.shape[1]
        h, c = state if state is not None else (torch.zeros(len(x), H, dtype=x.dtype),) * 2
        y = []
        for x_t in x.unbind(1):
            a = functional.linear(x_t, self.weight_ih, self.bias_ih)
            a = a + functional.linear(h, self.weight_hh, self.bias_hh)
            i, f, o = (torch.sigmoid(a[:, k * H : (k + 1) * H]) for k in (0, 1, 3))
            c = f * c + i * torch.tanh(a[:, 2 * H : 3 * H])
            h = o * torch.tanh(c)
            y.append(h.unsqueeze(1))
        return torch.cat(y, dim=1), (h, c)


@answers("HandLSTM")
class InputsProjectedAtOnce(nn.Module):
    def __init__(self, D, H):
        super().__init__()
        for name, shape in (("ih", (4 * H, D)), ("hh", (4 * H, H))):
            self.register_parameter(f"weight_{name}", nn.Parameter(torch.rand(shape) - 0.5))
            self.register_parameter(f"bias_{name}", nn.Parameter(torch.rand(shape[0]) - 0.5))

    def forward(self, x, state=None):
        from_x = torch.einsum("btd,gd->btg", x, self.weight_ih) + self.bias_ih + self.bias_hh
        if state is None:
            state = [from_x.new_zeros(x.size(0), self.weight_hh.size(1)) for _ in range(2)]
        h, c = state
        y = []
        for t in range(x.size(1)):
            i, f, g, o = torch.split(from_x[:, t] + h.mm(self.weight_hh.t()), h.size(1), dim=1)
            c = torch.addcmul(torch.sigmoid(f) * c, torch.sigmoid(i), torch.tanh(g))
            h = torch.sigmoid(o) * torch.tanh(c)
            y.append(h)
        return torch.stack(y).transpose(0, 1), (h, c)


@answers("HandLSTM")
class OnePackOfWeights(nn.Module):
    """The product of stacked inputs with stacked weights."""

    def __init__(self, input_size, hidden_size, spread=0.1):
        super().__init__()

        def drawn(*shape):
            return nn.Parameter(spread * torch.randn(*shape))

        self.weight_ih, self.weight_hh = (
            drawn(4 * hidden_size, input_size),
            drawn(4 * hidden_size, hidden_size),
        )
        self.bias_ih, self.bias_hh = drawn(4 * hidden_size), drawn(4 * hidden_size)

    def step(self, x, h, c):
        a = torch.cat([x, h], 1) @ torch.cat([self.weight_ih, self.weight_hh], 1).T
        a = (a + (self.bias_ih + self.bias_hh)).view(len(x), 4, -1)
        gates = torch.sigmoid(a)
        c = gates[:, 1] * c + gates[:, 0] * torch.tanh(a[:, 2])
        return gates[:, 3] * torch.tanh(c), c

    def forward(self, x, state=None):
        B, T, _ = x.shape
        h, c = state or (torch.zeros_like(x[:, 0, :1]).repeat(1, self.weight_hh.shape[1]),) * 2
        y = torch.zeros(B, T, h.shape[1]).to(x)
        for t in range(T):
            h, c = self.step(x[:, t], h, c)
            y[:, t] = h
        return [y, [h, c]]


@answers("HandLSTM")
class Recursive(nn.Module):
    def __init__(self, D, H):
        nn.Module.__init__(self)
        self.H = H
        self.weight_ih, self.weight_hh = (
            nn.Parameter(torch.ones(4 * H, D)),
            nn.Parameter(torch.ones(4 * H, H)),
        )
        self.bias_ih, self.bias_hh = nn.Parameter(torch.ones(4 * H)), nn.Parameter(torch.ones(4 * H))

    def forward(self, x, state=None):
        if state is None:
            state = torch.zeros(2, x.shape[0], self.H, dtype=x.dtype, device=x.device).unbind(0)
        h, c = state
        a = (self.weight_ih @ x[:, 0].T + self.weight_hh @ h.T).T + self.bias_ih + self.bias_hh
        i, f, g, o = a.reshape(-1, 4, self.H).permute(1, 0, 2)
        c = c * f.sigmoid() + torch.tanh(g) * i.sigmoid()
        h = torch.tanh(c) * o.sigmoid()
        if x.shape[1] == 1:
            return h[:, None], (h, c)
        later, last = self(x[:, 1:], (h, c))
        return torch.cat([h[:, None], later], dim=1), last


@answers("HandLSTM")
class ByTorchsCell(nn.LSTMCell):
    def forward(self, x, state=None):
        y = []
        for t in range(x.shape[1]):
            state = super().forward(x[:, t], state)
            y.append(state[0])
        return torch.stack(y, 1), state


@answers("train_step")
def flattened(model, batch, optimiser, max_norm):
    inputs, targets = batch
    logits = model(inputs)
    loss = functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
    model.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(list(model.parameters()), max_norm=max_norm)
    optimiser.step()
    return float(loss)


@answers("train_step")
def clips_by_hand(model, batch, optimiser, max_norm):
    optimiser.zero_grad(set_to_none=False)
    loss = nn.CrossEntropyLoss()(model(batch[0]).permute(0, 2, 1), batch[1])
    loss.backward()
    grads = [parameter.grad for parameter in model.parameters()]
    norm = torch.sqrt(sum((grad**2).sum() for grad in grads))
    if norm > max_norm:
        for grad in grads:
            grad *= max_norm / norm
    optimiser.step()
    return loss.detach()


@answers("train_step")
def log_softmax_and_nll(model, batch, optimiser, max_norm):
    inputs, targets = batch
    for parameter in model.parameters():
        parameter.grad = None
    log_probs = torch.log_softmax(model(inputs), dim=-1)
    loss = -log_probs.gather(2, targets.unsqueeze(2)).mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimiser.step()
    optimiser.zero_grad()
    return loss.item()


@answers("train_step")
def gradients_asked_for(model, batch, optimiser, max_norm):
    parameters = list(model.parameters())
    loss = functional.cross_entropy(model(batch[0]).flatten(0, 1), batch[1].flatten(), reduction="sum")
    loss = loss / batch[1].numel()
    for parameter, grad in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = grad
    nn.utils.clip_grad_norm_(parameters, max_norm)
    optimiser.step()
    return np.float64(loss.item())


@answers("train_step")
def with_a_closure(model, batch, optimiser, max_norm):
    def closure():
        optimiser.zero_grad()
        loss = functional.cross_entropy(model(batch[0]).swapaxes(1, 2), batch[1])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        return loss

    return optimiser.step(closure).item()


@answers("evaluate")
def inference_mode(model, batches):
    was = model.training
    model.train(False)
    total = hits = n = 0
    with torch.inference_mode():
        for inputs, targets, lengths in batches:
            out = model(pack_padded_sequence(inputs, lengths, True, False)).data
            want = pack_padded_sequence(targets, lengths, True, False).data
            total += functional.cross_entropy(out, want) * len(want)
            hits += int((out.argmax(-1) == want).sum())
            n += len(want)
    if was:
        model.train()
    return float(total / n), hits / n


@answers("evaluate")
@torch.no_grad()
def masks_the_padded_logits(model, batches):
    mode, losses, right = model.training, [], []
    model.eval()
    for inputs, targets, lengths in batches:
        packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
        logits, _ = pad_packed_sequence(model(packed), batch_first=True, total_length=inputs.shape[1])
        real = torch.arange(inputs.shape[1]) < lengths[:, None]
        losses.append(functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")[real])
        right.append((logits.argmax(-1) == targets)[real].double())
    model.train(mode)
    return torch.cat(losses).mean().item(), torch.cat(right).mean().item()


@answers("evaluate")
def ignore_index(model, batches):
    mode = model.training
    model.eval()
    sums = np.zeros(3)
    with torch.no_grad():
        for inputs, targets, lengths in batches:
            packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
            logits = pad_packed_sequence(model(packed), batch_first=True)[0].flatten(0, 1)
            padded = torch.arange(targets.shape[1])[None] >= lengths[:, None]
            wanted = targets.masked_fill(padded, -100).flatten()
            sums[0] += functional.cross_entropy(logits, wanted, ignore_index=-100, reduction="sum")
            sums[1] += (logits.argmax(1) == wanted).sum()
            sums[2] += (~padded).sum()
    model.train(mode)
    return list(sums[:2] / sums[2])


@answers("evaluate")
def sequence_by_sequence(model, batches):
    was_training, loss, right, count = model.training, 0.0, 0, 0
    model.eval()
    previous = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    for inputs, targets, lengths in batches:
        for b, length in enumerate(lengths.tolist()):
            logits = model(inputs[b : b + 1, :length])[0]
            log_probs = logits - logits.logsumexp(1, keepdim=True)
            loss -= log_probs[range(length), targets[b, :length]].sum().item()
            right += sum(
                row.argmax().item() == want for row, want in zip(logits, targets[b].tolist(), strict=False)
            )
            count += length
    torch.set_grad_enabled(previous)
    model.train(was_training)
    return loss / count, right / count


@answers("evaluate")
def on_a_copy_sorted_by_hand(model, batches):
    model = copy.deepcopy(model).eval()
    found = []
    for inputs, targets, lengths in batches:
        order = torch.argsort(lengths, descending=True)
        lengths = lengths[order]
        with torch.no_grad():
            logits = model(pack_padded_sequence(inputs[order], lengths, batch_first=True))
        assert isinstance(logits, PackedSequence)
        wanted = pack_padded_sequence(targets[order], lengths, batch_first=True).data
        log_probs = functional.log_softmax(logits.data, dim=1)
        found.append(
            torch.stack([-log_probs.gather(1, wanted[:, None])[:, 0], log_probs.argmax(1) == wanted], 1)
        )
    loss, accuracy = torch.cat(found).mean(0).tolist()
    return loss, accuracy
