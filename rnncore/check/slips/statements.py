"""What may stand in the place of a statement, as (line, kind, the function's whole text).

In comes the tree of a function, which is as the change has it while that is looked at, and then as before.
"""

import ast
import copy
from collections.abc import Iterator
from itertools import combinations, islice

from rnncore.check.slips.expressions import call, copied

PRINTED, NOT_RETURNED = "print", "return"  # kinds that say it all
PAIRS = 10  # of names that are exchanged in one statement


def statements(tree, function, names) -> Iterator[tuple]:
    """Two statements in the other order, one left out, = for += and back, one moved out of its loop."""
    blocks = [b for n in ast.walk(function) for b in (getattr(n, "body", None), getattr(n, "orelse", None))]
    blocks = [block for block in blocks if isinstance(block, list)]
    for block in blocks:
        for at, statement in enumerate(block if len(block) > 1 else ()):
            if not isinstance(statement, ast.Return | ast.FunctionDef) and not _is_docstring(statement):
                del block[at]
                try:
                    yield statement.lineno, "statement", ast.unparse(tree)
                finally:
                    block.insert(at, statement)
    yield from _looped(tree, function)
    yield from _exchanged(tree, blocks, names)
    for block in blocks:
        whole = list(block)
        for at, statement in enumerate(whole):
            trials = []
            if at + 1 < len(whole):
                trials.append(("order", statement, [*whole[:at], whole[at + 1], statement, *whole[at + 2 :]]))
            match statement:
                case ast.AugAssign(target=target, op=op, value=value):
                    read = copied(target, ctx=ast.Load())
                    anew = ast.copy_location(ast.Assign([target], ast.BinOp(read, op, value)), statement)
                    trials.append(("assignment in place", statement, [*whole[:at], anew, *whole[at + 1 :]]))
                    new = ast.copy_location(ast.Assign([target], value), statement)
                    trials.append(("assignment", statement, [*whole[:at], new, *whole[at + 1 :]]))
                case ast.Assign(targets=[ast.Name() | ast.Subscript() as target], value=value):
                    new = ast.copy_location(ast.AugAssign(target, ast.Add(), value), statement)
                    trials.append(("assignment", statement, [*whole[:at], new, *whole[at + 1 :]]))
            if isinstance(statement, ast.For) and len(statement.body) > 1:
                inner, last = statement.body[:-1], statement.body[-1]
                moved = ast.copy_location(ast.For(statement.target, statement.iter, inner, []), statement)
                trials.append(("indentation", last, [*whole[:at], moved, last, *whole[at + 1 :]]))
            if isinstance(statement, ast.Return) and at == len(whole) - 1:
                yield from _returned_later(tree, blocks, block, statement)
            for kind, place, new in trials:
                block[:] = new
                try:
                    yield place.lineno, kind, ast.unparse(tree)
                finally:
                    block[:] = whole


def given_back(tree, function) -> Iterator[tuple]:
    """What is printed, or only computed, in the last line returned."""
    if not isinstance(function, ast.FunctionDef):
        return
    last, whole = function.body[-1], list(function.body)
    match last:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[_, *_] as args, keywords=[])):
            value = args[0] if len(args) == 1 else ast.Tuple(args, ast.Load())
            kind, new = PRINTED, [*whole[:-1], ast.Return(value)]
        case ast.Expr(value=value) if not isinstance(value, ast.Constant):
            kind, new = NOT_RETURNED, [*whole[:-1], ast.Return(value)]
        case ast.Assign(targets=[target]):
            kind, new = NOT_RETURNED, [*whole, ast.Return(_loaded(target))]
        case _:
            return
    function.body[:] = new
    try:
        yield last.lineno, kind, ast.unparse(tree)
    finally:
        function.body[:] = whole


def _loaded(target):
    new = copy.deepcopy(target)
    for node in ast.walk(new):
        if hasattr(node, "ctx"):
            node.ctx = ast.Load()
    return new


def _is_docstring(statement) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _looped(tree, function) -> Iterator[tuple]:
    """A loop over the numbers below one, or over the places in a sequence, where these are meant."""
    for loop in ast.walk(function):
        if not isinstance(loop, ast.For | ast.comprehension) or isinstance(loop.iter, ast.Call):
            continue
        over = loop.iter
        for numbers in (call("range", over), call("range", call("len", over))):
            loop.iter = numbers
            try:
                yield over.lineno, "range", ast.unparse(tree)
            finally:
                loop.iter = over


def _exchanged(tree, blocks, names) -> Iterator[tuple]:
    """Two names exchanged wherever they stand in one statement, such as rows for columns."""
    for statement in (one for block in blocks for one in block):
        if isinstance(statement, ast.For | ast.If | ast.With | ast.FunctionDef | ast.Return):
            continue
        held = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        read = dict.fromkeys(node.id for node in held if isinstance(node.ctx, ast.Load))
        made = {node.id for node in held if isinstance(node.ctx, ast.Store)}
        local = [name for name in read if name in names and name not in made]
        for first, second in islice(combinations(local, 2), PAIRS):
            swap = {first: second, second: first}
            for node in held:
                node.id = swap.get(node.id, node.id)
            try:
                yield statement.lineno, "names", ast.unparse(tree)
            finally:
                for node in held:
                    node.id = swap.get(node.id, node.id)


def _returned_later(tree, blocks, block, statement) -> Iterator[tuple]:
    """A return that stands inside a loop, moved behind it."""
    for outer in blocks:
        for at, loop in enumerate(outer):
            if isinstance(loop, ast.For) and loop.body is block and len(block) > 1:
                block.pop()
                outer.insert(at + 1, statement)
                try:
                    yield statement.lineno, "indentation", ast.unparse(tree)
                finally:
                    outer.pop(at + 1)
                    block.append(statement)
