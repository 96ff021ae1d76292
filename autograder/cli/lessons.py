"""The command that gives whoever learns a copy of the lessons; it works without what grading needs."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.course.handout import hand_out, sentences
from autograder.course.places import CourseError

app = typer.Typer()


@app.command()
def lessons(
    folder: Annotated[Path, typer.Argument(help="Where to copy them to; it is made if it is missing.")],
    update: Annotated[
        bool,
        typer.Option("--update", help="Bring newer editions: beside what was worked in, never over it."),
    ] = False,
):
    """Copy the lessons to a folder, to work in; work that is there already is left as it is."""
    try:
        typer.echo("\n".join(sentences(hand_out(folder, update))))
    except CourseError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
