"""The recall contest asks what it says, and its memories are the ones of lesson 15."""

import numpy as np
import pytest
import torch

from rnncore.given import recall
from rnncore.topics import memory
from tests.rnncore.oracle import close

B, T, D, H = 3, 6, 4, 2


def drawn(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [torch.tensor(rng.normal(size=shape), requires_grad=True) for shape in shapes]


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.mark.parametrize("twice", [False, True])
def test_the_answer_is_the_value_that_was_last_read_with_the_key(twice):
    batch = recall.recall_batch(np.random.default_rng(1), 40, 8, twice)
    keys, values, asked, answers = (one.cpu().numpy() for one in batch)
    assert keys.shape == values.shape == (40, 8) and asked.shape == answers.shape == (40, 8 >> twice)
    for row in range(40):
        known = dict(zip(keys[row], values[row], strict=True))  # a later value takes an earlier one's place
        assert sorted(asked[row]) == sorted(known)
        assert [known[key] for key in asked[row]] == answers[row].tolist()


def test_questions_and_keys_come_in_no_order_of_each_other():
    keys, _, asked, _ = recall.recall_batch(np.random.default_rng(2), 40, 8)
    assert (keys != asked).any()


@pytest.mark.parametrize(("pairs", "twice"), [(0, False), (1, True), (65, False), (130, True)])
def test_more_pairs_than_keys_are_refused(pairs, twice):
    with pytest.raises(ValueError, match=f"pairs is {pairs}"):
        recall.recall_batch(np.random.default_rng(0), 2, pairs, twice)


def test_the_delta_memory_is_the_delta_rule_through_time_with_its_gradient():
    q, k, v = drawn((B, T, D), (B, T, D), (B, T, H))
    beta = torch.rand(B, T, 1, dtype=torch.float64, requires_grad=True)
    y = recall.delta_memory(memory.delta_step, memory.delta_step_backward)(q, k, v, beta)
    normal_q, normal_k = torch.nn.functional.normalize(q, dim=2), torch.nn.functional.normalize(k, dim=2)
    S, expected = torch.zeros(B, D, H, dtype=torch.float64), []
    for t in range(T):
        error = v[:, t] - torch.einsum("bd,bdh->bh", normal_k[:, t], S)
        S = S + torch.einsum("bd,bh->bdh", normal_k[:, t], beta[:, t] * error)
        expected.append(torch.einsum("bd,bdh->bh", normal_q[:, t], S))
    expected = torch.stack(expected, dim=1)
    close(y.detach().numpy(), expected.detach().numpy())
    (dy,) = drawn((B, T, H), seed=3)
    ours, theirs = (torch.autograd.grad(one, (q, k, v, beta), dy.detach()) for one in (y, expected))
    close(tuple(one.numpy() for one in ours), tuple(one.numpy() for one in theirs))


def test_the_other_two_memories_are_the_lessons():
    arrays = [one.detach().numpy() for one in drawn((B, T, D), (B, T, D), (B, T, H))]
    q, k, v = map(torch.tensor, arrays)
    close(recall.softmax_memory(q, k, v, None).numpy(), memory.causal_attention(*arrays)[0])
    expected, _ = memory.linear_attention(unit(arrays[0]), unit(arrays[1]), arrays[2])
    close(recall.linear_memory(q, k, v, None).numpy(), expected)


@pytest.mark.parametrize("kind", [recall.softmax_memory, None], ids=["softmax", "LSTM"])
def test_a_recaller_learns_from_what_it_reads(kind):
    model = recall.learn_to_recall(kind, steps=120)
    shares = recall.recalled(model, pairs=(2,))
    assert shares.shape == (1,) and shares[0] > 3 / recall.VALUES
