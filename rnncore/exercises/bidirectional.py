"""Lesson 07, Read both ways: reverse_padded, bidirectional_forward, bidirectional_backward, final_states."""

import numpy as np

from rnncore.exercises.exercise import Case, Exercise, Mistake, each_row
from rnncore.exercises.rnn_cell import draw_params
from rnncore.topics.bidirectional import (
    bidirectional_backward,
    bidirectional_forward,
    final_states,
    reverse_padded,
)


def draw_reverse_padded(rng):
    def case(lengths, T, D, when=""):
        x = rng.normal(size=(len(lengths), T, D))
        return Case((x, rng.permutation(lengths)), {"B": len(lengths), "T": T, "D": D}, when)

    return [
        case((2, 3, 5), 5, 4),
        case((1, 2, 4, 5), 6, 3),  # here even the longest sequence is padded
        case((2, 1), 3, 1, "D = 1"),
        case((4,), 5, 2, "B = 1"),
    ]


TURN = "turned[b, :length] = x[b, :length][::-1]"
LOOP = "turned = x.copy()\n    for b, length in enumerate(lengths):\n        " + TURN + "\n"

REVERSE_PADDED = Exercise(
    reference=reverse_padded,
    returns=("turned",),
    draw=draw_reverse_padded,
    by_row=each_row,
    mistakes=(
        Mistake(
            "first-step-left-out",
            old="turned[b, :length] = x[b, :length][::-1]",
            new="turned[b, 1:length] = x[b, 1:length][::-1]",
            says="The first step stays where it was, and only the others are turned round. Where must step "
            "0 of a sequence of length 3 go?",
            cost=0.3,
        ),
        Mistake(
            "padding-reversed",
            old=TURN,
            new="turned[b] = x[b, ::-1]",
            says="The padding is reversed too, so it now comes first, and a network would read it before the "
            "sequence. Turn round only the first lengths[b] steps.",
            cost=0.7,
        ),
        Mistake(
            "not-reversed",
            old=TURN,
            new="turned[b, :length] = x[b, :length]",
            says="Nothing is reversed: this is x as it was.",
            cost=0.9,
        ),
        Mistake(
            "features-reversed",
            old=TURN,
            new="turned[b, :length] = x[b, :length, ::-1]",
            says="The features are reversed (the last axis). Reverse time, the axis after the batch.",
            cost=0.3,
        ),
        Mistake(
            "batch-reversed",
            old=LOOP,
            new="turned = x[::-1]\n",
            says="The batch is reversed: x[::-1] turns the first axis round. Time is the second.",
            cost=0.8,
        ),
        Mistake(
            "last-step-left-out",
            old=TURN,
            new="turned[b, : length - 1] = x[b, : length - 1][::-1]",
            says="Each sequence's last step stays where it is: a slice ends *before* its second number.",
            cost=0.3,
        ),
        Mistake(
            "one-step-of-padding-included",
            old=TURN,
            new="turned[b, : length + 1] = x[b, : length + 1][::-1]",
            says="One step of padding is turned round with the sequence: the real steps are those before "
            "lengths[b].",
            cost=0.3,
        ),
        Mistake(
            "one-length-for-all",
            old="in enumerate(lengths):\n        " + TURN,
            new="in enumerate(lengths):\n        length = lengths[0]\n        " + TURN,
            also=tuple(
                f"in enumerate(lengths):\n        length = lengths.{which}()\n        " + TURN
                for which in ("max", "min")
            ),
            says="All sequences are turned round within one and the same length. Each has its own, lengths[b].",
            cost=0.6,
        ),
        Mistake(
            "padding-dropped",
            old="turned = x.copy()",
            new="turned = np.zeros_like(x)",
            says="What stands beyond the lengths is lost: start from a copy of x, so that it stays in place.",
            cost=0.2,
        ),
        Mistake(
            "padding-turned-as-well",
            old=TURN,
            new=TURN + "\n        turned[b, length:] = x[b, length:][::-1]",
            says="The padding is turned round within itself. Leave it in place.",
            cost=0.2,
        ),
        Mistake(
            "changes-the-input",
            old="turned = x.copy()",
            new="turned = x",
            says="The caller's x is turned round as well. Work on a copy.",
            cost=0.2,
        ),
        Mistake(
            "written-over-while-read",
            old="turned[b, :length] = x[b, :length][::-1]",
            new="for t in range(length):\n            turned[b, t] = turned[b, length - 1 - t]",
            says="It reads from the array that it is writing: by the middle, the first half "
            "is gone, and the rest is a copy of it backwards. Read from x.",
            cost=0.3,
        ),
        Mistake(
            "features-turned-too",
            old="turned[b, :length] = x[b, :length][::-1]",
            new="turned[b, :length] = x[b, :length][::-1, ::-1]",
            says="The features are turned round as well as the steps: np.flip without an axis "
            "turns all of them. Turn time alone.",
            cost=0.3,
        ),
    ),
)


def draw_batch(rng, lengths, T, D, H):
    """Parameters for both directions, a padded batch and its lengths, shuffled."""
    B = len(lengths)
    args = (
        draw_params(rng, D, H),
        draw_params(rng, D, H),
        rng.normal(size=(B, T, D)),
        rng.permutation(lengths),
    )
    return args, {"B": B, "T": T, "D": D, "H": H}


def draw_bidirectional_forward(rng):
    def case(lengths, T, D, H, when=""):
        return Case(*draw_batch(rng, lengths, T, D, H), when)

    return [
        case((2, 3, 5), 5, 4, 2),
        case((1, 3, 4, 5), 6, 2, 3),  # here even the longest sequence is padded
        case((4, 4, 4), 4, 5, 2, "nothing is padded"),
        case((1, 1), 1, 4, 3, "T = 1"),
        case((2, 4, 3), 4, 2, 1, "H = 1"),
        case((3,), 5, 4, 2, "B = 1"),
    ]


def view_without_padding(case, value):
    """The returned y, and the caches' items over all steps, zero beyond each sequence's length."""
    x, lengths = case.args[2:]
    padding = np.arange(x.shape[1]) >= lengths[:, None]
    y, (fw_caches, bw_caches, cached_lengths) = value

    def items_over_time(caches):
        items = (np.stack(steps, axis=1) for steps in zip(*caches, strict=True))
        return tuple(np.where(padding[:, :, None], 0, item) for item in items)

    return y, (items_over_time(fw_caches), items_over_time(bw_caches), cached_lengths)


FORWARD = "forward, _, fw_caches = rnn_forward(fw, x, h0)"
BACKWARD = "backward, _, bw_caches = rnn_forward(bw, reverse_padded(x, lengths), h0)"
TURN_BACK = "backward = reverse_padded(backward, lengths)"
JOIN = "y = np.concatenate([forward, backward], axis=2)"
CACHES = "caches = (fw_caches, bw_caches, lengths)\n    return"
BLANK = "    padding = np.arange(T) >= lengths[:, None]\n    y[padding] = 0\n"

BIDIRECTIONAL_FORWARD = Exercise(
    reference=bidirectional_forward,
    returns=("y", "caches"),
    layout=("x", "h", "h_next"),
    uses=("reverse_padded",),
    draw=draw_bidirectional_forward,
    view=view_without_padding,
    mistakes=(
        Mistake(
            "input-not-reversed",
            old=BACKWARD,
            new="backward, _, bw_caches = rnn_forward(bw, x, h0)",
            says="The second direction reads the input from front to back like the first. "
            "Give it the reversed sequences.",
            cost=0.5,
        ),
        Mistake(
            "outputs-not-turned-back",
            old=TURN_BACK + "\n    ",
            new="",
            says="The second direction's outputs are still in its own order, last step first. Turn them back, "
            "so that y[:, t] holds what both directions have to say about step t.",
            cost=0.3,
        ),
        Mistake(
            "padding-reversed",
            old=BACKWARD + "\n    " + TURN_BACK,
            new="backward, _, bw_caches = rnn_forward(bw, x[:, ::-1], h0)\n    backward = backward[:, ::-1]",
            says="The padding is reversed with the sequences, so the second direction reads padding first and "
            "starts each sequence in a spoilt state. Reverse each within its own length.",
            cost=0.4,
        ),
        Mistake(
            "outputs-turned-with-the-padding",
            old=TURN_BACK,
            new="backward = backward[:, ::-1]",
            says="The second direction's outputs are turned back together with the padding, which moves short "
            "sequences to the wrong steps. Turn each back within its own length.",
            cost=0.3,
        ),
        Mistake(
            "halves-swapped",
            old=JOIN,
            new="y = np.concatenate([backward, forward], axis=2)",
            says="The halves of y are swapped: the forward direction comes first.",
            cost=0.15,
        ),
        Mistake(
            "one-result-for-both",
            old=JOIN,
            new="y = np.concatenate([forward, forward], axis=2)",
            says="Both halves of y hold the forward direction's states.",
            cost=0.3,
        ),
        Mistake(
            "backward-result-for-both",
            old=JOIN,
            new="y = np.concatenate([backward, backward], axis=2)",
            says="Both halves of y hold the backward direction's states: is one array written over?",
            cost=0.3,
        ),
        Mistake(
            "one-set-of-weights",
            old=BACKWARD,
            new=BACKWARD.replace("rnn_forward(bw", "rnn_forward(fw"),
            says="The second direction runs with the first one's parameters. It has its own, bw.",
            cost=0.3,
        ),
        Mistake(
            "weights-swapped",
            old=FORWARD + "\n    " + BACKWARD,
            new=FORWARD.replace("(fw,", "(bw,") + "\n    " + BACKWARD.replace("(bw,", "(fw,"),
            says="The parameters are swapped: fw belongs to the direction that reads from the start.",
            cost=0.2,
        ),
        Mistake(
            "added",
            old=JOIN,
            new="y = forward + backward",
            also=("y = (forward + backward) / 2",),
            says="The two directions are added to one array of H features. Keep both, side by side: 2H features.",
            cost=0.4,
        ),
        Mistake(
            "joined-in-time",
            old=JOIN + "\n" + BLANK,
            new=BLANK.replace("y[padding] = 0", "forward[padding] = backward[padding] = 0").lstrip()
            + "    y = np.concatenate([forward, backward], axis=1)\n",
            also=("y = np.concatenate([forward, backward], axis=1)\n" + BLANK,),
            says="The directions are joined one after the other in time, (B, 2T, H). Join them along the "
            "features, the last axis: (B, T, 2H).",
            cost=0.3,
        ),
        Mistake(
            "padding-not-zeroed",
            old=BLANK,
            new="",
            says="Beyond a sequence's length y still holds numbers, which came from padding. "
            "Set them to zero.",
            cost=0.3,
        ),
        Mistake(
            "state-handed-over",
            old=FORWARD + "\n    " + BACKWARD,
            new="forward, h_T, fw_caches = rnn_forward(fw, x, h0)\n    " + BACKWARD.replace("h0)", "h_T)"),
            says="The second direction starts from the first one's last state. "
            "They are independent, and each starts from zeros.",
            cost=0.3,
        ),
        Mistake(
            "caches-swapped",
            old=CACHES,
            new=CACHES.replace("(fw_caches, bw_caches, lengths)", "(bw_caches, fw_caches, lengths)"),
            says="The caches are swapped: the forward direction's come first.",
            cost=0.15,
        ),
        Mistake(
            "cached-for-one-direction",
            old=CACHES,
            new=CACHES.replace("(fw_caches, bw_caches, lengths)", "(fw_caches, fw_caches, lengths)"),
            also=(CACHES.replace("(fw_caches, bw_caches, lengths)", "(bw_caches, bw_caches, lengths)"),),
            says="Both places of the cache hold one direction's caches. The backward pass needs both directions'.",
            cost=0.3,
        ),
        Mistake(
            "padding-mask-one-step-late",
            old="padding = np.arange(T) >= lengths[:, None]",
            new="padding = np.arange(T) > lengths[:, None]",
            says="The first step of the padding keeps its outputs. Steps count from 0, so the "
            "step t = length is padding already.",
            cost=0.3,
        ),
        Mistake(
            "last-real-step-zeroed",
            old="padding = np.arange(T) >= lengths[:, None]",
            new="padding = np.arange(T) >= lengths[:, None] - 1",
            says="The last real step is zeroed too. A sequence's last step is t = length - 1.",
            cost=0.3,
        ),
        Mistake(
            "real-steps-zeroed",
            old="padding = np.arange(T) >= lengths[:, None]",
            new="padding = np.arange(T) < lengths[:, None]",
            says="The mask is turned round: the real steps are zeroed and the padding is kept.",
            cost=0.4,
        ),
        Mistake(
            "starts-from-ones",
            old='h0 = np.zeros((B, len(fw["weight_hh"])), dtype=x.dtype)',
            new='h0 = np.ones((B, len(fw["weight_hh"])), dtype=x.dtype)',
            says="Both directions start from ones. They start from zeros.",
            cost=0.3,
        ),
        Mistake(
            "padding-of-x-zeroed",
            old="    forward, _, fw_caches = rnn_forward(fw, x, h0)\n"
            "    backward, _, bw_caches = rnn_forward(bw, reverse_padded(x, "
            "lengths), h0)\n"
            "    backward = reverse_padded(backward, lengths)\n"
            "    y = np.concatenate([forward, backward], axis=2)\n"
            "    padding = np.arange(T) >= lengths[:, None]\n"
            "    y[padding] = 0\n",
            new="    x = np.where((np.arange(T) >= lengths[:, None])[:, :, None], 0, x)\n"
            "    forward, _, fw_caches = rnn_forward(fw, x, h0)\n"
            "    backward, _, bw_caches = rnn_forward(bw, reverse_padded(x, "
            "lengths), h0)\n"
            "    backward = reverse_padded(backward, lengths)\n"
            "    y = np.concatenate([forward, backward], axis=2)\n",
            says="The padding of x is zeroed, and that of y is not: from zeros a network's "
            "states are no zeros. It is the outputs that are to be zero there.",
            cost=0.3,
        ),
        Mistake(
            "joined-in-time-with-the-padding",
            old=JOIN + "\n" + BLANK,
            new="y = np.concatenate([forward, backward], axis=1)\n",
            says="The directions are joined one after the other in time, (B, 2T, H), and the "
            "padding is not zeroed. Join them along the features, (B, T, 2H), and set "
            "what lies beyond each length to zero.",
            cost=0.5,
        ),
    ),
)


def draw_bidirectional_backward(rng):
    def case(lengths, T, D, H, when="", last_step_only=False):
        (fw, bw, x, lengths), sizes = draw_batch(rng, lengths, T, D, H)
        _, caches = bidirectional_forward(fw, bw, x, lengths)
        dy = rng.normal(size=(len(x), T, 2 * H))
        if last_step_only:
            dy *= (np.arange(T) == lengths[:, None] - 1)[:, :, None]
        return Case((fw, bw, dy, caches), sizes, when)

    return [
        case((2, 3, 5), 5, 4, 2),
        case((1, 3, 4, 5), 6, 2, 3),
        case((2, 4, 3), 4, 5, 2, last_step_only=True),
        case((4, 4, 4), 4, 5, 2, "nothing is padded"),
        case((1, 1), 1, 4, 3, "T = 1"),
        case((2, 4, 3), 4, 2, 1, "H = 1"),
    ]


MASK = "    padding = np.arange(T) >= lengths[:, None]\n    dy = np.where(padding[:, :, None], 0, dy)\n"
HALVES = "dforward, dbackward = dy[:, :, :H], dy[:, :, H:]"
DX_BW = "dx_bw, _, bw_grads = rnn_backward(bw, reverse_padded(dbackward, lengths), bw_caches)"
DX = "dx = dx_fw + reverse_padded(dx_bw, lengths)"
GRADIENTS = "return dx, fw_grads, bw_grads"

BIDIRECTIONAL_BACKWARD = Exercise(
    reference=bidirectional_backward,
    returns=("dx", "fw_grads", "bw_grads"),
    uses=("reverse_padded",),
    draw=draw_bidirectional_backward,
    mistakes=(
        Mistake(
            "dx-of-the-forward-direction-only",
            old=DX,
            new="dx = dx_fw",
            says="dx is that of the forward direction alone. Both directions read x, so both have a share.",
            cost=0.4,
        ),
        Mistake(
            "dx-of-the-backward-direction-only",
            old=DX,
            new="dx = reverse_padded(dx_bw, lengths)",
            says="dx is that of the backward direction alone. Both directions read x, so both have a share.",
            cost=0.4,
        ),
        Mistake(
            "dx-not-turned-back",
            old=DX,
            new="dx = dx_fw + dx_bw",
            says="The backward direction's share of dx is still in its own order, last step first. "
            "It read reversed sequences: turn its dx back before adding.",
            cost=0.3,
        ),
        Mistake(
            "dx-turned-with-the-padding",
            old=DX,
            new="dx = dx_fw + dx_bw[:, ::-1]",
            says="The backward direction's share of dx is turned back together with the padding. "
            "Turn each sequence back within its own length.",
            cost=0.3,
        ),
        Mistake(
            "dx-averaged",
            old=DX,
            new="dx = (dx_fw + reverse_padded(dx_bw, lengths)) / 2",
            says="The directions' shares of dx are averaged. Where one input goes two ways, the gradients add.",
            cost=0.3,
        ),
        Mistake(
            "upstream-not-reversed",
            old=DX_BW,
            new="dx_bw, _, bw_grads = rnn_backward(bw, dbackward, bw_caches)",
            says="The backward direction is given its half of dy in the order of the text, but its caches run "
            "from the last step to the first. Reverse its dy as its outputs were reversed.",
            cost=0.4,
        ),
        Mistake(
            "upstream-reversed-with-the-padding",
            old=DX_BW,
            new="dx_bw, _, bw_grads = rnn_backward(bw, dbackward[:, ::-1], bw_caches)",
            says="The backward direction's half of dy is reversed together with the padding. "
            "Reverse each sequence within its own length.",
            cost=0.3,
        ),
        Mistake(
            "padding-reversed",
            old=DX_BW + "\n    " + DX,
            new="dx_bw, _, bw_grads = rnn_backward(bw, dbackward[:, ::-1], bw_caches)\n    dx = dx_fw + dx_bw[:, ::-1]",
            says="On the way in and on the way out, padding is reversed with the sequences. "
            "Reverse each sequence within its own length.",
            cost=0.4,
        ),
        Mistake(
            "padded-gradient-not-zero",
            old=MASK,
            new="",
            says="dy beyond a sequence's length flows into the gradients. Those outputs were set to zero and "
            "depend on nothing: set their dy to zero first.",
            cost=0.3,
        ),
        Mistake(
            "halves-swapped",
            old=HALVES,
            new="dbackward, dforward = dy[:, :, :H], dy[:, :, H:]",
            says="The halves of dy are swapped: the forward direction's comes first.",
            cost=0.2,
        ),
        Mistake(
            "one-half-for-both",
            old=HALVES,
            new="dforward, dbackward = dy[:, :, :H], dy[:, :, :H]",
            also=("dforward, dbackward = dy[:, :, H:], dy[:, :, H:]",),
            says="Both directions are given the same half of dy. "
            "Each has its own: the first H features are forward's.",
            cost=0.3,
        ),
        Mistake(
            "caches-swapped",
            old="fw_caches, bw_caches, lengths = caches",
            new="bw_caches, fw_caches, lengths = caches",
            says="The caches are swapped: the forward direction's come first.",
            cost=0.2,
        ),
        Mistake(
            "one-set-of-weights",
            old=DX_BW,
            new=DX_BW.replace("rnn_backward(bw", "rnn_backward(fw"),
            says="The backward direction goes back through the forward direction's weights. It has its own, bw.",
            cost=0.3,
        ),
        Mistake(
            "gradients-swapped",
            old=GRADIENTS,
            new="return dx, bw_grads, fw_grads",
            says="The two dicts of gradients are swapped: the forward direction's comes first.",
            cost=0.1,
        ),
        Mistake(
            "gradients-added",
            old=GRADIENTS,
            new="both = {name: fw_grads[name] + bw_grads[name] for name in fw_grads}\n    return dx, both, both",
            says="The parameters' gradients of both directions are added up. The directions share no parameters, "
            "so each keeps its own gradients.",
            cost=0.4,
        ),
        Mistake(
            "forward-gradients-for-both",
            old=GRADIENTS,
            new="return dx, fw_grads, fw_grads",
            says="The forward direction's gradients are returned for both: is one dict written over or shared?",
            cost=0.3,
        ),
        Mistake(
            "padding-mask-one-step-late",
            old="padding = np.arange(T) >= lengths[:, None]",
            new="padding = np.arange(T) > lengths[:, None]",
            says="The gradient at the first step of the padding is kept. Steps count from 0, "
            "so the step t = length is padding already.",
            cost=0.3,
        ),
        Mistake(
            "last-real-step-zeroed",
            old="padding = np.arange(T) >= lengths[:, None]",
            new="padding = np.arange(T) >= lengths[:, None] - 1",
            says="The gradient at the last real step is dropped too. A sequence's last step "
            "is t = length - 1.",
            cost=0.3,
        ),
    ),
)


def draw_final_states(rng):
    def case(lengths, T, H, when=""):
        lengths = rng.permutation(lengths)
        y = rng.uniform(-1, 1, (len(lengths), T, 2 * H))
        y[np.arange(T) >= lengths[:, None]] = 0
        return Case((y, lengths), {"B": len(lengths), "T": T, "H": H}, when)

    return [
        case((2, 3, 5), 5, 4),
        case((2, 3, 4, 5), 6, 3),  # here even the longest sequence is padded
        case((4, 2, 3), 4, 1, "H = 1"),
        case((3,), 4, 2, "B = 1"),
        case((1, 1), 1, 3, "T = 1"),
    ]


AT_END = "forward = y[np.arange(B), lengths - 1, :H]"
AT_START = "backward = y[:, 0, H:]"
BOTH = "return np.concatenate([forward, backward], axis=1)"

FINAL_STATES = Exercise(
    reference=final_states,
    returns=("states",),
    draw=draw_final_states,
    by_row=each_row,
    mistakes=(
        Mistake(
            "forward-at-the-padded-end",
            old=AT_END,
            new="forward = y[:, -1, :H]",
            says="The forward direction's state is taken at t = T - 1, which is padding for shorter sequences. "
            "Take it at each sequence's own last step.",
            cost=0.7,
        ),
        Mistake(
            "forward-at-one-length-for-all",
            old=AT_END,
            new="forward = y[:, lengths.max() - 1, :H]",
            also=("forward = y[:, lengths[0] - 1, :H]", "forward = y[:, lengths.min() - 1, :H]"),
            says="The forward direction's state is taken at the same step for all sequences. "
            "Each has its own length.",
            cost=0.6,
        ),
        Mistake(
            "forward-one-past-the-end",
            old=AT_END,
            new="forward = y[np.arange(B), lengths, :H]",
            says="Steps count from 0: the last step of a sequence of length n is n - 1.",
            cost=0.3,
        ),
        Mistake(
            "forward-one-before-the-end",
            old=AT_END,
            new="forward = y[np.arange(B), lengths - 2, :H]",
            says="The forward direction's state is taken one step before the end.",
            cost=0.3,
        ),
        Mistake(
            "forward-at-the-start",
            old=AT_END,
            new="forward = y[:, 0, :H]",
            says="The forward direction's state is taken at t = 0, where it has read one step only. "
            "It ends at the sequence's last step.",
            cost=0.5,
        ),
        Mistake(
            "backward-at-the-padded-end",
            old=AT_START,
            new="backward = y[:, -1, H:]",
            says="The backward direction's state is taken at t = T - 1. It reads from the end to the start, so "
            "it has read everything at t = 0.",
            cost=0.5,
        ),
        Mistake(
            "backward-at-the-true-end",
            old=AT_START,
            new="backward = y[np.arange(B), lengths - 1, H:]",
            says="The backward direction's state is taken at the sequence's last step, where it has *begun*. "
            "It has read everything at t = 0.",
            cost=0.5,
        ),
        Mistake(
            "halves-swapped",
            old=BOTH,
            new="return np.concatenate([backward, forward], axis=1)",
            says="The halves are swapped: the forward direction's state comes first.",
            cost=0.15,
        ),
        Mistake(
            "added",
            old=BOTH,
            new="return forward + backward",
            also=("return (forward + backward) / 2",),
            says="The two states are added to H numbers. Keep both, side by side: (B, 2H).",
            cost=0.4,
        ),
        Mistake(
            "torch-layout",
            old=BOTH,
            new="return np.stack([forward, backward])",
            says="The states are stacked along a new first axis, as PyTorch's h_n is. "
            "Here they stand side by side: (B, 2H).",
            cost=0.15,
        ),
        Mistake(
            "forward-only",
            old=BOTH,
            new="return forward",
            says="Only the forward direction's state is returned. Add the backward direction's: (B, 2H).",
            cost=0.5,
        ),
        Mistake(
            "averaged-over-time",
            old=BOTH,
            new="return y.sum(axis=1) / lengths[:, None]",
            also=("return y.mean(axis=1)",),
            says="This is the mean of the states over time. The *final* ones are asked for.",
            cost=0.7,
        ),
        Mistake(
            "every-row-with-every-length",
            old="forward = y[np.arange(B), lengths - 1, :H]",
            new="forward = y[:, lengths - 1, :H]",
            says="A slice `:` beside lengths means all rows for each length, which gives (B, "
            "B, H). Each row goes with its own length.",
            cost=0.4,
        ),
        Mistake(
            "backward-one-step-late",
            old="backward = y[:, 0, H:]",
            new="backward = y[:, 1, H:]",
            says="The backward direction ends at t = 0, one step further.",
            cost=0.3,
        ),
    ),
)

EXERCISES = (REVERSE_PADDED, BIDIRECTIONAL_FORWARD, BIDIRECTIONAL_BACKWARD, FINAL_STATES)
