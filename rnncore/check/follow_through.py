"""An earlier function of the student's own that is wrong costs nothing here: ours is put in its place.

Where one exercise builds on another, the answer is marked once more with our helper where theirs was, on
other inputs; what is right then is right. What their helper gives is never the measure of anything. In a
notebook the name is exchanged while the answer runs. A function that lives in another process brings its own
``with_ours``, and may say "not now" (None), as the grader's does until all else has been checked.
"""

import ast
import functools

from rnncore.check.marking import Findings, Marking
from rnncore.observe import Formula


def with_ours_in_place(marking) -> tuple[Marking, tuple[str, ...]] | None:
    """(the marking of the same function with our helpers in the place of wrong ones, the names of those).

    None where there is no helper of the student's own that is wrong, or it cannot be exchanged now.
    """
    function, own = marking.function, _own_helpers(marking)
    exchange = getattr(function, "with_ours", None)
    if exchange is None:
        exchange = functools.partial(_exchanged, function)
        own = {name: helper for name, helper in own.items() if not _is_right(name, helper, marking.seed)}
    helped = exchange({name: _as_text(_exercise(name)) for name in own}) if own else None
    return helped and (Marking(marking.exercise, helped, marking.seed + 1, has_ours=True), tuple(own))


def forgive(found: Findings, helped: Findings, names) -> str:
    """Take from ``found`` what is right in ``helped``; the sentence that says where the fault is, or "".

    Only *that* something is right is taken from what ran with ours in place, never a word or a number of it:
    the function has seen our helper there.
    """
    forgiven = [part for part in found.wrong if part in helped.parts and part not in helped.wrong]
    if not forgiven and found.special.keys() <= helped.special.keys():
        return ""
    ours = " and ".join(f"`{name}`" for name in names)
    for part in forgiven:
        del found.wrong[part]
    said = dict(found.special)
    found.special.clear()
    for when in helped.special:
        found.special[when] = said.get(when, f"Not right here, with our {ours} in the place of yours either.")
    if found.clean:
        return f"Right with our {ours} in the place of yours. The fault is in {ours}; see its own check."
    listed = f": {', '.join(forgiven)}" if forgiven else ""
    return f"Right with our {ours} in the place of yours, and so not wrong here{listed}."


def _own_helpers(marking) -> dict:
    """{name: function} of the student's own earlier functions, as far as this one may call them."""
    names, ours = getattr(marking.function, "__globals__", {}), marking.exercise.reference.__globals__
    found = {name: names.get(name) for name in marking.exercise.uses}
    return {name: one for name, one in found.items() if one is not None and one is not ours.get(name)}


def _is_right(name: str, helper, seed: int) -> bool:
    return Marking(_exercise(name), helper, seed).findings().clean


def _as_text(exercise) -> Formula:
    """Our function as text that stands on its own: the numbers that its module names are written out."""
    names = exercise.reference.__globals__

    class WrittenOut(ast.NodeTransformer):
        def visit_Name(self, node):
            value = names.get(node.id)
            return ast.Constant(value) if isinstance(value, int | float) else node

    return Formula(ast.unparse(WrittenOut().visit(ast.parse(exercise.source))))


def _exercise(name: str):
    from rnncore.exercises import by_name  # which is not there where students' code is graded

    return by_name()[name]


def _exchanged(function, ours):
    """``function``, in whose notebook our helpers bear the names of its own while it runs."""
    names = function.__globals__

    @functools.wraps(function)
    def helped(*args, **named):
        theirs = {name: names[name] for name in ours}
        names.update({name: helper.value for name, helper in ours.items()})
        try:
            return function(*args, **named)
        finally:
            names.update(theirs)

    helped.helpers = {name: helper.value for name, helper in ours.items()}
    return helped
