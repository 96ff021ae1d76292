"""The lists of lessons say what the solutions say, with a picture from each."""

import base64
import re
import shutil

import nbformat
import pytest
from nbformat.v4 import new_output

from autograder.course import contents
from autograder.course.places import all_lessons
from autograder.course.release import check, release
from autograder.course.solutions import ReleaseError

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def course(released, tmp_path):
    """A course of one lesson with a cover, and a README that has a place for the table."""
    released = shutil.copytree(released, tmp_path / "course")
    path = all_lessons(released)[0].solution_path
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = "# 01 · Double a number\n\nYou add a number to itself.\n\nMore."
    cover = next(cell for cell in notebook.cells if "experiment" in cell.metadata.get("tags", ()))
    cover.metadata.tags = ["experiment", "cover"]
    picture = {"image/png": PIXEL}
    cover.outputs = [new_output("display_data", picture, metadata={"image/png": {"alt": 'Two "bars" | one'}})]
    notebook.metadata.unrolled.update(makes="a doubled number", minutes=30)
    nbformat.write(notebook, path)
    (released / "README.md").write_text(f"Above.\n\n{contents.BEGIN}\nold\n{contents.END}\n\nBelow.\n")
    release(released)
    return released


def test_the_page_and_the_table_name_each_lesson_with_its_minutes_and_picture(course):
    page = (course / "lessons" / "README.md").read_text()
    assert "## 01 · Double a number\n\nYou add a number to itself.\n\nAbout 30 minutes." in page
    for target in re.findall(r"\]\(([^)]+)\)", page):
        assert (course / "lessons" / target).exists(), target
    assert (course / "lessons" / "pictures" / "01-double.png").read_bytes() == base64.b64decode(PIXEL)
    readme = (course / "README.md").read_text()
    assert readme.startswith("Above.\n") and readme.endswith("\nBelow.\n") and "old" not in readme
    (row,) = [line for line in readme.splitlines() if line.startswith("| 01")]
    assert "](solutions/01-double/double.ipynb) | a doubled number | 30 |" in row
    assert 'alt="Two &quot;bars&quot; &#124; one"' in row and 'src="lessons/pictures/01-double.png"' in row


def test_a_list_that_no_longer_fits_is_named_and_mended(course):
    solution = all_lessons(course)[0].solution_path
    notebook = nbformat.read(solution, as_version=4)
    notebook.metadata.unrolled.minutes = 45
    nbformat.write(notebook, solution)
    named = [line.split(" (")[0] for line in check(course)]
    assert {"changed: lessons/README.md", "changed: README.md"} <= set(named)
    release(course)
    assert not [line for line in check(course) if "README" in line]
    assert "| 45 |" in (course / "README.md").read_text()


def test_a_readme_without_a_place_for_the_table_is_left_alone(course):
    (course / "README.md").write_text("My own.")
    release(course)
    assert (course / "README.md").read_text() == "My own."


def test_a_solution_without_a_title_is_refused(course):
    solution = all_lessons(course)[0].solution_path
    notebook = nbformat.read(solution, as_version=4)
    notebook.cells[0].source = "No title."
    nbformat.write(notebook, solution)
    with pytest.raises(ReleaseError, match="does not open with its title"):
        release(course)
