"""Honest submissions: right ones that look odd and must lose nothing, and the attackers' neighbours."""

from autograder.classroom.demo import delete_tests, duplicate, untidy
from tests.autograder.attacks.core import (
    CELL,
    EXERCISES,
    SOLVED,
    UNTOUCHED,
    WRONG,
    Attack,
    hand_in,
)

PATCHY = """
import logging, os, random, sys, time, warnings
np.random.seed(0); random.seed(0); np.seterr(all="raise"); np.set_printoptions(precision=2)
warnings.simplefilter("error"); sys.setrecursionlimit(5000); os.environ["OMP_NUM_THREADS"] = "2"
logging.getLogger().setLevel(logging.DEBUG)
print("a note on stderr", file=sys.stderr)
"""
OVERWRITES = "check = None\nrng = list = sum = 5\n"
BACKGROUND = """
import threading, time
def tick():
    while True: time.sleep(0.05)
threading.Thread(target=tick, daemon=True).start()
"""
FILES = """
import os, subprocess, tempfile
os.chdir(tempfile.mkdtemp())
open("notes.txt", "w").write("mine")
print(open("notes.txt").read(), subprocess.run(["echo", "hello"], capture_output=True, text=True).stdout)
"""
FIGURE = "import matplotlib.pyplot as plt\nplt.plot(np.arange(5.0)); plt.title('mine'); plt.show()\n"
PRINTING = {
    name: f"{source}\n\n_quiet_{name} = {name}\n\ndef {name}(*words):\n    print('called', len(words))\n"
    f"    return _quiet_{name}(*words)\n"
    for name, source in SOLVED.items()
}
COUNTED = """
import functools
def counted(function):
    @functools.wraps(function)
    def wrapper(*args):
        wrapper.calls = getattr(wrapper, "calls", 0) + 1
        return function(*args)
    return wrapper
"""
LONG = """
def longest(value):
    if isinstance(value, dict): return {name: longest(item) for name, item in value.items()}
    return tuple(map(longest, value)) if isinstance(value, tuple) else np.asarray(value, np.longdouble)
"""
LONGEST = {
    name: f"{source}\n\n_short_{name} = {name}\n\ndef {name}(*words):\n"
    f"    return longest(_short_{name}(*words))\n"
    for name, source in SOLVED.items()
}
TIMED = {name: f"%%time\n{source}" for name, source in SOLVED.items()}
LARGE = "kept = np.ones(2**24)\nprint(kept.sum())\n"
FAILS = "numbers = [1, 2, 3]\nnumbers[5]\n"
WAITS = "import asyncio\nawait asyncio.sleep(0.1)\nprint('waited')\n"


def odd(id, tries, put, loses=(), **words):
    return Attack(id, tries, put, loses, family="honest", **words)


def wrong(name, mistake):
    exercise = EXERCISES[name]
    made = next(one for one in exercise.mistakes if one.id == mistake)
    return hand_in({name: exercise.twin_source(made)})


ATTACKS = [
    odd(
        "untidy", "The sample class's: cells moved and added, another kernel's name.", hand_in(change=untidy)
    ),
    odd("deleted-tests", "The sample class's: two test cells were deleted.", hand_in(change=delete_tests)),
    odd(
        "duplicated-cells",
        "The sample class's: an answer and a test cell are there twice.",
        hand_in(change=duplicate),
    ),
    odd(
        "settings",
        "Seeds, error states, warnings and options are set; something on stderr.",
        hand_in(first=PATCHY),
    ),
    odd(
        "overwritten-names",
        "`check`, `rng`, `list` and `sum` mean something else.",
        hand_in(last=OVERWRITES, first=OVERWRITES),
    ),
    odd("background-thread", "A thread goes on ticking.", hand_in(first=BACKGROUND)),
    odd("own-files", "Files are written and read, a program is run.", hand_in(first=FILES)),
    odd("own-figure", "A figure is drawn.", hand_in(first=FIGURE)),
    odd("prints-in-functions", "Every function prints.", hand_in(PRINTING)),
    odd(
        "decorated",
        "The functions are decorated.",
        hand_in({name: f"@counted\n{source}" for name, source in SOLVED.items()}, first=COUNTED),
    ),
    odd("longest-numbers", "The functions return NumPy's longest numbers.", hand_in(LONGEST, first=LONG)),
    odd("timed-cells", "`%%time` stands above every answer.", hand_in(TIMED)),
    odd("large-but-within", "A hundred megabytes are used.", hand_in(first=LARGE)),
    odd("failing-trial", "A trial of the student's own fails.", hand_in(first=FAILS)),
    odd("awaits", "A cell awaits.", hand_in(first=WAITS)),
    odd("slow-but-within", "A cell takes a second.", hand_in(first="import time; time.sleep(1.0)")),
]

# Whose results must be the same with the attackers as without.
NEIGHBOURS = {
    "neighbour right": hand_in(),
    "neighbour partly right": wrong(CELL, "not-squared"),
    "neighbour wrong": hand_in(WRONG),
    "neighbour untouched": hand_in(UNTOUCHED),
}
