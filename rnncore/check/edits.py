"""Small edits of a function's text, one at a time: the slips that people make, turned back.

In comes a text, out come ``Edit`` objects in a fixed order, the likelier kinds first: a sign, an axis, an
index, a comparison, a transpose, a statement; then what is too much; then arrays the other way round, one
name for another, and what is missing.
Nothing is run here.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations, islice

SIBLINGS = [
    {"sum", "mean", "max", "min"},
    {"argmax", "argmin"},
    {"zeros", "ones"},
    {"zeros_like", "ones_like"},
    {"tanh", "sigmoid", "sin", "cos"},
    {"exp", "log", "sqrt", "abs", "log2", "log10", "log1p"},
    {"maximum", "minimum"},
    {"cumsum", "cumprod"},
    {"hstack", "vstack"},
    {"floor", "ceil", "round"},
    {"std", "var"},
]
PRINTED, NOT_RETURNED = "print", "return"  # kinds that say it all
KEYWORDS = "keyword arguments"
NUMBERS, LARGE = (0, 1, 2, -1), 1e6
FEW_NAMES = 8  # of which any may be taken for any other; of more, only those that are alike
PAIRS = 10  # of names that are exchanged in one statement


@dataclass(frozen=True)
class Edit:
    """The function's text with one thing changed: in which line of it, and of what kind, in words."""

    line: int
    kind: str
    source: str


def edits(source: str, after: Edit | None = None) -> Iterator[Edit]:
    """The edits of the one function, or class, that ``source`` defines; none where one might not end.

    ``after``: one of them, which is made first; lines are those of ``source`` all the same.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    if after is not None:
        tree = next((copy.deepcopy(tree) for edit in _edits(tree, set()) if edit == after), None)
    seen = set()
    for edit in _edits(tree, seen) if tree else ():
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


def _edits(tree, seen: set) -> Iterator[Edit]:
    """The same with repetitions; ``tree`` is meanwhile as the edit has it. ``seen`` gets its own text."""
    if not may_be_tried(tree):
        return
    function = tree.body[0]
    if any(isinstance(node, ast.While) for node in ast.walk(tree)) or _names_it(tree, function.name):
        return  # an edit of it might not end
    function.decorator_list = []
    try:
        names, places = _names(function), _places(function)
        seen.add(ast.unparse(tree))
    except (RecursionError, ValueError):
        return
    yield from _given_back(tree, function)
    for propose in (_turned, _dropped, _wrapped, _renamed, _added, _joined):
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
        if propose is _turned:
            yield from _statements(tree, function, names)


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


def _copy(node, **changes):
    new = type(node)(**{name: changes.get(name, value) for name, value in ast.iter_fields(node)})
    return ast.copy_location(new, node)


def _call(function: str, node) -> ast.expr:
    return ast.Call(ast.parse(function, mode="eval").body, [node], [])


def _turned(node, names):
    """One thing for its opposite, its neighbour or its sibling."""
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield "signs", _copy(node, op=ast.Sub())
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            yield "signs", _copy(node, op=ast.Add())
            yield "signs", _copy(node, left=right, right=left)
        case ast.BinOp(op=ast.Mult()):
            yield "factors", _copy(node, op=ast.Div())
            yield "products", _copy(node, op=ast.MatMult())
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            yield "factors", _copy(node, op=ast.Mult())
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            for first in (left, _transposed(left)):
                for second in (right, _transposed(right)):
                    if (first, second) != (left, right):
                        yield "transposes", _copy(node, left=first, right=second)
            yield "products", _copy(node, left=right, right=left)
            yield "products", _copy(node, op=ast.Mult())
        case ast.BinOp(left=left, op=ast.Mod() | ast.FloorDiv() as op):
            for shifted in _shifted(left):
                yield "index", _copy(node, left=shifted)
            yield "division", _copy(node, op=ast.FloorDiv() if isinstance(op, ast.Mod) else ast.Mod())
        case _:
            yield from _turned_other(node)
    if isinstance(node, ast.BinOp):
        yield from _bracketed(node)


def _bracketed(node):
    """The brackets of a - b / c, or of (a - b) / c, the other way."""
    match node:
        case ast.BinOp(left=first, op=op, right=ast.BinOp(left=second, op=inner, right=third)):
            yield "brackets", ast.BinOp(ast.BinOp(first, op, second), inner, third)
    match node:
        case ast.BinOp(left=ast.BinOp(left=first, op=inner, right=second), op=op, right=third):
            yield "brackets", ast.BinOp(first, inner, ast.BinOp(second, op, third))


def _turned_other(node):
    match node:
        case ast.Compare(ops=[op]):
            for other in (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq):
                if not isinstance(op, other | ast.In | ast.NotIn | ast.Is | ast.IsNot):
                    yield "comparison", _copy(node, ops=[other()])
        case ast.Call(func=func, args=args, keywords=keywords):
            yield from _turned_call(node, func, args, keywords)
            for position, keyword in enumerate(keywords):
                if keyword.arg not in ("axis", "axes", "dim"):
                    kept = [*keywords[:position], *keywords[position + 1 :]]
                    yield KEYWORDS, _copy(node, keywords=kept)
        case ast.Subscript(value=value, slice=index):
            for new in _indices(index):
                yield "index", _copy(node, slice=new)
        case ast.Constant(value=bool() as value):
            yield "yes or no", _copy(node, value=not value)
        case ast.Constant(value=int() | float() as value) if abs(value) < LARGE:
            for other in dict.fromkeys((value + 1, value - 1, -value, value * 2, value / 2, *NUMBERS)):
                if other != value:
                    yield "numbers", _copy(node, value=other)
        case ast.IfExp(body=body, orelse=orelse):
            yield "condition", _copy(node, body=orelse, orelse=body)
        case ast.Tuple(elts=elts) if 1 < len(elts) < 5 and not isinstance(node.ctx, ast.Store):
            for first in range(len(elts)):
                for second in range(first + 1, len(elts)):
                    swapped = list(elts)
                    swapped[first], swapped[second] = elts[second], elts[first]
                    yield "order", _copy(node, elts=swapped)
        case ast.Attribute(attr="T", value=value):
            yield "transposes", value
        case ast.BoolOp(op=op):
            yield "condition", _copy(node, op=ast.And() if isinstance(op, ast.Or) else ast.Or())


def _turned_call(node, func, args, keywords):
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    for siblings in SIBLINGS:
        for other in sorted(siblings - {name}) if name in siblings else ():
            new = _copy(func, attr=other) if isinstance(func, ast.Attribute) else _copy(func, id=other)
            yield "functions", _copy(node, func=new)
    for position, keyword in enumerate(keywords):
        if keyword.arg in ("axis", "axes", "dim"):
            for axis in (0, 1, -1, 2, None):
                changed = list(keywords)
                changed[position] = ast.keyword(keyword.arg, ast.Constant(axis))
                yield "axis", _copy(node, keywords=changed)
    if name in ("sum", "mean", "max", "min", "prod", "cumsum", "norm", "argmax", "flip", "std") and not any(
        keyword.arg == "axis" for keyword in keywords
    ):
        for axis in (0, 1, -1):
            yield "axis", _copy(node, keywords=[*keywords, ast.keyword("axis", ast.Constant(axis))])
    if name in ("sum", "mean", "max", "min", "std") and not any(k.arg == "keepdims" for k in keywords):
        kept = ast.keyword("keepdims", ast.Constant(True))
        yield "axes that are kept", _copy(node, keywords=[*keywords, kept])
    if name == "range":
        for changed in _ranges(args):
            yield "range", _copy(node, args=changed)
        yield "range", _call("reversed", node)
    if name == "reversed" and len(args) == 1:
        yield "range", args[0]
    if len(args) == 2:
        yield "order", _copy(node, args=args[::-1])


def _ranges(args):
    starts = {1: [None], 2: [args[0]] if args else [], 3: [args[0]] if args else []}.get(len(args), [])
    for _ in starts:
        for position, argument in enumerate(args):
            for shifted in _shifted(argument):
                yield [*args[:position], shifted, *args[position + 1 :]]
    if len(args) == 1:
        yield [ast.Constant(1), args[0]]


def _shifted(node):
    """An index one further and one less."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
        return
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add | ast.Sub)
        and isinstance(node.right, ast.Constant)
    ):
        yield node.left
    yield ast.BinOp(node, ast.Add(), ast.Constant(1))
    yield ast.BinOp(node, ast.Sub(), ast.Constant(1))


def _indices(index):
    """Other indices and slices in the place of one."""
    match index:
        case ast.Tuple(elts=elts):
            for position, item in enumerate(elts):
                for new in _indices(item):
                    yield _copy(index, elts=[*elts[:position], new, *elts[position + 1 :]])
            if len(elts) == 2:
                yield _copy(index, elts=elts[::-1])
        case ast.Slice(lower=lower, upper=upper, step=step):
            for bound in [*_shifted(lower)] if lower else [ast.Constant(1)]:
                yield ast.Slice(bound, upper, step)
            for bound in [*_shifted(upper)] if upper else [ast.Constant(-1)]:
                yield ast.Slice(lower, bound, step)
            yield ast.Slice(None, upper, step)
            yield ast.Slice(lower, None, step)
            yield ast.Slice(lower, upper, None if step else ast.parse("x[::-1]", mode="eval").body.slice.step)
            if not (lower or upper or step):
                yield ast.Constant(0)
        case ast.Constant(value=int() as value):
            for other in dict.fromkeys((value + 1, value - 1, 0, -1)):
                if other != value:
                    yield ast.Constant(other)
        case ast.Name() | ast.BinOp():
            yield from _shifted(index)


def _transposed(node):
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.Attribute(node, "T", ast.Load())


def _dropped(node, names):
    """Something that is too much."""
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            yield "terms", left
            yield "terms", right
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() | ast.Pow(), right=right):
            yield "factors", left
            yield "factors", right
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield "signs", operand
        case ast.Call(func=ast.Attribute(value=value), args=[], keywords=_):
            yield "calls", value
        case ast.Call(args=[first, *_]):
            yield "calls", first
        case ast.Subscript(value=value):
            yield "index", value


def _renamed(node, names):
    """One name in the place of another."""
    match node:
        case ast.Name(id=name) if name in names:
            for other in names:
                if other != name and (len(names) <= FEW_NAMES or _alike(name, other)):
                    yield "names", _copy(node, id=other)
        case ast.Constant(value=str() as key):
            for other in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                if key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh") and other != key:
                    yield "names", _copy(node, value=other)


def _alike(name: str, other: str) -> bool:
    """Whether one name may be written for another: both are letters, or they share a good part."""
    if len(name) == 1 or len(other) == 1:
        return len(name) == len(other) or name in other.split("_") or other in name.split("_")
    return SequenceMatcher(None, name, other).ratio() >= 0.5


def _wrapped(node, names):
    """An array, or a list, the other way round."""
    if isinstance(node, ast.Name) and node.id in names:
        backwards = ast.parse("x[::-1]", mode="eval").body.slice
        every = ast.Slice(None, None, None)
        yield "order in time", ast.Subscript(node, backwards, ast.Load())
        yield "order in time", ast.Subscript(node, ast.Tuple([every, backwards], ast.Load()), ast.Load())
        yield "transposes", ast.Attribute(node, "T", ast.Load())
        swapped = ast.Attribute(node, "swapaxes", ast.Load())
        yield "axes", ast.Call(swapped, [ast.Constant(0), ast.Constant(1)], [])


def _added(node, names):
    """Something that is missing."""
    if not isinstance(node, ast.Name | ast.BinOp | ast.Subscript | ast.Call | ast.Attribute):
        return
    if isinstance(node, ast.Name) and node.id not in names:
        return
    yield "copies", ast.Call(ast.Attribute(node, "copy", ast.Load()), [], [])
    yield "signs", ast.UnaryOp(ast.USub(), node)
    yield "factors", ast.BinOp(ast.Constant(1), ast.Sub(), node)
    yield "powers", ast.BinOp(node, ast.Pow(), ast.Constant(2))
    for function in ("np.tanh", "sigmoid", "np.sqrt", "np.exp", "np.log", "np.abs"):
        yield "functions", _call(function, node)


def _joined(node, names):
    """A factor or a term that is missing."""
    if isinstance(node, ast.BinOp) or (isinstance(node, ast.Name) and node.id in names):
        for name in names:
            other = ast.Name(name, ast.Load())
            yield "factors", ast.BinOp(node, ast.Mult(), other)
            yield "terms", ast.BinOp(node, ast.Add(), other)


def _statements(tree, function, names) -> Iterator[Edit]:
    """Two statements in the other order, one left out, = for += and back, one moved out of its loop."""
    blocks = [b for n in ast.walk(function) for b in (getattr(n, "body", None), getattr(n, "orelse", None))]
    blocks = [block for block in blocks if isinstance(block, list)]
    for block in blocks:
        for at, statement in enumerate(block if len(block) > 1 else ()):
            if not isinstance(statement, ast.Return | ast.FunctionDef) and not _is_docstring(statement):
                del block[at]
                try:
                    yield Edit(statement.lineno, "statement", ast.unparse(tree))
                finally:
                    block.insert(at, statement)
    yield from _exchanged(tree, blocks, names)
    for block in blocks:
        whole = list(block)
        for at, statement in enumerate(whole):
            trials = []
            if at + 1 < len(whole):
                trials.append(("order", statement, [*whole[:at], whole[at + 1], statement, *whole[at + 2 :]]))
            match statement:
                case ast.AugAssign(target=target, op=op, value=value):
                    read = _copy(target, ctx=ast.Load())
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
                    yield Edit(place.lineno, kind, ast.unparse(tree))
                finally:
                    block[:] = whole


def _given_back(tree, function) -> Iterator[Edit]:
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
        yield Edit(last.lineno, kind, ast.unparse(tree))
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


def _exchanged(tree, blocks, names) -> Iterator[Edit]:
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
                yield Edit(statement.lineno, "names", ast.unparse(tree))
            finally:
                for node in held:
                    node.id = swap.get(node.id, node.id)


def _returned_later(tree, blocks, block, statement) -> Iterator[Edit]:
    """A return that stands inside a loop, moved behind it."""
    for outer in blocks:
        for at, loop in enumerate(outer):
            if isinstance(loop, ast.For) and loop.body is block and len(block) > 1:
                block.pop()
                outer.insert(at + 1, statement)
                try:
                    yield Edit(statement.lineno, "indentation", ast.unparse(tree))
                finally:
                    outer.pop(at + 1)
                    block.append(statement)
