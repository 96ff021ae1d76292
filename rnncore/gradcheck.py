"""How we know that a gradient is right: measure it, without any calculus.

``numerical_gradient`` nudges one number at a time and looks at how much the result moves.
"""

import numpy as np


def numerical_gradient(f, x, h=1e-5):
    """Gradient of f at x by central differences: (f(x + h) - f(x - h)) / 2h for each element of x.

    f takes an array like x, of floats, and returns one number; the gradient has the shape of x. The
    error shrinks with h**2, but rounding grows as 1 / h: 1e-5 is near the best for float64.
    """
    x = x.copy()
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + h
        above = f(x)
        x[index] = kept - h
        below = f(x)
        x[index] = kept
        gradient[index] = (above - below) / (2 * h)
    return gradient
