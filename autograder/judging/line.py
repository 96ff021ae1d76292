"""The line from a check to the student's kernel: a call becomes a question, its answer an Outcome.

A ``StudentFunction`` stands for a function of the notebook's wherever a check wants one. In come questions'
answers, whatever a kernel makes of them; out go plain values that have the form they should have. What is
right is not known here.
"""

import builtins
import contextlib
from collections.abc import Mapping

from autograder.intake.contents.parsing import parse_python
from autograder.judging.received import NO_ANSWER, outcome_of, whole_number
from autograder.sandbox.bridge import Malformed, TooLarge, decode
from rnncore.observe import Outcome, StudentError

MOST_SOURCE = 20_000  # characters of an answer's text, of which other versions are tried
STOPPED = {
    "time": ("TimeLimit", "It did not return in time and was stopped; it was not called again."),
    "memory": ("MemoryLimit", "It used more memory than there is and was stopped; it was not called again."),
    "output": (
        "OutputLimit",
        "It printed more than may be printed and was stopped; it was not called again.",
    ),
    "terminals": (
        "TerminalLimit",
        "It took more terminals than there are and was stopped; it was not called again.",
    ),
    "death": ("KernelDied", "It ended the Python process that it ran in; it was not called again."),
}


class StudentFailure(Exception):
    """Raised by a proxy where the student's function raised an exception of a kind of its own."""


class StudentFunction:
    """Stands for a function in the student's kernel; ``rnncore.observe`` calls ``observe_remotely``.

    ``ours``: functions of ours, as Formulas, that take the place of the notebook's own while it runs.
    """

    def __init__(self, name, line, ours=None):
        self.__name__ = self.__qualname__ = name
        self._line, self._ours = line, ours or {}

    @property
    def __globals__(self):
        return _Namesakes(self._line)

    def observe_remotely(self, args: tuple) -> Outcome:
        return self._line.call(self.__name__, args, ours=self._ours)

    def observe_groups_remotely(self, groups: list[list[tuple]]) -> list[list[Outcome]] | None:
        """What it does with groups of calls, asked for at once; None where each call must be asked for."""
        return None if self._ours else self._line.calls(self.__name__, groups)

    def with_ours(self, ours):
        """The same function with ``ours`` in the place of the notebook's own; None where that must wait."""
        self._line.wants_ours.update(ours)
        return StudentFunction(self.__name__, self._line, ours) if self._line.may_help else None

    def source_remotely(self) -> tuple[str, int]:
        """The function's own text and its first line; ("", 0) where there is none, or that must wait."""
        self._line.wants_versions = True
        return self._line.source(self.__name__) if self._line.may_help else ("", 0)

    def run_versions_remotely(self, sources: list[str], calls: list[tuple]) -> list[Outcome]:
        """What other versions of the function do; nothing of it is charged to anyone."""
        return self._line.versions(self.__name__, sources, calls, self._ours)

    def __call__(self, *args, **named):
        """The value that the student's function returns; raises what it raises."""
        outcome = self._line.call(self.__name__, args, named)
        if outcome.error is None:
            return outcome.value
        raise _exception(outcome.error)


def _exception(error):
    """The exception that a StudentError tells of, of the same kind where Python has it.

    But for one: a MemoryError in this process would say that there is no room here.
    """
    kind = TypeError if error.kind == "Arguments" else getattr(builtins, error.kind, None)
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, MemoryError):
        with contextlib.suppress(TypeError):  # a few kinds want more than a message
            return kind(error.message)
    return StudentFailure(f"{error.kind}: {error.message}")


def _is_code(text):
    """Whether a text may be a function's own; a kernel may also tell what Python has no room to parse."""
    return len(text) <= MOST_SOURCE and parse_python(text) is not None


class _Namesakes(Mapping):
    """The functions of the student's notebook by name, as a function's ``__globals__`` would have them."""

    def __init__(self, line):
        self._line = line

    def __getitem__(self, name):
        if self._line.look([name])[name] != "function":
            raise KeyError(name)
        return StudentFunction(name, self._line)

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


class Line:
    """The line to the student's kernel during one test cell; dead from the first call that is stopped.

    ``unreadable`` turns true when an answer is none: something in the kernel was changed, or is broken.

    ``ask(seconds, **request)`` puts a question of the bridge's and returns a ``kernels.Ran``;
    ``seconds`` is what all calls together may take. ``may_help``: whether functions of ours may be sent;
    ``wants_ours``: the names of those that a check has asked for. ``at_once``: whether one question may ask
    for many calls; ``stopped_at_once``: whether what was stopped was such a question, so that nobody knows
    which call it was.

    A kernel that was sent something of ours is asked for no text any more: it might give ours for the
    notebook's, and that would be shown. What it said before is kept.
    """

    def __init__(self, ask, limits, seconds, may_help=False, at_once=False):
        self.ask, self.limits, self.seconds_left = ask, limits, seconds
        self.at_once, self.stopped_at_once = at_once, False
        self.may_help, self.wants_ours, self.wants_versions = may_help, set(), False
        self.stopped, self.unreadable, self.errors, self._looked = None, False, [], {}
        self._sources, self._has_ours = {}, False

    def look(self, names):
        """What each name is in the notebook: "function", "missing", or a list that holds its value."""
        unknown = [name for name in names if name not in self._looked]
        if unknown:
            found = self._answer(do="look", names=unknown)
            found = found if isinstance(found, dict) else {}
            for name in unknown:
                what = found.get(name)
                known = what in ("function", "missing") if isinstance(what, str) else isinstance(what, list)
                known = known and what != []
                self.unreadable = self.unreadable or not (known or self.stopped)
                self._looked[name] = what if known else "missing"
        return {name: self._looked[name] for name in names}

    def call(self, name, args, named=None, ours=None):
        """Call the student's function ``name``; always an Outcome."""
        self._before_sending(name, ours)
        if self.look([name])[name] == "missing" and not self.stopped:
            if self.unreadable:
                return NO_ANSWER
            return Outcome(error=StudentError("NameError", f"name '{name}' is not defined"))
        data = (
            None
            if self.stopped
            else self._answer(
                do="call", name=name, args=args, named=named or {}, **({"ours": ours} if ours else {})
            )
        )
        if self.stopped:
            return Outcome(error=StudentError(*STOPPED[self.stopped]))
        outcome = outcome_of(data)
        self.unreadable = self.unreadable or outcome is NO_ANSWER
        if outcome.error:
            self.errors.append(outcome.error)
        return outcome

    def calls(self, name, groups) -> list[list[Outcome]] | None:
        """Make groups of calls, each up to one that fails; None where they have to be made one by one.

        That is so for whatever is stopped, larger than may be sent, or not to be read: one by one it is
        known which call it was.
        """
        if not self.at_once or self.stopped or self.look([name])[name] == "missing":
            return None
        try:
            data = self._answer(do="calls", name=name, groups=groups)
        except TooLarge:
            return None
        self.stopped_at_once = bool(self.stopped)
        if not isinstance(data, list) or len(data) != len(groups):
            return None
        found = []
        for calls, answers in zip(groups, data, strict=True):
            if not isinstance(answers, list) or not 0 < len(answers) <= len(calls):
                return None
            outcomes = [outcome_of(answer) for answer in answers]
            ended = len(outcomes) == len(calls) or outcomes[-1].error
            if not ended or any(outcome is NO_ANSWER for outcome in outcomes):
                return None
            found.append(outcomes)
        self.errors += [outcome.error for outcomes in found for outcome in outcomes if outcome.error]
        return found

    def source(self, name) -> tuple[str, int]:
        """A function's own text and its first line, as its kernel tells them; ("", 0) where it has none."""
        if name not in self._sources:
            self._sources[name] = "", 0
            if not self._has_ours:
                match self._answer(do="source", name=name):
                    case [str() as text, int() as first] if _is_code(text):
                        self._sources[name] = text, whole_number(first)
        return self._sources[name]

    def versions(self, name, sources, calls, ours) -> list[Outcome]:
        """What other versions of a function do; empty where that is not to be had."""
        self._before_sending(name, sources)
        data = self._answer(do="versions", name=name, sources=sources, calls=calls, ours=ours)
        return [outcome_of(one) for one in data] if isinstance(data, list) else []

    def _before_sending(self, name, ours):
        if ours and not self._has_ours:
            self.source(name)
            self._has_ours = True

    def _answer(self, **request):
        if self.stopped:  # the kernel has ended, which must not be taken for why it did
            return None
        ran = self.ask(max(0.05, min(self.limits.call_seconds, self.seconds_left)), **request)
        self.seconds_left -= ran.seconds - ran.waited
        if ran.stopped or self.seconds_left <= 0:
            self.stopped = ran.stopped or "time"
            return None
        try:
            return decode(ran.answer, self.limits.reply_bytes)
        except Malformed:
            return None
