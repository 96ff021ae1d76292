"""The idioms' shuffles hold the same words in another order, so that only the order tells them apart."""

from collections import Counter

import numpy as np
import pytest

from rnncore.data.idioms import IDIOMS, OPENINGS, WORDS, idiom_pairs


def has_idiom(sentence):
    return any(f" {idiom} " in f" {' '.join(sentence)} " for idiom in IDIOMS)


@pytest.mark.parametrize("openings", [(0, 1), (2, 3)])
def test_labels_say_whether_the_idiom_is_in_order(openings):
    sentences, labels = idiom_pairs(300, np.random.default_rng(3), openings)
    assert len(sentences) == len(labels) == 600
    assert labels == [1, 0] * 300
    assert [has_idiom(sentence) for sentence in sentences] == [bool(label) for label in labels]


def test_an_idiom_and_its_shuffle_hold_the_same_words_around_the_same_frame():
    sentences, _ = idiom_pairs(300, np.random.default_rng(4))
    for idiom, shuffle in zip(sentences[0::2], sentences[1::2], strict=True):
        assert Counter(idiom) == Counter(shuffle) and idiom != shuffle
        changed = [t for t, (one, other) in enumerate(zip(idiom, shuffle, strict=True)) if one != other]
        inside = " ".join(idiom[changed[0] : changed[-1] + 1])
        assert any(inside in phrase for phrase in IDIOMS), "only the idiom's own words move"


def test_sentences_differ_and_every_word_is_known():
    sentences, _ = idiom_pairs(400, np.random.default_rng(5))
    assert len({tuple(sentence) for sentence in sentences[0::2]}) == 400
    assert set(WORDS) - {""} == {word for sentence in sentences for word in sentence}
    assert WORDS[0] == "" and len(set(WORDS)) == len(WORDS)


def test_openings_set_how_many_phrases_come_first():
    def openings_of(sentence):
        text = " ".join(sentence)
        return sum(opening in text for opening in OPENINGS)

    for least, most in ((0, 0), (0, 1), (2, 3)):
        sentences, _ = idiom_pairs(200, np.random.default_rng(6), (least, most))
        assert {openings_of(sentence) for sentence in sentences} == set(range(least, most + 1))


@pytest.mark.parametrize("openings", [(-1, 1), (2, 1), (0, 7)])
def test_impossible_openings_are_named(openings):
    with pytest.raises(ValueError, match=r"openings is \(.*expected \(least, most\)"):
        idiom_pairs(3, np.random.default_rng(0), openings)


@pytest.mark.parametrize("count", [0, 961])
def test_more_sentences_than_there_are_is_an_error_and_not_an_endless_loop(count):
    with pytest.raises(ValueError, match=f"count is {count}, expected 1 to 960"):
        idiom_pairs(count, np.random.default_rng(0))
    assert len(idiom_pairs(960, np.random.default_rng(0), (0, 0))[0]) == 1920
