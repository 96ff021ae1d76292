"""Speech features agree with torch's Fourier transform and with loops, CTC with the sum of all paths."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncore import losses
from rnncore.topics.ctc import ctc_collapse, ctc_greedy, ctc_loss, edit_distance, label_error_rate
from rnncore.topics.speech import log_mel, spectrogram
from tests.rnncore.oracle import close


@pytest.mark.parametrize(("N", "size", "hop"), [(89, 16, 6), (75, 15, 4), (20, 20, 7), (1000, 256, 160)])
def test_the_spectrogram_is_torchs(N, size, hop):
    signal = np.random.default_rng(N).normal(size=N)
    window = torch.hann_window(size, periodic=False, dtype=torch.float64)
    spectrum = torch.stft(torch.tensor(signal), size, hop, window=window, center=False, return_complex=True)
    expected = spectrum.abs().square().T.numpy()
    power = spectrogram(signal, size, hop)
    assert power.shape == expected.shape == (1 + (N - size) // hop, size // 2 + 1)
    np.testing.assert_allclose(power, expected, rtol=1e-10, atol=1e-12)


def mel_of(hertz):
    return 2595 * math.log10(1 + hertz / 700)


def slow_log_mel(signal, rate, size, hop, bands):
    """Number by number, each triangle by its two sides."""
    power, top = spectrogram(signal, size, hop), mel_of(rate / 2)
    features = np.zeros((len(power), bands))
    for t, b in np.ndindex(features.shape):
        left, centre, right = (top * (b + k) / (bands + 1) for k in range(3))
        energy = 0.0
        for column, share in enumerate(power[t]):
            mel = mel_of(column * rate / size)
            if left < mel <= centre:
                energy += share * (mel - left) / (centre - left)
            elif centre < mel < right:
                energy += share * (right - mel) / (right - centre)
        features[t, b] = math.log(energy + 1e-6)
    return features


@pytest.mark.parametrize(("rate", "size", "hop", "bands"), [(8000, 64, 24, 5), (11025, 50, 19, 4)])
def test_log_mel_is_what_loops_give(rate, size, hop, bands):
    signal = np.random.default_rng(rate).normal(size=230)
    signal[:size] = 0
    close(log_mel(signal, rate, size, hop, bands), slow_log_mel(signal, rate, size, hop, bands))


def test_silence_is_the_floor_and_a_tone_stands_out_in_its_band():
    seconds = np.arange(4000) / 8000
    close(log_mel(np.zeros(4000)), np.full((24, 16), np.log(1e-6)))
    centre = 700 * (10 ** (mel_of(4000) * 6 / 17 / 2595) - 1)  # hertz at the top of the sixth triangle
    assert (log_mel(np.sin(2 * np.pi * centre * seconds)).argmax(axis=1) == 5).all()


def spelled(path):
    return [symbol for symbol, _ in itertools.groupby(path) if symbol != 0]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_collapse_merges_first_and_drops_blanks_then(path):
    labels = ctc_collapse(np.array(path))
    assert labels.tolist() == spelled(path)


def log_softmax(logits):
    return torch.tensor(logits).log_softmax(-1).numpy()


@pytest.mark.parametrize("targets", [[1, 1], [2, 1], [1], [2, 1, 2], [1, 1, 2]])
def test_the_loss_is_the_sum_over_all_paths(targets):
    log_probs = log_softmax(np.random.default_rng(3).normal(size=(5, 3)))
    paths = (path for path in itertools.product(range(3), repeat=5) if spelled(path) == targets)
    total = sum(math.exp(log_probs[range(5), path].sum()) for path in paths)
    close(ctc_loss(log_probs, np.array(targets)), -math.log(total))


@pytest.mark.parametrize(
    ("T", "V", "targets"), [(9, 6, [4, 2, 2, 4]), (700, 5, [1, 3, 3, 2] * 9), (1, 4, [3])]
)
def test_the_loss_is_torchs_and_that_of_the_batch(T, V, targets):
    logits = np.random.default_rng(T).normal(0, 2, (T, V))
    log_probs = log_softmax(logits)
    expected = torch.nn.functional.ctc_loss(
        torch.tensor(log_probs)[:, None], torch.tensor([targets]), [T], [len(targets)], reduction="sum"
    )
    close(ctc_loss(log_probs, np.array(targets)), expected.item())
    close(losses.ctc_loss(logits[None], [targets])[0], expected.item())


def test_too_few_frames_are_infinitely_bad():
    log_probs = log_softmax(np.random.default_rng(0).normal(size=(3, 4)))
    assert ctc_loss(log_probs, np.array([2, 2, 1])) == np.inf  # needs a blank between, so four frames


def test_greedy_spells_the_likeliest_path():
    log_probs = log_softmax(np.random.default_rng(1).normal(0, 2, (30, 4)))
    paths = itertools.product(range(4), repeat=3)
    best = max(paths, key=lambda path: log_probs[range(3), path].sum())
    assert ctc_greedy(log_probs[:3]).tolist() == spelled(best)
    assert ctc_greedy(log_probs).tolist() == spelled(log_probs.argmax(axis=1).tolist())


def slow_distance(one, other):
    """By the definition: what is cheapest for the first symbols, and the rest by itself."""
    if not one or not other:
        return len(one) + len(other)
    changed = slow_distance(one[1:], other[1:]) + (one[0] != other[0])
    return min(changed, 1 + slow_distance(one[1:], other), 1 + slow_distance(one, other[1:]))


@given(st.text("ab", max_size=5), st.text("abc", max_size=5))
@settings(deadline=None)
def test_edit_distance_is_the_fewest_edits(one, other):
    assert edit_distance(one, other) == slow_distance(one, other) == edit_distance(other, one)


def test_label_error_rate_counts_all_labels_alike():
    found = [np.array([1, 2, 3]), np.array([], dtype=int), np.array([4, 4])]
    targets = [np.array([1, 3]), np.array([2]), np.array([4, 5, 4, 4, 1])]
    assert label_error_rate(found, targets) == (1 + 1 + 3) / 8
