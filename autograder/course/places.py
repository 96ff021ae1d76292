"""Where things are: the course's folder, its lessons, and the workspace that grading writes to.

A course is a folder that holds ``solutions/`` and ``lessons/``; its lessons are the folders
``NN-slug`` in them, each with one notebook ``slug.ipynb``, and beside it ``exercises.py`` if it checks
functions that the package has no exercises for. A workspace (``classroom/`` unless said
otherwise) is a folder in nbgrader's layout: ``submitted/``, ``autograded/``, ``feedback/`` and
``gradebook.db``, plus our ``results/``. Everything else in this package is given these as values.
"""

import contextlib
import errno
import os
import re
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path

# What a disk says that takes nothing more, from nobody.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
LESSON_NAME = re.compile(r"\d\d-[a-z0-9-]+")
EXERCISES = "exercises.py"


class CourseError(Exception):
    """A mistake of the user's, told in one sentence that says what to do."""


@dataclass(frozen=True)
class Lesson:
    """One lesson of the course: its folder name, and where its two notebooks lie."""

    name: str
    course: Path

    @property
    def notebook(self):
        """The notebook's name without its ending: the folder name without its number."""
        return self.name.split("-", 1)[1]

    @property
    def solution_path(self):
        return self.course / "solutions" / self.name / f"{self.notebook}.ipynb"

    @property
    def lesson_path(self):
        return self.course / "lessons" / self.name / f"{self.notebook}.ipynb"

    @property
    def own_exercises(self):
        """The file with the exercises that the package does not have; many a lesson has none."""
        return self.solution_path.with_name(EXERCISES)

    @property
    def released_exercises(self):
        return self.lesson_path.with_name(EXERCISES)


def find_course(start=None):
    """The course's folder: ``start``, or the nearest folder above it, with solutions/ in it."""
    start = Path(start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if (folder / "solutions").is_dir():
            return folder
    raise CourseError(
        f"No course at {start} or above it (a course has a folder solutions/); "
        "go to the course's folder, or name it with --course."
    )


def all_lessons(course):
    """The lessons of the course, in order: every NN-slug folder of solutions/ or lessons/."""
    names = {
        folder.name
        for side in ("solutions", "lessons")
        for folder in (course / side).glob("*/")
        if LESSON_NAME.fullmatch(folder.name)
    }
    return [Lesson(name, course) for name in sorted(names)]


def find_lesson(course, text):
    """The one lesson whose folder name is ``text``, or contains it ("03", "bptt")."""
    lessons = all_lessons(course)
    names = ", ".join(lesson.name for lesson in lessons) or "none yet"
    wanted = text.strip().strip("/").lower()
    exact = [lesson for lesson in lessons if lesson.name == wanted]
    partly = [lesson for lesson in lessons if wanted and wanted in lesson.name]
    found = exact or partly
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(lesson.name for lesson in found)
        raise CourseError(f"{text!r} fits several lessons ({several}); write more of the name.")
    raise CourseError(f"There is no lesson {text!r}; the lessons are: {names}.")


@dataclass(frozen=True)
class Workspace:
    """The folder that grading writes to."""

    root: Path

    @property
    def submitted(self):
        return self.root / "submitted"

    @property
    def autograded(self):
        return self.root / "autograded"

    @property
    def feedback(self):
        return self.root / "feedback"

    @property
    def results(self):
        return self.root / "results"

    @property
    def reports(self):
        return self.root / "reports"

    @property
    def gradebook(self):
        return self.root / "gradebook.db"

    @property
    def db_url(self):
        return f"sqlite:///{self.gradebook}"

    def secret(self):
        """The course secret that fresh test inputs are drawn with, made on first use."""
        path = self.root / "course-secret"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            secret = path.read_bytes()
            if len(secret) < 32:
                raise CourseError(
                    f"The course secret {path} is damaged; delete it to have a new one made."
                ) from None
            return secret
        secret = secrets.token_hex(32).encode()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secret)
        except BaseException:  # a full disk, say: half a secret is none
            path.unlink(missing_ok=True)
            raise
        return secret


def write_atomically(path, data):
    """Write bytes or text so that a reader, or a crash, never sees half a file."""
    with replacing(path, data):
        pass


@contextlib.contextmanager
def replacing(path, data):
    """Have ``path`` hold ``data`` once all that is done inside has worked; the disk has taken it before."""
    if isinstance(data, str):
        data = data.encode()
    # A name of its own, and short: with the file's in it, it would be too long where that just fits.
    part = path.with_name(f".{os.getpid()}-{threading.get_ident():x}.part")
    try:
        with _naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
        yield
        with _naming(path):
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _naming(path):
    """Have an error say for which file it was: a full disk names none."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise
