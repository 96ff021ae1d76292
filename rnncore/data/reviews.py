"""Sentences from film reviews, rated by readers: the other data of lesson 08.

``reviews()`` reads what ``tools.data.reviews`` selected from the snippets that were published with VADER
(Hutto and Gilbert, 2014; source and licence: reviews.LICENSE.txt). Each was rated by some fifteen people
from -4, extremely negative, to 4, extremely positive; here are short ones whose mean is at least 1 away
from 0, so that one may call them negative or positive.
"""

import re

from rnncore.data import FILES

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")  # letters, with apostrophes inside


def reviews():
    """All (sentence, rating) pairs, in the source's order: [("Offers that rare mix ...", 2.47), ...]."""
    lines = (FILES / "reviews.txt").read_text(encoding="utf-8").splitlines()
    return [(sentence, float(rating)) for rating, sentence in (line.split("\t") for line in lines)]


def words(sentence):
    """The words of a sentence in lower case: "It's fun!" gives ["it's", "fun"]."""
    return WORD.findall(sentence.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
