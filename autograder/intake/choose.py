"""Which of a student's files is meant, and whether they are a submission to the lesson at all.

The newest attempt that has a notebook counts, and in it the notebook with the lesson's name, else the one
with most of its exercises. What is not taken is named in a remark, so that nothing is lost without a word.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from autograder.course.places import all_lessons
from autograder.intake.contents.reading import OutOfReach, Unreadable
from autograder.intake.naming import LESSON_FOLDER, Handed, notebook_stem

COPY_MARK = re.compile(r"(?P<stem>.+?)(?:[-_](?P<number>\d{1,3})| ?\((?P<bracket>\d{1,3})\))")
ARCHIVE = re.compile(r"\.(zip|tar|t?gz|rar|7z)", re.IGNORECASE)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
NAMED = 3  # so many files are named in one remark
MOST_LOOKED_AT = 8  # notebooks of one student, which may all be as large as a file may be
OF_NBGRADER = ("timestamp.txt", "submission_secret.txt")  # which its exchange writes beside a notebook


@dataclass(frozen=True)
class Choice:
    """The file that is meant and its bytes; ``ours``: there may be one, and we were not let to it."""

    handed: Handed | None = None
    raw: bytes | None = None
    ours: bool = False


def choose(files, lesson, spec, remarks):
    """A Choice among one student's files; what was not taken, and why, is added to ``remarks``."""
    usable, others, closed, troubles = [], [], False, {True: [], False: []}
    for handed in files:
        name, shown = handed.path[-1] if handed.path else "", "/".join(handed.path)
        is_notebook = notebook_stem(name) is not None
        if is_notebook and handed.offered.folder:
            troubles[True].append(f"{shown} is a folder.")
        elif any(part.lower().endswith(".ipynb") for part in handed.path[:-1]):
            continue  # in such a folder
        elif handed.offered.problem:
            troubles[is_notebook].append(f"{shown or handed.offered.name} {handed.offered.problem}.")
            closed = closed or handed.offered.ours
        elif is_notebook:
            usable.append(handed)
        elif name == "timestamp.txt" and handed.platform != "exchange":
            remarks.append("A timestamp.txt among the files was not believed.")
        elif name and not handed.offered.folder and not (handed.folder and name in OF_NBGRADER):
            others.append(handed)
    told = [*troubles[True], *troubles[False]]
    remarks += told[:MOST_LOOKED_AT]
    if len(told) > MOST_LOOKED_AT:
        remarks.append(f"{len(told) - MOST_LOOKED_AT} more files could not be used for such reasons.")
    newest = _newest_attempt(files, usable, remarks)
    pool = [handed for handed in usable if _attempt(handed) == newest]
    beside = [handed.path[-1] for handed in others if not newest or _attempt(handed) == newest]
    for handed in _in_order(pool, lesson, spec, remarks)[:MOST_LOOKED_AT]:
        try:
            raw = handed.offered.read()
        except OutOfReach as error:
            remarks.append(f"{'/'.join(handed.path)} {error}.")
            return Choice(ours=True)  # an older or lesser one in its place would not be fair
        except Unreadable as error:
            remarks.append(f"{'/'.join(handed.path)} {error}.")
            continue
        if beside:
            remarks.append(f"Beside it lay {_some(sorted(set(beside)))}, which nothing reads.")
        return Choice(handed, raw)
    if not usable and not closed:
        shown = f" ({_some(sorted(set(beside)))})" if beside else ""
        packed = "; archives within are not opened" if any(map(_is_archive, beside)) else ""
        remarks.append(f"There is no notebook among what was handed in{shown}{packed}.")
    return Choice(ours=closed and not usable)


def _attempt(handed):
    """What the files of one attempt share; None where a platform knows no attempts."""
    return (handed.attempt or LONG_AGO, handed.folder) if handed.attempt or handed.folder else None


def _newest_attempt(files, usable, remarks):
    attempts = sorted({_attempt(handed) for handed in files} - {None})
    newest = max((_attempt(handed) for handed in usable if _attempt(handed)), default=None)
    if len(attempts) > 1 and newest:
        which = "the newest" if newest == attempts[-1] else "as later ones have no notebook"
        remarks.append(
            f"{len(attempts)} attempts: that of {newest[0]:%Y-%m-%d %H:%M} UTC was taken, {which}."
        )
    return newest


def _in_order(pool, lesson, spec, remarks):
    """The notebooks of one attempt, the one that is meant first."""

    def rank(handed):
        inside, copy = lesson.name in handed.path[:-1], _copy_number(handed, lesson) or 0
        return inside, -len(handed.path), handed.order, handed.time or LONG_AGO, copy

    named = [handed for handed in pool if _copy_number(handed, lesson) is not None]
    if named:
        ordered = sorted(named, key=rank, reverse=True)
        rest = [one.offered.name for one in (*ordered[1:], *(one for one in pool if one not in named))]
        if rest:
            remarks.append(f"{ordered[0].offered.name} was taken, not {_some(rest)}.")
        elif not ordered[0].path[-1].endswith(".ipynb"):
            remarks.append(f"{ordered[0].path[-1]} was taken for {lesson.notebook}.ipynb.")
    elif len(pool) == 1:
        ordered = pool
        remarks.append(f"{pool[0].path[-1]} was taken for {lesson.notebook}.ipynb.")
    elif pool:
        names = [cell.grade_id.encode() for cell in spec.cells if cell.kind == "solution"]
        likely = sorted(pool, key=rank, reverse=True)
        found = {id(handed): _recognised(handed, names) for handed in likely[:MOST_LOOKED_AT]}
        ordered = sorted(likely, key=lambda handed: found.get(id(handed), -1), reverse=True)
        remarks.append(
            f"None of {len(pool)} notebooks is called {lesson.notebook}.ipynb; "
            f"{'/'.join(ordered[0].path)}, which has most of the exercises, was taken, "
            f"not {_some(['/'.join(one.path) for one in ordered[1:]])}."
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
    stem, wanted = notebook_stem(handed.path[-1]).casefold(), lesson.notebook.casefold()
    match = COPY_MARK.fullmatch(stem)
    if stem != wanted and match and match["stem"] == wanted:
        return int(match["number"] or match["bracket"])
    return 0 if stem == wanted else None


def _is_archive(name):
    return bool(ARCHIVE.search(name[name.rfind(".") :]))


def _some(names):
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


# Whether it is a submission


def strange(people, lesson, spec):
    """{(name, number, platform): why it looks like nobody's submission}; ``people``: {person: files}.

    What a learning platform named is always somebody's, and so is a file that is broken. A folder that may be
    one student's or a class's is taken for a student's, unless most around it is strange, too.
    """
    found, unclear = {}, {}
    lessons = {one.name for one in all_lessons(lesson.course)}
    for person, files in people.items():
        why, certain = _strange(files, lesson, spec)
        if person[0] in lessons and not person[2]:
            why, certain = "is called like a lesson", True
        elif person[0] in ("lessons", "solutions") and not person[2]:
            why, certain = "is called like a folder of the course", True
        if why:
            (found if certain else unclear)[person] = why
    if 2 * len(found) + len(unclear) > len(people):
        found |= unclear
    return found


def _strange(files, lesson, spec):
    """(why, whether that is certain) for one name in a plain folder; ("", False) for a submission."""
    notebooks, no = [], ("", False)
    folders = {pair for handed in files for pair in zip(handed.path, handed.path[1:], strict=False)}
    if any(side == "solutions" and LESSON_FOLDER.fullmatch(name) for side, name in folders):
        return "is a copy of the course", True
    for handed in files:
        named = bool(handed.path) and notebook_stem(handed.path[-1]) is not None
        if handed.platform or lesson.name in handed.path[:1]:
            return no
        near = not handed.path or (named and len(handed.path) == 1)
        if handed.offered.problem and (near or (named and _copy_number(handed, lesson) is not None)):
            return no
        if len(handed.path) == 1 and not handed.offered.folder and _is_the_lessons(handed.path[0], lesson):
            return no
        if named and not handed.offered.folder and not handed.offered.problem:
            notebooks.append(handed)
    usual = {one.path[:-1] for one in notebooks if _copy_number(one, lesson) is not None}
    if len(usual) > 1 and () not in usual:
        return "holds several folders with notebooks of the lesson", True
    others = [] if usual and len(notebooks[0].offered.parts) > 1 else notebooks
    if usual and not others:
        deep = min(map(len, usual)) > 1
        return ("holds the notebook only deep inside", False) if deep else no
    theirs = sum(not _is_another_notebook(handed, spec) for handed in others[:MOST_LOOKED_AT])
    if not theirs:
        return ("has none of the lesson's exercises" if notebooks else "has no notebook"), True
    why = f"holds {theirs} notebooks, none of them called {lesson.notebook}.ipynb"
    return (why, theirs > 2) if theirs > 1 else no


def _is_the_lessons(name, lesson):
    """Whether a file is the lesson's, in a form that cannot be graded: bptt.zip, bptt.html."""
    stem, _, ending = name.casefold().partition(".")
    called = stem in (lesson.name, lesson.notebook.casefold())
    return called and (_is_archive(name) or ending in ("html", "htm", "pdf"))


def _is_another_notebook(handed, spec):
    """Whether the file is a whole notebook in which nothing of the lesson is left, as far as one sees."""
    try:
        raw = handed.offered.read()
    except Unreadable:
        return False
    text = raw.replace(b"\0", b"").strip()  # UTF-16, too
    whole = text.endswith(b"}") and re.search(rb'"(cells|worksheets)"\s*:\s*\[\s*[^\s\]]', text)
    names = [re.escape(cell.grade_id.encode()) for cell in spec.cells if cell.kind == "solution"]
    either = b"(?:" + b"|".join(names) + b")"
    ours = rb'\b(?:def|class)\s+%b\b|\bcheck\(\s*%b\b|"(?:grade_)?id"\s*:\s*"%b(?:-check)?"' % ((either,) * 3)
    return bool(whole) and not re.search(ours, text)
