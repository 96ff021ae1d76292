"""Lesson 09's functions agree with torch's own modules, and its checks survive what students return."""

import functools
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import PackedSequence

from rnncore.cells.lstm import lstm_cell
from rnncore.check import check
from rnncore.exercises import by_name
from rnncore.observe import Formula, Outcome, Unplain, observe, plain
from rnncore.topics.pytorch import HandLSTM, evaluate, to_torch, train_step
from tests.rnncore.oracle import close

B, T, D, H, V = 3, 5, 4, 2, 6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("requires_grad", [True, False])
def test_tensors_are_copies_of_the_arrays_and_collect_gradients_where_asked(dtype, requires_grad):
    arrays = {"weight": np.random.default_rng(0).normal(size=(H, D)).astype(dtype), "bias": np.ones(H, dtype)}
    tensors = to_torch(arrays, requires_grad)
    assert list(tensors) == list(arrays)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor.detach().numpy(), arrays[name])
        assert (tensor.numpy(force=True).dtype, tensor.requires_grad, tensor.is_leaf) == (
            dtype,
            requires_grad,
            True,
        )
        assert not np.shares_memory(tensor.detach().numpy(), arrays[name])


@pytest.mark.parametrize("with_state", [True, False])
def test_the_hand_written_lstm_is_torchs_in_outputs_and_all_gradients(with_state):
    torch.manual_seed(0)
    ours, theirs = HandLSTM(D, H).double(), torch.nn.LSTM(D, H, batch_first=True, dtype=torch.float64)
    theirs.load_state_dict({f"{name}_l0": tensor for name, tensor in ours.state_dict().items()})
    results = []
    for module in (ours, theirs):
        x, h, c = (
            torch.tensor(np.random.default_rng(n).normal(size=shape), requires_grad=True)
            for n, shape in enumerate([(B, T, D), (B, H), (B, H)])
        )
        state = (h, c) if module is ours else (h[None], c[None])
        y, (h_n, c_n) = module(x, state) if with_state else module(x)
        dy = torch.tensor(np.random.default_rng(5).normal(size=(B, T, H)))
        ((y * dy).sum() + (h_n**2).sum() + c_n.sum()).backward()
        tensors = [y, h_n.reshape(B, H), c_n.reshape(B, H), x.grad, *((h.grad, c.grad) if with_state else ())]
        results.append([*tensors, *(parameter.grad for parameter in module.parameters())])
    for received, expected in zip(*results, strict=True):
        close(received.detach().numpy(), expected.detach().numpy())


def test_the_hand_written_lstm_is_the_numpy_cell_step_by_step():
    torch.manual_seed(1)
    module = HandLSTM(D, H).double()
    params = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    x = np.random.default_rng(1).normal(size=(B, T, D))
    state = (np.zeros((B, H)), np.zeros((B, H)))
    y, final = module(torch.tensor(x))
    for t in range(T):
        state, _ = lstm_cell(params, x[:, t], state)
        close(y[:, t].detach().numpy(), state[0])
    close(final[1].detach().numpy(), state[1])


class Tagger(torch.nn.Module):
    """Embedding, a bidirectional GRU, dropout, output; on padded ids or packed ones."""

    def __init__(self):
        super().__init__()
        self.embed, self.dropout = torch.nn.Embedding(V, D), torch.nn.Dropout(0.5)
        self.rnn = torch.nn.GRU(D, H, batch_first=True, bidirectional=True)
        self.out = torch.nn.Linear(2 * H, V)

    def forward(self, ids):
        if not isinstance(ids, PackedSequence):
            return self.out(self.dropout(self.rnn(self.embed(ids))[0]))
        y, _ = self.rnn(PackedSequence(self.embed(ids.data), *ids[1:]))
        return PackedSequence(self.out(self.dropout(y.data)), *y[1:])


def test_a_training_step_is_the_gradient_step_of_the_clipped_loss():
    torch.manual_seed(2)
    model = Tagger().double().eval()  # without dropout, so that the loss can be computed again
    inputs, targets = torch.randint(V, (B, T)), torch.randint(V, (B, T))
    parameters = list(model.parameters())
    loss = -torch.log_softmax(model(inputs), -1)[torch.arange(B)[:, None], torch.arange(T), targets].mean()
    grads = torch.autograd.grad(loss, parameters)
    norm = torch.cat([grad.flatten() for grad in grads]).norm()
    expected = [
        p.detach() - 0.3 * grad * 0.05 / (norm + 1e-6) for p, grad in zip(parameters, grads, strict=True)
    ]
    assert norm > 0.05
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, 9.0)  # left over, and to be forgotten
    returned = train_step(model, (inputs, targets), torch.optim.SGD(parameters, lr=0.3), 0.05)
    assert isinstance(returned, float)
    close(returned, loss.item())
    for received, wanted in zip(parameters, expected, strict=True):
        close(received.detach().numpy(), wanted.numpy(), 1e-9)


@pytest.mark.parametrize("training", [True, False])
def test_evaluating_counts_each_real_prediction_once_and_leaves_the_model_as_it_was(training):
    torch.manual_seed(3)
    model = Tagger().double().train(training)
    batches = [
        (torch.randint(V, (b, t)), torch.randint(V, (b, t)), torch.tensor(lengths))
        for b, t, lengths in ((3, 7, [4, 7, 1]), (2, 5, [2, 5]))
    ]
    loss, accuracy = evaluate(model, batches)
    assert model.training == training
    assert torch.is_grad_enabled()
    model.eval()
    losses, right = [], []
    for inputs, targets, lengths in batches:
        for ids, wanted, length in zip(inputs, targets, lengths, strict=True):
            logits = model(ids[None, :length])[0]
            losses += torch.nn.functional.cross_entropy(logits, wanted[:length], reduction="none").tolist()
            right += (logits.argmax(-1) == wanted[:length]).tolist()
    close(loss, np.mean(losses))
    close(accuracy, np.mean(right))


# How torch's objects are observed --------------------------------------------------------------------


def test_tensors_are_plain_data_and_models_are_not():
    nested = {"a": [torch.ones(2, 3, requires_grad=True)], "b": torch.nn.Parameter(torch.zeros(4)).double()}
    result = plain(nested)
    assert type(result["a"][0]) is type(result["b"]) is np.ndarray
    assert (result["a"][0].shape, result["b"].dtype) == ((2, 3), np.float64)
    assert plain(torch.ones(2, dtype=torch.bfloat16)) == Unplain("tensor of dtype torch.bfloat16")
    assert plain(torch.nn.Linear(2, 3)) == Unplain("Linear")
    assert plain(torch.tensor(2.5)).shape == ()


def test_a_plain_array_made_of_a_tensor_has_memory_of_its_own():
    tensor = torch.ones(3)
    array = plain(tensor)
    tensor += 1
    np.testing.assert_array_equal(array, [1, 1, 1])


def test_a_use_is_called_with_what_is_observed_and_travels_as_text():
    use = Formula("def use(answer, x):\n    made = answer(x)\n    made.append(x)\n    return made\n")

    class Made:
        def __init__(self, x):
            self.items = [x]

        def append(self, x):
            self.items.append(x)

    outcome = observe(Made, (use, np.ones(2)))
    assert outcome.value == Unplain("Made")
    assert (outcome.error, outcome.args_after[0]) == (None, None)
    outcome = observe(lambda x: [x], (use, np.ones(2)))
    np.testing.assert_array_equal(outcome.value, np.ones((2, 2)))
    again = Outcome.from_plain(outcome.to_plain())
    np.testing.assert_array_equal(again.args_after[1], np.ones(2))


def test_every_check_of_the_lesson_passes_through_the_graders_wire():
    """As the judge does it: arguments and outcomes are written as text and read again."""
    from autograder.sandbox.bridge import decode, encode
    from rnncore.exercises import of_lesson

    def proxy(exercise):
        def answer(*args):
            raise AssertionError("the proxy asks, it is never called")

        def ask(args):
            local = observe(exercise.reference, decode(encode(args), formulas=True))
            return Outcome.from_plain(decode(encode(local.to_plain())))

        answer.__name__, answer.observe_remotely = exercise.name, ask
        return answer

    for lesson in ("08-shapes", "09-pytorch"):
        for exercise in of_lesson(lesson):
            verdict = check(proxy(exercise), 3, seed=4)
            assert (verdict.earned, verdict.remarks) == (3, ()), verdict


def test_checking_early_lessons_imports_no_torch():
    script = (
        "import sys; from rnncore.check import check; from rnncore.cells.rnn import rnn_cell; "
        "assert check(rnn_cell).earned == 1; assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# What students are told ------------------------------------------------------------------------------


def named(name, function):
    if isinstance(function, type):
        function.__name__ = name
        return function

    @functools.wraps(function)
    def answer(*args):
        return function(*args)

    answer.__name__ = name
    return answer


class NotWritten(torch.nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        raise NotImplementedError


class ForwardNotWritten(NotWritten):
    def __init__(self, input_size, hidden_size):
        torch.nn.Module.__init__(self)
        for name, size in (("ih", input_size), ("hh", hidden_size)):
            self.register_parameter(f"weight_{name}", torch.nn.Parameter(torch.ones(4 * hidden_size, size)))
            self.register_parameter(f"bias_{name}", torch.nn.Parameter(torch.ones(4 * hidden_size)))

    def forward(self, x, state=None):
        raise NotImplementedError


@pytest.mark.parametrize("stub", [NotWritten, ForwardNotWritten])
def test_a_class_that_is_not_written_yet_is_not_attempted(stub):
    verdict = check(named("HandLSTM", stub), 5)
    assert (verdict.earned, verdict.status) == (0, "not attempted")


class OtherNames(ForwardNotWritten):
    def __init__(self, input_size, hidden_size):
        torch.nn.Module.__init__(self)
        self.lstm = torch.nn.LSTMCell(input_size, hidden_size)


class OneArgument(torch.nn.Module):
    def __init__(self, input_size):
        super().__init__()


class OtherShapes(ForwardNotWritten):
    def __init__(self, input_size, hidden_size):
        super().__init__(hidden_size, input_size)


@pytest.mark.parametrize(
    ("name", "answer", "sentence"),
    [
        ("HandLSTM", OtherNames, "parameters are lstm.weight_ih (8, 4), lstm.weight_hh (8, 2)"),
        ("HandLSTM", OneArgument, "__init__() takes 2 positional arguments but 3 were given"),
        ("HandLSTM", OtherShapes, "parameters are weight_ih (16, 2), bias_ih (16,)"),
        ("HandLSTM", lambda D, H: torch.ones(D, H), "made a Tensor, expected a torch.nn.Module"),
        ("HandLSTM", lambda D, H: None, "made a NoneType, expected a torch.nn.Module"),
        ("to_torch", lambda params, requires_grad: None, "None"),
        ("to_torch", lambda params: {}, "takes 1 positional argument but 2 were given"),
        ("to_torch", lambda params, requires_grad: {}, "is missing from the dict"),
        ("to_torch", lambda params, requires_grad: torch.ones(3), "is an array of shape (3,)"),
        ("train_step", lambda *args: None, "is None, expected a number"),
        ("train_step", lambda *args: "low", "expected a number"),
        ("train_step", lambda model, batch: 0.0, "takes 2 positional arguments but 4 were given"),
        ("train_step", lambda *args: 0.0, "is all zeros"),
        ("evaluate", lambda model, batches: None, "None"),
        ("evaluate", lambda model, batches: (0.5, 0.5), "the model was never called"),
        ("evaluate", lambda model, batches: 0.5, "expected"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(name, answer, sentence):
    verdict = check(named(name, answer), 5)
    assert verdict.earned < 2.6
    assert verdict.mistakes == () or name == "train_step"
    assert sentence in repr(verdict) + str(verdict.as_dict()), repr(verdict)


def test_checking_leaves_torchs_random_numbers_and_gradient_mode_alone():
    for name in ("HandLSTM", "train_step", "evaluate"):
        exercise = by_name()[name]
        torch.manual_seed(7)
        before = torch.get_rng_state()
        check(exercise.reference)
        if name != "HandLSTM":  # a module that draws its own weights draws them from where it likes
            assert torch.equal(torch.get_rng_state(), before)
        check(exercise.twin(exercise.mistakes[2]))
        assert torch.is_grad_enabled()
