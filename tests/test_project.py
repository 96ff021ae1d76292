"""The project's own files agree with each other: packages, versions, licences, make and CI.

``make set-up`` in a fresh clone is CI's to prove; these catch what it would find an hour later.
"""

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.lite.__main__ import VERSION

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"pytorch": "torch", "python-build": "build"}
REGISTRIES = ("py" + "pi.org", "pythonhosted" + ".org", "download." + "pytorch.org", "npmjs" + ".org")


def requirements(lines):
    """Name to version range, for requirement lines; extras of this project itself are left out."""
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): one.specifier for one in parsed if one.name != "unrolled"}


def required(*extras):
    """Name to version range of what these extras bring, those that they name themselves included."""
    lines, queue = list(PROJECT["dependencies"]), list(extras)
    for extra in queue:
        lines += PROJECT["optional-dependencies"][extra]
        within = [Requirement(line) for line in PROJECT["optional-dependencies"][extra]]
        queue += {name for one in within if one.name == "unrolled" for name in one.extras} - set(queue)
    return requirements(lines)


def of_pyproject():
    return required(*PROJECT["optional-dependencies"])


def of_constraints():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return requirements(line for line in lines if line and not line.startswith("#"))


def of_environment():
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    own_pip = [line for one in lines if isinstance(one, dict) for line in one["pip"] if line != "-e ."]
    found = requirements([*(line for line in lines if isinstance(line, str)), *own_pip])
    return {CONDA_NAMES.get(name, name): versions for name, versions in found.items()}


def test_the_readme_names_the_pyodide_that_fits():
    assert f"version {VERSION}, with NumPy" in (ROOT / "README.md").read_text()


def test_environment_names_the_packages_and_ranges_of_pyproject():
    conda = of_environment()
    assert str(conda.pop("python")) == PROJECT["requires-python"]
    conda.pop("pip")
    assert conda == of_pyproject()


def test_constraints_hold_one_tested_version_of_every_dependency():
    pinned = of_constraints()
    for name, versions in of_pyproject().items():
        assert name in pinned, f"{name} is in pyproject.toml, and constraints.txt has no version of it"
        (pin,) = pinned[name]
        assert pin.operator == "==", f"constraints.txt says {name}{pin}, expected one version with =="
        assert versions.contains(pin.version), f"constraints.txt has {name} {pin.version}, outside {versions}"


def test_constraints_name_no_build_and_no_package_twice():
    lines = (ROOT / "constraints.txt").read_text().splitlines()[1:]
    assert not [line for line in lines if "+" in line or "@" in line]
    assert len(lines) == len(of_constraints())


def test_what_a_student_needs_is_light_and_replaces_nothing_of_a_notebook_server():
    """Colab's own versions will do; JupyterLab and its kernel come only to those who ask for `lab`."""
    colab = {"numpy": "2.0.2", "matplotlib": "3.10.0", "tqdm": "4.67.1"}
    core = required()
    assert core.keys() == colab.keys()
    assert all(versions.contains(colab[name]) for name, versions in core.items())
    assert {"jupyterlab", "ipykernel", "ipython", "ipywidgets"} <= required("lab").keys()
    assert required("lab").keys() <= required("grading").keys()
    assert "'.[lab]'" in (ROOT / ".ci/set-up").read_text()


def modules_imported_by(folder):
    """The top-level names that a folder's modules import, ours and the standard library's left out."""
    names = {}
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found = [node.module]
            else:
                continue
            names |= {name.split(".")[0]: path.relative_to(ROOT) for name in found}
    ours = {"rnncore", "autograder", "tests", "tools", "conftest"}
    return {name: path for name, path in names.items() if name not in ours | sys.stdlib_module_names}


@pytest.mark.parametrize(
    "folder, extras",
    [
        ("rnncore", ["lab", "torch", "interop"]),
        ("autograder", ["torch", "grading", "cluster"]),
        ("tools", ["dev"]),
        ("tests", ["dev"]),
    ],
)
def test_every_import_is_a_declared_dependency(folder, extras):
    declared = required(*extras)
    distributions = packages_distributions()
    for module, path in modules_imported_by(folder).items():
        names = {canonicalize_name(name) for name in distributions.get(module, [module])}
        assert names & set(declared), (
            f"{path} imports {module}, which pyproject.toml does not declare for {folder}"
        )


def test_importing_rnncore_is_light():
    code = "import sys, rnncore; print([m for m in ('torch', 'matplotlib', 'nbgrader') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_both_licences_are_whole():
    assert (
        (ROOT / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) 2026 The Unrolled authors\n")
    )
    text = (ROOT / "LICENSE-TEXT").read_text()
    assert "Creative Commons Attribution 4.0 International Public License" in text
    assert all(f"Section {number} --" in text for number in range(1, 9))


def make_targets():
    return re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_every_make_target_that_a_text_names_exists():
    texts = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "Makefile", ".ci/run")]
    texts += (ROOT / ".github").rglob("*.yml")
    for path in texts:
        for name in re.findall(
            r"\bmake ([a-z]+(?:-[a-z]+)*)\b(?=[^a-z ]|$)", path.read_text(), flags=re.MULTILINE
        ):
            assert name in make_targets(), f"{path.name} says make {name}, which the Makefile does not know"


def test_every_path_that_a_text_names_exists():
    for name in ("README.md", "CONTRIBUTING.md"):
        for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", (ROOT / name).read_text()):
            assert (ROOT / link).exists(), f"{name} links to {link}, which does not exist"


def test_python_is_asked_for_in_one_sentence(tmp_path):
    """Where there is no Python 3.11, set-up says so and stops, without a traceback."""
    copy = tmp_path / "course" / ".ci"
    copy.mkdir(parents=True)
    script = copy / "set-up"
    script.write_text((ROOT / ".ci/set-up").read_text())
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "id"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    said = subprocess.run(
        ["/bin/sh", script, "python", "developer"], env={"PATH": str(tools)}, capture_output=True, text=True
    )
    assert said.returncode == 1
    assert said.stderr == (
        "Unrolled needs Python 3.11 or newer and found none: install it, "
        "or name one with 'make PYTHON=/path/to/python3'.\n"
    )


def test_nothing_names_a_package_registry():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file() and path.suffix not in (".png", ".npz"):
            text = path.read_text(errors="replace")
            assert not [host for host in REGISTRIES if host in text], (
                f"{name} names a package registry's host"
            )


def test_every_stage_runs_and_is_summed_up_even_if_an_early_one_fails(tmp_path):
    """Behind `make test`: one stage that fails hides none that come after it."""
    stages = [f"touch {tmp_path}/first; false", f"touch {tmp_path}/second"]
    said = subprocess.run([ROOT / ".ci" / "each", *stages], capture_output=True, text=True)
    assert said.returncode == 1
    assert (tmp_path / "first").exists() and (tmp_path / "second").exists()
    assert [line.split()[0] for line in said.stdout.splitlines()[2:]] == ["FAILED", "passed"]
    assert subprocess.run([ROOT / ".ci" / "each", "true"], capture_output=True).returncode == 0


def test_the_modules_that_come_first_are_there():
    """One that was renamed would come last, and a worker would wait for it."""
    scope = runpy.run_path(str(ROOT / "conftest.py"))
    assert len(set(scope["LONG"])) == len(scope["LONG"])
    assert [path for path in scope["LONG"] if not (ROOT / path).is_file()] == []
