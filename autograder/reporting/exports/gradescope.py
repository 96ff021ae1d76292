"""results.json, which Gradescope shows as the outcome of an autograder: one for each student.

The score at its top is nbgrader's, with late penalties and grades given by hand, and goes before the sum
of the tests. All text is sent as text, so nothing that a student wrote is taken for html or Markdown.
The fields are those of gradescope-autograders.readthedocs.io/en/latest/specs, and no others.
"""

import json
from types import SimpleNamespace

from autograder.course.places import write_atomically
from autograder.intake.ledger import folder_name
from autograder.judging.verdicts import verdict_text
from autograder.reporting.grades import as_number, feedback_text

VISIBILITIES = ("hidden", "after_due_date", "after_published", "visible")
FORMATS = ("text", "html", "simple_format", "md", "ansi")


def results_of(grade, spec):
    """One student's results.json for Gradescope, as data; nobody sees it before grades are published."""
    tests = []
    for number, cell in enumerate((cell for cell in spec.cells if cell.kind in ("test", "written")), 1):
        points, most, by_hand = grade.parts.get(cell.grade_id, (0.0, cell.points, False))
        points, most = as_number(points) or 0, as_number(most) or 0
        test = {"name": cell.grade_id.removesuffix("-check"), "number": str(number)}
        test |= {"name_format": "text", "score": points, "max_score": most, "output_format": "text"}
        if cell.kind == "written" and grade.waits and not by_hand:
            tests.append({**test, "output": "Waits to be graded by hand."})
            continue
        verdict = grade.verdicts.get(cell.grade_id)
        said = "Graded by hand." if by_hand else ""
        test["output"] = _verdict(verdict) if verdict and not by_hand else said
        tests.append({**test, "status": "passed" if points >= most else "failed"})
    data = {
        "score": grade.score,
        "execution_time": as_number(grade.seconds) or 0,
        "output": feedback_text(grade),
        "output_format": "text",
        "visibility": "after_published",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {
            "student": grade.student,
            "lesson": spec.assignment,
            "status": grade.status,
            "late_penalty": grade.late_penalty,
        },
    }
    check_results(data)
    return data


def _verdict(exercise):
    try:
        return verdict_text(SimpleNamespace(**exercise))
    except (TypeError, KeyError, AttributeError):  # a result of another version of the grader
        return f"{exercise.get('points', 0):g} of {exercise.get('max_points', 0):g} points"


def check_results(data):
    """Raise ValueError where data is not what Gradescope documents for results.json."""
    number, text = (int, float), str
    shared = {
        "score": number,
        "output": text,
        "output_format": FORMATS,
        "visibility": VISIBILITIES,
        "extra_data": dict,
    }
    top = {"execution_time": number, "stdout_visibility": VISIBILITIES, "tests": list, "leaderboard": list}
    top |= {"test_output_format": FORMATS, "test_name_format": FORMATS}
    one = {"max_score": number, "name": text, "number": text, "tags": list, "status": ("passed", "failed")}
    one |= {"name_format": FORMATS}
    _check_fields("results.json", data, shared | top)
    for position, test in enumerate(data.get("tests", ())):
        _check_fields(f"tests[{position}]", test, shared | one)
    if "score" not in data and not (data.get("tests") and all("score" in test for test in data["tests"])):
        raise ValueError("results.json has no score, and not every test has one.")
    json.dumps(data, allow_nan=False)


def _check_fields(where, data, fields):
    if not isinstance(data, dict):
        raise ValueError(f"{where} is {type(data).__name__}; an object was expected.")
    for name, value in data.items():
        allowed = fields.get(name)
        if allowed is None:
            raise ValueError(f"{where} has a field {name!r}, which Gradescope does not document.")
        if isinstance(allowed, tuple) and isinstance(allowed[0], str):
            if value not in allowed:
                raise ValueError(f"{where}.{name} is {value!r}; one of {', '.join(allowed)} was expected.")
        elif not isinstance(value, allowed) or isinstance(value, bool):
            raise ValueError(f"{where}.{name} is {type(value).__name__}.")


def write_results(found, spec, folder):
    """Write FOLDER/STUDENT/results.json for every student whose score is known; returns how many."""
    taken, count = set(), 0
    for grade in found:
        if grade.score is None:
            continue
        name, number = folder_name(grade.student), 1
        while name.casefold() in taken:
            number += 1
            name = f"{folder_name(grade.student)}_{number}"
        taken.add(name.casefold())
        text = json.dumps(results_of(grade, spec), indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(folder / name / "results.json", text.encode("utf-8", errors="replace") + b"\n")
        count += 1
    return count
