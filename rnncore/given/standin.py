"""A stand-in for a GPU: tensors in ordinary memory that refuse to meet tensors on the CPU.

Code that forgets to move the batch, the model or a hidden state runs without a word on a machine with
nothing but a CPU, and fails on the first machine with a GPU. With ``RNNCORE_DEVICE=standin``
``rnncore.given.device.device()`` answers with this device instead, so a notebook's devices can be checked
anywhere: the arithmetic is PyTorch's own on the CPU, the rules about devices are those of CUDA. It is slow,
and meant for checks alone. Importing this module registers the device with PyTorch, once a process, and comes
before the first backward pass: autograd counts the devices then, once and for all.
"""

import functools

import torch
from torch.utils._python_dispatch import return_and_correct_aliasing

try:
    from torch.utils.backend_registration import _setup_privateuseone_for_python_backend
except ImportError as error:
    raise ImportError(
        f"RNNCORE_DEVICE=standin needs torch 2.9 or newer, this is {torch.__version__}."
    ) from error

NAME = "standin"
aten = torch.ops.aten

# What takes tensors of two devices on CUDA as well: copies between them, and lengths that stay on the CPU.
MAY_MIX = {
    aten.copy_,
    aten._to_copy,
    aten._copy_from,
    aten._pack_padded_sequence,
    aten._pack_padded_sequence_backward,
}
# And what takes indices from the CPU, for a tensor on the device.
TAKES_INDICES = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_}


class StandIn(torch.Tensor):
    """A tensor on the stand-in device; ``inside`` is the CPU tensor that holds its numbers."""

    @staticmethod
    def __new__(cls, inside):
        self = torch.Tensor._make_wrapper_subclass(
            cls,
            inside.size(),
            strides=inside.stride(),
            storage_offset=inside.storage_offset(),
            dtype=inside.dtype,
            device=torch.device(NAME, 0),
        )
        self.inside = inside
        return self

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return run(operation, args, kwargs or {})

    def tolist(self):
        return self.inside.tolist()

    def numpy(self, *, force=False):
        if force:
            return self.inside.detach().numpy()
        raise TypeError(
            f"can't convert a tensor on {NAME}:0 to numpy: copy it to the CPU first, with .detach().cpu()"
        )

    def __format__(self, specification):
        return format(self.inside.detach(), specification)

    def __repr__(self, *, tensor_contents=None):
        return f"{repr(self.inside)[:-1]}, device='{NAME}:0')"


def run(operation, args, kwargs):
    """One operation of PyTorch: the devices are checked, then the CPU computes it."""
    check_devices(operation, args, kwargs)
    goes_to = kwargs.get("device")
    inner_args, inner_kwargs = everywhere(StandIn, inside_of, args), everywhere(StandIn, inside_of, kwargs)
    if goes_to is not None:
        inner_kwargs["device"] = "cpu"
    result = FUSED_CELLS.get(operation.overloadpacket, operation)(*inner_args, **inner_kwargs)
    if goes_to is not None and torch.device(goes_to).type == "cpu":
        return result
    if operation is aten.copy_.default and not isinstance(args[0], StandIn):
        return args[0]  # a copy out of the device, into a tensor on the CPU
    if operation is aten._pack_padded_sequence.default:
        return StandIn(result[0]), result[1]  # the batch sizes stay on the CPU
    result = everywhere(torch.Tensor, StandIn, result)
    return return_and_correct_aliasing(operation, args, kwargs, result) if aliases(operation) else result


def inside_of(tensor):
    return tensor.inside


def everywhere(kind, change, value):
    """The same nest of tuples, lists and dicts, with ``change`` done to whatever in it is of that kind."""
    if isinstance(value, kind):
        return change(value)
    if type(value) in (tuple, list):
        return type(value)(everywhere(kind, change, item) for item in value)
    if type(value) is dict:
        return {key: everywhere(kind, change, item) for key, item in value.items()}
    return value


def tensors_in(value):
    """All tensors in a nest of tuples, lists and dicts."""
    if isinstance(value, torch.Tensor):
        return [value]
    inner = value.values() if type(value) is dict else value if type(value) in (tuple, list) else ()
    return [tensor for item in inner for tensor in tensors_in(item)]


@functools.cache
def aliases(operation):
    """Whether what it returns may be a view of what it was given, or that itself."""
    return any(one.alias_info for one in (*operation._schema.arguments, *operation._schema.returns))


def check_devices(operation, args, kwargs):
    """Raise a RuntimeError that names the tensors, as CUDA does, where two devices meet in one operation."""
    packet = operation.overloadpacket
    if packet is aten._pack_padded_sequence and isinstance(args[1], StandIn):
        raise RuntimeError(
            f"pack_padded_sequence takes lengths on the cpu, and these are on {NAME}:0: pass lengths.cpu()."
        )
    if packet in MAY_MIX:
        return
    if packet in TAKES_INDICES and isinstance(args[0], StandIn):
        args = (args[0], *args[2:])
    tensors = tensors_in((args, kwargs))
    inside = [tensor for tensor in tensors if isinstance(tensor, StandIn)]
    if not inside or len(inside) == len(tensors):
        return
    changed = args[:1] if operation._schema.is_mutable else ()
    outside = [
        tensor
        for tensor in tensors
        # CUDA lets a single number come from the CPU, unless it is what the operation changes.
        if not isinstance(tensor, StandIn) and (tensor.ndim > 0 or any(tensor is one for one in changed))
    ]
    if outside:
        name = packet.__name__.strip("_")
        raise RuntimeError(
            f"{name} got tensors on two devices: {shapes(inside)} on {NAME}:0 and {shapes(outside)} on cpu. "
            "Move the model, the batch and the hidden state to the same place with .to(device)."
        )


def shapes(tensors):
    return ", ".join(str(tuple(tensor.shape)) for tensor in tensors)


# PyTorch computes the gates of an LSTM or a GRU on every device but the CPU with one fused operation, which
# the CPU has no kernel for. These four are the same equations (and what they keep for the way back).


def lstm_cell(from_x, from_h, c_prev, bias_ih=None, bias_hh=None):
    gates = from_x + from_h
    if bias_ih is not None:
        gates = gates + bias_ih + bias_hh
    i, f, g, o = gates.chunk(4, 1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c = f * c_prev + i * g
    return o * c.tanh(), c, torch.cat([i, f, g, o], 1)


def lstm_cell_backward(dh, dc, c_prev, c, kept, has_bias):
    i, f, g, o = kept.chunk(4, 1)
    tanh_c = c.tanh()
    dh = torch.zeros_like(c) if dh is None else dh
    dc = (0 if dc is None else dc) + dh * o * (1 - tanh_c**2)
    d_gates = torch.cat(
        [dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)], 1
    )
    return d_gates, dc * f, d_gates.sum(0) if has_bias else None


def gru_cell(from_x, from_h, h_prev, bias_ih=None, bias_hh=None):
    if bias_ih is not None:
        from_x, from_h = from_x + bias_ih, from_h + bias_hh
    (r_x, z_x, n_x), (r_h, z_h, n_h) = from_x.chunk(3, 1), from_h.chunk(3, 1)
    r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
    n = (n_x + r * n_h).tanh()
    return n + z * (h_prev - n), torch.cat([r, z, n, h_prev, n_h], 1)


def gru_cell_backward(dh, kept, has_bias):
    r, z, n, h_prev, n_h = kept.chunk(5, 1)
    dn = dh * (1 - z) * (1 - n**2)
    dz = dh * (h_prev - n) * z * (1 - z)
    dr = dn * n_h * r * (1 - r)
    d_from_x, d_from_h = torch.cat([dr, dz, dn], 1), torch.cat([dr, dz, dn * r], 1)
    biases = (d_from_x.sum(0), d_from_h.sum(0)) if has_bias else (None, None)
    return d_from_x, d_from_h, dh * z, *biases


FUSED_CELLS = {
    aten._thnn_fused_lstm_cell: lstm_cell,
    aten._thnn_fused_lstm_cell_backward_impl: lstm_cell_backward,
    aten._thnn_fused_gru_cell: gru_cell,
    aten._thnn_fused_gru_cell_backward: gru_cell_backward,
}


_setup_privateuseone_for_python_backend(NAME)
# Tensors reach `run` by themselves; these are the ways in for what has no tensor of the device to go by.
_everything = torch.library.Library("_", "IMPL")
_everything.fallback(lambda operation, *args, **kwargs: run(operation, args, kwargs), "PrivateUse1")
_copies = torch.library.Library("aten", "IMPL")
_copies.impl(
    "_copy_from",
    lambda source, target, non_blocking=False: run(aten.copy_.default, (target, source), {}),
    "PrivateUse1",
)

device = torch.device(NAME, 0)
