"""The attack suite: the bank itself, and every submission of it in one run with honest neighbours, warm.

``suite`` has what must hold; ``test_attacks_cold`` is the run with kernels that are started afresh.
"""

import re
from collections import Counter

import nbformat
import pytest
from nbconvert import HTMLExporter

from autograder.classroom.demo import LESSON
from autograder.course.places import find_lesson
from autograder.course.spec import read_spec
from autograder.judging.status import Status
from tests.autograder.attacks import FAMILIES, core
from tests.autograder.attacks.conftest import BANK
from tests.autograder.attacks.rendering import active
from tests.autograder.attacks.suite import RENDERING, Suite

WAY = "warm"
ATTACKS_PAGE = core.COURSE / "docs" / "attacks.md"


def test_the_bank_is_whole():
    hostile = [attack for attack in BANK.values() if attack.family != "honest"]
    assert len(hostile) >= 60
    assert {attack.family for attack in BANK.values()} == set(FAMILIES)
    assert min(Counter(attack.family for attack in BANK.values()).values()) >= 10
    assert all(attack.tries.endswith(".") and "\n" not in attack.tries for attack in BANK.values())
    assert {attack.status for attack in BANK.values()} == set(Status) - {Status.INFRASTRUCTURE_FAULT}
    odd = [attack for attack in BANK.values() if attack.family == "honest"]
    assert not any(attack.loses for attack in odd)


def test_the_page_shows_the_bank_as_it_is():
    """docs/attacks.md has a row for each submission, with what it must earn and what ours gives it."""
    spec = read_spec(find_lesson(core.COURSE, LESSON).lesson_path)
    row = re.compile(r"^\| ([\w-]+) \| (.+) \| ([\d.]+) \| .+ \| (.+) \|$", re.MULTILINE)
    rows = row.findall(ATTACKS_PAGE.read_text())
    assert {(name, tries, float(wanted), ours) for name, tries, wanted, ours in rows} == {
        (attack.id, attack.tries.replace("|", "\\|"), sum(attack.points(spec).values()), ours(attack, spec))
        for attack in BANK.values()
    }, "write it again with `make attacks`"


def ours(attack, spec):
    return f"{sum(attack.points(spec).values()):g}, {attack.status}"


@pytest.mark.parametrize("name", [name for name in RENDERING if name.endswith("-in-text")])
def test_what_renders_would_run_if_nobody_cleaned_it(name, tmp_path):
    """The attacks are attacks: the same detector finds them in what was handed in."""
    released = nbformat.read(find_lesson(core.COURSE, LESSON).lesson_path, as_version=4)
    BANK[name].put(tmp_path, released)
    notebook = nbformat.read(tmp_path / "bptt.ipynb", as_version=4)
    assert active(HTMLExporter().from_notebook_node(notebook)[0])


class TestWarm(Suite):
    """The whole bank, with warm kernels."""
