"""Correct variants for lesson 07."""

import numpy as np

from rnncore.cells.rnn import rnn_backward, rnn_cell, rnn_cell_backward, rnn_forward
from rnncore.topics.bidirectional import reverse_padded
from tests.rnncore.exercises.variants import answers


@answers("reverse_padded")
def gathers_by_index(x, lengths):
    T = x.shape[1]
    t = np.arange(T)[None, :]
    source = np.where(t < lengths[:, None], lengths[:, None] - 1 - t, t)
    return np.take_along_axis(x, source[:, :, None], axis=1)


@answers("reverse_padded")
def step_by_step(x, lengths):
    turned = np.array(x)
    for b in range(len(x)):
        for t in range(lengths[b]):
            turned[b, t] = x[b, lengths[b] - 1 - t]
    return turned


@answers("reverse_padded")
def concatenates_halves(x, lengths):
    return np.stack([np.concatenate([row[:n][::-1], row[n:]]) for row, n in zip(x, lengths, strict=True)])


@answers("reverse_padded")
def fancy_rows(x, lengths):
    B, T, _ = x.shape
    order = np.tile(np.arange(T), (B, 1))
    for b, n in enumerate(lengths):
        order[b, :n] = order[b, :n][::-1]
    return x[np.arange(B)[:, None], order]


@answers("reverse_padded")
def flips_a_private_copy_in_place(x, lengths):
    turned = x.copy()
    for b in range(len(turned)):
        turned[b, 0 : lengths[b]] = np.flip(turned[b, 0 : lengths[b]], axis=0).copy()
    return turned


@answers("reverse_padded")
def lists(x, lengths):
    rows = x.tolist()
    return [row[: int(n)][::-1] + row[int(n) :] for row, n in zip(rows, lengths, strict=True)]


@answers("bidirectional_forward")
def masked_by_multiplication(fw, bw, x, lengths):
    B, T, _ = x.shape
    zeros = np.zeros((B, fw["bias_hh"].size))
    y_fw, _, fw_caches = rnn_forward(fw, x, zeros)
    y_bw, _, bw_caches = rnn_forward(bw, reverse_padded(x, lengths), zeros)
    y = np.concatenate((y_fw, reverse_padded(y_bw, lengths)), axis=-1)
    return y * (np.arange(T)[None, :, None] < lengths[:, None, None]), (fw_caches, bw_caches, lengths)


@answers("bidirectional_forward")
def filled_half_by_half(fw, bw, x, lengths):
    B, T, _ = x.shape
    H = fw["weight_hh"].shape[1]
    y = np.zeros((B, T, 2 * H))
    forward, _, fw_caches = rnn_forward(fw, x, np.zeros((B, H)))
    backward, _, bw_caches = rnn_forward(bw, reverse_padded(x, lengths), np.zeros((B, H)))
    for b, n in enumerate(lengths):
        y[b, :n, :H] = forward[b, :n]
        y[b, :n, H:] = backward[b, :n][::-1]
    return y, [fw_caches, bw_caches, list(lengths)]


@answers("bidirectional_forward")
def input_padding_blanked_first(fw, bw, x, lengths):
    T, H = x.shape[1], len(fw["bias_ih"])
    real = (np.arange(T) < lengths[:, None])[..., None]
    x = np.where(real, x, 0)
    h0 = np.zeros((len(x), H))
    forward, _, fw_caches = rnn_forward(fw, x, h0)
    backward, _, bw_caches = rnn_forward(bw, reverse_padded(x, lengths), h0)
    y = np.where(real, np.dstack([forward, reverse_padded(backward, lengths)]), 0)
    return y, (fw_caches, bw_caches, lengths)


@answers("bidirectional_forward")
def cell_by_cell_and_masked_states(fw, bw, x, lengths):
    B, T, _ = x.shape
    H = fw["weight_hh"].shape[0]
    halves, caches = [], []
    for p, steps in ((fw, x), (bw, reverse_padded(x, lengths))):
        h, y, own = np.zeros((B, H)), np.zeros((B, T, H)), []
        for t in range(T):
            h, cache = rnn_cell(p, steps[:, t], h)
            h = h * (t < lengths)[:, None]
            y[:, t] = h
            own.append(cache)
        halves.append(y)
        caches.append(own)
    y = np.concatenate([halves[0], reverse_padded(halves[1], lengths)], axis=2)
    return y, (caches[0], caches[1], lengths)


@answers("bidirectional_forward")
def single_precision(fw, bw, x, lengths):
    fw, bw = ({name: value.astype(np.float32) for name, value in p.items()} for p in (fw, bw))
    x = x.astype(np.float32)
    h0 = np.zeros((len(x), len(fw["bias_ih"])), dtype=np.float32)
    forward, _, fw_caches = rnn_forward(fw, x, h0)
    backward, _, bw_caches = rnn_forward(bw, reverse_padded(x, lengths), h0)
    y = np.concatenate([forward, reverse_padded(backward, lengths)], axis=2)
    for b, n in enumerate(lengths):
        y[b, n:] = 0
    return y, (fw_caches, bw_caches, lengths)


@answers("bidirectional_backward")
def masked_by_multiplication_and_split(fw, bw, dy, caches):
    fw_caches, bw_caches, lengths = caches
    dy = dy * (np.arange(dy.shape[1])[:, None] < lengths[:, None, None])
    d_fw, d_bw = np.split(dy, 2, axis=2)
    dx, _, fw_grads = rnn_backward(fw, d_fw, fw_caches)
    dx_turned, _, bw_grads = rnn_backward(bw, reverse_padded(d_bw, lengths), bw_caches)
    dx += reverse_padded(dx_turned, lengths)
    return dx, fw_grads, bw_grads


@answers("bidirectional_backward")
def private_copy_blanked_in_place(fw, bw, dy, caches):
    fw_caches, bw_caches, lengths = caches
    H, dy = dy.shape[-1] // 2, dy.copy()
    for b, n in enumerate(lengths):
        dy[b, n:] = 0
    dx_bw, _, bw_grads = rnn_backward(bw, reverse_padded(dy[..., H:], lengths), bw_caches)
    dx_fw, _, fw_grads = rnn_backward(fw, dy[..., :H], fw_caches)
    return [reverse_padded(dx_bw, lengths) + dx_fw, fw_grads, bw_grads]


@answers("bidirectional_backward")
def blanked_after_the_reversal(fw, bw, dy, caches):
    fw_caches, bw_caches, lengths = caches
    T, H = dy.shape[1], dy.shape[2] // 2
    padding = np.arange(T) >= lengths[:, None]
    d_fw, d_bw = dy[:, :, :H].copy(), reverse_padded(dy[:, :, H:], lengths)
    d_fw[padding], d_bw[padding] = 0, 0
    dx_fw, _, fw_grads = rnn_backward(fw, d_fw, fw_caches)
    dx_bw, _, bw_grads = rnn_backward(bw, d_bw, bw_caches)
    return dx_fw + reverse_padded(dx_bw, lengths), fw_grads, bw_grads


@answers("bidirectional_backward")
def cell_by_cell(fw, bw, dy, caches):
    lengths, H = caches[2], dy.shape[2] // 2
    dy = np.where(np.arange(dy.shape[1])[None, :, None] < lengths[:, None, None], dy, 0)
    dx, all_grads = 0, []
    for k, p in enumerate((fw, bw)):
        upstream = dy[:, :, k * H : (k + 1) * H]
        upstream = reverse_padded(upstream, lengths) if k else upstream
        carry, steps, grads = 0, [], {name: 0 for name in p}
        for t in reversed(range(dy.shape[1])):
            step, carry, share = rnn_cell_backward(p, upstream[:, t] + carry, caches[k][t])
            steps.insert(0, step)
            grads = {name: grads[name] + share[name] for name in p}
        steps = np.stack(steps, axis=1)
        dx = dx + (reverse_padded(steps, lengths) if k else steps)
        all_grads.append(grads)
    return dx, *all_grads


@answers("bidirectional_backward")
def sequence_by_sequence(fw, bw, dy, caches):
    fw_caches, bw_caches, lengths = caches
    B, T, H = len(dy), dy.shape[1], dy.shape[2] // 2
    dx = np.zeros((B, T, fw["weight_ih"].shape[1]))
    totals = [{name: np.zeros_like(value) for name, value in p.items()} for p in (fw, bw)]
    for b, n in enumerate(lengths):
        own = [[tuple(item[b : b + 1] for item in c) for c in cs[:n]] for cs in (fw_caches, bw_caches)]
        one, _, share = rnn_backward(fw, dy[b : b + 1, :n, :H], own[0])
        two, _, other = rnn_backward(bw, dy[b : b + 1, :n, H:][:, ::-1], own[1])
        dx[b, :n] = one[0] + two[0, ::-1]
        for total, grads in zip(totals, (share, other), strict=True):
            for name in total:
                total[name] += grads[name]
    return dx, totals[0], totals[1]


@answers("final_states")
def loop_over_the_batch(y, lengths):
    B, _, features = y.shape
    states = np.empty((B, features))
    for b in range(B):
        states[b, : features // 2] = y[b, lengths[b] - 1, : features // 2]
        states[b, features // 2 :] = y[b, 0, features // 2 :]
    return states


@answers("final_states")
def take_along_axis(y, lengths):
    H = y.shape[-1] // 2
    last = np.take_along_axis(y, (lengths - 1)[:, None, None], axis=1)[:, 0]
    return np.hstack([last[:, :H], y[:, 0, H:]])


@answers("final_states")
def split_halves(y, lengths):
    forward, backward = np.split(y, 2, axis=2)
    return np.concatenate([forward[range(len(y)), lengths - 1], backward[:, 0]], axis=-1)


@answers("final_states")
def one_hot_over_time(y, lengths):
    H = y.shape[2] // 2
    at_end = np.arange(y.shape[1]) == lengths[:, None] - 1
    return np.concatenate([np.einsum("bt,bth->bh", at_end, y[:, :, :H]), y[:, 0, H:]], axis=1)


@answers("final_states")
def list_of_rows(y, lengths):
    H = y.shape[2] // 2
    return [[*row[n - 1, :H], *row[0, H:]] for row, n in zip(y, lengths, strict=True)]


@answers("final_states")
def single_precision_in_place(y, lengths):
    states = y[:, 0].astype(np.float32)
    H = states.shape[1] // 2
    for b, n in enumerate(lengths):
        states[b, :H] = y[b, n - 1, :H]
    return states
