"""Correct variants for lesson 01."""

import numpy as np

from tests.rnncore.exercises.variants import answers


@answers("one_hot")
def put_along_axis(ids, V):
    x = np.zeros((*ids.shape, V))
    np.put_along_axis(x, ids[..., None], 1, axis=-1)
    return x


@answers("one_hot")
def loops(ids, V):
    B, T = ids.shape
    x = np.zeros((B, T, V))
    for b in range(B):
        for t in range(T):
            x[b, t, ids[b, t]] = 1
    return x


@answers("one_hot")
def compares(ids, V):
    return (ids[:, :, None] == np.arange(V)).astype(float)


@answers("one_hot")
def booleans(ids, V):
    return np.equal.outer(ids, np.arange(V))


@answers("one_hot")
def lists_of_integers(ids, V):
    return [[[int(v == i) for v in range(V)] for i in row] for row in ids]


@answers("one_hot")
def flat_and_reshaped(ids, V):
    flat = np.zeros((ids.size, V), dtype=np.float32)
    flat[np.arange(ids.size), ids.ravel()] = 1.0
    return flat.reshape(*ids.shape, V)


@answers("one_hot")
def fancy_indices(ids, V):
    B, T = ids.shape
    x = np.zeros((B, T, V))
    b, t = np.indices((B, T))
    x[b, t, ids] += 1
    return x


@answers("next_step_pairs")
def slices_with_the_length(ids):
    T = ids.shape[1]
    return ids[:, 0 : T - 1], ids[:, 1:T]


@answers("next_step_pairs")
def copies_in_a_list(ids):
    return [ids[:, :-1].copy(), ids[:, 1:].copy()]


@answers("next_step_pairs")
def rolled_and_cut(ids):
    return ids[:, :-1], np.roll(ids, -1, axis=1)[:, :-1]


@answers("next_step_pairs")
def deleted_columns(ids):
    return np.delete(ids, -1, axis=1), np.delete(ids, 0, axis=1)


@answers("next_step_pairs")
def row_by_row(ids):
    inputs = [[row[t] for t in range(len(row) - 1)] for row in ids]
    targets = [[row[t + 1] for t in range(len(row) - 1)] for row in ids]
    return np.array(inputs), np.array(targets)


@answers("next_step_pairs")
def taken_as_floats(ids):
    steps = np.arange(ids.shape[1] - 1)
    return np.take(ids, steps, axis=1).astype(float), np.take(ids, steps + 1, axis=1).astype(float)


@answers("windows")
def appends(series, T):
    x, y = [], []
    for end in range(T, len(series)):
        x.append(series[end - T : end])
        y.append(series[end])
    return np.array(x), np.array(y)


@answers("windows")
def index_table(series, T):
    N = len(series)
    return series[np.arange(N - T)[:, None] + np.arange(T)], series[T:]


@answers("windows")
def sliding_view(series, T):
    stretches = np.lib.stride_tricks.sliding_window_view(series, T + 1)
    return stretches[:, :-1], stretches[:, -1]


@answers("windows")
def columns_side_by_side(series, T):
    N = len(series)
    return np.column_stack([series[k : N - T + k] for k in range(T)]), series[T:].copy()


@answers("windows")
def plain_lists(series, T):
    values = series.tolist()
    return [values[i : i + T] for i in range(len(values) - T)], values[T:]


@answers("windows")
def element_by_element(series, T):
    N = series.size
    x, y = np.empty((N - T, T), dtype=np.float32), np.empty(N - T, dtype=np.float32)
    for i in range(N - T):
        for j in range(T):
            x[i, j] = series[i + j]
        y[i] = series[i + T]
    return x, y


@answers("windows")
def shifts_a_window_along(series, T):
    window, x, y = list(series[:T]), [], []
    for value in series[T:]:
        x.append(list(window))
        y.append(value)
        window = [*window[1:], value]
    return np.array(x), np.array(y)


@answers("pad_sequences")
def adds_zeros_to_lists(seqs):
    longest = max(len(seq) for seq in seqs)
    return np.array([seq + [0] * (longest - len(seq)) for seq in seqs]), np.array([len(seq) for seq in seqs])


@answers("pad_sequences")
def plain_lists_back(seqs):
    longest = max(map(len, seqs))
    return [[*seq, *[0] * (longest - len(seq))] for seq in seqs], [len(seq) for seq in seqs]


@answers("pad_sequences")
def numpy_pad(seqs):
    lengths = np.array([len(seq) for seq in seqs])
    return np.stack([np.pad(seq, (0, lengths.max() - len(seq))) for seq in seqs]), lengths


@answers("pad_sequences")
def zip_longest_transposed(seqs):
    from itertools import zip_longest

    return np.array(list(zip_longest(*seqs, fillvalue=0))).T, np.fromiter(map(len, seqs), int)


@answers("pad_sequences")
def boolean_mask(seqs):
    lengths = np.array([len(seq) for seq in seqs])
    padded = np.zeros((len(seqs), max(lengths)))
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.concatenate(seqs)
    return padded, lengths


@answers("pad_sequences")
def one_id_at_a_time(seqs):
    lengths = [0] * len(seqs)
    for b, seq in enumerate(seqs):
        lengths[b] = len(seq)
    padded = np.zeros((len(seqs), max(lengths)), dtype=np.int32)
    for b, seq in enumerate(seqs):
        for t, i in enumerate(seq):
            padded[b, t] = i
    return padded, np.array(lengths)
