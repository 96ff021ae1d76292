"""Correct variants for lesson 12, in other styles than the reference's."""

import contextlib
import copy

import numpy as np
import torch
from torch.nn import functional

from rnncore.data.digits import END, NAMES, PAD, START
from tests.rnncore.exercises.variants import answers


@answers("place")
def pixel_by_pixel(canvas, digit, row, col):
    drawn = np.array(canvas)
    for i in range(digit.shape[0]):
        for j in range(digit.shape[1]):
            drawn[row + i, col + j] = max(drawn[row + i, col + j], digit[i, j])
    return drawn


@answers("place")
def padded_digit(canvas, digit, row, col):
    below, behind = (c - d - at for c, d, at in zip(canvas.shape, digit.shape, (row, col), strict=True))
    return np.maximum(canvas, np.pad(digit, ((row, below), (col, behind))))


@answers("place")
def on_an_empty_layer(canvas, digit, row, col):
    layer = np.zeros_like(canvas)
    layer[row : row + len(digit), col : col + digit.shape[1]] = digit
    return np.where(layer > canvas, layer, canvas)


@answers("place")
def through_a_window(canvas, digit, row, col):
    drawn = canvas.copy()
    window = drawn[row:, col:][: digit.shape[0], : digit.shape[1]]
    np.maximum(window, digit, out=window)
    return drawn


@answers("place")
def lists_of_lists(canvas, digit, row, col):
    rows = canvas.tolist()
    for i, line in enumerate(digit.tolist()):
        for j, ink in enumerate(line):
            if ink > rows[row + i][col + j]:
                rows[row + i][col + j] = ink
    return rows


@answers("place")
def darker_pixels_by_mask(canvas, digit, row, col):
    drawn, (h, w) = canvas.copy(), digit.shape
    darker = digit > drawn[row : row + h, col : col + w]
    drawn[row : row + h, col : col + w][darker] = digit[darker]
    return drawn


@answers("describe")
def ladder(first, second, first_at, second_at):
    (r1, c1), (r2, c2) = first_at, second_at
    if abs(c2 - c1) > abs(r2 - r1):
        if c1 < c2:
            where = "left of"
        else:
            where = "right of"
    elif r1 < r2:
        where = "above"
    else:
        where = "below"

    def noun(digit):
        return ("an " if NAMES[digit] == "eight" else "a ") + NAMES[digit]

    return noun(first) + " " + where + " " + noun(second)


@answers("describe")
def table(first, second, first_at, second_at):
    step = np.subtract(second_at, first_at)
    axis = int(np.abs(step).argmax())
    relation = (("below", "above"), ("right of", "left of"))[axis][int(step[axis] > 0)]
    articles = ["an" if digit == 8 else "a" for digit in (first, second)]
    return " ".join([articles[0], NAMES[first], relation, articles[1], NAMES[second]])


@answers("describe")
def by_rotation(first, second, first_at, second_at):
    step = complex(second_at[1] - first_at[1], second_at[0] - first_at[0])
    quarter = round(np.angle(step) / (np.pi / 2)) % 4
    relation = ["left of", "above", "right of", "below"][quarter]
    nouns = [f"{'an' * (digit == 8) or 'a'} {NAMES[digit]}" for digit in (first, second)]
    return f" {relation} ".join(nouns)


@answers("describe")
def replaced_afterwards(first, second, first_at, second_at):
    d_row, d_col = first_at[0] - second_at[0], first_at[1] - second_at[1]
    relation = {True: "left of", False: "right of"}[d_col < 0]
    if abs(d_row) >= abs(d_col):
        relation = "above" if d_row < 0 else "below"
    text = f"a {NAMES[first]} {relation} a {NAMES[second]}"
    return text.replace("a eight", "an eight")


@answers("describe")
def largest_of_four(first, second, first_at, second_at):
    down, right = second_at[0] - first_at[0], second_at[1] - first_at[1]
    far = {"left of": right, "right of": -right, "above": down, "below": -down}
    words = {i: f"{'an' if i == 8 else 'a'} {name}" for i, name in enumerate(NAMES)}
    return " ".join([words[first], max(far, key=far.get), words[second]])


@answers("image_to_state")
def chunks_stacked(encoder, images, layers):
    features = encoder(images[:, None]).tanh()
    return torch.stack(features.chunk(layers, dim=1))


@answers("image_to_state")
def permuted(encoder, images, layers):
    B, height, width = images.shape
    state = torch.tanh(encoder(images.view(B, 1, height, width)))
    return state.reshape(B, layers, -1).permute(1, 0, 2).contiguous()


@answers("image_to_state")
def picture_by_picture(encoder, images, layers):
    states = [encoder(image[None, None]).tanh().view(layers, 1, -1) for image in images]
    return torch.cat(states, dim=1)


@answers("image_to_state")
def filled_in(encoder, images, layers):
    features = encoder(torch.unsqueeze(images, dim=1))
    H = features.shape[1] // layers
    state = features.new_zeros(layers, images.shape[0], H)
    for layer in range(layers):
        state[layer] = torch.tanh(features[:, layer * H : (layer + 1) * H])
    return state


@answers("image_to_state")
def by_einsum(encoder, images, layers):
    features = encoder(images.reshape(len(images), 1, *images.shape[1:]))
    cut = features.unflatten(1, (layers, -1))
    return torch.einsum("blh->lbh", torch.tanh(cut)).clone(memory_format=torch.contiguous_format)


@answers("image_to_state")
def tanh_from_sigmoid(encoder, images, layers):
    features = 2 * torch.sigmoid(2 * encoder(images.unsqueeze(1))) - 1
    return torch.stack(torch.split(features, features.size(1) // layers, dim=1), dim=0)


@answers("caption_loss")
def flattened(decoder, state, captions):
    logits = decoder(captions[:, :-1], state)[0]
    loss = torch.nn.CrossEntropyLoss(ignore_index=PAD)
    return loss(logits.reshape(-1, logits.shape[-1]), captions[:, 1:].reshape(-1))


@answers("caption_loss")
def real_words_picked(decoder, state, captions):
    inputs, targets = captions[:, :-1], captions[:, 1:]
    logits, _ = decoder(inputs, state)
    real = targets != PAD
    return functional.cross_entropy(logits[real], targets[real])


@answers("caption_loss")
def masked_by_hand(decoder, state, captions):
    targets = captions[:, 1:]
    log_probs = decoder(captions[:, :-1], state)[0].log_softmax(-1)
    picked = log_probs.gather(2, targets.unsqueeze(2)).squeeze(2)
    mask = (targets != PAD).to(picked.dtype)
    return -(picked * mask).sum() / mask.sum()


@answers("caption_loss")
def word_by_word(decoder, state, captions):
    total, count = 0, 0
    for t in range(captions.shape[1] - 1):
        logits, state = decoder(captions[:, t : t + 1], state)
        target = captions[:, t + 1]
        total = total + functional.cross_entropy(logits[:, 0], target, ignore_index=PAD, reduction="sum")
        count = count + (target != PAD).sum()
    return total / count


@answers("caption_loss")
def caption_by_caption(decoder, state, captions):
    losses = []
    for b, row in enumerate(captions):
        words = row[row != PAD]
        logits, _ = decoder(words[None, :-1], state[:, b : b + 1].contiguous())
        losses.append(functional.cross_entropy(logits[0], words[1:], reduction="none"))
    return torch.cat(losses).mean()


@answers("caption_loss")
def one_step_too_many_cut_off(decoder, state, captions):
    logits, _ = decoder(captions, state)
    targets = captions[:, 1:].masked_fill(captions[:, 1:] == PAD, -100)
    return functional.cross_entropy(logits[:, :-1].permute(0, 2, 1), targets)


@answers("caption")
def while_loop(decoder, state, choose, longest):
    decoder.train(False)
    said, word = [], START
    with torch.inference_mode():
        while len(said) < longest:
            logits, state = decoder(torch.full((1, 1), word), state)
            word = choose(logits.reshape(-1))
            if word == END:
                return said
            said.append(word)
    return said


@answers("caption")
@torch.no_grad()
def tensor_of_ids(decoder, state, choose, longest):
    decoder.eval()
    words = torch.tensor([[START]])
    while words.shape[1] <= longest:
        logits, state = decoder(words[:, -1:], state)
        word = choose(logits[0, -1])
        if word == END:
            break
        words = torch.cat([words, torch.tensor([[word]])], dim=1)
    return words[0, 1:].tolist()


@answers("caption")
def everything_read_anew(decoder, state, choose, longest):
    decoder.eval()
    words = [START]
    for _ in range(longest):
        with torch.no_grad():
            logits, _ = decoder(torch.tensor([words]), state)
        word = choose(logits[0, -1])
        if word == END:
            break
        words.append(word)
    return words[1:]


@answers("caption")
def recursive(decoder, state, choose, longest):
    decoder.eval()

    def rest(word, state, left):
        if left == 0:
            return []
        with torch.no_grad():
            logits, state = decoder(torch.tensor([[word]]), state)
        word = choose(logits.squeeze())
        return [] if word == END else [word, *rest(word, state, left - 1)]

    return rest(START, state, longest)


@answers("caption")
def mode_put_back(decoder, state, choose, longest):
    was_training = decoder.training
    decoder.eval()
    words, word = [], START
    was_enabled = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    while word != END and len(words) < longest:
        logits, state = decoder(torch.tensor([word]).view(1, 1), state)
        word = choose(logits[0][0])
        words.append(word)
    torch.set_grad_enabled(was_enabled)
    decoder.train(was_training)
    return words[:-1] if words[-1] == END else words


@answers("caption")
def on_a_copy_by_a_generator(decoder, state, choose, longest):
    decoder = copy.deepcopy(decoder).eval()

    def speak(word, state):
        while True:
            logits, state = decoder(torch.LongTensor([[word]]), state)
            word = choose(logits[0, 0])
            yield word

    words = []
    with torch.no_grad(), contextlib.closing(speak(START, state)) as speaker:
        for word in speaker:
            if word == END:
                break
            words.append(word)
            if len(words) == longest:
                break
    return tuple(words)
