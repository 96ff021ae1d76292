"""The device is what the environment says, else what the machine has."""

import re

import pytest
import torch

from rnncore.given.device import device


@pytest.mark.parametrize(("present", "expected"), [(True, "cuda"), (False, "cpu")])
def test_without_a_word_the_machine_decides(monkeypatch, present, expected):
    monkeypatch.delenv("RNNCORE_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    assert device() == torch.device(expected)


@pytest.mark.parametrize(("name", "present"), [("cpu", True), ("meta", False), ("cuda:1", True)])
def test_the_environment_has_the_last_word(monkeypatch, name, present):
    monkeypatch.setenv("RNNCORE_DEVICE", f" {name} ")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    assert device() == torch.device(name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gpu", "RNNCORE_DEVICE is 'gpu', expected a torch device such as cpu or cuda"),
        ("cuda", "RNNCORE_DEVICE is 'cuda', but torch finds no CUDA device; unset it or use cpu"),
    ],
)
def test_a_device_that_is_not_there_is_named(monkeypatch, name, sentence):
    monkeypatch.setenv("RNNCORE_DEVICE", name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        device()
