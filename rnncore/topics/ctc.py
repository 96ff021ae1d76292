"""Labels from frames that nobody has aligned: connectionist temporal classification (lesson 11).

A network names one of V symbols for each of T frames; symbol 0 is the blank, "nothing new here". Such a
path spells what is left when repeats are merged and blanks dropped (Graves et al., 2006). Here is CTC for one
recording, as a student writes it. ``rnncore.losses.ctc_loss`` takes a batch and has the gradient too.
"""

import numpy as np


def ctc_collapse(path):
    """What a path spells: whole numbers (T,) give the labels (S,), repeats merged and then blanks dropped."""
    is_new = np.ones(len(path), dtype=bool)
    is_new[1:] = path[1:] != path[:-1]
    merged = path[is_new]
    labels = merged[merged != 0]
    return labels


def ctc_loss(log_probs, targets):
    """Minus the log of the probability that the frames spell the targets, over all paths: a number.

    log_probs (T, V), targets (S,) without blanks. The 2 S + 1 places of a path are the targets with a blank
    before, between and after; alpha holds the log probability of all ways to have come to each place.
    """
    places = np.zeros(2 * len(targets) + 1, dtype=int)
    places[1::2] = targets
    may_skip = np.zeros(len(places), dtype=bool)
    may_skip[2:] = places[2:] != places[:-2]
    alpha = np.full(len(places), -np.inf)
    alpha[:2] = log_probs[0, places[:2]]
    for frame in log_probs[1:]:
        step = np.append(-np.inf, alpha[:-1])
        skip = np.where(may_skip, np.append([-np.inf, -np.inf], alpha[:-2]), -np.inf)
        alpha = np.logaddexp(np.logaddexp(alpha, step), skip) + frame[places]
    return -np.logaddexp.reduce(alpha[-2:])


def ctc_greedy(log_probs):
    """The labels that the likeliest path spells: log_probs (T, V) gives whole numbers (S,)."""
    path = log_probs.argmax(axis=1)
    return ctc_collapse(path)


def label_error_rate(found, targets):
    """How many labels are wrong, for each label there is: two lists of sequences give one number.

    Wrong are those that must be put in, left out or changed to get from what was found to the target; the
    fewest are counted (Levenshtein, 1966), and their sum divided by the number of all the targets' labels.
    """
    wrong = sum(edit_distance(one, target) for one, target in zip(found, targets, strict=True))
    return wrong / sum(len(target) for target in targets)


def edit_distance(one, other):
    """The fewest insertions, deletions and changes that turn one sequence into the other."""
    distances = list(range(len(other) + 1))
    for i, label in enumerate(one, 1):
        before, distances = distances, [i]
        for j, wanted in enumerate(other, 1):
            changed = before[j - 1] + (label != wanted)
            distances.append(min(before[j] + 1, distances[-1] + 1, changed))
    return distances[-1]
