"""A student's own earlier functions, called by ours: for marks that follow through.

Where one exercise builds on another, the reference's loop is run over the function that the student
wrote before. ``observed`` makes such a function safe to call: plain values come back, and whatever it
raises is one exception of a kind of its own.
"""

import numpy as np

from rnncore.observe import Formula, observe


class OwnFunctionFailed(Exception):
    """Raised inside the reference's loop where the student's own earlier function raised."""


def observed(helper):
    """A student's function as one that returns plain values and raises only OwnFunctionFailed."""

    def call(*args):
        # Each call is given copies: a generator copied as it stands would give the same numbers every time.
        args = tuple(_generator(arg) if isinstance(arg, np.random.Generator) else arg for arg in args)
        outcome = observe(helper, args)
        if outcome.error:
            raise OwnFunctionFailed(outcome.error.message)
        return outcome.value

    return call


def _generator(rng: np.random.Generator) -> Formula:
    """A generator of its own for one call, seeded by ``rng``; as a text it travels."""
    return Formula(f"np.random.default_rng({int(rng.integers(2**32))})")
