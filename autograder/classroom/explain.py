"""One check of one student, played again: the same work, the same inputs, the same limits.

For the question "why did I lose these points?". The recorded seed draws the same inputs, so the verdict
comes out as it did; where it does not, the versions then and now are beside it. Nothing is written.
"""

from dataclasses import fields, replace

import numpy as np

from autograder.course.places import CourseError
from autograder.gradebook.results import grader_version, read_results
from autograder.intake.contents.reading import Unreadable
from autograder.intake.contents.rescue import rescue
from autograder.intake.plain import plain
from autograder.intake.submissions import find_submissions
from autograder.judging.notebook import grade_notebook
from autograder.judging.verdicts import verdict_text
from autograder.sandbox.box import MIB, Limits
from rnncore.exercises import by_name, own, using

MOST = 200_000  # characters of an explanation


def explanation(workspace, lesson, spec, student, exercise, *, sandbox=True):
    """Repeat the check of ``exercise`` for ``student``; returns the text to print, or raises CourseError."""
    test, solution = _cells(spec, exercise)
    result = read_results(workspace, spec).get(student)
    submission = _submission(workspace, lesson, student, result)
    score = result["exercises"].get(test.grade_id)
    if score is None or score["seed"] is None:
        raise CourseError(
            f"There is no check of {test.grade_id!r} to repeat for {student!r}: "
            f"the submission ended as {result['status']!r} before it."
        )
    if result["hashes"].get("submission") != submission.hash:
        raise CourseError(
            f"{student!r} has handed in other work since that was graded; run `unrolled grade` first."
        )
    try:
        notebook = rescue(submission.raw, spec).notebook
    except Unreadable as error:
        raise CourseError(f"The submission of {student!r} cannot be read: {error}") from None
    limits = _limits(result)
    graded = _repeat(notebook, spec, test, score["seed"], limits, student, sandbox)
    code = next((cell.source for cell in notebook.cells if solution and cell.id == solution.grade_id), "")
    text = "\n".join(_tell(spec, test, result, score, graded, limits, code))
    return plain(text, MOST, lines=True, tex=True).expandtabs(4)


def _cells(spec, exercise):
    """The exercise's test cell and, where there is one of its name, its solution cell."""
    tests = {cell.grade_id: cell for cell in spec.cells if cell.kind == "test"}
    test = tests.get(exercise) or tests.get(f"{exercise}-check")
    if test is None:
        names = ", ".join(name.removesuffix("-check") for name in tests)
        raise CourseError(f"{spec.assignment} has no exercise {exercise!r}; its exercises are: {names}.")
    name = test.grade_id.removesuffix("-check")
    return test, next(
        (cell for cell in spec.cells if cell.kind == "solution" and cell.grade_id == name), None
    )


def _submission(workspace, lesson, student, result):
    found = {submission.student: submission for submission in find_submissions(workspace, lesson)}
    if student not in found and result is None:
        raise CourseError(f"There is no submission of {student!r} to {lesson.name} in {workspace.submitted}.")
    if result is None:
        raise CourseError(
            f"The submission of {student!r} to {lesson.name} has no result yet; run `unrolled grade` first."
        )
    if student not in found or found[student].raw is None:
        why = found[student].problem if student in found else "it is no longer there."
        raise CourseError(f"There is no notebook of {student!r} to repeat a check on: {why}")
    return found[student]


def _limits(result):
    """The limits that were recorded, as far as this version has them."""
    recorded = result["provenance"].get("limits", {})
    known = {field.name for field in fields(Limits)}
    return Limits(**{name: value for name, value in recorded.items() if name in known})


def _repeat(notebook, spec, test, seed, limits, student, sandbox):
    """Grade the notebook with no other test cell in it than this one."""
    others = {cell.grade_id for cell in spec.cells if cell.kind == "test"} - {test.grade_id}
    notebook.cells = [cell for cell in notebook.cells if cell.id not in others]
    alone = replace(spec, cells=tuple(cell for cell in spec.cells if cell.grade_id not in others))
    seeds = {test.grade_id: seed}
    return grade_notebook(notebook, alone, limits, student=student, secret=b"", sandbox=sandbox, seeds=seeds)


def _tell(spec, test, result, score, graded, limits, code):
    """The lines of the explanation."""
    again = graded.scores.get(test.grade_id)
    name = test.grade_id.removesuffix("-check")
    yield f"{result['student']}, {spec.assignment}, {name}: graded again with the inputs of then"
    yield ""
    if again is None:
        yield "It could not be graded again."
    else:
        yield verdict_text(again)
        if again.points == score["points"]:
            yield f"The same as recorded: {score['points']:g} of {score['max_points']:g} points."
        else:
            yield (f"DIFFERENT from what is recorded: {score['points']:g} points then, {again.points:g} now.")
    yield f"The notebook ended as {result['status']!r} then."
    for remark in graded.remarks:
        yield f"- {remark}"
    yield ""
    yield f"Inputs, drawn with the seed {score['seed']}:"
    with using(own(spec.exercises)):
        inputs = _inputs(name, score["seed"])
    yield from (f"  {line}" for line in inputs)
    yield ""
    yield "Versions, then and now:"
    yield from (f"  {line}" for line in _versions(spec, result, graded))
    yield "Limits: " + ", ".join(
        f"{field.name} {_amount(getattr(limits, field.name))}" for field in fields(limits)
    )
    yield ""
    yield "The student's own code:"
    yield from (f"  {line}" for line in (code or "(no cell of that name)").splitlines())


def _inputs(name, seed):
    """One line a case: the sizes, and what each argument is."""
    exercise = by_name().get(name)
    if exercise is None:
        return ["this test draws them itself"]
    lines = []
    for number, case in enumerate(exercise.draw(np.random.default_rng(seed)), 1):
        sizes = ", ".join(f"{letter} = {size}" for letter, size in case.sizes.items())
        given = ", ".join(
            f"{argument}: {_kind(value)}"
            for argument, value in zip(exercise.arguments, case.args, strict=False)
        )
        why = f" [{case.when or case.part}]" if case.when or case.part else ""
        lines.append(f"{number}.{why} {sizes + '; ' if sizes else ''}{given}")
    return lines


def _kind(value):
    """What an argument is, in a few words: an array's shape and dtype, or the value itself."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{tuple(value.shape)} {value.dtype}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_kind(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        if len(value) > 3:
            return f"{len(value)} x {_kind(value[0])}"
        return "(" + ", ".join(_kind(item) for item in value) + ")"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _amount(value):
    return f"{value / MIB:g} MiB" if value >= MIB else f"{value:g}"


def _versions(spec, result, graded):
    """One line for each thing that has a version, with a mark where it has changed since."""
    then = {**result["provenance"].get("versions", {})}
    now = {**graded.provenance.get("versions", {})}
    then |= {"grader": result["hashes"].get("grader", "?")[:12], "release": result["hashes"]["release"][:12]}
    now |= {"grader": grader_version()[:12], "release": spec.release_hash[:12]}
    for name in dict.fromkeys([*then, *now]):
        old, new = then.get(name, "not recorded"), now.get(name, "not there")
        yield f"{name}: {old}" if old == new else f"{name}: {old} then, {new} now"
