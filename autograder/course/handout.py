"""The lessons that an installed package carries, copied to where somebody works on them.

What was copied is noted in the folder, file by file. So a file that was worked in is told from one that
lies there as it came: the first is never written over, and a newer edition of it is put beside it. Only the
standard library is needed here: whoever learns has not installed what grading needs.
"""

import hashlib
import importlib.util
import itertools
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import rnncore
from autograder.course.places import CourseError, write_atomically

PACKAGE, CHECKOUT = Path(__file__).parents[1], Path(__file__).parents[2] / "lessons"
NOTE = ".unrolled.json"


@dataclass
class HandedOut:
    """What became of the files, each by its path below the folder."""

    folder: Path
    lessons: int = 0
    written: list = field(default_factory=list)
    renewed: list = field(default_factory=list)  # a newer edition took the place of a file as it came
    beside: dict = field(default_factory=dict)  # a file that was worked in: the newer edition beside it
    theirs: list = field(default_factory=list)  # worked in, and nothing newer to bring
    older: list = field(default_factory=list)  # there is a newer edition, for --update


def hand_out(folder, update=False, source=None):
    """Copy the lessons to ``folder``, over nothing that somebody worked in; a ``HandedOut``.

    ``update``: bring newer editions, in the place of files that lie there as they came, beside the others.
    """
    folder, source = Path(folder), _filled(source or of_the_package("lessons"))
    if folder.resolve().is_relative_to(source.resolve()):
        raise CourseError(f"{folder} holds the course's own lessons; name another folder to copy them to.")
    if folder.exists() and not folder.is_dir():
        raise CourseError(f"{folder} is a file; name a folder for the lessons.")
    return copy(_files(source), folder, update)


def of_the_package(side):
    """The course's own ``side``, "lessons" or "solutions", as the package has it, or the checkout."""
    installed = PACKAGE / side  # put there when the package is built
    return _filled(installed if installed.is_dir() else CHECKOUT.with_name(side))


def _filled(source):
    if not any(source.glob("*/*.ipynb")):
        raise CourseError(
            f"There are no lessons in {source}: install unrolled again, or run `unrolled release` first."
        )
    return source


def copy(files, folder, update):
    """Write ``files``, pairs of a path and its bytes, below ``folder``, over nothing that was worked in."""
    done = HandedOut(folder)
    try:
        _copy(files, folder, update, done)
    except OSError as error:
        raise CourseError(f"Could not write {error.filename or folder}: {error.strerror}.") from None
    return done


def _copy(files, folder, update, done):
    noted = read_note(folder)
    for name, data in files:
        done.lessons += name.endswith(".ipynb")
        target, edition = folder / name, _digest(data)
        there = _digest(target.read_bytes()) if target.exists() else None
        if there is None:
            write_atomically(target, data)
            done.written.append(name)
        elif there == edition:
            pass
        elif there != noted.get(name) and noted.get(name) == edition:
            done.theirs.append(name)
        elif not update:
            done.older.append(name)
            continue  # for an update to come it stays noted as it was
        elif there == noted.get(name):
            write_atomically(target, data)
            done.renewed.append(name)
        else:
            done.beside[name] = _put_beside(target, data)
        noted[name] = edition
    write_atomically(folder / NOTE, json.dumps(noted, indent=1) + "\n")


def _files(source):
    """(path below the folder, bytes) of all that a student gets."""
    for path in sorted(source.rglob("*")):
        parts = path.relative_to(source).parts
        if path.is_file() and not any(part.startswith((".", "__")) for part in parts):
            yield "/".join(parts), _on_its_own(path) if path.suffix == ".md" else path.read_bytes()


def _put_beside(target, data):
    """Write a newer edition beside ``target``, under the first name that is free; its name."""
    for number in itertools.count(1):
        again = f"-{number}" * (number > 1)
        beside = target.with_stem(f"{target.stem}-{rnncore.__version__}{again}")
        if not beside.exists():
            write_atomically(beside, data)
        if beside.read_bytes() == data:
            return beside.name


def read_note(folder):
    """{path: digest of what was copied there last}; without a readable note every file is worked in."""
    try:
        noted = json.loads((folder / NOTE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def _on_its_own(path):
    """The page that lists the lessons, without what only the course's own folder has."""
    page = path.read_text("utf-8")
    for part in (r" \(This page is written .*?\)\.\)", r", or \[[^]]*\]\(\.\./[^)]*\)"):
        page = re.sub(part, "", page, flags=re.DOTALL)
    return page.encode()


def sentences(done):
    """What to say of it, a line each."""
    folder = done.folder
    typed = f'"{folder}"' if " " in str(folder) else folder  # as a shell takes it
    if done.written:
        yield f"{done.lessons} lessons are in {folder}; {len(done.written)} files are new."
    else:
        yield f"{done.lessons} lessons are in {folder}."
    if done.theirs:
        yield f"Yours, and left as they are: {', '.join(done.theirs)}."
    if done.renewed:
        yield f"Newer now, since you had not changed them: {', '.join(done.renewed)}."
    for name, beside in done.beside.items():
        yield f"{name} is yours and left as it is; the newer edition lies beside it, {beside}."
    if done.older:
        yield (
            f"Not the edition of this installation, and left as they are: {', '.join(done.older)}. "
            f"To have the newer ones, beside what you changed: unrolled lessons {typed} --update"
        )
    if importlib.util.find_spec("jupyterlab"):
        yield f"Open them: jupyter lab {typed}"
    else:
        yield (
            f"Open them: {sys.executable} -m pip install 'unrolled[lab]', then jupyter lab {typed} "
            "(or in any other notebook program)."
        )
