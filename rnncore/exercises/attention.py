"""Lesson 15, Forget nothing, or write it down: causal attention, linear attention both ways, the delta rule."""

import numpy as np

from rnncore.exercises.exercise import Case, Exercise, Mistake, each_row
from rnncore.topics.memory import (
    causal_attention,
    delta_step,
    delta_step_backward,
    linear_attention,
    linear_attention_step,
)

EQUAL = "D = H, so that a turned matrix fits as well"


def sequence_case(rng, B, T, D, H, when=""):
    """Queries and keys (B, T, D) and values (B, T, H)."""
    q, k = rng.normal(size=(2, B, T, D))
    return Case((q, k, rng.normal(size=(B, T, H))), {"B": B, "T": T, "D": D, "H": H}, when)


def draw_state(rng, B, D, H):
    """A state, a query, a key and a value for one step: (B, D, H), (B, D), (B, D), (B, H)."""
    q, k = rng.normal(size=(2, B, D))
    return rng.normal(size=(B, D, H)), q, k, rng.normal(size=(B, H))


# causal_attention -------------------------------------------------------------------------------------


def far_apart(rng, B, T, D, H):
    """Queries whose scores lie thousands apart from step to step, and late keys that beat early ones by far.

    All keys share their first feature, so it moves a whole row of scores; another one grows with the step.
    """
    q, k = rng.normal(size=(2, B, T, D))
    k[..., 0], k[..., 1] = 1.0, np.arange(T)
    q[..., 0] = np.sqrt(D) * (2000.0 * rng.permutation(B * T).reshape(B, T) / (B * T) - 1000)
    q[..., 1] = np.sqrt(D) * rng.choice([40, 800], (B, T)) * np.where(np.arange(T) % 2, -1, 1)
    # One first step, whose own score a mask of -1000 would beat, and the next one's is 800 higher.
    q[0, 0, :2] = np.sqrt(D) * np.array([-1200.0, 800.0])
    return Case((q, k, rng.normal(size=(B, T, H))), {"B": B, "T": T}, "scores lie far apart")


def draw_causal_attention(rng):
    return [
        sequence_case(rng, 3, 5, 4, 2),
        sequence_case(rng, 2, 4, 3, 6),
        sequence_case(rng, 2, 5, 3, 3, EQUAL),
        sequence_case(rng, 3, 1, 4, 2, "T = 1"),
        far_apart(rng, 3, 5, 4, 2),
    ]


SCORES = "scores = q @ k.transpose(0, 2, 1) / np.sqrt(D)"
TRIANGLE = "np.tril(np.ones((T, T), dtype=bool))"
EARLIER = "np.tril(np.ones((T, T), dtype=bool), -1)"
HIDE = "    scores = np.where(past, scores, -np.inf)\n"
SHARES = "    shares = np.exp(scores - scores.max(axis=2, keepdims=True))\n"
WEIGHTS = "    weights = shares / shares.sum(axis=2, keepdims=True)\n"

CAUSAL_ATTENTION = Exercise(
    reference=causal_attention,
    returns=("y", "weights"),
    draw=draw_causal_attention,
    by_row=each_row,
    mistakes=(
        Mistake(
            "future-not-hidden",
            old=HIDE,
            new="",
            says="Every step looks at the whole sequence, later steps included. A step may see itself and what came "
            "before; in training it would read the answer it is to predict.",
            cost=0.6,
        ),
        Mistake(
            "past-hidden",
            old=TRIANGLE,
            new="np.triu(np.ones((T, T), dtype=bool))",
            says="The triangle is the wrong one: each step sees itself and what comes *after*. In the scores (B, T, T) "
            "a row is a query, so the past lies to the left, at or below the diagonal.",
            cost=0.4,
        ),
        Mistake(
            "mask-inverted",
            old=HIDE,
            new="    scores = np.where(past, -np.inf, scores)\n",
            also=(
                "    scores = np.where(past, -1e9, scores)\n",
                "    scores = np.where(past, -1e4, scores)\n",
            ),
            says="The mask works the wrong way round: what is past is shut out and what is to come is looked at.",
            cost=0.4,
        ),
        Mistake(
            "own-step-hidden",
            old=f"past = {TRIANGLE}\n" + HIDE + SHARES + WEIGHTS,
            new=f"past = {EARLIER}\n" + HIDE + SHARES + WEIGHTS,
            also=(
                f"past = {EARLIER}\n" + HIDE.replace("-np.inf", "-1e9") + SHARES + WEIGHTS,
                f"past = {EARLIER}\n"
                + HIDE.replace("-np.inf", "-1e9")
                + SHARES.replace("))\n", ")) * past\n")
                + "    weights = shares / np.maximum(shares.sum(axis=2, keepdims=True), 1e-300)\n",
            ),
            says="A step does not see itself, only what came before it, and the first step has nothing to look at. The "
            "step's own key and value are written first, then it is read: the diagonal belongs to the past.",
            cost=0.3,
        ),
        Mistake(
            "one-step-ahead",
            old=TRIANGLE,
            new="np.tril(np.ones((T, T), dtype=bool), 1)",
            says="Each step sees one step into the future. The last that step t may see is t itself.",
            cost=0.4,
        ),
        Mistake(
            "softmax-over-the-queries",
            old=SHARES + WEIGHTS,
            new=SHARES.replace("axis=2", "axis=1") + WEIGHTS.replace("axis=2", "axis=1"),
            says="The softmax runs over the queries (axis 1). Each *query* shares out its attention among the keys, so "
            "the weights must sum to 1 over the last axis.",
            cost=0.3,
        ),
        Mistake(
            "softmax-over-the-batch",
            old=SHARES + WEIGHTS,
            new=SHARES.replace("axis=2", "axis=0") + WEIGHTS.replace("axis=2", "axis=0"),
            says="The softmax runs over the batch (axis 0), so sequences share out their attention among each other.",
            cost=0.3,
        ),
        Mistake(
            "not-scaled",
            old=SCORES,
            new="scores = q @ k.transpose(0, 2, 1)",
            says="The scores are not scaled. A sum of D products grows with D: divide by the square root of D before "
            "the softmax.",
            cost=0.3,
        ),
        Mistake(
            "divided-by-d",
            old=SCORES,
            new=SCORES.replace("np.sqrt(D)", "D"),
            says="The scores are divided by D; its square root is asked for.",
            cost=0.3,
        ),
        Mistake(
            "scaled-by-the-number-of-steps",
            old=SCORES,
            new=SCORES.replace("(D)", "(T)"),
            says="The scores are scaled by the number of *steps* T. A score is a sum over the D features of a key: its "
            "size goes with the square root of D.",
            cost=0.3,
        ),
        Mistake(
            "scaled-by-the-values",
            old=SCORES,
            new=SCORES.replace("(D)", "(v.shape[2])"),
            says="The scores are scaled by H, the features of a *value*. A score is a sum over the D features of a key: "
            "its size goes with the square root of D.",
            cost=0.3,
        ),
        Mistake(
            "scaled-up",
            old=SCORES,
            new=SCORES.replace("/ np", "* np"),
            says="The scores are multiplied by the square root of D. They should be divided by it.",
            cost=0.3,
        ),
        Mistake(
            "mask-after-the-softmax",
            old=HIDE + SHARES + WEIGHTS,
            new=SHARES + WEIGHTS + "    weights = np.where(past, weights, 0.0)\n",
            says="The mask comes after the softmax: the future's share is thrown away, and what is left sums to less "
            "than 1. Mask the scores before the softmax, and nothing is shared out wrongly.",
            cost=0.4,
        ),
        Mistake(
            "masked-scores-are-zero",
            old="scores, -np.inf)",
            new="scores, 0.0)",
            also=("scores, 1e-9)", "scores, -1e-9)"),
            says="The future's scores are set to (nearly) 0, and e to the 0 is 1: it still gets a share. A score that "
            "shall get nothing is minus infinity.",
            cost=0.4,
        ),
        Mistake(
            "masked-by-one",
            old=HIDE,
            new="    scores = scores + past - 1\n",
            says="The triangle of ones and zeros is *added* to the scores, so the future's lie only 1 "
            "lower and still get a share. A score that shall get nothing is minus infinity.",
            cost=0.4,
        ),
        Mistake(
            "keepdims-missing",
            old=SHARES + WEIGHTS,
            new=(SHARES + WEIGHTS).replace(", keepdims=True", ""),
            says="Without keepdims=True the maximum and the sum over the last axis lose that axis, (B, T), and no longer "
            "stand under their rows of (B, T, T).",
            cost=0.3,
        ),
        Mistake(
            "unstable",
            old=HIDE + SHARES,
            new=HIDE + "    shares = np.exp(scores)\n",
            also=(
                "    shares = np.exp(scores) * past\n",
                "    shares = np.where(past, np.exp(scores), 0.0)\n",
            ),
            says="np.exp overflows for large scores. What may be subtracted from a whole row without "
            "changing its weights, so that no exponential exceeds 1?",
            cost=0.3,
        ),
        Mistake(
            "global-maximum",
            old="scores.max(axis=2, keepdims=True)",
            new="scores.max()",
            also=("scores.max(axis=(1, 2), keepdims=True)",),
            says="The largest score of all is subtracted everywhere. Where a row lies far below it, every "
            "exponential of that row becomes 0: each row is a softmax of its own.",
            cost=0.3,
        ),
        Mistake(
            "maximum-includes-the-future",
            old=HIDE + SHARES,
            new="    shares = np.where(past, np.exp(scores - scores.max(axis=2, keepdims=True)), 0.0)\n",
            says="The future is hidden after the exponential, so the maximum that is subtracted may be the future's. "
            "Where that lies far above the past, nothing is left to share out: hide the scores first.",
            cost=0.2,
        ),
        Mistake(
            "keys-for-values",
            old="weights @ v, weights",
            new="weights @ k, weights",
            says="What comes back is a mean of the keys. Keys are asked, *values* are answered.",
            cost=0.3,
        ),
        Mistake(
            "queries-and-keys-exchanged",
            old="q @ k.transpose(0, 2, 1)",
            new="k @ q.transpose(0, 2, 1)",
            says="Queries and keys have changed places, so a row belongs to a key. Row t of the scores is what query t "
            "makes of each key.",
            cost=0.3,
        ),
        Mistake(
            "no-softmax",
            old=HIDE + SHARES + WEIGHTS,
            new="    weights = np.where(past, scores, 0.0)\n",
            says="The scores themselves serve as weights. Here a softmax makes shares of them first, all positive and "
            "1 in sum. (What happens without it is the next part of the lesson.)",
            cost=0.6,
        ),
        Mistake(
            "shares-not-divided",
            old=WEIGHTS,
            new="    weights = shares\n",
            says="The exponentials are not divided by their sum, so a row of weights does not sum to 1.",
            cost=0.4,
        ),
        Mistake(
            "weights-turned",
            old="return weights @ v, weights",
            new="return weights.transpose(0, 2, 1) @ v, weights",
            says="The weights are turned round before they meet the values, so step t is given what "
            "*others* look for in it. Row t of the weights belongs to the query of step t.",
            cost=0.3,
        ),
        Mistake(
            "weights-not-returned",
            old="return weights @ v, weights",
            new="return weights @ v",
            says="y is right, and the weights are not returned. Both are asked for.",
            cost=0.3,
        ),
        Mistake(
            "masked-not-low-enough",
            old="scores, -np.inf)",
            new="scores, -100.0)",
            also=("scores, -10.0)", "scores, -50.0)", "scores, -1000.0)"),
            says="The future's scores are low, and where scores lie hundreds apart the past's may be lower"
            " still. A score that shall get nothing is minus infinity.",
            cost=0.3,
        ),
        Mistake(
            "keys-turned-wrongly",
            old="q @ k.transpose(0, 2, 1)",
            new="q @ k.T",
            also=("q @ k",),
            says="The keys are turned wrongly: their last two axes change places, and only those, for a "
            "score is a sum over the D features of a query and a key of the same sequence.",
            cost=0.3,
        ),
        Mistake(
            "one-sum-for-all-rows",
            old="shares.sum(axis=2, keepdims=True)",
            new="shares.sum()",
            also=("shares.sum(axis=(1, 2), keepdims=True)",),
            says="All exponentials are divided by one sum, so all queries together share one attention. "
            "Each row of weights sums to 1.",
            cost=0.3,
        ),
    ),
)

# linear_attention_step --------------------------------------------------------------------------------


def draw_linear_attention_step(rng):
    def case(B, D, H, when=""):
        return Case(draw_state(rng, B, D, H), {"B": B, "D": D, "H": H}, when)

    return [case(3, 4, 2), case(2, 3, 5), case(2, 3, 3, EQUAL), case(3, 4, 1, "H = 1")]


WRITE = "S + k[:, :, None] * v[:, None, :]"
READ = "(q[:, None, :] @ S_next)[:, 0]"

READ_BEFORE_WRITE = (
    "The state is asked before the new pair is written, so a query cannot find what arrives in the same step. "
    "Write first, then read the *new* state."
)
OUTER_TURNED = (
    "The outer product is the wrong way round: rows of S belong to the key's D features, columns to the value's H. "
    "Where D and H differ the shapes clash; where they are equal nothing warns you."
)
BATCH_MIXED = (
    "The outer products of the whole batch are added into every state. Each sequence has a state of its own: the "
    "batch axis stays."
)

LINEAR_ATTENTION_STEP = Exercise(
    reference=linear_attention_step,
    returns=("y", "S_next"),
    draw=draw_linear_attention_step,
    by_row=each_row,
    mistakes=(
        Mistake(
            "read-before-write", old=READ, new="(q[:, None, :] @ S)[:, 0]", says=READ_BEFORE_WRITE, cost=0.3
        ),
        Mistake(
            "outer-product-turned",
            old=WRITE,
            new="S + v[:, :, None] * k[:, None, :]",
            says=OUTER_TURNED,
            cost=0.3,
        ),
        Mistake(
            "read-from-the-wrong-side",
            old=READ,
            new="(S_next @ q[:, :, None])[:, :, 0]",
            says="The state is read from the wrong side: the query has D features and meets the D *rows* "
            "of S, which leaves the value's H. Where D and H differ the shapes clash; where they are "
            "equal nothing warns you.",
            cost=0.3,
        ),
        Mistake(
            "state-replaced",
            old=WRITE,
            new="k[:, :, None] * v[:, None, :]",
            says="The new state holds the new pair alone: what was written before is lost. The outer product is *added* "
            "to S.",
            cost=0.6,
        ),
        Mistake(
            "read-with-the-key",
            old=READ,
            new="(k[:, None, :] @ S_next)[:, 0]",
            says="The state is asked with the key. The key says where to write; the query asks.",
            cost=0.4,
        ),
        Mistake(
            "written-with-the-query",
            old=WRITE,
            new="S + q[:, :, None] * v[:, None, :]",
            says="The value is written under the query. It is the *key* under which it should be found.",
            cost=0.4,
        ),
        Mistake(
            "key-and-value-not-joined",
            old=WRITE,
            new="S + v[:, None, :]",
            says="The value is added to every row of the state, whatever the key says. Row d gets the value times the "
            "key's feature d.",
            cost=0.6,
        ),
        Mistake("batch-mixed", old=WRITE, new="S + k.T @ v", says=BATCH_MIXED, cost=0.4),
        Mistake(
            "subtracted",
            old=WRITE,
            new="S - k[:, :, None] * v[:, None, :]",
            says="The outer product is taken away from the state. It is added.",
            cost=0.3,
        ),
        Mistake(
            "averaged",
            old=WRITE,
            new="(S + k[:, :, None] * v[:, None, :]) / 2",
            says="Old state and new pair are averaged, so all that is written fades by half at each step. This state "
            "keeps everything: add, and do not divide.",
            cost=0.3,
        ),
        Mistake(
            "scaled",
            old=READ,
            new=f"{READ} / np.sqrt(q.shape[1])",
            says="The answer is divided by the square root of D. That kept the softmax in range; here there is none.",
            cost=0.3,
        ),
        Mistake(
            "only-the-new-pair-is-read",
            old=READ,
            new="(q * k).sum(axis=1, keepdims=True) * v",
            says="y answers from the newest pair alone. Ask the whole state: what was written earlier counts as well.",
            cost=0.5,
        ),
        Mistake(
            "key-made-length-one",
            old="    S_next = S",
            new="    k = k / np.linalg.norm(k, axis=1, keepdims=True)\n    S_next = S",
            says="The key is made length 1 in here. Whoever calls decides that: take the key as it comes.",
            cost=0.3,
        ),
        Mistake(
            "softmax-of-the-query",
            old=READ,
            new="((np.exp(q) / np.exp(q).sum(axis=1, keepdims=True))[:, None, :] @ S_next)[:, 0]",
            says="The query goes through a softmax. There is none left in here: ask the state with the query as it is.",
            cost=0.4,
        ),
        Mistake(
            "not-summed-over-the-key",
            old=READ,
            new="q[:, :, None] * S_next",
            says="y is still (B, D, H): each row times its feature of the query. The answer is the *sum* of these rows, "
            "(B, H).",
            cost=0.3,
        ),
        Mistake(
            "summed-over-the-values",
            old=READ,
            new="(q[:, :, None] * S_next).sum(axis=2)",
            says="y is summed over the value's features, and (B, D) is left. Sum over the key's: (B, H).",
            cost=0.3,
        ),
        Mistake(
            "changes-s",
            old=f"    S_next = {WRITE}\n",
            new="    S += k[:, :, None] * v[:, None, :]\n    S_next = S\n",
            says="The numbers are right, but += writes into the caller's own S. The new state is a new "
            "array.",
            cost=0.2,
        ),
        Mistake(
            "state-not-returned",
            old="return y, S_next",
            new="return y",
            says="y is right, and the new state is not returned: the next step needs it.",
            cost=0.4,
        ),
        Mistake(
            "batch-flattened",
            old="k[:, :, None] * v[:, None, :]",
            new="np.outer(k, v)",
            says="np.outer makes one long row of a whole batch. Each sequence has an outer product of its "
            "own: the batch axis stays.",
            cost=0.3,
        ),
        Mistake(
            "not-an-outer-product",
            old="k[:, :, None] * v[:, None, :]",
            new="k * v",
            says="Key and value are multiplied element by element, and they need not even have the same "
            "length. Each of the key's D features meets each of the value's H: a table (D, H).",
            cost=0.5,
        ),
        Mistake(
            "queries-ask-every-state",
            old=READ,
            new="q @ S_next",
            says="Every query asks the state of every sequence, (B, B, H). Each sequence's query is one "
            "row that meets its own state: it needs an axis for that.",
            cost=0.3,
        ),
        Mistake(
            "first-sequence-only",
            old=READ,
            new=READ.replace("[:, 0]", "[0]"),
            says="y is the answer of the first *sequence*. The axis to take away is the second one.",
            cost=0.3,
        ),
    ),
)

# linear_attention -------------------------------------------------------------------------------------


def draw_linear_attention(rng):
    return [
        sequence_case(rng, 3, 5, 4, 2),
        sequence_case(rng, 2, 4, 3, 6),
        sequence_case(rng, 2, 5, 3, 3, EQUAL),
        sequence_case(rng, 3, 1, 4, 2, "T = 1"),
    ]


LOWER = "scores = np.tril(q @ k.transpose(0, 2, 1))"
LAST = "S = k.transpose(0, 2, 1) @ v"

LINEAR_ATTENTION = Exercise(
    reference=linear_attention,
    returns=("y", "S"),
    draw=draw_linear_attention,
    by_row=each_row,
    mistakes=(
        Mistake(
            "future-not-hidden",
            old=LOWER,
            new="scores = q @ k.transpose(0, 2, 1)",
            says="Every step reads the *last* state, in which the whole sequence stands, later steps included. The "
            "loop's step t had seen t + 1 pairs and no more.",
            cost=0.5,
        ),
        Mistake(
            "past-hidden",
            old=LOWER,
            new=LOWER.replace("tril", "triu"),
            says="The triangle is the wrong one: each step reads itself and what comes *after* it.",
            cost=0.4,
        ),
        Mistake(
            "own-step-hidden",
            old=LOWER,
            new="scores = np.tril(q @ k.transpose(0, 2, 1), -1)",
            says="A step does not read its own pair. The loop writes first and reads then, so the diagonal counts.",
            cost=0.3,
        ),
        Mistake(
            "one-step-ahead",
            old=LOWER,
            new="scores = np.tril(q @ k.transpose(0, 2, 1), 1)",
            says="Each step reads one step into the future. The last pair in the state at step t is t's own.",
            cost=0.4,
        ),
        Mistake(
            "softmax-left-in",
            old=LOWER,
            new="scores = np.where(np.tri(q.shape[1], dtype=bool), q @ k.transpose(0, 2, 1), -np.inf)\n"
            "    scores = np.exp(scores - scores.max(axis=2, keepdims=True))\n"
            "    scores = scores / scores.sum(axis=2, keepdims=True)",
            also=(
                "scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[2])\n"
                "    scores = np.where(np.tri(q.shape[1], dtype=bool), scores, -np.inf)\n"
                "    scores = np.exp(scores - scores.max(axis=2, keepdims=True))\n"
                "    scores = scores / scores.sum(axis=2, keepdims=True)",
            ),
            says="There is a softmax in y. Linear attention uses the scores as they are: that is what lets a fixed state "
            "give the same numbers.",
            cost=0.5,
        ),
        Mistake(
            "future-minus-infinity",
            old=LOWER,
            new="scores = np.where(np.tri(q.shape[1], dtype=bool), q @ k.transpose(0, 2, 1), -np.inf)",
            says="The future's scores are minus infinity, and no softmax follows that makes 0 of it. Where scores are "
            "used as they are, nothing is 0.",
            cost=0.3,
        ),
        Mistake(
            "scaled",
            old=LOWER,
            new=f"{LOWER} / np.sqrt(q.shape[2])",
            says="The scores are divided by the square root of D. The step-by-step form does not do that, and both must "
            "agree.",
            cost=0.3,
        ),
        Mistake(
            "divided-by-their-sum",
            old=LOWER,
            new=f"{LOWER}\n    scores = scores / scores.sum(axis=2, keepdims=True)",
            says="Each row of scores is divided by its sum. Here scores may be negative and are used as they are.",
            cost=0.3,
        ),
        Mistake(
            "averaged-over-the-past",
            old=LOWER,
            new=f"{LOWER}\n    scores = scores / np.arange(1, q.shape[1] + 1)[:, None]",
            says="Each step takes the mean over its past. The state holds the *sum* of the pairs.",
            cost=0.3,
        ),
        Mistake(
            "queries-and-keys-exchanged",
            old=LOWER,
            new="scores = np.tril(k @ q.transpose(0, 2, 1))",
            says="Queries and keys have changed places: row t is now what key t makes of earlier queries. Row t of the "
            "scores is what query t makes of each key.",
            cost=0.3,
        ),
        Mistake(
            "keys-for-values",
            old="y = scores @ v",
            new="y = scores @ k",
            says="y is made of keys. Keys are asked, *values* are answered.",
            cost=0.3,
        ),
        Mistake(
            "only-its-own-pair",
            old="y = scores @ v",
            new="y = (q * k).sum(axis=2, keepdims=True) * v",
            says="Each step answers from its own pair alone. The pairs before it stand in the state as well.",
            cost=0.5,
        ),
        Mistake(
            "state-turned",
            old=LAST,
            new="S = v.transpose(0, 2, 1) @ k",
            says="The state is turned: it is (B, D, H), its rows belong to the key's D features and its columns to the "
            "value's H.",
            cost=0.2,
        ),
        Mistake(
            "state-of-queries",
            old=LAST,
            new="S = q.transpose(0, 2, 1) @ v",
            says="The state is made of queries and values. What is written are keys and values.",
            cost=0.3,
        ),
        Mistake(
            "state-of-the-last-pair",
            old=LAST,
            new="S = k[:, -1, :, None] * v[:, -1, None, :]",
            says="The state holds the last pair alone. It is the sum over *all* pairs of the sequence.",
            cost=0.4,
        ),
        Mistake(
            "state-without-the-last-pair",
            old=LAST,
            new="S = k[:, :-1].transpose(0, 2, 1) @ v[:, :-1]",
            says="The last pair is missing from the state. After T steps all T pairs are written.",
            cost=0.3,
        ),
        Mistake(
            "state-averaged",
            old=LAST,
            new=f"{LAST} / k.shape[1]",
            says="The state is the mean of the outer products. It is their sum.",
            cost=0.3,
        ),
        Mistake(
            "time-axis-first",
            old="return y, S",
            new="return y.transpose(1, 0, 2), S",
            says="y is time first, (T, B, H). In this course arrays are batch first: (B, T, H).",
            cost=0.15,
        ),
        Mistake(
            "all-states",
            old=LAST,
            new="S = np.cumsum(k[:, :, :, None] * v[:, :, None, :], axis=1)",
            says="These are the states of all T steps, (B, T, D, H), which is what one wished not to keep. The last one "
            "is asked for, (B, D, H).",
            cost=0.2,
        ),
        Mistake(
            "batch-mixed",
            old=LAST,
            new='S = np.einsum("btd,bth->dh", k, v)',
            says=BATCH_MIXED,
            cost=0.3,
        ),
        Mistake(
            "state-not-returned",
            old="return y, S",
            new="return y",
            says="y is right, and the last state is not returned. Whoever goes on step by step needs it.",
            cost=0.4,
        ),
        Mistake(
            "last-answer-for-the-state",
            old=LAST,
            new="S = y[:, -1]",
            says="The last *answer* is returned for the state. The state is the table that answers were "
            "read from, (B, D, H).",
            cost=0.4,
        ),
        Mistake(
            "values-not-met",
            old="y = scores @ v",
            new="y = scores",
            says="y holds the scores, (B, T, T). They say how much of each *value* an answer takes.",
            cost=0.5,
        ),
        Mistake(
            "keys-turned-wrongly",
            old=f"{LOWER}\n    y = scores @ v\n    {LAST}",
            new=f"{LOWER.replace('k.transpose(0, 2, 1)', 'k')}\n    y = scores @ v\n    {LAST}",
            also=(
                f"{LOWER.replace('k.transpose(0, 2, 1)', 'k.T')}\n    y = scores @ v\n    {LAST}",
                f"{LOWER}\n    y = scores @ v\n    S = k.T @ v",
                f"{LOWER}\n    y = scores @ v\n    S = k @ v",
            ),
            says="The keys are turned wrongly. Their last two axes change places, and only those: the "
            "scores are sums over the D features, the state is a sum over time, and each sequence "
            "stays by itself.",
            cost=0.3,
        ),
    ),
)

# delta_step -------------------------------------------------------------------------------------------


def delta_case(rng, B, D, H, when=""):
    return Case((*draw_state(rng, B, D, H), rng.uniform(0.2, 0.9, (B, 1))), {"B": B, "D": D, "H": H}, when)


def draw_delta_step(rng):
    return [
        delta_case(rng, 3, 4, 2),
        delta_case(rng, 2, 3, 5),
        delta_case(rng, 2, 3, 3, EQUAL),
        delta_case(rng, 3, 4, 1, "H = 1"),
    ]


OLD = "(k[:, None, :] @ S)[:, 0]"
ERROR = "error = v - old"
CORRECT = "S + k[:, :, None] * (beta * error)[:, None, :]"
CACHE = "cache = (S, q, k, beta, error, S_next)"

DELTA_STEP = Exercise(
    reference=delta_step,
    returns=("y", "S_next", "cache"),
    layout=("S", "q", "k", "beta", "error", "S_next"),
    draw=draw_delta_step,
    by_row=each_row,
    mistakes=(
        Mistake(
            "nothing-taken-away",
            old=f"{ERROR}\n    S_next = {CORRECT}",
            new=f"error = v\n    S_next = {CORRECT}",
            also=(f"{ERROR}\n    S_next = {CORRECT.replace('beta * error', 'beta * v')}",),
            says="The value is written on top of what S answers already: that is linear attention. The delta rule writes "
            "the *difference*, the value less the old answer.",
            cost=0.6,
        ),
        Mistake(
            "old-answer-added",
            old=ERROR,
            new="error = v + old",
            says="The old answer is added to the value. It is taken away from it, so that nothing is written where the "
            "answer is right already.",
            cost=0.4,
        ),
        Mistake(
            "correction-taken-away",
            old=CORRECT,
            new=CORRECT.replace("S + k", "S - k"),
            says="The correction has the wrong sign, and every step makes the answer worse. Where the old "
            "answer is too small, something must come to it.",
            cost=0.4,
        ),
        Mistake(
            "error-turned",
            old=ERROR,
            new="error = old - v",
            says="The error has the wrong sign. Where the old answer is too small, something must come to "
            "it.",
            cost=0.3,
        ),
        Mistake(
            "error-and-correction-turned",
            old="error = v - old\n    S_next = S + k",
            new="error = old - v\n    S_next = S - k",
            says="The new state is right, since two signs cancel; but the cache should hold the error as "
            "the value *less* the old answer.",
            cost=0.15,
        ),
        Mistake(
            "beta-on-the-value-only",
            old=f"{ERROR}\n    S_next = {CORRECT}",
            new=f"{ERROR}\n    S_next = {CORRECT.replace('beta * error', 'beta * v - old')}",
            also=(f"error = beta * v - old\n    S_next = {CORRECT.replace('beta * error', 'error')}",),
            says="beta stands on the value alone, so the old answer is taken away whole whatever beta "
            "says. It is a share of the whole error.",
            cost=0.3,
        ),
        Mistake(
            "beta-on-the-old-answer-only",
            old=f"{ERROR}\n    S_next = {CORRECT}",
            new=f"{ERROR}\n    S_next = {CORRECT.replace('beta * error', 'v - beta * old')}",
            also=(f"error = v - beta * old\n    S_next = {CORRECT.replace('beta * error', 'error')}",),
            says="beta stands on the old answer alone, so the value is written whole whatever beta says. "
            "It is a share of the whole error.",
            cost=0.3,
        ),
        Mistake(
            "beta-on-the-old-state",
            old=CORRECT,
            new="(1 - beta)[:, :, None] * S + k[:, :, None] * (beta * error)[:, None, :]",
            says="The whole old state is scaled by 1 − beta, what other keys have stored included. The "
            "delta rule touches only what this key finds.",
            cost=0.4,
        ),
        Mistake(
            "moving-average",
            old=CORRECT,
            new="(1 - beta)[:, :, None] * S + k[:, :, None] * (beta * v)[:, None, :]",
            says="Old state and new pair are mixed, so everything stored fades by 1 − beta, whatever its "
            "key. The delta rule corrects only what this key finds.",
            cost=0.6,
        ),
        Mistake(
            "beta-missing",
            old=CORRECT,
            new="S + k[:, :, None] * error[:, None, :]",
            says="beta is not used: the whole error is corrected. Only the share beta of it should be.",
            cost=0.4,
        ),
        Mistake(
            "beta-twice",
            old=CORRECT,
            new=CORRECT.replace("beta *", "beta**2 *"),
            says="beta is multiplied in twice. Once is enough: on the error, on its way into the state.",
            cost=0.3,
        ),
        Mistake(
            "asked-from-the-wrong-side",
            old=OLD,
            new="(S @ k[:, :, None])[:, :, 0]",
            says="The old answer is read from the wrong side, S k: the key has D features and meets the D "
            "*rows* of S, which leaves the value's H. Where D and H differ the shapes clash; where "
            "they are equal nothing warns you.",
            cost=0.3,
        ),
        Mistake(
            "outer-product-turned",
            old=CORRECT,
            new="S + (beta * error)[:, :, None] * k[:, None, :]",
            says=OUTER_TURNED,
            cost=0.3,
        ),
        Mistake(
            "read-before-write", old=READ, new="(q[:, None, :] @ S)[:, 0]", says=READ_BEFORE_WRITE, cost=0.3
        ),
        Mistake(
            "old-answer-to-the-query",
            old=OLD,
            new="(q[:, None, :] @ S)[:, 0]",
            says="The old answer is the one to the *query*. What must be corrected is what S answers to the key, since "
            "the value belongs to it.",
            cost=0.4,
        ),
        Mistake(
            "written-with-the-query",
            old=CORRECT,
            new=CORRECT.replace("k[:", "q[:"),
            says="The correction is written under the query. It belongs where the key points.",
            cost=0.4,
        ),
        Mistake(
            "read-with-the-key",
            old=READ,
            new="(k[:, None, :] @ S_next)[:, 0]",
            says="The state is asked with the key at the end. The query asks.",
            cost=0.3,
        ),
        Mistake(
            "state-replaced",
            old=CORRECT,
            new=CORRECT.removeprefix("S + "),
            says="The new state holds the correction alone: what was written before is lost. The correction is *added* "
            "to S.",
            cost=0.5,
        ),
        Mistake(
            "key-made-length-one",
            old=OLD,
            new="((k := k / np.linalg.norm(k, axis=1, keepdims=True))[:, None, :] @ S)[:, 0]",
            says="The key is made length 1 in here. Whoever calls decides that: take the key as it comes.",
            cost=0.3,
        ),
        Mistake("batch-mixed", old=CORRECT, new="S + k.T @ (beta * error)", says=BATCH_MIXED, cost=0.4),
        Mistake(
            "new-state-for-the-old-in-the-cache",
            old=CACHE,
            new="cache = (S_next, q, k, beta, error, S_next)",
            says="The cache holds the new state where the old one should stand. The way back needs both.",
            cost=0.2,
        ),
        Mistake(
            "scaled-error-in-the-cache",
            old=CACHE,
            new="cache = (S, q, k, beta, beta * error, S_next)",
            says="The cache holds beta times the error. Asked for is the whole error, value less old answer.",
            cost=0.2,
        ),
        Mistake(
            "value-in-the-cache",
            old=CACHE,
            new="cache = (S, q, k, v, beta, error)",
            says="The cache is (S, q, k, v, beta, error). Asked for is (S, q, k, beta, error, S_next): "
            "without the value, and with the new state, which the way back needs.",
            cost=0.15,
        ),
        Mistake(
            "changes-s",
            old=f"    S_next = {CORRECT}\n",
            new="    S += k[:, :, None] * (beta * error)[:, None, :]\n    S_next = S\n",
            says="+= writes into the caller's own S, and the cache's old state is the new one by then. The "
            "new state is a new array.",
            cost=0.3,
        ),
        Mistake(
            "squared-error",
            old=ERROR,
            new="error = 0.5 * (v - old) ** 2",
            also=("error = (v - old) ** 2",),
            says="The error is squared. The square is what the rule makes smaller; its gradient, along "
            "which the step goes, holds the plain difference.",
            cost=0.4,
        ),
        Mistake(
            "sequences-crossed",
            old=f"old = {OLD}\n    {ERROR}\n    S_next = {CORRECT}",
            new=f"old = k @ S\n    {ERROR}\n    S_next = {CORRECT}",
            also=(
                f"old = {OLD}\n    {ERROR}\n    S_next = {CORRECT.replace('beta * error', 'beta[:, :, None] * error')}",
            ),
            says="What is written has become (B, B, H): every sequence has met every other. Where the key "
            "asks the state it is one row of each sequence and needs an axis for that; where beta (B,"
            " 1) meets the error, none is needed.",
            cost=0.3,
        ),
    ),
)

# delta_step_backward ----------------------------------------------------------------------------------


def draw_delta_step_backward(rng):
    def case(B, D, H, when=""):
        forward = delta_case(rng, B, D, H, when)
        _, _, cache = delta_step(*forward.args)
        return Case((rng.normal(size=(B, H)), rng.normal(size=(B, D, H)), cache), forward.sizes, when)

    return [case(3, 4, 2), case(2, 3, 5), case(2, 3, 3, EQUAL), case(3, 4, 1, "H = 1")]


WHOLE = "dS = dS + q[:, :, None] * dy[:, None, :]"
DQ = "(S_next @ dy[:, :, None])[:, :, 0]"
ARRIVED = "arrived = (k[:, None, :] @ dS)[:, 0]"
DBETA = "dbeta = (arrived * error).sum(axis=1, keepdims=True)"
DK_WRITTEN = "(dS @ (beta * error)[:, :, None])[:, :, 0]"
DK_ASKED = "(S @ dv[:, :, None])[:, :, 0]"
DS_PREV = "dS_prev = dS - k[:, :, None] * dv[:, None, :]"

DELTA_STEP_BACKWARD = Exercise(
    reference=delta_step_backward,
    returns=("dS_prev", "dq", "dk", "dv", "dbeta"),
    draw=draw_delta_step_backward,
    by_row=each_row,
    mistakes=(
        Mistake(
            "reading-forgotten",
            old=WHOLE,
            new="dS = dS",
            says="What arrives at y never reaches the state. The answer was read from S_next: the reading "
            "has a share in its gradient, before anything else.",
            cost=0.5,
        ),
        Mistake(
            "no-carry",
            old=WHOLE,
            new="dS = q[:, :, None] * dy[:, None, :]",
            says="The dS that comes from later steps is ignored. The new state has two ways out, to y and to the next "
            "step: their gradients add.",
            cost=0.6,
        ),
        Mistake(
            "only-the-carry-is-asked",
            old=f"{WHOLE}\n    dq = {DQ}\n    {ARRIVED}\n",
            new=f"{ARRIVED}\n    {WHOLE}\n    dq = {DQ}\n",
            says="What arrives at the error is taken from dS before the reading was added to it. Complete dS first; "
            "everything but dq starts from the whole of it.",
            cost=0.4,
        ),
        Mistake(
            "outer-product-turned",
            old=WHOLE,
            new="dS = dS + dy[:, :, None] * q[:, None, :]",
            says="The outer product is the wrong way round: dS has the rows of the key's D features, as S has.",
            cost=0.3,
        ),
        Mistake(
            "dq-from-the-old-state",
            old=DQ,
            new="(S @ dy[:, :, None])[:, :, 0]",
            says="dq uses the old state. The query met the *new* one.",
            cost=0.3,
        ),
        Mistake(
            "dq-from-ds",
            old=DQ,
            new="(dS @ dy[:, :, None])[:, :, 0]",
            says="dq uses dS. A product hands its gradient to each factor times the *other* factor: what "
            "did q meet?",
            cost=0.3,
        ),
        Mistake(
            "dk-of-the-writing-only",
            old=f"{DK_WRITTEN} - {DK_ASKED}",
            new=DK_WRITTEN,
            says="dk counts only one use of the key. It was used twice: to write the error, and before that to ask S for "
            "its old answer.",
            cost=0.3,
        ),
        Mistake(
            "dk-of-the-asking-only",
            old=f"{DK_WRITTEN} - {DK_ASKED}",
            new=f"-{DK_ASKED}",
            says="dk counts only the asking. The key was used twice: it also said where the error is written.",
            cost=0.3,
        ),
        Mistake(
            "dk-added",
            old=f"{DK_WRITTEN} - {DK_ASKED}",
            new=f"{DK_WRITTEN} + {DK_ASKED}",
            says="dk: the part through the old answer has the wrong sign. The old answer was taken *away* "
            "from the value.",
            cost=0.3,
        ),
        Mistake(
            "dk-without-beta",
            old="(beta * error)[:, :, None]",
            new="error[:, :, None]",
            says="dk: in its first use the key met beta times the error; here beta is missing.",
            cost=0.3,
        ),
        Mistake(
            "dk-from-the-new-state",
            old=DK_ASKED,
            new="(S_next @ dv[:, :, None])[:, :, 0]",
            says="dk: the old answer was read from the *old* state, and this multiplies with the new one.",
            cost=0.3,
        ),
        Mistake(
            "dk-asking-without-beta",
            old=DK_ASKED,
            new="(S @ arrived[:, :, None])[:, :, 0]",
            says="dk: on the way through the old answer beta is missing. What reaches the error is beta times what "
            "arrives, as in dv.",
            cost=0.3,
        ),
        Mistake(
            "dv-without-beta",
            old="dv = beta * arrived",
            new="dv = arrived",
            says="beta is missing on the way back through the error: it multiplied the error on the way in.",
            cost=0.4,
        ),
        Mistake(
            "dv-alone-without-beta",
            old="return dS_prev, dq, dk, dv, dbeta",
            new="return dS_prev, dq, dk, arrived, dbeta",
            says="dv: beta is missing. The value went into the state times beta, and its gradient comes back so.",
            cost=0.3,
        ),
        Mistake(
            "dk-from-the-value",
            old="(beta * error)[:, :, None]",
            new="(beta * (error + (k[:, None, :] @ S)[:, 0]))[:, :, None]",
            says="dk: what was written under the key is beta times the *error*, and here it is the value.",
            cost=0.3,
        ),
        Mistake(
            "dbeta-from-the-value",
            old=DBETA,
            new=DBETA.replace("* error", "* (error + (k[:, None, :] @ S)[:, 0])"),
            says="dbeta: beta met the *error*, the value less the old answer, and not the value.",
            cost=0.3,
        ),
        Mistake(
            "dv-with-the-wrong-sign",
            old="dv = beta * arrived",
            new="dv = -beta * arrived",
            says="dv has the wrong sign. The value enters the error with a plus; it is the old answer that"
            " is taken away.",
            cost=0.3,
        ),
        Mistake(
            "ds-handed-on-whole",
            old=DS_PREV,
            new="dS_prev = dS",
            says="dS is handed on unchanged, as in linear attention. Here the old state was also *asked*, "
            "and that way back is missing.",
            cost=0.4,
        ),
        Mistake(
            "ds-added",
            old=DS_PREV,
            new=DS_PREV.replace("dS - k", "dS + k"),
            says="dS_prev: the part through the old answer has the wrong sign. The old answer was taken *away* from the "
            "value.",
            cost=0.3,
        ),
        Mistake(
            "ds-scaled-by-one-less-beta",
            old=DS_PREV,
            new="dS_prev = (1 - beta)[:, :, None] * dS",
            says="dS_prev shrinks everywhere by 1 − beta. Only what the key finds is corrected: what other keys have "
            "stored passes unchanged.",
            cost=0.4,
        ),
        Mistake(
            "ds-through-the-query",
            old=DS_PREV,
            new=DS_PREV.replace("k[:", "q[:"),
            says="dS_prev: the old answer was asked with the key, and this goes back along the query.",
            cost=0.3,
        ),
        Mistake(
            "dbeta-scaled",
            old=DBETA,
            new=DBETA.replace("(arrived *", "(beta * arrived *"),
            says="dbeta holds beta itself. A factor's gradient is the *other* factor times what arrives: "
            "what did beta meet?",
            cost=0.3,
        ),
        Mistake(
            "dbeta-averaged",
            old=DBETA,
            new=DBETA.replace("sum", "mean"),
            says="dbeta is a mean over the H features. One beta served all of them: its gradient is the sum.",
            cost=0.3,
        ),
        Mistake(
            "dbeta-not-summed",
            old=DBETA,
            new="dbeta = arrived * error",
            says="dbeta is (B, H). One beta served all H features of a value: sum over them, and (B, 1) is left.",
            cost=0.3,
        ),
        Mistake(
            "changes-ds",
            old=WHOLE,
            new="dS += q[:, :, None] * dy[:, None, :]",
            says="The numbers are right, but += writes into the caller's own dS. What comes back is a new "
            "array.",
            cost=0.2,
        ),
        Mistake(
            "ds-prev-without-the-reading",
            old=DS_PREV,
            new="dS_prev = dS - q[:, :, None] * dy[:, None, :] - k[:, :, None] * dv[:, None, :]",
            says="dS_prev starts from the dS that came in. What came back through the reading passes on to"
            " the old state as well.",
            cost=0.2,
        ),
        Mistake(
            "ds-prev-without-beta",
            old=DS_PREV,
            new=DS_PREV.replace("* dv[", "* arrived["),
            says="dS_prev: on the way through the old answer beta is missing. What reaches the error is "
            "beta times what arrives, as in dv.",
            cost=0.2,
        ),
        Mistake(
            "dk-of-what-arrives",
            old="(beta * error)[:, :, None]",
            new="dv[:, :, None]",
            says="dk: what was written under the key is beta times the *error* of the forward step, and "
            "here it is what comes back to the value.",
            cost=0.3,
        ),
        Mistake(
            "value-expected-in-the-cache",
            old="S, q, k, beta, error, S_next = cache",
            new="S, q, k, v, beta, error, S_next = cache",
            says="The cache is taken apart into more names than it has items. It is (S, q, k, beta, error,"
            " S_next), without the value.",
            cost=0.2,
        ),
        Mistake(
            "dq-along-the-wrong-axis",
            old=DQ,
            new="dy @ S_next.T",
            also=("dy @ S_next", "(dy[:, None, :] @ S_next)[:, 0]"),
            says="dq: dy meets the wrong axis of the state. Each sequence's dy meets its own state along "
            "the value's H features, so that the key's D are left.",
            cost=0.3,
        ),
    ),
)

EXERCISES = (
    CAUSAL_ATTENTION,
    LINEAR_ATTENTION_STEP,
    LINEAR_ATTENTION,
    DELTA_STEP,
    DELTA_STEP_BACKWARD,
)
