"""Whole networks of the lessons as programs, to repeat what a lesson reports: ``python -m rnncore.models.X``.

A lesson trains its network once, with the reader's functions; here the references are in their places,
and several seeds can be asked for. These modules import torch.
"""
