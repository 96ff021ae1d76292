"""What `make gpu` says: tried on the CPU and on the stand-in, on notebooks made here, without Jupyter."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from num2words import num2words

from rnncore.exercises import by_name
from rnncore.observe import Outcome
from tests.notebooks.reading import ROOT, SOLUTIONS
from tools import gpu, words

SETTING = "import numpy as np\nimport torch\nfrom rnncore.given.device import device\nplace = device()"


def stream(text):
    return [{"output_type": "stream", "name": "stdout", "text": [text]}]


def write(folder, *cells, name="97-toy"):
    """A solution of these (source, outputs, tags): the path of its file."""
    made = [
        {
            "cell_type": "code",
            "id": f"cell-{n}",
            "source": [source],
            "outputs": outputs,
            "metadata": {"tags": tags},
        }
        for n, (source, outputs, tags) in enumerate([(SETTING, [], []), *cells])
    ]
    path = folder / name / "toy.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps({"cells": made}))
    return path


def run(folder, *options, **settings):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "tools.gpu", "--solutions", str(folder), *options]
    return subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True)


# A lesson may read its own source, play sounds, draw, and its last expression is shown.
LOOKS = "import inspect\ndef f(x):\n    return x\nprint(inspect.getsource(f).count('return'))\n1 / 3"
THIRD = {"output_type": "execute_result", "data": {"text/plain": ["0.3333333333333333"]}}
PLAYS = "from IPython.display import Audio, display\ndisplay(Audio([0.0], rate=8000))"
MOVED = "print(f'{torch.ones(2, device=place).sum():.2f}')"
LESSONS = {
    "90-well": [
        (LOOKS, [*stream("1\n"), THIRD], []),
        (PLAYS, [], []),
        ("from rnncore import plots\nplots.gru_graph()", [], []),
        (MOVED, stream("2.00\n"), []),
        ("print(7)", stream("8\n"), [gpu.IGNORED]),
    ],
    "91-other": [("print(0.51)", stream("0.56\n"), [])],
    "92-raises": [("1 / 0", [], [])],
    "93-needs": [("import no_such_package", [], [])],
    "94-ends": [("import os; os._exit(3)", [], [])],
}
SAYS = {
    "91-other": "WRONG: cell cell-1: it says 0.51, stored is 0.56",
    "92-raises": "WRONG: cell cell-1 raised ZeroDivisionError: division by zero",
    "93-needs": "WRONG: needs no_such_package, which is not installed",
    "94-ends": "WRONG: it ended without a word",
    "90-well": "3 printed numbers as stored\n",
}


@pytest.mark.parametrize(
    ("ours", "stored", "told"),
    [
        ("loss 0.1234 on cuda:0", "loss 0.1234 on cpu", 0),
        ("loss 0.1235", "loss 0.1234", 0),  # the last digit
        ("loss 0.1237", "loss 0.1234", 1),
        ("12 right", "13 right", 1),  # whole numbers have no last digit to lose
        ("20001 right", "20000 right", 0),
        ("right", "wrong", 1),
        ("1 2", "1 2 3", 1),
        ("\N{MINUS SIGN}0.5", "-0.5", 0),
        ("nan", "0.5", 1),
    ],
)
def test_differences_are_of_words_and_of_more_than_the_last_digit(ours, stored, told):
    assert len(gpu.differences(ours, stored)) == told


@pytest.mark.parametrize(
    ("a", "b", "far"),
    [
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), 0),
        (np.array([1.0, 2.0]), np.array([1.0, 2.5]), 0.25),
        (np.array([1.0]), np.array([1.0, 1.0]), np.inf),
        ({"a": [1.0, "word"]}, {"a": [1.0, "word"]}, 0),
        ({"a": [1.0, "word"]}, {"a": [1.0, "other"]}, np.inf),
        ((1.0,), None, np.inf),
    ],
)
def test_distance_of_nests(a, b, far):
    assert gpu.distance(a, b) == far


def test_each_lesson_has_a_row_that_says_what_is_wrong_without_jupyter_too(tmp_path):
    missing, solutions = tmp_path / "missing", tmp_path / "solutions"
    missing.mkdir(), solutions.mkdir()
    for name in ("IPython", "ipykernel", "nbformat", "jupyter_client"):
        (missing / f"{name}.py").write_text(f"raise ModuleNotFoundError(name={name!r})")
    for name, cells in LESSONS.items():
        write(solutions, *cells, name=name)
    ran = run(solutions, "--device", "cpu", PYTHONPATH=str(missing))
    rows = {line.split()[0]: f"{line}\n" for line in ran.stdout.splitlines() if line}
    for name, said in SAYS.items():
        assert said in rows[name], ran.stdout
    assert ran.returncode == 1 and ran.stdout.endswith("4 wrong\n")


def test_on_the_stand_in_a_forgotten_move_is_found(tmp_path):
    write(tmp_path, (MOVED, stream("2.00\n"), []), name="90-moved")
    write(tmp_path, ("torch.nn.Linear(2, 1).to(place)(torch.ones(3, 2))", [], []), name="91-forgot")
    ran = run(tmp_path, "--device", "standin")
    moved, forgot, total = ran.stdout.splitlines()[1:]
    assert "1 printed numbers as stored" in moved and "two devices" in forgot and total.endswith("1 wrong")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(tmp_path):
    ran = run(tmp_path)
    assert ran.returncode == 2 and "no CUDA device" in ran.stdout


@pytest.mark.own_process
@pytest.mark.parametrize("name", ["HandLSTM", "to_torch"])
def test_a_graded_function_gives_the_same_on_another_device(name):
    from rnncore.given.standin import device

    row = gpu.compare_exercise(by_name()[name], device)
    assert row.wrong == "" and "largest difference" in row.did


def test_a_graded_function_that_differs_is_found():
    values = iter([np.ones(2), np.array([1.0, 1.1])])
    one = SimpleNamespace(name="f", reference=None, draw=lambda rng: [None])
    one.outcome = lambda function, case: Outcome(value=next(values))
    assert "differ by 1.0e-01" in gpu.compare_exercise(one, torch.device("cpu")).wrong


def test_all_lessons_that_use_a_device_are_run():
    texts = {path.parent.name[:2]: path.read_text() for path in SOLUTIONS}
    assert [number for number, text in texts.items() if gpu.USES.search(text)] == "09 10 11 12 13 15".split()


def test_number_words_are_those_of_the_package():
    for language in ("en", "de"):
        for n in range(10_000):
            assert words.num2words(n, language) == num2words(n, lang=language)


def test_the_scan_is_the_loop():
    a, b = torch.rand(2, 13, 3, dtype=torch.float64), torch.rand(2, 13, 3, dtype=torch.float64)
    torch.testing.assert_close(gpu.scan(a, b), gpu.step_by_step(a, b), rtol=1e-12, atol=1e-12)
