"""Lesson 06, Do it with two gates: the GRU's step, its gradient, the other GRU, and how much each cell learns.

Both conventions of the literature are mistakes of each other here, so that the verdict can say which
one a student's cell follows.
"""

from rnncore.cells.gru import gru_cell, gru_cell_backward, gru_cell_reset_before, parameter_counts
from rnncore.exercises.exercise import Case, Exercise, Mistake, each_row
from rnncore.exercises.lstm import borrowed, orders
from rnncore.exercises.rnn_cell import RNN_CELL, draw_params

GATES = ("r", "z", "n")
NAMES = {"r": "reset gate r", "z": "update gate z", "n": "candidate n"}


def cell_case(rng, B, D, H, when=""):
    args = draw_params(rng, D, H, gates=3), rng.normal(size=(B, D)), rng.normal(0, 0.7, (B, H))
    return Case(args, {"B": B, "D": D, "H": H}, when)


def draw_gru_cell(rng):
    # B is no multiple of 3, so that splitting the batch instead of the blocks fails where it is done.
    return [
        cell_case(rng, 5, 4, 2),
        cell_case(rng, 4, 2, 6),
        cell_case(rng, 5, 4, 1, "H = 1"),
        cell_case(rng, 1, 3, 2, "B = 1"),
    ]


# gru_cell -------------------------------------------------------------------------------------------

SPLITS = "x_r, x_z, x_n = np.split(from_x, 3, axis=1)\n    h_r, h_z, h_n = np.split(from_h, 3, axis=1)"
MIX = "h_next = (1 - z) * n + z * h"
CANDIDATE = "n = np.tanh(x_n + r * h_n)"
W_N = 'np.split(p["weight_hh"], 3)[2]'
B_N = 'np.split(p["bias_hh"], 3)[2]'


def splits_as(x_order, h_order):
    xs, hs = (", ".join(f"{side}_{g}" for g in order) for side, order in (("x", x_order), ("h", h_order)))
    return f"{xs} = np.split(from_x, 3, axis=1)\n    {hs} = np.split(from_h, 3, axis=1)"


MIXING = (
    Mistake(
        "update-gate-swapped",
        old=MIX,
        new="h_next = z * n + (1 - z) * h",
        says="z and 1 - z have changed places. Both conventions are in the literature (this one is Chung et al.'s); "
        "here, as in PyTorch, z is how much of the *old* state stays.",
        cost=0.3,
    ),
    Mistake(
        "old-state-added-whole",
        old=MIX,
        new="h_next = (1 - z) * n + h",
        says="The old state is added whole. The new state is a weighted mean of candidate and old state: "
        "z is the weight of the old one.",
        cost=0.4,
    ),
    Mistake(
        "candidate-added-whole",
        old=MIX,
        new="h_next = n + z * h",
        says="The candidate is added whole. The new state is a weighted mean of candidate and old state: "
        "the two weights add up to 1.",
        cost=0.4,
    ),
    Mistake(
        "update-gate-unused",
        old=MIX,
        new="h_next = n",
        says="The candidate itself is returned: the update gate never decides how much of the old state stays.",
        cost=0.5,
    ),
    Mistake(
        "old-state-dropped",
        old=MIX,
        new="h_next = (1 - z) * n",
        also=("h_next = z * n",),
        says="The old state's share is missing from the new one: without it nothing can be kept from step to step.",
        cost=0.5,
    ),
    Mistake(
        "reset-gate-mixes",
        old=MIX,
        new="h_next = (1 - r) * n + r * h",
        says="The reset gate r is used to mix old and new. That is the update gate's work; r acts inside the candidate.",
        cost=0.3,
    ),
)


def activations(lines):
    """The mistakes of an activation, given the line that computes each of r, z and n."""
    for gate, text in lines.items():
        wrong = text.replace("sigmoid", "np.tanh") if gate != "n" else text.replace("np.tanh", "sigmoid")
        yield Mistake(
            f"{gate}-with-{'sigmoid' if gate == 'n' else 'tanh'}",
            old=text,
            new=wrong,
            says="The candidate n goes through a sigmoid, so the state could never become negative. It takes tanh."
            if gate == "n"
            else f"The {NAMES[gate]} goes through tanh and can become negative. A gate says how much, "
            "from 0 to 1: it takes the sigmoid.",
            cost=0.3,
        )
        yield Mistake(
            f"{gate}-without-activation",
            old=text,
            new=text.replace("sigmoid", "").replace("np.tanh", ""),
            says=f"The {NAMES[gate]} is the bare sum: its {'tanh' if gate == 'n' else 'sigmoid'} is missing.",
            cost=0.3,
        )


GRU_CELL = Exercise(
    reference=gru_cell,
    returns=("h_next", "cache"),
    layout=("x", "h", "r", "z", "n", "h_n"),
    gates=GATES,
    draw=draw_gru_cell,
    by_row=each_row,
    mistakes=(
        Mistake(
            "gates-in-each-others-place",
            old="n = np.tanh(x_n + r * h_n)\n    h_next = (1 - z) * n + z * h",
            new="n = np.tanh(x_n + z * h_n)\n    h_next = (1 - r) * n + r * h",
            says="The two gates do each other's work: here z resets and r mixes. r belongs inside the "
            "candidate, z in the last line.",
            cost=0.3,
        ),
        Mistake(
            "order-z-r-n",
            old=SPLITS,
            new=splits_as("zrn", "zrn"),
            says="The blocks are read in the order z, r, n, as Keras and ONNX stack them. PyTorch's order, and "
            "ours, is r, z, n.",
            cost=0.3,
        ),
        Mistake(
            "gate-order",
            old=SPLITS,
            new=splits_as("nrz", "nrz"),
            also=tuple(splits_as(order, order) for order in orders("rzn", ("zrn", "nrz"))),
            says="The three blocks are read in a wrong order. The rows are stacked r, z, n, H rows each: "
            "reset gate, update gate, candidate.",
            cost=0.3,
        ),
        Mistake(
            "orders-differ",
            old=SPLITS,
            new=splits_as("rzn", "zrn"),
            also=(splits_as("zrn", "rzn"),),
            says="What comes from x and what comes from h are split in two different orders. Both are stacked r, z, n.",
            cost=0.3,
        ),
        Mistake(
            "reset-before-the-product",
            old=CANDIDATE,
            new=f"n = np.tanh(x_n + (r * h) @ {W_N}.T + {B_N})",
            also=(
                f"h_n = (r * h) @ {W_N}.T + {B_N}\n    n = np.tanh(x_n + h_n)",
                f"h_n = (r * h) @ {W_N}.T\n    n = np.tanh(x_n + h_n + {B_N})",
            ),
            says="The reset gate is applied to h *before* the matrix product, as in Cho et al. (2014). In PyTorch's "
            "GRU, asked for here, it multiplies the finished recurrent sum.",
            cost=0.3,
        ),
        Mistake(
            "reset-missing",
            old=CANDIDATE,
            new="n = np.tanh(x_n + h_n)",
            says="The reset gate does nothing: it decides how much of the recurrent sum the candidate sees.",
            cost=0.4,
        ),
        Mistake(
            "bias-outside-the-reset",
            old=CANDIDATE,
            new=f"n = np.tanh(x_n + r * (h_n - {B_N}) + {B_N})",
            also=(f"h_n = h_n - {B_N}\n    n = np.tanh(x_n + r * h_n + {B_N})",),
            says="The candidate's recurrent bias b_hn stands outside the reset. In PyTorch's GRU r multiplies the whole "
            "recurrent sum, its bias included. (This is why the GRU cannot merge its two biases.)",
            cost=0.3,
        ),
        Mistake(
            "reset-on-everything",
            old=CANDIDATE,
            new="n = np.tanh(r * (x_n + h_n))",
            says="The reset gate multiplies the input's share as well. It acts on the recurrent sum alone.",
            cost=0.3,
        ),
        Mistake(
            "reset-on-the-input",
            old=CANDIDATE,
            new="n = np.tanh(r * x_n + h_n)",
            says="The reset gate multiplies the *input's* share. It resets the past: it acts on the recurrent sum.",
            cost=0.3,
        ),
        Mistake(
            "reset-reversed",
            old=CANDIDATE,
            new="n = np.tanh(x_n + (1 - r) * h_n)",
            says="The candidate is reset by 1 - r. With r = 1 the whole recurrent sum is let in, with r = 0 none of it.",
            cost=0.3,
        ),
        Mistake(
            "update-gate-resets",
            old=CANDIDATE,
            new="n = np.tanh(x_n + z * h_n)",
            says="The update gate z stands where the reset gate r belongs, inside the candidate.",
            cost=0.3,
        ),
        Mistake(
            "reset-by-the-state",
            old=CANDIDATE,
            new="n = np.tanh(x_n + r * h)",
            says="The candidate sees r * h itself: the old state never meets its weights.",
            cost=0.4,
        ),
        *MIXING,
        *activations({"r": "r = sigmoid(x_r + h_r)", "z": "z = sigmoid(x_z + h_z)", "n": CANDIDATE}),
        Mistake(
            "r-from-another-block",
            old="r = sigmoid(x_r + h_r)",
            new="r = sigmoid(x_z + h_z)",
            also=("r = sigmoid(x_r + h_z)", "r = sigmoid(x_z + h_r)", "r = sigmoid(x_n + h_n)"),
            says="The reset gate is computed from another block: a copied line that was not changed everywhere? "
            "Its own is the first of r, z, n, for x and for h.",
            cost=0.3,
        ),
        Mistake(
            "z-from-another-block",
            old="z = sigmoid(x_z + h_z)",
            new="z = sigmoid(x_r + h_r)",
            also=("z = sigmoid(x_z + h_r)", "z = sigmoid(x_r + h_z)", "z = sigmoid(x_n + h_n)"),
            says="The update gate is computed from another block: a copied line that was not changed everywhere? "
            "Its own is the second of r, z, n, for x and for h.",
            cost=0.3,
        ),
        *borrowed(
            RNN_CELL,
            "bias-ih-missing",
            "bias-hh-missing",
            "bias-ih-twice",
            "bias-hh-twice",
        ),
        Mistake(
            "biases-missing",
            old='from_x = x @ p["weight_ih"].T + p["bias_ih"]\n    from_h = h @ p["weight_hh"].T + p["bias_hh"]',
            new='from_x = x @ p["weight_ih"].T\n    from_h = h @ p["weight_hh"].T',
            says="Neither bias is added: bias_ih belongs to what comes from x, bias_hh to what comes from h.",
            cost=0.3,
        ),
        Mistake(
            "bias-ih-inside-the-reset",
            old='from_x = x @ p["weight_ih"].T + p["bias_ih"]\n    from_h = h @ p["weight_hh"].T + p["bias_hh"]',
            new='from_x = x @ p["weight_ih"].T\n    from_h = h @ p["weight_hh"].T + p["bias_ih"] + p["bias_hh"]',
            says="bias_ih is added to what comes from h. For the two gates the side makes no difference, but in the "
            "candidate the reset gate multiplies that side: bias_ih belongs to what comes from x.",
            cost=0.3,
        ),
        Mistake(
            "weight-ih-untransposed",
            old='x @ p["weight_ih"].T',
            new='x @ p["weight_ih"]',
            says="weight_ih has shape (3H, D), one row for each unit of each block, and x is (B, D). Which "
            "axis of each must meet for (B, 3H) to come out?",
            cost=0.3,
        ),
        Mistake(
            "weight-hh-untransposed",
            old='h @ p["weight_hh"].T',
            new='h @ p["weight_hh"]',
            says="weight_hh has shape (3H, H), one row for each unit of each block, and h is (B, H). Which "
            "axis of each must meet for (B, 3H) to come out?",
            cost=0.3,
        ),
        Mistake(
            "caches-after-the-reset",
            old="cache = (x, h, r, z, n, h_n)",
            new="cache = (x, h, r, z, n, r * h_n)",
            says="The cache's last item is the candidate's recurrent sum *after* the reset. Keep it before: "
            "the reset gate's gradient needs what r was multiplied with.",
            cost=0.2,
        ),
        Mistake(
            "caches-without-the-bias",
            old="cache = (x, h, r, z, n, h_n)",
            new=f"cache = (x, h, r, z, n, h_n - {B_N})",
            says="The cache's last item lacks the bias: it is the whole recurrent sum that r multiplies, bias included.",
            cost=0.2,
        ),
        Mistake(
            "caches-the-new-state",
            old="cache = (x, h, r, z, n, h_n)",
            new="cache = (x, h_next, r, z, n, h_n)",
            says="The cache's second item should be the *old* state h: the backward pass needs what this step started from.",
            cost=0.2,
        ),
        Mistake(
            "blocks-cut-by-reshape",
            old="x_r, x_z, x_n = np.split(from_x, 3, axis=1)\n"
            "    h_r, h_z, h_n = np.split(from_h, 3, axis=1)",
            new="x_r, x_z, x_n = from_x.reshape(3, *h.shape)\n"
            "    h_r, h_z, h_n = from_h.reshape(3, *h.shape)",
            says="reshape cuts the sums in the order in which they lie in memory, so the "
            "examples are mixed with the blocks. The blocks lie side by side along axis 1.",
            cost=0.3,
        ),
        Mistake(
            "gates-multiplied",
            old="h_next = (1 - z) * n + z * h",
            new="h_next = (1 - z) * n * z * h",
            says="Old and new are multiplied. The new state is their weighted mean, a sum.",
            cost=0.5,
        ),
        Mistake(
            "biases-exchanged",
            old='from_x = x @ p["weight_ih"].T + p["bias_ih"]\n'
            '    from_h = h @ p["weight_hh"].T + p["bias_hh"]',
            new='from_x = x @ p["weight_ih"].T + p["bias_hh"]\n'
            '    from_h = h @ p["weight_hh"].T + p["bias_ih"]',
            says="The two biases have changed sides. For the gates that makes no difference, "
            "but in the candidate the reset gate multiplies what comes from h, and "
            "bias_hh belongs there.",
            cost=0.3,
        ),
    ),
)


# gru_cell_backward ------------------------------------------------------------------------------------


def backward_case(rng, B, D, H, when=""):
    p, x, h = cell_case(rng, B, D, H).args
    _, cache = gru_cell(p, x, h)
    return Case((p, rng.normal(size=(B, H)), cache), {"B": B, "D": D, "H": H}, when)


def draw_gru_cell_backward(rng):
    return [
        backward_case(rng, 3, 5, 2),
        backward_case(rng, 4, 2, 6),
        backward_case(rng, 3, 4, 1, "H = 1"),
        backward_case(rng, 1, 3, 2, "B = 1"),
    ]


DA_N = "da_n = dh * (1 - z) * (1 - n**2)"
DA_Z = "da_z = dh * (h - n) * z * (1 - z)"
DA_R = "da_r = da_n * h_n * r * (1 - r)"
BACK = f"{DA_N}\n    {DA_Z}\n    {DA_R}"
FROM_X = "d_from_x = np.concatenate([da_r, da_z, da_n], axis=1)"
FROM_H = "d_from_h = np.concatenate([da_r, da_z, da_n * r], axis=1)"
DH_PREV = 'dh_prev = d_from_h @ p["weight_hh"] + dh * z'
W_IH_GRAD, W_HH_GRAD = '"weight_ih": d_from_x.T @ x,', '"weight_hh": d_from_h.T @ h,'
BIAS_GRADS = '"bias_ih": d_from_x.sum(axis=0),\n        "bias_hh": d_from_h.sum(axis=0),'


def joined_as(order):
    """Both concatenations with the blocks in another order."""
    xs, hs = (", ".join(f"da_{g}" + (" * r" if g == "n" and side else "") for g in order) for side in (0, 1))
    return f"d_from_x = np.concatenate([{xs}], axis=1)\n    d_from_h = np.concatenate([{hs}], axis=1)"


GRU_CELL_BACKWARD = Exercise(
    reference=gru_cell_backward,
    returns=("dx", "dh_prev", "grads"),
    gates=GATES,
    draw=draw_gru_cell_backward,
    by_row=each_row,
    mistakes=(
        Mistake(
            "direct-path-missing",
            old=DH_PREV,
            new='dh_prev = d_from_h @ p["weight_hh"]',
            says="dh_prev: the direct way is missing. The old state also goes straight into the new one, "
            "in the cell's last line.",
            cost=0.5,
        ),
        Mistake(
            "direct-path-with-one-minus-z",
            old=DH_PREV,
            new='dh_prev = d_from_h @ p["weight_hh"] + dh * (1 - z)',
            says="dh_prev: the direct way carries the candidate's share. How much of the old state stays?",
            cost=0.3,
        ),
        Mistake(
            "direct-path-ungated",
            old=DH_PREV,
            new='dh_prev = d_from_h @ p["weight_hh"] + dh',
            says="dh_prev: the direct way lacks its gate. How much of the old state stays?",
            cost=0.4,
        ),
        Mistake(
            "direct-path-only",
            old=DH_PREV,
            new="dh_prev = dh * z",
            says="dh_prev: only the direct way is there. The old state also acts through r, z and n: "
            "their gradients come back through weight_hh.",
            cost=0.5,
        ),
        Mistake(
            "through-the-candidate-only",
            old=DH_PREV,
            new=f"dh_prev = (da_n * r) @ {W_N} + dh * z",
            says="dh_prev comes back through the candidate, but not through the two gates. "
            "The old state decided about r and z as well.",
            cost=0.4,
        ),
        Mistake(
            "through-the-gates-only",
            old=DH_PREV,
            new='dh_prev = d_from_h[:, : 2 * h.shape[1]] @ p["weight_hh"][: 2 * h.shape[1]] + dh * z',
            says="dh_prev comes back through the two gates, but not through the candidate's block of weight_hh.",
            cost=0.4,
        ),
        Mistake(
            "update-gate-swapped",
            old=BACK,
            new=f"da_n = dh * z * (1 - n**2)\n    da_z = dh * (n - h) * z * (1 - z)\n    {DA_R}",
            says="z and 1 - z have changed places. Here, as in PyTorch, z is how much of the *old* state "
            "stays.",
            cost=0.3,
        ),
        Mistake(
            "candidate-with-z",
            old=DA_N,
            new="da_n = dh * z * (1 - n**2)",
            says="The candidate's gradient carries the old state's share. With what did the candidate "
            "enter the new state?",
            cost=0.3,
        ),
        Mistake(
            "candidate-ungated",
            old=DA_N,
            new="da_n = dh * (1 - n**2)",
            says="The candidate's gradient lacks its share. With what did the candidate enter the new state?",
            cost=0.4,
        ),
        Mistake(
            "candidate-without-derivative",
            old=DA_N,
            new="da_n = dh * (1 - z)",
            says="The candidate's gradient passes the tanh as if it were not there. By the chain rule its "
            "slope is a factor.",
            cost=0.3,
        ),
        Mistake(
            "candidate-not-squared",
            old=DA_N,
            new="da_n = dh * (1 - z) * (1 - n)",
            says="The slope of the candidate's tanh is not right: where n is -1 the curve is flat, and "
            "here it is not 0.",
            cost=0.2,
        ),
        Mistake(
            "candidate-tanh-twice",
            old=DA_N,
            new="da_n = dh * (1 - z) * (1 - np.tanh(n) ** 2)",
            says="The cached n already *is* the tanh. Taking tanh of it again gives the slope at a wrong place.",
            cost=0.2,
        ),
        Mistake(
            "candidate-with-sigmoid-slope",
            old=DA_N,
            new="da_n = dh * (1 - z) * n * (1 - n)",
            says="The candidate gets the sigmoid's slope. It is a tanh.",
            cost=0.2,
        ),
        Mistake(
            "update-gate-sign",
            old=DA_Z,
            new="da_z = dh * (n - h) * z * (1 - z)",
            says="The update gate's gradient has the wrong sign: what does a larger z bring into the new "
            "state, and what does it push out?",
            cost=0.3,
        ),
        Mistake(
            "update-gate-from-the-state-only",
            old=DA_Z,
            new="da_z = dh * h * z * (1 - z)",
            says="The update gate's gradient sees only the old state's share. z stands in the cell's last "
            "line twice.",
            cost=0.3,
        ),
        Mistake(
            "update-gate-from-the-candidate-only",
            old=DA_Z,
            new="da_z = -dh * n * z * (1 - z)",
            also=("da_z = dh * n * z * (1 - z)",),
            says="The update gate's gradient sees only the candidate's share. z stands in the cell's last "
            "line twice.",
            cost=0.3,
        ),
        Mistake(
            "update-gate-added",
            old=DA_Z,
            new="da_z = dh * (h + n) * z * (1 - z)",
            says="The update gate's gradient has the same sign for the old state and for the candidate. "
            "Does a larger z bring both in?",
            cost=0.3,
        ),
        Mistake(
            "update-gate-without-derivative",
            old=DA_Z,
            new="da_z = dh * (h - n)",
            says="The update gate's gradient stops at its activation: it must pass the sigmoid too.",
            cost=0.3,
        ),
        Mistake(
            "reset-gate-without-derivative",
            old=DA_R,
            new="da_r = da_n * h_n",
            says="The reset gate's gradient stops at its activation: it must pass the sigmoid too.",
            cost=0.3,
        ),
        Mistake(
            "reset-gate-from-dh",
            old=DA_R,
            new="da_r = dh * h_n * r * (1 - r)",
            also=("da_r = dh * (1 - z) * h_n * r * (1 - r)",),
            says="The reset gate's gradient does not pass the candidate's tanh. r acts *inside* the candidate: "
            "it starts from the gradient of the candidate's sum.",
            cost=0.3,
        ),
        Mistake(
            "reset-gate-from-the-state",
            old=DA_R,
            new="da_r = da_n * h * r * (1 - r)",
            says="The reset gate's gradient has the old state h as its factor. What did r multiply? The "
            "cache holds it.",
            cost=0.3,
        ),
        Mistake(
            "reset-gate-in-cho-et-al's-way",
            old=DA_R,
            new=f"da_r = (da_n @ {W_N}) * h * r * (1 - r)",
            says="The reset gate's gradient is that of the other GRU, where r multiplies h before the product. "
            "Here r multiplied the finished recurrent sum.",
            cost=0.3,
        ),
        Mistake(
            "sigmoid-twice",
            old=f"{DA_Z}\n    {DA_R}",
            new="da_z = dh * (h - n) * sigmoid(z) * (1 - sigmoid(z))\n"
            "    da_r = da_n * h_n * sigmoid(r) * (1 - sigmoid(r))",
            also=(
                f"{DA_Z}\n    da_r = da_n * h_n * sigmoid(r) * (1 - sigmoid(r))",
                f"da_z = dh * (h - n) * sigmoid(z) * (1 - sigmoid(z))\n    {DA_R}",
            ),
            says="The cached gates already *are* sigmoids. Taking the sigmoid again gives the slope at a "
            "wrong place.",
            cost=0.3,
        ),
        Mistake(
            "gates-with-tanh-slope",
            old=f"{DA_Z}\n    {DA_R}",
            new="da_z = dh * (h - n) * (1 - z**2)\n    da_r = da_n * h_n * (1 - r**2)",
            also=(
                f"{DA_Z}\n    da_r = da_n * h_n * (1 - r**2)",
                f"da_z = dh * (h - n) * (1 - z**2)\n    {DA_R}",
            ),
            says="A gate gets tanh's slope. The gates r and z are sigmoids: where are they flat?",
            cost=0.3,
        ),
        Mistake(
            "reset-missing",
            old=FROM_H,
            new="d_from_h = np.concatenate([da_r, da_z, da_n], axis=1)",
            says="On the recurrent side the candidate's block lacks a factor, in dh_prev, weight_hh and "
            "bias_hh. What was the recurrent sum multiplied with going forward?",
            cost=0.3,
        ),
        Mistake(
            "reset-on-the-input-side",
            old=FROM_X,
            new="d_from_x = np.concatenate([da_r, da_z, da_n * r], axis=1)",
            says="On the input side the candidate's block is multiplied by r. The reset gate touched only "
            "what came from h.",
            cost=0.3,
        ),
        Mistake(
            "order-z-r-n",
            old=f"{FROM_X}\n    {FROM_H}",
            new=joined_as("zrn"),
            says="The gradients are stacked z, r, n, as Keras and ONNX stack theirs. The parameters' rows are r, z, n.",
            cost=0.3,
        ),
        Mistake(
            "gate-order",
            old=f"{FROM_X}\n    {FROM_H}",
            new=joined_as("nrz"),
            also=tuple(joined_as(order) for order in orders("rzn", ("zrn", "nrz"))),
            says="The three gradients are stacked in a wrong order: the parameters' rows are r, z, n.",
            cost=0.3,
        ),
        Mistake(
            "one-bias",
            old='"bias_hh": d_from_h.sum(axis=0),',
            new='"bias_hh": d_from_x.sum(axis=0),',
            says="bias_hh gets bias_ih's gradient. In a GRU the two differ: in the candidate's block the reset gate "
            "multiplies bias_hh, and not bias_ih.",
            cost=0.2,
        ),
        Mistake(
            "one-bias-from-the-state",
            old='"bias_ih": d_from_x.sum(axis=0),',
            new='"bias_ih": d_from_h.sum(axis=0),',
            says="bias_ih gets bias_hh's gradient. In a GRU the two differ: in the candidate's block the reset gate "
            "multiplies bias_hh, and not bias_ih.",
            cost=0.2,
        ),
        Mistake(
            "weight-hh-without-reset",
            old=W_HH_GRAD,
            new='"weight_hh": d_from_x.T @ h,',
            says="The gradient of weight_hh is made from the input side's gradients. In the candidate's block "
            "the recurrent side also carries r.",
            cost=0.2,
        ),
        Mistake(
            "new-state-in-weight-hh",
            old=W_HH_GRAD,
            new='"weight_hh": d_from_h.T @ ((1 - z) * n + z * h),',
            says="The gradient of weight_hh uses the *new* state. Which one did weight_hh meet in the "
            "forward step?",
            cost=0.3,
        ),
        Mistake(
            "weight-ih-gradient-transposed",
            old=W_IH_GRAD,
            new='"weight_ih": x.T @ d_from_x,',
            says="The gradient of weight_ih is transposed: it must have weight_ih's own shape, (3H, D).",
            cost=0.3,
        ),
        Mistake(
            "weight-hh-gradient-transposed",
            old=W_HH_GRAD,
            new='"weight_hh": h.T @ d_from_h,',
            says="The gradient of weight_hh is transposed: it must have weight_hh's own shape, (3H, H).",
            cost=0.3,
        ),
        Mistake(
            "weight-ih-transposed-on-the-way-back",
            old='dx = d_from_x @ p["weight_ih"]',
            new='dx = d_from_x @ p["weight_ih"].T',
            says="dx: what comes back is (B, 3H), weight_ih (3H, D), and dx should be (B, D). Which axes "
            "meet?",
            cost=0.3,
        ),
        Mistake(
            "weight-hh-transposed-on-the-way-back",
            old=DH_PREV,
            new='dh_prev = d_from_h @ p["weight_hh"].T + dh * z',
            says="dh_prev: what comes back is (B, 3H), weight_hh (3H, H), and dh_prev should be (B, H). "
            "Which axes meet?",
            cost=0.3,
        ),
        Mistake(
            "bias-not-summed",
            old=BIAS_GRADS,
            new='"bias_ih": d_from_x,\n        "bias_hh": d_from_h,',
            says="The bias gradients still have a batch axis. One bias serves every example in the batch: "
            "what becomes of their shares?",
            cost=0.3,
        ),
        Mistake(
            "bias-averaged",
            old=BIAS_GRADS,
            new='"bias_ih": d_from_x.mean(axis=0),\n        "bias_hh": d_from_h.mean(axis=0),',
            says="The bias gradients are averaged over the batch. A shared bias collects the *sum*; "
            "if there is a mean, it is in the loss, and dh holds it already.",
            cost=0.2,
        ),
        Mistake(
            "divided-by-batch",
            old=f"{W_IH_GRAD}\n        {W_HH_GRAD}\n        {BIAS_GRADS}",
            new='"weight_ih": d_from_x.T @ x / len(dh),\n        "weight_hh": d_from_h.T @ h / len(dh),\n'
            '        "bias_ih": d_from_x.mean(axis=0),\n        "bias_hh": d_from_h.mean(axis=0),',
            says="The parameters' gradients are divided by B. The backward pass only sums: "
            "if there is a mean, it is in the loss, and dh holds it already.",
            cost=0.3,
        ),
        Mistake(
            "biases-in-one-key",
            old='"bias_ih": d_from_x.sum(axis=0),\n        "bias_hh": d_from_h.sum(axis=0),',
            new='"bias": d_from_x.sum(axis=0),',
            also=(
                '"bias": d_from_h.sum(axis=0),',
                '"bias": d_from_x.sum(axis=0) + d_from_h.sum(axis=0),',
            ),
            says='There is one bias under the key "bias". A GRU has two, bias_ih and bias_hh, '
            "and their gradients differ in the candidate's block.",
            cost=0.25,
        ),
        Mistake(
            "reset-twice",
            old="da_r = da_n * h_n * r * (1 - r)",
            new="da_r = da_n * r * h_n * r * (1 - r)",
            says="The reset gate's gradient has one r too many: of a product, each factor's gradient holds "
            "the *other* one.",
            cost=0.3,
        ),
        Mistake(
            "reset-gate-lacks-h-n",
            old="da_r = da_n * h_n * r * (1 - r)",
            new="da_r = da_n * r * (1 - r)",
            says="The reset gate's gradient lacks what the gate was multiplied with.",
            cost=0.3,
        ),
        Mistake(
            "through-the-candidate-alone",
            old=DH_PREV,
            new='dh_prev = (da_n * r) @ np.split(p["weight_hh"], 3)[2]',
            says="dh_prev comes back through the candidate alone. The old state also decided "
            "about r and z, and a share z of it went straight on.",
            cost=0.5,
        ),
        Mistake(
            "through-the-candidate-without-reset",
            old=DH_PREV,
            new='dh_prev = da_n @ np.split(p["weight_hh"], 3)[2]',
            also=('dh_prev = da_n @ np.split(p["weight_hh"], 3)[2] + dh * z',),
            says="dh_prev comes back through the candidate without r, which the recurrent sum "
            "was multiplied with, and not through the two gates.",
            cost=0.5,
        ),
    ),
)


# gru_cell_reset_before --------------------------------------------------------------------------------

BEFORE = "n = np.tanh(x_n + (r * h) @ W_n.T + b_n)"
R, Z = "r = sigmoid(x_r + h @ W_r.T + b_r)", "z = sigmoid(x_z + h @ W_z.T + b_z)"
BEFORE_SPLITS = (
    'x_r, x_z, x_n = np.split(x @ p["weight_ih"].T + p["bias_ih"], 3, axis=1)\n'
    '    W_r, W_z, W_n = np.split(p["weight_hh"], 3)\n'
    '    b_r, b_z, b_n = np.split(p["bias_hh"], 3)'
)


def before_splits_as(order):
    text = BEFORE_SPLITS
    for side in ("x", "W", "b"):
        text = text.replace(f"{side}_r, {side}_z, {side}_n", ", ".join(f"{side}_{g}" for g in order))
    return text


GRU_CELL_RESET_BEFORE = Exercise(
    reference=gru_cell_reset_before,
    returns=("h_next", "cache"),
    layout=("x", "h", "r", "z", "n"),
    gates=GATES,
    draw=draw_gru_cell,
    by_row=each_row,
    mistakes=(
        Mistake(
            "reset-after-the-product",
            old=BEFORE,
            new="n = np.tanh(x_n + r * (h @ W_n.T + b_n))",
            says="This is PyTorch's GRU: the reset gate multiplies the finished recurrent sum. Here it is to act earlier, "
            "on the old state, before the matrix product.",
            cost=0.7,
        ),
        Mistake(
            "reset-after-the-product-without-bias",
            old=BEFORE,
            new="n = np.tanh(x_n + r * (h @ W_n.T) + b_n)",
            says="The reset gate multiplies what comes out of the matrix product. Here it is to act earlier, on the old "
            "state that goes in: reset, then multiply by the weights.",
            cost=0.6,
        ),
        Mistake(
            "bias-inside-the-reset",
            old=BEFORE,
            new="n = np.tanh(x_n + (r * h) @ W_n.T + r * b_n)",
            says="The candidate's recurrent bias is reset too. r acts on the old state alone; the bias comes after.",
            cost=0.3,
        ),
        Mistake(
            "reset-missing",
            old=BEFORE,
            new="n = np.tanh(x_n + h @ W_n.T + b_n)",
            says="The reset gate does nothing: it decides how much of the old state the candidate sees.",
            cost=0.6,
        ),
        Mistake(
            "reset-twice",
            old=BEFORE,
            new="n = np.tanh(x_n + r * ((r * h) @ W_n.T + b_n))",
            also=("n = np.tanh(x_n + r * ((r * h) @ W_n.T) + b_n)",),
            says="The reset gate acts twice, before *and* after the matrix product. Once is enough: before it.",
            cost=0.4,
        ),
        Mistake(
            "reset-reversed",
            old=BEFORE,
            new="n = np.tanh(x_n + ((1 - r) * h) @ W_n.T + b_n)",
            says="The old state is reset by 1 - r. With r = 1 the candidate sees all of it, with r = 0 none.",
            cost=0.3,
        ),
        Mistake(
            "update-gate-resets",
            old=BEFORE,
            new="n = np.tanh(x_n + (z * h) @ W_n.T + b_n)",
            says="The update gate z stands where the reset gate r belongs, inside the candidate.",
            cost=0.3,
        ),
        Mistake(
            "reset-state-kept",
            old=MIX,
            new="h_next = (1 - z) * n + z * (r * h)",
            says="What is kept is the reset state r * h. The reset is only for the candidate; "
            "z keeps the old state as it was.",
            cost=0.3,
        ),
        Mistake(
            "update-gate-sees-the-reset-state",
            old=Z,
            new="z = sigmoid(x_z + (r * h) @ W_z.T + b_z)",
            says="The update gate sees the reset state r * h. Both gates look at the old state as it is; "
            "only the candidate sees it reset.",
            cost=0.3,
        ),
        *MIXING,
        *activations({"r": R, "z": Z, "n": BEFORE}),
        Mistake(
            "order-z-r-n",
            old=BEFORE_SPLITS,
            new=before_splits_as("zrn"),
            says="The blocks are read in the order z, r, n, as Keras and ONNX stack them. PyTorch's order, and "
            "ours, is r, z, n.",
            cost=0.3,
        ),
        Mistake(
            "gate-order",
            old=BEFORE_SPLITS,
            new=before_splits_as("nrz"),
            also=tuple(before_splits_as(order) for order in orders("rzn", ("zrn", "nrz"))),
            says="The three blocks are read in a wrong order. The rows are stacked r, z, n, H rows each: "
            "reset gate, update gate, candidate.",
            cost=0.3,
        ),
        *(
            Mistake(
                f"{gate}-weights-untransposed",
                old=f"@ W_{gate}.T",
                new=f"@ W_{gate}",
                says=f"The {NAMES[gate]}'s block of weight_hh is not transposed. It is square, so no shape complains, "
                "but row j holds the weights *into* unit j.",
                cost=0.3,
            )
            for gate in GATES
        ),
        Mistake(
            "weights-untransposed",
            old=f"{R}\n    {Z}\n    {BEFORE}",
            new=f"{R}\n    {Z}\n    {BEFORE}".replace(".T", ""),
            says="The blocks of weight_hh are not transposed. They are square, so no shape complains, "
            "but row j holds the weights *into* unit j.",
            cost=0.3,
        ),
        Mistake(
            "bias-ih-missing",
            old=' + p["bias_ih"]',
            new="",
            says="bias_ih is not added. Each block has two biases, and both count.",
            cost=0.2,
        ),
        Mistake(
            "bias-hh-missing",
            old=f"{R}\n    {Z}\n    {BEFORE}",
            new="r = sigmoid(x_r + h @ W_r.T)\n    z = sigmoid(x_z + h @ W_z.T)\n"
            "    n = np.tanh(x_n + (r * h) @ W_n.T)",
            says="bias_hh is not added. Each block has two biases, and both count.",
            cost=0.2,
        ),
        Mistake(
            "candidate-bias-missing",
            old=" @ W_n.T + b_n",
            new=" @ W_n.T",
            says="The candidate lacks its block of bias_hh. It is added after the product, and it is not reset.",
            cost=0.2,
        ),
        Mistake(
            "biases-missing",
            old=f"{BEFORE_SPLITS}\n    {R}\n    {Z}\n    {BEFORE}",
            new=BEFORE_SPLITS.replace(' + p["bias_ih"]', "") + "\n    r = sigmoid(x_r + h @ W_r.T)\n"
            "    z = sigmoid(x_z + h @ W_z.T)\n    n = np.tanh(x_n + (r * h) @ W_n.T)",
            says="Neither bias is added. The paper leaves them out, but the parameters here have both.",
            cost=0.3,
        ),
        Mistake(
            "caches-the-reset-state",
            old="cache = (x, h, r, z, n)",
            new="cache = (x, r * h, r, z, n)",
            says="The cache's second item is the reset state. Keep the old state h itself: r * h can be made from it.",
            cost=0.2,
        ),
        Mistake(
            "caches-the-new-state",
            old="cache = (x, h, r, z, n)",
            new="cache = (x, h_next, r, z, n)",
            says="The cache's second item should be the *old* state h: the backward pass needs what this step started from.",
            cost=0.2,
        ),
        Mistake(
            "orders-differ",
            old='W_r, W_z, W_n = np.split(p["weight_hh"], 3)\n    b_r, b_z, b_n = np.split(p["bias_hh"], 3)',
            new='W_z, W_r, W_n = np.split(p["weight_hh"], 3)\n    b_z, b_r, b_n = np.split(p["bias_hh"], 3)',
            also=(
                (
                    'W_z, W_r, W_n = np.split(p["weight_hh"], 3)\n'
                    '    b_r, b_z, b_n = np.split(p["bias_hh"], 3)'
                ),
                (
                    'W_r, W_z, W_n = np.split(p["weight_hh"], 3)\n'
                    '    b_z, b_r, b_n = np.split(p["bias_hh"], 3)'
                ),
            ),
            says="The blocks of the recurrent side are read in another order than those of "
            "the input side. Both are r, z, n.",
            cost=0.3,
        ),
        Mistake(
            "input-side-in-another-order",
            old="x_r, x_z, x_n = np.split(x",
            new="x_z, x_r, x_n = np.split(x",
            says="The blocks of the input side are read in another order than those of the "
            "recurrent side. Both are r, z, n.",
            cost=0.3,
        ),
    ),
)


# parameter_counts -------------------------------------------------------------------------------------


def draw_parameter_counts(rng):
    def case(D, H, when=""):
        return Case((D, H), {"D": D, "H": H}, when)

    large = int(rng.integers(50, 90))
    return [
        case(int(rng.integers(4, 8)), int(rng.integers(9, 15))),
        case(large, int(rng.integers(20, 40))),
        case(1, large, "D = 1"),
        case(large, 1, "H = 1"),
    ]


BLOCK = "block = H * D + H * H + 2 * H"
COUNTS = 'return {"rnn": block, "gru": 3 * block, "lstm": 4 * block}'

PARAMETER_COUNTS = Exercise(
    reference=parameter_counts,
    returns=("counts",),
    draw=draw_parameter_counts,
    tolerance=1e-9,
    mistakes=(
        Mistake(
            "one-bias",
            old=BLOCK,
            new="block = H * D + H * H + H",
            says="Only one bias is counted. PyTorch's cells have two, bias_ih and bias_hh.",
            cost=0.3,
        ),
        Mistake(
            "no-bias",
            old=BLOCK,
            new="block = H * D + H * H",
            says="The biases are not counted: each block has two, of H numbers each.",
            cost=0.4,
        ),
        Mistake(
            "candidate-not-counted",
            old=COUNTS,
            new='return {"rnn": block, "gru": 2 * block, "lstm": 3 * block}',
            says="Only the gates are counted. The candidate has weights and biases of its own: the GRU has "
            "three blocks and the LSTM four.",
            cost=0.4,
        ),
        Mistake(
            "a-block-for-the-state",
            old=COUNTS,
            new='return {"rnn": block, "gru": 4 * block, "lstm": 5 * block}',
            also=('return {"rnn": 2 * block, "gru": 4 * block, "lstm": 5 * block}',),
            says="There is one block too many: the state has no weights of its own. The GRU's blocks are r, z and n, "
            "the LSTM's i, f, g and o.",
            cost=0.4,
        ),
        Mistake(
            "gru-and-lstm-swapped",
            old=COUNTS,
            new='return {"rnn": block, "gru": 4 * block, "lstm": 3 * block}',
            says="The GRU and the LSTM have each other's count: the GRU has fewer gates.",
            cost=0.2,
        ),
        Mistake(
            "sizes-swapped",
            old=BLOCK,
            new="block = D * H + D * D + 2 * D",
            says="D and H have changed places: every block has H rows, and the state that it reads has H numbers.",
            cost=0.3,
        ),
        Mistake(
            "recurrent-weights-not-counted",
            old=BLOCK,
            new="block = H * D + 2 * H",
            says="The recurrent weights are not counted: each block has its own.",
            cost=0.5,
        ),
        Mistake(
            "input-weights-not-counted",
            old=BLOCK,
            new="block = H * H + 2 * H",
            says="The input weights are not counted: each block has its own.",
            cost=0.5,
        ),
        Mistake(
            "biases-counted-once",
            old=f"{BLOCK}\n    {COUNTS}",
            new='W = H * D + H * H\n    return {"rnn": W + 2 * H, "gru": 3 * W + 2 * H, "lstm": 4 * W + 2 * H}',
            says="The biases are counted once a cell. Every block has its own two, just as it has its own weights.",
            cost=0.3,
        ),
        Mistake(
            "same-weights-for-both",
            old=BLOCK,
            new="block = 2 * H * D + 2 * H",
            says="The recurrent weights are counted as if the state had D numbers. It has H.",
            cost=0.3,
        ),
        Mistake(
            "one-bias-but-for-the-gru",
            old='return {"rnn": block, "gru": 3 * block, "lstm": 4 * block}',
            new='return {"rnn": block - H, "gru": 3 * block, "lstm": 4 * (block - H)}',
            says="These are the counts of Keras, which has two biases in a GRU and one in the "
            "others. In PyTorch, and here, every cell has two.",
            cost=0.3,
        ),
        Mistake(
            "one-bias-in-the-gru",
            old='return {"rnn": block, "gru": 3 * block, "lstm": 4 * block}',
            new='return {"rnn": block, "gru": 3 * (block - H), "lstm": 4 * block}',
            says="The GRU is counted with one bias. It has two, as the others have.",
            cost=0.3,
        ),
        Mistake(
            "one-gate-too-few-in-the-gru",
            old='return {"rnn": block, "gru": 3 * block, "lstm": 4 * block}',
            new='return {"rnn": block, "gru": 2 * block, "lstm": 4 * block}',
            says="The GRU is counted with two blocks. It has three: two gates and the candidate.",
            cost=0.3,
        ),
        Mistake(
            "one-gate-too-few-in-the-lstm",
            old='return {"rnn": block, "gru": 3 * block, "lstm": 4 * block}',
            new='return {"rnn": block, "gru": 3 * block, "lstm": 3 * block}',
            says="The LSTM is counted with three blocks. It has four: three gates and the candidate.",
            cost=0.3,
        ),
    ),
)

EXERCISES = (GRU_CELL, GRU_CELL_BACKWARD, GRU_CELL_RESET_BEFORE, PARAMETER_COUNTS)
