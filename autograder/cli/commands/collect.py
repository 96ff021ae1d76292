"""The command that brings in what students handed in; `grade --submissions` goes the same way."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.common import (
    CourseFolder,
    DryRun,
    LessonName,
    WorkspaceFolder,
    console,
    course_folder,
    plainly,
    say,
    workspace_folder,
)
from autograder.course import places
from autograder.course.places import CourseError
from autograder.course.spec import read_spec
from autograder.intake.collect import collect as bring
from autograder.intake.collect import collection_table, parse_received, time_zone
from autograder.intake.plain import plain

app = typer.Typer()

MOST_SHOWN = 30  # names in one line
Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        help="Also take what looks like no submission to the lesson. Default: asked in a terminal, otherwise "
        "left out and named.",
    ),
]


@app.command()
@plainly
def collect(
    lesson: LessonName,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A folder of STUDENT.ipynb files or STUDENT/ folders, nbgrader's exchange, or a learning "
            "platform's zip as it was downloaded (Canvas, Moodle, Blackboard, Gradescope).",
        ),
    ],
    received: Annotated[
        str | None,
        typer.Option(
            "--received",
            metavar="TIME",
            help="When all of it was handed in (2026-11-01 18:00, or now), whatever the source says.",
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone",
            metavar="NAME",
            help="The zone of times that name none, such as Europe/Berlin. Default: this machine's.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also replace submissions by what is not newer.")
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Bring what students handed in into WORKSPACE/submitted/, safely, and note when it was handed in.

    Of several attempts the newest is taken; what it replaces is kept in WORKSPACE/replaced/. Times come
    from the platform, the exchange or the files on this disk, never from a file that a student wrote; in
    the exchange the files' owners and times count for more than the name of a folder.
    """
    root = course_folder(course, workspace)
    chosen = places.find_lesson(root, lesson)
    zone = time_zone(timezone)
    when = parse_received(received, zone) if received else None
    spec = read_spec(chosen.lesson_path)
    must_exist(source)
    room = workspace_folder(workspace, root)
    options = {"received": when, "zone": zone, "force": force, "dry_run": dry_run}
    collected = bring_in(source, room, chosen, spec, yes, **options)
    console().print(collection_table(collected.rows, title=f"{chosen.name} from {plain(source.name)}"))
    tell(collected)
    would = "Nothing was changed; this would be" if dry_run else f"Collected to {room.submitted}"
    say(f"{would}: {collected.count()}.")
    if not dry_run:
        say(f"Next: `unrolled grade {chosen.name}`")


def must_exist(source):
    """Raise CourseError where there is nothing at all, before anything is written."""
    if not os.path.lexists(source):
        raise CourseError(f"There is no file or folder {source} to collect submissions from.")


def bring_in(source, room, lesson, spec, yes, **options):
    """Collect, and ask about what looks like no submission where there is somebody to ask."""
    from autograder.gradebook.database import sole_writer

    def admit(alike, others):
        if yes or not is_terminal():
            return yes
        names = ", ".join(alike[:MOST_SHOWN]) + (", ..." if len(alike) > MOST_SHOWN else "")
        say(f"To be taken as submissions to {lesson.name}: {names or 'nothing'}.")
        say("These look like none:")
        for other in others:
            say(f"- {other}")
        return typer.confirm("Take them, too?", default=False)

    with sole_writer(room):
        return bring(source, room, lesson, spec, admit=admit, **options)


def is_terminal():
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def tell(collected):
    """Print every sentence about a collection."""
    for row in collected.rows:
        for remark in row.remarks:
            say(f"{row.student}: {remark}")
    for remark in collected.remarks:
        say(remark)
