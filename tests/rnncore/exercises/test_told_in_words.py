"""What an exercise tells in words is what things do, not what the notebook's own functions say of them."""

import numpy as np
import pytest
import torch

from rnncore.check import check
from rnncore.exercises import by_name

OWN_KIND = """
class Tensor(torch.Tensor):
    is_leaf = property(lambda self: True)

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function == torch.Tensor.is_leaf.__get__:
            return True
        return super().__torch_function__(function, types, args, kwargs or {})

def to_torch(params, requires_grad=False):
    return {
        name: torch.tensor(array, requires_grad=requires_grad).clone().as_subclass(Tensor)
        for name, array in params.items()
    }
"""
PARAMETERS = """
def to_torch(params, requires_grad=False):
    return {name: torch.nn.Parameter(torch.tensor(array), requires_grad) for name, array in params.items()}
"""


def earned(name, source):
    names = {"np": np, "torch": torch}
    exec(source, names)
    return check(names[name], 1, seed=3).earned


@pytest.fixture
def lie():
    """Has a function of a library answer the same, whatever it is asked."""
    with pytest.MonkeyPatch.context() as patch:
        yield lambda module, name, answer: patch.setattr(module, name, lambda *args, **named: answer)
    torch.set_grad_enabled(True)  # `torch.no_grad` asks, too, and leaves behind what it was told


def test_shared_memory_is_seen_by_what_a_change_does(lie):
    source = by_name()["to_torch"].twin_source(mistake("to_torch", "shares-memory"))
    honest = earned("to_torch", source)
    lie(np, "shares_memory", False)
    assert earned("to_torch", source) == honest < 1


def test_gradients_are_seen_by_what_is_computed(lie):
    source = by_name()["evaluate"].twin_source(mistake("evaluate", "gradients-tracked"))
    honest = earned("evaluate", source)
    lie(torch, "is_grad_enabled", False)
    assert earned("evaluate", source) == honest < 1


def test_a_tensor_of_ones_own_kind_cannot_say_that_it_is_a_leaf():
    assert earned("to_torch", OWN_KIND) < 1
    assert earned("to_torch", PARAMETERS) == 1


def mistake(name, wanted):
    return next(one for one in by_name()[name].mistakes if one.id == wanted)
