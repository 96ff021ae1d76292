"""What is asked of a kernel over the line, and in which order."""

import pytest

from autograder.judging.line import Line, StudentFunction
from autograder.sandbox import bridge
from autograder.sandbox.kernels import Ran
from rnncore.observe import Formula
from tests.autograder.small_lesson import LIMITS

OURS = "def helper(x):\n    return x + 1"
THEIRS = "def answer(x):\n    return x"


class Echo:
    """A kernel that gives whatever was sent last for the text of every function."""

    def __init__(self):
        self.seen, self.asked = THEIRS, []

    def ask(self, seconds, **request):
        self.asked.append(request["do"])
        if request.get("ours"):
            self.seen = OURS
        if request["do"] == "versions":
            self.seen = request["sources"][0]
        found = {"look": dict.fromkeys(request.get("names", ()), "function"), "source": [self.seen, 3]}
        return Ran(answer=bridge.encode(found.get(request["do"], []), 2**20))


@pytest.mark.parametrize("asked_before", [True, False])
@pytest.mark.parametrize("way", ["helper", "versions"])
def test_what_was_sent_never_comes_back_as_the_text_of_an_answer(way, asked_before):
    kernel = Echo()
    line = Line(kernel.ask, LIMITS, 5.0, may_help=True)
    answer = StudentFunction("answer", line)
    if asked_before:
        assert answer.source_remotely() == (THEIRS, 3)
    if way == "helper":
        answer.with_ours({"helper": Formula(OURS)}).observe_remotely((1,))
    else:
        answer.run_versions_remotely([OURS], [(1,)])
    assert kernel.seen == OURS
    assert answer.source_remotely() == (THEIRS, 3)
    assert StudentFunction("other", line).source_remotely() == ("", 0)
    assert kernel.asked.count("source") == 1


@pytest.mark.parametrize(
    "told", [f"def answer(x):\n    return {'-' * 9000}x", "(" * 300, "x" * 30_000, 7, None]
)
def test_what_cannot_be_a_text_is_none(told):
    """A kernel may tell what Python's parser has no room for."""

    def ask(seconds, **request):
        return Ran(answer=bridge.encode([told, 1], 2**20))

    assert StudentFunction("answer", Line(ask, LIMITS, 5.0, may_help=True)).source_remotely() == ("", 0)
