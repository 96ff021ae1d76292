"""The right numbers, packed otherwise: named, and dear only as a matter of form."""

import numpy as np
import pytest

from rnncore.cells import lstm, rnn
from rnncore.check import check
from rnncore.optim import clip_grad_norm


def answer(reference, change):
    """The reference under its own name, whose result is packed anew by ``change``."""

    def function(*args):
        return change(reference(*args))

    function.__name__ = reference.__name__
    return function


def renamed(result):
    dx, dh, grads = result
    return dx, dh, {"dWx": grads["weight_ih"], "dWh": grads["weight_hh"], "db": grads["bias_ih"]}


@pytest.mark.parametrize(
    ("reference", "change", "id", "sentence"),
    [
        (
            rnn.rnn_cell_backward,
            lambda r: (r[1], r[0], r[2]),
            "packed-otherwise",
            "packed as `dh_prev, dx, {weight_ih: grads[",
        ),
        (
            rnn.rnn_cell_backward,
            lambda r: list(r[:2]) + list(r[2].values()),
            "packed-otherwise",
            "packed as `dx,",
        ),
        (rnn.rnn_cell_backward, renamed, "packed-otherwise", "dWx: grads["),
        (
            rnn.rnn_cell_backward,
            lambda r: (r[0], r[1], r[2] | {"bias_ih": r[2]["bias_ih"][None]}),
            "an-axis-too-many-or-too-few",
            'grads["bias_ih"] has shape (1, 2), expected (2,)',
        ),
        (
            rnn.rnn_cell_backward,
            lambda r: (r[0].T, r[1], r[2]),
            "axes-in-another-order",
            "dx has shape (5, 3), expected (3, 5)",
        ),
        (
            rnn.rnn_cell_backward,
            lambda r: (r[0].ravel(), r[1], r[2]),
            "flat",
            "dx has shape (15,), expected (3, 5)",
        ),
        (clip_grad_norm, lambda r: r[0], "value-not-returned", "`norm` is not among it"),
        (
            lstm.lstm_cell,
            lambda r: (*r[0], r[1]),
            "packed-otherwise",
            "`h_next, c_next, (x, h, c, i, f, g, o, tanh_c)`, asked for is `(h_next, c_next), cache`",
        ),
        (lstm.lstm_cell, lambda r: r[0], "cache-not-returned", "`cache` is not among it"),
        (rnn.rnn_cell, lambda r: r[0], "cache-not-returned", "asked for is `h_next, cache`"),
        (rnn.rnn_cell, lambda r: r[1][2], "cache-not-returned", "asked for is `h_next, cache`"),
        (
            rnn.rnn_cell,
            lambda r: (r[0], r[1][::-1]),
            "packed-otherwise",
            "packed as `h_next, (h_next, h, x)`",
        ),
    ],
)
def test_right_numbers_elsewhere_are_told_so_and_cost_little(reference, change, id, sentence):
    for seed in range(3):
        verdict = check(answer(reference, change), 10, seed=seed)
        assert [named.id for named in verdict.mistakes] == [id], verdict
        assert sentence in repr(verdict)
        assert verdict.earned == {"cache-not-returned": 7, "value-not-returned": 5}.get(id, 8.5)


@pytest.mark.parametrize(
    ("reference", "change"),
    [
        (rnn.rnn_cell, lambda r: (r[0], r[1][:2])),
        (rnn.rnn_cell, lambda r: r[1][0]),
        (rnn.rnn_cell_backward, lambda r: (r[1], r[0] + 1, r[2])),
        (
            rnn.rnn_cell_backward,
            lambda r: (r[0], r[1], {"all": np.concatenate([a.ravel() for a in r[2].values()])}),
        ),
        (rnn.rnn_cell_backward, lambda r: (r[0], r[1])),
        (rnn.rnn_cell_backward, lambda r: [np.zeros(n) for n in range(40)] + list(r)),
    ],
)
def test_what_lacks_a_number_is_no_matter_of_packing(reference, change):
    assert check(answer(reference, change), 10).mistakes == ()
