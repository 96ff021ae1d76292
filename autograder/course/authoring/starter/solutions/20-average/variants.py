"""Other right answers to this lesson's exercises, written as a student might: each must keep full marks.

They are for `unrolled test` alone; students never get this file.
"""

import numpy as np


def with_a_matrix(dy, x, y, keep):
    """Every weight of every input in every average at once."""
    B, T = x.shape
    age = np.subtract.outer(np.arange(T), np.arange(T))
    passed_on = np.where(age >= 0, keep ** np.maximum(age, 0), 0.0)
    dh = dy @ passed_on
    before = np.concatenate([np.zeros((B, 1)), y[:, :-1]], axis=1)
    return (1 - keep) * dh, float((dh * (before - x)).sum())


def forwards_through_a_list(dy, x, y, keep):
    """The gradients of the averages in a list, from the last to the first."""
    T = x.shape[1]
    dh = [dy[:, T - 1]]
    for t in range(T - 2, -1, -1):
        dh.insert(0, dy[:, t] + keep * dh[0])
    dkeep = -sum((dh[t] * x[:, t]).sum() for t in range(T))
    dkeep += sum((dh[t] * y[:, t - 1]).sum() for t in range(1, T))
    return [(1 - keep) * np.stack(dh, axis=1), dkeep]


VARIANTS = {"average_backward": (with_a_matrix, forwards_through_a_list)}
