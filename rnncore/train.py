"""The one training loop: batches, forward, loss, backward, clip, step, history, progress bar.

What forward, loss and backward are is yours: ``step(batch)`` returns the loss and its gradients. With
a ``checkpoint`` a run that was stopped goes on where it was (``rnncore.checkpoint``).
"""

import sys
import time
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from rnncore import checkpoint as checkpoints
from rnncore.optim import clip_grad_norm

if sys.platform == "emscripten":
    tqdm.monitor_interval = 0  # a browser has no thread for tqdm's watchman


@dataclass
class History:
    """What happened at each step: loss, gradient norm before clipping, seconds since the start."""

    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __repr__(self):
        if not self.losses:
            return "History of 0 steps"
        return f"History of {len(self.losses)} steps: loss {self.losses[0]:.4f} -> {self.losses[-1]:.4f}"


def train(step, batches, optimiser, *, epochs=1, max_norm=None, progress=True, checkpoint=None, rng=None):
    """Train until the batches of all epochs are used, and return the History.

    step(batch) returns loss, grads; batches is a list, or a function without arguments that returns
    the batches of the next epoch; gradients are clipped to max_norm if it is given. A loss or a
    gradient that is not finite raises FloatingPointError, before it reaches the parameters.

    checkpoint is the path of a .npz file that is written after every epoch. If it exists already,
    training goes on from there, to the numbers that it would have reached without a stop: give the
    generator that step or batches draw from as rng then, so that it goes on too.
    """
    history = History()
    done = 0
    if checkpoint is not None:
        done = checkpoints.resume(checkpoint, optimiser, history, rng)
    start = time.perf_counter() - (history.seconds[-1] if history.seconds else 0)
    bar = _progress_bar(progress)
    try:
        for epoch in range(done + 1, epochs + 1):
            now = batches() if callable(batches) else batches
            if bar.total is None and hasattr(now, "__len__"):
                bar.reset(total=(epochs - done) * len(now))
            count = 0
            for count, batch in enumerate(now, start=1):
                loss, grads = step(batch)
                grads, norm = clip_grad_norm(grads, np.inf if max_norm is None else max_norm)
                if not (np.isfinite(loss) and np.isfinite(norm)):
                    raise FloatingPointError(_diverged(loss, norm, count, epoch, max_norm))
                optimiser.step(grads)
                history.losses.append(float(loss))
                history.norms.append(norm)
                history.seconds.append(time.perf_counter() - start)
                bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
                bar.update()
            if count == 0:
                raise ValueError(
                    f"batches has nothing in it in epoch {epoch}; give a list, "
                    "or a function that returns the batches of the next epoch"
                )
            if checkpoint is not None:
                checkpoints.save(checkpoint, optimiser, history, epoch, rng)
    finally:
        bar.close()
    return history


def _diverged(loss, norm, step, epoch, max_norm):
    what = f"the loss is {loss}" if not np.isfinite(loss) else f"the gradient's norm is {norm}"
    clip = "give max_norm=1, or " if max_norm is None else ""
    return f"{what} at step {step} of epoch {epoch}: {clip}make the optimiser's lr smaller and start anew"


def _progress_bar(progress):
    """A bar on the terminal, or in a notebook one line of output; nothing where neither would show it."""
    options = {"disable": not progress, "unit": "step", "mininterval": 0.2}
    output = _notebook_output() if progress else None
    if output is not None:
        return tqdm(file=output, ncols=80, **options)
    if progress and not sys.stderr.isatty():
        options["disable"] = True
    return tqdm(**options)


def _notebook_output():
    """Something like a file that shows what is written to it in place; None outside a notebook.

    A notebook keeps what is written to stderr, as one red block for every state of the bar. One
    display that is updated leaves a single line, and needs no widgets.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or not hasattr(shell, "kernel"):
        return None

    class Output:
        def __init__(self):
            self.handle = ipython.display.display({"text/plain": ""}, raw=True, display_id=True)

        def write(self, text):
            if text.strip():
                self.handle.update({"text/plain": text.strip("\r\n ")}, raw=True)

        def flush(self):
            pass

    return Output()
