"""What the commands share: options, the course and workspace that are meant, and errors as one sentence."""

import contextlib
import errno
import functools
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.cli.stopping import SAYS, stoppable
from autograder.course import places
from autograder.course.places import CourseError, Workspace
from autograder.course.spec import SpecError
from autograder.gradebook.configuration import CONFIG_NAME, course_of, prepare_workspace
from autograder.intake.plain import plain
from autograder.sandbox.view import NoSandbox

CORES = os.cpu_count() or 1
# Commands that take no such option, for the hints that name them.
WITHOUT_WORKSPACE = ("lessons", "release", "check", "workspace", "doctor")
WITHOUT_COURSE = ("lessons", "doctor")
_given = {}  # the --workspace and --course of the command that runs
NO_ROOM = "No usable temporary directory"
MOST_SAID = 200_000  # characters of one thing that is printed

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
LessonName = Annotated[str, typer.Argument(metavar="LESSON", help="The lesson: 03-bptt, or 03, or bptt.")]
CourseFolder = Annotated[
    Path | None,
    typer.Option(
        "--course",
        help="The course's folder (with solutions/ and lessons/). Default: found upwards from here.",
    ),
]
WorkspaceFolder = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        help="The folder that grading writes to. Default: classroom/ in the course's folder.",
    ),
]
Unsafe = Annotated[
    bool,
    typer.Option(
        "--unsafe-no-sandbox",
        help="Run the notebooks' code with your own rights, outside any sandbox. Only for code you trust; "
        "every result is marked.",
    ),
]
WorkerCount = Annotated[
    int, typer.Option("--workers", "-n", min=1, help="Notebooks graded at the same time.")
]


def plainly(command):
    """Turn the errors that a user or a machine can cause into one sentence on stderr and exit status 1."""

    @functools.wraps(command)
    def wrapped(*args, **kwargs):
        _given.clear()
        _given.update(
            {name: kwargs[name] for name in ("workspace", "course") if kwargs.get(name) is not None}
        )
        try:
            with stoppable():
                return command(*args, **kwargs)
        except (CourseError, SpecError, NoSandbox) as error:
            message = " ".join(str(error).split())
            if isinstance(error, NoSandbox) and command.__name__ in ("grade", "check"):
                message += " (To run trusted code without one: --unsafe-no-sandbox.)"
            say(message, err=True)
            raise typer.Exit(1) from None
        except OSError as error:
            if error.errno == errno.EPIPE:  # nobody reads what is printed any more
                raise
            say(trouble(error), err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt as stopped:
            with contextlib.suppress(OSError):  # a terminal that is gone
                say(SAYS, err=True)
            raise typer.Exit(getattr(stopped, "status", 130)) from None

    return wrapped


def say(text="", *, err=False, end="\n"):
    """Print to the terminal: every word of a command goes through here, since any may be a student's."""
    typer.echo(plain(completed(text), MOST_SAID, lines=True, tex=True) + end, err=err, nl=False)


def completed(text):
    """The text with every `unrolled ...` in it as it must be typed, with the options that were given."""

    def command(shown):
        name, options = shown[1], dict(_given)
        if name in WITHOUT_WORKSPACE:
            options.pop("workspace", None)
        if name in WITHOUT_COURSE:
            options.clear()
        options = {key: value for key, value in options.items() if f"--{key}" not in shown[2]}
        more = "".join(f" --{key} {shlex.quote(str(value))}" for key, value in options.items())
        return f"`unrolled {name}{shown[2]}{more}`"

    return re.sub(r"`unrolled ([a-z]+)([^`\n]*)`", command, str(text))


def trouble(error):
    """One sentence for what the machine refused: a full disk, a file that may not be read."""
    what = f" {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes | os.PathLike) else ""
    why = error.strerror or error
    if NO_ROOM in str(why):  # Python has tried them all, and tells of none why
        return (
            "No folder for temporary files takes any: make room in /tmp, or name another folder in TMPDIR. "
            "What was finished is kept; run the same command again to go on."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full ({why}){':' if what else ''}{what}. What was finished is kept; "
            "make room, and run the same command again to go on."
        )
    return (
        f"The file or folder{what} could not be used ({why}). What was finished is kept; "
        "mend that, and run the same command again to go on."
    )


def console():
    # A pipe or a file gets whole lines: rich would wrap tables at 80 columns there.
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def course_folder(folder, workspace=None):
    """The course: the one named, else the one that the workspace belongs to, else upwards from here."""
    if folder is not None and not folder.is_dir():
        raise CourseError(f"There is no folder {folder}; --course names the course's folder.")
    if folder is None:
        folder = course_of(workspace or Path.cwd())
    return places.find_course(folder)


def workspace_folder(folder, course):
    """The workspace, made ready: the one named, else the one we stand in, else classroom/."""
    return prepare_workspace(_workspace_meant(folder, course), course)


def workspace_there(folder, course):
    """The workspace as it is, for a command that changes nothing; raises CourseError where there is none."""
    folder = _workspace_meant(folder, course).absolute()
    if not (folder / CONFIG_NAME).is_file():
        raise CourseError(
            f"There is no workspace at {folder} yet; `unrolled collect` makes one, or name another "
            "with --workspace."
        )
    return Workspace(folder)


def _workspace_meant(folder, course):
    if folder is not None:
        return folder
    here = Path.cwd()
    inside = (here / CONFIG_NAME).is_file() and (here / "submitted").is_dir()
    return here if inside else course / "classroom"


def title(lesson, results):
    """The heading of a table of results."""
    return f"{lesson.name}: {len(results)} submission{'s' * (len(results) != 1)}"
