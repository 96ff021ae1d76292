"""Collecting: what a class handed in, put at submitted/STUDENT/LESSON/NOTEBOOK.ipynb with its time.

``sources`` lists the files, ``naming`` and ``exchange`` say whose they are and of when, ``choose`` which of a
student's is meant, and ``place`` moves it there with a timestamp.txt of our own, from which nbgrader counts
lateness. One student's trouble is that student's row. collected/LESSON.json says where all came from.
"""

import contextlib
import re
import shutil
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table
from rich.text import Text

from autograder.course.places import FULL, CourseError
from autograder.intake.choose import LONG_AGO, choose, strange
from autograder.intake.contents.reading import Unreadable
from autograder.intake.ledger import Ledger
from autograder.intake.naming import identify, said
from autograder.intake.place import PARTS, SECRET, Before, Row, keep, place
from autograder.intake.plain import plain
from autograder.intake.sources import open_source, printable
from autograder.intake.times import MachineZone, UnknownZone, read_time

CHANGES = ("new", "newer", "forced", "time noted")
FAILED = "could not be read"
LATE = "marked late"
OF_EXCHANGE = {"inbound", "outbound", "feedback"}  # and a student's folder may be called like one of them
MOST_NAMED = 100  # of what looks like no submission


class NothingThere(CourseError):
    """No submission to the lesson is in the source."""


@dataclass
class Collected:
    """The end of a collection: a row for each student, and sentences about the rest."""

    rows: list
    remarks: list

    def count(self):
        """The outcomes as words: "3 new, 1 newer"."""
        order = (*CHANGES, "unchanged", "kept", "no notebook", "left alone", FAILED)
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
        try:
            when = read_time(text, zone or MachineZone())
        except UnknownZone as name:
            raise CourseError(
                f"--received {text!r} is in the zone {name}, which may be one of several; write the zone as "
                "a number, as in 2026-11-01T18:00+01:00, or name a place with --timezone."
            ) from None
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


def collect(
    source,
    workspace,
    lesson,
    spec,
    *,
    received=None,
    zone=None,
    force=False,
    dry_run=False,
    admit=None,
    named_only=False,
):
    """Put what was handed in to a lesson into submitted/; returns a Collected.

    ``received``: a time for all of it, before what the source says. ``zone``: the platform's time zone,
    for times that name none; the machine's own otherwise. ``force``: replace also by what is not newer.
    ``admit``: asked, with the students' names and "NAME why" of what looks like no submission, whether to
    take that, too; it is left out otherwise. ``named_only``: take only what stands in a folder that names
    the lesson, as when several are collected from one place.
    """
    source = _folder_meant(Path(source), workspace)
    platform_zone = zone or MachineZone()
    with open_source(source) as offered:
        found = identify(offered.files, lesson, platform_zone)
        remarks = [*offered.remarks, *found.remarks]
        if named_only:
            found.files = [one for one in found.files if one.platform or lesson.name in one.path[:1]]
        if not found.files:
            raise NothingThere(_nothing_found(source, lesson, found, remarks))
        people = _by_person(found.files, remarks)
        ledger = Ledger(workspace, lesson, people)
        _leave_strangers(people, ledger, lesson, spec, source, admit, remarks)
        rows = []
        shutil.rmtree(workspace.root / PARTS, ignore_errors=True)  # of a run that was stopped
        try:
            for person, files in people.items():
                rows.append(_collect_one(person, files, ledger, spec, received, offered, force, dry_run))
        finally:
            shutil.rmtree(workspace.root / PARTS, ignore_errors=True)
            if not dry_run:
                ledger.write()
    remarks += _remarks_on_time(rows, found, zone, platform_zone)
    if found.other_lessons and not named_only:
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
            + "; `unrolled collect --received TIME` gives one."
        )
    of_disk = sum(row.source_time == "file" and row.outcome in CHANGES for row in rows)
    if of_disk:
        remarks.append(
            f"{of_disk} of {len(rows)} have the time at which their file was last written on this disk, "
            "which copying may have changed; `unrolled collect --received TIME` gives another."
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


def _folder_meant(source, workspace):
    """The folder to list: an exchange's own in a course's; raises CourseError where it is not handed in."""
    try:
        if (source / "inbound").is_dir() and OF_EXCHANGE.issuperset(_names(source)):
            return source / "inbound"  # a course's folder in nbgrader's exchange
        if source.exists() and source.resolve() == workspace.submitted.resolve():
            raise CourseError(f"{source} is where submissions are collected to; name where they come from.")
    except OSError as error:
        raise CourseError(f"{source} cannot be opened ({error.strerror}).") from None
    return source


def _names(folder):
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def _by_person(files, remarks):
    """{(name, number, platform): files}, those whom a platform named first."""
    people = {}
    for handed in files:
        people.setdefault((handed.student, handed.number, handed.platform), []).append(handed)
    if any(platform == "exchange" for _, _, platform in people):
        for person in [person for person in people if not person[2]]:
            del people[person]  # anybody can make a folder there, and nbgrader makes none of that name
            remarks.append(f"{person[0]!r} in the exchange was not made by nbgrader; it was left out.")
    return dict(sorted(people.items(), key=lambda one: (not one[0][2], one[0])))


def _leave_strangers(people, ledger, lesson, spec, source, admit, remarks):
    """Take out of ``people`` what looks like nobody's submission, unless ``admit`` says that it is one."""
    unknown = {person: files for person, files in people.items() if not ledger.knows(person)}
    found = strange(unknown, lesson, spec)
    if not found:
        return
    alike = [printable(person[0]) for person in people if person not in found]
    each = [f"{printable(person[0])!r} {why}" for person, why in found.items()]
    if admit is not None and admit(alike, each):
        return
    if not alike:
        raise CourseError(
            f"Nothing in {source} looks like a submission to {lesson.name}: {'; '.join(each[:8])}"
            + ("; and more" if len(found) > 8 else "")
            + ". Name the folder that holds STUDENT.ipynb files or STUDENT/ folders, or add --yes to take "
            "all of it as it is."
        )
    more = f"; and {len(each) - MOST_NAMED} more" if len(each) > MOST_NAMED else ""
    remarks.append(
        f"Not taken, as it looks like no submission to {lesson.name}: {'; '.join(each[:MOST_NAMED])}{more} "
        "(--yes takes it, too)."
    )
    for person in found:
        del people[person]


def _collect_one(person, files, ledger, spec, received, offered, force, dry_run):
    """One student's row, whatever happens; only what happens to all of them is raised."""
    try:
        folder, remark = ledger.folder(person)
        row, raw, ours = _look_at(folder, files, ledger, spec, received, dry_run)
        row.remarks[:0] = [remark] if remark else []
        if ours:
            row.outcome = FAILED
            row.remarks.append("Nothing was charged: make it readable, and collect again.")
            return row
        known = ledger.collected_as_of(folder)
        later = bool(known) and offered.as_of > datetime.fromisoformat(known)
        before = Before(later, ledger.is_sure(folder))
        place(row, raw, ledger.workspace, ledger.lesson, before, force, dry_run)
        if row.outcome in CHANGES or (row.outcome == "no notebook" and not known):
            when = row.time.isoformat() if row.time else None
            more = {"doubts": row.doubts} if row.doubts else {}
            more |= {} if row.sure else {"sure": False}
            ledger.note(
                folder,
                person,
                source=printable(offered.name),
                file=row.file,
                time=when,
                as_of=offered.as_of.isoformat(),
                **more,
            )
        elif row.doubts and known:
            ledger.entries[folder]["doubts"] = row.doubts
        return row
    except CourseError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise CourseError(
                f"{ledger.workspace.root} cannot be written ({error.strerror}); what was collected is kept."
            ) from None
        remark = f"It could not be collected ({said(error)}); what was there is as it was."
        return Row(printable(person[0]), FAILED, remarks=[remark])


def _look_at(folder, files, ledger, spec, received, dry_run):
    """(the row for one student's files, its outcome still open; the notebook's bytes or None; ours)."""
    row = Row(folder, "")
    for doubtful in sorted({handed.folder for handed in files if handed.doubt}):
        _set_aside([handed for handed in files if handed.folder == doubtful], row, ledger, spec, dry_run)
    files = [handed for handed in files if not handed.doubt]
    row.doubts = [*row.remarks, *sorted({remark for handed in files for remark in handed.remarks})]
    row.remarks = list(row.doubts)
    choice = choose(files, ledger.lesson, spec, row.remarks)
    chosen = choice.handed
    newest = chosen or max(files, key=lambda handed: handed.time or LONG_AGO)
    row.file, row.sure = "/".join(chosen.path) if chosen else "", newest.sure
    for handed in files if chosen and chosen.platform == "exchange" else ():
        beside = handed.folder == chosen.folder and handed.path == (*chosen.path[:-1], SECRET)
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
    return row, choice.raw, choice.ours


def _set_aside(files, row, ledger, spec, dry_run):
    """Keep what is perhaps somebody else's where a person can look at it."""
    row.remarks.append(f"{files[0].doubt}, so it was not taken for {row.student}'s.")
    choice = choose(files, ledger.lesson, spec, [])
    if choice.raw is not None:
        keep(choice.raw, row, ledger.workspace, ledger.lesson, dry_run)
