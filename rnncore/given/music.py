"""Makes tunes audible: from the symbols of ``rnncore.data.tunes`` to the sound of a plucked string.

A string sounds a whole chord of overtones, sines of 1, 2, 3, ... times the note's frequency, of which the
higher ones are weaker and fade sooner. That is all there is to this instrument. The sound is coarse on
purpose, 8000 samples of 8 bits a second, so that ten seconds fit into a notebook.
"""

import io
import re
import wave

import numpy as np

RATE = 8000  # samples a second
EIGHTH = 0.15  # seconds
OVERTONES = 4
RING = 0.1  # seconds that a string goes on sounding, ever softer, while the next is plucked
SYMBOL = re.compile(r"([=^]?)([A-Ga-g])([,']*)([1-9]?)")
STEPS = {"C": 1, "D": 2, "E": 4, "F": 6, "G": 7, "A": 9, "B": 11}  # semitones above C, in D major


def notes(symbols):
    """The (pitch, length) of each note: ["F2", "|", "a"] gives [(66, 2), (81, 1)].

    pitch is a MIDI number, 12 an octave and 60 the middle C; length is in eighth notes. Bar lines are
    left out. As in ABC notation, F and C are sharp unless = takes it away; ^ raises another note.
    """
    found = []
    for symbol in symbols:
        if symbol == "|":
            continue
        parts = SYMBOL.fullmatch(symbol)
        if parts is None:
            raise ValueError(f"symbols holds {symbol!r}, expected bar lines | and notes such as A, f2 or ^g")
        sign, letter, marks, length = parts.groups()
        octave = 6 if letter.islower() else 5
        octave += marks.count("'") - marks.count(",")
        pitch = 12 * octave + STEPS[letter.upper()]
        pitch += {"": 0, "^": 1, "=": -1}[sign]
        found.append((pitch, int(length or 1)))
    return found


def bars(symbols):
    """The length of each bar in eighth notes, up to its bar line: ["F2", "|", "a", "b", "|"] gives [2, 2].

    Notes after the last bar line are no bar.
    """
    lengths, length = [], 0
    for symbol in symbols:
        if symbol == "|":
            lengths.append(length)
            length = 0
        else:
            length += notes([symbol])[0][1]
    return lengths


def longest_copy(symbols, others):
    """How many symbols in a row a tune has in common with one of the others, at most: a whole number."""
    shelf = "#".join(f" {' '.join(other)} " for other in others)
    longest = 0
    for first in range(len(symbols)):
        # Only a longer stretch than the longest so far is worth a look.
        while first + longest < len(symbols):
            if f" {' '.join(symbols[first : first + longest + 1])} " not in shelf:
                break
            longest += 1
    return longest


def synthesise(symbols, eighth=EIGHTH):
    """The sound of a tune, each note plucked once: samples (N,) between -1 and 1, RATE of them a second.

    ``eighth`` is the length of an eighth note, in seconds. An A above middle C is 440 Hz.
    """
    tune = notes(symbols)
    starts = np.cumsum([0, *(length for _, length in tune)]) * eighth
    sound = np.zeros(int((starts[-1] + RING) * RATE) + 2)
    for (pitch, length), start in zip(tune, starts, strict=False):
        end = length * eighth + RING
        time = np.arange(int(end * RATE)) / RATE
        damper = np.minimum(1, (end - time) / RING)  # cut short, a wave would click
        frequency = 440 * 2 ** ((pitch - 69) / 12)
        first = int(start * RATE)
        for k in range(1, OVERTONES + 1):
            if k * frequency < RATE / 2:
                fading = damper * np.exp(-(2 + 2 * k) * time) / k
                sound[first : first + len(time)] += fading * np.sin(2 * np.pi * k * frequency * time)
    return sound / max(np.abs(sound).max(), 1e-9)


def play(symbols, eighth=EIGHTH):
    """Put a player with the tune under the notebook's cell."""
    from IPython.display import Audio, display

    display(Audio(data=wav(synthesise(symbols, eighth))))


def wav(sound):
    """Samples between -1 and 1 as the bytes of a WAV file, one byte each."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(RATE)
        out.writeframes(np.round(127.5 + 127.5 * sound).astype(np.uint8).tobytes())
    return file.getvalue()
