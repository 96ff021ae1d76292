"""Submissions as files: where they lie, which file is meant, and how a plain folder of them is imported.

Links are never followed and only plain files are read, since a submission may have been unpacked from
an archive that a student made. What cannot be used still becomes a submission, with the reason.
"""

import hashlib
import os
import re
import stat
from dataclasses import dataclass

from autograder.course.places import CourseError, write_atomically
from autograder.course.spec import SpecError, read_spec
from autograder.intake.plain import named
from autograder.intake.reading import MAX_BYTES, Unreadable
from autograder.intake.times import read_timestamp

STUDENT_NAME = re.compile(r"[\w][\w.@,' +-]{0,99}")


@dataclass(frozen=True)
class Submission:
    """One student's file as it was found; ``raw`` is None where there is none, and ``problem`` says why."""

    student: str
    raw: bytes | None
    problem: str = ""
    remarks: tuple = ()
    timestamp: object = None

    @property
    def hash(self):
        return hashlib.sha256(self.raw if self.raw is not None else self.problem.encode()).hexdigest()


def find_submissions(workspace, lesson):
    """The submissions to a lesson, by student; raises CourseError where there are none, and says why."""
    return [read_submission(folder, lesson) for folder in students_folders(workspace.submitted, lesson)]


def students_folders(submitted, lesson):
    """The folders of the students who handed in; raises CourseError where there are none, and says why.

    ``submitted``: the workspace's folder of submissions, as STUDENT/LESSON/NOTEBOOK.ipynb.
    """
    folder = submitted
    expected = f"{folder}/STUDENT/{lesson.name}/{lesson.notebook}.ipynb"
    students = sorted(path for path in folder.glob("*") if path.is_dir() and not path.name.startswith("."))
    found = [path for path in students if STUDENT_NAME.fullmatch(path.name) and (path / lesson.name).exists()]
    if found:
        return found
    if (folder / lesson.name).is_dir():
        raise CourseError(f"{folder} is laid out as LESSON/STUDENT; submissions are expected at {expected}.")
    if any(folder.glob("*.ipynb")) or any(folder.glob("*/*.ipynb")):
        raise CourseError(
            f"The notebooks in {folder} lack a folder for their lesson; move them to another folder and "
            f"import them with --submissions, or put them at {expected}."
        )
    others = sorted({path.name for path in folder.glob("*/*") if path.is_dir()})
    there = f" (there are some to {', '.join(others)})" if others else ""
    raise CourseError(
        f"There are no submissions to {lesson.name} in {folder}{there}; "
        f"put them at {expected}, or import a folder of them with --submissions."
    )


def left_out(workspace, lesson):
    """Names in submitted/ that look like a submission to this lesson but are not graded, each with why."""
    notes = []
    for path in sorted(workspace.submitted.glob("*")):
        if path.name.startswith(".") or (STUDENT_NAME.fullmatch(path.name) and (path / lesson.name).exists()):
            continue
        if path.is_file() and path.suffix == ".ipynb":
            notes.append(f"{path.name} is not in a student's folder.")
        elif path.is_dir() and not STUDENT_NAME.fullmatch(path.name):
            notes.append(f"{path.name!r} is not usable as a student's name.")
        elif path.is_dir() and any(path.glob("*.ipynb")):
            notes.append(f"{path.name} has notebooks, but no folder {lesson.name}.")
    return notes


def read_submission(student_folder, lesson):
    """What one student handed in to a lesson: always a Submission, with the reason where there is nothing."""
    student, folder = student_folder.name, student_folder / lesson.name
    remarks, timestamp = [], None
    try:
        text = read_regular(folder / "timestamp.txt").decode()
    except (Unreadable, UnicodeDecodeError):
        text = ""
    if text.strip():
        try:
            timestamp = read_timestamp(text)
        except ValueError:
            remarks.append("The time of submission in timestamp.txt could not be read.")
    try:
        path, note = _choose(student_folder, folder, lesson)
        remarks += note
        return Submission(student, read_regular(path), "", tuple(remarks), timestamp)
    except Unreadable as error:
        return Submission(student, None, str(error), tuple(remarks), timestamp)


def _choose(student_folder, folder, lesson):
    """(path of the notebook, remarks); raises Unreadable where it is not clear which file is meant."""
    for part in (student_folder, folder):
        if part.is_symlink():
            raise Unreadable(f"The folder {part.name} is a link, and links are not followed.")
    if not folder.is_dir():
        raise Unreadable(f"{lesson.name} is a file; a folder with the notebook in it was expected.")
    expected = folder / f"{lesson.notebook}.ipynb"
    there = expected.exists() or expected.is_symlink()
    others = sorted(
        path for path in folder.glob("*.ipynb") if path != expected and not path.name.startswith(".")
    )
    if there and not others:
        return expected, []
    if len(others) == 1 and not there:
        note = f"The notebook is called {named(others[0].name)}; it was taken for {expected.name}."
        return others[0], [note]
    if not others:
        raise Unreadable(f"There is no notebook {expected.name} in the folder.")
    return _worked_on(expected if there else None, others, lesson)


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
    from autograder.intake.rescue import amount_of_work  # takes a second, and is seldom needed

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
    """The bytes of a plain file of bearable size; raises Unreadable for links, folders and devices."""
    if path.is_symlink():
        raise Unreadable(f"{path.name} is a link, and links are not followed.")
    try:
        # Not blocking, because opening a named pipe would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable(f"{path.name} is no plain file.")
            return file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise Unreadable(f"{path.name} is a folder.") from None
    except OSError as error:
        raise Unreadable(f"{path.name} could not be read ({error.strerror}).") from None


def import_submissions(source, workspace, lesson):
    """Copy a folder of STUDENT.ipynb files, or of STUDENT/ folders, into submitted/; returns how many.

    Only notebooks are taken: a timestamp.txt among them could be the student's own. ``collect`` knows times.
    """
    if not source.exists():
        raise CourseError(f"There is no folder {source} to import submissions from.")
    if not source.is_dir():
        raise CourseError(
            f"{source} is a file; --submissions takes a folder of STUDENT.ipynb files or STUDENT/ folders."
        )
    if source.resolve() == workspace.submitted.resolve():
        return 0
    count = 0
    for path in sorted(source.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix == ".ipynb":
            files = {f"{lesson.notebook}.ipynb": path}
        elif path.is_dir():
            inner = path / lesson.name
            files = {file.name: file for file in (inner if inner.is_dir() else path).iterdir()}
            files = {name: file for name, file in files.items() if name.endswith(".ipynb")}
        else:
            continue
        student = re.sub(r"[^\w.@,' +-]", "_", path.stem if path.suffix == ".ipynb" else path.name)
        student = student if STUDENT_NAME.fullmatch(student) else f"student {student}"[:100]
        target = workspace.submitted / student / lesson.name
        target.mkdir(parents=True, exist_ok=True)
        for name, file in files.items():
            try:
                raw = read_regular(file)
            except Unreadable:
                continue  # the row will say that there is no notebook
            if not (target / name).is_file() or (target / name).read_bytes() != raw:
                write_atomically(target / name, raw)
        count += 1
    if not count:
        raise CourseError(f"There are no submissions in {source}: no .ipynb file and no folder.")
    return count
