"""The command that opens the page on which written answers are marked."""

import asyncio
import webbrowser
from typing import Annotated

import typer

from autograder.cli.common import CourseFolder, LessonName, WorkspaceFolder, course_folder, plainly, say
from autograder.cli.common import workspace_there as workspace_of
from autograder.course import places
from autograder.course.places import CourseError
from autograder.course.spec import read_spec

app = typer.Typer()


@app.command()
@plainly
def mark(
    lesson: LessonName,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="PORT", help="Default: any that is free.")
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only say the page's address, and open no browser.")
    ] = False,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Mark written answers on a page of this machine's own: the mark scheme's lines as ticks that add up.

    One question for the whole class at a time. What is ticked or typed there is in the gradebook at once, as
    if it had been given in the formgrader. Ctrl-C ends it.
    """
    root = course_folder(course, workspace)
    chosen = places.find_lesson(root, lesson)
    room = workspace_of(workspace, root)
    spec = read_spec(chosen.lesson_path)
    if not any(cell.kind == "written" for cell in spec.cells):
        raise CourseError(f"{chosen.name} asks for no written answer; checks are marked by `unrolled grade`.")
    if not any((room.results / spec.assignment).glob("*.json")):
        raise CourseError(f"Nobody was graded for {chosen.name} yet: `unrolled grade {chosen.name}` first.")
    from autograder.course.scheme import read_schemes
    from autograder.marking.server import Desk, serve

    desk = Desk(room, spec, read_schemes(chosen))

    async def run():
        address, server = serve(desk, port)
        say(f"Mark the written answers at {address}")
        say("Everything is saved at once. Ctrl-C here ends it.")
        if not no_browser:
            webbrowser.open(address)
        try:
            await asyncio.Event().wait()
        finally:
            server.stop()

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        marked = len(desk.marked)
        say(f"\nMarked {marked} answer{'s' * (marked != 1)}.")
        say(f"Next: `unrolled feedback {chosen.name}`, which writes the students' pages again")
