"""What the documentation says can be checked: each promise names tests that exist, each command is one."""

import importlib
import re
from itertools import chain
from pathlib import Path

import pytest

from autograder.cli.commands import COMMANDS, open_command

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROMISE = re.compile(r"^\*\*(\d+)\. ", re.MULTILINE)


def promises():
    """{number: the names of its tests}, in the order of the page."""
    parts = PROMISE.split((ROOT / "docs" / "promises.md").read_text())
    numbered = zip(parts[1::2], parts[2::2], strict=True)
    return {int(number): re.findall(r"^- `(.+)`$", text, re.MULTILINE) for number, text in numbered}


def test_there_are_eighteen_promises_and_each_names_a_test():
    found = promises()
    assert sorted(found) == list(range(1, 19)) and all(found.values())
    assert len(PROMISE.findall((ROOT / "docs" / "promises.md").read_text())) == 18


@pytest.mark.parametrize("name", sorted({*chain(*promises().values())}))
def test_the_tests_that_a_promise_names_exist(name):
    path, *words = name.split("::")
    found = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    assert Path(found.__file__) == ROOT / path
    for word in words:
        assert hasattr(found, word), f"{name} is gone; name the test that took its place"
        found = getattr(found, word)
    assert words[-1].startswith("test_") and callable(found)


def commands_shown():
    """(page, line) of every `unrolled` command in a page's blocks of shell."""
    for page in PAGES:
        for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                if line.startswith("unrolled "):
                    yield page.name, line.partition("#")[0].strip()


@pytest.mark.parametrize(("page", "line"), [*commands_shown()])
def test_every_command_that_a_page_shows_is_one(page, line):
    name, *words = line.split()[1:]
    assert name in COMMANDS, f"{page}: {line}"
    options = {word for parameter in open_command(name).params for word in parameter.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("-")} <= options, f"{page}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page):
    for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), f"{page.name} links to {link}, which does not exist"
