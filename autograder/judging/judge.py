"""Runs a lesson's test cells in the trusted process; the student's functions are proxies.

A test cell's source comes from the instructor's release. ``check``, ``np`` and what the lesson's locked
set-up cell imports are the judge's own; every other free name is looked up in the student's kernel:
a function becomes a ``StudentFunction``, whose calls send plain data there and get plain data back, and
a value becomes that value. What is compared, with what, and the outcome never leave this process.
"""

import ast
import builtins
import contextlib
import hashlib
import hmac
import io
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from nbformat import from_dict
from nbformat.v4 import new_output

from autograder.intake.plain import plain
from autograder.judging.received import NO_ANSWER, outcome_of, whole_number
from autograder.judging.verdicts import cleaned
from autograder.sandbox.bridge import Malformed, TooLarge, decode
from rnncore.check.verdict import Verdict
from rnncore.observe import Outcome, StudentError

CELL = "<test cell>"
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


class JudgeFault(RuntimeError):
    """Our own check failed: nothing that a student is charged for."""


class StudentFailure(Exception):
    """Raised by a proxy where the student's function raised an exception of a kind of its own."""


@dataclass
class Judged:
    """What a test cell came to. ``stopped`` is what ended the kernel or a call, as in ``kernels.Ran``."""

    points: float
    outputs: list
    verdict: dict | None = None
    seed: int | None = None
    attempted: bool = True
    missing: list = field(default_factory=list)
    stopped: str | None = None
    unreadable: bool = False
    errors: list = field(default_factory=list)
    unjudged: list = field(default_factory=list)  # (function, exception) where a value broke our check
    wants_ours: set = field(default_factory=set)  # helpers of ours that its check would have liked to try
    stopped_at_once: bool = False  # whether nobody knows in which of many calls it was stopped
    wants_versions: bool = False  # whether it would have liked to try other versions of the answer


def seed_of(secret: bytes, lesson: str, student: str, exercise: str) -> int:
    """The seed of one student's inputs for one exercise: fresh for everyone, and the same at every run.

    ``secret``: the key of this piece of work, ``grade.secret_of_work``.
    """
    words = "\0".join((lesson, student, exercise)).encode()
    return int.from_bytes(hmac.new(secret, words, hashlib.sha256).digest()[:4])


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
    """The exception that a StudentError tells of, of the same kind where Python has it."""
    kind = TypeError if error.kind == "Arguments" else getattr(builtins, error.kind, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        with contextlib.suppress(TypeError):  # a few kinds want more than a message
            return kind(error.message)
    return StudentFailure(f"{error.kind}: {error.message}")


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
    """

    def __init__(self, ask, limits, seconds, may_help=False, at_once=False):
        self.ask, self.limits, self.seconds_left = ask, limits, seconds
        self.at_once, self.stopped_at_once = at_once, False
        self.may_help, self.wants_ours, self.wants_versions = may_help, set(), False
        self.stopped, self.unreadable, self.errors, self._looked = None, False, [], {}

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
        """A function's own text and its first line, as its kernel tells them."""
        match self._answer(do="source", name=name):
            case [str() as text, int() as first] if len(text) <= MOST_SOURCE:
                return text, whole_number(first)
        return "", 0

    def versions(self, name, sources, calls, ours) -> list[Outcome]:
        """What other versions of a function do; empty where that is not to be had."""
        data = self._answer(do="versions", name=name, sources=sources, calls=calls, ours=ours)
        return [outcome_of(one) for one in data] if isinstance(data, list) else []

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


def judge_cell(
    cell, spec, ask, *, limits, seconds, student, secret, seed=None, may_help=False, cause=None, at_once=False
) -> Judged:
    """Run one test cell of the release; JudgeFault if our own check fails.

    ``cell``: its CellSpec. ``spec``: the LessonSpec. ``ask``: a StudentKernel's ``ask``.
    ``seed``: draws recorded inputs again, instead of this student's own. ``may_help``: whether our helpers
    may take the place of wrong ones: only in a kernel that is asked nothing after this. ``cause(name)``: the
    Cause of there being no such function, or None. ``at_once``: whether an exercise's calls are made in one
    question, which is quicker; whoever allows it judges again where that was stopped (``stopped_at_once``).
    """
    line = Line(ask, limits, seconds, may_help, at_once)

    def derived(name):
        return seed_of(secret, spec.assignment, student, name) if seed is None else seed

    judged = Judged(0.0, [], seed=derived(cell.grade_id))
    tree = ast.parse(cell.source, CELL)
    names = _free_names(tree)
    namespace = {"__name__": "__test_cell__", **_own_names(names, spec)}
    if "check" in namespace:
        namespace["check"] = _seeded(namespace["check"], judged, derived, cause or (lambda name: None))
    theirs = sorted(names - namespace.keys())
    for name, what in line.look(theirs).items():
        namespace[name] = what[0] if isinstance(what, list) else StudentFunction(name, line)
        if what == "missing" and not line.stopped and not line.unreadable:
            judged.missing.append(name)
    judged.attempted = not theirs or len(judged.missing) < len(theirs)
    with _exercises_of(spec):
        value, printed = _run(tree, namespace, judged)
    judged.stopped, judged.unreadable, judged.errors = line.stopped, line.unreadable, line.errors
    judged.wants_ours, judged.wants_versions = line.wants_ours, line.wants_versions
    judged.stopped_at_once = line.stopped_at_once
    if printed:
        judged.outputs.insert(0, new_output("stream", name="stdout", text=printed))
    if judged.outputs and judged.outputs[-1].output_type == "error":
        return judged
    _mark(value, cell, judged)
    return judged


def _exercises_of(spec):
    """What the lesson's own exercises are while it is judged: those that came with its release, no others."""
    from rnncore.exercises import NotExercises, own, using

    try:
        return using(own(spec.exercises))
    except NotExercises as error:
        raise JudgeFault(f"the exercises of {spec.assignment} cannot be used here: {error}") from error


def _run(tree, namespace, judged):
    """Run the cell's statements; its last expression's value and what was printed."""
    value, printed = None, io.StringIO()
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    state = np.random.get_state()  # noqa: NPY002  an instructor's own test may draw from it
    try:
        np.random.seed(judged.seed)  # noqa: NPY002
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
            warnings.simplefilter("ignore")
            exec(compile(tree, CELL, "exec"), namespace)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), CELL, "eval"), namespace)
    except (JudgeFault, MemoryError):  # where this process has no room, that is nobody's answer
        raise
    except Exception as error:
        judged.outputs.append(_error_output(error))
        judged.attempted = judged.attempted and not isinstance(error, NotImplementedError)
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return value, printed.getvalue()


def _mark(value, cell, judged):
    """Points and the execute_result that nbgrader reads them from, for a cell that ran to its end."""
    data = {}
    judged.points = cell.points
    if isinstance(value, Verdict):
        value = cleaned(value)
        judged.points, judged.verdict = float(value.earned), value.as_dict()
        judged.attempted = judged.attempted and judged.verdict.get("status") != "not attempted"
        data = value._repr_mimebundle_()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        judged.points = float(value)
    judged.points = min(max(judged.points, 0.0), cell.points)
    data = {**data, "text/plain": f"{judged.points:g}"}
    # Not new_output, which would hold the card against the whole schema: that is done when it is written.
    result = {"output_type": "execute_result", "metadata": {}, "data": data, "execution_count": None}
    judged.outputs.append(from_dict(result))


def _seeded(check, judged, derived, cause):
    """``check`` with the seed of this student and exercise.

    What it raises is our fault if it does so for our own answer, too; else the student's value did it.
    """

    def seeded(function, points=1, *, seed=None):
        name = str(getattr(function, "__name__", ""))
        if name in judged.missing:
            says, known = f"The notebook never defines `{name}`.", cause(name)
            if known:
                return Verdict(name, points, status="error", headline=f"{says} {known.says}")
            return Verdict(name, points, status="not attempted", headline=says)
        judged.seed = derived(name) if seed is None else seed
        try:
            return check(function, points, seed=judged.seed)
        except TooLarge as error:
            raise JudgeFault(f"check({name}) sends more than may be sent: {error}") from error
        except MemoryError:
            raise
        except Exception as error:
            if not _stands(check, name, points, judged.seed):
                raise JudgeFault(f"check({name}) failed: {type(error).__name__}: {error}") from error
            judged.unjudged.append((name, type(error).__name__))
            says = "What it returned is nothing that can be compared with the right answer."
            return Verdict(name, points, status="error", headline=says, seed=judged.seed)

    return seeded


def _stands(check, name, points, seed):
    """Whether the check gives our own answer its points: then it was the student's that it stumbled over."""
    from rnncore.exercises import by_name  # only here, since nothing should come to this

    exercise = by_name().get(name)
    try:
        return exercise is not None and check(exercise.reference, points, seed=seed).earned == points
    except Exception:
        return False


def _free_names(tree):
    """The names that a test cell reads and does not make itself."""
    read, made = set(), set(vars(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            made.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return read - made


def _own_names(names, spec):
    """The judge's own of these names: check, np, and what the lesson's set-up cell imports."""
    exercises = {cell.grade_id for cell in spec.cells if cell.kind == "solution"}
    source = "import numpy as np\nfrom rnncore.check import check\n"
    source += "".join(
        f"{cell.source}\n" for cell in spec.cells if cell.kind == "locked" and cell.grade_id == "setup"
    )
    namespace = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        node.names = [
            alias for alias in node.names if (alias.asname or alias.name).split(".")[0] in names - exercises
        ]
        if node.names:
            exec(compile(ast.Module([node], []), "<set-up cell>", "exec"), namespace)
    return {name: value for name, value in namespace.items() if name in names}


def _error_output(error):
    """An exception in a test cell, with the line of the test that it came through."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == CELL]
    try:
        says = plain(error, lines=True)
    except Exception:  # its words are made of what a student's function returned
        says = "it cannot be put into words"
    where = f"in line {lines[-1]} of the test" if lines else "in the test"
    return new_output(
        "error",
        ename=type(error).__name__,
        evalue=says,
        traceback=[f"{type(error).__name__} {where}: {says}"],
    )
