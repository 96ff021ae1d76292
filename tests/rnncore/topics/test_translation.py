"""Lesson 10's functions agree with torch's own attention, packed sequences, and trying everything."""

import ast
import inspect
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnncore.data.number_words import number_words, split
from rnncore.given import translator as program
from rnncore.given.translator import Numbers, Translator, read, teacher_forced_loss, translate, writer
from rnncore.topics.attention import attention
from rnncore.topics.translation import beam_search, decode_step, encode, greedy_decode
from tests.rnncore.oracle import close

B, T, S, H, V_IN, V_OUT = 3, 4, 6, 5, 9, 7
LENGTHS = torch.tensor([4, 6, 1])
MASK = torch.arange(S) < LENGTHS[:, None]


def random(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Translator(V_IN, V_OUT, attention, H).double()


def test_attention_is_torchs_in_value_and_gradient():
    upstream = torch.tensor(np.random.default_rng(9).normal(size=(B, T, H)))
    results = []
    for ours in (True, False):
        query, keys = random(B, T, H, seed=1), random(B, S, H, seed=2)
        if ours:
            context, weights = attention(query, keys, MASK)
        else:
            sdpa = torch.nn.functional.scaled_dot_product_attention
            context = sdpa(query, keys, keys, attn_mask=MASK[:, None])
            weights = sdpa(query, keys, torch.eye(S, dtype=keys.dtype).expand(B, S, S), MASK[:, None])
        (context * upstream).sum().backward()
        results.append(tuple(one.detach().numpy() for one in (context, weights, query.grad, keys.grad)))
    close(*results)


def test_attention_gives_padding_nothing_and_shares_out_one():
    _, weights = attention(random(B, T, H), random(B, S, H, seed=3), MASK)
    assert (weights[~MASK[:, None].expand_as(weights)] == 0).all()
    close(weights.sum(dim=2).detach().numpy(), np.ones((B, T)))


def test_attention_to_a_single_key_is_that_key():
    key = random(B, 1, H, seed=4)
    context, _ = attention(random(B, T, H), key, torch.ones(B, 1, dtype=torch.bool))
    close(context.detach().numpy(), key.expand(B, T, H).detach().numpy())


def test_encoding_is_what_packed_sequences_give_in_value_and_gradient(model):
    ids = torch.randint(V_IN, (B, S))
    results = []
    for ours in (True, False):
        model.zero_grad()
        if ours:
            keys, state = encode(model, ids, LENGTHS)
        else:
            x = pack_padded_sequence(model.embed_source(ids), LENGTHS, True, enforce_sorted=False)
            y, h_n = model.encoder(x)
            (keys, _), state = pad_packed_sequence(y, batch_first=True), h_n[0]
        keys = keys[MASK]
        (torch.sin(keys).sum() + (state**2).sum()).backward()
        grads = [model.embed_source.weight.grad, *(one.grad for one in model.encoder.parameters())]
        results.append(tuple(one.detach().numpy().copy() for one in (keys, state, *grads)))
    close(*results)


def test_decoding_all_at_once_is_decoding_one_by_one_with_torchs_cell(model):
    cell = torch.nn.GRUCell(32, H, dtype=torch.float64)
    cell.load_state_dict({n.removesuffix("_l0"): p for n, p in model.decoder.state_dict().items()})
    symbols, keys, state = torch.randint(V_OUT, (B, T)), random(B, S, H, seed=5), random(B, H, seed=6).tanh()
    logits, last, weights = decode_step(model, symbols, state, keys, MASK)
    h = state
    for t in range(T):
        h = cell(model.embed_target(symbols[:, t]), h)
        scores = (keys * h[:, None]).sum(dim=2) / np.sqrt(H)
        shares = torch.where(MASK, scores.exp(), 0)
        shares = shares / shares.sum(dim=1, keepdim=True)
        context = (shares[:, :, None] * keys).sum(dim=1)
        expected = model.output(torch.tanh(model.mix(torch.cat([h, context], dim=1))))
        close(logits[:, t].detach().numpy(), expected.detach().numpy())
        close(weights[:, t].detach().numpy(), shares.detach().numpy())
    close(last.detach().numpy(), h.detach().numpy())


def test_the_teacher_forced_loss_is_the_mean_surprise_symbol_by_symbol(model):
    ids, target, lengths = torch.randint(V_IN, (B, S)), torch.randint(V_OUT, (B, T + 2)), [T, T + 2, 3]
    loss = teacher_forced_loss(model, (ids, LENGTHS, target, torch.tensor(lengths)))
    surprises = []
    for b, length in enumerate(lengths):
        keys, state = encode(model, ids[b : b + 1, : LENGTHS[b]], LENGTHS[b : b + 1])
        for t in range(length - 1):
            mask = torch.ones(1, LENGTHS[b], dtype=torch.bool)
            logits, state, _ = decode_step(model, target[b : b + 1, t : t + 1], state, keys, mask)
            surprises.append(-logits[0, 0].log_softmax(dim=0)[target[b, t + 1]].item())
    close(loss.item(), np.mean(surprises))


def toy(seed):
    """A small network as step(symbols, state), in float64."""
    rng = np.random.default_rng(seed)
    E, W, U = (
        torch.tensor(rng.normal(0, s, shape)) for s, shape in ((1.2, (4, 3)), (1, (3, 3)), (1, (3, 4)))
    )

    def step(symbols, state):
        state = torch.tanh(E[symbols] + state @ W)
        return state @ U, state

    return step, torch.tensor(rng.uniform(-0.9, 0.9, (3, 3)))


def log_prob(step, state, text, first):
    total = 0.0
    for read_, said in itertools.pairwise([first, *text]):
        logits, state = step(torch.tensor([read_]), state)
        total += logits[0].log_softmax(dim=0)[said].item()
    return total


@pytest.mark.parametrize("seed", range(6))
def test_a_beam_that_drops_nothing_finds_the_best_of_all_texts(seed):
    step, state = toy(seed)
    first, end, most = 0, 3, 5
    everything = [(*inside, end) for n in range(most) for inside in itertools.product([0, 1, 2], repeat=n)]
    best = max(everything, key=lambda text: log_prob(step, state[:1], text, first) / len(text))
    ids, found = beam_search(step, state[:1], first, end, 4**most, most)
    assert (*ids, end) == best
    close(found, log_prob(step, state[:1], best, first))


@pytest.mark.parametrize("seed", range(6))
def test_greedy_is_the_best_symbol_each_time_and_a_beam_of_one(seed):
    step, state = toy(seed)
    texts = greedy_decode(step, state, 0, 3, 6)
    for b, text in enumerate(texts):
        own, symbol, expected = state[b : b + 1], 0, []
        for _ in range(6):
            logits, own = step(torch.tensor([symbol]), own)
            symbol = int(np.argmax(logits[0].numpy()))
            if symbol == 3:
                break
            expected.append(symbol)
        assert text == expected == beam_search(step, state[b : b + 1], 0, 3, 1, 6)[0]


# The data and the program ----------------------------------------------------------------------------


def test_the_words_are_real_and_the_split_keeps_its_promises():
    english, german = number_words()
    assert (len(english), english[34], german[34]) == (10_000, "thirty-four", "vierunddreißig")
    assert german[7421] == "siebentausendvierhunderteinundzwanzig" and len(set(german)) == 10_000
    train, held_out = split(german)
    assert sorted([*train, *held_out]) == list(range(10_000))
    assert set(range(21)) <= set(train) and 34 in held_out
    lengths = np.array([len(word) for word in german])
    assert 2000 < len(train) < 3000 and np.bincount(lengths[train]).max() <= 120
    assert len(program.BORDERS) == 6 and program.BORDERS[-1] == lengths.max() + 1 < program.LONGEST
    again, _ = split(german)
    np.testing.assert_array_equal(train, again)


def test_a_few_steps_of_training_lower_the_loss_and_what_is_written_is_scored(monkeypatch):
    monkeypatch.setattr(program, "EPOCHS", 1)
    numbers = Numbers()
    numbers.train = numbers.train[::10]
    torch.manual_seed(0)
    blind = Translator(len(numbers.source), len(numbers.target), attention)
    batch = numbers.batch([21, 34, 9000])
    for bottleneck in (False, True):
        model = program.translator(numbers, bottleneck)
        assert not model.training
        assert teacher_forced_loss(model, batch) < 0.9 * teacher_forced_loss(blind, batch)
        said = translate(model, numbers, [34, 7])
        hits = program.right(model, numbers, np.array([7, 34, 100, 8000]))
        assert len(said) == 2 and hits.shape == (4,) and hits[1] == (said[0] == "vierunddreißig")
        keys, _, mask = read(model, *batch[:2])
        assert keys.shape[1] == mask.shape[1] == (1 if bottleneck else batch[0].shape[1])


def test_the_share_right_is_by_length_of_the_german_word():
    numbers = Numbers()
    which = np.array([7, 21, 34, 7421])
    assert [len(numbers.german[n]) for n in which] == [6, 13, 14, 37]
    shares = program.by_length(numbers, which, np.array([True, False, True, True]))
    close(shares[0], 2 / 3)
    assert np.isnan(shares[1:4]).all() and shares[4] == 1.0


def test_what_the_program_trains_is_the_lessons_own():
    path = Path(__file__).parents[3] / "solutions" / "10-translation" / "translation.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lesson = ast.parse("\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code"))
    shown = {node.name: node for node in lesson.body if hasattr(node, "name")}
    for name in ("Translator", "read", "teacher_forced_loss", "writer"):
        ours = ast.parse(inspect.getsource(getattr(program, name))).body[0]
        assert ast.dump(shown[name]) == ast.dump(ours), name
    for name, function in (
        ("attention", attention),
        ("encode", encode),
        ("decode_step", decode_step),
        ("greedy_decode", greedy_decode),
        ("beam_search", beam_search),
    ):
        body = [node for node in ast.parse(inspect.getsource(function)).body[0].body[1:]]
        ours = [ast.dump(node) for node in body if not isinstance(node, ast.Import)]
        assert ours == [ast.dump(node) for node in shown[name].body[1:]], name


def test_a_step_of_writing_is_a_decode_step_of_one_symbol(model):
    keys, state, mask = read(model, torch.randint(V_IN, (B, S)), LENGTHS)
    symbols = torch.tensor([1, 5, 2])
    logits, after = writer(model, keys, mask)(symbols, state)
    expected, last, _ = decode_step(model, symbols[:, None], state, keys, mask)
    close(logits.detach().numpy(), expected[:, 0].detach().numpy())
    close(after.detach().numpy(), last.detach().numpy())
