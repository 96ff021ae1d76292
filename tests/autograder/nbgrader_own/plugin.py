"""nbgrader's own tests, run with our configuration: a plugin of pytest, and `make nbgrader` runs it.

nbgrader ships its tests in its wheel. Each test of a command makes a course with an nbgrader_config.py of
its own; here ``configure`` fills that in first, as it does in every workspace of ours. Preprocessors are
made without any configuration there, and get ours. What then differs is listed in differences.toml, each
with the line at which the test stops and why that is right; every other test must pass, and a listed one
that passes, or stops elsewhere, fails.
"""

import os
import shutil
import tempfile
import tomllib
from pathlib import Path

import nbformat
import pytest

from autograder.sandbox.box import NoSandbox, Sandbox

LISTED = tomllib.loads(Path(__file__).with_name("differences.toml").read_text())
CONFIG = """\
c = get_config()
from tests.autograder.nbgrader_own.plugin import inject
inject(c, {course!r})
"""


def inject(config, course):
    """Our configuration for a course that lies as nbgrader's tests lay theirs out."""
    from autograder.gradebook.configuration import configure

    configure(config, course=course, workspace=course)
    # Facts about their course, not about grading: where it lies, its name, what its empty answers say.
    config.CourseDirectory.source_directory = "source"
    del config.CourseDirectory["course_id"], config.CourseDirectory["ignore"], config["ClearSolutions"]
    config.GenerateAssignment.post_convert_hook = publish
    return config


def publish(assignment, student, notebooks):
    """What `unrolled release` does beyond nbgrader: lessons say what grading hides, and lie in lessons/."""
    for path in Path("release", assignment).glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata["unrolled"] = {"hides": []}
        target = Path("lessons", assignment, path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)


def pytest_sessionstart(session):
    """Stand in a folder with the file that nbgrader's tests of AUTOTEST look for, and give defaults."""
    import nbgrader.tests
    from nbgrader.preprocessors import NbGraderPreprocessor
    from traitlets.config import Config, Configurable

    from autograder.gradebook.configuration import configure

    if session.config.getoption("numprocesses", None) and not hasattr(session.config, "workerinput"):
        return  # xdist's own process runs no tests
    folder = Path(tempfile.mkdtemp(prefix="nbgrader-own-"))
    session.config.add_cleanup(lambda: shutil.rmtree(folder))
    docs = folder / "nbgrader" / "docs" / "source" / "user_guide"
    (docs / "source").mkdir(parents=True)
    (docs / "grades.csv").touch()
    for place in (folder, docs):
        shutil.copy(Path(nbgrader.tests.__file__).with_name("apps") / "files" / "autotests.yml", place)
    os.chdir(folder)
    ours = configure(Config(), course=folder, workspace=folder)
    original = Configurable.__init__

    def configured(self, **words):
        if isinstance(self, NbGraderPreprocessor) and not (words.get("parent") or words.get("config")):
            words["config"] = ours
        original(self, **words)

    Configurable.__init__ = configured
    session.config.add_cleanup(lambda: setattr(Configurable, "__init__", original))


@pytest.fixture(scope="session")
def empty_gradebook(tmp_path_factory):
    """A gradebook with nothing in it: to make one takes nbgrader more than a second, to copy it none."""
    from nbgrader.api import Gradebook

    import autograder.gradebook.database  # noqa: F401  nbgrader then finds alembic, also outside an active .venv

    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    Gradebook(f"sqlite:///{path}").close()
    return path


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef, request):
    value = yield
    if fixturedef.argname == "db":
        shutil.copy(request.getfixturevalue("empty_gradebook"), value.removeprefix("sqlite:///"))
    elif fixturedef.argname == "course_dir":
        shutil.copy(request.getfixturevalue("empty_gradebook"), Path(value, "gradebook.db"))
    elif fixturedef.argname == "temp_cwd":
        config = Path("nbgrader_config.py")
        theirs = config.read_text()
        config.write_text(CONFIG.format(course=request.getfixturevalue("course_dir")) + theirs)
    return value


def name_of(item):
    """A test's name as differences.toml has it: its file below nbgrader/tests, and the test."""
    return f"{item.path.parent.name}/{item.path.name}::{item.nodeid.partition('::')[2]}"


@pytest.hookimpl(tryfirst=True)  # before -k and the like take tests out
def pytest_collection_modifyitems(items):
    names = {name_of(item) for item in items}
    files = {name.partition("::")[0] for name in names}
    gone = [name for name in LISTED if name.partition("::")[0] in files and name not in names]
    if gone:
        raise pytest.UsageError(f"differences.toml lists {gone[0]}, which nbgrader does not have.")
    try:
        Sandbox((), ())
    except NoSandbox as error:
        if os.environ.get("CI"):
            raise
        for item in items:
            if name_of(item).startswith("apps/"):
                item.add_marker(pytest.mark.skip(reason=str(error)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    listed = LISTED.get(name_of(item))
    if listed is None or call.when != "call":
        return report
    if report.passed:
        report.outcome, report.longrepr = "failed", "Listed in differences.toml, but it passes."
    elif report.failed:
        stops = [str(one.statement) for one in call.excinfo.traceback if Path(one.path) == item.path][-1]
        if listed["stops_at"] in " ".join(stops.split()):
            report.outcome, report.wasxfail = "skipped", " ".join(listed["because"].split())
        else:
            report.sections.append(("differences.toml", "Listed, but it stops elsewhere: " + stops))
    return report
