"""Pairs of submissions to a lesson that are alike, exercise by exercise, side by side on one page.

The page shows and does not judge: it names what was compared, what was taken away before, and how close
both are to the course's own solution, to which honest answers come close, too. It is made on this machine and
stays there.
"""

import html
from collections import defaultdict
from dataclasses import dataclass, field

from autograder.course.places import CourseError, write_atomically
from autograder.course.spec import read_spec
from autograder.intake.contents.drafts import is_empty
from autograder.intake.contents.reading import Unreadable
from autograder.intake.contents.rescue import rescue
from autograder.intake.contents.written import is_blank
from autograder.intake.plain import plain
from autograder.intake.submissions import find_submissions
from autograder.reporting.likeness import LEAST, LEAST_CLASS, LINE, Text, alike, of_their_own
from autograder.reporting.sheet import document, figures, table

ADDED = "cells they added"
MOST_SHOWN = 60  # pairs that are shown side by side
MOST_NAMED = 200  # further pairs
MOST_LINES = 300  # of one answer
NO_PROOF = (
    "Likeness is no proof. Two people who work alone may write the same few lines, above all where the "
    "lesson gives the formulas; two who learn together may come to one answer honestly. Read both, and ask."
)
STYLE = """
body { max-width: 1400px; }
.warning { border-left: 5px solid var(--bar); background: var(--faint); padding: .7rem 1rem; margin: 1rem 0; }
details { border-top: 1px solid var(--line); padding: .6rem 0; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem; }
.two > div { min-width: 0; }
pre .same { background: var(--mark); }
"""


@dataclass
class Compared:
    """One exercise: whose answers were compared, what of them is their own, and the pairs found alike."""

    exercise: str
    sources: dict = field(default_factory=dict)  # {student: source}
    texts: dict = field(default_factory=dict)  # {student: Text}
    own: dict = field(default_factory=dict)  # {student: pieces}, of those who have enough
    pairs: list = field(default_factory=list)
    solution: frozenset = frozenset()  # the pieces of the course's own answer


@dataclass
class Likenesses:
    """What comparing a lesson's submissions found."""

    times: dict  # {student: when it was handed in, or None}
    exercises: list
    left_out: dict  # {student: why}

    def by_students(self):
        """{(one, other): their Pairs}, those with the most in common first."""
        found = defaultdict(list)
        for exercise in self.exercises:
            for pair in exercise.pairs:
                found[pair.students].append(pair)
        order = sorted(found, key=lambda both: (-sum(len(pair.common) for pair in found[both]), both))
        return {both: found[both] for both in order}


def compare(workspace, lesson, spec, line=LINE):
    """Compare all submissions to a lesson; returns Likenesses."""
    exercises = {
        cell.grade_id: Compared(cell.grade_id) for cell in spec.cells if cell.kind in ("solution", "written")
    }
    exercises[ADDED] = Compared(ADDED)
    times, left_out = {}, {}
    for submission in find_submissions(workspace, lesson):
        try:
            if submission.raw is None:
                raise Unreadable(submission.problem)
            answers = _answers(submission.raw, spec)
        except Unreadable as error:
            left_out[submission.student] = str(error)
            continue
        times[submission.student] = submission.timestamp
        for exercise, source in answers.items():
            exercises[exercise].sources[submission.student] = source
    written = {cell.grade_id for cell in spec.cells if cell.kind == "written"}
    given = {prose: _given(spec, prose) for prose in (False, True)}
    solved = _solved(lesson)
    for exercise in exercises.values():
        prose = exercise.exercise in written
        exercise.texts = {student: Text(text, prose) for student, text in exercise.sources.items()}
        exercise.own = of_their_own(exercise.texts, given[prose])
        exercise.pairs = alike(exercise.exercise, exercise.own, line)
        exercise.solution = Text(solved.get(exercise.exercise, ""), prose).pieces - given[prose]
    return Likenesses(times, [one for one in exercises.values() if one.sources], left_out)


def _answers(raw, spec):
    """{exercise: source} of what a student wrote; raises Unreadable."""
    cells = rescue(raw, spec).notebook.cells
    released = {cell.grade_id: cell for cell in spec.cells}
    answers = {}
    for cell in cells:
        asked = released.get(cell.id)
        if asked is None:
            continue
        if asked.kind == "solution" and not is_empty(cell.source, asked.source, cell.id):
            answers[cell.id] = cell.source
        elif asked.kind == "written" and not is_blank(cell.source, asked.source):
            answers[cell.id] = cell.source
    added = [cell.source for cell in cells if cell.id not in released and cell.cell_type == "code"]
    return answers | ({ADDED: "\n\n".join(added)} if added else {})


def _given(spec, prose):
    kind = "markdown" if prose else "code"
    texts = (Text(cell.source, prose) for cell in spec.cells if cell.cell_type == kind)
    return frozenset().union(*(text.pieces for text in texts))


def _solved(lesson):
    """{exercise: source} of the course's own solution, where there is one."""
    from autograder.course.solutions import read_solution

    try:
        cells = read_solution(lesson).cells
    except (CourseError, OSError):
        return {}
    named = ((cell.metadata.get("nbgrader") or {}, cell.source) for cell in cells)
    return {marks["grade_id"]: source for marks, source in named if marks.get("solution")}


def write_similar(workspace, lesson, line=LINE):
    """Write the page to reports/LESSON-similar.html; returns its path and the Likenesses."""
    spec = read_spec(lesson.lesson_path)
    found = compare(workspace, lesson, spec, line)
    path = workspace.reports / f"{lesson.name}-similar.html"
    write_atomically(path, page(lesson.name, found, line))
    return path, found


def page(name, found, line=LINE):
    """The page as html."""
    pairs = found.by_students()
    title = f"Similar work in {name}"
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f'<p class="warning">{NO_PROOF} This page was made on this machine, and nothing of it was sent '
        "anywhere.</p>",
        figures([("submissions compared", len(found.times)), ("pairs alike", len(pairs))]),
        "<h2>What was compared</h2>",
        '<p class="soft">Names of variables, comments, layout and the order of statements do not count; '
        "neither does what the lesson hands out"
        + (", nor what more than half of the class has" if len(found.times) >= LEAST_CLASS else "")
        + f". A pair is shown where {line:.0%} of the shorter answer is in the other. An answer with fewer "
        f"than {LEAST} pieces of its own says nothing alone, and is not compared.</p>",
        _exercises(found),
    ]
    if groups := [group for group in _groups(pairs) if len(group) > 2]:
        listed = "".join(f"<li>{', '.join(map(_name, group))}</li>" for group in groups)
        parts += ["<h2>More than two who hang together</h2>", f"<ul>{listed}</ul>"]
    parts.append("<h2>Pairs, those with the most in common first</h2>")
    parts += [_pair(both, found, here) for both, here in list(pairs.items())[:MOST_SHOWN]]
    if not pairs:
        parts.append('<p class="soft">None.</p>')
    if rest := list(pairs)[MOST_SHOWN:]:
        more = "; and others" if len(rest) > MOST_NAMED else ""
        names = "; ".join(f"{_name(one)} and {_name(other)}" for one, other in rest[:MOST_NAMED])
        parts.append(f'<p class="soft">{len(rest)} more pairs are not shown: {names}{more}.</p>')
    if found.left_out:
        listed = "".join(
            f"<li>{_name(student)}: {html.escape(plain(why, tex=True))}</li>"
            for student, why in found.left_out.items()
        )
        parts += ["<h2>Not compared</h2>", f"<ul>{listed}</ul>"]
    return document(title, parts, STYLE)


def _name(student):
    return html.escape(plain(student, tex=True))


def _exercises(found):
    heads = [("exercise", ""), ("answers", "number"), ("long enough", "number"), ("pairs alike", "number")]
    rows = [
        (f"<code>{html.escape(one.exercise)}</code>", len(one.sources), len(one.own), len(one.pairs))
        for one in found.exercises
    ]
    return table(heads, rows)


def _groups(pairs):
    """Who is alike with whom, directly or by way of others, as sorted lists of names."""
    groups = []
    for both in pairs:
        touched = [group for group in groups if group & set(both)]
        groups = [group for group in groups if group not in touched]
        groups.append(set(both).union(*touched))
    return sorted(map(sorted, groups), key=lambda group: (-len(group), group))


def _pair(both, found, pairs):
    alike_in = {pair.exercise: pair for pair in pairs}
    others = []
    for exercise in found.exercises:
        if exercise.exercise not in alike_in and all(student in exercise.own for student in both):
            one, other = (exercise.own[student] for student in both)
            share = len(one & other) / min(len(one), len(other))
            others.append(f"<code>{html.escape(exercise.exercise)}</code> {share:.0%}")
    shares = ", ".join(f"<code>{html.escape(pair.exercise)}</code> {pair.share:.0%}" for pair in pairs)
    by_name = {exercise.exercise: exercise for exercise in found.exercises}
    less = f'<p class="soft">Less alike: {", ".join(others)}.</p>' if others else ""
    sides = "".join(_side_by_side(pair, by_name[pair.exercise], found) for pair in pairs)
    names = " and ".join(f"<strong>{_name(student)}</strong>" for student in both)
    return f"<details><summary>{names}: {shares}</summary>{less}{sides}</details>"


def _side_by_side(pair, exercise, found):
    near = len(pair.common & exercise.solution) / len(pair.common)
    note = f"{len(pair.common)} pieces in common"
    if near >= 0.5:
        note += f"; {near:.0%} of them are in the course's own solution, too"
    columns = []
    for student in pair.students:
        when = found.times[student]
        when = f"handed in {when:%Y-%m-%d %H:%M} UTC" if when else "handed in at a time not known"
        same = exercise.texts[student].lines_of(pair.common)
        columns.append(
            f'<div>{_name(student)} <span class="soft">{when}</span>'
            f"<pre>{_lines(exercise.sources[student], same)}</pre></div>"
        )
    heading = f"<h3><code>{html.escape(pair.exercise)}</code> {pair.share:.0%}</h3>"
    return f'{heading}<p class="soft">{note}.</p><div class="two">{"".join(columns)}</div>'


def _lines(source, same):
    lines = source.splitlines()
    shown = []
    for number, line in enumerate(lines[:MOST_LINES]):
        text = html.escape(plain(line, 500, lines=True, tex=True))
        shown.append(f'<span class="same">{text}</span>' if number in same else text)
    if len(lines) > MOST_LINES:
        shown.append(f"... and {len(lines) - MOST_LINES} more lines")
    return "\n".join(shown)
