"""What an error hides: an answer with a listed mistake taken back in its text, marked like any wrong answer.

An error says nothing of the lines behind it. Where taking the mistake back (``undo``) does not make all
right, the version that runs and comes nearest shows what else is wrong and what is right. Its numbers are
held against the right ones like everybody's, and it earns what an answer earns that never had the error; then
what the error costs is taken off. In come a ``Marking`` and a mistake, out goes another ``Marking``, or None.
"""

import ast
from itertools import islice

from rnncore.check.compare import agree
from rnncore.check.marking import Marking
from rnncore.check.slips.undo import undone
from rnncore.observe import Outcome, StudentError
from rnncore.versions import run_versions, source_of

MOST, MOST_SLOW = 100, 20  # versions that are tried, a number, not seconds
GROWTH = 40  # characters: what puts more of the reference into an answer than this proves nothing about it


class Version:
    """An answer with another text: it lives where the answer does, and each call leaves nothing behind."""

    def __init__(self, function, source: str, own: str, first: int):
        self.__name__ = function.__name__
        self._function, self._source, self._own, self._first = function, source, own, first

    def observe_remotely(self, args: tuple) -> Outcome:
        ran = run_versions(self._function, [self._source], [args])
        return ran[0] if ran else Outcome(error=StudentError("Stopped", ""))

    def source_remotely(self) -> tuple[str, int]:
        return self._source, 1

    def run_versions_remotely(self, sources: list[str], calls: list[tuple]) -> list[Outcome]:
        return run_versions(self._function, sources, calls)

    def own_line(self, text: str) -> int:
        """The number of the line of the student's own that says the same; 0 if there is none."""
        normal = ast.unparse(ast.parse(self._own))
        lines, numbers = normal.splitlines(), {}
        for theirs, ours in zip(_statements(self._own), _statements(normal), strict=False):
            numbers.setdefault(lines[ours.lineno - 1].strip(), self._first + theirs.lineno - 1)
        return numbers.get(text.strip(), 0)


def _statements(source: str) -> list:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]


def beneath(marking: Marking, mistake) -> Marking | None:
    """The marking of the answer without the mistake; None if no such version runs in every ordinary case."""
    source, first = source_of(marking.function)
    if not source or isinstance(marking.function, Version):
        return None
    trials = list(
        islice(undone(source, marking.exercise, mistake), MOST_SLOW if marking.exercise.slow else MOST)
    )
    most = len(ast.unparse(ast.parse(source))) + GROWTH if trials else 0
    trials = [edit.source for edit in trials if len(edit.source) <= most]
    outcomes = marking.exercise.versions(marking.function, trials, marking.cases[0]) if trials else []
    right = [_right(marking, outcome) for outcome in outcomes]
    if not right or max(right) < 0:
        return None
    version = Version(marking.function, trials[right.index(max(right))], source, first)
    again = Marking(marking.exercise, version, marking.seed, marking.single, has_ours=True)
    again.findings()
    ran = not any(got.error for case, got in zip(again.cases, again.outcomes, strict=True) if not case.when)
    return again if ran else None


def _right(marking: Marking, outcome: Outcome) -> int:
    """How many parts of the first case an outcome has right; -1 for an error."""
    case, want = marking.cases[0], marking.wanted[0].value
    if outcome.error or outcome.unviewed or marking.whole_fault(case, outcome.value):
        return -1
    got = marking.split(case, outcome.value, like=want)
    return sum(
        agree(got[part], one, marking.exercise.tolerance) for part, one in marking.split(case, want).items()
    )
