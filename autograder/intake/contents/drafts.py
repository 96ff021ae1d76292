"""Was an answer worked on? Told by what its cell would define when it is run, never by a word in it.

A notebook that is worked in holds several versions of a function: an untouched copy, a draft, the finished
one. An empty version, whose function raises before it does anything, must not stand where the answer belongs.
"""

import ast
import re

LONGEST = 60_000  # characters of a cell that are parsed: more than anyone types, little for a parser
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)


def parsed(source):
    """The cell's syntax tree without its magics, or None where it is no Python."""
    if len(source) > LONGEST:
        return None
    for text in (source, re.sub(r"^[%!].*$", "", source, flags=re.MULTILINE)):
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def is_empty(source, released, name):
    """Would running ``source`` leave ``name`` undone: nothing is there, or no more than the release has?"""
    if not source.strip() or same_text(source, released):
        return True
    tree = parsed(source)
    if tree is None:
        return False
    last = _binding(tree, name)
    if last is None:
        return all(map(_does_nothing, tree.body))
    if not isinstance(last, DEFINITIONS):
        return False
    if _raises_at_once(last):
        return True
    given = parsed(released)
    given = given and _binding(given, name)
    if given is None or _raises_at_once(given):
        return False
    return _shape(last) == _shape(given)


def holds_only(source, name):
    """Is there nothing in the cell but the definition of ``name``, so that it can be left out?"""
    tree = parsed(source)
    return tree is not None and all(
        _does_nothing(one) or (isinstance(one, DEFINITIONS) and one.name == name) for one in tree.body
    )


def same_text(one, other):
    """Are two sources the same, but for blanks where nobody sees them?"""
    return trimmed(one) == trimmed(other)


def trimmed(source):
    """A source without blanks where nobody sees them."""
    return "\n".join(line.rstrip() for line in source.strip().split("\n"))


def _binding(tree, name):
    """The last statement of a cell that gives ``name`` a value, or None."""
    found = None
    for one in tree.body:
        if isinstance(one, DEFINITIONS):
            found = one if one.name == name else found
        elif any(
            (isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store) and part.id == name)
            or (isinstance(part, ast.alias) and (part.asname or part.name) == name)
            or (isinstance(part, DEFINITIONS) and part.name == name)
            for part in ast.walk(one)
        ):
            found = one
    return found


def _raises_at_once(definition):
    """A function that does nothing but raise, or nothing at all."""
    if not isinstance(definition, FUNCTIONS):
        return False
    does = [one for one in definition.body if not _says_nothing(one)]
    return not does or isinstance(does[0], ast.Raise)


def _says_nothing(statement):
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _does_nothing(statement):
    return _says_nothing(statement) or isinstance(statement, ast.Raise)


def _shape(definition):
    """A definition as text, whatever its comments, its docstrings and its layout are."""
    tree = ast.parse(ast.unparse(definition))
    for node in ast.walk(tree):
        if isinstance(node, DEFINITIONS):
            node.body = [one for one in node.body if not _says_nothing(one)] or [ast.Pass()]
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and not node.exc.args:
            node.exc = node.exc.func
    return ast.unparse(tree)
