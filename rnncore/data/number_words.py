"""The numbers below 10,000 in English and in German words, and which of them train a network.

German puts the ones before the tens: 34, thirty-four, is "vierunddreißig". The words come from num2words,
so nothing is shipped. The split is made here, once and for all. Most numbers are long words, 30 letters and
more: drawn blindly, the training numbers would hardly hold a short one, so each length is drawn for itself.
"""

from functools import cache

import numpy as np

COUNT = 10_000
MOST = 120  # numbers to learn from, for each length of the German word
HELD_OUT = 34  # by hand, since lesson 10 looks at it closely


@cache
def number_words():
    """English and German words for 0 to 9,999: two lists, ["zero", "one", ...] and ["null", "eins", ...]."""
    try:
        from num2words import num2words
    except ModuleNotFoundError:
        says = "The number words come from the package num2words, which is not installed here: "
        raise ModuleNotFoundError(says + "`pip install num2words` brings it.", name="num2words") from None
    english, german = ([num2words(n, lang=language) for n in range(COUNT)] for language in ("en", "de"))
    return english, german


def split(german):
    """The numbers to learn from and those held out, two sorted arrays, given the list of German words.

    Of the words of each length two thirds are drawn, at most 120. The numbers up to 20 are all learned
    from, since nobody can guess a word never heard, and 34 is held out.
    """
    lengths = np.array([len(word) for word in german])
    drawn = np.random.default_rng(0).permutation(np.arange(21, COUNT))
    drawn = drawn[drawn != HELD_OUT]
    train = [np.arange(21)]
    for length in np.unique(lengths):
        same = drawn[lengths[drawn] == length]
        train.append(same[: min(MOST, len(same) * 2 // 3)])
    train = np.sort(np.concatenate(train))
    return train, np.setdiff1d(np.arange(COUNT), train)
