"""What to teach again, and what to look at: the parts of the class's report that lead somewhere.

Each mistake that was named stands with the section of the lesson it belongs to. A lesson opens in no
browser, so the links lead to where a feedback page shows that section, or a student's answer.
"""

import html
import re
from collections import defaultdict
from urllib.parse import quote

from autograder.gradebook.page import prose
from autograder.intake.plain import plain
from autograder.reporting.sheet import wide


class Links:
    """Links from the page to feedback pages: a student's, or the section of the lesson shown in one."""

    def __init__(self, workspace, spec):
        self.workspace, self.spec = workspace, spec
        self.sections, heading = {}, None
        for cell in spec.cells:
            if cell.cell_type == "markdown":
                found = re.findall(r"^#{1,2} +(.+?) *#*$", cell.source, flags=re.MULTILINE)
                heading = found[-1] if found else heading
            elif cell.kind in ("solution", "test"):
                self.sections[cell.grade_id.removesuffix("-check")] = heading

    def student(self, student, exercise=None):
        """The student's name, linked to the feedback page if there is one, there to the exercise."""
        return self._link(
            student, f"{exercise}-check" if exercise else None, html.escape(plain(student, tex=True))
        )

    def section(self, exercise, students):
        """The name of an exercise's section, linked to where the first of these students' pages shows it."""
        heading = self.sections.get(exercise)
        if not heading:
            return ""
        # As nbconvert names the headings that it writes.
        place = quote(re.sub(r"[`*]", "", heading).replace(" ", "-"), safe="?/:@!$&'()*+,;=")
        student = next((one for one in students if self._page(one).is_file()), students[0])
        shown = self._page(student).read_text(errors="replace") if self._page(student).is_file() else ""
        place = place if f'id="{html.escape(place)}"' in shown else f"{exercise}-check"
        return self._link(student, place, prose(heading))

    def _page(self, student):
        return self.workspace.feedback / student / self.spec.assignment / f"{self.spec.notebook}.html"

    def _link(self, student, place, text):
        if not self._page(student).is_file():
            return text
        path = quote(f"../feedback/{student}/{self.spec.assignment}/{self.spec.notebook}.html")
        path += f"#{quote(place, safe='')}" if place else ""
        return f'<a href="{path}">{text}</a>'


def mistakes_table(results, links):
    who, says = defaultdict(list), {}
    for student, result in sorted(results.items()):
        for mistake in result["mistakes"]:
            key = (mistake["exercise"], mistake["id"])
            if student not in who[key]:
                who[key].append(student)
            says[key] = mistake["says"]
    if not who:
        return '<p class="soft">No known mistake was made.</p>'
    rows = []
    for key in sorted(who, key=lambda key: (-len(who[key]), key)):
        names = ", ".join(links.student(student, key[0]) for student in who[key])
        rows.append(
            f'<tr><td class="number">{len(who[key])}</td><td>{prose(says[key])} '
            f'<span class="soft">(<code>{html.escape(key[0])}</code>: {html.escape(key[1])})</span></td>'
            f"<td>{links.section(key[0], who[key])}</td><td>{names}</td></tr>"
        )
    return (
        '<p class="soft">The mistakes that were made, the most frequent first, each with the section of the '
        "lesson that it belongs to.</p>"
    ) + wide(
        '<table><thead><tr><th class="number">students</th><th>mistake</th><th>section</th><th>who</th></tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table>"
    )


def remarks_table(results, links, changed):
    """What a person should see, the same remark only once."""
    who = defaultdict(list)
    for student, names in changed.items():
        answers = ", ".join(f"`{name}`" for name in names)
        who[f"Changed {answers} after it was graded by hand; the grade was kept."].append(student)
    for student, result in sorted(results.items()):
        for remark in result["remarks"]:
            who[remark].append(student)
    if not who:
        return '<p class="soft">Nothing.</p>'
    rows = "".join(
        f"<tr><td>{prose(remark)}</td><td>{', '.join(map(links.student, students))}</td></tr>"
        for remark, students in who.items()
    )
    return wide(f"<table><thead><tr><th>remark</th><th>who</th></tr></thead><tbody>{rows}</tbody></table>")
