"""The functions of lesson 01 against torch's own, and against plain definitions."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn.utils.rnn import pad_sequence

from rnncore.topics.sequences import next_step_pairs, one_hot, pad_sequences, windows

lists = st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=9), min_size=1, max_size=6)


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 8), st.data())
def test_one_hot_is_that_of_torch(B, T, V, data):
    ids = data.draw(arrays(int, (B, T), elements=st.integers(0, V - 1)))
    x = one_hot(ids, V)
    assert x.dtype == np.float64
    np.testing.assert_array_equal(x, torch.nn.functional.one_hot(torch.tensor(ids), V).numpy())


@given(st.integers(1, 4), st.integers(2, 7), st.data())
def test_targets_follow_their_inputs(B, T, data):
    ids = data.draw(arrays(int, (B, T), elements=st.integers(0, 30)))
    inputs, targets = next_step_pairs(ids)
    assert inputs.shape == targets.shape == (B, T - 1)
    for b in range(B):
        pairs = list(zip(inputs[b], targets[b], strict=True))
        assert pairs == list(zip(ids[b].tolist()[:-1], ids[b].tolist()[1:], strict=True))


@given(st.integers(1, 5), st.integers(1, 9), st.data())
def test_windows_are_those_of_torch_unfold(T, count, data):
    finite = st.floats(-1e6, 1e6)
    series = data.draw(arrays(float, T + count, elements=finite))
    x, y = windows(series, T)
    unfolded = torch.tensor(series).unfold(0, T + 1, 1).numpy()
    np.testing.assert_array_equal(x, unfolded[:, :-1])
    np.testing.assert_array_equal(y, unfolded[:, -1])


@given(lists)
def test_padding_is_that_of_torch_and_lengths_are_true(seqs):
    padded, lengths = pad_sequences(seqs)
    expected = pad_sequence([torch.tensor(seq) for seq in seqs], batch_first=True)
    np.testing.assert_array_equal(padded, expected.numpy())
    assert lengths.tolist() == [len(seq) for seq in seqs]
    assert [row[:length].tolist() for row, length in zip(padded, lengths, strict=True)] == seqs


@given(lists)
def test_pad_sequences_leaves_its_input_alone(seqs):
    before = [list(seq) for seq in seqs]
    padded, _ = pad_sequences(seqs)
    padded += 1
    assert seqs == before
