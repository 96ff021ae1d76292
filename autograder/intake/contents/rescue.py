"""From whatever file a student handed in to the notebook that is graded.

The notebook is *rebuilt* from the release: every locked, test and text cell is the instructor's, and only
the student's own work is taken from the file: the solution and written cells, and the cells that were
added, which stay in their place, run, and earn nothing. A student's work is found by its grade_id, else
by the function it defines, so a notebook that lost its metadata, its order or half of its cells is graded
as if untouched; a written answer is found wherever it stands (``written``), and of several versions of a
function that one counts which running the notebook would leave (``drafts``). What had to be mended is told
to the instructor in short remarks.
"""

import copy
from dataclasses import dataclass

import nbformat

from autograder.intake.contents.drafts import holds_only, is_empty, parsed, same_text
from autograder.intake.contents.reading import read_cells
from autograder.intake.contents.written import Release, is_blank

MAX_ADDED = 300
MOST_VERSIONS = 12  # of one answer that are compared
# What is looked through for a written answer that is not in its place: cells, and characters of code in them.
MOST_READ, MOST_CODE = 2000, 600_000


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
    answers = _written_answers(cells, matched, dropped, spec, remarks)
    return Rescued(_rebuild(cells, matched, dropped, answers, spec, remarks), remarks)


def amount_of_work(raw, spec):
    """How many of the lesson's answers somebody worked on in this file; raises only Unreadable."""
    notebook = rescue(raw, spec).notebook
    sources = {cell.id: cell.source for cell in notebook.cells}
    done = [
        cell
        for cell in spec.cells
        if cell.kind in ("solution", "written")
        and not is_empty(sources.get(cell.grade_id, ""), cell.source, cell.grade_id)
    ]
    return len(done)


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
            if (cell.grade_id in found.defines and _may_run(found, cell))
            or (found.name == cell.grade_id and not found.defines & names)
        ]
        candidates = candidates[-MOST_VERSIONS:]
        if not candidates:
            remarks.append(f"The cell {cell.grade_id} was missing; its empty version was put back.")
            continue
        if len(candidates) > 1:
            _join_halves(candidates, cell, dropped, remarks)
        several = len(candidates) > 1
        best = max(candidates, key=lambda found, cell=cell: _rank(found, cell)) if several else candidates[0]
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
        idle = {
            found.index
            for found in candidates
            if several and _is_empty(found, cell) and holds_only(found.source, cell.grade_id)
        }
        dropped |= idle - {best.index}

    _match_written(cells, spec, matched, claimed, dropped, remarks)
    return matched, dropped - set(matched.values())


def _join_halves(candidates, cell, dropped, remarks):
    """Put an answer together that was cut in two in the middle, as editors do at a press of two keys."""
    halves = [found for found in candidates if found.name == cell.grade_id and found.cell_type == "code"]
    if len(halves) < 2 or any(_is_code(found) and not _is_empty(found, cell) for found in candidates):
        return
    whole = "\n".join(found.source for found in halves)
    if parsed(whole) is not None and not is_empty(whole, cell.source, cell.grade_id):
        halves[0].source = whole
        dropped |= {found.index for found in halves[1:]}
        remarks.append(f"The cell {cell.grade_id} was cut in {len(halves)}; they were put together.")
        candidates[:] = [found for found in candidates if found not in halves[1:]]


def _rank(found, cell):
    """Which of several candidates is the answer: worked on, defines the function, has the name, last."""
    return (
        not _is_empty(found, cell),
        cell.grade_id in found.defines and _is_code(found),
        cell.grade_id in found.defines,
        found.name == cell.grade_id,
        found.index,
    )


def _may_run(found, cell):
    """Code, broken or not, or text that is nothing but code; not a text that quotes the function."""
    return found.cell_type == "code" or found.name == cell.grade_id or _is_code(found)


def _is_empty(found, cell):
    return is_empty(found.source, cell.source, cell.grade_id)


def _is_code(found):
    """Would it run at all? Text that quotes a function, or half of one, defines nothing."""
    return parsed(found.source) is not None


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
    if not same_text(found.source, cell.source):
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
    """Written answers by name, for their place; what the texts are is settled when all cells are matched."""
    for cell in spec.cells:
        if cell.kind != "written":
            continue
        named = [
            found
            for found in cells
            if found.index not in claimed and cell.grade_id in (found.grade_id, found.cell_id)
        ]
        if not named:
            continue
        best = max(named, key=lambda found: (not same_text(found.source, cell.source), found.index))
        matched[cell.grade_id] = best.index
        claimed |= {found.index for found in named}
        dropped |= {found.index for found in named if same_text(found.source, cell.source)} - {best.index}
        if len(named) > 1:
            remarks.append(f"The written answer {cell.grade_id} was there {len(named)} times.")
        if best.cell_type != "markdown":
            remarks.append(
                f"The written answer {cell.grade_id} was no text cell any more; it was turned back."
            )


def _written_answers(cells, matched, dropped, spec, remarks):
    """{grade_id: (text, attachments)}: the written answers, put together from wherever they were written.

    What is in the answer's own cell is the answer. Where nothing is, all that a student wrote for a reader
    elsewhere stands there, so that a person is asked to read it. What stood in a cell that is restored is
    not lost either.
    """
    release, answers = Release(spec), {}
    names = [cell.grade_id for cell in spec.cells if cell.kind == "written"]
    by_index = {found.index: found for found in cells}
    for name in names:
        own = by_index.get(matched.get(name))
        if own and not is_blank(own.source, spec.cell(name).source):
            text = (own.cell_type == "code" and release.prose(own.source, beside_code=False)) or own.source
            answers[name] = (text, own.attachments)
    for name, parts in _elsewhere(cells, matched, dropped, answers, names, release, spec).items():
        moved = {found.index for found, _, moves in parts if moves}
        if len(parts) == len(moved) == 1:
            remarks.append(f"The written answer {name} was found by its place.")
        elif name not in answers:
            remarks.append(f"The written answer {name} was empty; what was written elsewhere stands there.")
        else:
            remarks.append(f"Text that stood in cells of the lesson was put under the written answer {name}.")
        dropped |= moved
        text, attachments = answers.get(name, ("", {}))
        for found, more, _ in parts:
            text = f"{text}\n\n{more}" if text else more
            attachments = {**found.attachments, **attachments}
        answers[name] = (text, attachments)
    for name in names:
        if name not in answers and name not in matched:
            remarks.append(f"The written answer {name} was missing.")
    return answers


def _elsewhere(cells, matched, dropped, answered, names, release, spec):
    """{written answer: [(Found, text, whether it moves there)]}: what was written outside of its own cell."""
    order = {cell.grade_id: place for place, cell in enumerate(spec.cells)}
    claims = {index: spec.cell(name) for name, index in matched.items()}
    blank = [name for name in names if name not in answered]
    found_for, place, room = {}, -1, MOST_CODE
    for found in cells[:MOST_READ]:
        own = claims.get(found.index)
        place = order[own.grade_id] if own else place
        lost = own.kind in ("locked", "test") if own else found.index in dropped
        wanted = blank or (names if lost else ())
        if not wanted or (own and own.kind == "written"):
            continue
        if found.cell_type == "code" or (own and own.kind == "solution"):
            room -= len(found.source)
            if room < 0:
                continue
            text = release.prose(found.source, beside_code=own is not None)
        else:
            text = release.text(found.source)
        if text:
            name = min(wanted, key=lambda name: abs(order[name] - place - 0.5))
            # A text of its own right above or below moves; what is part of something stays there as well.
            near = abs(order[name] - place - 0.5) <= 1
            moves = own is None and near and found.cell_type != "code"
            found_for.setdefault(name, []).append((found, text, moves))
    return found_for


# Building the notebook


def _rebuild(cells, matched, dropped, answers, spec, remarks):
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
            built.append(_released_cell(cell, by_index.get(matched.get(cell.grade_id)), answers))
        extra = added.get(cell and cell.grade_id, ())[:left]
        built.extend(_added_cell(found, MAX_ADDED - left + 1 + n) for n, found in enumerate(extra))
        left -= len(extra)
    return _notebook(spec, built)


def _released_cell(cell, found=None, answers=()):
    """A cell of the release, holding the student's text where a student may write."""
    source = cell.source
    attachments = {}
    if cell.kind == "written":
        if cell.grade_id in answers:
            source, attachments = answers[cell.grade_id]
    elif found is not None and cell.kind in ("solution", "code", "text"):
        source, attachments = found.source, found.attachments if cell.cell_type == "markdown" else {}
    return _cell(
        cell.grade_id, cell.cell_type, source, copy.deepcopy(cell.metadata), copy.deepcopy(attachments)
    )


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
