"""The first draft of a lesson's notebook, made from the exercises that lie beside it.

Every exercise gets a text to fill in, the solution's cell with the reference between nbgrader's markers, and
its check, all with the metadata that nbgrader wants. The rest of a lesson is prose, which its author writes.
"""

import ast
import re

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.course.places import LESSON_NAME, CourseError, Lesson, write_atomically
from autograder.course.solutions import canonical, to_text, whole
from autograder.course.spec import KERNELSPEC, read_exercises

TITLE = """\
# {number} · {title}

What is this lesson about, and what will its reader make? Two sentences.

**You will be able to**

- say in one line each what can be measured afterwards.

**Time** about {minutes} minutes. **Needs** Python and NumPy."""
SETUP = "import numpy as np\n\nfrom rnncore.check import check"
TASK = """\
### Exercise {number} · `{name}{signature}`

*10 minutes, difficulty 1 of 3, {points:g} points*

What should it do, and why?

- **in** {arguments}: the shape of each
- **out** {returns}

<details><summary>Hint</summary>
A nudge, not the answer.
</details>"""
SUMMARY = "## Summary\n\nWhat was seen, in two sentences."


def draft(course, name, points=()):
    """Write solutions/NAME/SLUG.ipynb from the exercises.py beside it; returns its path and its exercises."""
    if not LESSON_NAME.fullmatch(name):
        raise CourseError(f"{name!r} is no name for a lesson; write two digits and words, as in 21-leak.")
    lesson = Lesson(name, course)
    if lesson.solution_path.exists():
        raise CourseError(f"{lesson.solution_path} is there already; edit it in Jupyter.")
    text = read_exercises(lesson.own_exercises)
    if not text:
        raise CourseError(
            f"There is no {lesson.own_exercises}, and a draft is made from its exercises; write them first, "
            "as in solutions/20-average."
        )
    from rnncore.exercises import own

    exercises = list(own(text, str(lesson.own_exercises)).values())
    if len(points) not in (0, len(exercises)):
        raise CourseError(
            f"--points gives {len(points)} numbers to {len(exercises)} exercises; give each its own."
        )
    notebook = _notebook(lesson, exercises, points or [5] * len(exercises))
    write_atomically(lesson.solution_path, to_text(canonical(notebook)))
    return lesson.solution_path, exercises


def _notebook(lesson, exercises, points):
    title, minutes = lesson.notebook.replace("-", " ").capitalize(), 15 + 10 * len(exercises)
    cells = [
        new_markdown_cell(TITLE.format(number=lesson.name[:2], title=title, minutes=minutes), id="title"),
        new_code_cell(SETUP, metadata=_marks("setup")),
    ]
    for number, (exercise, worth) in enumerate(zip(exercises, points, strict=True), 1):
        name = exercise.name
        task = TASK.format(
            number=number,
            name=name,
            signature=exercise.signature,
            points=worth,
            arguments=", ".join(f"`{one}`" for one in exercise.arguments),
            returns=", ".join(f"`{_named(one)}`" for one in exercise.returns),
        )
        check = f"check({name}, points={worth:g})"
        cells += [
            new_markdown_cell(task, id=f"{name}-task"[:40]),
            new_code_cell(answer(exercise.source), metadata=_marks(name, solution=True)),
            new_code_cell(check, metadata=_marks(f"{name}-check", grade=True, points=worth)),
        ]
    cells.append(new_markdown_cell(SUMMARY, id="summary"))
    about = {"hides": [], "makes": title.lower(), "minutes": minutes, "needs": []}
    metadata = {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}, "unrolled": about}
    return new_notebook(cells=cells, metadata=nbformat.from_dict(metadata))


def _named(returned):
    return f"({', '.join(returned)})" if isinstance(returned, tuple) else returned


def answer(source):
    """A reference's text with nbgrader's markers around what students write: the body below its docstring."""
    lines = source.rstrip("\n").split("\n")
    node = ast.parse(source).body[0]
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str)
    start = first.end_lineno if documented else first.lineno - 1
    indent = re.match(r"\s*", lines[first.lineno - 1])[0]
    return "\n".join(
        [*lines[:start], f"{indent}### BEGIN SOLUTION", *lines[start:], f"{indent}### END SOLUTION"]
    )


def _marks(grade_id, *, solution=False, grade=False, points=None):
    """nbgrader's metadata for one cell."""
    marks = {"grade": grade, "grade_id": grade_id, "locked": not solution, "schema_version": 3}
    marks |= {"solution": solution, "task": False} | ({"points": whole(points)} if grade else {})
    return {"nbgrader": marks}
