"""The shipped speech is what the script makes with espeak-ng, and the voices of the test stay unheard."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from rnncore.data import FILES
from rnncore.data.speech import SYMBOLS, WORDS, clips, decode, encode, speech
from rnncore.topics.speech import BANDS, log_mel
from tools.data import speech as make_speech

FILE = FILES / "speech.npz"


def espeak_version():
    if not shutil.which("espeak-ng"):
        pytest.skip("espeak-ng is needed only to make the speech again")
    said = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True).stdout
    return re.search(r"[\d.]+", said)[0]


def test_the_file_is_small_and_says_where_it_comes_from():
    assert FILE.stat().st_size < 2_000_000
    licence = (FILES / "speech.LICENSE.txt").read_text(encoding="utf-8")
    for voice in (*make_speech.TRAIN_VOICES, *make_speech.TEST_VOICES):
        assert re.search(rf"\b{voice}\b", licence)
    assert "espeak-ng, version" in licence and "GNU General Public License" in licence


def test_the_voices_of_the_test_are_never_heard_in_training():
    train, test = speech("train"), speech("test")
    assert (len(train), len(test)) == (make_speech.TRAIN, make_speech.TEST)
    heard, held_out = ({one.voice.split("+")[1] for one in split} for split in (train, test))
    assert heard == set(make_speech.TRAIN_VOICES) and held_out == set(make_speech.TEST_VOICES)
    assert not heard & held_out
    assert {one.voice.split("+")[0] for one in train} == set(make_speech.ACCENTS)


def test_every_text_can_be_spelled_by_its_frames():
    for one in speech("train") + speech("test"):
        assert one.frames.shape[1] == BANDS and one.frames.dtype == np.float32
        assert set(one.text.split()) <= set(WORDS) and 3 <= len(one.text.split()) <= 5
        assert decode(one.targets) == one.text and not (one.targets == 0).any()
        repeats = (one.targets[1:] == one.targets[:-1]).sum()
        assert len(one.frames) > 1.5 * (len(one.targets) + repeats)
    assert SYMBOLS[0] == "-" and len(set(SYMBOLS)) == len(SYMBOLS) == 17
    np.testing.assert_array_equal(encode("- e"), [0, 1, SYMBOLS.index("e")])


def test_the_features_of_the_clips_are_log_mels_up_to_rounding():
    test, sounds = speech("test"), clips()
    assert len(sounds) == len(make_speech.CLIPS)
    step = (9 + 14) / 255
    for one, sound in zip(test, sounds, strict=False):
        assert np.abs(sound).max() < 1
        exact = log_mel(sound)
        assert exact.min() >= -14 and exact.max() <= 9
        np.testing.assert_allclose(one.frames, exact, rtol=0, atol=0.51 * step)


def test_a_split_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match='split is \'dev\', expected "train" or "test"'):
        speech("dev")


def test_resampling_keeps_a_low_tone_and_drops_a_high_one():
    seconds, fewer = np.arange(22050) / 22050, np.arange(8000) / 8000
    low, high = (np.sin(2 * np.pi * hertz * seconds) for hertz in (500, 5000))
    heard = make_speech.resample(low + high, 22050, 8000)
    np.testing.assert_allclose(heard, np.sin(2 * np.pi * 500 * fewer), atol=1e-9)


def test_the_file_is_what_the_script_makes():
    shipped = re.search(r"version ([\d.]+\d) ", (FILES / "speech.LICENSE.txt").read_text(encoding="utf-8"))[1]
    if espeak_version() != shipped:
        pytest.skip(f"the speech was made with espeak-ng {shipped}, and this is {espeak_version()}")
    rng, test = np.random.default_rng(2), speech("test")
    made = make_speech.recordings(make_speech.TEST, make_speech.TEST_VOICES, rng)
    step = (9 + 14) / 255
    for (said, samples), one, _ in zip(made, test, range(8), strict=False):
        assert one.text == " ".join(WORDS[int(digit)] for digit in said[0])
        assert one.voice == f"{said[1]}+{said[2]}"
        np.testing.assert_allclose(one.frames, log_mel(samples / 32768), rtol=0, atol=0.51 * step)
    np.testing.assert_array_equal(make_speech.speak(*said) / 32768, samples / 32768)


def test_the_script_writes_checks_and_gives_the_same_bytes_twice(tmp_path, monkeypatch, capsys):
    espeak_version()
    monkeypatch.setattr(make_speech, "TRAIN", 3)
    monkeypatch.setattr(make_speech, "TEST", 4)
    target = str(tmp_path / "speech.npz")
    monkeypatch.setattr(sys, "argv", ["make_speech", "--to", target])
    make_speech.main()
    assert "7 recordings" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["make_speech", "--to", target, "--check"])
    make_speech.main()
    assert "is what this script makes" in capsys.readouterr().out
    monkeypatch.setattr(make_speech, "TRAIN", 2)
    with pytest.raises(SystemExit) as stop:
        make_speech.main()
    assert stop.value.code == 1 and "is not what this script makes" in capsys.readouterr().err


def test_the_script_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "argv", ["make_speech"])
    with pytest.raises(SystemExit) as stop:
        make_speech.main()
    assert stop.value.code == 1
    assert "espeak-ng is not installed; on Debian or Ubuntu" in capsys.readouterr().err
