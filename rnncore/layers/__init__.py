"""Layers over whole sequences: the same mathematics as ``cells``, at the speed of the hardware.

``RNN`` runs a stack of layers in one or two directions over padded batches (``recurrent`` is what
every such stack shares, ``rnn`` its fast kernel, ``loop`` the slow one that any cell can drive).
``Linear`` and ``Embedding`` (``pointwise``) stand before and after. Every layer has ``params``, a dict
with PyTorch's names and shapes; ``forward`` returns a cache that ``backward`` takes.
"""

from rnncore.layers.pointwise import Embedding, Linear
from rnncore.layers.rnn import RNN

__all__ = ["RNN", "Embedding", "Linear"]
