"""A class that hands in, and a workspace to collect into."""

from datetime import UTC

import pytest

from autograder.course.places import all_lessons
from autograder.intake.collect import collect


@pytest.fixture
def lesson(released):
    return all_lessons(released)[0]  # 01-double, double.ipynb


@pytest.fixture
def bring(workspace, lesson, spec):
    """Collect into the workspace; zone UTC unless said otherwise."""

    def run(source, **options):
        options.setdefault("zone", UTC)
        result = collect(source, workspace, lesson, spec, **options)
        return {row.student: row for row in result.rows}, result.remarks

    return run


@pytest.fixture
def handed_in(workspace, lesson):
    """{student: text} of what lies in submitted/."""

    def read():
        found = {}
        for path in sorted(workspace.submitted.glob(f"*/{lesson.name}")):
            notebook = path / f"{lesson.notebook}.ipynb"
            found[path.parent.name] = notebook.read_text() if notebook.is_file() else None
        return found

    return read
