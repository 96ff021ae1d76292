"""How long a piece of work takes, on whichever device it runs: the speeds of lessons 09 and 14."""

import sys
from time import perf_counter


def milliseconds(run, repeats=10):
    """The quickest of ``repeats`` calls of run(), after one to warm up, in milliseconds.

    The quickest, because whatever else a machine does can only add to it. On a GPU a call returns before
    its work is done, so the clock stops only when the GPU has finished.
    """
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}, expected at least 1")
    torch = sys.modules.get("torch")  # what has not been imported has given no GPU anything to do
    wait = torch.cuda.synchronize if torch and torch.cuda.is_available() else lambda: None
    times = []
    for _ in range(repeats + 1):
        wait()
        start = perf_counter()
        run()
        wait()
        times.append(1000 * (perf_counter() - start))
    return min(times[1:])


def gpu_scan(T, width, where="cuda"):
    """Milliseconds of lesson 14's scan over (1, T, width) on a GPU; None where there is no GPU or torch."""
    try:
        import torch

        from rnncore.interop.min_gru import scan
    except ImportError:
        return None
    if where == "cuda" and not torch.cuda.is_available():
        return None
    a, b = torch.rand(2, 1, T, width, device=where)
    h0 = torch.zeros(1, width, device=where)
    return milliseconds(lambda: scan(a, b, h0), repeats=3)
