"""What a check found, and how it reads: as a card in Jupyter, as text elsewhere, as points for nbgrader.

A ``Verdict`` is plain data. In a notebook its ``text/plain`` is just the points earned, which is how
nbgrader reads partial credit; everything for people stands in the HTML beside it.
"""

import html
import re
from dataclasses import asdict, dataclass, field

FOUND_BY_LINE = "line-"  # how the ids of slips begin that nobody listed, and that only a line is known of


@dataclass(frozen=True)
class Part:
    """One thing that earns marks on its own, such as dx: whether it is right, and if not, what is seen."""

    name: str
    right: bool
    says: str = ""


@dataclass(frozen=True)
class Named:
    """A known mistake that explains the student's numbers."""

    id: str
    says: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of ``check``: points, parts, the mistakes named, and remarks that cost nothing.

    ``status`` is "right", "partly right", "wrong", "error", "not attempted" or "not checked here".
    """

    exercise: str
    points: float
    earned: float = 0.0
    status: str = "wrong"
    headline: str = ""
    parts: tuple[Part, ...] = ()
    mistakes: tuple[Named, ...] = ()
    remarks: tuple[str, ...] = field(default=())
    seed: int | None = None

    def as_dict(self) -> dict:
        """This verdict as JSON data."""
        return asdict(self)

    @property
    def points_text(self) -> str:
        return f"{self.earned:g} of {self.points:g} point{'s' if self.points != 1 else ''}"

    def __repr__(self) -> str:
        lines = [f"{MARKS[self.status]} {self.exercise}: {self.points_text}. {self.headline}"]
        lines += [f"    {mistake.says}" for mistake in self.mistakes]
        if not self.all_right and self.known:
            lines += [f"  {mark} {', '.join(names)}" for mark, names in self._by_mark() if names]
        elif not self.all_right:
            for part in self.parts:
                lines.append(f"  {_mark(part)} {part.name}{': ' if part.says else ''}{part.says}")
        lines += [f"    {remark}" for remark in self.remarks]
        return "\n".join(line.rstrip() for line in lines)

    @property
    def known(self) -> bool:
        """Whether the mistakes named are listed ones, whose sentence says more than the numbers do."""
        return bool(self.mistakes) and not any(one.id.startswith(FOUND_BY_LINE) for one in self.mistakes)

    @property
    def all_right(self) -> bool:
        return all(part.right for part in self.parts)

    def _by_mark(self):
        """The names of the right parts and of the wrong ones, each with its mark."""
        for right in (True, False):
            yield "✓" if right else "✗", [part.name for part in self.parts if part.right == right]

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/html": self.html(), "text/plain": f"{self.earned:g}"}

    def html(self) -> str:
        """The card shown in a notebook: inline styles only, so that it also survives a sanitiser."""
        colour = COLOURS[self.status]
        rows = [
            f"<div><strong>{MARKS[self.status]} <code>{html.escape(self.exercise)}</code></strong> "
            f"&nbsp;{self.points_text}. {_prose(self.headline)}</div>"
        ]
        rows += [
            f'<div style="margin-top: 6px"><strong>{_prose(mistake.says)}</strong></div>'
            for mistake in self.mistakes
        ]
        if not self.all_right:
            table = (
                '<table style="margin: 8px 0 0 0; border-collapse: collapse">'
                + "".join(_row(part) for part in self.parts)
                + "</table>"
            )
            if self.known:
                summary = "<summary>What the numbers show</summary>"
                table = f'<details style="margin-top: 6px">{summary}{table}</details>'
                for mark, names in self._by_mark():
                    shown = ", ".join(f"<code>{html.escape(name)}</code>" for name in names)
                    rows.append(f'<div style="margin-top: 6px">{mark} {shown}</div>' if names else "")
            rows.append(table)
        rows += [f'<div style="margin-top: 6px">{_prose(remark)}</div>' for remark in self.remarks]
        return (
            f'<div style="border-left: 5px solid {colour}; padding: 8px 14px; margin: 4px 0; '
            f'line-height: 1.5">{"".join(rows)}</div>'
        )


MARKS = {
    "right": "✓",
    "partly right": "◐",
    "wrong": "✗",
    "error": "✗",
    "not attempted": "○",
    "not checked here": "○",
}
COLOURS = {
    "right": "#2e7d32",
    "partly right": "#c77700",
    "wrong": "#d93a30",
    "error": "#d93a30",
    "not attempted": "#757575",
    "not checked here": "#757575",
}


def _mark(part: Part) -> str:
    return "✓" if part.right else "✗"


def _row(part: Part) -> str:
    return (
        '<tr style="background: none">'
        f'<td style="text-align: left; vertical-align: top; padding: 1px 8px 1px 0">{_mark(part)}</td>'
        f'<td style="text-align: left; vertical-align: top; padding: 1px 14px 1px 0">'
        f"<code>{html.escape(part.name)}</code></td>"
        f'<td style="text-align: left; padding: 1px 0">{_prose(part.says)}</td></tr>'
    )


def _prose(text: str) -> str:
    """Text as HTML: *emphasis* and `code` as in Markdown, everything else escaped."""
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"(?<![\w*])\*(\w[^*\n]*?\w|\w)\*(?![\w*])", r"<em>\1</em>", text)
    return text.replace("\n", "<br>")
