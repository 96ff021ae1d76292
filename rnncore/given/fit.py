"""The whole training loop of lessons 10 to 13 and 15; every reader wrote the parts of it in lesson 09.

torch is imported where it is used: importing this module does not need it.
"""

import math


def fit(model, loss_function, batches, *, epochs, lr, max_norm=1.0, decay=False):
    """Train a model with Adam until the batches of all epochs are used; the loss of every step, as numbers.

    loss_function(model, batch) gives the batch's loss, a tensor of one number. batches is a list, or a
    function without arguments that returns the next epoch's batches, in an order of its own say. Gradients
    are clipped together to the norm max_norm. With decay the learning rate falls from lr to zero along half
    a cosine. The model is in training mode meanwhile, and afterwards in the mode it was in. A loss that is
    not finite raises FloatingPointError before it reaches the parameters. On the stand-in device, which is
    for checks alone, an epoch is over after two batches.
    """
    import torch

    was_training = model.training
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for epoch in range(epochs):
        now = list(batches() if callable(batches) else batches)
        if next(model.parameters()).device.type == "standin":
            now = now[:2]  # it is slow, and two show whether all tensors are on it
        for index, batch in enumerate(now):
            if decay:
                done = (epoch + index / len(now)) / epochs
                optimiser.param_groups[0]["lr"] = lr * 0.5 * (1 + math.cos(math.pi * done))
            optimiser.zero_grad()
            loss = loss_function(model, batch)
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise FloatingPointError(
                    f"the loss is {losses[-1]} at step {index + 1} of epoch {epoch + 1}: "
                    "make lr or max_norm smaller and start anew"
                )
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
            optimiser.step()
    model.train(was_training)
    return losses
