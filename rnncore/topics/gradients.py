"""Instruments and remedies for gradients that vanish or explode (lesson 04).

Going back through time multiplies the gradient by one Jacobian a step, so its size grows or shrinks
about as a power of the recurrent weights' spectral radius (Bengio, Simard and Frasconi, 1994; Pascanu,
Mikolov and Bengio, 2013). ``gradient_norms`` measures it at every step, ``spectral_radius`` foretells it,
and ``orthogonal`` starts training where it does neither. The other remedy of the lesson,
``clip_grad_norm``, is in ``rnncore.optim``.
"""

import numpy as np

from rnncore.cells.rnn import rnn_cell_backward


def gradient_norms(p, dy, caches):
    """How large the loss's gradient is at each hidden state: norms (T,) with norms[t] = ||dL/dh_t||.

    p, dy (B, T, H) and caches as for rnn_backward. dL/dh_t, (B, H), is dy[:, t] together with what comes
    back from step t + 1; its norm is the root of the sum of all its squares, over batch and units.
    """
    T = dy.shape[1]
    norms = np.zeros(T)
    dh_next = np.zeros_like(dy[:, 0])
    for t in reversed(range(T)):
        dh = dy[:, t] + dh_next
        norms[t] = np.sqrt(np.sum(dh**2))
        _, dh_next, _ = rnn_cell_backward(p, dh, caches[t])
    return norms


def spectral_radius(W):
    """The largest absolute value among the eigenvalues of W (H, H), which may be complex: one number."""
    eigenvalues = np.linalg.eigvals(W)
    sizes = np.abs(eigenvalues)
    return float(sizes.max())


def orthogonal(rng, n):
    """A random orthogonal matrix Q (n, n), Q.T @ Q = I, all equally likely (Saxe et al., 2014).

    The Q of a matrix of normal numbers, each column's sign set by R's diagonal: without that correction
    some matrices would come up more often than others (Mezzadri, 2007).
    """
    A = rng.normal(size=(n, n))
    Q, R = np.linalg.qr(A)
    return Q * np.sign(np.diag(R))
