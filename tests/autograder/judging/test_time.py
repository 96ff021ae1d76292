"""A notebook's time, by a clock that goes on only in kernels: its limit holds whatever they do.

The kernels are stand-ins that use up time and end when they are told to; nothing is waited for.
"""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from nbformat.v4 import new_code_cell

from autograder.judging import notebook as grading
from autograder.judging.status import Status
from autograder.sandbox.bridge import encode
from autograder.sandbox.kernels import Ran
from rnncore.observe import Outcome
from tests.autograder.small_lesson import LIMITS, grade, points, submission, without

LIMITS = replace(LIMITS, cell_seconds=30.0, notebook_seconds=180.0)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that have passed, in a list; and what kernels do, by the code that is run."""
    past = [0.0]

    def sleep(seconds):
        past[0] += seconds

    monkeypatch.setattr(grading, "time", SimpleNamespace(monotonic=lambda: past[0], sleep=sleep))
    monkeypatch.setattr(grading, "StudentKernel", lambda *words, **named: Kernel(past, **named))
    return past


class Kernel:
    """Takes the seconds that a cell says, and ends when it says so; knows no function."""

    warm = False

    def __init__(self, past, warm, cpu_seconds):
        self.past, self.cpu_seconds = past, cpu_seconds
        self.alive, self.closed, self.cpu, self.waited, self.starved = True, False, 0.0, 0.0, False
        past[0] += 1.0

    def run(self, code, seconds, most=None):
        words = dict(word.split("=") for word in code.split()[1:] if "=" in word and code.startswith("#"))
        took = min(seconds, float(words.get("takes", 0)))
        self.past[0] += took
        self.cpu += float(words.get("cpu", 0))
        self.waited += float(words.get("waits", 0))
        self.starved = self.starved or "starved" in words
        if self.cpu > self.cpu_seconds or "dies" in words:
            self.alive = False
            return Ran(stopped="time" if self.cpu > self.cpu_seconds else "death", seconds=took)
        return Ran(seconds=took)

    def ask(self, seconds, **request):
        self.past[0] += min(seconds, 5.0)
        return Ran(stopped="time", seconds=seconds)

    def blame(self):
        pass

    def close(self):
        self.alive, self.closed = False, True


def graded(*sources):
    notebook = submission()
    notebook.cells[1:1] = [new_code_cell(source) for source in sources]
    return grade(notebook, limits=LIMITS)


def test_restarts_are_within_the_notebooks_time(clock):
    """Cells that end the kernel, after twenty that run again each time: it was 289 s against 180."""
    result = graded(*["# takes=1"] * 20, *["# dies=now"] * 20)
    assert (result.status, points(result)) == (Status.KILLED_ITSELF, without(*points(result)))
    assert clock[0] <= 180.0 + 6.0  # a kernel's start and a last question
    assert result.seconds == clock[0]


def test_processor_time_is_one_for_all_kernels(clock):
    """What is run again after a restart counts again."""
    result = graded("# cpu=100", "# dies=now", *["# cpu=1"] * 4)
    assert result.status is Status.TIME_LIMIT
    assert "Not everything was run: the notebook's time was over." in result.remarks
    assert points(result) == without(*points(result)) and clock[0] < 60.0


def test_time_in_which_others_had_the_processor_is_added_up_to_a_half(clock):
    result = graded(*["# takes=30 waits=10"] * 5, "# dies=now", *["# takes=30 waits=10"] * 9)
    assert 180.0 + 80.0 < clock[0] <= 180.0 + 90.0 + 6.0
    assert not result.starved


def test_what_ran_out_of_time_among_others_says_so(clock):
    assert graded("# takes=30 starved=yes").starved
    assert graded("# takes=30 starved=yes", "# dies=now", "# takes=1").starved
    assert not graded("# takes=30").starved


class Ending(Kernel):
    """Has every function, and ends when it is asked for many calls, for ``why``, after ``seconds``."""

    why, seconds = "time", 0.0

    def ask(self, seconds, **request):
        if request["do"] == "look":
            return Ran(answer=encode(dict.fromkeys(request["names"], "function")))
        if request["do"] == "call":
            return Ran(answer=encode(Outcome(0.0).to_plain()))
        self.past[0] += self.seconds
        self.alive, self.closed = False, self.why == "time"
        return Ran(stopped=self.why, seconds=seconds)


@pytest.mark.parametrize(("why", "seconds", "most"), [("time", 200.0, 16), ("death", 0.0, 1)])
def test_an_end_after_which_no_kernel_may_start_is_the_students(clock, monkeypatch, why, seconds, most):
    """Because time is over, or because there were enough: that was taken for a fault of ours."""
    monkeypatch.setattr(Ending, "why", why)
    monkeypatch.setattr(Ending, "seconds", seconds)
    monkeypatch.setattr(grading, "MOST_STARTS", most)
    monkeypatch.setattr(grading, "StudentKernel", lambda *words, **named: Ending(clock, **named))
    result = graded("# takes=1")
    assert result.status is {"time": Status.TIME_LIMIT, "death": Status.KILLED_ITSELF}[why], result.remarks
    assert points(result) == without(*points(result))


def test_too_many_starts_that_no_cell_was_blamed_for_are_no_fault_of_ours(clock, monkeypatch):
    """Kernels that end between two questions, and not when their cells are run again."""

    class Brief(Kernel):
        def run(self, code, seconds, most=None):
            ran = super().run(code, seconds, most)
            self.alive = "once" not in code or clock[0] > before + 100.0
            return ran

    before = clock[0]
    monkeypatch.setattr(grading, "MOST_STARTS", 1)
    monkeypatch.setattr(grading, "StudentKernel", lambda *words, **named: Brief(clock, **named))
    result = graded("# once")
    assert result.status is Status.KILLED_ITSELF, result.remarks
    assert "Not everything was run: too many restarts." in result.remarks
