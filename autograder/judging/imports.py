"""What a cell imports that is not there while its lesson is graded, by the names that are ours."""

import ast

from autograder.intake.contents.drafts import parsed
from autograder.sandbox.box import NEVER


def imported(source):
    """The modules that a cell's text imports, and what it imports from them, as dotted names."""
    tree = parsed(source) if "import" in source else None
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def hidden_part(module, spec):
    """The module of ours that is hidden from this lesson and that ``module`` is in; None if there is none.

    A remark names that: what stands behind it could be any words of a student's.
    """
    hidden = (*spec.hides, *NEVER, *({"torch"} - set(spec.needs)))
    hidden += ("exercises",) if spec.exercises else ()  # the file beside the lesson
    return next((one for one in hidden if module == one or module.startswith(f"{one}.")), None)
