"""Lesson 07 against torch's bidirectional RNN on packed sequences, and what padding may never do."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncore.check import check
from rnncore.exercises import by_name
from rnncore.exercises.rnn_cell import draw_params
from rnncore.gradcheck import numerical_gradient
from rnncore.layers import RNN
from rnncore.topics import bidirectional
from rnncore.topics.bidirectional import (
    bidirectional_backward,
    bidirectional_forward,
    final_states,
    reverse_padded,
)
from tests.rnncore.oracle import close, torch_layer

BATCHES = [  # lengths, T, D, H
    ((5, 2, 3), 5, 4, 2),
    ((1, 4, 6, 3), 6, 2, 3),
    ((2, 1, 4), 7, 3, 5),  # all padded
    ((4, 4), 4, 3, 5),  # none padded
    ((3,), 5, 4, 2),
    ((1, 1, 1), 1, 4, 2),
    ((2, 4, 3), 4, 5, 1),
    ((2, 4, 3), 4, 1, 2),
]


def draw(lengths, T, D, H, seed=0):
    rng = np.random.default_rng(seed)
    B = len(lengths)
    fw, bw = draw_params(rng, D, H), draw_params(rng, D, H)
    return fw, bw, rng.normal(size=(B, T, D)), np.array(lengths), rng.normal(size=(B, T, 2 * H))


def padding_of(lengths, T):
    return np.arange(T) >= np.asarray(lengths)[:, None]


@pytest.mark.parametrize(("lengths", "T", "D", "H"), BATCHES)
def test_outputs_final_states_and_all_gradients_are_those_of_torch(lengths, T, D, H):
    fw, bw, x, lengths, dy = draw(lengths, T, D, H)
    params = {f"{name}_l0": value for name, value in fw.items()}
    params |= {f"{name}_l0_reverse": value for name, value in bw.items()}
    layer = RNN(D, H, 1, True, rng=np.random.default_rng(0))
    layer.params = params
    zeros = np.zeros((2, len(x), H))
    expected = torch_layer(layer, x, zeros, lengths, dy, zeros)
    y, caches = bidirectional_forward(fw, bw, x, lengths)
    close(y, expected["y"])
    close(final_states(y, lengths), np.concatenate(list(expected["h_n"]), axis=1))
    dx, fw_grads, bw_grads = bidirectional_backward(fw, bw, dy, caches)
    close(dx, expected["dx"])
    for name in fw:
        close(fw_grads[name], expected["grads"][f"{name}_l0"])
        close(bw_grads[name], expected["grads"][f"{name}_l0_reverse"])


def test_gradients_are_those_of_finite_differences():
    fw, bw, x, lengths, dy = draw((2, 4, 3), 4, 3, 2)
    _, caches = bidirectional_forward(fw, bw, x, lengths)
    dx, fw_grads, bw_grads = bidirectional_backward(fw, bw, dy, caches)

    def loss(fw, bw, x):
        return float(np.sum(bidirectional_forward(fw, bw, x, lengths)[0] * dy))

    close(dx, numerical_gradient(lambda x: loss(fw, bw, x), x), rtol=1e-8)
    for name in fw:
        measured = numerical_gradient(lambda w, name=name: loss({**fw, name: w}, bw, x), fw[name])
        close(fw_grads[name], measured, rtol=1e-8)
        measured = numerical_gradient(lambda w, name=name: loss(fw, {**bw, name: w}, x), bw[name])
        close(bw_grads[name], measured, rtol=1e-8)


@st.composite
def padded_batches(draw):
    """An x of any content, padding included, and its lengths."""
    B, T, D = (draw(st.integers(1, most)) for most in (4, 6, 3))
    lengths = draw(arrays(int, B, elements=st.integers(1, T)))
    return draw(arrays(float, (B, T, D), elements=st.floats(-1e3, 1e3))), lengths


@given(padded_batches())
def test_reversing_twice_changes_nothing(batch):
    x, lengths = batch
    np.testing.assert_array_equal(reverse_padded(reverse_padded(x, lengths), lengths), x)


@given(padded_batches())
def test_each_sequence_is_reversed_and_its_padding_stays(batch):
    x, lengths = batch
    turned = reverse_padded(x, lengths)
    for before, after, length in zip(x, turned, lengths, strict=True):
        expected = torch.tensor(before)[:length].flip(0).numpy()
        np.testing.assert_array_equal(after[:length], expected)
        np.testing.assert_array_equal(after[length:], before[length:])


@given(padded_batches(), st.integers(0, 3), st.floats(-1e3, 1e3))
def test_padding_never_influences_anything(batch, extra, junk):
    """Other numbers in the padding, or more padding, give the same outputs and the same gradients."""
    x, lengths = batch
    (B, T, D), H = x.shape, 2
    fw, bw, _, _, dy = draw((1,) * B, T, D, H)
    y, caches = bidirectional_forward(fw, bw, x, lengths)
    dx, fw_grads, bw_grads = bidirectional_backward(fw, bw, dy, caches)
    assert not y[padding_of(lengths, T)].any()
    assert not dx[padding_of(lengths, T)].any()

    longer, dy_longer = (np.pad(a, ((0, 0), (0, extra), (0, 0))) for a in (x, dy))
    for array in (longer, dy_longer):
        array[padding_of(lengths, T + extra)] = junk
    y_longer, caches = bidirectional_forward(fw, bw, longer, lengths)
    dx_longer, fw_longer, bw_longer = bidirectional_backward(fw, bw, dy_longer, caches)
    close(y_longer[:, :T], y)
    close(dx_longer[:, :T], dx)
    close(fw_longer, fw_grads)
    close(bw_longer, bw_grads)
    close(final_states(y_longer, lengths), final_states(y, lengths))


@given(padded_batches())
def test_a_sequence_alone_gives_what_it_gives_in_a_batch(batch):
    x, lengths = batch
    fw, bw, *_ = draw((1,), 1, x.shape[2], 2)
    y, _ = bidirectional_forward(fw, bw, x, lengths)
    for b, length in enumerate(lengths):
        alone, _ = bidirectional_forward(fw, bw, x[b : b + 1, :length], lengths[b : b + 1])
        close(y[b : b + 1, :length], alone)


def test_nothing_changes_its_inputs():
    fw, bw, x, lengths, dy = draw((2, 4, 3), 4, 3, 2)
    kept = [array.copy() for array in (x, lengths, dy)]
    y, caches = bidirectional_forward(fw, bw, x, lengths)
    bidirectional_backward(fw, bw, dy, caches)
    final_states(y, lengths)
    for array, before in zip((x, lengths, dy), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_single_precision_stays_single():
    fw, bw, x, lengths, dy = draw((2, 4, 3), 4, 3, 2)
    fw, bw = ({name: value.astype(np.float32) for name, value in p.items()} for p in (fw, bw))
    y, caches = bidirectional_forward(fw, bw, x.astype(np.float32), lengths)
    dx, fw_grads, _ = bidirectional_backward(fw, bw, dy.astype(np.float32), caches)
    assert y.dtype == dx.dtype == fw_grads["weight_hh"].dtype == np.float32


@pytest.mark.parametrize("name", ["bidirectional_forward", "bidirectional_backward"])
@pytest.mark.parametrize("mistake", ["padding-reversed", "not-reversed", "last-step-left-out"])
def test_a_wrong_reversal_is_charged_once(name, mistake):
    reverse = by_name()["reverse_padded"]
    wrong = next(reverse.twin(m) for m in reverse.mistakes if m.id == mistake)
    scope = {**vars(bidirectional), "reverse_padded": wrong}
    exec(by_name()[name].source, scope)
    for seed in range(3):
        verdict = check(scope[name], 6, seed=seed)
        assert (verdict.earned, verdict.mistakes) == (6, ()), verdict
        assert "The fault is in `reverse_padded`" in verdict.remarks[0]
    # A fault of the function's own is still charged.
    twin = next(m for m in by_name()[name].mistakes if m.id == "halves-swapped")
    exec(by_name()[name].twin_source(twin), scope)
    assert check(scope[name], 6, seed=0).earned < 6
