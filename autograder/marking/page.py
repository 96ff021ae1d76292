"""The page on which a written question is marked: each answer beside the scheme's lines, which add up.

Answers were cleaned when they were read, and the policy lets nothing run but ``page.js``, from where the page
came from.
"""

import html
from pathlib import Path

from autograder.gradebook.typeset import as_html
from autograder.intake.plain import plain
from autograder.reporting.sheet import document

SCRIPT = Path(__file__).with_name("page.js")
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
STYLE = """
body { max-width: 1240px; }
article { border: 1px solid var(--line); border-left: 5px solid var(--soft); border-radius: 6px;
  padding: .8rem 1rem 1rem; margin: 1.2rem 0; scroll-margin-top: .5rem; }
article.marked { border-left-color: var(--bar); }
article h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
.two { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 27rem);
  gap: 1rem 2rem; align-items: start; }
.text { overflow-x: auto; } .text img { max-width: 100%; height: auto; background: #fff; }
.text h2 { margin: .4rem 0; }
.text h3, .text h4, .text h5, .text h6 { font-size: 1rem; margin: .8rem 0 .3rem; }
math[display="block"] { margin: .6em 0; overflow-x: auto; overflow-y: hidden; max-width: 100%; }
fieldset { border: 0; margin: 0 0 .6rem; padding: 0; min-width: 0; }
legend { font-weight: 600; padding: 0; margin-bottom: .2rem; }
.line { display: grid; grid-template-columns: auto auto minmax(0, 1fr); gap: .1rem .55rem; padding: .2rem 0;
  align-items: baseline; cursor: pointer; }
.line input { width: 1.05rem; height: 1.05rem; } .line .worth { color: var(--soft); white-space: nowrap; }
.line p { margin: 0; }
.rest { font-size: .92em; color: var(--soft); }
.row { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: center; margin: .5rem 0; }
input[type=number] { width: 5.5rem; } textarea { width: 100%; min-height: 3.4rem; resize: vertical; }
input[type=number], textarea, button { font: inherit; color: var(--ink); background: var(--paper);
  border: 1px solid var(--soft); border-radius: 4px; padding: .3rem .5rem; }
button { cursor: pointer; background: var(--faint); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.said { min-height: 1.5em; } .said.bad { color: var(--bad); font-weight: 600; }
kbd { font: .86em ui-monospace, "SF Mono", Menlo, Consolas, monospace; border: 1px solid var(--line);
  border-radius: 3px; padding: 0 .3em; }
@media (max-width: 52rem) { .two { grid-template-columns: minmax(0, 1fr); } }
"""


def page(spec, cell, scheme, answers, *, everybody, others):
    """The page as html, for the written answer ``cell`` of the lesson ``spec``.

    ``answers``: all that wait or were marked. ``everybody``: whether those already marked are shown as well.
    ``others``: {grade_id: how many wait} of all written questions.
    """
    waiting = sum(one.waits for one in answers)
    shown = [one for one in answers if everybody or one.waits]
    title = f"Mark {spec.assignment}" + (f": {cell.grade_id}" if len(others) > 1 else "")
    parts = [f"<h1>{html.escape(title)}</h1>"]
    if len(others) > 1:
        parts.append(_others(others, cell.grade_id))
    parts.append(
        f'<p id="count" role="status" tabindex="-1" data-marked="{len(answers) - waiting}" '
        f'data-all="{len(answers)}">{len(answers) - waiting} of {len(answers)} answers are marked.</p>'
    )
    parts.append(
        '<p class="soft">Everything is saved at once, into the gradebook. Tick what is right and the points '
        "add up, or type a number of your own; an answer with nothing right needs a 0. <kbd>Ctrl</kbd> "
        "<kbd>Enter</kbd> goes to the next answer that waits, with <kbd>Shift</kbd> to the one above.</p>"
    )
    parts.append(_switch(cell, everybody))
    if scheme.question:
        parts.append(_fold("The question", as_html(scheme.question, below=0), True))
    if scheme.answer:
        parts.append(_fold("Model answer", as_html(scheme.answer, below=2), False))
    if not scheme.lines:
        parts.append(
            '<p class="soft">There is nothing to tick: the solution has no mark scheme for this answer in '
            "lines like <code>- 1 point: ...</code>, between BEGIN and END MARK SCHEME.</p>"
        )
    if not shown:
        parts.append("<p><strong>Nobody's answer waits.</strong></p>")
    parts += [_one(number, one, cell, scheme) for number, one in enumerate(shown, 1)]
    parts.append('<script src="page.js"></script>')
    return document(title, parts, STYLE, policy=POLICY)


def _others(others, here):
    items = "".join(
        f'<li><a href="?question={html.escape(name)}"{" aria-current=page" if name == here else ""}>'
        f"{html.escape(name)}</a> ({count} wait)</li>"
        for name, count in others.items()
    )
    return f'<nav aria-label="Written questions"><ul>{items}</ul></nav>'


def _switch(cell, everybody):
    name = html.escape(cell.grade_id)
    if everybody:
        return f'<p><a href="?question={name}">Show only those that wait</a></p>'
    return f'<p><a href="?question={name}&amp;all=1">Show those already marked, too</a></p>'


def _fold(title, inside, is_open):
    return f"<details{' open' * is_open}><summary>{title}</summary><div class='text'>{inside}</div></details>"


def _one(number, answer, cell, scheme):
    student = html.escape(plain(answer.student, tex=True), quote=True)
    name = html.escape(plain(answer.name, tex=True))
    who = f"{name} <span class='soft'>{student}</span>" if name else student
    again = f"<p><strong>Marked {answer.score:g}, and changed since.</strong></p>" if answer.again else ""
    text = as_html(answer.text, answer.pictures, below=2)
    score = "" if answer.score is None else f"{answer.score:g}"
    ticks = "".join(_tick(line, line.text in answer.ticked) for line in scheme.lines)
    ticks = f"<fieldset><legend>Mark scheme</legend>{ticks}</fieldset>" if ticks else ""
    rest = f'<div class="rest">{as_html(scheme.rest, below=3)}</div>' if scheme.rest else ""
    return f"""
<article id="a{number}" class="{"" if answer.waits else "marked"}" data-student="{student}"
 data-digest="{answer.digest}" data-top="{cell.points:g}" aria-labelledby="h{number}">
<h2 id="h{number}">{who}</h2>{again}
<div class="two"><div class="text">{text}</div>
<div>{ticks}{rest}
<p class="row"><label for="p{number}">Points</label>
<input id="p{number}" type="number" min="0" max="{cell.points:g}" step="any" value="{score}">
<span>of {cell.points:g}</span></p>
<label for="c{number}">Comment for the student</label>
<textarea id="c{number}" rows="2">{html.escape(answer.comment)}</textarea>
<p class="row"><button type="button">Next</button><span class="said" role="status"></span></p>
</div></div></article>"""


def _tick(line, ticked):
    said = as_html(line.text, below=3).strip().removeprefix("<p>").removesuffix("</p>")
    worth = f"{line.points:g} point{'s' * (line.points != 1)}"
    return (
        f'<label class="line"><input type="checkbox" value="{line.points:g}" '
        f'data-text="{html.escape(line.text, quote=True)}"{" checked" * ticked}>'
        f'<span class="worth">{worth}</span><span>{said}</span></label>'
    )
