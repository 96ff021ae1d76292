"""One student's result as a JSON file: what reports read, and what tells an unchanged submission."""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path

import autograder
import rnncore
from autograder.course.places import write_atomically
from autograder.intake.naming import said
from autograder.judging.status import Status


def result_path(workspace, spec, student):
    return workspace.results / spec.assignment / f"{student}.json"


def graded_path(workspace, spec, student):
    """Where a student's graded notebook lies."""
    return workspace.autograded / student / spec.assignment / f"{spec.notebook}.ipynb"


def feedback_path(workspace, spec, student):
    """Where a student's feedback page lies."""
    return workspace.feedback / student / spec.assignment / f"{spec.notebook}.html"


def read_result(workspace, spec, student):
    """One student's result as JSON data; an empty dict where there is none."""
    try:
        result = json.loads(result_path(workspace, spec, student).read_text())
    except (ValueError, OSError):
        return {}
    return result if isinstance(result, dict) else {}


def changed_answers(old, graded, spec, submission=None):
    """The grade_ids whose answers are not what they were when ``old`` was graded; all, if nobody knows.

    ``submission``: the hash of the student's file; while it is the same, whatever changed is not theirs.
    """
    if submission and submission == old.get("answered"):
        return []
    before, now = old.get("answers") or {}, _answers(graded.notebook, spec)
    return [name for name, digest in now.items() if before.get(name) != digest]


def _answers(notebook, spec):
    """{grade_id: hash}: of a written answer its text, of a test all of the student's own code."""
    released = {cell.grade_id: cell.source for cell in spec.cells}
    own = [cell for cell in notebook.cells if cell.source != released.get(cell.id)]
    code = "\0".join(cell.source for cell in own if cell.cell_type == "code")
    texts = {cell.id: cell.source for cell in own}
    return {
        cell.grade_id: hashlib.sha256(
            (code if cell.kind == "test" else texts.get(cell.grade_id, "")).encode(errors="replace")
        ).hexdigest()
        for cell in spec.cells
        if cell.graded
    }


def hashes_of(submission, spec, limits, sandbox):
    """What a result depends on, as JSON data: submission and time, release, grader, limits."""
    return {
        "submission": submission.hash,
        "received": str(submission.timestamp),  # lateness is part of a grade
        "release": spec.release_hash,
        "grader": grader_version(),
        "limits": repr(limits),
        "sandbox": sandbox,
    }


def read_results(workspace, spec):
    """{student: result} as JSON data, for every student who was graded."""
    results = {}
    for path in sorted((workspace.results / spec.assignment).glob("*.json")):
        try:
            result = json.loads(path.read_text())
        except (ValueError, OSError):
            continue
        if isinstance(result, dict):
            results[path.stem] = result
    return results


def write_result(workspace, spec, student, graded, hashes, old=None):
    """Write one student's result as JSON and return it; ``old`` is the one before."""
    result = as_data(spec, student, graded, hashes, old)
    text = json.dumps(result, indent=1, ensure_ascii=False, default=str) + "\n"
    write_atomically(result_path(workspace, spec, student), text)
    return result


def as_data(spec, student, graded, hashes, old=None):
    """One student's result as JSON data.

    A fault of ours leaves what the ``old`` one says of answers: they are still those that were graded.
    """
    answers, answered = _answers(graded.notebook, spec), hashes.get("submission")
    if graded.status == Status.INFRASTRUCTURE_FAULT:
        answers, answered = (old or {}).get("answers"), (old or {}).get("answered")
    exercises = {name: asdict(score) for name, score in graded.scores.items()}
    mistakes = [
        {"exercise": score["verdict"]["exercise"], **mistake}
        for score in exercises.values()
        if score["verdict"]
        for mistake in score["verdict"].get("mistakes", ())
    ]
    return {
        "student": student,
        "lesson": spec.assignment,
        "status": str(graded.status),
        "score": round(sum(score.points for score in graded.scores.values()), 2),
        "max_score": sum(cell.points for cell in spec.cells if cell.kind == "test"),
        "exercises": exercises,
        "mistakes": mistakes,
        "remarks": list(graded.remarks),
        "seconds": round(graded.seconds, 3),
        "provenance": graded.provenance,
        "answers": answers,
        "answered": answered,
        "hashes": hashes,
    }


def shown(results, spec, show):
    """What ``show(results)`` gives; a result on which it fails is shown as a fault of ours, and only that."""
    try:
        return show(results)
    except Exception:
        from autograder.judging.submission import fault_of_ours  # with nbformat, which help does without

        sound = {}
        for student, result in results.items():
            try:
                show({student: result})
                sound[student] = result
            except Exception as error:
                remark = f"The result cannot be shown ({said(error)}); grade it again with --force."
                sound[student] = as_data(spec, student, fault_of_ours(spec, remark), hashes={})
        return show(sound)


# What a result depends on, and what to say where it is not what it was.
CHANGED = {
    "submission": "handed in anew",
    "received": "another time of submission",
    "release": "the lesson changed",
    "grader": "another edition of the grader",
    "limits": "other limits",
    "sandbox": "graded outside the sandbox, or now to be",
}


def why_due(old, hashes):
    """Why a submission is to be graded, in a few words; "" where its result ``old`` still holds."""
    if not old:
        return "new"
    if old.get("status") == Status.INFRASTRUCTURE_FAULT:
        return "the grader failed"
    if any(score.get("failed") for score in old["exercises"].values()):
        return "a check of ours failed"
    before = old.get("hashes") if isinstance(old.get("hashes"), dict) else {}
    return next((why for key, why in CHANGED.items() if before.get(key) != hashes.get(key)), "")


@cache
def grader_version():
    """A hash of everything that decides a score: the text of both packages."""
    digest = hashlib.sha256()
    for package in (Path(autograder.__file__).parent, Path(rnncore.__file__).parent):
        for path in sorted(package.rglob("*.py")):
            digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
