"""A run that was stopped, however roughly, goes on to the numbers that it would have reached."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from rnncore.layers import RNN, Linear
from rnncore.losses import softmax_cross_entropy
from rnncore.optim import SGD, Adam, join
from rnncore.train import train

B, T, D, H, V = 3, 5, 4, 6, 2
OPTIMISERS = {"adam": lambda p: Adam(p, 0.02), "momentum": lambda p: SGD(p, 0.1, momentum=0.9)}


class Stopped(Exception):
    pass


def run(epochs, optimiser="adam", checkpoint=None, rng=None, stop_at=None, hidden=H, dtype=np.float64):
    """Train on batches and dropout that are drawn afresh; stop_at raises in the middle of an epoch."""
    start = np.random.default_rng(1)
    rnn, output = (
        RNN(D, hidden, rng=start, dtype=dtype),
        Linear(hidden, V, rng=start, dtype=dtype),
    )
    rng = np.random.default_rng(2) if rng is None else rng
    taken = []

    def batches():
        return [(rng.normal(size=(B, T, D)), rng.integers(0, V, size=(B, T))) for _ in range(4)]

    def step(batch):
        x, targets = batch
        taken.append(batch)
        if len(taken) == stop_at:
            raise Stopped
        y, _, cache = rnn.forward(x * (rng.random(x.shape) < 0.8))
        logits, cache_output = output.forward(y)
        loss, dlogits = softmax_cross_entropy(logits, targets)
        dy, grads_output = output.backward(dlogits, cache_output)
        _, _, grads = rnn.backward(dy, cache)
        return loss, join(rnn=grads, output=grads_output)

    made = OPTIMISERS[optimiser](join(rnn=rnn.params, output=output.params))
    history = train(
        step, batches, made, epochs=epochs, max_norm=1, progress=False, checkpoint=checkpoint, rng=rng
    )
    return history, made.params, len(taken)


def same(one, other):
    """Bit for bit: the losses, the norms and the parameters."""
    assert one[0].losses == other[0].losses and one[0].norms == other[0].norms
    for name, array in one[1].items():
        np.testing.assert_array_equal(array, other[1][name])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("generator", [np.random.PCG64, np.random.MT19937, np.random.SFC64, np.random.Philox])
@pytest.mark.parametrize("optimiser", list(OPTIMISERS))
def test_a_stopped_run_goes_on_to_the_same_numbers(tmp_path, optimiser, generator, dtype):
    def rng():
        return np.random.Generator(generator(5))

    path = tmp_path / "run.npz"
    whole = run(5, optimiser, rng=rng(), dtype=dtype)
    with pytest.raises(Stopped):
        run(5, optimiser, path, rng(), stop_at=11, dtype=dtype)  # in the third epoch
    rest = run(5, optimiser, path, rng(), dtype=dtype)
    same(rest, whole)
    assert rest[2] == 3 * 4, "two of five epochs were done"
    assert rest[0].seconds == sorted(rest[0].seconds) and len(rest[0].seconds) == 20
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


def test_a_run_that_is_complete_takes_no_step_and_can_be_made_longer(tmp_path):
    path = tmp_path / "run.npz"
    first = run(2, checkpoint=path)
    again = run(2, checkpoint=path)
    same(again, first)
    assert again[2] == 0
    same(run(3, checkpoint=path), run(3))


def test_the_file_is_plain_and_the_run_is_the_same_without_it(tmp_path):
    path = tmp_path / "run.npz"
    same(run(2, checkpoint=path), run(2))
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    assert int(arrays["epoch"]) == 2 and len(arrays["history/losses"]) == 8
    assert arrays["params/rnn.weight_hh_l0"].shape == (H, H)
    assert arrays["optimiser/Adam.mean.rnn.weight_hh_l0"].shape == (H, H)
    assert not any(array.dtype == object for array in arrays.values())


KILLED_WHILE_WRITING = """
import os, signal, sys, zipfile
from tests.rnncore.test_checkpoint import run

open_member, count = zipfile.ZipFile.open, 0

def open_some(archive, name, mode="r", **options):
    global count
    count += 1
    if mode == "w" and count == int(sys.argv[2]):
        archive.fp.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return open_member(archive, name, mode, **options)

zipfile.ZipFile.open = open_some
run(4, checkpoint=sys.argv[1])
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_run_killed_while_it_writes_loses_one_epoch_and_no_more(tmp_path):
    path = tmp_path / "run.npz"
    run(1, checkpoint=path)
    with np.load(path) as file:
        arrays = len(file.files)
    path.unlink()
    # In the middle of the third file that it writes.
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, path, str(2 * arrays + arrays // 2)]
    killed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.npz", "run.npz.partial"]
    assert 0 < (tmp_path / "run.npz.partial").stat().st_size < path.stat().st_size
    rest = run(4, checkpoint=path)
    assert rest[2] == 2 * 4
    same(rest, run(4))
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"], "what was left lying is used up"


def test_a_checkpoint_of_something_else_is_named_and_changes_nothing(tmp_path):
    path = tmp_path / "run.npz"
    run(1, checkpoint=path)
    kept = path.read_bytes()
    for options, sentence in [
        ({"hidden": 7}, "another model: output.weight is float64 of shape (2, 6) in the file and "),
        ({"hidden": 7}, "float64 of shape (2, 7) here; name another file, or remove it to start anew"),
        (
            {"dtype": np.float32},
            "another model: output.bias is float64 of shape (2,) in the file and float32 ",
        ),
        (
            {"optimiser": "momentum"},
            "another optimiser: Adam.mean.output.bias is float64 of shape (2,) in the ",
        ),
        ({"rng": np.random.Generator(np.random.SFC64(1))}, "rng is SFC64 and was PCG64 when "),
    ]:
        with pytest.raises(ValueError, match=re.escape(sentence)):
            run(2, checkpoint=path, **options)
        assert path.read_bytes() == kept


def test_a_model_with_other_parameters_is_another_model(tmp_path):
    path = tmp_path / "run.npz"
    step = lambda batch: (1.0, {name: np.ones(2) for name in params})  # noqa: E731
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    train(step, [0], SGD(params, 0.1), progress=False, checkpoint=path)
    params = {"a": np.zeros(2)}
    with pytest.raises(
        ValueError, match=re.escape("b is float64 of shape (2,) in the file and missing here")
    ):
        train(step, [0], SGD(params, 0.1), progress=False, checkpoint=path)
    np.testing.assert_array_equal(params["a"], 0)


def test_a_file_that_is_no_checkpoint_is_named(tmp_path):
    path = tmp_path / "run.npz"
    run(1, checkpoint=path)
    whole = path.read_bytes()
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    np.save(tmp_path / "array.npy", np.ones(3))
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 255
    others = [(tmp_path / name).read_bytes() for name in ("other.npz", "array.npy")]
    for content in (b"", b"hello", whole[: len(whole) // 2], whole[:-30], bytes(damaged), *others):
        path.write_bytes(content)
        with pytest.raises(
            ValueError, match=r"run\.npz is not a checkpoint of rnncore: name another file, or "
        ):
            run(1, checkpoint=path)
        assert path.read_bytes() == content


def test_what_would_fail_after_an_epoch_fails_before_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*gone: make it first"):
        run(1, checkpoint=tmp_path / "gone" / "run.npz")

    class Own:
        params = {"w": np.zeros(2)}  # noqa: RUF012

        def step(self, grads):
            raise AssertionError("no step may be taken")

    with pytest.raises(TypeError, match=re.escape("optimiser is Own and has no state(): a checkpoint needs")):
        train(
            lambda batch: (1.0, {"w": np.ones(2)}), [0], Own(), progress=False, checkpoint=tmp_path / "a.npz"
        )


def test_a_loss_that_is_not_finite_leaves_the_last_good_checkpoint(tmp_path):
    path = tmp_path / "run.npz"
    params, losses = {"w": np.zeros(2)}, iter([1.0, 1.0, 1.0, np.nan])
    optimiser = SGD(params, 0.1)
    with pytest.raises(FloatingPointError, match="the loss is nan at step 2 of epoch 2"):
        train(
            lambda batch: (next(losses), {"w": np.ones(2)}),
            [0, 1],
            optimiser,
            epochs=3,
            progress=False,
            checkpoint=path,
        )
    with np.load(path) as file:
        assert int(file["epoch"]) == 1 and file["history/losses"].tolist() == [1.0, 1.0]
        np.testing.assert_allclose(file["params/w"], -0.2)
