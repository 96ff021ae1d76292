"""Lesson 10, Translate numbers into German: encode, attention, decode_step, greedy_decode, beam_search.

Each exercise has a ``use`` that makes tensors, and a small model or network to call, where the answer
lives, and returns arrays and words. No answer is built on another here: ``decode_step`` asks the model's own
attention, and the two searches are given the function that scores the next symbol, so that a fault in one
exercise spoils no other.
"""

import inspect

import numpy as np

from rnncore.exercises.exercise import Case, Exercise, Mistake
from rnncore.exercises.rnn_cell import draw_params
from rnncore.topics.attention import attention
from rnncore.topics.translation import beam_search, decode_step, encode, greedy_decode


def draw_lengths(rng, B, S):
    """B different lengths from 1 to S, S among them and not in first place, in no order."""
    while True:
        lengths = rng.permutation([S, *rng.choice(np.arange(1, S), B - 1, replace=False)])
        if B == 1 or ((np.diff(lengths) > 0).any() and lengths[0] != S):
            return lengths


def gru_arrays(rng, D, H, name):
    return {f"{name}.{key}_l0": array for key, array in draw_params(rng, D, H, 3).items()}


# encode ----------------------------------------------------------------------------------------------


def use_encode(encode, params, ids, lengths):
    import torch

    V, D = params["embed_source.weight"].shape
    H = params["encoder.weight_hh_l0"].shape[1]

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed_source, self.embed_target = torch.nn.Embedding(V, D), torch.nn.Embedding(V, D)
            self.encoder = torch.nn.GRU(D, H, batch_first=True)
            self.decoder = torch.nn.GRU(D, H, batch_first=True)

    with torch.random.fork_rng(devices=[]):
        model = Model().to(torch.from_numpy(params["embed_source.weight"]).dtype)
    model.load_state_dict({name: torch.tensor(array) for name, array in params.items()})
    real = torch.arange(ids.shape[1]) < torch.tensor(lengths)[:, None]
    # Tensors that share the arrays' memory: what is changed in place is seen there.
    result = encode(model, torch.from_numpy(ids), torch.from_numpy(lengths))
    if result is None:
        return None
    if not (isinstance(result, tuple | list) and len(result) == 2):
        raise ValueError("encode should return two tensors, keys and state")
    keys, state = result
    learning = []
    for name, one in (("keys", keys), ("state", state)):
        if isinstance(one, torch.Tensor) and one.requires_grad:
            weight = model.encoder.weight_ih_l0
            (found,) = torch.autograd.grad(one.sum(), weight, retain_graph=True, allow_unused=True)
            learning += [name] * (found is not None)
    words = f"reaches the encoder from {' and '.join(learning) or 'nowhere'}"
    if isinstance(keys, torch.Tensor) and keys.shape[:2] == ids.shape:
        keys = keys[real]  # what stands at padding means nothing
    return keys, state, words


def draw_encode(rng):
    def case(B, S, V, D, H, when=""):
        params = {
            "embed_source.weight": rng.normal(size=(V, D)),
            "embed_target.weight": rng.normal(size=(V, D)),
            **gru_arrays(rng, D, H, "encoder"),
            **gru_arrays(rng, D, H, "decoder"),
        }
        return Case(
            (params, rng.integers(0, V, (B, S)), draw_lengths(rng, B, S)), {"B": B, "S": S, "H": H}, when
        )

    return [case(3, 6, 7, 4, 5), case(4, 7, 9, 5, 3), case(1, 5, 4, 3, 2, "B = 1")]


READ = "    keys, _ = model.encoder(x)\n"
LAST = "    last = lengths - 1\n"
PICK = "    state = keys[rows, last]\n"

ENCODE = Exercise(
    reference=encode,
    returns=("keys", "state", "gradient"),
    draw=draw_encode,
    use=use_encode,
    mistakes=(
        Mistake(
            "state-one-too-late-but-inside",
            old="last = lengths - 1",
            new="last = lengths.clamp(max=ids.shape[1] - 1)",
            says="One symbol too far: wherever there is padding, the state is that after its first symbol. "
            "Counting starts at 0, so the last symbol is at lengths - 1.",
            cost=0.3,
        ),
        Mistake(
            "state-after-the-padding",
            old=PICK,
            new="    state = keys[:, -1]\n",
            also=("    state = model.encoder(x)[1][0]\n", "    state = model.encoder(x)[1].squeeze(0)\n"),
            says="The state is taken at the end of the padded row, so for every shorter text the encoder has read "
            "padding on top. Take each text's output at its own last symbol, or pack the batch with its lengths.",
            cost=0.7,
        ),
        Mistake(
            "state-one-too-late",
            old=LAST,
            new="    last = lengths\n",
            says="A text of length n has its last symbol at n - 1: counting starts at 0. Here the index is one too "
            "large, and for the longest text it lies outside.",
            cost=0.3,
        ),
        Mistake(
            "state-one-too-early",
            old=LAST,
            new="    last = lengths - 2\n",
            says="The state is the one *before* the last symbol. A text of length n ends at n - 1.",
            cost=0.3,
        ),
        Mistake(
            "state-at-the-first-symbol",
            old=PICK,
            new="    state = keys[:, 0]\n",
            says="The state is the one after the first symbol. The decoder needs what is known after the last.",
            cost=0.7,
        ),
        Mistake(
            "state-with-its-layer-axis",
            old=PICK,
            new="    state = keys[rows, last][None]\n",
            says="The state is right and has an axis too many: torch.nn.GRU hands out (1, B, H), one state for each "
            "layer. Here (B, H) is asked for.",
            cost=0.15,
        ),
        Mistake(
            "padded-state-with-its-layer-axis",
            old=PICK,
            new="    state = model.encoder(x)[1]\n",
            says="This is what torch.nn.GRU hands out as its final state: (1, B, H), with an axis for the layers, and "
            "taken after the padding. Pick each text's output at its own last symbol, (B, H).",
            cost=0.8,
        ),
        Mistake(
            "mean-of-the-outputs",
            old=PICK,
            new="    state = keys.mean(dim=1)\n",
            says="The state is the mean of all outputs, padding included. It should be the output at each text's last "
            "symbol.",
            cost=0.7,
        ),
        Mistake(
            "embeddings-for-keys",
            old="    return keys, state",
            new="    return x, state",
            says="The keys are the embeddings, so each knows its own symbol and nothing of what came before. "
            "They should be the encoder's outputs.",
            cost=0.4,
        ),
        Mistake(
            "target-embedding",
            old="model.embed_source(ids)",
            new="model.embed_target(ids)",
            says="The source is read with the target language's embedding.",
            cost=0.3,
        ),
        Mistake(
            "decoder-reads",
            old="model.encoder(x)",
            new="model.decoder(x)",
            says="The text is read by the decoder. model.encoder is the one that reads.",
            cost=0.3,
        ),
        Mistake(
            "sequences-for-steps",
            old=READ,
            new="    keys, _ = model.encoder(x.transpose(0, 1))\n    keys = keys.transpose(0, 1)\n",
            says="The batch is turned round first, as for a GRU that wants time in front. This one is batch_first, so "
            "it now reads *across* the texts: the first symbols of all, then the second ones.",
            cost=0.4,
        ),
        Mistake(
            "left-in-sorted-order",
            old="    return keys, state",
            new="    order = lengths.argsort(descending=True)\n    return keys[order], state[order]",
            says="The texts come back sorted by length, the longest first, and no longer beside their translations. "
            "Put them back into the order in which they came.",
            cost=0.3,
        ),
        Mistake(
            "state-left-in-sorted-order",
            old="    return keys, state",
            new="    return keys, state[lengths.argsort(descending=True)]",
            says="The states come back sorted by length, the longest first, and the keys do not: a text gets "
            "another one's state. Put both back into the order in which they came.",
            cost=0.3,
        ),
        Mistake(
            "detached",
            old="    return keys, state",
            new="    return keys.detach(), state.detach()",
            says="The numbers are right, but cut off from the encoder: no gradient gets back through detach, .data or "
            "no_grad, so it would never learn to read.",
            cost=0.4,
        ),
        Mistake(
            "mean-of-the-real-outputs",
            old=PICK,
            new="    real = torch.arange(ids.shape[1]) < lengths[:, None]\n"
            "    state = (keys * real[..., None]).sum(dim=1) / lengths[:, None]\n",
            says="The state is the mean of a text's real outputs. It should be the output at "
            "its last symbol, which has read all of it.",
            cost=0.5,
        ),
        Mistake(
            "largest-of-the-real-outputs",
            old=PICK,
            new="    real = torch.arange(ids.shape[1]) < lengths[:, None]\n"
            "    state = keys.masked_fill(~real[..., None], -torch.inf).amax(dim=1)\n",
            says="The state is the largest of a text's real outputs, feature by feature (max pooling). It should be "
            "the output at its last symbol.",
            cost=0.5,
        ),
        Mistake(
            "one-result-detached",
            old="    return keys, state",
            new="    return keys, state.detach()",
            also=("    return keys.detach(), state",),
            says="The numbers are right, but one of the two results is cut off from the "
            "encoder by detach, .data or no_grad: what should be learned through it is lost.",
            cost=0.3,
        ),
    ),
)


# attention -------------------------------------------------------------------------------------------


def use_attention(attention, query, keys, mask):
    import torch

    leaves = [torch.tensor(array, requires_grad=True) for array in (query, keys)]
    given = [
        leaf * 1 for leaf in leaves
    ]  # no leaves, so that autograd lets a change in place pass, to be seen here
    result = attention(*given, torch.from_numpy(mask))
    query[...], keys[...] = (tensor.detach().numpy() for tensor in given)
    if result is None:
        return None
    if not (isinstance(result, tuple | list) and len(result) == 2):
        raise ValueError("attention should return two tensors, context and weights")
    context, weights = result
    reached = []
    if isinstance(context, torch.Tensor) and context.requires_grad:
        found = torch.autograd.grad(context.sum(), leaves, allow_unused=True)
        reached = [name for name, one in zip(("query", "keys"), found, strict=True) if one is not None]
    words = f"reaches {' and '.join(reached) or 'nothing'}"
    return context, weights, words


def draw_attention(rng):
    def case(B, T, S, H, when="", lengths=None, scale=1.0):
        lengths = draw_lengths(rng, B, S) if lengths is None else lengths
        mask = np.arange(S) < lengths[:, None]
        query, keys = rng.normal(0, scale, (B, T, H)), rng.normal(0, scale, (B, S, H))
        if scale > 1:
            keys[:, 0] = query[:, 0]  # so that some score is surely large
        args = (query, keys, mask)
        return Case(args, {"B": B, "T": T, "S": S, "H": H}, when)

    return [
        case(3, 4, 6, 5),
        case(4, 3, 7, 2),
        case(3, 1, 5, 4, "T = 1, one query at a time"),
        case(3, 4, 5, 2, "nothing is padded", lengths=np.full(3, 5)),
        case(1, 3, 4, 2, "B = 1"),
        case(3, 4, 1, 2, "S = 1, a single key", lengths=np.full(3, 1)),
        case(2, 3, 5, 4, "scores are in the thousands", scale=60.0),
    ]


SCORES = "query @ keys.transpose(1, 2) / H**0.5"
MASK = "    scores = scores.masked_fill(~mask[:, None], -torch.inf)\n"
LOW = (
    "-1e9",
    "-1e4",
)  # what many write for minus infinity: right where a row has a real key, and wrong otherwise
SOFTMAX = "    weights = scores.softmax(dim=2)\n"
CONTEXT = "    context = weights @ keys\n"

ATTENTION = Exercise(
    reference=attention,
    returns=("context", "weights", "gradient"),
    draw=draw_attention,
    use=use_attention,
    mistakes=(
        Mistake(
            "softmax-over-the-queries-finite",
            old="scores = scores.masked_fill(~mask[:, None], -torch.inf)\n"
            "    weights = scores.softmax(dim=2)",
            new="scores = scores.masked_fill(~mask[:, None], -1e9)\n    weights = scores.softmax(dim=1)",
            says="The softmax runs over the queries (dim=1). Each *query* shares out its attention among "
            "the keys, so the weights must sum to 1 over the last axis.",
            cost=0.3,
        ),
        Mistake(
            "same-for-all-queries",
            old="scores = scores.masked_fill(~mask[:, None], -torch.inf)\n"
            "    weights = scores.softmax(dim=2)",
            new="weights = mask[:, None].to(keys.dtype).expand_as(scores)\n"
            "    weights = weights / weights.sum(dim=2, keepdim=True)",
            says="All real keys get the same weight: nobody has asked the query. The weights come from a "
            "softmax of the scaled products of query and keys.",
            cost=0.7,
        ),
        Mistake(
            "softmax-over-the-queries",
            old=SOFTMAX,
            new="    weights = scores.softmax(dim=1)\n",
            says="The softmax runs over the queries (dim=1). Each *query* shares out its attention among the keys, so "
            "the weights must sum to 1 over the last axis; and a padded key's column holds nothing but -inf.",
            cost=0.3,
        ),
        Mistake(
            "softmax-over-the-batch",
            old=SOFTMAX,
            new="    weights = scores.softmax(dim=0)\n",
            says="The softmax runs over the batch (dim=0), so sentences share out their attention among each other.",
            cost=0.3,
        ),
        Mistake(
            "not-scaled",
            old=SCORES,
            new="query @ keys.transpose(1, 2)",
            says="The scores are not scaled. A sum of H products grows with H: divide by the square root of H before "
            "the softmax.",
            cost=0.3,
        ),
        Mistake(
            "divided-by-h",
            old=SCORES,
            new="query @ keys.transpose(1, 2) / H",
            says="The scores are divided by H; its square root is asked for.",
            cost=0.3,
        ),
        Mistake(
            "scaled-by-the-number-of-keys",
            old=SCORES,
            new="query @ keys.transpose(1, 2) / keys.shape[1] ** 0.5",
            says="The scores are scaled by the number of *keys*. A score is a sum over the H features: its size goes "
            "with the square root of H.",
            cost=0.3,
        ),
        Mistake(
            "scaled-by-the-number-of-queries",
            old=SCORES,
            new="query @ keys.transpose(1, 2) / query.shape[1] ** 0.5",
            says="The scores are scaled by the number of *queries* T. A score is a sum over the H features: its size "
            "goes with the square root of H.",
            cost=0.3,
        ),
        Mistake(
            "scaled-up",
            old=SCORES,
            new="query @ keys.transpose(1, 2) * H**0.5",
            says="The scores are multiplied by the square root of H. They should be divided by it.",
            cost=0.3,
        ),
        Mistake(
            "scaled-after-the-softmax",
            old="/ H**0.5\n" + MASK + SOFTMAX,
            new="\n" + MASK + SOFTMAX + "    weights = weights / H**0.5\n",
            says="The weights are scaled, after the softmax, and no longer sum to 1. It is the scores that are divided "
            "by the square root of H.",
            cost=0.3,
        ),
        Mistake(
            "padding-attended",
            old=MASK,
            new="",
            says="The mask is not used, so the padding gets a share of the attention.",
            cost=0.5,
        ),
        Mistake(
            "mask-inverted",
            old=MASK,
            new=MASK.replace("~", ""),
            also=tuple(MASK.replace("~", "").replace("-torch.inf", low) for low in LOW),
            says="The mask works the wrong way round: the real keys are shut out and the padding is looked at. True "
            "marks what is real, and masked_fill fills where it is True.",
            cost=0.4,
        ),
        Mistake(
            "mask-on-the-query-axis",
            old=MASK,
            new=MASK.replace("None", ":, None"),
            also=tuple(MASK.replace("None", ":, None").replace("-torch.inf", low) for low in LOW),
            says="The mask lies along the wrong axis: scores are (B, T, S), and the mask (B, S) belongs to the *keys*, "
            "the last axis. Where T and S differ the shapes clash; where they are equal nothing warns you.",
            cost=0.3,
        ),
        Mistake(
            "mask-after-the-softmax",
            old=MASK + SOFTMAX,
            new=SOFTMAX + "    weights = weights.masked_fill(~mask[:, None], 0.0)\n",
            also=(SOFTMAX + "    weights = weights * mask[:, None]\n",),
            says="The mask comes after the softmax: the padding's share is thrown away, and what is left sums to less "
            "than 1. Mask the scores before the softmax, and nothing is shared out wrongly.",
            cost=0.3,
        ),
        Mistake(
            "masked-scores-are-zero",
            old="-torch.inf)",
            new="0.0)",
            also=("1e-9)", "-1e-9)"),
            says="The padding's scores are set to (nearly) 0, and e to the 0 is 1: it still gets a share. A score that "
            "counts for nothing is minus infinity.",
            cost=0.4,
        ),
        Mistake(
            "masked-with-plus-infinity",
            old="-torch.inf)",
            new="torch.inf)",
            says="The padding's scores are plus infinity, so it draws all attention. The sign is wrong.",
            cost=0.3,
        ),
        Mistake(
            "unstable-softmax",
            old=SOFTMAX,
            new="    weights = scores.exp() / scores.exp().sum(dim=2, keepdim=True)\n",
            says="e to the power of a large score overflows, and infinity divided by infinity is no number. "
            "torch.softmax takes the largest score away first.",
            cost=0.4,
        ),
        Mistake(
            "cosines-for-scores",
            old=SCORES,
            new="torch.cosine_similarity(query[:, :, None], keys[:, None], dim=3)",
            also=("torch.cosine_similarity(query[:, :, None], keys[:, None], dim=3) / H**0.5",),
            says="The scores are cosines: query and keys were given the length 1, so that how long they are no "
            "longer counts. Asked for are plain products.",
            cost=0.4,
        ),
        Mistake(
            "softmax-missing",
            old=SOFTMAX,
            new="    weights = scores.exp()\n",
            says="The weights are exponentials that nobody has divided by their sum: they must sum to 1 for each query.",
            cost=0.4,
        ),
        Mistake(
            "hard-choice",
            old=SOFTMAX,
            new="    weights = (scores == scores.amax(dim=2, keepdim=True)).to(scores)\n",
            says="All attention goes to the one best key. A choice cannot be learned by gradients: share it out with "
            "a softmax.",
            cost=0.5,
        ),
        Mistake(
            "view-for-transpose",
            old="keys.transpose(1, 2)",
            new="keys.reshape(len(keys), H, -1)",
            also=("keys.view(len(keys), H, -1)",),
            says="The keys were given the shape (B, H, S) by view or reshape, which cuts the same row of "
            "numbers into other pieces and mixes up the features. It turns no axes round.",
            cost=0.3,
        ),
        Mistake(
            "queries-averaged",
            old=CONTEXT,
            new="    context = weights.transpose(1, 2) @ query\n",
            says="The context is made of the *queries*. The query asks; what comes back is the weighted mean of the "
            "keys.",
            cost=0.4,
        ),
        Mistake(
            "scores-for-weights",
            old=CONTEXT,
            new="    context = scores @ keys\n",
            says="The context sums the keys by their scores, before the softmax. Use the weights.",
            cost=0.4,
        ),
        Mistake(
            "weights-detached",
            old=CONTEXT,
            new="    context = weights.detach() @ keys\n",
            also=("    weights, keys = weights.detach(), keys.detach()\n    context = weights @ keys\n",),
            says="The numbers are right, but no gradient reaches the query: what was cut off with detach, .data or "
            "no_grad never learns where to look.",
            cost=0.3,
        ),
        Mistake(
            "scores-returned",
            old="return context, weights",
            new="return context, scores",
            says="The second result holds the scores, from before the softmax. Return the weights.",
            cost=0.2,
        ),
        Mistake(
            "keys-scaled-as-well",
            old="query @ keys.transpose(1, 2) / H**0.5\n"
            "    scores = scores.masked_fill(~mask[:, None], -torch.inf)\n"
            "    weights = scores.softmax(dim=2)\n"
            "    context = weights @ keys\n",
            new="query @ keys.transpose(1, 2) / H**0.5\n"
            "    scores = scores.masked_fill(~mask[:, None], -torch.inf)\n"
            "    weights = scores.softmax(dim=2)\n"
            "    context = weights @ (keys / H**0.5)\n",
            says="The context is a mean of scaled keys, too small by the root of H. Only the "
            "scores are scaled.",
            cost=0.3,
        ),
    ),
)


# decode_step -----------------------------------------------------------------------------------------


def use_decode_step(decode_step, params, symbols, state, keys, mask):
    import torch

    V, D = params["embed_target.weight"].shape
    H = state.shape[1]

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed_source, self.embed_target = torch.nn.Embedding(V, D), torch.nn.Embedding(V, D)
            self.encoder = torch.nn.GRU(D, H, batch_first=True)
            self.decoder = torch.nn.GRU(D, H, batch_first=True)
            self.mix, self.output = torch.nn.Linear(2 * H, H), torch.nn.Linear(H, V)

        def attention(self, query, keys, mask):
            scores = torch.einsum("bth,bsh->bts", query, keys) / query.shape[-1] ** 0.5
            weights = torch.where(mask[:, None], scores, -torch.inf).softmax(dim=2)
            return weights @ keys, weights

    with torch.random.fork_rng(devices=[]):
        model = Model().to(torch.from_numpy(params["embed_source.weight"]).dtype)
    model.load_state_dict({name: torch.tensor(array) for name, array in params.items()})
    leaves = [torch.tensor(array, requires_grad=True) for array in (state, keys)]
    given = [
        leaf * 1 for leaf in leaves
    ]  # no leaves, so that autograd lets a change in place pass, to be seen here
    result = decode_step(model, torch.from_numpy(symbols), *given, torch.from_numpy(mask))
    state[...], keys[...] = (tensor.detach().numpy() for tensor in given)
    if result is None:
        return None
    if not (isinstance(result, tuple | list) and len(result) == 3):
        raise ValueError("decode_step should return three tensors, logits, state and weights")
    logits, after, weights = result
    reached = []
    if isinstance(logits, torch.Tensor) and logits.requires_grad:
        wanted = {"keys": leaves[1], "state": leaves[0], "decoder": model.decoder.weight_hh_l0}
        found = torch.autograd.grad(logits.sum(), wanted.values(), allow_unused=True)
        reached = [name for name, one in zip(wanted, found, strict=True) if one is not None]
    words = f"reaches {', '.join(reached) or 'nothing'}"
    return logits, after, weights, words


def draw_decode_step(rng):
    def case(B, T, S, V, D, H, when=""):
        params = {
            "embed_source.weight": rng.normal(size=(V, D)),
            "embed_target.weight": rng.normal(size=(V, D)),
            **gru_arrays(rng, D, H, "encoder"),
            **gru_arrays(rng, D, H, "decoder"),
            "mix.weight": rng.normal(0, 0.8, (H, 2 * H)),
            "mix.bias": rng.normal(size=H),
            "output.weight": rng.normal(size=(V, H)),
            "output.bias": rng.normal(size=V),
        }
        mask = np.arange(S) < draw_lengths(rng, B, S)[:, None]
        args = (
            params,
            rng.integers(0, V, (B, T)),
            rng.uniform(-0.9, 0.9, (B, H)),
            rng.normal(size=(B, S, H)),
        )
        return Case((*args, mask), {"B": B, "T": T, "S": S, "H": H}, when)

    return [
        case(3, 4, 6, 7, 8, 5),
        case(4, 1, 7, 5, 6, 3),
        case(3, 5, 4, 9, 7, 2),
        case(1, 4, 5, 6, 7, 3, "B = 1"),
    ]


DECODE = "    y, state = model.decoder(x, state[None])\n"
LOOK = "    context, weights = model.attention(y, keys, mask)\n"
BOTH = "torch.cat([y, context], dim=2)"
MIXED = "    mixed = model.mix(both).tanh()\n"
OUT = "    logits = model.output(mixed)\n"
RETURN = "    return logits, state[0], weights"

DECODE_STEP = Exercise(
    reference=decode_step,
    returns=("logits", "state", "weights", "gradient"),
    draw=draw_decode_step,
    use=use_decode_step,
    mistakes=(
        Mistake(
            "state-not-passed-in",
            old=DECODE,
            new="    y, state = model.decoder(x)\n",
            says="The decoder starts from zeros: the state that it is given, what the encoder knew, is not used.",
            cost=0.4,
        ),
        Mistake(
            "state-not-carried",
            old=DECODE + LOOK + "    both = " + BOTH + "\n" + MIXED + OUT + RETURN,
            new=DECODE.replace("y, state", "y, _")
            + LOOK
            + "    both = "
            + BOTH
            + "\n"
            + MIXED
            + OUT
            + RETURN.replace("state[0]", "state"),
            says="The *old* state is returned, so the next step would start where this one did. Return the decoder's "
            "state after the last symbol.",
            cost=0.3,
        ),
        Mistake(
            "state-after-the-first-symbol",
            old=RETURN,
            new="    return logits, y[:, 0], weights",
            says="The state returned is the one after the first of the T symbols. The next call goes on from the last.",
            cost=0.3,
        ),
        Mistake(
            "state-with-its-layer-axis",
            old=RETURN,
            new="    return logits, state, weights",
            says="The state that torch.nn.GRU hands out is (1, B, H), one for each layer. Here (B, H) goes in and (B, H) "
            "comes out.",
            cost=0.15,
        ),
        Mistake(
            "mixed-for-state",
            old=RETURN,
            new="    return logits, mixed[:, -1], weights",
            says="What is returned as the state is the mixture that goes to the output layer. The decoder's own state "
            "is the one to carry on.",
            cost=0.3,
        ),
        Mistake(
            "source-embedding",
            old="model.embed_target(symbols)",
            new="model.embed_source(symbols)",
            says="The translation's symbols are looked up in the source language's embedding.",
            cost=0.3,
        ),
        Mistake(
            "encoder-writes",
            old="model.decoder(x, state[None])",
            new="model.encoder(x, state[None])",
            says="The step is made with the encoder's weights. model.decoder is the one that writes.",
            cost=0.3,
        ),
        Mistake(
            "old-state-asks",
            old=DECODE + LOOK,
            new="    query = state[:, None].repeat(1, symbols.shape[1], 1)\n"
            + DECODE
            + LOOK.replace("(y,", "(query,"),
            says="The query is the state from *before* these symbols, so the look back cannot depend on what has just "
            "been written. The decoder's outputs are the queries, one for each step.",
            cost=0.4,
        ),
        Mistake(
            "query-and-keys-swapped",
            old="model.attention(y, keys, mask)",
            new="model.attention(keys, y, mask)",
            says="Query and keys have changed places: attention(query, keys, mask). The decoder's outputs ask, the "
            "encoder's outputs are looked through.",
            cost=0.3,
        ),
        Mistake(
            "looks-at-itself",
            old="model.attention(y, keys, mask)",
            new="model.attention(y, y, mask[:, :1].expand(-1, symbols.shape[1]))",
            says="The decoder looks at its own outputs instead of the encoder's keys.",
            cost=0.5,
        ),
        Mistake(
            "padding-attended",
            old="model.attention(y, keys, mask)",
            new="model.attention(y, keys, mask | True)",
            says="The mask is not handed on, so the decoder looks at padding.",
            cost=0.4,
        ),
        Mistake(
            "context-ignored",
            old=BOTH,
            new="torch.cat([y, y], dim=2)",
            also=("torch.cat([y, 0 * context], dim=2)",),
            says="The context goes nowhere: the output is made without what attention has found.",
            cost=0.5,
        ),
        Mistake(
            "context-first",
            old=BOTH,
            new="torch.cat([context, y], dim=2)",
            says="Both parts are there, in the other order: the decoder's output comes first, then the context. Shapes "
            "do not tell, and a model with loaded weights notices at once.",
            cost=0.3,
        ),
        Mistake(
            "joined-along-time",
            old=BOTH,
            new="torch.cat([y, context], dim=1)",
            says="Output and context are joined along time, dim=1. They belong side by side, as 2H features: dim=2.",
            cost=0.3,
        ),
        Mistake(
            "added-not-joined",
            old=BOTH,
            new="y + context",
            says="Output and context are added. model.mix expects them side by side, 2H features.",
            cost=0.3,
        ),
        Mistake(
            "tanh-missing",
            old=MIXED,
            new="    mixed = model.mix(both)\n",
            says="The tanh after model.mix is missing.",
            cost=0.3,
        ),
        Mistake(
            "tanh-before-the-mixing",
            old=MIXED,
            new="    mixed = model.mix(both.tanh())\n",
            says="The tanh comes before model.mix; it belongs after it.",
            cost=0.3,
        ),
        Mistake(
            "relu-for-tanh",
            old=".tanh()",
            new=".relu()",
            says="The mixture goes through a ReLU. Its activation here is tanh.",
            cost=0.3,
        ),
        Mistake(
            "mixing-skipped",
            old=OUT,
            new="    logits = model.output(y)\n",
            says="The output layer gets the decoder's output, and what attention found is dropped on the way. Give it "
            "the mixture.",
            cost=0.5,
        ),
        Mistake(
            "softmax-on-the-logits",
            old=OUT,
            new="    logits = model.output(mixed).softmax(dim=2)\n",
            says="Probabilities are returned. The loss and the search take the softmax themselves: return the scores "
            "as they are.",
            cost=0.3,
        ),
        Mistake(
            "log-softmax-on-the-logits",
            old=OUT,
            new="    logits = model.output(mixed).log_softmax(dim=2)\n",
            says="Log probabilities are returned; the raw scores, the logits, are asked for. (Nothing breaks here, since "
            "a second log_softmax changes nothing, but say what you return.)",
            cost=0.2,
        ),
        Mistake(
            "last-step-only",
            old=OUT,
            new="    logits = model.output(mixed[:, -1:])\n",
            says="Only the last symbol is answered. Every one of the T symbols has a successor to be scored.",
            cost=0.4,
        ),
        Mistake(
            "state-cut-off",
            old="state[None])",
            new="state[None].detach())",
            says="The numbers are right, but the state is detached, so no gradient reaches the encoder through it.",
            cost=0.3,
        ),
        Mistake(
            "no-gradient",
            old=RETURN,
            new="    return logits.detach(), state[0], weights",
            says="The numbers are right, but the logits are cut off from the model by detach, .data or no_grad: a loss "
            "made of them teaches nothing.",
            cost=0.4,
        ),
        Mistake(
            "final-state-asks-for-all",
            old="    context, weights = model.attention(y, keys, mask)\n",
            new="    query = state[0][:, None].expand(-1, symbols.shape[1], -1)\n"
            "    context, weights = model.attention(query, keys, mask)\n",
            says="Every symbol asks with the state after the *last* one, so that all look at "
            "the same place, and the early ones with what they cannot know yet. Each "
            "asks with its own output.",
            cost=0.4,
        ),
    ),
)


# greedy_decode ---------------------------------------------------------------------------------------


def use_greedy_decode(greedy_decode, embedding, recurrent, output, state, first, end, max_length):
    import torch

    embedding, recurrent, output = (torch.tensor(one) for one in (embedding, recurrent, output))
    B, asked, wasted = len(state), set(), []

    def step(symbols, state):
        asked.add(len(symbols))
        # Two further numbers of the state count what a text has read, and note whether that held its end.
        h, read, ended = state[:, :-2], state[:, -2:-1], state[:, -1:]
        h = torch.tanh(embedding[symbols] + h @ recurrent)
        ended = torch.where((read > 0) & (symbols[:, None] == end), 1.0, ended)
        if ended.all():
            wasted.append(True)
        return h @ output, torch.cat([h, read + 1, ended], dim=1)

    state = torch.tensor(np.pad(state, [(0, 0), (0, 2)]))
    texts = greedy_decode(step, state, first, end, max_length)
    if texts is None:
        return None
    if asked - {B}:
        return texts, f"about {min(asked)} of {B} texts at a time"
    return texts, "about all, even after all have ended" if wasted else "about all, until all have ended"


def network(rng, V, H):
    """Arrays of a small recurrent network whose favourite symbol depends on all that it has read."""
    return rng.normal(0, 1.2, (V, H)), rng.normal(0, 1.0, (H, H)), rng.normal(0, 1.5, (H, V))


def greedily(arrays, state, first, steps):
    """What each text says in a number of steps, written greedily: (B, steps) symbols."""
    embedding, recurrent, output = arrays
    said = [np.full(len(state), first)]
    for _ in range(steps):
        state = np.tanh(embedding[said[-1]] + state @ recurrent)
        said.append((state @ output).argmax(axis=1))
    return np.stack(said[1:], axis=1)


def ends(said, end):
    """In which step each text of (B, steps) symbols ends: (B,), the number of steps where it does not."""
    return np.where((said == end).any(axis=1), (said == end).argmax(axis=1), said.shape[1])


def draw_greedy_decode(rng):
    def case(B, V, H, max_length, wanted, when="", first=None):
        """Draw until the texts' lengths are as wanted; ``first`` is drawn, and not the end, if not given."""
        while True:
            end = int(rng.integers(1, V - 1))  # neither the smallest nor the largest
            others = [symbol for symbol in range(1, V) if symbol != end]
            start = end if first == "end" else int(rng.choice(others))
            arrays, state = network(rng, V, H), rng.uniform(-0.9, 0.9, (B, H))
            said = greedily(arrays, state, start, max_length + 1)
            lengths = ends(said, end)
            # When the last text ends, one that has ended says something else, which is not to be looked at.
            told_apart = wanted is not all_end or (said[:, lengths.max() % len(said[0])] != end).any()
            # Where some never end, one says 0: to cut there is not the same as not to cut at all.
            told_apart &= wanted is not some_do_not or (said[:, :max_length] == 0).any()
            if wanted(lengths, max_length) and told_apart:
                args = (*arrays, state, start, end, max_length)
                return Case(args, {"B": B, "V": V, "H": H}, when)

    def all_end(lengths, most):
        return len(set(lengths)) > 1 and lengths.min() > 0 and 3 <= lengths.max() < most - 2

    def some_do_not(lengths, most):
        return lengths.max() == most + 1 and 0 < lengths.min() < most - 2  # nor would it one step later

    return [
        case(3, 5, 4, 9, all_end),
        case(4, 6, 3, 8, some_do_not),
        case(3, 4, 5, 7, all_end),
        case(3, 5, 4, 8, all_end, "`first` and `end` are the same symbol", first="end"),
        case(3, 4, 2, 7, lambda lengths, most: lengths.min() == 0 and lengths.max() > 2, "a text is empty"),
        case(1, 5, 3, 8, lambda lengths, most: 1 < lengths[0] < most - 1, "B = 1"),
    ]


CALL = "        logits, state = step(symbols, state)\n"
BEST = "        symbols = logits.argmax(dim=1)\n"
STOP = "        ended = ended | (symbols == end)\n        if ended.all():\n            break\n"
ROWS = "    rows = torch.stack(steps, dim=1).tolist()\n"
CUT = "    return [row[: [*row, end].index(end)] for row in rows]"

GREEDY_DECODE = Exercise(
    reference=greedy_decode,
    returns=("texts", "step is asked"),
    draw=draw_greedy_decode,
    use=use_greedy_decode,
    mistakes=(
        Mistake(
            "not-fed-back",
            old=CALL + BEST,
            new="        logits, state = step(torch.full_like(symbols, first), state)\n" + BEST,
            says="Every step is given the first symbol again. What the network has just said is what it reads next.",
            cost=0.5,
        ),
        Mistake(
            "state-not-carried",
            old=CALL,
            new="        logits, _ = step(symbols, state)\n",
            says="Every step starts from the *same* state, so the network forgets what it has written. Hand on the "
            "state that step returns.",
            cost=0.5,
        ),
        Mistake(
            "worst-symbol",
            old="logits.argmax(dim=1)",
            new="logits.argmin(dim=1)",
            says="The symbol with the *lowest* score is taken.",
            cost=0.3,
        ),
        Mistake(
            "argmax-over-the-batch",
            old="logits.argmax(dim=1)",
            new="logits.argmax(dim=0)",
            says="The best is sought along the batch (dim=0). Each text chooses among the V symbols: dim=1.",
            cost=0.3,
        ),
        Mistake(
            "one-text-decides-for-all",
            old="logits.argmax(dim=1)",
            new="logits[0].argmax().repeat(len(state))",
            also=("logits[-1].argmax().repeat(len(state))",),
            says="One text's best symbol is written into all texts. Each chooses for itself.",
            cost=0.5,
        ),
        Mistake(
            "first-is-end",
            old="torch.full((len(state),), first",
            new="torch.full((len(state),), end",
            says="The texts begin with the symbol `end`. The first thing that the network reads is `first`.",
            cost=0.3,
        ),
        Mistake(
            "starts-with-zero",
            old="torch.full((len(state),), first, device=state.device)",
            new="torch.zeros(len(state), dtype=torch.long)",
            says="The texts begin with symbol 0, whatever `first` is.",
            cost=0.3,
        ),
        Mistake(
            "first-symbol-kept",
            old="    steps = []\n",
            new="    steps = [symbols]\n",
            says="The texts begin with the symbol `first`. That is what the network reads, not what it says.",
            cost=0.2,
        ),
        Mistake(
            "end-kept",
            old=CUT,
            new="    return [row[: [*row, end].index(end) + 1] for row in rows]",
            says="The end symbol is still there. A text stops *before* its first `end`.",
            cost=0.2,
        ),
        Mistake(
            "written-on-after-the-end",
            old=CUT,
            new="    return rows",
            says="The batch goes on until its longest text has ended, and what the others say after their end is kept. "
            "Cut each text at its first `end`.",
            cost=0.4,
        ),
        Mistake(
            "end-ignored",
            old=STOP + ROWS + CUT,
            new=ROWS + "    return rows",
            also=(
                ROWS + "    return [[symbol for symbol in row if symbol != end] for row in rows]",
                STOP.replace("ended | (symbols == end)", "symbols == end")
                + ROWS
                + "    return [[symbol for symbol in row if symbol != end] for row in rows]",
            ),
            says="Nobody listens to `end`: the loop runs on to max_length when all have ended, and what a text says "
            "after its first `end` is kept. Stop once all have ended, and cut each text where it ended itself.",
            cost=0.5,
        ),
        Mistake(
            "end-taken-out",
            old=CUT,
            new="    return [[symbol for symbol in row if symbol != end] for row in rows]",
            says="The end symbols are taken out and what comes after them stays. Whatever a text says after its first "
            "`end` is not part of it.",
            cost=0.4,
        ),
        Mistake(
            "end-is-zero",
            old=CUT,
            new="    return [row[: [*row, 0].index(0)] for row in rows]",
            says="The texts are cut at symbol 0. The symbol that ends a text is given as `end`.",
            cost=0.3,
        ),
        Mistake(
            "stops-with-the-first",
            old="ended.all()",
            new="ended.any()",
            says="Writing stops as soon as *one* text has ended, and the others are cut short. Wait for all of them.",
            cost=0.4,
        ),
        Mistake(
            "never-stops-early",
            old=STOP,
            new="",
            also=(STOP.replace("ended | (symbols == end)", "symbols == end"),),
            says="The loop runs on when every text has ended. Remember who has ended, in this step or in an earlier "
            "one, and stop once all have: most texts are far shorter than max_length.",
            cost=0.2,
        ),
        Mistake(
            "one-step-short",
            old="range(max_length)",
            new="range(max_length - 1)",
            says="A text that does not end has one symbol too few: max_length symbols may be written.",
            cost=0.2,
        ),
        Mistake(
            "one-step-too-many",
            old="range(max_length)",
            new="range(max_length + 1)",
            says="A text that does not end has one symbol too many: max_length symbols may be written.",
            cost=0.2,
        ),
        Mistake(
            "steps-for-texts",
            old=ROWS,
            new="    rows = torch.stack(steps).tolist()\n",
            says="The rows are steps, not texts: the stack puts time in front. Each text should be a list of its own.",
            cost=0.3,
        ),
        Mistake(
            "one-text-at-a-time",
            old="    symbols = torch.full((len(state),), first, device=state.device)\n"
            "    ended = symbols != symbols\n"
            "    steps = []\n"
            "    for _ in range(max_length):\n"
            "        logits, state = step(symbols, state)\n"
            "        symbols = logits.argmax(dim=1)\n"
            "        steps.append(symbols)\n"
            "        ended = ended | (symbols == end)\n"
            "        if ended.all():\n"
            "            break\n"
            "    rows = torch.stack(steps, dim=1).tolist()\n"
            "    return [row[: [*row, end].index(end)] for row in rows]",
            new="    rows = []\n"
            "    for start in state:\n"
            "        own, symbols, row = start[None], torch.tensor([first]), []\n"
            "        for _ in range(max_length):\n"
            "            logits, own = step(symbols, own)\n"
            "            symbols = logits.argmax(dim=1)\n"
            "            row.append(int(symbols))\n"
            "            if row[-1] == end:\n"
            "                break\n"
            "        rows.append(row[: [*row, end].index(end)])\n"
            "    return rows",
            says="The texts are right, but each is written by itself. step takes in the "
            "symbols of all B texts at once, (B,), which is as much faster on a GPU.",
            cost=0.3,
        ),
    ),
)


# beam_search -----------------------------------------------------------------------------------------


def use_beam_search(beam_search, embedding, recurrent, output, state, first, end, width, max_length):
    import torch

    embedding, recurrent, output = (torch.tensor(one) for one in (embedding, recurrent, output))

    def step(symbols, state):
        state = torch.tanh(embedding[symbols] + state @ recurrent)
        return state @ output, state

    return beam_search(step, torch.tensor(state), first, end, width, max_length)


OTHER_RULES = (
    "stops at width",
    "shrinks",
    "set aside first",
    "own best child",
    "width for each",
    "goes on after the end",
)


def finalists(arrays, state, first, end, width, max_length, rule=""):
    """The texts set aside and those still in play when a beam search is over: (log probability, symbols).

    ``rule``: one of OTHER_RULES, by which other textbooks end a search or count its places.
    """
    embedding, recurrent, output = arrays
    texts, log_probs, state, ended = [[]], np.zeros(1), state, []
    for t in range(max_length):
        symbols = np.array([text[-1] for text in texts] if t else [first])
        state = np.tanh(embedding[symbols] + state @ recurrent)
        logits = state @ output
        total = log_probs[:, None] + logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        order = np.argsort(-total, axis=None)
        if rule == "set aside first":
            ended += [(total[p, end], [*texts[p], end]) for p in range(len(texts))]
            order = order[order % total.shape[1] != end]
        if rule == "own best child" and t:
            order = total.argmax(axis=1) + np.arange(len(total)) * total.shape[1]
        if rule == "width for each":
            each = np.argsort(-total, axis=1)[:, :width] + np.arange(len(total))[:, None] * total.shape[1]
            order = order[np.isin(order, each)]
        places = {"shrinks": width - len(ended), "width for each": order.size}.get(rule, width)
        parents, symbols = np.unravel_index(order[:places], total.shape)
        texts = [[*texts[parent], int(symbol)] for parent, symbol in zip(parents, symbols, strict=True)]
        grown = list(zip(total[parents, symbols], texts, strict=True))
        ended += [one for one in grown if one[1][-1] == end]
        stay = (symbols != end) | (rule == "goes on after the end")
        texts = [text for text, stays in zip(texts, stay, strict=True) if stays]
        log_probs, state = total[parents, symbols][stay], state[parents[stay]]
        if not texts or (rule == "stops at width" and len(ended) >= width):
            break
    return ended, [one for one in grown if one[1][-1] != end]


OVERFLOWS = 750  # the exponential of this is infinite in float64


def per_symbol(one, more=0):
    return one[0] / (len(one[1]) + more)


def draw_beam_search(rng):
    def case(V, H, width, max_length, wanted, when="", scale=0.6, towards_end=0.0):
        """Draw until ``wanted`` is true of what the search ends with, and what it would with other widths.

        ``scale`` and ``towards_end``, what is added to the weights of ``end``: such networks are found sooner.
        """
        while True:
            end, first = (int(one) for one in rng.permutation(V)[:2])
            embedding, recurrent, output = network(rng, V, H)
            output = scale * (output + towards_end * (np.arange(V) == end))
            arrays, state = (embedding, recurrent, output), rng.uniform(-0.9, 0.9, (1, H))

            def search(width, rule="", given=(arrays, state, first, end)):
                return finalists(*given, width, max_length, rule)

            if scale > 100 and (np.tanh(embedding[first] + state @ recurrent) @ output).max() < OVERFLOWS:
                continue  # an exponential before the logarithm might do no harm

            found = search(width)
            if best(*found)[:1] == [0]:
                continue  # zeros are no answer, and shall not look like the beginning of one
            if wanted(*found, lambda other=width, rule="": best(*search(other, rule))):
                return Case((*arrays, state, first, end, width, max_length), {"V": V, "H": H}, when)

    def best(ended, live):
        return max(ended or live, key=per_symbol)[1]

    def the_likeliest_is_another(ended, live, with_width):
        if not ended or max(ended) == max(ended, key=per_symbol):
            return False
        if with_width(rule="goes on after the end") == best(ended, live):
            return False
        return max(ended)[1] not in (with_width(rule="shrinks"), with_width(rule="stops at width"))

    def an_unfinished_one_is_likelier(ended, live, with_width):
        if not ended or not live or with_width(1) == best([], live):
            return False
        return max(map(per_symbol, live)) > max(map(per_symbol, ended))

    def a_later_one_wins(ended, live, with_width):
        found = best(ended, live)
        return (
            len(ended) > 1
            and live  # which are less likely, so that only who never lets the finished win is wrong
            and max(map(per_symbol, live)) < max(map(per_symbol, ended))
            and found == max(ended)[1]
            and len(found) > len(ended[0][1]) > 1
            and with_width(1) != found
        )

    def one_symbol_more_would_decide(ended, live, with_width):
        other = ended and max(ended, key=lambda one: per_symbol(one, 1))
        if not ended or other[1] == best(ended, live) or other == max(ended):
            return False
        return all(with_width(rule=rule) != other[1] for rule in OTHER_RULES)

    def narrowing_finds_another(ended, live, with_width):
        """Where what has ended keeps its place: another text than here, and than by two of the other rules."""
        if not ended or (narrow := with_width(rule="shrinks")) == best(ended, live):
            return False
        return narrow not in (with_width(rule="stops at width"), with_width(rule="own best child"))

    def stopping_finds_another(ended, live, with_width):
        if not ended or (stopped := with_width(rule="stops at width")) == best(ended, live):
            return False
        return with_width(rule="own best child") not in (stopped, best(ended, live))

    def one_without_a_chance_wins(ended, live, with_width):
        """Its probability is 0 in float64, and its logarithm is not."""
        return ended and -1e4 < max(ended, key=per_symbol)[0] < -800

    def setting_aside_first_finds_another(ended, live, with_width):
        if not ended or (found := with_width(rule="set aside first")) == best(ended, live):
            return False
        return found not in (with_width(40), with_width(rule="width for each"))

    def another_width_finds_another(ended, live, with_width):
        found = best(ended, live)
        return (
            ended
            and found not in (with_width(1), with_width(40))
            and with_width(4) not in (found, with_width(40))
        )

    return [
        case(5, 4, 3, 6, the_likeliest_is_another),
        case(6, 3, 2, 7, an_unfinished_one_is_likelier),
        case(5, 5, 3, 6, a_later_one_wins, scale=1.2, towards_end=1.0),
        case(7, 4, 4, 6, one_symbol_more_would_decide),
        case(6, 4, 3, 6, another_width_finds_another, scale=1.2, towards_end=1.0),
        case(5, 4, 2, 7, narrowing_finds_another),
        case(6, 4, 2, 6, stopping_finds_another),
        case(5, 4, 2, 7, setting_aside_first_finds_another),
        case(5, 4, 2, 5, one_without_a_chance_wins, "scores lie far apart", scale=600.0),
        case(5, 4, 1, 6, lambda ended, live, with_width: ended, "width = 1, which is greedy"),
        case(
            4,
            3,
            2,
            5,
            lambda ended, live, with_width: not ended,
            "no text has ended after max_length symbols",
        ),
        case(5, 4, 5, 4, lambda *anything: True, "width is the size of the vocabulary"),
    ]


GROW = "                grown.append((log_prob + more, [*ids, symbol], after))\n"
SORTED = "sorted(grown, key=lambda one: one[0], reverse=True)[:width]"
SET_ASIDE = "        ended += [one for one in best if one[1][-1] == end]\n"
STAY = "        live = [one for one in best if one[1][-1] != end]\n"
CHOOSE = "    log_prob, ids, _ = max(ended or live, key=lambda one: one[0] / (len(one[1]) - 1))\n"
ANSWER = "    return [symbol for symbol in ids[1:] if symbol != end], log_prob"

BEAM = inspect.getsource(beam_search).split("import torch\n\n")[1]
BEST_CHILDREN = (
    GROW
    + "        V = logits.shape[1]\n"
    + "        best = sorted(grown, key=lambda one: one[0], reverse=True)[:width]\n"
    + "        if len(grown) > V:\n"
    + "            best = [max(grown[start : start + V], key=lambda one: one[0])\n"
    + "                    for start in range(0, len(grown), V)]\n"
)
SIDE_BY_SIDE = """    live = [(0.0, [first], state)]
    for _ in range(max_length):
        grown = []
        for log_prob, ids, state in live:
            if ids[-1] == end:
                grown.append((log_prob, ids, state))
                continue
            logits, after = step(torch.tensor(ids[-1:], device=state.device), state)
            scores = logits[0].log_softmax(dim=0)
            for symbol in scores.topk(min(width, len(scores)) if len(ids) == 1 else 1).indices.tolist():
                grown.append((log_prob + scores[symbol].item(), [*ids, symbol], after))
        live = grown
    ended = [one for one in live if one[1][-1] == end]
    log_prob, ids, _ = max(ended or live, key=lambda one: one[0] / (len(one[1]) - 1))
    return [symbol for symbol in ids[1:] if symbol != end], log_prob
"""

BEAM_SEARCH = Exercise(
    reference=beam_search,
    returns=("ids", "log_prob"),
    draw=draw_beam_search,
    use=use_beam_search,
    mistakes=(
        Mistake(
            "probabilities-added",
            old="log_softmax(dim=0)",
            new="softmax(dim=0)",
            says="Probabilities are added up. Those of a whole text multiply, so it is their *logarithms* that add.",
            cost=0.4,
        ),
        Mistake(
            "logits-added",
            old="logits[0].log_softmax(dim=0).tolist()",
            new="logits[0].tolist()",
            says="Raw scores are added up. Two steps' scores cannot be compared before a log_softmax makes log "
            "probabilities of them.",
            cost=0.3,
        ),
        Mistake(
            "log-of-a-probability",
            old="logits[0].log_softmax(dim=0)",
            new="logits[0].softmax(dim=0).log()",
            also=(
                "(logits[0].softmax(dim=0) + 1e-8).log()",
                "(logits[0].softmax(dim=0) + 1e-12).log()",
                "(logits[0].exp() / logits[0].exp().sum()).log()",
                "(logits[0] - logits[0].exp().sum().log())",
            ),
            says="The logarithm is taken after an exponential. Where scores lie far apart, that has become 0 or "
            "infinite by then: log_softmax gives the logarithm without that step.",
            cost=0.25,
        ),
        Mistake(
            "log-probabilities-multiplied",
            old="log_prob + more",
            new="log_prob * more",
            says="Log probabilities are multiplied. Probabilities multiply; their logarithms add.",
            cost=0.4,
        ),
        Mistake(
            "last-symbol-only",
            old="log_prob + more",
            new="more",
            says="Each beginning is judged by its last symbol alone. Its log probability is the sum over all of them.",
            cost=0.5,
        ),
        Mistake(
            "state-not-carried",
            old=GROW,
            new=GROW.replace("after", "state"),
            says="Each beginning goes on from the state that it had *before* its last symbol. Keep the state that step "
            "returned with it.",
            cost=0.5,
        ),
        Mistake(
            "one-state-for-all",
            old=SET_ASIDE,
            new="        best = [(one[0], one[1], after) for one in best]\n" + SET_ASIDE,
            says="All beginnings go on from one and the same state, the last that was computed. Each needs the state "
            "of the beginning that *it* grew from.",
            cost=0.4,
        ),
        Mistake(
            "beam-for-each-parent",
            old=GROW + "        best = " + SORTED + "\n",
            new=GROW
            + "        best = []\n"
            + "        V = logits.shape[1]\n"
            + "        for start in range(0, len(grown), V):\n"
            + "            best += sorted(grown[start : start + V], key=lambda one: one[0], reverse=True)[:width]\n",
            says="Each beginning keeps `width` continuations of its own, so their number multiplies from step to step. "
            "Put all continuations of all beginnings together and keep the best `width` of them.",
            cost=0.5,
        ),
        Mistake(
            "best-child-of-each-parent",
            old=BEAM,
            new=BEAM.replace(GROW + "        best = " + SORTED + "\n", BEST_CHILDREN),
            also=(SIDE_BY_SIDE,),
            says="Each beginning keeps only its own best continuation, so the beams never compete: these are several "
            "greedy searches side by side. Let all continuations of all beginnings compete.",
            cost=0.5,
        ),
        Mistake(
            "worst-kept",
            old="reverse=True",
            new="reverse=False",
            says="The beginnings with the *lowest* log probability are kept. Log probabilities are negative: the one "
            "nearest to zero is the best.",
            cost=0.3,
        ),
        Mistake(
            "width-ignored",
            old="[:width]",
            new="[:1]",
            says="Only one beginning is kept. That is greedy search; keep `width` of them.",
            cost=0.7,
        ),
        Mistake(
            "one-too-many-kept",
            old="[:width]",
            new="[: width + 1]",
            says="One beginning too many is kept in each round: `width` of them are to stay.",
            cost=0.2,
        ),
        Mistake(
            "goes-on-after-the-end",
            old=STAY,
            new="        live = best\n",
            says="Texts that have ended go on growing and take the places of those still in play. Set them aside.",
            cost=0.4,
        ),
        Mistake(
            "ended-only-count-at-the-finish",
            old=SET_ASIDE,
            new="        ended = [one for one in best if one[1][-1] == end]\n",
            says="Only what ends in the very last round can win: texts that ended before are forgotten.",
            cost=0.4,
        ),
        Mistake(
            "stops-with-the-first-that-ends",
            old=STAY,
            new=STAY + "        if ended:\n            break\n",
            says="The search stops when the first text ends. A longer one that is still in play may turn out likelier.",
            cost=0.4,
        ),
        Mistake(
            "stops-when-width-have-ended",
            old=STAY,
            new=STAY + "        if len(ended) >= width:\n            break\n",
            says="The search stops when `width` texts have ended. Here it goes on, up to max_length rounds, for a longer "
            "one that is still in play may turn out likelier per symbol.",
            cost=0.2,
        ),
        Mistake(
            "ended-keep-their-places",
            old="[:width]",
            new="[: max(0, width - len(ended))]",
            says="Each text that has ended keeps its place for good, so the beam grows narrower and narrower. What has "
            "ended is set aside: in the next round `width` stay again.",
            cost=0.2,
        ),
        Mistake(
            "set-aside-before-the-cut",
            old="        best = " + SORTED + "\n" + SET_ASIDE,
            new=SET_ASIDE.replace("best", "grown")
            + "        best = sorted((one for one in grown if one[1][-1] != end), "
            "key=lambda one: one[0], reverse=True)[:width]\n",
            says="What ends is set aside before the cut to `width`, however unlikely it is. All that has grown competes "
            "for the places, ended or not: cut first, then set aside.",
            cost=0.2,
        ),
        Mistake(
            "unfinished-may-win",
            old="ended or live",
            new="ended + live",
            says="A text that has not ended can win against finished ones. Only if nothing has ended do those still in "
            "play count.",
            cost=0.3,
        ),
        Mistake(
            "finished-never-win",
            old="max(ended or live",
            new="max(live or ended",
            says="A text that has not ended wins over all finished ones. Those set aside come first.",
            cost=0.3,
        ),
        Mistake(
            "length-unnormalised",
            old="one[0] / (len(one[1]) - 1)",
            new="one[0]",
            says="The finished texts are compared by their whole log probability, which is lower the longer a text is, "
            "so short ones win. Compare the log probability *per symbol*.",
            cost=0.3,
        ),
        Mistake(
            "length-counted-wrongly",
            old="len(one[1]) - 1",
            new="len(one[1])",
            says="The log probability per symbol is divided by a length that is off by one: count all symbols that the "
            "text was charged for, `end` included and `first` not.",
            cost=0.2,
        ),
        Mistake(
            "log-probability-per-symbol-returned",
            old=ANSWER,
            new=ANSWER.replace(", log_prob", ", log_prob / (len(ids) - 1)"),
            says="The text is right; the number beside it is its log probability per symbol. The whole is asked for.",
            cost=0.2,
        ),
        Mistake(
            "probability-returned",
            old=ANSWER,
            new=ANSWER.replace(", log_prob", ", 2.718281828459045**log_prob"),
            says="The text is right; the number beside it is a probability. Its logarithm is asked for.",
            cost=0.2,
        ),
        Mistake(
            "end-kept",
            old=ANSWER,
            new="    return ids[1:], log_prob",
            says="The end symbol is still there. The ids are without `first` and `end`.",
            cost=0.2,
        ),
        Mistake(
            "first-kept",
            old=ANSWER,
            new="    return [ids[0], *[symbol for symbol in ids[1:] if symbol != end]], log_prob",
            says="The text begins with the symbol `first`. That is what the network reads, not what it says.",
            cost=0.2,
        ),
        Mistake(
            "always-starts-again",
            old="torch.tensor(ids[-1:], device=state.device)",
            new="torch.tensor([first], device=state.device)",
            says="Every step is given the symbol `first`. A beginning goes on from its own last symbol.",
            cost=0.5,
        ),
        Mistake(
            "one-round-short",
            old="range(max_length)",
            new="range(max_length - 1)",
            says="There is one round too few: a text may have max_length symbols, `end` included.",
            cost=0.2,
        ),
        Mistake(
            "first-and-end-kept",
            old=ANSWER,
            new="    return ids, log_prob",
            says="The ids still hold `first` and `end`. They mark where a text begins and "
            "stops, and are no part of it.",
            cost=0.25,
        ),
        Mistake(
            "grows-on-behind-the-end",
            old="    live, ended = [(0.0, [first], state)], []\n"
            "    for _ in range(max_length):\n"
            "        grown = []\n"
            "        for log_prob, ids, state in live:\n"
            "            logits, after = step(torch.tensor(ids[-1:], "
            "device=state.device), state)\n"
            "            for symbol, more in "
            "enumerate(logits[0].log_softmax(dim=0).tolist()):\n"
            "                grown.append((log_prob + more, [*ids, symbol], after))\n"
            "        best = sorted(grown, key=lambda one: one[0], reverse=True)[:width]\n"
            "        ended += [one for one in best if one[1][-1] == end]\n"
            "        live = [one for one in best if one[1][-1] != end]\n"
            "    log_prob, ids, _ = max(ended or live, key=lambda one: one[0] / "
            "(len(one[1]) - 1))\n"
            "    return [symbol for symbol in ids[1:] if symbol != end], log_prob\n",
            new="    live = [(0.0, [first], state)]\n"
            "    for _ in range(max_length):\n"
            "        grown = []\n"
            "        for log_prob, ids, state in live:\n"
            "            logits, after = step(torch.tensor(ids[-1:], "
            "device=state.device), state)\n"
            "            for symbol, more in "
            "enumerate(logits[0].log_softmax(dim=0).tolist()):\n"
            "                grown.append((log_prob + more, [*ids, symbol], after))\n"
            "        live = sorted(grown, key=lambda one: one[0], reverse=True)[:width]\n"
            "    log_prob, ids, _ = max(live, key=lambda one: one[0] / (len(one[1]) "
            "- 1))\n"
            "    return [*ids[1:], end][: [*ids[1:], end].index(end)], log_prob\n",
            says="Texts that have ended stay in the beam and grow on, so what comes after "
            "`end` counts in their log probability. Set them aside when they end.",
            cost=0.4,
        ),
    ),
)

EXERCISES = (ENCODE, ATTENTION, DECODE_STEP, GREEDY_DECODE, BEAM_SEARCH)
