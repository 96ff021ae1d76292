"""nbgrader's exchange: whose a folder in it is, and when it came, where its name may say anything.

There every student makes folders, named STUDENT+LESSON+TIME+RANDOM by nbgrader, and by others as they like.
A name is believed as far as the disk agrees: the owner of folder and files says whose they are, the files'
times say when. What disagrees is told, and what may be somebody else's never replaces a student's own work.
"""

import os
import pwd
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from autograder.intake.times import UnknownZone, read_time

LEEWAY = timedelta(minutes=10)  # between the time in a folder's name and the writing of its last file
FEW = 4  # attempts, of which no majority can say what is usual
# How much an owner says: another student; one account for several students; one for this student alone, under
# another name; the student's own, or ours, into whose copy of an exchange everything is put.
FOREIGN, SHARED, ALONE, OWN = range(4)


@dataclass
class _Attempt:
    """One folder of the exchange, with what its name claims and what the disk says."""

    student: str
    name: str
    claimed: datetime | None
    order: datetime
    files: list = field(default_factory=list)
    remarks: list = field(default_factory=list)
    doubt: str = ""
    sure: bool = True
    owners: set = field(default_factory=set)  # but for ourselves
    seen: datetime | None = None  # when the last of its files was written
    touched: datetime | None = None  # when the disk last noted anything of them

    @property
    def off(self):
        """Whether the files' times contradict the name's."""
        return bool(self.claimed and self.seen) and abs(self.seen - self.claimed) > LEEWAY


def read_date(text, zone=None):
    """(time or None, a time to order attempts by or None, remarks) of what a folder's name says.

    nbgrader writes UTC unless told otherwise; ``zone`` is where the class is, whose letters are understood.
    """
    try:
        when = read_time(text, place=zone)
        return when, when, ()
    except UnknownZone as unknown:
        remark = (
            f"The folder's time is in the zone {unknown}, which may be one of several; --timezone says where."
        )
        return None, read_time(text.rsplit(maxsplit=1)[0], zone), (remark,)


def settle(handed):
    """(the files, the exchange's with owner and time decided, and sentences on all of it together)."""
    attempts = {}
    for one in handed:
        if one.platform == "exchange":
            attempt = _Attempt(one.student, one.folder, one.time, one.attempt)
            attempts.setdefault(one.folder, attempt).files.append(one)
    for attempt in attempts.values():
        _look(attempt)
    told = [*_decide_times(attempts.values()), *_decide_owners(attempts.values())]
    settled = []
    for one in handed:
        if one.platform == "exchange":
            found = attempts[one.folder]
            remarks = (*one.remarks, *found.remarks)
            one = replace(one, time=found.claimed, attempt=found.order, remarks=remarks)
            one = replace(one, doubt=found.doubt, sure=found.sure)
        settled.append(one)
    return settled, told


def _look(attempt):
    offered = [one.offered for one in attempt.files]
    files = [file for file in offered if not file.folder]
    attempt.owners = {file.owner for file in offered} - {None, os.getuid()}
    attempt.seen = max((file.modified for file in files if file.modified), default=None)
    attempt.touched = max((file.changed for file in files if file.changed), default=None)


def _decide_times(attempts):
    """Where the files' times are to be believed, they decide; yields what is true of many folders at once."""
    living = [one for one in attempts if one.owners]
    copied = [one for one in attempts if not one.owners]
    for group in (living, copied):
        off = [one for one in group if one.off]
        usual = 2 * len(off) < len(group)  # that names and files agree
        if off and not usual and (group is copied or len(group) >= FEW):
            yield (
                f"The times of the files in {len(off)} of {len(group)} folders are not those in the folders' "
                "names, as after copying; the names were believed."
            )
            continue
        for one in off:
            one.remarks.append(
                f"The folder {one.name} is dated {one.claimed:%Y-%m-%d %H:%M} UTC, but its files are of "
                f"{one.seen:%Y-%m-%d %H:%M} UTC; the files decide."
            )
            one.claimed = one.order = one.seen
    for one in living:
        if one.claimed is None and one.seen:
            one.claimed = one.order = one.seen
            one.remarks.append("The time is that of its files.")
    # Whoever owns a file can give it any date, but the disk notes when that was done.
    dated = [one for one in living if one.claimed and one.touched and one.touched - one.claimed > LEEWAY]
    if 2 * len(dated) < len(living) or len(living) < FEW:
        for one in dated:
            one.remarks.append(
                f"Its files say {one.claimed:%Y-%m-%d %H:%M} UTC, and something was done to them at "
                f"{one.touched:%Y-%m-%d %H:%M} UTC; is the earlier time true?"
            )


def _decide_owners(attempts):
    """Doubt the attempts that are less certainly the student's than others are; yields what holds for all."""
    owned, by_student, accounts = defaultdict(set), defaultdict(list), {}
    for one in attempts:
        by_student[one.student].append(one)
        for owner in one.owners:
            owned[owner].add(one.student)
            accounts[owner] = _account(owner)

    def level(owner, student):
        name = accounts[owner]
        if name == student:
            return OWN
        if name in by_student:
            return FOREIGN
        return ALONE if owned[owner] == {student} else SHARED

    one_for_all = len(owned) == 1 and len(by_student) > 1 and all(one.owners for one in attempts)
    one_for_all = one_for_all and not any(name in by_student for name in accounts.values())
    for student, own in by_student.items():
        levels = {one.name: min((level(owner, student) for owner in one.owners), default=OWN) for one in own}
        best = max(levels.values())
        sure = [one for one in own if levels[one.name] == best]
        if best < OWN:  # of two accounts that may both be the student's, the one that came first is
            first = min(sure, key=lambda one: (one.touched or one.order, one.name))
            sure = [one for one in sure if one.owners == first.owners]
        for one in own:
            names = sorted({accounts[owner] or f"user {owner}" for owner in one.owners})
            if one not in sure:
                one.doubt = f"{one.name} belongs to {' and '.join(names)}"
            elif best < ALONE or (best < OWN and any(accounts[owner] for owner in one.owners)):
                one.sure = False
                if not one_for_all:
                    one.remarks.append(
                        f"The folder {one.name} belongs to {' and '.join(names)}; did {student} hand it in?"
                    )
    if one_for_all:
        (owner,) = owned
        yield (
            f"All folders belong to {accounts[owner] or f'user {owner}'}, so owners do not say who handed in."
        )


def _account(owner):
    try:
        return pwd.getpwuid(owner).pw_name
    except (KeyError, OverflowError):
        return None
