"""From sequences to arrays: the first step of every model in the course (lesson 01).

A network reads numbers, so a text becomes ids and each id a one-hot vector; it is taught by showing it
what comes next, so a sequence is cut into inputs and the targets that follow them; and it reads many
sequences at once, so shorter ones are padded and their lengths remembered. Four plain functions, each
of which a student writes. They trust their arguments: ``rnncore.layers`` has checks at the door.
"""

import numpy as np


def one_hot(ids, V):
    """Turn ids into vectors: ids (B, T), integers from 0 to V - 1, give (B, T, V) of zeros and ones.

    At [b, t] all V numbers are 0 except the one at position ids[b, t], which is 1.
    """
    identity = np.eye(V)
    return identity[ids]


def next_step_pairs(ids):
    """What to read and what to predict: ids (B, T) give inputs (B, T - 1) and targets (B, T - 1).

    targets[:, t] is what comes right after inputs[:, t].
    """
    inputs = ids[:, :-1]
    targets = ids[:, 1:]
    return inputs, targets


def windows(series, T):
    """Every stretch of T values and the value after it: series (N,) gives x (N - T, T) and y (N - T,).

    The windows overlap: each starts one step after the one before. N must be larger than T.
    """
    N = len(series)
    starts = np.arange(N - T)
    x = np.stack([series[start : start + T] for start in starts])
    y = series[starts + T]
    return x, y


def pad_sequences(seqs):
    """Put sequences of different lengths in one array, padded at the end with zeros.

    seqs, a list of B lists of integers, gives padded (B, T), T the longest length, and lengths (B,).
    """
    lengths = np.array([len(seq) for seq in seqs])
    T = lengths.max()
    padded = np.zeros((len(seqs), T), dtype=int)
    for b, seq in enumerate(seqs):
        padded[b, : lengths[b]] = seq
    return padded, lengths
