"""From sound to numbers that a network can read: log-mel frames (lesson 11).

A recording is cut into short, overlapping frames, the Fourier transform says how much of each pitch a frame
holds, triangles gather neighbouring pitches into a few bands, closely spaced where the ear is sharp, and
the logarithm makes loud and soft comparable. Two plain functions, each of which a student writes; they
trust their arguments. ``tools.data.speech`` has made the shipped features with these very two.
"""

import numpy as np

RATE = 8000  # samples a second, as on the telephone
SIZE = 256  # samples in a frame: 32 ms, long enough for a few swings of a low voice
HOP = 160  # samples from one frame's start to the next one's: 20 ms
BANDS = 16


def spectrogram(signal, size=SIZE, hop=HOP):
    """How much of each frequency is in each frame: signal (N,) gives power (T, size // 2 + 1).

    Frame t holds the size samples from hop * t on; T is as many frames as fit. Each is faded in and out by
    a Hann window before its Fourier transform; the power is the squared magnitude of that.
    """
    starts = np.arange(0, len(signal) - size + 1, hop)
    frames = signal[starts[:, None] + np.arange(size)]
    window = np.hanning(size)
    spectrum = np.fft.rfft(frames * window)
    power = np.abs(spectrum) ** 2
    return power


def log_mel(signal, rate=RATE, size=SIZE, hop=HOP, bands=BANDS):
    """The features of speech: signal (N,) with rate samples a second gives (T, bands); size is even.

    The bands are triangles on the mel scale (Stevens, Volkmann and Newman, 1937), in the formula of
    O'Shaughnessy (1987): their feet are evenly spaced from 0 to rate / 2, and each triangle rises from the
    centre of the one before and falls to that of the next. 1e-6 keeps silence from the logarithm of zero.
    """
    power = spectrogram(signal, size, hop)
    hertz = np.arange(size // 2 + 1) * rate / size
    mel = 2595 * np.log10(1 + hertz / 700)
    width = mel[-1] / (bands + 1)
    centres = width * np.arange(1, bands + 1)
    filters = np.maximum(0, 1 - np.abs(mel - centres[:, None]) / width)
    energy = power @ filters.T
    return np.log(energy + 1e-6)
