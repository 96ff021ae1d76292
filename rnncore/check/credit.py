"""From what was found to a share of the points, as a fair teacher gives it.

A slip that explains every number leaves the rest proven: the answer earns all but what the slip costs. The
costs of several add up, but what its parts prove is kept, as far as each leaves its share of what the others
leave. What is not explained is shared out finely (``shares``). Conditions, such as T = 1 or a mode that must
be left as it was, earn nothing and can only cost. An answer without any work earns a tenth at most, whatever
it hits.
"""

import numpy as np

from rnncore.check.marking import UNCHANGED, Findings, Marking
from rnncore.check.shares import is_idle, says_something, shares

SLIP = 0.3  # of the points, for a mistake that nobody has put a price on
CONDITION = 0.3  # for the first condition that is not met
FURTHER = 0.1  # for each further one
CHANGED = 0.2  # for an input that was changed, whatever it is
IDLE = 0.1  # the most that an answer without any work is worth


def earned_share(marking: Marking, found: Findings, explanation, helped=None) -> float:
    """The share of the points, from 0 to 1, that an answer earns.

    ``explanation``: what ``diagnosis`` says of it. ``helped``: (marking, findings) of the same function with
    our helpers in the place of the student's own wrong ones, if there are any; what is right there counts.
    """
    if found.clean:
        return 1.0
    if not found.wrong and found.special.keys() == {UNCHANGED}:
        return 1 - CHANGED
    costs = [mistake.cost for mistake in explanation.mistakes]
    priced = sum(SLIP if cost is None else cost for cost in costs)
    if explanation.whole and len(costs) == 1 and None not in costs:
        result = max(1 - priced, 0.0)
    else:
        known = shares(marking, found.wrong)
        if helped:
            there = shares(helped[0], helped[1].wrong)
            known = {part: share and max(share, there.get(part) or 0.0) for part, share in known.items()}
        proven = {part: 1.0 for part in explanation.parts if says_something(marking, part)}
        explained = 1.0 if explanation.whole else _by_parts(marking, found, known | proven)
        right = _by_parts(marking, found, known)
        if explanation.whole and None not in costs:
            right = min(right, _left_by_each(costs)) if UNCHANGED not in found.special else 0.0
        result = max(right, explained - priced)
    if explanation.beneath:
        result = max(result, earned_share(*explanation.beneath) - (SLIP if costs[0] is None else costs[0]))
    return min(result, IDLE) if is_idle(marking) else result


def _left_by_each(costs: list[float]) -> float:
    """What several mistakes leave where each takes its share of what the others leave."""
    return float(np.prod([1 - cost for cost in costs]))


def _by_parts(marking: Marking, found: Findings, known: dict[str, float]) -> float:
    """The mean over an exercise's ideas, less what missed conditions cost; ``known``: parts' shares."""
    ideas: dict[str, list[float]] = {}
    missed = [when for when in found.special if when != UNCHANGED]
    for part in found.parts:
        if part in marking.conditions:
            missed += [part] if part in found.wrong else []
        else:
            ideas.setdefault(_idea(marking.exercise, part), []).append(known.get(part, 0.0))
    ideas = {idea: proven for idea, each in ideas.items() if (proven := [s for s in each if s is not None])}
    cost = CONDITION + FURTHER * (len(missed) - 1) if missed else 0.0
    cost += CHANGED if UNCHANGED in found.special else 0.0
    base = float(np.mean([np.mean(each) for each in ideas.values()])) if ideas else 1.0
    return base * max(1 - cost, 0.0)


def _idea(exercise, part: str) -> str:
    """What a part is counted under: its own name, or its dict's where all of that is one idea."""
    whole = part.split("[")[0]
    return whole if whole in exercise.one_idea else part
