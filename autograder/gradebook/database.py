"""nbgrader's gradebook: what grading found goes in through nbgrader's own steps, and is read from there.

The lesson's cells are registered from the release, and each graded notebook passes through nbgrader's
SaveAutoGrades and AssignLatePenalties, so scores and comments that a person gave are never touched; what a
person has settled only waits for one again if the answer has changed. One process writes at a time.
"""

import contextlib
import fcntl
import functools
import logging
import os
import sys
import warnings

import nbgrader.api
import sqlalchemy
from nbgrader.api import Assignment, Base, Gradebook, InvalidEntry, MissingEntry, SubmittedAssignment
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from traitlets import TraitError

from autograder.course.places import CourseError
from autograder.gradebook.configuration import CONFIG_NAME, COURSE_ID, quiet_log
from autograder.gradebook.plugin import SaveGrades
from autograder.gradebook.revision import quickly_found
from autograder.intake.contents.rescue import untouched

STRAY_COURSE = "default_course"  # nbgrader's own steps make this row in passing

# nbgrader creates a gradebook by running `alembic`, which lies beside the interpreter.
_folder = os.path.dirname(sys.executable)
if _folder not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = _folder + os.pathsep + os.environ.get("PATH", "")


class GradebookError(CourseError):
    """The gradebook cannot be used, for this submission or any other."""


@contextlib.contextmanager
def open_gradebook(workspace):
    """The workspace's gradebook; raises CourseError if it is another course's, or cannot be used."""
    with plain_errors(workspace.gradebook):
        if workspace.gradebook.exists():
            _examine(workspace)
        with _opened(workspace) as gradebook:
            yield gradebook


@contextlib.contextmanager
def _opened(workspace):
    with quickly_found():
        gradebook = Gradebook(workspace.db_url, COURSE_ID)
    try:
        with warnings.catch_warnings():
            # nbgrader 0.9 makes a submission in a way that newer SQLAlchemy finds odd, and that works.
            warnings.simplefilter("ignore", sqlalchemy.exc.SAWarning)
            yield gradebook
    finally:
        gradebook.close()


# What SQLite says, in nbgrader's errors as in its own, and what that means for whoever grades.
TROUBLE = {
    "locked": "is in use by another program; close the formgrader, or whatever has it open",
    "is full": "could not be written, because the disk is full; make room",
    "readonly": "cannot be written: it is read-only; change its permissions",
    "unable to open": "cannot be opened; see to its permissions and its folder's, and room for another file",
    "not a database": "is not a gradebook (it is no database of SQLite); move it away",
    "malformed": "is damaged; put a copy of it back, or move it away to have all graded anew",
    "disk I/O error": "cannot be read or written: the disk has an error; see to it",
}
for _missing in ("no such table", "no such column", "has no column"):
    TROUBLE[_missing] = "was made by another version of nbgrader; run `nbgrader db upgrade` in its folder"
COLUMNS = (
    "SELECT tables.name, columns.name FROM sqlite_master AS tables "
    "JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'"
)
GO_ON = "and run the same command again: what was finished is kept."


@contextlib.contextmanager
def plain_errors(path):
    """Say in one sentence why the gradebook cannot be used, where it is the gradebook."""
    log = logging.getLogger("tornado.application")  # to which nbgrader writes a traceback before it raises
    was, log.disabled = log.disabled, True
    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, InvalidEntry) as error:
        said = str(getattr(error, "orig", None) or error)
        for words, means in TROUBLE.items():
            if words in said:
                raise GradebookError(f"The gradebook {path} {means}, {GO_ON}") from error
        raise
    finally:
        log.disabled = was


def _examine(workspace):
    """Refuse a gradebook of another course, or of another version of nbgrader."""
    engine = sqlalchemy.create_engine(workspace.db_url)
    try:
        with engine.connect() as connection:
            columns = {}
            for table, column in connection.execute(sqlalchemy.text(COLUMNS)):
                columns.setdefault(table, set()).add(column)
            if not columns:
                return
            if "assignment" not in columns:
                raise GradebookError(f"{workspace.gradebook} is not a gradebook of nbgrader; move it away.")
            for table in Base.metadata.sorted_tables:
                found = columns.get(table.name, set() if table.name == "course" else None)
                if found is not None and {column.name for column in table.columns} - found:
                    means = TROUBLE["no such column"]
                    raise GradebookError(f"The gradebook {workspace.gradebook} {means}, {GO_ON}")
            courses = set(connection.execute(sqlalchemy.text("SELECT id FROM course")).scalars())
            assigned = connection.execute(sqlalchemy.text("SELECT name, course_id FROM assignment"))
            foreign = sorted(name for name, course in assigned if course != COURSE_ID)
    finally:
        engine.dispose()
    others = sorted(courses - {COURSE_ID, STRAY_COURSE, ""})
    if others or foreign:
        belongs = f"the course {others[0]!r}" if others else f"another course (it has {foreign[0]!r})"
        raise CourseError(
            f"The gradebook {workspace.gradebook} belongs to {belongs}; "
            "choose another folder with --workspace."
        )


class Busy(CourseError):
    """Another process is writing to the workspace."""


@contextlib.contextmanager
def sole_writer(workspace):
    """Hold the workspace for writing; raises Busy if another grading run does."""
    with open(workspace.root / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(
                f"Another run is grading in {workspace.root}; wait for it, or choose another --workspace."
            ) from None
        with _one_engine():
            yield


@contextlib.contextmanager
def _one_engine():
    """Have nbgrader's steps, each of which opens the gradebook anew, share an engine.

    SQLAlchemy compiles every statement once for each engine, which is half of what writing a row costs.
    """
    make = nbgrader.api.create_engine
    nbgrader.api.create_engine = functools.cache(make)
    try:
        yield
    finally:
        nbgrader.api.create_engine = make


@contextlib.contextmanager
def _at_once(workspace):
    """Have all that is written inside written in one transaction, or nothing of it where something fails.

    nbgrader's steps open the gradebook one after another and commit after each cell, and each time SQLite
    waits for the disk. In here all share a connection whose transaction is ours: their commits do not end it.
    """
    make = nbgrader.api.create_engine
    with plain_errors(workspace.gradebook), contextlib.ExitStack() as stack:
        engine = make(workspace.db_url, echo=False, future=True)
        stack.callback(engine.dispose)
        connection = stack.enter_context(engine.connect())
        connection.dispose = lambda: None  # what they do with the engine that they take it for
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # before SQLite's driver begins one, which is later
        nbgrader.api.create_engine = lambda *_, **__: connection
        try:
            yield connection
        finally:
            nbgrader.api.create_engine = make
        connection.commit()


def register(workspace, spec):
    """Tell the gradebook which cells the released lesson has."""
    if workspace.gradebook.exists():
        with plain_errors(workspace.gradebook):
            _examine(workspace)
    with _at_once(workspace) as connection:
        with _opened(workspace) as gradebook:
            gradebook.update_or_create_assignment(spec.assignment)
        try:
            _step(SaveCells, untouched(spec), _resources(workspace, spec))
        except RuntimeError as error:
            raise CourseError(
                f"The gradebook {workspace.gradebook} holds grades for a version of {spec.assignment} "
                "with other cells; choose a new folder with --workspace for this version."
            ) from error
        _forget_stray_course(connection)


def record(workspace, spec, student, notebook=None, timestamp=None, config=None, changed=None):
    """Give a student a row; with a graded ``notebook``, save its scores.

    ``config``: what the instructor set for nbgrader, such as the penalty for late work. ``changed``: the
    grade_ids of answers that are new since the last grading; None: all may be.
    """
    with _at_once(workspace) as connection:
        with _opened(workspace) as gradebook:
            gradebook.update_or_create_student(student)
            when = {"timestamp": timestamp} if timestamp else {}
            gradebook.update_or_create_submission(spec.assignment, student, **when)
        if notebook is not None:
            resources = _resources(workspace, spec, student)
            if changed is not None:
                resources["changed"] = changed
            _step(SaveGrades, notebook, resources, config)
            _penalise(notebook, resources, config)
        _forget_stray_course(connection)


def penalise_late(workspace, spec, students, config=None):
    """Take off again what lateness costs these students, whose work has not changed: the rule may have.

    Returns {student: the exception} of those for whom that failed.
    """
    failed = {}
    with open_gradebook(workspace) as gradebook:
        late = [
            entry.student_id
            for entry in gradebook.assignment_submissions(spec.assignment)
            if entry.student_id in students
            and (entry.total_seconds_late or any(one.late_submission_penalty for one in entry.notebooks))
        ]
    for student in late:
        try:
            _penalise(untouched(spec), _resources(workspace, spec, student), config)
        except CourseError:
            raise
        except Exception as error:
            failed[student] = error
    if late:
        with _at_once(workspace) as connection:
            _forget_stray_course(connection)
    return failed


def _penalise(notebook, resources, config):
    try:
        _step(AssignLatePenalties, notebook, resources, config)
    except (TraitError, ImportError, AttributeError) as error:
        raise CourseError(f"The penalty for late work in {CONFIG_NAME} cannot be used: {error}") from error


def standings(workspace, spec):
    """{student: (score, needs grading by hand)} as the gradebook has them, manual scores included."""
    with open_gradebook(workspace) as gradebook:
        try:
            submissions = gradebook.assignment_submissions(spec.assignment)
        except MissingEntry:
            return {}
        return {
            entry.student_id: (
                sum(notebook.score - (notebook.late_submission_penalty or 0) for notebook in entry.notebooks),
                bool(entry.needs_manual_grade),
            )
            for entry in submissions
        }


def in_short(workspace):
    """{lesson: {student: (waits for a person, is late)}} of all lessons, without opening each submission."""
    if not workspace.gradebook.exists():
        return {}
    found = {}
    with open_gradebook(workspace) as gradebook:
        rows = gradebook.db.query(
            Assignment.name,
            SubmittedAssignment.student_id,
            SubmittedAssignment.needs_manual_grade,
            SubmittedAssignment.timestamp,
            Assignment.duedate,
            SubmittedAssignment.extension,
        ).join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        for lesson, student, waits, timestamp, due, extension in rows:
            due = due + extension if due and extension else due
            late = bool(timestamp and due and timestamp > due)
            found.setdefault(lesson, {})[student] = bool(waits), late
    return found


def changed_since_by_hand(workspace, spec):
    """{student: [grade_id]}: graded by hand, then handed in anew; grade and comment are those of before."""
    with open_gradebook(workspace) as gradebook:
        try:
            submissions = gradebook.assignment_submissions(spec.assignment)
        except MissingEntry:
            return {}
        found = {
            entry.student_id: [
                grade.name
                for notebook in entry.notebooks
                for grade in notebook.grades
                if grade.manual_score is not None and grade.needs_manual_grade
            ]
            for entry in submissions
        }
    return {student: sorted(names) for student, names in found.items() if names}


def _resources(workspace, spec, student=None):
    names = {"assignment": spec.assignment, "notebook": spec.notebook, "db_url": workspace.db_url}
    return {"nbgrader": {**names, "student": student}}


def _step(step_class, notebook, resources, config=None):
    step = step_class(config=config) if config else step_class()
    step.log = quiet_log()
    with plain_errors(resources["nbgrader"]["db_url"].removeprefix("sqlite:///")):
        step.preprocess(notebook, resources)


def _forget_stray_course(connection):
    stray = "DELETE FROM course WHERE id = :id AND id NOT IN (SELECT course_id FROM assignment)"
    connection.execute(sqlalchemy.text(stray), {"id": STRAY_COURSE})
