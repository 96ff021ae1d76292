"""The command that shows which submissions are alike; it compares and judges nothing."""

from typing import Annotated

import typer

from autograder.cli.common import CourseFolder, LessonName, WorkspaceFolder, course_folder, plainly, say
from autograder.cli.common import workspace_folder as workspace_of
from autograder.course import places
from autograder.intake.plain import plain

app = typer.Typer()

MOST_SAID = 20  # pairs in the terminal


@app.command()
@plainly
def similar(
    lesson: LessonName,
    line: Annotated[
        float,
        typer.Option(
            "--line",
            min=0.3,
            max=1.0,
            metavar="SHARE",
            help="Show a pair where this share of the shorter answer is in the other.",
        ),
    ] = 0.85,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Show pairs of submissions with similar work side by side, on a page that opens from disk.

    Names of variables, comments, layout and the order of statements do not count, nor what the lesson hands
    out, nor what most of the class has. Likeness is no proof: read both, and ask. Nothing leaves this
    machine.
    """
    root = course_folder(course, workspace)
    chosen = places.find_lesson(root, lesson)
    room = workspace_of(workspace, root)
    from autograder.reporting.similar import write_similar

    path, found = write_similar(room, chosen, line)
    pairs = found.by_students()
    for both, alike in list(pairs.items())[:MOST_SAID]:
        where = ", ".join(f"{pair.exercise} {pair.share:.0%}" for pair in alike)
        say(f"{plain(both[0])} and {plain(both[1])}: {plain(where)}")
    if len(pairs) > MOST_SAID:
        say(f"... and {len(pairs) - MOST_SAID} more pairs")
    for student, why in found.left_out.items():
        say(f"Not compared: {plain(student)} ({plain(why)})", err=True)
    pairs_alike = f"{len(pairs)} pair{'s' * (len(pairs) != 1)} alike"
    say(f"{pairs_alike} among {len(found.times)} submissions. This is no proof of anything.")
    say(f"Side by side: {path}")
