"""Correct variants for lesson 11."""

from itertools import groupby

import numpy as np

from tests.rnncore.exercises.variants import answers


@answers("spectrogram")
def frame_by_frame(signal, size, hop):
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / (size - 1))
    rows = []
    start = 0
    while start + size <= len(signal):
        rows.append(np.abs(np.fft.rfft(signal[start : start + size] * window)) ** 2)
        start += hop
    return np.array(rows)


@answers("spectrogram")
def sliding_windows(signal, size, hop):
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[::hop]
    spectrum = np.fft.rfft(frames * np.hanning(size), axis=-1)
    return spectrum.real**2 + spectrum.imag**2


@answers("spectrogram")
def half_of_the_full_transform(signal, size, hop):
    T = 1 + (len(signal) - size) // hop
    frames = np.stack([signal[t * hop : t * hop + size] for t in range(T)])
    spectrum = np.fft.fft(np.hanning(size) * frames)[:, : size // 2 + 1]
    return (spectrum * spectrum.conj()).real


@answers("spectrogram")
def cosines_and_sines(signal, size, hop):
    T = (len(signal) - size) // hop + 1
    angle = 2 * np.pi * np.outer(np.arange(size), np.arange(size // 2 + 1)) / size
    power = np.zeros((T, size // 2 + 1))
    for t in range(T):
        frame = signal[t * hop :][:size] * np.hanning(size)
        power[t] = (frame @ np.cos(angle)) ** 2 + (frame @ np.sin(angle)) ** 2
    return power


@answers("spectrogram")
def cut_in_place_on_a_private_copy(signal, size, hop):
    places = np.add.outer(np.arange(0, len(signal) - size + 1, hop), np.arange(size))
    frames = np.take(signal, places)
    frames *= np.hanning(size)[np.newaxis]
    return np.square(np.absolute(np.fft.rfft(frames, n=size, axis=1)))


@answers("spectrogram")
def plain_lists(signal, size, hop):
    window = np.hanning(size)
    starts = range(0, len(signal) - size + 1, hop)
    return [[abs(c) ** 2 for c in np.fft.rfft(signal[s : s + size] * window).tolist()] for s in starts]


def power_frames(signal, size, hop):
    return sliding_windows(signal, size, hop)


def triangle(mel, left, centre, right):
    """One filter by its rising and its falling side, as text books write it."""
    weights = np.zeros(len(mel))
    for k, m in enumerate(mel):
        if left < m <= centre:
            weights[k] = (m - left) / (centre - left)
        elif centre < m < right:
            weights[k] = (right - m) / (right - centre)
    return weights


@answers("log_mel")
def sides_of_triangles(signal, rate, size, hop, bands):
    mel = 2595 * np.log10(1 + np.linspace(0, rate / 2, size // 2 + 1) / 700)
    feet = np.linspace(0, mel[-1], bands + 2)
    filters = [triangle(mel, *feet[b : b + 3]) for b in range(bands)]
    return np.log(power_frames(signal, size, hop) @ np.transpose(filters) + 1e-6)


@answers("log_mel")
def both_sides_at_once(signal, rate, size, hop, bands):
    mel = 1127.010480 * np.log1p(np.fft.rfftfreq(size, 1 / rate) / 700)
    feet = np.linspace(0, mel[-1], bands + 2)[:, None]
    left, centre, right = feet[:-2], feet[1:-1], feet[2:]
    filters = np.clip(np.minimum((mel - left) / (centre - left), (right - mel) / (right - centre)), 0, None)
    return np.log(np.einsum("tf,bf->tb", power_frames(signal, size, hop), filters) + 1e-6)


@answers("log_mel")
def a_floor_in_place_of_a_sum(signal, rate, size, hop, bands):
    mel = 2595 * np.log10(1 + np.fft.rfftfreq(size, 1 / rate) / 700)
    width = mel[-1] / (bands + 1)
    filters = np.array([np.maximum(0, 1 - np.abs(mel / width - b)) for b in range(1, bands + 1)])
    return np.log(np.maximum((filters @ power_frames(signal, size, hop).T).T, 1e-6))


@answers("log_mel")
def band_by_band(signal, rate, size, hop, bands):
    power = power_frames(signal, size, hop)
    hertz = rate / size * np.arange(power.shape[1])
    mel = 2595 * np.log10(1 + hertz / 700)
    columns = []
    for b in range(1, bands + 1):
        away = np.abs(mel - b * mel.max() / (bands + 1)) * (bands + 1) / mel.max()
        columns.append((power * np.where(away < 1, 1 - away, 0)).sum(axis=1))
    return np.log(np.column_stack(columns) + 1e-6)


@answers("log_mel")
def interpolated_triangles(signal, rate, size, hop, bands):
    mel = 2595 * np.log10(1 + np.arange(size // 2 + 1) * rate / size / 700)
    feet = np.linspace(0, mel[-1], bands + 2)
    filters = [np.interp(mel, feet, np.eye(bands + 2)[b]) for b in range(1, bands + 1)]
    return np.log(1e-6 + np.dot(power_frames(signal, size, hop), np.array(filters).T))


@answers("log_mel")
def base_ten_turned_natural(signal, rate, size, hop, bands):
    mel = 2595 * np.log10(1 + np.fft.rfftfreq(size, 1 / rate) / 700)
    gaps = mel / mel[-1] * (bands + 1)  # 0 at the lower end, 1 at the first centre
    filters = np.maximum(0, 1 - np.abs(np.subtract.outer(gaps, np.arange(1, bands + 1))))
    return np.log10(power_frames(signal, size, hop) @ filters + 1e-6) * np.log(10)


@answers("ctc_collapse")
def walks_along(path):
    labels, before = [], 0
    for symbol in path:
        if symbol != before and symbol != 0:
            labels.append(int(symbol))
        before = symbol
    return labels


@answers("ctc_collapse")
def grouped(path):
    return np.array([symbol for symbol, _ in groupby(path.tolist()) if symbol], dtype=int)


@answers("ctc_collapse")
def both_conditions_at_once(path):
    return path[(np.diff(path, prepend=-1) != 0) & (path > 0)]


@answers("ctc_collapse")
def shifted_copy(path):
    before = np.append(0, path[:-1])
    return path[np.flatnonzero((path != before) & (path != 0))]


@answers("ctc_collapse")
def floats(path):
    merged = [path[0]]
    for t in range(1, len(path)):
        if path[t] != path[t - 1]:
            merged.append(path[t])
    return np.array([float(symbol) for symbol in merged if symbol != 0])


@answers("ctc_collapse")
def ends_of_runs(path):
    ends = np.append(path[:-1] != path[1:], True)
    return path[ends & (path != 0)].copy()


@answers("ctc_loss")
def place_by_place(log_probs, targets):
    T, S = len(log_probs), len(targets)
    places = [0]
    for label in targets:
        places += [int(label), 0]
    alpha = np.full((T, 2 * S + 1), -np.inf)
    alpha[0, 0], alpha[0, 1] = log_probs[0, 0], log_probs[0, places[1]]
    for t in range(1, T):
        for s in range(2 * S + 1):
            ways = alpha[t - 1, s]
            if s >= 1:
                ways = np.logaddexp(ways, alpha[t - 1, s - 1])
            if s >= 2 and places[s] != 0 and places[s] != places[s - 2]:
                ways = np.logaddexp(ways, alpha[t - 1, s - 2])
            alpha[t, s] = ways + log_probs[t, places[s]]
    return float(-np.logaddexp(alpha[-1, -1], alpha[-1, -2]))


@answers("ctc_loss")
def scaled_probabilities(log_probs, targets):
    places = np.zeros(2 * len(targets) + 1, dtype=int)
    places[1::2] = targets
    may_skip = np.array([s > 1 and places[s] != places[s - 2] for s in range(len(places))])
    probs, taken = np.exp(log_probs), 0.0
    alpha = np.where(np.arange(len(places)) < 2, probs[0, places], 0)
    for t in range(len(probs)):
        if t:
            padded = np.concatenate([[0, 0], alpha])
            alpha = (alpha + padded[1:-1] + may_skip * padded[:-2]) * probs[t, places]
        taken += np.log(alpha.sum())
        alpha = alpha / alpha.sum()
    return -(taken + np.log(alpha[-1] + alpha[-2]))


@answers("ctc_loss")
def from_the_end(log_probs, targets):
    places = np.insert(np.zeros(len(targets) + 1, dtype=int), np.arange(1, len(targets) + 1), targets)
    beta = np.full(len(places), -np.inf)
    beta[-2:] = log_probs[-1, places[-2:]]
    for frame in log_probs[-2::-1]:
        step = np.append(beta[1:], -np.inf)
        skip = np.append(beta[2:], [-np.inf, -np.inf])
        skip[:-2][places[:-2] == places[2:]] = -np.inf
        beta = frame[places] + np.logaddexp.reduce([beta, step, skip])
    return -np.logaddexp(beta[0], beta[1])


@answers("ctc_loss")
def matrix_of_moves(log_probs, targets):
    places = np.zeros(2 * len(targets) + 1, dtype=int)
    places[1::2] = targets
    P = len(places)
    moves = np.eye(P) + np.eye(P, k=1)
    for s in range(2, P):
        moves[s - 2, s] = places[s] != places[s - 2]
    alpha, scale = np.eye(P)[:2].sum(axis=0) * np.exp(log_probs[0, places]), 0.0
    for frame in log_probs[1:]:
        alpha = (alpha @ moves) * np.exp(frame[places])
        largest = alpha.max()
        alpha, scale = alpha / largest, scale + np.log(largest)
    return -np.log(alpha[-2:].sum()) - scale


@answers("ctc_loss")
def very_negative_for_minus_infinity(log_probs, targets):
    def add(*terms):
        top = max(terms)
        return top + np.log(sum(np.exp(term - top) for term in terms))

    places = [0] + [symbol for label in targets.tolist() for symbol in (label, 0)]
    alpha = [log_probs[0, 0], log_probs[0, places[1]]] + [-1e30] * (len(places) - 2)
    for frame in log_probs[1:]:
        old = [-1e30, -1e30, *alpha]
        for s, symbol in enumerate(places):
            ways = [old[s + 2], old[s + 1]]
            if s > 1 and symbol != places[s - 2]:
                ways.append(old[s])
            alpha[s] = add(*ways) + frame[symbol]
    return -add(alpha[-1], alpha[-2])


@answers("ctc_loss")
def an_array_of_no_axes(log_probs, targets):
    extended = np.stack([np.zeros_like(targets), targets], axis=1).ravel()
    extended = np.append(extended, 0)
    emit = log_probs[:, extended]
    alpha = np.where(np.arange(len(extended)) <= 1, emit[0], -np.inf)
    differs = np.append([False, False], extended[2:] != extended[:-2])
    for t in range(1, len(emit)):
        step, skip = np.roll(alpha, 1), np.roll(alpha, 2)
        step[0] = skip[0] = skip[1] = -np.inf
        skip[~differs] = -np.inf
        alpha = emit[t] + np.logaddexp(alpha, np.logaddexp(step, skip))
    return np.array(-np.logaddexp(alpha[-2], alpha[-1]))


def collapse(path):
    return both_conditions_at_once(path)


@answers("ctc_greedy")
def argmax_function(log_probs):
    return collapse(np.argmax(log_probs, -1))


@answers("ctc_greedy")
def from_probabilities(log_probs):
    return collapse(np.exp(log_probs).argmax(axis=1))


@answers("ctc_greedy")
def frame_after_frame(log_probs):
    labels, before = [], 0
    for frame in log_probs:
        best = max(range(len(frame)), key=lambda v: frame[v])
        if best not in (0, before):
            labels.append(best)
        before = best
    return labels


@answers("ctc_greedy")
def sorted_and_last(log_probs):
    return walks_along(np.argsort(log_probs, axis=1)[:, -1])


@answers("ctc_greedy")
def grouped_best(log_probs):
    best = (int(frame.argmax()) for frame in log_probs)
    return np.array([symbol for symbol, _ in groupby(best) if symbol != 0], dtype=np.int32)


@answers("ctc_greedy")
def turned_round(log_probs):
    return ends_of_runs(log_probs.T.argmax(axis=0))
