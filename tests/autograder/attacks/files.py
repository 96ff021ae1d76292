"""Files: what is handed in is no notebook, or one that readers and graders stumble over.

Where a student's own work can still be found in it, it earns its marks as if nothing were wrong.
"""

import json
import os
from functools import partial

from nbformat.v4 import new_code_cell

from tests.autograder.attacks.core import (
    ALL,
    COURSE,
    LOSS,
    SOLVED,
    Attack,
    add_markdown,
    hand_in,
    hand_in_json,
    hand_in_text,
)


def content(data):
    return hand_in_text(lambda raw: data)


def version(number):
    """The lesson as notebook formats 2 and 3 have it: worksheets, ``input``, no metadata of nbgrader's."""

    def edit(data):
        cells = []
        for cell in data["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code":
                cells.append({"cell_type": "code", "input": source, "language": "python", "outputs": []})
            else:
                cells.append({"cell_type": "markdown", "source": source})
        return {"nbformat": number, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}

    return hand_in_json(edit)


def no_metadata(data):
    data["metadata"] = {}
    for cell in data["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)


def damaged_cells(data):
    data["cells"][1:1] = [
        None,
        7,
        "text",
        [],
        {},
        {"cell_type": "code"},
        {"cell_type": 5, "source": {"a": 1}},
    ]


def wrong_types(data):
    data["metadata"], data["nbformat"], data["nbformat_minor"] = ["a", None], "four", {"a": []}
    for number, cell in enumerate(data["cells"]):
        cell["source"] = ["".join(cell["source"]), None, 7] if number % 2 else cell["source"]
        cell["id"] = number
        cell["outputs"] = {"output_type": 3}
        cell["execution_count"] = "many"
        cell["metadata"]["tags"] = {"a": 1}
        cell["metadata"]["nbgrader"] = [cell["metadata"].get("nbgrader")]


def odd_numbers(data):
    for cell in data["cells"]:
        if "points" in cell["metadata"].get("nbgrader", {}):
            cell["metadata"]["nbgrader"]["points"] = (float("nan"), float("inf"), -1e308)[len(cell["id"]) % 3]
    data["metadata"]["minutes"] = float("-inf")


def stored(size):
    """Outputs of so many bytes are stored in the file."""

    def edit(data):
        text = {"output_type": "stream", "name": "stdout", "text": "x" * size}
        next(cell for cell in data["cells"] if cell["cell_type"] == "code")["outputs"] = [text]

    return hand_in_json(edit)


def malformed_outputs(data):
    shown = [None, {"text/plain": 5}, {"image/png": "not base64!"}, {"text/html": ["<b>", None]}, [], "x"]
    outputs = [{"output_type": "display_data", "data": bundle, "metadata": None} for bundle in shown]
    outputs += [{"output_type": "stream"}, {"output_type": "error"}, {}, None, 5, {"output_type": "unheard"}]
    for cell in data["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = outputs


def many_cells(notebook):
    notebook.cells += [new_code_cell(f"x = {number}", id=f"more-{number}") for number in range(3000)]


def long_names(data):
    for cell in data["cells"]:
        if cell["cell_type"] == "markdown":
            cell["id"] = "n" * 10**5
            cell["metadata"] = {"nbgrader": {"grade_id": "../" * 10**4, "schema_version": 99}}


def deep_attachments(data):
    deep = {}
    for _ in range(600):
        deep = {"image/png": deep}
    for cell in data["cells"]:
        cell["attachments"] = {"a.png": deep}


def two_others(folder, released):
    for name in ("first.ipynb", "second.ipynb"):
        hand_in(name=name)(folder, released)


def with_others(folder, released):
    for name in ("bptt.ipynb", "bptt-Copy1.ipynb", ".hidden.ipynb"):
        hand_in(name=name)(folder, released)
    (folder / "old.ipynb").mkdir()
    (folder / ".ipynb_checkpoints").mkdir()
    hand_in(name=".ipynb_checkpoints/bptt-checkpoint.ipynb")(folder, released)


def timed(folder, released, text="99999-13-45 tomorrow\n"):
    hand_in()(folder, released)
    (folder / "timestamp.txt").write_text(text)


def linked_folder(folder, released):
    folder.rmdir()
    folder.symlink_to(COURSE / "solutions" / folder.name)


def notebook_folder(folder, released):
    (folder / "bptt.ipynb").mkdir()
    hand_in(name="bptt.ipynb/bptt.ipynb")(folder, released)


def latin(raw):
    text = json.dumps(json.loads(raw), ensure_ascii=False)
    return text.replace("Mean surprise", "Überraschung, gemittelt: é").encode("cp1252", errors="replace")


def spread(notebook):
    """All answers in one cell, at the end, in a cell of one's own."""
    for cell in notebook.cells:
        if cell.id in ALL:
            cell.source = ""
    notebook.cells.insert(2, new_code_cell("\n\n".join(SOLVED.values()), id="everything"))


def files(id, tries, put, loses=(), status="graded", **words):
    return Attack(id, tries, put, loses, status, family="files", **words)


def no_notebook(id, tries, put, **words):
    return files(id, tries, put, ALL, "unreadable", **words)


ATTACKS = [
    no_notebook("empty-file", "The file is empty.", content(b"")),
    no_notebook("zero-bytes", "The file is made of zero bytes.", content(bytes(10**6))),
    no_notebook(
        "cut-off", "The sample class's: the file ends in the middle.", hand_in_text(lambda raw: raw[:2000])
    ),
    no_notebook(
        "web-page", "The file is a log-in page.", content(b"<html><body>Please log in.</body></html>")
    ),
    no_notebook("archive", "The file is an archive.", content(b"PK\x03\x04" + os.urandom(1000))),
    no_notebook("only-a-list", "The file is JSON, but a list.", content(b"[1, 2, 3]")),
    no_notebook(
        "endless-spaces", "A hundred and thirty megabytes of blanks.", content(b"{" + b" " * 130_000_000)
    ),
    no_notebook("deep-json", "A million brackets.", content(b'{"cells": ' + b"[" * 10**6)),
    no_notebook(
        "endless-number",
        "A number of a million digits.",
        content(b'{"cells": [], "nbformat": ' + b"9" * 10**6 + b"}"),
    ),
    no_notebook("two-notebooks", "Two notebooks, neither with the lesson's name.", two_others),
    no_notebook("folder-as-notebook", "A folder has the notebook's name.", notebook_folder),
    no_notebook(
        "pipe",
        "The file is a named pipe, at which reading waits for ever.",
        lambda folder, released: os.mkfifo(folder / "bptt.ipynb"),
    ),
    no_notebook(
        "device",
        "The file is a link to an endless device.",
        lambda folder, released: os.symlink("/dev/zero", folder / "bptt.ipynb"),
    ),
    files(
        "no-cells",
        "The notebook has no cells.",
        hand_in_json(lambda data: {"cells": [], "nbformat": 4}),
        ALL,
        "not attempted",
    ),
    files("format-2", "Notebook format 2.", version(2), says="old notebook format"),
    files("format-3", "Notebook format 3.", version(3), says="old notebook format"),
    files(
        "no-metadata",
        "All metadata and names of cells are gone.",
        hand_in_json(no_metadata),
        says="by its function's name",
    ),
    files(
        "damaged-cells",
        "Numbers, lists and nothing among the cells.",
        hand_in_json(damaged_cells),
        says="damaged cells",
    ),
    files(
        "wrong-types",
        "Hardly a field of the file has the type that it should have.",
        hand_in_json(wrong_types),
    ),
    files(
        "odd-numbers",
        "NaN and infinity where points should be.",
        hand_in_json(odd_numbers),
        says="changed points",
    ),
    files(
        "byte-order-mark",
        "The file begins with a byte-order mark.",
        hand_in_text(lambda raw: b"\xef\xbb\xbf" + raw),
    ),
    files("utf-16", "The file is in UTF-16.", hand_in_text(lambda raw: raw.decode().encode("utf-16"))),
    files("windows-1252", "The file is in Windows-1252.", hand_in_text(latin)),
    files(
        "surrogates",
        "Half of a surrogate pair in the text.",
        hand_in_text(lambda raw: raw.replace(b"Mean surprise", b"Mean \\ud800 surprise")),
    ),
    files(
        "null-in-code",
        "An answer has a zero byte in it, which Python does not read.",
        hand_in({LOSS: SOLVED[LOSS] + "\0"}),
        (LOSS,),
        "partly graded",
    ),
    files(
        "other-name",
        "The notebook has another name.",
        hand_in(name="my homework (2).ipynb"),
        says="was taken for",
    ),
    files(
        "text-ending",
        "A browser has saved the notebook as text.",
        hand_in(name="bptt.ipynb.txt"),
        says="was taken for",
    ),
    files("capital-ending", "The name is in capitals.", hand_in(name="BPTT.IPYNB"), says="was taken for"),
    files(
        "latin-name",
        "The notebook's name is in Latin-1, from an old archive.",
        hand_in(name=os.fsdecode(b"\xdcbung.ipynb")),
        says="was taken for",
    ),
    files(
        "long-name",
        "A name of 82 Chinese letters, as long as a disk allows.",
        hand_in(name="\u6c49" * 82 + ".ipynb"),
        says="was taken for",
    ),
    no_notebook(
        "linked-folder", "The folder is a link to the solution's.", linked_folder, says="not followed"
    ),
    files("more-notebooks", "Copies, checkpoints and folders lie beside the notebook.", with_others),
    files("odd-time", "The time of submission is no time.", timed, says="could not be read"),
    files(
        "zone-of-letters",
        "The time of submission is in a zone whose letters are those of three.",
        partial(timed, text="2026-11-01 17:00:00.000000 IST\n"),
        says="may be one of several",
    ),
    files("stored-outputs-30-mb", "Thirty megabytes of stored outputs.", stored(3 * 10**7)),
    files("stored-outputs-100-mb", "A hundred megabytes of stored outputs.", stored(10**8)),
    files("malformed-outputs", "Stored outputs of every wrong form.", hand_in_json(malformed_outputs)),
    files(
        "many-cells", "Three thousand cells were added.", hand_in(change=many_cells), says="only the first"
    ),
    files("long-names", "Names of cells a hundred thousand letters long.", hand_in_json(long_names)),
    files("giant-text", "A text cell of two megabytes.", hand_in(change=add_markdown("*a* " * 500_000))),
    no_notebook(
        "list-of-texts",
        "A file of millions of texts, small on disk and large in memory.",
        hand_in_json(lambda data: data["cells"][1].update(source=["a"] * 3 * 10**6)),
        says="more than the 1,000,000 values",
    ),
    no_notebook(
        "empty-cells",
        "Twenty thousand empty cells.",
        hand_in_json(lambda data: data["cells"].extend([{"cell_type": "code"}] * 20_000)),
        says="more than the 10,000 that are read",
    ),
    files("deep-attachments", "Attachments within attachments, 600 deep.", hand_in_json(deep_attachments)),
    files("one-cell", "All answers in one cell that the student added.", hand_in(change=spread)),
]
