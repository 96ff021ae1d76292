"""nbgrader's gradebook: what grading found goes in through nbgrader's own steps, and is read from there.

The lesson's cells are registered from the release, and each graded notebook passes through nbgrader's
SaveAutoGrades and AssignLatePenalties, so scores and comments that a person gave are never touched; what a
person has settled only waits for one again if the answer has changed. One process writes at a time.
"""

import contextlib
import fcntl
import functools
import os
import sys
import warnings

import nbgrader.api
import sqlalchemy
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from traitlets import TraitError

from autograder.course.places import CourseError
from autograder.gradebook.configuration import CONFIG_NAME, COURSE_ID, quiet_log
from autograder.gradebook.plugin import SaveGrades
from autograder.intake.rescue import untouched

STRAY_COURSE = "default_course"  # nbgrader's own steps make this row in passing

# nbgrader creates a gradebook by running `alembic`, which lies beside the interpreter.
_folder = os.path.dirname(sys.executable)
if _folder not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = _folder + os.pathsep + os.environ.get("PATH", "")


@contextlib.contextmanager
def open_gradebook(workspace):
    """The workspace's gradebook; raises CourseError if it is another course's, or no gradebook."""
    try:
        if workspace.gradebook.exists():
            _refuse_other_course(workspace)
        gradebook = Gradebook(workspace.db_url, COURSE_ID)
    except sqlalchemy.exc.OperationalError as error:
        raise CourseError(f"The gradebook {workspace.gradebook} cannot be written: {error.orig}.") from error
    except sqlalchemy.exc.DatabaseError as error:
        raise CourseError(
            f"{workspace.gradebook} is not a gradebook ({error.orig}); move it away."
        ) from error
    try:
        with warnings.catch_warnings():
            # nbgrader 0.9 makes a submission in a way that newer SQLAlchemy finds odd, and that works.
            warnings.simplefilter("ignore", sqlalchemy.exc.SAWarning)
            yield gradebook
    finally:
        gradebook.close()


def _refuse_other_course(workspace):
    engine = sqlalchemy.create_engine(workspace.db_url)
    try:
        with engine.connect() as connection:
            tables = set(sqlalchemy.inspect(connection).get_table_names())
            if not tables:
                return
            if not {"course", "assignment"} <= tables:
                raise CourseError(f"{workspace.gradebook} is not a gradebook of nbgrader; move it away.")
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


@contextlib.contextmanager
def sole_writer(workspace):
    """Hold the workspace for writing; raises CourseError if another grading run does."""
    with open(workspace.root / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CourseError(
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


def register(workspace, spec):
    """Tell the gradebook which cells the released lesson has."""
    with open_gradebook(workspace) as gradebook:
        gradebook.update_or_create_assignment(spec.assignment)
    try:
        _step(SaveCells, untouched(spec), _resources(workspace, spec))
    except RuntimeError as error:
        raise CourseError(
            f"The gradebook {workspace.gradebook} holds grades for a version of {spec.assignment} "
            "with other cells; choose a new folder with --workspace for this version."
        ) from error
    _forget_stray_course(workspace)


def record(workspace, spec, student, notebook=None, timestamp=None, config=None, changed=None):
    """Give a student a row; with a graded ``notebook``, save its scores.

    ``config``: what the instructor set for nbgrader, such as the penalty for late work. ``changed``: the
    grade_ids of answers that are new since the last grading; None: all may be.
    """
    with open_gradebook(workspace) as gradebook:
        gradebook.update_or_create_student(student)
        when = {"timestamp": timestamp} if timestamp else {}
        gradebook.update_or_create_submission(spec.assignment, student, **when)
    if notebook is not None:
        resources = _resources(workspace, spec, student)
        if changed is not None:
            resources["changed"] = changed
        _step(SaveGrades, notebook, resources, config)
        _penalise(notebook, resources, config)
    _forget_stray_course(workspace)


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
        _forget_stray_course(workspace)
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
    step.preprocess(notebook, resources)


def _forget_stray_course(workspace):
    with Gradebook(workspace.db_url, COURSE_ID) as gradebook:
        gradebook.db.execute(
            sqlalchemy.text(
                "DELETE FROM course WHERE id = :id AND id NOT IN (SELECT course_id FROM assignment)"
            ),
            {"id": STRAY_COURSE},
        )
        gradebook.db.commit()
