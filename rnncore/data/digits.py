"""Handwritten digits of 8 × 8 pixels to put into pictures, and the words to say of such pictures.

The digits are scikit-learn's, which took them from the UCI repository (``tools.data.digits``; source
and licence are in digits.LICENSE.txt). The split is made here, once and for all, before any picture is
composed, so that no digit that tests a network was ever in a picture that trained it.
"""

import numpy as np

from rnncore.data import FILES

HELD_OUT = 397  # the last ones, in the order of the source
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PAD, START, END = 0, 1, 2
WORDS = ("-", "<start>", "<end>", "a", "an", *NAMES, "left", "right", "of", "above", "below")


def digits(split):
    """The digits of a split, "train" or "test": images (N, 8, 8), ink from 0 to 1, and labels (N,)."""
    if split not in ("train", "test"):
        raise ValueError(f'split is {split!r}, expected "train" or "test"')
    with np.load(FILES / "digits.npz") as file:
        images, labels = file["images"], file["labels"]
    rows = slice(None, -HELD_OUT) if split == "train" else slice(-HELD_OUT, None)
    return (images[rows] / 16).astype(np.float32), labels[rows].astype(int)


def encode(captions):
    """The ids of captions' words, each between START and END, padded with PAD: an array (B, T + 1)."""
    rows = [[START, *(_id(word) for word in caption.split()), END] for caption in captions]
    ids = np.full((len(rows), max(map(len, rows))), PAD)
    for row, of in zip(ids, rows, strict=True):
        row[: len(of)] = of
    return ids


def decode(ids):
    """The caption that ids spell; START, END and PAD show as words of their own."""
    return " ".join(WORDS[i] for i in ids)


def _id(word):
    if word not in WORDS:
        raise ValueError(f"captions hold {word!r}, which is not one of the {len(WORDS)} words")
    return WORDS.index(word)
