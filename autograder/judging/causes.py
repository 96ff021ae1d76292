"""Why a function that a test needs is not there: the line that stopped its cell, or a name nearly right.

A ``Cause`` has two voices. What goes to the student quotes their line and Python's message; what goes to the
instructor as a remark is in our words alone.
"""

import ast
import builtins
import difflib
import re
from dataclasses import dataclass

from autograder.intake.contents.drafts import LONGEST
from autograder.intake.contents.reading import functions_defined
from autograder.intake.plain import named, plain

NOT_PYTHON = ("SyntaxError", "IndentationError", "TabError", "_IncompleteInputError")
OF_THE_TRACE = re.compile(r"Cell In\s?\[\d+\], line (\d+)")
COLOURS = re.compile(r"\x1b\[[0-9;]{0,20}m")
NEAR = 0.8


@dataclass(frozen=True)
class Cause:
    """Goes on after "never defines `x`"; ``says`` for the student, ``remark`` for the instructor."""

    says: str
    remark: str


class Causes:
    """What became of the cells that define something, while they are run one after the other."""

    def __init__(self):
        self._stopped, self._defined = {}, {}

    def ran(self, source, failed=None, stopped=""):
        """Note a cell that was run: ``failed`` is its error output, ``stopped`` says what ended it."""
        for name in functions_defined(source):
            if failed is not None or stopped:
                self._stopped[name] = (source, failed, stopped)
            else:
                self._stopped.pop(name, None)
            self._defined[name] = True

    def of(self, name):
        """The Cause of there being no ``name``, or None where nobody knows."""
        if name in self._stopped:
            source, failed, stopped = self._stopped[name]
            return _of_stop(stopped) if stopped else _of_error(source, failed)
        lower = {one.casefold(): one for one in self._defined if one != name}
        near = difflib.get_close_matches(name.casefold(), lower, 1, NEAR) if name not in self._defined else ()
        if not near:
            return None
        said = f"It defines {named(lower[near[0]])}: the name must be `{name}`."
        return Cause(said, f"it defines {named(lower[near[0]], 40)}")


def _of_stop(stopped):
    return Cause(f"Its cell was stopped before that: {stopped}.", f"its cell was stopped: {stopped}")


def _of_error(source, failed):
    kind = failed.ename if failed.ename.isidentifier() else "an exception"
    mistake = not_python(source) if failed.ename in NOT_PYTHON else None
    if mistake:
        kind, message, number = type(mistake).__name__, mistake.msg, mistake.lineno
    else:
        message, number = plain(failed.evalue, 300), None
        if found := OF_THE_TRACE.search(COLOURS.sub("", "\n".join(map(str, failed.traceback[:50])))):
            blank = len(source) - len(source.lstrip())  # IPython counts from the first line that is not
            number = int(found[1][:9]) + source.count("\n", 0, blank)
    lines = source.split("\n")
    line = lines[number - 1].strip() if number and number <= len(lines) else ""
    where = f" at line {number}" if line else ""
    stopped = "is not Python" if mistake else "stopped"
    says = (
        f"Its cell {stopped}{where}{f', {named(line, 120)}' if line else ''}: {plain(kind, 80)}: {message}."
    )
    if kind == "ModuleNotFoundError":
        says += " While a lesson is graded only the packages that it uses itself are there."
    elif failed.ename == "StdinNotImplementedError":
        says += " While a lesson is graded nobody is there to answer `input`."
    kind = kind if isinstance(getattr(builtins, kind, None), type) else "an exception of its own"
    return Cause(says, f"its cell {stopped}{where} ({kind})")


def not_python(source):
    """The SyntaxError of a cell as Python itself tells it, or None."""
    try:
        ast.parse(re.sub(r"^[%!].*$", "", source[:LONGEST], flags=re.MULTILINE))
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError):
        pass
    return None
