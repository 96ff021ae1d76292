"""Pictures into words, one to many: what lesson 12 writes, from composing a scene to captioning it.

A scene is two digits on a canvas (``place``) and a sentence that is true of it (``describe``). The picture
becomes the state in which a recurrent decoder starts (``image_to_state``); the decoder learns to say each
word of a caption from the words before it (``caption_loss``), and then says one by itself (``caption``).
The text that the lesson compares with; it trusts its arguments. torch is imported where it is used.
"""

import numpy as np

from rnncore.data.digits import END, NAMES, PAD, START


def place(canvas, digit, row, col):
    """A copy of the canvas with a digit drawn in, its upper left corner at (row, col).

    canvas (height, width) and digit (h, w) hold ink from 0 to 1, as the result does; where ink meets ink
    the darker of the two stays.
    """
    h, w = digit.shape
    drawn = canvas.copy()
    drawn[row : row + h, col : col + w] = np.maximum(drawn[row : row + h, col : col + w], digit)
    return drawn


def describe(first, second, first_at, second_at):
    """A caption about the first digit, such as "a three left of an eight".

    first and second are digits, from 0 to 9; first_at and second_at are (row, col) of their corners, where
    rows are counted downwards. The larger of the two distances decides: along the columns it is "left of"
    or "right of", along the rows "above" or "below".
    """
    down = second_at[0] - first_at[0]
    right = second_at[1] - first_at[1]
    if abs(right) > abs(down):
        relation = "left of" if right > 0 else "right of"
    else:
        relation = "above" if down > 0 else "below"
    subject, other = ("an eight" if digit == 8 else f"a {NAMES[digit]}" for digit in (first, second))
    return f"{subject} {relation} {other}"


def image_to_state(encoder, images, layers):
    """The states in which the decoder's layers start: images (B, height, width) give (layers, B, H).

    encoder is a torch module that turns (B, 1, height, width), pictures of one channel, into features
    (B, layers * H): those of the first layer, then those of the next. As every state of a GRU the result
    is between -1 and 1; it is contiguous, as a GPU's GRU wants it (Vinyals et al., 2015, for one layer).
    """
    import torch

    features = encoder(images.unsqueeze(1))
    state = torch.tanh(features)
    state = state.view(len(images), layers, -1)
    state = state.transpose(0, 1)
    return state.contiguous()


def caption_loss(decoder, state, captions):
    """How surprised the decoder is by the words of captions, given the words before them: a tensor.

    captions (B, T + 1) are ids: START, words, END, and PAD to fill up. decoder(words (B, T), state) gives
    logits (B, T, V) and the state after the last word. The loss is the mean cross-entropy over all words
    after START, END being one of them and PAD none.
    """
    import torch

    inputs = captions[:, :-1]
    targets = captions[:, 1:]
    logits, _ = decoder(inputs, state)
    loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, ignore_index=PAD)
    return loss


def caption(decoder, state, choose, longest):
    """What the decoder says of one picture: a list of ids, without START and END.

    state (layers, 1, H) is where it starts; decoder(words (1, 1), state) gives logits (1, 1, V) and the
    next state; choose(logits (V,)) gives the id of the next word, which it then reads. It stops at END,
    and after longest words at the latest. It is in evaluation mode, and nothing is recorded for autograd.
    """
    import torch

    decoder.eval()
    words = []
    word = START
    with torch.no_grad():
        for _ in range(longest):
            logits, state = decoder(torch.tensor([[word]], device=state.device), state)
            word = int(choose(logits[0, 0]))
            if word == END:
                break
            words.append(word)
    return words
