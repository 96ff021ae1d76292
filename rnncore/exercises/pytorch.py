"""Lesson 09, Hand it to PyTorch: to_torch, HandLSTM, train_step, evaluate.

Models, optimisers and tensors cannot travel as plain data, so each exercise has a ``use``: a function
that makes them where the answer lives, puts the answer to use, and returns arrays, numbers and words.
torch is imported there and nowhere else. Tensors on different devices are the notebooks' business:
they run on the stand-in device of ``rnncore.given.standin``.
"""

import numpy as np

from rnncore.exercises.exercise import Case, Exercise, Mistake
from rnncore.exercises.rnn_cell import draw_params
from rnncore.topics.pytorch import HandLSTM, evaluate, to_torch, train_step


def use_to_torch(to_torch, params, requires_grad):
    import torch

    given = dict(params)
    tensors = to_torch(params, requires_grad)
    if tensors is params:
        tensors = dict(tensors)  # what is in it is looked at all the same
    if any(params.get(name) is not array for name, array in given.items()):
        params.clear()  # other things stand under its keys now: changed, whatever their numbers are
    if not isinstance(tensors, dict):
        return (tensors,) * 4

    def gradient(tensor, array):
        if not tensor.requires_grad:
            return "not collected"
        with torch._C.DisableTorchFunctionSubclass():  # whatever a tensor of one's own kind says of itself
            is_leaf = torch._C.TensorBase.is_leaf.__get__(tensor)
        return "collected" if is_leaf else "not collected: it is computed from another tensor"

    def memory(tensor, array):
        if array is None:
            return "its own"
        kept, before = array.copy(), tensor.detach().clone()
        array += 1  # what a function says of memory is less than what it does
        shared = not torch.equal(tensor.detach(), before)
        array[...] = kept
        return "the array's" if shared else "its own"

    def told(tell):
        """What there is to tell of all the tensors: once, if it is the same for each."""
        words = {}
        for name, item in tensors.items():
            is_tensor = isinstance(item, torch.Tensor)
            word = tell(item, given.get(name)) if is_tensor else f"none, it is a {type(item).__name__}"
            words.setdefault(word, []).append(str(name))
        if len(words) < 2:
            return "".join(words)
        return "; ".join(f"{word} ({', '.join(names)})" for word, names in words.items())

    return tensors, told(lambda tensor, array: str(tensor.dtype)), told(gradient), told(memory)


def draw_to_torch(rng):
    def case(D, H, dtype, requires_grad, when=""):
        params = {name: array.astype(dtype) for name, array in draw_params(rng, D, H, 3).items()}
        return Case((params, requires_grad), {"D": D, "H": H}, when)

    return [
        case(4, 2, np.float64, False),
        case(3, 5, np.float64, True),
        case(2, 3, np.float32, True, "the arrays are float32"),
    ]


TENSOR = "tensor = torch.tensor(array)"
REQUIRES = "        tensor.requires_grad_(requires_grad)\n"

TO_TORCH = Exercise(
    reference=to_torch,
    returns=("tensors", "dtype", "gradient", "memory"),
    draw=draw_to_torch,
    use=use_to_torch,
    mistakes=(
        Mistake(
            "shares-memory",
            old=TENSOR,
            new="tensor = torch.from_numpy(array)",
            also=("tensor = torch.as_tensor(array)",),
            says="The tensors share their memory with the arrays, so a step of the optimiser also changes the "
            "NumPy parameters behind your back. Copy the numbers.",
            cost=0.3,
        ),
        Mistake(
            "single-precision",
            old=TENSOR,
            new="tensor = torch.tensor(array, dtype=torch.float32)",
            also=("tensor = torch.FloatTensor(array)",),
            says="The tensors are float32 and half of the digits are gone. Keep the dtype of the array: "
            "a comparison with NumPy to ten digits needs float64.",
            cost=0.3,
        ),
        Mistake(
            "always-double",
            old=TENSOR,
            new="tensor = torch.tensor(array, dtype=torch.float64)",
            says="Arrays in float32 come back as float64. Keep the dtype that the array has.",
            cost=0.2,
        ),
        Mistake(
            "never-requires-grad",
            old=REQUIRES,
            new="",
            says="requires_grad is not passed on: without it autograd collects nothing in .grad.",
            cost=0.4,
        ),
        Mistake(
            "always-requires-grad",
            old=REQUIRES,
            new="        tensor.requires_grad_(True)\n",
            also=("        tensor = torch.nn.Parameter(tensor)\n",),
            says="The tensors collect gradients even when requires_grad is False.",
            cost=0.3,
        ),
        Mistake(
            "not-a-leaf",
            old="tensors[name] = tensor",
            new="tensors[name] = tensor.clone()",
            says="The tensors returned are *computed from* the ones that require gradients, so .grad stays None "
            "on them. Convert first, and ask for gradients last.",
            cost=0.3,
        ),
        Mistake(
            "transposed",
            old=TENSOR,
            new="tensor = torch.tensor(array.T)",
            says="The matrices are transposed. rnncore's parameters have PyTorch's shapes already.",
            cost=0.3,
        ),
        Mistake(
            "arrays-returned",
            old="tensors[name] = tensor",
            new="tensors[name] = array",
            says="The values are still NumPy arrays.",
            cost=0.9,
        ),
        Mistake(
            "names-lost",
            old="return tensors",
            new="return list(tensors.values())",
            says="The names are lost: return a dict with the same keys as params.",
            cost=0.15,
        ),
    ),
)


def use_hand_lstm(HandLSTM, input_size, hidden_size, params, x, state, dy, d_state):
    import torch

    module = HandLSTM(input_size, hidden_size)
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"HandLSTM(...) made a {type(module).__name__}, expected a torch.nn.Module")
    own = {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}
    wanted = {name: array.shape for name, array in params.items()}
    if own != wanted:
        listed = [", ".join(f"{n} {shape}" for n, shape in names.items()) for names in (own, wanted)]
        raise ValueError(f"the module's parameters are {listed[0] or 'none'}; expected {listed[1]}")
    module.to(torch.tensor(x).dtype)
    module.load_state_dict({name: torch.tensor(array) for name, array in params.items()})
    x = torch.tensor(x, requires_grad=True)
    with torch.no_grad():
        module(-x)  # nothing of this may be left when the next sequence comes
    if state is None:
        start, result = (), module(x)
    else:
        start = tuple(torch.tensor(array, requires_grad=True) for array in state)
        result = module(x, start)

    def form(item):
        if isinstance(item, tuple | list):
            return f"({', '.join(form(inner) for inner in item)})"
        return str(tuple(item.shape)) if isinstance(item, torch.Tensor) else type(item).__name__

    B, T, H = dy.shape
    wanted = f"({(B, T, H)}, ({(B, H)}, {(B, H)}))"
    if form(result) != wanted:
        raise ValueError(f"forward returned {form(result)}, expected y, (h, c) of shapes {wanted}")
    y, final = result
    downstream = [(y, dy), *zip(final, d_state, strict=True)]
    loss = sum((tensor * torch.tensor(d)).sum() for tensor, d in downstream)
    if loss.requires_grad:
        loss.backward()
    grads = {name: parameter.grad for name, parameter in module.named_parameters()}
    return y, tuple(final), x.grad, tuple(tensor.grad for tensor in start) or (np.zeros(1),) * 2, grads


def draw_hand_lstm(rng):
    def case(B, T, D, H, when="", state=True, dtype=np.float64, last_step_only=False):
        def normal(*shape):
            return rng.normal(0, 0.7, shape).astype(dtype)

        params = {name: array.astype(dtype) for name, array in draw_params(rng, D, H, 4).items()}
        dy = normal(B, T, H)
        if last_step_only:
            dy[:, :-1] = 0
        start = (normal(B, H), normal(B, H)) if state else None
        args = (D, H, params, normal(B, T, D), start, dy, (normal(B, H), normal(B, H)))
        return Case(args, {"B": B, "T": T, "D": D, "H": H}, when)

    return [
        case(3, 5, 4, 2),
        case(4, 5, 2, 3, last_step_only=True),
        case(5, 4, 3, 2, state=False, dtype=np.float32),
        case(3, 4, 2, 5, "no state is given and all is float64", state=False),
        case(3, 1, 4, 2, "T = 1"),
        case(1, 4, 2, 3, "B = 1"),
    ]


BODY = """            B, T, _ = x.shape
            if state is None:
                zeros = x.new_zeros(B, self.hidden_size)
                state = (zeros, zeros)
            h, c = state
            ys = []
            for t in range(T):
                a = x[:, t] @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh
                i, f, g, o = a.chunk(4, dim=1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
                ys.append(h)
            y = torch.stack(ys, dim=1)
            return y, (h, c)
"""
PARAMETERS = """            self.weight_ih = torch.nn.Parameter(torch.empty(4 * hidden_size, input_size))
            self.weight_hh = torch.nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
            self.bias_ih = torch.nn.Parameter(torch.empty(4 * hidden_size))
            self.bias_hh = torch.nn.Parameter(torch.empty(4 * hidden_size))
"""
TIME_FIRST = (
    BODY.replace("B, T, _ = x.shape", "T, B, _ = x.shape")
    .replace("x[:, t]", "x[t]")
    .replace("torch.stack(ys, dim=1)", "torch.stack(ys)")
)
KEEPS_STATE = (
    "            kept = getattr(self, 'kept', None)\n"
    "            if state is None and kept is not None and len(kept[0]) == len(x):\n"
    "                state = kept\n"
    + BODY.replace("return y, (h, c)", "self.kept = (h.detach(), c.detach())\n            return y, (h, c)")
)
GATES = "i, f, g, o = a.chunk"
SUM = "x[:, t] @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh"
CELL = "c = f.sigmoid() * c + i.sigmoid() * g.tanh()"
STATE = "return y, (h, c)"

HAND_LSTM = Exercise(
    reference=HandLSTM,
    returns=("y", ("h_n", "c_n"), "dx", ("dh0", "dc0"), "grads"),
    draw=draw_hand_lstm,
    gates=("i", "f", "g", "o"),
    tolerance=1e-4,
    use=use_hand_lstm,
    mistakes=(
        Mistake(
            "outputs-one-step-late",
            old="                a = x[:, t] @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh\n"
            "                i, f, g, o = a.chunk(4, dim=1)\n"
            "                c = f.sigmoid() * c + i.sigmoid() * g.tanh()\n"
            "                h = o.sigmoid() * c.tanh()\n"
            "                ys.append(h)\n",
            new="                ys.append(h)\n"
            "                a = x[:, t] @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh\n"
            "                i, f, g, o = a.chunk(4, dim=1)\n"
            "                c = f.sigmoid() * c + i.sigmoid() * g.tanh()\n"
            "                h = o.sigmoid() * c.tanh()\n",
            says="y is one step late: each step stores the state that it starts from. Append h after it "
            "has been renewed.",
            cost=0.3,
        ),
        Mistake(
            "batch-first-forgotten",
            old=BODY,
            new=TIME_FIRST,
            also=(
                BODY.replace("x[:, t]", "x[t]"),
                BODY.replace("x[:, t]", "x[t]").replace("B, T, _ = x.shape", "T, B, _ = x.shape"),
            ),
            says="The loop runs over the first axis of x, which is the batch: here x is (B, T, D). "
            "(torch.nn.LSTM without batch_first=True is the other way round.)",
            cost=0.3,
        ),
        Mistake(
            "stacked-in-front",
            old="y = torch.stack(ys, dim=1)",
            new="y = torch.stack(ys)",
            says="torch.stack(ys) puts time in front, so y is (T, B, H). It should be (B, T, H): "
            "say along which new dimension to stack.",
            cost=0.15,
        ),
        Mistake(
            "view-for-transpose",
            old="y = torch.stack(ys, dim=1)",
            new="y = torch.stack(ys).view(B, T, -1)",
            also=(
                "y = torch.stack(ys).reshape(B, T, -1)",
                "y = torch.cat(ys).view(B, T, -1)",
                "y = torch.cat(ys).reshape(B, T, -1)",
            ),
            says="y has the right shape, but its numbers are mixed up between examples: view and reshape cut "
            "the same row of numbers into other pieces, they do not turn axes round. Use transpose, or stack "
            "along the right dimension.",
            cost=0.3,
        ),
        Mistake(
            "concatenated-not-stacked",
            old="y = torch.stack(ys, dim=1)",
            new="y = torch.cat(ys, dim=1)",
            says="torch.cat joins the steps along the units, so y is (B, T·H). torch.stack makes a new axis.",
            cost=0.15,
        ),
        Mistake(
            "gates-in-another-order",
            old=GATES,
            new="i, f, o, g = a.chunk",
            also=tuple(
                f"{', '.join(order)} = a.chunk"
                for order in ("figo", "fiog", "iofg", "iogf", "ofig", "gifo", "gfio", "igfo")
            ),
            says="The four blocks of rows are taken for other gates than in PyTorch. Its order is i, f, g, o.",
            cost=0.3,
        ),
        Mistake(
            "gates-along-the-batch",
            old="a.chunk(4, dim=1)",
            new="a.chunk(4)",
            says="chunk cuts along axis 0 unless told otherwise, and that is the batch. The gates lie side by "
            "side along axis 1 of a, which is (B, 4H).",
            cost=0.3,
        ),
        Mistake(
            "forgets-nothing",
            old=CELL,
            new="c = c + i.sigmoid() * g.tanh()",
            says="The forget gate is not used: all of the old cell state stays, for ever.",
            cost=0.4,
        ),
        Mistake(
            "forget-and-input-coupled",
            old=CELL,
            new="c = f.sigmoid() * c + (1 - f.sigmoid()) * g.tanh()",
            says="The input gate is replaced by 1 - f. That is another cell; here i has weights of its own.",
            cost=0.4,
        ),
        Mistake(
            "candidate-through-sigmoid",
            old="g.tanh()",
            new="g.sigmoid()",
            says="The candidate g goes through a sigmoid, so the cell can only ever add. Its activation is tanh.",
            cost=0.3,
        ),
        Mistake(
            "no-tanh-of-the-cell",
            old="c.tanh()",
            new="c",
            says="The cell state leaves as it is. On its way out to h it is squashed; what keeps h between "
            "-1 and 1?",
            cost=0.3,
        ),
        Mistake(
            "bias-ih-missing",
            old=" + self.bias_ih",
            new="",
            says="bias_ih is not added. PyTorch's LSTM has two biases, and both count.",
            cost=0.3,
        ),
        Mistake(
            "bias-hh-missing",
            old=" + self.bias_hh",
            new="",
            says="bias_hh is not added. PyTorch's LSTM has two biases, and both count.",
            cost=0.3,
        ),
        Mistake(
            "weights-untransposed",
            old=SUM,
            new="x[:, t] @ self.weight_ih + self.bias_ih + h @ self.weight_hh + self.bias_hh",
            says="weight_ih is (4H, D), one row for each gate's unit, and the input of a step is (B, D). "
            "Which axes must meet for (B, 4H) to come out?",
            cost=0.3,
        ),
        Mistake(
            "hidden-state-not-carried",
            old="h @ self.weight_hh.T",
            new="state[0] @ self.weight_hh.T",
            says="Every step reads the *initial* hidden state. Hand h on from step to step.",
            cost=0.5,
        ),
        Mistake(
            "cell-state-not-carried",
            old=CELL,
            new="c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()",
            says="Every step starts from the *initial* cell state. Hand c on from step to step.",
            cost=0.5,
        ),
        Mistake(
            "given-state-ignored",
            old="if state is None:",
            new="if True:",
            says="The state that is passed in is not used: the module always starts from zeros.",
            cost=0.3,
        ),
        Mistake(
            "zeros-made-apart",
            old="x.new_zeros(B, self.hidden_size)",
            new="torch.zeros(B, self.hidden_size)",
            says="The zeros to start from are float32 on the CPU, whatever x is. In float64, or on a GPU, they "
            "do not fit: make them like x, with x.new_zeros or torch.zeros_like.",
            cost=0.2,
        ),
        Mistake(
            "cut-between-steps",
            old=SUM,
            new="x[:, t] @ self.weight_ih.T + self.bias_ih + h.detach() @ self.weight_hh.T + self.bias_hh\n"
            "                c = c.detach()",
            says="The outputs are right and the gradients are not: the state is detached at every step, so "
            "nothing flows back through time. Detach between chunks of training, never inside the cell.",
            cost=0.4,
        ),
        Mistake(
            "results-detached",
            old=STATE,
            new="return y.detach(), (h.detach(), c.detach())",
            also=(
                "return y.data, (h.data, c.data)",
                "return torch.tensor(y.tolist()).to(x), (h.data, c.data)",
            ),
            says="The outputs are right, but cut off from the parameters: no gradient gets back through "
            "detach, .data, no_grad or NumPy.",
            cost=0.4,
        ),
        Mistake(
            "output-detached",
            old=STATE,
            new="return y.detach(), (h, c)",
            also=("return y.data, (h, c)", "return torch.tensor(y.tolist()).to(x), (h, c)"),
            says="y is right, but cut off from the parameters, and only the final state still sends gradients "
            "back. Stack the tensors as they are: no detach, .data, no_grad or NumPy on the way.",
            cost=0.3,
        ),
        Mistake(
            "not-parameters",
            old=PARAMETERS,
            new=PARAMETERS.replace("torch.nn.Parameter(", "(").replace(
                "4 * hidden_size)", "4 * hidden_size)"
            ),
            says="The weights are plain tensors, so the module does not know them: no optimiser finds them, and "
            "no state_dict holds them. Wrap each in torch.nn.Parameter.",
            cost=0.3,
        ),
        Mistake(
            "base-class-not-initialised",
            old="            super().__init__()\n",
            new="",
            says="torch.nn.Module has not been set up: call super().__init__() first thing in __init__.",
            cost=0.3,
        ),
        Mistake(
            "state-not-returned",
            old=STATE,
            new="return y",
            says="Only y is returned. The caller needs the state after the last step too: y, (h, c).",
            cost=0.3,
        ),
        Mistake(
            "state-with-a-layer-axis",
            old=STATE,
            new="return y, (h[None], c[None])",
            says="The final state has one axis too many. torch.nn.LSTM counts its layers along that axis; here "
            "there is one layer, and h and c are (B, H), as they came in.",
            cost=0.15,
        ),
        Mistake(
            "state-not-in-a-pair",
            old=STATE,
            new="return y, h, c",
            says="Three things are returned. The state belongs in a pair of its own: y, (h, c).",
            cost=0.15,
        ),
        Mistake(
            "states-swapped",
            old=STATE,
            new="return y, (c, h)",
            says="The final state is (h, c), in this order; here the two are swapped.",
            cost=0.1,
        ),
        Mistake(
            "state-kept-between-calls",
            old=BODY,
            new=KEEPS_STATE,
            says="The state is kept on the module, so a second call begins where the first one ended. Without "
            "a state, every call starts from zeros.",
            cost=0.3,
        ),
        Mistake(
            "hidden-state-detached",
            old=SUM,
            new="x[:, t] @ self.weight_ih.T + self.bias_ih + h.detach() @ self.weight_hh.T + self.bias_hh",
            says="The outputs are right and the gradients are not: h is detached at every "
            "step, so they flow back through the cell state alone. Detach between chunks "
            "of training, never inside the cell.",
            cost=0.4,
        ),
        Mistake(
            "cell-state-detached",
            old=CELL,
            new="c = f.sigmoid() * c.detach() + i.sigmoid() * g.tanh()",
            says="The outputs are right and the gradients are not: c is detached at every "
            "step, so they flow back through h alone. Detach between chunks of training, "
            "never inside the cell.",
            cost=0.4,
        ),
    ),
)


def use_train_step(train_step, params, inputs, targets, max_norm, left_over, training):
    import torch

    V, D = params["embed.weight"].shape

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(V, D)
            self.rnn = torch.nn.RNN(D, params["out.weight"].shape[1], batch_first=True)
            self.out = torch.nn.Linear(params["out.weight"].shape[1], V)

        def forward(self, ids):
            modes.append(self.training)
            return self.out(self.rnn(self.embed(ids))[0])

    modes = []
    with torch.random.fork_rng(devices=[]):
        model = Model().to(torch.from_numpy(params["out.weight"]).dtype)
    model.load_state_dict({name: torch.tensor(array) for name, array in params.items()})
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.5)
    batch = torch.from_numpy(inputs), torch.from_numpy(targets)
    model.train(training)
    if left_over:
        model(batch[0])[..., 0].sum().backward()
    losses = [train_step(model, batch, optimiser, max_norm) for _ in range(2)]
    kind = f"a {type(losses[0]).__name__}"
    if isinstance(losses[0], float | np.floating):
        kind = "a number"
    elif isinstance(losses[0], torch.Tensor):
        kind = "a tensor with its graph" if losses[0].requires_grad else "a number"
    change = {name: array - torch.tensor(params[name]) for name, array in model.state_dict().items()}
    modes.append(model.training)
    mode = "training mode" if all(modes) else "both modes" if any(modes) else "evaluation mode"
    return losses[0], kind, mode, change


def draw_train_step(rng):
    def case(B, T, V, D, H, max_norm, when="", left_over=False, training=True):
        params = {
            "embed.weight": rng.normal(size=(V, D)),
            **{f"rnn.{name}_l0": array for name, array in draw_params(rng, D, H).items()},
            "out.weight": rng.normal(0, 1.5, (V, H)),
            "out.bias": rng.normal(size=V),
        }
        ids = rng.integers(0, V, (B, T + 1))
        args = (params, ids[:, :-1].copy(), ids[:, 1:].copy(), max_norm, left_over, training)
        return Case(args, {"B": B, "T": T, "D": D, "H": H}, when)

    return [
        case(3, 5, 6, 4, 2, float(rng.uniform(0.05, 0.1))),
        case(4, 6, 5, 2, 3, 1e3),
        case(3, 4, 7, 2, 5, float(rng.uniform(0.2, 0.3)), "gradients are left over from before", True),
        case(3, 4, 6, 3, 2, 1e3, "the model is in evaluation mode", training=False),
    ]


ZERO = "    optimiser.zero_grad()\n"
FORWARD = "    logits = model(inputs)\n"
TOKEN_LOSS = "    loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets)\n"
BACKWARD = "    loss.backward()\n"
CLIP = "    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)\n"
UPDATE = "    optimiser.step()\n"
ITEM = "    return loss.item()"
STEP = ZERO + FORWARD + TOKEN_LOSS + BACKWARD + CLIP + UPDATE

TRAIN_STEP = Exercise(
    reference=train_step,
    returns=("loss", "kind of loss", "mode", "change"),
    one_idea=("change",),
    draw=draw_train_step,
    use=use_train_step,
    mistakes=(
        Mistake(
            "always-in-training-mode",
            old="    optimiser.zero_grad()\n",
            new="    model.train()\n    optimiser.zero_grad()\n",
            says="The model is put into training mode, whichever mode its caller had chosen. Leave the mode as it is.",
            cost=0.2,
        ),
        Mistake(
            "in-evaluation-mode",
            old="    optimiser.zero_grad()\n",
            new="    model.eval()\n    optimiser.zero_grad()\n",
            says="The model is put into evaluation mode, so dropout is off while it learns. A step of training "
            "belongs in training mode.",
            cost=0.3,
        ),
        Mistake(
            "gradients-not-zeroed",
            old=ZERO,
            new="",
            says="The gradients of earlier steps are still there, and backward adds to them: "
            "set them to zero before each backward pass.",
            cost=0.3,
        ),
        Mistake(
            "zeroed-too-late",
            old=STEP,
            new=FORWARD + TOKEN_LOSS + BACKWARD + CLIP + UPDATE + ZERO,
            says="The gradients are set to zero only after the step, so whatever was in .grad before the first "
            "one counts as well. Do it before the backward pass.",
            cost=0.1,
        ),
        Mistake(
            "never-moves",
            old=STEP,
            new=ZERO + FORWARD + TOKEN_LOSS + BACKWARD + CLIP,
            also=(
                FORWARD + TOKEN_LOSS + BACKWARD + ZERO + CLIP + UPDATE,
                FORWARD + TOKEN_LOSS + BACKWARD + CLIP + ZERO + UPDATE,
                ZERO + FORWARD + TOKEN_LOSS + CLIP + UPDATE,
                ZERO + FORWARD + TOKEN_LOSS + UPDATE + BACKWARD + CLIP,
            ),
            says="The parameters do not move at all. Follow one gradient: where is it made, is it still "
            "there when the optimiser steps, and does the optimiser step?",
            cost=0.6,
        ),
        Mistake(
            "step-not-clipped",
            old=BACKWARD + CLIP + UPDATE,
            new=BACKWARD + UPDATE,
            also=(
                BACKWARD + UPDATE + CLIP,
                CLIP + BACKWARD + UPDATE,
                BACKWARD + CLIP.replace("max_norm", "1e9") + UPDATE,
            ),
            says="The step is made with gradients that are not clipped: the clipping comes too late, too "
            "early or not at all.",
            cost=0.3,
        ),
        Mistake(
            "clipped-by-value",
            old=CLIP,
            new="    torch.nn.utils.clip_grad_value_(model.parameters(), max_norm)\n",
            says="Each number of the gradient is cut off on its own, which changes its direction. "
            "Clip the *norm* of all gradients together.",
            cost=0.3,
        ),
        Mistake(
            "clipped-one-by-one",
            old=CLIP,
            new="    for parameter in model.parameters():\n"
            "        torch.nn.utils.clip_grad_norm_(parameter, max_norm)\n",
            says="Each parameter's gradient is clipped on its own, which changes the direction of the whole. "
            "Clip the norm of all of them together, in one call.",
            cost=0.3,
        ),
        Mistake(
            "view-for-transpose",
            old="logits.transpose(1, 2)",
            new="logits.view(len(logits), -1, logits.shape[1])",
            also=("logits.reshape(len(logits), -1, logits.shape[1])",),
            says="cross_entropy wants (B, V, T), and view gives that shape with the numbers mixed up: it "
            "cuts the same row of numbers into other pieces, and turns no axes round.",
            cost=0.4,
        ),
        Mistake(
            "softmax-twice",
            old="logits.transpose(1, 2)",
            new="logits.softmax(dim=2).transpose(1, 2)",
            says="cross_entropy takes logits and applies the softmax itself: here it is applied twice, and the "
            "gradients shrink.",
            cost=0.3,
        ),
        Mistake(
            "softmax-missing",
            old=TOKEN_LOSS,
            new=TOKEN_LOSS.replace("cross_entropy", "nll_loss"),
            says="nll_loss expects log-probabilities and gets logits: the softmax is missing. cross_entropy "
            "does both.",
            cost=0.3,
        ),
        Mistake(
            "loss-summed",
            old="logits.transpose(1, 2), targets)",
            new='logits.transpose(1, 2), targets, reduction="sum")',
            says="The loss is the sum over all predictions; their mean is asked for.",
            cost=0.3,
        ),
        Mistake(
            "last-step-only",
            old="logits.transpose(1, 2), targets)",
            new="logits[:, -1], targets[:, -1])",
            says="Only the prediction at the last step is counted. Every step predicts its next symbol.",
            cost=0.4,
        ),
        Mistake(
            "uphill",
            old=BACKWARD,
            new="    (-loss).backward()\n",
            says="The step goes uphill: backward is called on minus the loss.",
            cost=0.3,
        ),
        Mistake(
            "loss-with-its-graph",
            old=ITEM,
            new="    return loss",
            says="The loss is returned as a tensor that still holds the whole graph of the forward pass. Collect "
            "such losses and memory fills up: detach it, as the number loss.item().",
            cost=0.2,
        ),
        Mistake(
            "loss-after-the-step",
            old=ITEM,
            new="    return torch.nn.functional.cross_entropy(model(inputs).transpose(1, 2), targets).item()",
            says="The loss is computed again after the step. The one that the step was made for is asked for, "
            "and it comes for free.",
            cost=0.2,
        ),
        Mistake(
            "two-steps",
            old=UPDATE,
            new=UPDATE + UPDATE,
            says="optimiser.step is called twice for one backward pass.",
            cost=0.3,
        ),
        Mistake(
            "not-averaged-over-time",
            old="logits.transpose(1, 2), targets)",
            new="logits.transpose(1, 2), targets) * targets.shape[1]",
            says="The loss is T times too large: the mean is over all B·T predictions.",
            cost=0.3,
        ),
    ),
)


def use_evaluate(evaluate, params, batches, training, seed):
    import torch
    from torch.nn.utils.rnn import PackedSequence

    V, D = params["embed.weight"].shape
    H = params["out.weight"].shape[1] // 2
    seen, leaf = [], torch.ones(1, requires_grad=True)

    def tracking():
        return (leaf * 1).requires_grad

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(V, D)
            self.rnn = torch.nn.RNN(D, H, batch_first=True, bidirectional=True)
            self.dropout = torch.nn.Dropout(0.5)
            self.out = torch.nn.Linear(2 * H, V)

        def forward(self, ids):
            seen.append((self.training, tracking()))
            if not isinstance(ids, PackedSequence):
                return self.out(self.dropout(self.rnn(self.embed(ids))[0]))
            y, _ = self.rnn(PackedSequence(self.embed(ids.data), *ids[1:]))
            return PackedSequence(self.out(self.dropout(y.data)), *y[1:])

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = Model().to(torch.from_numpy(params["out.weight"]).dtype).train(training)
        model.load_state_dict({name: torch.tensor(array) for name, array in params.items()})
        was_enabled = tracking()
        try:
            result = evaluate(model, [tuple(torch.from_numpy(item) for item in batch) for batch in batches])
            enabled = tracking()
        finally:
            torch.set_grad_enabled(was_enabled)
    kinds = [type(one).__name__ for one in (result if isinstance(result, tuple | list) else [result])]
    kind = "numbers" if all(name.startswith(("float", "int")) for name in kinds) else " and ".join(kinds)
    if not seen:
        return result, kind, *["the model was never called"] * 3
    modes = ("training" if any(trains for trains, _ in seen) else "evaluation") + " mode"
    tracked = "tracked" if any(tracks for _, tracks in seen) else "not tracked"
    after = "as before" if model.training == training else "in the other mode"
    return result, kind, modes, tracked, after if enabled == was_enabled else "without gradients from now on"


def draw_evaluate(rng):
    def batch(B, T, V):
        while True:
            lengths = rng.permutation([T, *rng.integers(1, T, B - 1)])
            if (np.diff(lengths) > 0).any():  # not sorted already
                return rng.integers(0, V, (B, T)), rng.integers(0, V, (B, T)), lengths

    def case(V, D, H, sizes, when="", training=True):
        names = draw_params(rng, D, H).items(), draw_params(rng, D, H).items()
        params = {
            "embed.weight": rng.normal(size=(V, D)),
            **{f"rnn.{name}_l0": array for name, array in names[0]},
            **{f"rnn.{name}_l0_reverse": array for name, array in names[1]},
            "out.weight": rng.normal(0, 1.5, (V, 2 * H)),
            "out.bias": rng.normal(size=V),
        }
        batches = [batch(B, T, V) for B, T in sizes]
        return Case((params, batches, training, int(rng.integers(2**31))), {"V": V}, when)

    return [
        case(5, 3, 2, [(3, 6), (4, 5), (3, 9)]),
        case(4, 2, 3, [(5, 4), (3, 8)]),
        case(5, 2, 3, [(3, 7), (4, 6)], "the model was in evaluation mode before", False),
        case(6, 3, 2, [(4, 5)], "there is one batch only"),
    ]


PACKED = (
    "            packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)\n"
    "            wanted = pack_padded_sequence(targets, lengths.cpu(), batch_first=True, enforce_sorted=False)\n"
)
CALL = "            logits = model(packed).data\n"
ADD = (
    '            loss += torch.nn.functional.cross_entropy(logits, wanted.data, reduction="sum").item()\n'
    "            right += (logits.argmax(dim=1) == wanted.data).sum().item()\n"
    "            count += len(wanted.data)\n"
)
RESTORE = "    model.train(was_training)\n"
RESULT = "    return loss / count, right / count"
EACH_BATCH = (
    "            loss += torch.nn.functional.cross_entropy(logits, wanted.data).item()\n"
    "            right += (logits.argmax(dim=1) == wanted.data).double().mean().item()\n"
    "            count += 1\n"
)
FLAT = "            logits, wanted = {logits}.flatten(0, 1), targets.flatten()\n"
PADDED = (
    "            from torch.nn.utils.rnn import pad_packed_sequence\n"
    "            logits = pad_packed_sequence(model(packed), batch_first=True)[0]\n"
)

EVALUATE = Exercise(
    reference=evaluate,
    returns=(("loss", "accuracy"), "kind of result", "mode", "gradients", "afterwards"),
    draw=draw_evaluate,
    use=use_evaluate,
    mistakes=(
        Mistake(
            "loss-divided-by-batches",
            old="return loss / count, right / count",
            new="return loss / len(batches), right / count",
            says="The summed loss is divided by the number of batches. It is a sum over predictions: "
            "divide by their number.",
            cost=0.3,
        ),
        Mistake(
            "in-training-mode",
            old="    model.eval()\n",
            new="",
            says="The model is evaluated in training mode, so dropout still switches units off at random. "
            "Call model.eval() first.",
            cost=0.3,
        ),
        Mistake(
            "tensors-returned",
            old=RESULT,
            new="    return torch.tensor(loss / count), torch.tensor(right / count)",
            says="The results are tensors; two Python numbers are asked for: .item() makes one.",
            cost=0.15,
        ),
        Mistake(
            "gradients-tracked",
            old="    with torch.no_grad():\n",
            new="    with torch.enable_grad():\n",
            says="The numbers are right, but autograd keeps a graph of every batch, which costs time and memory "
            "for nothing. Evaluate under torch.no_grad().",
            cost=0.2,
        ),
        Mistake(
            "gradients-off-for-good",
            old="    with torch.no_grad():\n",
            new="    torch.set_grad_enabled(False)\n    if True:\n",
            says="Gradients are switched off and not on again, so the training that follows learns nothing. "
            "Use torch.no_grad() in a with statement.",
            cost=0.3,
        ),
        Mistake(
            "left-in-evaluation-mode",
            old=RESTORE,
            new="",
            says="The model is left in evaluation mode, so the training that follows runs without dropout. "
            "Put it back into the mode it was in.",
            cost=0.2,
        ),
        Mistake(
            "always-training-afterwards",
            old=RESTORE,
            new="    model.train()\n",
            says="The model is always put into training mode at the end, also if it was in evaluation mode "
            "before. Remember model.training and go back to that.",
            cost=0.1,
        ),
        Mistake(
            "mean-of-batch-means",
            old=ADD,
            new=EACH_BATCH,
            says="Each batch is averaged on its own and then the averages are, so a prediction in a small batch "
            "weighs more. Add up over all batches and divide once, by the number of real predictions.",
            cost=0.3,
        ),
        Mistake(
            "loss-is-a-mean-of-batch-means",
            old=ADD + RESTORE + RESULT,
            new=ADD.replace('logits, wanted.data, reduction="sum")', "logits, wanted.data)")
            + RESTORE
            + "    return loss / len(batches), right / count",
            says="The loss is a mean of the batches' means, so a prediction in a small batch weighs more. "
            "Add up the losses of all predictions and divide once.",
            cost=0.3,
        ),
        Mistake(
            "mean-divided-by-the-count",
            old='logits, wanted.data, reduction="sum")',
            new="logits, wanted.data)",
            says="cross_entropy has taken the mean already, and then it is divided by the count once more. "
            'Add up sums (reduction="sum"), and divide at the end.',
            cost=0.3,
        ),
        Mistake(
            "padding-counted",
            old=PACKED + CALL + ADD,
            new=FLAT.format(logits="model(inputs)") + ADD.replace("wanted.data", "wanted"),
            says="The padding is counted like real predictions. Pack the inputs and the targets with their "
            "lengths: the .data of a packed sequence holds the real steps only.",
            cost=0.5,
        ),
        Mistake(
            "padding-counted-after-packing",
            old=CALL + ADD,
            new=PADDED + FLAT.format(logits="logits") + ADD.replace("wanted.data", "wanted"),
            says="The inputs are packed, but the outputs are padded again and the padding is counted. "
            "Pack the targets too and compare the two .data.",
            cost=0.5,
        ),
        Mistake(
            "model-sees-padding",
            old=CALL,
            new="            logits = pack_padded_sequence(\n"
            "                model(inputs), lengths.cpu(), batch_first=True, enforce_sorted=False\n"
            "            ).data\n",
            says="Only real predictions are counted, but the model still reads the padding, and its backward "
            "direction starts there. Call it on the packed inputs.",
            cost=0.4,
        ),
        Mistake(
            "batch-first-forgotten",
            old=PACKED,
            new=PACKED.replace("batch_first=True, ", ""),
            says="pack_padded_sequence takes the first axis for time unless it is told batch_first=True.",
            cost=0.3,
        ),
        Mistake(
            "sorted-lengths-expected",
            old=PACKED,
            new=PACKED.replace(", enforce_sorted=False", ""),
            says="pack_padded_sequence wants the longest sequence first unless it is told "
            "enforce_sorted=False; then it sorts by itself and puts the order back afterwards.",
            cost=0.2,
        ),
        Mistake(
            "divided-by-sequences",
            old="count += len(wanted.data)",
            new="count += len(lengths)",
            says="The sums are divided by the number of sequences. Divide by the number of predictions.",
            cost=0.3,
        ),
        Mistake(
            "divided-by-padded-length",
            old="count += len(wanted.data)",
            new="count += targets.numel()",
            says="The padding is left out of the sums and still counted in the means: divide by the number of "
            "*real* predictions, not by B·T.",
            cost=0.4,
        ),
        Mistake(
            "not-divided",
            old=RESULT,
            new="    return loss, right",
            says="Sums are returned; the means over all real predictions are asked for.",
            cost=0.3,
        ),
        Mistake(
            "last-batch-only",
            old=ADD,
            new=ADD.replace("+=", "="),
            says="Each batch overwrites the one before (=), so only the last one counts. Add them up (+=).",
            cost=0.4,
        ),
        Mistake(
            "error-rate",
            old=RESULT,
            new="    return loss / count, 1 - right / count",
            says="This is the share of *wrong* predictions. The accuracy is the share of right ones.",
            cost=0.2,
        ),
        Mistake(
            "accuracy-in-percent",
            old=RESULT,
            new="    return loss / count, 100 * right / count",
            says="The accuracy is in percent. Asked for is a share, from 0 to 1.",
            cost=0.15,
        ),
        Mistake(
            "lengths-sorted-alone",
            old=PACKED,
            new="            lengths = lengths.sort(descending=True).values\n"
            "            packed = pack_padded_sequence(inputs, lengths.cpu(), "
            "batch_first=True)\n"
            "            wanted = pack_padded_sequence(targets, lengths.cpu(), "
            "batch_first=True)\n",
            says="The lengths are sorted and the rows are not, so each row is cut at another "
            "row's length. With enforce_sorted=False nothing needs sorting.",
            cost=0.3,
        ),
        Mistake(
            "right-ones-not-divided",
            old=RESULT,
            new="    return loss / count, right",
            says="The accuracy is a number of predictions. Divide by how many there are.",
            cost=0.2,
        ),
        Mistake(
            "losses-not-divided",
            old=RESULT,
            new="    return loss, right / count",
            says="The loss is a sum over all predictions. Divide by how many there are.",
            cost=0.3,
        ),
        Mistake(
            "results-swapped",
            old=RESULT,
            new="    return right / count, loss / count",
            says="The two results are swapped: the loss comes first.",
            cost=0.1,
        ),
    ),
)

EXERCISES = (TO_TORCH, HAND_LSTM, TRAIN_STEP, EVALUATE)
