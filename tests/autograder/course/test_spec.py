"""The spec says exactly what the release says, and refuses a release it cannot trust."""

import pickle

import nbformat
import pytest

from autograder.course.places import all_lessons
from autograder.course.spec import SpecError, read_spec


def test_the_spec_has_every_cell_in_order_with_its_kind(spec):
    assert (spec.assignment, spec.notebook) == ("01-double", "double")
    assert [(cell.grade_id, cell.kind, cell.points) for cell in spec.cells] == [
        ("double-a-number", "text", 0),
        ("setup", "locked", 0),
        ("add-the-number", "text", 0),
        ("double", "solution", 0),
        ("double-check", "test", 3),
        ("see", "locked", 0),
        ("triple", "solution", 0),
        ("triple-check", "test", 2),
        ("code", "code", 0),
        ("why-does-this", "text", 0),
        ("written", "written", 2),
    ]
    assert spec.max_points == 7
    assert spec.hides[0] == "rnncore.cells"
    assert {"rnncore.losses", "rnncore.topics"} <= set(spec.hides)  # no cell imports them
    assert spec.cell("see").tags == ("experiment",)
    assert spec.cell("double-check").metadata["nbgrader"]["checksum"]


def test_the_spec_is_plain_data(spec):
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert b"nbformat" not in pickle.dumps(spec)


def test_the_hash_follows_the_file(spec, released, tmp_path):
    text = all_lessons(released)[0].lesson_path.read_text()
    other = tmp_path / "01-double" / "double.ipynb"
    other.parent.mkdir()
    other.write_text(text)
    assert read_spec(other) == spec
    other.write_text(text.replace("Add the number", "Add a number"))
    assert read_spec(other).release_hash != spec.release_hash


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda notebook: notebook.metadata.pop("unrolled"), "which modules grading hides"),
        (
            lambda notebook: notebook.cells[3].metadata.nbgrader.update(grade_id="setup"),
            "two cells called 'setup'",
        ),
    ],
)
def test_a_release_that_cannot_be_trusted_is_refused(lesson_notebook, tmp_path, change, says):
    change(lesson_notebook)
    path = tmp_path / "double.ipynb"
    nbformat.write(lesson_notebook, path)
    with pytest.raises(SpecError, match=says):
        read_spec(path)


def test_a_missing_or_broken_release_is_named(tmp_path):
    with pytest.raises(SpecError, match="unrolled release"):
        read_spec(tmp_path / "nothing.ipynb")
    (tmp_path / "broken.ipynb").write_text("{")
    with pytest.raises(SpecError, match="is no notebook"):
        read_spec(tmp_path / "broken.ipynb")
