"""What a student reads first on a feedback page, and how their notebook is laid out under it.

The score, what is right, the mistakes by name with a link to the place, what waits for a person, what was
noticed; then the student's own cells, with the lesson's folded between them. The numbers are the gradebook's,
the words are the verdicts' that grading left in the notebook's metadata.
"""

import html
import re
from functools import cache
from pathlib import Path

from autograder.intake.plain import plain
from autograder.judging.status import Status

TEMPLATES = Path(__file__).parent / "templates"
ENDINGS = {
    Status.UNREADABLE: "What was handed in could not be read, so nothing in it was graded.",
    Status.NOT_ATTEMPTED: "No exercise was begun in this notebook.",
    Status.PARTLY_GRADED: "A function that is asked for is not there; the others were graded.",
    Status.TIME_LIMIT: "Something ran longer than it may and was stopped; the rest was graded.",
    Status.MEMORY_LIMIT: "Something used more memory than there is and was stopped; the rest was graded.",
    Status.OUTPUT_LIMIT: "Something printed more than may be printed and was stopped; the rest was graded.",
    Status.KILLED_ITSELF: "Something ended the Python process that it ran in; the rest was graded.",
}
NO_ANSWER = "No response."  # nbgrader's own comment


@cache
def style():
    """The page's style sheet."""
    return (TEMPLATES / "unrolled" / "page.css").read_text()


def lay_out(notebook, resources, waits):
    """Fold the lesson in a notebook with grades in it, in place; returns what the template shows besides.

    ``waits``: {grade_id: whether it was graded by hand before} of what waits for a person.
    """
    told = notebook.metadata.get("unrolled", {}).get("graded", {})
    names = resources.get("nbgrader", {})
    title = f"Feedback: {names.get('assignment') or names.get('notebook') or 'notebook'}"
    unread = told.get("status") == Status.UNREADABLE
    _fold(notebook, None if unread else set(told.get("theirs", ())), waits)
    return {
        "title": title,
        "style": style(),
        "summary": _summary(notebook, names, told, waits, title),
        "heading": "The lesson" if unread else "Your work",
    }


def prose(text):
    """Text as html: `code` and *emphasis* as in Markdown, everything else escaped."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(plain(text, tex=True)))
    return re.sub(r"(?<![\w*])\*(\w[^*\n]*?\w|\w)\*(?![\w*])", r"<em>\1</em>", text)


def _marks(cell):
    marks = cell.metadata.get("nbgrader")
    return marks if isinstance(marks, dict) else {}


def _number(value):
    return f"{round(float(value or 0), 2):g}"


# The summary


def _summary(notebook, names, told, waits, title):
    parts = [f"<h1>{html.escape(title)}</h1>"]
    if names.get("student"):
        parts.append(f'<p class="soft">{html.escape(plain(names["student"], tex=True))}</p>')
    if names.get("max_score") is not None:
        parts.append(_score(names, waits))
    status = told.get("status", Status.GRADED)
    # What a check says itself is said once.
    remarks = [one for one in told.get("remarks", ()) if not one.startswith("The notebook never defines")]
    if status in ENDINGS:
        said = f"<p>{html.escape(ENDINGS[status])}</p>"
        if (
            status == Status.UNREADABLE
        ):  # the last remark is why; those before are about the file's name and time
            said += "".join(f"<p>{prose(remark)}</p>" for remark in remarks)
            remarks = []
        parts.append(f'<div class="box bad">{said}</div>')
    checks, tests = told.get("checks", {}), [cell for cell in notebook.cells if _is_test(cell)]
    right = [cell for cell in tests if _marks(cell).get("score", 0) >= _marks(cell).get("points", 0)]
    if right:
        listed = ", ".join(_link(cell) for cell in right)
        parts.append(f'<div class="box good"><h2>Right</h2><p>{listed}</p></div>')
    judged = [cell for cell in tests if _marks(cell).get("grade_id") not in waits]
    wrong = [cell for cell in judged if cell not in right and status != Status.UNREADABLE]
    begun = [cell for cell in wrong if _check(checks, cell).get("status") != "not attempted"]
    if begun:
        items = "".join(_mistakes(cell, _check(checks, cell)) for cell in begun)
        parts.append(f'<div class="box part"><h2>To look at again</h2><ul>{items}</ul></div>')
    if empty := [cell for cell in wrong if cell not in begun]:
        listed = ", ".join(f"{_link(cell)} {_points(cell)}" for cell in empty)
        parts.append(f'<div class="box"><h2>Not written yet</h2><p>{listed}</p></div>')
    parts += _by_hand(notebook, waits) if status != Status.UNREADABLE else []
    if remarks:
        items = "".join(f"<li>{prose(remark)}</li>" for remark in remarks)
        parts.append(f'<div class="box"><h2>What was noticed</h2><ul>{items}</ul></div>')
    return "\n".join(parts)


def _score(names, waits):
    score, top = max(0, float(names.get("score") or 0)), float(names["max_score"] or 0)
    so_far = " so far" if waits else ""
    share = min(100, round(100 * score / top)) if top else 0
    late = float(names.get("late_penalty") or 0)
    lost = f'<p class="soft">{_number(late)} points were taken off, as it came late.</p>' if late > 0 else ""
    return (
        f'<p class="score"><strong>{_number(score)}</strong> of {_number(top)} points{so_far}</p>'
        f'<div class="track"><span style="width: {share}%"></span></div>{lost}'
    )


def _is_test(cell):
    return bool(_marks(cell).get("grade")) and not _marks(cell).get("solution")


def _is_written(cell):
    return bool(_marks(cell).get("grade")) and bool(_marks(cell).get("solution"))


def _check(checks, cell):
    return checks.get(_marks(cell).get("grade_id"), {})


def _name(cell):
    return str(_marks(cell).get("grade_id", "")).removesuffix("-check")


def _link(cell):
    place = html.escape(str(_marks(cell).get("grade_id", "")))
    return f'<a href="#{place}"><code>{html.escape(_name(cell))}</code></a>'


def _points(cell):
    marks = _marks(cell)
    return f'<span class="points">{_number(marks.get("score"))} / {_number(marks.get("points"))}</span>'


def _mistakes(cell, check):
    """An exercise that lost points: each mistake that was named, or else what the check said."""
    said = [mistake.get("says", "") for mistake in check.get("mistakes", ())] or [check.get("headline", "")]
    right = check.get("right", ())
    more = f"<br><span class='soft'>Right: {', '.join(map(_code, right))}</span>" if right else ""
    return f"<li>{_link(cell)} {_points(cell)} {'<br>'.join(prose(one) for one in said if one)}{more}</li>"


def _code(text):
    return f"<code>{html.escape(plain(text, 80))}</code>"


def _by_hand(notebook, waits):
    """What a person graded, or is still to grade, and what they wrote beside it."""
    items = []
    for cell in notebook.cells:
        place = html.escape(str(_marks(cell).get("grade_id", "")))
        comment = _marks(cell).get("comment")
        comment = comment if comment and comment != NO_ANSWER else None
        name = "Your written answer" if _is_written(cell) else f"<code>{html.escape(_name(cell))}</code>"
        said = None
        if place in waits and _marks(cell).get("grade"):
            said = "was changed after it was graded and waits to be read again." if waits[place] else ""
            said = said or f"is not graded yet: it waits for a person, who gives up to {_top(cell)} points."
        elif _is_written(cell):
            said = "is empty." if _marks(cell).get("comment") == NO_ANSWER else f"has {_points(cell)}."
        if said or comment:
            link = f'<a href="#{place}">{name}</a>'
            note = f' There is a <a href="#comment-{place}">comment</a>.' if comment else ""
            items.append(f"<li>{link} {said or ''}{note}</li>")
    return [f'<div class="box"><h2>By a person</h2><ul>{"".join(items)}</ul></div>'] if items else []


def _top(cell):
    return _number(_marks(cell).get("points"))


# The notebook


def _fold(notebook, own, waits):
    """Say in each cell's metadata where it stands: in a fold of the lesson's, or as the student's.

    ``own``: the names of cells that the student changed; None: there is nothing of the student's.
    """
    folded = []
    for cell in notebook.cells:
        place = {} if own is None else _place(cell, own, waits)
        cell.metadata["unrolled_page"] = place
        if place:
            _close(folded)
            folded = []
        else:
            folded.append(cell)
    _close(folded)


def _close(folded):
    if folded:
        found = [
            re.sub(r"[`*$#]", "", line).strip()
            for cell in folded
            if cell.cell_type == "markdown"
            for line in re.findall(r"^#{1,3} +(.+)$", cell.source, flags=re.MULTILINE)
        ]
        folded[0].metadata["unrolled_page"]["opens"] = f"The lesson: {found[0]}" if found else "The lesson"
        folded[-1].metadata["unrolled_page"]["closes"] = True


def _place(cell, own, waits):
    marks, name = _marks(cell), str(_marks(cell).get("grade_id") or cell.get("id", ""))
    comment = marks.get("comment") if marks.get("comment") != NO_ANSWER else None
    place = {"anchor": name, "comment": plain(comment, 20_000, lines=True) if comment else ""}
    points = "not graded yet" if name in waits and not waits[name] else _points(cell)
    if _is_test(cell):
        return {**place, "kind": "check", "label": f"<code>{html.escape(_name(cell))}</code> {points}"}
    if _is_written(cell):
        return {**place, "kind": "answer", "label": f"Your written answer: {points}"}
    if marks.get("solution"):
        return {**place, "kind": "answer", "label": f"Your answer: <code>{html.escape(name)}</code>"}
    if (cell.metadata.get("unrolled") or {}).get("added"):
        return {**place, "kind": "answer", "label": "A cell that you added"}
    if name in own:
        return {**place, "kind": "answer", "label": "A cell that you changed"}
    return {}
