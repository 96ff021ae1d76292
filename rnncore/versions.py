"""Other versions of a student's function, each called once, in a child process that leaves nothing behind.

``rnncore.check.slips`` tries small edits of a wrong answer's own text; what they print, change or break must
not outlive the trial. In come a function, texts to take the place of its own, and arguments for each; out
come ``Outcome`` objects. Where a process cannot be forked there are none, and after autograd has run on a
device (CUDA, say) torch refuses it in a fork: then no version that trains is right. A function that lives in
another process (the grader's proxy) brings its own ``source_remotely`` and ``run_versions_remotely``.
"""

import ast
import contextlib
import gc
import inspect
import io
import linecache
import os
import pickle
import select
import signal
import sys
import textwrap
import time
import warnings
from pathlib import Path

from rnncore.observe import Formula, Outcome, StudentError, observe

PATIENCE = 60.0  # seconds for all versions: far more than they need on a busy machine, and not for ever
MOST_CPU = 10  # seconds of CPU for all of them
EACH = 0.1  # seconds of CPU for one: a small change of what took milliseconds takes no longer
EACH_IN_USE = 0.5  # where a model is made and used
GROWTH = 2**29  # bytes of memory for all of them, beyond what there is already
PIECE = 2**16  # bytes


def source_of(function) -> tuple[str, int]:
    """A function's own text, without indentation, and its first line's number; ("", 0) if there is none."""
    if hasattr(function, "source_remotely"):
        return function.source_remotely()
    try:
        lines, first = _class_lines(function) if inspect.isclass(function) else _own_lines(function)
    except (OSError, TypeError, SyntaxError, ValueError):
        return "", 0
    return textwrap.dedent("".join(lines)), first


def _own_lines(function) -> tuple[list[str], int]:
    return inspect.getsourcelines(inspect.unwrap(function))


def _class_lines(kind: type) -> tuple[list[str], int]:
    """A class's own lines, found through one of its methods: a cell of a notebook is no file to look in."""
    code = _a_method(kind).__code__
    lines = linecache.getlines(code.co_filename)
    for node in ast.walk(ast.parse("".join(lines))):
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
            if node.lineno <= code.co_firstlineno <= node.end_lineno:
                return lines[node.lineno - 1 : node.end_lineno], node.lineno
    raise OSError(f"the text of {kind.__name__} is not known")


def _a_method(kind: type):
    methods = [one for one in vars(kind).values() if inspect.isfunction(one)]
    if not methods:
        raise TypeError(f"{kind.__name__} has no method of its own")
    return methods[0]


def run_versions(function, sources: list[str], calls: list[tuple], helpers=None) -> list[Outcome]:
    """What each text that defines the function anew does with each call's arguments, in that order.

    ``helpers``: functions by name that take the place of others of the notebook's.
    Empty where it cannot be tried, and shorter where the child process ended too early.
    """
    if hasattr(function, "run_versions_remotely"):
        return function.run_versions_remotely(sources, calls)
    if not hasattr(os, "fork"):
        return []
    import resource  # which is there where fork is

    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which stay behind
        child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            gc.freeze()  # what there is already is never looked at again, and so its memory stays shared
            signal.signal(signal.SIGVTALRM, _too_long)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # nothing is written to any file
            resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU, MOST_CPU))
            with contextlib.suppress(OSError, ValueError, IndexError):  # where the system says what there is
                there = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
                resource.setrlimit(resource.RLIMIT_DATA, (there + GROWTH, there + GROWTH))
            if "torch" in sys.modules:
                sys.modules["torch"].set_num_threads(1)  # the threads that there were stayed behind
            names = {**getattr(function, "helpers", {}), **(helpers or {})}
            found = [_outcome(function, source, args, names) for source in sources for args in calls]
            with open(writing, "wb") as pipe:
                pickle.dump(found, pipe)
        finally:
            os._exit(0)  # whatever happened, the notebook's own process goes on alone
    os.close(writing)
    written, end = io.BytesIO(), time.monotonic() + PATIENCE
    try:
        poll = select.poll()
        poll.register(reading)
        while (left := end - time.monotonic()) > 0 and poll.poll(left * 1000):
            piece = os.read(reading, PIECE)
            if not piece:
                break
            written.write(piece)
        return pickle.loads(written.getvalue())
    except Exception:  # it died, ran out of time, or wrote what is no list of outcomes
        return []
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _too_long(signal_number, frame):
    raise TimeoutError


def _outcome(function, source: str, args: tuple, helpers: dict) -> Outcome:
    own = inspect.unwrap(function)
    in_use = bool(args) and isinstance(args[0], Formula)
    signal.setitimer(signal.ITIMER_VIRTUAL, EACH_IN_USE if in_use else EACH)
    try:
        scope = (_a_method(own) if inspect.isclass(own) else own).__globals__
        names = {**scope, **helpers}
        names.pop(own.__name__, None)  # it is the text that must define it
        exec(compile(source, "<version>", "exec"), names)
        return observe(names[own.__name__], args)
    except BaseException as error:
        return Outcome(error=StudentError(type(error).__name__, ""))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
