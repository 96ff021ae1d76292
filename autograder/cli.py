"""The `unrolled` command: the daily work of whoever releases, grades and looks at submissions.

Commands only read their arguments, call the module that does the work, and print. A wrong use is
answered in one sentence on stderr and a non-zero exit status, never with a traceback.
"""

import functools
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from autograder import course as places
from autograder.course import CourseError
from autograder.spec import SpecError, read_spec

CORES = os.cpu_count() or 1

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Release, grade and report on the lessons of the Unrolled course.",
    epilog="A lesson is named by its folder or any part of it that fits only one: 03-bptt, 03, bptt.",
)

LessonName = Annotated[str, typer.Argument(metavar="LESSON", help="The lesson: 03-bptt, or 03, or bptt.")]
CourseFolder = Annotated[
    Path | None,
    typer.Option(
        "--course",
        help="The course's folder (with solutions/ and lessons/). Default: found upwards from here.",
    ),
]
WorkspaceFolder = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        help="The folder that grading writes to. Default: classroom/ in the course's folder.",
    ),
]
Unsafe = Annotated[
    bool,
    typer.Option(
        "--unsafe-no-sandbox",
        help="Run the notebooks' code with your own rights, outside any sandbox. Only for code you trust; "
        "every result is marked.",
    ),
]
WorkerCount = Annotated[
    int, typer.Option("--workers", "-n", min=1, help="Notebooks graded at the same time.")
]


def _tls_file(name, what):
    return Annotated[
        Path | None,
        typer.Option(
            f"--tls-{name}",
            help=f"A file: {what}. Default: Dask's own configuration.",
            rich_help_panel="On many machines",
        ),
    ]


def plainly(command):
    """Turn the errors that a user can cause into one sentence on stderr and exit status 1."""

    @functools.wraps(command)
    def wrapped(*args, **kwargs):
        from autograder.sandbox import NoSandbox

        try:
            return command(*args, **kwargs)
        except (CourseError, SpecError, NoSandbox) as error:
            message = " ".join(str(error).split())
            if isinstance(error, NoSandbox) and command.__name__ in ("grade", "check"):
                message += " (To run trusted code without one: --unsafe-no-sandbox.)"
            typer.echo(message, err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("Stopped. What was graded is kept; run the same command again to go on.", err=True)
            raise typer.Exit(130) from None

    return wrapped


def _console():
    # A pipe or a file gets whole lines: rich would wrap tables at 80 columns there.
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def _course(folder, workspace=None):
    """The course: the one named, else the one that the workspace belongs to, else upwards from here."""
    from autograder.nbgrader_config import course_of

    if folder is not None and not folder.is_dir():
        raise CourseError(f"There is no folder {folder}; --course names the course's folder.")
    if folder is None:
        folder = course_of(workspace or Path.cwd())
    return places.find_course(folder)


def _workspace(folder, course):
    """The workspace: the one named, else the one we stand in, else classroom/."""
    from autograder.nbgrader_config import CONFIG_NAME, prepare_workspace

    if folder is None:
        here = Path.cwd()
        folder = (
            here if (here / CONFIG_NAME).is_file() and (here / "submitted").is_dir() else course / "classroom"
        )
    return prepare_workspace(folder, course)


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
    course: CourseFolder = None,
):
    """Make lessons/ from solutions/: the same notebooks without their answers."""
    from autograder import release as releasing

    root = _course(course)
    chosen = [places.find_lesson(root, lesson)] if lesson else None
    if not places.all_lessons(root):
        raise CourseError(
            f"There are no lessons in {root / 'solutions'}; a lesson is solutions/NN-slug/slug.ipynb."
        )
    if check:
        problems = releasing.check(root, chosen)
        for problem in problems:
            typer.echo(problem, err=True)
        if problems:
            raise typer.Exit(1)
        typer.echo("lessons/ is what solutions/ makes.")
        return
    for path in releasing.tidy(root, chosen) if tidy else ():
        typer.echo(f"tidied {path.relative_to(root)}")
    written = releasing.release(root, chosen)
    for path in written:
        typer.echo(f"released {path.relative_to(root)}")
    if not written:
        typer.echo("Nothing to do: lessons/ is what solutions/ makes.")


@app.command()
@plainly
def collect(
    lesson: LessonName,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A folder of STUDENT.ipynb files or STUDENT/ folders, nbgrader's exchange, or a learning "
            "platform's zip as it was downloaded (Canvas, Moodle, Blackboard, Gradescope).",
        ),
    ],
    received: Annotated[
        str | None,
        typer.Option(
            "--received",
            metavar="TIME",
            help="When all of it was handed in (2026-11-01 18:00, or now), whatever the source says.",
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone",
            metavar="NAME",
            help="The zone of times that name none, such as Europe/Berlin. Default: this machine's.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also replace submissions by what is not newer.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Bring what students handed in into WORKSPACE/submitted/, safely, and note when it was handed in.

    Of several attempts the newest is taken; what it replaces is kept in WORKSPACE/replaced/. Times come
    from the platform, the exchange or the files on this disk, never from a file that a student wrote.
    """
    from autograder.collect import collect as bring
    from autograder.collect import collection_table, parse_received, time_zone
    from autograder.gradebook import sole_writer

    root = _course(course, workspace)
    chosen = places.find_lesson(root, lesson)
    zone = time_zone(timezone)
    when = parse_received(received, zone) if received else None
    spec = read_spec(chosen.lesson_path)
    if not source.exists():
        raise CourseError(f"There is no file or folder {source} to collect submissions from.")
    room = _workspace(workspace, root)
    with sole_writer(room):
        collected = bring(source, room, chosen, spec, received=when, zone=zone, force=force, dry_run=dry_run)
    _console().print(collection_table(collected.rows, title=f"{chosen.name} from {source.name}"))
    for row in collected.rows:
        for remark in row.remarks:
            typer.echo(f"{row.student}: {remark}")
    for remark in collected.remarks:
        typer.echo(remark)
    would = "Nothing was changed; this would be" if dry_run else f"Collected to {room.submitted}"
    typer.echo(f"{would}: {collected.count()}.")


@app.command()
@plainly
def grade(
    lesson: LessonName,
    submissions: Annotated[
        Path | None,
        typer.Option(
            "--submissions",
            "-s",
            help="First import this folder of STUDENT.ipynb files or of STUDENT/ folders.",
        ),
    ] = None,
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
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
    unsafe_no_sandbox: Unsafe = False,
):
    """Grade all submissions to a lesson, each in its own sandbox.

    Submissions lie in WORKSPACE/submitted/STUDENT/LESSON/; results go to nbgrader's gradebook there.
    Unchanged submissions are skipped, and grades and comments given by hand are never touched.
    """
    from autograder.submissions import import_submissions, left_out

    root = _course(course, workspace)
    chosen = places.find_lesson(root, lesson)
    spec = read_spec(chosen.lesson_path)
    if explain:
        from autograder.explain import explanation

        room = _workspace(workspace, root)
        typer.echo(explanation(room, chosen, spec, *explain, sandbox=not unsafe_no_sandbox))
        return
    if not scheduler and (tls_ca or tls_cert or tls_key or insecure):
        raise CourseError("The --tls options and --insecure are for grading on a cluster; add --scheduler.")
    if submissions is not None and not submissions.is_dir():
        import_submissions(submissions, None, chosen)  # says what is wrong before anything is written
    room = _workspace(workspace, root)
    if submissions is not None:
        import_submissions(submissions, room, chosen)
    options = {"workers": workers, "force": force, "sandbox": not unsafe_no_sandbox, "only": student}
    options["warm"] = not cold
    if scheduler:
        from autograder import cluster
        from autograder.nbgrader_config import instructors_config, limits_of

        options["limits"] = limits_of(instructors_config(room))
        with cluster.connect(
            scheduler, tls_ca=tls_ca, tls_cert=tls_cert, tls_key=tls_key, insecure=insecure
        ) as client:
            workers_there = cluster.Cluster(client, spec, options["limits"], sandbox=not unsafe_no_sandbox)
            results = _run(room, chosen, spec, executor=workers_there.executor, **options)
    else:
        results = _run(room, chosen, spec, **options)
    for note in left_out(room, chosen):
        typer.echo(f"Not graded: {note}", err=True)
    _tell_changed(room, spec)
    typer.echo(f"Gradebook: {room.gradebook}")
    typer.echo(
        f"Feedback pages: `unrolled feedback {lesson}`; a page for the class: `unrolled report {lesson}`."
    )
    _complain_of_faults(results)


def _run(room, lesson, spec, **options):
    """Grade with a progress bar, and print the table."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from autograder import reports, runner
    from autograder.submissions import students_folders

    only = options.get("only")
    if only:
        known = {folder.name for folder in students_folders(room, lesson)}
        unknown = [name for name in only if name not in known]
        if unknown:
            raise CourseError(
                f"There is no submission of {unknown[0]!r} to {lesson.name} in {room.submitted}."
            )
    else:
        options["only"] = None
    console = _console()
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
    console.print(reports.terminal_table(results, title=_title(lesson, results)))
    if skipped:
        typer.echo(
            f"{len(skipped)} of {len(results)} had not changed and were not graded again (--force would)."
        )
    return results


def _tell_changed(room, spec):
    """Say whose answers changed after a person had graded them."""
    from autograder.gradebook import changed_since_by_hand

    for student, names in changed_since_by_hand(room, spec).items():
        typer.echo(
            f"{student} changed {', '.join(names)} after it was graded by hand; the grade and the comment "
            "were kept, and it waits to be looked at again."
        )


def _title(lesson, results):
    return f"{lesson.name}: {len(results)} submission{'s' * (len(results) != 1)}"


def _complain_of_faults(results):
    faults = [name for name, result in results.items() if result["status"] == "infrastructure fault"]
    if faults:
        typer.echo(f"The grader itself failed for {', '.join(faults)}; run the command again.", err=True)
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
    import secrets

    from autograder.runner import Task, grade_task
    from autograder.sandbox import Limits
    from autograder.submissions import Submission, read_regular
    from autograder.verdicts import verdict_text

    raw = _read_notebook(notebook, read_regular)
    root = _course(course)
    spec = _spec_of(raw, notebook, lesson, root)
    submission = Submission("you", raw)
    task = Task(submission, spec, Limits(), secrets.token_bytes(32), not unsafe_no_sandbox, warm=False)
    graded = grade_task(task)
    for score in graded.scores.values():
        typer.echo(verdict_text(score))
    earned = round(sum(score.points for score in graded.scores.values()), 2)
    top = sum(cell.points for cell in spec.cells if cell.kind == "test")
    by_hand = sum(cell.points for cell in spec.cells if cell.kind == "written")
    typer.echo(f"\n{spec.assignment}: {earned:g} of {top:g} points, {graded.status}.", nl=False)
    typer.echo(f" {by_hand:g} more are given by hand for the written answer." if by_hand else "")
    for remark in graded.remarks:
        typer.echo(f"- {remark}")


def _read_notebook(path, read_regular):
    from autograder.reading import Unreadable

    if not path.exists():
        raise CourseError(f"There is no file {path}.")
    try:
        return read_regular(path.resolve())
    except Unreadable as error:
        raise CourseError(str(error)) from None


def _spec_of(raw, path, lesson, root):
    """The lesson that a notebook belongs to: by what was said, its file's name, or its cells."""
    from autograder.reading import Unreadable, read_cells

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


@app.command()
@plainly
def feedback(
    lesson: LessonName,
    student: Annotated[
        list[str] | None, typer.Option("--student", help="Only this student (may be repeated).")
    ] = None,
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Write a feedback page for each graded submission, with scores, verdicts and comments."""
    root = _course(course, workspace)
    chosen = places.find_lesson(root, lesson)
    room = _workspace(workspace, root)
    count = _feedback(room, root, chosen, student)
    typer.echo(f"Wrote {count} feedback page{'s' * (count != 1)} to {room.feedback}.")


def _feedback(room, root, lesson, only=None):
    from rich.progress import track

    from autograder.feedback import write_feedback
    from autograder.gradebook import sole_writer
    from autograder.results import read_results

    spec = read_spec(lesson.lesson_path)
    results = read_results(room, spec)
    if not results:
        raise CourseError(
            f"Nothing was graded for {lesson.name} in {room.root} yet; run `unrolled grade` first."
        )
    missing = [name for name in only or () if name not in results]
    if missing:
        raise CourseError(f"{missing[0]!r} was not graded for {lesson.name} in {room.root}.")
    names = sorted(only or results)
    with sole_writer(room):
        count = 0
        for name in track(names, "Writing feedback", console=Console(stderr=True), transient=True):
            count += write_feedback(room, root, spec, [name])
    return count


@app.command()
@plainly
def report(lesson: LessonName, workspace: WorkspaceFolder = None, course: CourseFolder = None):
    """Print the class's results and write them as a page that opens from disk."""
    root = _course(course, workspace)
    chosen = places.find_lesson(root, lesson)
    room = _workspace(workspace, root)
    path, results = _report(room, chosen)
    from autograder import reports

    _console().print(reports.terminal_table(results, title=_title(chosen, results)))
    typer.echo(f"Report: {path}")


def _report(room, lesson):
    from autograder import gradebook, reports
    from autograder.results import read_results

    spec = read_spec(lesson.lesson_path)
    results = read_results(room, spec)
    if not results:
        raise CourseError(
            f"Nothing was graded for {lesson.name} in {room.root} yet; run `unrolled grade` first."
        )
    standings, changed = gradebook.standings(room, spec), gradebook.changed_since_by_hand(room, spec)
    return reports.write_report(room, spec, standings, changed), results


@app.command()
@plainly
def export(
    lesson: LessonName,
    kind: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="csv|canvas|moodle|gradescope",
            help="A table for spreadsheets, a grade import, or Gradescope's results.json for each student.",
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
    workspace: WorkspaceFolder = None,
    course: CourseFolder = None,
):
    """Write the grades for other programs, with late penalties and grades given by hand in them."""
    from autograder.exports import export as write

    root = _course(course, workspace)
    chosen = places.find_lesson(root, lesson)
    room = _workspace(workspace, root)
    spec = read_spec(chosen.lesson_path)
    path, count, notes = write(room, chosen, spec, kind, out, roster=roster, column=column, excel=excel)
    for note in notes:
        typer.echo(note, err=True)
    typer.echo(f"{count} grade{'s' * (count != 1)} for {chosen.name}: {path}")


@app.command()
@plainly
def doctor():
    """Attack the sandbox from inside, and say what held and what is missing on this machine."""
    from autograder.doctor import attempts

    console = _console()
    failed = 0
    for finding in attempts():
        mark = "[green]held[/]" if finding.held else "[bold red]BROKE[/]"
        console.print(f"{mark}  {escape(finding.attempt)}: {escape(finding.says)}")
        failed += not finding.held
    if failed:
        typer.echo(
            f"{failed} attacks got through; do not grade untrusted notebooks on this machine.", err=True
        )
        raise typer.Exit(1)
    console.print("The sandbox holds: grading is safe here.")


@app.command()
@plainly
def demo(
    workspace: WorkspaceFolder = None,
    workers: WorkerCount = CORES,
    course: CourseFolder = None,
    unsafe_no_sandbox: Annotated[bool, typer.Option("--unsafe-no-sandbox", hidden=True)] = False,
):
    """Grade a sample class of lesson 03: right, wrong, broken and hostile notebooks, about 20 in all."""
    from autograder import demo as sample

    if unsafe_no_sandbox:
        raise CourseError("The sample class holds hostile notebooks; it is only graded in a sandbox.")
    root = _course(course, workspace)
    lesson = places.find_lesson(root, sample.LESSON)
    spec = read_spec(lesson.lesson_path)
    room = _workspace(workspace, root)
    others = {path.name for path in room.submitted.iterdir() if path.is_dir()} - set(sample.students())
    if others:
        raise CourseError(
            f"{room.root} holds a real class ({min(others)!r} handed in there); "
            "name another folder for the sample class with --workspace."
        )
    names = sample.write_class(lesson, room)
    typer.echo(f"A sample class of {len(names)} students handed in {lesson.name}.")
    results = _run(room, lesson, spec, workers=workers, only=names)
    _feedback(room, root, lesson, names)
    path, _ = _report(room, lesson)
    typer.echo(f"Gradebook: {room.gradebook}")
    typer.echo(f"Feedback:  {room.feedback}")
    typer.echo(f"Report:    {path}")
    typer.echo(f"To grade by hand: cd {room.root} && jupyter lab, then Formgrader in the Nbgrader menu.")
    _complain_of_faults(results)


@app.command()
@plainly
def workspace(
    folder: Annotated[
        Path | None, typer.Argument(help="The folder. Default: classroom/ in the course's folder.")
    ] = None,
    course: CourseFolder = None,
):
    """Prepare a folder in which plain nbgrader and its formgrader grade as we do."""
    from autograder import gradebook

    root = _course(course)
    room = _workspace(folder, root)
    with gradebook.sole_writer(room):
        names = []
        for lesson in places.all_lessons(root):
            if lesson.lesson_path.is_file():
                gradebook.register(room, read_spec(lesson.lesson_path))
                names.append(lesson.name)
    typer.echo(f"{room.root} is ready for {', '.join(names) or 'lessons, once there are some'}.")
    typer.echo(f"Put submissions at {room.submitted}/STUDENT/LESSON/, and run nbgrader in {room.root}.")


def main():
    """The `unrolled` command."""
    app()


if __name__ == "__main__":
    main()
