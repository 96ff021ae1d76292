"""The equations of one time step, as pairs of pure functions with PyTorch's parameter names.

A cell is a pair, always called like this, so that any cell can drive any layer, training run or
figure:

    cell(p, x, state)                 -> state_next, cache
    cell_backward(p, d_state, cache)  -> dx, d_state_prev, grads

``cache`` is built on the forward function's last lines and unpacked on the backward function's
first. There are no argument checks here: this is the text that a student compares with. The layers
check shapes at their door.
"""
