"""From whatever file a student handed in to the notebook that is graded.

The notebook is *rebuilt* from the release: every locked, test and text cell is the instructor's, and only
the student's own work is taken from the file: the solution and written cells, and the cells that were
added, which stay in their place, run, and earn nothing. A student's work is found by its grade_id, else
by the function it defines, so a notebook that lost its metadata, its order or half of its cells is graded
as if untouched. What had to be mended is told to the instructor in short remarks.
"""

import copy
from dataclasses import dataclass

import nbformat

from autograder.intake.reading import read_cells

MAX_ADDED = 300
STUB = "raise NotImplementedError"


@dataclass(frozen=True)
class Rescued:
    """The notebook to grade (an nbformat 4.5 NotebookNode), and what was mended."""

    notebook: nbformat.NotebookNode
    remarks: list


def rescue(raw, spec):
    """Rebuild the notebook to grade from a submission's bytes; raises only Unreadable."""
    remarks = []
    cells = read_cells(raw, remarks)
    matched, dropped = _match(cells, spec, remarks)
    return Rescued(_rebuild(cells, matched, dropped, spec, remarks), remarks)


def untouched(spec):
    """The release itself as a notebook: what an unreadable submission is shown as."""
    return _notebook(spec, [_released_cell(cell) for cell in spec.cells])


# Finding the student's work


def _match(cells, spec, remarks):
    """({grade_id: index of the student's cell}, the indices of idle copies, which are left out)."""
    matched, dropped = {}, set()
    solutions = [cell for cell in spec.cells if cell.kind == "solution"]
    names = {cell.grade_id for cell in solutions}
    claimed = _match_instructors(cells, spec, names, matched, dropped, remarks)
    free = [found for found in cells if found.index not in claimed]

    for cell in solutions:
        # What a cell defines says whose answer it is; its name counts where it defines no answer at all.
        candidates = [
            found
            for found in free
            if cell.grade_id in found.defines or (found.name == cell.grade_id and not found.defines & names)
        ]
        if not candidates:
            remarks.append(f"The cell {cell.grade_id} was missing; its empty version was put back.")
            continue
        best = max(candidates, key=lambda found, cell=cell: _rank(found, cell))
        matched[cell.grade_id] = best.index
        claimed.add(best.index)
        copies = [found for found in candidates if found.name == cell.grade_id]
        if best.name != cell.grade_id:
            remarks.append(f"The answer to {cell.grade_id} was found by its function's name.")
        elif len(copies) > 1:
            remarks.append(f"The cell {cell.grade_id} was there {len(copies)} times; one was graded.")
        if best.cell_type != "code":
            remarks.append(f"The cell {cell.grade_id} was no code cell any more; it was turned back.")
        # An untouched copy further down would define the empty function again.
        idle = {found.index for found in candidates if _idle(found, cell) and len(found.defines) == 1}
        dropped |= idle - {best.index}

    _match_written(cells, spec, matched, claimed, dropped, remarks)
    return matched, dropped - set(matched.values())


def _rank(found, cell):
    """Which of several candidates is the answer: worked on, defines the function, has the name, last."""
    return (
        not _idle(found, cell),
        cell.grade_id in found.defines,
        found.name == cell.grade_id,
        found.index,
    )


def _idle(found, cell):
    """Was nothing done here yet?"""
    return not found.source.strip() or _same(found.source, cell.source) or STUB in found.source


def _match_instructors(cells, spec, answers, matched, dropped, remarks):
    """Recognise the cells that are taken from the release anyway; returns the indices they used up."""
    claimed, changed = set(), {}
    by_name, by_source = {}, {}
    for found in cells:
        by_name.setdefault(found.name, []).append(found)
        by_source.setdefault(found.source.strip(), []).append(found)
    known = {cell.grade_id: cell for cell in spec.cells}
    other_release = any(
        found.as_given
        and (found.name not in known or found.source.strip() != known[found.name].source.strip())
        for found in cells
    )
    for cell in spec.cells:
        if cell.kind in ("solution", "written"):
            continue
        # An answer under another cell's name is still the student's answer.
        named = [
            found
            for found in by_name.get(cell.grade_id, ())
            if found.index not in claimed and not found.defines & answers
        ]
        alike = [found for found in by_source.get(cell.source.strip(), ()) if found.index not in claimed]
        if cell.kind not in ("locked", "test"):
            named = [found for found in named if found.cell_type == cell.cell_type]
        if not named and not alike:
            if cell.kind in ("locked", "test") and not other_release:
                remarks.append(f"The cell {cell.grade_id} was missing and was put back.")
            continue
        best = named[0] if named else alike[0]
        matched[cell.grade_id] = best.index
        claimed.add(best.index)
        if cell.kind not in ("locked", "test"):
            continue
        copies = [found for found in named if found is not best]
        claimed |= {found.index for found in copies}
        dropped |= {found.index for found in copies}
        changed.setdefault(_changes(best, cell), []).append(cell.grade_id)
        if copies:
            remarks.append(f"The cell {cell.grade_id} was there {len(copies) + 1} times; one was kept.")
    for changes, names in changed.items():
        if changes:
            cells = f"{len(names)} locked cells" if len(names) > 1 else "The locked cell"
            what = (
                f"{', '.join(names)} had {changes}; {'they were' if len(names) > 1 else 'it was'} restored."
            )
            remarks.append(f"{cells} {what}")
    return claimed


def _changes(found, cell):
    changes = []
    if not _same(found.source, cell.source):
        changes.append("changed text")
    if found.cell_type != cell.cell_type:
        changes.append("another type")
    if cell.kind == "test" and found.points is not None and found.points != cell.points:
        changes.append("changed points")
    if changes and found.as_given:
        return ""  # another release gave it out like this: it is not the student who changed it
    if set(found.tags) != set(cell.tags):
        changes.append("changed tags")
    return " and ".join(changes)


def _match_written(cells, spec, matched, claimed, dropped, remarks):
    """Written answers: by name; else the one unclaimed piece of text in the gap where it belongs."""
    order = [cell.grade_id for cell in spec.cells]
    for cell in spec.cells:
        if cell.kind != "written":
            continue
        named = [
            found
            for found in cells
            if found.index not in claimed and cell.grade_id in (found.grade_id, found.cell_id)
        ]
        if not named:
            place = order.index(cell.grade_id)
            before = [matched[name] for name in order[:place] if name in matched]
            after = [matched[name] for name in order[place + 1 :] if name in matched]
            start = before[-1] if before else -1
            stop = after[0] if after else cells[-1].index + 1 if cells else 0
            gap = [
                found
                for found in cells
                if start < found.index < stop and found.index not in claimed and found.cell_type == "markdown"
            ]
            named = gap if len(gap) == 1 else []
            if not named:
                remarks.append(f"The written answer {cell.grade_id} was missing.")
                continue
            remarks.append(f"The written answer {cell.grade_id} was found by its place.")
        best = max(named, key=lambda found: (not _same(found.source, cell.source), found.index))
        matched[cell.grade_id] = best.index
        claimed.add(best.index)
        dropped |= {found.index for found in named if _same(found.source, cell.source)} - {best.index}
        if len(named) > 1:
            remarks.append(f"The written answer {cell.grade_id} was there {len(named)} times; one was kept.")
        if best.cell_type != "markdown":
            remarks.append(
                f"The written answer {cell.grade_id} was no text cell any more; it was turned back."
            )


def _same(one, other):
    return "\n".join(map(str.rstrip, one.strip().split("\n"))) == "\n".join(
        map(str.rstrip, other.strip().split("\n"))
    )


# Building the notebook


def _rebuild(cells, matched, dropped, spec, remarks):
    place = {index: grade_id for grade_id, index in matched.items()}
    in_lesson_order = [matched[cell.grade_id] for cell in spec.cells if cell.grade_id in matched]
    if in_lesson_order != sorted(in_lesson_order):
        remarks.append("Cells had been moved; they were put back in the lesson's order.")

    added, anchor = {}, None
    for found in cells:
        if found.index in place:
            anchor = place[found.index]
        elif found.index not in dropped and found.source.strip():
            added.setdefault(anchor, []).append(found)
    count = sum(not found.as_given for group in added.values() for found in group)
    if count > MAX_ADDED:
        remarks.append(f"{count} cells had been added; only the first {MAX_ADDED} were kept.")
    elif count:
        remarks.append(f"{count} added cell{'s were' if count > 1 else ' was'} kept, ungraded.")

    by_index = {found.index: found for found in cells}
    built, left = [], MAX_ADDED
    for cell in (None, *spec.cells):
        if cell is not None:
            built.append(_released_cell(cell, by_index.get(matched.get(cell.grade_id))))
        extra = added.get(cell and cell.grade_id, ())[:left]
        built.extend(_added_cell(found, MAX_ADDED - left + 1 + n) for n, found in enumerate(extra))
        left -= len(extra)
    return _notebook(spec, built)


def _released_cell(cell, found=None):
    """A cell of the release, holding the student's text where a student may write."""
    source = cell.source
    attachments = {}
    if found is not None and cell.kind in ("solution", "written", "code", "text"):
        source = found.source
        if cell.cell_type == "markdown":
            attachments = copy.deepcopy(found.attachments)
    return _cell(cell.grade_id, cell.cell_type, source, copy.deepcopy(cell.metadata), attachments)


def _added_cell(found, number):
    """A cell that the student added; a raw cell becomes text, since exporters pass raw cells through."""
    source = found.source
    cell_type = found.cell_type
    if cell_type == "raw":
        cell_type = "markdown"
        source = "\n".join("    " + line for line in source.split("\n"))
    attachments = copy.deepcopy(found.attachments) if cell_type == "markdown" else {}
    return _cell(f"added-{number}", cell_type, source, {"unrolled": {"added": True}}, attachments)


def _cell(name, cell_type, source, metadata, attachments):
    cell = {"id": name, "cell_type": cell_type, "metadata": metadata, "source": source}
    if cell_type == "code":
        cell |= {"execution_count": None, "outputs": []}
    if attachments:
        cell["attachments"] = attachments
    return nbformat.from_dict(cell)


def _notebook(spec, cells):
    notebook = {"cells": cells, "metadata": spec.notebook_metadata, "nbformat": 4, "nbformat_minor": 5}
    return nbformat.from_dict(notebook)
