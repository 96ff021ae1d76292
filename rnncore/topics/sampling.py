"""From what a network says to what it does: the state at the end of a sequence, and random symbols.

A network that reads a sequence and answers once needs its output at the true end (``last_outputs``); one
that writes a sequence draws each symbol from the probabilities it has given (``sample``) and reads it
back as its next input (``generate``). The text that lesson 08 compares with; it trusts its arguments.
"""

import numpy as np


def last_outputs(y, lengths):
    """The output at each sequence's own last step: y (B, T, H) and lengths (B,) give (B, H)."""
    rows = np.arange(len(y))
    last = lengths - 1
    return y[rows, last]


def sample(logits, temperature, rng):
    """Draw a symbol from each row of logits: logits (..., V) give whole numbers ids (...).

    The probabilities are the softmax of logits / temperature: below 1 the likely symbols become likelier,
    above 1 all become more alike. rng, a np.random.Generator, is the only source of chance.
    """
    scaled = logits / temperature
    scaled = scaled - scaled.max(axis=-1, keepdims=True)
    weights = np.exp(scaled)
    probs = weights / weights.sum(axis=-1, keepdims=True)
    # A point thrown on a line of length 1 that is cut into V pieces, as long as the probabilities.
    borders = probs.cumsum(axis=-1)[..., :-1]
    thrown = rng.random(logits.shape[:-1])
    ids = (borders <= thrown[..., None]).sum(axis=-1)
    return ids


def generate(step, state, first, n, rng):
    """Let a network write: each symbol that it draws is what it reads next; gives n whole numbers ids (n,).

    step(symbol, state) gives logits (V,) and the next state. The first symbol it reads is ``first``,
    which is not part of ids. Symbols are drawn at temperature 1.
    """
    ids = np.zeros(n, dtype=int)
    symbol = first
    for t in range(n):
        logits, state = step(symbol, state)
        symbol = int(sample(logits, 1.0, rng))
        ids[t] = symbol
    return ids
