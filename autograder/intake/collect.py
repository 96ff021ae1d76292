"""Collecting: what a class handed in, put at submitted/STUDENT/LESSON/NOTEBOOK.ipynb with its time.

``sources`` lists the files, ``naming`` says whose they are; here the newest attempt of each student is
chosen and moved into place whole, with a timestamp.txt of our own, from which nbgrader counts lateness.
Nothing is lost: what is replaced goes to replaced/, and collected/LESSON.json says where all came from.
"""

import contextlib
import os
import re
import shutil
import zoneinfo
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table
from rich.text import Text

from autograder.course.places import CourseError, write_atomically
from autograder.intake.ledger import Ledger
from autograder.intake.naming import identify
from autograder.intake.plain import plain
from autograder.intake.reading import Unreadable
from autograder.intake.sources import open_source
from autograder.intake.times import read_time

COPY_MARK = re.compile(r"(?P<stem>.+?)(?:[-_](?P<number>\d{1,3})| ?\((?P<bracket>\d{1,3})\))")
CHANGES = ("new", "newer", "forced", "time noted")
PARTS = ".collecting"  # beside submitted/, so that a folder moves into it in one step
LATE = "marked late"
SECRET = "submission_secret.txt"
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class Row:
    """What became of one student's files; ``outcome`` is one of those that ``count`` knows."""

    student: str
    outcome: str
    file: str = ""
    time: datetime | None = None
    source_time: str = ""  # where the time comes from
    remarks: list = field(default_factory=list)
    secret: bytes | None = None  # by which nbgrader's exchange finds whose the feedback is


@dataclass
class Collected:
    """The end of a collection: a row for each student, and sentences about the rest."""

    rows: list
    remarks: list

    def count(self):
        """The outcomes as words: "3 new, 1 newer"."""
        order = (*CHANGES, "unchanged", "kept", "no notebook", "left alone")
        counts = {name: sum(row.outcome == name for row in self.rows) for name in order}
        return ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "nothing"


def collection_table(rows, title=None):
    """A rich Table of the rows: student, outcome, file, time, where the time comes from."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in ("student", "outcome", "file", "handed in (UTC)", "time from"):
        table.add_column(name, overflow="fold")
    for row in rows:
        style = "green" if row.outcome in CHANGES else "dim" if row.outcome == "unchanged" else "yellow"
        when = f"{row.time:%Y-%m-%d %H:%M:%S}" if row.time else "-"
        texts = (row.student, row.outcome, row.file or "-", when, row.source_time or "-")
        table.add_row(*(Text(plain(text), style if text is row.outcome else "") for text in texts))
    return table


def parse_received(text, zone=None):
    """The time of --received in UTC: "now" or an ISO date and time; raises CourseError for anything else."""
    when = datetime.now(UTC) if text.strip().lower() == "now" else None
    if when is None and re.match(r"\d{4}-\d\d-\d\d", text.strip()):
        when = read_time(text, zone or datetime.now().astimezone().tzinfo)
    if when is None:
        raise CourseError(
            f"--received {text!r} is no time; write 2026-11-01 18:00, or 2026-11-01T18:00+01:00, or now."
        )
    return when


def time_zone(name):
    """The time zone of that name, or None for None; raises CourseError where there is none of the name."""
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise CourseError(
            f"There is no time zone {name!r}; write one such as Europe/Berlin or UTC."
        ) from None


def collect(source, workspace, lesson, spec, *, received=None, zone=None, force=False, dry_run=False):
    """Put what was handed in to a lesson into submitted/; returns a Collected.

    ``received``: a time for all of it, before what the source says. ``zone``: the platform's time zone,
    for times that name none; the machine's own otherwise. ``force``: replace also by what is not newer.
    """
    source = Path(source)
    if (source / "inbound").is_dir():
        source = source / "inbound"  # a course's folder in nbgrader's exchange
    if source.exists() and source.resolve() == workspace.submitted.resolve():
        raise CourseError(f"{source} is where submissions are collected to; name where they come from.")
    platform_zone = zone or datetime.now().astimezone().tzinfo
    with open_source(source) as offered:
        found = identify(offered.files, lesson, platform_zone)
        remarks = [*offered.remarks, *found.remarks]
        if not found.files:
            raise CourseError(_nothing_found(source, lesson, found, remarks))
        people = _by_person(found.files)
        ledger = Ledger(workspace, lesson, people)
        rows = []
        shutil.rmtree(workspace.root / PARTS, ignore_errors=True)  # of a run that was stopped
        try:
            for person, files in people.items():
                folder, remark = ledger.folder(person)
                row, raw = _look_at(folder, files, lesson, spec, received)
                row.remarks[:0] = [remark] if remark else []
                known = ledger.collected_as_of(folder)
                later = bool(known) and offered.as_of > datetime.fromisoformat(known)
                _place(row, raw, workspace, lesson, later, force, dry_run)
                if row.outcome in CHANGES or (row.outcome == "no notebook" and not known):
                    when = row.time.isoformat() if row.time else None
                    as_of = offered.as_of.isoformat()
                    ledger.note(folder, person, source=source.name, file=row.file, time=when, as_of=as_of)
                rows.append(row)
        finally:
            shutil.rmtree(workspace.root / PARTS, ignore_errors=True)
            if not dry_run:
                ledger.write()
    remarks += _remarks_on_time(rows, found, zone, platform_zone)
    if found.other_lessons:
        remarks.append(f"Left out, as they belong to other lessons: {found.other_lessons} folders.")
    return Collected(sorted(rows, key=lambda row: row.student), remarks)


def _remarks_on_time(rows, found, zone, platform_zone):
    remarks = []
    without = [row for row in rows if row.time is None and row.outcome != "left alone"]
    late = ", ".join(row.student for row in without if row.source_time == LATE)
    if without:
        remarks.append(
            f"{len(without)} of {len(rows)} came without a time of submission, so no penalty can be counted"
            + (f" (the platform marks as late: {late})" if late else "")
            + "; --received TIME gives one."
        )
    if zone is None and any(handed.platform == "Blackboard" for handed in found.files):
        name = datetime.now(platform_zone).tzname()
        remarks.append(
            f"Blackboard's times name no zone; they were read as {name} (--timezone names another)."
        )
    return remarks


def _nothing_found(source, lesson, found, remarks):
    others = f", but {found.other_lessons} to other lessons" if found.other_lessons else ""
    said = f" ({remarks[0].rstrip('.')})" if remarks else ""
    return (
        f"There are no submissions to {lesson.name} in {source}{others}{said}; expected are STUDENT.ipynb "
        "files, STUDENT/ folders, nbgrader's exchange, or a learning platform's zip as it was downloaded."
    )


def _by_person(files):
    people = {}
    for handed in files:
        people.setdefault((handed.student, handed.number, handed.platform), []).append(handed)
    return dict(sorted(people.items()))


def _look_at(folder, files, lesson, spec, received):
    """The row for one student's files, its outcome still open, and the notebook's bytes or None."""
    row = Row(folder, "")
    row.remarks += sorted({remark for handed in files for remark in handed.remarks})
    row.remarks += _owner_remarks(files)
    chosen, raw = _choose(files, lesson, spec, row.remarks)
    newest = chosen or max(files, key=lambda handed: handed.time or LONG_AGO)
    row.file = "/".join(chosen.path) if chosen else ""
    for handed in files if chosen and chosen.platform == "exchange" else ():
        beside = handed.attempt == chosen.attempt and handed.path == (*chosen.path[:-1], SECRET)
        if beside and not handed.offered.folder:
            with contextlib.suppress(Unreadable):
                row.secret = handed.offered.read()[:1000]
    row.time = received or newest.time
    if received:
        row.source_time = "--received"
    elif newest.time:
        row.source_time = newest.platform or "file"
    elif any(handed.late for handed in files):
        row.source_time = LATE
    return row, raw


# Which file


def _choose(files, lesson, spec, remarks):
    """(file, bytes) or (None, None): of the newest attempt that has a notebook, the one that is meant."""
    usable, others = [], []
    for handed in files:
        name, shown = handed.path[-1] if handed.path else "", "/".join(handed.path)
        is_notebook = name.lower().endswith(".ipynb")
        if is_notebook and handed.offered.folder:
            remarks.append(f"{shown} is a folder.")
        elif any(part.lower().endswith(".ipynb") for part in handed.path[:-1]):
            continue  # in such a folder
        elif handed.offered.problem:
            remarks.append(f"{shown or handed.offered.name} {handed.offered.problem}.")
        elif is_notebook:
            usable.append(handed)
        elif name == "timestamp.txt" and handed.platform != "exchange":
            remarks.append("A timestamp.txt among the files was not believed.")
        elif name and not handed.offered.folder:
            others.append(name)
    attempts = sorted({handed.attempt for handed in files if handed.attempt})
    newest = max((handed.attempt for handed in usable if handed.attempt), default=None)
    if len(attempts) > 1 and newest:
        which = "the newest" if newest == attempts[-1] else "as later ones have no notebook"
        remarks.append(f"{len(attempts)} attempts: that of {newest:%Y-%m-%d %H:%M} UTC was taken, {which}.")
    pool = [handed for handed in usable if handed.attempt == newest]
    for handed in _in_order(pool, lesson, spec, remarks):
        try:
            return handed, handed.offered.read()
        except Unreadable as error:
            remarks.append(f"{'/'.join(handed.path)} {error}.")
    if not usable:
        shown = f" ({', '.join(sorted(set(others))[:3])})" if others else ""
        packed = any(re.search(r"\.(zip|tar|t?gz|rar|7z)$", name.lower()) for name in others)
        closed = "; archives within are not opened" if packed else ""
        remarks.append(f"There is no notebook among what was handed in{shown}{closed}.")
    return None, None


def _in_order(pool, lesson, spec, remarks):
    """The notebooks of one attempt, the one that is meant first."""

    def rank(handed):
        inside, copy = lesson.name in handed.path[:-1], _copy_number(handed, lesson) or 0
        return inside, -len(handed.path), handed.order, handed.time or LONG_AGO, copy

    named = [handed for handed in pool if _copy_number(handed, lesson) is not None]
    if named:
        ordered = sorted(named, key=rank, reverse=True)
        if len(ordered) > 1:
            remarks.append(f"{ordered[0].offered.name} was taken, not {ordered[1].offered.name}.")
    elif len(pool) == 1:
        ordered = pool
        remarks.append(f"{pool[0].path[-1]} was taken for {lesson.notebook}.ipynb.")
    elif pool:
        names = [cell.grade_id.encode() for cell in spec.cells if cell.kind == "solution"]
        ordered = sorted(pool, key=lambda handed: (_recognised(handed, names), *rank(handed)), reverse=True)
        remarks.append(
            f"None of {len(pool)} notebooks is called {lesson.notebook}.ipynb; "
            f"{'/'.join(ordered[0].path)}, which has most of the exercises, was taken."
        )
    else:
        ordered = []
    return ordered


def _recognised(handed, names):
    try:
        raw = handed.offered.read()
    except Unreadable:
        return -1
    return sum(name in raw for name in names)


def _copy_number(handed, lesson):
    """Which copy of the notebook a file is by its name: 1 for bptt-1.ipynb; None for any other name."""
    if len(handed.offered.parts) == 1 and not handed.platform:
        return 0  # STUDENT.ipynb
    stem, wanted = handed.path[-1][: -len(".ipynb")].casefold(), lesson.notebook.casefold()
    match = COPY_MARK.fullmatch(stem)
    if stem != wanted and match and match["stem"] == wanted:
        return int(match["number"] or match["bracket"])
    return 0 if stem == wanted else None


def _owner_remarks(files):
    """In a living exchange each folder belongs to its student; in a copy of it, all of it is ours."""
    import pwd

    for handed in files:
        owner = handed.offered.owner
        if handed.platform != "exchange" or handed.path or owner in (None, os.getuid()):
            continue
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"user {owner}"
        if name != handed.student:
            return [f"The folder {handed.offered.name} belongs to {name}; did {handed.student} hand it in?"]
    return []


# Into its place


def _place(row, raw, workspace, lesson, later, force, dry_run):
    """Decide the row's outcome and bring it about; ``later``: the source is later than what is there."""
    target = workspace.submitted / row.student / lesson.name
    if target.parent.is_symlink() or target.is_symlink() or (os.path.lexists(target) and not target.is_dir()):
        row.outcome = "left alone"
        row.remarks.append(f"{target} is a link or a file; move it away and collect again.")
        return
    stamp = f"{row.time:%Y-%m-%d %H:%M:%S.%f} UTC\n" if row.time else None
    is_notebook, old = _notebook_there(target, lesson)
    there = _time_there(target)
    if not target.is_dir():
        row.outcome = "new" if raw is not None else "no notebook"
    elif raw is None and not is_notebook:
        row.outcome = "no notebook"
        return
    elif raw == old:
        row.outcome = "unchanged"
        if stamp and (there is None or (force and there != row.time)):
            row.outcome = "time noted"
            row.remarks.append("If it is graded already, `unrolled grade` counts its lateness.")
            if not dry_run:
                write_atomically(target / "timestamp.txt", stamp)
        return
    else:
        newer = row.time > there if row.time and there else later
        if raw is None or (is_notebook and not newer and not force):
            row.outcome = "kept"
            why = (
                "has no notebook" if raw is None else "is no newer" if row.time and there else "may be older"
            )
            more = "" if raw is None else "; --force takes it"
            row.remarks.append(f"What is in submitted/ was kept, because this {why}{more}.")
            return
        row.outcome = "newer" if newer or not is_notebook else "forced"
    if dry_run:
        return
    part = workspace.root / PARTS / row.student
    part.mkdir(parents=True)
    if raw is not None:
        (part / f"{lesson.notebook}.ipynb").write_bytes(raw)
    if stamp:
        (part / "timestamp.txt").write_text(stamp)
    if row.secret:
        (part / SECRET).write_bytes(row.secret)
    if target.is_dir():
        aside = _free(workspace.root / "replaced" / row.student / lesson.name)
        aside.parent.mkdir(parents=True, exist_ok=True)
        os.rename(target, aside)
        row.remarks.append(f"What it replaced is in {aside.relative_to(workspace.root)}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(part, target)


def _notebook_there(target, lesson):
    """(whether there is a notebook of any name, the bytes of the one with the right name or None)."""
    path = target / f"{lesson.notebook}.ipynb"
    if path.is_file() and not path.is_symlink():
        return True, path.read_bytes()
    return any(target.glob("*.ipynb")), None


def _time_there(target):
    path = target / "timestamp.txt"
    if path.is_symlink() or not path.is_file():
        return None
    return read_time(path.read_bytes()[:200].decode(errors="replace"))


def _free(path):
    number = 1
    while os.path.lexists(path.with_name(f"{path.name}-{number}")):
        number += 1
    return path.with_name(f"{path.name}-{number}")
