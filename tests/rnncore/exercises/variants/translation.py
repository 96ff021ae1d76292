"""Correct variants for lesson 10."""

import heapq
import math

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, unpad_sequence

from tests.rnncore.exercises.variants import answers


@answers("encode")
def packed(model, ids, lengths):
    x = pack_padded_sequence(model.embed_source(ids), lengths.cpu(), batch_first=True, enforce_sorted=False)
    y, h_n = model.encoder(x)
    keys, _ = pad_packed_sequence(y, batch_first=True)
    return keys, h_n[0]


@answers("encode")
def sorted_and_put_back(model, ids, lengths):
    order = lengths.argsort(descending=True)
    x = pack_padded_sequence(model.embed_source(ids[order]), lengths[order], batch_first=True)
    y, h_n = model.encoder(x)
    keys = pad_packed_sequence(y, batch_first=True)[0]
    back = order.argsort()
    return keys[back], h_n.squeeze(0)[back]


@answers("encode")
def text_by_text(model, ids, lengths):
    texts = [row[:length][None] for row, length in zip(ids, lengths, strict=True)]
    found = [model.encoder(model.embed_source(text)) for text in texts]
    keys = torch.nn.utils.rnn.pad_sequence([y[0] for y, _ in found], batch_first=True)
    return keys, torch.cat([h[:, 0] for _, h in found])


@answers("encode")
def gathered(model, ids, lengths):
    keys = model.encoder(functional.embedding(ids, model.embed_source.weight))[0]
    last = (lengths - 1)[:, None, None].expand(-1, 1, keys.shape[2])
    return [keys, keys.gather(1, last).squeeze(1)]


@answers("encode")
def last_of_each_unpadded(model, ids, lengths):
    keys, _ = model.encoder(model.embed_source(ids))
    return keys, torch.stack([row[-1] for row in unpad_sequence(keys, lengths, batch_first=True)])


@answers("encode")
def masked_sum_and_float32(model, ids, lengths):
    keys, _ = model.encoder(model.embed_source(ids))
    at_end = torch.arange(ids.shape[1]) == lengths[:, None] - 1
    return keys, (keys.float() * at_end[..., None]).sum(dim=1)


@answers("attention")
def einsum_and_where(query, keys, mask):
    scores = torch.einsum("bth,bsh->bts", query, keys) / math.sqrt(query.shape[-1])
    weights = torch.softmax(torch.where(mask[:, None, :], scores, float("-inf")), dim=-1)
    return torch.einsum("bts,bsh->bth", weights, keys), weights


@answers("attention")
def very_negative_instead_of_infinite(query, keys, mask):
    scores = torch.bmm(query, keys.permute(0, 2, 1)) * keys.size(-1) ** -0.5
    scores = scores + (mask.to(scores)[:, None] - 1) * 1e9
    weights = functional.softmax(scores, -1)
    return torch.bmm(weights, keys), weights


@answers("attention")
def torchs_own(query, keys, mask):
    def attend(values):
        return functional.scaled_dot_product_attention(query, keys, values, attn_mask=mask[:, None])

    return attend(keys), attend(torch.eye(keys.shape[1], dtype=keys.dtype).expand(len(keys), -1, -1))


@answers("attention")
def softmax_by_hand_and_shared_out_again(query, keys, mask):
    scores = (query / query.shape[2] ** 0.5) @ keys.mT
    scores = scores - scores.masked_fill(~mask[:, None], -torch.inf).amax(dim=2, keepdim=True)
    shares = scores.clamp(max=0).exp() * mask[:, None]
    weights = shares / shares.sum(dim=2, keepdim=True)
    return weights @ keys, weights


@answers("attention")
def one_query_at_a_time(query, keys, mask):
    contexts, weights = [], []
    for t in range(query.shape[1]):
        scores = (query[:, t, None] * keys).sum(dim=2) / query.shape[2] ** 0.5
        scores[~mask] = -math.inf
        weights.append(scores.softmax(dim=1))
        contexts.append((weights[-1][:, :, None] * keys).sum(dim=1))
    return torch.stack(contexts, dim=1), torch.stack(weights, dim=1)


@answers("attention")
def text_by_text_without_the_padding(query, keys, mask):
    contexts, weights = [], torch.zeros(query.shape[0], query.shape[1], keys.shape[1], dtype=keys.dtype)
    for b in range(len(query)):
        real = keys[b, mask[b]]
        w = torch.softmax(query[b] @ real.T / query.shape[2] ** 0.5, dim=1)
        weights[b, :, mask[b]] = w
        contexts.append(w @ real)
    return torch.stack(contexts), weights


@answers("decode_step")
def one_symbol_at_a_time(model, symbols, state, keys, mask):
    logits, weights = [], []
    for symbol in symbols.T:
        y, state = model.decoder(model.embed_target(symbol)[:, None], state.unsqueeze(0))
        state = state.squeeze(0)
        context, looked = model.attention(y, keys, mask)
        logits.append(model.output(torch.tanh(model.mix(torch.cat((y, context), dim=-1)))))
        weights.append(looked)
    return torch.cat(logits, dim=1), state, torch.cat(weights, dim=1)


@answers("decode_step")
def state_from_the_outputs(model, symbols, state, keys, mask):
    y, _ = model.decoder(model.embed_target(symbols), state.reshape(1, *state.shape))
    context, weights = model.attention(y, keys, mask)
    z = torch.tanh(functional.linear(torch.concat([y, context], 2), model.mix.weight, model.mix.bias))
    return model.output(z), y[:, -1], weights


@answers("decode_step")
def the_mixing_in_two_halves(model, symbols, state, keys, mask):
    H = state.shape[1]
    y, h = model.decoder(model.embed_target.weight[symbols], torch.stack([state]))
    context, weights = model.attention(y, keys, mask)
    W = model.mix.weight
    z = (y @ W[:, :H].T + context @ W[:, H:].T + model.mix.bias).tanh()
    return [z @ model.output.weight.T + model.output.bias, h.view(-1, H), weights]


@answers("decode_step")
def text_by_text_decoded(model, symbols, state, keys, mask):
    parts = []
    for b in range(len(symbols)):
        one = slice(b, b + 1)
        y, h = model.decoder(model.embed_target(symbols[one]), state[one][None])
        context, weights = model.attention(y, keys[one], mask[one])
        parts.append((model.output(model.mix(torch.cat([y, context], -1)).tanh()), h[0], weights))
    return tuple(torch.cat(part) for part in zip(*parts, strict=True))


@answers("decode_step")
def attention_written_out(model, symbols, state, keys, mask):
    y, state = model.decoder(model.embed_target(symbols), state[None].contiguous())
    scores = (y @ keys.mT / y.shape[2] ** 0.5).masked_fill(~mask[:, None], -torch.inf)
    weights = scores.softmax(-1)
    features = torch.cat([y, weights @ keys], dim=2)
    logits = model.output(functional.tanh(model.mix(features.flatten(0, 1)))).unflatten(0, symbols.shape)
    return logits, state.squeeze(0), weights


@answers("greedy_decode")
def asked_about_all_and_cut_afterwards(step, state, first, end, max_length):
    symbols, columns = torch.full((len(state),), first), []
    for _ in range(max_length):
        logits, state = step(symbols, state)
        symbols = logits.argmax(dim=1)
        columns.append(symbols)
        if (torch.stack(columns) == end).any(dim=0).all():
            break
    texts = torch.stack(columns, dim=1).tolist() if columns else [[] for _ in state]
    return [text[: text.index(end)] if end in text else text for text in texts]


@answers("greedy_decode")
def lists_that_are_closed(step, state, first, end, max_length):
    texts = [[] for _ in state]
    is_open = [True] * len(texts)
    symbols = torch.tensor([first] * len(texts))
    for _ in range(max_length):
        if not any(is_open):
            break
        logits, state = step(symbols, state)
        symbols = torch.argmax(logits, dim=-1)
        for b, symbol in enumerate(symbols.tolist()):
            is_open[b] = is_open[b] and symbol != end
            if is_open[b]:
                texts[b].append(symbol)
    return texts


@answers("greedy_decode")
def filled_into_a_tensor(step, state, first, end, max_length):
    B = state.shape[0]
    written = state.new_full((B, max_length), end).long()
    symbols = written.new_full((B,), first)
    for t in range(max_length):
        logits, state = step(symbols, state)
        symbols = logits.log_softmax(1).max(1).indices
        written[:, t] = symbols
        if (written[:, : t + 1] == end).any(dim=1).all():
            break
    lengths = torch.cat([written == end, torch.ones(B, 1, dtype=bool)], 1).int().argmax(1)
    return [row[:length] for row, length in zip(written.tolist(), lengths.tolist(), strict=True)]


@answers("greedy_decode")
def the_ended_say_end_for_ever(step, state, first, end, max_length):
    symbols = torch.full([len(state)], first)
    steps, over = [], torch.zeros(len(state), dtype=torch.bool)
    while len(steps) < max_length and not over.all():
        logits, state = step(symbols, state)
        symbols = torch.where(over, end, logits.argmax(1))
        over |= symbols == end
        steps.append(symbols.tolist())
    return [[symbol for symbol in row if symbol != end] for row in zip(*steps, strict=True)]


@answers("greedy_decode")
def a_set_of_those_still_writing(step, state, first, end, max_length):
    texts, writing = [[] for _ in range(len(state))], set(range(len(state)))
    symbols = torch.full((len(state),), first)
    while writing and max_length > 0:
        logits, state = step(symbols, state)
        symbols, max_length = logits.topk(1).indices[:, 0], max_length - 1
        writing -= {row for row in writing if symbols[row] == end}
        for row in writing:
            texts[row].append(symbols[row].item())
    return texts


@answers("beam_search")
def all_beginnings_in_one_batch(step, state, first, end, width, max_length):
    texts, totals, ended = [[first]], torch.zeros(1, dtype=state.dtype), []
    for _ in range(max_length):
        logits, state = step(torch.tensor([text[-1] for text in texts]), state)
        grown = totals[:, None] + torch.log_softmax(logits, dim=1)
        totals, at = grown.flatten().topk(min(width, grown.numel()))
        parents, symbols = at // grown.shape[1], at % grown.shape[1]
        texts = [[*texts[p], s] for p, s in zip(parents.tolist(), symbols.tolist(), strict=True)]
        over = symbols == end
        ended += [(t, text) for t, text, e in zip(totals.tolist(), texts, over, strict=True) if e]
        texts, totals = [text for text in texts if text[-1] != end], totals[~over]
        state = state[parents[~over]]
        if not texts:
            break
    finalists = ended or list(zip(totals.tolist(), texts, strict=True))
    total, text = max(finalists, key=lambda one: one[0] / (len(one[1]) - 1))
    return [symbol for symbol in text[1:] if symbol != end], total


@answers("beam_search")
def with_dictionaries(step, state, first, end, width, max_length):
    live = {(): (0.0, state)}
    best = None
    for t in range(1, max_length + 1):
        grown = {}
        for text, (score, own) in live.items():
            logits, after = step(torch.tensor([text[-1] if text else first]), own)
            scores = score + torch.log_softmax(logits, dim=-1)[0]
            grown |= {(*text, symbol): (float(one), after) for symbol, one in enumerate(scores)}
        kept = sorted(grown, key=lambda text: -grown[text][0])[:width]
        live = {text: grown[text] for text in kept if text[-1] != end}
        for text in kept:
            if text[-1] == end and (best is None or grown[text][0] / t > best[0]):
                best = (grown[text][0] / t, list(text[:-1]), grown[text][0])
    if best is None:
        text = max(live, key=lambda text: live[text][0])
        return list(text), live[text][0]
    return best[1:]


@answers("beam_search")
def by_a_heap(step, state, first, end, width, max_length):
    live, ended = [(0.0, [], state)], []
    for _ in range(max_length):
        grown = [
            (total + log_prob, [*ids, symbol], after)
            for total, ids, own in live
            for logits, after in [step(torch.full((1,), (ids or [first])[-1]), own)]
            for symbol, log_prob in enumerate((logits - logits.logsumexp(1, keepdim=True))[0].tolist())
        ]
        best = heapq.nlargest(width, grown, key=lambda one: one[0])
        live = [one for one in best if end not in one[1]]
        ended.extend(one for one in best if end in one[1])
    total, ids, _ = max(ended if ended else live, key=lambda one: one[0] / len(one[1]))
    return ids[:-1] if ids[-1] == end else ids, total


@answers("beam_search")
def surprises_to_be_small(step, state, first, end, width, max_length):
    live, ended = [(0.0, [], state)], []
    for _ in range(max_length):
        grown = []
        for cost, ids, own in live:
            logits, after = step(torch.tensor(ids[-1:] or [first]), own)
            costs = torch.logsumexp(logits[0], 0) - logits[0]
            order = costs.argsort()[:width]  # no more of one parent can ever be kept
            grown.extend((cost + costs[symbol].item(), [*ids, symbol.item()], after) for symbol in order)
        grown.sort(key=lambda one: one[0])
        del grown[width:]
        ended += [(cost / len(ids), cost, ids[:-1]) for cost, ids, _ in grown if ids[-1] == end]
        live = [one for one in grown if one[1][-1] != end]
    if not ended:
        ended = [(cost / len(ids), cost, ids) for cost, ids, _ in live]
    _, cost, ids = min(ended)
    return ids, -cost


@answers("beam_search")
def recursive(step, state, first, end, width, max_length):
    def search(live, left):
        if not (left and live):
            return [], live
        grown = []
        for total, ids, own in live:
            logits, after = step(torch.tensor([ids[-1]]), own)
            for symbol in range(logits.shape[1]):
                more = logits.log_softmax(-1)[0, symbol].item()
                grown.append((total + more, (*ids, symbol), after))
        kept = sorted(grown, key=lambda one: one[0])[-width:]
        over = [one for one in kept if one[1][-1] == end]
        ended, rest = search([one for one in kept if one[1][-1] != end], left - 1)
        return over + ended, rest

    ended, live = search([(0.0, (first,), state)], max_length)
    total, ids, _ = max(ended or live, key=lambda one: one[0] / (len(one[1]) - 1))
    return tuple(ids[1 : len(ids) - (ids[-1] == end)]), total
