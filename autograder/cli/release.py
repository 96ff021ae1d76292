"""The command that makes lessons from solutions."""

from typing import Annotated

import typer

from autograder.cli.common import CourseFolder, DryRun, course_folder, plainly, say
from autograder.course import places
from autograder.course.places import CourseError

app = typer.Typer()


@app.command()
@plainly
def release(
    lesson: Annotated[str | None, typer.Argument(help="Only this lesson. Default: all of them.")] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Change nothing; name changed, missing and stray files, and fail if any."
        ),
    ] = False,
    tidy: Annotated[bool, typer.Option("--tidy", help="First put the solutions in canonical form.")] = False,
    dry_run: DryRun = False,
    course: CourseFolder = None,
):
    """Make lessons/ from solutions/: the same notebooks without their answers."""
    root = course_folder(course)
    chosen = [places.find_lesson(root, lesson)] if lesson else None
    if not places.all_lessons(root):
        raise CourseError(
            f"There are no lessons in {root / 'solutions'}; a lesson is solutions/NN-slug/slug.ipynb."
        )
    from autograder.course import release as releasing
    from autograder.course.solutions import tidy as tidied

    if dry_run and (check or tidy):
        raise CourseError("--dry-run says what would be released; leave out --check and --tidy.")
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
    if not written:
        say("Nothing to do: lessons/ is what solutions/ makes.")
