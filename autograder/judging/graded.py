"""What grading one notebook comes to, as plain data that any process can read."""

from dataclasses import dataclass, field

from nbformat import NotebookNode

from autograder.judging.status import Status

OVER_MEMORY = "Grading it took more memory than a worker may use, also alone; no more than this was graded."


@dataclass(frozen=True)
class CellScore:
    """One test cell's points, the Verdict as data where there is one, and the seed of its inputs.

    ``failed``: what failed of ours where the check itself did; then there are no points yet, and a person
    gives them.
    ``signature``: what a wrong answer without a name returns, as a digest (``signatures``).
    """

    points: float
    max_points: float
    verdict: dict | None = None
    seed: int | None = None
    failed: str = ""
    signature: str = ""


@dataclass(frozen=True)
class GradedNotebook:
    """The notebook with outputs filled in, the points by grade_id, and how it ended.

    ``starved``: it ran out of time while others had the processor, or of memory; alone it may come to more.
    """

    notebook: NotebookNode
    scores: dict[str, CellScore]
    status: Status
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0
    provenance: dict = field(default_factory=dict)
    starved: bool = False


def unnamed(score):
    """Was it tried and wrong, in a way that is no known mistake? ``score``: one of a result's exercises."""
    verdict = score.get("verdict") or {}
    tried = verdict.get("status") in ("partly right", "wrong", "error")
    return tried and score["points"] < score["max_points"] and not verdict.get("mistakes")
