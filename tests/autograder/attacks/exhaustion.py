"""Exhaustion: more time, memory, processes, disk and output than a notebook may have.

In a call of one function it costs that function's exercise (and those that call it); in a cell of its own it
costs nothing but the time.
"""

from autograder.classroom.demo import ENDLESS, FLOOD, HOG
from tests.autograder.attacks.core import LOSS, MEASURED, TRUNCATED, Attack, hand_in

HEADER = f"def {LOSS}(logits, targets):\n"
SWALLOWS = """    while True:
        try:
            while True: pass
        except BaseException: pass
"""
FORK_BOMB = """
import os, time
while True:
    try:
        if not os.fork(): time.sleep(10**6)
    except OSError: pass
"""
CHILDREN = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        kept = bytearray(150 * 2**20)
        time.sleep(10**6)
time.sleep(10**6)
"""
THREADS = """
import threading, time
started = []
try:
    while True:
        started.append(threading.Thread(target=time.sleep, args=(10**6,), daemon=True)); started[-1].start()
except RuntimeError as error:
    print(len(started) < 1000)
"""
UNCOUNTED = """
import mmap, os
kept = []
try:
    while True:
        kept.append(os.memfd_create("x")); os.write(kept[-1], bytes(2**24))
except OSError as error:
    print(error)
try:
    while True:
        kept.append(mmap.mmap(-1, 2**28)); kept[-1].write(bytes(2**28)); kept[-1].madvise(mmap.MADV_DONTNEED)
except (OSError, MemoryError) as error:
    print(error)
"""
DISK = """
for folder in ("/work", "/tmp", "/dev/shm", ".", "/var/tmp"):
    try:
        for number in range(1000):
            open(f"{folder}/{number}", "wb").write(bytes(2**20))
    except OSError as error:
        print(error)
"""
INODES = """
import os
try:
    for number in range(10**5): open(f"/tmp/{number}", "w").close()
except OSError as error:
    print(error)
"""
HELD = "kept = []\nwhile True:\n    try: kept.append(b'x' * 2**22)\n    except MemoryError: pass\n"
PRINTS = "import os, time\n" + HEADER + "    while True: os.write(1, b'x' * 9999); time.sleep(0.001)\n"
NESTED = HEADER + "    deep = []\n    for _ in range(10**5): deep = [deep]\n    return deep, deep\n"
OPENED = """
import os, socket
kept = []
try:
    while True: kept.append(socket.socketpair())
except OSError as error:
    print(error)
"""


def exhaustion(id, tries, put, loses=(), **words):
    return Attack(id, tries, put, loses, family="exhaustion", **words)


def endless(id, tries, source, place="first"):
    """A cell of its own that never ends."""
    return exhaustion(id, tries, hand_in(**{place: source}), endless=source, **TIME)


TIME, MEMORY, OUTPUT = ({"status": f"{name} limit"} for name in ("time", "memory", "output"))
ATTACKS = [
    exhaustion(
        "endless-call",
        "The sample class's: a function never returns.",
        hand_in({TRUNCATED: ENDLESS}),
        (TRUNCATED,),
        endless=TRUNCATED,
        **TIME,
    ),
    endless("endless-cell", "A cell never ends.", "while True: pass"),
    exhaustion(
        "uninterrupted-call",
        "A loop swallows every interrupt.",
        hand_in({LOSS: HEADER + SWALLOWS}),
        (LOSS,),
        endless=LOSS,
        **TIME,
    ),
    endless(
        "uninterrupted-c",
        "One operation in C takes for ever and sees no interrupt.",
        "(10**10**7) ** 1000",
    ),
    endless("sleeps", "A cell sleeps.", "import time; time.sleep(10**6)", place="last"),
    exhaustion(
        "memory-in-a-call",
        "The sample class's: a function allocates without end.",
        hand_in({TRUNCATED: HOG}),
        (TRUNCATED,),
        **MEMORY,
    ),
    exhaustion(
        "memory-in-a-cell",
        "A cell allocates without end and swallows MemoryError.",
        hand_in(first=HELD),
        **MEMORY,
    ),
    exhaustion(
        "memory-at-once",
        "A function asks for eight gigabytes.",
        hand_in({LOSS: HEADER + "    return np.ones(2**30), 0\n"}),
        (LOSS,),
        **MEMORY,
    ),
    exhaustion("memory-of-children", "Child processes hold the memory.", hand_in(first=CHILDREN), **MEMORY),
    exhaustion(
        "memory-of-nobody", "Memory is put where no process is charged for it.", hand_in(first=UNCOUNTED)
    ),
    endless("fork-bomb", "Processes are started without end.", FORK_BOMB),
    exhaustion("threads", "Threads are started without end.", hand_in(first=THREADS)),
    endless("sockets", "Sockets are opened without end.", OPENED),
    exhaustion("full-disk", "Every folder that can be written is filled.", hand_in(first=DISK)),
    exhaustion("many-files", "A hundred thousand empty files are made.", hand_in(first=INODES)),
    exhaustion(
        "flood-in-a-cell",
        "The sample class's: a cell prints without end.",
        hand_in({MEASURED: FLOOD}),
        (MEASURED,),
        **OUTPUT,
    ),
    exhaustion(
        "flood-in-a-call",
        "A function writes to standard output without end.",
        hand_in({LOSS: PRINTS}),
        (LOSS,),
        **OUTPUT,
    ),
    exhaustion(
        "one-long-line",
        "A line of a hundred megabytes is printed.",
        hand_in(first="print('x' * 10**8)"),
        **OUTPUT,
    ),
    exhaustion(
        "small-outputs",
        "Small outputs are shown without end.",
        hand_in(first="while True: display(1)"),
        **OUTPUT,
    ),
    exhaustion(
        "huge-value",
        "A function returns more than may be sent.",
        hand_in({LOSS: HEADER + "    return np.zeros(2**22), 0\n"}),
        (LOSS,),
    ),
    exhaustion(
        "many-values",
        "A function returns a list of two hundred thousand numbers.",
        hand_in({LOSS: HEADER + "    return [0.0] * 200_001, 0\n"}),
        (LOSS,),
    ),
    exhaustion(
        "deep-value",
        "A function returns lists in lists, a hundred thousand deep.",
        hand_in({LOSS: NESTED}),
        (LOSS,),
    ),
    exhaustion(
        "deep-recursion",
        "A function calls itself without end.",
        hand_in({LOSS: HEADER + f"    return {LOSS}(logits, targets)\n"}),
        (LOSS,),
    ),
    exhaustion(
        "huge-error",
        "A function raises an exception with a message of ten megabytes.",
        hand_in({LOSS: HEADER + "    raise ValueError('x' * 10**7)\n"}),
        (LOSS,),
    ),
]
