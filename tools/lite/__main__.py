"""Build it: `python -m tools.lite FOLDER --pyodide FOLDER_OR_ADDRESS`, or `make lite`."""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder.course.places import all_lessons
from tools.lite.stage import browser_copy
from tools.repository import ROOT

VERSION = "0.27.7"  # of Pyodide: the one that fits these versions of JupyterLite
PUBLIC = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
NEEDED = ("jupyterlite_core", "jupyterlite_pyodide_kernel", "jupyter_server", "build", "hatchling")
KERNEL = "@jupyterlite/pyodide-kernel-extension"
WORKER = "../../../../"  # from where the kernel runs to the top of the site


def wheels(folder):
    """Into ``folder``: the wheel of this project, and those of what Pyodide does not bring itself."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    fetch += [
        "--dest",
        str(folder),
        *(f"{name}=={importlib.metadata.version(name)}" for name in ("comm", "tqdm")),
    ]
    for command in (build, fetch):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"A wheel could not be made: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return sorted(path.name for path in folder.glob("*.whl"))


def settings(pyodide, names):
    """What JupyterLite reads when a page is opened."""
    ours = [f"{WORKER}wheels/{name}" for name in names if not name.startswith("comm-")]
    kernel = {
        "pyodideUrl": pyodide,
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": ["matplotlib", "ssl", *ours]},
    }
    data = {
        "appName": "Unrolled",
        "exposeAppInBrowser": True,
        "litePluginSettings": {f"{KERNEL}:kernel": kernel},
    }
    return {"jupyter-lite-schema-version": 0, "jupyter-config-data": data}


def build(target, pyodide):
    """The site in the folder ``target``. ``pyodide``: a folder, which becomes a part of it, or an address."""
    here = None if "://" in pyodide else Path(pyodide)
    if here and not (here / "pyodide.js").is_file():
        sys.exit(f"{here} holds no Pyodide (there is no pyodide.js); name its folder, or an address.")
    if target.exists() and not (target / "jupyter-lite.json").is_file():
        sys.exit(f"{target} holds something else; name another folder.")
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(
            f"This needs {', '.join(missing)}: {sys.executable} -m pip install -e '.[lite]' brings that."
        )
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="unrolled-lite-") as name:
        work = Path(name)
        names = wheels(work / "wheels")
        for lesson in all_lessons(ROOT):
            path = work / "content" / lesson.name / f"{lesson.notebook}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_text(browser_copy(lesson), encoding="utf-8")
        address = "./static/pyodide/pyodide.js" if here else f"{pyodide.rstrip('/')}/pyodide.js"
        (work / "jupyter-lite.json").write_text(json.dumps(settings(address, names)))
        extension = next(
            Path(sys.prefix, "share/jupyter/labextensions").glob(f"{KERNEL}/package.json")
        ).parent
        (comm,) = (work / "wheels").glob("comm-*.whl")  # without it no kernel ever starts
        config = {
            "LiteBuildConfig": {
                "ignore_sys_prefix": ["federated_extensions"],
                "federated_extensions": [str(extension)],
            },
            "PipliteAddon": {"piplite_urls": [str(comm)]},
        }
        (work / "jupyter_lite_config.json").write_text(json.dumps(config))
        command = [sys.executable, "-m", "jupyterlite_core", "build", "--contents", "content"]
        command += ["--output-dir", str(target.absolute())]
        done = subprocess.run(
            command, cwd=work, env={**os.environ, "PYTHONWARNINGS": "ignore"}, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"JupyterLite could not be built:\n{done.stderr.strip() or done.stdout.strip()}")
        shutil.copytree(work / "wheels", target / "wheels")
    if here:
        shutil.copytree(here, target / "static" / "pyodide")


def main():
    parser = argparse.ArgumentParser(prog="python -m tools.lite", description="The lessons, for a browser.")
    parser.add_argument("folder", type=Path, help="where to write them")
    parser.add_argument("--pyodide", default=PUBLIC, help=f"a folder or an address with Pyodide {VERSION}")
    asked = parser.parse_args()
    build(asked.folder, asked.pyodide or PUBLIC)
    serve = f"{sys.executable} -m http.server --bind 127.0.0.1 --directory {asked.folder}"
    print(f"To look at it: {serve}, and http://127.0.0.1:8000 in a browser.")


if __name__ == "__main__":
    main()
