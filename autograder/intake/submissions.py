"""Submissions as files: where they lie in submitted/, and which file is meant.

Links are never followed and only plain files are read, since a submission may have been unpacked from
an archive that a student made. What cannot be used still becomes a submission, with the reason; and where
the reason is this machine's, it says so, since no student is charged for that.
"""

import hashlib
import os
import re
import stat
from dataclasses import dataclass

from autograder.course.places import CourseError
from autograder.course.spec import SpecError, read_spec
from autograder.intake.contents.reading import MAX_BYTES, OutOfReach, Unreadable, could_not_read
from autograder.intake.naming import notebook_stem, said
from autograder.intake.plain import named
from autograder.intake.sources import printable
from autograder.intake.times import UnknownZone, read_timestamp

STUDENT_NAME = re.compile(r"[\w][\w.@,' +-]{0,99}")
MAX_NAME = 240  # bytes, since some files are called as a student is, with an ending


@dataclass(frozen=True)
class Submission:
    """One student's file as it was found; ``raw`` is None where there is none, and ``problem`` says why."""

    student: str
    raw: bytes | None
    problem: str = ""
    remarks: tuple = ()
    timestamp: object = None
    ours: bool = False  # whether the problem is ours, and the student is charged nothing

    @property
    def hash(self):
        return hashlib.sha256(self.raw if self.raw is not None else self.problem.encode()).hexdigest()


def usable_name(name):
    """Whether a folder's name can be a student's, in a gradebook and in files that are called so."""
    return bool(STUDENT_NAME.fullmatch(name)) and len(name.encode()) <= MAX_NAME


def find_submissions(workspace, lesson):
    """The submissions to a lesson, by student; raises CourseError where there are none, and says why."""
    return [read_submission(folder, lesson) for folder in students_folders(workspace.submitted, lesson)]


def students_folders(submitted, lesson):
    """The folders of the students who handed in; raises CourseError where there are none, and says why.

    ``submitted``: the workspace's folder of submissions, as STUDENT/LESSON/NOTEBOOK.ipynb.
    """
    folder = submitted
    expected = f"{folder}/STUDENT/{lesson.name}/{lesson.notebook}.ipynb"
    folders = [path for path in _listed(folder) if _is_folder(path)]
    found = [path for path in folders if usable_name(path.name) and _is_there(path / lesson.name)]
    if found:
        return found
    if _is_folder(folder / lesson.name):
        raise CourseError(f"{folder} is laid out as LESSON/STUDENT; submissions are expected at {expected}.")
    if any(_has_notebooks(path) for path in (folder, *folders)):
        raise CourseError(
            f"The notebooks in {folder} lack a folder for their lesson; move them to another folder and "
            f"import them with --submissions, or put them at {expected}."
        )
    others = sorted({printable(path.name) for one in folders for path in _listed(one) if _is_folder(path)})
    there = f" (there are some to {', '.join(others)})" if others else ""
    raise CourseError(
        f"There are no submissions to {lesson.name} in {folder}{there}; "
        f"put them at {expected}, or import a folder of them with --submissions."
    )


def left_out(workspace, lesson):
    """Names in submitted/ that look like a submission to this lesson but are not graded, each with why."""
    notes = []
    for path in _listed(workspace.submitted):
        shown = printable(path.name)
        if not _is_folder(path):
            if notebook_stem(path.name) is not None:
                notes.append(f"{shown} is not in a student's folder.")
        elif not usable_name(path.name):
            long = " (it is too long)" if STUDENT_NAME.fullmatch(path.name) else ""
            notes.append(f"{shown!r} is not usable as a student's name{long}; give the folder another.")
        elif not _is_there(path / lesson.name) and _has_notebooks(path):
            notes.append(f"{shown} has notebooks, but no folder {lesson.name}.")
    return notes


def _listed(folder):
    """The paths in a folder but for hidden ones, in order; none where it cannot be listed."""
    try:
        return [folder / name for name in sorted(os.listdir(folder)) if not name.startswith(".")]
    except OSError:
        return []


def _is_folder(path):
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_there(path):
    """Whether there is something of that name, or may be: where we may not look, reading it will say so."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _has_notebooks(folder):
    return any(notebook_stem(path.name) is not None for path in _listed(folder))


def read_submission(student_folder, lesson):
    """What one student handed in to a lesson: always a Submission, with the reason where there is nothing."""
    student, folder = student_folder.name, student_folder / lesson.name
    remarks, timestamp = [], None
    try:
        timestamp = _read_time(folder / "timestamp.txt", remarks)
        path, note = _choose(student_folder, folder, lesson)
        remarks += note
        return Submission(student, read_regular(path), "", tuple(remarks), timestamp)
    except OutOfReach as error:
        return Submission(
            student, None, f"{error} Nothing was charged.", tuple(remarks), timestamp, ours=True
        )
    except Unreadable as error:
        return Submission(student, None, str(error), tuple(remarks), timestamp)
    except Exception as error:  # whatever it is, it is this submission's, and never the student's fault
        problem = f"It could not be read ({said(error)}); nothing was charged."
        return Submission(student, None, problem, tuple(remarks), timestamp, ours=True)


def _read_time(path, remarks):
    try:
        text = read_regular(path)[:200].decode()
    except OutOfReach as error:
        remarks.append(f"The time of submission is not known: {error}")
        return None
    except (Unreadable, UnicodeDecodeError):
        return None
    try:
        return read_timestamp(text) if text.strip() else None
    except UnknownZone as zone:
        remarks.append(
            f"The time of submission is in the zone {printable(str(zone))}, which may be one of several: "
            "write timestamp.txt with a number, as in 2026-11-01 18:00 +0100."
        )
    except ValueError:
        remarks.append("The time of submission in timestamp.txt could not be read.")
    return None


def _choose(student_folder, folder, lesson):
    """(path of the notebook, remarks); raises Unreadable where it is not clear which file is meant."""
    try:
        for part in (student_folder, folder):
            if part.is_symlink():
                raise Unreadable(f"The folder {printable(part.name)} is a link, and links are not followed.")
        if not stat.S_ISDIR(os.stat(folder).st_mode):
            raise Unreadable(f"{lesson.name} is a file; a folder with the notebook in it was expected.")
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise could_not_read(error, f"{printable(student_folder.name)}/{lesson.name}", ".") from None
    expected = f"{lesson.notebook}.ipynb"
    notebooks = [name for name in names if notebook_stem(name) is not None]
    others = [folder / name for name in notebooks if name != expected]
    if expected in names and not others:
        return folder / expected, []
    alike = [name for name in notebooks if notebook_stem(name).casefold() == lesson.notebook.casefold()]
    if expected not in names and (len(notebooks) == 1 or len(alike) == 1):
        (name,) = alike if len(alike) == 1 else notebooks
        return folder / name, [f"The notebook is called {named(name)}; it was taken for {expected}."]
    if not others:
        there = f" (there is {named(names[0])})" if names else ""
        raise Unreadable(f"There is no notebook {expected} in the folder{there}.")
    return _worked_on(folder / expected if expected in names else None, others, lesson)


def _worked_on(expected, others, lesson):
    """Of several notebooks the one that was worked on, with a remark; raises Unreadable where none is."""
    work = {path: _work(path, lesson) for path in (*([expected] if expected else []), *others)}
    done = [path for path in others if work[path]]
    names = " and ".join(named(path.name) for path in (done or others)[:5])
    if expected and (work[expected] or not done):
        other = [path for path in done if _bytes(path) != _bytes(expected)]
        note = f"There is also work in {names}; {expected.name} was graded."
        return expected, [note] if other else []
    if expected:
        best = max(done, key=lambda path: (work[path], path.name))
        more = f" Of {names} it has the most answers." if len(done) > 1 else ""
        return best, [f"{named(best.name)} was graded, since nothing was done in {expected.name}.{more}"]
    if len(done) == 1:
        return done[0], [f"{named(done[0].name)} was graded, since nothing was done in the other notebooks."]
    what = f"and there is work in {names}" if done else "and nothing was done in any"
    raise Unreadable(
        f"There are {len(others)} notebooks, none of them called {lesson.notebook}.ipynb, {what}; "
        "hand in one."
    )


def _work(path, lesson):
    """How many answers were worked on in a notebook; 0 where it cannot be read."""
    from autograder.intake.contents.rescue import amount_of_work  # takes a second, and is seldom needed

    try:
        return amount_of_work(_bytes(path), read_spec(lesson.lesson_path))
    except (Unreadable, SpecError):
        return 0


def _bytes(path):
    try:
        return read_regular(path)
    except Unreadable:
        return b""


def read_regular(path):
    """The bytes of a plain file of bearable size; raises Unreadable for links, folders and devices.

    Raises OutOfReach where there is a file that this machine does not let us read.
    """
    name = printable(path.name)
    try:
        if path.is_symlink():
            raise Unreadable(f"{name} is a link, and links are not followed.")
        # Not blocking, because opening a named pipe would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable(f"{name} is no plain file.")
            return file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise Unreadable(f"{name} is a folder.") from None
    except OSError as error:
        raise could_not_read(error, name, ".") from None
