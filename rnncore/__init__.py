"""rnncore: the NumPy package that the lessons of Unrolled import.

Read it in this order: ``cells`` (the equations of one time step, as pairs of pure functions),
``layers`` (the same mathematics over a whole sequence, fast), ``losses``, ``optim`` and ``train``
(what turns gradients into learning, with ``checkpoint`` beside it), ``gradcheck`` (how we know a gradient
is right), ``interop`` (to PyTorch, Keras and ONNX, and back). That is the library. Upon it stand the
lessons' rooms: ``data`` (what is learned from), ``topics`` (what students write beyond the cells), ``given``
(what they are handed), ``plots`` (what they see); and the checking: ``observe`` (what one call did),
``exercises`` (what is asked, and every known mistake) and ``check`` (from an answer to a verdict). The
library knows none of these.

Conventions, said once:

====  =======================================
B, T  batch size, time steps
D, H  input features, hidden units
V, L  vocabulary size, layers
====  =======================================

- Arrays are batch first: ``x`` is (B, T, D) and ``y`` is (B, T, H), as in
  ``torch.nn.RNN(batch_first=True)``.
- Parameters are a dict of arrays with PyTorch's names and shapes: ``weight_ih`` (G*H, D),
  ``weight_hh`` (G*H, H), ``bias_ih`` and ``bias_hh`` (G*H,), where G counts the gates. Layers add
  ``_l0``, and ``_l0_reverse`` for the backward direction.
- ``dx`` is the gradient of the loss with respect to ``x``. Gradients of parameters are a dict with
  the parameters' keys.
- Nothing changes its inputs; gradients accumulate with ``+=`` into fresh zeros.
- float64 unless asked otherwise, because gradient checks need it.
- Randomness is an explicit ``rng: np.random.Generator``.

Importing this package imports nothing heavy: torch and matplotlib load when they are used.
"""

__version__ = "0.1.0"
