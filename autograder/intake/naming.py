"""Whose file it is: how learning platforms and nbgrader's exchange name what students handed in.

Only the part of a name that the platform wrote is believed. Where a student's own words stand in the
same name, as in a file's, the pattern is read from the side that the platform controls. Times come from
fields of the platform or from our own disk, in this order, and never from a file that was handed in.
"""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from autograder.intake.contents.reading import Unreadable
from autograder.intake.exchange import read_date, settle
from autograder.intake.sources import Offered, printable
from autograder.intake.times import UnknownZone, read_time

# Canvas: ContentZipper in canvas-lms joins sortable name, LATE, user id, attachment id and file name.
CANVAS = re.compile(r"(?P<name>.+?)(?P<late>_LATE)?_(?P<number>\d+)_(?P<order>\d+)_(?P<file>.+)")
CANVAS_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<name>anon_(?P<number>[A-Za-z0-9]+))_(?P<order>\d+)_(?P<file>.+)"
)
MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+_?(?P<file>.*)")
BLACKBOARD = re.compile(r"(?P<name>.+?)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)")
EXCHANGE = re.compile(
    r"(?P<name>.+)\+(?P<lesson>\d\d-[a-z0-9-]+)\+(?P<time>[^+]+(?:\+\d\d:?\d\d)?)(?:\+[^+]*)?"
)
# A notebook as browsers and platforms save it: x.ipynb, X.IPYNB, x.ipynb.txt, x.ipynb-1.json, x.ipynb.ipynb.
NOTEBOOK = re.compile(
    r"(?P<stem>.*?)\.ipynb(?P<copy>[-_]\d{1,3}| ?\(\d{1,3}\))?(?:\.(?:ipynb|json|txt))?", re.IGNORECASE
)
GRADESCOPE = re.compile(r"submission_\d+")
GRADESCOPE_TABLE = "submission_metadata.yml"
LESSON_FOLDER = re.compile(r"\d\d-[a-z0-9-]+")


@dataclass(frozen=True)
class Handed:
    """One file that one student handed in."""

    student: str  # as the platform writes it
    path: tuple  # below what the platform added; the last is the file's name as the student gave it
    offered: Offered
    platform: str = ""
    number: str = ""  # the platform's own, which tells namesakes apart
    time: datetime | None = None
    attempt: datetime | None = None  # files of one attempt share it
    order: int = 0  # a later upload has a larger one
    late: bool = False
    remarks: tuple = ()
    folder: str = ""  # the exchange's, of this attempt
    doubt: str = ""  # why it is less certainly this student's than another
    sure: bool = True  # whether nothing speaks against its being this student's


@dataclass
class Class:
    """All files of a source that belong to a student, and a sentence for each that does not."""

    files: list = field(default_factory=list)
    remarks: list = field(default_factory=list)
    other_lessons: int = 0


def notebook_stem(name):
    """A notebook's name without its ending ("bptt-1" for bptt.ipynb-1.json); None where it is no notebook."""
    match = NOTEBOOK.fullmatch(name)
    return match["stem"] + (match["copy"] or "") if match else None


def identify(files, lesson, zone=None):
    """Say whose the files are; ``zone`` is the platform's, for times that do not name theirs."""
    files = _without_wrapper(files, lesson)
    found = Class()
    table = next((file for file in files if file.parts == (GRADESCOPE_TABLE,)), None)
    submitters = _gradescope_submitters(table, found.remarks, zone) if table else None
    pattern = _pattern_of(files)
    prefix = _blackboard_prefix(files) if pattern is BLACKBOARD else ""
    other, elsewhere, lost = set(), set(), {}

    def take(offered):
        top, rest = offered.parts[0], offered.parts[1:]
        match = pattern.fullmatch(top) if pattern else None
        exchange = EXCHANGE.fullmatch(top) if not match and (rest or offered.folder) else None
        if exchange and exchange["lesson"] != lesson.name:
            other.add(top)
        elif exchange:
            when, order, remarks = read_date(exchange["time"], zone)
            if order:
                handed = Handed(exchange["name"], rest, offered, "exchange", "", when, order, folder=top)
                found.files.append(replace(handed, remarks=remarks))
            else:
                lost[top] = f"{top!r} has no time that can be read; it was left out."
        elif submitters is not None and GRADESCOPE.fullmatch(top):
            if top not in submitters:
                lost[top] = f"{top} is not in {GRADESCOPE_TABLE}; nobody knows whose it is."
            for name, when in submitters.get(top, ()):
                found.files.append(Handed(name, rest, offered, "Gradescope", "", when, when))
        elif match and pattern is MOODLE:
            path = rest or ((match["file"],) if match["file"] else ())
            found.files.append(Handed(match["name"], path, offered, "Moodle", match["number"]))
        elif match and pattern is BLACKBOARD and not rest:
            when = read_time("{}-{}-{} {}:{}:{}".format(*match["time"].split("-")), zone)
            path = (match["file"],) if match["file"] else ()
            name = match["name"].removeprefix(prefix) if prefix else match["name"].rpartition("_")[2]
            found.files.append(Handed(name, path, offered, "Blackboard", "", when, when))
        elif match and not rest:
            found.files.append(_from_canvas(match, offered))
        elif any(LESSON_FOLDER.fullmatch(part) and part != lesson.name for part in rest[:1]):
            elsewhere.add(top)  # handed in for another lesson
        else:
            _take_plain(offered, lesson, found)

    for offered in files:
        if offered is table:
            continue
        try:
            take(offered)
        except Exception as error:  # one file's fault, whatever it is, ends nothing for the others
            lost[offered.name] = f"{offered.name!r} could not be taken ({said(error)}); it was left out."
    here = {handed.student for handed in found.files if handed.path}
    found.files = [h for h in found.files if h.path or h.student in here or h.student not in elsewhere]
    found.files, remarks = settle(found.files)
    found.remarks += [*lost.values(), *remarks]
    found.other_lessons = len(other | (elsewhere - here))
    return found


def said(error):
    """What an exception of any kind says, as a few words that can be printed."""
    return printable(f"{type(error).__name__}: {error}")[:200]


def _pattern_of(files):
    """The platform's pattern: it fits most files, and of several the one that tells most people apart.

    A student who names a file in another platform's way cannot make the whole class look like it, since
    what the platform wrote comes first; so where nothing else decides, the earliest match does.
    """
    tops = {file.parts[0] for file in files}
    fits = {}
    for pattern in (MOODLE, BLACKBOARD, CANVAS, CANVAS_ANONYMOUS):
        matches = [match for top in tops if (match := pattern.fullmatch(top))]
        # No two files in Canvas have one number; where they do, it was Blackboard's "Week_3_4".
        files_told = {match.groupdict().get("order", match[0]) for match in matches}
        # In Blackboard's "Homework_3_" and student numbers, Canvas would see one person.
        people_told = {match.groupdict().get("number", match["name"]) for match in matches}
        fits[pattern] = (len(files_told), len(people_told), -sum(match.end("name") for match in matches))
    best = max(fits, key=fits.get)
    return best if fits[best][0] else None


def _take_plain(offered, lesson, found):
    """STUDENT.ipynb, STUDENT/NOTEBOOK.ipynb or STUDENT/LESSON/NOTEBOOK.ipynb."""
    top, rest = offered.parts[0], offered.parts[1:]
    is_notebook = NOTEBOOK.fullmatch(top)
    student = is_notebook["stem"] if is_notebook else top
    if offered.folder and not rest:
        found.files.append(Handed(student, (), offered))
    elif rest:
        found.files.append(Handed(student, rest, offered, time=offered.modified))
    elif not is_notebook:
        why = offered.problem or "is neither a notebook nor a student's folder"
        more = "" if offered.problem else _instead(top)
        found.remarks.append(f"{top!r} {why}; it was left out{more}.")
    elif student.casefold() == lesson.notebook.casefold():
        found.remarks.append(f"{top} does not say whose it is; it was left out.")
    else:
        found.files.append(Handed(student, (top,), offered, time=offered.modified))


def _instead(name):
    """What to say of a file that students hand in where the notebook was meant."""
    ending = name.lower().rpartition(".")[2]
    if ending in ("zip", "tar", "gz", "tgz", "rar", "7z"):
        return ", as archives within are not opened: unpack it into a folder of its student's name"
    if ending in ("html", "htm", "pdf", "py"):
        return ": ask whoever handed it in for the .ipynb file"
    return ""


def _from_canvas(match, offered):
    numbers = match.groupdict()
    anonymous = numbers["name"].startswith("anon_")
    student = numbers["name"] if anonymous else f"{numbers['name']}_{numbers['number']}"
    remarks = ()
    if re.match(r"\d+_\d+_", match["file"]):
        remarks = (f"The name {offered.parts[0]!r} can be read in two ways; it was taken for {student}'s.",)
    return Handed(
        student,
        (match["file"],),
        offered,
        "Canvas",
        numbers["number"],
        order=int(match["order"][:18]),
        late=bool(match["late"]),
        remarks=remarks,
    )


def _without_wrapper(files, lesson):
    """The files without a folder that holds them all, such as the archive's own name."""
    for _ in range(3):
        inner = [file for file in files if len(file.parts) > 1]
        below = {file.parts[1] for file in inner}
        if len({file.parts[0] for file in files}) != 1 or not inner or _is_platforms(inner[0].parts[0]):
            return files
        if not any(name == GRADESCOPE_TABLE or _is_platforms(name) for name in below):
            # Perhaps it is a student's own folder; in a folder on disk the user would have named it.
            folders = {file.parts[1] for file in inner if file.folder or len(file.parts) > 2}
            notebooks = {name for name in below - folders if notebook_stem(name) is not None}
            if below & {f"{lesson.notebook}.ipynb", lesson.name} or inner[0].modified is not None:
                return files
            if not folders and len(notebooks) < 2:
                return files
        files = [replace(file, parts=file.parts[1:]) for file in inner]
    return files


def _is_platforms(name):
    patterns = (EXCHANGE, GRADESCOPE, MOODLE, BLACKBOARD, CANVAS, CANVAS_ANONYMOUS)
    return any(pattern.fullmatch(name) for pattern in patterns)


def _blackboard_prefix(files):
    """What stands before the user names: the assignment's name, the same in all files."""
    befores = {m["name"] for file in files if (m := BLACKBOARD.fullmatch(file.parts[0]))}
    if len(befores) < 2:
        return ""
    first, last = min(befores), max(befores)
    length = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[: first.rfind("_", 0, length) + 1]


def _gradescope_submitters(table, remarks, zone):
    """{submission folder: [(student, time)]} from the table that Gradescope writes beside the folders."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        """Plain data only; Ruby's own types are read as the mappings or words that they are written as."""

    def ruby(loader, suffix, node):
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        return None if isinstance(node, yaml.SequenceNode) else loader.construct_scalar(node)

    Loader.add_multi_constructor("!ruby/", ruby)
    try:
        data = yaml.load(table.read(), Loader)
    except (yaml.YAMLError, Unreadable, ValueError, RecursionError, TypeError) as error:
        remarks.append(f"{table.name} cannot be read ({' '.join(str(error).split())[:80]}).")
        return {}
    found = {}
    for folder, record in (data if isinstance(data, dict) else {}).items():
        if not isinstance(record, dict):
            continue
        when = record.get(":created_at")
        when = when.get("utc") if isinstance(when, dict) else when
        when = _known_time(when, zone) if when else None
        people = record.get(":submitters")
        people = people if isinstance(people, list) else []
        names = Counter(_submitter_name(person) for person in people if isinstance(person, dict))
        found[str(folder)] = [(name, when) for name in names if name]
    return found


def _known_time(text, zone):
    try:
        return read_time(text, zone)
    except UnknownZone:
        return None


def _submitter_name(person):
    values = (person.get(key) for key in (":sid", ":email", ":name"))
    return next((str(value).strip() for value in values if value and str(value).strip()), "")
