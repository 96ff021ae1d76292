"""The class's results: a table for the terminal, and a page that opens from disk without a network.

The page holds everything it needs and runs nothing: bars are plain boxes and one small drawing, so it
prints well and can be sent by mail. It is read before the next class: first how it went, then what to
teach again, each mistake with the section of the lesson and the students, then what a person should look
at. What the gradebook knows, such as a grade given by hand, goes before what the grader found.
"""

import html
import statistics
from collections import Counter

from rich.markup import escape
from rich.table import Table

from autograder.course.places import write_atomically
from autograder.gradebook.page import prose
from autograder.intake.plain import plain
from autograder.judging.graded import unnamed
from autograder.judging.status import Status
from autograder.reporting.grades import Grade
from autograder.reporting.nameless import nameless_table
from autograder.reporting.reteach import Links, mistakes_table, remarks_table
from autograder.reporting.sheet import document, figures, wide

STATUS_STYLES = {
    Status.GRADED: "green",
    Status.PARTLY_GRADED: "yellow",
    Status.NOT_ATTEMPTED: "dim",
    Status.INFRASTRUCTURE_FAULT: "bold red",
}


def terminal_table(results, standings, title=None):
    """A rich Table: student, the gradebook's score, status, the mistakes named, seconds.

    ``standings``: the gradebook's {student: Grade}. A column says where lateness cost something, or a person
    is waited for.
    """
    held = {student: _held(student, result, standings) for student, result in results.items()}
    notes = {student: ", ".join(_notes(grade)) for student, grade in held.items()}
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("student", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("mistake named", overflow="fold")
    if any(notes.values()):
        table.add_column("note", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    for student in sorted(results):
        result = results[student]
        style = STATUS_STYLES.get(result["status"], "magenta")
        named = ", ".join(f"{mistake['exercise']}: {mistake['id']}" for mistake in result["mistakes"])
        table.add_row(
            escape(plain(student)),
            _score(held[student].score, held[student].max_score),
            f"[{style}]{result['status']}[/]",
            escape(plain(named)) or "[dim]-[/]",
            *([notes[student]] if any(notes.values()) else []),
            f"{result['seconds']:.1f}",
        )
    return table


def _held(student, result, standings):
    """The gradebook's Grade; what the grader found, where the gradebook has none."""
    return standings.get(student) or Grade(student, result["score"], result["max_score"])


def _notes(grade):
    if grade.late_penalty:
        yield f"{grade.late_penalty:g} off for lateness"
    if grade.waits:
        yield "waits for a person"


def write_report(workspace, spec, results, standings, changed=None):
    """Write the class's page for a lesson and return its path.

    ``results``: {student: result}, of those who are to be in it. ``standings``: the gradebook's
    {student: Grade}. ``changed``: whose answers changed after they were graded by hand, as
    {student: [grade_id]}.
    """
    path = workspace.reports / f"{spec.assignment}.html"
    write_atomically(path, page(workspace, spec, results, standings, changed))
    return path


def page(workspace, spec, results, standings, changed=None):
    """The class's page as html."""
    held = {student: _held(student, result, standings) for student, result in results.items()}
    scored = [grade.score for grade in held.values() if grade.score is not None]
    by_hand = sum(cell.points for cell in spec.cells if cell.kind == "written")
    title = f"Results of {spec.assignment}"
    links = Links(workspace, spec)
    nameless = nameless_table(results, workspace, spec, links)
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f'<p class="soft">Exercises are worth {spec.max_points - by_hand:g} points'
        + (f", the written answer {by_hand:g} more, graded by hand." if by_hand else ".")
        + "</p>",
        _figures(results, scored, held),
        "<h2>Scores</h2>",
        _histogram(scored, spec.max_points),
        "<h2>Exercises</h2>",
        _exercises(results, held, spec),
        "<h2>What to teach again</h2>",
        mistakes_table(results, links),
        *([f"<h2>No name yet</h2>{nameless}"] if nameless else []),
        "<h2>To look at</h2>",
        remarks_table(results, links, changed or {}),
        "<h2>Students</h2>",
        _students(results, held, spec, links),
    ]
    return document(title, parts)


def _figures(results, scored, held):
    counts = Counter(result["status"] for result in results.values())
    waiting = sum(grade.waits for grade in held.values())
    numbers = [("submissions", len(results))]
    if scored:
        numbers += [
            ("mean score", f"{statistics.mean(scored):.1f}"),
            ("median score", f"{statistics.median(scored):.1f}"),
        ]
    numbers.append(("graded without trouble", counts[Status.GRADED]))
    if results:
        seconds = statistics.median(result["seconds"] for result in results.values())
        numbers.append(("seconds to grade one, median", f"{seconds:.1f}"))
    if waiting:
        numbers.append(("wait for grading by hand", waiting))
    return figures(numbers)


def _histogram(scores, top):
    """How many students have which score, in ten steps of equal width, as a drawing with its numbers."""
    bins = [0] * 10
    for score in scores:
        bins[min(9, int(10 * score / top) if top else 0)] += 1
    tallest = max([1, *bins])
    width, height, step = 640, 150, 62
    bars = []
    for number, count in enumerate(bins):
        x, tall, wide = 10 + number * step, round(height * count / tallest), step - 6
        y = 20 + height - tall
        if count:
            bars.append(f'<rect x="{x}" y="{y}" width="{wide}" height="{tall}" rx="3" fill="#3b6ea8"/>')
            bars.append(f'<text x="{x + wide / 2}" y="{y - 5}" text-anchor="middle">{count}</text>')
        edge = f"{top * number / 10:g}"
        bars.append(f'<text x="{x - 3}" y="{height + 38}" text-anchor="middle">{edge}</text>')
    bars.append(f'<text x="{10 + 10 * step - 6}" y="{height + 38}" text-anchor="middle">{top:g}</text>')
    bars.append(f'<line x1="6" y1="{height + 21}" x2="{width}" y2="{height + 21}" stroke="#9aa3b2"/>')
    said = f"Histogram of {len(scores)} scores from 0 to {top:g} in ten steps: {', '.join(map(str, bins))}."
    return (
        f'<svg viewBox="0 0 {width + 10} {height + 50}" width="{width}" role="img" style="max-width: 100%">'
        f"<title>{said}</title>{''.join(bars)}</svg>"
        '<p class="soft">Number of students by score, lowest to highest.</p>'
    )


def _exercises(results, held, spec):
    rows, known = [], [student for student, grade in held.items() if grade.score is not None]
    for cell in spec.cells:
        if cell.kind != "test":
            continue
        scores = [results[student]["exercises"].get(cell.grade_id, {}) for student in known]
        points = [
            held[student].parts.get(cell.grade_id, (score.get("points", 0),))[0]
            for student, score in zip(known, scores, strict=True)
        ]
        full = sum(1 for value in points if value >= cell.points)
        none = sum(1 for value in points if value == 0)
        nameless = sum(1 for score in scores if unnamed(score))
        mean = statistics.mean(points) if points else 0
        name = html.escape(cell.grade_id.removesuffix("-check"))
        rows.append(
            f'<tr><td><code>{name}</code></td><td class="number">{_score(mean, cell.points, 2)}</td>'
            f"<td>{_bar(mean, cell.points)}</td>"
            + "".join(f'<td class="number">{count}</td>' for count in (full, none, nameless))
            + "</tr>"
        )
    return wide(
        '<table><thead><tr><th>exercise</th><th class="number">mean</th><td></td>'
        '<th class="number">full marks</th><th class="number">no marks</th>'
        '<th class="number">wrong, no mistake named</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _students(results, held, spec, links):
    rows = []
    for student, result in sorted(results.items()):
        notes = [f"<code>{html.escape(m['exercise'])}</code> {prose(m['says'])}" for m in result["mistakes"]]
        said = "".join(f"<li>{note}</li>" for note in notes)
        remarks = "".join(f"<li>{prose(remark)}</li>" for remark in result["remarks"])
        waits = "".join(f'<br><span class="soft">{note}</span>' for note in _notes(held[student]))
        kind = "" if result["status"] in (Status.GRADED, Status.NOT_ATTEMPTED) else " other"
        score = _score(held[student].score, spec.max_points)
        rows.append(
            f'<tr><td class="name">{links.student(student)}</td><td class="number">{score}</td>'
            f"<td>{_bar(held[student].score or 0, spec.max_points)}</td>"
            f'<td class="status{kind}">{html.escape(result["status"])}{waits}</td>'
            f"<td>{f'<ul>{said}</ul>' if said else ''}"
            f'{f"""<ul class="remarks">{remarks}</ul>""" if remarks else ""}</td>'
            f'<td class="number">{result["seconds"]:.1f}</td></tr>'
        )
    return wide(
        '<table><thead><tr><th>student</th><th class="number">score</th><td></td><th>status</th>'
        '<th>mistakes and remarks</th><th class="number">seconds</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _score(points, top, digits=2):
    return f"{'-' if points is None else format(round(points, digits), 'g')} / {top:g}"


def _bar(points, top):
    share = max(0, min(100, round(100 * points / top))) if top else 0
    return f'<div class="track"><span style="width: {share}%"></span></div>'
