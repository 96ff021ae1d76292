"""Make speech.npz again with the program espeak-ng: python -m tools.data.speech

espeak-ng speaks random digit strings in many voices; the features are rnncore.topics.speech.log_mel of
what it says, rounded to 256 steps. The lessons read speech.npz and need no espeak-ng. Everything is drawn
from one seed, and the same version of the program gives the same bytes; ``--check`` compares with the file
that is there.
"""

import io
import subprocess

import numpy as np

from rnncore.data import FILES
from rnncore.data.speech import HIGH, LOW, WORDS
from rnncore.topics.speech import RATE, log_mel
from tools.data import command

ACCENTS = ("en-gb", "en-us", "en-029")  # Great Britain, America, the Caribbean
TRAIN_VOICES = (
    "m1 m2 m4 m6 m7 m8 f1 f2 f5 Alex Alicia Andrea Annie Denis Gene Hugo Jacky Lee Marco Mario Michael "
    "belinda ed grandma max rob steph victor"
).split()
TEST_VOICES = "m3 m5 f3 f4".split()
TRAIN, TEST = 1200, 240
CLIPS = (0, 1, 2, 3)  # recordings of the test whose sound is shipped as well


def speak(digits, accent, voice, speed, pitch):
    """What espeak-ng says: samples (N,), whole numbers of 16 bits, RATE of them a second."""
    text = " ".join(WORDS[int(digit)] for digit in digits)
    command = ["espeak-ng", "-v", f"{accent}+{voice}", "-s", str(speed), "-p", str(pitch), "--stdout", text]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    rate = int.from_bytes(wav[24:28], "little")
    samples = np.frombuffer(wav[44:], "<i2").astype(float)  # a header of 44 bytes, one channel
    return np.clip(np.round(resample(samples, rate, RATE)), -32768, 32767).astype("<i2")


def resample(samples, rate, new_rate):
    """The same sound at a lower rate: its spectrum is cut at half of the new rate (Fourier's method)."""
    n = len(samples) * new_rate // rate
    return np.fft.irfft(np.fft.rfft(samples)[: n // 2 + 1], n) * (n / len(samples))


def draw(rng, voice):
    """One thing to say, and how: three to five digits at a random speed (words a minute) and pitch."""
    digits = "".join(str(d) for d in rng.integers(0, 10, rng.integers(3, 6)))
    return digits, str(rng.choice(ACCENTS)), voice, int(rng.integers(130, 201)), int(rng.integers(30, 71))


def features(samples):
    """The log-mel frames in 256 steps from LOW to HIGH: uint8 (T, bands)."""
    frames = log_mel(samples / 32768)
    return np.clip(np.round((frames - LOW) / (HIGH - LOW) * 255), 0, 255).astype(np.uint8)


def recordings(count, voices, rng):
    """count recordings, the voices taking turns: (what was said and how, samples) for each."""
    for i in range(count):
        said = draw(rng, voices[i % len(voices)])
        yield said, speak(*said)


def arrays():
    """All that the file holds."""
    made = {}
    for split, count, voices, seed in (("train", TRAIN, TRAIN_VOICES, 1), ("test", TEST, TEST_VOICES, 2)):
        every = list(recordings(count, voices, np.random.default_rng(seed)))
        frames = [features(samples) for _, samples in every]
        made[f"{split}_frames"] = np.concatenate(frames)
        made[f"{split}_lengths"] = np.array([len(one) for one in frames], np.uint16)
        made[f"{split}_digits"] = np.array([said[0] for said, _ in every])
        made[f"{split}_voices"] = np.array([f"{said[1]}+{said[2]}" for said, _ in every])
        if split == "test":
            made |= {f"clip_{i}": every[i][1] for i in CLIPS}
    return made


def packed(made):
    """The arrays as the bytes of an .npz file."""
    file = io.BytesIO()
    np.savez_compressed(file, **made)
    return file.getvalue()


def main():
    command(
        "Make the lessons' spoken digits with espeak-ng.",
        FILES / "speech.npz",
        lambda: (packed(arrays()), f"{TRAIN + TEST} recordings"),
        "espeak-ng is not installed; on Debian or Ubuntu: sudo apt install espeak-ng",
    )


if __name__ == "__main__":
    main()
