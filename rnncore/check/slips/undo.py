"""A listed mistake turned back where a student made it, in the student's own text.

The mistake's edit is seen as patterns: what the twin has, and what the reference has there instead, with
local names that may be any others. Where the student's text has the first, it gets the second. In come texts
and a mistake, out come texts in a fixed order; nothing is run here.
"""

import ast
import textwrap
from collections.abc import Iterator
from itertools import islice

from rnncore.check.slips.edits import Edit, may_be_tried

MOST = 100  # texts for one mistake
MOST_PLACES = 10  # that fit one pattern
DEPTHS = 4  # of the patterns around a difference: itself, the expression that it stands in, and so on
LEAST = 3  # nodes: a pattern that is smaller stands everywhere and says nothing


def undone(source: str, exercise, mistake) -> Iterator[Edit]:
    """The versions of ``source``, a student's function, without the mistake; line 0 stands for several."""
    try:
        tree = ast.parse(source)
        if may_be_tried(tree):
            yield from _undone(tree.body[0], exercise, mistake)
    except (SyntaxError, ValueError, RecursionError):
        return  # it cannot be read, or is nested too deeply to be copied


def _undone(theirs, exercise, mistake) -> Iterator[Edit]:
    theirs.decorator_list = []
    right = _function(exercise.source)
    seen = {ast.unparse(theirs)}
    trials = (
        trial
        for wording in mistake.wordings()
        for runs in (False, True)
        for depth in range(1 if runs else DEPTHS)
        for trial in _turned_back(theirs, _function(exercise.twin_source(wording)), right, depth, runs)
    )
    for line, text in islice(trials, 10 * MOST):
        if text not in seen and len(seen) <= MOST:
            seen.add(text)
            yield Edit(line, "", text)


def _function(source: str):
    return ast.parse(textwrap.dedent(source)).body[0]


def _turned_back(theirs, twin, right, depth: int, runs: bool) -> Iterator[tuple[int, str]]:
    """(line, text) of ``theirs`` with what ``twin`` has as in ``right``: place by place, and everywhere."""
    everywhere, free = {}, _locals(twin) | _locals(right)
    arguments = _arguments(right, theirs)
    for new, old in _differences(twin, right, depth, runs):
        places = _found(new, theirs, free, arguments) if new else _beginnings(theirs, arguments)
        found = islice(places, MOST_PLACES)
        changes = [
            (place[0].lineno if new else 0, change)
            for place, names in found
            if (change := _replacement(new, old, place, names, theirs, right))
        ]
        if not changes:
            return
        for line, change in changes:
            everywhere |= change
            yield line, _text(theirs, change)
    if everywhere:
        yield 0, _text(theirs, everywhere)


def _differences(twin, right, depth: int, runs: bool) -> list[tuple[list, list]]:
    """Where two trees differ, as pairs of runs of statements or of single expressions.

    ``depth``: how many expressions around a difference belong to it. ``runs``: whether statements that
    follow one another stay together.
    """
    found = []

    def visit(new, old, around):
        around = [*around, (new, old)]
        if isinstance(new, ast.stmt) or isinstance(old, ast.stmt):
            around = around[-1:]
        fields = [(getattr(new, name), getattr(old, name, None)) for name in new._fields if name != "ctx"]
        alike = type(new) is type(old) and all(_comparable(*pair) for pair in fields)
        if not alike:
            pair = around[max(len(around) - 1 - depth, 0)]
            if ([pair[0]], [pair[1]]) not in found:
                found.append(([pair[0]], [pair[1]]))
            return
        for mine, other in fields:
            if isinstance(mine, list) and _is_block(mine, other):
                mine, other = _without_ends(mine, other)
                if len(mine) == len(other) and (len(mine) == 1 or not runs):
                    for one, another in zip(mine, other, strict=True):
                        if ast.dump(one) != ast.dump(another):
                            visit(one, another, [])
                elif mine or other:
                    found.append((mine, other))
            else:
                pairs = zip(mine, other, strict=True) if isinstance(mine, list) else [(mine, other)]
                for one, another in pairs:
                    if isinstance(one, ast.AST) and ast.dump(one) != ast.dump(another):
                        visit(one, another, around)

    visit(twin, right, [])
    return found


def _comparable(mine, other) -> bool:
    """Whether two fields of a node are the same, or can be looked into for what differs."""
    if isinstance(mine, list):
        return len(mine) == len(other) or _is_block(mine, other)
    if isinstance(mine, ast.AST):
        return isinstance(other, ast.AST)
    return mine == other


def _is_block(mine, other) -> bool:
    return all(isinstance(node, ast.stmt) for node in [*mine, *other])


def _without_ends(mine: list, other: list) -> tuple[list, list]:
    """Two runs of statements without what they begin and end with alike."""
    texts, others = [ast.dump(node) for node in mine], [ast.dump(node) for node in other]
    start = 0
    while start < min(len(mine), len(other)) and texts[start] == others[start]:
        start += 1
    end = 0
    while end < min(len(mine), len(other)) - start and texts[-1 - end] == others[-1 - end]:
        end += 1
    return mine[start : len(mine) - end], other[start : len(other) - end]


def _locals(function) -> set[str]:
    names = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    return names | {
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _found(pattern: list, theirs, free: set, arguments: dict) -> Iterator[tuple[list, dict]]:
    """Each place in ``theirs`` that ``pattern`` fits, and what its free names are called there."""
    if not isinstance(pattern[0], ast.stmt) and sum(1 for _ in _nodes(pattern[0])) < LEAST:
        return
    for node in ast.walk(theirs):
        for _, value in ast.iter_fields(node):
            places = value if isinstance(value, list) else [value]
            for at in range(len(places) - len(pattern) + 1):
                run, names = places[at : at + len(pattern)], dict(arguments)
                if all(_fits(one, other, free, names) for one, other in zip(pattern, run, strict=True)):
                    yield run, names


def _beginnings(theirs, arguments: dict) -> Iterator[tuple[list, dict]]:
    """Where something may be put in that is missing: before the first statement of a function."""
    for node in ast.walk(theirs):
        if isinstance(node, ast.FunctionDef):
            yield [node.body[0]], dict(arguments)


def _nodes(node):
    return (one for one in ast.walk(node) if not isinstance(one, ast.expr_context | ast.operator))


def _fits(pattern, node, free: set, names: dict) -> bool:
    """Whether a node is the pattern, but for free names, each of which stands for one other name."""
    if isinstance(pattern, ast.Name) and isinstance(node, ast.Name) and pattern.id in free:
        if pattern.id in names:
            return names[pattern.id] == node.id
        names[pattern.id] = node.id
        return True
    if isinstance(pattern, list):
        return (
            isinstance(node, list)
            and len(pattern) == len(node)
            and all(_fits(one, other, free, names) for one, other in zip(pattern, node, strict=True))
        )
    if not isinstance(pattern, ast.AST):
        return pattern == node
    return type(pattern) is type(node) and all(
        _fits(getattr(pattern, name), getattr(node, name), free, names)
        for name in pattern._fields
        if name not in ("ctx", "kind", "type_comment")
    )


def _replacement(new: list, old: list, place: list, names: dict, theirs, right) -> dict | None:
    """What takes a place, by the id of the node there; None where ``theirs`` lacks a name that it needs."""
    held = [node for each in old for node in ast.walk(each) if isinstance(node, ast.Name)]
    made = {node.id for node in held if isinstance(node.ctx, ast.Store)}
    before, own = [], _locals(theirs)
    for name in sorted({node.id for node in held} & _locals(right) - made - names.keys()):
        definition = None if name in own else _definition(name, right, names)
        if definition is None and name not in own:
            return None
        before += [definition] if definition else []
        names[name] = f"{name}_" if definition else name
    put = [_rebuilt(node, {}, names) for node in old]
    if not new:
        put += place  # what is put in before a statement takes nothing away
    if isinstance(place[0], ast.stmt):
        put, before = before + put, []
    change = {id(node): [] for node in place} | {id(place[0]): put}
    return change | ({id(theirs): before} if before else {})


def _arguments(right, theirs) -> dict[str, str]:
    """What the arguments of the reference are called in ``theirs``."""
    if not isinstance(right, ast.FunctionDef) or not isinstance(theirs, ast.FunctionDef):
        return {}
    if len(right.args.args) != len(theirs.args.args):
        return {}
    pairs = zip(right.args.args, theirs.args.args, strict=True)
    return {mine.arg: other.arg for mine, other in pairs}


def _definition(name: str, right, names: dict):
    """The reference's own line that makes a name from its arguments, with names that are nobody else's."""
    for statement in getattr(right, "body", []):
        match statement:
            case ast.Assign(targets=[target], value=value):
                held = [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
                needs = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
                if name in held and needs <= {*names, "np", "len"}:
                    return _rebuilt(statement, {}, {**names, **{each: f"{each}_" for each in held}})
    return None


def _text(theirs, change: dict) -> str:
    """The text of ``theirs`` with other nodes in the place of some, by their ids."""
    new = _rebuilt(theirs, change, {})
    if id(theirs) in change:
        new.body[:0] = change[id(theirs)]
    return ast.unparse(ast.fix_missing_locations(new))


def _rebuilt(node, change: dict, names: dict):
    """A copy with other nodes in the place of some, and other names."""
    if isinstance(node, list):
        return [
            item
            for one in node
            for item in (change[id(one)] if id(one) in change else [_rebuilt(one, change, names)])
        ]
    if not isinstance(node, ast.AST):
        return node
    if isinstance(node, ast.Name):
        return ast.copy_location(ast.Name(names.get(node.id, node.id), node.ctx), node)
    fields = {}
    for name, value in ast.iter_fields(node):
        new = change.get(id(value)) if isinstance(value, ast.AST) else None
        fields[name] = new[0] if new else _rebuilt(value, change, names)
    return ast.copy_location(type(node)(**fields), node)
