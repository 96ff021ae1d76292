"""Lesson 03, Send the error back through time: the loss, the measured gradient, and three backward passes."""

import numpy as np

from rnncore.cells.rnn import rnn_backward, rnn_cell, rnn_cell_backward, rnn_forward, truncated_backward
from rnncore.exercises.exercise import Case, Exercise, Mistake, each_row
from rnncore.exercises.rnn_cell import draw_params
from rnncore.gradcheck import numerical_gradient
from rnncore.losses import softmax_cross_entropy
from rnncore.observe import Formula


def far_apart(rng, B, T, V):
    """Logits whose rows differ by thousands and hold scores 40 or 1000 apart, and targets that are unlikely."""
    logits = rng.normal(0, 1.5, (B, T, V)) + 2000.0 * rng.permutation(B * T).reshape(B, T, 1) / (B * T) - 1000
    first = rng.integers(0, V, (B, T, 1))
    above = rng.permutation(np.resize([40.0, 1000.0], B * T)).reshape(B, T, 1)
    np.put_along_axis(logits, first, np.take_along_axis(logits, first, 2) + above, 2)
    return logits, (first[..., 0] + rng.integers(1, V, (B, T))) % V


def softmax_mistakes(logits):
    """What goes wrong where scores lie far apart, in a reference that calls its scores ``logits``."""
    probs = "np.exp(shifted) / np.exp(shifted).sum(axis=-1, keepdims=True)"
    return (
        Mistake(
            "global-maximum",
            old=f"shifted = {logits} - {logits}.max(axis=-1, keepdims=True)",
            new=f"shifted = {logits} - {logits}.max()",
            says="The largest logit of all is subtracted everywhere. Where a row lies far below it, every "
            "exponential of that row becomes 0: each row is a softmax of its own.",
            cost=0.3,
        ),
        Mistake(
            "mean-subtracted",
            old=f"shifted = {logits} - {logits}.max(axis=-1, keepdims=True)",
            new=f"shifted = {logits} - {logits}.mean(axis=-1, keepdims=True)",
            says="Each row's mean is subtracted, and a logit far above it still overflows its exponential. What must "
            "be subtracted for none to be left above 0?",
            cost=0.3,
        ),
        Mistake(
            "log-of-a-probability",
            old="log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))",
            new=f"log_probs = np.log({probs})",
            also=(f"log_probs = np.log({probs} + 1e-8)", f"log_probs = np.log({probs} + 1e-12)"),
            says="The logarithm is taken of a probability. An unlikely symbol's has become 0 by then, and its "
            "loss infinite, or wrong with a small number added. Work out on paper what the logarithm of a softmax "
            "is: no quotient is left.",
            cost=0.2,
        ),
    )


def draw_cross_entropy(rng):
    def case(B, T, V, when="", shift=0.0):
        logits = rng.normal(0, 1.5, (B, T, V)) + shift
        return Case((logits, rng.integers(0, V, (B, T))), {"B": B, "T": T, "V": V}, when)

    return [
        case(3, 5, 4),
        case(4, 3, 7),
        case(3, 4, 5, "the logits are near 1000", 1000.0),
        case(3, 1, 4, "T = 1"),
        Case(far_apart(rng, 3, 4, 5), {"B": 3, "T": 4, "V": 5}, "scores lie far apart"),
    ]


SOFTMAX_CROSS_ENTROPY = Exercise(
    reference=softmax_cross_entropy,
    returns=("loss", "dlogits"),
    draw=draw_cross_entropy,
    mistakes=(
        Mistake(
            "number-added-in-the-logarithm",
            old="picked = np.take_along_axis(log_probs, targets[..., None], axis=-1)",
            new="picked = np.log(np.take_along_axis(np.exp(log_probs), targets[..., None], axis=-1) + 1e-3)",
            also=tuple(
                "picked = np.log(np.take_along_axis(np.exp(log_probs), targets[..., None], axis=-1) + "
                f"{small})"
                for small in ("1e-2", "1e-4", "1e-5", "1e-6", "1e-7")
            ),
            says="A small number is added before the logarithm, and it changes the loss of every unlikely "
            "symbol. Nothing needs it: work out on paper what the logarithm of a softmax is, and no "
            "quotient is left.",
            cost=0.2,
        ),
        Mistake(
            "global-maximum-and-probabilities",
            old="shifted = logits - logits.max(axis=-1, keepdims=True)\n"
            "    log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))",
            new="shifted = logits - logits.max()\n"
            "    log_probs = np.log(np.exp(shifted) / np.exp(shifted).sum(axis=-1, keepdims=True))",
            says="The largest logit of all is subtracted everywhere, and the logarithm is taken of "
            "probabilities: in a row far below it, all of them have become 0. Each row is a softmax "
            "of its own.",
            cost=0.3,
        ),
        Mistake(
            "wrong-axis",
            old="shifted = logits - logits.max(axis=-1, keepdims=True)\n"
            "    log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))",
            new="shifted = logits - logits.max(axis=1, keepdims=True)\n"
            "    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))",
            says="The softmax is taken over time (axis 1). The probabilities of the V symbols must sum to 1 "
            "at each step: take it over the last axis.",
            cost=0.3,
        ),
        Mistake(
            "wrong-axis-batch",
            old="shifted = logits - logits.max(axis=-1, keepdims=True)\n"
            "    log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))",
            new="shifted = logits - logits.max(axis=0, keepdims=True)\n"
            "    log_probs = shifted - np.log(np.exp(shifted).sum(axis=0, keepdims=True))",
            says="The softmax is taken over the batch (axis 0). The probabilities of the V symbols must sum "
            "to 1 at each step: take it over the last axis.",
            cost=0.3,
        ),
        Mistake(
            "unstable",
            old="shifted = logits - logits.max(axis=-1, keepdims=True)\n"
            "    log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))",
            new="e = np.exp(logits)\n    log_probs = np.log(e / e.sum(axis=-1, keepdims=True))",
            also=("log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))",),
            says="np.exp overflows for large logits. What may be subtracted from a whole row without "
            "changing its probabilities, so that no exponential exceeds 1?",
            cost=0.4,
        ),
        *softmax_mistakes("logits"),
        Mistake(
            "averaged-twice",
            old="dlogits = (np.exp(log_probs) - one_hot) / (B * T)",
            new="dlogits = (np.exp(log_probs) - one_hot) / (B * T) / (B * T)",
            says="The gradient is divided by B·T twice: the mean is taken once.",
            cost=0.3,
        ),
        Mistake(
            "loss-averaged-twice",
            old="loss = -float(picked.sum()) / (B * T)",
            new="loss = -float(picked.mean()) / (B * T)",
            says="The loss is averaged twice: .mean() has already divided by B·T.",
            cost=0.3,
        ),
        Mistake(
            "loss-summed",
            old="loss = -float(picked.sum()) / (B * T)",
            new="loss = -float(picked.sum())",
            says="The loss is the sum over all predictions; the mean over all B·T of them is asked for.",
            cost=0.3,
        ),
        Mistake(
            "gradient-of-the-sum",
            old="dlogits = (np.exp(log_probs) - one_hot) / (B * T)",
            new="dlogits = np.exp(log_probs) - one_hot",
            says="dlogits is the gradient of the sum. The loss is a mean: what does that do to each share?",
            cost=0.3,
        ),
        Mistake(
            "divided-by-batch",
            old="dlogits = (np.exp(log_probs) - one_hot) / (B * T)",
            new="dlogits = (np.exp(log_probs) - one_hot) / B",
            says="dlogits is divided by B alone. There are B·T predictions in the mean.",
            cost=0.3,
        ),
        Mistake(
            "loss-divided-by-batch",
            old="loss = -float(picked.sum()) / (B * T)",
            new="loss = -float(picked.sum()) / B",
            says="The loss is divided by B alone. There are B·T predictions in the mean.",
            cost=0.3,
        ),
        Mistake(
            "sign-of-the-loss",
            old="loss = -float(picked.sum()) / (B * T)",
            new="loss = float(picked.sum()) / (B * T)",
            says="The loss is negative. What is certain costs nothing, and all else costs more.",
            cost=0.3,
        ),
        Mistake(
            "targets-not-subtracted",
            old="dlogits = (np.exp(log_probs) - one_hot) / (B * T)",
            new="dlogits = np.exp(log_probs) / (B * T)",
            says="dlogits holds the probabilities only, so the targets make no difference. What does the "
            "target's own logit do to the loss?",
            cost=0.4,
        ),
        Mistake(
            "gradient-from-log-probabilities",
            old="dlogits = (np.exp(log_probs) - one_hot) / (B * T)",
            new="dlogits = (log_probs - one_hot) / (B * T)",
            says="dlogits uses the log probabilities. What is the derivative of the logarithm of a sum of "
            "exponentials?",
            cost=0.3,
        ),
        Mistake(
            "divided-by-all-the-scores",
            old="loss = -float(picked.sum()) / (B * T)\n"
            "    one_hot = np.arange(V) == targets[..., None]\n"
            "    dlogits = (np.exp(log_probs) - one_hot) / (B * T)",
            new="loss = -float(picked.sum()) / logits.size\n"
            "    one_hot = np.arange(V) == targets[..., None]\n"
            "    dlogits = (np.exp(log_probs) - one_hot) / logits.size",
            says="The mean runs over all B·T·V scores, so everything is V times too small. "
            "There are B·T predictions, one for each target.",
            cost=0.3,
        ),
        Mistake(
            "loss-divided-by-all-the-scores",
            old="loss = -float(picked.sum()) / (B * T)",
            new="loss = -float(picked.sum()) / logits.size",
            says="The loss is a mean over all B·T·V scores, V times too small. There are B·T predictions.",
            cost=0.3,
        ),
        Mistake(
            "gradient-divided-by-all-the-scores",
            old="dlogits = (np.exp(log_probs) - one_hot) / (B * T)",
            new="dlogits = (np.exp(log_probs) - one_hot) / logits.size",
            says="The gradient is divided by all B·T·V scores, V times too small. The loss is "
            "a mean over B·T predictions.",
            cost=0.3,
        ),
        Mistake(
            "every-target-at-every-place",
            old="loss = -float(picked.sum()) / (B * T)",
            new="loss = -float(log_probs[:, :, targets].mean())",
            also=("loss = -float(log_probs[np.arange(B), :, targets.T].mean())",),
            says="The loss reads every target's probability at every place: a slice `:` "
            "beside targets means all places. Each place has a target of its own.",
            cost=0.4,
        ),
        Mistake(
            "sigmoids",
            old="    picked = np.take_along_axis(log_probs, targets[..., None], axis=-1)\n"
            "    loss = -float(picked.sum()) / (B * T)\n"
            "    one_hot = np.arange(V) == targets[..., None]\n"
            "    dlogits = (np.exp(log_probs) - one_hot) / (B * T)",
            new="    one_hot = np.arange(V) == targets[..., None]\n"
            "    yes = 0.5 * (1 + np.tanh(logits / 2))\n"
            "    loss = -float(np.log(np.where(one_hot, yes, 1 - yes) + "
            "1e-12).sum()) / (B * T)\n"
            "    dlogits = (yes - one_hot) / (B * T)",
            says="Each symbol is judged by itself, by a sigmoid of its own, as if several "
            "could be right at once. Exactly one comes next: a softmax shares one "
            "certainty among all of them.",
            cost=0.6,
        ),
        Mistake(
            "logarithm-missing",
            old="loss = -float(picked.sum()) / (B * T)",
            new="loss = -float(np.exp(picked).sum()) / (B * T)",
            says="The loss adds up probabilities. It is their *logarithms* that are added.",
            cost=0.4,
        ),
        Mistake(
            "sign-of-the-gradient",
            old="dlogits = (np.exp(log_probs) - one_hot) / (B * T)",
            new="dlogits = (one_hot - np.exp(log_probs)) / (B * T)",
            says="The gradient has the wrong sign: raising a wrong symbol's score raises the loss.",
            cost=0.3,
        ),
    ),
)


def draw_numerical_gradient(rng):
    def cubic(shape, when=""):
        a, b = (rng.uniform(0.5, 2.0) for _ in range(2))
        f = Formula(f"lambda x: float(np.sum({a!r} * x**3 + {b!r} * x**2))")
        return Case((f, rng.uniform(0.5, 1.5, shape)), when=when)

    mixed = Formula("lambda x: float(np.sum(np.tanh(x[:, :-1] * x[:, 1:])) + np.sin(x).sum())")
    return [
        cubic((3, 2)),
        Case((mixed, rng.uniform(0.3, 1.2, (3, 4)))),
        cubic((5,), "x has one axis"),
        cubic((2, 3, 2), "x has three axes"),
    ]


def one_sided(h):
    """The last lines of numerical_gradient with a one-sided difference of step h."""
    return (
        f"        x[index] = kept + {h}\n        above = f(x)\n        x[index] = kept\n"
        f"        gradient[index] = (above - f(x)) / {h}"
    )


NUMERICAL_GRADIENT = Exercise(
    reference=numerical_gradient,
    returns=("gradient",),
    draw=draw_numerical_gradient,
    tolerance=2e-8,
    mistakes=(
        Mistake(
            "rows-at-once",
            old="for index in np.ndindex(x.shape):\n        kept = x[index]",
            new="for index in range(len(x)):\n        kept = x[index].copy()",
            says="A whole row is nudged at a time (a loop over the first axis), so its elements share one "
            "number. Nudge one element at a time: np.ndindex visits them all.",
            cost=0.3,
        ),
        Mistake(
            "one-sided",
            old="        x[index] = kept + h\n        above = f(x)\n        x[index] = kept - h\n"
            "        below = f(x)\n        x[index] = kept\n"
            "        gradient[index] = (above - below) / (2 * h)",
            new=one_sided("h"),
            also=tuple(one_sided(h) for h in ("1e-3", "1e-4", "1e-6", "1e-7")),
            says="This is a one-sided difference: its error shrinks only with h. Look h to both sides, and "
            "the error shrinks with h².",
            cost=0.6,
        ),
        Mistake(
            "step-too-small",
            old="    x = np.array(x, dtype=float)\n",
            new="    x, h = np.array(x, dtype=float), 1e-12\n",
            also=tuple(f"    x, h = np.array(x, dtype=float), 1e-{n}\n" for n in (8, 9, 10, 11, 13, 14, 15)),
            says="The step is too small: f(x + h) and f(x - h) agree in nearly all their digits, and "
            "what is left is rounding. In float64, h near 1e-5 is best.",
            cost=0.3,
        ),
        Mistake(
            "step-too-large",
            old="    x = np.array(x, dtype=float)\n",
            new="    x, h = np.array(x, dtype=float), 1e-2\n",
            also=(
                "    x, h = np.array(x, dtype=float), 1e-1\n",
                "    x, h = np.array(x, dtype=float), 1e-3\n",
            ),
            says="The step is too large: the difference sees the curve's bend. In float64, h near 1e-5 is best.",
            cost=0.3,
        ),
        Mistake(
            "not-restored",
            old="        x[index] = kept\n        gradient",
            new="        gradient",
            says="x is not put back after an element has been nudged, so every later element is measured at "
            "the wrong place. Restore the element before you go on to the next.",
            cost=0.3,
        ),
        Mistake(
            "input-left-changed",
            old="    x = np.array(x, dtype=float)\n    gradient = np.zeros_like(x)\n    for index in np.ndindex(x.shape):\n"
            "        kept = x[index]\n        x[index] = kept + h\n        above = f(x)\n"
            "        x[index] = kept - h\n        below = f(x)\n        x[index] = kept\n",
            new="    gradient = np.zeros_like(x)\n    for index in np.ndindex(x.shape):\n"
            "        kept = x[index]\n        x[index] = kept + h\n        above = f(x)\n"
            "        x[index] = kept - h\n        below = f(x)\n",
            says="The caller's x is changed and not put back. Work on a copy, and restore each element "
            "before you nudge the next.",
            cost=0.4,
        ),
        Mistake(
            "divided-by-h",
            old="(2 * h)",
            new="h",
            says="This gradient is twice too large: how far apart are the two points?",
            cost=0.3,
        ),
        Mistake(
            "sign",
            old="(above - below)",
            new="(below - above)",
            says="The difference has the wrong sign: where f rises, the gradient is positive.",
            cost=0.3,
        ),
        Mistake(
            "all-elements-at-once",
            old="        kept = x[index]\n        x[index] = kept + h\n        above = f(x)\n"
            "        x[index] = kept - h\n        below = f(x)\n        x[index] = kept\n",
            new="        above = f(x + h)\n        below = f(x - h)\n",
            says="All elements are nudged together, which measures the sum of the gradient. "
            "Nudge one element at a time.",
            cost=0.6,
        ),
        Mistake(
            "differences-of-neighbours",
            old="return gradient",
            new="return np.gradient(x, f(x))",
            also=(
                "return np.array(np.gradient(x))",
                "return np.gradient(x)",
            ),
            says="np.gradient takes differences between neighbouring numbers of an array. It "
            "never asks what f does when an element of x changes.",
            cost=0.8,
        ),
        Mistake(
            "flat",
            old="return gradient",
            new="return gradient.ravel()",
            says="The numbers are right, but in one long row. The gradient has the shape of x.",
            cost=0.15,
        ),
    ),
)


def backward_case(rng, B, D, H, when=""):
    p = draw_params(rng, D, H)
    _, cache = rnn_cell(p, rng.normal(size=(B, D)), rng.normal(0, 0.7, (B, H)))
    return Case((p, rng.normal(size=(B, H)), cache), {"B": B, "D": D, "H": H}, when)


def draw_rnn_cell_backward(rng):
    return [
        backward_case(rng, 3, 5, 2),
        backward_case(rng, 4, 2, 6),
        backward_case(rng, 3, 4, 1, "H = 1"),
        backward_case(rng, 1, 3, 2, "B = 1"),
    ]


DA = "da = dh * (1 - h_next**2)"

RNN_CELL_BACKWARD = Exercise(
    reference=rnn_cell_backward,
    returns=("dx", "dh_prev", "grads"),
    draw=draw_rnn_cell_backward,
    by_row=each_row,
    mistakes=(
        Mistake(
            "slope-at-the-error",
            old="da = dh * (1 - h_next**2)",
            new="da = dh * (1 - np.tanh(dh) ** 2)",
            says="The slope of tanh is taken at the error dh. It is the slope where the forward step was.",
            cost=0.4,
        ),
        Mistake(
            "not-squared",
            old=DA,
            new="da = dh * (1 - h_next)",
            says="This is not tanh's slope: where the output is -1 the curve is flat, and here it is not 0.",
            cost=0.3,
        ),
        Mistake(
            "tanh-twice",
            old=DA,
            new="da = dh * (1 - np.tanh(h_next) ** 2)",
            says="h_next already is the tanh. Taking tanh of it again gives the derivative at a wrong place.",
            cost=0.3,
        ),
        Mistake(
            "derivative-at-previous-state",
            old=DA,
            new="da = dh * (1 - h**2)",
            says="The derivative is taken at the *old* state h. Which state did the tanh of this step "
            "produce?",
            cost=0.3,
        ),
        Mistake(
            "upstream-ignored",
            old=DA,
            new="da = 1 - h_next**2",
            says="dh never enters. By the chain rule, what arrives from above is a factor of all that goes "
            "back.",
            cost=0.5,
        ),
        Mistake(
            "no-derivative",
            old=DA,
            new="da = dh",
            says="The gradient passes the tanh as if it were not there. By the chain rule its slope is a "
            "factor.",
            cost=0.4,
        ),
        Mistake(
            "sigmoid-derivative",
            old=DA,
            new="da = dh * h_next * (1 - h_next)",
            says="This is the slope of a sigmoid. This cell's activation is tanh.",
            cost=0.3,
        ),
        Mistake(
            "sign-of-the-derivative",
            old=DA,
            new="da = dh * (h_next**2 - 1)",
            says="The sign is flipped: tanh rises everywhere, so its slope is never negative.",
            cost=0.3,
        ),
        Mistake(
            "new-state-in-weight-hh",
            old='"weight_hh": da.T @ h,',
            new='"weight_hh": da.T @ h_next,',
            says="The gradient of weight_hh multiplies da with the *new* state h_next. Which state did "
            "weight_hh meet in the forward step?",
            cost=0.3,
        ),
        Mistake(
            "weight-hh-not-transposed-on-the-way-back",
            old='dh_prev = da @ p["weight_hh"]',
            new='dh_prev = da @ p["weight_hh"].T',
            says="dh_prev: going back, the gradient meets the other axis of weight_hh than h did going "
            "forward. It is square, so no shape complains: which of its axes belongs to the units "
            "that da stands for?",
            cost=0.3,
        ),
        Mistake(
            "weight-ih-transposed-on-the-way-back",
            old='dx = da @ p["weight_ih"]',
            new='dx = da @ p["weight_ih"].T',
            says="dx: da is (B, H), weight_ih (H, D), and dx should be (B, D). Which axes meet?",
            cost=0.3,
        ),
        Mistake(
            "weight-ih-gradient-transposed",
            old='"weight_ih": da.T @ x,',
            new='"weight_ih": x.T @ da,',
            says="The gradient of weight_ih is transposed: it must have weight_ih's own shape, (H, D).",
            cost=0.3,
        ),
        Mistake(
            "weight-hh-gradient-transposed",
            old='"weight_hh": da.T @ h,',
            new='"weight_hh": h.T @ da,',
            says="The gradient of weight_hh is transposed. It is square, so no shape complains: row i "
            "belongs to unit i.",
            cost=0.3,
        ),
        Mistake(
            "bias-not-summed",
            old='"bias_ih": da.sum(axis=0),\n        "bias_hh": da.sum(axis=0),',
            new='"bias_ih": da,\n        "bias_hh": da,',
            says="The bias gradients still have a batch axis. One bias serves every example in the batch: "
            "what becomes of their shares?",
            cost=0.3,
        ),
        Mistake(
            "bias-averaged",
            old='"bias_ih": da.sum(axis=0),\n        "bias_hh": da.sum(axis=0),',
            new='"bias_ih": da.mean(axis=0),\n        "bias_hh": da.mean(axis=0),',
            says="The bias gradients are averaged over the batch. A shared bias collects the *sum*; "
            "if there is a mean, it is in the loss, and dh holds it already.",
            cost=0.2,
        ),
        Mistake(
            "bias-summed-over-units",
            old='"bias_ih": da.sum(axis=0),\n        "bias_hh": da.sum(axis=0),',
            new='"bias_ih": da.sum(axis=1),\n        "bias_hh": da.sum(axis=1),',
            says="The bias gradients are summed over the units (axis 1). Every unit has a bias of its own, "
            "and the examples share it.",
            cost=0.3,
        ),
        Mistake(
            "bias-from-dh",
            old='"bias_ih": da.sum(axis=0),\n        "bias_hh": da.sum(axis=0),',
            new='"bias_ih": dh.sum(axis=0),\n        "bias_hh": dh.sum(axis=0),',
            says="The bias gradients use dh, the gradient outside the tanh. The biases stand inside.",
            cost=0.3,
        ),
        Mistake(
            "divided-by-batch",
            old='"weight_ih": da.T @ x,\n        "weight_hh": da.T @ h,\n'
            '        "bias_ih": da.sum(axis=0),\n        "bias_hh": da.sum(axis=0),',
            new='"weight_ih": da.T @ x / len(dh),\n        "weight_hh": da.T @ h / len(dh),\n'
            '        "bias_ih": da.sum(axis=0) / len(dh),\n        "bias_hh": da.sum(axis=0) / len(dh),',
            says="The parameters' gradients are divided by B. The backward pass only sums: "
            "if there is a mean, it is in the loss, and dh holds it already.",
            cost=0.3,
        ),
        Mistake(
            "bias-halved",
            old='"bias_ih": da.sum(axis=0),\n        "bias_hh": da.sum(axis=0),',
            new='"bias_ih": da.sum(axis=0) / 2,\n        "bias_hh": da.sum(axis=0) / 2,',
            says="Each bias gets half of the gradient. Both are added to the same sum, so "
            "each gets all of it.",
            cost=0.3,
        ),
        Mistake(
            "bias-counted-twice",
            old='"bias_ih": da.sum(axis=0),\n        "bias_hh": da.sum(axis=0),',
            new='"bias_ih": 2 * da.sum(axis=0),\n        "bias_hh": 2 * da.sum(axis=0),',
            says="Each bias gets its gradient twice.",
            cost=0.3,
        ),
        Mistake(
            "divided-by-the-slope",
            old="da = dh * (1 - h_next**2)",
            new="da = dh / (1 - h_next**2)",
            says="The gradient is divided by tanh's slope. By the chain rule they are multiplied.",
            cost=0.3,
        ),
        Mistake(
            "slope-added",
            old="da = dh * (1 - h_next**2)",
            new="da = dh + (1 - h_next**2)",
            says="tanh's slope is added to the gradient. By the chain rule they are multiplied.",
            cost=0.3,
        ),
        Mistake(
            "weight-gradients-from-dh",
            old='"weight_ih": da.T @ x,\n        "weight_hh": da.T @ h,',
            new='"weight_ih": dh.T @ x,\n        "weight_hh": dh.T @ h,',
            says="The weights' gradients are taken from dh, before tanh's slope. They belong "
            "to the sum before the activation.",
            cost=0.3,
        ),
    ),
)


def sequence_case(rng, B, T, D, H, when="", last_step_only=False, k=None):
    p = draw_params(rng, D, H)
    _, _, caches = rnn_forward(p, rng.normal(size=(B, T, D)), rng.normal(0, 0.7, (B, H)))
    dy = rng.normal(size=(B, T, H))
    if last_step_only:
        dy[:, :-1] = 0
    sizes = {"B": B, "T": T, "D": D, "H": H}
    return Case((p, dy, caches) if k is None else (p, dy, caches, k), sizes, when)


def draw_rnn_backward(rng):
    return [
        sequence_case(rng, 3, 5, 4, 2),
        sequence_case(rng, 4, 6, 2, 3),
        sequence_case(rng, 3, 4, 5, 2, last_step_only=True),
        sequence_case(rng, 3, 1, 4, 2, "T = 1"),
        sequence_case(rng, 3, 4, 2, 1, "H = 1"),
    ]


CARRY = "dh = dy[:, t] + dh_next"
STEP = "dx[:, t], dh_next, step = rnn_cell_backward(p, dh, caches[t])"
ADD = "grads[name] += step[name]"
LOOP = "for t in reversed(range(T)):"
RETURN = "return dx, dh_next, grads"
GRADS = "grads = {name: np.zeros_like(value) for name, value in p.items()}"

NO_CARRY = "The gradient that arrives from step t + 1 is missing: each step sees only its own loss. "
OVERWRITTEN = (
    "The parameters' gradients are overwritten at every step, so only one step's share is left. The "
    "same weights act at every step, and each share counts."
)

# What goes wrong on the walk back through time, whether it is cut or not.
OF_THE_WALK = (
    Mistake(
        "dx-in-the-order-of-the-walk",
        old="dx[:, t], dh_next, step",
        new="dx[:, T - 1 - t], dh_next, step",
        says="dx comes out in the order of the walk, last step first. dx[:, t] belongs to x[:, t].",
        cost=0.2,
    ),
    Mistake(
        "gradients-clipped",
        old="return dx, dh_next, grads",
        new="return dx, dh_next, {name: np.clip(grad, -1, 1) for name, grad in grads.items()}",
        also=(("return dx, dh_next, {name: np.clip(grad, -0.5, 0.5) for name, grad in grads.items()}"),),
        says="The parameters' gradients are clipped at the end, as some programs do "
        "before a step. Here the gradients themselves are asked for.",
        cost=0.3,
    ),
    Mistake(
        "dx-for-the-carry",
        old="dx[:, t], dh_next, step = rnn_cell_backward(p, dh, caches[t])",
        new="dx[:, t], _, step = rnn_cell_backward(p, dh, caches[t])\n        dh_next = dx[:, t]",
        says="What is carried on to the step before is dx, the first of the cell's "
        "results. The gradient at the old state is the second.",
        cost=0.3,
    ),
)

RNN_BACKWARD = Exercise(
    reference=rnn_backward,
    returns=("dx", "dh0", "grads"),
    uses=("rnn_cell_backward",),
    draw=draw_rnn_backward,
    mistakes=(
        Mistake(
            "carry-multiplied",
            old="dh_next = np.zeros_like(dy[:, 0])\n"
            "    for t in reversed(range(T)):\n"
            "        dh = dy[:, t] + dh_next",
            new="dh_next = np.ones_like(dy[:, 0])\n"
            "    for t in reversed(range(T)):\n"
            "        dh = dy[:, t] * dh_next",
            says="The carry is multiplied onto the step's own error. Two errors that arrive at one state "
            "add up.",
            cost=0.5,
        ),
        Mistake(
            "biases-not-summed",
            old="grads[name] += step[name]",
            new='grads[name] = grads[name] + step[name] if name[0] == "w" else step[name]',
            says="The weights' shares are added up and the biases' are not: only one step's is left. The "
            "biases serve every step too.",
            cost=0.3,
        ),
        Mistake(
            "no-carry",
            old=CARRY,
            new="dh = dy[:, t]",
            says=NO_CARRY + "A state influences all later losses as well: how do they reach it?",
            cost=0.7,
        ),
        Mistake(
            "carry-only-into-the-step-before-last",
            old=CARRY,
            new="dh = dy[:, t] + (dh_next if t == T - 2 else 0)",
            says="The carried gradient is used once, at the step before the last, and then dropped. "
            "It must be handed on at *every* step, back to t = 0.",
            cost=0.5,
        ),
        Mistake(
            "inner-upstream-ignored",
            old=CARRY,
            new="dh = (dy[:, t] if t == T - 1 else 0) + dh_next",
            says="Only the last step's dy enters. Every step has a loss of its own here, and its gradient "
            "enters where the step is.",
            cost=0.4,
        ),
        Mistake(
            "overwrites-gradients",
            old=ADD,
            new="grads[name] = step[name]",
            says=OVERWRITTEN,
            cost=0.4,
        ),
        Mistake(
            "forward-in-time",
            old=LOOP,
            new="for t in range(T):",
            says="The loop runs forward in time. The gradient flows from the last step to the first.",
            cost=0.5,
        ),
        Mistake(
            "first-step-missing",
            old=LOOP,
            new="for t in range(T - 1, 0, -1):",
            says="The loop stops before t = 0: a range ends *before* its second number.",
            cost=0.3,
        ),
        Mistake(
            "last-step-missing",
            old=LOOP,
            new="for t in reversed(range(T - 1)):",
            says="The last time step, t = T - 1, is left out: range(T - 1) ends at T - 2.",
            cost=0.3,
        ),
        Mistake(
            "dh0-forgotten",
            old=RETURN,
            new="return dx, np.zeros_like(dh_next), grads",
            says="dh0 is all zeros. The initial state has a gradient too: "
            "it is what the first step hands further back.",
            cost=0.3,
        ),
        Mistake(
            "dh0-before-the-first-step",
            old=RETURN,
            new="return dx, dh, grads",
            says="dh0 is the gradient at the state *after* the first step. h0 lies one step further back.",
            cost=0.3,
        ),
        Mistake(
            "averaged-over-time",
            old=RETURN,
            new="return dx, dh_next, {name: grad / T for name, grad in grads.items()}",
            says="The gradients are divided by T. Shares of time steps are summed, never averaged: "
            "if there is a mean, it is in the loss, and dy holds it already.",
            cost=0.3,
        ),
        Mistake(
            "averaged-over-batch",
            old=RETURN,
            new="return dx, dh_next, {name: grad / B for name, grad in grads.items()}",
            says="The gradients are divided by B. The backward pass only sums: "
            "if there is a mean, it is in the loss, and dy holds it already.",
            cost=0.3,
        ),
        Mistake(
            "carry-accumulates",
            old=STEP,
            new="dx[:, t], carried, step = rnn_cell_backward(p, dh, caches[t])\n        dh_next = dh_next + carried",
            says="The carried gradient is added to the one before instead of replacing it: "
            "dh_next is just what this step hands back.",
            cost=0.4,
        ),
        Mistake(
            "carry-skips-the-cell",
            old=STEP,
            new="dx[:, t], _, step = rnn_cell_backward(p, dh, caches[t])\n        dh_next = dh",
            says="The gradient travels back without passing through the cell. Of what comes out of this "
            "step's way back, which one stands at the old state?",
            cost=0.5,
        ),
        Mistake(
            "caches-from-the-wrong-end",
            old="caches[t])",
            new="caches[T - 1 - t])",
            says="Each step is given another step's cache.",
            cost=0.3,
        ),
        *OF_THE_WALK,
    ),
)


def draw_truncated_backward(rng):
    return [
        sequence_case(rng, 3, 6, 4, 2, k=2),
        sequence_case(rng, 4, 7, 2, 3, k=3),
        sequence_case(rng, 3, 7, 5, 2, last_step_only=True, k=4),
        sequence_case(rng, 3, 5, 4, 2, "k is larger than T", k=8),
        sequence_case(rng, 3, 5, 2, 4, "k = 1", k=1),
        sequence_case(rng, 3, 4, 2, 1, "H = 1", k=3),
    ]


BORDER = "        if (t + 1) % k == 0:\n            dh_next = np.zeros_like(dh_next)\n"

TRUNCATED_BACKWARD = Exercise(
    reference=truncated_backward,
    returns=("dx", "dh0", "grads"),
    uses=("rnn_cell_backward",),
    draw=draw_truncated_backward,
    mistakes=(
        Mistake(
            "last-k-steps-alone",
            old="    for t in reversed(range(T)):\n"
            "        if (t + 1) % k == 0:\n"
            "            dh_next = np.zeros_like(dh_next)\n",
            new="    for t in reversed(range(max(T - k, 0), T)):\n",
            says="Exactly the last k steps are visited, wherever the borders lie. Truncation cuts the *carry* at the "
            "borders; every step still gets its own gradient.",
            cost=0.5,
        ),
        Mistake(
            "never-truncated",
            old=BORDER,
            new="",
            says="Nothing is truncated: this is full backpropagation through time. "
            "Drop the carried gradient wherever it would cross from one chunk into the one before.",
            cost=0.7,
        ),
        Mistake(
            "drops-everything-before-the-last-chunk",
            old=LOOP,
            new="for t in reversed(range(max(T - k, 0), T)):",
            says="Only the last k steps are visited, and the losses before them are lost. Truncation cuts the "
            "*carry* at the borders; every step still gets its own gradient.",
            cost=0.5,
        ),
        Mistake(
            "border-one-late",
            old="(t + 1) % k == 0",
            new="t % k == 0",
            says="The cut is one step off. Write down for k = 3 which steps make up the first chunk, "
            "counted from t = 0, and between which two the carry must not pass.",
            cost=0.4,
        ),
        Mistake(
            "chunks-from-the-end",
            old="(t + 1) % k == 0",
            new="(T - 1 - t) % k == 0",
            says="The chunks are counted from the end. They start at t = 0, and the *last* may be shorter.",
            cost=0.3,
        ),
        Mistake(
            "carries-once-only",
            old="(t + 1) % k == 0",
            new="(t + 1) % k != 0",
            says="The condition is the wrong way round: the carry is dropped inside the chunks and kept at "
            "their borders.",
            cost=0.4,
        ),
        Mistake(
            "drops-the-upstream-too",
            old="dh = dy[:, t] + dh_next",
            new="dh = dy[:, t] * ((t + 1) % k != 0) + dh_next",
            says="At a border the step's own dy is dropped together with the carry. Only the carry is cut.",
            cost=0.3,
        ),
        Mistake(
            "no-carry",
            old=CARRY,
            new="dh = dy[:, t]",
            says=NO_CARRY + "Within a chunk it must be added.",
            cost=0.7,
        ),
        Mistake(
            "overwrites-gradients",
            old=ADD,
            new="grads[name] = step[name]",
            says=OVERWRITTEN,
            cost=0.4,
        ),
        Mistake(
            "dh0-forgotten",
            old=RETURN,
            new="return dx, np.zeros_like(dh_next), grads",
            says="dh0 is all zeros. The first chunk starts at h0, so its gradient still reaches h0.",
            cost=0.3,
        ),
        Mistake(
            "first-chunk-only-gradients",
            old=BORDER,
            new=BORDER + "            " + GRADS + "\n",
            says="The parameters' gradients are reset at every border, so only the first chunk's share is left. "
            "All chunks use the same weights: keep adding.",
            cost=0.3,
        ),
        *OF_THE_WALK,
        Mistake(
            "each-loss-by-itself",
            old="    for t in reversed(range(T)):\n"
            "        if (t + 1) % k == 0:\n"
            "            dh_next = np.zeros_like(dh_next)\n"
            "        dh = dy[:, t] + dh_next\n"
            "        dx[:, t], dh_next, step = rnn_cell_backward(p, dh, caches[t])\n"
            "        for name in grads:\n"
            "            grads[name] += step[name]\n",
            new="    for t in range(T):\n"
            "        dh = dy[:, t]\n"
            "        for s in range(t, max(t - k, -1), -1):\n"
            "            dx_s, dh, step = rnn_cell_backward(p, dh, caches[s])\n"
            "            dx[:, s] += dx_s\n"
            "            for name in grads:\n"
            "                grads[name] += step[name]\n"
            "        if t < k:\n"
            "            dh_next = dh_next + dh\n",
            says="Each step's loss is sent back k steps by itself, across the chunks' "
            "borders. That is another way to truncate; here the T steps are cut into "
            "chunks, and within a chunk the gradient flows freely.",
            cost=0.5,
        ),
    ),
)

EXERCISES = (SOFTMAX_CROSS_ENTROPY, NUMERICAL_GRADIENT, RNN_CELL_BACKWARD, RNN_BACKWARD, TRUNCATED_BACKWARD)
