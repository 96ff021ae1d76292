"""Which device torch should use; the only place that decides it."""

import os


def device():
    """The torch device to use: the one named by RNNCORE_DEVICE, else cuda where there is one, else cpu."""
    import torch  # on use, so that importing rnncore stays quick and works without torch

    name = os.environ.get("RNNCORE_DEVICE", "").strip()
    if not name:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "standin":  # checks on a CPU that code would run on a GPU
        from rnncore.given import standin

        return standin.device
    try:
        chosen = torch.device(name)
    except RuntimeError:
        raise ValueError(f"RNNCORE_DEVICE is {name!r}, expected a torch device such as cpu or cuda") from None
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"RNNCORE_DEVICE is {name!r}, but torch finds no CUDA device; unset it or use cpu")
    return chosen
