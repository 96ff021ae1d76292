"""Reading both ways: two recurrent networks over one padded batch, forward and backward (lesson 07).

Each direction is a plain ``rnn_forward`` with its own parameters (Schuster and Paliwal, 1997). The second
reads every sequence from its own last step to its first, so the reversal must stop at the sequence's
end: reversed with its padding, it would read padding first. The results are those of
``torch.nn.RNN(bidirectional=True)`` on packed sequences; ``rnncore.layers.RNN`` computes them faster.
"""

import numpy as np

from rnncore.cells.rnn import rnn_backward, rnn_forward


def reverse_padded(x, lengths):
    """Turn each sequence round within its own length: x (B, T, D) and lengths (B,) give (B, T, D).

    What stands beyond a sequence's length stays where it is.
    """
    turned = x.copy()
    for b, length in enumerate(lengths):
        turned[b, :length] = x[b, :length][::-1]
    return turned


def bidirectional_forward(fw, bw, x, lengths):
    """Run over a padded batch in both directions, each from a state of zeros.

    fw and bw are the directions' parameters, x (B, T, D), lengths (B,). Returns y (B, T, 2H), the forward
    direction's states in the first half and zeros beyond each length, and
    caches = (fw_caches, bw_caches, lengths), the first two as rnn_forward made them.
    """
    B, T, _ = x.shape
    h0 = np.zeros((B, len(fw["weight_hh"])), dtype=x.dtype)
    forward, _, fw_caches = rnn_forward(fw, x, h0)
    backward, _, bw_caches = rnn_forward(bw, reverse_padded(x, lengths), h0)
    backward = reverse_padded(backward, lengths)
    y = np.concatenate([forward, backward], axis=2)
    padding = np.arange(T) >= lengths[:, None]
    y[padding] = 0
    caches = (fw_caches, bw_caches, lengths)
    return y, caches


def bidirectional_backward(fw, bw, dy, caches):
    """The gradients of bidirectional_forward: dy (B, T, 2H) gives dx (B, T, D), fw_grads and bw_grads.

    Outputs beyond a sequence's length are constants, so dy counts for nothing there, and dx is zero there.
    """
    fw_caches, bw_caches, lengths = caches
    T, H = dy.shape[1], dy.shape[2] // 2
    padding = np.arange(T) >= lengths[:, None]
    dy = np.where(padding[:, :, None], 0, dy)
    dforward, dbackward = dy[:, :, :H], dy[:, :, H:]
    dx_fw, _, fw_grads = rnn_backward(fw, dforward, fw_caches)
    dx_bw, _, bw_grads = rnn_backward(bw, reverse_padded(dbackward, lengths), bw_caches)
    dx = dx_fw + reverse_padded(dx_bw, lengths)
    return dx, fw_grads, bw_grads


def final_states(y, lengths):
    """Each direction's state after all it has read: y (B, T, 2H) and lengths (B,) give (B, 2H).

    The forward direction ends at the sequence's own last step, the backward direction at t = 0.
    """
    B, H = len(y), y.shape[2] // 2
    forward = y[np.arange(B), lengths - 1, :H]
    backward = y[:, 0, H:]
    return np.concatenate([forward, backward], axis=1)
