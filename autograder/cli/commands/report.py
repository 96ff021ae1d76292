"""The commands that tell: feedback for students, the class at a glance, grades for other programs.

What reads the gradebook takes a second to import, so it is imported when the arguments are known to be right.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from autograder.cli.common import (
    CourseFolder,
    DryRun,
    LessonName,
    WorkspaceFolder,
    console,
    course_folder,
    plainly,
    say,
    title,
    workspace_folder,
)
from autograder.course import places
from autograder.course.places import CourseError
from autograder.course.spec import read_spec
from autograder.gradebook.results import feedback_path, read_results, shown
from autograder.intake.naming import said
from autograder.intake.plain import plain

app = typer.Typer()


@app.command()
@plainly
def feedback(
    lesson: LessonName,
    student: Annotated[
        list[str] | None, typer.Option("--student", help="Only this student (may be repeated).")
    ] = None,
    dry_run: DryRun = False,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Write a feedback page for each graded submission, with scores, verdicts and comments."""
    root = course_folder(course, workspace)
    chosen = places.find_lesson(root, lesson)
    room = workspace_folder(workspace, root)
    if dry_run:
        return say_pages(room, chosen, student)
    count, failed = write_pages(room, root, chosen, student)
    say(f"Wrote {count} feedback page{'s' * (count != 1)} to {room.feedback}.")
    for name, error in failed.items():
        say(f"There is no page for {name}: {said(error)}.", err=True)
    if failed:
        raise typer.Exit(1)


def say_pages(room, lesson, only=None):
    """Say which feedback pages would be written, and what they would replace."""
    spec = read_spec(lesson.lesson_path)
    names = _who(room, lesson, spec, only)
    there = [name for name in names if feedback_path(room, spec, name).exists()]
    new = [name for name in names if name not in there]
    for what, students in (("Would be written", new), ("Would be written over", there)):
        if students:
            say(f"{what} ({len(students)}): {', '.join(map(plain, students))}")
    say("Nothing was changed.")


def _who(room, lesson, spec, only):
    """The names of those who were graded, or ``only`` of some of them."""
    results, _ = graded_so_far(room, lesson, spec)
    missing = [name for name in only or () if name not in results]
    if missing:
        raise CourseError(f"{missing[0]!r} was not graded for {lesson.name} in {room.root}.")
    return sorted(only or results)


def write_pages(room, root, lesson, only=None):
    """Write the feedback pages of a lesson's students, or ``only`` of some.

    Returns how many, and {student: the exception} of those for whom it failed.
    """
    spec = read_spec(lesson.lesson_path)
    names = _who(room, lesson, spec, only)
    from autograder.gradebook import database
    from autograder.gradebook.feedback import write_feedback

    with database.sole_writer(room):
        count, failed = 0, {}
        for name in track(names, "Writing feedback", console=Console(stderr=True), transient=True):
            try:
                count += write_feedback(room, root, spec, [name])
            except CourseError:
                raise
            except Exception as error:
                if isinstance(error, OSError) and error.errno in places.FULL:
                    raise
                failed[name] = error
    return count, failed


@app.command()
@plainly
def report(
    lesson: Annotated[
        str, typer.Argument(metavar="LESSON|all", help="The lesson; all: the course so far, on one page.")
    ],
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Print the class's results and write them as a page that opens from disk."""
    root = course_folder(course, workspace)
    if lesson == "all":
        return report_course(workspace_folder(workspace, root), root)
    chosen = places.find_lesson(root, lesson)
    room = workspace_folder(workspace, root)
    path, results, standings = write_report(room, chosen)
    from autograder.reporting.report import terminal_table

    spec, heading = read_spec(chosen.lesson_path), title(chosen, results)
    console().print(shown(results, spec, lambda some: terminal_table(some, standings, title=heading)))
    say(f"Report: {path}")
    name = chosen.name
    say(f"Next: `unrolled feedback {name}` for the students, `unrolled export {name}` for a platform")


def report_course(room, root):
    """Write the page of all lessons, and print who needs a word."""
    from autograder.reporting.term import gather, words_needed
    from autograder.reporting.term_page import write_term

    term = gather(room, root)
    if not term.lessons:
        raise CourseError(f"Nothing was graded in {room.root} yet; run `unrolled grade LESSON` first.")
    for student, sentences in words_needed(term).items():
        say(f"{plain(student)} {'; '.join(sentences)}")
    students, lessons = len(term.shares), len(term.lessons)
    count = f"{students} student{'s' * (students != 1)}, {lessons} lesson{'s' * (lessons != 1)}"
    say(f"{count}: {write_term(room, term)}")


def write_report(room, lesson):
    """Write the class's page; returns its path, {student: result} and {student: Grade}."""
    spec = read_spec(lesson.lesson_path)
    results, standings = graded_so_far(room, lesson, spec)
    from autograder.gradebook import database
    from autograder.reporting import report as page

    changed = database.changed_since_by_hand(room, spec)
    path = shown(results, spec, lambda some: page.write_report(room, spec, some, standings, changed))
    return path, results, standings


def graded_so_far(room, lesson, spec):
    """({student: result}, {student: Grade}); who was removed from the gradebook is in neither."""
    results, standings = read_results(room, spec), {}
    if results:
        from autograder.reporting.grades import grades

        standings = {grade.student: grade for grade in grades(room, spec)}
        results = {student: result for student, result in results.items() if student in standings}
    if not results:
        raise CourseError(
            f"Nothing was graded for {lesson.name} in {room.root} yet; "
            f"run `unrolled grade {lesson.name}` first."
        )
    return results, standings


@app.command()
@plainly
def export(
    lesson: LessonName,
    kind: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="csv|canvas|moodle|moodle-feedback|gradescope",
            help="A table for spreadsheets, a grade import, the feedback pages as a zip for Moodle, or "
            "Gradescope's results.json for each student.",
        ),
    ] = "csv",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="The file to write, for gradescope the folder. Default: in WORKSPACE/reports/."
        ),
    ] = None,
    roster: Annotated[
        Path | None,
        typer.Option(
            "--roster",
            help="The gradebook that Canvas exported, or Moodle's grading worksheet or list of participants.",
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            "--column", help="The assignment's column in Canvas. Default: found by the lesson's name."
        ),
    ] = None,
    excel: Annotated[
        bool, typer.Option("--excel", help="Start with a byte-order mark, by which Excel knows UTF-8.")
    ] = False,
    dry_run: DryRun = False,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Write the grades for other programs, with late penalties and grades given by hand in them."""
    root = course_folder(course, workspace)
    chosen = places.find_lesson(root, lesson)
    room = workspace_folder(workspace, root)
    spec = read_spec(chosen.lesson_path)
    from autograder.reporting.exports.files import export as write

    options = {"roster": roster, "column": column, "excel": excel, "dry_run": dry_run}
    path, count, notes = write(room, chosen, spec, kind, out, **options)
    for note in notes:
        say(note, err=True)
    what = "page" if kind == "moodle-feedback" else "grade"
    if dry_run:
        over = " over what is there" if path.exists() else ""
        say(f"Nothing was changed; {count} {what}s for {chosen.name} would be written{over}: {path}")
        return
    say(f"{count} {what}{'s' * (count != 1)} for {chosen.name}: {path}")
