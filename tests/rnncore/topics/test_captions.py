"""Lesson 12's functions against torch's cross_entropy, brute force, and what is plain to see."""

import inspect
import subprocess
import sys
from itertools import pairwise, product

import numpy as np
import pytest
import torch

from rnncore.check import check
from rnncore.data.digits import END, NAMES, PAD, START
from rnncore.exercises import by_name, of_lesson
from rnncore.observe import Outcome, observe
from rnncore.topics.captions import caption, caption_loss, describe, image_to_state, place
from tests.rnncore.asked import once_a_case
from tests.rnncore.oracle import close

B, T, V, D, H, L = 4, 6, 9, 3, 5, 2


class Decoder(torch.nn.Module):
    """An embedding, a GRU of L layers, dropout and a linear layer; counts how often it is called."""

    def __init__(self):
        super().__init__()
        self.embed, self.dropout = torch.nn.Embedding(V, D), torch.nn.Dropout(0.5)
        self.rnn, self.out = torch.nn.GRU(D, H, L, batch_first=True), torch.nn.Linear(H, V)
        self.calls = 0
        self.double()

    def forward(self, words, state):
        self.calls += 1
        y, state = self.rnn(self.embed(words), state)
        return self.out(self.dropout(y)), state


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return Decoder().eval()


@pytest.fixture
def state():
    return torch.tensor(np.random.default_rng(0).uniform(-1, 1, (L, B, H)), requires_grad=True)


def test_a_placed_digit_is_the_darker_of_two_inks_at_every_pixel():
    rng = np.random.default_rng(1)
    canvas, digit = rng.random((7, 9)), rng.random((3, 4))
    before = canvas.copy()
    drawn = place(canvas, digit, 2, 4)
    for row, col in product(range(7), range(9)):
        inside = 2 <= row < 5 and 4 <= col < 8
        ink = max(before[row, col], digit[row - 2, col - 4]) if inside else before[row, col]
        assert drawn[row, col] == ink
    np.testing.assert_array_equal(canvas, before)


def test_a_description_is_true_and_its_reverse_is_what_the_other_digit_says():
    other = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
    rng = np.random.default_rng(2)
    for _ in range(200):
        (a, b), (r1, c1, r2, c2) = rng.integers(0, 10, 2).tolist(), rng.integers(0, 12, 4).tolist()
        if abs(r1 - r2) == abs(c1 - c2):
            continue
        nouns = [f"an {NAMES[digit]}" if digit == 8 else f"a {NAMES[digit]}" for digit in (a, b)]
        said = describe(a, b, (r1, c1), (r2, c2))
        relation = said.removeprefix(nouns[0] + " ").removesuffix(" " + nouns[1])
        holds = {"left of": c1 < c2, "right of": c1 > c2, "above": r1 < r2, "below": r1 > r2}
        assert holds[relation]
        assert (relation in ("left of", "right of")) == (abs(c1 - c2) > abs(r1 - r2))
        assert describe(b, a, (r2, c2), (r1, c1)) == f"{nouns[1]} {other[relation]} {nouns[0]}"


def test_each_picture_gets_the_state_that_it_would_get_alone():
    torch.manual_seed(1)
    encoder = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(24, L * H))
    images = torch.rand(B, 6, 5)
    states = image_to_state(encoder, images, L)
    assert states.shape == (L, B, H) and states.is_contiguous() and states.requires_grad
    for b, layer in product(range(B), range(L)):
        alone = torch.tanh(encoder(images[b : b + 1, None]))[0, layer * H : (layer + 1) * H]
        close(states[layer, b].detach().numpy(), alone.detach().numpy(), 1e-5)


def padded_captions():
    captions = torch.full((B, T + 1), PAD)
    for row, length in zip(captions, (5, 2, 6, 3), strict=True):
        row[0], row[length] = START, END
        row[1:length] = torch.randint(3, V, (length - 1,))
    return captions


def test_the_loss_is_torchs_over_the_words_one_by_one_in_value_and_gradients(decoder, state):
    captions = padded_captions()
    loss = caption_loss(decoder, state, captions)
    wanted = [state, *decoder.parameters()]
    received = torch.autograd.grad(loss, wanted)
    losses = []
    for b, row in enumerate(captions.tolist()):
        h = state[:, b : b + 1]
        for word, target in pairwise(row):
            if target == PAD:
                break
            logits, h = decoder(torch.tensor([[word]]), h)
            losses.append(logits[0, 0].logsumexp(0) - logits[0, 0, target])
    expected = sum(losses) / len(losses)
    close(loss.item(), expected.item())
    for ours, theirs in zip(received, torch.autograd.grad(expected, wanted), strict=True):
        close(ours.numpy(), theirs.numpy(), 1e-9)
    masked = torch.nn.functional.cross_entropy(
        decoder(captions[:, :-1], state)[0].flatten(0, 1), captions[:, 1:].flatten(), ignore_index=PAD
    )
    close(loss.item(), masked.item())


def test_a_caption_is_the_likeliest_word_each_time_until_the_end(decoder):
    ended = 0
    for seed in range(20):
        torch.manual_seed(seed)
        state = torch.empty(L, 1, H, dtype=torch.float64).uniform_(-1, 1)
        with torch.no_grad():
            decoder.out.bias[END] = 0.4
        decoder.train()
        words = caption(decoder, state, torch.argmax, 7)
        assert not decoder.training and all(type(word) is int for word in words)
        expected = []  # found without a carried state: everything is read again for each word
        while len(expected) < 7:
            logits, _ = decoder(torch.tensor([[START, *expected]]), state)
            if int(logits[0, -1].argmax()) == END:
                ended += 1
                break
            expected.append(int(logits[0, -1].argmax()))
        assert words == expected
    assert 0 < ended < 20


def test_saying_a_caption_calls_the_decoder_once_a_word_and_records_nothing(decoder):
    choices = iter([5, 3, END, 4])
    seen = []

    def choose(logits):
        seen.append(logits)
        return torch.tensor(next(choices))

    assert caption(decoder, torch.zeros(L, 1, H, dtype=torch.float64), choose, 9) == [5, 3]
    assert decoder.calls == len(seen) == 3
    assert all(logits.shape == (V,) and not logits.requires_grad for logits in seen)
    assert torch.is_grad_enabled()


def test_every_check_of_the_lesson_passes_through_the_graders_wire():
    from autograder.sandbox.bridge import decode, encode

    for exercise in of_lesson("12-captions"):

        def proxy(*args):
            raise AssertionError("the proxy asks, it is never called")

        def ask(args, exercise=exercise):
            local = observe(exercise.reference, decode(encode(args), formulas=True))
            return Outcome.from_plain(decode(encode(local.to_plain())))

        proxy.__name__, proxy.observe_remotely = exercise.name, ask
        verdict = check(proxy, 3, seed=4)
        assert (verdict.earned, verdict.remarks) == (3, ()), verdict


@pytest.mark.parametrize("exercise", [exercise.name for exercise in of_lesson("12-captions")])
def test_whatever_is_returned_the_check_has_an_answer(exercise):
    count = len(inspect.signature(by_name()[exercise].reference).parameters)
    with once_a_case():
        for returned in (None, 3.5, "words", [], {}, np.ones(3), torch.ones(2, 3)):
            answer = {
                2: lambda a, b, returned=returned: returned,
                3: lambda a, b, c, returned=returned: returned,
                4: lambda a, b, c, d, returned=returned: returned,
            }[count]
            answer.__name__ = exercise
            verdict = check(answer, 4, seed=1)
            assert verdict.earned == 0 and verdict.status in ("wrong", "error"), (returned, verdict)


def test_importing_the_references_needs_no_torch():
    script = "import sys, rnncore.topics.captions, rnncore.data.digits; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-W", "error", "-c", script]).returncode == 0
