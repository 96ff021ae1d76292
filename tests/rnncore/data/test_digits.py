"""The shipped digits are what the script makes, and no image is in both splits."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from rnncore.data import FILES
from rnncore.data.digits import END, PAD, START, WORDS, decode, digits, encode
from tools.data import digits as make_digits

FILE = FILES / "digits.npz"
needs_sklearn = pytest.mark.skipif(find_spec("sklearn") is None, reason="scikit-learn makes the file again")


def test_each_split_has_every_digit_about_equally_often():
    for split, count in (("train", 1400), ("test", 397)):
        images, labels = digits(split)
        assert images.shape == (count, 8, 8) and images.dtype == np.float32
        assert images.min() == 0 and images.max() == 1
        counts = np.bincount(labels, minlength=10)
        assert len(counts) == 10 and counts.max() - counts.min() < 0.1 * counts.mean()


def test_no_image_is_in_both_splits():
    seen, new = ({image.tobytes() for image in digits(split)[0]} for split in ("train", "test"))
    assert len(seen) == 1400 and len(new) == 397 and not seen & new


def test_a_digit_looks_like_its_label():
    (images, labels), (held_out, answers) = digits("train"), digits("test")
    distances = ((held_out[:, None] - images) ** 2).sum(axis=(2, 3))
    assert (labels[distances.argmin(axis=1)] == answers).mean() > 0.9


def test_another_split_is_refused():
    with pytest.raises(ValueError, match='split is \'all\', expected "train" or "test"'):
        digits("all")


@needs_sklearn
def test_the_digits_are_what_the_script_makes():
    from sklearn.datasets import load_digits

    source = load_digits()
    images, labels = (np.concatenate(parts) for parts in zip(digits("train"), digits("test"), strict=True))
    np.testing.assert_array_equal(images * 16, source.images)
    np.testing.assert_array_equal(labels, source.target)
    assert FILE.read_bytes() == make_digits.made()


@needs_sklearn
def test_the_script_writes_and_compares(tmp_path, monkeypatch, capsys):
    target = tmp_path / "digits.npz"
    monkeypatch.setattr(sys, "argv", ["make_digits", "--to", str(target)])
    make_digits.main()
    assert target.read_bytes() == FILE.read_bytes()
    monkeypatch.setattr(sys, "argv", ["make_digits", "--to", str(target), "--check"])
    make_digits.main()
    assert "is what this script makes" in capsys.readouterr().out
    target.write_bytes(b"other")
    with pytest.raises(SystemExit) as stop:
        make_digits.main()
    assert stop.value.code == 1 and target.read_bytes() == b"other"


def test_the_script_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.setattr(sys, "argv", ["make_digits"])
    with pytest.raises(SystemExit) as stop:
        make_digits.main()
    assert stop.value.code == 1
    assert "install it with: python -m pip install scikit-learn" in capsys.readouterr().err


def test_the_source_is_named():
    licence = FILE.with_name("digits.LICENSE.txt").read_text(encoding="utf-8")
    assert "CC BY 4.0" in licence and "BSD 3-Clause" in licence and "scikit-learn, version" in licence


def test_captions_are_padded_behind_their_end_and_come_back_as_words():
    ids = encode(["a three above an eight", "a zero left of a one"])
    assert ids.shape == (2, 8)
    assert (ids[:, 0] == START).all() and ids[0, 6] == ids[1, 7] == END and ids[0, 7] == PAD
    assert decode(ids[0, 1:6]) == "a three above an eight"
    assert len(set(WORDS)) == len(WORDS) == 20
    with pytest.raises(ValueError, match="captions hold 'beside', which is not one of the 20 words"):
        encode(["a three beside a four"])
