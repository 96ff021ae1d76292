"""The command that begins a new entry for the list of known mistakes."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.common import CourseFolder, WorkspaceFolder, course_folder, plainly, say, workspace_there
from autograder.course import places
from autograder.course.places import CourseError, write_atomically
from autograder.course.spec import read_spec
from autograder.gradebook.results import read_results

app = typer.Typer()


@app.command()
@plainly
def mistake(
    action: Annotated[str, typer.Argument(metavar="new", help="What to do: new.")],
    exercise: Annotated[str, typer.Argument(metavar="EXERCISE", help="The exercise: rnn_cell.")],
    student: Annotated[
        str | None,
        typer.Option("--student", help="Whose answer to begin with. Default: what most of the class gave."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The file to write. Default: the terminal.")
    ] = None,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Write the skeleton of a new mistake, from wrong answers of the class that have no name yet.

    It is one edit of the right function's text, to be completed and put into rnncore/exercises/. It holds a
    student's text: read it before it becomes code.
    """
    if action != "new":
        raise CourseError(
            f"There is nothing called {action!r} to do; write: unrolled mistake new {exercise}."
        )
    root = course_folder(course, workspace)
    room = workspace_there(workspace, root)
    spec = _spec_with(root, exercise)
    from autograder.reporting.nameless import groups, skeleton, text_of
    from rnncore.exercises import by_name

    if exercise not in by_name():
        raise CourseError(f"No exercise of rnncore is called {exercise!r}, so it has no list of mistakes.")
    if student:
        answer, count = text_of(room, spec, student, exercise), 1
        if not answer:
            raise CourseError(f"There is no graded answer of {student!r} to {exercise} in {room.root}.")
    else:
        found = [one for one in groups(read_results(room, spec), room, spec) if one.exercise == exercise]
        if not found or not found[0].text:
            raise CourseError(
                f"No wrong answer to {exercise} without a name is known in {room.root}; "
                f"`unrolled grade {spec.assignment}` looks for some, or name one with --student."
            )
        answer, count = found[0].text, len(found[0].students)
    text = skeleton(exercise, by_name()[exercise].source, answer, count)
    if out is None:
        say(text)
        return
    if out.exists():
        raise CourseError(f"{out} is there already; name another file.")
    write_atomically(out, text + "\n")
    say(f"Wrote {out}: read it, complete it, and put it into rnncore/exercises/.")


def _spec_with(root, exercise):
    """The lesson that asks for the exercise."""
    for lesson in places.all_lessons(root):
        if lesson.lesson_path.is_file():
            spec = read_spec(lesson.lesson_path)
            if any(cell.grade_id == exercise and cell.kind == "solution" for cell in spec.cells):
                return spec
    raise CourseError(f"No lesson asks for {exercise!r}; write the function's name, as in rnn_cell.")
