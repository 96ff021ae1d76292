"""Lessons raise nothing but NotImplementedError; that solutions run on any device is ``test_devices``.

That solutions give their stored outputs is nbval's to say (`pytest --nbval solutions`); that nbval can
say no is tested here.
"""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.notebooks import reading
from tests.notebooks.reading import LESSONS, ROOT, SOLUTIONS, marks, name_of
from tests.patience import PATIENT


def execute(notebook, folder, device=None, allow_errors=False):
    """Run a notebook top to bottom in a kernel of this environment; returns it with its outputs."""
    client = NotebookClient(
        notebook,
        **PATIENT,
        kernel_name="python3",
        allow_errors=allow_errors,
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute(env=os.environ | ({"RNNCORE_DEVICE": device} if device else {}))


def uses_torch(path):
    notebook = reading.read(path)
    source = "\n".join(cell.source for cell in reading.code(notebook))
    needs = notebook.metadata.get("unrolled", {}).get("needs", [])
    return "torch" in needs or bool(re.search(r"^\s*(import|from) torch\b", source, flags=re.MULTILINE))


@pytest.mark.runs_notebooks
@pytest.mark.parametrize("path", LESSONS, ids=name_of)
def test_an_untouched_lesson_raises_only_not_implemented(path):
    notebook = execute(reading.read(path), path.parent, allow_errors=True)
    checks = 0
    for cell in reading.code(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                assert output.ename == "NotImplementedError", f"{cell.id}: {output.ename}: {output.evalue}"
            assert output.get("name") != "stderr", f"{cell.id} writes to stderr: {output.text}"
        if marks(cell).get("grade"):
            (verdict,) = cell.outputs
            assert float(verdict.data["text/plain"]) == 0, f"{cell.id} gives points for nothing"
            checks += 1
    assert checks == len(reading.exercises(notebook)) > 0


def test_every_solution_has_its_lesson():
    assert [path.parts[-2:] for path in SOLUTIONS] == [path.parts[-2:] for path in LESSONS]


def stored(source, *outputs, tags=()):
    """One code cell in the form in which solutions are committed: with outputs, without a count."""
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)} if tags else {})


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


STORED = {
    "right": stored("print(f'{0.1 + 0.2:.4f}')", printed("0.3000\n")),
    "ignored": stored("print('other')", printed("some\n"), tags=["nbval-ignore-output"]),
    "wrong": stored("print('other')", printed("some\n")),
    "silent": stored("x = 1", printed("some\n")),
    "unstored": stored("print('some')"),
    "stderr": stored("import sys; print('some', file=sys.stderr)"),
    "error": stored("1 / 0"),
}


def test_nbval_compares_cells_without_execution_counts(tmp_path):
    """Canonical notebooks have no counts; without conftest.py nbval would take every cell for unrun."""
    for name, cell in STORED.items():
        nbformat.write(new_notebook(cells=[cell]), tmp_path / f"{name}.ipynb")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "-p",
        "conftest",
        "-c",
        "pyproject.toml",
        "-rA",
        "-q",
    ]
    said = subprocess.run(
        [*command, str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"RNNCORE_DEVICE": "cpu"},
        capture_output=True,
        text=True,
    ).stdout
    outcomes = dict(re.findall(r"^(?:\S*/)?(\w+)\.ipynb::Cell 0 *(PASSED|FAILED)", said, flags=re.MULTILINE))
    outcomes |= {
        name: word
        for word, name in re.findall(r"^(PASSED|FAILED) \S*?(\w+)\.ipynb::Cell 0", said, flags=re.MULTILINE)
    }
    assert {name for name, word in outcomes.items() if word == "PASSED"} == {"right", "ignored"}, said
    assert set(outcomes) == set(STORED)
