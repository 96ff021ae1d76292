"""The page of a whole course: first who needs a word, then lessons, mistakes by idea, exercises, everybody.

Everybody is a row of small numbers, tenths of a lesson's points, which on paper go into two columns.
"""

import html
import statistics

from autograder.course.places import write_atomically
from autograder.gradebook.page import prose
from autograder.intake.plain import plain
from autograder.reporting.sheet import document, figures, table
from autograder.reporting.term import FEW, by_idea, has_stopped, odd_exercises, words_needed

MOST_MISTAKES = 3  # of an idea
MOST_IDEAS = 8
STYLE = """
.all { columns: 22rem; column-gap: 2rem; margin-top: .6rem; }
.one { display: flex; gap: .5rem; align-items: baseline; break-inside: avoid;
  border-bottom: 1px solid var(--line); padding: .15rem 0; }
.one .who { flex: 1 1 6rem; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.cells { display: inline-flex; gap: 1px; }
.cells span { width: 1.05rem; text-align: center; font-size: .72rem; line-height: 1.05rem; border-radius: 2px;
  font-variant-numeric: tabular-nums; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.s0 { background: #f2b8a0; color: #1f2430; } .s1 { background: #f6dcae; color: #1f2430; }
.s2 { background: #d5e4f5; color: #1f2430; } .s3 { background: #9dc3ec; color: #1f2430; }
.s- { color: var(--soft); }
.track { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.ideas { columns: 24rem; column-gap: 2rem; } .ideas > div { break-inside: avoid; margin-bottom: .8rem; }
@page { size: A4; margin: 12mm; }
@media print { body { font-size: 9.5px; line-height: 1.35; } h1 { font-size: 1.5rem; }
  h2 { margin: 1rem 0 .4rem; }
  .figures { margin-top: .6rem; gap: .4rem; } .figures div { padding: .3rem .5rem; flex-basis: 5rem; }
  .figures strong { font-size: 1.1rem; } th, td { padding: .18rem .6rem .18rem 0; } th { font-size: .95em; }
  .track { height: .4rem; margin-top: .3rem; width: 6rem; } .all { columns: 2; } .ideas { columns: 2; }
  .cells span { width: .95rem; font-size: .62rem; } .ideas > div { margin-bottom: .4rem; } }
"""


def write_term(workspace, term):
    """Write the page to reports/course.html and return its path."""
    path = workspace.reports / "course.html"
    write_atomically(path, page(term))
    return path


def page(term):
    """The page as html."""
    needed = words_needed(term)
    means = [mean for student in term.shares if (mean := term.mean(student)) is not None]
    numbers = [("students", len(term.shares)), ("lessons graded", len(term.lessons))]
    if means:
        numbers.append(("of the points, on average", f"{statistics.mean(means):.0%}"))
    numbers.append(("have stopped", sum(map(has_stopped, needed.values()))))
    if waiting := sum(term.waiting.values()):
        numbers.append(("answers wait for a person", waiting))
    parts = ["<h1>The course so far</h1>", figures(numbers), "<h2>Who needs a word</h2>", _needed(needed)]
    parts += ["<h2>Lessons</h2>", _lessons(term)]
    parts += ["<h2>Mistakes, by the idea behind them</h2>", _ideas(term)]
    parts += ["<h2>Exercises that tell too little</h2>", _exercises(term)]
    parts += ["<h2>Everybody</h2>", _everybody(term)]
    return document("The course so far", parts, STYLE)


def _name(student):
    return html.escape(plain(student, tex=True))


def _needed(needed):
    if not needed:
        return '<p class="soft">Nobody, by what the points say.</p>'
    rows = [(_name(student), "; ".join(said)) for student, said in needed.items()]
    return table((("student", "name"), ("why", "")), rows)


def _lessons(term):
    heads = [("lesson", ""), ("handed in", "number"), ("mean", "number"), ("", ""), ("median", "number")]
    heads += [("all points", "number"), ("wait for a person", "number")]
    rows = []
    for lesson in term.lessons:
        shares = term.of_lesson(lesson)
        mean, median = (
            function(shares) if shares else 0 for function in (statistics.mean, statistics.median)
        )
        bar = f'<div class="track"><span style="width: {mean:.0%}"></span></div>'
        handed, whole = term.handed_in(lesson), sum(share >= 0.999 for share in shares)
        row = (html.escape(lesson), f"{handed} of {len(term.shares)}", f"{mean:.0%}", bar, f"{median:.0%}")
        rows.append((*row, whole, term.waiting[lesson] or "-"))
    return table(heads, rows)


def _ideas(term):
    found = by_idea(term)
    if not found:
        return '<p class="soft">No known mistake was made.</p>'
    parts = []
    for idea, students, made in found[:MOST_IDEAS]:
        items = "".join(
            f"<li>{prose(says)} <span class='soft'>(<code>{html.escape(exercise)}</code>, "
            f"{html.escape(lesson)}: {count})</span></li>"
            for _, says, exercise, lesson, count in made[:MOST_MISTAKES]
        )
        more = len(made) - MOST_MISTAKES
        places = len({exercise for _, _, exercise, _, _ in made})
        where = f"{_count(students, 'student')}, {_count(places, 'exercise')}"
        head = f"<strong>{idea}</strong> <span class='soft'>{where}"
        rest = f"<p class='soft'>and {_count(more, 'other mistake')}</p>" if more > 0 else ""
        parts.append(f"<div>{head}</span><ul>{items}</ul>{rest}</div>")
    rest = [f"{idea} ({students})" for idea, students, _ in found[MOST_IDEAS:]]
    more = f'<p class="soft">Less often: {", ".join(rest)}.</p>' if rest else ""
    return f'<div class="ideas">{"".join(parts)}</div>{more}'


def _count(number, what):
    return f"{number} {what}{'s' * (number != 1)}"


def _exercises(term):
    found, few = odd_exercises(term), sum(len(one) < FEW for one in term.exercises.values())
    note = (
        f'<p class="soft">{_count(few, "exercise")} done by fewer than {FEW} say too little.</p>'
        if few
        else ""
    )
    if not found:
        return '<p class="soft">None: each of the others is solved by some and not by all.</p>' + note
    rows = [
        (f"<code>{html.escape(exercise)}</code>", html.escape(lesson), f"{mean:.0%}", says)
        for (lesson, exercise), mean, says in found
    ]
    return table((("exercise", ""), ("lesson", ""), ("mean", "number"), ("", "")), rows) + note


def _everybody(term):
    numbers = " ".join(lesson[:2] for lesson in term.lessons)
    rows = []
    for student in sorted(term.shares):
        cells = "".join(_cell(lesson, term.shares[student]) for lesson in term.lessons)
        mean = term.mean(student)
        mean = "-" if mean is None else f"{mean:.0%}"
        rows.append(
            f'<div class="one"><span class="who">{_name(student)}</span><span class="cells">{cells}</span>'
            f"<span>{mean}</span></div>"
        )
    return (
        f'<p class="soft">A number for each lesson ({numbers}): tenths of its points. A dot: not handed in; '
        f'a question mark: not graded.</p><div class="all">{"".join(rows)}</div>'
    )


def _cell(lesson, shares):
    share = shares.get(lesson)
    if share is None:
        said, kind = ("?", "-") if lesson in shares else ("·", "-")
    else:
        said, kind = str(int(10 * share + 1e-9)), str(min(3, int(4 * share)))
    return f'<span class="s{kind}" title="{html.escape(lesson)}">{said}</span>'
