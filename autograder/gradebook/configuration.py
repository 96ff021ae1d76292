"""The course as nbgrader sees it: one function that fills in nbgrader's configuration.

A workspace holds a one-line nbgrader_config.py that calls ``configure``; every `unrolled` command that
writes to a workspace makes it. In that folder `nbgrader autograde 03-bptt`, the formgrader and the rest
of nbgrader then work as they are, and give the scores that `unrolled grade` gives.
"""

import ast
import importlib.util
import logging
import os
import re
import sys
import warnings
from dataclasses import replace
from pathlib import Path

from autograder.course.places import EXERCISES, CourseError, Workspace, all_lessons, write_atomically
from autograder.sandbox.box import Limits

CONFIG_NAME = "nbgrader_config.py"
COURSE_ID = "unrolled"
STOCK = "nbgrader.preprocessors"
OURS = "autograder.gradebook.plugin"
# Our line in a workspace's nbgrader_config.py; it names its own file, so that a copy means itself.
LINE = (
    "from autograder.nbgrader_config import configure; "
    "configure(get_config(), course={course!r}, workspace=__file__)\n"
)
ANY_LINE = re.compile(r"^from autograder\.nbgrader_config import configure;.*\n?", re.MULTILINE)


def configure(config, *, course, workspace, sandbox=True):
    """Fill in ``config`` for the workspace of the course at ``course``.

    ``workspace``: its folder, or the nbgrader_config.py in it, from which ``course`` may be said.
    """
    from autograder.course.release import nbgrader_release_config

    workspace = Path(workspace).absolute()
    if workspace.name == CONFIG_NAME:
        workspace = workspace.parent
    course = Path(os.path.normpath(workspace / course))
    # nbgrader 0.9 makes submissions in a way that newer SQLAlchemy warns of at length, and that works.
    warnings.filterwarnings("ignore", message="Object of type <Submitted")
    # A loaded config file's own object must be changed in place.
    config.merge(nbgrader_release_config())
    directory = config.CourseDirectory
    directory.course_id = COURSE_ID
    directory.root = str(workspace)
    directory.source_directory = str(course / "solutions")
    # nbgrader copies what lies beside a solution into releases and feedback: answers, perhaps.
    siblings = {
        path.name
        for lesson in all_lessons(course)
        for path in lesson.solution_path.parent.rglob("*")
        if path.suffix != ".ipynb" and path.name != EXERCISES and path.is_file()
    }
    standard = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback"]
    directory.ignore = standard + sorted(siblings)

    config.Autograde.exporter_class = f"{OURS}.RescueExporter"
    config.Autograde.sanitize_preprocessors = [f"{STOCK}.CheckCellMetadata"]
    config.Autograde.autograde_preprocessors = [
        f"{OURS}.GradeInSandbox",
        f"{OURS}.SaveGrades",
        f"{STOCK}.AssignLatePenalties",
    ]
    config.RescueExporter.lessons = config.GradeInSandbox.lessons = str(course / "lessons")
    config.GradeInSandbox.workspace = str(workspace)
    config.GradeInSandbox.sandbox = sandbox
    config.GenerateFeedback.exporter_class = "autograder.gradebook.feedback.FeedbackExporter"
    # nbgrader names a template of its own for every exporter of html.
    config.FeedbackExporter.template_name = "unrolled"
    ours = str(Path(__file__).parent / "templates")
    config.FeedbackExporter.extra_template_basedirs = [ours]
    # The formgrader's pages of submissions: nbgrader's, with what stands in our templates before its own.
    config.HTMLExporter.extra_template_basedirs = [ours, str(_templates_of_nbgrader())]
    config.HTMLExporter.preprocessors = ["autograder.gradebook.formgrader.Desk"]
    config.Desk.course = str(course)
    return config


def _templates_of_nbgrader():
    (package,) = importlib.util.find_spec("nbgrader").submodule_search_locations
    return Path(package) / "server_extensions" / "formgrader" / "templates"


def instructors_config(workspace):
    """The workspace's configuration with what the instructor set besides, found where nbgrader finds it.

    That is nbgrader_config.py in Jupyter's own folders and in the workspace; raises CourseError if one fails.
    """
    from jupyter_core.paths import jupyter_config_path
    from traitlets.config import Config, ConfigFileNotFound, PyFileConfigLoader

    config = Config()
    if course := course_of(workspace.root):
        configure(config, course=course, workspace=workspace.root)
    for folder in (*reversed(jupyter_config_path()), str(workspace.root)):
        try:
            config.merge(PyFileConfigLoader(CONFIG_NAME, path=folder).load_config())
        except ConfigFileNotFound:
            continue
        except (Exception, SystemExit) as error:
            what = f"{type(error).__name__}: {error}"
            raise CourseError(f"{Path(folder, CONFIG_NAME)} cannot be read ({what}); mend it.") from error
    if str(workspace.root) not in sys.path:  # where nbgrader, too, looks for the plugins that it names
        sys.path.append(str(workspace.root))
    return config


def limits_of(config):
    """The limits of grading: ours, but for a time that the instructor gave nbgrader for a cell."""
    limits = Limits()
    try:
        seconds = float(config.Execute.get("timeout"))  # text, where it comes from the command line
    except (TypeError, ValueError):
        return limits
    if not 0 < seconds < float("inf"):
        return limits  # to nbgrader that means no limit, which nothing of ours goes without
    whole = max(limits.notebook_seconds, seconds)
    return replace(limits, cell_seconds=seconds, call_seconds=seconds, notebook_seconds=whole)


def course_of(folder):
    """The course that a workspace says it belongs to, or None where the folder is no workspace of ours."""
    try:
        found = re.search(
            r"configure\(get_config\(\), course=('[^']*'|\"[^\"]*\")", (folder / CONFIG_NAME).read_text()
        )
        course = Path(os.path.normpath(folder / ast.literal_eval(found[1]))) if found else None
    except (OSError, ValueError, SyntaxError):
        return None
    return course if course and course.is_dir() else None


def quiet_log():
    """A log for nbgrader's steps that keeps them from printing; what matters they raise."""
    log = logging.getLogger("unrolled.nbgrader")
    log.propagate = False
    log.handlers = log.handlers or [logging.NullHandler()]
    return log


def prepare_workspace(root, course):
    """Make the folder a workspace of the course: its layout and nbgrader_config.py. Returns it."""
    workspace = Workspace(Path(root).absolute())
    try:
        workspace.submitted.mkdir(parents=True, exist_ok=True)
        inside = workspace.root.is_relative_to(course)  # then both may be copied together
        line = LINE.format(course=os.path.relpath(course, workspace.root) if inside else str(course))
        path = workspace.root / CONFIG_NAME
        existing = path.read_text() if path.exists() else None
        if existing is not None and not ANY_LINE.search(existing):
            raise CourseError(f"{path} configures another course; choose another folder with --workspace.")
        mended = line if existing is None else ANY_LINE.sub(lambda _: line, existing, count=1)
        if mended != existing:  # new, moved, or written by an earlier edition; the instructor's lines stay
            write_atomically(path, mended)
        if not os.access(workspace.root, os.W_OK):
            raise PermissionError(13, "Permission denied", str(workspace.root))
        (workspace.root / ".lock").touch()
    except OSError as error:
        raise CourseError(
            f"The workspace {workspace.root} cannot be written ({error.strerror or error}); "
            "choose another folder with --workspace."
        ) from error
    return workspace
