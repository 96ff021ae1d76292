"""How fast all states of a linear recurrence are, by length: python -m tests.benchmarks.scan

Four ways, forward, in float32 on the same cores: the loop over time as it is written, lesson 14's scan in
log2 T rounds, the chunks in which ``rnncore.layers.MinGRU`` runs, and the scan in torch. Beside them stand
``torch.cumsum``, which is the same recurrence with all factors 1, and what no way can do without: reading
a and b once and writing h once, which is what ``np.add`` of two arrays into a third does. Each round times
all of them one after the other, each once untimed first; ratios are medians of the rounds' ratios. Nothing is
asserted. With ``--write docs/speed.md`` the table becomes a section of that page.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

from rnncore.layers.min_gru import recurrence
from rnncore.topics.scan import scan

LENGTHS = (64, 256, 1024, 4096, 16384)
WIDTHS = ((4, 16), (16, 64))  # B, H
TITLE = "\n## A linear recurrence by length\n"
SECTION = (
    TITLE
    + """
Written by `python -m tests.benchmarks.scan --write docs/speed.md`. Milliseconds for all states of
h_t = a_t * h_(t-1) + b_t, forward, in float32 on one core{shared}. *loop* is the
recurrence as it is written, *scan* is lesson 14's, in log2 T rounds, *chunks* is what
`rnncore.layers.MinGRU` runs on, *torch* is the scan on tensors. *cumsum* is `torch.cumsum`, the same with
all factors 1; *memory* reads a and b once and writes h once, `np.add(a, b, out=h)`, which every way has to
do at least. Ratios are medians of each round's ratios.

{table}

A scan passes over all numbers in every round, {least} to {most} times here: where steps are narrow that is
still less than a call for each step, where they are wide it is not. Where steps are narrow the chunks pass
over them three times, with about 2 sqrt(T) calls; where they are wide they are the loop, without its fresh
arrays.
"""
)


def loop(a, b, h0):
    h, states = h0, np.empty_like(b)
    for t in range(a.shape[1]):
        h = states[:, t] = a[:, t] * h + b[:, t]
    return states


def ways(B, T, H):
    """{name: a run} of every way over the same numbers."""
    import torch

    from rnncore.interop.min_gru import scan as torch_scan

    rng = np.random.default_rng(0)
    a, b = rng.random((2, B, T, H), dtype=np.float32)
    h0, out = np.zeros((B, H), np.float32), np.empty_like(b)
    time_first = [np.ascontiguousarray(array.swapaxes(0, 1)) for array in (a, b)]
    tensors = [torch.from_numpy(array) for array in (a, b, h0)]
    return {
        "loop": lambda: loop(a, b, h0),
        "scan": lambda: scan(a, b, h0),
        "chunks": lambda: recurrence(*time_first, h0),
        "torch": lambda: torch_scan(*tensors),
        "cumsum": lambda: torch.cumsum(tensors[1], dim=1),
        "memory": lambda: np.add(a, b, out=out),
    }


def seconds(run):
    run()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def row(B, T, H, budget):
    """One row of the table."""
    runs, times, start = ways(B, T, H), [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - start < budget:
        times.append([seconds(run) for run in runs.values()])
    one = dict(zip(runs, np.array(times).T, strict=True))
    pairs = [("scan", "loop"), ("chunks", "loop"), ("torch", "cumsum"), ("chunks", "memory")]
    ratios = [f"{np.median(one[this] / one[that]):.2f}" for this, that in pairs]
    milliseconds = [f"{ms:.3g}" if ms < 1000 else f"{ms:.0f}" for ms in 1e3 * np.median(times, axis=0)]
    return [str((B, T, H)), *milliseconds, *ratios, str(len(times))]


HEAD = ["(B, T, H)", "loop", "scan", "chunks", "torch", "cumsum", "memory"]
HEAD += ["scan / loop", "chunks / loop", "torch / cumsum", "chunks / memory", "rounds"]


def section_of(path):
    """The section of a page that this writes, up to the next title; nothing if there is none."""
    text = path.read_text() if path.is_file() else ""
    start = text.find(TITLE)
    if start < 0:
        return ""
    end = text.find("\n## ", start + len(TITLE))
    return text[start:] if end < 0 else text[start:end]


def main():
    import torch

    from tests.benchmarks import grading
    from tests.benchmarks.layers import table

    parser = argparse.ArgumentParser(description="Time linear recurrences by length.")
    parser.add_argument("--seconds", type=float, default=3.0, help="about how long to measure each size")
    parser.add_argument("--shared", action="store_true", help="say that other work ran beside it")
    parser.add_argument("--write", type=Path, help="a Markdown file with a section for the table")
    options = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        os.environ |= dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"], "1")
        os.execv(sys.executable, [sys.executable, "-m", "tests.benchmarks.scan", *sys.argv[1:]])
    torch.set_num_threads(1)
    rows = []
    for B, H in WIDTHS:
        for T in LENGTHS:
            rows.append(row(B, T, H, options.seconds))
            print("  ".join(rows[-1]), flush=True)
    written = table(HEAD, rows)
    print(written)
    if options.write:
        section = SECTION.format(
            table=written,
            shared=" of a machine that other work shared meanwhile" if options.shared else "",
            least=int(np.log2(LENGTHS[0])),
            most=int(np.log2(LENGTHS[-1])),
        )
        last = grading.section_of(options.write)
        text = options.write.read_text().removesuffix(last).replace(section_of(options.write), "")
        options.write.write_text(text + section + last)


if __name__ == "__main__":
    main()
