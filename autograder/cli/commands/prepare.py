"""The commands that prepare a machine and a folder: doctor, workspace."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from autograder.cli.common import CourseFolder, console, course_folder, plainly, say, workspace_folder
from autograder.course import places
from autograder.course.spec import read_spec
from autograder.intake.plain import plain
from autograder.sandbox import cgroup
from autograder.sandbox.doctor import attempts

app = typer.Typer()


@app.command()
@plainly
def doctor():
    """Attack the sandbox from inside, and say what held and what is missing on this machine."""
    screen = console()
    failed = 0
    for finding in attempts():
        mark = "[green]held[/]" if finding.held else "[bold red]BROKE[/]"
        screen.print(f"{mark}  {escape(finding.attempt)}: {escape(plain(finding.says, tex=True))}")
        failed += not finding.held
    group, why = cgroup.where()
    if group is None:
        screen.print(
            f"[yellow]note[/]  each process has a limit of memory of its own, but there is no control group "
            f"for a worker and all that it starts: {escape(why)}."
        )
    else:
        screen.print(f"[green]held[/]  hold more memory than one process may: a control group in {group}")
    if failed:
        say(f"{failed} attacks got through; do not grade untrusted notebooks on this machine.", err=True)
        raise typer.Exit(1)
    screen.print("The sandbox holds: grading is safe here.")


@app.command()
@plainly
def workspace(
    folder: Annotated[
        Path | None, typer.Argument(help="The folder. Default: classroom/ in the course's folder.")
    ] = None,
    course: CourseFolder = None,
):
    """Prepare a folder in which plain nbgrader and its formgrader grade as we do."""
    root = course_folder(course)
    room = workspace_folder(folder, root)
    from autograder.gradebook import database
    from autograder.gradebook.outbound import fill

    with database.sole_writer(room):
        names = []
        for lesson in places.all_lessons(root):
            if lesson.lesson_path.is_file():
                database.register(room, read_spec(lesson.lesson_path))
                fill(room, lesson)
                names.append(lesson.name)
    say(f"{room.root} is ready for {', '.join(names) or 'lessons, once there are some'}.")
    say("Next: `unrolled collect LESSON SOURCE`, with what students handed in")
    say(f"Or put submissions at {room.submitted}/STUDENT/LESSON/, and run nbgrader in {room.root}.")
