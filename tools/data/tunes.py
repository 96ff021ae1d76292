"""Make tunes.txt again from an installed music21: python -m tools.data.tunes

music21 ships Ryan's Mammoth Collection as files in ABC notation, one a tune. Of its hornpipes, jigs and
reels in major keys this takes every strain of eight full bars whose notes last for one to four eighths,
moves it to D major, and leaves out grace notes and whatever else is not pitch or length. --check writes
nothing and compares. The lessons read tunes.txt and need no music21.
"""

import string
from collections import Counter
from pathlib import Path

from rnncore.data import FILES
from rnncore.data.tunes import BAR
from tools.data import command

TONICS = {"C": 0, "D": 2, "Eb": 3, "E": 4, "F": 5, "G": 7, "A": 9, "Bb": 10}
# Eighth notes in a quarter. In 2/4 the quick notes are written as sixteenths: as eighths, reels look alike.
EIGHTHS = {"2/4": 4, "C": 2, "C|": 2, "4/4": 2, "6/8": 2}
LONGEST = 4
MIDDLE = 73  # the average pitch that a strain is moved towards, by whole octaves: the C sharp above middle C
RAREST = 5  # strains that a symbol must occur in: a model learns little from fewer
IN_D = ("=C", "C", "D", "^D", "E", "=F", "F", "G", "^G", "A", "^A", "B")  # C and F are sharp


def symbol(pitch, length):
    """A note in ABC: MIDI number 74 (D) of two eighths is d2, an octave lower D2, two higher d''2."""
    octave, step = divmod(pitch, 12)
    letter = IN_D[step] if octave <= 5 else IN_D[step].lower()
    marks = "'" * (octave - 6) + "," * (5 - octave)
    return letter + marks + (str(length) if length > 1 else "")


def sections(tokens, eighths):
    """Cut the tokens of one tune at its double bars and repeats: lists of bars of (pitch, eighths)."""
    from music21 import pitch
    from music21.abcFormat import ABCBar, ABCChord, ABCNote

    found, bars = [], [[]]
    for token in tokens:
        if isinstance(token, ABCChord) or (isinstance(token, ABCNote) and token.isRest):
            bars[-1].append((None, 0))
        elif isinstance(token, ABCNote) and not token.inGrace:
            length = token.quarterLength * eighths
            bars[-1].append((pitch.Pitch(token.pitchName).midi, length))
        elif isinstance(token, ABCBar):
            if bars[-1]:
                bars.append([])
            if token.src.strip() != "|":
                found.append(bars[:-1])
                bars = [[]]
    return [*found, bars]


def strain(bars, full):
    """The bars if they are eight full ones with perhaps a pickup, which the last may lack; else None."""
    notes = [note for bar in bars for note in bar]
    if not all(pitch is not None and length in range(1, LONGEST + 1) for pitch, length in notes):
        return None
    sums = [sum(length for _, length in bar) for bar in bars]
    pickup, sums = (sums[0], sums[1:]) if len(sums) == 9 and sums[0] < full else (0, sums)
    whole = len(sums) == 8 and set(sums[:-1]) == {full} and sums[-1] in (full, full - pickup)
    return bars if whole else None


def in_d(bars, tonic):
    """The symbols of a strain, moved from its key to D by the octave that brings it nearest to MIDDLE."""
    pitches = [pitch for bar in bars for pitch, _ in bar]
    mean = sum(pitches) / len(pitches)
    up = (2 - tonic) % 12
    shift = min((up - 12, up), key=lambda by: abs(mean + by - MIDDLE))
    return [one for bar in bars for one in (*(symbol(p + shift, int(n)) for p, n in bar), "|")]


def strains(path):
    """All rows (title, dance, text) of one file."""
    from music21.abcFormat import ABCFile, ABCMetadata

    tokens = ABCFile().readstr(path.read_text(encoding="utf-8")).tokens
    said = {}
    for token in tokens:
        if isinstance(token, ABCMetadata):
            said.setdefault(token.tag, token.data.strip())
    dance, metre, key = said.get("R", "").lower(), said.get("M"), said.get("K")
    if dance not in BAR or metre not in EIGHTHS or key not in TONICS or (dance == "jig") != (metre == "6/8"):
        return []
    title = string.capwords(said["T"].translate({ord(":"): None, ord('"'): None}).partition("--")[0])
    found = (strain(bars, BAR[dance]) for bars in sections(tokens, EIGHTHS[metre]))
    return [(title, dance, " ".join(in_d(bars, TONICS[key]))) for bars in found if bars]


def rows():
    """(title, dance, text) of every strain, sorted, without those that hold a rare symbol."""
    import music21

    files = sorted((Path(music21.__file__).parent / "corpus" / "ryansMammoth").glob("*.abc"))
    # Some tunes are in the book twice, under two titles.
    once = {(dance, text): title for path in reversed(files) for title, dance, text in strains(path)}
    found = sorted((title, dance, text) for (dance, text), title in once.items())
    uses = Counter(one for _, _, text in found for one in set(text.split()))
    return [row for row in found if all(uses[one] >= RAREST for one in row[2].split())]


def main():
    def make():
        made = rows()
        return "".join("\t".join(row) + "\n" for row in made).encode(), f"{len(made)} strains"

    command(
        "Make the lessons' fiddle tunes from music21's corpus.",
        FILES / "tunes.txt",
        make,
        "music21 is not installed; install it with: python -m pip install music21",
    )


if __name__ == "__main__":
    main()
