"""Over the bridge to PyTorch: what lesson 09 writes by hand.

Parameters become tensors (``to_torch``), the LSTM becomes a module whose gradients autograd finds
(``HandLSTM``), and the training loop's two halves become functions of any model (``train_step``,
``evaluate``). The whole loop, for the lessons after that, is ``rnncore.given.fit``; ``rnncore.interop`` turns
whole layers into torch's own and back. torch is imported where it is used: importing this module does not
need it.
"""


def to_torch(params, requires_grad=False):
    """Tensors of the same names, numbers and dtypes as a dict of arrays; each has memory of its own.

    requires_grad: whether autograd is to collect their gradients in .grad.
    """
    import torch

    tensors = {}
    for name, array in params.items():
        tensor = torch.tensor(array)
        tensor.requires_grad_(requires_grad)
        tensors[name] = tensor
    return tensors


def HandLSTM(input_size, hidden_size):
    """An LSTM of one layer as a torch module, its cell written by hand; batch first.

    module(x) or module(x, (h, c)): x (B, T, D), h and c (B, H), give y (B, T, H) and (h, c) after the
    last step; without a state it starts from zeros. The parameters are weight_ih, weight_hh, bias_ih and
    bias_hh, with the gates' rows in the order i, f, g, o.
    """
    import torch

    class HandLSTM(torch.nn.Module):  # within a function, since its base class needs torch
        def __init__(self):
            super().__init__()
            bound = hidden_size**-0.5
            self.hidden_size = hidden_size
            self.weight_ih = torch.nn.Parameter(torch.empty(4 * hidden_size, input_size))
            self.weight_hh = torch.nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
            self.bias_ih = torch.nn.Parameter(torch.empty(4 * hidden_size))
            self.bias_hh = torch.nn.Parameter(torch.empty(4 * hidden_size))
            for parameter in self.parameters():
                torch.nn.init.uniform_(parameter, -bound, bound)

        def forward(self, x, state=None):
            B, T, _ = x.shape
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

    return HandLSTM()


def train_step(model, batch, optimiser, max_norm):
    """One step of training: how wrong the model is, which way is better, and a step that way.

    batch is (inputs, targets), two tensors (B, T); model(inputs) gives logits (B, T, V). The loss is the
    mean cross-entropy over all B * T predictions, as a Python number. The gradients are clipped together
    to the norm max_norm; what is left in .grad from before counts nothing.
    """
    import torch

    inputs, targets = batch
    optimiser.zero_grad()
    logits = model(inputs)
    loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimiser.step()
    return loss.item()


def evaluate(model, batches):
    """How good the model is on padded batches: the mean loss and the accuracy, over real predictions only.

    Each batch is (inputs (B, T), targets (B, T), lengths (B,)). The model is called on a PackedSequence
    of the inputs and gives one of logits, so it never sees padding. It is in evaluation mode meanwhile and
    afterwards in the mode it was in, and no gradients are tracked. Both results are Python numbers.
    """
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence

    was_training = model.training
    model.eval()
    loss, right, count = 0.0, 0, 0
    with torch.no_grad():
        for inputs, targets, lengths in batches:
            packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
            wanted = pack_padded_sequence(targets, lengths.cpu(), batch_first=True, enforce_sorted=False)
            logits = model(packed).data
            loss += torch.nn.functional.cross_entropy(logits, wanted.data, reduction="sum").item()
            right += (logits.argmax(dim=1) == wanted.data).sum().item()
            count += len(wanted.data)
    model.train(was_training)
    return loss / count, right / count
