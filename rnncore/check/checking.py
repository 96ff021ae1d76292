"""``check(fn)``: what a student calls, and what grades them.

It finds the exercise by the function's name, has the function marked on cases that nobody has seen
before (``marking``), and returns a ``Verdict``. Where numbers are wrong it names the mistake that gives
them (``diagnosis``), and an answer that is wrong only because of an earlier function of the student's own
earns its marks (``follow_through``); what the rest is worth is decided in ``credit``.
It never raises for what a student wrote.
"""

import re
import secrets

import numpy as np

from rnncore.check.compare import leaves
from rnncore.check.credit import earned_share
from rnncore.check.diagnosis import Explanation, explain
from rnncore.check.faults import error_sentence, line
from rnncore.check.follow_through import forgive, with_ours_in_place
from rnncore.check.marking import UNCHANGED, Findings, Marking
from rnncore.check.verdict import FOUND_BY_LINE, Named, Part, Verdict
from rnncore.observe import StudentError

OF_TWO_DTYPES = re.compile(r"\bdtypes?\b|scalar type|\bDouble\b")
IN_SINGLE = (
    "Judged in float32, as in the lesson, and nothing is lost by it. With float64 inputs it stops, since new "
    "tensors are float32 unless they are made like one that there is: `x.new_zeros(...)`"
)
EXPLAINED = {1: "One mistake explains", 2: "Two mistakes explain", 3: "Three mistakes explain"}


def check(function, points: float = 1, *, seed: int | None = None) -> Verdict:
    """Check a student's function against its reference on freshly drawn inputs.

    ``function``: the function itself; its ``__name__`` says which exercise it answers.
    ``points``: what a fully right answer earns.
    ``seed``: draws the same inputs again; a fresh one is drawn if None.
    """
    name = getattr(function, "__name__", None)
    if name is None or not callable(function):
        given = type(function).__name__
        says = (
            "check needs the function itself, without parentheses, as in `check(rnn_cell)`; "
            f"it was given {'an' if given[:1] in 'aeiou' else 'a'} {given}."
        )
        return Verdict("check", points, status="error", headline=says)
    try:
        from rnncore.exercises import NotExercises, found_here, using
    except ModuleNotFoundError as missing:
        if not (missing.name or "").startswith("rnncore"):
            raise
        return Verdict(name, points, status="not checked here", headline="The grader runs this check itself.")
    try:
        with using(found_here(name)):
            return _checked(name, function, points, seed)
    except NotExercises as fault:
        return Verdict(name, points, status="not checked here", headline=str(fault))


def _checked(name: str, function, points: float, seed: int | None) -> Verdict:
    """The verdict on a function by the exercise of its name."""
    from rnncore.exercises import by_name

    if name not in by_name():
        says = (
            f"check goes by the function's name, and no exercise is called `{name}`. "
            f"Those it knows are {', '.join(by_name())}. "
            "An exercise of a course's own is in exercises.py, which belongs beside the notebook."
        )
        return Verdict(name, points, status="error", headline=says)
    try:
        return mark(by_name()[name], function, points, secrets.randbits(32) if seed is None else seed)
    except MissingPackage as missing:
        if hasattr(function, "observe_remotely"):
            raise  # a grader without the package must charge nobody for it
        return Verdict(name, points, status="not checked here", headline=str(missing))


class MissingPackage(ModuleNotFoundError):
    """A package, such as torch, without which not even the right answer runs here."""

    def __init__(self, module: str):
        package = module.split(".")[0]
        super().__init__(
            f"This exercise needs the package {package}, which is not installed here: "
            f"`pip install {package}` brings it; then restart the kernel and try again.",
            name=package,
        )


def mark(exercise, function, points: float, seed: int) -> Verdict:
    """Mark ``function``, whatever it is called, as an answer to ``exercise``; may raise MissingPackage."""
    marking = _marking(exercise, function, seed)
    error = marking.first_error()
    mixed = error if error and _of_our_dtype(marking, error) else None
    if mixed:  # what is right in a lesson's own dtype is right
        single = _marking(exercise, function, seed, single=True)
        if not single.first_error():
            marking, error = single, None
    refusal = error and _refusal(exercise, error)
    ours = with_ours_in_place(marking) if refusal and refusal[2] else None
    if refusal and not ours:
        status, says, _ = refusal
        return Verdict(exercise.name, points, status=status, headline=says, seed=seed)
    found = marking.findings()
    if marking.single:
        found.remarks[f"{IN_SINGLE}{line(mixed)}: {mixed.message}."] = None
    if found.clean:
        parts = tuple(Part(part, True) for part in found.parts)
        remarks = (*found.remarks, *printed(marking))
        says = "Right, on inputs drawn just now."
        return Verdict(exercise.name, points, float(points), "right", says, parts, remarks=remarks, seed=seed)
    blame, searched, helped = "", (marking, found), None
    ours = ours or with_ours_in_place(marking)
    if ours:
        again, names = ours
        helped = again, again.findings()
        blame = forgive(found, helped[1], names)
        searched = searched if helped[1].clean else helped  # there no fault of another function's shows
    explanation = Explanation() if found.clean else explain(*searched)
    share = earned_share(marking, found, explanation, helped)
    return _verdict(marking, round(points * share, 2), points, found, blame, explanation)


def _marking(exercise, function, seed: int, single: bool = False) -> Marking:
    """The marking of ``function``; MissingPackage if the cases or the reference need one."""
    try:
        marking = Marking(exercise, function, seed, single)
    except ModuleNotFoundError as error:
        raise MissingPackage(error.name) from None
    for outcome in marking.wanted:
        if outcome.error and outcome.error.kind == "ModuleNotFoundError":
            raise MissingPackage(outcome.error.message.partition("'")[2].partition("'")[0])
    return marking


def _of_our_dtype(marking: Marking, error: StudentError) -> bool:
    """Whether an error is about two dtypes, where all cases are float64 by our choice and not the task's."""
    if marking.exercise.use is None or not OF_TWO_DTYPES.search(error.message):
        return False
    given = (leaf for case in marking.cases for _, leaf in leaves(case.args))
    return all(getattr(leaf, "dtype", None) != np.float32 for leaf in given)


def _refusal(exercise, error: StudentError) -> tuple[str, str, bool] | None:
    """Why there is no point in calling it again: status, headline, and whether it is for want of a helper."""
    name = exercise.name
    if error.kind == "NotImplementedError":
        if error.function and error.function != name and error.function in exercise.uses:
            return "error", f"It calls `{error.function}`, which is not written yet. Write that first.", True
        return "not attempted", "Not written yet.", False
    if error.kind == "Arguments":
        return "error", f"`{name}` takes {error.message}, expected {exercise.signature}.", False
    return None


def _verdict(
    marking: Marking, earned: float, points: float, found: Findings, blame: str, explanation: Explanation
) -> Verdict:
    """The verdict on an answer that is not wholly right."""
    name = marking.exercise.name
    mistakes = tuple(Named(mistake.id, mistake.says) for mistake in explanation.mistakes)
    right, total = len(found.parts) - len(found.wrong), len(found.parts) + len(found.special)
    parts = [
        Part(part, part not in found.wrong, found.wrong.get(part, "").removeprefix(f"{part} "))
        for part in found.parts
    ]
    parts = _fold(parts)
    if found.clean:
        status, says = "right", ""
    elif earned > 0 and (explanation.whole or (explanation.beneath and explanation.beneath[2].whole)):
        explained = EXPLAINED.get(len(mistakes), f"{len(mistakes)} mistakes explain")
        status, says = "partly right", f"{explained} all that is wrong."
    elif earned > 0 and right:
        status, says = "partly right", f"{right} of {total} parts {'is' if right == 1 else 'are'} right."
    elif earned > 0 and explanation.beneath:
        status, says = "partly right", "It stops with an error. What is right behind it counts."
    elif earned > 0:
        status, says = "partly right", "No part is wholly right yet, but some numbers are."
    else:
        error = next((outcome.error for outcome in marking.outcomes if outcome.error), None)
        status, says = "error" if error else "wrong", "No part is right yet."
        if right:
            says = "What is right here proves nothing by itself yet."
        if len(parts) == 1 and parts[0].says[:1].isupper() and (error or not mistakes):
            says, parts = parts[0].says, []  # one sentence explains it all: say it once
        elif error:
            says = error_sentence(error, name)
    parts += [Part(when, False, sentence) for when, sentence in found.special.items()]
    # Beside a named mistake the numbers are folded away; what was done to the inputs must still be said.
    changed = [found.special[UNCHANGED]] if mistakes and UNCHANGED in found.special else []
    changed = [says for says in changed if says not in (mistake.says for mistake in mistakes)]
    # So must the numbers of what the mistakes leave unexplained.
    left = [part for part in found.wrong if explanation.parts and part not in explanation.parts]
    unexplained = [
        f"Not explained by that: `{part}` {found.wrong[part].removeprefix(f'{part} ')}" for part in left
    ]
    told = earned == 0 or any(mistake.id.startswith(FOUND_BY_LINE) for mistake in mistakes)
    place = _where(marking, explanation) if mistakes and not told else []
    remarks = [*([blame] if blame else []), *place, *unexplained, *changed, *found.remarks, *printed(marking)]
    if status in ("partly right", "wrong"):
        remarks.append(f"To see the same numbers again: `check({name}, seed={marking.seed})`.")
    return Verdict(name, points, earned, status, says, tuple(parts), mistakes, tuple(remarks), marking.seed)


def _where(marking: Marking, explanation: Explanation) -> list[str]:
    """As a remark, the line of the first mistake: the one that is wrong, or the one that raises an error."""
    if explanation.place:
        return [f"All but {explanation.place} is right."]
    pairs = zip(marking.cases, marking.outcomes, strict=True)
    error = next((got.error for case, got in pairs if got.error and not case.when), None)
    return (
        [f"It stops in line {error.line_number}: `{error.line_text}`."] if error and error.line_text else []
    )


def printed(marking: Marking) -> list[str]:
    """What the function printed when it was first called, as a remark: prints help to find faults."""
    text = marking.outcomes[0].printed.strip()
    return [f"It printed, when first called:\n{text}"] if text else []


def _fold(parts: list[Part]) -> list[Part]:
    """Parts that are wrong in the very same words said once."""
    names: dict[str, list[str]] = {}
    for part in parts:
        if not part.right:
            names.setdefault(part.says, []).append(part.name)
    return [part for part in parts if part.right] + [
        Part(", ".join(together), False, says) for says, together in names.items()
    ]
