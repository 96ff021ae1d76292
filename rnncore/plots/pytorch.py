"""The pictures of lesson 09: what autograd recorded, a batch packed, and speed against size.

The recorded graph is read from the loss itself, so the picture shows what PyTorch keeps, and the
numbers in it are the gradients that pass each operation. torch is imported where it is used.
"""

from functools import partial

import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.ticker import LogLocator

from rnncore.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    LINE,
    MARKERS,
    ORANGE,
    PALE,
    STROKES,
    WORDS,
    canvas,
    name_the_ends,
)

SIGNS = {"Add": "+", "Mul": "×", "Sub": "−", "Tanh": "tanh"}
STEP = 1.7  # from one operation to the next
MIDDLE = {"ha": "center", "va": "center"}
PLAIN = str.maketrans("", "", "${}_")  # takes the mathematics out of a name


def autograd_graph(loss, **tensors):
    """The graph that autograd recorded on the way to ``loss``, a tensor with one number.

    Each operation is a circle, and above it stands the gradient of the loss with respect to its result.
    ``tensors`` names those that the gradients are for, as in ``autograd_graph(loss, w=w)``, and any results
    on the way, as in ``h1=h1``: over its operation then stands dh1 as well.
    """
    leaves = {name: tensor for name, tensor in tensors.items() if tensor.grad_fn is None}
    results = {tensor.grad_fn: _gradient_of(name) for name, tensor in tensors.items() if name not in leaves}
    depths, edges, gradients, names = _recorded(loss, leaves)
    last = max(depths.values())
    place = {node: STEP * (last - depth) for node, depth in depths.items()}
    nodes = sorted(depths, key=place.get)
    alt = "A row of operations, dashed arrows from each back to what it was computed from; over each the "
    says = {node: f"{results[node]} = ".translate(PLAIN) if node in results else "" for node in nodes}
    alt += "gradient: " + ", ".join(f"{names[node]} {says[node]}{gradients[node]:.4f}" for node in nodes)
    with canvas(size=(9, 2.4), alt=alt) as (_, axes):
        axes.set(xlim=(-0.6, STEP * last + 1.0), ylim=(-1.1, 1.35), aspect="equal")
        axes.axis("off")
        for later, earlier in edges:
            far = depths[earlier] - depths[later] > 1  # it passes others, so it is bent
            form = {"arrowstyle": "-|>", "mutation_scale": 14, "shrinkA": 19, "shrinkB": 19}
            form["connectionstyle"] = f"arc3,rad={-0.28 if far else 0}"
            ends = (place[later], 0), (place[earlier], 0)
            axes.add_patch(FancyArrowPatch(*ends, color=ORANGE, lw=1.8, ls="--", **form))
        for node in nodes:
            leaf = names[node] in leaves
            look = {"boxstyle": "circle,pad=0.4", "lw": 2.5 if leaf else 1.5}
            look |= {"fc": "white", "ec": BLUE} if leaf else {"fc": PALE, "ec": INK}
            axes.text(place[node], 0, f"{names[node]:^4}", fontsize=11, bbox=look, **MIDDLE)
            axes.text(place[node], 0.72, f"{gradients[node]:.4f}", color=WORDS[ORANGE], fontsize=11, **MIDDLE)
            if node in results:
                axes.text(place[node], 1.12, results[node], color=WORDS[ORANGE], fontsize=12, **MIDDLE)


def _gradient_of(name):
    """The gradient at a result called h1, in mathematical letters: dh with the index 1."""
    letters = name.rstrip("0123456789")
    return f"$d{letters}_{{{name[len(letters) :]}}}$"


def _recorded(loss, leaves):
    """What autograd recorded: {node: depth}, edges, and each node's gradient and name."""
    import torch

    nodes, edges, gradients, names, hooks = [loss.grad_fn], [], {}, {}, []
    for node in nodes:  # grows while we walk
        for earlier, _ in node.next_functions:
            if earlier is not None:
                edges.append((node, earlier))
                if earlier not in nodes:
                    nodes.append(earlier)
    for node in nodes:
        leaf = next((name for name in leaves if leaves[name] is getattr(node, "variable", None)), None)
        operation = node.name().removesuffix("Backward0")
        names[node] = leaf or SIGNS.get(operation, operation.lower())
        if leaf is None:
            keep = partial(gradients.__setitem__, node)
            hooks.append(node.register_prehook(lambda arriving, keep=keep: keep(float(arriving[0]))))
    at_leaves = torch.autograd.grad(loss, list(leaves.values()), retain_graph=True)
    for hook in hooks:
        hook.remove()
    for node in nodes:
        if names[node] in leaves:
            gradients[node] = float(at_leaves[list(leaves).index(names[node])])
    depths = dict.fromkeys(nodes, 0)
    for _ in nodes:  # the longest way from the loss
        for node, earlier in edges:
            depths[earlier] = max(depths[earlier], depths[node] + 1)
    return depths, edges, gradients, names


def packed_batch(rows, lengths):
    """A padded batch, and below it the same batch packed, step by step: rows, B lists of T letters or ids.

    A packed batch is one row of all real steps: first the step 0 of every sequence, longest sequence
    first, then their steps 1, as far as they have one.
    """
    B, T = len(rows), len(rows[0])
    order = sorted(range(B), key=lambda b: -lengths[b])
    steps = [[(b, rows[b][t]) for b in order if t < lengths[b]] for t in range(T)]
    alt = f"Above, a table of {B} rows and {T} columns, padding hatched. Below, one row of {sum(lengths)} "
    alt += "squares in groups, one group for each time step: "
    alt += "; ".join(" ".join(str(one) for _, one in step) for step in steps)
    with canvas(size=(9, 1.3 + 0.42 * B), alt=alt) as (_, axes):
        for b, row in enumerate(rows):
            axes.text(-0.8, b, f"length {lengths[b]}", ha="right", va="center")
            for t, one in enumerate(row):
                _square(axes, t, b, one if t < lengths[b] else None, b)
        axes.text(-0.8, B + 0.4, "packed", ha="right", va="center")
        at = 0
        for t, step in enumerate(steps):
            for k, (b, one) in enumerate(step):
                _square(axes, at + k, B + 0.4, one, b)
            axes.text(at + (len(step) - 1) / 2, B + 1.2, f"t = {t}", color=GREY, fontsize=10, **MIDDLE)
            at += len(step) + 0.5
        axes.set(xlim=(-3.2, max(at, T) - 0.8), ylim=(B + 1.5, -0.6), aspect="equal")
        axes.axis("off")


def _square(axes, column, row, shown, sequence):
    """One step of a sequence, edged as all its steps are; padding, hatched, where nothing is shown."""
    look = {"fc": PALE, "ec": COLOURS[sequence % 5], "ls": STROKES[sequence % 5]}
    if shown is None:
        look = {"fc": "white", "ec": LINE, "hatch": "////"}
    axes.add_patch(Rectangle((column - 0.43, row - 0.43), 0.86, 0.86, lw=1.8, **look))
    if shown is not None:
        axes.text(column, row, shown, color=INK, fontsize=11, **MIDDLE)


def speed(sizes, times, xlabel="hidden units H"):
    """Milliseconds against size, both logarithmic: sizes (N,) and times {name: (N,)}.

    None in the place of times says that there is nothing here to measure them on.
    """
    measured = {name: np.asarray(one, dtype=float) for name, one in times.items() if one is not None}
    missing = [name for name, one in times.items() if one is None]
    alt = f"Milliseconds against {xlabel}, both logarithmic, one line each for {', '.join(measured)}"
    alt += "".join(f"; no line for {name}" for name in missing)
    with canvas(size=(8, 3.6), alt=alt) as (_, axes):
        for i, one in enumerate(measured.values()):
            look = {"color": COLOURS[i % 5], "ls": STROKES[i % 5], "marker": MARKERS[i % 5]}
            axes.plot(sizes, one, ms=5, clip_on=False, **look)
        axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel="milliseconds", xlim=(sizes[0], sizes[-1]))
        axes.set_xticks(sizes, sizes)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        for row, name in enumerate(missing):
            says = f"{name}: not measured here"
            axes.text(0.02, 0.96 - 0.09 * row, says, color=GREY, va="top", transform=axes.transAxes)
        name_the_ends(axes, sizes[-1], measured)
