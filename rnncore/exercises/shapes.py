"""Lesson 08, One to many, many to one: the masked loss, the last outputs, sampling and generating.

Random symbols have no single right value: a ``view`` turns them into how often each was drawn, and takes
a frequency within six standard deviations of a distribution for that distribution.
"""

import numpy as np

from rnncore.exercises.bptt import far_apart, softmax_mistakes
from rnncore.exercises.exercise import Case, Exercise, Mistake, each_row
from rnncore.losses import masked_cross_entropy
from rnncore.observe import Absent, Formula
from rnncore.topics.sampling import generate, last_outputs, sample


def draw_lengths(rng, B, T):
    """Lengths in random order: T itself, 1, and what is between them, not all of it twice."""
    between = rng.integers(2, T, B - 2) if T > 2 else rng.integers(1, T + 1, B - 2)
    return rng.permutation([T, 1, *between])


def masked_case(rng, B, T, V, when="", shift=0.0, lengths=None):
    logits = rng.normal(0, 1.5, (B, T, V)) + shift
    lengths = draw_lengths(rng, B, T) if lengths is None else np.array(lengths)
    return Case((logits, rng.integers(0, V, (B, T)), lengths), {"B": B, "T": T, "V": V}, when)


def draw_masked_cross_entropy(rng):
    return [
        masked_case(rng, 3, 9, 4),  # T is chosen so that the mean length is never B
        masked_case(rng, 5, 6, 3),
        masked_case(rng, 4, 5, 7, "the logits are near 1000", 1000.0),
        masked_case(rng, 3, 1, 4, "T = 1", lengths=[1, 1, 1]),
        masked_case(rng, 1, 4, 3, "B = 1", lengths=[3]),
        Case(
            (*far_apart(rng, 3, 4, 5), np.array([4, 1, 3])), {"B": 3, "T": 4, "V": 5}, "scores lie far apart"
        ),
    ]


REAL = "real = np.arange(T) < lengths[:, None]"
SAFE = (
    "    safe_logits = np.where(real[..., None], logits, 0)\n    safe_targets = np.where(real, targets, 0)\n"
)
SHIFTED = "    shifted = safe_logits - safe_logits.max(axis=-1, keepdims=True)\n"
LOG_PROBS = "    log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))\n"
PICKED = "    picked = np.take_along_axis(log_probs, safe_targets[..., None], axis=-1)[..., 0]\n"
LOSS = "    loss = -float((picked * real).sum()) / count\n"
ONE_HOT = "    one_hot = np.arange(V) == safe_targets[..., None]\n"
SLOPE = "    dlogits = (np.exp(log_probs) - one_hot) / count\n"
MASKED = "    dlogits = dlogits * real[..., None]\n"
BODY = SAFE + SHIFTED + LOG_PROBS + PICKED + LOSS + ONE_HOT + SLOPE
UNSAFE = "    safe_logits, safe_targets = logits, targets\n"
SLOPE_OF_PROBABILITIES = "    dlogits = (np.exp(log_probs) - one_hot * real[..., None]) / count\n"
LOSS_OF_ALL = "    loss = -float(picked.sum()) / count\n"

MASKED_CROSS_ENTROPY = Exercise(
    reference=masked_cross_entropy,
    returns=("loss", "dlogits"),
    draw=draw_masked_cross_entropy,
    mistakes=(
        *softmax_mistakes("safe_logits"),
        Mistake(
            "padding-counted",
            old=REAL,
            new="real, lengths = np.ones((len(lengths), T), dtype=bool), np.full(len(lengths), T)",
            says="The padding is counted like real predictions: this is the mean over all B·T steps. What "
            "lies beyond a sequence's length counts nothing.",
            cost=0.7,
        ),
        Mistake(
            "divided-by-padded-length",
            old="count = int(lengths.sum())",
            new="count = real.size",
            says="The padding is left out of the sum and still counted in the mean: divide by the number of "
            "*real* predictions, not by B·T.",
            cost=0.4,
        ),
        Mistake(
            "loss-divided-by-padded-length",
            old="loss = -float((picked * real).sum()) / count",
            new="loss = -float((picked * real).sum()) / real.size",
            also=("loss = -float((picked * real).mean())",),
            says="The loss is divided by B·T, padding included, as a plain mean would. "
            "Divide its sum by the number of real predictions.",
            cost=0.3,
        ),
        Mistake(
            "gradient-divided-by-padded-length",
            old="dlogits = (np.exp(log_probs) - one_hot) / count",
            new="dlogits = (np.exp(log_probs) - one_hot) / real.size",
            says="dlogits is divided by B·T, padding included. The loss is a mean over the real predictions, "
            "so its gradient is divided by their number too.",
            cost=0.3,
        ),
        Mistake(
            "gradient-not-masked",
            old=BODY + MASKED,
            new=BODY.replace(SAFE, UNSAFE),
            says="The loss is right, but dlogits is not zero at the padding: what counts nothing must get no "
            "gradient either. Mask dlogits as well.",
            cost=0.4,
        ),
        Mistake(
            "loss-not-masked",
            old=BODY,
            new=BODY.replace(SAFE, UNSAFE).replace(LOSS, LOSS_OF_ALL),
            says="The gradient is masked, but the loss still adds up the log probabilities at the padding.",
            cost=0.4,
        ),
        Mistake(
            "logits-masked-instead-of-the-loss",
            old=BODY,
            new=BODY.replace(LOSS, LOSS_OF_ALL),
            says="Setting the logits of the padding to zero does not take it out: a row of equal logits still "
            "costs log V. Mask what is added up, after the logarithm.",
            cost=0.4,
        ),
        Mistake(
            "mean-of-sequence-means",
            old=LOSS + ONE_HOT + SLOPE,
            new="    loss = -float(((picked * real).sum(axis=1) / lengths).mean())\n"
            + ONE_HOT
            + "    dlogits = (np.exp(log_probs) - one_hot) / lengths[:, None, None] / len(lengths)\n",
            says="Each sequence is averaged on its own and then the averages are, so a prediction in a short "
            "sequence weighs more. Add up all real predictions first and divide once.",
            cost=0.3,
        ),
        Mistake(
            "loss-mean-of-sequence-means",
            old=LOSS,
            new="    loss = -float(((picked * real).sum(axis=1) / lengths).mean())\n",
            says="The loss averages each sequence on its own and then the averages, so a prediction in a short "
            "sequence weighs more. Add up all real predictions first and divide once; your dlogits does.",
            cost=0.3,
        ),
        Mistake(
            "only-the-targets-masked",
            old=BODY + MASKED,
            new=BODY.replace(SAFE, UNSAFE).replace(SLOPE, SLOPE_OF_PROBABILITIES),
            says="At the padding dlogits still holds the probabilities: only the one-hot targets are masked. "
            "Mask the whole difference.",
            cost=0.4,
        ),
        Mistake(
            "divided-by-batch",
            old="count = int(lengths.sum())",
            new="count = len(lengths)",
            says="The sum is divided by B, the number of sequences. The mean is over predictions.",
            cost=0.3,
        ),
        Mistake(
            "mask-one-step-too-long",
            old=REAL,
            new="real = np.arange(T) <= lengths[:, None]",
            says="The mask is one step too long: with t counted from 0, which is the last real step of a "
            "sequence of length 3?",
            cost=0.3,
        ),
        Mistake(
            "mask-one-step-too-short",
            old=REAL,
            new="real = np.arange(T) < lengths[:, None] - 1",
            says="The mask is one step too short: with t counted from 0, a sequence of length 3 has the real "
            "steps 0, 1 and 2.",
            cost=0.3,
        ),
        Mistake(
            "mask-inverted",
            old=REAL,
            new="real = np.arange(T) >= lengths[:, None]",
            says="The mask is the wrong way round: the padding is counted and the real steps are not.",
            cost=0.4,
        ),
        Mistake(
            "padding-at-the-start",
            old=REAL,
            new="real = np.arange(T)[::-1] < lengths[:, None]",
            says="The mask leaves out the *first* steps. The padding stands at the end of each sequence.",
            cost=0.3,
        ),
        Mistake(
            "loss-summed",
            old="loss = -float((picked * real).sum()) / count",
            new="loss = -float((picked * real).sum())",
            says="The loss is the sum over the real predictions; their mean is asked for.",
            cost=0.3,
        ),
        Mistake(
            "gradient-of-the-sum",
            old="dlogits = (np.exp(log_probs) - one_hot) / count",
            new="dlogits = np.exp(log_probs) - one_hot",
            says="dlogits is the gradient of the sum. The loss is a mean over the real predictions: what "
            "does that do to each share?",
            cost=0.3,
        ),
        Mistake(
            "sign-of-the-loss",
            old="loss = -float(",
            new="loss = float(",
            says="The loss is negative. What is certain costs nothing, and all else costs more.",
            cost=0.3,
        ),
        Mistake(
            "targets-not-subtracted",
            old="dlogits = (np.exp(log_probs) - one_hot) / count",
            new="dlogits = np.exp(log_probs) / count",
            says="dlogits holds the probabilities only, so the targets make no difference. What does the "
            "target's own logit do to the loss?",
            cost=0.4,
        ),
        Mistake(
            "unstable",
            old=SHIFTED,
            new="    shifted = safe_logits\n",
            says="np.exp overflows for large logits. What may be subtracted from a whole row without "
            "changing its probabilities, so that no exponential exceeds 1?",
            cost=0.4,
        ),
        Mistake(
            "only-the-probabilities-masked",
            old=ONE_HOT + SLOPE + MASKED,
            new="    one_hot = np.arange(V) == targets[..., None]\n"
            "    dlogits = (np.exp(log_probs) * real[..., None] - one_hot) / count\n",
            also=(
                (
                    "    one_hot = np.arange(V) == safe_targets[..., None]\n"
                    "    dlogits = (np.exp(log_probs) * real[..., None] - one_hot) / count\n"
                ),
            ),
            says="At the padding the one-hot vector is still subtracted: only the "
            "probabilities are masked. Mask the difference of the two.",
            cost=0.3,
        ),
        Mistake(
            "only-the-one-hot-masked",
            old=ONE_HOT + SLOPE + MASKED,
            new="    one_hot = np.arange(V) == safe_targets[..., None]\n"
            "    dlogits = (np.exp(log_probs) - one_hot * real[..., None]) / count\n",
            says="At the padding the probabilities still stand in the gradient: only the "
            "one-hot vector is masked. Mask the difference of the two.",
            cost=0.3,
        ),
        Mistake(
            "sign-of-the-gradient",
            old=SLOPE,
            new="    dlogits = (one_hot - np.exp(log_probs)) / count\n",
            says="The gradient has the wrong sign: raising a wrong symbol's score raises the loss.",
            cost=0.3,
        ),
    ),
)


def draw_last_outputs(rng):
    def case(B, T, H, when="", lengths=None):
        lengths = draw_lengths(rng, B, T) if lengths is None else np.array(lengths)
        return Case((rng.normal(size=(B, T, H)), lengths), {"B": B, "T": T, "H": H}, when)

    return [
        case(3, 5, 4, lengths=rng.permutation([2, 3, 4])),
        case(4, 6, 3),
        case(5, 7, 2),
        case(3, 1, 4, "T = 1", [1, 1, 1]),
        case(3, 4, 1, "H = 1"),
        case(1, 5, 3, "B = 1", [3]),
    ]


LAST = "return y[rows, last]"

LAST_OUTPUTS = Exercise(
    reference=last_outputs,
    returns=("last",),
    draw=draw_last_outputs,
    by_row=each_row,
    mistakes=(
        Mistake(
            "largest-of-the-real-steps",
            old="return y[rows, last]",
            new="return np.where(np.arange(y.shape[1])[:, None] <= last[:, None, None], y, -np.inf).max(axis=1)",
            says="This is the largest of the real steps, feature by feature (max pooling). Asked for is "
            "the output at the last of them.",
            cost=0.5,
        ),
        Mistake(
            "last-column",
            old=LAST,
            new="return y[:, -1]",
            says="y[:, -1] is the last column, which for a shorter sequence is padding. Each sequence has "
            "its own last step.",
            cost=0.7,
        ),
        Mistake(
            "one-step-too-far",
            old="last = lengths - 1",
            new="last = lengths",
            says="This is one step too far: with t counted from 0, the last real step of a sequence of "
            "length 3 is t = 2.",
            cost=0.3,
        ),
        Mistake(
            "one-step-too-early",
            old="last = lengths - 1",
            new="last = lengths - 2",
            says="This is the last step but one: with t counted from 0, the last real step is length - 1.",
            cost=0.3,
        ),
        Mistake(
            "every-row-with-every-length",
            old=LAST,
            new="return y[:, last]",
            says="y[:, lengths - 1] takes *all* the lengths from *every* sequence, so there is one axis "
            "too many. Each sequence goes with its own length.",
            cost=0.4,
        ),
        Mistake(
            "one-length-for-all",
            old=LAST,
            new="return y[:, last[0]]",
            also=("return y[:, last.min()]",),
            says="One sequence's length is used for all of them. Each has its own last step.",
            cost=0.7,
        ),
        Mistake(
            "longest-length-for-all",
            old=LAST,
            new="return y[:, last.max()]",
            says="The longest sequence's length is used for all of them: the others are read in their padding.",
            cost=0.7,
        ),
        Mistake(
            "counted-from-the-end",
            old="last = lengths - 1",
            new="last = -lengths",
            says="The length is counted from the end of the array. A sequence starts at t = 0, and its last "
            "step is length - 1 steps after that.",
            cost=0.4,
        ),
        Mistake(
            "axes-swapped",
            old=LAST,
            new="return y[last, rows]",
            says="The two indices are swapped: y is (B, T, H), the batch comes first.",
            cost=0.3,
        ),
        Mistake(
            "first-step",
            old=LAST,
            new="return y[:, 0]",
            says="This is the output at the first step, which has read one symbol only.",
            cost=0.7,
        ),
        Mistake(
            "mean-over-time",
            old=LAST,
            new="return y.mean(axis=1)",
            says="This is the mean over all T steps, padding included. The output at each sequence's last "
            "real step is asked for.",
            cost=0.7,
        ),
        Mistake(
            "mean-over-the-real-steps",
            old=LAST,
            new="real = np.arange(y.shape[1]) < lengths[:, None]\n"
            "    return (y * real[..., None]).sum(axis=1) / lengths[:, None]",
            says="This is the mean over the real steps. It is a good idea, but here the output at the last "
            "of them is asked for.",
            cost=0.5,
        ),
        Mistake(
            "real-steps-added-up",
            old=LAST,
            new="real = np.arange(y.shape[1]) < lengths[:, None]\n"
            "    return (y * real[..., None]).sum(axis=1)",
            says="The outputs of all real steps are added up. Only the last of them is asked for.",
            cost=0.5,
        ),
        Mistake(
            "one-step-too-far-but-inside",
            old="last = lengths - 1",
            new="last = np.minimum(lengths, y.shape[1] - 1)",
            also=("y, last = np.pad(y, [(0, 0), (0, 1), (0, 0)]), lengths",),
            says="One step too far: wherever there is padding, this is its first step. Steps "
            "count from 0, so the last one is lengths - 1.",
            cost=0.3,
        ),
        Mistake(
            "flattened-without-the-batch",
            old="return y[rows, last]",
            new="return y.reshape(-1, y.shape[2])[last]",
            says="In the flattened array the rows lie one behind the other, and the lengths "
            "alone always point into the first of them.",
            cost=0.4,
        ),
    ),
)


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def frequencies(ids, V, likely):
    """How often each of V symbols stands in the last axis of ids, as one of the ``likely`` distributions.

    A distribution that each count agrees with, up to six standard deviations and three, is taken for it:
    so all who draw from it get the same numbers, whatever way they draw. Otherwise it is what was counted.
    """
    N = ids.shape[-1]
    counts = (ids[..., None] == np.arange(V)).sum(axis=-2)
    for probs in likely:
        margin = 6 * np.sqrt(N * probs * (1 - probs)) + 3 * (probs > 0)
        if (np.abs(counts - N * probs) <= margin).all():
            return probs
    return counts / N


def chance(found, likely, first, again, *others):
    """Whether the same generator gave the same ids again, and one of some other generators others.

    Where it did not and the frequencies are no known ones either, they are the answer: ids that never
    change do not prove a generator of the function's own, they may come of something else.
    """
    varied = any(not np.array_equal(first, other) for other in others)
    right = np.array_equal(first, again) and varied
    return right if right or any(found is probs for probs in likely) else found


def not_ids(ids, shape, V):
    """What is wrong with ids as whole numbers below V of that shape, as what is compared; None if nothing."""
    if ids.shape != shape:
        asked = f"ids of shape {shape} are asked for" if shape else "one id is asked for"
        return Absent(f"cannot be judged: {asked}, and the result has shape {ids.shape}.")
    if not np.isin(ids, np.arange(V)).all():
        return Absent(f"cannot be judged: the result holds other numbers than the ids 0 to {V - 1}.")
    return None


def view_sample(case, ids, *more):
    """How often each symbol was drawn from each row, and whether chance came from the generator alone."""
    if ids is None:
        return None
    logits, temperature, _ = case.args
    ids, V = np.asarray(ids), logits.shape[-1]
    wrong = not_ids(ids, logits.shape[:-1], V)
    if wrong:
        return wrong, wrong
    if ids.ndim == 0:  # which of all the unlikely symbols it is says nothing
        likeliest = np.arange(V) == logits.argmax()
        return (likeliest if likeliest[ids] else ~likeliest / (V - 1)) * 1.0, True
    row = logits[..., :1, :] if logits.ndim > 1 else logits
    row = row[..., 0, :]
    likely = softmax(row / temperature), softmax(row * temperature), softmax(row), np.full(row.shape, 1 / V)
    found = frequencies(ids, V, likely)
    return found, chance(found, likely, ids, *more) if more else True


def generator(rng):
    return Formula(f"np.random.default_rng({rng.integers(2**32)})")


def draw_sample(rng):
    def spread(V, at):
        """Logits of one row, far enough apart that another temperature shows; the largest is at ``at``.

        The first is a little above 0, where a point thrown at the scores themselves may fall on either side.
        """
        logits = rng.permutation(0.8 * np.arange(V - 1) + rng.uniform(-0.1, 0.1, V - 1))
        logits = np.insert(logits, at, logits.max() + 0.8)
        return logits - logits[0] + rng.uniform(0.15, 0.4)

    def case(rows, N, V, temperature, when="", others=1):
        middle = rng.permutation(np.arange(1, V - 1))  # in no two rows is the same symbol the likeliest
        logits = np.stack([spread(V, at) for at in middle[: max(rows, 1)]])
        logits = np.repeat(logits[:, None], N, axis=1)
        logits = logits if rows else logits[0]
        first = generator(rng)
        further = [first, *(generator(rng) for _ in range(others))] if others else []
        more = tuple((logits, temperature, each) for each in further)
        return Case((logits, temperature, first), {"V": V}, when, more=more)

    # One symbol alone is likely, among so many that nobody hits it by chance.
    scores = rng.uniform(0, 1, 200) + 60.0 * (np.arange(200) == rng.integers(1, 199))
    single = Case((scores, 1.5, generator(rng)), {}, "logits is one row")
    return [
        case(2, 2500, 4, 0.5),
        case(0, 3000, 5, 2.0, others=8),  # ids that never change are told from those thrown once
        case(0, 6, 4, 1e-3, "the temperature is near 0", others=0),
        single,
    ]


SCALED = "scaled = logits / temperature"
THROWN = "thrown = rng.random(logits.shape[:-1])"
IDS = "ids = (borders <= thrown[..., None]).sum(axis=-1)"


def sample_each_row(answer, logits, temperature, rng):
    """For ``by_row``: a symbol for each row of logits, one row at a time."""
    rows = logits.reshape(-1, logits.shape[-1])
    return np.reshape([answer(row, temperature, rng) for row in rows], logits.shape[:-1])


SAMPLE = Exercise(
    reference=sample,
    returns=("frequencies", "drawn from rng"),
    draw=draw_sample,
    view=view_sample,
    many_calls=True,
    by_row=sample_each_row,
    mistakes=(
        Mistake(
            "first-share-above-the-dart",
            old="ids = (borders <= thrown[..., None]).sum(axis=-1)",
            new="ids = (probs > thrown[..., None]).argmax(axis=-1)",
            says="The dart is held against the shares themselves, so the first symbol with a large share "
            "gets most throws. Lay the shares side by side first: where does each begin and end?",
            cost=0.4,
        ),
        Mistake(
            "temperature-multiplied",
            old=SCALED,
            new="scaled = logits * temperature",
            says="The logits are multiplied by the temperature, so a high one makes the likely symbols "
            "still likelier. Heat must level them out.",
            cost=0.3,
        ),
        Mistake(
            "temperature-ignored",
            old=SCALED,
            new="scaled = logits",
            says="The temperature changes nothing here. (Dividing the *probabilities* by it has no effect "
            "once they are made to sum to 1 again.)",
            cost=0.5,
        ),
        Mistake(
            "argmax",
            old=IDS,
            new="ids = logits.argmax(axis=-1)",
            says="The likeliest symbol is taken every time. To sample, draw a symbol *with* its probability, "
            "so that a less likely one is drawn now and then.",
            cost=0.7,
        ),
        Mistake(
            "uniform",
            old="borders = probs.cumsum(axis=-1)[..., :-1]",
            new="borders = np.full(probs.shape, 1 / probs.shape[-1]).cumsum(axis=-1)[..., :-1]",
            says="All symbols are drawn equally often: the probabilities are not used.",
            cost=0.8,
        ),
        Mistake(
            "one-throw-for-all-rows",
            old=THROWN,
            new="thrown = np.full(logits.shape[:-1], rng.random())",
            also=("thrown = np.full(logits.shape[:-1], rng.uniform())",),
            says="One random number serves all rows, so equal rows always get the same symbol. "
            "Draw one for each row.",
            cost=0.4,
        ),
        Mistake(
            "own-generator",
            old=THROWN,
            new="thrown = np.random.default_rng().random(logits.shape[:-1])",
            also=(
                "thrown = np.random.default_rng(0).random(logits.shape[:-1])",
                "thrown = np.random.rand(*logits.shape[:-1])",
            ),
            says="The symbols do not come from the rng that was passed in: the same generator must give the "
            "same symbols again, and another one others.",
            cost=0.3,
        ),
        Mistake(
            "counted-from-the-other-end",
            old=IDS,
            new="ids = (borders > thrown[..., None]).sum(axis=-1)",
            says="The symbols come out in reverse: going up from 0 to the point that was thrown, which "
            "borders are passed?",
            cost=0.3,
        ),
        Mistake(
            "softmax-over-the-wrong-axis",
            old="    scaled = scaled - scaled.max(axis=-1, keepdims=True)\n"
            "    weights = np.exp(scaled)\n    probs = weights / weights.sum(axis=-1, keepdims=True)",
            new="    scaled = scaled - scaled.max(axis=0, keepdims=True)\n"
            "    weights = np.exp(scaled)\n    probs = weights / weights.sum(axis=0, keepdims=True)",
            says="The probabilities do not sum to 1 over the symbols: take the softmax over the last axis.",
            cost=0.3,
        ),
        Mistake(
            "unstable",
            old="    scaled = scaled - scaled.max(axis=-1, keepdims=True)\n",
            new="",
            says="np.exp overflows when the temperature is small, since logits / temperature is then "
            "large. What may be subtracted from a whole row without changing its probabilities?",
            cost=0.4,
        ),
        Mistake(
            "noise-of-another-kind",
            old=THROWN + "\n    " + IDS,
            new="ids = (scaled + rng.random(logits.shape)).argmax(axis=-1)",
            also=(
                "ids = (scaled + rng.normal(size=logits.shape)).argmax(axis=-1)",
                "ids = (probs * rng.random(logits.shape)).argmax(axis=-1)",
            ),
            says="Noise is put on the numbers and the largest wins. That draws with these probabilities only if "
            "the noise has Gumbel's distribution; this noise has another.",
            cost=0.5,
        ),
        Mistake(
            "one-row-only",
            old="    ids = (borders <= thrown[..., None]).sum(axis=-1)",
            new="    ids = rng.choice(probs.shape[-1], p=probs)",
            says="rng.choice takes the probabilities of one row, (V,). Here there may be any "
            "number of rows, and each is drawn for by itself.",
            cost=0.5,
        ),
        Mistake(
            "logarithms-added-up",
            old="borders = probs.cumsum(axis=-1)[..., :-1]",
            new="borders = np.log(probs).cumsum(axis=-1)[..., :-1]",
            says="Logarithms are added up where the probabilities themselves belong: the "
            "borders are all below 0, so the last symbol always wins.",
            cost=0.4,
        ),
        Mistake(
            "scores-added-up",
            old="borders = probs.cumsum(axis=-1)[..., :-1]",
            new="borders = logits.cumsum(axis=-1)[..., :-1]",
            also=("borders = (logits / temperature).cumsum(axis=-1)[..., :-1]",),
            says="Raw scores are added up where probabilities belong: a softmax is missing.",
            cost=0.5,
        ),
    ),
)

STEP = (
    "lambda symbol, state: (60.0 * (np.arange({V}) == ({a} * symbol + 3 * state[0] + state[1]) % {V}), "
    "np.array([(5 * state[0] + symbol + 1) % 97, state[1]]))"
)
# From each symbol the next is likely, each of the 90 after that is not, and the others are out of reach.
# So many unlikely ones tell a temperature: cold they die out, hot they drown the next.
SCORES = np.array([-69.0, 0.0, *[-4.0] * 90, *[-69.0] * 89])
MOVES, COLD, HOT = (softmax(np.where(SCORES > -69, SCORES / heat, -np.inf)) for heat in (1.0, 0.5, 2.0))
WALK = "lambda symbol, state: (np.roll(np.array([-69.0, 0.0, *[-4.0] * 90, *[-69.0] * 89]), int(symbol)), state + 1)"


def view_generate(case, ids, *more):
    """The ids where only one sequence is likely; otherwise which symbols follow which, and how often."""
    if ids is None:
        return None
    _, _, first, n, _ = case.args
    ids, V = np.asarray(ids), case.sizes["V"]
    wrong = not_ids(ids, (n,), V)
    if wrong:
        return wrong, wrong, wrong
    if not more:
        return ids, np.zeros(V), True
    moves = np.diff(ids, prepend=first) % V
    likely = (MOVES, COLD, HOT)
    found = frequencies(moves, V, likely)
    return np.zeros(n), found, chance(found, likely, ids, *more)


def draw_generate(rng):
    def certain(V, n, when=""):
        step = Formula(STEP.format(V=V, a=rng.integers(2, V - 1)))
        state = rng.integers(1, 50, 2).astype(float)
        return Case((step, state, int(rng.integers(1, V)), n, generator(rng)), {"V": V}, when)

    def walk(V, n):
        step, state, first = Formula(WALK), np.zeros(1), int(rng.integers(1, V))
        one, other = generator(rng), generator(rng)
        more = ((step, state, first, n, one), (step, state, first, n, other))
        return Case((step, state, first, n, one), {"V": V}, more=more)

    return [certain(11, 7), certain(13, 6), walk(len(MOVES), 200), certain(7, 1, "n = 1")]


READ = "logits, state = step(symbol, state)"
DRAW = "symbol = int(sample(logits, 1.0, rng))"
LOOP = (
    "    for t in range(n):\n        logits, state = step(symbol, state)\n"
    "        symbol = int(sample(logits, 1.0, rng))\n        ids[t] = symbol\n"
)

GENERATE = Exercise(
    reference=generate,
    returns=("ids", "frequencies", "drawn from rng"),
    uses=("sample",),
    draw=draw_generate,
    view=view_generate,
    many_calls=True,
    mistakes=(
        Mistake(
            "state-not-carried",
            old=READ,
            new="logits, _ = step(symbol, state)",
            says="Every step starts from the first state again: what the network remembers is thrown away. "
            "Hand the state that step returns to the next call.",
            cost=0.5,
        ),
        Mistake(
            "first-symbol-fed-again",
            old=READ,
            new="logits, state = step(first, state)",
            says="The network reads the first symbol at every step. From the second step on it must read the "
            "symbol that it has just drawn.",
            cost=0.5,
        ),
        Mistake(
            "argmax",
            old=DRAW,
            new="symbol = int(np.argmax(logits))",
            says="The likeliest symbol is taken every time. Draw it with `sample`, at temperature 1.",
            cost=0.4,
        ),
        Mistake(
            "too-cold",
            old=DRAW,
            new="symbol = int(sample(logits, 0.5, rng))",
            says="The likely symbols come too often: draw at temperature 1. Whoever wants another temperature "
            "divides the logits in `step`.",
            cost=0.2,
        ),
        Mistake(
            "too-hot",
            old=DRAW,
            new="symbol = int(sample(logits, 2.0, rng))",
            says="The unlikely symbols come too often: draw at temperature 1. Whoever wants another temperature "
            "divides the logits in `step`.",
            cost=0.2,
        ),
        Mistake(
            "fed-another-symbol-than-returned",
            old="ids[t] = symbol",
            new="ids[t] = int(sample(logits, 1.0, rng))",
            also=("ids[t] = symbol\n        symbol = int(sample(logits, 1.0, rng))",),
            says="The symbol that is returned and the one that is read next are drawn apart. "
            "Draw once a step, keep the symbol, and feed that one.",
            cost=0.4,
        ),
        Mistake(
            "starts-with-the-first-symbol",
            old=LOOP,
            new="    for t in range(n):\n        ids[t] = symbol\n        logits, state = step(symbol, state)\n"
            "        symbol = int(sample(logits, 1.0, rng))\n",
            says="The first symbol stands at the start of ids and the last one drawn is missing. "
            "ids holds the n symbols that were drawn.",
            cost=0.3,
        ),
        Mistake(
            "first-symbol-included",
            old="    return ids",
            new="    return np.array([first, *ids])",
            says="ids holds the first symbol as well, n + 1 in all. It was given, not drawn: leave it out.",
            cost=0.2,
        ),
        Mistake(
            "one-too-few",
            old="    return ids",
            new="    return ids[:-1]",
            says="One symbol is missing: n symbols are asked for.",
            cost=0.2,
        ),
        Mistake(
            "first-symbol-ignored",
            old="symbol = first",
            new="symbol = 0",
            says="The network starts by reading the id 0 instead of the first symbol that was passed in.",
            cost=0.3,
        ),
        Mistake(
            "fed-the-time-step",
            old=READ,
            new="logits, state = step(t, state)",
            says="The network reads the number of the step, t. It must read the symbol that it has just drawn.",
            cost=0.5,
        ),
        Mistake(
            "own-generator",
            old=DRAW,
            new="symbol = int(sample(logits, 1.0, np.random.default_rng()))",
            also=(
                "symbol = int(sample(logits, 1.0, np.random))",
                "symbol = int(sample(logits, 1.0, np.random.default_rng(0)))",
            ),
            says="The symbols do not come from the rng that was passed in. Hand that one on to `sample`.",
            cost=0.3,
        ),
        Mistake(
            "only-the-last-symbol",
            old="    return ids",
            new="    return symbol",
            says="Only the last symbol is returned. All n of them are asked for, in order.",
            cost=1,
        ),
        Mistake(
            "arguments-swapped",
            old="logits, state = step(symbol, state)",
            new="logits, state = step(state, symbol)",
            says="step is given its arguments the wrong way round: first the symbol, then the state.",
            cost=0.3,
        ),
        Mistake(
            "only-the-first-symbol",
            old="    return ids",
            new="    return ids[:1]",
            says="Only the first symbol comes back: is the `return` inside the loop?",
            cost=0.3,
        ),
        Mistake(
            "written-over",
            old="        ids[t] = symbol",
            new="        ids[:] = symbol",
            also=("        ids[0] = symbol",),
            says="Each symbol is written over the one before. Every step has its own place.",
            cost=0.4,
        ),
    ),
)

EXERCISES = (LAST_OUTPUTS, MASKED_CROSS_ENTROPY, SAMPLE, GENERATE)
