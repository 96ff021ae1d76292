"""The command that copies the lessons for whoever learns; ``light`` does it without grading's packages."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.common import course_folder, plainly, say
from autograder.course.handout import hand_out, sentences

app = typer.Typer()


@app.command()
@plainly
def lessons(
    folder: Annotated[Path, typer.Argument(help="Where to copy them to; it is made if it is missing.")],
    update: Annotated[
        bool,
        typer.Option("--update", help="Bring newer editions: beside what was worked in, never over it."),
    ] = False,
    course: Annotated[
        Path | None,
        typer.Option(
            "--course", help="The course whose lessons they are. Default: the lessons of this installation."
        ),
    ] = None,
):
    """Copy the lessons to a folder, to work in; work that is there already is left as it is."""
    source = course_folder(course) / "lessons" if course else None
    for sentence in sentences(hand_out(folder, update, source)):
        say(sentence)
