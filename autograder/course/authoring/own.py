"""A course of one's own: a folder with lessons of ours, lessons of yours, and what runs it.

``start`` makes the folder: the solutions that were chosen, and what lies in ``starter/``, an example lesson
with its exercises among it. ``update`` brings newer editions of our lessons, as ``handout`` does for whoever
learns: over nothing that was changed, but beside it. The cells of a lesson are noted as they came, so that it
can be said who changed which.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import rnncore
from autograder.course.handout import NOTE, copy, of_the_package, read_note
from autograder.course.places import CourseError, all_lessons, find_lesson, write_atomically

STARTER = Path(__file__).with_name("starter")
CELLS = ".unrolled-cells.json"
LETTERS = "LETTERS.md"
# Where a file of starter/ belongs, if not at the same place: names with a dot would be lost when packed.
PLACES = {"gitignore": ".gitignore", "workflows/test.yml": ".github/workflows/test.yml"}
NEEDS_TORCH = ("torch", "num2words")


def chosen(words):
    """Our lessons that are named in ``words``, as in "02,03,05"; all of them for None, none for "none"."""
    ours = of_the_package("solutions").parent
    every = [lesson for lesson in all_lessons(ours) if lesson.solution_path.is_file()]
    if words is None:
        return every
    if words.strip().lower() == "none":
        return []
    found = {find_lesson(ours, word).name for word in words.split(",") if word.strip()}
    if not found:
        raise CourseError(f"No lesson is named in {words!r}; write 02,03,05, or none.")
    return [lesson for lesson in every if lesson.name in found]


def start(folder, lessons):
    """Make a course in ``folder``, with these lessons of ours; nothing is released yet."""
    folder = Path(folder).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "is not empty" if folder.is_dir() else "is a file"
        raise CourseError(f"{folder} {what}; name a new folder for the course.")
    ours = of_the_package("solutions")
    if folder.resolve().is_relative_to(ours.parent.resolve()):
        raise CourseError(f"{folder} lies in the package's own course; name a folder elsewhere.")
    done = _bring(folder, lessons)
    words = {"NAME": folder.name, "VERSION": rnncore.__version__, "EXTRAS": _extras(lessons)}
    for path in sorted(STARTER.rglob("*")):
        parts = path.relative_to(STARTER).parts
        if not path.is_file() or any(part.startswith((".", "__")) for part in parts):
            continue
        text = path.read_text("utf-8")
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        write_atomically(folder / PLACES.get("/".join(parts), "/".join(parts)), text)
    return done


def _extras(lessons):
    """What pip has to install for grading these lessons, as it stands between the brackets."""
    import nbformat  # takes a moment, which a wrong argument should not

    needs = set()
    for lesson in lessons:
        about = nbformat.read(lesson.solution_path, as_version=4).metadata.get("unrolled", {})
        needs.update(about.get("needs", ()))
    return "grading,torch" if needs.intersection(NEEDS_TORCH) else "grading"


@dataclass
class Changed:
    """What two people made of a lesson, cell by cell: its course's instructor, and its newer edition."""

    theirs: list  # ids of cells that only the instructor changed, added or removed
    newer: list  # only the newer edition
    both: list  # both, and not to the same


@dataclass
class Updated:
    """What became of our lessons in a course: a ``HandedOut``, and for those changed what differs where."""

    done: object
    changed: dict


def update(course, lessons=()):
    """Bring newer editions of our lessons that this course has, and these ``lessons``, new to it."""
    noted = read_note(course / "solutions")
    folders = {name.split("/")[0] for name in noted}
    have = {name for name in folders if (course / "solutions" / name).is_dir()}
    if not have and not lessons:
        raise CourseError(
            f"{course} has no lesson that came from the package (none is noted in solutions/{NOTE}); "
            "to bring some: unrolled update --lessons 02,03"
        )
    for lesson in lessons:
        if lesson.name not in have and (course / "solutions" / lesson.name).exists():
            raise CourseError(f"The course has a lesson {lesson.name} of its own; ours was not brought.")
    every = {lesson.name: lesson for lesson in chosen(None)}
    wanted = [every[name] for name in sorted({*have, *(lesson.name for lesson in lessons)}) if name in every]
    before = _read_cells(course)
    done = _bring(course, wanted, update=True)
    changed = {}
    for name in done.beside:
        base = before.get(name)
        theirs, newer = (_cells_of(path) for path in (course / "solutions" / name, _packed(name)))
        if None not in (base, theirs, newer):
            changed[name] = compare(base, theirs, newer)
    return Updated(done, changed)


def _packed(name):
    return of_the_package("solutions") / name


def _bring(course, lessons, update=False):
    """Copy the solutions of these lessons of ours, and what belongs to them, into the course."""
    folder = course / "solutions"
    names = [f"{lesson.name}/{path.name}" for lesson in lessons for path in _files_of(lesson)]
    if lessons and (not update or (folder / LETTERS).exists()):
        names.append(LETTERS)
    done = copy(((name, _packed(name).read_bytes()) for name in names), folder, update)
    cells = _read_cells(course) | {
        name: _cells_of(_packed(name)) for name in names if name.endswith(".ipynb")
    }
    write_atomically(folder / CELLS, json.dumps(cells, indent=0) + "\n")
    return done


def _files_of(lesson):
    folder = lesson.solution_path.parent
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _read_cells(course):
    try:
        cells = json.loads((course / "solutions" / CELLS).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return cells if isinstance(cells, dict) else {}


def _cells_of(path):
    """{id: digest} of a notebook's cells without their outputs, in order; None where it is no notebook."""
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        return {cell["id"]: _digest(cell) for cell in cells}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(cell):
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    about = {key: cell["metadata"][key] for key in ("nbgrader", "tags") if key in cell["metadata"]}
    words = json.dumps([cell["cell_type"], source, about], sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def compare(base, theirs, newer):
    """Who changed which cell since ``base``, each {id: digest}: a ``Changed``."""
    changed = Changed([], [], [])
    for name in {**base, **theirs, **newer}:
        was, their, new = (edition.get(name) for edition in (base, theirs, newer))
        if their == new or was == their == new:
            continue
        kind = changed.newer if their == was else changed.theirs if new == was else changed.both
        kind.append(name)
    return changed


def sentences(updated, course):
    """What to say of an update, a line each."""
    done = updated.done
    if done.written:
        yield f"New here: {', '.join(done.written)}."
    if done.renewed:
        yield f"Newer now, since you had not changed them: {', '.join(done.renewed)}."
    if done.theirs:
        yield f"Changed by you, and nothing newer has come: {', '.join(done.theirs)}."
    for name, beside in done.beside.items():
        yield f"{name} is changed by you and left as it is; the newer edition lies beside it, {beside}."
        if name in updated.changed:
            yield f"  {_who_changed(updated.changed[name])}"
    if done.beside:
        yield (
            "Take over what you want in your own notebook, delete the edition beside it, and run "
            "`unrolled release` and `unrolled test`."
        )
    elif done.renewed or done.written:
        yield "Now run `unrolled release` and `unrolled test`."
    else:
        yield f"All that came from the package is the edition of unrolled {rnncore.__version__}, or yours."


def _who_changed(changed):
    parts = (
        [f"CONFLICT, changed by both: {', '.join(changed.both)}"]
        if changed.both
        else ["No cell is in conflict"]
    )
    parts += [f"only by the newer edition: {', '.join(changed.newer)}"] if changed.newer else []
    parts += [f"only by you: {', '.join(changed.theirs)}"] if changed.theirs else []
    return "; ".join(parts) + "."
