"""How fast the recurrent layers are: python -m tests.benchmarks.layers

Forward and backward in float32, against torch.nn on the same cores, and against the matrix products
that the mathematics needs, alone, in NumPy. Each round times all three one after the other, each once
untimed first; the table shows the median of the rounds' ratios, which a busy machine disturbs least.
OMP_NUM_THREADS=1 gives one core to both. Nothing is asserted: a time is a fact about a machine.
"""

import argparse
import os
import time

import numpy as np
import torch

from rnncore.layers import RNN

SIZES = [(16, 25, 32, 64), (32, 50, 64, 128), (64, 100, 128, 256), (64, 100, 256, 512)]


def ours(B, T, D, H, rng):
    layer = RNN(D, H, rng=rng, dtype=np.float32)
    x = rng.normal(size=(B, T, D)).astype(np.float32)
    dy = rng.normal(size=(B, T, H)).astype(np.float32)

    def run():
        _, _, cache = layer.forward(x)
        layer.backward(dy, cache)

    return run


def theirs(B, T, D, H, rng):
    module = torch.nn.RNN(D, H, batch_first=True)
    x = torch.tensor(rng.normal(size=(B, T, D)).astype(np.float32), requires_grad=True)
    dy = torch.tensor(rng.normal(size=(B, T, H)).astype(np.float32))

    def run():
        module.zero_grad()
        x.grad = None
        module(x)[0].backward(dy)

    return run


def products(B, T, D, H, rng):
    """The six kinds of product, on arrays that lie in memory as BLAS likes them best."""

    def drawn(*shape):
        return rng.normal(size=shape).astype(np.float32)

    x, h, da = drawn(T * B, D), drawn(T, B, H), drawn(T, B, H)
    weight_ih, weight_hh, transposed_hh = drawn(H, D), drawn(H, H), drawn(H, H)
    step = np.empty((B, H), np.float32)
    rows, rows_h = da.reshape(T * B, H), h.reshape(T * B, H)

    def run():
        _ = x @ weight_ih.T
        for t in range(T):
            np.matmul(h[t], transposed_hh, out=step)
        for t in range(T):
            np.matmul(da[t], weight_hh, out=step)
        _ = rows.T @ x, rows.T @ rows_h, rows @ weight_ih

    return run


def seconds(run):
    run()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description="Time the recurrent layers against torch and against BLAS.")
    parser.add_argument("--seconds", type=float, default=5.0, help="about how long to measure each size")
    budget = parser.parse_args().seconds
    print(f"RNN, float32, forward + backward; {torch.get_num_threads()} threads, {os.cpu_count()} cores")
    print(
        f"{'(B, T, D, H)':>20}  {'ours':>9}  {'torch':>9}  {'products':>9}  ours/torch  ours/products  rounds"
    )
    for size in SIZES:
        rng = np.random.default_rng(0)
        runs = [make(*size, rng) for make in (ours, theirs, products)]
        times, start = [], time.perf_counter()
        while len(times) < 5 or time.perf_counter() - start < budget:
            times.append([seconds(run) for run in runs])
        times = np.array(times)
        milliseconds = "  ".join(f"{1e3 * t:6.2f} ms" for t in np.median(times, axis=0))
        to_torch, to_products = (np.median(times[:, 0] / times[:, i]) for i in (1, 2))
        print(
            f"{size!s:>20}  {milliseconds}  {to_torch:9.2f}x  {to_products:12.2f}x  {len(times):6}",
            flush=True,
        )


if __name__ == "__main__":
    main()
