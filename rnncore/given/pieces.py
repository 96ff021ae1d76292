"""Pieces of long series to learn from: which places and which hours, as indices into (B, T, ...).

Lesson 13 reads its months of weather in one way or the other: random ``windows``, each of which stands
alone, or ``chunks`` in the order of time, of which one begins where the one before has ended.
"""

import numpy as np


def windows(places, start, end, length, number, rng):
    """``number`` random pieces of ``length`` hours from ``start`` on and before ``end``.

    Returns their places (number, 1) and hours (number, length), with which to index a series (places, T).
    """
    first = rng.integers(start, end - length + 1, (number, 1))
    return rng.integers(0, places, (number, 1)), first + np.arange(length)


def chunks(places, start, end, length):
    """All places side by side, piece after piece from ``start`` while a whole one fits before ``end``.

    Returns a list of pieces, each the places (places, 1) and the hours (1, length).
    """
    every = np.arange(places)[:, np.newaxis]
    return [
        (every, first + np.arange(length)[np.newaxis]) for first in range(start, end - length + 1, length)
    ]
