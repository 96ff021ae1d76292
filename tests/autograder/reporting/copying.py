"""Copies of an answer as people make them who hope that nobody sees it: renamed, reordered, commented."""

import ast
import builtins

OTHER_NAMES = ("alpha", "beta", "gamma", "delta", "eps", "zeta", "eta", "theta", "iota", "kappa")


def renamed(source):
    """Every name that the answer itself binds is called something else."""
    tree = ast.parse(source)
    bound = [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]
    bound += [
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    bound = [name for name in dict.fromkeys(bound) if name not in dir(builtins)]
    new = {
        name: f"{OTHER_NAMES[n % len(OTHER_NAMES)]}_{n // len(OTHER_NAMES)}" for n, name in enumerate(bound)
    }

    class Rename(ast.NodeTransformer):
        def visit_Name(self, node):
            node.id = new.get(node.id, node.id)
            return node

        def visit_arg(self, node):
            node.arg = new.get(node.arg, node.arg)
            return node

    return ast.unparse(Rename().visit(tree))


def reordered(source):
    """Wherever two neighbouring lines do not need each other, they have changed places."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if isinstance(body, list):
                _swap(body)
    return ast.unparse(tree)


def _swap(body):
    place = 0
    while place + 1 < len(body):
        first, second = body[place : place + 2]
        simple = all(isinstance(one, ast.Assign) for one in (first, second))
        if simple and not _binds(first) & (_names(second)) and not _binds(second) & _names(first):
            body[place : place + 2] = second, first
            place += 1
        place += 1


def _names(node):
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _binds(node):
    targets = (part for target in node.targets for part in ast.walk(target))
    return {one.id for one in targets if isinstance(one, ast.Name)}


def commented(source):
    """A comment above every line, blank lines between, and another docstring."""
    lines = []
    for number, line in enumerate(ast.unparse(ast.parse(source)).splitlines()):
        indent = line[: len(line) - len(line.lstrip())]
        lines += [f"{indent}# step {number}: my own thoughts on this", line, ""]
        if line.startswith("def ") and number == 0:
            lines.append('    """I wrote this myself, last night."""')
    return "\n".join(lines)


def all_at_once(source):
    return commented(reordered(renamed(source)))


def half(source):
    """Its first lines, half of them, the last one broken off: a copy that was not finished."""
    tree = ast.parse(source)
    if isinstance(tree.body[0].body[0], ast.Expr):
        del tree.body[0].body[0]
    lines = ast.unparse(tree).splitlines()
    return "\n".join([*lines[: (len(lines) + 1) // 2], lines[-1][:-1]])


KINDS = {
    "verbatim": str,
    "renamed": renamed,
    "reordered": reordered,
    "commented": commented,
    "renamed, reordered and commented": all_at_once,
    "half finished": half,
}
