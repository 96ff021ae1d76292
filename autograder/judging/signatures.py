"""What a wrong answer without a name returns on inputs that are the same for everybody, as a digest.

Answers with one digest hold the same mistake, so that a class can show which one deserves a name. It is asked
for after all else, in a kernel of its own, within seconds, and no mark depends on it. Whoever forges it is
counted with others, or is not; it says nothing about anybody else's answer.
"""

import hashlib
from dataclasses import replace

import numpy as np

from autograder.judging.graded import unnamed
from autograder.judging.line import Line, StudentFunction
from rnncore.check.marking import Marking
from rnncore.exercises import by_name
from rnncore.observe import as_numbers, viewable

COMMON_SEED = 20_260_101
SECONDS = 5.0  # for one answer
MOST = 3  # answers of one notebook
DIGITS, SMALLEST = 4, 9  # of a number that are kept, and decimals behind which there is only noise


def sign(scores, fresh, limits):
    """The scores, those of unnamed wrong answers with their signatures.

    ``scores``: {grade_id: CellScore}. ``fresh(grade_id)``: a new kernel in which the notebook was run, as far
    as it had been when that was judged, or None.
    Whatever goes wrong here only leaves signatures out.
    """
    signed = dict(scores)
    asked = [name for name, score in scores.items() if unnamed(vars(score))][:MOST]
    for name in asked:
        try:
            kernel = fresh(name)
            if kernel is None:
                break
            found = signature(scores[name].verdict["exercise"], kernel.ask, limits)
            signed[name] = replace(scores[name], signature=found)
        except Exception:
            break
    return signed


def signature(name, ask, limits):
    """The digest of what the student's function ``name`` returns, "" where it returns nothing comparable."""
    if name not in by_name():
        return ""
    line = Line(ask, limits, SECONDS)
    marking = Marking(by_name()[name], StudentFunction(name, line), COMMON_SEED)
    if marking.first_error():
        return ""
    found = marking.findings()
    outcomes = marking.outcomes[:-1]  # the last is the first once more
    if found.clean or line.stopped or line.unreadable or not all(viewable(one.value) for one in outcomes):
        return ""
    digest = hashlib.sha256()
    for case, outcome, want in zip(marking.cases, outcomes, marking.wanted, strict=False):
        said = outcome.error.kind if outcome.error else _parts(marking, case, outcome, want, found.wrong)
        digest.update(repr(said).encode(errors="replace"))
    return digest.hexdigest()[:16]


def _parts(marking, case, outcome, want, wrong):
    """What of one outcome tells answers apart: those that are wrong, or all where none is."""
    if marking.whole_fault(case, outcome.value):
        return _plainly(outcome.value)
    parts = marking.split(case, outcome.value, like=want.value)
    return {part: _plainly(value) for part, value in parts.items() if part in wrong or not wrong}


def _plainly(value):
    """A value as text and lists, its numbers rounded, so that noise and dtypes tell nobody apart."""
    numbers = as_numbers(value)
    if numbers is not None:
        rounded = np.round(numbers, SMALLEST) + 0.0
        return numbers.shape, [f"{one:.{DIGITS}g}" for one in rounded.ravel().tolist()]
    if isinstance(value, list | tuple):
        return [_plainly(item) for item in value]
    if isinstance(value, dict):
        return {key: _plainly(item) for key, item in sorted(value.items())}
    return value if isinstance(value, str) or value is None else type(value).__name__
