"""Correct variants for lesson 14."""

import numpy as np

from rnncore.cells.activations import sigmoid
from rnncore.topics import scan as ours
from tests.rnncore.exercises.variants import answers


@answers("combine")
def by_index(first, second):
    return first[0] * second[0], first[1] * second[0] + second[1]


@answers("combine")
def applied_to_zero_and_one(first, second):
    def both(h):
        return second[0] * (first[0] * h + first[1]) + second[1]

    b = both(np.zeros_like(first[0]))
    return both(np.ones_like(first[0])) - b, b


@answers("combine")
def as_a_list(first, second):
    (a, b), (c, d) = first, second
    return [np.multiply(a, c), np.add(np.multiply(c, b), d)]


@answers("combine")
def in_place_on_copies(first, second):
    a, b = first[0].copy(), first[1].copy()
    a *= second[0]
    b *= second[0]
    b += second[1]
    return a, b


@answers("combine")
def as_matrices(first, second):
    """A step is the matrix [[a, b], [0, 1]], and two steps are their product."""

    def matrix(a, b):
        rows = [np.stack([a, b], axis=-1), np.stack([np.zeros_like(a), np.ones_like(a)], axis=-1)]
        return np.stack(rows, axis=-2)

    product = matrix(*second) @ matrix(*first)
    return product[..., 0, 0], product[..., 0, 1]


@answers("scan")
def by_hand_without_combine(a, b, h0):
    T = a.shape[1]
    b = np.concatenate([(a[:, 0] * h0 + b[:, 0])[:, None], b[:, 1:]], axis=1)
    for k in range(int(np.ceil(np.log2(T)))):
        s = 2**k
        b = np.concatenate([b[:, :s], a[:, s:] * b[:, :-s] + b[:, s:]], axis=1)
        a = np.concatenate([a[:, :s], a[:, s:] * a[:, :-s]], axis=1)
    return b


@answers("scan")
def h0_as_a_step_of_its_own(a, b, h0):
    a = np.concatenate([np.zeros_like(a[:, :1]), a], axis=1)
    b = np.concatenate([h0[:, None], b], axis=1)
    shift = 1
    while shift < b.shape[1]:
        new_a, new_b = ours.combine((a[:, :-shift], b[:, :-shift]), (a[:, shift:], b[:, shift:]))
        a = np.concatenate([a[:, :shift], new_a], axis=1)
        b = np.concatenate([b[:, :shift], new_b], axis=1)
        shift = shift + shift
    return b[:, 1:]


@answers("scan")
def h0_at_the_end(a, b, h0):
    A, S, shift = a.copy(), b.copy(), 1
    while shift < a.shape[1]:
        S[:, shift:] = A[:, shift:] * S[:, :-shift] + S[:, shift:]
        A[:, shift:] = A[:, shift:] * A[:, :-shift]
        shift *= 2
    return A * h0[:, None] + S


@answers("scan")
def up_and_down_the_tree(a, b, h0):
    """Blelloch's way: pairs are joined, the half as long sequence scanned, and the odd ones filled in."""

    def states(a, b):
        T = a.shape[1]
        if T == 1:
            return b
        even, odd = slice(0, T - T % 2, 2), slice(1, None, 2)
        pairs = ours.combine((a[:, even], b[:, even]), (a[:, odd], b[:, odd]))
        ends = states(*pairs)
        h = b.copy()
        h[:, odd] = ends
        later = range(2, T, 2)
        h[:, later] = a[:, later] * ends[:, : len(later)] + b[:, later]
        return h

    first = (a[:, 0] * h0 + b[:, 0])[:, None]
    return states(a, np.concatenate([first, b[:, 1:]], axis=1))


@answers("scan")
def padded_with_steps_that_do_nothing(a, b, h0):
    B, T, H = a.shape
    b = b + 0.0
    b[:, 0] = b[:, 0] + a[:, 0] * h0
    for k in range(T.bit_length()):
        shift = 2**k
        if shift >= T:
            break
        before_a, before_b = np.ones((B, T, H)), np.zeros((B, T, H))
        before_a[:, shift:], before_b[:, shift:] = a[:, :-shift], b[:, :-shift]
        a, b = ours.combine((before_a, before_b), (a, b))
    return b


@answers("scan")
def time_first(a, b, h0):
    a, b = np.moveaxis(a, 1, 0).copy(), np.moveaxis(b, 1, 0).copy()
    b[0] = a[0] * h0 + b[0]
    shift, T = 1, len(a)
    while shift < T:
        a[shift:], b[shift:] = ours.combine((a[:-shift], b[:-shift]), (a[shift:], b[shift:]))
        shift *= 2
    return np.moveaxis(b, 0, 1)


@answers("scan")
def in_single_precision(a, b, h0):
    return ours.scan(*(np.asarray(one, dtype=np.float32) for one in (a, b, h0)))


@answers("scan_backward")
def with_a_loop(a, h0, h, dh):
    """Nothing is said against a loop here: what is asked for is the gradient."""
    B, T, H = a.shape
    da, db, arriving = np.zeros_like(a), np.zeros_like(a), np.zeros((B, H))
    for t in reversed(range(T)):
        arriving = arriving + dh[:, t]
        db[:, t] = arriving
        da[:, t] = arriving * (h[:, t - 1] if t else h0)
        arriving = arriving * a[:, t]
    return da, db, arriving


@answers("scan_backward")
def rolled_factors(a, h0, h, dh):
    later = np.roll(a, -1, axis=1)  # the first factor ends up last, and meets a start of zero
    db = np.flip(ours.scan(np.flip(later, 1), np.flip(dh, 1), 0 * h0), 1)
    old = np.roll(h, 1, axis=1)
    old[:, 0] = h0
    return db * old, db, (a * db)[:, 0]


@answers("scan_backward")
def with_one_step_more_for_h0(a, h0, h, dh):
    zeros = np.zeros_like(a[:, :1])
    factors = np.concatenate([zeros, a[:, ::-1]], axis=1)
    errors = np.concatenate([dh[:, ::-1], zeros], axis=1)
    arriving = ours.scan(factors, errors, np.zeros_like(h0))[:, ::-1]
    db = arriving[:, 1:]
    states = np.concatenate([h0[:, None], h], axis=1)
    return [db * states[:, :-1], db, arriving[:, 0]]


@answers("scan_backward")
def filled_in(a, h0, h, dh):
    d_first = np.zeros_like(h0)
    shifted = np.zeros_like(a)
    shifted[:, :-1] = a[:, 1:]
    db = ours.scan(shifted[:, ::-1], dh[:, ::-1], d_first)[:, ::-1]
    da = np.empty_like(db)
    da[:, 0] = db[:, 0] * h0
    da[:, 1:] = db[:, 1:] * h[:, :-1]
    d_first += db[:, 0]
    d_first *= a[:, 0]
    return da, db.copy(), d_first


@answers("scan_backward")
def as_a_matrix_of_products(a, h0, h, dh):
    """db_t is the sum over later s of dh_s times all factors from t + 1 to s, written out."""
    T = a.shape[1]
    db = np.zeros_like(dh)
    for t in range(T):
        for s in range(t, T):
            db[:, t] += dh[:, s] * np.prod(a[:, t + 1 : s + 1], axis=1)
    h_prev = np.stack([h0, *np.moveaxis(h, 1, 0)[:-1]], axis=1)
    return db * h_prev, db, np.einsum("bh,bh->bh", db[:, 0], a[:, 0])


@answers("min_gru")
def step_by_step(p, x, h0):
    """A loop: the lesson asks for the same states."""
    H = h0.shape[1]
    sums = x @ p["weight_ih"].T + p["bias_ih"]
    z, n = 1 / (1 + np.exp(-sums[..., :H])), sums[..., H:]
    h, state = np.empty_like(z), h0
    for t in range(x.shape[1]):
        state = z[:, t] * state + (1 - z[:, t]) * n[:, t]
        h[:, t] = state
    return h, (x, h0, z, n, h)


@answers("min_gru")
def block_by_block(p, x, h0):
    W_z, W_n = np.split(p["weight_ih"], 2)
    b_z, b_n = np.split(p["bias_ih"], 2)
    z, n = sigmoid(x @ W_z.T + b_z), x @ W_n.T + b_n
    h = ours.scan(z, n - z * n, h0)
    return h, [x, h0, z, n, h]


@answers("min_gru")
def einsum(p, x, h0):
    H = len(p["bias_ih"]) // 2
    sums = np.einsum("btd,gd->btg", x, p["weight_ih"]) + p["bias_ih"]
    keep = sigmoid(sums[:, :, :H])
    new = sums[:, :, H:].copy()
    h = ours.scan(keep, (1 - keep) * new, h0.copy())
    return h, (x.copy(), h0.copy(), keep, new, h.copy())


@answers("min_gru")
def the_papers_gate_with_its_sign_turned(p, x, h0):
    x_z, n = np.split(x @ p["weight_ih"].T + p["bias_ih"], 2, axis=-1)
    replaced = sigmoid(-x_z)
    h = ours.scan(1 - replaced, replaced * n, h0)
    return h, (x, h0, 1 - replaced, n, h)


@answers("min_gru")
def single_precision_inside(p, x, h0):
    q = {name: value.astype(np.float32) for name, value in p.items()}
    x, h0 = x.astype(np.float32), h0.astype(np.float32)
    x_z, n = np.split(x @ q["weight_ih"].T + q["bias_ih"], 2, axis=2)
    z = sigmoid(x_z)
    h = ours.scan(z, (1 - z) * n, h0)
    return h, (x, h0, z, n, h)
