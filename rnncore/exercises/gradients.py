"""Lesson 04, Watch gradients vanish and explode: gradient_norms, spectral_radius, clip_grad_norm, orthogonal."""

import numpy as np

from rnncore.exercises.bptt import sequence_case
from rnncore.exercises.exercise import Case, Exercise, Mistake
from rnncore.exercises.rnn_cell import draw_params
from rnncore.observe import Formula, as_numbers
from rnncore.optim import clip_grad_norm
from rnncore.topics.gradients import gradient_norms, orthogonal, spectral_radius


def draw_gradient_norms(rng):
    def early_loss_case(B, T, D, H):
        case = sequence_case(rng, B, T, D, H)
        case.args[1][:, 2:] = 0  # no loss after t = 1: the gradient there is exactly zero
        return case

    return [
        sequence_case(rng, 3, 5, 4, 2),
        sequence_case(rng, 4, 6, 2, 3),
        sequence_case(rng, 3, 4, 5, 2, last_step_only=True),
        early_loss_case(4, 5, 3, 2),
        sequence_case(rng, 3, 1, 4, 2, "T = 1"),
        sequence_case(rng, 3, 4, 2, 1, "H = 1"),
        sequence_case(rng, 1, 4, 3, 2, "B = 1"),
    ]


UPSTREAM = "dh = dy[:, t] + dh_next"
NORM = "norms[t] = np.sqrt(np.sum(dh**2))"
BACK = "_, dh_next, _ = rnn_cell_backward(p, dh, caches[t])"

GRADIENT_NORMS = Exercise(
    reference=gradient_norms,
    returns=("norms",),
    draw=draw_gradient_norms,
    mistakes=(
        Mistake(
            "norm-of-dy",
            old=NORM,
            new="norms[t] = np.sqrt(np.sum(dy[:, t] ** 2))",
            says="These are the norms of dy alone, the loss of each step by itself. A state also "
            "influences all later losses, and what they send back arrives at it too.",
            cost=0.7,
        ),
        Mistake(
            "carried-part-only",
            old=NORM,
            new="norms[t] = np.sqrt(np.sum(dh_next**2))",
            says="These are the norms of what comes back from step t + 1 alone. The step's own loss "
            "reaches the state as well.",
            cost=0.4,
        ),
        Mistake(
            "norm-after-the-cell",
            old=NORM + "\n        " + BACK,
            new=BACK + "\n        norms[t] = np.sqrt(np.sum(dh_next**2))",
            says="The norm is taken after the cell: that is the gradient which step t hands on to t - 1. "
            "Measure it where it arrives, at h_t, before going through the cell.",
            cost=0.3,
        ),
        Mistake(
            "before-the-activation",
            old=NORM,
            new="norms[t] = np.sqrt(np.sum((dh * (1 - caches[t][2] ** 2)) ** 2))",
            says="These are the norms at the sum *before* the tanh. dL/dh_t is the gradient at the state "
            "itself, with no derivative of this step's tanh in it.",
            cost=0.3,
        ),
        Mistake(
            "no-root",
            old=NORM,
            new="norms[t] = np.sum(dh**2)",
            says="This is the sum of the squares; the norm is its square root.",
            cost=0.3,
        ),
        Mistake(
            "root-of-the-mean",
            old=NORM,
            new="norms[t] = np.sqrt(np.mean(dh**2))",
            says="The squares are averaged. The norm is the root of their *sum*.",
            cost=0.3,
        ),
        Mistake(
            "norm-for-each-example",
            old=NORM,
            new="norms[t] = np.mean(np.sqrt(np.sum(dh**2, axis=1)))",
            also=("norms[t] = np.sum(np.sqrt(np.sum(dh**2, axis=1)))",),
            says="A norm is taken for each example and the B norms are then put together. Take one norm over "
            "the whole batch: a single root over all the squares.",
            cost=0.3,
        ),
        Mistake(
            "first-example-only",
            old=NORM,
            new="norms[t] = np.sqrt(np.sum(dh[0] ** 2))",
            says="Only the first example of the batch is measured. The norm is over the whole batch.",
            cost=0.4,
        ),
        Mistake(
            "matrix-two-norm",
            old=NORM,
            new="norms[t] = np.linalg.norm(dh, 2)",
            says="For a matrix, np.linalg.norm(..., 2) is the largest singular value. Leave the 2 out: the norm "
            "asked for is the root of the sum of all squares.",
            cost=0.3,
        ),
        Mistake(
            "sum-of-absolute-values",
            old=NORM,
            new="norms[t] = np.sum(np.abs(dh))",
            says="This is the sum of the absolute values. The norm asked for is the root of the sum of squares.",
            cost=0.3,
        ),
        Mistake(
            "largest-absolute-value",
            old=NORM,
            new="norms[t] = np.max(np.abs(dh))",
            says="This is the largest absolute value. The norm asked for is the root of the sum of all squares.",
            cost=0.3,
        ),
        Mistake(
            "divided-by-batch",
            old=NORM,
            new="norms[t] = np.sqrt(np.sum(dh**2)) / len(dh)",
            says="The norms are divided by B. If there is a mean over the batch, it is in the loss, and dy "
            "holds it already.",
            cost=0.3,
        ),
        Mistake(
            "log-of-zero",
            old="return norms",
            new="return np.log(norms)",
            also=("return np.log10(norms)", "return np.log2(norms)"),
            says="These are logarithms. After the last loss the gradient is exactly 0, and the log of zero is "
            "minus infinity: return the norms themselves and let the plot's axis be logarithmic.",
            cost=0.3,
        ),
        Mistake(
            "through-the-logarithm",
            old=NORM,
            new="norms[t] = np.exp(np.log(np.sum(dh**2)) / 2)",
            says="The root is taken through a logarithm, and where the gradient is exactly 0 that is the log "
            "of zero. np.sqrt has no such trouble.",
            cost=0.1,
        ),
        Mistake(
            "relative-to-the-last",
            old="return norms",
            new="return norms / norms[-1]",
            says="The norms are divided by the last step's. That makes a nice plot, but the norms themselves "
            "are asked for, and the last one may be 0.",
            cost=0.3,
        ),
        Mistake(
            "order-reversed",
            old=NORM,
            new="norms[T - 1 - t] = np.sqrt(np.sum(dh**2))",
            says="The norms stand in the order in which the loop met them, last step first. "
            "norms[t] belongs to step t.",
            cost=0.15,
        ),
        Mistake(
            "forward-in-time",
            old="for t in reversed(range(T)):",
            new="for t in range(T):",
            says="The loop runs forward in time. The gradient flows from the last step to the first.",
            cost=0.5,
        ),
        Mistake(
            "inner-upstream-ignored",
            old=UPSTREAM,
            new="dh = (dy[:, t] if t == T - 1 else 0) + dh_next",
            says="Only the last step's dy enters. Every step may have a loss of its own, and its gradient "
            "enters where the step is.",
            cost=0.4,
        ),
        Mistake(
            "upstream-of-the-step-after",
            old=UPSTREAM,
            new="dh = dy[:, min(t + 1, T - 1)] + dh_next",
            says="Each step gets the dy of the step after it. Once the carry has come through the cell of "
            "step t + 1, at which state does it stand?",
            cost=0.3,
        ),
        Mistake(
            "carry-skips-the-cell",
            old=BACK,
            new="dh_next = dh",
            says="The gradient travels back without passing through the cell, so it can neither vanish nor "
            "explode. Of what comes out of this step's way back, which one stands at the old state?",
            cost=0.5,
        ),
        Mistake(
            "carry-accumulates",
            old=BACK,
            new="dh_next = dh_next + rnn_cell_backward(p, dh, caches[t])[1]",
            says="The carried gradient is added to the one before instead of replacing it: "
            "dh_next is just what this step hands back.",
            cost=0.4,
        ),
        Mistake(
            "no-derivative-of-tanh",
            old=BACK,
            new='dh_next = dh @ p["weight_hh"]',
            says="The Jacobian of a step has two factors, the weights and the slope of tanh, and the slope is "
            "missing: this would be the gradient of a linear network.",
            cost=0.4,
        ),
        Mistake(
            "weight-hh-transposed",
            old=BACK,
            new='dh_next = (dh * (1 - caches[t][2] ** 2)) @ p["weight_hh"].T',
            says="Going back, the gradient meets the other axis of weight_hh than h did going forward. It "
            "is square, so no shape complains.",
            cost=0.3,
        ),
        Mistake(
            "dx-for-the-carry",
            old="_, dh_next, _ = rnn_cell_backward(p, dh, caches[t])",
            new="dh_next, _, _ = rnn_cell_backward(p, dh, caches[t])",
            says="What is carried on to the step before is dx, the first of the cell's "
            "results. The gradient at the old state is the second.",
            cost=0.3,
        ),
    ),
)


def draw_matrix(rng, eigenvalues):
    """A random matrix with these eigenvalues; a complex one stands for itself and its conjugate.

    It is not symmetric, and its singular values are not its eigenvalues' sizes.
    """
    blocks = [
        np.array([[e.real, e.imag], [-e.imag, e.real]]) if e.imag else np.array([[e.real]])
        for e in eigenvalues
    ]
    n = sum(len(block) for block in blocks)
    W, start = np.triu(rng.uniform(0.4, 1.0, (n, n)), 1), 0
    for block in blocks:
        end = start + len(block)
        W[start:end, start:end] = block
        start = end
    Q = orthogonal(rng, n)
    return Q @ W @ Q.T


def draw_spectral_radius(rng):
    def case(eigenvalues, when=""):
        scale = rng.uniform(0.7, 1.3)
        W = draw_matrix(rng, [complex(scale * e) for e in rng.permutation(eigenvalues)])
        return Case((W,), {"H": len(W)}, when)

    # Neither the first nor the last of its eigenvalues, which eigvals gives as they stand, is the largest,
    # with its sign or without, or the smallest.
    triangular = np.triu(rng.uniform(0.4, 0.9, (5, 5)), 1) + np.diag([0.5, 0.7, -1.2, 0.3, 0.6])
    return [
        Case((triangular,), {"H": 5}),
        case([-1.3, 0.8, 0.5, 0.3]),
        case([0.3 + 1.1j, 0.8, -0.6]),
        case([-0.5 + 0.9j, -0.7, 0.6, 0.2]),
        case([0.9, -0.6, 0.4]),
        case([-0.8], "H = 1"),
    ]


SIZES = "sizes = np.abs(eigenvalues)"
LARGEST = "return float(sizes.max())"

SPECTRAL_RADIUS = Exercise(
    reference=spectral_radius,
    returns=("radius",),
    draw=draw_spectral_radius,
    mistakes=(
        Mistake(
            "absolute-value-too-late",
            old="sizes = np.abs(eigenvalues)\n    return float(sizes.max())",
            new="return float(np.abs(np.max(eigenvalues)))",
            says="The largest is picked first and its absolute value taken after that, so a large negative "
            "eigenvalue is passed over. Absolute values first, then the largest.",
            cost=0.3,
        ),
        Mistake(
            "largest-singular-value",
            old=LARGEST,
            new="return float(np.linalg.norm(W, 2))",
            says="This is the largest singular value: how much W can stretch a vector in *one* step. Over many "
            "steps the largest absolute *eigenvalue* decides, which is never larger.",
            cost=0.6,
        ),
        Mistake(
            "eigenvalue-with-sign",
            old=SIZES,
            new="sizes = np.real(eigenvalues)",
            says="This is the largest eigenvalue with its sign. One of -1.5 makes gradients explode as one of "
            "1.5 does: take absolute values first.",
            cost=0.3,
        ),
        Mistake(
            "real-parts-only",
            old=SIZES,
            new="sizes = np.abs(np.real(eigenvalues))",
            says="Only the real parts are looked at. Eigenvalues of a matrix that is not symmetric may be "
            "complex, and their absolute value counts both parts.",
            cost=0.3,
        ),
        Mistake(
            "eigenvalue-itself",
            old=LARGEST,
            new="return eigenvalues[np.argmax(sizes)]",
            says="This is the right eigenvalue, but its absolute value is asked for: "
            "it may be negative or complex.",
            cost=0.3,
        ),
        Mistake(
            "first-eigenvalue",
            old=LARGEST,
            new="return float(sizes[0])",
            also=("return float(sizes[-1])",),
            says="np.linalg.eigvals does not sort: the first or the last eigenvalue is just any of them. "
            "Look for the largest absolute value.",
            cost=0.4,
        ),
        Mistake(
            "all-of-them",
            old=LARGEST,
            new="return sizes",
            says="These are the absolute values of all eigenvalues. One number is asked for, the largest of them.",
            cost=0.3,
        ),
        Mistake(
            "smallest",
            old=LARGEST,
            new="return float(sizes.min())",
            says="This is the smallest absolute value. The largest decides how fast things can grow.",
            cost=0.3,
        ),
        Mistake(
            "mean-of-all",
            old=LARGEST,
            new="return float(sizes.mean())",
            says="This is the mean of the eigenvalues' absolute values. After many steps only the largest matters.",
            cost=0.3,
        ),
        Mistake(
            "sum-of-all",
            old=LARGEST,
            new="return float(sizes.sum())",
            says="This is the sum of the eigenvalues' absolute values. After many steps only the largest matters.",
            cost=0.3,
        ),
        Mistake(
            "squared",
            old=SIZES,
            new="sizes = np.abs(eigenvalues) ** 2",
            says="This is the square of the spectral radius. A complex number's absolute value needs the root.",
            cost=0.3,
        ),
        Mistake(
            "assumes-symmetry",
            old="np.linalg.eigvals(W)",
            new="np.linalg.eigvalsh(W)",
            also=("np.linalg.eigvalsh((W + W.T) / 2)",),
            says="These are the eigenvalues of a symmetric matrix (eigvalsh and eigh read one triangle "
            "only). Recurrent weights are not symmetric.",
            cost=0.4,
        ),
        Mistake(
            "largest-entry",
            old=LARGEST,
            new="return float(np.abs(W).max())",
            says="This is the largest entry of W. The spectral radius is about its eigenvalues.",
            cost=0.7,
        ),
        Mistake(
            "frobenius-norm",
            old=LARGEST,
            new="return float(np.linalg.norm(W))",
            says="This is the root of the sum of all squares of W (the Frobenius norm). "
            "The spectral radius is about its eigenvalues.",
            cost=0.7,
        ),
        Mistake(
            "determinant",
            old=LARGEST,
            new="return float(np.abs(np.linalg.det(W)))",
            says="This is the determinant's size, the *product* of all eigenvalues. The largest one is asked for.",
            cost=0.7,
        ),
        Mistake(
            "geometric-mean",
            old="return float(sizes.max())",
            new="return float(abs(np.linalg.det(W)) ** (1 / len(W)))",
            says="The H-th root of the determinant is a mean of all eigenvalues' sizes (the "
            "geometric one). The largest decides what happens in the long run.",
            cost=0.6,
        ),
        Mistake(
            "sums-of-rows",
            old="return float(sizes.max())",
            new="return float(np.abs(W).sum(axis=1).max())",
            also=("return float(np.abs(W).sum(axis=0).max())",),
            says="This is the largest sum along a row or a column, another norm of the "
            "matrix. It is never below the spectral radius, but it is not it.",
            cost=0.7,
        ),
        Mistake(
            "trace",
            old="return float(sizes.max())",
            new="return float(abs(np.trace(W)))",
            also=("return float(np.trace(W))",),
            says="The trace is the *sum* of the eigenvalues. Asked for is the size of the largest.",
            cost=0.7,
        ),
        Mistake(
            "singular-values",
            old="np.linalg.eigvals(W)",
            new="np.linalg.svd(W)[1] ** 2",
            says="These are squares of singular values. They are eigenvalues of W.T @ W, not of W.",
            cost=0.6,
        ),
    ),
)


def draw_clip_grad_norm(rng):
    # Neither the first nor the last parameter has the largest norm.
    spread = {"weight_ih": 1.0, "weight_hh": 3.0, "bias_ih": 2.0, "bias_hh": 1.5}

    def case(D, H, share, when="", names=tuple(spread), scale=1.0):
        params = draw_params(rng, D, H)
        grads = {name: rng.normal(0, scale * spread[name], params[name].shape) for name in names}
        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads.values()))
        return Case((grads, float(share * norm) if scale else 1.0), {"D": D, "H": H}, when)

    return [
        case(5, 3, rng.uniform(0.005, 0.01)),  # so small that 1e-6 added to the quotient shows
        case(2, 4, rng.uniform(0.5, 0.7)),
        case(4, 3, rng.uniform(2.0, 5.0), "the norm is below max_norm"),
        case(3, 2, 1.0, "all gradients are zero", scale=0.0),
        case(4, 2, 0.3, "there is one parameter", names=("weight_hh",)),
    ]


WHOLE_NORM = "norm = float(np.sqrt(sum(float(np.vdot(grad, grad)) for grad in grads.values())))"
SMALL = "if norm <= max_norm:"
SCALED = "return {name: grad * (max_norm / (norm + 1e-6)) for name, grad in grads.items()}, norm"
UNCHANGED = (
    "if norm <= max_norm:\n        return dict(grads), norm\n    # The small constant is PyTorch's.\n    "
)

CLIP_GRAD_NORM = Exercise(
    reference=clip_grad_norm,
    returns=("grads", "norm"),
    draw=draw_clip_grad_norm,
    mistakes=(
        Mistake(
            "clip-by-value",
            old=SCALED,
            new="return {name: np.clip(grad, -max_norm, max_norm) for name, grad in grads.items()}, norm",
            says="Each number is clipped by itself, which turns the gradient into another direction. "
            "Multiply all gradients by one factor instead, so that only the length changes.",
            cost=0.6,
        ),
        Mistake(
            "norm-per-tensor",
            old=SCALED,
            new="return {\n        name: grad * min(1, max_norm / np.linalg.norm(grad)) for name, grad in grads.items()\n"
            "    }, norm",
            says="Each parameter's gradient is scaled by its own norm. All of them together are one long "
            "vector: one norm over everything, one factor for all.",
            cost=0.5,
        ),
        Mistake(
            "scales-below-the-limit",
            old=UNCHANGED,
            new="",
            also=(UNCHANGED.replace("norm <= max_norm", "norm == 0"),),
            says="Gradients that are shorter than max_norm are stretched to it. Clipping only ever shortens: "
            "leave them as they are.",
            cost=0.4,
        ),
        Mistake(
            "scales-below-the-limit-and-divides-by-zero",
            old=UNCHANGED + SCALED,
            new="return {name: grad * max_norm / norm for name, grad in grads.items()}, norm",
            also=(
                "return {name: grad * (max_norm / np.float64(norm)) for name, grad in grads.items()}, norm",
                "return {name: grad * (max_norm / norm) for name, grad in grads.items()}, norm",
            ),
            says="Gradients that are shorter than max_norm are stretched to it, and a norm of 0 is divided by. "
            "Clipping only ever shortens: below max_norm leave everything as it is.",
            cost=0.5,
        ),
        Mistake(
            "never-scales",
            old=SMALL,
            new="if True:",
            says="The gradients come back unchanged even where their norm exceeds max_norm.",
            cost=0.7,
        ),
        Mistake(
            "condition-reversed",
            old=SMALL,
            new="if norm >= max_norm:",
            says="The condition is the wrong way round: long gradients stay and short ones are stretched.",
            cost=0.4,
        ),
        Mistake(
            "no-root",
            old=WHOLE_NORM,
            new="norm = float(sum(float(np.vdot(grad, grad)) for grad in grads.values()))",
            says="The norm is the square *root* of the sum of squares, and the root is missing.",
            cost=0.3,
        ),
        Mistake(
            "sum-of-norms",
            old=WHOLE_NORM,
            new="norm = float(sum(np.linalg.norm(grad) for grad in grads.values()))",
            says="The parameters' norms are added up. Norms do not add: add up the squares of all numbers and "
            "take one root at the end.",
            cost=0.3,
        ),
        Mistake(
            "largest-norm",
            old=WHOLE_NORM,
            new="norm = float(max(np.linalg.norm(grad) for grad in grads.values()))",
            says="This is the largest of the parameters' norms. Take one norm over all parameters together.",
            cost=0.3,
        ),
        Mistake(
            "largest-element",
            old=WHOLE_NORM,
            new="norm = float(max(np.abs(grad).max() for grad in grads.values()))",
            says="This is the largest absolute value of all. The norm is the root of the sum of all squares.",
            cost=0.3,
        ),
        Mistake(
            "sum-of-absolute-values",
            old=WHOLE_NORM,
            new="norm = float(sum(np.abs(grad).sum() for grad in grads.values()))",
            says="This is the sum of all absolute values. The norm is the root of the sum of all squares.",
            cost=0.3,
        ),
        Mistake(
            "last-parameter-only",
            old=WHOLE_NORM,
            new="norm = float([np.linalg.norm(grad) for grad in grads.values()][-1])",
            says="Only the last parameter's norm is left: inside the loop the sum of squares is overwritten (=) "
            "where it should grow (+=).",
            cost=0.4,
        ),
        Mistake(
            "first-parameter-only",
            old=WHOLE_NORM,
            new="norm = float([np.linalg.norm(grad) for grad in grads.values()][0])",
            says="Only the first parameter is measured: does the function return inside its loop? "
            "The norm is over all parameters.",
            cost=0.4,
        ),
        Mistake(
            "matrix-two-norm",
            old=WHOLE_NORM,
            new="norm = float(np.sqrt(sum(np.linalg.norm(grad, 2) ** 2 for grad in grads.values())))",
            says="For a matrix, np.linalg.norm(..., 2) is the largest singular value. Leave the 2 out: "
            "the root of the sum of all squares is asked for.",
            cost=0.3,
        ),
        Mistake(
            "root-of-the-mean",
            old=WHOLE_NORM,
            new="norm = float(np.sqrt(np.mean(np.concatenate([grad.ravel() for grad in grads.values()]) ** 2)))",
            says="The squares are averaged. The norm is the root of their *sum*.",
            cost=0.3,
        ),
        Mistake(
            "unit-norm",
            old=SCALED,
            new="return {name: grad / norm for name, grad in grads.items()}, norm",
            says="The clipped gradients have norm 1. They should have norm max_norm: it is missing from the factor.",
            cost=0.3,
        ),
        Mistake(
            "factor-upside-down",
            old=SCALED,
            new="return {name: grad * (norm / max_norm) for name, grad in grads.items()}, norm",
            says="The factor is upside down: long gradients become longer still.",
            cost=0.3,
        ),
        Mistake(
            "scaled-twice",
            old=SCALED,
            new="return {name: grad * (max_norm / norm) ** 2 for name, grad in grads.items()}, norm",
            says="The gradients are scaled twice. Once brings the norm to max_norm.",
            cost=0.3,
        ),
        Mistake(
            "norm-after-clipping",
            old=SCALED,
            new="return {name: grad * (max_norm / (norm + 1e-6)) for name, grad in grads.items()}, max_norm",
            says="The norm that is returned is the one after clipping, which is known anyway. "
            "Return the norm that the gradients had: it shows an explosion.",
            cost=0.3,
        ),
        Mistake(
            "returns-the-factor",
            old=SCALED,
            new="return {name: grad * (max_norm / norm) for name, grad in grads.items()}, max_norm / norm",
            says="The factor is returned in place of the norm. Return the norm that the gradients had.",
            cost=0.3,
        ),
        Mistake(
            "changes-the-input",
            old=SCALED,
            new="for grad in grads.values():\n        grad *= max_norm / (norm + 1e-6)\n    return grads, norm",
            also=(
                "for name in grads:\n        grads[name] = grads[name] * (max_norm / (norm + 1e-6))\n"
                "    return grads, norm",
            ),
            says="The caller's gradients are changed: *= works in place. What is returned is a new dict of "
            "new arrays.",
            cost=0.2,
        ),
        Mistake(
            "limit-subtracted",
            old="return {name: grad * (max_norm / (norm + 1e-6)) for name, grad in grads.items()}, norm",
            new="return {name: grad - max_norm for name, grad in grads.items()}, norm",
            says="max_norm is subtracted from every gradient. They are made shorter by a "
            "common *factor*, so that their direction stays.",
            cost=0.4,
        ),
        Mistake(
            "norm-per-tensor-always",
            old=SCALED,
            new="return {name: grad * max_norm / np.linalg.norm(grad) for name, grad in grads.items()}, norm",
            says="Each parameter's gradient is brought to the length max_norm by itself, also "
            "where it was shorter. All of them together are one long vector: one norm "
            "over everything, one factor for all.",
            cost=0.6,
        ),
    ),
)


def draw_orthogonal(rng):
    def case(n, when=""):
        first, *others = (int(seed) for seed in rng.choice(2**31, 3, replace=False))
        args = tuple((Formula(f"np.random.default_rng({seed})"), n) for seed in (first, first, *others))
        return Case(args[0], {"n": n}, when, more=args[1:])

    return [case(5), case(7), case(1, "n = 1")]


def view_orthogonal(case, Q, again, *others):
    """What every right matrix has in common: its columns' products, and how it depends on rng.

    The first two matrices were drawn from generators in the same state, the others from others. Where the
    first isn't orthogonal its own numbers stand for all of that, so that no two wrong answers look alike.
    """
    if Q is None:
        return None
    n = case.args[1]
    first, again, *others = (as_numbers(matrix) for matrix in (Q, again, *others))
    if first is None or first.shape != (n, n):
        return Q, [Q], [Q], [Q]  # within a list, since the number 1 would be taken for True
    product = first.T @ first
    if not np.allclose(product, np.eye(n), atol=1e-4):
        return product, product, product, product

    def same(other):
        return other is not None and other.shape == (n, n) and bool(np.allclose(first, other))

    alone = n == 1  # there are only two such matrices
    return (
        product,
        alone or same(again),
        alone or not all(map(same, others)),
        bool(np.abs(first).min() > 1e-9),
    )


NORMAL = "A = rng.normal(size=(n, n))"
SIGNED = "return Q * np.sign(np.diag(R))"
NOT_MADE = "np.linalg.qr makes one from any matrix."

ORTHOGONAL = Exercise(
    reference=orthogonal,
    returns=(
        "Q.T @ Q",
        "the same orthogonal Q from the same rng",
        "another orthogonal Q from another rng",
        "an orthogonal Q without zeros",
    ),
    draw=draw_orthogonal,
    view=view_orthogonal,
    tolerance=1e-4,
    many_calls=True,
    mistakes=(
        Mistake(
            "not-orthogonal",
            old=SIGNED,
            new="return A",
            also=(
                "return R",
                "return A / np.sqrt(n)",
                "return 0.1 * A",
                "return 0.01 * A",
                "return A / n",
                "return A + A.T",
                "return (A + A.T) / 2",
            ),
            says="This is a matrix of random numbers, and its columns are not at right angles. "
            + NOT_MADE
            + " (Of its two results, take the first.)",
            cost=0.8,
        ),
        Mistake(
            "uniform-numbers",
            old=NORMAL + "\n    Q, R = np.linalg.qr(A)\n    " + SIGNED,
            new="return rng.uniform(-1, 1, size=(n, n))",
            also=("return rng.random((n, n))", "return rng.uniform(-1, 1, size=(n, n)) / np.sqrt(n)"),
            says="This is a matrix of uniform random numbers, and its columns are not at right angles. "
            + NOT_MADE,
            cost=0.8,
        ),
        Mistake(
            "columns-only-normalised",
            old=SIGNED,
            new="return A / np.linalg.norm(A, axis=0)",
            says="Each column has length one, as it should, but the columns are not at right angles to each other. "
            + NOT_MADE,
            cost=0.7,
        ),
        Mistake(
            "rows-only-normalised",
            old=SIGNED,
            new="return A / np.linalg.norm(A, axis=1, keepdims=True)",
            says="Each row has length one, as it should, but the rows are not at right angles to each other. "
            + NOT_MADE,
            cost=0.7,
        ),
        Mistake(
            "only-rescaled",
            old=SIGNED,
            new="return A / np.abs(np.linalg.eigvals(A)).max()",
            also=("return A / np.linalg.norm(A, 2)", "return A / np.linalg.norm(A)"),
            says="A random matrix is divided by one number. That sets its largest stretch, but not the others: "
            "an orthogonal matrix stretches no direction at all.",
            cost=0.8,
        ),
        Mistake(
            "columns-not-normalised",
            old=SIGNED,
            new="return Q * np.diag(R)",
            says="The columns are at right angles, but their lengths are not one.",
            cost=0.4,
        ),
        Mistake(
            "signs-of-all-of-r",
            old=SIGNED,
            new="return Q * np.sign(R)",
            says="The signs are those of all of R, which is zero below its diagonal, so that half of Q becomes zero. "
            "Its diagonal alone holds one sign for each column; returning Q as it is will do, too.",
            cost=0.4,
        ),
        Mistake(
            "both-factors",
            old=SIGNED,
            new="return Q, R",
            also=("return np.linalg.qr(A)",),
            says="Both factors are returned. Only the orthogonal one, Q, is asked for.",
            cost=0.15,
        ),
        Mistake(
            "scaled",
            old=SIGNED,
            new="return 2 * Q",
            also=(
                "return 0.1 * Q",
                "return 0.5 * Q",
                "return np.sqrt(2) * Q",
                "return Q / np.sqrt(n)",
                "return Q * np.sqrt(n)",
                "return Q / n",
            ),
            says="The matrix is orthogonal up to a factor. The factor must be 1: over many steps any other "
            "makes gradients vanish or explode.",
            cost=0.3,
        ),
        Mistake(
            "identity",
            old=SIGNED,
            new="return np.eye(n)",
            says="The identity, or any other fixed matrix, may be orthogonal but is not random. "
            "Start from n × n normal numbers drawn from rng.",
            cost=0.9,
        ),
        Mistake(
            "permutation",
            old=SIGNED,
            new="return np.eye(n)[rng.permutation(n)]",
            also=("return np.diag(rng.choice([-1.0, 1.0], n))",),
            says="This only permutes the units or flips their signs. A random orthogonal matrix turns every unit "
            "into a mix of all: start from n × n normal numbers.",
            cost=0.7,
        ),
        Mistake(
            "not-random",
            old=NORMAL,
            new="A = np.random.default_rng(0).normal(size=(n, n))",
            says="Every rng gives the same matrix. Draw the numbers from the rng that is passed in, "
            "not from a generator with a seed of your own.",
            cost=0.3,
        ),
        Mistake(
            "ignores-rng",
            old=NORMAL,
            new="A = np.random.default_rng().normal(size=(n, n))",
            also=("A = np.random.randn(n, n)",),
            says="The same rng gives another matrix each time, so the numbers come from elsewhere. Draw them "
            "from the rng that is passed in: then a run can be repeated.",
            cost=0.3,
        ),
        Mistake(
            "eigenvectors",
            old="return Q * np.sign(np.diag(R))",
            new="return np.linalg.eig(A)[1]",
            also=("return np.linalg.eig(A)[1].real",),
            says="The eigenvectors of a matrix that is not symmetric are complex and do not "
            "stand at right angles.",
            cost=0.7,
        ),
        Mistake(
            "singular-vectors-and-values",
            old="return Q * np.sign(np.diag(R))",
            new="U, s, V = np.linalg.svd(A)\n    return U * s",
            also=(("U, s, V = np.linalg.svd(A)\n    return U @ np.diag(s)"),),
            says="The singular vectors are still stretched by the singular values. The "
            "vectors alone are orthogonal.",
            cost=0.3,
        ),
    ),
)

EXERCISES = (GRADIENT_NORMS, SPECTRAL_RADIUS, CLIP_GRAD_NORM, ORTHOGONAL)
