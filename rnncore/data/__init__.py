"""What the lessons learn from: small files shipped with their licence, and the batches made of them.

One module for each set of data; the files and their licences lie in ``files``, and ``tools.data`` makes
them again. What comes out are texts, arrays and ids. Nothing here knows a network or an exercise.

``names()`` reads first names of many languages, taken from Faker's public lists (the
licence is in names.LICENSE.txt). A ``Vocabulary`` turns them into the whole numbers that a network
takes, and ``name_batches`` into inputs and targets.
"""

from pathlib import Path

import numpy as np

FILES = Path(__file__).parent / "files"


def names():
    """All (name, language) pairs, lower case: [("aada", "finnish"), ("aadam", "swahili"), ...].

    A name that is at home in several languages is there once for each.
    """
    lines = (FILES / "names.txt").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines]


class Vocabulary:
    """The V symbols that texts are made of, numbered; number 0 is the border before and after a text."""

    border = "."

    def __init__(self, texts):
        letters = sorted(set("".join(texts)) - {self.border})
        self.symbols = [self.border, *letters]
        self.ids = {symbol: i for i, symbol in enumerate(self.symbols)}

    def __len__(self):
        return len(self.symbols)

    def encode(self, text):
        """The ids of a text between two borders: array of len(text) + 2 whole numbers."""
        unknown = [letter for letter in text if letter not in self.ids]
        if unknown:
            raise ValueError(f"text has {unknown[0]!r}, which is not one of the {len(self)} symbols")
        return np.array([0, *(self.ids[letter] for letter in text), 0])

    def decode(self, ids):
        """The text that ids spell, up to the first border after its start."""
        text = "".join(self.symbols[i] for i in ids)
        return text.removeprefix(self.border).split(self.border)[0]


def name_batches(names, vocabulary, batch_size, rng):
    """Shuffled batches (inputs, targets) of ids, each (B, T), for one epoch over a list of names.

    A target is the symbol that follows the input: the row of "anna" reads .anna and predicts anna.
    All names of a batch have one length, so nothing is padded; the last batch of a length is smaller.
    Given (name, language) pairs instead of names, a batch is (inputs, targets, languages (B,)).
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}, expected at least 1")
    by_length = {}
    for row in names:
        name = row if isinstance(row, str) else row[0]
        by_length.setdefault(len(name), []).append(row)
    batches = []
    for group in by_length.values():
        order = rng.permutation(len(group))
        for start in range(0, len(group), batch_size):
            batches.append(_batch([group[i] for i in order[start : start + batch_size]], vocabulary))
    return [batches[i] for i in rng.permutation(len(batches))]


def _batch(rows, vocabulary):
    languages = None if isinstance(rows[0], str) else np.array([language for _, language in rows])
    ids = np.stack([vocabulary.encode(row if languages is None else row[0]) for row in rows])
    pair = (ids[:, :-1].copy(), ids[:, 1:].copy())
    return pair if languages is None else (*pair, languages)
