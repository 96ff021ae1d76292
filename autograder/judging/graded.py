"""What grading one notebook comes to, as plain data that any process can read."""

import importlib.metadata
from dataclasses import dataclass, field

from nbformat import NotebookNode

from autograder.judging.status import Status


@dataclass(frozen=True)
class CellScore:
    """One test cell's points, the Verdict as data where there is one, and the seed of its inputs."""

    points: float
    max_points: float
    verdict: dict | None = None
    seed: int | None = None


@dataclass(frozen=True)
class GradedNotebook:
    """The notebook with outputs filled in, the points by grade_id, and how it ended.

    ``starved``: it ran out of time while others had the processor, so alone it may come to more.
    """

    notebook: NotebookNode
    scores: dict[str, CellScore]
    status: Status
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0
    provenance: dict = field(default_factory=dict)
    starved: bool = False


def versions(needs):
    """The versions of what decides a result, as far as it is installed."""
    names = ("numpy", "ipykernel", "unrolled", *needs)
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
