"""The exercises of this lesson: what is right, how inputs are drawn, and the mistakes that people make.

`unrolled release` puts this file beside the lesson that students open, since their checks need it. While
their work is graded it does not exist where their code runs. It may import whatever is installed, and no
other file.
"""

import numpy as np

from rnncore.exercises import Case, Exercise, Mistake


def average_backward(dy, x, y, keep):
    """Gradients of an exponential average, given dy, the gradient with respect to every y."""
    B, T = x.shape
    dx, dkeep = np.zeros((B, T)), 0.0
    carry = np.zeros(B)
    for t in reversed(range(T)):
        dh = dy[:, t] + carry
        before = y[:, t - 1] if t > 0 else np.zeros(B)
        dx[:, t] = (1 - keep) * dh
        dkeep += np.sum(dh * (before - x[:, t]))
        carry = keep * dh
    return dx, dkeep


def draw(rng):
    """Cases from a seed: ordinary ones first, then one where something special could go wrong."""
    return [_case(rng, 2, 5), _case(rng, 3, 4), _case(rng, 3, 1, when="T = 1")]


def _case(rng, B, T, when=""):
    x, keep = rng.normal(size=(B, T)), rng.uniform(0.3, 0.9)
    y, before = np.zeros((B, T)), np.zeros(B)
    for t in range(T):
        before = y[:, t] = keep * before + (1 - keep) * x[:, t]
    return Case((rng.normal(size=(B, T)), x, y, keep), {"B": B, "T": T}, when)


AVERAGE_BACKWARD = Exercise(
    reference=average_backward,
    returns=("dx", "dkeep"),
    draw=draw,
    mistakes=(
        Mistake(
            "no-carry",
            old="dh = dy[:, t] + carry",
            new="dh = dy[:, t]",
            says="Each step only gets its own dy. What it passed on to the step after it earns a gradient, "
            "too: carry that back.",
            cost=0.6,
        ),
        Mistake(
            "carry-not-scaled",
            old="carry = keep * dh",
            new="carry = dh",
            says="The gradient goes back to the step before whole. Only the share `keep` of the old average "
            "went into the new one.",
            cost=0.4,
        ),
        Mistake(
            "input-share-forgotten",
            old="np.sum(dh * (before - x[:, t]))",
            new="np.sum(dh * before)",
            says="`keep` stands in the update twice, in `keep` and in `1 - keep`. dkeep has a term for the "
            "first only.",
            cost=0.4,
        ),
    ),
)

EXERCISES = (AVERAGE_BACKWARD,)
