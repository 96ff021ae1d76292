"""Spoken digit strings: log-mel frames, the letters that were said, and a few recordings to listen to.

A program, espeak-ng, spoke them in many voices (``tools.data.speech``; its version and the licence are in
speech.LICENSE.txt). The voices of the test are never heard in training. The letters are the labels: a
recording of "407" spells "four zero seven", and nobody has noted when each letter is heard.
"""

from dataclasses import dataclass

import numpy as np

from rnncore.data import FILES

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Symbol 0 is CTC's blank, which no text holds; then the space between words and the letters.
SYMBOLS = ("-", " ", *sorted(set("".join(WORDS))))
LOW, HIGH = -14.0, 9.0  # what the bytes 0 and 255 stand for: below is silence, nothing is louder


@dataclass(frozen=True)
class Recording:
    """frames (T, bands), float32; text, "four zero seven"; targets, its ids (S,); voice, "en-gb+f3"."""

    frames: np.ndarray
    text: str
    targets: np.ndarray
    voice: str


def speech(split):
    """All recordings of a split, "train" or "test": a list of Recording."""
    if split not in ("train", "test"):
        raise ValueError(f'split is {split!r}, expected "train" or "test"')
    with np.load(FILES / "speech.npz") as file:
        every, lengths = file[f"{split}_frames"], file[f"{split}_lengths"].astype(int)
        digits, voices = file[f"{split}_digits"].tolist(), file[f"{split}_voices"].tolist()
    frames = (every * np.float32((HIGH - LOW) / 255) + np.float32(LOW)).astype(np.float32)
    texts = [" ".join(WORDS[int(digit)] for digit in string) for string in digits]
    parts = np.split(frames, lengths.cumsum()[:-1])
    return [Recording(f, t, encode(t), v) for f, t, v in zip(parts, texts, voices, strict=True)]


def clips():
    """The sound of the first recordings of the test: a list of samples (N,) from -1 to 1, 8000 a second."""
    with np.load(FILES / "speech.npz") as file:
        count = sum(name.startswith("clip_") for name in file.files)
        return [file[f"clip_{i}"] / 32768 for i in range(count)]


def encode(text):
    """The ids of a text's symbols (S,)."""
    return np.array([SYMBOLS.index(symbol) for symbol in text])


def decode(ids):
    """The text that ids spell; a blank shows as "-"."""
    return "".join(SYMBOLS[i] for i in ids)
