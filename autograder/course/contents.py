"""The lists of lessons that people see first: lessons/README.md, and the table in README.md.

Both are made from the solutions, like the lessons themselves: the title and what is made from the opening
cell and the notebook's metadata, the picture from the cell tagged ``cover``. ``release`` writes them and
``release --check`` compares, so a lesson is added in its notebook alone.
"""

import base64
import re

from autograder.course.solutions import ReleaseError, read_solution

COVER = "cover"
LETTERS = "LETTERS.md"  # what the letters of the lessons' formulas mean; it closes the page
BEGIN, END = "<!-- The lessons, written by `unrolled release`. -->", "<!-- End of the lessons. -->"
TABLE = ("| | lesson | what you make | minutes | |", "|---|---|---|---|---|")
PAGE = """\
# The lessons

{count}, about {time}. Open one in Jupyter, fill in its functions, and run the checks below them
as often as you like. (This page is written by `unrolled release` from the
[solutions](../solutions).)
"""


def files(course, lessons):
    """{path: bytes} of what tells of these lessons: the page in lessons/ and its pictures, and README.md.

    The page ends with solutions/LETTERS.md, where there is one. README.md is there only if it has a place
    for the table, between two comments.
    """
    told = [Told(lesson) for lesson in lessons]
    minutes = sum(one.minutes for one in told)
    time = f"{round(minutes / 60)} hours" if minutes >= 90 else f"{minutes} minutes"
    count = f"{len(told)} lesson{'s' * (len(told) != 1)}"
    letters = course / "solutions" / LETTERS
    page = [PAGE.format(count=count, time=time), *(one.section() for one in told)]
    page += [letters.read_text()] if letters.is_file() else []
    found = {course / "lessons" / "README.md": "\n".join(page).encode()}
    found |= {course / "lessons" / one.picture: one.image for one in told if one.image}
    readme = course / "README.md"
    text = readme.read_text() if readme.is_file() else ""
    if BEGIN in text and END in text:
        head, rest = text.split(BEGIN, 1)
        rows = [
            "| | lesson | what you make | minutes | |",
            "|---|---|---|---|---|",
            *(one.row() for one in told),
        ]
        table = "\n".join([BEGIN, "", *rows, "", END])
        found[readme] = (head + table + rest.split(END, 1)[1]).encode()
    return found


class Told:
    """What there is to tell of one lesson."""

    def __init__(self, lesson):
        notebook = read_solution(lesson)
        about = notebook.metadata.get("unrolled", {})
        opening = notebook.cells[0].source if notebook.cells else ""
        title = re.match(r"# (?:\d\d · )?(.+)", opening)
        if not title:
            raise ReleaseError(f"The solution {lesson.solution_path} does not open with its title.")
        self.name, self.notebook = lesson.name, lesson.notebook
        self.title = title[1].strip()
        self.number = lesson.name[:2]
        self.paragraph = next((part for part in opening.split("\n\n")[1:2]), "")
        self.minutes, self.makes = about.get("minutes", 0), about.get("makes", "")
        self.picture = f"pictures/{lesson.name}.png"
        self.image, self.alt = _cover(notebook)

    def section(self):
        """Its part of lessons/README.md."""
        path = f"{self.name}/{self.notebook}.ipynb"
        links = f"[Open the lesson]({path}), or [read it solved](../solutions/{path})."
        heading = f"## {self.number} · {self.title}"
        parts = [heading, self.paragraph, f"About {self.minutes} minutes. {links}"]
        if self.image:
            words = re.sub(r"([\[\]])", r"\\\1", self.alt)
            parts.append(f"![{words}]({self.picture})")
        return "\n\n".join(parts) + "\n"

    def row(self):
        """Its row in README.md's table."""
        link = f"[{self.title}](solutions/{self.name}/{self.notebook}.ipynb)"
        words = re.split(r"(?<=[.:;]) ", self.alt)[0].rstrip(".:;")  # the page in lessons/ has them all
        alt = words.replace('"', "&quot;").replace("|", "&#124;")
        image = f'<img src="lessons/{self.picture}" width="180" alt="{alt}">' if self.image else ""
        return f"| {self.number} | {link} | {self.makes} | {self.minutes} | {image} |"


def _cover(notebook):
    """The stored figure of the cell tagged ``cover`` and its words; (None, "") where there is none."""
    for cell in notebook.cells:
        if COVER in cell.metadata.get("tags", ()):
            for output in cell.get("outputs", ()):
                if "image/png" in output.get("data", {}):
                    alt = output.metadata.get("image/png", {}).get("alt", "")
                    return base64.b64decode(output.data["image/png"]), " ".join(alt.split())
    return None, ""
