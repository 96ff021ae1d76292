"""Small edits of a function's text, one at a time: the slips that people make, turned back.

In comes a text, out come ``Edit`` objects in a fixed order, the likelier kinds first: a word misspelled, a
sign, an axis, an index, a comparison, a transpose, a statement; then what is too much; then arrays the other
way round, one name for another, and what is missing. ``spelling``, ``expressions`` and ``statements`` say
what may stand where something does. Nothing is run here.
"""

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rnncore.check.slips.expressions import (
    FUNCTIONS,
    added,
    biases_in,
    bounds_in,
    dropped,
    joined,
    parted,
    renamed,
    turned,
    within,
    wrapped,
)
from rnncore.check.slips.spelling import respelled, words_of
from rnncore.check.slips.statements import given_back, statements


@dataclass(frozen=True)
class Edit:
    """The function's text with one thing changed: in which line of it, and of what kind, in words."""

    line: int
    kind: str
    source: str


def edits(source: str, after: Edit | None = None, words: Sequence[str] = ()) -> Iterator[Edit]:
    """The edits of the one function, or class, that ``source`` defines; none where one might not end.

    ``after``: one of them, which is made first; lines are those of ``source`` all the same. ``words``: those
    of the right function, of which one may be misspelled.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    if after is not None:
        tree = next((copy.deepcopy(tree) for edit in _edits(tree, set(), words) if edit == after), None)
    seen = set()
    for edit in _edits(tree, seen, words) if tree else ():
        if edit.source not in seen:
            seen.add(edit.source)
            yield edit


def last_line(source: str, line: int) -> int:
    """The last line of a function's text that may be run before one of its lines is; 0 if that is not known.

    That is the line's own, or the end of the outermost loop that it stands in.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return 0
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node is not tree.body[0] and node.lineno <= line <= node.end_lineno
    ]
    inside = [tree.body[0], *around] if isinstance(tree.body[0], ast.ClassDef) else around
    if not around or any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in inside):
        return 0  # what is defined first may be called from anywhere
    loops = [node.end_lineno for node in around if isinstance(node, ast.For | ast.While)]
    return max(loops) if loops else min(node.end_lineno for node in around)


def may_be_tried(tree) -> bool:
    """Whether a tree is that of one function, or class, of which a version harms nothing."""
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef | ast.ClassDef):
        return False
    if any(isinstance(node, ast.Yield | ast.Global | ast.Await) for node in ast.walk(tree)):
        return False
    return not _names_it(tree, "open")  # opening a file may empty it


def _names_it(tree, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))


def _edits(tree, seen: set, words: Sequence[str]) -> Iterator[Edit]:
    """The same with repetitions; ``tree`` is meanwhile as the edit has it. ``seen`` gets its own text."""
    if not may_be_tried(tree):
        return
    function = tree.body[0]
    if _names_it(tree, function.name):
        return  # an edit of it might not end
    function.decorator_list = []
    fixed = _lines_that_end_loops(function)
    for edit in _edits_of(tree, function, seen, words):
        if edit.line not in fixed:
            yield edit


def _lines_that_end_loops(function) -> set[int]:
    """The lines that decide when a ``while`` ends, and those in it that change what these look at."""
    fixed = set()
    for loop in ast.walk(function):
        if not isinstance(loop, ast.While):
            continue
        inside = [node for node in ast.walk(loop) if isinstance(node, ast.stmt) and node is not loop]
        ends = [one for one in inside if isinstance(one, ast.If) and _leaves(one)]
        tests = [loop.test, *(one.test for one in ends)]
        names = {node.id for test in tests for node in ast.walk(test) if isinstance(node, ast.Name)}
        deciding = [
            one for one in inside if not hasattr(one, "body") and (_leaves(one) or _changes(one, names))
        ]
        for node in (*tests, *deciding):
            fixed |= set(range(node.lineno, node.end_lineno + 1))
    return fixed


def _leaves(statement) -> bool:
    return any(isinstance(node, ast.Break | ast.Continue | ast.Return) for node in ast.walk(statement))


def _changes(statement, names: set[str]) -> bool:
    """Whether a statement gives one of the names another value, or calls a method of it."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=target))):
            return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(target))
        case ast.Assign(targets=targets):
            pass
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            targets = [target]
        case _:
            return isinstance(statement, ast.Delete)
    return any(isinstance(n, ast.Name) and n.id in names for target in targets for n in ast.walk(target))


def _edits_of(tree, function, seen: set, words: Sequence[str]) -> Iterator[Edit]:
    """The same with those of the lines that decide when a loop ends."""
    try:
        names, places = _names(function), _places(function)
        seen.add(ast.unparse(tree))
    except (RecursionError, ValueError):
        return
    yield from _as_edits(given_back(tree, function))
    yield from _as_edits(respelled(tree, function, names, words))
    known = {*words, *words_of(function)}
    likely = [one for one in FUNCTIONS if not words or one.rpartition(".")[2] in known]
    missing = (
        partial(within, functions=likely),
        partial(joined, others=biases_in(function)),
        partial(parted, bounds=bounds_in(function)),
        joined,
        partial(within, functions=[one for one in FUNCTIONS if one not in likely]),
    )
    for propose in (turned, dropped, wrapped, renamed, added, *missing):
        for place in places:
            for kind, new in propose(place.get(), names):
                old = place.get()
                place.put(new)
                try:
                    yield Edit(getattr(old, "lineno", 0), kind, ast.unparse(tree))
                except (ValueError, RecursionError, AttributeError):
                    pass
                finally:
                    place.put(old)
        if propose is turned:
            yield from _as_edits(statements(tree, function, names))


def _as_edits(changes):
    return (Edit(*change) for change in changes)


class _Place:
    """Where in the tree an expression stands: a field of a node, or an item of a list in one."""

    def __init__(self, node, name, index=None):
        self.node, self.name, self.index = node, name, index

    def get(self):
        value = getattr(self.node, self.name)
        return value if self.index is None else value[self.index]

    def put(self, new):
        if self.index is None:
            setattr(self.node, self.name, new)
        else:
            getattr(self.node, self.name)[self.index] = new


def _places(function) -> list[_Place]:
    """Every expression of the function's body, in the order in which it is written."""
    found = []

    def visit(node):
        for name, value in ast.iter_fields(node):
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.expr) and not isinstance(getattr(child, "ctx", None), ast.Store):
                    found.append(_Place(node, name, index))
                if isinstance(child, ast.AST):
                    visit(child)

    for statement in function.body:
        visit(statement)
    return found


def _names(function) -> list[str]:
    """The arguments and the local names of a function, each once."""
    names = [n.arg for n in ast.walk(function) if isinstance(n, ast.arg) and n.arg != "self"]
    names += [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return list(dict.fromkeys(names))
