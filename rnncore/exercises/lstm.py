"""Lesson 05, Build a cell that remembers: the LSTM's step, its gradient, the forget bias, the memory's path.

Many mistakes here can be made at any of the four gates. They are written once, as a pattern, and made
into one ``Mistake`` a gate, so that the verdict can say which gate it is.
"""

from itertools import combinations, permutations

import numpy as np

from rnncore.cells.lstm import cell_gradient_path, lstm_cell, lstm_cell_backward, set_forget_bias
from rnncore.exercises.bptt import RNN_CELL_BACKWARD
from rnncore.exercises.exercise import Case, Exercise, Mistake, each_row
from rnncore.exercises.rnn_cell import RNN_CELL, draw_params

GATES = ("i", "f", "g", "o")
NAMES = {"i": "input gate i", "f": "forget gate f", "g": "candidate g", "o": "output gate o"}
LAYOUT = ("x", "h", "c", "i", "f", "g", "o", "tanh_c")


def borrowed(exercise, *ids):
    """Mistakes of an earlier exercise whose edits and sentences fit here too."""
    return tuple(mistake for mistake in exercise.mistakes if mistake.id in ids)


def orders(gates, used=()):
    """Every order of the gates that is wrong and not in ``used``."""
    return [order for order in permutations(gates) if order != tuple(gates) and "".join(order) not in used]


# lstm_cell ------------------------------------------------------------------------------------------


def draw_state(rng, B, H):
    return rng.normal(0, 0.7, (B, H)), rng.normal(0, 1.0, (B, H))


def cell_case(rng, B, D, H, when=""):
    args = draw_params(rng, D, H, gates=4), rng.normal(size=(B, D)), draw_state(rng, B, H)
    return Case(args, {"B": B, "D": D, "H": H}, when)


def draw_lstm_cell(rng):
    return [
        cell_case(rng, 3, 5, 2),
        cell_case(rng, 4, 2, 6),
        cell_case(rng, 3, 4, 1, "H = 1"),
        cell_case(rng, 1, 3, 2, "B = 1"),
    ]


SPLIT = "a_i, a_f, a_g, a_o = np.split"
SUM = "c_next = f * c + i * g"
OUT = "tanh_c = np.tanh(c_next)\n    h_next = o * tanh_c"
CACHE = "cache = (x, h, c, i, f, g, o, tanh_c)"


def split_as(order):
    return ", ".join(f"a_{gate}" for gate in order) + " = np.split"


def line(gate, squash=None, source=None):
    """The line that computes a gate, with another activation or from another gate's block."""
    squash = squash or ("np.tanh" if gate == "g" else "sigmoid")
    inside = f"a_{source or gate}"
    return f"    {gate} = {squash}({inside})\n" if squash != "none" else f"    {gate} = {inside}\n"


LSTM_CELL = Exercise(
    reference=lstm_cell,
    returns=(("h_next", "c_next"), "cache"),
    layout=LAYOUT,
    gates=GATES,
    draw=draw_lstm_cell,
    by_row=each_row,
    mistakes=(
        Mistake(
            "one-minus-input",
            old="c_next = f * c + i * g",
            new="c_next = (1 - i) * c + i * g",
            says="The old memory is weighted by 1 - i, as in a GRU: the forget gate f does nothing. An "
            "LSTM's f decides on its own how much stays.",
            cost=0.3,
        ),
        Mistake(
            "input-and-output-gate-swapped",
            old="c_next = f * c + i * g\n    tanh_c = np.tanh(c_next)\n    h_next = o * tanh_c",
            new="c_next = f * c + o * g\n    tanh_c = np.tanh(c_next)\n    h_next = i * tanh_c",
            says="The input gate i and the output gate o have changed places: i lets the candidate in, o "
            "lets the memory out.",
            cost=0.3,
        ),
        *(
            Mistake(
                f"{gate}-from-another-block",
                old=line(gate),
                new=line(gate, source=others[0]),
                also=tuple(line(gate, source=other) for other in others[1:]),
                says=f"The {NAMES[gate]} is computed from another gate's block: a copied line whose slice was not "
                f"changed? Its own is block {GATES.index(gate)} of i, f, g, o, counted from 0.",
                cost=0.3,
            )
            for gate in GATES
            for others in [[other for other in GATES if other != gate]]
        ),
        Mistake(
            "split-along-the-batch",
            old="np.split(a, 4, axis=1)",
            new="np.split(a, 4, axis=0)",
            says="The sum a (B, 4H) is cut along the batch. The four blocks lie side by side, H columns each: "
            "which axis counts columns?",
            cost=0.3,
        ),
        Mistake(
            "order-i-f-o-g",
            old=SPLIT,
            new=split_as("ifog"),
            says="The four blocks are read in the order i, f, o, g, as some courses stack them. PyTorch's "
            "order, and ours, is i, f, g, o: the candidate is the *third* block.",
            cost=0.3,
        ),
        Mistake(
            "order-i-o-f-g",
            old=SPLIT,
            new=split_as("iofg"),
            says="The four blocks are read in ONNX's order, i, o, f, g. PyTorch's order, and ours, is i, f, g, o.",
            cost=0.3,
        ),
        Mistake(
            "order-f-i-g-o",
            old=SPLIT,
            new=split_as("figo"),
            says="The input gate and the forget gate have each other's block. The rows are stacked i, f, g, o: "
            "the input gate comes first.",
            cost=0.3,
        ),
        Mistake(
            "gate-order",
            old=SPLIT,
            new=split_as("gifo"),
            also=tuple(split_as(o) for o in orders(GATES, ("ifog", "iofg", "figo", "gifo"))),
            says="The four blocks are read in a wrong order. The rows are stacked i, f, g, o, "
            "H rows each: input gate, forget gate, candidate, output gate.",
            cost=0.3,
        ),
        *(
            Mistake(
                f"{gate}-with-{'sigmoid' if gate == 'g' else 'tanh'}",
                old=line(gate),
                new=line(gate, squash="sigmoid" if gate == "g" else "np.tanh"),
                says="The candidate g goes through a sigmoid, so nothing can ever be subtracted from the memory. "
                "It is no gate but a value to store, from -1 to 1: it takes tanh."
                if gate == "g"
                else f"The {NAMES[gate]} goes through tanh and can become negative. A gate says how much, "
                "from 0 to 1: it takes the sigmoid.",
                cost=0.3,
            )
            for gate in GATES
        ),
        *(
            Mistake(
                f"{gate}-without-activation",
                old=line(gate),
                new=line(gate, squash="none"),
                says=f"The {NAMES[gate]} is the bare sum: its {'tanh' if gate == 'g' else 'sigmoid'} is missing.",
                cost=0.3,
            )
            for gate in GATES
        ),
        Mistake(
            "no-tanh-on-the-way-out",
            old=OUT,
            new="tanh_c = np.tanh(c_next)\n    h_next = o * c_next",
            also=("tanh_c = c_next\n    h_next = o * tanh_c",),
            says="The cell state leaves as it is. On its way out to h it is squashed; what keeps h between "
            "-1 and 1?",
            cost=0.3,
        ),
        Mistake(
            "tanh-of-the-product",
            old=OUT,
            new="tanh_c = np.tanh(c_next)\n    h_next = np.tanh(o * c_next)",
            says="The tanh is around the whole product. It acts on the cell state alone; o multiplies the result.",
            cost=0.3,
        ),
        Mistake(
            "no-output-gate",
            old="h_next = o * tanh_c",
            new="h_next = tanh_c",
            says="The output gate o does nothing: it decides how much of tanh(c) is shown as h.",
            cost=0.4,
        ),
        Mistake(
            "output-from-the-old-cell",
            old=OUT,
            new="tanh_c = np.tanh(c_next)\n    h_next = o * np.tanh(c)",
            also=("tanh_c = np.tanh(c)\n    h_next = o * tanh_c",),
            says="h_next is made from the *old* cell state. First renew the cell, then show the new one.",
            cost=0.3,
        ),
        Mistake(
            "no-input-gate",
            old=SUM,
            new="c_next = f * c + g",
            says="The input gate i does nothing: it decides how much of the candidate g is stored.",
            cost=0.4,
        ),
        Mistake(
            "no-forget-gate",
            old=SUM,
            new="c_next = c + i * g",
            says="The forget gate f does nothing, so the cell can only pile up. (So did the cell of 1997; "
            "the forget gate came in 2000.) It decides how much of the old cell state stays.",
            cost=0.4,
        ),
        Mistake(
            "old-cell-dropped",
            old=SUM,
            new="c_next = i * g",
            also=("c_next = f + i * g",),
            says="The old cell state never enters the new one, so nothing is remembered.",
            cost=0.5,
        ),
        Mistake(
            "gates-swapped-in-the-sum",
            old=SUM,
            new="c_next = i * c + f * g",
            says="The gates i and f have changed places in the new cell state: f keeps the old, i lets in the new.",
            cost=0.3,
        ),
        Mistake(
            "forget-gate-twice",
            old=SUM,
            new="c_next = f * c + f * g",
            says="The forget gate f weights the candidate too. f keeps the old cell state; i lets in the candidate.",
            cost=0.3,
        ),
        Mistake(
            "input-gate-twice",
            old=SUM,
            new="c_next = i * c + i * g",
            says="The input gate i weights the old cell state too. i lets in the candidate; f keeps the old cell state.",
            cost=0.3,
        ),
        Mistake(
            "one-minus-forget",
            old=SUM,
            new="c_next = f * c + (1 - f) * g",
            says="The candidate is weighted with 1 - f. That is a coupled gate, as in the GRU; "
            "the LSTM has an input gate i of its own for this.",
            cost=0.3,
        ),
        Mistake(
            "hidden-state-for-the-cell",
            old=SUM,
            new="c_next = f * h + i * g",
            says="The forget gate multiplies the old *hidden* state h. What it keeps or drops is the cell state c.",
            cost=0.4,
        ),
        Mistake(
            "tanh-of-the-sum",
            old=SUM,
            new="c_next = np.tanh(f * c + i * g)",
            says="The new cell state is squashed by a tanh. It must stay linear, or the memory fades "
            "with every step; the tanh belongs only on its way out, into h.",
            cost=0.4,
        ),
        Mistake(
            "state-unpacked-in-reverse",
            old="h, c = state",
            new="c, h = state",
            says="The state is taken apart the wrong way round: it is (h, c), the hidden state first.",
            cost=0.2,
        ),
        Mistake(
            "state-returned-in-reverse",
            old="return (h_next, c_next), cache",
            new="return (c_next, h_next), cache",
            says="The new state is returned the wrong way round: it is (h, c), the hidden state first.",
            cost=0.1,
        ),
        Mistake(
            "old-cell-returned",
            old="return (h_next, c_next), cache",
            new="return (h_next, c), cache",
            says="The old cell state is returned, so the memory never changes. Return the new one.",
            cost=0.3,
        ),
        *borrowed(
            RNN_CELL,
            "bias-ih-missing",
            "bias-hh-missing",
            "biases-missing",
            "bias-ih-twice",
            "bias-hh-twice",
            "bias-ih-doubled",
            "bias-hh-doubled",
            "state-ignored",
            "input-ignored",
        ),
        Mistake(
            "weight-ih-untransposed",
            old='x @ p["weight_ih"].T',
            new='x @ p["weight_ih"]',
            says="weight_ih has shape (4H, D), one row for each unit of each gate, and x is (B, D). Which "
            "axis of each must meet for (B, 4H) to come out?",
            cost=0.3,
        ),
        Mistake(
            "weight-hh-untransposed",
            old='h @ p["weight_hh"].T',
            new='h @ p["weight_hh"]',
            says="weight_hh has shape (4H, H), one row for each unit of each gate, and h is (B, H). Which "
            "axis of each must meet for (B, 4H) to come out?",
            cost=0.3,
        ),
        Mistake(
            "caches-the-new-state",
            old=CACHE,
            new="cache = (x, h_next, c_next, i, f, g, o, tanh_c)",
            also=("cache = (x, h, c_next, i, f, g, o, tanh_c)", "cache = (x, h_next, c, i, f, g, o, tanh_c)"),
            says="The cache holds the new state where the *old* h and c belong: "
            "the backward pass needs what this step started from.",
            cost=0.2,
        ),
        Mistake(
            "caches-the-cell-without-tanh",
            old=CACHE,
            new="cache = (x, h, c, i, f, g, o, c_next)",
            says="The cache's last item should be tanh of the new cell state, not the cell state itself.",
            cost=0.2,
        ),
        Mistake(
            "caches-the-sums",
            old=CACHE,
            new="cache = (x, h, c, a_i, a_f, a_g, a_o, tanh_c)",
            says="The cache holds the sums before the activations. The backward pass takes its derivatives from "
            "the gates themselves: keep i, f, g, o.",
            cost=0.2,
        ),
        Mistake(
            "blocks-cut-by-reshape",
            old="np.split(a, 4, axis=1)",
            new="a.reshape(4, *h.shape)",
            says="reshape cuts the sums in the order in which they lie in memory, so the "
            "examples are mixed with the blocks. The blocks lie side by side along axis 1.",
            cost=0.3,
        ),
        Mistake(
            "gates-interleaved",
            old="np.split(a, 4, axis=1)",
            new="(a[:, n::4] for n in range(4))",
            also=("a.reshape(len(a), -1, 4).transpose(2, 0, 1)",),
            says="Every fourth number is taken for a gate. Each gate's rows lie together, in a block of H.",
            cost=0.3,
        ),
        Mistake(
            "gates-as-products",
            old="c_next = f * c + i * g",
            new="c_next = f * c * i * g",
            says="Old and new are multiplied. The cell state is a *sum*: what is kept, and what is written.",
            cost=0.5,
        ),
        Mistake(
            "tanh-of-the-cell-kept",
            old="return (h_next, c_next), cache",
            new="return (h_next, tanh_c), cache",
            says="The cell state is returned through tanh. Only the way out to h goes through "
            "it; c itself is handed on as it is.",
            cost=0.3,
        ),
    ),
)


# lstm_cell_backward -----------------------------------------------------------------------------------


def backward_case(rng, B, D, H, when="", last_step=False):
    p = draw_params(rng, D, H, gates=4)
    _, cache = lstm_cell(p, rng.normal(size=(B, D)), draw_state(rng, B, H))
    dh, dc = rng.normal(size=(2, B, H))
    return Case((p, (dh, 0 * dc if last_step else dc), cache), {"B": B, "D": D, "H": H}, when)


def draw_lstm_cell_backward(rng):
    return [
        backward_case(rng, 3, 5, 2),
        backward_case(rng, 4, 2, 6),
        backward_case(rng, 3, 4, 2, last_step=True),
        backward_case(rng, 3, 4, 1, "H = 1"),
        backward_case(rng, 1, 3, 2, "B = 1"),
    ]


DC = "dc = dc_carried + dh * o * (1 - tanh_c**2)"
JOIN = "np.concatenate([da_i, da_f, da_g, da_o], axis=1)"
NEW_C = "(f * c + i * g)"
BACK = {
    "i": ("dc * g", " * i * (1 - i)"),
    "f": ("dc * c", " * f * (1 - f)"),
    "g": ("dc * i", " * (1 - g**2)"),
    "o": ("dh * tanh_c", " * o * (1 - o)"),
}


def back(gate, arrives=None, slope=None):
    """The line of a gate's gradient, with another thing arriving at the gate or another slope."""
    right_arrives, right_slope = BACK[gate]
    return f"    da_{gate} = {arrives or right_arrives}{right_slope if slope is None else slope}\n"


def all_back(**changes):
    """All four lines, with ``changes`` from gate to (arrives, slope)."""
    return "".join(back(gate, *changes.get(gate, ())) for gate in GATES)


def join(order):
    return f"np.concatenate([{', '.join(f'da_{gate}' for gate in order)}], axis=1)"


def on_all_or_some(wrong):
    """The same mistake made at all of the gates in ``wrong``, and at each choice of fewer of them."""
    fewer = [some for count in range(len(wrong) - 1, 0, -1) for some in combinations(wrong, count)]
    return all_back(**wrong), tuple(all_back(**{gate: wrong[gate] for gate in some}) for some in fewer)


SIGMOID_TWICE = on_all_or_some(
    {gate: (None, f" * sigmoid({gate}) * (1 - sigmoid({gate}))") for gate in "ifo"}
)
TANH_SLOPE = on_all_or_some({gate: (None, f" * (1 - {gate}**2)") for gate in "ifo"})
FROM_DH = on_all_or_some({"i": ("dh * g",), "f": ("dh * c",), "g": ("dh * i",)})

LSTM_CELL_BACKWARD = Exercise(
    reference=lstm_cell_backward,
    returns=("dx", ("dh_prev", "dc_prev"), "grads"),
    gates=GATES,
    draw=draw_lstm_cell_backward,
    by_row=each_row,
    mistakes=(
        Mistake(
            "gates-before-the-sum",
            old=all_back(),
            new=all_back(i=("dc_carried * g",), f=("dc_carried * c",), g=("dc_carried * i",)),
            says="The gates use the dc that was passed in, before dh's share through tanh(c) has been added to it. "
            "Complete dc first, then go into the gates.",
            cost=0.4,
        ),
        Mistake(
            "gates-from-dh",
            old=all_back(),
            new=FROM_DH[0],
            also=FROM_DH[1],
            says="The gates i and f and the candidate g made the cell state, so each of them starts from dc, "
            "which holds what came through h as well. Only the output gate starts from dh.",
            cost=0.4,
        ),
        Mistake(
            "no-cell-carry",
            old=DC,
            new="dc = dh * o * (1 - tanh_c**2)",
            says="The gradient that arrives at the cell state from the step after is missing. The cell state goes "
            "on to the next step *and* out through h: both ways bring a gradient, and they add up.",
            cost=0.5,
        ),
        Mistake(
            "cell-carry-only",
            old=DC,
            new="dc = dc_carried",
            says="Only the gradient from the next step's cell state is used. The cell state also leaves through "
            "h = o tanh(c): what dh sends back that way must be added.",
            cost=0.5,
        ),
        Mistake(
            "output-gate-skipped",
            old=DC,
            new="dc = dc_carried + dh * (1 - tanh_c**2)",
            says="On the way from h to c the output gate is skipped: with what is the tanh of c multiplied "
            "in h?",
            cost=0.4,
        ),
        Mistake(
            "tanh-skipped",
            old=DC,
            new="dc = dc_carried + dh * o",
            says="On the way from h to c the tanh is skipped. By the chain rule its slope is a factor.",
            cost=0.3,
        ),
        Mistake(
            "tanh-derivative-at-c",
            old=DC,
            new="dc = dc_carried + dh * o * (1 - c**2)",
            also=(f"dc = dc_carried + dh * o * (1 - {NEW_C}**2)",),
            says="The slope of tanh is made from c itself, as if that were what tanh gave. The cache holds "
            "what it gave.",
            cost=0.3,
        ),
        Mistake(
            "tanh-of-the-old-cell",
            old=DC,
            new="dc = dc_carried + dh * o * (1 - np.tanh(c) ** 2)",
            says="The slope of tanh is taken at the *old* cell state: the c in the cache is the one before this "
            "step. The new one's tanh is there as well.",
            cost=0.3,
        ),
        Mistake(
            "tanh-twice",
            old=DC,
            new="dc = dc_carried + dh * o * (1 - np.tanh(tanh_c) ** 2)",
            says="The cached tanh_c already *is* the tanh. Taking tanh of it again gives the slope at a wrong place.",
            cost=0.3,
        ),
        Mistake(
            "tanh-not-squared",
            old=DC,
            new="dc = dc_carried + dh * o * (1 - tanh_c)",
            says="The slope of tanh on the way from h to c is not right: where tanh(c) is -1 the curve is "
            "flat, and here it is not 0.",
            cost=0.3,
        ),
        Mistake(
            "carry-gated-too-early",
            old=DC,
            new="dc = dc_carried * f + dh * o * (1 - tanh_c**2)",
            says="The carried dc is multiplied by f before it is added. It already stands at the *new* cell "
            "state; f comes only on the way further back, into dc_prev.",
            cost=0.3,
        ),
        Mistake(
            "cell-carry-through-the-tanh",
            old=DC,
            new="dc = (dc_carried + dh * o) * (1 - tanh_c**2)",
            also=("dc = (dc_carried + dh) * o * (1 - tanh_c**2)",),
            says="The carried dc goes through the output's tanh as well. It arrives at the cell state directly: "
            "only dh comes back through o and tanh.",
            cost=0.3,
        ),
        Mistake(
            "forget-gate-skipped",
            old="dc_prev = dc * f",
            new="dc_prev = dc",
            says="dc_prev: a gate is missing. What was the old cell state multiplied with on the way "
            "forward?",
            cost=0.4,
        ),
        Mistake(
            "carry-times-input-gate",
            old="dc_prev = dc * f",
            new="dc_prev = dc * i",
            says="dc_prev: the gradient is multiplied by i. Which gate did the old cell state meet on the "
            "way forward?",
            cost=0.3,
        ),
        Mistake(
            "carry-without-this-step",
            old="dc_prev = dc * f",
            new="dc_prev = dc_carried * f",
            says="dc_prev: only what was carried in is handed on. This step's own share, which came through h, "
            "goes back along the cell state as well: use the whole dc.",
            cost=0.4,
        ),
        Mistake(
            "dc-not-handed-on",
            old="dc_prev = dc * f",
            new="dc_prev = np.zeros_like(dc)",
            says="dc_prev is all zeros. The old cell state has a gradient: it is what makes an LSTM remember.",
            cost=0.5,
        ),
        *(
            Mistake(
                f"{gate}-without-derivative",
                old=back(gate),
                new=back(gate, slope=""),
                says=f"The gradient of the {NAMES[gate]} stops at its activation: "
                f"it must pass the {'tanh' if gate == 'g' else 'sigmoid'} too.",
                cost=0.3,
            )
            for gate in GATES
        ),
        Mistake(
            "sigmoid-twice",
            old=all_back(),
            new=SIGMOID_TWICE[0],
            also=SIGMOID_TWICE[1],
            says="The cached gates already *are* sigmoids. Taking the sigmoid again gives the slope at a "
            "wrong place.",
            cost=0.3,
        ),
        Mistake(
            "gates-with-tanh-slope",
            old=all_back(),
            new=TANH_SLOPE[0],
            also=TANH_SLOPE[1],
            says="A gate gets tanh's slope. The gates i, f, o are sigmoids: where are they flat?",
            cost=0.3,
        ),
        Mistake(
            "candidate-with-sigmoid-slope",
            old=back("g"),
            new=back("g", slope=" * g * (1 - g)"),
            says="The candidate g gets the sigmoid's slope. It is a tanh.",
            cost=0.2,
        ),
        Mistake(
            "candidate-tanh-twice",
            old=back("g"),
            new=back("g", slope=" * (1 - np.tanh(g) ** 2)"),
            says="The cached g already *is* the tanh. Taking tanh of it again gives the slope at a wrong place.",
            cost=0.2,
        ),
        Mistake(
            "candidate-not-squared",
            old=back("g"),
            new=back("g", slope=" * (1 - g)"),
            says="The slope of the candidate's tanh is not right: where g is -1 the curve is flat, and "
            "here it is not 0.",
            cost=0.2,
        ),
        Mistake(
            "forget-gate-uses-new-cell",
            old=back("f"),
            new=back("f", f"dc * {NEW_C}"),
            also=(back("f", "dc * tanh_c"),),
            says="The forget gate's gradient uses the *new* cell state. Which one did f meet going forward?",
            cost=0.3,
        ),
        Mistake(
            "forget-gate-uses-the-hidden-state",
            old=back("f"),
            new=back("f", "dc * h"),
            says="The forget gate's gradient uses the hidden state h. What did f multiply going forward?",
            cost=0.3,
        ),
        Mistake(
            "input-and-forget-swapped",
            old=all_back(),
            new=all_back(i=("dc * c",), f=("dc * g",)),
            says="The input gate's and the forget gate's gradients have each other's factor. What did each "
            "of the two multiply going forward?",
            cost=0.3,
        ),
        Mistake(
            "input-gate-times-itself",
            old=back("i"),
            new=back("i", "dc * i"),
            says="The input gate's gradient has i as its factor. Of a product, each factor's gradient "
            "holds the *other* one.",
            cost=0.3,
        ),
        Mistake(
            "candidate-times-itself",
            old=back("g"),
            new=back("g", "dc * g"),
            says="The candidate's gradient has g as its factor. Of a product, each factor's gradient holds "
            "the *other* one.",
            cost=0.3,
        ),
        Mistake(
            "output-gate-from-the-cell",
            old=back("o"),
            new=back("o", f"dh * {NEW_C}"),
            also=(back("o", "dh * c"), back("o", "dh * np.tanh(c)")),
            says="The output gate's gradient has the wrong factor. What did o multiply going forward: the "
            "cell state itself, and which one?",
            cost=0.3,
        ),
        Mistake(
            "output-gate-from-dc",
            old=back("o"),
            new=back("o", "dc * tanh_c"),
            says="The output gate's gradient starts from dc. The output gate acts on h, so it starts from dh.",
            cost=0.3,
        ),
        Mistake(
            "order-i-f-o-g",
            old=JOIN,
            new=join("ifog"),
            says="The four gradients are stacked i, f, o, g. The parameters' rows are i, f, g, o: "
            "the candidate is the *third* block.",
            cost=0.3,
        ),
        Mistake(
            "gate-order",
            old=JOIN,
            new=join("figo"),
            also=tuple(join(order) for order in orders(GATES, ("ifog", "figo"))),
            says="The four gradients are stacked in a wrong order: the parameters' rows are i, f, g, o.",
            cost=0.3,
        ),
        *(
            Mistake(
                f"{gate}-block-copied",
                old=JOIN,
                new=join("ifgo".replace(gate, others[0])),
                also=tuple(join("ifgo".replace(gate, other)) for other in others[1:]),
                says=f"Where the {NAMES[gate]}'s gradient belongs, another gate's stands a second time.",
                cost=0.3,
            )
            for gate in GATES
            for others in [[other for other in GATES if other != gate]]
        ),
        Mistake(
            "d-state-unpacked-in-reverse",
            old="dh, dc_carried = d_state",
            new="dc_carried, dh = d_state",
            says="d_state is taken apart the wrong way round: it is (dh, dc), as the state is (h, c).",
            cost=0.2,
        ),
        Mistake(
            "d-state-returned-in-reverse",
            old="return dx, (dh_prev, dc_prev), grads",
            new="return dx, (dc_prev, dh_prev), grads",
            says="The state's gradient is returned the wrong way round: it is (dh_prev, dc_prev).",
            cost=0.1,
        ),
        Mistake(
            "dh-added-to-dh-prev",
            old='dh_prev = da @ p["weight_hh"]',
            new='dh_prev = da @ p["weight_hh"] + dh',
            says="dh_prev: dh itself is added. The old h reaches the new one only through the four gates.",
            cost=0.3,
        ),
        Mistake(
            "new-state-in-weight-hh",
            old='"weight_hh": da.T @ h,',
            new='"weight_hh": da.T @ (o * tanh_c),',
            says="The gradient of weight_hh multiplies da with the *new* hidden state. Which one did "
            "weight_hh meet in the forward step?",
            cost=0.3,
        ),
        Mistake(
            "cell-state-in-weight-hh",
            old='"weight_hh": da.T @ h,',
            new='"weight_hh": da.T @ c,',
            says="The gradient of weight_hh multiplies da with the cell state. What did weight_hh meet in "
            "the forward step?",
            cost=0.3,
        ),
        Mistake(
            "weight-ih-gradient-transposed",
            old='"weight_ih": da.T @ x,',
            new='"weight_ih": x.T @ da,',
            says="The gradient of weight_ih is transposed: it must have weight_ih's own shape, (4H, D).",
            cost=0.3,
        ),
        Mistake(
            "weight-hh-gradient-transposed",
            old='"weight_hh": da.T @ h,',
            new='"weight_hh": h.T @ da,',
            says="The gradient of weight_hh is transposed: it must have weight_hh's own shape, (4H, H).",
            cost=0.3,
        ),
        Mistake(
            "weight-ih-transposed-on-the-way-back",
            old='dx = da @ p["weight_ih"]',
            new='dx = da @ p["weight_ih"].T',
            says="dx: da is (B, 4H), weight_ih (4H, D), and dx should be (B, D). Which axes meet?",
            cost=0.3,
        ),
        Mistake(
            "weight-hh-transposed-on-the-way-back",
            old='dh_prev = da @ p["weight_hh"]',
            new='dh_prev = da @ p["weight_hh"].T',
            says="dh_prev: da is (B, 4H), weight_hh (4H, H), and dh_prev should be (B, H). Which axes meet?",
            cost=0.3,
        ),
        *borrowed(
            RNN_CELL_BACKWARD,
            "bias-not-summed",
            "bias-averaged",
            "bias-summed-over-units",
            "divided-by-batch",
        ),
        Mistake(
            "one-block-missing-on-the-way-back",
            old='dh_prev = da @ p["weight_hh"]',
            new="da_others = da.copy()\n"
            "    da_others[:, 2 * h.shape[1] : 3 * h.shape[1]] = 0\n"
            '    dh_prev = da_others @ p["weight_hh"]',
            also=(
                (
                    "da_others = da.copy()\n"
                    "    da_others[:, 0 * h.shape[1] : 1 * h.shape[1]] = 0\n"
                    '    dh_prev = da_others @ p["weight_hh"]'
                ),
                (
                    "da_others = da.copy()\n"
                    "    da_others[:, 1 * h.shape[1] : 2 * h.shape[1]] = 0\n"
                    '    dh_prev = da_others @ p["weight_hh"]'
                ),
                (
                    "da_others = da.copy()\n"
                    "    da_others[:, 3 * h.shape[1] : 4 * h.shape[1]] = 0\n"
                    '    dh_prev = da_others @ p["weight_hh"]'
                ),
            ),
            says="One block of the gates is missing in dh_prev. h entered all four sums, the "
            "candidate's as well as the gates', so all four send a gradient back.",
            cost=0.3,
        ),
        Mistake(
            "one-block-missing-in-dx",
            old='dx = da @ p["weight_ih"]',
            new="da_others = da.copy()\n"
            "    da_others[:, 2 * h.shape[1] : 3 * h.shape[1]] = 0\n"
            '    dx = da_others @ p["weight_ih"]',
            also=(
                (
                    "da_others = da.copy()\n"
                    "    da_others[:, 0 * h.shape[1] : 1 * h.shape[1]] = 0\n"
                    '    dx = da_others @ p["weight_ih"]'
                ),
                (
                    "da_others = da.copy()\n"
                    "    da_others[:, 1 * h.shape[1] : 2 * h.shape[1]] = 0\n"
                    '    dx = da_others @ p["weight_ih"]'
                ),
                (
                    "da_others = da.copy()\n"
                    "    da_others[:, 3 * h.shape[1] : 4 * h.shape[1]] = 0\n"
                    '    dx = da_others @ p["weight_ih"]'
                ),
            ),
            says="One block of the gates is missing in dx. x entered all four sums, so all "
            "four send a gradient back.",
            cost=0.3,
        ),
        Mistake(
            "one-bias",
            old='"bias_hh": da.sum(axis=0),',
            new='"bias_hh": np.zeros(da.shape[1]),',
            says="bias_hh gets no gradient. It was added to the same sums as bias_ih.",
            cost=0.3,
        ),
        Mistake(
            "cell-carry-before-this-step",
            old="dc_prev = dc * f",
            new="dc_prev = (dc - dc_carried) * f",
            says="dc_prev has only what came through h in this step. What was carried to c "
            "goes on through the forget gate too.",
            cost=0.4,
        ),
    ),
)


# set_forget_bias --------------------------------------------------------------------------------------


def draw_set_forget_bias(rng):
    def case(D, H, value, when=""):
        return Case((draw_params(rng, D, H, gates=4), value), {"D": D, "H": H}, when)

    return [
        case(5, 2, 1.0),
        case(2, 6, float(rng.uniform(1.5, 3.0))),
        case(7, 3, -float(rng.uniform(0.5, 1.0))),
        case(4, 1, 1.0, "H = 1"),
    ]


def biases_only(case, p):
    """The two biases; of the weights only whether they are as they came in, since to leave them alone is no feat."""
    kept = "as they were"
    for name in ("weight_ih", "weight_hh"):
        before = case.args[0][name]
        if name not in p:
            kept = f"{name} is gone"
        elif np.shape(p[name]) != before.shape:
            kept = f"{name} has another shape, {np.shape(p[name])}"
        elif not np.allclose(p[name], before):
            kept = f"{name} has changed as well, by up to {np.abs(p[name] - before).max():.3g}"
    return {name: p[name] for name in ("bias_ih", "bias_hh") if name in p} | {"weights": kept}


IH, HH = '    p["bias_ih"][H : 2 * H] = value\n', '    p["bias_hh"][H : 2 * H] = 0\n'


def both(rows, ih="= value", hh="= 0"):
    return f'    p["bias_ih"][{rows}] {ih}\n    p["bias_hh"][{rows}] {hh}\n'


SET_FORGET_BIAS = Exercise(
    reference=set_forget_bias,
    returns=("p",),
    gates=GATES,
    draw=draw_set_forget_bias,
    view=biases_only,
    mistakes=(
        Mistake(
            "weights-cleared-too",
            old='p["bias_ih"][H : 2 * H] = value',
            new='p["weight_ih"][H : 2 * H] = p["weight_hh"][H : 2 * H] = 0\n'
            '    p["bias_ih"][H : 2 * H] = value',
            says="The forget gate's weights are set to 0 as well, so it can no longer look at anything. "
            "Only the two biases change.",
            cost=0.3,
        ),
        Mistake(
            "nothing-set",
            old=IH + HH,
            new="",
            says="The forget gate's biases come back as they were. The slice may lie beyond the end: the rows are stacked "
            "i, f, g, o, H each, so the forget gate's block runs from H to 2H.",
            cost=0.9,
        ),
        Mistake(
            "both-biases",
            old=IH + HH,
            new=both("H : 2 * H", hh="= value"),
            says="The value goes into both biases. The cell adds them up, so the gate starts with twice the value: "
            "put it into one, and 0 into the other.",
            cost=0.3,
        ),
        Mistake(
            "other-bias-left",
            old=IH + HH,
            new=IH,
            says="bias_hh keeps its old numbers in the forget block. The cell adds both biases, so the sum is not "
            "the value that was asked for.",
            cost=0.4,
        ),
        Mistake(
            "only-the-other-bias",
            old=IH + HH,
            new=HH,
            says="bias_ih's forget block keeps its old numbers: that is where the value goes.",
            cost=0.6,
        ),
        Mistake(
            "in-the-other-bias",
            old=IH + HH,
            new=both("H : 2 * H", ih="= 0", hh="= value"),
            says="The value is in bias_hh and the zeros are in bias_ih. The cell would not notice, "
            "but what was asked for is the other way round.",
            cost=0.2,
        ),
        Mistake(
            "halved-over-both",
            old=IH + HH,
            new=both("H : 2 * H", ih="= value / 2", hh="= value / 2"),
            says="Each bias gets half of the value. Their sum is right, but what was asked for is the whole value "
            "in bias_ih and 0 in bias_hh.",
            cost=0.3,
        ),
        Mistake(
            "input-gate-block",
            old=IH + HH,
            new=both(":H"),
            says="This sets the first block, the input gate's. The rows are stacked i, f, g, o: "
            "the forget gate's is the second.",
            cost=0.3,
        ),
        Mistake(
            "candidate-block",
            old=IH + HH,
            new=both("2 * H : 3 * H"),
            says="This sets the third block, the candidate's. The rows are stacked i, f, g, o: "
            "the forget gate's is the second.",
            cost=0.3,
        ),
        Mistake(
            "output-gate-block",
            old=IH + HH,
            new=both("3 * H :"),
            says="This sets the last block, the output gate's. The rows are stacked i, f, g, o: "
            "the forget gate's is the second.",
            cost=0.3,
        ),
        Mistake(
            "block-runs-on",
            old=IH + HH,
            new=both("H:"),
            says="The slice begins at the forget gate and runs on to the end: it sets g and o as well. "
            "A block has H rows.",
            cost=0.3,
        ),
        Mistake(
            "other-bias-cleared",
            old=HH,
            new='    p["bias_hh"][:] = 0\n',
            says="bias_hh is set to 0 for all four gates. Only the forget gate's block is meant.",
            cost=0.2,
        ),
        Mistake(
            "every-gate",
            old=IH + HH,
            new=both(":"),
            says="The biases of all four gates are set. Only the forget gate's block is meant.",
            cost=0.5,
        ),
        Mistake(
            "added-instead-of-set",
            old=IH + HH,
            new=both("H : 2 * H", ih="+= value", hh="= 0"),
            also=(both("H : 2 * H", ih="+= value", hh="+= 0"),),
            says="The value is *added* to what was there. The forget gate should start with exactly this value.",
            cost=0.3,
        ),
        Mistake(
            "block-size-from-the-inputs",
            old='H = p["weight_hh"].shape[1]',
            new='H = p["weight_ih"].shape[1]',
            says="The block size is taken from the inputs, D. A gate's block has H rows, one for each hidden unit.",
            cost=0.3,
        ),
        Mistake(
            "changes-p",
            old="p = {name: array.copy() for name, array in p.items()}",
            new="p = dict(p)",
            says="The numbers are right, but the caller's own p is changed too. A new dict alone does not help: "
            "it still holds the caller's arrays. Copy the arrays as well.",
            cost=0.2,
        ),
    ),
)


# cell_gradient_path -----------------------------------------------------------------------------------


def path_case(rng, B, T, D, H, when=""):
    p, state, caches = draw_params(rng, D, H, gates=4), draw_state(rng, B, H), []
    p["bias_ih"][H : 2 * H] += 0.7  # gates neither shut nor all alike, so that products stay visible
    for x in rng.normal(size=(T, B, D)):
        state, cache = lstm_cell(p, x, state)
        caches.append(cache)
    return Case((caches,), {"B": B, "T": T, "H": H}, when)


def draw_cell_gradient_path(rng):
    return [
        path_case(rng, 3, 5, 4, 2),
        path_case(rng, 4, 6, 2, 3),
        path_case(rng, 3, 1, 4, 2, "T = 1"),
        path_case(rng, 3, 4, 2, 1, "H = 1"),
    ]


FORGET = "cache[4] for cache in caches"
WALK = "    for t in reversed(range(len(caches) - 1)):\n        path[:, t] = f[:, t + 1] * path[:, t + 1]\n"
PATH = "    path = np.ones_like(f)\n" + WALK

CELL_GRADIENT_PATH = Exercise(
    reference=cell_gradient_path,
    returns=("path",),
    draw=draw_cell_gradient_path,
    mistakes=(
        Mistake(
            "own-gate-included",
            old=PATH,
            new="    path = np.cumprod(f[:, ::-1], axis=1)[:, ::-1]\n",
            says="The product includes step t's own forget gate. That gate lies *before* c_t: on the way back from "
            "the end, c_t is reached after the gates of the steps t + 1 to T - 1, and at the last step after none.",
            cost=0.3,
        ),
        Mistake(
            "gates-one-step-early",
            old=WALK,
            new=WALK.replace("f[:, t + 1]", "f[:, t]"),
            says="The gates are one step off: on the way from c_{t+1} to c_t, which step's gate does the "
            "gradient pass?",
            cost=0.3,
        ),
        Mistake(
            "from-the-first-step",
            old=PATH,
            new="    path = np.cumprod(f, axis=1)\n",
            also=(
                "    path = np.ones_like(f)\n    for t in range(1, len(caches)):\n"
                "        path[:, t] = f[:, t] * path[:, t - 1]\n",
                "    path = np.ones_like(f)\n    for t in range(1, len(caches)):\n"
                "        path[:, t] = f[:, t - 1] * path[:, t - 1]\n",
            ),
            says="The product runs from the first step forward. The gradient comes from the *last* step: "
            "the path is longest, and the product has most factors, at t = 0.",
            cost=0.5,
        ),
        Mistake(
            "one-gate-only",
            old=WALK,
            new=WALK.replace(" * path[:, t + 1]", ""),
            says="Each step shows only the next step's gate. The gradient passes *all* the gates between the end "
            "and step t: multiply on.",
            cost=0.5,
        ),
        Mistake(
            "summed",
            old=WALK,
            new=WALK.replace(" * path", " + path"),
            says="The gates are added up. Along the path the gradient is multiplied by one gate after another.",
            cost=0.4,
        ),
        Mistake(
            "starts-at-zero",
            old="np.ones_like(f)",
            new="np.zeros_like(f)",
            says="The product starts from 0 and stays there. An empty product is 1: nothing lies between the last "
            "cell state and itself.",
            cost=0.9,
        ),
        Mistake(
            "whole-product-everywhere",
            old=PATH,
            new="    path = np.repeat(f.prod(axis=1, keepdims=True), len(caches), axis=1)\n",
            says="Every step shows the product of all the gates. Step t sees only those after it, t + 1 to T - 1.",
            cost=0.5,
        ),
        Mistake(
            "input-gate",
            old=FORGET,
            new="cache[3] for cache in caches",
            says="This multiplies the input gates. What the cell state meets on its way is the forget gate, "
            "the cache's item 4 in (x, h, c, i, f, g, o, tanh_c).",
            cost=0.3,
        ),
        Mistake(
            "output-gate",
            old=FORGET,
            new="cache[6] for cache in caches",
            says="This multiplies the output gates. What the cell state meets on its way is the forget gate, "
            "the cache's item 4 in (x, h, c, i, f, g, o, tanh_c).",
            cost=0.3,
        ),
        Mistake(
            "candidate",
            old=FORGET,
            new="cache[5] for cache in caches",
            says="This multiplies the candidates g. What the cell state meets on its way is the forget gate, "
            "the cache's item 4 in (x, h, c, i, f, g, o, tanh_c).",
            cost=0.3,
        ),
        Mistake(
            "cell-state",
            old=FORGET,
            new="cache[2] for cache in caches",
            says="This multiplies the cell states themselves. What they meet on their way is the forget gate, "
            "the cache's item 4 in (x, h, c, i, f, g, o, tanh_c).",
            cost=0.3,
        ),
        Mistake(
            "time-reversed",
            old="return path",
            new="return path[:, ::-1]",
            says="The steps are in reverse order: the path was walked from the end, but path[:, t] belongs to step t.",
            cost=0.15,
        ),
        Mistake(
            "time-axis-first",
            old="return path",
            new="return path.transpose(1, 0, 2)",
            says="The path is time first, (T, B, H). In this course arrays are batch first: (B, T, H).",
            cost=0.15,
        ),
        Mistake(
            "last-step-missing",
            old="return path",
            new="return path[:, :-1]",
            says="The last step is missing. Its path is 1: nothing lies between the last cell state and itself.",
            cost=0.3,
        ),
        Mistake(
            "last-step-wraps-around",
            old="    return path",
            new="    path[:, -1] = path[:, 0] * f[:, 0]\n    return path",
            says="The last step holds the product of all the gates: np.roll brings round what "
            "falls out at the other end. No step follows the last one, so there it is 1.",
            cost=0.3,
        ),
    ),
)

EXERCISES = (LSTM_CELL, LSTM_CELL_BACKWARD, SET_FORGET_BIAS, CELL_GRADIENT_PATH)
