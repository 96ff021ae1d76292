"""`unrolled lessons` where typer is not installed, as with students: the same words, the same answers."""

import argparse
import sys

from autograder.course.handout import hand_out, sentences
from autograder.course.places import CourseError, find_course


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        sys.exit(f"{message[:1].upper()}{message[1:]}; write: unrolled lessons FOLDER [--update]")


def overview():
    """Say what there is to do, for `unrolled` alone and `unrolled --help`."""
    print(
        "`unrolled lessons FOLDER` copies the lessons to a folder, to work in.\n"
        f"All other commands are for whoever grades: {sys.executable} -m pip install 'unrolled[grading]' "
        "brings what they need."
    )


def lessons(words):
    """Carry out ``unrolled lessons`` with these words after it."""
    parser = _Parser(
        prog="unrolled lessons",
        description="Copy the lessons to a folder, to work in; work that is there already is left as it is.",
    )
    parser.add_argument("folder", help="where to copy them to; it is made if it is missing")
    parser.add_argument(
        "--update",
        action="store_true",
        help="bring newer editions: beside what was worked in, never over it",
    )
    parser.add_argument("--course", help="the course whose lessons they are; else this installation's")
    asked = parser.parse_args(words)
    try:
        source = find_course(asked.course) / "lessons" if asked.course else None
        print(*sentences(hand_out(asked.folder, asked.update, source)), sep="\n")
    except CourseError as error:
        sys.exit(str(error))
