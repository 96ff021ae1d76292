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
