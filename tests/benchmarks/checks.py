"""How long a student waits: for a check of a right answer and of the slowest wrong one, and for an import.

Each known mistake of every exercise is checked once, after one untimed check; imports are timed in
processes of their own, less what starting Python takes. ``tests.benchmarks.layers`` writes the tables.
"""

import statistics
import subprocess
import sys
import time

from rnncore.check import mark
from rnncore.exercises import MODULES, of_lesson

CHECK_TARGET = 0.5
IMPORT_TARGET = 0.3


def check_row(lesson):
    """A lesson's slowest check of a right answer and of a known mistake, in seconds."""
    right, wrong = [], []
    for exercise in of_lesson(lesson):
        mark(exercise, exercise.reference, 1, 0)
        right.append(_seconds(lambda e=exercise: mark(e, e.reference, 1, 0)))
        for mistake in exercise.mistakes:
            twin = exercise.twin(mistake)
            wrong.append(_seconds(lambda e=exercise, twin=twin: mark(e, twin, 1, 0)))
    missed = ", missed" if max(wrong) > CHECK_TARGET else ""
    return [lesson, str(len(wrong)), f"{max(right):.3f}", f"{max(wrong):.3f} (target {CHECK_TARGET}{missed})"]


def import_row(module, target=None):
    """What importing a module takes, in seconds, beyond starting Python; the median of five."""
    taken = statistics.median(_process(f"import {module}") - _process("pass") for _ in range(5))
    aim = f" (target {target}{', missed' if taken > target else ''})" if target else ""
    return [f"`import {module}`", f"{max(taken, 0):.2f}{aim}"]


def rows():
    """The rows of both tables."""
    imports = [import_row("rnncore", IMPORT_TARGET), import_row("rnncore.check"), import_row("rnncore.plots")]
    return [check_row(lesson) for lesson in MODULES], imports


def _seconds(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _process(code):
    return _seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True))
