"""What was chosen goes to submitted/STUDENT/LESSON/, whole or not at all, and nothing there is lost.

Only what is newer replaces what is there; what it replaced goes to replaced/STUDENT/LESSON-N/. What is
perhaps somebody else's replaces nothing, and goes there, too, for a person to look at.
"""

import os
from dataclasses import dataclass, field
from datetime import datetime

from autograder.course.places import write_atomically
from autograder.intake.contents.reading import Unreadable
from autograder.intake.submissions import read_regular
from autograder.intake.times import UnknownZone, read_time

PARTS = ".collecting"  # beside submitted/, so that a folder moves into it in one step
REPLACED = "replaced"
SECRET = "submission_secret.txt"


@dataclass
class Row:
    """What became of one student's files; ``outcome`` is one of those that ``Collected.count`` knows."""

    student: str
    outcome: str
    file: str = ""
    time: datetime | None = None
    source_time: str = ""  # where the time comes from
    remarks: list = field(default_factory=list)
    secret: bytes | None = None  # by which nbgrader's exchange finds whose the feedback is
    sure: bool = True  # whether it is certain who handed it in
    doubts: list = field(default_factory=list)  # the remarks that whoever grades should see, too


@dataclass(frozen=True)
class Before:
    """What the record says of what is there: whether the source is a later one, and if that was sure."""

    later: bool = False
    sure: bool = True


def place(row, raw, workspace, lesson, before, force, dry_run):
    """Decide the row's outcome and bring it about; ``raw``: the notebook's bytes, or None."""
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
        newer = row.time > there if row.time and there else before.later
        newer = (newer and (row.sure or not before.sure)) or (row.sure and not before.sure)
        if raw is None or (is_notebook and not newer and not force):
            row.outcome = "kept"
            row.remarks.append(_why_kept(row, raw, there, before))
            if raw is not None and not row.sure:
                keep(raw, row, workspace, lesson, dry_run)
            return
        row.outcome = "newer" if newer or not is_notebook else "forced"
    if not dry_run:
        _put(row, raw, stamp, target, workspace, lesson)


def _why_kept(row, raw, there, before):
    if raw is None:
        why = "this has no notebook"
    elif before.sure and not row.sure:
        why = "this may be somebody else's"
    else:
        why = "this is no newer" if row.time and there else "this may be older"
    more = "" if raw is None else "; `unrolled collect --force` takes it"
    return f"What is in submitted/ was kept, because {why}{more}."


def _put(row, raw, stamp, target, workspace, lesson):
    part = workspace.root / PARTS / row.student
    part.mkdir(parents=True)
    if raw is not None:
        (part / f"{lesson.notebook}.ipynb").write_bytes(raw)
    if stamp:
        (part / "timestamp.txt").write_text(stamp)
    if row.secret:
        (part / SECRET).write_bytes(row.secret)
    aside = None
    if target.is_dir():
        aside = _free(workspace, row.student, lesson)
        aside.parent.mkdir(parents=True, exist_ok=True)
        os.rename(target, aside)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(part, target)
    except OSError:
        if aside is not None:
            os.rename(aside, target)
        raise
    if aside is not None:
        row.remarks.append(f"What it replaced is in {aside.relative_to(workspace.root)}.")


def keep(raw, row, workspace, lesson, dry_run=False):
    """Put a notebook that was not taken for the student into replaced/, once, and say where it is."""
    name = f"{lesson.notebook}.ipynb"
    aside = _free(workspace, row.student, lesson)
    for other in sorted(aside.parent.glob(f"{lesson.name}-*")):
        try:
            if read_regular(other / name) == raw:
                aside = other
                break
        except Unreadable:
            continue
    else:
        if not dry_run:
            write_atomically(aside / name, raw)
    row.remarks.append(f"What was not taken is in {aside.relative_to(workspace.root)}.")


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
    try:
        return read_time(path.read_bytes()[:200].decode(errors="replace"))
    except UnknownZone:
        return None


def _free(workspace, student, lesson):
    folder, number = workspace.root / REPLACED / student, 1
    while os.path.lexists(folder / f"{lesson.name}-{number}"):
        number += 1
    return folder / f"{lesson.name}-{number}"
