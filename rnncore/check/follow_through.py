"""A student's own earlier functions, called by ours: for marks that follow through.

Where one exercise builds on another, the reference's loop is run over the function that the student
wrote before; what comes out the same in both is right, and the fault is in the earlier function.
``observed`` makes such a function safe to call: plain values come back, and whatever it raises is one
exception of a kind of its own.
"""

import numpy as np

from rnncore.check.compare import agree
from rnncore.observe import Formula, Outcome, observe


class OwnFunctionFailed(Exception):
    """Raised inside the reference's loop where the student's own earlier function raised."""


def follow_through(marking, found) -> str:
    """Give back what is right given the student's own earlier functions; say where the fault is.

    ``marking``: the Marking; ``found``: its Findings, from which is taken what is forgiven.
    """
    own = own_functions(marking)
    if not found.wrong or not own:
        return ""
    given = marking.run(marking.exercise.twin(given=own))
    name = " and ".join(f"`{helper}`" for helper in own)
    if all(outcome.error for outcome in given):
        return f"The reference's own loop stops in your {name} as well: mend that first."
    second = marking.compare(given)
    unproven = _unproven_parts(marking, given[0], own)
    forgiven = [part for part in found.wrong if part not in second.wrong and part not in unproven]
    if not forgiven:
        return ""
    found.special.clear()
    found.special.update(second.special)
    for part in forgiven:
        del found.wrong[part]
    if found.wrong:
        return f"Right given your {name}, and so not wrong here: {', '.join(forgiven)}."
    return (
        f"Right given your {name}: the reference's own loop over your {name} gives the same numbers. "
        f"The fault is in {name}; see its own check."
    )


def own_functions(marking) -> dict:
    """The student's own earlier functions that the marked one may call, wrapped for observing."""
    names = getattr(marking.function, "__globals__", {})
    own = {}
    for name in marking.exercise.uses:
        helper = names.get(name)
        if helper is not None and helper is not marking.exercise.reference.__globals__.get(name):
            own[name] = observed(helper)
    return own


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


def _unproven_parts(marking, given: Outcome, own: dict) -> set[str]:
    """The parts for which a right loop over the student's own functions cannot be told from a wrong one.

    ``given``: what the reference does with the first case over those functions. If they return zeros,
    say, every loop over them does, and there is nothing to reward.
    """
    exercise, case, want, unproven = marking.exercise, marking.cases[0], marking.wanted[0], set()

    def calls(source):
        return sum(source.count(f"{name}(") for name in own)

    for mistake in exercise.mistakes:
        if calls(exercise.twin_source(mistake)) < calls(exercise.source):
            continue  # in place of the call it does what the student's function may do: no other loop
        spoiled = _differing(marking, case, exercise.outcome(exercise.twin(mistake), case), want)
        twin = exercise.twin(mistake, given=own)
        unproven |= spoiled - _differing(marking, case, exercise.outcome(twin, case), given)
    return unproven


def _differing(marking, case, got: Outcome, want: Outcome) -> set[str]:
    """The parts in which two outcomes of our own functions differ; all of them where one has none."""
    if got.error or want.error or got.unviewed or marking.whole_fault(case, got.value):
        return set(marking.split(case, marking.wanted[0].value))
    ours, right = marking.split(case, got.value, like=want.value), marking.split(case, want.value)
    return {part for part in right if not agree(ours[part], right[part], marking.exercise.tolerance)}
