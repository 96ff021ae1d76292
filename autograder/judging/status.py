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
