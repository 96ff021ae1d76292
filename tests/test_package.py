"""What `pip install` gets: sdist and wheel are built, and the wheel works in a fresh environment.

The environment holds what a student's installation brings and nothing else: the wheel through pip, and of the
packages here NumPy, matplotlib and tqdm with what they need. So no network is asked.
"""

import email
import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools.repository import address, link_elsewhere

ROOT = Path(__file__).parents[1]
HOME = "https://github.com/someone/course"
LINK = re.compile(r"\]\((?!#)([^)\s]+)\)|<img src=\"([^\"]+)\"")


def build(folder, **environment):
    """(sdist, wheel) of this project, the wheel built from the sdist."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    environment = {"GITHUB_REPOSITORY": "someone/course", "GITHUB_REF_NAME": "v7"}
    return build(tmp_path_factory.mktemp("dist"), **environment)


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """A student's environment: its folder of programs."""
    folder = tmp_path_factory.mktemp("student") / "venv"
    venv.create(folder)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", "--no-cache-dir", built[1]], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    queue = [
        one.name for one in map(Requirement, of_wheel(built[1]).get_all("Requires-Dist")) if not one.marker
    ]
    assert {"numpy", "matplotlib", "tqdm"} == set(queue)
    for name in queue:
        distribution = importlib.metadata.distribution(name)
        wanted = [Requirement(line) for line in distribution.requires or ()]
        queue += {
            one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})
        } - set(queue)
        for top in {file.parts[0] for file in distribution.files} - {"..", "__pycache__", "bin"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(distribution.locate_file(top))
    return folder / "bin"


def of_wheel(wheel):
    with zipfile.ZipFile(wheel) as file:
        (name,) = [name for name in file.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(file.read(name))


def test_the_wheel_holds_the_packages_and_the_lessons_solved_too_and_nothing_else(built):
    sdist, wheel = built
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    sides = ("lessons", "solutions")
    listed = subprocess.run([*command, "autograder", "rnncore", *sides], cwd=ROOT, capture_output=True)
    ours = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()]
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
        assert names == {f"autograder/{name}" if name.startswith(sides) else name for name in ours}
        for name in ours:
            packed = f"autograder/{name}" if name.startswith(sides) else name
            assert file.read(packed) == (ROOT / name).read_bytes()
    with tarfile.open(sdist) as file:
        assert {name.split("/", 1)[1] for name in file.getnames() if "/" in name} >= {*ours, "README.md"}


def test_the_index_shows_the_readme_with_links_that_hold_there(built):
    about = of_wheel(built[1])
    links = [found[1] or found[2] for found in LINK.finditer(about.get_payload())]
    assert len(links) > 30 and all(link.startswith("https://") for link in links)
    assert f"{HOME}/raw/v7/docs/pictures/verdict.png" in links and f"{HOME}/blob/v7/CONTRIBUTING.md" in links
    for link in links:
        if link.startswith(HOME):
            assert (ROOT / link.removeprefix(HOME).split("/", 3)[3]).exists(), link
    assert about["Project-URL"] == f"Repository, {HOME}"
    # And the version comes from the one place that has it.
    assert f'__version__ = "{about["Version"]}"' in (ROOT / "rnncore/__init__.py").read_text()


def test_without_an_address_the_readme_promises_no_link():
    text = link_elsewhere((ROOT / "README.md").read_text(), None, "main")
    assert all((found[1] or found[2]).startswith("https://") for found in LINK.finditer(text))
    assert "Remember what came before" in text and "<img" not in text and "![" not in text


@pytest.mark.parametrize(
    "remote", ["git@github.com:someone/course.git", "https://github.com/someone/course", f"{HOME}.git/"]
)
def test_the_address_is_found_where_git_has_it(remote, monkeypatch, tmp_path):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    (tmp_path / "config").write_text(f'[remote "origin"]\n\turl = {remote}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "none"))
    assert address() == HOME
    (tmp_path / "config").write_text('[remote "origin"]\n\turl = /somewhere/here\n')
    assert address() is None


SMOKE = """
import pathlib, sys, warnings
warnings.simplefilter("error")
import numpy as np
import rnncore, rnncore.given.classifier, rnncore.plots
from rnncore.check import check
assert pathlib.Path(sys.prefix) in pathlib.Path(rnncore.__file__).parents, rnncore.__file__
def sigmoid(z):
    return np.where(z > 0, 1, np.exp(np.minimum(z, 0))) / (1 + np.exp(-np.abs(z)))
print(check(sigmoid, 2))
def train_step(model, x, y): pass
print(check(train_step, 2))
"""


def test_a_students_installation_copies_the_lessons_and_checks(installed, tmp_path):
    def run(*words):
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MPLCONFIGDIR": str(tmp_path)}
        command = [str(installed / words[0]), *map(str, words[1:])]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    done = run("unrolled", "lessons", "my lessons")
    assert (done.returncode, done.stderr) == (0, "")
    assert "15 lessons are in my lessons" in done.stdout and "'unrolled[lab]'" in done.stdout
    assert 'jupyter lab "my lessons" (' in done.stdout  # as a shell takes it
    names = sorted(path.relative_to(ROOT) for path in ROOT.glob("lessons/*/*.ipynb"))
    for name in names:
        assert (tmp_path / "my lessons" / name.relative_to("lessons")).read_bytes() == (
            ROOT / name
        ).read_bytes()
    done = run("python", "-I", "-c", SMOKE)
    assert done.returncode == 0, done.stderr
    assert "sigmoid: 2 of 2 points" in done.stdout
    assert "train_step: 0 of 2 points. This exercise needs the package torch" in done.stdout
    done = run("unrolled", "grade", "03")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "'unrolled[grading]'" in done.stderr
