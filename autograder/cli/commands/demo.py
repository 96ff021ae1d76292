"""The command that grades a sample class, so that a newcomer sees everything once."""

from typing import Annotated

import typer

from autograder.cli.commands.grade import complain_of_faults, run_with_progress
from autograder.cli.commands.report import write_pages, write_report
from autograder.cli.common import (
    CORES,
    CourseFolder,
    WorkerCount,
    WorkspaceFolder,
    course_folder,
    plainly,
    say,
    workspace_folder,
)
from autograder.course import places
from autograder.course.places import CourseError
from autograder.course.spec import read_spec

app = typer.Typer()


@app.command()
@plainly
def demo(
    workspace: WorkspaceFolder = None,
    workers: WorkerCount = CORES,
    course: CourseFolder = None,
    unsafe_no_sandbox: Annotated[bool, typer.Option("--unsafe-no-sandbox", hidden=True)] = False,
):
    """Grade a sample class of lesson 03: right, wrong, broken and hostile notebooks, about 20 in all."""
    if unsafe_no_sandbox:
        raise CourseError("The sample class holds hostile notebooks; it is only graded in a sandbox.")
    from autograder.classroom import demo as sample

    root = course_folder(course, workspace)
    lesson = places.find_lesson(root, sample.LESSON)
    spec = read_spec(lesson.lesson_path)
    room = workspace_folder(workspace, root)
    others = {path.name for path in room.submitted.iterdir() if path.is_dir()} - set(sample.students())
    if others:
        raise CourseError(
            f"{room.root} holds a real class ({min(others)!r} handed in there); "
            "name another folder for the sample class with --workspace."
        )
    names = sample.write_class(lesson, room)
    say(f"A sample class of {len(names)} students handed in {lesson.name}.")
    results = run_with_progress(room, lesson, spec, workers=workers, only=names)
    write_pages(room, root, lesson, names)
    path, *_ = write_report(room, lesson)
    say(f"Gradebook: {room.gradebook}")
    say(f"Feedback:  {room.feedback}")
    say(f"Report:    {path}")
    say(f"Written answers wait for a person: `unrolled mark {lesson.name}`")
    complain_of_faults(results)
