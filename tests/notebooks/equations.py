"""Every displayed formula of the lessons, and its twin in code.

A twin is written from the formula, not from rnncore, and raises AssertionError unless torch (in float64)
and rnncore both give what the formula gives. ``TWINS`` names the formulas word for word, so one that is
changed in a lesson has no twin until somebody looks at both again. One long list, in the order of the
lessons: each twin stands alone, and whoever changes a formula looks for it here by its lesson.
"""

import itertools

import numpy as np
import torch

from rnncore.cells.gru import gru_cell, gru_cell_backward
from rnncore.cells.lstm import lstm_cell, lstm_cell_backward
from rnncore.cells.rnn import rnn_cell, rnn_cell_backward
from rnncore.given.baselines import linear_forecast, pasts
from rnncore.layers import RNN
from rnncore.losses import ctc_loss as by_hand_ctc_loss
from rnncore.losses import masked_cross_entropy, softmax_cross_entropy
from rnncore.optim import clip_grad_norm
from rnncore.topics.attention import attention
from rnncore.topics.bidirectional import bidirectional_backward, bidirectional_forward
from rnncore.topics.captions import caption_loss, image_to_state
from rnncore.topics.ctc import ctc_loss
from rnncore.topics.forecast import errors_by_horizon
from rnncore.topics.gradients import gradient_norms, spectral_radius
from rnncore.topics.memory import (
    causal_attention,
    delta_step,
    delta_step_backward,
    linear_attention,
    linear_attention_step,
)
from rnncore.topics.sampling import sample
from rnncore.topics.scan import combine, min_gru, scan, scan_backward
from rnncore.topics.speech import log_mel
from rnncore.topics.translation import beam_search, decode_step
from tests.rnncore.oracle import close

B, T, D, H, V = 3, 4, 5, 2, 6
TWINS = {}


def twin(lesson, *formulas):
    """Register the code of one or more formulas of a lesson."""

    def register(function):
        for formula in formulas:
            TWINS[lesson, " ".join(formula.split())] = function
        return function

    return register


def tensor(array, grad=False):
    return torch.tensor(array, dtype=torch.float64, requires_grad=grad)


def sigma(a):
    return 1 / (1 + np.exp(-a))


def drawn(seed, blocks=1):
    """Parameters of a cell, inputs (B, T, D), a first state (B, H), and what arrives at every state."""
    rng = np.random.default_rng(seed)
    rows = blocks * H
    shapes = {"weight_ih": (rows, D), "weight_hh": (rows, H), "bias_ih": (rows,), "bias_hh": (rows,)}
    p = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return p, rng.normal(size=(B, T, D)), rng.normal(size=(B, H)), rng.normal(size=(B, T, H))


def of_torch(kind, p, grad=False):
    """torch's own cell with these parameters."""
    cell = getattr(torch.nn, kind)(D, H, dtype=torch.float64)
    cell.load_state_dict({name: tensor(array) for name, array in p.items()})
    return cell.requires_grad_(grad)


def gradients(cell):
    return {name: parameter.grad.numpy() for name, parameter in cell.named_parameters()}


RECURRENCE = (
    r"""a_t = x_t W_{ih}^\top + b_{ih} + h_{t-1} W_{hh}^\top + b_{hh} \qquad\qquad h_t = \tanh(a_t)"""
)


@twin("02-rnn-cell", RECURRENCE)
@twin("03-bptt", RECURRENCE)
def recurrence():
    p, x, h, _ = drawn(1)
    a = x[:, 0] @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    close(rnn_cell(p, x[:, 0], h)[0], np.tanh(a))
    close(of_torch("RNNCell", p)(tensor(x[:, 0]), tensor(h)).numpy(), np.tanh(a))


@twin(
    "01-sequences",
    r"\text{feed-forward: } T \cdot V \cdot H + H \qquad\qquad \text{recurrent: } V \cdot H + H \cdot H + 2H",
)
def shared_weights():
    assert sum(one.numel() for one in torch.nn.Linear(T * V, H).parameters()) == T * V * H + H
    assert sum(one.numel() for one in torch.nn.RNN(V, H).parameters()) == V * H + H * H + 2 * H
    ours = RNN(V, H, rng=np.random.default_rng(0)).params
    assert sum(one.size for one in ours.values()) == V * H + H * H + 2 * H


@twin(
    "03-bptt",
    r"dh_t = \underbrace{dy_t}_{\text{own loss}} + \underbrace{da_{t+1}\, W_{hh}}_{\text{carry}} \qquad da_t = dh_t \odot (1 - h_t^2) \qquad dx_t = da_t\, W_{ih}",
    r"dW_{ih} = \sum_t da_t^\top x_t \qquad dW_{hh} = \sum_t da_t^\top h_{t-1} \qquad db_{ih} = db_{hh} = \sum_t \sum_{\text{batch}} da_t",
)
def through_time():
    p, x, h0, dy = drawn(2)
    cell, x_t = of_torch("RNNCell", p, grad=True), tensor(x, grad=True)
    states = [tensor(h0, grad=True)]
    for t in range(T):
        states.append(cell(x_t[:, t], states[-1]))
    sum((h * tensor(dy[:, t])).sum() for t, h in enumerate(states[1:])).backward()

    h = [state.detach().numpy() for state in states]
    da, dx, grads = [None] * T, np.zeros_like(x), {}
    for t in reversed(range(T)):
        carry = da[t + 1] @ p["weight_hh"] if t + 1 < T else 0
        da[t] = (dy[:, t] + carry) * (1 - h[t + 1] ** 2)
        dx[:, t] = da[t] @ p["weight_ih"]
    grads["weight_ih"] = sum(da[t].T @ x[:, t] for t in range(T))
    grads["weight_hh"] = sum(da[t].T @ h[t] for t in range(T))
    grads["bias_ih"] = grads["bias_hh"] = sum(da[t].sum(axis=0) for t in range(T))
    close(x_t.grad.numpy(), dx)
    close(states[0].grad.numpy(), da[0] @ p["weight_hh"])
    close(gradients(cell), grads)

    layer = RNN(D, H, rng=np.random.default_rng(0))
    layer.params = {f"{name}_l0": array for name, array in p.items()}
    _, _, cache = layer.forward(x, h0[None])
    received, _, ours = layer.backward(dy, cache)
    close(received, dx)
    close({name.removesuffix("_l0"): array for name, array in ours.items()}, grads)


@twin(
    "03-bptt",
    r"p_j = \frac{e^{s_j}}{\sum_{i=1}^{V} e^{s_i}} \qquad\qquad d\text{logits} = \frac{p - \text{onehot}(\text{target})}{B\,T}",
)
def softmax():
    rng = np.random.default_rng(3)
    logits, targets = rng.normal(size=(B, T, V)), rng.integers(0, V, (B, T))
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    dlogits = (p - np.eye(V)[targets]) / (B * T)
    theirs = tensor(logits, grad=True)
    torch.nn.functional.cross_entropy(theirs.flatten(0, 1), torch.tensor(targets).flatten()).backward()
    close(theirs.grad.numpy(), dlogits)
    close(softmax_cross_entropy(logits, targets)[1], dlogits)


@twin(
    "04-gradients",
    r"dh_{t-k} = dh_t\; J_t\; J_{t-1} \cdots J_{t-k+1} \qquad\qquad J_t = \operatorname{diag}(1 - h_t^2)\; W_{hh}",
)
def jacobians():
    p, x, h0, dy = drawn(4)
    dy[:, :-1] = 0  # a loss at the last step alone
    cell, states, caches = of_torch("RNNCell", p), [tensor(h0, grad=True)], []
    h = h0
    for t in range(T):
        states.append(cell(tensor(x[:, t]), states[-1]))
        states[-1].retain_grad()
        h, cache = rnn_cell(p, x[:, t], h)
        caches.append(cache)
    (states[-1] * tensor(dy[:, -1])).sum().backward()
    norms = gradient_norms(p, dy, caches)
    for k in range(T):
        for row in range(B):
            dh = dy[row, -1]
            for t in range(T, T - k, -1):
                dh = dh @ (np.diag(1 - states[t].detach().numpy()[row] ** 2) @ p["weight_hh"])
            close(states[T - k].grad.numpy()[row], dh)
        close(norms[T - 1 - k], np.linalg.norm(states[T - k].grad.numpy()))


@twin(
    "04-gradients",
    r"\text{shear} = \begin{pmatrix} 0.5 & 2 \\ 0 & 0.5 \end{pmatrix} \qquad\qquad \text{turn} = \begin{pmatrix} 0 & -1.1 \\ 1.1 & 0 \end{pmatrix}",
)
def radii():
    for matrix, radius in (([[0.5, 2], [0, 0.5]], 0.5), ([[0, -1.1], [1.1, 0]], 1.1)):
        assert abs(spectral_radius(np.array(matrix)) - radius) < 1e-12
        assert abs(torch.linalg.eigvals(tensor(np.array(matrix))).abs().max() - radius) < 1e-12


@twin(
    "04-gradients",
    r"g \;\leftarrow\; g \cdot \frac{\text{max\_norm}}{\lVert g \rVert} \quad \text{if } \lVert g \rVert > \text{max\_norm} \qquad\qquad \lVert g \rVert = \sqrt{\textstyle\sum_{\text{all parameters}} \sum g_i^2}",
)
def clipping():
    grads, *_ = drawn(5)
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    for max_norm in (0.5 * norm, 2 * norm):
        expected = {name: g * max_norm / norm if norm > max_norm else g for name, g in grads.items()}
        received, said = clip_grad_norm(grads, max_norm)
        close(received, expected, rtol=1e-5)  # ours and torch's divide by the norm plus 1e-6
        close(said, norm)
        parameters = [torch.nn.Parameter(tensor(g)) for g in grads.values()]
        for parameter, g in zip(parameters, grads.values(), strict=True):
            parameter.grad = tensor(g)
        close(torch.nn.utils.clip_grad_norm_(parameters, max_norm).item(), norm)
        theirs = [parameter.grad.numpy() for parameter in parameters]
        close(tuple(theirs), tuple(expected.values()), rtol=1e-5)


def lstm_formulas(p, x, h, c):
    a = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)
    i, f, g, o = sigma(a_i), sigma(a_f), np.tanh(a_g), sigma(a_o)
    c_t = f * c + i * g
    return i, f, g, o, c_t, o * np.tanh(c_t)


CELL_AND_OUTPUT = r"c_t = f \odot c_{t-1} + i \odot g \qquad\qquad h_t = o \odot \tanh(c_t)"


@twin(
    "05-lstm",
    r"a = x_t W_{ih}^\top + b_{ih} + h_{t-1} W_{hh}^\top + b_{hh}, \qquad \text{cut into four blocks } a_i, a_f, a_g, a_o",
    r"i = \sigma(a_i) \qquad f = \sigma(a_f) \qquad g = \tanh(a_g) \qquad o = \sigma(a_o)",
    CELL_AND_OUTPUT,
)
@twin(
    "09-pytorch",
    r"a_t = x_t W_{ih}^\top + b_{ih} + h_{t-1} W_{hh}^\top + b_{hh} \qquad i, f, g, o = \sigma(a^i),\ \sigma(a^f),\ \tanh(a^g),\ \sigma(a^o)",
    CELL_AND_OUTPUT,
)
def lstm():
    p, x, h, dy = drawn(6, blocks=4)
    x, c = x[:, 0], dy[:, 0]
    *_, c_t, h_t = lstm_formulas(p, x, h, c)
    close(lstm_cell(p, x, (h, c))[0], (h_t, c_t))
    theirs = of_torch("LSTMCell", p)(tensor(x), (tensor(h), tensor(c)))
    close(tuple(one.numpy() for one in theirs), (h_t, c_t))


@twin(
    "05-lstm",
    r"dc_t = dc_{\text{carried}} + dh_t \odot o \odot (1 - \tanh^2 c_t) \qquad\qquad dc_{t-1} = dc_t \odot f",
    r"da_i = dc_t \odot g \odot i(1 - i) \qquad da_f = dc_t \odot c_{t-1} \odot f(1 - f)",
    r"da_g = dc_t \odot i \odot (1 - g^2) \qquad da_o = dh_t \odot \tanh(c_t) \odot o(1 - o)",
)
def lstm_back():
    p, x, h, dy = drawn(7, blocks=4)
    x, c, dh, carried = x[:, 0], dy[:, 0], dy[:, 1], dy[:, 2]
    i, f, g, o, c_t, _ = lstm_formulas(p, x, h, c)
    dc_t = carried + dh * o * (1 - np.tanh(c_t) ** 2)
    da = [dc_t * g * i * (1 - i), dc_t * c * f * (1 - f), dc_t * i * (1 - g**2)]
    da = np.concatenate([*da, dh * np.tanh(c_t) * o * (1 - o)], axis=1)
    expected = da @ p["weight_ih"], (da @ p["weight_hh"], dc_t * f)
    dx, before, grads = lstm_cell_backward(p, (dh, carried), lstm_cell(p, x, (h, c))[1])
    close((dx, before), expected)

    cell, inputs = of_torch("LSTMCell", p, grad=True), [tensor(one, grad=True) for one in (x, h, c)]
    h_next, c_next = cell(inputs[0], tuple(inputs[1:]))
    ((h_next * tensor(dh)).sum() + (c_next * tensor(carried)).sum()).backward()
    theirs = [one.grad.numpy() for one in inputs]
    close((theirs[0], (theirs[1], theirs[2])), expected)
    close(gradients(cell)["weight_ih"], da.T @ x)
    close(grads["weight_ih"], da.T @ x)


def gru_formulas(p, x, h):
    x_r, x_z, x_n = np.split(x @ p["weight_ih"].T + p["bias_ih"], 3, axis=1)
    h_r, h_z, h_n = np.split(h @ p["weight_hh"].T + p["bias_hh"], 3, axis=1)
    r, z = sigma(x_r + h_r), sigma(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    return r, z, n, h_n, (1 - z) * n + z * h


@twin(
    "06-gru",
    r"x_t W_{ih}^\top + b_{ih} = (x_r, x_z, x_n) \qquad\qquad h_{t-1} W_{hh}^\top + b_{hh} = (h_r, h_z, h_n)",
    r"r = \sigma(x_r + h_r) \qquad z = \sigma(x_z + h_z) \qquad n = \tanh(x_n + r \odot h_n)",
    r"h_t = (1 - z) \odot n + z \odot h_{t-1}",
)
def gru():
    p, x, h, _ = drawn(8, blocks=3)
    *_, h_t = gru_formulas(p, x[:, 0], h)
    close(gru_cell(p, x[:, 0], h)[0], h_t)
    close(of_torch("GRUCell", p)(tensor(x[:, 0]), tensor(h)).numpy(), h_t)


@twin(
    "06-gru",
    r"da_n = dh_t \odot (1 - z) \odot (1 - n^2)",
    r"d_{\text{from } x} = (da_r, da_z, da_n) \qquad\qquad d_{\text{from } h} = (da_r, da_z, da_n \odot r)",
    r"dh_{t-1} = d_{\text{from } h}\, W_{hh} + dh_t \odot z",
)
def gru_back():
    p, x, h, dy = drawn(9, blocks=3)
    x, dh = x[:, 0], dy[:, 0]
    r, z, n, h_n, _ = gru_formulas(p, x, h)
    da_n = dh * (1 - z) * (1 - n**2)
    da_z = dh * (h - n) * z * (1 - z)
    da_r = da_n * h_n * r * (1 - r)
    from_x = np.concatenate([da_r, da_z, da_n], axis=1)
    from_h = np.concatenate([da_r, da_z, da_n * r], axis=1)
    before = from_h @ p["weight_hh"] + dh * z
    grads = {"weight_ih": from_x.T @ x, "weight_hh": from_h.T @ h}
    grads |= {"bias_ih": from_x.sum(axis=0), "bias_hh": from_h.sum(axis=0)}
    expected = from_x @ p["weight_ih"], before, grads
    close(gru_cell_backward(p, dh, gru_cell(p, x, h)[1]), expected)

    cell, inputs = of_torch("GRUCell", p, grad=True), [tensor(one, grad=True) for one in (x, h)]
    (cell(*inputs) * tensor(dh)).sum().backward()
    close((*(one.grad.numpy() for one in inputs), gradients(cell)), expected)


def both_directions():
    """Two directions' parameters, inputs, and torch's layer with them."""
    (forth, x, _, _), (back, *_) = drawn(10), drawn(11)
    layer = torch.nn.RNN(D, H, batch_first=True, bidirectional=True, dtype=torch.float64)
    named = {f"{name}_l0": tensor(array) for name, array in forth.items()}
    layer.load_state_dict(named | {f"{name}_l0_reverse": tensor(array) for name, array in back.items()})
    return forth, back, x, layer


@twin(
    "07-bidirectional",
    r"\vec h_t = \tanh(x_t \vec W_{ih}^\top + \vec b_{ih} + \vec h_{t-1} \vec W_{hh}^\top + \vec b_{hh})",
    r"\overleftarrow h_t = \tanh(x_t \overleftarrow W_{ih}^\top + \overleftarrow b_{ih} + \overleftarrow h_{t+1} \overleftarrow W_{hh}^\top + \overleftarrow b_{hh})",
    r"y_t = [\,\vec h_t,\ \overleftarrow h_t\,]",
)
def two_directions():
    forth, back, x, layer = both_directions()
    y = np.zeros((B, T, 2 * H))
    for p, order, half in ((forth, range(T), slice(0, H)), (back, reversed(range(T)), slice(H, 2 * H))):
        h = np.zeros((B, H))
        for t in order:
            a = x[:, t] @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
            h = y[:, t, half] = np.tanh(a)
    close(bidirectional_forward(forth, back, x, np.full(B, T))[0], y)
    close(layer(tensor(x))[0].detach().numpy(), y)


@twin(
    "07-bidirectional",
    r"dx = \vec{dx} + \text{turn}\big(\overleftarrow{dx}\big), \qquad \overleftarrow{dx} \text{ from } \text{turn}\big(\overleftarrow{dy}\big)",
)
def two_directions_back():
    forth, back, x, layer = both_directions()
    dy = np.random.default_rng(12).normal(size=(B, T, 2 * H))

    def dx_of(p, x, dy):
        h, caches, dh, dx = np.zeros((B, H)), [], np.zeros((B, H)), np.zeros_like(x)
        for t in range(T):
            h, cache = rnn_cell(p, x[:, t], h)
            caches.append(cache)
        for t in reversed(range(T)):
            dx[:, t], dh, _ = rnn_cell_backward(p, dy[:, t] + dh, caches[t])
        return dx

    turn = np.s_[:, ::-1]  # without padding, turning round is reading backwards
    expected = dx_of(forth, x, dy[..., :H]) + dx_of(back, x[turn], dy[..., H:][turn])[turn]
    _, caches = bidirectional_forward(forth, back, x, np.full(B, T))
    close(bidirectional_backward(forth, back, dy, caches)[0], expected)
    inputs = tensor(x, grad=True)
    (layer(inputs)[0] * tensor(dy)).sum().backward()
    close(inputs.grad.numpy(), expected)


@twin(
    "08-shapes",
    r"N = \sum_b \ell_b \qquad L = \frac{1}{N} \sum_b \sum_{t < \ell_b} -\log p_{b,t}[\text{target}_{b,t}]",
    r"d\text{logits}_{b,t} = \frac{p_{b,t} - \text{onehot}(\text{target}_{b,t})}{N} \ \text{ for } t < \ell_b, \quad 0 \text{ elsewhere}",
)
def masked_loss():
    rng = np.random.default_rng(14)
    logits, targets = rng.normal(size=(B, T, V)), rng.integers(0, V, (B, T))
    lengths = np.array([2, T, 1])
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    loss, dlogits, N = 0.0, np.zeros((B, T, V)), lengths.sum()
    for b in range(B):
        for t in range(lengths[b]):
            loss -= np.log(p[b, t, targets[b, t]]) / N
            dlogits[b, t] = (p[b, t] - np.eye(V)[targets[b, t]]) / N
    close(masked_cross_entropy(logits, targets, lengths), (loss, dlogits))
    theirs, ignored = tensor(logits, grad=True), torch.tensor(targets)
    ignored[torch.arange(T) >= torch.tensor(lengths)[:, None]] = -100
    mean = torch.nn.functional.cross_entropy(theirs.flatten(0, 1), ignored.flatten(), ignore_index=-100)
    mean.backward()
    close((mean.item(), theirs.grad.numpy()), (loss, dlogits))


@twin("08-shapes", r"p_v = \frac{e^{s_v / \tau}}{\sum_u e^{s_u / \tau}}")
def temperature():
    z, tau, N = np.random.default_rng(15).normal(size=V), 0.7, 40_000
    p = np.exp(z / tau) / np.exp(z / tau).sum()
    close(torch.softmax(tensor(z) / tau, dim=0).numpy(), p)
    drawn = sample(np.tile(z, (N, 1)), tau, np.random.default_rng(16))
    margin = 6 * np.sqrt(p * (1 - p) / N)
    assert (np.abs(np.bincount(drawn, minlength=V) / N - p) < margin).all()
    assert (margin < np.abs(p - np.exp(z) / np.exp(z).sum())).any()  # another temperature would not do


@twin("09-pytorch", r"\text{grad}(x) \mathrel{+}= \text{grad}(y)\,\frac{\partial y}{\partial x}")
def accumulated():
    x = tensor([0.3, -1.2], grad=True)
    h_1 = torch.tanh(x)
    (h_1.sum() + (3 * x**2).sum()).backward()  # x is used twice
    values = x.detach().numpy()
    close(x.grad.numpy(), (1 - np.tanh(values) ** 2) + 6 * values)


@twin(
    "09-pytorch",
    r"L = \frac{1}{B\,T} \sum_{b,t} -\log p_{\text{target}} \qquad\qquad g \leftarrow g \cdot \min\left(1,\ \frac{\text{max norm}}{\lVert g \rVert}\right)",
)
def mean_loss():
    rng = np.random.default_rng(13)
    logits, targets = rng.normal(size=(B, T, V)), rng.integers(0, V, (B, T))
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    loss = np.mean(-np.log(np.take_along_axis(p, targets[..., None], axis=-1)))
    theirs = torch.nn.functional.cross_entropy(tensor(logits).flatten(0, 1), torch.tensor(targets).flatten())
    close(theirs.item(), loss)
    close(softmax_cross_entropy(logits, targets)[0], loss)
    clipping()


@twin(
    "11-speech",
    r"m = 2595 \log_{10}\!\Big(1 + \frac{\text{hertz}}{700}\Big)",
    r"\text{filter}_b(k) = \max\Big(0,\ 1 - \frac{|m_k - b \cdot \text{width}|}{\text{width}}\Big), \qquad b = 1, \dots, \text{bands}",
)
def mel_filters():
    rate, size, hop, bands = 8000, 64, 24, 5
    signal = np.random.default_rng(30).normal(size=230)
    mels = [2595 * np.log10(1 + k * rate / size / 700) for k in range(size // 2 + 1)]
    width = mels[-1] / (bands + 1)
    filters = [[max(0, 1 - abs(m - b * width) / width) for m in mels] for b in range(1, bands + 1)]
    window = torch.hann_window(size, periodic=False, dtype=torch.float64)
    heard = torch.stft(tensor(signal), size, hop, window=window, center=False, return_complex=True)
    expected = (tensor(filters) @ heard.abs() ** 2 + 1e-6).log().T.numpy()
    close(log_mel(signal, rate, size, hop, bands), expected)


@twin(
    "11-speech",
    r"\text{loss} = -\log \sum_{\text{paths that spell the text}} \ \prod_t p_t(\text{path}_t)",
    r"\alpha_t(s) = \big(\alpha_{t-1}(s) + \alpha_{t-1}(s-1) + [\text{skip allowed}]\ \alpha_{t-1}(s-2)\big) \cdot p_t(\text{place}_s)",
)
def all_paths():
    frames, text = 5, [1, 2, 2]
    p = torch.softmax(tensor(np.random.default_rng(31).normal(size=(frames, 3))), dim=1).numpy()
    total = 0.0
    for path in itertools.product(range(3), repeat=frames):
        if [symbol for symbol, _ in itertools.groupby(path) if symbol != 0] == text:
            total += np.prod([p[t, symbol] for t, symbol in enumerate(path)])
    place = [0, 1, 0, 2, 0, 2, 0]
    alpha = [p[0, 0], p[0, 1], 0, 0, 0, 0, 0]
    for t in range(1, frames):
        before = [0, 0, *alpha]  # so that before[s + 2] is alpha of s
        alpha = [
            (before[s + 2] + before[s + 1] + (s == 3) * before[s]) * p[t, place[s]]  # only from 1 to 2
            for s in range(7)
        ]
    close(alpha[-1] + alpha[-2], total)
    close(ctc_loss(np.log(p), np.array(text)), -np.log(total))
    sizes = torch.tensor([frames]), torch.tensor([3])
    theirs = torch.nn.functional.ctc_loss(
        tensor(np.log(p))[:, None], torch.tensor([text]), *sizes, reduction="sum"
    )
    close(theirs.item(), -np.log(total))


@twin(
    "11-speech",
    r"\beta_{t-1}(s) = \beta_t(s)\, p_t(\text{place}_s) + \beta_t(s+1)\, p_t(\text{place}_{s+1}) + [\text{skip allowed}]\ \beta_t(s+2)\, p_t(\text{place}_{s+2})",
    r"\frac{\partial\, \text{loss}}{\partial\, \text{logit}_t(v)} = p_t(v) - \text{wanted}_t(v)",
)
def the_way_back_through_all_paths():
    frames, text, place = 6, [1, 2, 2], [0, 1, 0, 2, 0, 2, 0]
    logits = tensor(np.random.default_rng(32).normal(size=(frames, 3)), grad=True)
    p = torch.softmax(logits, dim=1).detach().numpy()
    alpha, beta = np.zeros((2, frames, 7 + 2))  # two places more, which stay empty
    alpha[0, :2] = p[0, place[:2]]
    for t in range(1, frames):
        for s in range(7):
            before = alpha[t - 1, s] + (s > 0) * alpha[t - 1, s - 1] + (s == 3) * alpha[t - 1, s - 2]
            alpha[t, s] = before * p[t, place[s]]
    beta[-1, 5:7] = 1
    for t in range(frames - 1, 0, -1):
        here = np.append(p[t, place], [0, 0])
        for s in range(7):
            skip = (s == 1) * beta[t, s + 2] * here[s + 2]  # only from 1 to 2
            beta[t - 1, s] = beta[t, s] * here[s] + beta[t, s + 1] * here[s + 1] + skip
    both = (alpha * beta)[:, :7]
    total = both[0].sum()
    close(both.sum(axis=1), np.full(frames, total))  # every path stands somewhere at every frame
    wanted = np.stack([both[:, np.array(place) == v].sum(axis=1) for v in range(3)], axis=1) / total
    sizes = torch.tensor([frames]), torch.tensor([3])
    theirs = torch.nn.functional.ctc_loss(
        logits.log_softmax(dim=1)[:, None], torch.tensor([text]), *sizes, reduction="sum"
    )
    theirs.backward()
    close(theirs.item(), -np.log(total))
    close(logits.grad.numpy(), p - wanted)
    close(by_hand_ctc_loss(logits.detach().numpy()[None], [text])[1][0], p - wanted)


@twin("13-forecast", r"e_h = \sqrt{\frac{1}{N} \sum_{n=1}^{N} \big(s\,(\hat x_{n,h} - x_{n,h})\big)^2}")
def forecast_errors():
    rng, s, N = np.random.default_rng(20), 7.5, 9
    forecasts, truth = rng.normal(size=(2, N, H + 3))
    expected = [
        np.sqrt(sum((s * (forecasts[n, h] - truth[n, h])) ** 2 for n in range(N)) / N) for h in range(H + 3)
    ]
    close(errors_by_horizon(forecasts, truth, s), np.array(expected))
    squares = torch.nn.functional.mse_loss(tensor(forecasts * s), tensor(truth * s), reduction="none")
    close(squares.mean(dim=0).sqrt().numpy(), np.array(expected))


@twin("13-forecast", r"\hat x_{t+h} = \sum_{k=0}^{47} a_{h,k}\,x_{t-k} + \sum_{j} b_{h,j}\,c_{t,j} + d_h")
def linear_forecasts():
    rng, lags, t, K = np.random.default_rng(21), 48, 60, 6
    x, c, horizon = rng.normal(size=(1, 70)), rng.normal(size=(70, K)), 4
    a, b, d = rng.normal(size=(horizon, lags)), rng.normal(size=(horizon, K)), rng.normal(size=horizon)
    expected = [
        sum(a[h, k] * x[0, t - k] for k in range(lags)) + sum(b[h, j] * c[t, j] for j in range(K)) + d[h]
        for h in range(horizon)
    ]
    weights = np.concatenate([a[:, ::-1].T, b.T, d[np.newaxis]])  # the past is kept oldest first
    close(linear_forecast(weights, pasts(x, lags)[:, [t]], c[[t]])[0, 0], np.array(expected))
    layer = torch.nn.Linear(lags + K, horizon, dtype=torch.float64)
    layer.load_state_dict({"weight": tensor(weights[:-1].T.copy()), "bias": tensor(d)})
    read = np.concatenate([x[0, t - lags + 1 : t + 1], c[t]])
    close(layer(tensor(read)).detach().numpy(), np.array(expected))


@twin(
    "12-captions",
    r"h_0 = \tanh(\text{encoder}(\text{image})) \qquad\qquad L = -\frac{1}{N} \sum_{b,t} \log p(w_{b,t+1} \mid h_0, w_{b,0} \ldots w_{b,t})",
)
def caption_by_caption():
    rng = np.random.default_rng(12)
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, H, dtype=torch.float64))
    images, captions = tensor(rng.random((B, 2, 3))), torch.tensor([[1, 3, 4, 2], [1, 5, 2, 0], [1, 2, 0, 0]])
    embed, cell = torch.nn.Embedding(V, D, dtype=torch.float64), torch.nn.GRUCell(D, H, dtype=torch.float64)
    out = torch.nn.Linear(H, V, dtype=torch.float64)
    states, total, N = [], 0.0, 0
    for image, words in zip(images, captions.tolist(), strict=True):
        h = torch.tanh(encoder(image[None]))
        states.append(h)
        for said, next_one in itertools.pairwise(words):
            if next_one != 0:
                h = cell(embed(torch.tensor([said])), h)
                total, N = total + torch.softmax(out(h)[0], dim=0)[next_one].log(), N + 1

    gru = torch.nn.GRU(D, H, batch_first=True, dtype=torch.float64)
    gru.load_state_dict({f"{name}_l0": value for name, value in cell.state_dict().items()})

    def decoder(words, state):
        y, state = gru(embed(words), state)
        return out(y), state

    state = image_to_state(encoder, images, 1)
    close(state[0].detach().numpy(), torch.cat(states).detach().numpy())
    close(caption_loss(decoder, state, captions).item(), -total.item() / N)


@twin(
    "10-translation",
    r"\text{scores} = \frac{q\, K^\top}{\sqrt{H}} \qquad \text{weights} = \text{softmax}_S(\text{scores}) \qquad \text{context} = \text{weights}\; K",
)
def looking_back():
    rng, S = np.random.default_rng(40), 7
    q, K = rng.normal(size=(B, T, H)), rng.normal(size=(B, S, H))
    mask = np.arange(S) < np.array([7, 4, 2])[:, None]
    scores = np.where(mask[:, None], q @ K.transpose(0, 2, 1) / np.sqrt(H), -np.inf)
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    context, received = attention(tensor(q), tensor(K), torch.tensor(mask))
    close((context.numpy(), received.numpy()), (weights @ K, weights))
    given = torch.tensor(mask)[:, None].expand(B, T, S)
    theirs = torch.nn.functional.scaled_dot_product_attention(*map(tensor, (q, K, K)), attn_mask=given)
    close(theirs.numpy(), weights @ K)


@twin(
    "10-translation",
    r"s_t = \text{GRU}(e(y_{t-1}),\, s_{t-1}) \qquad c_t = \text{attention}(s_t, K) \qquad \text{logits}_t = W_o \tanh(W_m [s_t,\, c_t] + b_m) + b_o",
)
def one_letter_more():
    torch.manual_seed(41)
    S, E = 7, 3
    model = torch.nn.Module()
    model.embed_target, model.decoder = torch.nn.Embedding(V, E), torch.nn.GRU(E, H, batch_first=True)
    model.mix, model.output, model.attention = torch.nn.Linear(2 * H, H), torch.nn.Linear(H, V), attention
    model.double().requires_grad_(False)
    symbols, keys, state = torch.randint(V, (B, T)), torch.randn(B, S, H).double(), torch.randn(B, H).double()
    mask = torch.arange(S) < torch.tensor([7, 4, 2])[:, None]
    logits, last, _ = decode_step(model, symbols, state, keys, mask)

    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    p = {name: getattr(model.decoder, f"{name}_l0").numpy() for name in names}
    s, K = state.numpy(), keys.numpy()
    for t in range(T):
        *_, s = gru_formulas(p, model.embed_target.weight.numpy()[symbols[:, t]], s)
        scores = np.where(mask.numpy(), np.einsum("bh,bsh->bs", s, K) / np.sqrt(H), -np.inf)
        weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        both = np.concatenate([s, np.einsum("bs,bsh->bh", weights, K)], axis=1)
        mixed = np.tanh(both @ model.mix.weight.numpy().T + model.mix.bias.numpy())
        close(logits[:, t].numpy(), mixed @ model.output.weight.numpy().T + model.output.bias.numpy())
    close(last.numpy(), s)


@twin("10-translation", r"\log p(y_1 \ldots y_T) = \sum_t \log p(y_t \mid y_1 \ldots y_{t-1})")
def chances_of_a_text():
    rng, length = np.random.default_rng(42), 3
    tables = rng.normal(size=(length + 1, V, V))  # scores of what follows a symbol, other ones at each step
    tables[:-1, :, 0] = tables[-1, :, 1:] = -1e9  # every text ends after three symbols, and no earlier

    def step(symbols, state):
        t = int(state[0, 0])
        return tensor(tables[t][symbols.numpy()]), state + 1

    def log_prob(text):
        before, total = 0, 0.0
        for t, symbol in enumerate(text):
            scores = tables[t, before]
            total += scores[symbol] - np.log(np.exp(scores).sum())
            before = symbol
        return total

    best = max(itertools.product(range(1, V), repeat=length), key=log_prob)
    ids, said = beam_search(step, torch.zeros(1, 1), 0, 0, V**length, length + 1)
    assert ids == list(best)
    close(said, log_prob(best))


def drawn_scan(seed):
    """Factors, what is added and what arrives, (B, T, H), and a first state (B, H)."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (B, T, H)), *rng.normal(size=(2, B, T, H)), rng.normal(size=(B, H))


@twin("14-scan", r"h_t = a_t \odot h_{t-1} + b_t")
def linear_recurrence():
    a, b, _, h0 = drawn_scan(40)
    h, states = tensor(h0), []
    for t in range(T):
        h = tensor(a[:, t]) * h + tensor(b[:, t])
        states.append(h.numpy())
    close(scan(a, b, h0), np.stack(states, axis=1))


@twin(
    "14-scan",
    r"(a_1, b_1) \text{ then } (a_2, b_2) \;=\; (a_2 \odot a_1,\ \ a_2 \odot b_1 + b_2)",
)
def two_steps_in_one():
    a, b, _, h0 = drawn_scan(41)
    joined_a, joined_b = a[:, 1] * a[:, 0], a[:, 1] * b[:, 0] + b[:, 1]
    one, other = combine((a[:, 0], b[:, 0]), (a[:, 1], b[:, 1]))
    close(one, joined_a)
    close(other, joined_b)
    after = tensor(a[:, 1]) * (tensor(a[:, 0]) * tensor(h0) + tensor(b[:, 0])) + tensor(b[:, 1])
    close(joined_a * h0 + joined_b, after.numpy())


@twin(
    "14-scan",
    r"db_t = dh_t + a_{t+1} \odot db_{t+1} \qquad\qquad da_t = db_t \odot h_{t-1} \qquad\qquad dh_0 = a_1 \odot db_1",
)
def linear_recurrence_back():
    a, b, dh, h0 = drawn_scan(42)
    states = [h0]
    for t in range(T):
        states.append(a[:, t] * states[-1] + b[:, t])
    da, db, later = np.zeros_like(a), np.zeros_like(b), np.zeros_like(h0)
    for t in reversed(range(T)):
        db[:, t] = dh[:, t] + (a[:, t + 1] if t + 1 < T else 0) * later
        later = db[:, t]
        da[:, t] = db[:, t] * states[t]
    dh0 = a[:, 0] * db[:, 0]
    leaves = tensor(a, True), tensor(b, True), tensor(h0, True)
    h, error = leaves[2], 0
    for t in range(T):
        h = leaves[0][:, t] * h + leaves[1][:, t]
        error = error + (h * tensor(dh[:, t])).sum()
    error.backward()
    ours = scan_backward(a, h0, np.stack(states[1:], axis=1), dh)
    for mine, formula, leaf in zip(ours, (da, db, dh0), leaves, strict=True):
        close(mine, formula)
        close(leaf.grad.numpy(), formula)


@twin(
    "14-scan",
    r"z_t = \sigma(x_t W_z^\top + b_z) \qquad n_t = x_t W_n^\top + b_n \qquad h_t = z_t \odot h_{t-1} + (1 - z_t) \odot n_t",
)
def minimal_gru():
    rng = np.random.default_rng(43)
    W, bias, x, h0 = (rng.normal(size=s) for s in ((2 * H, D), (2 * H,), (B, T, D), (B, H)))
    h, states = h0, []
    for t in range(T):
        z, n = sigma(x[:, t] @ W[:H].T + bias[:H]), x[:, t] @ W[H:].T + bias[H:]
        h = z * h + (1 - z) * n
        states.append(h)
    close(min_gru({"weight_ih": W, "bias_ih": bias}, x, h0)[0], np.stack(states, axis=1))
    linear = torch.nn.functional.linear(tensor(x), tensor(W), tensor(bias))
    weights = torch.sigmoid(linear[..., :H])
    state = tensor(h0)
    for t in range(T):
        state = torch.lerp(linear[:, t, H:], state, weights[:, t])
        close(states[t], state.numpy())


# Lesson 15 --------------------------------------------------------------------------------------------


def sequence_of_pairs(seed):
    """Queries, keys (B, T, D) and values (B, T, H)."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(B, T, D)), rng.normal(size=(B, T, D)), rng.normal(size=(B, T, H))


@twin(
    "15-attention",
    r"\text{scores}_{ts} = \frac{q_t k_s^\top}{\sqrt{D}} \;\text{ for } s \le t, \text{ else } -\infty \qquad w_t = \text{softmax}(\text{scores}_t) \qquad y_t = \sum_{s \le t} w_{ts}\, v_s",
)
def looking_back_at_oneself():
    q, k, v = sequence_of_pairs(60)
    expected = np.zeros((B, T, H))
    for b, t in np.ndindex(B, T):
        shares = np.exp([q[b, t] @ k[b, s] / np.sqrt(D) for s in range(t + 1)])
        expected[b, t] = sum(share * v[b, s] for s, share in enumerate(shares / shares.sum()))
    close(causal_attention(q, k, v)[0], expected)
    theirs = torch.nn.functional.scaled_dot_product_attention(*map(tensor, (q, k, v)), is_causal=True)
    close(theirs.numpy(), expected)


@twin(
    "15-attention",
    r"y_t = \sum_{s \le t} (q_t k_s^\top)\, v_s = q_t \sum_{s \le t} k_s^\top v_s",
    r"S_t = S_{t-1} + k_t^\top v_t \qquad\qquad y_t = q_t S_t",
    r"Y = \text{tril}(Q K^\top)\, V \qquad\qquad S_T = K^\top V",
)
def brackets_put_otherwise():
    q, k, v = sequence_of_pairs(61)
    y, last = linear_attention(q, k, v)
    Q, K, V = map(tensor, (q, k, v))
    close(y, (torch.tril(Q @ K.mT) @ V).numpy())
    close(last, (K.mT @ V).numpy())
    state = np.zeros((B, D, H))
    for t in range(T):
        step, state = linear_attention_step(state, q[:, t], k[:, t], v[:, t])
        for b in range(B):
            left = sum((q[b, t] @ k[b, s]) * v[b, s] for s in range(t + 1))
            right = q[b, t] @ sum(k[b, s][:, None] * v[b, s] for s in range(t + 1))
            close((step[b], y[b, t]), (left, right))
    close(state, last)


@twin(
    "15-attention",
    r"e_t = v_t - k_t S_{t-1} \qquad\quad S_t = S_{t-1} + \beta_t\, k_t^\top e_t \qquad\quad y_t = q_t S_t",
    r"dS = dS_t + q^\top dy \qquad\quad dq = dy\, S_t^\top \qquad\quad u = k\, dS",
    r"dv = \beta u \qquad d\beta = u\, e^\top \qquad dk = \beta e\, dS^\top - dv\, S_{t-1}^\top \qquad dS_{t-1} = dS - k^\top dv",
)
def corrected_and_sent_back():
    rng = np.random.default_rng(62)
    sizes = {"S": (B, D, H), "q": (B, D), "k": (B, D), "v": (B, H), "beta": (B, 1)}
    given = {name: rng.normal(size=size) for name, size in sizes.items()}
    dy, arriving = rng.normal(size=(B, H)), rng.normal(size=(B, D, H))
    y, S_next, cache = delta_step(**given)
    leaves = {name: tensor(one, grad=True) for name, one in given.items()}
    outcome = []
    for S, q, k, v, beta in zip(*leaves.values(), strict=True):
        new = S + beta * torch.outer(k, v - k @ S)
        outcome.append((q @ new, new))
    theirs = tuple(torch.stack(one) for one in zip(*outcome, strict=True))
    close((y, S_next), tuple(one.detach().numpy() for one in theirs))
    measured = torch.autograd.grad(theirs, list(leaves.values()), (tensor(dy), tensor(arriving)))
    formulas = []
    for b in range(B):
        S, q, k, v, beta = (one[b] for one in given.values())
        q, k, v, d = q[None], k[None], v[None], dy[b][None]
        e, dS = v - k @ S, arriving[b] + q.T @ d
        dq, u = d @ S_next[b].T, k @ dS
        dv, dbeta = beta * u, u @ e.T
        dk, dS_prev = beta * e @ dS.T - dv @ S.T, dS - k.T @ dv
        formulas.append((dS_prev, dq[0], dk[0], dv[0], dbeta[0]))
    expected = tuple(np.stack(one) for one in zip(*formulas, strict=True))
    close(delta_step_backward(dy, arriving, cache), expected)
    close(tuple(one.numpy() for one in measured), expected)
