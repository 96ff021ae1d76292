"""Memories that are asked by key: one that keeps every step, and two that keep a matrix. For lesson 15.

At each step a key k (D features) and a value v (H features) are stored, and a query q asks. Causal
attention keeps all keys and values. Linear attention keeps the sum S (D, H) of their outer products, and
the delta rule first takes away what S already answers to the key. All start empty, write first and then
read, and none scales its keys: whoever needs keys of length 1 makes them so. Arrays are batch first,
(B, T, D) over a sequence and (B, D) in a single step; each function has its gradient beside it.
"""

import numpy as np


def causal_attention(q, k, v):
    """Each step's weighted mean of the values so far: y (B, T, H), and the weights (B, T, T).

    q, k: (B, T, D); v: (B, T, H). The weights are a softmax over the scores q k / sqrt(D) of this step and
    the steps before it; later steps get 0 (Vaswani and others, 2017). The memory is all of k and v.
    """
    T, D = q.shape[1:]
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(D)
    past = np.tril(np.ones((T, T), dtype=bool))
    scores = np.where(past, scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=2, keepdims=True))
    weights = shares / shares.sum(axis=2, keepdims=True)
    return weights @ v, weights


def causal_attention_backward(dy, q, k, v, weights):
    """dy (B, T, H) at the outputs gives dq, dk (B, T, D) and dv (B, T, H).

    The weights are the ones that the forward call returned.
    """
    dweights = dy @ v.transpose(0, 2, 1)
    dscores = weights * (dweights - (dweights * weights).sum(axis=2, keepdims=True))
    dscores /= np.sqrt(q.shape[2])
    return dscores @ k, dscores.transpose(0, 2, 1) @ q, weights.transpose(0, 2, 1) @ dy


def linear_attention_step(S, q, k, v):
    """One step: write k and v into the state S (B, D, H), then ask it with q: y (B, H), and the new state.

    q, k: (B, D); v: (B, H). The state grows by the outer product of key and value (fast weights: Schmidhuber,
    1992; attention without its softmax: Katharopoulos and others, 2020).
    """
    S_next = S + k[:, :, None] * v[:, None, :]
    y = (q[:, None, :] @ S_next)[:, 0]
    return y, S_next


def linear_attention_step_backward(dy, dS, S_next, q, k, v):
    """One step back: dy (B, H) and dS (B, D, H) at the new state give dS_prev, dq, dk and dv.

    S_next is the new state; each gradient has the shape of what it belongs to.
    """
    dS = dS + q[:, :, None] * dy[:, None, :]
    dq = (S_next @ dy[:, :, None])[:, :, 0]
    return dS, dq, (dS @ v[:, :, None])[:, :, 0], (k[:, None, :] @ dS)[:, 0]


def linear_attention(q, k, v):
    """All T steps of linear attention at once, from an empty state: y (B, T, H), last state (B, D, H).

    q, k: (B, T, D); v: (B, T, H). The same numbers as ``linear_attention_step`` gives one after the other.
    """
    scores = np.tril(q @ k.transpose(0, 2, 1))
    y = scores @ v
    S = k.transpose(0, 2, 1) @ v
    return y, S


def linear_attention_backward(dy, dS, q, k, v):
    """dy (B, T, H) at the outputs and dS (B, D, H) at the last state give dq, dk, dv like q, k, v."""
    scores = np.tril(q @ k.transpose(0, 2, 1))
    dscores = np.tril(dy @ v.transpose(0, 2, 1))
    dk = dscores.transpose(0, 2, 1) @ q + v @ dS.transpose(0, 2, 1)
    return dscores @ k, dk, scores.transpose(0, 2, 1) @ dy + k @ dS


def delta_step(S, q, k, v, beta):
    """One step of the delta rule: correct what S answers to k, then ask with q: y (B, H), new state, cache.

    S: (B, D, H); q, k: (B, D); v: (B, H); beta: (B, 1), the share of the error that is corrected. It is one
    step down the gradient of (v - k S)^2 / 2, beta long (Widrow and Hoff, 1960; in fast weights, Schlag and
    others, 2021). The cache is (S, q, k, beta, error, S_next), where S is the old state.
    """
    old = (k[:, None, :] @ S)[:, 0]
    error = v - old
    S_next = S + k[:, :, None] * (beta * error)[:, None, :]
    y = (q[:, None, :] @ S_next)[:, 0]
    cache = (S, q, k, beta, error, S_next)
    return y, S_next, cache


def delta_step_backward(dy, dS, cache):
    """One step back: dy (B, H) and dS (B, D, H) at the new state give dS_prev, dq, dk, dv and dbeta.

    Each gradient has the shape of what it belongs to; cache is (S, q, k, beta, error, S_next).
    """
    S, q, k, beta, error, S_next = cache
    dS = dS + q[:, :, None] * dy[:, None, :]
    dq = (S_next @ dy[:, :, None])[:, :, 0]
    arrived = (k[:, None, :] @ dS)[:, 0]
    dbeta = (arrived * error).sum(axis=1, keepdims=True)
    dv = beta * arrived
    dk = (dS @ (beta * error)[:, :, None])[:, :, 0] - (S @ dv[:, :, None])[:, :, 0]
    dS_prev = dS - k[:, :, None] * dv[:, None, :]
    return dS_prev, dq, dk, dv, dbeta
