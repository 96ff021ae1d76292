"""What may stand in the place of one expression, as (kind, new expression), the likelier first.

In come a node of a syntax tree and the function's local names. A node is never changed here: new ones share
what stays the same.
"""

import ast
from difflib import SequenceMatcher

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
FUNCTIONS = ("np.tanh", "sigmoid", "np.sqrt", "np.exp", "np.log", "np.abs")
KEYWORDS = "keyword arguments"
PARAMETERS = "weight_ih", "weight_hh", "bias_ih", "bias_hh"
NUMBERS, LARGE = (0, 1, 2, -1), 1e6
FEW_NAMES = 8  # of which any may be taken for any other; of more, only those that are alike


def copied(node, **changes):
    """The same node with some fields changed."""
    new = type(node)(**{name: changes.get(name, value) for name, value in ast.iter_fields(node)})
    return ast.copy_location(new, node)


def call(function: str, node) -> ast.expr:
    return ast.Call(ast.parse(function, mode="eval").body, [node], [])


def turned(node, names):
    """One thing for its opposite, its neighbour or its sibling."""
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield "signs", copied(node, op=ast.Sub())
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            yield "signs", copied(node, op=ast.Add())
            yield "signs", copied(node, left=right, right=left)
        case ast.BinOp(op=ast.Mult()):
            yield "factors", copied(node, op=ast.Div())
            yield "products", copied(node, op=ast.MatMult())
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            yield "factors", copied(node, op=ast.Mult())
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            for first in (left, _transposed(left)):
                for second in (right, _transposed(right)):
                    if (first, second) != (left, right):
                        yield "transposes", copied(node, left=first, right=second)
            yield "products", copied(node, left=right, right=left)
            yield "products", copied(node, op=ast.Mult())
        case ast.BinOp(left=left, op=ast.Mod() | ast.FloorDiv() as op):
            for shifted in _shifted(left):
                yield "index", copied(node, left=shifted)
            yield "division", copied(node, op=ast.FloorDiv() if isinstance(op, ast.Mod) else ast.Mod())
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
    # A factor of one term that is meant for both: a * m - b, m * a - b, a - m * b.
    match node:
        case ast.BinOp(
            left=ast.BinOp(left=first, op=ast.Mult() | ast.Div() as inner, right=second),
            op=ast.Add() | ast.Sub() as op,
            right=third,
        ):
            yield "brackets", ast.BinOp(ast.BinOp(first, op, third), inner, second)
            if isinstance(inner, ast.Mult):
                yield "brackets", ast.BinOp(ast.BinOp(second, op, third), inner, first)
    match node:
        case ast.BinOp(
            left=first,
            op=ast.Add() | ast.Sub() as op,
            right=ast.BinOp(left=second, op=ast.Mult() as inner, right=third),
        ):
            yield "brackets", ast.BinOp(ast.BinOp(first, op, third), inner, second)


def _turned_other(node):
    match node:
        case ast.Compare(ops=[op]):
            for other in (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq):
                if not isinstance(op, other | ast.In | ast.NotIn | ast.Is | ast.IsNot):
                    yield "comparison", copied(node, ops=[other()])
        case ast.Call(func=func, args=args, keywords=keywords):
            yield from _turned_call(node, func, args, keywords)
            for position, keyword in enumerate(keywords):
                if keyword.arg not in ("axis", "axes", "dim"):
                    kept = [*keywords[:position], *keywords[position + 1 :]]
                    yield KEYWORDS, copied(node, keywords=kept)
        case ast.Subscript(value=value, slice=index):
            for new in _indices(index):
                yield "index", copied(node, slice=new)
        case ast.Constant(value=bool() as value):
            yield "yes or no", copied(node, value=not value)
        case ast.Constant(value=int() | float() as value) if abs(value) < LARGE:
            for other in dict.fromkeys((value + 1, value - 1, -value, value * 2, value / 2, *NUMBERS)):
                if other != value:
                    yield "numbers", copied(node, value=other)
        case ast.IfExp(body=body, orelse=orelse):
            yield "condition", copied(node, body=orelse, orelse=body)
        case ast.Tuple(elts=elts) if 1 < len(elts) < 5 and not isinstance(node.ctx, ast.Store):
            for first in range(len(elts)):
                for second in range(first + 1, len(elts)):
                    swapped = list(elts)
                    swapped[first], swapped[second] = elts[second], elts[first]
                    yield "order", copied(node, elts=swapped)
        case ast.Attribute(attr="T", value=value):
            yield "transposes", value
        case ast.BoolOp(op=op):
            yield "condition", copied(node, op=ast.And() if isinstance(op, ast.Or) else ast.Or())


def _turned_call(node, func, args, keywords):
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    for siblings in SIBLINGS:
        for other in sorted(siblings - {name}) if name in siblings else ():
            new = copied(func, attr=other) if isinstance(func, ast.Attribute) else copied(func, id=other)
            yield "functions", copied(node, func=new)
    for position, keyword in enumerate(keywords):
        if keyword.arg in ("axis", "axes", "dim"):
            for axis in (0, 1, -1, 2, None):
                changed = list(keywords)
                changed[position] = ast.keyword(keyword.arg, ast.Constant(axis))
                yield "axis", copied(node, keywords=changed)
    if name in ("sum", "mean", "max", "min", "prod", "cumsum", "norm", "argmax", "flip", "std") and not any(
        keyword.arg == "axis" for keyword in keywords
    ):
        for axis in (0, 1, -1):
            yield "axis", copied(node, keywords=[*keywords, ast.keyword("axis", ast.Constant(axis))])
    if name in ("sum", "mean", "max", "min", "std") and not any(k.arg == "keepdims" for k in keywords):
        kept = ast.keyword("keepdims", ast.Constant(True))
        yield "axes that are kept", copied(node, keywords=[*keywords, kept])
    if name == "range":
        for changed in _ranges(args):
            yield "range", copied(node, args=changed)
        yield "range", call("reversed", node)
    if name == "reversed" and len(args) == 1:
        yield "range", args[0]
    if len(args) == 2:
        yield "order", copied(node, args=args[::-1])


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
                every = [ast.Slice(None, None, None)] if isinstance(item, ast.Constant) else []
                for new in (*_indices(item), *every):
                    yield copied(index, elts=[*elts[:position], new, *elts[position + 1 :]])
            if len(elts) == 2:
                yield copied(index, elts=elts[::-1])
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


def dropped(node, names):
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


def renamed(node, names):
    """One name in the place of another."""
    match node:
        case ast.Name(id=name) if name in names:
            for other in names:
                if other != name and (len(names) <= FEW_NAMES or _alike(name, other)):
                    yield "names", copied(node, id=other)
        case ast.Constant(value=str() as key):
            for other in PARAMETERS if key in PARAMETERS else ():
                if other != key:
                    yield "names", copied(node, value=other)


def _alike(name: str, other: str) -> bool:
    """Whether one name may be written for another: both are letters, or they share a good part."""
    if len(name) == 1 or len(other) == 1:
        return len(name) == len(other) or name in other.split("_") or other in name.split("_")
    return SequenceMatcher(None, name, other).ratio() >= 0.5


def wrapped(node, names):
    """An array, or a list, the other way round."""
    if isinstance(node, ast.Name) and node.id in names:
        backwards = ast.parse("x[::-1]", mode="eval").body.slice
        every = ast.Slice(None, None, None)
        yield "order in time", ast.Subscript(node, backwards, ast.Load())
        yield "order in time", ast.Subscript(node, ast.Tuple([every, backwards], ast.Load()), ast.Load())
        yield "transposes", ast.Attribute(node, "T", ast.Load())
        column = ast.Tuple([every, ast.Constant(None)], ast.Load())
        yield "axes", ast.Subscript(node, column, ast.Load())
        swapped = ast.Attribute(node, "swapaxes", ast.Load())
        yield "axes", ast.Call(swapped, [ast.Constant(0), ast.Constant(1)], [])


def added(node, names):
    """Something that is missing."""
    if _may_be_numbers(node, names):
        yield "copies", ast.Call(ast.Attribute(node, "copy", ast.Load()), [], [])
        yield "signs", ast.UnaryOp(ast.USub(), node)
        yield "factors", ast.BinOp(ast.Constant(1), ast.Sub(), node)
        yield "terms", ast.BinOp(ast.Constant(1), ast.Add(), node)
        yield "powers", ast.BinOp(node, ast.Pow(), ast.Constant(2))


def within(node, names, functions):
    """A function of it that is missing."""
    if _may_be_numbers(node, names):
        for function in functions:
            yield "functions", call(function, node)


def _may_be_numbers(node, names) -> bool:
    if isinstance(node, ast.Name):
        return node.id in names
    return isinstance(node, ast.BinOp | ast.UnaryOp | ast.Subscript | ast.Call | ast.Attribute)


def bounds_in(tree) -> list[ast.expr]:
    """What the slices of a tree begin and end with, and the names in it, each once; numbers are left out."""
    found = {}
    for part in ast.walk(tree):
        for bound in (part.lower, part.upper) if isinstance(part, ast.Slice) else ():
            for node in ast.walk(bound) if bound else ():
                if node is bound or isinstance(node, ast.Name):
                    found.setdefault(ast.unparse(node), node)
    return [node for node in found.values() if not isinstance(node, ast.Constant | ast.UnaryOp)]


def parted(node, names, bounds):
    """A part of it in the place of the whole, with the ``bounds`` of other slices."""
    if not isinstance(node, ast.Name) or node.id not in names:
        return
    for number in (0, 1, -1):
        yield "index", ast.Subscript(node, ast.Constant(number), ast.Load())
    for bound in (ast.Constant(1), ast.Constant(-1), *bounds):
        yield "index", ast.Subscript(node, ast.Slice(bound, None, None), ast.Load())
        yield "index", ast.Subscript(node, ast.Slice(None, bound, None), ast.Load())


def joined(node, names, others=None):
    """A factor, a divisor or a term that is missing: one of the names, or of ``others`` if there are any."""
    if isinstance(node, ast.BinOp) or (isinstance(node, ast.Name) and node.id in names):
        for other in [ast.Name(name, ast.Load()) for name in names] if others is None else others:
            yield "factors", ast.BinOp(node, ast.Mult(), other)
            yield "terms", ast.BinOp(node, ast.Add(), other)
            yield "factors", ast.BinOp(node, ast.Div(), other)


def biases_in(tree) -> list[ast.expr]:
    """Both biases of every dict in a tree of which one of PARAMETERS is looked up."""
    held = {
        node.value.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)
        if isinstance(node.slice, ast.Constant) and node.slice.value in PARAMETERS
    }
    keys = [ast.Constant(key) for key in PARAMETERS if key.startswith("bias")]
    return [ast.Subscript(name, key, ast.Load()) for name in held.values() for key in keys]
