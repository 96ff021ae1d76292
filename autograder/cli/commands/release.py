"""The command that makes lessons from solutions, and hands them out through nbgrader's exchange."""

from typing import Annotated

import typer

from autograder.cli.common import (
    CourseFolder,
    DryRun,
    WorkspaceFolder,
    course_folder,
    plainly,
    say,
    workspace_folder,
)
from autograder.course import places
from autograder.course.places import CourseError

app = typer.Typer()
PANEL = "To nbgrader's exchange"


@app.command()
@plainly
def release(
    lessons: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LESSON]...", help="Only these lessons: 03-bptt, or 03, or bptt. Default: all."
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Change nothing; name changed, missing and stray files, and fail if any."
        ),
    ] = False,
    tidy: Annotated[bool, typer.Option("--tidy", help="First put the solutions in canonical form.")] = False,
    dry_run: DryRun = False,
    exchange: Annotated[
        bool,
        typer.Option(
            "--exchange",
            help="Then release them to the exchange that nbgrader's configuration names (Exchange.root): "
            "students' Assignments tab lists them.",
            rich_help_panel=PANEL,
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Also replace what was released there before. Who has fetched it keeps their copy.",
            rich_help_panel=PANEL,
        ),
    ] = False,
    course_id: Annotated[
        str | None,
        typer.Option(
            "--course-id",
            metavar="NAME",
            help="The course's name there. Default: what nbgrader's configuration says, or unrolled.",
            rich_help_panel=PANEL,
        ),
    ] = None,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Make lessons/ from solutions/: the same notebooks without their answers."""
    if check and (exchange or tidy):
        raise CourseError("--check changes nothing; leave out --tidy and --exchange.")
    if not exchange and (force or course_id is not None or workspace is not None):
        raise CourseError("--force, --course-id and --workspace are for the exchange; add --exchange.")
    root = course_folder(course, workspace)
    chosen = [places.find_lesson(root, lesson) for lesson in lessons] if lessons else None
    if not places.all_lessons(root):
        raise CourseError(
            f"There are no lessons in {root / 'solutions'}; a lesson is solutions/NN-slug/slug.ipynb."
        )
    from autograder.course import release as releasing
    from autograder.course.solutions import tidy as tidied

    if dry_run and (check or tidy or exchange):
        raise CourseError("--dry-run says what would be released; leave out --check, --tidy and --exchange.")
    if check:
        problems = releasing.check(root, chosen)
        for problem in problems:
            say(problem, err=True)
        if problems:
            raise typer.Exit(1)
        say("lessons/ is what solutions/ makes.")
        return
    if dry_run:
        for path in releasing.release(root, chosen, dry_run=True):
            say(f"would release {path.relative_to(root)}")
        say("Nothing was changed.")
        return
    for path in tidied(root, chosen) if tidy else ():
        say(f"tidied {path.relative_to(root)}")
    written = releasing.release(root, chosen)
    for path in written:
        say(f"released {path.relative_to(root)}")
    if not written and not exchange:
        say("Nothing to do: lessons/ is what solutions/ makes.")
    if exchange:
        to_exchange(workspace_folder(workspace, root), chosen or places.all_lessons(root), course_id, force)


def to_exchange(room, lessons, course_id, force):
    """Release lessons to nbgrader's exchange, and say what comes next."""
    from autograder.gradebook.outbound import hand_out

    done = hand_out(room, lessons, course_id=course_id, force=force)
    if done.same:
        say(f"In {done.folder} already, as they are now: {', '.join(done.same)}.")
    if done.new:
        say(
            f"Released to {done.folder}: {', '.join(done.new)}. Students fetch them in their Assignments tab."
        )
    name = lessons[0].name if len(lessons) == 1 else "LESSON"
    say(f"When they have handed in: `unrolled collect {name} {done.folder}`")
