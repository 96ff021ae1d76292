"""All commands by name, with what each is for, in one module a group of commands.

A module is opened only when one of its commands is called, so that help and completion come at once.
"""

from importlib import import_module

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

# name: (module of this folder, the first line of its help)
COMMANDS = {
    "lessons": (
        "lessons",
        "Copy the lessons to a folder, to work in; work that is there already is left as it is.",
    ),
    "new": (
        "own",
        "Make a course of your own: lessons of ours that you choose, and an example of one of yours.",
    ),
    "draft": ("own", "Write the first draft of a lesson's notebook from the exercises.py in its folder."),
    "adopt": (
        "own",
        "Make lessons of a plain nbgrader course, and say which of its tests cannot be judged, and why.",
    ),
    "update": (
        "own",
        "Bring newer editions of the package's lessons, beside what you changed and never over it.",
    ),
    "test": (
        "own",
        "Say whether a course is as it should be: its exercises, solutions, lessons and release.",
    ),
    "release": ("release", "Make lessons/ from solutions/: the same notebooks without their answers."),
    "status": (
        "status",
        "Say for every lesson what is handed in, graded, waiting for a person, late, and told the students.",
    ),
    "collect": (
        "collect",
        "Bring what students handed in into WORKSPACE/submitted/, safely, and note when it was handed in.",
    ),
    "grade": ("grade", "Grade all submissions to a lesson, each in its own sandbox."),
    "watch": (
        "watch",
        "Grade what arrives and write its feedback, with one worker, until stopped by Ctrl-C or `kill`.",
    ),
    "check": (
        "grade",
        "Say how each exercise of one notebook does, as it would be graded, and keep nothing.",
    ),
    "mark": (
        "mark",
        "Mark written answers on a page of this machine's own: the mark scheme's lines as ticks that add up.",
    ),
    "feedback": (
        "report",
        "Write a feedback page for each graded submission, with scores, verdicts and comments.",
    ),
    "report": ("report", "Print the class's results and write them as a page that opens from disk."),
    "export": (
        "report",
        "Write the grades for other programs, with late penalties and grades given by hand in them.",
    ),
    "mistake": (
        "mistake",
        "Write the skeleton of a new mistake, from wrong answers of the class that have no name yet.",
    ),
    "similar": (
        "similar",
        "Show pairs of submissions with similar work side by side, on a page that opens from disk.",
    ),
    "doctor": (
        "prepare",
        "Attack the sandbox from inside, and say what held and what is missing on this machine.",
    ),
    "demo": (
        "demo",
        "Grade a sample class of lesson 03: right, wrong, broken and hostile notebooks, about 20 in all.",
    ),
    "workspace": ("prepare", "Prepare a folder in which plain nbgrader and its formgrader grade as we do."),
}


class Commands(TyperGroup):
    """The group of all commands, which knows what each is for without opening it."""

    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, name):
        """A stand-in with the command's help text, for lists; ``resolve_command`` gives the real one."""
        return TyperCommand(name, help=COMMANDS[name][1]) if name in COMMANDS else None

    def resolve_command(self, ctx, args):
        name, command, rest = super().resolve_command(ctx, args)
        return name, (open_command(name) if command else None), rest


def open_command(name):
    """The command of that name, from its module."""
    module = import_module(f"{__name__}.{COMMANDS[name][0]}")
    return get_group(module.app).commands[name]


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Release, grade and report on the lessons of the Unrolled course.",
    epilog="A lesson is named by its folder or any part of it that fits only one: 03-bptt, 03, bptt.",
)


@app.callback()
def unrolled():
    pass
