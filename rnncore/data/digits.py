"""Handwritten digits of 8 × 8 pixels, to put into pictures: those to learn from and those held out.

They are scikit-learn's, which took them from the UCI repository (``make_digits``; source and licence are
in digits.LICENSE.txt). The split is made here, once and for all, before any picture is composed, so that
nothing of a digit that tests a network can have been in a picture that trained it.
"""

from pathlib import Path

import numpy as np

HELD_OUT = 397  # the last ones, in the order of the source


def digits(split):
    """The digits of a split, "train" or "test": images (N, 8, 8), ink from 0 to 1, and labels (N,)."""
    if split not in ("train", "test"):
        raise ValueError(f'split is {split!r}, expected "train" or "test"')
    with np.load(Path(__file__).parent / "digits.npz") as file:
        images, labels = file["images"], file["labels"]
    rows = slice(None, -HELD_OUT) if split == "train" else slice(-HELD_OUT, None)
    return (images[rows] / 16).astype(np.float32), labels[rows].astype(int)
