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
from dataclasses import dataclass, field

import numpy as np
from nbformat import from_dict
from nbformat.v4 import new_output

from autograder.intake.plain import plain
from autograder.judging.line import Line, StudentFunction
from autograder.judging.verdicts import cleaned
from autograder.sandbox.bridge import TooLarge
from rnncore.check.verdict import Verdict

CELL = "<test cell>"


class JudgeFault(RuntimeError):
    """Our own check failed: nothing that a student is charged for."""


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
