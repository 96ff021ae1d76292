"""Fiddle tunes of 1883, in letters: the data of lesson 08.

``tunes()`` reads the strains that ``tools.data.tunes`` took from Ryan's Mammoth Collection (source and
licence: tunes.LICENSE.txt). A strain is eight bars, the half of a tune that is played twice before the other
half.
All are in D major. Their symbols are those of ABC notation: F is F sharp below f, A2 is an A that lasts
for two eighth notes, | ends a bar. ``rnncore.given.music`` makes them sound.
"""

from rnncore.data import FILES

# How many eighth notes fill a bar of each dance.
BAR = {"hornpipe": 8, "jig": 6, "reel": 8}


def tunes():
    """All strains, as (title, dance, symbols): [("Larry O'gaff", "jig", ["d", "|", "A", ...]), ...].

    dance is "hornpipe", "jig" or "reel". A strain may begin with some notes before its first full bar.
    """
    lines = (FILES / "tunes.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines)
    return [(title, dance, text.split()) for title, dance, text in rows]
