"""Lesson 02, Build a cell and unroll it: sigmoid, activation_grad, rnn_cell, rnn_forward."""

import numpy as np

from rnncore.cells.activations import activation_grad, sigmoid
from rnncore.cells.rnn import rnn_cell, rnn_forward
from rnncore.exercises.exercise import Case, Exercise, Mistake, each_row


def draw_params(rng, D, H, gates=1):
    """Random weights of moderate size and two *different* random biases, in PyTorch's shapes."""
    G = gates * H
    return {
        "weight_ih": rng.normal(0, 0.7, (G, D)),
        "weight_hh": rng.normal(0, 0.7, (G, H)),
        "bias_ih": rng.normal(0, 0.5, G),
        "bias_hh": rng.normal(0, 0.5, G),
    }


def draw_sigmoid(rng):
    return [
        Case((rng.normal(0, 2, (3, 5)),), {"B": 3, "T": 5}),
        Case((rng.normal(0, 2, (2, 3, 4)),)),
        Case((np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0]) + rng.normal(0, 1, 5),), when="x is large"),
        Case((float(rng.normal()),), when="x is a single number"),
        Case((rng.permutation(np.arange(-4, 5)),), when="x holds whole numbers"),
    ]


def each_number(answer, x):
    """For ``by_row``: what an answer gives for the numbers of x one by one."""
    return np.reshape([answer(float(number)) for number in np.ravel(x)], np.shape(x))


SIGMOID = Exercise(
    reference=sigmoid,
    returns=("y",),
    draw=draw_sigmoid,
    by_row=each_number,
    mistakes=(
        Mistake(
            "overflow",
            old="0.5 * (1 + np.tanh(x / 2))",
            new="1 / (1 + np.exp(-x))",
            also=("np.exp(x) / (1 + np.exp(x))",),
            says="The formula is right, but its exponential overflows when x is far from 0. Find a form whose "
            "exponential never grows, or use that the sigmoid is a tanh, shifted and stretched.",
            cost=0.4,
        ),
        Mistake(
            "sign-of-x",
            old="np.tanh(x / 2)",
            new="np.tanh(-x / 2)",
            says="The curve runs downhill: the sign of x is flipped. The sigmoid of a large positive x is 1.",
            cost=0.3,
        ),
        Mistake(
            "not-halved",
            old="np.tanh(x / 2)",
            new="np.tanh(x)",
            says="The curve is twice as steep as it should be. How steep is tanh at 0, and how steep is "
            "the sigmoid?",
            cost=0.3,
        ),
        Mistake(
            "is-tanh",
            old="0.5 * (1 + np.tanh(x / 2))",
            new="np.tanh(x)",
            says="This is tanh, which runs from -1 to 1. The sigmoid runs from 0 to 1.",
            cost=0.6,
        ),
        Mistake(
            "returns-derivative",
            old="return 0.5 * (1 + np.tanh(x / 2))",
            new="y = 0.5 * (1 + np.tanh(x / 2))\n    return y * (1 - y)",
            says="This is the derivative of the sigmoid. Here the function itself is asked for.",
            cost=0.4,
        ),
        Mistake(
            "hard-sigmoid",
            old="0.5 * (1 + np.tanh(x / 2))",
            new="np.clip(0.2 * x + 0.5, 0, 1)",
            also=(
                "np.clip(x / 6 + 0.5, 0, 1)",
                "np.clip(0.25 * x + 0.5, 0, 1)",
            ),
            says="This is a *hard* sigmoid, a straight line cut off at 0 and 1, as some "
            "libraries use for speed. Asked for is the smooth function itself.",
            cost=0.6,
        ),
        Mistake(
            "clipped-too-early",
            old="0.5 * (1 + np.tanh(x / 2))",
            new="1 / (1 + np.exp(-np.clip(x, -10, 10)))",
            also=(
                "1 / (1 + np.exp(-np.clip(x, -4, 4)))",
                "1 / (1 + np.exp(-np.clip(x, -5, 5)))",
                "1 / (1 + np.exp(-np.clip(x, -6, 6)))",
                "1 / (1 + np.exp(-np.clip(x, -7, 7)))",
                "1 / (1 + np.exp(-np.clip(x, -8, 8)))",
                "1 / (1 + np.exp(-np.clip(x, -9, 9)))",
            ),
            says="x is cut off before the function has come to its ends, so it stops short of "
            "0 and 1. Nothing overflows before x is a few hundred.",
            cost=0.3,
        ),
        Mistake(
            "runs-from-minus-one",
            old="0.5 * (1 + np.tanh(x / 2))",
            new="np.tanh(x / 2)",
            says="This runs from -1 to 1, and a sigmoid from 0 to 1: the tanh still has to be "
            "moved up and made half as high.",
            cost=0.4,
        ),
        Mistake(
            "runs-to-two",
            old="0.5 * (1 + np.tanh(x / 2))",
            new="(1 + np.tanh(x / 2))",
            says="This runs from 0 to 2, twice as high as a sigmoid.",
            cost=0.3,
        ),
        Mistake(
            "not-moved-up",
            old="0.5 * (1 + np.tanh(x / 2))",
            new="0.5 * np.tanh(x / 2)",
            says="This runs from -1/2 to 1/2. A sigmoid runs from 0 to 1: it is 1/2 where x is 0.",
            cost=0.3,
        ),
        Mistake(
            "base-two-or-ten",
            old="0.5 * (1 + np.tanh(x / 2))",
            new="0.5 * (1 + np.tanh(x * np.log(2) / 2))",
            also=("0.5 * (1 + np.tanh(x * np.log(10) / 2))",),
            says="The powers are of another number than e: np.exp is what the formula's exp means.",
            cost=0.3,
        ),
        Mistake(
            "arrays-of-floats-only",
            old="return 0.5 * (1 + np.tanh(x / 2))",
            new="low = x < 0\n"
            "    z = np.zeros_like(x)\n"
            "    z[~low] = np.exp(-x[~low])\n"
            "    z[low] = np.exp(x[low])\n"
            "    top = np.ones_like(x)\n"
            "    top[low] = z[low]\n"
            "    return top / (1 + z)",
            also=(
                (
                    "low = x >= 0\n"
                    "    y = np.zeros_like(x)\n"
                    "    y[low] = 1 / (1 + np.exp(-x[low]))\n"
                    "    y[~low] = np.exp(x[~low]) / (1 + np.exp(x[~low]))\n"
                    "    return y"
                ),
            ),
            says="Arrays of floats come out right. A single number has no places for a mask "
            "to pick out, and where x holds whole numbers, np.zeros_like makes an array "
            "of whole numbers, which cuts each result down to one.",
            cost=0.25,
        ),
    ),
)


def draw_activation_grad(rng):
    cases = []
    for shape in ((3, 5), (2, 3, 4)):
        cases.append(Case(("sigmoid", rng.uniform(0.05, 0.95, shape)), part="sigmoid"))
        cases.append(Case(("tanh", rng.uniform(-0.95, 0.95, shape)), part="tanh"))
        cases.append(Case(("relu", np.maximum(rng.normal(0, 1, shape), 0)), part="relu"))
    return cases


ACTIVATION_GRAD = Exercise(
    reference=activation_grad,
    returns=("dy_da",),
    draw=draw_activation_grad,
    mistakes=(
        Mistake(
            "tanh-of-the-output",
            old="return 1 - y**2",
            new="return 1 - np.tanh(y) ** 2",
            says="For tanh: y already *is* the output, so tanh is taken twice here. "
            "The derivative at the pre-activation a, written with y = tanh(a), needs no second tanh.",
            cost=0.3,
        ),
        Mistake(
            "sigmoid-of-the-output",
            old="return y * (1 - y)",
            new="return 0.5 * (1 + np.tanh(y / 2)) * (1 - 0.5 * (1 + np.tanh(y / 2)))",
            says="For sigmoid: y already *is* the output, so the sigmoid is taken twice here. "
            "Write the derivative with y alone.",
            cost=0.3,
        ),
        Mistake(
            "tanh-not-squared",
            old="return 1 - y**2",
            new="return 1 - y",
            says="For tanh: where y is -1 the curve is flat, and this slope is not 0 there.",
            cost=0.3,
        ),
        Mistake(
            "sigmoid-not-multiplied",
            old="return y * (1 - y)",
            new="return 1 - y",
            says="For sigmoid: where y is 0 the curve is flat, and this slope is not 0 there.",
            cost=0.3,
        ),
        Mistake(
            "sigmoid-squared",
            old="return y * (1 - y)",
            new="return 1 - y**2",
            says="For sigmoid: this is tanh's derivative. A sigmoid is flat where y is 0 and where y is 1.",
            cost=0.3,
        ),
        Mistake(
            "relu-passes-the-output",
            old="return (y > 0).astype(y.dtype)",
            new="return np.maximum(y, 0)",
            says="For relu: this returns the output again. The slope says how steep the line is, on either "
            "side of 0.",
            cost=0.3,
        ),
        Mistake(
            "relu-slope-one-everywhere",
            old="(y > 0)",
            new="(y >= 0)",
            says="For relu: the slope is 1 everywhere here. An output of 0 means that the unit is switched off, "
            "and its slope there is 0.",
            cost=0.3,
        ),
        Mistake(
            "relu-decides-once-for-all",
            old="return (y > 0).astype(y.dtype)",
            new="return 1.0 if y > 0 else 0.0",
            says="relu's slope is decided once for all of y: Python's `if`, `and` and `max` "
            "want a single yes or no, and y has one for each element. A comparison of "
            "whole arrays gives an array of answers.",
            cost=0.3,
        ),
        Mistake(
            "relu-slope-where-negative",
            old="(y > 0)",
            new="(y <= 0)",
            also=("(y < 0)",),
            says="relu's slope stands on the wrong side: where does the line rise?",
            cost=0.3,
        ),
        Mistake(
            "tanh-and-sigmoid-swapped",
            old='    if name == "sigmoid":\n'
            "        return y * (1 - y)\n"
            '    if name == "tanh":\n'
            "        return 1 - y**2\n",
            new='    if name == "tanh":\n'
            "        return y * (1 - y)\n"
            '    if name == "sigmoid":\n'
            "        return 1 - y**2\n",
            says="The slopes of sigmoid and tanh have changed places.",
            cost=0.3,
        ),
        Mistake(
            "tanh-sign",
            old="return 1 - y**2",
            new="return y**2 - 1",
            says="tanh's slope has the wrong sign: tanh rises everywhere, so its slope is never negative.",
            cost=0.3,
        ),
    ),
)


def cell_case(rng, B, D, H, when=""):
    return Case(
        (draw_params(rng, D, H), rng.normal(size=(B, D)), rng.normal(0, 0.7, (B, H))),
        {"B": B, "D": D, "H": H},
        when,
    )


def draw_rnn_cell(rng):
    return [
        cell_case(rng, 3, 5, 2),
        cell_case(rng, 4, 2, 6),
        cell_case(rng, 3, 4, 1, "H = 1"),
        cell_case(rng, 1, 3, 2, "B = 1"),
    ]


A = 'a = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]'

RNN_CELL = Exercise(
    reference=rnn_cell,
    returns=("h_next", "cache"),
    layout=("x", "h", "h_next"),
    draw=draw_rnn_cell,
    by_row=each_row,
    mistakes=(
        Mistake(
            "weight-ih-untransposed",
            old='x @ p["weight_ih"].T',
            new='x @ p["weight_ih"]',
            says="weight_ih has shape (H, D), one row for each hidden unit, and x is (B, D). Which axis of "
            "each must meet for (B, H) to come out?",
            cost=0.3,
        ),
        Mistake(
            "weights-on-the-left",
            old=A,
            new='a = p["weight_ih"] @ x + p["bias_ih"] + p["weight_hh"] @ h + p["bias_hh"]',
            also=('a = np.dot(p["weight_ih"], x) + p["bias_ih"] + np.dot(p["weight_hh"], h) + p["bias_hh"]',),
            says="The weights stand on the left, as in a formula for one column vector. Here x is (B, D), "
            "one row for each example: in which order, and turned how, do the shapes give (B, H)?",
            cost=0.3,
        ),
        Mistake(
            "weight-hh-untransposed",
            old='h @ p["weight_hh"].T',
            new='h @ p["weight_hh"]',
            says="weight_hh is square, so no shape complains, but row i holds the weights *into* unit i: "
            "which of its axes should h meet?",
            cost=0.3,
        ),
        Mistake(
            "bias-ih-missing",
            old=' + p["bias_ih"]',
            new="",
            says="bias_ih is not added. PyTorch's cell has two biases, and both count.",
            cost=0.2,
        ),
        Mistake(
            "bias-hh-missing",
            old=' + p["bias_hh"]',
            new="",
            says="bias_hh is not added. PyTorch's cell has two biases, and both count.",
            cost=0.2,
        ),
        Mistake(
            "biases-missing",
            old=A,
            new='a = x @ p["weight_ih"].T + h @ p["weight_hh"].T',
            says="Neither bias is added: bias_ih and bias_hh both belong in the sum.",
            cost=0.3,
        ),
        Mistake(
            "bias-ih-twice",
            old='p["bias_hh"]',
            new='p["bias_ih"]',
            says="bias_ih is added twice and bias_hh not at all.",
            cost=0.2,
        ),
        Mistake(
            "bias-hh-twice",
            old='+ p["bias_ih"]',
            new='+ p["bias_hh"]',
            says="bias_hh is added twice and bias_ih not at all.",
            cost=0.2,
        ),
        Mistake(
            "bias-ih-doubled",
            old='+ p["bias_hh"]',
            new='+ p["bias_ih"] + p["bias_hh"]',
            says="bias_ih is added twice; once is enough.",
            cost=0.2,
        ),
        Mistake(
            "bias-hh-doubled",
            old='+ p["bias_ih"]',
            new='+ p["bias_hh"] + p["bias_ih"]',
            says="bias_hh is added twice; once is enough.",
            cost=0.2,
        ),
        Mistake(
            "state-ignored",
            old=' + h @ p["weight_hh"].T',
            new="",
            says="The old hidden state h never enters the sum, so this cell has no memory. It has weights "
            "of its own, as the input has.",
            cost=0.5,
        ),
        Mistake(
            "input-ignored",
            old='x @ p["weight_ih"].T + ',
            new="",
            says="The input x never enters the sum: whatever is read changes nothing.",
            cost=0.5,
        ),
        Mistake(
            "no-activation",
            old="h_next = np.tanh(a)",
            new="h_next = a",
            says="This is the sum before the activation. The new hidden state is its tanh.",
            cost=0.4,
        ),
        Mistake(
            "sigmoid-for-tanh",
            old="np.tanh(a)",
            new="0.5 * (1 + np.tanh(a / 2))",
            says="The activation here is tanh, from -1 to 1; this one is the sigmoid, from 0 to 1.",
            cost=0.3,
        ),
        Mistake(
            "tanh-inside",
            old=A,
            new='a = x @ p["weight_ih"].T + p["bias_ih"] + np.tanh(h @ p["weight_hh"].T + p["bias_hh"])',
            says="tanh is applied to the recurrent part alone and then again. "
            "Add everything up first; the activation comes last, once.",
            cost=0.3,
        ),
        Mistake(
            "caches-the-sum",
            old="cache = (x, h, h_next)",
            new="cache = (x, h, a)",
            says="The cache's last item should be the output h_next, not the sum before the activation: "
            "the backward pass takes its derivative from the output.",
            cost=0.2,
        ),
        Mistake(
            "caches-new-state-only",
            old="cache = (x, h, h_next)",
            new="cache = (x, h_next, h_next)",
            says="The cache's second item should be the *old* state h: the gradient of weight_hh needs it.",
            cost=0.2,
        ),
        Mistake(
            "tanh-of-each-part",
            old=A + "\n    h_next = np.tanh(a)",
            new='h_next = np.tanh(x @ p["weight_ih"].T + p["bias_ih"]) + np.tanh(h @ '
            'p["weight_hh"].T + p["bias_hh"])',
            says="The input's part and the state's part each go through tanh, and then they "
            "are added, so the state can leave -1 to 1. Add first; the activation comes "
            "last, once.",
            cost=0.4,
        ),
        Mistake(
            "old-state-added",
            old="h_next = np.tanh(a)",
            new="h_next = h + np.tanh(a)",
            says="The old state is added once more outside the tanh. That is a residual "
            "connection; a plain RNN's new state is the tanh alone.",
            cost=0.3,
        ),
        Mistake(
            "parts-multiplied",
            old=A,
            new='a = (x @ p["weight_ih"].T + p["bias_ih"]) * (h @ p["weight_hh"].T + p["bias_hh"])',
            says="The input's part and the state's part are multiplied. They add up.",
            cost=0.4,
        ),
        Mistake(
            "relu-for-tanh",
            old="np.tanh(a)",
            new="np.maximum(a, 0)",
            says="The activation here is tanh; this one is relu.",
            cost=0.3,
        ),
    ),
)


def forward_case(rng, B, T, D, H, when=""):
    return Case(
        (draw_params(rng, D, H), rng.normal(size=(B, T, D)), rng.normal(0, 0.7, (B, H))),
        {"B": B, "T": T, "D": D, "H": H},
        when,
    )


def draw_rnn_forward(rng):
    return [
        forward_case(rng, 3, 5, 4, 2),
        forward_case(rng, 4, 6, 2, 3),
        forward_case(rng, 3, 1, 4, 2, "T = 1"),
        forward_case(rng, 3, 4, 2, 1, "H = 1"),
    ]


RNN_FORWARD = Exercise(
    reference=rnn_forward,
    returns=("y", "h_T", "caches"),
    layout=("x", "h", "h_next"),
    uses=("rnn_cell",),
    draw=draw_rnn_forward,
    mistakes=(
        Mistake(
            "state-not-passed-on",
            old="h, cache = rnn_cell(p, x[:, t], h)\n        y[:, t] = h",
            new="h, cache = rnn_cell(p, x[:, t], h0)\n        y[:, t] = h",
            says="Every step starts again from h0: hand the state that one step returns to the next.",
            cost=0.7,
        ),
        Mistake(
            "initial-state-ignored",
            old="    h = h0\n",
            new="    h = np.zeros_like(h0)\n",
            says="The first step starts from zeros instead of the h0 that was passed in.",
            cost=0.3,
        ),
        Mistake(
            "returns-initial-state",
            old="return y, h, caches",
            new="return y, h0, caches",
            says="The second result is still h0. It should be the state after the last step.",
            cost=0.3,
        ),
        Mistake(
            "results-swapped",
            old="return y, h, caches",
            new="return h, y, caches",
            says="The first two results are swapped: all states y come first, then the last state h_T.",
            cost=0.1,
        ),
        Mistake(
            "last-step-only",
            old="return y, h, caches",
            new="return h, h, caches",
            says="Only the last step's state is returned as y. y holds the states of all T steps, (B, T, H).",
            cost=0.4,
        ),
        Mistake(
            "last-cache-only",
            old="return y, h, caches",
            new="return y, h, [cache]",
            also=("return y, h, cache",),
            says="Only the last step's cache is returned: the backward pass needs all T of them, in order.",
            cost=0.3,
        ),
        Mistake(
            "caches-backwards",
            old="caches.append(cache)",
            new="caches.insert(0, cache)",
            says="The caches are in reverse order. Keep them in time order; the backward pass will turn round.",
            cost=0.15,
        ),
        Mistake(
            "time-reversed",
            old="for t in range(T):",
            new="for t in reversed(range(T)):",
            says="The loop runs from the last step to the first: the forward pass reads from t = 0 on.",
            cost=0.4,
        ),
        Mistake(
            "stores-the-old-state",
            old="        h, cache = rnn_cell(p, x[:, t], h)\n        y[:, t] = h\n",
            new="        y[:, t] = h\n        h, cache = rnn_cell(p, x[:, t], h)\n",
            says="y is one step late: y[:, t] is stored before the step is taken, so it starts with h0 and "
            "misses the last state.",
            cost=0.3,
        ),
        Mistake(
            "first-step-missing",
            old="for t in range(T):",
            new="for t in range(1, T):",
            says="The loop starts at t = 1, so the first input is never read. Time starts at t = 0.",
            cost=0.3,
        ),
        Mistake(
            "last-step-missing",
            old="for t in range(T):",
            new="for t in range(T - 1):",
            says="The loop stops one step early: the last state is never computed.",
            cost=0.3,
        ),
        Mistake(
            "batch-for-time",
            old="x[:, t]",
            new="x[t]",
            says="x[t] picks an *example*: x is batch first, (B, T, D). Time is the second axis.",
            cost=0.3,
        ),
        Mistake(
            "same-input-each-step",
            old="x[:, t]",
            new="x[:, 0]",
            says="Every step reads the first input, x[:, 0], instead of its own.",
            cost=0.4,
        ),
        Mistake(
            "time-axis-first",
            old="return y, h, caches",
            new="return y.transpose(1, 0, 2), h, caches",
            says="y is time first, (T, B, H). In this course arrays are batch first: (B, T, H).",
            cost=0.15,
        ),
        Mistake(
            "loops-over-the-batch",
            old="    for t in range(T):\n"
            "        h, cache = rnn_cell(p, x[:, t], h)\n"
            "        y[:, t] = h\n"
            "        caches.append(cache)\n"
            "    return y, h, caches",
            new="    ys = []\n"
            "    for x_t in x:\n"
            "        h, cache = rnn_cell(p, x_t, h)\n"
            "        ys.append(h)\n"
            "        caches.append(cache)\n"
            "    return np.stack(ys, axis=1), h, caches",
            also=(
                (
                    "    ys = []\n"
                    "    for x_t in x:\n"
                    "        h, cache = rnn_cell(p, x_t, h)\n"
                    "        ys.append(h)\n"
                    "        caches.append(cache)\n"
                    "    return np.stack(ys), h, caches"
                ),
            ),
            says="A loop over x goes through its first axis, the batch: x is (B, T, D), and "
            "time is the second.",
            cost=0.3,
        ),
        Mistake(
            "pair-not-taken-apart",
            old="        h, cache = rnn_cell(p, x[:, t], h)\n"
            "        y[:, t] = h\n"
            "        caches.append(cache)\n",
            new="        h = rnn_cell(p, x[:, t], h)\n        y[:, t] = h[0]\n        caches.append(h[1])\n",
            says="The cell returns a pair, the state and the cache, and the whole pair is "
            "handed to the next step as its state. Take the pair apart first.",
            cost=0.3,
        ),
        Mistake(
            "steps-stacked-in-front",
            old="return y, h, caches",
            new="return y.transpose(1, 0, 2).reshape(y.shape), h, caches",
            says="The states were put together time first, (T, B, H), and then reshaped, "
            "which jumbles the examples. Put time on the second axis instead.",
            cost=0.3,
        ),
        Mistake(
            "state-of-one-example",
            old="return y, h, caches",
            new="return y, y[-1], caches",
            says="The last state is that of the last *example*, at all times. Time is the second axis.",
            cost=0.3,
        ),
    ),
)

EXERCISES = (SIGMOID, ACTIVATION_GRAD, RNN_CELL, RNN_FORWARD)
