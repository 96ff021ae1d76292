"""Death: the kernel, what started it, and all that is in reach, killed from inside."""

from autograder.classroom.demo import EXIT
from tests.autograder.attacks.core import LOSS, THROUGH_TIME, Attack, hand_in

HEADER = f"def {LOSS}(logits, targets):\n"
CLOSED = "import os\nfor number in range(3, 99):\n    try: os.close(number)\n    except OSError: pass\n"
LATER = "import os, threading\nthreading.Timer({seconds}, os._exit, (0,)).start()\n"
ALL_IN_SIGHT = """
import os, signal
for pid in (os.getppid(), 1, -1):
    for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
        try: os.kill(pid, number)
        except OSError: pass
"""
AT_EXIT = """
import atexit, signal, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock = threading.Lock()
lock.acquire()
atexit.register(lock.acquire)
threading.Thread(target=lock.acquire).start()
"""
STOPPED = "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n"
NO_SHELL = "get_ipython().kernel.shell_stream = None\nget_ipython().kernel.do_execute = None\n"
DEAF = "socket = get_ipython().kernel.iopub_socket\nsocket.close()\n"


def death(id, tries, put, loses=(), status="killed itself", **words):
    return Attack(id, tries, put, loses, status, family="death", **words)


ATTACKS = [
    death(
        "exits-in-a-call",
        "The sample class's: a function ends its process.",
        hand_in({THROUGH_TIME: EXIT}),
        (THROUGH_TIME,),
    ),
    death("exits-in-a-cell", "A cell ends its process.", hand_in(first="import os; os._exit(0)")),
    death(
        "exits-politely",
        "A cell says exit().",
        hand_in(first="exit()", last="import time; time.sleep(0.5)"),
        status="graded",
        says="which ends nothing while grading",
    ),
    death(
        "exits-later",
        "A cell ends its process when the next one runs.",
        # It waits for its end, however long that takes; when run again, without the first cell, for nothing.
        hand_in(
            first="dying = True\n" + LATER.format(seconds=0.1),
            last="import time; time.sleep(60 if 'dying' in globals() else 0)",
        ),
    ),
    death(
        "raises-exit",
        "A function raises SystemExit.",
        hand_in({LOSS: HEADER + "    raise SystemExit(0)\n"}),
        (LOSS,),
        "graded",
    ),
    death(
        "kills-itself",
        "A function sends SIGKILL to its process.",
        hand_in({LOSS: HEADER + "    import os; os.kill(os.getpid(), 9)\n"}),
        (LOSS,),
    ),
    death(
        "segmentation-fault",
        "A cell reads at address 0.",
        hand_in(first="import ctypes; ctypes.string_at(0)"),
    ),
    death(
        "stack-overflow",
        "A cell overflows the stack.",
        hand_in(
            first="import sys\nsys.setrecursionlimit(10**8)\nf = lambda: list(map(lambda _: f(), [0]))\nf()"
        ),
    ),
    death(
        "kills-all-in-sight",
        "A cell kills its parent, process 1 and everything in sight.",
        hand_in(first=ALL_IN_SIGHT),
        status="graded",
    ),
    death(
        "stops-itself",
        "A cell stops its process, which then is there and does nothing.",
        hand_in(first=STOPPED),
        status="time limit",
        endless=STOPPED,
    ),
    death("closes-sockets", "A cell closes all files and sockets.", hand_in(first=CLOSED)),
    death(
        "deadlock-at-exit", "The process will never end by itself.", hand_in(first=AT_EXIT), status="graded"
    ),
    death(
        "broken-kernel",
        "A cell takes the kernel's parts away.",
        hand_in(first=NO_SHELL),
        says="was left out when run again",
        endless=NO_SHELL,  # or rather what comes next: there is nobody to run it
    ),
    death(
        "closed-outputs",
        "A cell closes the socket that outputs go to.",
        hand_in(first=DEAF),
        status="output limit",
    ),
]
