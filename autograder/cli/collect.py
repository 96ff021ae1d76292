"""The command that brings in what students handed in."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.common import (
    CourseFolder,
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

app = typer.Typer()


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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Bring what students handed in into WORKSPACE/submitted/, safely, and note when it was handed in.

    Of several attempts the newest is taken; what it replaces is kept in WORKSPACE/replaced/. Times come
    from the platform, the exchange or the files on this disk, never from a file that a student wrote.
    """
    root = course_folder(course, workspace)
    chosen = places.find_lesson(root, lesson)
    zone = time_zone(timezone)
    when = parse_received(received, zone) if received else None
    spec = read_spec(chosen.lesson_path)
    if not source.exists():
        raise CourseError(f"There is no file or folder {source} to collect submissions from.")
    room = workspace_folder(workspace, root)
    from autograder.gradebook.database import sole_writer

    with sole_writer(room):
        collected = bring(source, room, chosen, spec, received=when, zone=zone, force=force, dry_run=dry_run)
    console().print(collection_table(collected.rows, title=f"{chosen.name} from {source.name}"))
    for row in collected.rows:
        for remark in row.remarks:
            say(f"{row.student}: {remark}")
    for remark in collected.remarks:
        say(remark)
    would = "Nothing was changed; this would be" if dry_run else f"Collected to {room.submitted}"
    say(f"{would}: {collected.count()}.")
