"""A training run on disk, so that one that was stopped goes on to the same numbers.

``train`` writes one after every epoch: a plain .npz with the parameters, what the optimiser remembers,
the history, the epoch and the random generator's state. The file is written beside its place and then
moved there in one step, so whatever happens, what stands there is whole: the last epoch's or the new one's.
"""

import json
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

HISTORY = ("losses", "norms", "seconds")
# What reading raises for a file of another kind, or one cut short.
NOT_A_CHECKPOINT = (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


def save(path, optimiser, history, epoch, rng=None):
    """Write the state of a training run after ``epoch`` epochs to ``path``, whole or not at all."""
    path = Path(path)
    arrays = _live(optimiser) | {f"history/{name}": np.array(getattr(history, name)) for name in HISTORY}
    arrays |= {"epoch": np.array(epoch), "rng": np.array(_state_of(rng)), "format": np.array(1)}
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())  # on the disk before it takes the old one's place
    os.replace(partial, path)


def resume(path, optimiser, history, rng=None):
    """Put what ``path`` holds into optimiser, its parameters, history and rng; return the epochs done.

    Without a file nothing changes and 0 epochs are done. ValueError where the file is no checkpoint, or
    one of another model, another optimiser, or a run without (or with another kind of) rng.
    """
    path, live = Path(path), _live(optimiser)
    if not path.parent.is_dir():  # now, and not when the first epoch's work would be lost
        raise FileNotFoundError(f"checkpoint is {path}, and there is no folder {path.parent}: make it first")
    if not path.exists():
        return 0
    try:
        # Opened here, since np.load leaves a file that it cannot read open.
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            saved = dict(file)
        saved["format"]
    except NOT_A_CHECKPOINT:
        raise ValueError(f"{path} is not a checkpoint of rnncore: name another file, or remove it") from None
    theirs = {name for name in saved if name.startswith(("params/", "optimiser/"))}
    for name in sorted(live.keys() | theirs, key=lambda name: (not name.startswith("params/"), name)):
        there, here = _kind(saved.get(name)), _kind(live.get(name))
        if there != here:
            group, _, rest = name.partition("/")
            what = "model" if group == "params" else "optimiser"
            raise ValueError(
                f"{path} is a checkpoint of another {what}: {rest} is {there} in the file and {here} here; "
                "name another file, or remove it to start anew"
            )
    _restore_rng(rng, str(saved["rng"]), path)
    for name, array in live.items():
        array[...] = saved[name]
    for name in HISTORY:
        getattr(history, name)[:] = saved[f"history/{name}"].tolist()
    return int(saved["epoch"])


def _live(optimiser):
    """Every array that a step changes, by a name for the file."""
    if not hasattr(optimiser, "state"):
        raise TypeError(
            f"optimiser is {type(optimiser).__name__} and has no state(): a checkpoint needs one, "
            "which returns a dict of all arrays that step() changes besides the parameters"
        )
    kind = type(optimiser).__name__
    arrays = {f"params/{name}": array for name, array in optimiser.params.items()}
    return arrays | {f"optimiser/{kind}.{name}": array for name, array in optimiser.state().items()}


def _kind(array):
    return "missing" if array is None else f"{array.dtype} of shape {array.shape}"


def _state_of(rng):
    if rng is None:
        return ""
    # A state is numbers, words and, for some generators, arrays.
    return json.dumps(rng.bit_generator.state, default=lambda value: value.tolist())


def _restore_rng(rng, text, path):
    kept = json.loads(text) if text else None
    there = kept["bit_generator"] if kept else "none"
    here = rng.bit_generator.state["bit_generator"] if rng is not None else "none"
    if there != here:
        raise ValueError(
            f"rng is {here} and was {there} when {path} was written: give the same kind of generator, "
            "or remove the file to start anew"
        )
    if kept:
        rng.bit_generator.state = kept
