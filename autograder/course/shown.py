"""What a student's code sees of rnncore while a lesson is graded: what the lesson's own cells import.

A module is there only if a cell of the lesson imports it, or a module that is there does so when it is
imported itself. All else is hidden, whatever it is called and whatever it computes: nobody has to think of
the one function, of some other lesson, that happens to answer an exercise of this one.
"""

import ast
import functools
import importlib.util
from pathlib import Path

ALWAYS = ("rnncore.check", "rnncore.observe")  # what test cells name, and what a function is called through


def hidden_modules(sources, declared):
    """What is hidden from a lesson of these code cells: ``declared``, and all that they do not import."""
    shown, queue = set(), [*ALWAYS, *(name for source in sources for name in _imported(_parsed(source)))]
    every = _modules()
    while queue:
        name = queue.pop()
        if name in every and name not in shown and not any(_within(name, one) for one in declared):
            shown.add(name)
            queue += [name.rpartition(".")[0], *_imports_of(every[name])]
    hidden = list(declared)
    for name in sorted(every.keys() - shown):
        if not any(_within(name, one) for one in hidden):
            hidden.append(name)
    return tuple(hidden)


def _within(name, package):
    return name == package or name.startswith(f"{package}.")


@functools.cache
def _modules():
    """{name: file} of every module of rnncore."""
    folder = Path(importlib.util.find_spec("rnncore").origin).parent
    found = {}
    for file in folder.rglob("*.py"):
        parts = file.relative_to(folder.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


@functools.cache
def _imports_of(file):
    """The names that a module imports when it is imported: not those that its functions do later."""
    return list(_imported(ast.parse(file.read_text()), inside_functions=False))


def _imported(tree, inside_functions=True):
    """Every name that may be a module in the imports of ``tree``."""
    queue = [tree]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif inside_functions or not isinstance(node, ast.FunctionDef | ast.Lambda):
            queue += ast.iter_child_nodes(node)


def _parsed(source):
    """A cell's code; without what is no Python even where IPython has translated its magics."""
    try:
        return ast.parse(source)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager  # takes a moment, and is rarely needed

        try:
            return ast.parse(TransformerManager().transform_cell(source))
        except SyntaxError:
            return ast.Module([], [])
