"""Slips that nobody listed, found from the reference's side: an edit of it gives the student's numbers."""

import numpy as np
import pytest

from rnncore.check import check
from rnncore.exercises import by_name


def of_our_own(name, change):
    """The reference under its name, its result changed; no text that could be repaired is that of a slip."""
    reference = by_name()[name].reference
    answer = eval("lambda *args: change(args, *reference(*args))", {"change": change, "reference": reference})
    answer.__name__ = name
    return answer


def slope_left_out(args, dx, dh_prev, grads):
    p, dh, _ = args
    return dx, dh @ p["weight_hh"], grads


@pytest.mark.parametrize(
    ("name", "change", "part", "kind"),
    [
        ("rnn_cell_backward", lambda args, dx, dh, grads: (dx, -dh, grads), "dh_prev", "signs"),
        ("rnn_cell_backward", slope_left_out, "dh_prev", ""),
        ("rnn_forward", lambda args, y, h_T, caches: (-y, h_T, caches), "y", "signs"),
    ],
)
def test_a_part_that_one_edit_explains_is_named_with_the_kind_of_the_edit(name, change, part, kind):
    for seed in range(2):
        verdict = check(of_our_own(name, change), 10, seed=seed)
        (slip,) = verdict.mistakes
        assert f"`{part}` comes out as with a slip in the {kind}" in slip.says, verdict
        assert verdict.earned >= 7
        assert "expected" in repr(verdict), "its numbers stay open"


def test_what_no_edit_explains_stays_without_a_name():
    def noise(args, dx, dh, grads):
        return dx, np.cos(7 * dh), grads

    assert check(of_our_own("rnn_cell_backward", noise), 10, seed=1).mistakes == ()
