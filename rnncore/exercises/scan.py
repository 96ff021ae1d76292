"""Lesson 14, Run it in parallel: two steps joined into one, the scan, its gradient, and the minGRU on it.

A loop over time gives the right numbers too, and misses what the scan is for. So the scan is put to use
on arrays that count the operations made with them: over a long sequence, a few for each round are right,
and one for each step is a mistake with a name.
"""

import numpy as np

from rnncore.exercises.exercise import Case, Exercise, Mistake
from rnncore.topics.scan import combine, min_gru, scan, scan_backward

# combine ----------------------------------------------------------------------------------------------


def draw_combine(rng):
    def case(*shape, when=""):
        steps = tuple((rng.normal(size=shape), rng.normal(size=shape)) for _ in range(2))
        return Case(steps, dict(zip(("B", "T", "H"), shape, strict=False)), when)

    return [case(3, 5, 2), case(4, 2, 6), case(3, 1, 2, when="T = 1")]


JOINED = "return a_2 * a_1, a_2 * b_1 + b_2"

COMBINE = Exercise(
    reference=combine,
    returns=("a", "b"),
    draw=draw_combine,
    mistakes=(
        Mistake(
            "joined-in-the-wrong-order",
            old=JOINED,
            new="return a_2 * a_1, a_1 * b_2 + b_1",
            says="This is second, then first. What the first step adds goes through the second step; what "
            "the second adds goes through neither.",
            cost=0.4,
        ),
        Mistake(
            "factor-on-both",
            old=JOINED,
            new="return a_2 * a_1, a_2 * (b_1 + b_2)",
            also=("return a_2 * a_1, a_1 * (b_1 + b_2)",),
            says="Both b are multiplied. The second step multiplies the state that it finds and then adds its own b, "
            "which nothing multiplies any more.",
            cost=0.3,
        ),
        Mistake(
            "factor-on-neither",
            old=JOINED,
            new="return a_2 * a_1, b_1 + b_2",
            says="The two b are only added. b of the first step is part of the state that the second step multiplies.",
            cost=0.5,
        ),
        Mistake(
            "first-factor-on-first-b",
            old=JOINED,
            new="return a_2 * a_1, a_1 * b_1 + b_2",
            says="b of the first step is multiplied by its own step's a. Its own step adds it after multiplying; "
            "the step that comes later multiplies it.",
            cost=0.3,
        ),
        Mistake(
            "own-factor-on-each-b",
            old=JOINED,
            new="return a_2 * a_1, a_1 * b_1 + a_2 * b_2",
            says="Each b is multiplied by its own step's a. A step adds its b after multiplying, so its "
            "own a never meets it; only a later step's does.",
            cost=0.3,
        ),
        Mistake(
            "both-factors-on-first-b",
            old=JOINED,
            new="return a_2 * a_1, a_2 * a_1 * b_1 + b_2",
            says="b of the first step is multiplied by both a. It came in after the first multiplication, so only the "
            "second is still to come.",
            cost=0.3,
        ),
        Mistake(
            "factors-added",
            old=JOINED,
            new="return a_2 + a_1, a_2 * b_1 + b_2",
            says="The two a are added. The old state is multiplied by one and then by the other.",
            cost=0.4,
        ),
        Mistake(
            "factor-of-one-step",
            old=JOINED,
            new="return a_2, a_2 * b_1 + b_2",
            also=("return a_1, a_2 * b_1 + b_2",),
            says="a is that of one step alone. The old state goes through both steps.",
            cost=0.4,
        ),
        Mistake(
            "second-b-missing",
            old=JOINED,
            new="return a_2 * a_1, a_2 * b_1",
            says="What the second step adds is missing from b.",
            cost=0.4,
        ),
        Mistake(
            "first-b-missing",
            old=JOINED,
            new="return a_2 * a_1, b_2",
            says="What the first step added is missing from b: it is in the state that the second step finds.",
            cost=0.5,
        ),
        Mistake(
            "b-multiplied",
            old=JOINED,
            new="return a_2 * a_1, a_2 * b_1 * b_2",
            also=("return a_2 * a_1, b_1 * b_2",),
            says="The two b are multiplied with each other. A step adds its b to what is there.",
            cost=0.4,
        ),
        Mistake(
            "starts-from-b",
            old=JOINED,
            new="return a_2 * a_1, a_1 + a_2 * b_1 + b_2",
            also=("return a_2 * a_1, a_2 + a_2 * b_1 + b_2", "return a_2 * a_1, a_2 * a_1 + a_2 * b_1 + b_2"),
            says="An a is added into b. Start from a state h, apply the first step and then the second: "
            "what stands beside h is the new a, and what stands alone is the new b.",
            cost=0.3,
        ),
        Mistake(
            "matrix-products",
            old=JOINED,
            new="return a_2 @ a_1, a_2 @ b_1 + b_2",
            also=("return a_2 * a_1, a_2 @ b_1 + b_2",),
            says="There is a matrix product in it. Every number of a state has a step of its own, so all "
            "products here are element by element.",
            cost=0.4,
        ),
        Mistake(
            "unpacked-crosswise",
            old="a_1, b_1 = first\n    a_2, b_2 = second",
            new="a_1, a_2 = first\n    b_1, b_2 = second",
            says="The pairs are taken apart crosswise: a step is a pair (a, b), so first holds the first "
            "step's a and b, and not the two a.",
            cost=0.3,
        ),
        Mistake(
            "only-b-returned",
            old=JOINED,
            new="return a_2 * b_1 + b_2",
            says="Only b is returned. A joined step can be joined again, so it is a pair as well: its a is missing.",
            cost=0.4,
        ),
        Mistake(
            "joined-end-to-end",
            old=JOINED,
            new="return np.concatenate([a_2 * a_1, a_2 * b_1 + b_2])",
            says="a and b are put into one array, one behind the other. A pair of two arrays is asked for.",
            cost=0.15,
        ),
    ),
)


# scan -------------------------------------------------------------------------------------------------


def use_scan(scan, a, b, h0):
    """The states, and whether they took a few rounds or an operation for every step."""

    count = [0]

    class Counted(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
            count[0] += 1
            if out is not None:
                options["out"] = plain(out)
            result = getattr(ufunc, method)(*plain(inputs), **options)
            if out is not None:
                return out[0] if len(out) == 1 else out
            return result.view(Counted) if isinstance(result, np.ndarray) else result

    def plain(value):
        if isinstance(value, tuple | list):
            return type(value)(map(plain, value))
        return value.view(np.ndarray) if isinstance(value, Counted) else value

    h = plain(scan(*(one.view(Counted) for one in (a, b, h0))))
    T = a.shape[1]
    return h, "step by step" if T > 64 and count[0] >= T else "in rounds"


def scan_case(rng, B, T, H, when="", zeros=False):
    a, b, h0 = rng.uniform(-1, 1, (B, T, H)), rng.normal(size=(B, T, H)), rng.normal(size=(B, H))
    if zeros:
        a[:, 1::3] = 0
    return Case((a, b, h0), {"B": B, "T": T, "H": H}, when)


def draw_scan(rng):
    # No power of two, one, and a long one on which the operations are counted.
    return [
        scan_case(rng, 3, 7, 2),
        scan_case(rng, 5, 8, 3),
        scan_case(rng, 2, 150, 3),
        scan_case(rng, 3, 1, 2, "T = 1"),
        scan_case(rng, 3, 11, 2, "some factors are 0", zeros=True),
    ]


COPIES = "a, b = a.copy(), b.copy()"
START = "b[:, 0] += a[:, 0] * h0"
WHILE = "while shift < a.shape[1]:"
EARLIER = "a_1, b_1 = a[:, :-shift], b[:, :-shift]"
LATER = "a_2, b_2 = a[:, shift:], b[:, shift:]"
JOIN = "a[:, shift:], b[:, shift:] = a_2 * a_1, a_2 * b_1 + b_2  # combine, for every step at once"
DOUBLE = "shift *= 2"
ROUNDS = f"""shift = 1
    {WHILE}
        {EARLIER}
        {LATER}
        {JOIN}
        {DOUBLE}
    return b"""

ONE_PLACE_AFTER_THE_OTHER = """for t in range(shift, a.shape[1]):
            b[:, t] += a[:, t] * b[:, t - shift]
            a[:, t] *= a[:, t - shift]"""
ALONG_THE_BATCH = """shift = 1
    while shift < len(a):
        a[shift:], b[shift:] = a[shift:] * a[:-shift], a[shift:] * b[:-shift] + b[shift:]
        shift *= 2
    return b"""

SCAN = Exercise(
    reference=scan,
    returns=("h", "how"),
    uses=("combine",),
    draw=draw_scan,
    use=use_scan,
    mistakes=(
        Mistake(
            "step-by-step",
            old=ROUNDS,
            new="for t in range(1, a.shape[1]):\n        b[:, t] += a[:, t] * b[:, t - 1]\n    return b",
            says="Every step waits for the one before: this is the loop over time that the scan is to replace. Join all "
            "steps with a neighbour at once, in as many rounds as T has doublings.",
            cost=0.6,
        ),
        Mistake(
            "h0-forgotten",
            old=START,
            new="pass",
            says="h0 is not used. The first step starts from it.",
            cost=0.3,
        ),
        Mistake(
            "h0-without-its-factor",
            old=START,
            new="b[:, 0] += h0",
            says="h0 is added as it is. The first step multiplies it by its a like any old state.",
            cost=0.3,
        ),
        Mistake(
            "h0-added-to-every-state",
            old=f"{START}\n    {ROUNDS}",
            new=ROUNDS.replace("return b", "return b + h0[:, np.newaxis]"),
            says="h0 is added to every state as it is. Each step multiplies it once more: where can it "
            "come in, so that the rounds carry it on?",
            cost=0.4,
        ),
        Mistake(
            "shift-always-one",
            old=f"{EARLIER}\n        {LATER}\n        {JOIN}",
            new="a[:, 1:], b[:, 1:] = a[:, 1:] * a[:, :-1], a[:, 1:] * b[:, :-1] + b[:, 1:]",
            says="In every round the neighbour one step back is read. After the first round it already "
            "holds two steps, one of them yours: how far back stands the nearest one that holds none "
            "of yours?",
            cost=0.4,
        ),
        Mistake(
            "shift-grows-by-one",
            old=DOUBLE,
            new="shift += 1",
            says="The shift grows by one a round: 1, 2, 3. After a round with shift 2, for how many steps "
            "does a place stand? What is nearer than that is counted twice.",
            cost=0.4,
        ),
        Mistake(
            "overwritten-factors",
            old=JOIN,
            new="a[:, shift:] = a_2 * a_1\n        b[:, shift:] = a_2 * b_1 + b_2",
            says="a was overwritten before b needed it: the b of the neighbour meets a factor that already holds the "
            "neighbour's own. Make both from the old values, then store both.",
            cost=0.3,
        ),
        Mistake(
            "overwritten-neighbours",
            old=JOIN,
            new=ONE_PLACE_AFTER_THE_OTHER,
            says="The places of a round are joined one after the other from the left, so a place reads "
            "neighbours that this round has changed already. All places read what was there before "
            "the round: whole slices, at once.",
            cost=0.6,
        ),
        Mistake(
            "joined-in-the-wrong-order",
            old=JOIN,
            new="a[:, shift:], b[:, shift:] = a_2 * a_1, a_1 * b_2 + b_1",
            says="The later step is joined as if it came first. The first argument of combine is what happens first.",
            cost=0.3,
        ),
        Mistake(
            "factors-not-joined",
            old=JOIN,
            new="b[:, shift:] = a_2 * b_1 + b_2",
            says="Only b is joined, and a stays that of a single step. In the next round a step stands for several, and "
            "what comes from further back has to pass all their factors.",
            cost=0.4,
        ),
        Mistake(
            "one-round",
            old=WHILE,
            new="if shift < a.shape[1]:",
            says="There is only one round, so each state knows one neighbour. Go on, with the shift doubled, until the "
            "shift reaches T.",
            cost=0.5,
        ),
        Mistake(
            "first-round-missing",
            old="shift = 1\n",
            new="shift = 2\n",
            says="The first round is missing: no step is ever joined with the one right before it. The "
            "shifts are 1, 2, 4.",
            cost=0.3,
        ),
        Mistake(
            "last-round-missing",
            old=WHILE,
            new="while 2 * shift < a.shape[1]:",
            says="The last round is missing: late states do not know the first steps. Go on as long as "
            "shift is less than T.",
            cost=0.3,
        ),
        Mistake(
            "only-powers-of-two",
            old=WHILE,
            new="while 2 * shift <= a.shape[1]:",
            says="Where T is no power of two, the last round is missing. Count the rounds that T = 5 needs.",
            cost=0.3,
        ),
        Mistake(
            "wraps-around",
            old=f"{EARLIER}\n        {LATER}\n        {JOIN}",
            new="a_1, b_1 = np.roll(a, shift, axis=1), np.roll(b, shift, axis=1)\n"
            "        a, b = a * a_1, a * b_1 + b",
            says="np.roll wraps around, so the first steps are joined with the last. A step with no "
            "neighbour that far back stays as it is.",
            cost=0.3,
        ),
        Mistake(
            "joins-with-the-future",
            old=f"{EARLIER}\n        {LATER}\n        {JOIN}",
            new="a_1, b_1 = a[:, shift:], b[:, shift:]\n        a_2, b_2 = a[:, :-shift], b[:, :-shift]\n"
            "        a[:, :-shift], b[:, :-shift] = a_2 * a_1, a_2 * b_1 + b_2",
            says="Each step is joined with one that comes *after* it, so states know the future and not the past.",
            cost=0.5,
        ),
        Mistake(
            "joined-along-the-batch",
            old=ROUNDS,
            new=ALONG_THE_BATCH,
            says="The rounds run along the first axis, so sequences of the batch are joined with each other. Time is the "
            "second axis.",
            cost=0.3,
        ),
        Mistake(
            "both-returned",
            old="return b",
            new="return a, b",
            says="Both a and b are returned. Asked for are the states alone.",
            cost=0.1,
        ),
        Mistake(
            "last-state-only",
            old="return b",
            new="return b[:, -1]",
            says="Only the last state is returned. The states of all steps are asked for, (B, T, H).",
            cost=0.3,
        ),
        Mistake(
            "factors-returned",
            old="return b",
            new="return a",
            says="The products of the factors are returned. With h0 let into the first b, the states are in b.",
            cost=0.3,
        ),
        Mistake(
            "plain-sum",
            old=ROUNDS,
            new="return np.cumsum(b, axis=1)",
            says="This adds the b up and leaves the factors out: nothing is ever forgotten.",
            cost=0.6,
        ),
        Mistake(
            "divides-by-the-factors",
            old=ROUNDS,
            new="P = np.cumprod(a, axis=1)\n    return P * np.cumsum(b / P, axis=1)",
            says="The running product of the factors is divided by. It is 0 as soon as one factor is, and "
            "over a long sequence it becomes too small for a float. Joining steps never divides.",
            cost=0.3,
        ),
        Mistake(
            "logarithms-of-the-factors",
            old=ROUNDS,
            new="P = np.exp(np.cumsum(np.log(a), axis=1))\n    return P * np.cumsum(b / P, axis=1)",
            says="The factors go through a logarithm, which a negative factor does not have, nor 0. A scan"
            " only multiplies and adds.",
            cost=0.4,
        ),
        Mistake(
            "h0-in-every-step",
            old=START,
            new="b += a * h0[:, np.newaxis]",
            says="h0 is let into the b of every step. It belongs to the first step alone; the rounds carry"
            " it on from there.",
            cost=0.4,
        ),
        Mistake(
            "first-b-lost",
            old=START,
            new="b[:, 0] = a[:, 0] * h0",
            says="The first step's own b is overwritten by what comes from h0. Both reach its state.",
            cost=0.3,
        ),
        Mistake(
            "h0-meets-all-steps",
            old=START,
            new="b[:, 0] += a * h0",
            also=("b += a * h0",),
            says="h0 is (B, H) and meets an array of all steps, (B, T, H), so the shapes clash. It belongs"
            " to the first step alone.",
            cost=0.3,
        ),
        Mistake(
            "early-places-dropped",
            old=ROUNDS,
            new=ROUNDS.replace(JOIN, "a, b = a_2 * a_1, a_2 * b_1 + b_2"),
            also=(
                "T = a.shape[1]\n    "
                + ROUNDS.replace(JOIN, "a, b = a_2 * a_1, a_2 * b_1 + b_2").replace(
                    WHILE, "while shift < T:"
                ),
            ),
            says="What is left of the shift is dropped, so there are fewer states after every round. A "
            "step with no neighbour that far back is done: it stays as it is.",
            cost=0.4,
        ),
    ),
)


# scan_backward ----------------------------------------------------------------------------------------


def draw_scan_backward(rng):
    def case(B, T, H, when=""):
        a, b, h0 = scan_case(rng, B, T, H).args
        return Case((a, h0, scan(a, b, h0), rng.normal(size=(B, T, H))), {"B": B, "T": T, "H": H}, when)

    return [case(3, 6, 2), case(2, 9, 4), case(3, 1, 2, "T = 1"), case(4, 5, 1, "H = 1")]


A_NEXT = "a_next = np.concatenate([a[:, 1:], np.ones_like(a[:, :1])], axis=1)"
DB = "db = scan(a_next[:, ::-1], dh[:, ::-1], np.zeros_like(h0))[:, ::-1]"
H_PREV = "h_prev = np.concatenate([h0[:, np.newaxis], h[:, :-1]], axis=1)"
DA = "da = db * h_prev"
DH0 = "dh0 = db[:, 0] * a[:, 0]"

SCAN_BACKWARD = Exercise(
    reference=scan_backward,
    returns=("da", "db", "dh0"),
    uses=("combine", "scan"),
    draw=draw_scan_backward,
    mistakes=(
        Mistake(
            "factor-of-the-same-step",
            old=DB,
            new="db = scan(a[:, ::-1], dh[:, ::-1], np.zeros_like(h0))[:, ::-1]",
            says="The error arrives with the factor of its own step. On its way from t + 1 back to t, "
            "which step does it pass?",
            cost=0.3,
        ),
        Mistake(
            "factor-of-the-step-before",
            old=A_NEXT,
            new="a_next = np.concatenate([np.ones_like(a[:, :1]), a[:, :-1]], axis=1)",
            says="The factors are shifted the wrong way. On its way from t + 1 back to t, which step does "
            "an error pass?",
            cost=0.3,
        ),
        Mistake(
            "not-from-the-other-end",
            old=DB,
            new="db = scan(a_next, dh, np.zeros_like(h0))",
            says="The scan runs from the first step to the last. Errors come from later steps: turn the "
            "time round before the scan, and the result back after it.",
            cost=0.5,
        ),
        Mistake(
            "not-turned-back",
            old=DB,
            new="db = scan(a_next[:, ::-1], dh[:, ::-1], np.zeros_like(h0))",
            says="The result of the scan is still turned round: its first step is the last in time.",
            cost=0.3,
        ),
        Mistake(
            "errors-not-turned-round",
            old=DB,
            new="db = scan(a_next[:, ::-1], dh, np.zeros_like(h0))[:, ::-1]",
            says="The factors are turned round in time and dh is not, so errors meet the factors of other steps.",
            cost=0.3,
        ),
        Mistake(
            "factors-not-turned-round",
            old=DB,
            new="db = scan(a_next, dh[:, ::-1], np.zeros_like(h0))[:, ::-1]",
            says="dh is turned round in time and the factors are not, so errors meet the factors of other steps.",
            cost=0.3,
        ),
        Mistake(
            "no-carry",
            old=DB,
            new="db = dh.copy()",
            also=("db = dh * 1.0",),
            says="Each state sees only its own dh. A state lives on in all later ones, so what arrives "
            "there comes back to it, times the factors in between.",
            cost=0.7,
        ),
        Mistake(
            "no-factors",
            old=DB,
            new="db = np.cumsum(dh[:, ::-1], axis=1)[:, ::-1]",
            says="Later errors are added up as they are. Each step on the way back multiplies them by its factor.",
            cost=0.5,
        ),
        Mistake(
            "last-error-only",
            old=DB,
            new="db = scan(a_next[:, ::-1], np.concatenate([dh[:, -1:], 0 * dh[:, :-1]], axis=1), np.zeros_like(h0))[:, ::-1]",
            says="Only what arrives at the last state is sent back. Every state has a dh of its own.",
            cost=0.5,
        ),
        Mistake(
            "last-error-twice",
            old=DB,
            new="db = scan(a_next[:, ::-1], dh[:, ::-1], dh[:, -1])[:, ::-1]",
            says="The last state's dh counts twice: it is in dh already, and nothing arrives from beyond the end.",
            cost=0.2,
        ),
        Mistake(
            "starts-from-h0",
            old=DB,
            new="db = scan(a_next[:, ::-1], dh[:, ::-1], h0)[:, ::-1]",
            says="The way back starts from h0. That is a state, and here errors run: from beyond the last "
            "step comes nothing, so the start is zero.",
            cost=0.3,
        ),
        Mistake(
            "new-state-in-da",
            old=DA,
            new="da = db * h",
            says="da uses the *new* state. Which one did a meet in the forward step?",
            cost=0.3,
        ),
        Mistake(
            "next-state-in-da",
            old=H_PREV,
            new="h_prev = np.concatenate([h[:, 1:], h[:, -1:]], axis=1)",
            also=("h_prev = np.concatenate([h[:, 1:], h0[:, np.newaxis]], axis=1)",),
            says="The states for da are shifted the wrong way. Which one did a_t meet in the forward step?",
            cost=0.3,
        ),
        Mistake(
            "zero-before-the-first-step",
            old=H_PREV,
            new="h_prev = np.concatenate([np.zeros_like(h[:, :1]), h[:, :-1]], axis=1)",
            says="For the first step's da the old state is taken to be zero. It is h0.",
            cost=0.3,
        ),
        Mistake(
            "own-error-in-da",
            old=DA,
            new="da = dh * h_prev",
            says="da is made from dh, which is only what arrives at a state from outside. What comes back "
            "from later states counts as well: that sum is db.",
            cost=0.4,
        ),
        Mistake(
            "inputs-in-da",
            old=DA,
            new="da = db",
            also=("da = db * a",),
            says="da lacks the state: what did a multiply in the forward step?",
            cost=0.4,
        ),
        Mistake(
            "factor-in-db",
            old="return da, db, dh0",
            new="return da, db * a, dh0",
            says="db is multiplied by a. b is added to the state and nothing multiplies it there, so what arrives at the "
            "state arrives at b.",
            cost=0.3,
        ),
        Mistake(
            "dh0-without-the-first-factor",
            old=DH0,
            new="dh0 = db[:, 0]",
            says="dh0 is what arrives at the first state. Between h0 and that state stands the first factor.",
            cost=0.3,
        ),
        Mistake(
            "dh0-from-the-first-error-alone",
            old=DH0,
            new="dh0 = dh[:, 0] * a[:, 0]",
            says="dh0 sees only the first state's own dh. All later ones come back to h0 too, and they are in db.",
            cost=0.3,
        ),
        Mistake(
            "dh0-from-the-wrong-end",
            old=DH0,
            new="dh0 = db[:, -1] * a[:, -1]",
            also=("dh0 = db[:, -1]",),
            says="dh0 is taken at the last step. h0 stands before the first.",
            cost=0.3,
        ),
        Mistake(
            "nothing-turned-round",
            old=DB,
            new="db = scan(a, dh, np.zeros_like(h0))",
            says="The scan runs from the first step to the last, with the factors of the way forward. "
            "Errors come from *later* steps: turn the time round before the scan, and the result back"
            " after it.",
            cost=0.6,
        ),
        Mistake(
            "turned-back-too-late",
            old=f"{DA}\n    {DH0}",
            new="turned = db[:, ::-1]\n    da = turned * h_prev\n    dh0 = turned[:, 0] * a[:, 0]",
            says="da and dh0 are made of the scan's result while its time is still turned round. Turn it back first.",
            cost=0.3,
        ),
        Mistake(
            "dh0-summed-over-time",
            old=DH0,
            new="dh0 = (db * a).sum(axis=1)",
            also=("dh0 = db.sum(axis=1)", "dh0 = db.sum(axis=1) * a[:, 0]"),
            says="dh0 is summed over all steps. h0 enters the first step alone; what later steps send back"
            " is in the first db already.",
            cost=0.3,
        ),
        Mistake(
            "h0-without-a-time-axis",
            old=H_PREV,
            new="h_prev = np.concatenate([h0, h[:, :-1]], axis=1)",
            says="h0 is (B, H) and the states are (B, T, H): it needs an axis for its one step before it "
            "can stand in front of them.",
            cost=0.2,
        ),
        Mistake(
            "one-factor-short",
            old=A_NEXT,
            new="a_next = a[:, 1:]",
            says="There is one factor less than there are errors. The last error needs one as well; "
            "whatever stands there meets zero.",
            cost=0.3,
        ),
    ),
)


# min_gru ----------------------------------------------------------------------------------------------


def draw_min_gru(rng):
    def case(B, T, D, H, when=""):
        p = {"weight_ih": rng.normal(0, 0.7, (2 * H, D)), "bias_ih": rng.normal(0, 0.7, 2 * H)}
        args = p, rng.normal(size=(B, T, D)), rng.normal(size=(B, H))
        return Case(args, {"B": B, "T": T, "D": D, "H": H}, when)

    return [
        case(3, 5, 4, 2),
        case(5, 7, 2, 3),
        case(3, 1, 4, 2, "T = 1"),
        case(3, 5, 4, 1, "H = 1"),
        case(1, 5, 4, 2, "B = 1"),
    ]


SUMS = 'x_z, n = np.split(x @ p["weight_ih"].T + p["bias_ih"], 2, axis=2)'
GATE = "z = sigmoid(x_z)"
STATES = "h = scan(z, (1 - z) * n, h0)"
CACHE = "cache = (x, h0, z, n, h)"

MIN_GRU = Exercise(
    reference=min_gru,
    returns=("h", "cache"),
    uses=("combine", "scan"),
    layout=("x", "h0", "z", "n", "h"),
    draw=draw_min_gru,
    mistakes=(
        Mistake(
            "update-gate-swapped",
            old=STATES,
            new="h = scan(1 - z, z * n, h0)",
            says="z and 1 - z have changed places. The paper writes it like this; here, as in lesson 06, z"
            " is how much of the *old* state stays.",
            cost=0.3,
        ),
        Mistake(
            "gate-turned-round",
            old=GATE,
            new="z = 1 - sigmoid(x_z)",
            also=("z = sigmoid(-x_z)",),
            says="z is turned round, in the cache as well: the sigmoid of the first H rows is to be the "
            "share of the old state that stays, not of the new one.",
            cost=0.3,
        ),
        Mistake(
            "candidate-added-whole",
            old=STATES,
            new="h = scan(z, n, h0)",
            says="The candidate is added whole. The new state is a weighted mean: the two shares add up to "
            "1.",
            cost=0.4,
        ),
        Mistake(
            "old-state-added-whole",
            old=STATES,
            new="h = scan(np.ones_like(z), (1 - z) * n, h0)",
            says="The old state is kept whole at every step. z says how much of it stays.",
            cost=0.4,
        ),
        Mistake(
            "same-gate-for-both",
            old=STATES,
            new="h = scan(z, z * n, h0)",
            also=("h = scan(1 - z, (1 - z) * n, h0)",),
            says="Old state and candidate have the same weight. The two weights add up to 1.",
            cost=0.3,
        ),
        Mistake(
            "scan-arguments-swapped",
            old=STATES,
            new="h = scan((1 - z) * n, z, h0)",
            says="scan gets what is added first and the factors second. Its first argument multiplies the old state.",
            cost=0.3,
        ),
        Mistake(
            "h0-forgotten",
            old=STATES,
            new="h = scan(z, (1 - z) * n, np.zeros_like(h0))",
            says="The states start from zero and not from h0.",
            cost=0.3,
        ),
        Mistake(
            "no-memory",
            old=STATES,
            new="h = (1 - z) * n",
            also=("h = z * h0[:, np.newaxis] + (1 - z) * n",),
            says="No state reaches the next step. h_t starts from h_{t-1}: that is what the scan does.",
            cost=0.6,
        ),
        Mistake(
            "gates-look-at-the-state",
            old=GATE,
            new="z = sigmoid(x_z + h0[:, np.newaxis])",
            says="The gate looks at a state. In a minGRU gate and candidate see x alone; that is what lets"
            " all steps run at once.",
            cost=0.4,
        ),
        Mistake(
            "blocks-swapped",
            old=SUMS,
            new=SUMS.replace("x_z, n", "n, x_z"),
            says="The two blocks have changed places: the first H rows are the gate z, the last H the candidate n.",
            cost=0.3,
        ),
        Mistake(
            "blocks-interleaved",
            old=SUMS,
            new='sums = x @ p["weight_ih"].T + p["bias_ih"]\n    x_z, n = sums[..., ::2], sums[..., 1::2]',
            says="Every second row is taken for the gate. The rows come in two blocks: first H for the "
            "gate, then H for the candidate.",
            cost=0.3,
        ),
        Mistake(
            "candidate-bias-missing",
            old=GATE,
            new='z, n = sigmoid(x_z), n - p["bias_ih"][h0.shape[1] :]',
            says="The candidate lacks its block of bias_ih.",
            cost=0.2,
        ),
        Mistake(
            "gate-bias-missing",
            old=GATE,
            new='z = sigmoid(x_z - p["bias_ih"][: h0.shape[1]])',
            says="The gate lacks its block of bias_ih.",
            cost=0.2,
        ),
        Mistake(
            "gate-without-activation",
            old=GATE,
            new="z = x_z",
            says="The gate is the bare sum: its sigmoid is missing, so it is no share between 0 and 1.",
            cost=0.3,
        ),
        Mistake(
            "gate-with-tanh",
            old=GATE,
            new="z = np.tanh(x_z)",
            says="The gate goes through tanh and can become negative. A share from 0 to 1 takes the sigmoid.",
            cost=0.3,
        ),
        Mistake(
            "candidate-with-tanh",
            old=GATE,
            new="z, n = sigmoid(x_z), np.tanh(n)",
            says="The candidate goes through tanh, as in lesson 06. The minGRU's candidate is the bare sum.",
            cost=0.2,
        ),
        Mistake(
            "candidate-with-sigmoid",
            old=GATE,
            new="z, n = sigmoid(x_z), sigmoid(n)",
            says="The candidate goes through the sigmoid like the gate, so no state could ever become "
            "negative. It is the bare sum.",
            cost=0.3,
        ),
        Mistake(
            "bias-missing",
            old=' + p["bias_ih"]',
            new="",
            says="bias_ih is not added.",
            cost=0.3,
        ),
        Mistake(
            "caches-the-sum",
            old=CACHE,
            new="cache = (x, h0, x_z, n, h)",
            says="The cache's third item is the gate's sum. Keep the gate z itself, after the sigmoid.",
            cost=0.15,
        ),
        Mistake(
            "caches-the-share",
            old=CACHE,
            new="cache = (x, h0, z, (1 - z) * n, h)",
            says="The cache's fourth item is the candidate's share, (1 - z) times n. Keep the candidate n itself.",
            cost=0.15,
        ),
        Mistake(
            "last-state-only",
            old="return h, cache",
            new="return h[:, -1], cache",
            says="Only the last state is returned. The states of all steps are asked for, (B, T, H).",
            cost=0.3,
        ),
        Mistake(
            "candidate-with-the-gates-bias",
            old=GATE,
            new='z, n = sigmoid(x_z), n + (p["bias_ih"][: h0.shape[1]] - p["bias_ih"][h0.shape[1] :])',
            says="The candidate gets the gate's block of bias_ih. The first H are the gate's, the last H "
            "the candidate's.",
            cost=0.2,
        ),
        Mistake(
            "split-along-the-wrong-axis",
            old=SUMS,
            new=SUMS.replace(", axis=2", ""),
            also=(
                SUMS.replace("axis=2", "axis=1"),
                SUMS.replace("axis=2", "axis=0"),
                'sums = x @ p["weight_ih"].T + p["bias_ih"]\n    x_z, n = np.split(sums, 2)',
            ),
            says="The sums are split along the batch or along time. The two blocks lie along the last axis.",
            cost=0.3,
        ),
        Mistake(
            "parameters-as-attributes",
            old='x @ p["weight_ih"].T + p["bias_ih"]',
            new="x @ p.weight_ih.T + p.bias_ih",
            says="p is a dict: its arrays are found by their names as keys, and not as attributes.",
            cost=0.15,
        ),
    ),
)

EXERCISES = (COMBINE, SCAN, SCAN_BACKWARD, MIN_GRU)
