"""The translator of lesson 10: ``python -m rnncore.given.translator --seeds 3`` trains it like the lesson.

It prints, for each seed, the exact match on the numbers held out, with attention and through the
bottleneck of a single state, and by length. Translator, read and teacher_forced_loss are the lesson's own.
"""

import argparse
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from rnncore.data import Vocabulary
from rnncore.data.number_words import number_words, split
from rnncore.given.device import device
from rnncore.given.fit import fit
from rnncore.topics.attention import attention
from rnncore.topics.sequences import pad_sequences
from rnncore.topics.translation import decode_step, encode, greedy_decode

EPOCHS, BATCH, LR = 8, 64, 0.01  # and gradients clipped to the norm 1, as fit does
LONGEST = 45  # symbols that a translation may take
BORDERS = (0, 18, 24, 30, 36, 43)  # of the German word's length, in letters


class Translator(nn.Module):
    """What an encoder, a decoder and the attention between them need; V_in and V_out symbols, H units."""

    def __init__(self, V_in, V_out, attention, H=64):
        super().__init__()
        self.embed_source = nn.Embedding(V_in, 32)
        self.encoder = nn.GRU(32, H, batch_first=True)
        self.embed_target = nn.Embedding(V_out, 32)
        self.decoder = nn.GRU(32, H, batch_first=True)
        self.attention = attention
        self.mix = nn.Linear(2 * H, H)
        self.output = nn.Linear(H, V_out)
        self.bottleneck = False


def read(model, source, lengths):
    """All that the decoder may see of a batch of texts: keys (B, S, H), state (B, H), mask (B, S)."""
    keys, state = encode(model, source, lengths)
    mask = torch.arange(keys.shape[1], device=lengths.device) < lengths[:, None]
    if model.bottleneck:  # a single key, which says what the state says
        keys, mask = state[:, None], mask[:, :1]
    return keys, state, mask


def teacher_forced_loss(model, batch):
    """The mean surprise at each symbol, when all symbols before it are the right ones."""
    source, source_lengths, target, target_lengths = batch
    keys, state, mask = read(model, source, source_lengths)
    dictated, wanted = target[:, :-1], target[:, 1:]
    logits, _, _ = decode_step(model, dictated, state, keys, mask)
    steps = torch.arange(wanted.shape[1], device=wanted.device)
    real = steps < target_lengths[:, None] - 1
    return functional.cross_entropy(logits[real], wanted[real])


class Numbers:
    """Both languages' words for the numbers below 10,000, as batches of ids on the device."""

    def __init__(self):
        self.english, self.german = number_words()
        self.source, self.target = Vocabulary(self.english), Vocabulary(self.german)
        self.train, self.held_out = split(self.german)

    def batch(self, numbers):
        """Tensors source (B, S), their lengths (B,), target (B, T) and their lengths (B,)."""
        source = pad_sequences([self.source.encode(self.english[n]) for n in numbers])
        target = pad_sequences([self.target.encode(self.german[n]) for n in numbers])
        return tuple(torch.as_tensor(array, device=device()) for array in (*source, *target))

    def epoch(self, rng):
        """All training numbers once, in batches of up to 64 and an order of their own."""
        order = rng.permutation(self.train)
        return [self.batch(numbers) for numbers in np.array_split(order, -(-len(order) // BATCH))]


def translator(numbers, bottleneck=False, seed=0):
    """A translator trained on the training numbers: about 300 steps."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Translator(len(numbers.source), len(numbers.target), attention).to(device())
    model.bottleneck = bottleneck
    fit(model, teacher_forced_loss, lambda: numbers.epoch(rng), epochs=EPOCHS, lr=LR, decay=True)
    return model.eval()


def writer(model, keys, mask):
    """The function step(symbols (B,), state) -> logits (B, V), state that decoding asks for."""

    def step(symbols, state):
        logits, state, _ = decode_step(model, symbols[:, None], state, keys, mask)
        return logits[:, 0], state

    return step


@torch.no_grad()
def translate(model, numbers, which):
    """What the model writes for each of the numbers ``which``, greedily."""
    source, lengths, *_ = numbers.batch(which)
    keys, state, mask = read(model, source, lengths)
    rows = greedy_decode(writer(model, keys, mask), state, 0, 0, LONGEST)
    return ["".join(numbers.target.symbols[i] for i in row) for row in rows]


def right(model, numbers, which):
    """Whether each of the numbers ``which`` is translated exactly: (N,) of True and False."""
    parts = np.array_split(which, -(-len(which) // 1000))  # of as many as fit in the memory comfortably
    said = [text for part in parts for text in translate(model, numbers, part)]
    return np.array([text == numbers.german[n] for text, n in zip(said, which, strict=True)])


def by_length(numbers, which, hits):
    """The share of hits in each group of lengths between BORDERS, nan where there is none: floats."""
    lengths = np.array([len(numbers.german[n]) for n in which])
    groups = np.digitize(lengths, BORDERS[1:-1])
    members = [hits[groups == group] for group in range(len(BORDERS) - 1)]
    return [float(hit.mean()) if len(hit) else float("nan") for hit in members]


def main():
    parser = argparse.ArgumentParser(prog="python -m rnncore.given.translator", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds to train with, from 0")
    arguments = parser.parse_args()
    numbers = Numbers()
    print(f"{len(numbers.train)} numbers to learn from, {len(numbers.held_out)} held out")
    spans = [f"{low}-{high - 1}" for low, high in pairwise(BORDERS)]
    for name, bottleneck in (("attention", False), ("bottleneck", True)):
        scores = []
        for seed in range(arguments.seeds):
            hits = right(translator(numbers, bottleneck, seed), numbers, numbers.held_out)
            scores.append(hits.mean())
            lengths = ", ".join(
                f"{span} letters {share:.3f}"
                for span, share in zip(spans, by_length(numbers, numbers.held_out, hits), strict=True)
            )
            print(f"{name:<10} seed {seed}: exact match {hits.mean():.4f} ({lengths})", flush=True)
        print(f"{name:<10} {len(scores)} seeds: mean {np.mean(scores):.4f}, lowest {min(scores):.4f}")


if __name__ == "__main__":
    main()
