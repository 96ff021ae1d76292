"""What deploy/jupyterhub holds fits together, and gives students nothing that only the solutions should have.

A hub is started in test_hub.py, where there is one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from traitlets.config import PyFileConfigLoader

from autograder.course.leaks import refuse_leaks
from autograder.course.places import Lesson, all_lessons, find_lesson
from autograder.gradebook.configuration import prepare_workspace
from tests.hub import DEPLOY
from tools.repository import ROOT

LESSON = find_lesson(ROOT, "02")
EXTENSIONS = "nbgrader.server_extensions."
# What servers that start with such settings switch on, and what nbgrader's commands find there.
SERVERS = """
import json, os, sys
from jupyter_core.paths import jupyter_config_path
from jupyter_server.extension.config import ExtensionConfigManager
from jupyterlab_server.config import get_static_page_config
from nbgrader.apps import NbGrader

found = []
for home, folders in json.loads(sys.argv[1]):
    os.chdir(home)
    os.environ.update(HOME=home, JUPYTER_CONFIG_PATH=folders)
    manager = ExtensionConfigManager(read_config_path=jupyter_config_path())
    app = NbGrader()
    app.load_config_file()
    told = app.config.CourseDirectory
    found.append([
        manager.get_jpserver_extensions(),
        get_static_page_config()["disabledExtensions"],
        [told.course_id, app.config.Exchange.root, told.get("root")],
    ])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def config():
    return PyFileConfigLoader(str(DEPLOY / "jupyterhub_config.py")).load_config()


def course(folder):
    """A course of one lesson in ``folder``."""
    for side in ("solutions", "lessons"):
        shutil.copytree(ROOT / side / LESSON.name, folder / side / LESSON.name)
    return folder


def user(name):
    return SimpleNamespace(name=name, user=SimpleNamespace(name=name))


@pytest.fixture(scope="module")
def servers(config, tmp_path_factory):
    """{name: (server extensions, what JupyterLab leaves out, nbgrader's settings)} of two users' servers."""
    homes = {name: tmp_path_factory.mktemp(name) for name in ("ann", "teacher")}
    course(homes["teacher"] / "unrolled")
    prepare_workspace(homes["teacher"] / "unrolled" / "classroom", homes["teacher"] / "unrolled")
    folders = config.Spawner.environment["JUPYTER_CONFIG_PATH"]
    asked = json.dumps([(str(home), folders(user(name))) for name, home in homes.items()])
    done = subprocess.run([sys.executable, "-c", SERVERS, asked], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    return dict(zip(homes, found, strict=True)) | {"home": homes["teacher"]}


def test_a_students_server_has_nothing_of_the_instructors(servers):
    extensions, left_out, places = servers["ann"]
    assert {
        name.removeprefix(EXTENSIONS) for name, on in extensions.items() if on and "nbgrader" in name
    } == {
        "assignment_list",
        "validate_assignment",
    }
    assert {name.partition(":")[2] for name, out in left_out.items() if out and "nbgrader" in name} == {
        "formgrader",
        "course-list",
        "create-assignment",
    }
    assert places == ["unrolled", "/srv/nbgrader/exchange", None]


def test_the_teachers_server_has_the_formgrader_and_works_in_the_classroom(servers):
    extensions, left_out, places = servers["teacher"]
    assert extensions[f"{EXTENSIONS}formgrader"] and not left_out["@jupyter/nbgrader:create-assignment"]
    assert places == ["unrolled", "/srv/nbgrader/exchange", str(servers["home"] / "unrolled" / "classroom")]


def test_whoever_grades_is_told_where_and_nobody_else(config):
    told = config.JupyterHub.template_vars["announcement"]
    assert '<a href="/user/teacher/formgrader">' in told(user("teacher"))
    assert told(user("ann")) == told(None) == ""
    assert config.Authenticator.allowed_users == {"teacher"}
    assert config.LocalAuthenticator.allowed_groups == {"students"}
    assert config.Authenticator.allow_existing_users is False  # else leaving the group would change nothing
    (role,) = config.JupyterHub.load_roles
    assert role["users"] == [] and all(scope.endswith("!user=teacher") for scope in role["scopes"])


def test_set_up_service_settings_and_readme_name_the_same_places():
    script, service = ((DEPLOY / name).read_text() for name in ("set-up.sh", "jupyterhub.service"))
    named = dict(re.findall(r"^(into|settings|exchange)=(\S+)$", script, flags=re.MULTILINE))
    root = re.search(r'Exchange.root = "(.*)"', (DEPLOY / "everyone/nbgrader_config.py").read_text())[1]
    assert root == named["exchange"]
    assert f"{named['into']}/bin/jupyterhub --config {named['settings']}/jupyterhub_config.py" in service
    assert f"{named['into']}/node_modules/.bin" in service
    readme = (DEPLOY / "README.md").read_text()
    assert all(f"`{place}`" in readme for place in named.values())
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", readme):
        assert (DEPLOY / link).exists(), link
    for name in ("set-up.sh", "lessons.sh"):
        assert os.access(DEPLOY / name, os.X_OK)
        subprocess.run(["sh", "-n", DEPLOY / name], check=True)


def publish(folder, course):
    """Run lessons.sh; (exit status, what it said)."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    words = [DEPLOY / "lessons.sh", folder, course]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True).stdout


def test_the_repository_of_lessons_holds_lessons_and_nothing_of_the_answers(tmp_path):
    """Every file of its whole history is one of lessons/, or the list of them, and leaks nothing."""
    folder = tmp_path / "lessons"
    assert publish(folder, ROOT)[0] == 0
    names = git(folder, "log", "--all", "--name-only", "--format=").decode().split()
    notebooks = {f"{lesson.name}/{lesson.notebook}.ipynb": lesson for lesson in all_lessons(ROOT)}
    theirs = {path.relative_to(ROOT / "lessons").as_posix() for path in (ROOT / "lessons").rglob("*.*")}
    assert set(notebooks) <= set(names) <= theirs | {".unrolled.json"}
    for name, lesson in notebooks.items():
        text = git(folder, "show", f"HEAD:{name}").decode()
        assert text == lesson.lesson_path.read_text()
        refuse_leaks(nbformat.read(lesson.solution_path, 4), nbformat.reads(text, 4), lesson)
    for name in set(names) - set(notebooks):
        blob = git(folder, "show", f"HEAD:{name}")
        assert b"BEGIN SOLUTION" not in blob and b"solutions/" not in blob


def test_the_repository_of_lessons_takes_what_is_new_and_nothing_twice(tmp_path):
    folder, ours = tmp_path / "lessons", course(tmp_path / "course")
    for expected in ("Committed", "Nothing is new."):
        status, said = publish(folder, ours)
        assert status == 0 and expected in said
    path = Lesson(LESSON.name, ours).lesson_path
    path.write_text(path.read_text().replace("every input as if", "each input as if"))
    assert "Committed" in publish(folder, ours)[1]
    assert git(folder, "log", "--format=%an").decode().split() == ["Unrolled", "Unrolled"]
    assert b"each input as if" in git(folder, "show", f"HEAD:{LESSON.name}/{path.name}")
    assert git(folder, "branch", "--show-current").decode().strip() == "main"


def test_lessons_never_go_into_a_folder_that_holds_something_else(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "one.txt").write_text("mine")
    status, said = publish(tmp_path / "thesis", course(tmp_path / "course"))
    assert status == 1 and said.count("\n") == 1 and "name another folder" in said
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["one.txt"]
    status, said = publish(tmp_path / "lessons", tmp_path)
    assert status != 0 and "No course at" in said
