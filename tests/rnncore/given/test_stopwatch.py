"""The stopwatch warms up once, takes the quickest run, and waits for a GPU to finish."""

import sys
from types import SimpleNamespace

import pytest

from rnncore.given import stopwatch


def watch(monkeypatch, durations, **options):
    """What milliseconds says when its calls take so many seconds by a clock of our own, and the calls."""
    now, calls = [0.0], []

    def run():
        calls.append(durations[len(calls)])
        now[0] += calls[-1]

    monkeypatch.setattr(stopwatch, "perf_counter", lambda: now[0])
    return stopwatch.milliseconds(run, **options), len(calls)


def test_the_quickest_run_counts_and_the_first_does_not(monkeypatch):
    assert watch(monkeypatch, [0.001, 0.5, 0.25, 2.0], repeats=3) == (250.0, 4)


def test_it_waits_for_the_gpu_before_and_after_each_run(monkeypatch):
    waits = []
    cuda = SimpleNamespace(is_available=lambda: True, synchronize=lambda: waits.append(True))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    watch(monkeypatch, [1.0] * 3, repeats=2)
    assert len(waits) == 6


def test_it_needs_at_least_one_run(monkeypatch):
    with pytest.raises(ValueError, match="repeats is 0"):
        watch(monkeypatch, [1.0], repeats=0)


def test_a_scan_on_a_gpu_is_none_where_there_is_none():
    torch = pytest.importorskip("torch")
    assert (stopwatch.gpu_scan(5, 3) is None) == (not torch.cuda.is_available())
    assert stopwatch.gpu_scan(5, 3, where="cpu") > 0
