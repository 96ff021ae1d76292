"""Lesson 01, Remember what came before: one_hot, next_step_pairs, windows, pad_sequences."""

from rnncore.exercises.exercise import Case, Exercise, Mistake
from rnncore.topics.sequences import next_step_pairs, one_hot, pad_sequences, windows


def draw_one_hot(rng):
    def case(B, T, V, when="", largest=None):
        largest = V - 1 if largest is None else largest
        ids = rng.integers(0, largest + 1, B * T)
        if largest > 2:
            ids[ids == largest // 2] = 0  # one symbol in the middle never occurs
        ids[:2] = 0, largest  # both ends are always there
        ids = rng.permutation(ids).reshape(B, T)
        return Case((ids, V), {"B": B, "T": T, "V": V}, when)

    return [
        case(3, 5, 4),
        case(4, 6, 9),
        case(3, 4, 7, "the ids stay below V - 1", largest=4),
        case(2, 1, 5, "T = 1"),
        case(1, 4, 6, "B = 1"),
    ]


VECTORS = "return identity[ids]"

ONE_HOT = Exercise(
    reference=one_hot,
    returns=("x",),
    draw=draw_one_hot,
    mistakes=(
        Mistake(
            "wrong-axis",
            old=VECTORS,
            new="return identity[ids].transpose(0, 2, 1)",
            says="The one-hot vectors lie along axis 1: this is (B, V, T). At [b, t] there should be a whole "
            "vector of V numbers, so the vocabulary is the *last* axis, (B, T, V).",
            cost=0.15,
        ),
        Mistake(
            "vocabulary-first",
            old=VECTORS,
            new="return identity[ids].transpose(2, 0, 1)",
            also=("return identity[ids].T",),
            says="The vocabulary is the first axis. It belongs last, (B, T, V), so that x[b, t] is "
            "the vector of one step.",
            cost=0.15,
        ),
        Mistake(
            "time-first",
            old=VECTORS,
            new="return identity[ids].transpose(1, 0, 2)",
            says="This is time first, (T, B, V). In this course arrays are batch first: (B, T, V).",
            cost=0.15,
        ),
        Mistake(
            "batch-and-time-merged",
            old=VECTORS,
            new="return identity[ids.reshape(-1)]",
            says="All the vectors stand in one long list, (B·T, V), and which sequence they came from is "
            "lost. Keep the axes of ids and add one for the vocabulary.",
            cost=0.15,
        ),
        Mistake(
            "counts-from-one",
            old=VECTORS,
            new="return identity[ids - 1]",
            says="Every 1 stands one place too early: ids count from 0, so id 0 has its 1 at position 0.",
            cost=0.3,
        ),
        Mistake(
            "zero-left-empty",
            old=VECTORS,
            new="return identity[ids] * (ids != 0)[:, :, None]",
            says="Where the id is 0 the vector is all zeros. 0 is an id like any other, "
            "with its 1 at position 0.",
            cost=0.3,
        ),
        Mistake(
            "writes-the-id",
            old=VECTORS,
            new="return identity[ids] * ids[:, :, None]",
            says="The right place holds the id itself. Put a 1 there: the place says which id it is, and a "
            "bigger id should not weigh more.",
            cost=0.4,
        ),
        Mistake(
            "ones-for-zeros",
            old=VECTORS,
            new="return 1 - identity[ids]",
            says="Ones and zeros are swapped: each vector has a single 1, at its id, and zeros elsewhere.",
            cost=0.3,
        ),
        Mistake(
            "all-up-to-the-id",
            old=VECTORS,
            new="return np.tri(V)[ids]",
            says="Every place up to the id holds a 1. That says the symbols have an order, as sizes do; "
            "one-hot marks the id's own place alone.",
            cost=0.5,
        ),
        Mistake(
            "bag-of-words",
            old=VECTORS,
            new="return identity[ids].sum(axis=1)",
            also=("return np.minimum(identity[ids].sum(axis=1), 1)",),
            says="The vectors of a sequence are merged into one, (B, V). Such a bag of words has lost "
            "the order: keep one vector for each time step.",
            cost=0.6,
        ),
        Mistake(
            "first-sequence-only",
            old=VECTORS,
            new="return identity[ids[0]]",
            says="Only the first sequence of the batch is encoded.",
            cost=0.5,
        ),
        Mistake(
            "vocabulary-from-the-ids",
            old="identity = np.eye(V)",
            new="identity = np.eye(ids.max() + 1)",
            says="The vectors are as long as the largest id in this batch asks for. Another batch would give "
            "another length: V is the size of the vocabulary, whichever ids occur.",
            cost=0.3,
        ),
        Mistake(
            "every-id-at-every-place",
            old="return identity[ids]",
            new="return np.ones((*ids.shape, 1)) * identity[ids].max(axis=(0, 1))",
            also=(("return np.ones((*ids.shape, 1)) * identity[ids].max(axis=1, keepdims=True)"),),
            says="Each place holds a 1 for every id that occurs anywhere: a slice `:` beside "
            "ids means *all* places, not each id's own. Every id belongs to one b and one t.",
            cost=0.4,
        ),
    ),
)


def draw_next_step_pairs(rng):
    def case(B, T, when=""):
        return Case((rng.integers(0, 60, (B, T)),), {"B": B, "T": T}, when)

    return [case(3, 6), case(4, 7), case(1, 5, "B = 1"), case(3, 2, "T = 2")]


PAIR = "inputs = ids[:, :-1]\n    targets = ids[:, 1:]"

NEXT_STEP_PAIRS = Exercise(
    reference=next_step_pairs,
    returns=("inputs", "targets"),
    draw=draw_next_step_pairs,
    mistakes=(
        Mistake(
            "not-shifted",
            old="targets = ids[:, 1:]",
            new="targets = ids[:, :-1]",
            says="The shift is zero: the targets are the inputs themselves, so a model could just repeat what "
            "it reads. The target is what comes *next*.",
            cost=0.5,
        ),
        Mistake(
            "target-leaks",
            old="inputs = ids[:, :-1]",
            new="inputs = ids[:, 1:]",
            says="The target leaks into the input: each step reads the very symbol that it is to predict. "
            "The inputs start with the first symbol and stop before the last.",
            cost=0.5,
        ),
        Mistake(
            "shifted-by-two",
            old=PAIR,
            new="inputs = ids[:, :-2]\n    targets = ids[:, 2:]",
            says="The shift is two: each target lies two steps after its input. "
            "Predict the symbol that follows right away.",
            cost=0.3,
        ),
        Mistake(
            "last-pair-lost",
            old=PAIR,
            new="inputs = ids[:, :-2]\n    targets = ids[:, 1:-1]",
            says="The last pair is lost: the last symbol is never a target. There are T - 1 pairs.",
            cost=0.3,
        ),
        Mistake(
            "first-pair-lost",
            old=PAIR,
            new="inputs = ids[:, 1:-1]\n    targets = ids[:, 2:]",
            says="The first pair is lost: the first symbol is never an input. There are T - 1 pairs.",
            cost=0.3,
        ),
        Mistake(
            "swapped",
            old="return inputs, targets",
            new="return targets, inputs",
            says="Inputs and targets are swapped, so the model would learn to predict the past. "
            "Read a symbol, predict the one after it.",
            cost=0.2,
        ),
        Mistake(
            "last-input-kept",
            old="inputs = ids[:, :-1]",
            new="inputs = ids",
            says="The inputs still hold the last symbol. Nothing follows it, so it has no target.",
            cost=0.3,
        ),
        Mistake(
            "first-target-kept",
            old="targets = ids[:, 1:]",
            new="targets = ids",
            says="The targets still hold the first symbol. Nothing comes before it from which it could be "
            "predicted.",
            cost=0.3,
        ),
        Mistake(
            "wraps-around",
            old=PAIR,
            new="inputs = ids\n    targets = np.roll(ids, -1, axis=1)",
            says="The last target is the sequence's *first* symbol: np.roll wraps around. "
            "Nothing is known to follow the last symbol, so it is no input.",
            cost=0.3,
        ),
        Mistake(
            "padded-target",
            old=PAIR,
            new="inputs = ids\n    targets = np.concatenate([ids[:, 1:], np.zeros_like(ids[:, :1])], axis=1)",
            says="The last symbol is given a made-up target, 0. There is nothing to learn from it: "
            "leave the last symbol out of the inputs.",
            cost=0.3,
        ),
        Mistake(
            "batch-shifted",
            old=PAIR,
            new="inputs = ids[:-1]\n    targets = ids[1:]",
            says="The shift runs over the batch (axis 0), which pairs one sequence with the next. "
            "Shift over time, axis 1.",
            cost=0.3,
        ),
        Mistake(
            "last-target-only",
            old="targets = ids[:, 1:]",
            new="targets = ids[:, -1]",
            says="There is one target for each sequence, its last symbol. Every step has a target of its own.",
            cost=0.5,
        ),
        Mistake(
            "time-first",
            old="return inputs, targets",
            new="return inputs.T, targets.T",
            says="Both results are time first, (T - 1, B). In this course arrays are batch first.",
            cost=0.15,
        ),
        Mistake(
            "a-list-of-pairs",
            old="return inputs, targets",
            new="return [pair for pair in zip(inputs.ravel().tolist(), targets.ravel().tolist())]",
            also=(
                ("return [list(zip(*rows)) for rows in zip(inputs.tolist(), targets.tolist())]"),
                "return list(zip(inputs, targets))",
                "return np.stack([inputs, targets], axis=-1)",
            ),
            says="The pairs are right, but they come one by one. Asked for are two arrays of "
            "the same shape: all that is read, and all that is to be predicted.",
            cost=0.2,
        ),
    ),
)


def draw_windows(rng):
    def case(N, T, when=""):
        return Case((rng.normal(size=N), T), {"N": N, "T": T}, when)

    return [case(13, 4), case(11, 5), case(9, 3), case(7, 1, "T = 1")]


STARTS = "starts = np.arange(N - T)"
WINDOW = "series[start : start + T]"
NEXT = "y = series[starts + T]"

WINDOWS = Exercise(
    reference=windows,
    returns=("x", "y"),
    draw=draw_windows,
    mistakes=(
        Mistake(
            "last-window-lost",
            old=STARTS,
            new="starts = np.arange(N - T - 1)",
            says="The last window is lost. The one that starts at N - T - 1 still has a value after it, "
            "the series' last: there are N - T windows.",
            cost=0.3,
        ),
        Mistake(
            "first-window-lost",
            old=STARTS,
            new="starts = np.arange(1, N - T)",
            says="The first window is lost: windows start at 0.",
            cost=0.3,
        ),
        Mistake(
            "window-without-answer",
            old="for start in starts])",
            new="for start in range(N - T + 1)])",
            says="x has one window too many. The series ends with it, so nothing that follows it is known.",
            cost=0.3,
        ),
        Mistake(
            "target-leaks",
            old=NEXT,
            new="y = series[starts + T - 1]",
            says="The target leaks into the input: y is the last value *of* each window. "
            "It should be the first value after it.",
            cost=0.4,
        ),
        Mistake(
            "one-step-skipped",
            old=STARTS + "\n    x = np.stack([series[start : start + T] for start in starts])\n    " + NEXT,
            new="starts = np.arange(N - T - 1)\n"
            "    x = np.stack([series[start : start + T] for start in starts])\n"
            "    y = series[starts + T + 1]",
            says="One value is skipped between each window and its y: y comes right after the window.",
            cost=0.3,
        ),
        Mistake(
            "answers-start-too-late",
            old=NEXT,
            new="y = series[T + 1 :]",
            says="y starts one value too late. The first window holds the places 0 to T - 1, so what follows "
            "it stands at place T.",
            cost=0.3,
        ),
        Mistake(
            "no-overlap",
            old=STARTS,
            new="starts = np.arange(0, N - T, T)",
            also=("starts = np.arange(0, N - T, T)[: N // T - 1]",),
            says="The windows stand side by side. All windows are asked for: each starts one step after the "
            "one before, so they overlap.",
            cost=0.4,
        ),
        Mistake(
            "target-inside-the-window",
            old=WINDOW,
            new="series[start : start + T + 1]",
            says="Each window is one value too long, and its last value is the one to be predicted.",
            cost=0.4,
        ),
        Mistake(
            "window-too-short",
            old=WINDOW,
            new="series[start : start + T - 1]",
            says="Each window is one value short: a slice ends *before* its second number.",
            cost=0.3,
        ),
        Mistake(
            "newest-first",
            old=WINDOW,
            new="series[start : start + T][::-1]",
            says="Each window runs backwards in time. Keep the oldest value first.",
            cost=0.15,
        ),
        Mistake(
            "transposed",
            old="return x, y",
            new="return x.T, y",
            says="x is transposed, (T, N - T). There is one *row* for each window: (N - T, T).",
            cost=0.15,
        ),
        Mistake(
            "y-is-where-it-starts",
            old=NEXT,
            new="y = series[starts]",
            says="y is the first value of each window. It should be the value that follows the window.",
            cost=0.4,
        ),
        Mistake(
            "y-is-a-window",
            old=NEXT,
            new="y = np.stack([series[start + 1 : start + T + 1] for start in starts])",
            says="y holds the whole window moved on by one. A single value is asked for: the next.",
            cost=0.3,
        ),
        Mistake(
            "y-is-a-column",
            old=NEXT,
            new="y = series[starts + T][:, None]",
            says="y is a column, (N - T, 1). It has one axis, (N - T,).",
            cost=0.15,
        ),
    ),
)


def draw_pad_sequences(rng):
    def case(lengths, when=""):
        seqs = [[int(i) for i in rng.integers(1, 40, length)] for length in lengths]
        for seq in seqs[::2]:
            seq[-1] = 0  # an id of 0 that is no padding
        return Case((seqs,), {"B": len(lengths), "T": max(lengths)}, when)

    return [
        case((3, 6, 2, 4)),
        case((4, 1, 7)),
        case((2, 5, 3, 8, 4)),
        case((5, 5, 5), "all sequences have one length"),
        case((4,), "B = 1"),
    ]


PLACE = "padded[b, : lengths[b]] = seq"
EMPTY = "padded = np.zeros((len(seqs), T), dtype=int)"
RESULT = "return padded, lengths"

PAD_SEQUENCES = Exercise(
    reference=pad_sequences,
    returns=("padded", "lengths"),
    draw=draw_pad_sequences,
    mistakes=(
        Mistake(
            "cut-to-the-first",
            old="T = lengths.max()\n"
            "    padded = np.zeros((len(seqs), T), dtype=int)\n"
            "    for b, seq in enumerate(seqs):\n"
            "        padded[b, : lengths[b]] = seq",
            new="T = lengths[0]\n"
            "    padded = np.zeros((len(seqs), T), dtype=int)\n"
            "    for b, seq in enumerate(seqs):\n"
            "        padded[b, : min(lengths[b], T)] = seq[:T]",
            says="The first sequence's length is taken for all, and whatever is longer is cut. Make room "
            "for the longest.",
            cost=0.3,
        ),
        Mistake(
            "padding-in-front",
            old=PLACE,
            new="padded[b, T - lengths[b] :] = seq",
            says="The padding stands in front. Pad at the end, so that every sequence starts at t = 0.",
            cost=0.3,
        ),
        Mistake(
            "lengths-of-the-padded-array",
            old=RESULT,
            new="return padded, np.full(len(seqs), padded.shape[1])",
            says="The lengths are those of the padded array, the same for all. Note each sequence's own "
            "length: afterwards nobody can tell padding from data.",
            cost=0.4,
        ),
        Mistake(
            "counts-nonzero",
            old=RESULT,
            new="return padded, (padded != 0).sum(axis=1)",
            says="The lengths count what is not 0 in the padded array, but 0 can be a symbol too. "
            "Take the lengths from the sequences themselves.",
            cost=0.3,
        ),
        Mistake(
            "counts-the-padding",
            old=RESULT,
            new="return padded, T - lengths",
            says="The lengths count the padding. They should say how many real steps each sequence has.",
            cost=0.3,
        ),
        Mistake(
            "longest-length-only",
            old=RESULT,
            new="return padded, T",
            says="Only the longest length is returned. Each of the B sequences has its own.",
            cost=0.4,
        ),
        Mistake(
            "cut-to-the-shortest",
            old="T = lengths.max()\n    " + EMPTY + "\n    for b, seq in enumerate(seqs):\n        " + PLACE,
            new="T = lengths.min()\n    "
            + EMPTY
            + "\n    for b, seq in enumerate(seqs):\n        padded[b] = seq[:T]",
            says="All sequences are cut to the shortest. Nothing may be lost: make room for the longest.",
            cost=0.6,
        ),
        Mistake(
            "one-step-too-many",
            old="T = lengths.max()",
            new="T = lengths.max() + 1",
            says="There is one column too many: even the longest sequence is padded.",
            cost=0.3,
        ),
        Mistake(
            "pads-with-minus-one",
            old=EMPTY,
            new="padded = np.full((len(seqs), T), -1)",
            says="The padding is -1. Pad with 0: an embedding or a one-hot code could not look up -1.",
            cost=0.2,
        ),
        Mistake(
            "repeats-the-last-symbol",
            old=PLACE,
            new="padded[b] = seq + seq[-1:] * (T - lengths[b])",
            says="The padding repeats each sequence's last symbol. Pad with zeros.",
            cost=0.3,
        ),
        Mistake(
            "repeats-the-sequence",
            old=PLACE,
            new="padded[b] = np.resize(seq, T)",
            says="The padding repeats the sequence from its start (np.resize does that). Pad with zeros.",
            cost=0.3,
        ),
        Mistake(
            "reorders-the-sequences",
            old="lengths = np.array",
            new="seqs = sorted(seqs, key=len, reverse=True)\n    lengths = np.array",
            also=("seqs = sorted(seqs, key=len)\n    lengths = np.array",),
            says="The sequences are sorted by length. Row b must stay sequence b, or the labels that belong "
            "to it no longer fit.",
            cost=0.3,
        ),
        Mistake(
            "time-first",
            old=RESULT,
            new="return padded.T, lengths",
            says="The array is time first, (T, B). In this course arrays are batch first: (B, T).",
            cost=0.15,
        ),
    ),
)

EXERCISES = (ONE_HOT, NEXT_STEP_PAIRS, WINDOWS, PAD_SEQUENCES)
