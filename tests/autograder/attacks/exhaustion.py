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


MESSAGE = """
import os, stat, time
frame = bytes([3]) + (2**20).to_bytes(8, "big") + bytes(2**20)
opened = [int(name) for name in os.listdir("/proc/self/fd")]
while True:
    for number in opened:
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode): os.write(number, frame)
        except OSError: pass
"""
HELD_IN_SOCKETS = """
import os, socket, time
kept = []
for _ in range(10):
    if os.fork() == 0:
        while len(kept) < 200:
            kept.append(socket.socketpair())
            kept[-1][0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**24)
            kept[-1][0].setblocking(False)
            try:
                while True: kept[-1][0].send(bytes(2**16))
            except BlockingIOError: pass
        time.sleep(10**6)
time.sleep(10**6)
"""
NAMES = """
import os, time
for number in range(10**6):
    open(f"/tmp/{number}", "w").close()
time.sleep(10**6)
"""
TERMINALS = """
import os, time
kept = []
while True:
    try: kept.append(os.openpty())
    except OSError: time.sleep(0.01)
"""
SESSIONS = """
import os
for _ in range(45):
    try:
        if os.fork() == 0:
            os.setsid()
            while True: pass
    except OSError: break
while True: pass
"""
FAMILIES = """
import socket
reached = []
for family in range(46):
    if family not in (socket.AF_UNIX, socket.AF_INET, socket.AF_NETLINK):
        try: reached.append(socket.socket(family, socket.SOCK_DGRAM))
        except OSError: pass
print("REACHED" if reached else "nothing")
"""
TEXTS = HEADER + "    return [['x' * 10**6, *('a' for _ in range(10**5))]] * 2\n"
FEW = HEADER + "    return 0, [[0.0] * 9] * 3 + [[0.0] * 150_000]\n"
PAYLOAD = "get_ipython().payload_manager.write_payload({'source': 'page', 'text': 'x' * 10**8})"
MANY = f"def {TRUNCATED}(p, dy, caches, k):\n    return tuple([0.0] * 190_000), 0.0, {{}}\n"
NAMELESS = HEADER + "    return type('', (), {})(), type('', (), {})()\n"


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
    exhaustion("sockets", "Sockets are opened without end.", hand_in(first=OPENED)),
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
    exhaustion(
        "endless-message",
        "A message of frames without end is written to the kernel's own sockets.",
        hand_in(first=MESSAGE),
        **OUTPUT,
    ),
    exhaustion("memory-in-sockets", "Memory is kept in sockets.", hand_in(first=HELD_IN_SOCKETS), **MEMORY),
    exhaustion("memory-in-names", "A million empty files are made.", hand_in(first=NAMES), **MEMORY),
    exhaustion(
        "all-terminals",
        "Every terminal of the machine is taken.",
        hand_in(first=TERMINALS),
        status="killed itself",
    ),
    exhaustion("other-sockets", "Sockets of every other family are opened.", hand_in(first=FAMILIES)),
    endless("busy-sessions", "Forty-five processes in sessions of their own never end.", SESSIONS),
    exhaustion(
        "giant-cell",
        "A cell of half a megabyte, which is half a gigabyte when parsed.",
        hand_in(first="a = 1\n" * 80_000),
    ),
    exhaustion(
        "giant-number",
        "A function returns a number of five thousand digits.",
        hand_in({LOSS: HEADER + "    return 10**5000, -10**5000\n"}),
        (LOSS,),
    ),
    exhaustion(
        "nameless-class",
        "A function returns objects of a class without a name.",
        hand_in({LOSS: NAMELESS}),
        (LOSS,),
    ),
    exhaustion(
        "texts-for-numbers",
        "A hundred thousand texts, one of them long, are returned: 400 gigabytes as an array.",
        hand_in({LOSS: TEXTS}),
        (LOSS,),
    ),
    exhaustion(
        "ragged-lists",
        "A list of the right form is returned that is very long in one place.",
        hand_in({LOSS: FEW}),
        (LOSS,),
    ),
    exhaustion(
        "many-parts",
        "A tuple of two hundred thousand numbers is returned: each would be looked at from many sides.",
        hand_in({TRUNCATED: MANY}),
        (TRUNCATED,),
    ),
    exhaustion(
        "long-payload",
        "A cell has a hundred megabytes sent beside its reply.",
        hand_in(first=PAYLOAD),
        **OUTPUT,
    ),
]
