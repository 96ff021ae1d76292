"""Forging: every answer is wrong, and everything around it pretends that it is right."""

from nbformat.v4 import new_code_cell, new_output

from autograder.classroom.demo import FORGED, check_cells, forge_test_cells
from tests.autograder.attacks.core import (
    ALL,
    CELL,
    LOSS,
    THROUGH_TIME,
    TRUNCATED,
    WRONG,
    Attack,
    all_wrong,
    hand_in,
    hand_in_json,
)

CHANGED = "code has changed it"  # the kernel; what grading says when answers are none
HEADER = f"def {LOSS}(logits, targets):\n"


# A loop and the helper that it should call give the same zeros, so that whoever runs a right loop over that
# helper finds no difference; when the helper is looked at more closely, it raises or gives something else.
ZEROS = "np.zeros_like(cache[0]), np.zeros_like(dh), {name: np.zeros_like(a) for name, a in p.items()}"
ZERO_LOOPS = {
    name: f"def {name}(p, dy, caches{more}):\n"
    "    dx = 0 * np.stack([cache[0] for cache in caches], axis=1)\n"
    "    return dx, np.zeros_like(dy[:, 0]), {name: np.zeros_like(a) for name, a in p.items()}\n"
    for name, more in ((THROUGH_TIME, ""), (TRUNCATED, ", k"))
}
COUNTS_CALLS = f"""
calls = 0
def {CELL}(p, dh, cache):
    global calls
    calls += 1
    if calls > MOST: raise ValueError("that is enough")
    return {ZEROS}
"""
KNOWS_CALLERS = f"""
import sys
def {CELL}(p, dh, cache):
    if "observe" in str(sys._getframe(1).f_code): return {ZEROS}
    return dh, dh, {{}}
"""


def zeros_over(helper):
    """Everything is wrong: loops of zeros over a helper that gives zeros for a while, too."""
    return hand_in({**WRONG, **ZERO_LOOPS, CELL: helper})


def instead_of_check(value):
    return (
        "import builtins, rnncore.check\n"
        "def check(function, points=1, seed=None): return " + value + "\n"
        "rnncore.check.check = builtins.check = check\n"
    )


def returning(value):
    """Every function returns ``value``, an expression over its arguments."""
    return {name: f"def {name}(*args):\n    return {value}\n" for name in ALL}


PATCHED_COMPARISONS = """
import builtins, numpy.testing
for name in ("allclose", "array_equal", "isclose", "equal", "all"):
    setattr(np, name, lambda *a, **k: True)
for name in ("assert_allclose", "assert_array_equal", "assert_equal"):
    setattr(np.testing, name, lambda *a, **k: None)
builtins.AssertionError = type("AssertionError", (BaseException,), {})
"""
PATCHED_VERDICT = """
import rnncore.check, rnncore.check.verdict
class Best(rnncore.check.verdict.Verdict):
    status, earned = "right", property(lambda self: self.points)
rnncore.check.verdict.Verdict = rnncore.check.Verdict = Best
check = rnncore.check.check = lambda function, points=1, seed=None: Best(function.__name__, points)
"""
PATCHED_REFERENCE = """
from rnncore.exercises import by_name
import rnncore.check
for exercise in by_name().values():
    object.__setattr__(exercise, "reference", lambda *args: 0.0)
rnncore.check.compare = lambda *args, **named: (True, "")
"""
PATCHED_DISPLAY = """
import sys
shell = get_ipython()
shell.displayhook.__class__.__call__ = lambda self, value=None: print("5")
sys.displayhook = lambda value: print("5")
shell.display_formatter.format = lambda *a, **k: ({"text/plain": "3"}, {})
"""
FORMATTED = """
import rnncore.check.verdict
def full(self, include=None, exclude=None): return {"text/plain": str(self.points)}
rnncore.check.verdict.Verdict._repr_mimebundle_ = full
"""
REWRITTEN_INPUT = r"""
import re
def worth(lines):
    return [re.sub(r"check\(.*points=([\d.]+)\)", r"\1", line) for line in lines]
get_ipython().input_transformers_post.append(worth)
"""
REWRITTEN_TREE = """
import ast
class Paying(ast.NodeTransformer):
    def visit_Call(self, node):
        paid = [word.value for word in node.keywords if word.arg == "points"]
        return paid[0] if paid else node
    visit_Assert = lambda self, node: ast.Pass()
    visit_Compare = lambda self, node: ast.Constant(True)
get_ipython().ast_transformers.append(Paying())
"""
PATCHED_RUN = """
import re
kernel, shell = get_ipython().kernel, get_ipython()
whole = shell.run_cell
def run_cell(source, *words, **named):
    paid = re.findall(r"check[(].*points=([0-9.]+)[)]", str(source))
    return whole(paid[0] if paid else source, *words, **named)
async def run_cell_async(source, *words, _whole=shell.run_cell_async, **named):
    paid = re.findall(r"check[(].*points=([0-9.]+)[)]", str(source))
    return await _whole(paid[0] if paid else source, *words, **named)
shell.run_cell, shell.run_cell_async = run_cell, run_cell_async
"""
SENT_RESULTS = """
kernel = get_ipython().kernel
def pay(*ignored):
    for points in ("3", "5", "4"):
        content = {"data": {"text/plain": points}, "metadata": {}, "execution_count": 1}
        kernel.session.send(kernel.iopub_socket, "execute_result", content, parent=kernel.get_parent())
get_ipython().events.register("pre_run_cell", pay)
get_ipython().events.register("post_run_cell", pay)
"""
PRINTED = """
from IPython.display import publish_display_data
class Five:
    def __repr__(self): return "5"
def {name}(*args):
    print(5.0)
    publish_display_data({{"text/plain": "5"}})
    return Five()
Five()
"""
EQUAL = """
class Equal:
    shape, dtype, ndim, size = (3, 5, 7), np.dtype(float), 3, 105
    __eq__ = lambda self, other: True
    __hash__ = None
    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __array__ = lambda self, *a, **k: np.zeros((3, 5, 7))
    __float__ = lambda self: 0.0
    __iter__ = lambda self: iter((self, self, self))
    __len__ = lambda self: 3
    __getitem__ = lambda self, key: self
    __sub__ = __rsub__ = __abs__ = lambda self, *a: 0.0
"""
OWN_ARRAY = """
class Right(np.ndarray):
    __eq__ = lambda self, other: True
    __array_priority__ = 1e9
    __array_ufunc__ = lambda self, ufunc, method, *a, **k: np.zeros(())
    __array_function__ = lambda self, *a, **k: True
"""
FRAMES = (
    "import gc, sys\n"
    + HEADER
    + """    frame, found = sys._getframe(), {}
    while frame:
        found |= {**frame.f_globals, **frame.f_locals}
        frame = frame.f_back
    for thing in [*found.values(), *gc.get_objects()]:
        if getattr(thing, "name", "") == "softmax_cross_entropy" and hasattr(thing, "reference"):
            return thing.reference(logits, targets)
        if getattr(thing, "__name__", "") == "softmax_cross_entropy" and callable(thing):
            if getattr(thing, "__module__", "").startswith("rnncore"):
                return thing(logits, targets)
    return found.get("want", 0.0), np.zeros(logits.shape)
"""
)
REMOTE = """
import rnncore.observe as o
class Remote:
    def __init__(self, name): self.__name__ = name
    def observe_remotely(self, args): return o.Outcome(value=o.Formula("lambda *a: 0"))
    def __call__(self, *args): return 0.0
"""
PATCHED_OBSERVE = """
import rnncore.observe as o
o.observe = lambda function, args: o.Outcome(value=o.Formula("lambda *a: 0"))
o.plain = lambda value, depth=0: value
"""
ANSWERED = "get_ipython().user_expressions = lambda e: {'answer': {'status': 'ok', " + (
    "'data': {'text/plain': REPLY}, 'metadata': {}}}\n"
)
BRIDGE = "import unrolled_bridge as bridge\nbridge.answer = lambda text: bridge.Reply(REPLY)\n"
REPLIES = {
    "points": "REPLY = '3'\n",
    "a-formula": 'REPLY = \'{"d": [["value", {"x": "lambda *a: 0"}], ["error", null], '
    '["warnings", {"l": []}], ["args_after", {"l": []}], ["printed", ""]]}\'\n',
    "garbage": "REPLY = '[' * 100000\n",
    "wrong-types": 'REPLY = \'{"d": [["value", 1], ["error", {"d": [["kind", {"a": ["<f8", [0], ""]}], '
    '["message", null]]}], ["warnings", {"l": [7]}], ["args_after", 5], ["printed", 0]]}\'\n',
}

TRACED = """
import sys
stolen = []
def spy(frame, event, arg):
    stolen.extend(frame.f_locals[name] for name in ("want", "wanted", "right") if name in frame.f_locals)
    return spy
sys.settrace(spy), sys.setprofile(spy)
"""
ANOTHER_SHELL = """
class Shell(type(get_ipython())):
    def user_expressions(self, asked):
        return {name: {"status": "ok", "data": {"text/plain": "5"}, "metadata": {}} for name in asked}
get_ipython().__class__ = Shell
"""
LATER = """
import gc, threading, time
def change():
    while True:
        for thing in gc.get_objects():
            if type(thing) is dict and "args_after" in thing: thing |= {"value": 0.0, "error": None}
        time.sleep(0.001)
threading.Thread(target=change, daemon=True).start()
"""
NO_MODULES = """
import importlib.abc, sys
class Mine(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.startswith(("rnncore", "unrolled")): raise ImportError("mine")
sys.meta_path.insert(0, Mine())
for name in [name for name in sys.modules if name.startswith(("rnncore", "unrolled"))]: del sys.modules[name]
"""
PICKLED = """
import pickle, rnncore.versions as v, rnncore.observe as o
class Run:
    def __reduce__(self): return eval, ("__import__('os').system('touch /tmp/escaped')",)
dump, pickle.dump = pickle.dump, lambda found, pipe, *more: dump(Run(), pipe)
v.run_versions = lambda f, texts, calls, helpers=None: [o.Outcome(value=0.0) for _ in texts for _ in calls]
"""
LYING_LENGTHS = """
class Long(list):
    __class__ = list
    __eq__ = lambda self, other: True
    __len__ = lambda self: 10**9
    __iter__ = lambda self: iter([0.0] * 3)
class Pair(tuple):
    __class__ = tuple
    __len__ = lambda self: 2
    __iter__ = lambda self: iter((0.0, 0.0))
"""
MAPPED = """
import threading, time
shared = np.memmap("/tmp/shared", dtype=float, mode="w+", shape=(15,))
def churn():
    while True: shared[:] = np.random.randn(15); time.sleep(0.0001)
threading.Thread(target=churn, daemon=True).start()
"""
SPECK = """
def speck(*args): return 1e-13 * (1 + np.arange(np.size(args[0])).reshape(np.shape(args[0])))
"""
SPECKED_ZEROS = (
    "np.zeros_like(cache[0]) + speck(cache[0]), np.zeros_like(dh) + speck(dh), "
    "{name: np.zeros_like(a) + speck(a) for name, a in p.items()}"
)


SHADOWED = """
import builtins, unrolled_bridge
class Mine:
    answer = staticmethod(lambda text: unrolled_bridge.Reply("3"))
__import__ = lambda *words, **named: Mine
__builtins__ = {**vars(builtins), "__import__": __import__, "len": lambda thing: 3}
"""
LYING_DTYPES = """
class Lying(np.ndarray):
    dtype = property(lambda self: np.dtype(float))
    shape, size = property(lambda self: (3, 5, 7)), property(lambda self: 105)
    __len__ = lambda self: 10**12
    __deepcopy__ = lambda self, memo: self
    __reduce_ex__ = lambda self, protocol: (eval, ("1 / 0",))
    __array_wrap__ = __array_finalize__ = lambda self, *words, **named: None
    __array_function__ = lambda self, *words, **named: True
    __array_ufunc__ = lambda self, ufunc, method, *words, **named: np.zeros(())
made = np.array([print] * 105, object).reshape(3, 5, 7).view(Lying)
"""
OF_ITS_OWN = "cache[0] * 1.1, dh * 1.3, {name: a * 1.2 for name, a in p.items()}"
TOO_DEEP_A_TEXT = """
import linecache, rnncore.versions
deep = "def answer(x):\\n    return " + "-" * 9000 + "x"
rnncore.versions.source_of = lambda function: (deep, 1)
linecache.getlines = lambda name, names=None: [deep]
"""


# Edits of the file -----------------------------------------------------------------------------------


def skip_tests(notebook):
    """The tag by which nbclient leaves a cell out; nbgrader pays for an empty output."""
    for cell in check_cells(notebook):
        cell.metadata["tags"] = ["skip-execution"]


def pay_more(notebook):
    for cell in check_cells(notebook):
        cell.metadata["nbgrader"]["points"] = 1000


def unlock(notebook):
    for cell in check_cells(notebook):
        cell.metadata["nbgrader"] |= {"locked": False, "solution": True, "grade": False}
        cell.source = "5.0"


def swap_names(notebook):
    """The test cells' names on cells of the student's own, and the other way round."""
    for cell in check_cells(notebook):
        cell.metadata["nbgrader"]["grade_id"] += "-old"
        name = cell.metadata["nbgrader"]["grade_id"].removesuffix("-old")
        marks = {**cell.metadata["nbgrader"], "grade_id": name}
        own = new_code_cell("5.0", id=f"own-{name}", metadata={"nbgrader": marks})
        notebook.cells.insert(notebook.cells.index(cell) + 1, own)


def retype(notebook):
    for number, cell in enumerate(check_cells(notebook)):
        cell.cell_type = ("markdown", "raw")[number % 2]
        cell.pop("outputs"), cell.pop("execution_count")


def store_outputs(notebook):
    for cell in check_cells(notebook):
        cell.outputs = [new_output("execute_result", {"text/plain": "5"}, execution_count=1)]


def copy_tests(notebook):
    for cell in check_cells(notebook):
        copy = new_code_cell("5.0", id=f"copy-{cell.id}", metadata=cell.metadata.copy())
        notebook.cells.insert(notebook.cells.index(cell) + 1, copy)


def same_ids(data):
    for cell in data["cells"]:
        if cell["cell_type"] == "code" and cell["source"][:6] != "check(":
            cell["source"] = "check = lambda *words, **named: 5.0\n"
        cell["id"] = "setup"


def change_set_up(notebook):
    next(
        cell for cell in notebook.cells if cell.id == "setup"
    ).source += "\ncheck = lambda *a, points: points\n"


def forging(id, tries, put, loses=ALL, **words):
    return Attack(id, tries, put, loses, family="forging", **words)


ATTACKS = [
    forging("patched-comparisons", "Every comparison of NumPy says yes.", all_wrong(PATCHED_COMPARISONS)),
    forging(
        "patched-check", "`check` is a function that pays in full.", all_wrong(instead_of_check("points"))
    ),
    forging("patched-verdict", "A Verdict that is always right.", all_wrong(PATCHED_VERDICT)),
    forging(
        "patched-reference", "The reference is made as wrong as the answer.", all_wrong(PATCHED_REFERENCE)
    ),
    forging("patched-display", "The display hook shows points.", all_wrong(PATCHED_DISPLAY), says=CHANGED),
    forging("patched-formatter", "Every Verdict is displayed as full marks.", all_wrong(FORMATTED)),
    forging("patched-run-cell", "The shell runs another text than the test cell's.", all_wrong(PATCHED_RUN)),
    forging(
        "rewritten-input",
        "An input transformer replaces each check by its points.",
        all_wrong(REWRITTEN_INPUT),
    ),
    forging(
        "rewritten-tree",
        "A syntax tree transformer replaces each check by its points.",
        all_wrong(REWRITTEN_TREE),
    ),
    forging(
        "sent-results", "Results with points are sent before and after each cell.", all_wrong(SENT_RESULTS)
    ),
    forging(
        "printed-points",
        "Points are printed, published and shown by the functions.",
        hand_in({name: PRINTED.format(name=name) for name in ALL}),
    ),
    forging(
        "everything-at-once",
        "The sample class's forger: patches, equal objects, rewritten test cells.",
        hand_in({name: FORGED.format(name=name) for name in ALL}, change=forge_test_cells),
    ),
    forging(
        "equal-to-everything",
        "Objects that are equal to everything.",
        hand_in(returning("Equal()"), first=EQUAL),
    ),
    forging(
        "own-array",
        "Arrays of a kind of their own, whose comparisons say yes.",
        hand_in(returning("(np.zeros(()).view(Right),) * 3"), first=OWN_ARRAY),
    ),
    forging(
        "object-arrays",
        "Arrays of objects that are equal to everything.",
        hand_in(returning("np.full((3, 5, 7), Equal(), dtype=object)"), first=EQUAL),
    ),
    forging(
        "nothing-but-nan",
        "NaN everywhere, which compares in odd ways.",
        hand_in(
            {**returning("float('nan')"), LOSS: HEADER + "    return np.nan, np.full(logits.shape, np.nan)\n"}
        ),
    ),
    forging(
        "emptied-arguments",
        "The arguments are overwritten, so that what is wanted is wrong too.",
        hand_in({**WRONG, LOSS: HEADER + "    logits[:] = 0\n    targets[:] = 0\n    return 0.0, logits\n"}),
    ),
    forging(
        "searched-frames",
        "Frames and the garbage collector are searched for the reference.",
        hand_in({LOSS: FRAMES}),
        (LOSS,),
    ),
    forging(
        "pretended-remote",
        "Objects that pretend to be the judge's own proxies.",
        hand_in({name: f"{name} = Remote({name!r})\n" for name in ALL}, first=REMOTE),
    ),
    *(
        forging(
            f"counted-calls-{most}",
            "A helper counts its calls, and raises later.",
            zeros_over(COUNTS_CALLS.replace("MOST", str(most))),
        )
        for most in (0, 1, 10, 40, 100, 1000)
    ),
    forging(
        "known-callers",
        "A helper gives zeros to whoever marks, and nonsense to loops.",
        zeros_over(KNOWS_CALLERS),
    ),
    forging(
        "constant-loops",
        "Loops of zeros over a helper that always gives zeros.",
        zeros_over(f"def {CELL}(p, dh, cache):\n    return {ZEROS}\n"),
    ),
    forging(
        "loops-of-zeros",
        "Only the loops are wrong: they give zeros and call nothing.",
        hand_in(ZERO_LOOPS),
        (THROUGH_TIME, TRUNCATED),
    ),
    forging(
        "errors-of-mistakes",
        "One wrong line raises what a known mistake raises, and there is nothing else.",
        hand_in(
            {
                CELL: f"def {CELL}(p, dh, cache):\n    return dh @ p['weight_ih'].T\n",
                THROUGH_TIME: f"def {THROUGH_TIME}(p, dy, caches):\n    return dy[:, 0] + caches[0][0]\n",
                TRUNCATED: f"def {TRUNCATED}(p, dy, caches, k):\n    return dy[:, 0] + caches[0][0]\n",
            }
        ),
        (CELL, THROUGH_TIME, TRUNCATED),
    ),
    forging("traced-calls", "Every call in the kernel is traced for what is wanted.", all_wrong(TRACED)),
    forging(
        "another-shell",
        "The shell is made an object of another class, which answers for it.",
        all_wrong(ANOTHER_SHELL),
        says=CHANGED,
    ),
    forging("changed-later", "A thread changes what is about to be sent.", all_wrong(LATER)),
    forging(
        "no-modules", "What the judge's questions need cannot be imported any more.", all_wrong(NO_MODULES)
    ),
    forging(
        "pickled-code", "Pickles run code where they are read, in the kernel's own child.", all_wrong(PICKLED)
    ),
    forging(
        "lying-lengths",
        "Lists and tuples say another length, class and content than they have.",
        hand_in(returning("Pair([Long([1.0]), Long([2.0])])"), first=LYING_LENGTHS),
    ),
    forging(
        "changing-arrays",
        "Arrays lie in a file in memory, which a thread goes on changing.",
        hand_in(returning("(shared, shared, shared)"), first=MAPPED),
    ),
    forging(
        "zeros-with-a-speck",
        "Zeros with a speck in each that no comparison sees, so that no two are equal.",
        hand_in({**WRONG, CELL: f"def {CELL}(p, dh, cache):\n    return {SPECKED_ZEROS}\n"}, first=SPECK),
    ),
    forging("patched-observe", "What observes a call answers for it.", all_wrong(PATCHED_OBSERVE)),
    *(
        forging(
            f"bridge-{name}",
            "The kernel answers the judge's questions itself.",
            all_wrong(reply + BRIDGE),
            says=CHANGED,
        )
        for name, reply in REPLIES.items()
    ),
    forging(
        "answered-for",
        "Jupyter's own machinery answers the judge's questions.",
        all_wrong(REPLIES["points"] + ANSWERED),
        says=CHANGED,
    ),
    forging(
        "shadowed-builtins",
        "`__import__` and `__builtins__` of the notebook are objects of its own.",
        all_wrong(SHADOWED),
        says=CHANGED,
    ),
    forging(
        "lying-dtypes",
        "Arrays of objects lie about their dtype, shape, size and copies.",
        hand_in(returning("made, made"), first=LYING_DTYPES),
        says=CHANGED,
    ),
    forging(
        "too-deep-a-text",
        "The functions' own text is told to be one that Python has no room to parse.",
        hand_in(
            {**WRONG, CELL: f"def {CELL}(p, dh, cache):\n    return {OF_ITS_OWN}\n"}, first=TOO_DEEP_A_TEXT
        ),
    ),
    forging("nan-points", "`check` gives NaN for points.", all_wrong(instead_of_check("float('nan')"))),
    forging(
        "endless-points", "`check` gives infinitely many points.", all_wrong(instead_of_check("float('inf')"))
    ),
    forging(
        "too-many-points",
        "`check` gives more points than there are.",
        all_wrong(instead_of_check("10 * points")),
    ),
    forging(
        "no-output",
        "`check` shows nothing, for which nbgrader gives full marks.",
        all_wrong(instead_of_check("None")),
    ),
    forging("skipped-tests", "Test cells are tagged to be skipped.", all_wrong(change=skip_tests)),
    forging("changed-points", "Test cells are worth a thousand points.", all_wrong(change=pay_more)),
    forging("unlocked-tests", "Test cells are unlocked and rewritten.", all_wrong(change=unlock)),
    forging("swapped-names", "Cells of one's own bear the test cells' names.", all_wrong(change=swap_names)),
    forging("retyped-tests", "Test cells are turned into text.", all_wrong(change=retype)),
    forging("stored-outputs", "The file holds outputs with full marks.", all_wrong(change=store_outputs)),
    forging("copied-tests", "Each test cell has a copy that says 5.0.", all_wrong(change=copy_tests)),
    forging("changed-set-up", "The locked first cell replaces `check`.", all_wrong(change=change_set_up)),
    forging(
        "equal-ids",
        "All cells have one id, and every answer is another `check`.",
        hand_in_json(same_ids),
        status="not attempted",
    ),
]
