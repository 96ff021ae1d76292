"""The command that says where every lesson stands, in one screen, and what to do next."""

from typing import Annotated

import typer
from rich.table import Table

from autograder.cli.common import (
    CourseFolder,
    WorkspaceFolder,
    console,
    course_folder,
    plainly,
    say,
    workspace_there,
)
from autograder.course import places
from autograder.intake.plain import plain

app = typer.Typer()

MOST_NAMED = 40  # students in one line
MOST_HINTS = 4
COLUMNS = ("handed in", "graded", "to grade", "wait for a person", "late", "have feedback")


@app.command()
@plainly
def status(
    lesson: Annotated[
        str | None, typer.Argument(metavar="LESSON", help="Only this lesson, with names. Default: all.")
    ] = None,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Say for every lesson what is handed in, graded, waiting for a person, late, and told the students."""
    root = course_folder(course, workspace)
    chosen = places.find_lesson(root, lesson) if lesson else None
    room = workspace_there(workspace, root)
    from autograder.reporting.overview import overview

    found = [one for one in overview(room, root) if chosen is None or one.lesson == chosen]
    if chosen:
        _tell_names(found[0])
    else:
        console().print(_table(found))
    hints = sorted((hint for one in found for hint in _next(one)), key=lambda hint: "release" in hint)
    for hint in hints[:MOST_HINTS]:
        say(f"Next: {hint}")
    if len(hints) > MOST_HINTS:
        say(f"... and {len(hints) - MOST_HINTS} more; `unrolled status LESSON` says them.")


def _table(found):
    table = Table(header_style="bold")
    table.add_column("lesson", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right")
    for one in found:
        if not one.released:
            table.add_row(one.lesson.name, "not released", *[""] * (len(COLUMNS) - 1), style="dim")
            continue
        numbers = (one.handed_in, one.graded, one.due, one.waiting, one.late, one.told)
        cells = [str(len(names)) if names else "-" for names in numbers]
        table.add_row(one.lesson.name, *cells, style=None if one.handed_in else "dim")
    return table


def _tell_names(one):
    say(f"{one.lesson.name}: {'released' if one.released else 'not released'}")
    due = [f"{plain(student)} ({why})" for student, why in one.due.items()]
    lines = {"handed in": one.handed_in, "graded": one.graded, "to grade": due}
    lines |= {"wait for a person": one.waiting, "late": one.late, "no feedback, or old": one.untold}
    for name, students in lines.items():
        more = f" and {len(students) - MOST_NAMED} more" if len(students) > MOST_NAMED else ""
        names = ", ".join(map(plain, students[:MOST_NAMED])) or "nobody"
        say(f"{name} ({len(students)}): {names}{more}")


def _next(one):
    """What to do about a lesson, as commands."""
    name = one.lesson.name
    if not one.released:
        yield f"{name} is not released: `unrolled release {name}`"
    if one.due:
        yield f"{len(one.due)} to grade: `unrolled grade {name}`"
    elif one.waiting:
        yield f"{len(one.waiting)} wait for a person: `unrolled mark {name}` (checks: nbgrader's formgrader)"
    if one.untold and not one.due:
        yield f"{len(one.untold)} without their feedback: `unrolled feedback {name}`"
