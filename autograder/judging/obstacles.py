"""Why the judge cannot run a test cell as it stands, and what to change: for tests that are no `check`.

A plain test of nbgrader's is Python that stands among the student's own. The judge runs it in a process of
its own (``judge``): functions of the student's can be called with plain data and give plain data, and nothing
else of them is there. What a test needs beyond that is found in its text; nobody's code is run for it.
"""

import ast
import builtins

OF_JUPYTER = {"get_ipython", "In", "Out", "display", "_", "__"}
READS = {"open"}
INSTEAD = "call it with plain data and look at what it returns"


def obstacles(spec):
    """{grade_id: sentences} for every test cell of a LessonSpec that cannot be judged as it stands."""
    written, classes = _written(spec)
    ours = _imported("\n".join(c.source for c in spec.cells if c.kind == "locked" and c.grade_id == "setup"))
    found = {}
    for cell in spec.cells:
        if cell.kind == "test":
            says = list(_of_cell(cell.source, written, classes, ours | {"np", "check"}))
            if says:
                found[cell.grade_id] = says
    return found


def _of_cell(source, written, classes, ours):
    try:
        tree = ast.parse(source)
    except SyntaxError:
        yield "it is no Python by itself (a magic command, perhaps); write it in plain Python"
        return
    nodes = list(ast.walk(tree))
    made = _made(nodes)
    read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    for name in sorted(_changed(nodes) & (written | classes)):
        yield (
            f"it takes `{name}` away or puts something in its place, which the student's other functions do "
            f"not notice, since they run elsewhere; {INSTEAD}, or have a person look"
        )
    for name in sorted(_given_functions(nodes) & written):
        yield f"it hands a function to `{name}`, and only plain data goes there; {INSTEAD}"
    for name, attribute in sorted(_attributes(nodes)):
        if name in written:
            yield f"it looks at `{name}.{attribute}`; of a student's function only calls are there; {INSTEAD}"
    for name in sorted((read & classes) - _checked(nodes)):
        yield (
            f"`{name}` is a class, whose objects stay where the student's code runs; have students write "
            "functions, or write an Exercise with a `use`"
        )
    for name in sorted(read & (OF_JUPYTER - made)):
        yield f"it uses `{name}` of Jupyter, which the judge has not; {INSTEAD}"
    for name in sorted(read & (READS - made)):
        yield f"it reads a file with `{name}`, and none is there then; write the data into the test"
    known = made | written | classes | ours | OF_JUPYTER | set(vars(builtins))
    for name in sorted(read - known):
        yield (
            f"it uses `{name}`, which the student's notebook would have to define, and could define as it "
            "likes; import or define it in the test cell itself"
        )


def _checked(nodes):
    """The names that a test hands to a `check`, whose exercise knows how to use them."""
    calls = [
        node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "check"
    ]
    return {one.id for call in calls for one in call.args if isinstance(one, ast.Name)}


def _given_functions(nodes):
    """The names of functions that are called with a function among their arguments."""
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    names = set()
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            given = [*node.args, *(word.value for word in node.keywords)]
            if any(isinstance(one, ast.Lambda) or getattr(one, "id", None) in defined for one in given):
                names.add(node.func.id)
    return names


def _attributes(nodes):
    """(name, attribute) of every name of which an attribute is read."""
    return {
        (node.value.id, node.attr)
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def _written(spec):
    """(functions, classes): the names that the lesson's solution cells define."""
    functions, classes = set(), set()
    for cell in spec.cells:
        if cell.kind == "solution" and cell.cell_type == "code":
            try:
                body = ast.parse(cell.source).body
            except SyntaxError:
                continue
            for node in body:
                if isinstance(node, ast.ClassDef):
                    classes.add(node.name)
                elif isinstance(node, ast.FunctionDef):
                    functions.add(node.name)
                elif isinstance(node, ast.Assign):
                    functions |= {one.id for one in node.targets if isinstance(one, ast.Name)}
    return functions, classes


def _made(nodes):
    """The names that a test makes itself."""
    made = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    made |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    made |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            made |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return made


def _imported(source):
    """The names that a set-up cell imports."""
    try:
        nodes = ast.walk(ast.parse(source))
    except SyntaxError:
        return set()
    return _made([node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)])


def _changed(nodes):
    """Names that are deleted, assigned to, or defined."""
    names = (node for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load))
    changed = {node.id for node in names}
    return changed | {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
