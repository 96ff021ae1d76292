"""Sentences with an idiom, and the same words in another order: the data of lesson 01.

"anna was feeling under the weather again" has a partner such as "anna was the weather feeling under
again". Both hold the same words equally often, so whoever only counts words cannot tell which is
which. The sentences are put together here from short lists, all of our own making.
"""

from math import perm

IDIOMS = (
    "feeling under the weather",
    "over the moon",
    "skating on thin ice",
    "sitting on the fence",
    "in the same boat",
    "back to square one",
    "on top of the world",
    "barking up the wrong tree",
)
OPENINGS = ("on monday", "last week", "this morning", "after lunch", "as usual", "to my surprise")
PEOPLE = ("anna", "ben", "chen", "dora", "emil", "fatima", "goran", "my boss", "our neighbour", "the cat")
VERBS = ("was", "is")
ENDINGS = ("", "again", "today", "for once", "all day", "i hear")

# Every word of every sentence; its place is its id, and id 0, the empty word, is for padding.
WORDS = ("", *sorted(set(" ".join(IDIOMS + OPENINGS + PEOPLE + VERBS + ENDINGS).split())))


def idiom_pairs(count, rng, openings=(0, 1)):
    """Draw ``count`` different sentences with an idiom, each followed by a shuffle of it.

    Returns sentences, a list of 2 * count lists of words, and labels, 1 for an idiom and 0 for a shuffle:
    1, 0, 1, 0, ... In a shuffle the idiom's own words stand in another order, in the same places.
    ``openings`` is the least and the most number of phrases such as "after lunch" that come first.
    """
    _check(count, openings)
    least, most = openings
    sentences, labels, seen = [], [], set()
    while len(seen) < count:
        first = rng.choice(OPENINGS, rng.integers(least, most + 1), replace=False)
        before = [*first, rng.choice(PEOPLE), rng.choice(VERBS)]
        idiom, ending = str(rng.choice(IDIOMS)), rng.choice(ENDINGS)
        sentence = " ".join([*before, idiom, ending]).split()
        if tuple(sentence) in seen:
            continue
        seen.add(tuple(sentence))
        words = shuffled = idiom.split()
        while shuffled == words:
            shuffled = list(rng.permutation(words))
        sentences += [sentence, " ".join([*before, *shuffled, ending]).split()]
        labels += [1, 0]
    return sentences, labels


def _check(count, openings):
    least, most = openings
    if not 0 <= least <= most <= len(OPENINGS):
        raise ValueError(
            f"openings is {openings}, expected (least, most) with 0 <= least <= most <= {len(OPENINGS)}"
        )
    rest = len(PEOPLE) * len(VERBS) * len(IDIOMS) * len(ENDINGS)
    # Each number of openings is drawn equally often, so the one with the fewest sentences runs out first.
    possible = rest * perm(len(OPENINGS), least)
    if not 1 <= count <= possible:
        raise ValueError(f"count is {count}, expected 1 to {possible} different sentences")
