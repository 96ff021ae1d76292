"""Files that other programs look for say what they should: workflows, Binder, Codespaces, citation."""

import json
import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def read(name):
    return yaml.safe_load((ROOT / name).read_text())


def steps(job):
    return [step.get("run") or step["uses"] for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_workflow_may_little_and_ends(path):
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}  # a job that may more says so itself
    assert workflow[True]  # what YAML 1.1 makes of `on`
    for job in workflow["jobs"].values():
        assert set(job.get("needs", ())) <= set(workflow["jobs"])
        if "uses" in job:
            assert (ROOT / job["uses"]).is_file()
            assert "workflow_call" in read(job["uses"])[True]
            continue
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            if "uses" in step:
                assert re.fullmatch(r"[\w.-]+/[\w.-]+@(v\d+|release/v\d+)", step["uses"]), step["uses"]


def test_ci_runs_what_we_say_it_runs():
    jobs = read(".github/workflows/ci.yml")["jobs"]
    assert jobs["everything"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert ".ci/run" in steps(jobs["everything"])
    assert jobs["student"]["strategy"]["matrix"]["os"] == ["macos-latest", "windows-latest"]
    light = steps(jobs["student"])
    assert light.index("unrolled lessons my-lessons") < light.index(
        'python -m pip install -c constraints.txt -e ".[dev]"'
    )
    assert "make gpu" in steps(jobs["gpu"]) and "gpu" in jobs["gpu"]["runs-on"]
    assert "make test" in (ROOT / ".ci/run").read_text()
    for version in jobs["everything"]["strategy"]["matrix"]["python"]:
        assert f" python{version} " in (ROOT / ".ci/set-up").read_text()


def test_a_release_is_tested_built_and_only_then_published():
    workflow = read(".github/workflows/release.yml")
    jobs = workflow["jobs"]
    assert workflow[True] == {"push": {"tags": ["v*"]}}
    assert jobs["publish"]["needs"] == ["tests", "build"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    said = "\n".join(steps(jobs["build"]))
    assert said.index("rnncore.__version__") < said.index("python -m build") < said.index("unrolled lessons")
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text()


def test_the_book_is_built_and_published_from_main():
    workflow = read(".github/workflows/site.yml")
    assert workflow[True]["push"] == {"branches": ["main"]}
    said = steps(workflow["jobs"]["build"])
    assert said[-4:-1] == ["make site LITE=lite", "make lite", "mv build/lite build/site/lite"]
    uploads = [step for step in workflow["jobs"]["build"]["steps"] if "upload-pages" in step.get("uses", "")]
    assert uploads[0]["with"]["path"] in (ROOT / "Makefile").read_text()
    publish = workflow["jobs"]["publish"]
    assert publish["needs"] == ["build"]
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}


def test_binder_gets_the_light_list():
    lines = (ROOT / "binder/requirements.txt").read_text().splitlines()
    lines = [line for line in lines if not line.startswith("#")]
    assert lines[:2] == ["-c ../constraints.txt", "."]
    assert (ROOT / "binder" / lines[0].split()[1]).is_file()
    assert [Requirement(line).name for line in lines[2:]] == ["ipywidgets"]
    assert (ROOT / "binder/runtime.txt").read_text() in ("python-3.12\n", "python-3.13\n")


def test_codespaces_install_what_the_readme_says():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    command = container["postCreateCommand"].removeprefix("python -m ")
    assert command.startswith("pip install ") and command in (ROOT / "README.md").read_text()


def test_the_citation_is_complete_and_holds_no_second_version():
    cited = read("CITATION.cff")
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "type", "license"} <= cited.keys()
    assert cited["authors"] == [{"name": "The Unrolled authors"}]
    assert "version" not in cited and cited["license"] == ["MIT", "CC-BY-4.0"]


def test_dependabot_keeps_the_workflows_actions_new():
    (update,) = read(".github/dependabot.yml")["updates"]
    assert update["package-ecosystem"] == "github-actions" and update["directory"] == "/"


def test_the_version_stands_in_one_place():
    version = re.search(r'__version__ = "(\d+\.\d+\.\d+)"', (ROOT / "rnncore/__init__.py").read_text())[1]
    for name in ("pyproject.toml", "CITATION.cff", "README.md", "environment.yml", "Makefile"):
        assert version not in re.findall(r"\d+\.\d+\.\d+", (ROOT / name).read_text()), name
