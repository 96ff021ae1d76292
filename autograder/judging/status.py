"""How grading a submission can end: a closed list, so that every table has a word for every row.

The student-caused ones score what was earned; an infrastructure fault is ours, is retried, and is
never charged.
"""

from enum import StrEnum


class Status(StrEnum):
    """One submission's end."""

    GRADED = "graded"
    PARTLY_GRADED = "partly graded"  # an exercise is missing from the notebook; the others were checked
    NOT_ATTEMPTED = "not attempted"
    UNREADABLE = "unreadable"
    TIME_LIMIT = "time limit"
    MEMORY_LIMIT = "memory limit"
    OUTPUT_LIMIT = "output limit"
    KILLED_ITSELF = "killed itself"
    INFRASTRUCTURE_FAULT = "infrastructure fault"


# What stopped a cell: the status, what the error is called, and why in words.
STOPPED = {
    "time": (Status.TIME_LIMIT, "TimeLimit", "it ran longer than it may"),
    "memory": (Status.MEMORY_LIMIT, "MemoryLimit", "it used more memory than there is"),
    "output": (Status.OUTPUT_LIMIT, "OutputLimit", "it printed more than may be printed"),
    "terminals": (Status.KILLED_ITSELF, "TerminalLimit", "it took more terminals than there are"),
    "death": (Status.KILLED_ITSELF, "KernelDied", "it ended the Python process that it ran in"),
    "deaf": (Status.KILLED_ITSELF, "KernelDied", "it broke the Python process that it ran in"),
}


def note(text):
    """An output that stands in the place of a cell's own."""
    from nbformat.v4 import new_output  # takes a second, and most who ask for a status need none

    return new_output("stream", name="stdout", text=f"{text}\n")


def failed_outputs():
    """The outputs of a test whose check failed: whose fault that is, and no points."""
    from nbformat.v4 import new_output

    says = "This check failed, which is not your answer's fault. A person will look at your answer."
    return [note(says), new_output("execute_result", data={"text/plain": "0"})]


def stopped_output(stopped):
    """The output of a cell that was stopped."""
    _, name, why = STOPPED[stopped]
    return error_output(name, f"This cell was stopped while grading: {why}.")


def error_output(name, text):
    """An error of ours in the place of a cell's own outputs."""
    from nbformat.v4 import new_output

    return new_output("error", ename=name, evalue=text, traceback=[text])
