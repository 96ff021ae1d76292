"""Being told to stop, by Ctrl-C, `kill` or a terminal that closes: one sentence, and what is done is kept.

Outside a command nothing is going on, and the process ends where it is. In a command ``Stopped`` is raised,
so that all that it had opened is closed; whoever asks once more while that lasts has it end at once. Its
workers and their sandboxes end with it either way.
"""

import contextlib
import os
import signal

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
SAYS = "Stopped. What was finished is kept; run the same command again to go on."


class Stopped(KeyboardInterrupt):
    """The command was told to stop; ``status`` is what it exits with."""

    def __init__(self, number):
        super().__init__(SAYS)
        self.status = 128 + number


def leave_when_stopped():
    """From now on, until a command is ``stoppable``, end at once when told to stop."""
    _answer(_leave)


@contextlib.contextmanager
def stoppable():
    """Raise Stopped in here when told to stop."""
    before = _answer(_stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _answer(handler):
    """Have the signals answered so, but for those that somebody has ignored, as nohup does."""
    before = {}
    for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
        now = signal.getsignal(number)
        if now in (signal.SIG_DFL, signal.default_int_handler, _leave):
            with contextlib.suppress(ValueError):  # not in the main thread, where signals do not come
                before[number] = signal.signal(number, handler)
    return before


def _stop(number, frame):
    for each in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
        if signal.getsignal(each) is _stop:
            signal.signal(each, _leave)
    raise Stopped(number)


def _leave(number, frame):
    with contextlib.suppress(OSError):
        os.write(2, f"{SAYS}\n".encode())
    os._exit(128 + number)
