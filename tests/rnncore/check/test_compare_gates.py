"""A wrong parameter or gradient of a gated cell is told by its gates' blocks of rows."""

import numpy as np
import pytest

from rnncore.cells.gru import gru_cell_backward
from rnncore.cells.lstm import lstm_cell_backward, set_forget_bias
from rnncore.check import check
from rnncore.check.compare import difference

LSTM, GRU = ("i", "f", "g", "o"), ("r", "z", "n")
SIZES = {"B": 5, "D": 2, "H": 6}


def said(change, gates=LSTM, columns=2, sizes=SIZES):
    """What is said of an array of G * H rows after ``change`` was made to its blocks, (G, H, columns)."""
    want = np.random.default_rng(0).normal(size=(len(gates), sizes["H"], columns))
    got = change(want.copy())
    rows = len(gates) * sizes["H"]
    return difference(
        got.reshape(rows, -1).squeeze(),
        want.reshape(rows, -1).squeeze(),
        "d",
        tolerance=1e-5,
        sizes=sizes,
        gates=gates,
    )


def add(*blocks):
    def change(got):
        for block in blocks:
            got[block] += 0.3 + np.arange(got[block].size).reshape(got[block].shape)
        return got

    return change


def scale(block, factor):
    def change(got):
        got[block] *= factor
        return got

    return change


@pytest.mark.parametrize(
    ("change", "gates", "sentence"),
    [
        (
            add(1),
            LSTM,
            "is wrong in the block of the forget gate f (rows 6 to 11) and right in the other three.",
        ),
        (
            add(0, 3),
            LSTM,
            "is wrong in the blocks of the input gate i (rows 0 to 5) and the output gate o (rows 18 to 23) "
            "and right in the other two.",
        ),
        (
            add(0, 1),
            GRU,
            "is wrong in the blocks of the reset gate r (rows 0 to 5) and the update gate z (rows 6 to 11) "
            "and right in that of the candidate n (rows 12 to 17).",
        ),
        (
            scale(2, -1),
            LSTM,
            "candidate g (rows 12 to 17) and right in the other three. That block has the wrong sign",
        ),
        (scale(1, 0), GRU, "and right in the other two. That block is all zeros."),
        (scale(3, 2), LSTM, "That block is the right answer times 2, everywhere."),
        (
            lambda got: got[[0, 1, 3, 2]],
            LSTM,
            "holds the right blocks in the order i, f, o, g, expected i, f, g, o.",
        ),
        (lambda got: got[[1, 0, 2]], GRU, "holds the right blocks in the order z, r, n, expected r, z, n."),
        (add(0, 1, 2, 3), LSTM, "has the right shape and the wrong numbers."),
        (lambda got: 2 * got, LSTM, "is the right answer times 2, everywhere."),
    ],
)
@pytest.mark.parametrize("columns", [2, 1])
def test_the_wrong_blocks_are_named(change, gates, sentence, columns):
    assert sentence in said(change, gates, columns)


def test_a_block_of_one_row_and_an_array_without_gates():
    sizes = {"B": 5, "D": 2, "H": 1}
    assert "the forget gate f (row 1)" in said(add(1), sizes=sizes)
    assert "gate" not in said(add(1), gates=LSTM, sizes={"B": 24, "D": 2, "H": 6})  # B rows: whose are they?
    wrong = np.eye(4) + np.diag([0.0, 1.0, 0.0, 0.0])
    assert "gate" not in difference(wrong, np.eye(4), "d", tolerance=1e-5, sizes={"H": 4}, gates=LSTM)


def test_the_verdict_names_the_gate_where_no_known_mistake_fits():
    right = lstm_cell_backward

    def wrong(p, d_state, cache):
        dx, d_prev, grads = right(p, d_state, cache)
        H = d_prev[0].shape[1]
        grads["weight_ih"][H : 2 * H] += 0.1
        return dx, d_prev, grads

    wrong.__name__ = "lstm_cell_backward"
    verdict = check(wrong, 7)
    assert all(named.id.startswith("line-") for named in verdict.mistakes)
    assert [part.name for part in verdict.parts if not part.right] == ['grads["weight_ih"]']
    assert "wrong in the block of the forget gate f (rows 2 to 3) and right in the other three" in repr(
        verdict
    )


def test_the_verdict_names_the_gate_of_a_gru_and_of_a_bias():
    right = gru_cell_backward

    def wrong(p, dh, cache):
        dx, dh_prev, grads = right(p, dh, cache)
        grads["bias_hh"] = grads["bias_hh"] * np.repeat([1.0, 1.0, 3.5], dh.shape[1])
        return dx, dh_prev, grads

    wrong.__name__ = "gru_cell_backward"
    assert "wrong in the block of the candidate n (rows 4 to 5)" in repr(check(wrong, 6))

    def off_by_one(p, value):
        return set_forget_bias(p, value + 1)

    off_by_one.__name__ = "set_forget_bias"
    assert "wrong in the block of the forget gate f (rows 2 to 3)" in repr(check(off_by_one, 4))


def test_a_state_that_is_no_tuple_is_told_as_such():
    def flat(p, d_state, cache):
        dx, (dh, _), grads = lstm_cell_backward(p, d_state, cache)
        return dx, dh, grads

    flat.__name__ = "lstm_cell_backward"
    verdict = check(flat, 7)
    assert verdict.earned == 5
    assert (
        "belongs in a tuple (dh_prev, dc_prev); what was returned there is an array of shape (3, 2)"
        in repr(verdict)
    )
