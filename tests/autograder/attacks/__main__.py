"""Grade the attack suite with stock nbgrader and with ours, and write both columns as a page.

    python -m tests.autograder.attacks docs/attacks.md     (or: make attacks)

Ours grades all of them in one run; nbgrader, which grades with one's own rights, gets each alone in a sandbox
(``stock``), and a fresh course for each. Takes a quarter of an hour on two cores.
"""

import argparse
import platform
import secrets
import sys
import tempfile
import textwrap
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder.course.places import write_atomically
from tests.autograder.attacks import FAMILIES, bank, core
from tests.autograder.attacks.stock import StockCourse

TITLES = {
    "forging": "Forging: the answers are wrong, and pretend",
    "reach": "Reach: answers, secrets and the gradebook",
    "exhaustion": "Exhaustion: time, memory, processes, output",
    "death": "Death: the kernel is killed from inside",
    "files": "Files: what is handed in is hardly a notebook",
    "rendering": "Rendering: what would run in the instructor's browser",
    "honest": "Honest: right, and odd",
}
HEAD = """# The attack suite, graded by nbgrader alone and by ours

Written by `make attacks` (`python -m tests.autograder.attacks docs/attacks.md`): edit it there.

Each row is one submission to lesson 03 (without the cells that only show something; {maximum:g} points are
given automatically). *Must earn* is what a fair person would give: nothing for a wrong answer, everything for
a right one. *nbgrader* is version {nbgrader} with its own preprocessors, a plain kernel and eight seconds for
a cell; rnncore with its references is importable there, since `check` could give no points without. It grades
with the rights of whoever runs it, so here all of it runs in a sandbox, each submission with a fresh copy of
a course that has what an instructor's has: sources, gradebook, another student's work. Where that sandbox had
to step in, the row says so. *Ours* is `unrolled grade`: all rows in one run, beside honest neighbours.

{summary}

What the rows are made of stands in [tests/autograder/attacks](../tests/autograder/attacks); what must hold
beyond the points (neighbours, host, gradebook, pages) in
[suite.py](../tests/autograder/attacks/suite.py).
"""


def stocks(attacks, folder, workers):
    """{id: Stock} for each attack."""
    course, token = StockCourse(folder), core.CANARY + secrets.token_hex(16)

    def one(attack):
        return attack.id, course.grade(attack, token)

    console = Console(stderr=True)
    with ThreadPoolExecutor(workers) as pool:
        return dict(track(pool.map(one, attacks), "nbgrader alone", total=len(attacks), console=console))


def rows(attacks, spec, results, alone):
    """(attack, must earn, nbgrader's Stock, our points and status) for each attack."""
    for attack in attacks:
        result = results[attack.id]
        yield attack, sum(attack.points(spec).values()), alone[attack.id], result["score"], result["status"]


def summary(rows):
    """One sentence for what each grader got wrong."""
    tally = {"nbgrader": Counter(), "ours": Counter()}
    for _, wanted, stock, points, _ in rows:
        for grader, got in (("nbgrader", stock.points), ("ours", points)):
            tally[grader]["too much"] += got is not None and got > wanted
            tally[grader]["too little"] += got is not None and got < wanted
            tally[grader]["no grade"] += got is None
        tally["nbgrader"]["notes"] += any("secret" in note or "runs" in note for note in stock.notes)
    alone, ours = tally["nbgrader"], tally["ours"]
    return (
        f"nbgrader alone pays for wrong answers in {alone['too much']} of them, gives right ones too little "
        f"in {alone['too little']} and no grade at all to {alone['no grade']}; in {alone['notes']} a secret "
        f"is read or code gets into the feedback page. Ours: {ours['too much']}, {ours['too little']}, "
        f"{ours['no grade']} and 0."
    )


def told(stock, wanted):
    """The cell of nbgrader's column; what is wrong in it is bold."""
    words = [] if stock.points is None else [f"{stock.points:g}"]
    text = "; ".join([*words, *stock.notes])
    return text if stock.points == wanted and not stock.notes else f"**{text}**"


def page(rows, maximum):
    """The whole page as Markdown."""
    rows = list(rows)
    sentence = textwrap.fill(f"**{len(rows)} submissions: {summary(rows)}**", 110)
    lines = [HEAD.format(maximum=maximum, nbgrader=version("nbgrader"), summary=sentence)]
    for family in FAMILIES:
        lines += [f"## {TITLES[family]}", "", "| submission | what it tries | must earn | nbgrader | ours |"]
        lines += ["|---|---|---|---|---|"]
        for attack, wanted, stock, points, status in rows:
            if attack.family == family:
                ours = f"{points:g}, {status}"
                ours = ours if points == wanted else f"**{ours}**"
                cells = (attack.id, attack.tries, f"{wanted:g}", told(stock, wanted), ours)
                lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    lines.append(f"Measured on {platform.system()}, Python {platform.python_version()}.")
    return "\n".join(lines) + "\n"


def show(rows):
    """Print the table in the terminal."""
    table = Table("submission", "what it tries", "must earn", "nbgrader", "ours", title="The attack suite")
    for attack, wanted, stock, points, status in rows:
        alone = told(stock, wanted).replace("**", "")
        colour = "green" if stock.points == wanted and not stock.notes else "red"
        table.add_row(attack.id, attack.tries, f"{wanted:g}", f"[{colour}]{alone}", f"{points:g}, {status}")
    Console(width=None if sys.stdout.isatty() else 170).print(table)


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("path", nargs="?", type=Path, help="the page to write, docs/attacks.md")
    parser.add_argument("--only", nargs="*", metavar="ID", help="only these submissions")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    attacks = [attack for attack in bank().values() if not options.only or attack.id in options.only]
    with tempfile.TemporaryDirectory(prefix="unrolled-attacks-") as folder:
        putters = {attack.id: attack.put for attack in attacks}
        _, _, spec, results = core.grade_class(Path(folder), putters, workers=options.workers)
        alone = stocks(attacks, Path(folder, "alone"), options.workers)
    found = list(rows(attacks, spec, results, alone))
    show(found)
    print(summary(found))
    if options.path:
        write_atomically(
            options.path, page(found, sum(cell.points for cell in spec.cells if cell.kind == "test"))
        )


if __name__ == "__main__":
    main()
