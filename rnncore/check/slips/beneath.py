"""What an error hides: a version of the answer that runs, marked like any wrong answer.

An error says nothing of the lines behind it. Where taking a listed mistake back (``undo``), or one small edit
(``repair``), does not make all right, the version that runs and comes nearest shows what else is wrong and
what is right. Its numbers are held against the right ones like everybody's, and it earns what an answer
earns that never had the error; then what the error costs is taken off. In come a ``Marking`` and a mistake,
or edits and what they do; out goes another ``Marking``.
"""

import ast
from collections.abc import Callable, Iterator
from itertools import islice

from rnncore.check.compare import agree
from rnncore.check.marking import Marking
from rnncore.check.slips.edits import Edit
from rnncore.check.slips.packing import Slip
from rnncore.check.slips.spelling import SPELLING
from rnncore.check.slips.undo import undone
from rnncore.check.verdict import FOUND_BY_LINE
from rnncore.observe import Outcome, StudentError
from rnncore.versions import run_versions, source_of

MOST, MOST_SLOW = 100, 20  # versions that are tried, a number, not seconds
NEAREST = 3  # edits of those that run: so many are looked at closely
GROWTH = 40  # characters: what puts more of the reference into an answer than this proves nothing about it


class Version:
    """An answer with another text: it lives where the answer does, and each call leaves nothing behind."""

    def __init__(self, function, source: str, own: str, first: int):
        self.__name__ = function.__name__
        self._function, self._source, self._own, self._first = function, source, own, first

    def observe_remotely(self, args: tuple) -> Outcome:
        ran = run_versions(self._function, [self._source], [args])
        return ran[0] if ran else Outcome(error=StudentError("Stopped", ""))

    def observe_groups_remotely(self, groups: list[list[tuple]]) -> list[list[Outcome]] | None:
        """All calls in one go; None where not all came to an end, and each must be made by itself."""
        calls = [args for group in groups for args in group]
        ran = run_versions(self._function, [self._source], calls)
        if len(ran) < len(calls):
            return None
        outcomes = iter(ran)
        return [list(islice(outcomes, len(group))) for group in groups]

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
    does = marking.exercise.versions(marking.function, trials, marking.cases[:1]) if trials else []
    right = [_right(marking, outcome) for (outcome,) in does]
    if not right or max(right) < 0:
        return None
    return _marked(marking, trials[right.index(max(right))], source, first)


def behind(
    marking: Marking, ran: list[tuple[Edit, Outcome]], listed: Callable[[Outcome], bool]
) -> Iterator[tuple[Slip, Marking, bool]]:
    """The line that stops an answer for a reason that nobody listed, and the answer's marking without that.

    And whether all that the answer does is still in it: where the edit takes a name out, a mistake that is
    seen in what is left may be the edit's own. ``ran``: the edits of its text that run in the first case, and
    what they do there. Those come first that do what a ``listed`` mistake does, or put a word right; what
    neither does, nor gets a part right, is no better than the error.
    """
    source, first = source_of(marking.function)
    if not ran or isinstance(marking.function, Version):
        return  # nothing runs, or the text cannot be read
    (names, places), tried = _names(source), []
    for edit, outcome in ran:
        kept, number = _names(edit.source)
        all_there = edit.kind == SPELLING or (kept >= names and number >= places)
        right = _right(marking, outcome)
        meant = all_there and (edit.kind == SPELLING or listed(outcome))
        if edit.line and (meant or right > 0):
            tried.append((not meant, edit.kind != SPELLING, -right, len(tried), edit, all_there))
    for *_, edit, all_there in sorted(tried, key=lambda one: one[:4])[:NEAREST]:
        if again := _marked(marking, edit.source, source, first):
            text = source.splitlines()[edit.line - 1].strip()[:100].rstrip(":")
            look = f": look at its {edit.kind}." if all_there else "."
            says = f"Line {first + edit.line - 1} stops it, `{text}`{look}"
            yield Slip(FOUND_BY_LINE + edit.kind.replace(" ", "-"), says), again, all_there


def _names(source: str) -> tuple[set[str], int]:
    """The names in a text, and how many places they have."""
    names = [node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
    return set(names), len(names)


def _marked(marking: Marking, source: str, own: str, first: int) -> Marking | None:
    """The marking of the answer with another text; None if that does not run in every ordinary case."""
    version = Version(marking.function, source, own, first)
    again = marking.of(version)
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
