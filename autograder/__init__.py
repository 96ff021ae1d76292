"""Everything that grades: from a student's file to a grade, a feedback page and a report.

Nine rooms, and imports run one way, from the first to the last: ``cli`` (the commands); ``marking`` (written
answers, by a person); ``reporting`` and ``classroom`` (a class, and what there is to tell of it);
``gradebook`` (nbgrader's); ``judging`` (one submission); ``sandbox`` and ``intake`` (where students' code
runs, and how their files are read); ``course`` (what was set). Each room's first lines say what comes in,
what goes out and what it must not know.
"""

import sys

# To check links and durations that nothing here asks about, jsonschema would compile grammars of them
# wherever nbformat is imported, which takes several times as long as all the rest of it. Without these
# packages it leaves that out.
for _package in ("rfc3987_syntax", "rfc3986_validator", "isoduration"):
    sys.modules.setdefault(_package, None)
