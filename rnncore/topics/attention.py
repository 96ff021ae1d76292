"""Attention: a weighted look at all of a sequence, with weights that depend on who asks.

The text that lesson 10 compares with; it works on torch tensors and trusts its arguments. torch is
imported where it is used.
"""


def attention(query, keys, mask):
    """For each query the mean of the keys, weighted by how well each key answers it.

    query (B, T, H), keys (B, S, H) and mask (B, S), True where a key is real and False where it is padding,
    give context (B, T, H) and weights (B, T, S): not negative, 0 at padding, with the sum 1 for each query.
    Scaled dot products (Luong and others, 2015; Vaswani and others, 2017); each sequence needs a real key.
    """
    import torch

    H = query.shape[2]
    scores = query @ keys.transpose(1, 2) / H**0.5
    scores = scores.masked_fill(~mask[:, None], -torch.inf)
    weights = scores.softmax(dim=2)
    context = weights @ keys
    return context, weights
