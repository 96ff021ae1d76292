"""One module a lesson: what its exercises are, how cases are drawn, what is right, known mistakes.

``exercise`` says what an exercise consists of. In come the references (cells, topics and the library's own),
out go ``Exercise`` objects; how an answer is checked is not known here (``rnncore.check`` stands above).
These modules hold answers. Where students' code is graded they are not on disk at all, and ``check``
says so. To add an exercise, write its ``Exercise`` in its lesson's module; to add a lesson, add a line
to ``MODULES``.
"""

from functools import cache
from importlib import import_module

from rnncore.exercises.exercise import Case, Exercise, Mistake

__all__ = ["MODULES", "Case", "Exercise", "Mistake", "by_name", "of_lesson"]

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


@cache
def by_name() -> dict[str, Exercise]:
    """All exercises by the name of the function that a student writes."""
    return {exercise.name: exercise for lesson in MODULES for exercise in of_lesson(lesson)}
