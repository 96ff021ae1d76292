"""Build the book: `python -m tools.site FOLDER`, or `make site`."""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder.course.places import all_lessons
from tools.repository import ROOT, address
from tools.site import pages, stage

HUB = "deploy/jupyterhub/README.md"
NEEDED = ("sphinx", "myst_nb", "furo", "sphinx_copybutton", "mathjax")


def write_source(folder, home, version, lite):
    """Everything that Sphinx reads, in ``folder``."""
    lessons = all_lessons(ROOT)
    docs = [*sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")), HUB]
    made = {path: stage.markdown_page(path, home, version, book=docs) for path in docs}
    made |= pages.front(lessons, docs, home) | pages.mistakes(lessons, made["docs/mistakes.md"])
    made |= pages.commands() | pages.api()
    for lesson in lessons:
        name = f"{lesson.name}/{lesson.notebook}.ipynb"
        made[name] = stage.lesson_page(lesson, home, version, lite)
        made[f"handout/{name}"] = lesson.lesson_path.read_bytes()
    mathjax = Path(importlib.util.find_spec("mathjax").origin).parent / "static" / "mathjax"
    made["_static/mathjax/tex-svg-full.js"] = (mathjax / "es5" / "tex-svg-full.js").read_bytes()
    made["_static/mathjax/LICENSE"] = (mathjax / "LICENSE").read_bytes()
    here = Path(__file__).parent
    made["_static/book.css"] = (here / "static" / "book.css").read_bytes()
    made["conf.py"] = (here / "conf.py").read_bytes()
    for name, data in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)


def build(target, home, version, lite=None):
    """The book in the folder ``target``, in place of one that was there; Sphinx's warnings are errors."""
    if target.is_file():
        sys.exit(f"{target} is a file; name a folder for the book.")
    if target.exists() and not (target / "searchindex.js").exists() and any(target.iterdir()):
        sys.exit(f"{target} holds something else than a book; name another folder.")
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        names = ", ".join(missing)
        sys.exit(
            f"The book needs {names}: {sys.executable} -m pip install -e '.[site]' brings what is missing."
        )
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="unrolled-site-") as work:
        source = Path(work, "source")
        write_source(source, home, version, lite)
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
        command += ["-d", str(Path(work, "doctrees")), str(source), str(target)]
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths})
    if done.returncode:
        sys.exit("The book could not be built; Sphinx said why, above.")
    (target / ".nojekyll").touch()  # else a page host would leave out folders that begin with _


def main():
    parser = argparse.ArgumentParser(prog="python -m tools.site", description="Build the book.")
    parser.add_argument("folder", type=Path, help="where to write it")
    parser.add_argument("--lite", metavar="PATH", help="where `make lite` will lie, seen from the folder")
    asked = parser.parse_args()
    target, home = asked.folder, address()
    build(target, home, os.environ.get("GITHUB_REF_NAME", "main"), asked.lite)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"The book: {target / 'index.html'} ({size / 1e6:.0f} MB)")
    if home is None:
        print("No address of this repository is known here: its lessons link to no Binder and no Colab.")


if __name__ == "__main__":
    main()
