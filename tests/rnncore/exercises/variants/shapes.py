"""Correct variants for lesson 08."""

import numpy as np

from rnncore.losses import softmax_cross_entropy
from rnncore.topics.sampling import sample
from tests.rnncore.exercises.variants import answers


@answers("masked_cross_entropy")
def sequence_by_sequence(logits, targets, lengths):
    loss, dlogits, count = 0.0, np.zeros_like(logits), lengths.sum()
    for b, length in enumerate(lengths):
        own, slope = softmax_cross_entropy(logits[b : b + 1, :length], targets[b : b + 1, :length])
        loss += own * length / count
        dlogits[b, :length] = slope[0] * length / count
    return loss, dlogits


@answers("masked_cross_entropy")
def only_the_real_rows(logits, targets, lengths):
    real = np.arange(logits.shape[1])[None, :] < lengths[:, None]
    rows, wanted = logits[real], targets[real]
    rows = rows - rows.max(axis=1, keepdims=True)
    probs = np.exp(rows)
    probs /= probs.sum(axis=1, keepdims=True)
    loss = (np.log(np.exp(rows).sum(axis=1)) - rows[np.arange(len(rows)), wanted]).mean()
    probs[np.arange(len(rows)), wanted] -= 1
    dlogits = np.zeros(logits.shape)
    dlogits[real] = probs / len(rows)
    return loss, dlogits


@answers("masked_cross_entropy")
def weights_of_the_mean(logits, targets, lengths):
    _, T, V = logits.shape
    weight = np.array([[1.0 if t < length else 0.0 for t in range(T)] for length in lengths])
    weight /= weight.sum()
    z = logits - logits.max(axis=2)[..., None]
    probs = np.exp(z) / np.exp(z).sum(axis=2)[..., None]
    one_hot = np.eye(V)[targets]
    loss = (weight * (np.log(np.exp(z).sum(axis=2)) - (z * one_hot).sum(axis=2))).sum()
    return float(loss), (probs - one_hot) * weight[:, :, None]


@answers("masked_cross_entropy")
def step_by_step_in_python(logits, targets, lengths):
    B, T, V = logits.shape
    total, dlogits, count = 0.0, np.zeros((B, T, V)), 0
    for b in range(B):
        for t in range(lengths[b]):
            row = logits[b, t] - np.max(logits[b, t])
            log_sum = np.log(np.sum(np.exp(row)))
            total += log_sum - row[targets[b, t]]
            dlogits[b, t] = np.exp(row - log_sum)
            dlogits[b, t, targets[b, t]] -= 1.0
            count += 1
    return total / count, dlogits / count


@answers("masked_cross_entropy")
def float32_inside(logits, targets, lengths):
    mask = (np.arange(targets.shape[1]) < lengths.reshape(-1, 1)).astype(np.float32)
    z = (logits - logits.max(-1, keepdims=True)).astype(np.float32)
    probs = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    hit = np.equal.outer(targets, np.arange(logits.shape[-1]))
    each = np.log(np.exp(z).sum(-1)) - z[hit].reshape(targets.shape)
    loss = np.sum(each * mask) / mask.sum()
    return loss, (probs - hit) * mask[..., None] / mask.sum()


@answers("masked_cross_entropy")
def log_sum_exp_and_put_along_axis(logits, targets, lengths):
    m = logits.max(axis=-1)
    log_z = m + np.log(np.exp(logits - m[..., None]).sum(axis=-1))
    losses = log_z - np.take_along_axis(logits, targets[..., None], -1).squeeze(-1)
    dlogits = np.exp(logits - log_z[..., None])
    at_target = np.take_along_axis(dlogits, targets[..., None], -1) - 1
    np.put_along_axis(dlogits, targets[..., None], at_target, -1)
    padded = np.arange(logits.shape[1]) >= lengths[:, None]
    dlogits[padded] = 0
    return losses[~padded].mean(), dlogits / (~padded).sum()


@answers("last_outputs")
def one_row_at_a_time(y, lengths):
    return np.array([y[b, length - 1] for b, length in enumerate(lengths)])


@answers("last_outputs")
def along_the_axis(y, lengths):
    return np.take_along_axis(y, (lengths - 1)[:, None, None], axis=1)[:, 0]


@answers("last_outputs")
def by_a_mask(y, lengths):
    return y[np.arange(y.shape[1])[None] == lengths[:, None] - 1]


@answers("last_outputs")
def one_hot_product(y, lengths):
    pick = np.eye(y.shape[1])[lengths - 1]
    return np.einsum("bt,bth->bh", pick, y)


@answers("last_outputs")
def filled_in(y, lengths):
    last = np.empty((y.shape[0], y.shape[2]))
    for b in range(len(last)):
        last[b] = y[b, : lengths[b]][-1]
    return last


@answers("last_outputs")
def last_of_a_list_of_lists(y, lengths):
    return [row[:length][-1] for row, length in zip(y.tolist(), lengths.tolist(), strict=True)]


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@answers("sample")
def gumbel(logits, temperature, rng):
    return (logits / temperature + rng.gumbel(size=logits.shape)).argmax(axis=-1)


@answers("sample")
def choice_row_by_row(logits, temperature, rng):
    probs = softmax(logits / temperature)
    V = probs.shape[-1]
    ids = [rng.choice(V, p=row) for row in probs.reshape(-1, V)]
    return np.array(ids).reshape(logits.shape[:-1])


@answers("sample")
def sums_that_exceed_a_throw(logits, temperature, rng):
    sums = np.cumsum(softmax(logits / temperature), axis=-1)
    sums[..., -1] = 1.0
    return np.argmax(sums > rng.uniform(size=(*logits.shape[:-1], 1)), axis=-1)


@answers("sample")
def multinomial(logits, temperature, rng):
    probs = softmax(logits.astype(np.float64) / temperature)
    return rng.multinomial(1, probs).argmax(axis=-1)


@answers("sample")
def races_of_exponential_clocks(logits, temperature, rng):
    log_rates = logits / temperature
    log_rates = log_rates - log_rates.max(axis=-1, keepdims=True)
    arrivals = np.log(rng.exponential(size=logits.shape)) - log_rates
    return np.argmin(arrivals, axis=-1)


@answers("sample")
def search_sorted(logits, temperature, rng):
    rows = np.cumsum(softmax(logits / temperature), axis=-1).reshape(-1, logits.shape[-1])
    ids = [min(int(np.searchsorted(row, rng.random(), side="right")), len(row) - 1) for row in rows]
    return np.reshape(ids, logits.shape[:-1])


@answers("generate")
def appended(step, state, first, n, rng):
    ids = [first]
    while len(ids) <= n:
        logits, state = step(ids[-1], state)
        ids.append(sample(logits, 1.0, rng))
    return np.array(ids[1:])


@answers("generate")
def filled_at_the_previous_place(step, state, first, n, rng):
    ids = np.empty(n, dtype=np.int64)
    for t in range(n):
        logits, state = step(ids[t - 1] if t else first, state)
        ids[t] = sample(logits, 1, rng)
    return ids


@answers("generate")
def recursive(step, state, first, n, rng):
    if n == 0:
        return np.zeros(0, dtype=int)
    logits, state = step(first, state)
    symbol = int(sample(logits, 1.0, rng))
    return np.concatenate([[symbol], recursive(step, state, symbol, n - 1, rng)])


@answers("generate")
def a_generator_of_symbols(step, state, first, n, rng):
    def symbols(symbol, state):
        while True:
            logits, state = step(symbol, state)
            symbol = sample(logits, 1.0, rng)
            yield symbol

    source = symbols(first, state)
    return [int(next(source)) for _ in range(n)]


@answers("generate")
def with_numpys_own_choice(step, state, first, n, rng):
    ids, symbol = [], first
    for _ in range(n):
        logits, state = step(symbol, state)
        symbol = int(rng.choice(len(logits), p=softmax(logits)))
        ids += [symbol]
    return np.asarray(ids)


@answers("generate")
def gumbel_noise_drawn_at_once(step, state, first, n, rng):
    logits, state = step(first, state)
    noise = rng.gumbel(size=(n, len(logits)))
    ids = np.zeros(n, dtype=int)
    for t in range(n):
        ids[t] = np.argmax(logits + noise[t])
        logits, state = step(int(ids[t]), state)
    return ids
