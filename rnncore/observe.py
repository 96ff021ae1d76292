"""Call a student's function once and write down everything that a check wants to know.

``observe`` hands the function copies of its arguments and returns an ``Outcome``: the value as plain
data, or the error with the student's own line, the numerical warnings, and what the arguments looked
like afterwards. It never raises for what the function does. A function that lives in another process
(the grader's proxy) brings its own ``observe_remotely``; the rest of ``check`` cannot tell the two apart.
"""

import contextlib
import copy
import functools
import inspect
import io
import linecache
import re
import traceback
import warnings
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

DEEPEST = 8
MOST_VIEWED = 20_000  # numbers and texts
MOST_DIMENSIONS = 32
ORDINARY = {np.dtype(np.longdouble): np.float64, np.dtype(np.clongdouble): np.complex128}  # what travels
MOST_BITS = 1024  # of a whole number, as of the largest float
MOST_PRINTED = 1000  # characters
MOST_HELD, SHORT = 300, 30  # characters about what names held, and about one of them
_NAME = type.__dict__["__name__"].__get__  # a class may have a class that says otherwise
LIBRARIES = (*(str(Path(m.__file__).parent) for m in (np, inspect)), str(Path(__file__).parent), "<string>")


@dataclass(frozen=True)
class StudentError:
    """An exception of the student's: its class name, message, and where in their code it came from.

    ``kind`` is "Arguments" when the function does not take the arguments it is given; the message is
    then the function's own signature. ``function`` is the function that the line stands in, and ``held`` says
    what the names in the line held then, in words: "x: (3, 4), n: 5".
    """

    kind: str
    message: str
    line_number: int = 0
    line_text: str = ""
    function: str = ""
    held: str = ""


@dataclass(frozen=True)
class Warned:
    """A numerical warning, such as "overflow encountered in exp", and the line it came from."""

    message: str
    line_number: int = 0
    line_text: str = ""


@dataclass(frozen=True)
class Unplain:
    """Stands for a returned value that is not plain data: only the name of its type is kept."""

    type_name: str


class Absent(Unplain):
    """Stands for a part that was not returned; ``type_name`` goes on from the part's name to say why."""


class Formula:
    """An argument made from source text where it is used, with np in scope.

    It stands for what cannot travel as data: a function ("lambda x: float(np.sum(x**2))") or a random
    generator ("np.random.default_rng(7)"). The function under observation gets what the text evaluates to.
    A text that begins with "def" defines a function, and that is its value. As the *first* argument it is
    a use of what is observed: it is called in its place, with it and the other arguments. So a class or a
    function of models and optimisers is put to use where it lives, and only plain data travels.
    """

    def __init__(self, source: str):
        self.source = source

    @property
    def defines(self) -> bool:
        """Whether the text is the definition of a function, not an expression."""
        return self.source.startswith("def ")

    @property
    def value(self):
        """A fresh evaluation of the text."""
        scope = {"np": np}
        if not self.defines:
            return eval(self.source, scope)
        exec(_compiled(self.source), scope)
        return next(made for name, made in scope.items() if name not in ("np", "__builtins__"))

    def __repr__(self):
        return f"Formula({self.source!r})"


@functools.lru_cache(maxsize=100)
def _compiled(source: str):
    return compile(source, "<string>", "exec")


@dataclass(frozen=True)
class Outcome:
    """What one call did: ``value`` and ``args_after`` are plain data; ``error`` is None if it returned.

    ``unviewed``: whether the value is one that its exercise cannot look at, and so no answer to it.
    """

    value: object = None
    error: StudentError | None = None
    warnings: tuple[Warned, ...] = ()
    args_after: tuple = ()
    printed: str = ""
    unviewed: bool = False

    def to_plain(self) -> dict:
        """This outcome as nested dicts, lists, strings, numbers and arrays."""
        return {
            "value": self.value,
            "error": asdict(self.error) if self.error else None,
            "warnings": [asdict(warned) for warned in self.warnings],
            "args_after": list(self.args_after),
            "printed": self.printed,
        }

    @classmethod
    def from_plain(cls, data: dict) -> "Outcome":
        """The inverse of ``to_plain``; raises TypeError or KeyError if ``data`` has another form."""
        error = data["error"]
        return cls(
            value=data["value"],
            error=None if error is None else StudentError(**error),
            warnings=tuple(Warned(**warned) for warned in data["warnings"]),
            args_after=tuple(data["args_after"]),
            printed=str(data["printed"])[:MOST_PRINTED],
        )


def observe(function, args: tuple) -> Outcome:
    """Call ``function(*args)`` on copies of ``args`` and say what happened.

    ``function``: any callable; one with an attribute ``observe_remotely`` is asked to do this itself.
    ``args``: a tuple of plain data and ``Formula`` objects; it is never changed.
    """
    if hasattr(function, "observe_remotely"):
        return function.observe_remotely(args)
    if args and isinstance(args[0], Formula) and args[0].defines:
        outcome = observe(functools.partial(args[0].value, function), args[1:])
        return replace(outcome, args_after=(None, *outcome.args_after))
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin without a signature: let the call itself decide
        signature = None
    if signature is not None:
        try:
            signature.bind(*args)
        except TypeError:
            return Outcome(error=StudentError("Arguments", str(signature).split(" ->")[0]))
    handed = tuple(arg.value if isinstance(arg, Formula) else copy.deepcopy(arg) for arg in args)
    value, error, printed = None, None, _Printed()
    with (
        warnings.catch_warnings(record=True) as caught,
        np.errstate(over="warn", divide="warn", invalid="warn", under="ignore"),
        contextlib.redirect_stdout(printed),
    ):
        warnings.simplefilter("always")
        try:
            value = plain(function(*handed))
        except (Exception, SystemExit) as exception:
            error = _student_error(exception)
    after = tuple(
        None if isinstance(given, Formula) else plain(arg) for given, arg in zip(args, handed, strict=True)
    )
    return Outcome(value, error, tuple(_numerical(caught)), after, printed.getvalue())


def observe_groups(function, groups: list[list[tuple]]) -> list:
    """What ``function`` does with groups of calls: of each its Outcomes, up to a call that fails.

    A function with an attribute ``observe_groups_remotely`` is asked for them all at once, and may say None.
    """
    at_once = getattr(function, "observe_groups_remotely", None)
    outcomes = at_once(groups) if at_once else None
    return [(observe(function, args) for args in calls) for calls in groups] if outcomes is None else outcomes


def plain(value, depth: int = 0):
    """``value`` rebuilt from arrays of numbers, Python numbers, strings, None, tuples, lists and dicts.

    Subclasses become their base class, NumPy scalars become arrays of shape (), torch tensors become
    arrays, and whatever else there is becomes ``Unplain``, so nothing of the student's own making is ever
    compared with anything.
    """
    if _is_tensor(value):
        try:
            value = value.detach().cpu().numpy()
        except (TypeError, RuntimeError):  # bfloat16, say, or sparse
            return Unplain(f"tensor of dtype {value.dtype}")
    if type(value) is int and value.bit_length() > MOST_BITS:
        return Unplain("whole number of more than 300 digits")
    if value is None or type(value) in (bool, int, float, complex, str, Unplain):
        return value
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind in "biufc":
            return np.array(value, ORDINARY.get(value.dtype), copy=True, subok=False)
        return Unplain(f"array of dtype {value.dtype}")
    if depth < DEEPEST:
        if isinstance(value, tuple):
            return tuple(plain(item, depth + 1) for item in value)
        if isinstance(value, list):
            return [plain(item, depth + 1) for item in value]
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {str(key): plain(item, depth + 1) for key, item in value.items()}
    return Unplain(_NAME(type(value)))


def as_numbers(value) -> np.ndarray | None:
    """The value as an array of numbers, or None if it is not one: a list of numbers will do."""
    if not _all_numbers(value):
        return None
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biufc":  # whole numbers that no dtype holds
            return None
        return array.astype(np.result_type(array.dtype, np.float64))
    except (ValueError, TypeError, OverflowError, MemoryError):  # a ragged list, a number that is no float
        return None


def viewable(value) -> bool:
    """Whether a value is small enough to be looked at from every side: no right answer is larger."""
    return _weight(value, MOST_VIEWED) <= MOST_VIEWED


def _weight(value, most: int) -> int:
    """How many numbers and texts there are in it, counted as far as ``most``; a long text is too many."""
    if isinstance(value, np.ndarray):
        return 1 + value.size
    if isinstance(value, str):
        return 1 if len(value) <= MOST_PRINTED else most + 1
    total, items = 1, value.values() if isinstance(value, dict) else value
    for item in items if isinstance(value, list | tuple | dict) else ():
        total += _weight(item, most)
        if total > most:
            break
    return total


def _all_numbers(value, depth: int = 0) -> bool:
    """Whether there is nothing but numbers in it: one text among them would make all of them as long."""
    if isinstance(value, list | tuple):
        return depth < MOST_DIMENSIONS and all(_all_numbers(item, depth + 1) for item in value)
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "biufc"
    return isinstance(value, bool | int | float | complex)


def _is_tensor(value) -> bool:
    """Whether this is a torch tensor, found out without importing torch."""
    return any(_NAME(kind) == "Tensor" and kind.__module__ == "torch" for kind in type(value).__mro__)


class _Printed(io.StringIO):
    """Keeps the beginning of what is written to it, so that a loop that prints cannot fill the memory."""

    def write(self, text):
        super().write(text[: max(0, MOST_PRINTED - self.tell())])
        return len(text)


def _student_error(exception: BaseException) -> StudentError:
    """The exception with the last line of the student's own code that it passed through."""
    frames = [frame for frame, _ in traceback.walk_tb(exception.__traceback__)]
    own = [
        (summary, frame)
        for summary, frame in zip(traceback.extract_tb(exception.__traceback__), frames, strict=True)
        if not summary.filename.startswith(LIBRARIES)
        and "site-packages" not in summary.filename
        and not summary.filename.endswith((".pyx", ".pxd"))  # compiled: NumPy's random numbers, say
    ]
    kind, message = type(exception).__name__, str(exception)[:500]
    if not own:
        return StudentError(kind, message)
    last, frame = own[-1]
    try:
        held = _held(last.line or "", frame.f_locals)
    except Exception:  # a value of a class of the student's own, which may do anything when it is looked at
        held = ""
    return StudentError(kind, message, last.lineno or 0, last.line or "", last.name, held)


def _held(line: str, names: dict) -> str:
    """What the names that stand in a line hold, as far as it can be said in a word or two."""
    found = dict.fromkeys(re.findall(r"(?<![.\w'\"])[A-Za-z_]\w*", line))
    said = [f"{name}: {words}" for name in found if name in names and (words := _in_words(names[name]))]
    return ", ".join(said)[:MOST_HELD]


def _in_words(value) -> str:
    """An array's or a tensor's shape, a number, or what else it is; nothing for what is no data."""
    if isinstance(value, np.ndarray) or _is_tensor(value):
        return str(tuple(value.shape))
    if value is None or type(value) in (bool, int, float, str):
        return repr(value)[:SHORT]
    if type(value) in (list, tuple, dict):
        inside = [_in_words(item) for item in value][:3] if type(value) is tuple and len(value) < 4 else []
        return (
            f"({', '.join(inside)})"
            if inside and all(inside)
            else f"a {type(value).__name__} of {len(value)}"
        )
    return ""


def _numerical(caught) -> list[Warned]:
    """NumPy's own floating-point warnings, each once."""
    found = {}
    for warning in caught:
        message = str(warning.message)
        if issubclass(warning.category, RuntimeWarning) and "encountered in" in message:
            line = linecache.getline(warning.filename, warning.lineno).strip()
            found.setdefault(message, Warned(message, warning.lineno, line))
    return list(found.values())
