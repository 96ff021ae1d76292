"""The `unrolled` command: the daily work of whoever releases, grades and looks at submissions.

``commands`` has one module for a group of commands; each reads its arguments, calls the room that does the
work, and prints. A wrong use is answered in one sentence on stderr and a non-zero exit status, never with a
traceback. Nothing is decided here that another program would need, too.
"""

import gc
import sys

from autograder.cli.stopping import leave_when_stopped

RARELY = 20_000  # objects, before garbage is looked for: importing makes a million, none of them garbage


def app():
    """Run the command line; what is not installed is one sentence."""
    leave_when_stopped()
    gc.set_threshold(RARELY, 20, 20)
    try:
        from autograder.cli.commands import app as commands  # needs typer, which students do not have

        commands()
    except ModuleNotFoundError as missing:
        name = (missing.name or "").split(".")[0]
        if name in ("", "autograder", "rnncore"):
            raise
        if sys.argv[1:2] == ["lessons"]:  # all that a student needs of this
            from autograder.cli.light import lessons

            return lessons(sys.argv[2:])
        if sys.argv[1:] in ([], ["--help"]):
            from autograder.cli.light import overview

            return overview()
        sys.exit(
            f"This command needs the package {name}, which is not installed here: "
            f"{sys.executable} -m pip install 'unrolled[grading]' brings all that grading needs. "
            "(`unrolled lessons FOLDER`, which copies the lessons, works without it.)"
        )
    finally:
        gc.freeze()  # or Python looks at all of it once more as it ends, which takes a quarter of a second


main = app  # the name that installed scripts call
