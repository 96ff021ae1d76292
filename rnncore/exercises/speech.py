"""Lesson 11, Spell what you hear: spectrogram, log_mel, ctc_collapse, ctc_loss, ctc_greedy."""

import numpy as np

from rnncore.exercises.exercise import Case, Exercise, Mistake
from rnncore.topics.ctc import ctc_collapse, ctc_greedy, ctc_loss
from rnncore.topics.speech import log_mel, spectrogram


def draw_spectrogram(rng):
    def case(N, size, hop, when=""):
        return Case((rng.normal(size=N), size, hop), {"N": N, "size": size, "hop": hop}, when)

    return [
        case(89, 16, 6),  # a piece is left over at the end
        case(75, 15, 4),  # the last frame just fits, and the size is odd
        case(70, 12, 5),
        case(20, 20, 7, "T = 1"),
    ]


STARTS = "starts = np.arange(0, len(signal) - size + 1, hop)"
CUT = "    frames = signal[starts[:, None] + np.arange(size)]\n"
WINDOW = "window = np.hanning(size)"
FOURIER = "spectrum = np.fft.rfft(frames * window)"
POWER = "power = np.abs(spectrum) ** 2"
PADDED = (
    "    signal = np.append(signal, np.zeros(size))\n"
    "    starts = np.arange(0, len(signal) - 2 * size + hop, hop)\n"
)

SPECTROGRAM = Exercise(
    reference=spectrogram,
    returns=("power",),
    draw=draw_spectrogram,
    mistakes=(
        Mistake(
            "magnitude-for-power",
            old=POWER,
            new="power = np.abs(spectrum)",
            says="This is the magnitude of each Fourier number. Power is its square.",
            cost=0.3,
        ),
        Mistake(
            "real-part-only",
            old=POWER,
            new="power = spectrum.real**2",
            says="Only the real part is squared, and so the power changes with where a wave happens to stand. "
            "The magnitude of a complex number has its imaginary part in it as well.",
            cost=0.4,
        ),
        Mistake(
            "complex-square",
            old=POWER,
            new="power = spectrum**2",
            says="The square of a complex number is complex. Take the magnitude first.",
            cost=0.3,
        ),
        Mistake(
            "already-logarithmic",
            old=POWER,
            new="power = np.log(np.abs(spectrum) ** 2)",
            also=(
                "power = np.log(np.abs(spectrum) ** 2 + 1e-6)",
                "power = np.log(np.abs(spectrum) ** 2 + 1e-10)",
                "power = 10 * np.log10(np.abs(spectrum) ** 2)",
            ),
            says="This is the logarithm of the power. It comes later, after the bands.",
            cost=0.3,
        ),
        Mistake(
            "no-window",
            old=FOURIER,
            new="spectrum = np.fft.rfft(frames)",
            says="The frames are not faded in and out. A cut edge sounds like a click, which holds every "
            "frequency: multiply each frame by the window.",
            cost=0.4,
        ),
        Mistake(
            "hamming-window",
            old=WINDOW,
            new="window = np.hamming(size)",
            says="This is Hamming's window, which does not go down to zero. Hann's is `np.hanning`.",
            cost=0.2,
        ),
        Mistake(
            "periodic-window",
            old=WINDOW,
            new="window = np.hanning(size + 1)[:-1]",
            says="The window is one sample too long and cut: it is 0 only at its start. (torch.hann_window makes it "
            "like that.) Here it is `np.hanning(size)`, which is the same from both ends.",
            cost=0.2,
        ),
        Mistake(
            "window-squared",
            old=FOURIER,
            new="spectrum = np.fft.rfft(frames * window * window)",
            says="The window is applied twice. Fade each frame once.",
            cost=0.3,
        ),
        Mistake(
            "window-over-the-whole-signal",
            old=CUT,
            new="    signal = signal * np.hanning(len(signal))\n" + CUT,
            says="The whole signal is faded in and out as well. Each frame has a window of its own, nothing else.",
            cost=0.3,
        ),
        Mistake(
            "signal-faded-in-place-of-frames",
            old=CUT + "    " + WINDOW,
            new="    signal = signal * np.hanning(len(signal))\n" + CUT + "    window = 1",
            says="One long window lies over the whole signal. Cut first, then fade every frame with a window of its "
            "own length.",
            cost=0.4,
        ),
        Mistake(
            "hop-and-size-swapped",
            old=STARTS,
            new="size, hop = hop, size\n    " + STARTS,
            says="hop and size are swapped: a frame is size samples long, and the next one starts hop samples later.",
            cost=0.3,
        ),
        Mistake(
            "no-overlap",
            old=STARTS,
            new="starts = np.arange(0, len(signal) - size + 1, size)",
            says="The frames stand side by side. The next frame starts hop samples after this one, "
            "so the two overlap.",
            cost=0.4,
        ),
        Mistake(
            "last-frame-lost",
            old=STARTS,
            new="starts = np.arange(0, len(signal) - size, hop)",
            says="Where the last frame just fits, it is lost: a frame may start at len(signal) - size, and "
            "np.arange stops before its end.",
            cost=0.2,
        ),
        Mistake(
            "one-frame-fewer",
            old=STARTS,
            new=STARTS + "[:-1]",
            says="There is one frame too few, the last one that fits whole.",
            cost=0.2,
        ),
        Mistake(
            "rest-padded-with-zeros",
            old="    " + STARTS + "\n",
            new=PADDED,
            says="The rest at the end is padded to one more frame. Keep the frames that fit whole.",
            cost=0.2,
        ),
        Mistake(
            "both-halves",
            old=FOURIER,
            new="spectrum = np.fft.fft(frames * window)",
            says="The full Fourier transform of real numbers holds everything twice, once mirrored. "
            "`np.fft.rfft` gives the size // 2 + 1 numbers that differ.",
            cost=0.2,
        ),
        Mistake(
            "fourier-over-the-frames",
            old=FOURIER,
            new="spectrum = np.fft.rfft(frames * window, axis=0)",
            says="The Fourier transform runs across the frames. Within each frame, the last axis, is where the sound "
            "swings.",
            cost=0.3,
        ),
        Mistake(
            "frequencies-first",
            old="return power",
            new="return power.T",
            says="The result is turned round, (frequencies, T). Time comes first: (T, size // 2 + 1).",
            cost=0.15,
        ),
        Mistake(
            "divided-by-size",
            old=POWER,
            new="power = np.abs(spectrum) ** 2 / size",
            also=(
                "power = np.abs(spectrum / size) ** 2",
                "power = np.abs(spectrum) ** 2 / np.sum(window**2)",
                "power = np.abs(spectrum / np.sum(window)) ** 2",
            ),
            says="The power is divided by the frame's size or its square, or by the window's sum or power. Those are "
            "conventions too, but not the one here: the plain square of the magnitude is asked for.",
            cost=0.2,
        ),
        Mistake(
            "frames-beyond-the-end",
            old="    " + STARTS + "\n",
            new="    starts = np.arange(0, len(signal), hop)\n    signal = np.append(signal, np.zeros(size))\n",
            says="The last frames begin so late that the sound ends before they do, and zeros fill them up. Keep the "
            "frames that fit whole: the last one starts at len(signal) - size or before.",
            cost=0.2,
        ),
    ),
)


def draw_log_mel(rng):
    def case(N, rate, size, hop, bands, when=""):
        signal = rng.normal(0, 10, N)
        signal[:size] = 0  # the first frame is silent
        return Case((signal, rate, size, hop, bands), {"N": N, "size": size, "hop": hop}, when)

    return [
        case(260, 8000, 64, 24, 5),
        case(230, 11025, 50, 19, 4),
        case(240, 16000, 72, 30, 6),
        case(210, 8000, 60, 22, 1, "there is one band only"),
    ]


HERTZ = "hertz = np.arange(size // 2 + 1) * rate / size"
MEL = "mel = 2595 * np.log10(1 + hertz / 700)"
WIDTH = "width = mel[-1] / (bands + 1)"
CENTRES = "centres = width * np.arange(1, bands + 1)"
FILTERS = "filters = np.maximum(0, 1 - np.abs(mel - centres[:, None]) / width)"
ENERGY = "energy = power @ filters.T"
LOG = "return np.log(energy + 1e-6)"

LOG_MEL = Exercise(
    reference=log_mel,
    returns=("features",),
    draw=draw_log_mel,
    uses=("spectrogram",),
    mistakes=(
        Mistake(
            "log-of-zero",
            old=LOG,
            new="return np.log(energy)",
            says="In silence the energy is 0, and its logarithm minus infinity, which no network survives. "
            "Add 1e-6 first.",
            cost=0.3,
        ),
        Mistake(
            "another-floor",
            old=LOG,
            new="return np.log(energy + 1e-10)",
            also=(
                "return np.log(energy + 1e-8)",
                "return np.log(energy + 1e-9)",
                "return np.log(energy + 1e-12)",
                "return np.log(energy + 1e-5)",
            ),
            says="Sound is right, silence is not: what is added before the logarithm should be 1e-6.",
            cost=0.2,
        ),
        Mistake(
            "common-logarithm",
            old=LOG,
            new="return np.log10(energy + 1e-6)",
            says="This is the logarithm to base 10. The features are natural logarithms; only the mel formula has "
            "a log10.",
            cost=0.3,
        ),
        Mistake(
            "decibels",
            old=LOG,
            new="return 10 * np.log10(energy + 1e-6)",
            says="These are decibels, 10 log10. The plain natural logarithm is asked for.",
            cost=0.3,
        ),
        Mistake(
            "no-logarithm",
            old=LOG,
            new="return energy",
            says="The logarithm is missing: a loud vowel now counts a million times more than a soft consonant.",
            cost=0.4,
        ),
        Mistake(
            "logarithm-before-the-bands",
            old=ENERGY + "\n    " + LOG,
            new="return np.log(power + 1e-6) @ filters.T",
            says="The logarithm comes before the bands. First gather the power into bands, then take the logarithm of "
            "each band's energy.",
            cost=0.4,
        ),
        Mistake(
            "magnitude-for-power",
            old=ENERGY,
            new="energy = np.sqrt(power) @ filters.T",
            says="Magnitudes are gathered. The triangles weigh power, as `spectrogram` returns it.",
            cost=0.3,
        ),
        Mistake(
            "power-squared-again",
            old=ENERGY,
            new="energy = power**2 @ filters.T",
            says="The power is squared once more. What `spectrogram` returns is a square already.",
            cost=0.3,
        ),
        Mistake(
            "filters-in-hertz",
            old=MEL,
            new="mel = hertz",
            says="The triangles are evenly spaced in hertz. They should be so in mel: narrow for low frequencies, "
            "wide for high ones.",
            cost=0.6,
        ),
        Mistake(
            "columns-for-hertz",
            old=HERTZ,
            new="hertz = np.arange(size // 2 + 1)",
            says="The numbers of the columns are taken for hertz. Neighbouring columns are rate / size hertz apart.",
            cost=0.3,
        ),
        Mistake(
            "up-to-the-rate",
            old=HERTZ,
            new="hertz = np.arange(size // 2 + 1) * 2 * rate / size",
            also=("hertz = np.linspace(0, rate, size // 2 + 1)",),
            says="The columns are taken to reach up to the sampling rate. They end at half of it: faster swings need "
            "more than two samples each.",
            cost=0.3,
        ),
        Mistake(
            "rate-ignored",
            old=HERTZ,
            new="hertz = np.arange(size // 2 + 1) * 8000 / size",
            also=("hertz = np.arange(size // 2 + 1) * 16000 / size",),
            says="The sampling rate is a fixed number. Use the rate that was passed in.",
            cost=0.3,
        ),
        Mistake(
            "hop-and-size-swapped",
            old="spectrogram(signal, size, hop)",
            new="spectrogram(signal, hop, size)",
            says="hop and size are swapped in the call of `spectrogram`: first how long a frame is, then how far it is "
            "to the next one.",
            cost=0.3,
        ),
        Mistake(
            "last-triangle-cut",
            old=WIDTH,
            new="width = mel[-1] / bands",
            says="The triangles are too wide: the last one has its centre at the very end and is cut in half. "
            "Their bands centres and the two ends make bands + 1 gaps.",
            cost=0.3,
        ),
        Mistake(
            "gaps-miscounted",
            old=WIDTH,
            new="width = mel[-1] / (bands + 2)",
            says="The triangles end before the highest frequency: bands centres and the two ends are bands + 2 points, "
            "which have bands + 1 gaps between them.",
            cost=0.3,
        ),
        Mistake(
            "first-centre-at-zero",
            old=CENTRES,
            new="centres = width * np.arange(bands)",
            says="The centres start at 0, so the first triangle is cut in half. They start one width higher.",
            cost=0.3,
        ),
        Mistake(
            "triangles-too-narrow",
            old=FILTERS,
            new="filters = np.maximum(0, 1 - 2 * np.abs(mel - centres[:, None]) / width)",
            says="The triangles reach only half way to the next centre, and what lies between two of them is lost. "
            "Each falls to zero at its neighbours' centres.",
            cost=0.3,
        ),
        Mistake(
            "boxes",
            old=FILTERS,
            new="filters = (np.abs(mel - centres[:, None]) < width).astype(float)",
            says="The filters are boxes: all within reach weighs 1. A triangle weighs 1 at its centre and less and "
            "less to both sides.",
            cost=0.4,
        ),
        Mistake(
            "negative-weights",
            old=FILTERS,
            new="filters = 1 - np.abs(mel - centres[:, None]) / width",
            says="Outside its triangle a filter's weight is negative here. It should be 0 there.",
            cost=0.3,
        ),
        Mistake(
            "straight-in-hertz",
            old=FILTERS,
            new="feet = 700 * (10 ** (width * np.arange(bands + 2) / 2595) - 1)\n"
            "    rising = (hertz - feet[:-2, None]) / np.diff(feet)[:-1, None]\n"
            "    falling = (feet[2:, None] - hertz) / np.diff(feet)[1:, None]\n"
            "    filters = np.maximum(0, np.minimum(rising, falling))",
            says="The centres are right, but the triangles' sides are straight lines over hertz (librosa makes them like "
            "that). Here a weight falls evenly in *mel*: subtract mels, not hertz.",
            cost=0.2,
        ),
        Mistake(
            "centres-rounded-to-columns",
            old=FILTERS,
            new="feet = 700 * (10 ** (width * np.arange(bands + 2) / 2595) - 1)\n"
            "    feet = np.floor((size + 1) * feet / rate)\n"
            "    columns, gaps = np.arange(size // 2 + 1), np.maximum(np.diff(feet), 1e-9)\n"
            "    rising = (columns - feet[:-2, None]) / gaps[:-1, None]\n"
            "    falling = (feet[2:, None] - columns) / gaps[1:, None]\n"
            "    filters = np.maximum(0, np.minimum(rising, falling))",
            says="The centres are rounded to whole columns, as many recipes do. Here a centre may lie between two "
            "columns: compare each column's mel with the exact centre.",
            cost=0.2,
        ),
        Mistake(
            "filters-averaged",
            old=ENERGY,
            new="energy = power @ (filters / filters.sum(axis=1, keepdims=True)).T",
            says="Each filter is divided by the sum of its weights. A sum is asked for, not an average.",
            cost=0.3,
        ),
        Mistake(
            "loudness-removed",
            old=LOG,
            new="features = np.log(energy + 1e-6)\n    return features - features.mean(axis=1, keepdims=True)",
            says="Each frame's mean is taken away, and with it the difference between sound and silence. "
            "Return the logarithms as they are.",
            cost=0.3,
        ),
        Mistake(
            "each-band-centred",
            old=LOG,
            new="features = np.log(energy + 1e-6)\n    return features - features.mean(axis=0)",
            says="Each band's mean over the recording is taken away. Return the logarithms as they are; the lesson "
            "scales them later, all recordings alike.",
            cost=0.3,
        ),
        Mistake(
            "bands-first",
            old=LOG,
            new="return np.log(energy + 1e-6).T",
            says="The result is turned round, (bands, T). Time comes first: (T, bands).",
            cost=0.15,
        ),
        Mistake(
            "one-added",
            old=LOG,
            new="return np.log1p(energy)",
            also=("return np.log(energy + 1)",),
            says="1 is added before the logarithm, which drowns all soft sounds. What is "
            "added should be 1e-6.",
            cost=0.2,
        ),
    ),
)


def draw_path(rng, spelled, blank_first):
    """A path that spells the labels: each stays for one to three frames, with blanks here and there."""
    path = [0, 0] if blank_first else []
    for i, label in enumerate(spelled):
        if i and (label == spelled[i - 1] or i % 3 == 2):
            path += [0] * int(rng.integers(1, 3))
        path += [int(label)] * int(rng.integers(1, 4) if i else 2)
    return np.array(path if blank_first else [*path, 0])


def draw_spelled(rng, V, S):
    """S labels from 1 to V - 1, the largest among them: two equal neighbours, and one label again later on."""
    first, second, third = rng.permutation(np.arange(1, V - 1))[:3]
    rest = rng.integers(1, V, S - 6)
    return np.array([second, first, first, V - 1, third, first, *rest])


def draw_ctc_collapse(rng):
    def case(V, S, blank_first):
        path = draw_path(rng, draw_spelled(rng, V, S), blank_first)
        return Case((path,), {"T": len(path)})

    blanks, one = np.zeros(5, dtype=int), np.array([3])
    return [
        case(6, 7, False),
        case(8, 9, True),
        case(5, 6, False),
        Case((blanks,), {}, "all frames are blank"),
        Case((one,), {}, "T = 1"),
    ]


NEW = "is_new = np.ones(len(path), dtype=bool)"
MERGED = "merged = path[is_new]"
LABELS = "labels = merged[merged != 0]"

CTC_COLLAPSE = Exercise(
    reference=ctc_collapse,
    returns=("labels",),
    draw=draw_ctc_collapse,
    mistakes=(
        Mistake(
            "blanks-removed-first",
            old=NEW,
            new="path = path[path != 0]\n    " + NEW,
            says="The blanks are removed before repeats are merged, so two equal labels with a blank between them "
            "become one, and no word could have a double letter. Merge first.",
            cost=0.5,
        ),
        Mistake(
            "repeats-kept",
            old=LABELS,
            new="labels = path[path != 0]",
            says="Repeats are not merged: a label that lasts for three frames is spelled three times.",
            cost=0.5,
        ),
        Mistake(
            "blanks-kept",
            old=LABELS,
            new="labels = merged",
            says="The blanks are still there. After merging, leave out every 0.",
            cost=0.5,
        ),
        Mistake(
            "each-label-once",
            old=LABELS,
            new="labels = np.array(list(dict.fromkeys(merged[merged != 0].tolist())), dtype=int)",
            says="Each label is kept only where it comes first. Merge *neighbours*: a label may well come again "
            "later.",
            cost=0.4,
        ),
        Mistake(
            "sorted",
            old=LABELS,
            new="labels = np.unique(merged[merged != 0])",
            says="The labels are sorted, each kept once (np.unique and set do that). Their order is the text.",
            cost=0.5,
        ),
        Mistake(
            "first-frame-lost",
            old=NEW,
            new="is_new = np.zeros(len(path), dtype=bool)",
            says="The first frame is never new, so a path that begins with a label loses it.",
            cost=0.3,
        ),
        Mistake(
            "blank-is-the-last-symbol",
            old=LABELS,
            new="labels = merged[merged != path.max()]",
            says="The largest symbol is taken for the blank, as some libraries do. Here the blank is 0.",
            cost=0.3,
        ),
        Mistake(
            "as-long-as-the-path",
            old=LABELS,
            new="labels = np.where(is_new, path, 0)",
            says="The result is as long as the path, with zeros in it. Only the labels are asked for, side by side.",
            cost=0.3,
        ),
        Mistake(
            "changes-kept",
            old="path[1:] != path[:-1]",
            new="path[1:] == path[:-1]",
            says="It is the other way round: the repeats are kept and what is new is dropped.",
            cost=0.4,
        ),
        Mistake(
            "last-frame-lost",
            old="    is_new[1:] = path[1:] != path[:-1]\n",
            new="    is_new[:-1] = path[1:] != path[:-1]\n    is_new[-1:] = False\n",
            says="Each frame is compared with the next one, so what the last frame says is never kept.",
            cost=0.3,
        ),
    ),
)


def log_softmax(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def draw_ctc_loss(rng):
    def case(T, V, pattern, when=""):
        """The pattern's letters stand for labels that are drawn: equal letters, equal labels.

        V is odd: no label has the same place when it is counted from the other end.
        """
        drawn = rng.permutation(np.arange(1, V))
        targets = np.array([drawn["abcd".index(letter)] for letter in pattern])
        sizes = {"T": T, "V": V, "S": len(pattern)}
        return Case((log_softmax(rng.normal(0, 1.5, (T, V))), targets), sizes, when)

    return [
        case(21, 7, "abba"),  # long enough for a path that wraps around
        case(8, 5, "aab"),
        case(11, 7, "abcca"),
        case(6, 5, "aaba", "there is only just time for all labels"),
        case(5, 3, "a", "S = 1"),
        case(700, 5, "abbcd" * 4, "the recording is long"),
    ]


PLACES = "places = np.zeros(2 * len(targets) + 1, dtype=int)"
FILL = "places[1::2] = targets"
MAY = "may_skip[2:] = places[2:] != places[:-2]"
EMPTY = "alpha = np.full(len(places), -np.inf)"
START = "alpha[:2] = log_probs[0, places[:2]]"
STEP = "step = np.append(-np.inf, alpha[:-1])"
SKIP = "skip = np.where(may_skip, np.append([-np.inf, -np.inf], alpha[:-2]), -np.inf)"
FRAMES = "for frame in log_probs[1:]:"
SUM = "alpha = np.logaddexp(np.logaddexp(alpha, step), skip) + frame[places]"
END = "return -np.logaddexp.reduce(alpha[-2:])"
LOOP = (
    "    alpha = np.full(len(places), -np.inf)\n    alpha[:2] = log_probs[0, places[:2]]\n"
    "    for frame in log_probs[1:]:\n"
    "        step = np.append(-np.inf, alpha[:-1])\n"
    "        skip = np.where(may_skip, np.append([-np.inf, -np.inf], alpha[:-2]), -np.inf)\n"
    "        alpha = np.logaddexp(np.logaddexp(alpha, step), skip) + frame[places]\n"
    "    return -np.logaddexp.reduce(alpha[-2:])\n"
)
PROBABILITIES = (
    "    alpha = np.zeros(len(places))\n    alpha[:2] = np.exp(log_probs[0, places[:2]])\n"
    "    for frame in log_probs[1:]:\n"
    "        step = np.append(0, alpha[:-1])\n"
    "        skip = np.where(may_skip, np.append([0, 0], alpha[:-2]), 0)\n"
    "        alpha = (alpha + step + skip) * np.exp(frame[places])\n"
    "    return -np.log(alpha[-2:].sum())\n"
)

CTC_LOSS = Exercise(
    reference=ctc_loss,
    returns=("loss",),
    draw=draw_ctc_loss,
    mistakes=(
        Mistake(
            "blank-is-the-last-symbol",
            old=PLACES,
            new="places = np.full(2 * len(targets) + 1, log_probs.shape[1] - 1)",
            says="The last symbol is taken for the blank, as some libraries do. Here the blank is symbol 0.",
            cost=0.3,
        ),
        Mistake(
            "skips-between-equal-labels",
            old=MAY,
            new="may_skip[3::2] = True",
            says="The blank between two *equal* labels is skipped, but then their frames would merge into one label. "
            "A skip is allowed only between labels that differ.",
            cost=0.3,
        ),
        Mistake(
            "skips-labels-too",
            old=MAY,
            new="may_skip[2:] = True",
            also=("may_skip[2:] = places[2:] != places[1:-1]",),
            says="Two steps are allowed from everywhere, and so whole labels are left out. Only a blank between two "
            "different labels may be skipped: compare each place with the one *two* before.",
            cost=0.4,
        ),
        Mistake(
            "skips-from-blank-to-blank",
            old=MAY,
            new="may_skip[2:] = places[2:] == 0",
            says="The skips go from blank to blank, over a label. They should go from label to label, over a blank.",
            cost=0.4,
        ),
        Mistake(
            "never-skips",
            old=MAY,
            new="may_skip[2:] = False",
            says="No path may skip a blank here, so every label must be followed by one. Between two different labels "
            "none is needed.",
            cost=0.4,
        ),
        Mistake(
            "never-stays",
            old=SUM,
            new="alpha = np.logaddexp(step, skip) + frame[places]",
            says="No path may stay where it is, so each label gets one frame. Staying is the first of the three ways.",
            cost=0.4,
        ),
        Mistake(
            "only-skips-or-stays",
            old=SUM,
            new="alpha = np.logaddexp(alpha, skip) + frame[places]",
            says="The single step, to the very next place, is missing from the sum.",
            cost=0.4,
        ),
        Mistake(
            "starts-in-the-blank-only",
            old=START,
            new="alpha[:1] = log_probs[0, places[:1]]",
            says="All paths start in the blank. The first frame may be the first label already: two places can start.",
            cost=0.3,
        ),
        Mistake(
            "starts-in-the-label-only",
            old=START,
            new="alpha[1:2] = log_probs[0, places[1:2]]",
            says="All paths start in the first label. There may be a pause first: the leading blank can start as well.",
            cost=0.3,
        ),
        Mistake(
            "starts-anywhere",
            old=START,
            new="alpha = log_probs[0, places]",
            says="Paths start at every place, so some leave out the first labels. Only the first blank and the first "
            "label can start; everywhere else the log probability is minus infinity.",
            cost=0.4,
        ),
        Mistake(
            "starts-for-certain",
            old=START,
            new="alpha[:2] = 0",
            says="The first frame's own log probabilities are not counted.",
            cost=0.3,
        ),
        Mistake(
            "ends-in-the-blank-only",
            old=END,
            new="return -alpha[-1]",
            says="Only paths that end in the last blank count. Those that end in the last label spell the same: add "
            "both.",
            cost=0.3,
        ),
        Mistake(
            "ends-in-the-label-only",
            old=END,
            new="return -alpha[-2]",
            says="Only paths that end in the last label count. Those that end in the blank after it spell the same: "
            "add both.",
            cost=0.3,
        ),
        Mistake(
            "ends-anywhere",
            old=END,
            new="return -np.logaddexp.reduce(alpha)",
            says="All places count at the end, so paths that have not come to the last label do as well. Only the last "
            "two places spell the whole text.",
            cost=0.4,
        ),
        Mistake(
            "best-path-only",
            old=SUM + "\n    " + END,
            new="alpha = np.maximum(np.maximum(alpha, step), skip) + frame[places]\n    return -np.max(alpha[-2:])",
            says="This is the likeliest path's probability (Viterbi). CTC adds up the probabilities of *all* paths "
            "that spell the text: a sum for every maximum.",
            cost=0.6,
        ),
        Mistake(
            "maximum-inside",
            old=SUM,
            new="alpha = np.maximum(np.maximum(alpha, step), skip) + frame[places]",
            says="On the way the largest of the ways to each place is kept, and the others are forgotten. They all "
            "count: add their probabilities.",
            cost=0.6,
        ),
        Mistake(
            "logarithms-added",
            old=END,
            new="return -alpha[-2:].sum()",
            says="At the end two *logarithms* are added, which multiplies the probabilities. Either end will do, so the "
            "probabilities must be added: np.logaddexp.",
            cost=0.3,
        ),
        Mistake(
            "probabilities-underflow",
            old=LOOP,
            new=PROBABILITIES,
            says="Probabilities are multiplied frame by frame, and in a long recording their product is smaller than "
            "the smallest number there is. Stay with logarithms: products become sums, and sums np.logaddexp.",
            cost=0.4,
        ),
        Mistake(
            "unstable-sum-of-exponentials",
            old=SUM,
            new="alpha = np.log(np.exp(alpha) + np.exp(step) + np.exp(skip)) + frame[places]",
            says="np.exp of a very negative number is 0, and the logarithm of 0 minus infinity: in a long recording "
            "everything is lost. np.logaddexp(a, b) is log(exp(a) + exp(b)) without that.",
            cost=0.4,
        ),
        Mistake(
            "wraps-around",
            old=STEP + "\n        " + SKIP,
            new="step = np.roll(alpha, 1)\n        skip = np.where(may_skip, np.roll(alpha, 2), -np.inf)",
            also=(
                "step = np.roll(alpha, 1)\n"
                "        skip = np.where(places != np.roll(places, 2), np.roll(alpha, 2), -np.inf)",
            ),
            says="From the last place a path comes round to the first again: alpha[s - 1] at s = 0 is alpha[-1], the "
            "*last* number (np.roll does the same). Nothing comes before the first place.",
            cost=0.3,
        ),
        Mistake(
            "already-updated",
            old=SKIP + "\n        " + SUM,
            new="alpha = np.logaddexp(alpha, step)\n        " + SKIP + "\n"
            "        alpha = np.logaddexp(alpha, skip) + frame[places]",
            also=(
                "alpha = alpha.copy()\n        for s in range(len(places)):\n"
                "            ways = [alpha[s]] + [alpha[s - 1]] * (s > 0) + [alpha[s - 2]] * int(may_skip[s])\n"
                "            alpha[s] = np.logaddexp.reduce(ways) + frame[places[s]]",
            ),
            says="Some places read numbers that this very frame has changed already. All of a frame's alpha is made "
            "from the frame before: write it to a new array.",
            cost=0.3,
        ),
        Mistake(
            "last-frame-forgotten",
            old=FRAMES,
            new="for frame in log_probs[1:-1]:",
            says="The last frame is not read.",
            cost=0.3,
        ),
        Mistake(
            "first-frame-twice",
            old=FRAMES,
            new="for frame in log_probs:",
            says="The first frame is read twice: once for the start, and then again in the loop.",
            cost=0.3,
        ),
        Mistake(
            "frame-before",
            old=FRAMES,
            new="for frame in log_probs[:-1]:",
            says="The loop is one frame behind: to come to a place at time t costs the log probability at time t, "
            "not at t - 1.",
            cost=0.3,
        ),
        Mistake(
            "divided-by-the-length",
            old=END,
            new="return -np.logaddexp.reduce(alpha[-2:]) / len(targets)",
            says="The loss is divided by the number of labels, as torch does before it averages over a batch. "
            "Here the plain one is asked for.",
            cost=0.2,
        ),
        Mistake(
            "divided-by-the-frames",
            old=END,
            new="return -np.logaddexp.reduce(alpha[-2:]) / len(log_probs)",
            says="The loss is divided by the number of frames. The plain minus log probability is asked for.",
            cost=0.2,
        ),
        Mistake(
            "each-frame-normalised",
            old=SUM,
            new=SUM + "\n        alpha = alpha - np.logaddexp.reduce(alpha)",
            says="alpha is made to sum to 1 after every frame. That keeps the numbers in range, but what is taken away "
            "belongs to the answer: add up its logarithms, or leave alpha alone.",
            cost=0.4,
        ),
        Mistake(
            "probability-returned",
            old=END,
            new="return np.exp(np.logaddexp.reduce(alpha[-2:]))",
            says="This is the probability itself. The loss is minus its logarithm.",
            cost=0.3,
        ),
        Mistake(
            "sign",
            old=END,
            new="return np.logaddexp.reduce(alpha[-2:])",
            says="The sign is missing: this is the log probability, which training would make small. The loss is minus "
            "that.",
            cost=0.3,
        ),
        Mistake(
            "no-blanks",
            old=PLACES + "\n    " + FILL,
            new="places = targets",
            says="The blanks are missing: a path's places are the labels with a blank before, between and after them, "
            "2 S + 1 in all.",
            cost=0.6,
        ),
        Mistake(
            "no-first-blank",
            old=PLACES + "\n    " + FILL,
            new="places = np.zeros(2 * len(targets), dtype=int)\n    places[0::2] = targets",
            says="The blank before the first label is missing: there are 2 S + 1 places, and labels stand at the odd "
            "ones.",
            cost=0.3,
        ),
        Mistake(
            "blanks-only-between",
            old=PLACES + "\n    " + FILL,
            new="places = np.zeros(2 * len(targets) - 1, dtype=int)\n    places[0::2] = targets",
            says="There are blanks between the labels but none before the first and after the last: 2 S + 1 places are "
            "asked for, and labels stand at the odd ones.",
            cost=0.3,
        ),
        Mistake(
            "probabilities-expected",
            old=PLACES,
            new="log_probs = np.log(log_probs)\n    " + PLACES,
            says="The logarithm is taken of what is a logarithm already, and the result is no number.",
            cost=0.3,
        ),
        Mistake(
            "logarithms-of-one",
            old="alpha = np.full(len(places), -np.inf)",
            new="alpha = np.zeros(len(places))",
            says="The places that cannot be reached yet begin with 0, and 0 is the logarithm "
            "of 1: certain. An impossible place has the logarithm of 0.",
            cost=0.3,
        ),
    ),
)


def draw_ctc_greedy(rng):
    def case(V, S, blank_first, when=""):
        path = draw_path(rng, draw_spelled(rng, V, S), blank_first)
        logits = rng.uniform(0, 1, (len(path), V))
        logits[np.arange(len(path)), path] += rng.uniform(1.2, 4, len(path))
        runs = np.split(np.arange(len(path)), np.flatnonzero(path[1:] != path[:-1]) + 1)
        for run in (runs[0], [run for run in runs if path[run[0]]][-1]):  # the first, and the last label's
            logits[run] = rng.uniform(0, 1, (len(run), V))
            logits[run, path[run]] = 1.01  # likeliest by a hair
        return Case((log_softmax(logits),), {"T": len(path), "V": V}, when)

    silence = log_softmax(rng.uniform(0, 1, (5, 4)) + np.array([3, 0, 0, 0]))
    return [
        case(6, 7, False),
        case(8, 9, True),
        case(5, 6, False),
        Case((silence,), {}, "all frames are blank"),
    ]


PATH = "path = log_probs.argmax(axis=1)"
COLLAPSE = "return ctc_collapse(path)"

CTC_GREEDY = Exercise(
    reference=ctc_greedy,
    returns=("labels",),
    draw=draw_ctc_greedy,
    uses=("ctc_collapse",),
    mistakes=(
        Mistake(
            "likeliest-frame-of-each-symbol",
            old=PATH,
            new="path = log_probs.argmax(axis=0)",
            says="argmax runs over time (axis 0) and finds a frame for each symbol. Each frame needs its symbol: "
            "axis 1.",
            cost=0.3,
        ),
        Mistake(
            "values-for-places",
            old=PATH,
            new="path = log_probs.max(axis=1)",
            says="max gives the largest log probabilities themselves. Which symbol has them, argmax tells.",
            cost=0.3,
        ),
        Mistake(
            "path-returned",
            old=COLLAPSE,
            new="return path",
            says="This is the path, one symbol a frame. What it spells is asked for: collapse it.",
            cost=0.5,
        ),
        Mistake(
            "repeats-kept",
            old=COLLAPSE,
            new="return path[path != 0]",
            says="The blanks are gone and the repeats still there. `ctc_collapse` should do both, in the right order; if "
            "you call it, see its own check.",
            cost=0.5,
        ),
        Mistake(
            "blanks-kept",
            old=COLLAPSE,
            new="return path[np.append(True, path[1:] != path[:-1])]",
            says="The repeats are merged, and the blanks are still there. They part equal labels and are none.",
            cost=0.4,
        ),
        Mistake(
            "blanks-removed-first",
            old=COLLAPSE,
            new="return ctc_collapse(path[path != 0])",
            says="The blanks are removed before repeats are merged, so double letters merge into one. Hand the whole path "
            "to `ctc_collapse`; if you do, see its own check.",
            cost=0.5,
        ),
        Mistake(
            "blank-never-chosen",
            old=PATH,
            new="path = log_probs[:, 1:].argmax(axis=1) + 1",
            says="The blank is not among the symbols to choose from. It must be: it parts double letters, and it is "
            "what pauses look like.",
            cost=0.4,
        ),
        Mistake(
            "blank-column-cut-off",
            old=PATH,
            new="path = log_probs[:, 1:].argmax(axis=1)",
            says="The blank's column is cut off, so all ids are one too small, and symbol 1 is taken for the blank.",
            cost=0.3,
        ),
        Mistake(
            "blank-is-the-last-symbol",
            old=PATH + "\n    " + COLLAPSE,
            new="path = (log_probs.argmax(axis=1) + 1) % log_probs.shape[1]\n    return ctc_collapse(path) - 1",
            says="The last symbol is taken for the blank, as some libraries do. Here the blank is symbol 0.",
            cost=0.3,
        ),
        Mistake(
            "least-likely",
            old=PATH,
            new="path = log_probs.argmin(axis=1)",
            also=("path = (-log_probs).argmax(axis=1)",),
            says="The *least* likely symbol is taken. These are log probabilities, not losses: the largest is best.",
            cost=0.3,
        ),
        Mistake(
            "certain-frames-only",
            old=PATH,
            new="path = np.where(log_probs.max(axis=1) > np.log(0.5), log_probs.argmax(axis=1), 0)",
            says="Frames where no symbol has more than half of the probability are taken for blanks. The likeliest "
            "counts, however unsure.",
            cost=0.3,
        ),
        Mistake(
            "changed-frames-only",
            old=COLLAPSE,
            new="return path[1:][(path[1:] != path[:-1]) & (path[1:] != 0)]",
            says="The first label is lost where the recording begins with it: its frame has none before it to differ "
            "from.",
            cost=0.3,
        ),
    ),
)

EXERCISES = (SPECTROGRAM, LOG_MEL, CTC_COLLAPSE, CTC_LOSS, CTC_GREEDY)
