"""Draw the README's pictures from the real thing: `make pictures` runs this.

The verdict is a student's cell with a known mistake in it, executed and shown by Jupyter's own HTML export.
The report is the page that `unrolled demo` writes. Headless Chromium photographs both; blank margins are cut.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image, ImageChops

from rnncore.exercises import by_name

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def photograph(page, picture, width, height):
    """Save the top ``height`` points of a page at two pixels a point, without the blank border."""
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        sys.exit(f"No browser: install one of {', '.join(BROWSERS)}.")
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "raw.png")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [
            f"--user-data-dir={folder}",
            "--force-device-scale-factor=2",
            "--virtual-time-budget=5000",
        ]
        command += [f"--window-size={width},{height + 200}", f"--screenshot={raw}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        # The window's last lines are not the page's: headless Chromium keeps room for its own frame.
        image = Image.open(raw).convert("RGB").crop((0, 0, 2 * width, 2 * height))
    paper = Image.new("RGB", image.size, image.getpixel((0, 0)))
    left, top, right, bottom = ImageChops.difference(image, paper).getbbox()
    margin = 24
    box = (
        max(left - margin, 0),
        max(top - margin, 0),
        min(right + margin, image.width),
        min(bottom + margin, image.height),
    )
    image.crop(box).quantize(128, dither=Image.Dither.NONE).save(picture, optimize=True)
    print(f"{picture.relative_to(Path.cwd())}: {picture.stat().st_size // 1000} kB, {image.crop(box).size}")


def draw_verdict(picture):
    """A student's cell with a mistake that no shape gives away, and what the check below it says."""
    exercise = by_name()["rnn_cell_backward"]
    name = "weight-hh-not-transposed-on-the-way-back"
    (mistake,) = [one for one in exercise.mistakes if one.id == name]
    setup = "import numpy as np\nfrom rnncore.check import check"
    lines = exercise.twin_source(mistake).strip().splitlines()
    answer = "\n".join(line for line in lines if '"""' not in line)  # the docstring is wider than the picture
    cells = [setup, answer, "check(rnn_cell_backward, points=5)"]
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
    NotebookClient(notebook, kernel_name="python3").execute()
    notebook.cells = notebook.cells[1:]
    for number, cell in enumerate(notebook.cells, 1):
        cell.execution_count = number
    html, _ = HTMLExporter(template_name="lab").from_notebook_node(nbformat.from_dict(notebook))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "verdict.html")
        page.write_text(html)
        photograph(page, picture, width=900, height=1400)


def draw_report(picture):
    """The class report of the demo."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder, "classroom")
        command = [Path(sys.executable).with_name("unrolled"), "demo", "--workspace", workspace]
        subprocess.run(command, check=True, cwd=PICTURES.parents[1])
        (page,) = workspace.glob("reports/*.html")
        photograph(page, picture, width=1100, height=1104)


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    draw_verdict(PICTURES / "verdict.png")
    draw_report(PICTURES / "report.png")
