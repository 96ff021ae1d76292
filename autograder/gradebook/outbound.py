"""Into nbgrader's exchange, from which students fetch lessons, and into the folder that it hands out from.

``fill`` puts the released lesson where `nbgrader generate_assignment` would; ``hand_out`` then runs
nbgrader's own step of releasing, with the exchange and the course's id that its configuration names. What is
in the way is said in one sentence before anything is written.
"""

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from autograder.course.places import CourseError, write_atomically
from autograder.gradebook.configuration import CONFIG_NAME, instructors_config, quiet_log

OPEN = 0o777  # what nbgrader wants of the exchange's folder: everybody hands in there


@dataclass(frozen=True)
class HandedOut:
    """Where lessons were released to; those that are new there, and those that lay there as they are."""

    folder: Path
    new: list
    same: list


def fill(workspace, lesson):
    """Put the released lesson into WORKSPACE/release/, as nbgrader's release expects it; its folder there."""
    folder = workspace.root / "release" / lesson.name
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name != lesson.lesson_path.name and path.suffix == ".ipynb":
            path.unlink()  # of a lesson that was called otherwise; students would get both
    data, target = lesson.lesson_path.read_bytes(), folder / lesson.lesson_path.name
    if not target.is_file() or target.read_bytes() != data:
        write_atomically(target, data)
    return folder


def hand_out(workspace, lessons, *, course_id=None, force=False):
    """Release lessons to the exchange; a ``HandedOut``.

    ``course_id``: in place of the one in nbgrader's configuration. ``force``: also replace what was released
    there before. Raises CourseError, with nothing released, where one of them cannot be.
    """
    from nbgrader.auth import Authenticator
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange import ExchangeError, ExchangeFactory
    from nbgrader.exchange.default.exchange import Exchange
    from traitlets import TraitError

    config = instructors_config(workspace)
    if course_id is not None:
        config.CourseDirectory.course_id = course_id
    config.ExchangeReleaseAssignment.force = force
    try:
        steps = {}
        for lesson in lessons:
            directory = CourseDirectory(config=config, assignment_id=lesson.name)
            authenticator = Authenticator(config=config)
            step = ExchangeFactory(config=config).ReleaseAssignment(
                coursedir=directory, authenticator=authenticator, config=config
            )
            step.log = quiet_log()
            steps[lesson] = step
    except TraitError as error:
        raise CourseError(
            f"nbgrader's configuration cannot be used ({error}); mend it in {CONFIG_NAME}."
        ) from None
    step = next(iter(steps.values()))
    if isinstance(step, Exchange):  # else another kind of exchange, which says itself what it lacks
        course = _course_folder(Path(step.root), step.coursedir)
    else:
        course = Path(step.coursedir.course_id)
    same = [lesson for lesson in lessons if _lies_there(course / "outbound" / lesson.name, lesson, force)]
    new = [lesson for lesson in lessons if lesson not in same]
    for lesson in new:
        fill(workspace, lesson)
        try:
            steps[lesson].start()
        except (ExchangeError, RuntimeError, shutil.Error) as error:
            raise CourseError(f"nbgrader could not release {lesson.name}: {error}") from error
    return HandedOut(course, [lesson.name for lesson in new], [lesson.name for lesson in same])


def _course_folder(root, directory):
    """The course's folder in the exchange; raises CourseError where nobody could release to it."""
    if not root.is_dir():
        raise CourseError(
            f"There is no exchange at {root}: make it (mkdir -p {root} && chmod 1777 {root}), or name yours "
            f"in nbgrader's configuration, as in c.Exchange.root = '/srv/nbgrader/exchange' in {CONFIG_NAME}."
        )
    course_id = directory.course_id
    if not course_id or course_id in (".", "..") or "/" in course_id:
        raise CourseError(
            f"A course in the exchange cannot be called {course_id!r}; name it with --course-id."
        )
    mode = root.stat().st_mode & 0o777
    if mode != OPEN and not directory.groupshared:
        raise CourseError(
            f"Not everybody may hand in at the exchange {root}, whose mode is {mode:o}: "
            f"as its owner, chmod 1777 {root}."
        )
    course = root / course_id
    for folder in (course, course / "outbound", course / "inbound"):
        if folder.is_dir() and folder.stat().st_uid != os.geteuid() and not directory.groupshared:
            raise CourseError(
                f"{folder} belongs to {_account(folder.stat().st_uid)}: release as that account, or choose "
                "another course with --course-id."
            )
    return course


def _account(number):
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _lies_there(folder, lesson, force):
    """Whether the exchange has exactly this lesson; raises CourseError if it has another edition of it."""
    if not folder.is_dir():
        return False
    files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    path = lesson.lesson_path
    if files == {Path(path.name)} and (folder / path.name).read_bytes() == path.read_bytes():
        return True
    if not force:
        raise CourseError(
            f"{lesson.name} was released to {folder} before, and is another edition now: --force replaces it "
            "there. (Who has fetched it keeps the copy that they have.)"
        )
    return False
