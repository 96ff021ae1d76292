"""The commands that grade: a class, and one notebook of which nothing is kept.

What grades takes a second to import, so it is imported when the arguments are known to be right.
"""

import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograder.cli.commands.collect import Yes, bring_in, must_exist, tell
from autograder.cli.common import (
    CORES,
    CourseFolder,
    DryRun,
    LessonName,
    Unsafe,
    WorkerCount,
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
from autograder.gradebook.configuration import instructors_config, limits_of
from autograder.gradebook.results import shown
from autograder.intake.contents.reading import Unreadable, read_cells
from autograder.intake.plain import plain
from autograder.intake.submissions import (
    Submission,
    left_out,
    read_regular,
    students_folders,
)
from autograder.judging.obstacles import obstacles
from autograder.sandbox.box import Limits

app = typer.Typer()


def _tls_file(name, what):
    return Annotated[
        Path | None,
        typer.Option(
            f"--tls-{name}",
            help=f"A file: {what}. Default: Dask's own configuration.",
            rich_help_panel="On many machines",
        ),
    ]


@app.command()
@plainly
def grade(
    lesson: LessonName,
    submissions: Annotated[
        Path | None,
        typer.Option(
            "--submissions",
            "-s",
            help="First collect from here, as `unrolled collect` does: a folder of STUDENT.ipynb files or "
            "STUDENT/ folders, nbgrader's exchange, or a learning platform's zip.",
        ),
    ] = None,
    yes: Yes = False,
    workers: WorkerCount = CORES,
    student: Annotated[
        list[str] | None, typer.Option("--student", help="Only this student (may be repeated).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what has not changed.")] = False,
    cold: Annotated[
        bool,
        typer.Option(
            "--cold",
            help="Start every kernel afresh instead of forking it from one that has imported everything: "
            "slower, with the same results.",
        ),
    ] = False,
    explain: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--explain",
            metavar="STUDENT EXERCISE",
            help="Grade nothing; repeat one check with its recorded inputs and show all there is to it.",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="ADDRESS",
            help="Grade on all workers of the Dask scheduler at this address, as in tls://host:8786 "
            "(docs/clusters.md).",
            rich_help_panel="On many machines",
        ),
    ] = None,
    tls_ca: _tls_file("ca", "the certificate of the authority that the cluster trusts") = None,
    tls_cert: _tls_file("cert", "our own certificate") = None,
    tls_key: _tls_file("key", "our own private key") = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Take a scheduler that is not encrypted: whoever reaches it can run any code here.",
            rich_help_panel="On many machines",
        ),
    ] = False,
    dry_run: DryRun = False,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
    unsafe_no_sandbox: Unsafe = False,
):
    """Grade all submissions to a lesson, each in its own sandbox.

    Submissions lie in WORKSPACE/submitted/STUDENT/LESSON/; results go to nbgrader's gradebook there.
    Unchanged submissions are skipped, and grades and comments given by hand are never touched.

    A student who left is removed in two steps: move WORKSPACE/submitted/STUDENT away, and in WORKSPACE run
    `nbgrader db student remove STUDENT --force`. Nothing then lists or exports them any more.
    """
    root = course_folder(course, workspace)
    chosen = places.find_lesson(root, lesson)
    spec = read_spec(chosen.lesson_path)
    if explain:
        from autograder.classroom.explain import explanation

        room = workspace_folder(workspace, root)
        say(explanation(room, chosen, spec, *explain, sandbox=not unsafe_no_sandbox))
        return
    if not scheduler and (tls_ca or tls_cert or tls_key or insecure):
        raise CourseError("The --tls options and --insecure are for grading on a cluster; add --scheduler.")
    if submissions is not None:
        must_exist(submissions)
    room = workspace_folder(workspace, root)
    for name, why in obstacles(spec).items():
        say(f"The test {name} cannot be judged as it stands: {'; and '.join(why)}.", err=True)
    if submissions is not None and submissions.resolve() != room.submitted.resolve():
        collected = bring_in(submissions, room, chosen, spec, yes, dry_run=dry_run)
        tell(collected)
        done = "Would be collected" if dry_run else "Collected"
        say(f"{done} from {plain(str(submissions))}: {collected.count()}.")
    if dry_run:
        return _say_due(room, chosen, spec, student, force, not unsafe_no_sandbox)
    options = {"workers": workers, "force": force, "sandbox": not unsafe_no_sandbox, "only": student}
    options["warm"] = not cold
    if scheduler:
        from autograder.classroom import cluster

        options["limits"] = limits_of(instructors_config(room))
        with cluster.connect(
            scheduler, tls_ca=tls_ca, tls_cert=tls_cert, tls_key=tls_key, insecure=insecure
        ) as client:
            workers_there = cluster.Cluster(client, spec, options["limits"], sandbox=not unsafe_no_sandbox)
            results = run_with_progress(room, chosen, spec, executor=workers_there.executor, **options)
    else:
        results = run_with_progress(room, chosen, spec, **options)
    for note in left_out(room, chosen):
        say(f"Not graded: {note}", err=True)
    _tell_changed(room, spec)
    say(f"Gradebook: {room.gradebook}")
    if waiting := _waiting(room, spec):
        say(f"{waiting} wait for a person: `unrolled mark {lesson}` (checks: nbgrader's formgrader)")
    say(f"Next: `unrolled feedback {lesson}` for the students, `unrolled report {lesson}` for you")
    complain_of_faults(results)


def _say_due(room, lesson, spec, only, force, sandbox):
    """Say who would be graded, and why, as the submissions lie there now."""
    from autograder.gradebook.due import due, handed_in

    limits = limits_of(instructors_config(room))
    found = due(room, lesson, spec, limits, sandbox=sandbox, only=only, force=force)
    for student, why in found.items():
        say(f"{plain(student)}: {why}")
    say(f"Nothing was changed; {len(found)} of {len(handed_in(room, lesson))} would be graded.")


def run_with_progress(room, lesson, spec, **options):
    """Grade with a progress bar, and print the table."""
    from autograder.classroom import runner

    only = options.get("only")
    if only:
        known = {folder.name for folder in students_folders(room.submitted, lesson)}
        unknown = [name for name in only if name not in known]
        if unknown:
            raise CourseError(
                f"There is no submission of {unknown[0]!r} to {lesson.name} in {room.submitted}."
            )
    else:
        options["only"] = None
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"Grading {lesson.name}", total=None)
        results, skipped = runner.run(
            room,
            lesson,
            spec,
            on_start=lambda total: progress.update(bar, total=total),
            on_result=lambda result: progress.advance(bar),
            **options,
        )
    # Not before the workers have been started: these import nbgrader.
    from autograder.reporting.grades import grades
    from autograder.reporting.report import terminal_table

    standings, heading = {grade.student: grade for grade in grades(room, spec)}, title(lesson, results)
    console().print(shown(results, spec, lambda some: terminal_table(some, standings, title=heading)))
    if skipped:
        say(f"{len(skipped)} of {len(results)} had not changed and were not graded again (--force would).")
    return results


def _waiting(room, spec):
    """How many students' work waits for a person."""
    from autograder.gradebook.database import standings

    return sum(waits for _, waits in standings(room, spec).values())


def _tell_changed(room, spec):
    """Say whose answers changed after a person had graded them."""
    from autograder.gradebook.database import changed_since_by_hand

    for student, names in changed_since_by_hand(room, spec).items():
        say(
            f"{student} changed {', '.join(names)} after it was graded by hand; the grade and the comment "
            "were kept, and it waits to be looked at again."
        )


def complain_of_faults(results):
    """Name those whom the grader failed, and exit with 1, if there are any."""
    faults = [name for name, result in results.items() if result["status"] == "infrastructure fault"]
    if faults:
        say(f"The grader itself failed for {', '.join(faults)}; run the command again.", err=True)
        raise typer.Exit(1)


@app.command()
@plainly
def check(
    notebook: Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="The notebook file to check.")],
    lesson: Annotated[
        str | None, typer.Option("--lesson", help="The lesson it belongs to. Default: found out.")
    ] = None,
    course: CourseFolder = None,
    unsafe_no_sandbox: Unsafe = False,
):
    """Say how each exercise of one notebook does, as it would be graded, and keep nothing."""
    raw = _read_notebook(notebook)
    root = course_folder(course)
    spec = _spec_of(raw, notebook, lesson, root)
    from autograder.judging.submission import Task, grade_task
    from autograder.judging.verdicts import verdict_text

    submission = Submission("you", raw)
    task = Task(submission, spec, Limits(), secrets.token_bytes(32), not unsafe_no_sandbox, warm=False)
    graded = grade_task(task)
    for score in graded.scores.values():
        say(verdict_text(score))
    earned = round(sum(score.points for score in graded.scores.values()), 2)
    top = sum(cell.points for cell in spec.cells if cell.kind == "test")
    by_hand = sum(cell.points for cell in spec.cells if cell.kind == "written")
    say(f"\n{spec.assignment}: {earned:g} of {top:g} points, {graded.status}.", end="")
    say(f" {by_hand:g} more are given by hand for the written answer." if by_hand else "")
    for remark in graded.remarks:
        say(f"- {remark}")
    complain_of_faults({"you": {"status": graded.status}})


def _read_notebook(path):
    if not path.exists():
        raise CourseError(f"There is no file {path}.")
    try:
        return read_regular(path.resolve())
    except Unreadable as error:
        raise CourseError(str(error)) from None


def _spec_of(raw, path, lesson, root):
    """The lesson that a notebook belongs to: by what was said, its file's name, or its cells."""
    if lesson:
        return read_spec(places.find_lesson(root, lesson).lesson_path)
    lessons = [one for one in places.all_lessons(root) if one.lesson_path.is_file()]
    for one in lessons:
        if path.resolve().parent.name == one.name or path.stem == one.notebook:
            return read_spec(one.lesson_path)
    try:
        cells = read_cells(raw, [])
    except Unreadable as error:
        raise CourseError(f"{path}: {error}") from None
    names = {cell.name for cell in cells} | {name for cell in cells for name in cell.defines}
    best, most = None, 0
    for one in lessons:
        spec = read_spec(one.lesson_path)
        shared = sum(cell.grade_id in names for cell in spec.cells if cell.kind == "solution")
        if shared > most:
            best, most = spec, shared
    if best is None:
        raise CourseError(f"{path} does not look like any lesson of the course; say which with --lesson.")
    return best
