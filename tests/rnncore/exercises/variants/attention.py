"""Correct variants for lesson 15."""

import numpy as np

from tests.rnncore.exercises.variants import answers


@answers("causal_attention")
def a_large_negative_number_for_infinity(q, k, v):
    scores = np.einsum("btd,bsd->bts", q, k) / q.shape[-1] ** 0.5
    scores = scores + np.triu(np.full(scores.shape[1:], -1e9), 1)
    e = np.exp(scores - np.max(scores, -1, keepdims=True))
    weights = e / e.sum(-1)[..., None]
    return np.einsum("bts,bsh->bth", weights, v), weights


@answers("causal_attention")
def one_query_at_a_time(q, k, v):
    B, T, D = q.shape
    y, weights = np.zeros((B, T, v.shape[2])), np.zeros((B, T, T))
    for t in range(T):
        scores = (k[:, : t + 1] * q[:, t, None]).sum(axis=2) / np.sqrt(D)
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights[:, t, : t + 1] = e / e.sum(axis=1, keepdims=True)
        y[:, t] = (weights[:, t, : t + 1, None] * v[:, : t + 1]).sum(axis=1)
    return y, weights


@answers("causal_attention")
def compared_positions(q, k, v):
    steps = np.arange(q.shape[1])
    scores = (q * q.shape[2] ** -0.5) @ np.swapaxes(k, 1, 2)
    scores[:, steps[:, None] < steps] = -np.inf
    scores -= scores.max(axis=2, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=2, keepdims=True)
    return [scores @ v, scores]


@answers("causal_attention")
def through_the_log_of_the_sum(q, k, v):
    scores = np.matmul(q, k.transpose(0, 2, 1)) / np.sqrt(q.shape[2])
    hidden = ~np.tri(len(q[0]), dtype=bool)
    scores = np.where(hidden, -np.inf, scores)
    highest = scores.max(2, keepdims=True)
    log_sum = highest + np.log(np.exp(scores - highest).sum(2, keepdims=True))
    weights = np.exp(scores - log_sum)
    return weights @ v, weights


@answers("causal_attention")
def sequence_by_sequence(q, k, v):
    y, weights = [], []
    for one_q, one_k, one_v in zip(q, k, v, strict=True):
        T, D = one_q.shape
        w = np.zeros((T, T))
        for t in range(T):
            row = one_k[: t + 1] @ one_q[t] / np.sqrt(D)
            row = np.exp(row - row.max())
            w[t, : t + 1] = row / row.sum()
        y.append(w @ one_v)
        weights.append(w)
    return np.array(y), np.array(weights)


@answers("causal_attention")
def a_memory_that_grows(q, k, v):
    keys, values, y, T = [], [], [], q.shape[1]
    weights = np.zeros((len(q), T, T))
    for t in range(T):
        keys.append(k[:, t])
        values.append(v[:, t])
        scores = np.stack(keys, 1) @ q[:, t, :, None] / np.sqrt(q.shape[2])
        shares = np.exp(scores - scores.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        weights[:, t, : t + 1] = shares[..., 0]
        y.append((shares * np.stack(values, 1)).sum(1))
    return np.stack(y, 1), weights


@answers("linear_attention_step")
def einstein_sums(S, q, k, v):
    S = S + np.einsum("bd,bh->bdh", k, v)
    return np.einsum("bd,bdh->bh", q, S), S


@answers("linear_attention_step")
def columns_times_rows(S, q, k, v):
    new = S + k[..., None] @ v[:, None]
    y = new.transpose(0, 2, 1) @ q[..., None]
    return y.squeeze(2), new


@answers("linear_attention_step")
def products_summed(S, q, k, v):
    S_next = S.copy()
    S_next += k[:, :, np.newaxis] * v[:, np.newaxis, :]
    return (q[:, :, np.newaxis] * S_next).sum(axis=1), S_next


@answers("linear_attention_step")
def outer_by_sequence(S, q, k, v):
    S_next = np.array([S[b] + np.outer(k[b], v[b]) for b in range(len(S))])
    return np.array([q[b] @ S_next[b] for b in range(len(S))]), S_next


@answers("linear_attention_step")
def old_answer_plus_the_new_pairs(S, q, k, v):
    y = np.squeeze(q[:, None] @ S, 1) + (q * k).sum(axis=1)[:, None] * v
    return [y, S + np.multiply(k[:, :, None], v[:, None, :])]


@answers("linear_attention_step")
def number_by_number(S, q, k, v):
    B, D, H = S.shape
    S_next, y = np.array(S), np.zeros((B, H))
    for b in range(B):
        for d in range(D):
            for h in range(H):
                S_next[b, d, h] += k[b, d] * v[b, h]
                y[b, h] += q[b, d] * S_next[b, d, h]
    return y, S_next


@answers("linear_attention")
def the_loop_itself(q, k, v):
    S, y = np.zeros((len(q), q.shape[2], v.shape[2])), []
    for t in range(q.shape[1]):
        S = S + k[:, t, :, None] * v[:, t, None, :]
        y.append((q[:, t, None] @ S)[:, 0])
    return np.stack(y, axis=1), S


@answers("linear_attention")
def all_states_at_once(q, k, v):
    states = np.cumsum(k[..., None] * v[:, :, None], axis=1)
    return (q[:, :, None] @ states)[:, :, 0], states[:, -1]


@answers("linear_attention")
def einstein_sums_at_once(q, k, v):
    scores = np.einsum("btd,bsd->bts", q, k) * np.tri(q.shape[1])
    return np.einsum("bts,bsh->bth", scores, v), np.einsum("btd,bth->bdh", k, v)


@answers("linear_attention")
def future_taken_away_again(q, k, v):
    S = np.swapaxes(k, 1, 2) @ v
    later = np.triu(q @ np.swapaxes(k, 1, 2), 1)
    return q @ S - later @ v, S


@answers("linear_attention")
def masked_by_where(q, k, v):
    T = q.shape[1]
    past = np.arange(T)[:, None] >= np.arange(T)
    scores = np.where(past, q @ k.transpose(0, 2, 1), 0.0)
    S = (k[:, :, :, None] * v[:, :, None, :]).sum(axis=1)
    return [scores @ v, S]


@answers("linear_attention")
def in_two_halves(q, k, v):
    half = (q.shape[1] + 1) // 2

    def inside(q, k, v):
        return np.tril(q @ k.transpose(0, 2, 1)) @ v, k.transpose(0, 2, 1) @ v

    early, S = inside(q[:, :half], k[:, :half], v[:, :half])
    late, rest = inside(q[:, half:], k[:, half:], v[:, half:])
    return np.concatenate([early, q[:, half:] @ S + late], axis=1), S + rest


@answers("delta_step")
def delta_by_einstein_sums(S, q, k, v, beta):
    error = v - np.einsum("bd,bdh->bh", k, S)
    S_next = S + np.einsum("bd,bh->bdh", beta * k, error)
    return np.einsum("bd,bdh->bh", q, S_next), S_next, (S, q, k, beta, error, S_next)


@answers("delta_step")
def forgotten_first_and_written_then(S, q, k, v, beta):
    kept = np.eye(k.shape[1]) - beta[:, :, None] * k[:, :, None] * k[:, None, :]
    S_next = kept @ S + beta[:, :, None] * k[:, :, None] * v[:, None, :]
    error = v - (S * k[:, :, None]).sum(axis=1)
    return (S_next * q[:, :, None]).sum(axis=1), S_next, [S, q, k, beta, error, S_next]


@answers("delta_step")
def one_sequence_after_the_other(S, q, k, v, beta):
    S_next, y, error = S.copy(), np.zeros(v.shape), np.zeros(v.shape)
    for b in range(len(S)):
        error[b] = v[b] - k[b] @ S[b]
        S_next[b] += beta[b] * np.outer(k[b], error[b])
        y[b] = q[b] @ S_next[b]
    return y, S_next, (S.copy(), q, k, beta, error, S_next)


@answers("delta_step")
def signs_turned_twice(S, q, k, v, beta):
    too_much = np.squeeze(k[:, None] @ S, 1) - v
    S_next = S - beta[..., None] * (k[..., None] @ too_much[:, None])
    y = (S_next.mT @ q[..., None])[..., 0]
    return y, S_next, (S, q, k, beta, -too_much, S_next)


@answers("delta_step")
def old_answer_to_the_query_mended(S, q, k, v, beta):
    error = v - (k[:, None] @ S).squeeze(1)
    written = beta * error
    y = (q[:, None] @ S).squeeze(1) + (q * k).sum(axis=1, keepdims=True) * written
    S_next = S + k[:, :, None] * written[:, None, :]
    return y, S_next, (S, q, k, beta, error, S_next)


@answers("delta_step")
def down_the_slope_of_the_squared_error(S, q, k, v, beta):
    miss = v - (S.transpose(0, 2, 1) @ k[:, :, None])[:, :, 0]
    slope = -np.einsum("bd,bh->bdh", k, miss)
    new = S - beta.reshape(-1, 1, 1) * slope
    return np.matmul(q[:, None, :], new)[:, 0, :], new, (S, q, k, beta, miss, new)


@answers("delta_step_backward")
def back_by_einstein_sums(dy, dS, cache):
    S, q, k, beta, error, S_next = cache
    dS = dS + np.einsum("bd,bh->bdh", q, dy)
    dq = np.einsum("bdh,bh->bd", S_next, dy)
    written = beta * error
    dwritten = np.einsum("bd,bdh->bh", k, dS)
    derror = dwritten * beta
    dk = np.einsum("bdh,bh->bd", dS, written) - np.einsum("bdh,bh->bd", S, derror)
    dbeta = np.einsum("bh,bh->b", dwritten, error)[:, None]
    return dS - np.einsum("bd,bh->bdh", k, derror), dq, dk, derror, dbeta


@answers("delta_step_backward")
def sums_of_products(dy, dS, cache):
    S, q, k, beta, error, S_next = cache
    total = dS.copy()
    total += q[..., None] * dy[:, None]
    arrived = (k[..., None] * total).sum(1)
    dold = -beta * arrived
    dk = (total * (beta * error)[:, None]).sum(2) + (S * dold[:, None]).sum(2)
    dS_prev = total + k[..., None] * dold[:, None]
    return dS_prev, (S_next * dy[:, None]).sum(2), dk, -dold, (arrived * error).sum(1)[:, None]


@answers("delta_step_backward")
def one_sequence_back_after_the_other(dy, dS, cache):
    results = []
    for dy_b, dS_b, S, q, k, beta, error, S_next in zip(dy, dS, *cache, strict=True):
        whole = dS_b + np.outer(q, dy_b)
        arrived = k @ whole
        dv = beta[0] * arrived
        dk = beta[0] * whole @ error - S @ dv
        results.append((whole - np.outer(k, dv), S_next @ dy_b, dk, dv, [arrived @ error]))
    return [np.array(one) for one in zip(*results, strict=True)]


@answers("delta_step_backward")
def through_the_matrix_that_forgets(dy, dS, cache):
    S, q, k, beta, error, S_next = cache
    whole = dS + q[:, :, None] * dy[:, None, :]
    b = beta[:, :, None]
    forget = np.eye(k.shape[1]) - b * k[:, :, None] * k[:, None, :]
    arrived = (whole.transpose(0, 2, 1) @ k[:, :, None])[:, :, 0]
    v = error + (k[:, None, :] @ S)[:, 0]
    dforget = whole @ S.transpose(0, 2, 1)
    dk = (b * whole @ v[:, :, None] - b * (dforget + dforget.transpose(0, 2, 1)) @ k[:, :, None])[:, :, 0]
    dbeta = (arrived * error).sum(axis=1, keepdims=True)
    return forget @ whole, (S_next @ dy[..., None])[..., 0], dk, beta * arrived, dbeta


@answers("delta_step_backward")
def the_two_uses_of_the_key_apart(dy, dS, cache):
    S, q, k, beta, error, S_next = cache
    dS = dS + q[:, :, np.newaxis] @ dy[:, np.newaxis, :]
    dq = (S_next @ dy[:, :, np.newaxis]).squeeze(2)
    dk_written = (dS @ (beta * error)[:, :, np.newaxis]).squeeze(2)
    d_written = (k[:, np.newaxis] @ dS).squeeze(1)
    dbeta = np.sum(d_written * error, axis=1).reshape(-1, 1)
    d_error = d_written * beta
    d_old = -d_error
    dk_asked = (S @ d_old[:, :, np.newaxis]).squeeze(2)
    dS_prev = dS + k[:, :, np.newaxis] @ d_old[:, np.newaxis, :]
    return dS_prev, dq, dk_written + dk_asked, d_error, dbeta


@answers("delta_step_backward")
def everything_divided_by_beta_first(dy, dS, cache):
    S, q, k, beta, error, S_next = cache
    dS_next = dS + np.multiply(q[:, :, None], dy[:, None, :])
    w = np.einsum("bdh,bd->bh", dS_next, k)
    dk = beta * ((dS_next @ error[..., None])[..., 0] - (S @ w[..., None])[..., 0])
    dS_prev = dS_next - (beta * k)[:, :, None] * w[:, None, :]
    return dS_prev, np.matmul(S_next, dy[..., None])[..., 0], dk, w * beta, (w * error).sum(1, keepdims=True)
