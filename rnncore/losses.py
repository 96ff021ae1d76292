"""What training makes small: losses, each returned together with its gradient.

A loss is called on the forward pass and hands back the gradient that the backward pass starts from,
so there is no cache and no second function. Both losses are means, so that the size of a gradient
doesn't depend on how many numbers went into it.
"""

import numpy as np


def softmax_cross_entropy(logits, targets):
    """Mean negative log probability of the targets under the softmax of the logits, and its gradient.

    logits (B, T, V) and whole numbers targets (B, T) give loss, a float, and dlogits (B, T, V). The
    mean is over all B * T predictions. Subtracting the largest logit changes no probability and keeps
    every exponential at 1 or below, so that nothing overflows.
    """
    B, T, V = logits.shape
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    picked = np.take_along_axis(log_probs, targets[..., None], axis=-1)
    loss = -float(picked.sum()) / (B * T)
    one_hot = np.arange(V) == targets[..., None]
    dlogits = (np.exp(log_probs) - one_hot) / (B * T)
    return loss, dlogits


def masked_cross_entropy(logits, targets, lengths):
    """Softmax cross-entropy where sequences have been padded to one length T, and its gradient.

    logits (B, T, V), whole numbers targets (B, T) and lengths (B,) give loss, a float, and dlogits
    (B, T, V). The mean is over the sum(lengths) real predictions. What stands at step lengths[b] or
    later is padding: it counts nothing, whatever it is, and its gradient is zero.
    """
    _, T, V = logits.shape
    real = np.arange(T) < lengths[:, None]
    count = int(lengths.sum())
    safe_logits = np.where(real[..., None], logits, 0)
    safe_targets = np.where(real, targets, 0)
    shifted = safe_logits - safe_logits.max(axis=-1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    picked = np.take_along_axis(log_probs, safe_targets[..., None], axis=-1)[..., 0]
    loss = -float((picked * real).sum()) / count
    one_hot = np.arange(V) == safe_targets[..., None]
    dlogits = (np.exp(log_probs) - one_hot) / count
    dlogits = dlogits * real[..., None]
    return loss, dlogits


def mean_squared_error(y, target):
    """Mean of (y - target)**2 over all elements, and its gradient; y and target have one shape."""
    if np.shape(y) != np.shape(target):
        raise ValueError(f"target has shape {np.shape(target)}, expected the shape of y, {np.shape(y)}")
    difference = y - target
    loss = float((difference**2).mean())
    dy = 2 * difference / difference.size
    return loss, dy


def ctc_loss(logits, targets, input_lengths=None, blank=0):
    """Connectionist temporal classification (Graves et al., 2006), and its gradient.

    A sequence of T frames is to spell a shorter target, and nobody says which frame is which symbol.
    A path names a symbol or the blank for each frame; it spells what is left when repeats are merged
    and blanks dropped. The loss is minus the log of the sum of all the paths' probabilities that spell
    the target, and its mean over the batch.

    logits (B, T, V), targets a list of B sequences of ids (each may be empty), input_lengths (B,) or None
    for T everywhere, give loss, a float, and dlogits (B, T, V), zero beyond the lengths. The logits may be
    log probabilities already: the softmax changes nothing then. A target that no path of that length can
    spell has the loss infinity and the gradient zero.
    """
    B, T, _ = logits.shape
    lengths = np.full(B, T) if input_lengths is None else np.asarray(input_lengths)
    targets = [np.asarray(target, dtype=int) for target in targets]
    _check_ctc(logits, targets, lengths, blank)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    loss, dlogits = 0.0, np.zeros_like(log_probs)
    for b, (target, length) in enumerate(zip(targets, lengths, strict=True)):
        log_total, occupied = _ctc_paths(log_probs[b, :length], target, blank)
        loss -= log_total / B
        if np.isfinite(log_total):
            # As in softmax cross-entropy: what is believed minus what is wanted.
            dlogits[b, :length] = (np.exp(log_probs[b, :length]) - occupied) / B
    return float(loss), dlogits


def _ctc_paths(log_probs, target, blank):
    """The log probability of all paths that spell target, and how they divide over frames and symbols.

    log_probs (T, V) and target (S,) give log_total and occupied (T, V): the probability that a path is at
    that symbol in that frame, given that it spells the target. The places of a path are the target's
    symbols with a blank before, between and after: 2 S + 1 of them, walked from left to right.
    """
    T, V = log_probs.shape
    places = np.full(2 * len(target) + 1, blank)
    places[1::2] = target
    emit = log_probs[:, places]
    alpha = _ctc_forward(emit, places)
    # The same walk from the end, read backwards; the frame's own factor is in both, so it is taken out once.
    beta = _ctc_forward(emit[::-1, ::-1], places[::-1])[::-1, ::-1]
    log_total = np.logaddexp.reduce(alpha[-1, -2:])
    if not np.isfinite(log_total):
        return -np.inf, np.zeros((T, V))
    within = np.exp(alpha + beta - np.where(np.isfinite(emit), emit, 0) - log_total)
    occupied = within @ (places[:, None] == np.arange(V))
    return log_total, occupied


def _ctc_forward(emit, places):
    """alpha (T, 2 S + 1): the log probability of having come to each place by each frame.

    A path stays, takes one step, or takes two where that skips a blank between two different symbols.
    It starts at the first blank or the first symbol.
    """
    may_skip = np.zeros(len(places), dtype=bool)
    may_skip[2:] = places[2:] != places[:-2]
    alpha = np.full(emit.shape, -np.inf)
    alpha[0, :2] = emit[0, :2]
    for t in range(1, len(emit)):
        before = alpha[t - 1]
        step, skip = np.full((2, len(places)), -np.inf)
        step[1:] = before[:-1]
        skip[2:] = np.where(may_skip[2:], before[:-2], -np.inf)
        alpha[t] = emit[t] + np.logaddexp(np.logaddexp(before, step), skip)
    return alpha


def _check_ctc(logits, targets, lengths, blank):
    """One sentence for each way in which the arguments cannot be meant."""
    B, T, V = logits.shape
    if len(targets) != B:
        raise ValueError(f"targets holds {len(targets)} sequences, expected one for each of the B = {B}")
    if lengths.shape != (B,):
        raise ValueError(f"input_lengths has shape {lengths.shape}, expected ({B},)")
    for b, (target, length) in enumerate(zip(targets, lengths, strict=True)):
        if not 1 <= length <= T:
            raise ValueError(f"input_lengths[{b}] = {length}, expected 1 to T = {T}")
        for symbol in target:
            if not 0 <= symbol < V or symbol == blank:
                raise ValueError(
                    f"targets[{b}] holds {symbol}, expected ids from 0 to V - 1 = {V - 1} without "
                    f"blank = {blank}"
                )
