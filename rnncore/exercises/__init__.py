"""One module a lesson: what its exercises are, how cases are drawn, what is right, known mistakes.

``exercise`` says what an exercise consists of. In come the references (cells, topics and the library's own),
out go ``Exercise`` objects; how an answer is checked is not known here (``rnncore.check`` stands above).
These modules hold answers. Where students' code is graded they are not on disk at all, and ``check``
says so. To add an exercise, write its ``Exercise`` in its lesson's module; to add a lesson, add a line
to ``MODULES``. A course that uses this package keeps its own exercises ``beside`` its lessons.
"""

from functools import cache
from importlib import import_module

from rnncore.exercises import beside
from rnncore.exercises.beside import NotExercises, using
from rnncore.exercises.exercise import Case, Exercise, Mistake

__all__ = [
    "MODULES",
    "Case",
    "Exercise",
    "Mistake",
    "NotExercises",
    "by_name",
    "found_here",
    "of_lesson",
    "own",
    "using",
]

MODULES = {
    "01-sequences": "sequences",
    "02-rnn-cell": "rnn_cell",
    "03-bptt": "bptt",
    "04-gradients": "gradients",
    "05-lstm": "lstm",
    "06-gru": "gru",
    "07-bidirectional": "bidirectional",
    "08-shapes": "shapes",
    "09-pytorch": "pytorch",
    "10-translation": "translation",
    "11-speech": "speech",
    "12-captions": "captions",
    "13-forecast": "forecast",
    "14-scan": "scan",
    "15-attention": "attention",
}


def of_lesson(lesson: str) -> tuple[Exercise, ...]:
    """The exercises of one lesson in the order in which they are met; KeyError for an unknown lesson."""
    return import_module(f"rnncore.exercises.{MODULES[lesson]}").EXERCISES


def by_name() -> dict[str, Exercise]:
    """All exercises by the name of the function that a student writes, the course's own among them."""
    return {**beside.in_use(), **_of_the_package()}


def own(text: str, where: str = beside.FILE) -> dict[str, Exercise]:
    """The exercises in the text of a course's file, by name, none if it is empty; may raise NotExercises."""
    return beside.read(text, where, _of_the_package()) if text else {}


def found_here(name: str) -> dict[str, Exercise]:
    """The exercises beside the notebook that this runs in, if ``name`` is none of the package's."""
    return beside.in_use() if name in _of_the_package() else beside.found_here(_of_the_package())


@cache
def _of_the_package() -> dict[str, Exercise]:
    return {exercise.name: exercise for lesson in MODULES for exercise in of_lesson(lesson)}
