"""Two values agree where they are the same number, and infinity is the same as infinity only."""

import numpy as np
import pytest

from rnncore.check.compare import agree, difference


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_only_the_same_infinity_agrees_with_an_infinite_answer(infinite):
    want = np.array([1.0, infinite])
    assert agree(np.array([1.0, infinite]), want, 1e-5)
    for got in (2.0, -infinite, np.nan):
        assert not agree(np.array([1.0, got]), want, 1e-5)
        assert difference(got, infinite, "loss", tolerance=1e-5, sizes={}) is not None
    assert not agree(want, np.array([1.0, 2.0]), 1e-5)
