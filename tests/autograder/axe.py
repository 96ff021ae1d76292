"""axe-core, which says what on a page a screen reader, a keyboard or weak eyes would stumble over.

It is a file of half a megabyte that is not ours, so it does not lie here: ``npm install axe-core`` in the
repository's folder or above it brings it, or UNROLLED_AXE names an axe.min.js. Tests that need it are skipped
where it is not found.
"""

import json
import os
from pathlib import Path

import pytest

RUN = "axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(found.violations))"


def axe():
    """The text of axe.min.js; skips the test where there is none."""
    here = Path(__file__).resolve()
    places = [folder / "node_modules" / "axe-core" / "axe.min.js" for folder in here.parents]
    if named := os.environ.get("UNROLLED_AXE"):
        places = [Path(named)]
    for place in places:
        if place.is_file():
            return place.read_text("utf-8")
    pytest.skip("there is no axe-core: npm install axe-core, or name its axe.min.js in UNROLLED_AXE")


def violations(say, text):
    """What axe finds on a page, as sentences; ``say`` has the page evaluate an expression."""
    say(f"{text}; 1")
    found = json.loads(say(RUN))
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:200]} {node['failureSummary'][-300:]}"
        for one in found
        for node in one["nodes"]
    ]
