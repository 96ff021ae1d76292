"""To other libraries and back: PyTorch, Keras 3, and ONNX files.

``pytorch`` turns layers into torch.nn modules and modules into layers, ``keras`` does the same with
lists of weights, and ``onnx`` writes a layer as a file that many runtimes execute. None of the three has a
minGRU: ``min_gru`` is one as a torch module, and Keras and ONNX refuse it. All keep the numbers and change
only how they are arranged: ``arrange`` holds what they share. The other library loads when its function is
called, so rnncore works without any of them.
"""

from rnncore.interop.keras import from_keras_weights, to_keras_weights
from rnncore.interop.onnx import to_onnx
from rnncore.interop.pytorch import from_torch, to_torch

__all__ = ["from_keras_weights", "from_torch", "to_keras_weights", "to_onnx", "to_torch"]
