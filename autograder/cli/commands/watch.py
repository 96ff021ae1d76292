"""The command that grades what arrives, until it is told to stop."""

import time
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.commands.collect import Yes
from autograder.cli.common import (
    CourseFolder,
    Unsafe,
    WorkspaceFolder,
    course_folder,
    plainly,
    say,
    workspace_folder,
)
from autograder.course import places
from autograder.course.places import CourseError
from autograder.sandbox.box import Sandbox

app = typer.Typer()


@app.command()
@plainly
def watch(
    lesson: Annotated[
        str, typer.Argument(metavar="LESSON|all", help="The lesson, or all that are released.")
    ],
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[SOURCE]",
            help="Where it arrives: a folder, or nbgrader's exchange. Default: WORKSPACE/submitted/ itself.",
        ),
    ] = None,
    every: Annotated[int, typer.Option("--every", min=1, metavar="SECONDS", help="How often to look.")] = 30,
    at_most: Annotated[
        int,
        typer.Option(
            "--at-most", min=1, metavar="N", help="Grade one student's lesson N times in 24 hours at most."
        ),
    ] = 10,
    once: Annotated[bool, typer.Option("--once", help="Grade what is there, and end.")] = False,
    yes: Yes = False,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
    unsafe_no_sandbox: Unsafe = False,
):
    """Grade what arrives and write its feedback, with one worker, until stopped by Ctrl-C or `kill`.

    Run the same command again to go on: nothing is lost, and nothing graded twice. Whoever hands in more
    often than --at-most finds waiting.txt beside the feedback page: when the newest is graded.
    """
    root = course_folder(course, workspace)
    if lesson == "all":
        lessons = [one for one in places.all_lessons(root) if one.lesson_path.is_file()]
    else:
        lessons = [places.find_lesson(root, lesson)]
    if not lessons or not all(one.lesson_path.is_file() for one in lessons):
        raise CourseError("There is no released lesson to watch; `unrolled release` makes them.")
    if source is not None and not source.is_dir():
        raise CourseError(f"There is no folder {source} to watch.")
    room = workspace_folder(workspace, root)
    if source is not None and source.resolve() == room.submitted.resolve():
        source = None
    if not unsafe_no_sandbox:
        Sandbox()  # without one nothing is started at all
    from autograder.classroom.watch import Watch

    options = {"at_most": at_most, "say": say, "yes": yes, "once": once, "sandbox": not unsafe_no_sandbox}
    watching = Watch(room, root, lessons, source, **options)
    what = lessons[0].name if len(lessons) == 1 else f"{len(lessons)} lessons"
    say(f"Watching {source or room.submitted} for {what}, every {every} seconds; Ctrl-C stops.")
    while True:
        graded = watching.look()
        if once and not graded:
            say(f"Nothing more to grade. Feedback: {room.feedback}")
            return
        if not graded:
            time.sleep(every)
