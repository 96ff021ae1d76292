"""From one sequence to another: a network that reads, one that writes, and how to get words out of it.

``encode`` reads a batch of texts, ``decode_step`` scores the next symbol of each translation with a look
back at what was read (``rnncore.topics.attention``), ``greedy_decode`` takes the best symbol each time, and
``beam_search`` keeps several beginnings in play. The text that lesson 10 compares with; it works on torch
tensors and trusts its arguments. The whole network, and its training, are in ``rnncore.given.translator``.
"""


def encode(model, ids, lengths):
    """Read a padded batch of texts: what the encoder says at each symbol, and its state after the last one.

    ids (B, S) and lengths (B,) give keys (B, S, H), of which those beyond a length mean nothing, and
    state (B, H), each text's own at its true end. model.embed_source makes vectors of ids, and
    model.encoder is a torch.nn.GRU, batch first.
    """
    import torch

    x = model.embed_source(ids)
    keys, _ = model.encoder(x)
    rows = torch.arange(len(ids))
    last = lengths - 1
    state = keys[rows, last]
    return keys, state


def decode_step(model, symbols, state, keys, mask):
    """Take in symbols of the translations, and score what comes after each of them.

    symbols (B, T), one at a time (T = 1) or, where a teacher dictates, all of them; state (B, H); keys
    (B, S, H) and mask (B, S) of the texts. Gives logits (B, T, V), the state after the last symbol (B, H)
    and weights (B, T, S), where it looked. model.embed_target, model.decoder (a GRU, batch first),
    model.attention, model.mix and model.output are its parts (after Luong, Pham and Manning, 2015).
    """
    import torch

    x = model.embed_target(symbols)
    y, state = model.decoder(x, state[None])
    context, weights = model.attention(y, keys, mask)
    both = torch.cat([y, context], dim=2)
    mixed = model.mix(both).tanh()
    logits = model.output(mixed)
    return logits, state[0], weights


def greedy_decode(step, state, first, end, max_length):
    """Write translations, taking the best symbol each time: a list of B lists of ids.

    step(symbols (B,), state) gives logits (B, V) and the next state; it is called first with the symbol
    ``first`` for everybody and state (B, H), then with what it said best itself. A text stops before its
    first ``end`` or after max_length symbols, and nothing more is computed once all have stopped.
    """
    import torch

    symbols = torch.full((len(state),), first, device=state.device)
    ended = symbols != symbols
    steps = []
    for _ in range(max_length):
        logits, state = step(symbols, state)
        symbols = logits.argmax(dim=1)
        steps.append(symbols)
        ended = ended | (symbols == end)
        if ended.all():
            break
    rows = torch.stack(steps, dim=1).tolist()
    return [row[: [*row, end].index(end)] for row in rows]


def beam_search(step, state, first, end, width, max_length):
    """Write one translation with the ``width`` likeliest beginnings in play: its ids and log probability.

    step, first, end and max_length as for ``greedy_decode``, with state (1, H). A beginning's log
    probability is the sum of its symbols'. In each round every beginning grows by every symbol, and the
    ``width`` likeliest of all stay; those that end there, with the symbol ``end``, are set aside. The
    result is the one set aside with the highest log probability *per symbol*, ``end`` included (if nothing
    ended, of those still in play); ids are without ``first`` and ``end``.
    """
    import torch

    live, ended = [(0.0, [first], state)], []
    for _ in range(max_length):
        grown = []
        for log_prob, ids, state in live:
            logits, after = step(torch.tensor(ids[-1:], device=state.device), state)
            for symbol, more in enumerate(logits[0].log_softmax(dim=0).tolist()):
                grown.append((log_prob + more, [*ids, symbol], after))
        best = sorted(grown, key=lambda one: one[0], reverse=True)[:width]
        ended += [one for one in best if one[1][-1] == end]
        live = [one for one in best if one[1][-1] != end]
    log_prob, ids, _ = max(ended or live, key=lambda one: one[0] / (len(one[1]) - 1))
    return [symbol for symbol in ids[1:] if symbol != end], log_prob
