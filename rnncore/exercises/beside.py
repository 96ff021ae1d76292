"""A course's own exercises: the file exercises.py that lies beside a lesson's notebook.

It goes where the notebook goes, from solutions/ through lessons/ to whoever learns, so a check finds it in the
folder that it runs in. Where students' code is graded there is no such file; the judge, which is given its text
with the lesson, says so by ``using`` what is in it. From a text come ``Exercise`` objects, or one sentence on
why they do not.
"""

import hashlib
import linecache
import sys
import traceback
from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType

from rnncore.exercises.exercise import Exercise

FILE = "exercises.py"
LIST = "EXERCISES"
_in_use: ContextVar[Mapping[str, Exercise] | None] = ContextVar("exercises in use", default=None)


class NotExercises(ValueError):
    """An exercises.py that cannot be used, and why."""


@contextmanager
def using(exercises: Mapping[str, Exercise]):
    """In here these are the course's own exercises, and no file is looked for."""
    before = _in_use.set(exercises)
    try:
        yield
    finally:
        _in_use.reset(before)


def in_use() -> Mapping[str, Exercise]:
    """The course's own exercises by name, as ``using`` said."""
    return _in_use.get() or {}


def found_here(taken: Mapping[str, Exercise]) -> Mapping[str, Exercise]:
    """The exercises in use; where nobody said, those of an exercises.py in the folder that this runs in."""
    said = _in_use.get()
    if said is not None:
        return said
    try:
        text = Path(FILE).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    return read(text, FILE, taken) if LIST in text else {}  # else it is a file of the reader's own


def read(text: str, where: str, taken: Mapping[str, Exercise]) -> dict[str, Exercise]:
    """The exercises in a file's text, by name; NotExercises if they cannot be used.

    ``where`` names the file in sentences. ``taken``: the exercises whose names are not free.
    """
    listed = getattr(module(text, where), LIST, None)
    if not isinstance(listed, tuple | list) or not listed:
        raise NotExercises(f"{where} lists no exercises; it ends with {LIST} = (Exercise(...), ...).")
    found: dict[str, Exercise] = {}
    for number, one in enumerate(listed, 1):
        if not isinstance(one, Exercise):
            raise NotExercises(
                f"{where}: item {number} of {LIST} is of type {type(one).__name__}, and no Exercise."
            )
        if one.name in taken:
            raise NotExercises(
                f"{where}: there is an exercise `{one.name}` in the package, in rnncore.exercises; "
                "give yours another name, since a check goes by the name."
            )
        if one.name in found:
            raise NotExercises(f"{where} has two exercises `{one.name}`; a name is used once.")
        found[one.name] = one
    return found


def module(text: str, where: str) -> ModuleType:
    """What a file's text defines, run once for each text; NotExercises if it does not run."""
    digest = hashlib.sha256(f"{where}\0{text}".encode()).hexdigest()[:20]
    name = f"course_{Path(where).stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    made, file = ModuleType(name), f"<{where} {digest}>"
    # Mistakes are edits of a reference's text, which Python looks for here; None: it never grows stale.
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    sys.modules[name], made.__file__ = made, file
    try:
        exec(compile(text, file, "exec"), vars(made))
    except BaseException as error:
        del sys.modules[name]
        if not isinstance(error, Exception):
            raise
        raise NotExercises(f"{where} {_why(error, file)}") from error
    return made


def _why(error: Exception, file: str) -> str:
    """The rest of a sentence on a file that does not run."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return f"is not Python: line {error.lineno}: {error.msg}."
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    at = f" (line {lines[0]})" if lines else ""
    return f"does not run{at}: {type(error).__name__}: {str(error).rstrip('.')}."
