"""How fast the recurrent layers are, and how much memory they take: python -m tests.benchmarks.layers

Forward and backward in float32, against torch.nn on the same cores, and against the matrix products
that the mathematics needs, alone, in NumPy. Each round times all three one after the other, each once
untimed first; the table shows the median of the rounds' ratios, which a busy machine disturbs least.
Memory is measured at the largest size, each run in a process of its own. Nothing is asserted: a time is a
fact about a machine. With ``--write docs/speed.md`` the tables are written there too.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np

from rnncore.layers import GRU, LSTM, RNN
from tests.benchmarks import checks, grading, scan

KINDS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
SIZES = [(16, 25, 32, 64), (32, 50, 64, 128), (64, 100, 128, 256), (64, 100, 256, 512)]
AGAINST_TORCH = {"RNN": [0.8, 0.8, 1.0, 1.0], "LSTM": [1.05] * 4, "GRU": [0.8, 0.8, 1.0, 1.0]}
AGAINST_PRODUCTS = [None, 1.25, 1.25, 1.25]
THREADS = (1, 2)
MEMORY_TARGET = 1.2

PAGE = """# How fast it is

Written by `python -m tests.benchmarks.layers --write docs/speed.md`: edit it there.
{machine}.

Forward and backward in float32. *torch* is `torch.nn`'s layer on the same cores; *products* are only the
matrix products that the mathematics needs, in NumPy. The times are medians; the ratios are medians of the
ratios of each round, in which all three run one after the other, so that a busy machine disturbs them
least. A target is what the project holds itself to, on one thread and on two.

{times}

The same on two threads:

{times_on_two}

Where the LSTM misses its target: torch's RNN and GRU run on a CPU as one matrix product after another, as
ours do, but its LSTM is one oneDNN operation for the whole sequence (`mkldnn_rnn_layer` in its profiler).
At all but the smallest size the products alone, in NumPy, take nearly as long as the whole of it, or longer,
and to them come our passes over the gates: a NumPy call for each operation at each step. At the smallest
size these calls are most of the time, which is also why it stands so far above the products; there is no
target for that.

## Memory

What a process holds at its fullest during forward and backward, above what it held before; the median of
three processes each.

{memory}

## Waiting for a check, or an import

The slowest check in each lesson, in seconds: of a right answer, and of any known mistake.

{checks}

What an import takes, in seconds, beyond starting Python; the median of five.

{imports}
"""


def drawn(rng, *shape):
    return rng.standard_normal(shape, dtype=np.float32)


def ours(kind, B, T, D, H):
    rng = np.random.default_rng(0)
    layer = KINDS[kind](D, H, rng=rng, dtype=np.float32)
    x, dy = drawn(rng, B, T, D), drawn(rng, B, T, H)

    def run():
        _, _, cache = layer.forward(x)
        layer.backward(dy, cache)

    return run


def theirs(kind, B, T, D, H):
    import torch  # on use: a process that measures our memory is without it

    rng = np.random.default_rng(0)
    module = getattr(torch.nn, kind)(D, H, batch_first=True)
    x, dy = torch.tensor(drawn(rng, B, T, D), requires_grad=True), torch.tensor(drawn(rng, B, T, H))

    def run():
        module.zero_grad()
        x.grad = None
        module(x)[0].backward(dy)

    return run


def products(kind, B, T, D, H):
    """The six kinds of product, on arrays that lie in memory as BLAS likes them best."""
    rng, rows_of_weights = np.random.default_rng(0), KINDS[kind].gates * H
    x, h, da = drawn(rng, T * B, D), drawn(rng, T, B, H), drawn(rng, T, B, rows_of_weights)
    weight_ih, weight_hh = drawn(rng, rows_of_weights, D), drawn(rng, rows_of_weights, H)
    transposed_hh = np.ascontiguousarray(weight_hh.T)
    forth, back = np.empty((B, rows_of_weights), np.float32), np.empty((B, H), np.float32)
    rows, rows_h = da.reshape(T * B, -1), h.reshape(T * B, H)

    def run():
        _ = x @ weight_ih.T
        for t in range(T):
            np.matmul(h[t], transposed_hh, out=forth)
        for t in range(T):
            np.matmul(da[t], weight_hh, out=back)
        _ = rows.T @ x, rows.T @ rows_h, rows @ weight_ih

    return run


def seconds(run):
    run()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def time_row(kind, size, budget):
    """One row of the table of times."""
    runs = [make(kind, *size) for make in (ours, theirs, products)]
    times, start = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - start < budget:
        times.append([seconds(run) for run in runs])
    times = np.array(times)
    ratios = [np.median(times[:, 0] / times[:, i]) for i in (1, 2)]
    targets = [limits[SIZES.index(size)] for limits in (AGAINST_TORCH[kind], AGAINST_PRODUCTS)]
    milliseconds = [f"{1e3 * t:.2f}" for t in np.median(times, axis=0)]
    return [kind, str(size), *milliseconds, *map(judged, ratios, targets), str(len(times))]


def judged(ratio, target):
    """A ratio, and whether it is within its target."""
    if target is None:
        return f"{ratio:.2f}"
    return f"{ratio:.2f} (target {target:g}{'' if ratio <= target else ', missed'})"


def time_rows(threads, kinds, budget):
    """The rows of the table of times on so many threads, in a process of its own, printed as they come."""
    # BLAS reads the number once, when it is loaded.
    environment = os.environ | dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"], str(threads))
    code = f"""
        import json, torch
        from tests.benchmarks import layers
        torch.set_num_threads({threads})
        for kind in {kinds!r}:
            for size in layers.SIZES:
                print(json.dumps(layers.time_row(kind, size, {budget!r})), flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    rows = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            rows.append(json.loads(line))
            print(f"{threads} thread{'s' * (threads > 1)}", *rows[-1], sep="  ", flush=True)
    if process.returncode:
        raise RuntimeError(f"timing on {threads} threads ended with exit status {process.returncode}")
    return rows


def peak_megabytes(kind, which):
    """How much more memory a process of its own holds at its fullest than before the first round."""
    # Both libraries' threads and kernels are started at the smallest size first, so as not to count them.
    code = f"""
        from tests.benchmarks import layers
        {which} = layers.{which}
        for _ in range(2): {which}({kind!r}, *layers.SIZES[0])()
        run = {which}({kind!r}, *layers.SIZES[-1])
        before = layers.held("VmRSS")
        for _ in range(3): run()
        print(layers.held("VmHWM") - before)
    """
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True
    )
    return float(process.stdout)


def held(what):
    """The memory of this process in MB, as Linux tells it: now (VmRSS), or at its fullest (VmHWM)."""
    # Not ru_maxrss, which counts the parent's memory too: a process starts as a copy of it.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what + ":")) * 1024 / 1e6


def memory_row(kind):
    """One row of the table of memory: the median of three processes each."""
    one, other = (np.median([peak_megabytes(kind, which) for _ in range(3)]) for which in ("ours", "theirs"))
    return [kind, str(SIZES[-1]), f"{one:.0f}", f"{other:.0f}", judged(one / other, MEMORY_TARGET)]


def table(head, rows):
    """A table in Markdown that is also aligned on a screen."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def main():
    import torch

    parser = argparse.ArgumentParser(description="Time the recurrent layers against torch and against BLAS.")
    parser.add_argument("--seconds", type=float, default=5.0, help="about how long to measure each size")
    parser.add_argument("--kinds", default="RNN,LSTM,GRU", help="which layers, separated by commas")
    parser.add_argument("--write", type=Path, help="a Markdown file for the tables, such as docs/speed.md")
    options = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        # BLAS reads these once, when it is loaded: so start again with them set.
        os.environ |= dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"], "1")
        os.execv(sys.executable, [sys.executable, "-m", "tests.benchmarks.layers", *sys.argv[1:]])
    kinds = options.kinds.split(",")
    head = ["layer", "(B, T, D, H)", "ours, ms", "torch, ms", "products, ms"]
    head += ["ours / torch", "ours / products", "rounds"]
    times, times_on_two = (table(head, time_rows(threads, kinds, options.seconds)) for threads in THREADS)
    memory = table(
        ["layer", "(B, T, D, H)", "ours, MB", "torch, MB", "ours / torch"],
        [memory_row(kind) for kind in kinds],
    )
    check_rows, import_rows = checks.rows()
    waits = table(["lesson", "mistakes", "right, s", "wrong, s"], check_rows)
    imports = table(["import", "seconds"], import_rows)
    print(times, times_on_two, memory, waits, imports, sep="\n\n")
    if options.write:
        machine = (
            f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores of which 1 used where "
            f"nothing else is said; Python {platform.python_version()}, NumPy {np.__version__}, "
            f"torch {torch.__version__}"
        )
        page = PAGE.format(
            machine=machine,
            times=times,
            times_on_two=times_on_two,
            memory=memory,
            checks=waits,
            imports=imports,
        )
        options.write.write_text(page + scan.section_of(options.write) + grading.section_of(options.write))


if __name__ == "__main__":
    main()
