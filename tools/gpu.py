"""Do the torch lessons run on a GPU, and say there what they say elsewhere? One table: `make gpu`.

It needs Python, NumPy, matplotlib and PyTorch, no Jupyter and no network: the code cells of the solutions
are run as plain Python, each lesson in a process of its own. What they print is held against what is stored,
number by number; every graded function's results on the device are held against those on the CPU; and the
device's speed is measured, with lesson 09's LSTM and lesson 14's scan.
"""

import argparse
import ast
import contextlib
import importlib.util
import io
import json
import linecache
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
USES = re.compile(
    r"rnncore\.given(\.device| import [^\"\\\n]*\b(device|recall)\b)"
)  # what uses a GPU if there is one
IGNORED = "nbval-ignore-output"
LONGEST = 420  # seconds a lesson may take
NUMBER = re.compile(r"(?<![\w.])[-+\N{MINUS SIGN}]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
DEVICE = re.compile(r"\b(cpu|cuda|standin)(:\d)?\b")
RELATIVE = 1e-3  # of a printed number: the order of sums differs between devices
ABSENT = "is not installed here"  # how a cell says that it did without a package


@dataclass
class Row:
    """One line of the table; ``wrong`` says in a sentence what is not as it should be, or is empty."""

    what: str
    did: str
    seconds: float = 0.0
    wrong: str = ""


# Notebooks as plain Python --------------------------------------------------------------------------------


@dataclass
class Cell:
    id: str
    source: str
    tags: list
    printed: str
    value: str


def read(path):
    """The code cells of a notebook file, with what they printed and showed when they were stored."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    found = []
    for number, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        outputs = cell["outputs"]
        printed = "".join("".join(one["text"]) for one in outputs if one["output_type"] == "stream")
        values = [one["data"] for one in outputs if one["output_type"] == "execute_result"]
        value = "".join("".join(data.get("text/plain", "")) for data in values)
        source, tags = "".join(cell["source"]), cell["metadata"].get("tags", [])
        found.append(Cell(cell.get("id", str(number)), source, tags, printed, value))
    return found


def run_cell(cell, namespace):
    """Run one cell as a notebook would: what it printed, and the text of its last expression's value."""
    name = f"<cell {cell.id}>"
    lines = cell.source.splitlines(keepends=True)
    linecache.cache[name] = (
        len(cell.source),
        None,
        lines,
        name,
    )  # for inspect, as lessons read their own source
    body = ast.parse(cell.source, name).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(ast.Module(body, []), name, "exec"), namespace)
        value = None
        if last is not None:
            value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
    if hasattr(value, "earned"):  # a verdict shows itself as a page, and is stored as its points
        value = float(value.earned)
    plain = isinstance(value, str | int | float | list | tuple | dict)  # not a player of sounds, or a picture
    return out.getvalue(), repr(value) if plain else ""


def run_lesson(path):
    """Run a solution in this process: a row, and the namespace that it leaves."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    play_without_jupyter()
    write_without_num2words()
    namespace = {"__name__": "__main__"}
    row, begun, compared, wrong = Row(Path(path).parent.name, ""), time.monotonic(), 0, []
    os.chdir(Path(path).parent)
    for cell in read(path):
        try:
            printed, value = run_cell(cell, namespace)
        except ModuleNotFoundError as error:
            wrong.append(f"needs {error.name}, which is not installed")
            break
        except Exception as error:
            wrong.append(f"cell {cell.id} raised {type(error).__name__}: {str(error)[:200]}")
            break
        plt.close("all")
        if IGNORED in cell.tags:
            continue
        for ours, stored in ((printed, cell.printed), (value, cell.value if value else "")):
            if ABSENT not in ours:
                compared += len(NUMBER.findall(stored))
                wrong += [f"cell {cell.id}: {difference}" for difference in differences(ours, stored)[:1]]
    row.did = "" if wrong else f"{compared} printed numbers as stored"
    row.seconds, row.wrong = time.monotonic() - begun, "; ".join(wrong[:3])
    return row, namespace


def play_without_jupyter():
    """What lessons import to play sounds and show pictures is there, and does nothing."""
    display = ModuleType("IPython.display")
    for name in ("display", "Audio", "HTML", "Image", "Markdown"):
        setattr(display, name, lambda *args, **named: None)
    sys.modules["IPython.display"] = display


def write_without_num2words():
    """Lesson 10's number words come from ``tools.words`` where their package is not installed."""
    if importlib.util.find_spec("num2words") is None:
        from tools import words

        sys.modules["num2words"] = words


def differences(ours, stored):
    """What differs between two printed texts, in sentences; numbers may differ by their last digit."""
    ours, stored = (DEVICE.sub("device", text.strip()) for text in (ours, stored))
    frames = [" ".join(NUMBER.sub("#", text).split()) for text in (ours, stored)]
    if frames[0] != frames[1]:
        place = next(
            (i for i, (a, b) in enumerate(zip(*frames, strict=False)) if a != b), min(map(len, frames))
        )
        a, b = (frame[max(0, place - 20) : place + 40] for frame in frames)
        return [f"it says {a!r}, stored is {b!r}"]
    pairs = zip(NUMBER.findall(ours), NUMBER.findall(stored), strict=True)
    return [f"it says {a}, stored is {b}" for a, b in pairs if not _near(a, b)]


def _near(ours, stored):
    a, b = (float(one.replace("\N{MINUS SIGN}", "-")) for one in (ours, stored))
    decimals = len(stored.partition("e")[0].partition(".")[2])
    last_digit = 10.0**-decimals if "." in stored and "e" not in stored else 0.0
    return abs(a - b) <= max(1.5 * last_digit, RELATIVE * abs(b))


# Graded functions on the device ---------------------------------------------------------------------------


@contextlib.contextmanager
def made_on(device):
    """Meanwhile torch makes tensors on ``device``, from NumPy's arrays too, and gives them back as arrays."""
    import torch

    kinds = [torch.Tensor]
    if device.type == "standin":
        from rnncore.given.standin import StandIn

        kinds.append(StandIn)
    from_numpy, gives = torch.from_numpy, [kind.numpy for kind in kinds]
    torch.from_numpy = lambda array: from_numpy(array).to(device)
    for kind, give in zip(kinds, gives, strict=True):
        kind.numpy = lambda self, *, force=False, give=give: give(self, force=True)
    torch.__future__.set_overwrite_module_params_on_conversion(
        True
    )  # what a module's .double() must do there
    try:
        with torch.device(device):
            yield
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(False)
        torch.from_numpy = from_numpy
        for kind, give in zip(kinds, gives, strict=True):
            kind.numpy = give


def compare_exercise(exercise, device):
    """One graded function's results on the device and on the CPU, in all its cases: a row."""
    import numpy as np
    import torch

    begun, largest, wrong, cases = time.monotonic(), 0.0, "", exercise.draw(np.random.default_rng(0))
    for case in cases:
        outcomes = []
        for place in (torch.device("cpu"), device):
            torch.manual_seed(0)
            with made_on(place):
                outcomes.append(exercise.outcome(exercise.reference, case))
        here, there = outcomes
        if there.error or here.error:
            error = there.error or here.error
            wrong = f"{error.kind}: {error.message[:200]}"
            break
        gap = distance(here.value, there.value)
        largest = max(largest, gap)
        if not gap <= 1e-6:  # also where it is nan
            wrong = f"results differ by {gap:.1e}"
    did = f"{len(cases)} cases, largest difference {largest:.0e}"
    return Row(f"  {exercise.name}", did, time.monotonic() - begun, wrong)


def distance(a, b):
    """The largest difference in two nests of numbers, relative above 1; infinite where the nests differ."""
    import numpy as np

    if isinstance(a, dict) and isinstance(b, dict):
        a, b = (list(one.items()) for one in (a, b))
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return max(map(distance, a, b), default=0.0) if len(a) == len(b) else float("inf")
    if isinstance(a, str) or a is None or not isinstance(a, np.ndarray | float | int | np.generic):
        return 0.0 if type(a) is type(b) and (a == b or not isinstance(a, str)) else float("inf")
    a, b = (np.asarray(one, float) for one in (a, b))
    if a.shape != b.shape:
        return float("inf")
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return float(np.where(same, 0, np.abs(a - b) / np.maximum(1, np.abs(a))).max(initial=0))


# Speed ----------------------------------------------------------------------------------------------------


def scan(a, b):
    """All states of h = a * h + b from 0, (B, T, H), in about log2(T) rounds (Hillis and Steele, 1986)."""
    import torch

    shift = 1
    while shift < a.shape[1]:
        earlier_a, earlier_b = a[:, :-shift], b[:, :-shift]
        b = torch.cat([b[:, :shift], a[:, shift:] * earlier_b + b[:, shift:]], dim=1)
        a = torch.cat([a[:, :shift], a[:, shift:] * earlier_a], dim=1)
        shift *= 2
    return b


def step_by_step(a, b):
    import torch

    h, states = torch.zeros_like(a[:, 0]), []
    for t in range(a.shape[1]):
        h = a[:, t] * h + b[:, t]
        states.append(h)
    return torch.stack(states, dim=1)


def scan_speed(device, lengths=(64, 1024, 4096)):
    """Rows: milliseconds of the scan and of the plain loop on the device, B = 8, H = 64."""
    import torch

    from rnncore.given.stopwatch import milliseconds

    rows = []
    for T in lengths:
        a, b = torch.rand(8, T, 64, device=device), torch.rand(8, T, 64, device=device)
        gap = (scan(a, b) - step_by_step(a, b)).abs().max().item()
        fast = milliseconds(lambda a=a, b=b: scan(a, b), repeats=5)
        slow = milliseconds(lambda a=a, b=b: step_by_step(a, b), repeats=2)
        did = f"scan {fast:.2f} ms, loop {slow:.2f} ms: {slow / fast:.1f} times"
        rows.append(Row(f"  scan, T = {T}", did, 0.0, "" if gap < 1e-3 else f"they differ by {gap:.1e}"))
    return rows


def lstm_speed(namespace):
    """Lesson 09's line of its figure, from what the lesson itself measured."""
    times = namespace.get("times", {}).get("torch.nn.LSTM, GPU")
    if not times:
        return Row("  LSTM on the GPU", "not measured: no CUDA device")
    each = "  ".join(f"H = {H}: {ms:.2f} ms" for H, ms in zip(namespace["sizes"], times, strict=True))
    return Row("  LSTM on the GPU", each)


# The table ------------------------------------------------------------------------------------------------


def one_lesson(path):
    """All rows of one lesson, in this process."""
    from rnncore.exercises import MODULES, of_lesson
    from rnncore.given.device import device

    place, lesson = device(), Path(path).parent.name
    row, namespace = run_lesson(path)
    rows = [row]
    if "times" in namespace:
        rows.append(lstm_speed(namespace))
    for exercise in of_lesson(lesson) if lesson in MODULES else ():
        if exercise.use is not None:  # others know nothing of devices
            rows.append(compare_exercise(exercise, place))
    return rows


def apart(path, device):
    """``one_lesson`` in a process of its own; a row that says why where it does not come to an end."""
    found = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    settings = {"RNNCORE_DEVICE": device, "OMP_NUM_THREADS": "1", "PYTHONPATH": found}
    command = [sys.executable, "-m", "tools.gpu", "--one", str(path)]
    name = Path(path).parent.name
    try:
        ran = subprocess.run(
            command, env=os.environ | settings, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return [Row(name, "", LONGEST, f"took more than {LONGEST} seconds")]
    if ran.returncode:
        return [Row(name, "", 0.0, (ran.stderr.strip().splitlines() or ["it ended without a word"])[-1])]
    return [Row(**row) for row in json.loads(ran.stdout.splitlines()[-1])]


def print_rows(rows):
    for row in rows:
        print(
            f"{row.what:<22}{row.seconds:6.1f} s  {row.did}{'' if not row.wrong else '  WRONG: ' + row.wrong}"
        )
    sys.stdout.flush()


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="make gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda; cpu or standin try the same without a GPU")
    parser.add_argument(
        "--lessons", nargs="*", default=[], help="numbers such as 09; all that use torch otherwise"
    )
    parser.add_argument("--solutions", type=Path, default=ROOT / "solutions")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.one:
        print(json.dumps([asdict(row) for row in one_lesson(chosen.one)]))
        return 0
    import torch

    if chosen.device == "cuda" and not torch.cuda.is_available():
        print("torch finds no CUDA device here. DEVICE=cpu or DEVICE=standin tries the same without one.")
        return 2
    name = torch.cuda.get_device_name() if chosen.device == "cuda" else chosen.device
    print(f"{name}; torch {torch.__version__}, Python {sys.version.split()[0]}")
    every = sorted(chosen.solutions.glob("[0-9][0-9]-*/*.ipynb"))
    paths = [path for path in every if USES.search(path.read_text(encoding="utf-8"))]
    paths = [path for path in paths if not chosen.lessons or path.parent.name[:2] in chosen.lessons]
    begun, rows = time.monotonic(), []
    with ThreadPoolExecutor(max(1, min(4, (os.cpu_count() or 1) // 2))) as pool:
        for found in pool.map(lambda path: apart(path, chosen.device), paths):
            print_rows(found)
            rows += found
    if chosen.device != "standin":
        found = scan_speed(torch.device(chosen.device))
        print_rows(found)
        rows += found
    wrong = sum(bool(row.wrong) for row in rows)
    print(
        f"{len(paths)} lessons in {time.monotonic() - begun:.0f} s: "
        + (f"{wrong} wrong" if wrong else "all well")
    )
    return 1 if wrong or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
