"""grade_notebook on honest, mistaken and hostile notebooks, in real sandboxed kernels."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import pytest
from nbformat.v4 import new_code_cell

from autograder import kernels
from autograder.sandbox import Limits
from autograder.spec import CellSpec
from autograder.status import Status
from rnncore.exercises import by_name
from tests.autograder.small_lesson import (
    FIRST,
    LIMITS,
    POINTS,
    SECOND,
    THIRD,
    UNTOUCHED,
    grade,
    lesson,
    points,
    submission,
    without,
)

WRONG = "def softmax_cross_entropy(logits, targets):\n    return 0.0, np.zeros(logits.shape)\n"


@pytest.fixture(autouse=True, params=["cold", "warm"])
def kernels_of_tests(request, monkeypatch):
    """Everything here holds for kernels that are started, and for those that are forked."""
    monkeypatch.setenv("KERNELS_OF_TESTS", request.param)


def test_solved_notebook_earns_everything_and_the_result_is_plain_data():
    graded = grade(submission())
    assert points(graded) == POINTS
    assert graded.status is Status.GRADED
    assert graded.remarks == []
    assert pickle.loads(pickle.dumps(graded)).scores == graded.scores
    tests = [cell for cell in graded.notebook.cells if cell.source.startswith("check(")]
    shown = [cell.outputs[-1].data for cell in tests]
    assert [data["text/plain"] for data in shown] == [f"{full:g}" for full in POINTS.values()]
    assert all("<code>" in data["text/html"] for data in shown)
    assert graded.provenance["release_hash"] == "a release hash"
    assert graded.provenance["sandbox"] is True
    assert graded.provenance["kernel_starts"] == 1


def test_seeds_differ_by_student_and_repeat():
    seeds = [grade(submission(), student=name).provenance["seeds"] for name in ("ada", "bob", "ada")]
    assert seeds[0] == seeds[2]
    assert len({*seeds[0].values(), *seeds[1].values()}) == 6


def test_untouched_lesson_earns_nothing():
    graded = grade(submission(UNTOUCHED))
    assert points(graded) == without(*POINTS)
    assert graded.status is Status.NOT_ATTEMPTED


def test_known_mistake_is_named_and_follow_through_reaches_the_students_own_function():
    exercise = by_name()[SECOND]
    mistake = next(mistake for mistake in exercise.mistakes if "transpose" in mistake.id)
    graded = grade(submission({SECOND: exercise.twin_source(mistake)}))
    verdict = graded.scores[f"{SECOND}-check"].verdict
    assert [named["id"] for named in verdict["mistakes"]] == [mistake.id]
    assert 0 < points(graded)[SECOND] < POINTS[SECOND]
    assert points(graded)[THIRD] == POINTS[THIRD]  # right, given the student's own cell
    assert graded.status is Status.GRADED


def test_function_that_was_never_defined_says_so():
    graded = grade(submission({FIRST: "answer = 3"}))
    assert points(graded) == without(FIRST)
    assert graded.status is Status.PARTLY_GRADED
    assert graded.remarks == [f"The notebook never defines `{FIRST}`."]
    assert "never defines" in graded.scores[f"{FIRST}-check"].verdict["headline"]


def test_exception_in_a_cell_is_stored_and_grading_goes_on():
    graded = grade(submission(first="print('before')\n1 / 0"))
    assert points(graded) == POINTS
    outputs = graded.notebook.cells[1].outputs
    assert [output.output_type for output in outputs] == ["stream", "error"]
    assert outputs[1].ename == "ZeroDivisionError"


def test_locked_cells_come_from_the_release_and_experiments_are_not_run():
    show = CellSpec("show", "code", "code", "raise SystemError('run')", tags=("experiment",))
    spec = lesson(extra=[show])
    notebook = submission(spec=spec)
    notebook.cells[0].source = "raise SystemError('the student changed this cell')"
    notebook.cells[-1].id = "show"
    graded = grade(notebook, spec)
    assert points(graded) == POINTS
    assert graded.notebook.cells[0].outputs == []
    assert graded.notebook.cells[-1].outputs[0].text == "Not run while grading.\n"


def test_test_cell_is_graded_once_and_never_lost():
    notebook = submission()
    copy = notebook.cells[2].copy()
    copy.id = "a-copy"
    del notebook.cells[4]
    graded = grade(notebook)
    assert points(graded) == POINTS
    assert graded.remarks == [f"The test cell {SECOND}-check was missing; it was run at the end."]
    notebook.cells.append(copy)
    copy.source = "check(softmax_cross_entropy, points=1000)"
    assert points(grade(notebook)) == POINTS


def test_asserts_of_an_instructors_own_score_all_or_nothing():
    tests = {
        FIRST: "assert softmax_cross_entropy(np.zeros((2, 3, 4)), np.zeros((2, 3), int))[0] > 1",
        SECOND: "assert False, 'never right'",
        THIRD: "2.5",
    }
    spec = lesson(tests=tests)
    graded = grade(submission(spec=spec), spec)
    assert points(graded) == {FIRST: 3.0, SECOND: 0.0, THIRD: 2.5}
    assert [cell.outputs[-1].output_type for cell in graded.notebook.cells[2::2]] == [
        *("execute_result", "error", "execute_result")
    ]


def test_without_a_sandbox_the_result_is_marked():
    graded = grade(submission(first="import os"), sandbox=False)
    assert points(graded) == POINTS
    assert "WITHOUT a sandbox" in graded.remarks[0]
    assert graded.provenance["sandbox"] is False


def test_our_own_fault_is_never_charged(monkeypatch):
    spec = lesson(setup="import numpy as np\nimport a_package_that_nobody_installed\n")
    graded = grade(submission(spec=spec), spec)
    assert (graded.status, graded.scores) == (Status.INFRASTRUCTURE_FAULT, {})
    assert "a_package_that_nobody_installed" in graded.remarks[0]
    monkeypatch.setattr(kernels, "KERNEL", ("-c", "import sys; sys.exit('no kernel today')"))
    monkeypatch.setattr(kernels.SandboxProvisioner, "_start_warm", lambda *words: None)
    graded = grade(submission())
    assert (graded.status, graded.scores) == (Status.INFRASTRUCTURE_FAULT, {})
    assert "no kernel today" in graded.remarks[0]


# Forging: the answer is wrong, everything around it pretends that it is right ------------------------

FORGED = {
    "patched comparisons": (
        "import builtins, numpy.testing\n"
        "for name in ('allclose', 'array_equal', 'isclose', 'equal', 'all'):\n"
        "    setattr(np, name, lambda *a, **k: True)\n"
        "for name in ('assert_allclose', 'assert_array_equal', 'assert_equal'):\n"
        "    setattr(np.testing, name, lambda *a, **k: None)\n"
        "builtins.AssertionError = type('AssertionError', (BaseException,), {})\n",
        WRONG,
    ),
    "patched check and Verdict": (
        "import rnncore.check, rnncore.verdict\n"
        "class Best(rnncore.verdict.Verdict):\n    earned = 3.0\n    status = 'right'\n"
        "check = rnncore.check.check = lambda function, points=1, seed=None: Best('x', 3)\n"
        "rnncore.check.Verdict = Best\n",
        WRONG,
    ),
    "patched display": (
        "import sys\n"
        "shell = get_ipython()\n"
        "shell.displayhook.__class__.__call__ = lambda self, value=None: print('3')\n"
        "sys.displayhook = lambda value: print('3')\n"
        "shell.display_formatter.format = lambda *a, **k: ({'text/plain': '3'}, {})\n",
        WRONG,
    ),
    "numbers printed and published": (
        "from IPython.display import publish_display_data\n"
        "class Three:\n    def __repr__(self): return '3'\n",
        WRONG + "    \nprint(3.0)\npublish_display_data({'text/plain': '3'})\nThree()\n",
    ),
    "equal to everything": (
        "class Equal:\n"
        "    shape, dtype, ndim, size = (3, 5, 7), np.dtype(float), 3, 105\n"
        "    __eq__ = lambda self, other: True\n"
        "    __hash__ = None\n"
        "    __lt__ = __le__ = __gt__ = __ge__ = __eq__\n"
        "    __array__ = lambda self, *a, **k: np.zeros((3, 5, 7))\n"
        "    __float__ = lambda self: 0.0\n"
        "    __iter__ = lambda self: iter((self, self))\n"
        "    __len__ = lambda self: 2\n"
        "    __sub__ = __rsub__ = __abs__ = lambda self, *a: 0.0\n",
        "def softmax_cross_entropy(logits, targets):\n    return Equal(), Equal()\n",
    ),
    "array of its own kind": (
        "class Right(np.ndarray):\n"
        "    __eq__ = lambda self, other: True\n"
        "    __array_priority__ = 1e9\n"
        "    __array_ufunc__ = lambda self, ufunc, method, *a, **k: np.zeros(())\n"
        "    __array_function__ = lambda self, *a, **k: True\n",
        "def softmax_cross_entropy(logits, targets):\n"
        "    return np.zeros(()).view(Right), np.zeros(logits.shape).view(Right)\n",
    ),
    "object arrays": (
        "class Equal:\n    __eq__ = lambda self, other: True\n    __sub__ = __rsub__ = lambda *a: 0.0\n",
        "def softmax_cross_entropy(logits, targets):\n"
        "    return 0.0, np.full(logits.shape, Equal(), dtype=object)\n",
    ),
    "patched observe": (
        "import rnncore.observe as o\n"
        "o.observe = lambda function, args: o.Outcome(value=o.Formula('lambda *a: 0'))\n"
        "o.plain = lambda value, depth=0: value\n",
        WRONG,
    ),
    "frames searched for the answer": (
        "",
        "import gc, sys\n"
        "def softmax_cross_entropy(logits, targets):\n"
        "    frame, found = sys._getframe(), {}\n"
        "    while frame:\n"
        "        found |= {**frame.f_globals, **frame.f_locals}\n"
        "        frame = frame.f_back\n"
        "    for thing in [*found.values(), *gc.get_objects()]:\n"
        "        if 'wanted' in getattr(thing, '__dict__', {}):\n"
        "            return thing.wanted[0].value\n"
        "        if getattr(thing, '__name__', '') == 'softmax_cross_entropy' and callable(thing):\n"
        "            if getattr(thing, '__module__', '').startswith('rnncore'):\n"
        "                return thing(logits, targets)\n"
        "    return found.get('want', 0.0), np.zeros(logits.shape)\n",
    ),
    "code that rewrites code": (
        "import ast\n"
        "class Passing(ast.NodeTransformer):\n"
        "    visit_Assert = lambda self, node: ast.Pass()\n"
        "    visit_Compare = lambda self, node: ast.Constant(True)\n"
        "get_ipython().ast_transformers.append(Passing())\n"
        "get_ipython().input_transformers_post.append(lambda lines: lines or ['3'])\n",
        WRONG,
    ),
}


@pytest.mark.parametrize("family", FORGED)
def test_forged_answer_earns_nothing(family):
    preparation, answer = FORGED[family]
    graded = grade(submission({FIRST: answer}, first=preparation))
    assert points(graded)[FIRST] == 0
    if family != "patched observe" and family != "patched display":
        assert points(graded) == without(FIRST)  # what is right elsewhere stays right


TAKEN_OVER = {
    "user expressions": "get_ipython().user_expressions = lambda e: {'answer': {'status': 'ok', "
    "'data': {'text/plain': REPLY}, 'metadata': {}}}\n",
    "the bridge": "import unrolled_bridge as bridge\nbridge.answer = lambda text: bridge.Reply(REPLY)\n",
}
REPLIES = {
    "points": "'3'",
    "a formula": '\'{"d": [["value", {"x": "lambda *a: 0"}], ["error", null], ["warnings", {"l": []}], '
    '["args_after", {"l": []}]]}\'',
    "garbage": "'[' * 100000",
    "wrong types": '\'{"d": [["value", 1], ["error", {"d": [["kind", {"a": ["<f8", [0], ""]}], '
    '["message", null]]}], ["warnings", {"l": [7]}], ["args_after", 5]]}\'',
}


@pytest.mark.parametrize("reply", REPLIES)
def test_kernel_that_answers_for_the_student_earns_nothing(reply):
    for way in TAKEN_OVER.values() if reply == "points" else [TAKEN_OVER["the bridge"]]:
        graded = grade(submission(first=f"REPLY = {REPLIES[reply]}\n{way}"))
        assert points(graded) == without(*POINTS)
        assert graded.status is not Status.INFRASTRUCTURE_FAULT


# Reach -----------------------------------------------------------------------------------------------

REACH = """
import glob, importlib, os, socket, subprocess
def attempt(name, action):
    try:
        result = action()
    except BaseException as error:
        print("refused", name, type(error).__name__)
    else:
        print("REACHED" if result else "nothing", name)

for name in ("rnncore.cells", "rnncore.cells.rnn", "rnncore.layers", "rnncore.losses", "rnncore.gradcheck",
             "rnncore.exercises", "rnncore.exercises.bptt", "autograder", "autograder.judge", "torch",
             "nbgrader", "jupyter_server", "pytest"):
    attempt(name, lambda: importlib.import_module(name))
tops = [f"/{name}" for name in os.listdir("/") if name not in ("proc", "usr", "bin", "sbin", "lib", "lib64")]
files = {name for top in tops for _, _, names in os.walk(top) for name in names}
attempt("sources", lambda: files & {"losses.py", "gradcheck.py", "bptt.py", "recurrent.py", "judge.py"})
attempt("compiled", lambda: glob.glob("/site/rnncore/**/*.pyc", recursive=True))
attempt("notebooks", lambda: [name for name in files if name.endswith(".ipynb")])
attempt("home", lambda: [p for p in os.listdir(HOME) if p != ".pyenv"])
attempt("course", lambda: os.listdir(COURSE))
attempt("above", lambda: set(os.listdir("../..")) - set(os.listdir("/")))
attempt("environment", lambda: "UNROLLED_TEST_SECRET" in str(os.environ) or any(
    b"UNROLLED_TEST_SECRET" in open(p, "rb").read() for p in glob.glob("/proc/[0-9]*/environ")))
attempt("processes", lambda: len(glob.glob("/proc/[0-9]*")) > 2)
attempt("network", lambda: socket.create_connection(("1.1.1.1", 80), 1))
attempt("system", lambda: open("/usr/bin/unrolled-test", "w"))
attempt("rnncore", lambda: open("/site/rnncore/check.py", "a"))
attempt("bridge", lambda: open("/site/unrolled_bridge.py", "a"))
attempt("key of a neighbour", lambda: glob.glob("/kernel/*.json") != ["/kernel/connection.json"])
attempt("shell", lambda: subprocess.run(["cat", "/etc/shadow"], capture_output=True).stdout)
"""


def test_nothing_is_within_reach(monkeypatch):
    from pathlib import Path

    monkeypatch.setenv("UNROLLED_TEST_SECRET", "UNROLLED_TEST_SECRET")
    where = f"HOME, COURSE = {str(Path.home())!r}, {str(Path(__file__).parents[2])!r}\n"
    stolen = "from rnncore.losses import softmax_cross_entropy\n"
    graded = grade(submission({FIRST: stolen}, first=where + REACH, last="import torch"))
    printed = graded.notebook.cells[1].outputs[0].text
    assert printed.count("\n") == 27
    assert "REACHED" not in printed
    assert points(graded) == without(FIRST)
    assert f"The cell `{FIRST}` imports rnncore.losses, which is not there" in " ".join(graded.remarks)
    assert "imports torch" in " ".join(graded.remarks)


# Exhaustion and death --------------------------------------------------------------------------------

HEADER = "def softmax_cross_entropy(logits, targets):\n"
BROKEN_CALLS = {
    "endless loop": (HEADER + "    while True: pass\n", Status.TIME_LIMIT),
    "endless loop that cannot be interrupted": (
        HEADER
        + "    while True:\n        try:\n            while True: pass\n        except BaseException: pass\n",
        Status.TIME_LIMIT,
    ),
    "more memory than there is": (HEADER + "    return np.ones(2**30), 0\n", Status.MEMORY_LIMIT),
    "memory without end": (
        HEADER + "    kept = []\n    while True: kept.append(b'x' * 2**22)\n",
        Status.MEMORY_LIMIT,
    ),
    "huge value": (HEADER + "    return np.zeros(2**22), 0\n", Status.GRADED),
    "output flood": (
        "import os, time\n" + HEADER + "    while True: os.write(1, b'x' * 9999); time.sleep(0.001)\n",
        Status.OUTPUT_LIMIT,
    ),
    "deep recursion": (HEADER + "    return softmax_cross_entropy(logits, targets)\n", Status.GRADED),
    "ends its process": (HEADER + "    import os; os._exit(0)\n", Status.KILLED_ITSELF),
    "kills its process": (HEADER + "    import os; os.kill(os.getpid(), 9)\n", Status.KILLED_ITSELF),
}


@pytest.mark.parametrize("family", BROKEN_CALLS)
def test_call_that_breaks_the_kernel_costs_its_own_exercise(family):
    answer, status = BROKEN_CALLS[family]
    patient = replace(LIMITS, cell_seconds=20.0, call_seconds=20.0)  # a busy machine fills memory slowly
    graded = grade(submission({FIRST: answer}), limits=patient if "memory" in family else LIMITS)
    assert points(graded) == without(FIRST)
    assert graded.status is status
    assert graded.seconds < 30


BROKEN_CELLS = {
    "endless loop": ("while True: pass", Status.TIME_LIMIT),
    "memory without end": (
        "kept = []\nwhile True:\n    try: kept.append(b'x' * 2**22)\n    except MemoryError: pass",
        Status.MEMORY_LIMIT,
    ),
    "memory held by children": (
        "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n"
        "        kept = bytearray(150 * 2**20)\n        time.sleep(30)\ntime.sleep(30)",
        Status.MEMORY_LIMIT,
    ),
    "output flood": (
        "import time\nwhile True: print('x' * 9999); time.sleep(0.001)",
        Status.OUTPUT_LIMIT,
    ),
    "many small outputs": ("while True: display(1)", Status.OUTPUT_LIMIT),
    "one enormous output": ("print('x' * 2**26)", Status.OUTPUT_LIMIT),
    "segmentation fault": ("import ctypes; ctypes.string_at(0)", Status.KILLED_ITSELF),
    "ends itself later": (
        "import os, threading, time\nthreading.Timer(0.3, os._exit, (0,)).start()",
        Status.KILLED_ITSELF,
    ),
    "closes the kernel's sockets": (
        "import os\nfor number in range(3, 99):\n    try: os.close(number)\n    except OSError: pass",
        None,
    ),
}


@pytest.mark.parametrize("family", BROKEN_CELLS)
def test_cell_that_breaks_the_kernel_costs_nothing_else(family):
    source, status = BROKEN_CELLS[family]
    patient = replace(LIMITS, cell_seconds=20.0)
    notebook = submission(first=f"{source}\n", last="import time; time.sleep(0.6)")
    graded = grade(notebook, limits=patient if "memory" in family else LIMITS)
    assert points(graded) == POINTS
    assert graded.status is status or (status is None and graded.status is not Status.GRADED)
    assert graded.seconds < 40


@pytest.mark.parametrize(
    "way", ["exit()", "import os, threading; threading.Timer(0.1, os._exit, (0,)).start()"]
)
def test_cell_that_ends_the_kernel_a_moment_later_costs_nothing_else(way):
    graded = grade(submission(first=way))
    assert points(graded) == POINTS
    assert graded.status is Status.KILLED_ITSELF
    assert [remark.split(":")[0] for remark in graded.remarks] == [
        "The cell number 2 was left out when run again"
    ]


def test_time_of_the_whole_notebook_is_bounded():
    limits = Limits(cell_seconds=1.0, call_seconds=1.0, notebook_seconds=4.0)
    slow = "import time\nprint('slept')\ntime.sleep(0.8)"
    notebook = submission(first=slow, last=slow)
    notebook.cells[2:2] = [new_code_cell(slow) for _ in range(5)]
    graded = grade(notebook, limits=limits)
    assert graded.status is Status.TIME_LIMIT
    assert graded.seconds < 12
    assert points(graded) == without(*POINTS)
    assert graded.notebook.cells[-1].outputs[0].ename == "NotRun"


def test_display_of_an_earlier_cell_cannot_be_changed():
    first = "from IPython.display import display\nhandle = display('as it was', display_id='mine')"
    graded = grade(submission(first=first, last="handle.update('changed later'); print('updated')"))
    assert graded.notebook.cells[1].outputs[0].data["text/plain"] == "'as it was'"
    assert graded.notebook.cells[-1].outputs[0].text == "updated\n"


def test_malformed_messages_are_no_outputs():
    first = """
socket, session = get_ipython().kernel.iopub_socket, get_ipython().kernel.session
parent = get_ipython().kernel.get_parent()
half = {"text/plain": "\\ud800", "text/html": {"a": 1}}
for kind, content in (("stream", {"name": 5, "text": ["x"]}), ("display_data", {"data": 3}), ("error", {}),
                      ("display_data", {"data": half}), ("status", {}), ("execute_result", {"data": half})):
    session.send(socket, kind, content, parent=parent)
socket.send_multipart([b"<IDS|MSG>", b"wrong", b"{", b"}", b"[", b"]"])
"""
    graded = grade(submission(first=first))
    assert points(graded) == POINTS
    for output in graded.notebook.cells[1].outputs:
        str(output).encode()


def test_honest_neighbour_is_not_moved_by_hostile_ones():
    alone = points(grade(submission({THIRD: UNTOUCHED[THIRD]}), student="honest"))
    bomb = (
        "import os, time\nwhile True:\n    try:\n        if not os.fork(): time.sleep(60)\n"
        "    except OSError: pass"
    )
    hog = "kept = []\nwhile True: kept.append(bytearray(2**24))"
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        limits = replace(LIMITS, cell_seconds=2.0)
        hostile = [pool.submit(grade, submission(first=text), limits=limits) for text in (bomb, hog)]
        honest = pool.submit(grade, submission({THIRD: UNTOUCHED[THIRD]}), student="honest")
        assert points(honest.result()) == alone == without(THIRD)
        assert honest.result().status is Status.GRADED
        assert [points(graded.result()) for graded in hostile] == [POINTS, POINTS]
