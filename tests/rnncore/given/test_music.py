"""Tunes become sound at the pitch and the moment that their symbols say, in a file that plays."""

import io
import wave

import numpy as np
import pytest

from rnncore.given import music

# Hz in equal temperament at A = 440, as tables of it have them.
TABLE = {
    "D": 293.66,
    "F": 369.99,
    "=F": 349.23,
    "A": 440.0,
    "c": 554.37,
    "^g": 830.61,
    "A,": 220.0,
    "b": 987.77,
}


def loudest(sound):
    """The frequency with the most power in a stretch of sound, in Hz."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 2**17))
    return np.argmax(power) * music.RATE / 2**17


@pytest.mark.parametrize("symbol", TABLE)
def test_a_note_sounds_at_its_frequency(symbol):
    assert loudest(music.synthesise([symbol + "4"])) == pytest.approx(TABLE[symbol], abs=1.5)


def test_notes_follow_each_other_in_time():
    tune = ["A2", "|", "c", "|", "D3", "b"]
    sound, start = music.synthesise(tune, eighth=0.3), 0
    for symbol in ("A2", "c", "D3", "b"):
        length = int(symbol[1:] or 1) * 0.3
        # Past the tail of the note before.
        first, last = (int((start + t) * music.RATE) for t in (music.RING, length))
        assert loudest(sound[first:last]) == pytest.approx(TABLE[symbol[0]], abs=4), symbol
        start += length
    assert len(sound) / music.RATE == pytest.approx(7 * 0.3 + music.RING, abs=0.01)


def test_a_note_fades_and_nothing_clicks():
    sound = music.synthesise(["A4"])
    quarters = [np.abs(part).max() for part in np.array_split(sound, 4)]
    assert quarters[0] == 1 and quarters == sorted(quarters, reverse=True) and quarters[3] < 0.3
    sound = music.synthesise(["A4", "A4"])
    steepest = 2 * np.pi * 440 * music.OVERTONES / music.RATE  # four sines, each as steep, added up
    assert np.abs(np.diff(sound)).max() < steepest and np.abs(sound[-5:]).max() < 0.01


def test_symbols_are_those_of_abc_in_d():
    found = music.notes(["F2", "|", "f", "=F", "C", "^c'", "A,,3", "|"])
    assert found == [(66, 2), (78, 1), (65, 1), (61, 1), (86, 1), (45, 3)]
    assert music.notes([]) == []
    for wrong in ("H", "a10", "", "reel", "_B"):
        with pytest.raises(ValueError, match="expected bar lines"):
            music.notes(["A", wrong])


def test_bars_are_as_long_as_their_notes():
    assert music.bars(["A2", "|", "d", "e3", "|", "|", "f"]) == [2, 4, 0]
    with pytest.raises(ValueError, match="expected bar lines"):
        music.bars(["A", "reel", "|"])


def test_the_longest_copy_is_the_longest_stretch_that_any_other_tune_holds():
    others = [["A", "f2", "|", "d"], ["d2", "A"]]
    assert music.longest_copy(["e", "f2", "|", "d", "d2", "A"], others) == 3
    assert music.longest_copy(["d", "d2", "A2"], others) == 1  # a stretch ends with its tune, f is not f2
    assert music.longest_copy(["f", "=A"], others) == 0 == music.longest_copy([], others)


def test_a_tune_without_notes_is_silent():
    assert not music.synthesise(["|"]).any()


def test_the_wav_file_holds_the_sound():
    sound = music.synthesise(["A", "f2"])
    with wave.open(io.BytesIO(music.wav(sound))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 1, music.RATE)
        heard = np.frombuffer(file.readframes(file.getnframes()), np.uint8) / 127.5 - 1
    np.testing.assert_allclose(heard, sound, atol=1 / 255)


def test_play_shows_one_player_of_that_sound(monkeypatch):
    display = pytest.importorskip("IPython.display")
    shown = []
    monkeypatch.setattr(display, "display", shown.append)
    assert music.play(["A", "|"]) is None
    (player,) = shown
    assert player.data == music.wav(music.synthesise(["A", "|"])) and "<audio" in player._repr_html_()
