"""The recall contest of lesson 15: ``python -m rnncore.given.recall --seeds 3`` runs it like the lesson.

Pairs of a key and a value are read, then keys are asked for, and the answer is the value that was last read
with that key. ``Recaller`` is a small network around a memory; the memories differ, the network does not.
It learns with each key read once first, and with some read twice, with a new value, in the second half.
"""

import argparse

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from rnncore.given.device import device
from rnncore.given.fit import fit
from rnncore.topics.memory import delta_step, delta_step_backward

KEYS, VALUES, FEATURES = 64, 16, 16  # symbols of either kind; features of a key, a query and a value
STEPS, BATCH, LR = 500, 32, 0.02  # of 0.005, 0.01 and 0.02 best for LSTM and delta
MOST = 16  # pairs in training; the contest also asks for twice as many
PAIRS = (2, 4, 8, 16, 32)


def recall_batch(rng, B, pairs, twice=False):
    """B sequences of pairs, and questions in random order: keys, values, asked, answers (tensors of ids).

    keys and values are (B, pairs). With ``twice`` there are half as many different keys, and each is read a
    second time with a new value, which is then the right answer. asked and answers are (B, different keys).
    """
    different = pairs // 2 if twice else pairs
    if different < 1 or different > KEYS:
        raise ValueError(f"pairs is {pairs}: expected between 1 and {KEYS} different keys, got {different}")

    def shuffled(table):
        return np.take_along_axis(table, rng.random(table.shape).argsort(axis=1), axis=1)

    chosen = rng.random((B, KEYS)).argsort(axis=1)[:, :different]
    keys = np.concatenate([shuffled(chosen), shuffled(chosen)], axis=1) if twice else chosen
    values = rng.integers(0, VALUES, keys.shape)
    asked = shuffled(chosen)
    places = asked[:, :, None] == keys[:, None, :]
    latest = places.shape[2] - 1 - places[:, :, ::-1].argmax(axis=2)
    answers = np.take_along_axis(values, latest, axis=1)
    return tuple(torch.as_tensor(one, device=device()) for one in (keys, values, asked, answers))


class Recaller(nn.Module):
    """A memory between two layers: memory(q, k, v, beta) gives y (B, T, D); None stands for an LSTM.

    A pair is read as the sum of two embeddings, a question as a key with the value VALUES, "none". The LSTM's
    two states hold as many numbers together as the matrix of a linear attention.
    """

    def __init__(self, memory=None, D=FEATURES):
        super().__init__()
        self.memory = memory
        self.embed_key, self.embed_value = nn.Embedding(KEYS, 2 * D), nn.Embedding(VALUES + 1, 2 * D)
        if memory is None:
            self.lstm = nn.LSTM(2 * D, D * D // 2, batch_first=True)
        else:
            self.project = nn.ModuleList(nn.Linear(2 * D, D, bias=False) for _ in "qkv")
            self.beta = nn.Linear(2 * D, 1)
        self.output = nn.Linear(D if memory else D * D // 2, VALUES)

    def forward(self, keys, values, asked):
        """Scores (B, questions, VALUES) of the answers."""
        none = torch.full_like(asked, VALUES)
        x = torch.cat([self.embed_key(keys), self.embed_key(asked)], dim=1)
        x = x + self.embed_value(torch.cat([values, none], dim=1))
        if self.memory is None:
            y, _ = self.lstm(x)
        else:
            q, k, v = (project(x) for project in self.project)
            y = self.memory(q, k, v, torch.sigmoid(self.beta(x)))
        return self.output(y[:, keys.shape[1] :])


def recall_loss(model, batch):
    *read, answers = batch
    return functional.cross_entropy(model(*read).flatten(0, 1), answers.flatten())


def learn_to_recall(memory=None, seed=0, steps=STEPS):
    """A Recaller around a memory, trained on 2 to MOST pairs.

    The first half of the batches has each key once; in the second half every other batch has each key twice.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Recaller(memory).to(device())
    twice = [n >= steps // 2 and n % 2 > 0 for n in range(steps)]
    batches = [recall_batch(rng, BATCH, 2 * rng.integers(1, MOST // 2 + 1), again) for again in twice]
    fit(model, recall_loss, batches, epochs=1, lr=LR, decay=True)
    return model.eval()


@torch.no_grad()
def recalled(model, twice=False, pairs=PAIRS, B=100):
    """The share of questions that are answered rightly, for each number of pairs: (len(pairs),)."""
    rng, shares = np.random.default_rng(99), []
    for number in pairs:
        *read, answers = recall_batch(rng, B, number, twice)
        shares.append((model(*read).argmax(dim=2) == answers).float().mean().item())
    return np.array(shares)


def softmax_memory(q, k, v, beta):
    """Causal attention: all pairs are kept, and beta is not needed."""
    return functional.scaled_dot_product_attention(q, k, v, is_causal=True)


def linear_memory(q, k, v, beta):
    """Linear attention at all steps at once, queries and keys of length 1; beta is not needed."""
    q, k = functional.normalize(q, dim=2), functional.normalize(k, dim=2)
    return torch.tril(q @ k.mT) @ v


class DeltaRule(torch.autograd.Function):
    """delta_step through time for torch, which asks delta_step_backward for the gradients."""

    @staticmethod
    def forward(ctx, step, step_backward, *inputs):
        q, k, v, beta = (one.detach().cpu().numpy() for one in inputs)
        S = np.zeros((len(q), q.shape[2], v.shape[2]), q.dtype)
        y, caches = np.zeros_like(v), []
        for t in range(q.shape[1]):
            y[:, t], S, cache = step(S, q[:, t], k[:, t], v[:, t], beta[:, t])
            caches.append(cache)
        ctx.step_backward, ctx.caches = step_backward, caches
        return torch.as_tensor(y, device=inputs[0].device)

    @staticmethod
    def backward(ctx, dy):
        arrived, steps = dy.detach().cpu().numpy(), []
        dS = np.zeros_like(ctx.caches[0][0])
        for t in reversed(range(len(ctx.caches))):
            dS, *grads = ctx.step_backward(arrived[:, t], dS, ctx.caches[t])
            steps.append(grads)
        grads = (np.stack(one[::-1], axis=1) for one in zip(*steps, strict=True))
        return None, None, *(torch.as_tensor(one, device=dy.device) for one in grads)


def delta_memory(step, step_backward):
    """A memory for ``Recaller`` made of a delta step and its gradient; queries and keys of length 1."""

    def memory(q, k, v, beta):
        q, k = functional.normalize(q, dim=2), functional.normalize(k, dim=2)
        return DeltaRule.apply(step, step_backward, q, k, v, beta)

    return memory


def main():
    parser = argparse.ArgumentParser(prog="python -m rnncore.given.recall", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds to train with, from 0")
    arguments = parser.parse_args()
    memories = {
        "softmax": softmax_memory,
        "linear": linear_memory,
        "delta": delta_memory(delta_step, delta_step_backward),
        "LSTM": None,
    }
    print("right answers by number of pairs:", *PAIRS)
    for name, memory in memories.items():
        for seed in range(arguments.seeds):
            model = learn_to_recall(memory, seed)
            for when, twice in (("once", False), ("twice", True)):
                shares = " ".join(f"{share:.2f}" for share in recalled(model, twice))
                print(f"{name:<8} seed {seed}, each key {when:<5}: {shares}", flush=True)


if __name__ == "__main__":
    main()
