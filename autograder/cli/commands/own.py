"""The commands for a course of one's own: new, draft, update, test."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from autograder.cli.common import CORES, CourseFolder, Unsafe, WorkerCount, course_folder, plainly, say
from autograder.course import places
from autograder.course.authoring import own
from autograder.course.places import CourseError

app = typer.Typer()


@app.command()
@plainly
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The course's folder; it is made.")],
    lessons: Annotated[
        str | None,
        typer.Option(
            "--lessons", metavar="02,03,05", help="The lessons of ours that it takes, or none. Default: all."
        ),
    ] = None,
):
    """Make a course of your own: lessons of ours that you choose, and an example of one of yours."""
    chosen = own.chosen(lessons)
    own.start(folder, chosen)
    from autograder.course import release

    root = places.find_course(folder)
    every = places.all_lessons(root)
    with _progress() as progress:
        bar = progress.add_task("Releasing", total=len(every))

        def begin(lesson):
            progress.update(bar, description=f"Releasing {lesson.name}", completed=every.index(lesson))

        release.release(root, begin=begin)
    say(f"{folder} is a course of {len(every)} lesson{'s' * (len(every) != 1)}:")
    for lesson in every:
        say(
            f"  {lesson.name}{' (an example of a lesson of yours)' if lesson.own_exercises.is_file() else ''}"
        )
    say(f"Next: cd {folder} && unrolled test. Its README.md says the rest.")


@app.command()
@plainly
def draft(
    lesson: Annotated[str, typer.Argument(metavar="NN-SLUG", help="The lesson's folder in solutions/.")],
    points: Annotated[
        str | None, typer.Option("--points", metavar="3,5", help="Points of each exercise. Default: 5 each.")
    ] = None,
    course: CourseFolder = None,
):
    """Write the first draft of a lesson's notebook from the exercises.py in its folder."""
    root = course_folder(course)
    try:
        worth = [float(word) for word in points.split(",")] if points else []
    except ValueError:
        raise CourseError(f"--points is {points!r}; write numbers with commas between them, 3,5.") from None
    if any(not 0 < one < float("inf") for one in worth):
        raise CourseError(f"--points is {points!r}; an exercise has more than no points.")
    from autograder.course.authoring.draft import draft as write

    path, exercises = write(root, lesson.strip("/"), worth)
    say(f"Wrote {path}: {', '.join(exercise.name for exercise in exercises)}.")
    say("Now open it in Jupyter, write its text, and run it from top to bottom.")


@app.command()
@plainly
def adopt(
    source: Annotated[Path, typer.Argument(metavar="COURSE", help="nbgrader's course folder, with source/.")],
    course: CourseFolder = None,
):
    """Make lessons of a plain nbgrader course, and say which of its tests cannot be judged, and why."""
    root = course_folder(course)
    if not source.is_dir():
        raise CourseError(f"There is no folder {source}; name the folder of an nbgrader course.")
    from autograder.course import release
    from autograder.course.authoring import adopt as adopting
    from autograder.course.spec import read_spec
    from autograder.judging.obstacles import obstacles

    adopted = adopting.adopt(root, source)
    for one in adopted:
        say(f"{one.lesson.name}, from {one.source}")
        remarks = list(one.remarks)
        try:
            release.release(root, [one.lesson])
            for name, why in obstacles(read_spec(one.lesson.lesson_path)).items():
                remarks += [f"{name} cannot be judged as it stands: {reason}." for reason in why]
        except CourseError as error:
            remarks.append(f"It cannot be released yet: {error}")
        for remark in remarks:
            say(f"- {remark}")
    say("Edit them in solutions/, then run `unrolled release --tidy` and `unrolled test`.")


@app.command()
@plainly
def update(
    lessons: Annotated[
        str | None,
        typer.Option(
            "--lessons", metavar="06,07", help="Also bring these lessons of ours, new to the course."
        ),
    ] = None,
    course: CourseFolder = None,
):
    """Bring newer editions of the package's lessons, beside what you changed and never over it."""
    root = course_folder(course)
    for sentence in own.sentences(own.update(root, own.chosen(lessons) if lessons else ()), root):
        say(sentence)


@app.command()
@plainly
def test(
    lesson: Annotated[str | None, typer.Argument(help="Only this lesson. Default: all of them.")] = None,
    mistakes: Annotated[
        Path | None,
        typer.Option("--mistakes", metavar="FILE", help="Also write a table of every known mistake to FILE."),
    ] = None,
    workers: WorkerCount = CORES,
    course: CourseFolder = None,
    unsafe_no_sandbox: Unsafe = False,
):
    """Say whether a course is as it should be: its exercises, solutions, lessons and release."""
    root = course_folder(course)
    lessons = [places.find_lesson(root, lesson)] if lesson else places.all_lessons(root)
    if not lessons:
        raise CourseError(
            f"There are no lessons in {root / 'solutions'}; a lesson is solutions/NN-slug/slug.ipynb."
        )
    from autograder.classroom import proof

    exercises = list(proof.of_exercises(lessons))
    faults, count = [], len(exercises) + 1 + 3 * len(lessons)
    with _progress() as progress:
        bar = progress.add_task("", total=count)

        def look(steps):
            for step in steps:
                progress.update(bar, description=step.says)
                found = step.faults()
                for fault in found:
                    say(fault, err=True)
                faults.extend(found)
                progress.advance(bar)

        look(exercises)
        look(proof.of_release(root, [lessons[0]] if lesson else None))
        releasable = not faults or all(one.lesson_path.is_file() for one in lessons)
        if releasable:
            look(proof.of_tests(lessons))
            look(proof.of_grading(lessons, workers, not unsafe_no_sandbox))
    if mistakes:
        places.write_atomically(mistakes.absolute(), proof.matrix(lessons))
        say(f"Known mistakes: {mistakes}")
    if faults:
        say(f"{len(faults)} fault{'s' * (len(faults) != 1)}, in the sentences above.", err=True)
        raise typer.Exit(1)
    say(_all_well(exercises, lessons))


def _all_well(exercises, lessons):
    references, mistakes, variants = [
        sum(f": {kind}" in step.says for step in exercises)
        for kind in ("the reference", "mistake", "variant")
    ]
    return (
        f"All well. Exercises of your own: {references}. Their mistakes, each named: {mistakes}. "
        f"Variants, with full marks: {variants}. Solutions graded full, and untouched lessons nothing: "
        f"{len(lessons)}. lessons/ is what solutions/ makes."
    )


def _progress():
    columns = [BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False)]
    return Progress(*columns, console=Console(stderr=True), transient=True)
