"""Layers over whole sequences: the same mathematics as ``cells``, at the speed of the hardware.

``RNN``, ``LSTM``, ``GRU`` and ``MinGRU`` run a stack of layers in one or two directions over padded batches
(``recurrent`` is what every such stack shares; ``rnn``, ``lstm``, ``gru`` and ``min_gru`` hold the fast
kernels, ``loop`` the slow one that any cell can drive).
``Linear`` and ``Embedding`` (``pointwise``) stand before and after. Every layer has ``params``, a dict
with PyTorch's names and shapes; ``forward`` returns a cache that ``backward`` takes.
"""

from rnncore.layers.gru import GRU
from rnncore.layers.lstm import LSTM
from rnncore.layers.min_gru import MinGRU
from rnncore.layers.pointwise import Embedding, Linear
from rnncore.layers.rnn import RNN

__all__ = ["GRU", "LSTM", "RNN", "Embedding", "Linear", "MinGRU"]
