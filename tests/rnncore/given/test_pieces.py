"""Pieces lie where they are asked for: windows anywhere, chunks side by side in the order of time."""

import numpy as np
import pytest

from rnncore.given.pieces import chunks, windows


def test_windows_lie_anywhere_between_start_and_end_and_nowhere_else():
    places, hours = windows(3, 5, 17, 4, 400, np.random.default_rng(0))
    assert places.shape == (400, 1) and hours.shape == (400, 4)
    assert set(places.ravel()) == {0, 1, 2}
    assert set(hours[:, 0]) == set(range(5, 14))  # the last one ends at 16
    assert (np.diff(hours, axis=1) == 1).all()
    assert np.zeros((3, 17, 2))[places, hours].shape == (400, 4, 2)


def test_windows_are_the_same_for_the_same_generator():
    twice = [windows(3, 5, 17, 4, 6, np.random.default_rng(1)) for _ in range(2)]
    for first, second in zip(*twice, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("end", "number"), [(17, 3), (16, 2), (8, 0)])
def test_chunks_follow_one_another_without_a_gap(end, number):
    found = chunks(2, 5, end, 4)
    assert len(found) == number
    read = [hour for _, hours in found for hour in hours.ravel()]
    assert read == list(range(5, 5 + 4 * number))
    for places, hours in found:
        assert np.zeros((2, end, 3))[places, hours].shape == (2, 4, 3)
