"""Lesson 12, Say what is in a picture: place, describe, image_to_state, caption_loss, caption.

Encoders and decoders cannot travel as plain data, so the last three have a ``use`` that makes them where
the answer lives, and returns arrays, numbers and words. torch is imported there and nowhere else.
"""

import numpy as np

from rnncore.cells.gru import gru_cell
from rnncore.exercises.exercise import Case, Exercise, Mistake
from rnncore.topics.captions import caption, caption_loss, describe, image_to_state, place


def draw_place(rng):
    def case(height, width, h, w, row, col, when="", dtype=np.float64):
        canvas = rng.uniform(0.1, 0.9, (height, width)) * (rng.random((height, width)) < 0.7)
        digit = rng.uniform(0.1, 0.9, (h, w)) * (rng.random((h, w)) < 0.8)
        return Case((canvas.astype(dtype), digit.astype(dtype), row, col), {}, when)

    return [
        case(9, 11, 4, 3, 2, 5),
        case(12, 10, 3, 5, 4, 1),
        case(13, 12, 5, 6, 3, 4, dtype=np.float32),
        case(8, 9, 3, 4, 5, 5, "the digit lies in the corner below on the right"),
        case(7, 8, 4, 3, 0, 0, "the digit lies in the corner above on the left"),
    ]


DRAWN = "drawn = canvas.copy()"
REGION = "drawn[row : row + h, col : col + w] = np.maximum(drawn[row : row + h, col : col + w], digit)"
RETURN_DRAWN = "return drawn"

PLACED = f"    h, w = digit.shape\n    {DRAWN}\n    {REGION}\n"
PLACE = Exercise(
    reference=place,
    returns=("canvas",),
    draw=draw_place,
    mistakes=(
        Mistake(
            "ink-overwritten",
            old=REGION,
            new="drawn[row : row + h, col : col + w] = digit",
            says="The digit's whole square replaces what was there, its empty pixels too: they wipe out the ink "
            "of a digit that reaches into the square. Where ink meets ink the darker stays, pixel by pixel.",
            cost=0.5,
        ),
        Mistake(
            "ink-added",
            old=REGION,
            new="drawn[row : row + h, col : col + w] += digit",
            says="Where two digits overlap the ink is added up and can exceed 1, which no pixel of one digit "
            "ever does. The darker of the two stays.",
            cost=0.4,
        ),
        Mistake(
            "ink-added-and-clipped",
            old=REGION,
            new="drawn[row : row + h, col : col + w] = np.clip(drawn[row : row + h, col : col + w] + digit, 0, 1)",
            also=(
                "drawn[row : row + h, col : col + w] = np.minimum(drawn[row : row + h, col : col + w] + digit, 1)",
            ),
            says="Where two digits overlap the ink is added up and then cut off at 1. Nothing is added here: of "
            "two pixels the darker stays as it is.",
            cost=0.4,
        ),
        Mistake(
            "lighter-stays",
            old=REGION,
            new="drawn[row : row + h, col : col + w] = np.minimum(drawn[row : row + h, col : col + w], digit)",
            says="The *lighter* of two pixels stays, so on an empty canvas no ink arrives at all. "
            "1 is ink and 0 is none: take the larger.",
            cost=0.4,
        ),
        Mistake(
            "maximum-thrown-away",
            old=REGION,
            new="np.maximum(drawn[row : row + h, col : col + w], digit)",
            says="The canvas comes back without the digit. np.maximum returns a new array and changes neither of "
            "its two: put its result somewhere.",
            cost=0.9,
        ),
        Mistake(
            "only-empty-pixels-drawn",
            old=REGION,
            new="here = drawn[row : row + h, col : col + w]\n"
            "    drawn[row : row + h, col : col + w] = np.where(here > 0, here, digit)",
            says="Ink that is there already always wins, even where the digit is darker. Compare the two.",
            cost=0.3,
        ),
        Mistake(
            "ink-overwritten-by-any-ink",
            old=REGION,
            new="here = drawn[row : row + h, col : col + w]\n"
            "    drawn[row : row + h, col : col + w] = np.where(digit > 0, digit, here)",
            says="The digit's ink always wins, even where the canvas is darker. Compare the two.",
            cost=0.3,
        ),
        Mistake(
            "row-and-column-swapped",
            old=REGION,
            new="drawn[col : col + h, row : row + w] = np.maximum(drawn[col : col + h, row : row + w], digit)",
            says="Row and column are swapped. An array's first index counts rows, downwards; the second counts "
            "columns, to the right.",
            cost=0.3,
        ),
        Mistake(
            "height-and-width-swapped",
            old="h, w = digit.shape",
            new="w, h = digit.shape",
            says="The digit's height and width are swapped, which shows as soon as it is not square: shape is "
            "(height, width).",
            cost=0.3,
        ),
        Mistake(
            "centre-for-corner",
            old=REGION,
            new="row, col = max(row - h // 2, 0), max(col - w // 2, 0)\n    " + REGION,
            says="The digit is centred at (row, col). That is where its upper left *corner* belongs.",
            cost=0.3,
        ),
        Mistake(
            "rows-counted-from-below",
            old=REGION,
            new="row = len(canvas) - h - row\n    " + REGION,
            says="The rows are counted from below. In an array, and in a picture, row 0 is at the top.",
            cost=0.3,
        ),
        Mistake(
            "new-canvas",
            old=DRAWN,
            new="drawn = np.zeros_like(canvas)",
            says="The digit is drawn on an empty canvas, and what was on the old one is gone. Start from a copy.",
            cost=0.4,
        ),
        Mistake(
            "only-the-square-returned",
            old=RETURN_DRAWN,
            new="return drawn[row : row + h, col : col + w]",
            says="Only the square with the digit is returned. The whole canvas is asked for.",
            cost=0.3,
        ),
        Mistake(
            "draws-on-the-callers-canvas",
            old=DRAWN,
            new="drawn = canvas",
            says="The digit is drawn on the caller's own canvas: without a copy, `drawn` is another name for it, and "
            "the next scene begins with this one's ink.",
            cost=0.2,
        ),
        Mistake(
            "one-side-for-both",
            old=PLACED,
            new=PLACED.replace("h, w = digit.shape", "h = w = len(digit)"),
            also=tuple(
                PLACED.replace("h, w = digit.shape", f"n = {side}")
                .replace("+ h", "+ n")
                .replace("+ w", "+ n")
                for side in ("len(digit)", "digit.shape[0]", "digit.shape[1]")
            ),
            says="One side of the digit is taken for both. It need not be square: its shape is (h, w).",
            cost=0.3,
        ),
        Mistake(
            "region-one-too-large",
            old="drawn[row : row + h, col : col + w] = np.maximum(drawn[row : row + h, "
            "col : col + w], digit)",
            new="drawn[row : row + h + 1, col : col + w + 1] = np.maximum(drawn[row : "
            "row + h + 1, col : col + w + 1], digit)",
            says="The region is one pixel too large on both sides: a slice ends *before* its second number.",
            cost=0.3,
        ),
    ),
)


def draw_describe(rng):
    def case(part, down, right, pair=None):
        first, second = pair or rng.choice([0, 2, 3, 4, 5, 6, 7, 9], 2, replace=False).tolist()
        # Far from the edge, so that the second's own place says nothing about where it lies from the first.
        row, col = rng.integers(12, 16, 2).tolist()
        return Case((first, second, (row, col), (row + down, col + right)), part=part)

    far, near = (rng.integers(low, low + 3, 8).tolist() for low in (7, 2))
    return [
        case("left of", near[0], far[0]),
        case("left of", -near[1], far[1]),
        case("right of", near[2], -far[2]),
        case("right of", -near[3], -far[3]),
        case("above", far[4], near[4]),
        case("above", far[5], -near[5]),
        case("below", -far[6], near[6]),
        case("below", -far[7], -near[7]),
        case("a or an", near[0], far[1], (8, 1)),
        case("a or an", -far[2], near[1], (1, 8)),
    ]


DOWN_AND_RIGHT = "down = second_at[0] - first_at[0]\n    right = second_at[1] - first_at[1]"
LARGER = "if abs(right) > abs(down):"
ALONG_COLUMNS = '"left of" if right > 0 else "right of"'
ALONG_ROWS = '"above" if down > 0 else "below"'
SUBJECTS = '("an eight" if digit == 8 else f"a {NAMES[digit]}" for digit in (first, second))'
SENTENCE = 'return f"{subject} {relation} {other}"'

DESCRIBE = Exercise(
    reference=describe,
    returns=("caption",),
    draw=draw_describe,
    mistakes=(
        Mistake(
            "left-and-right-swapped",
            old=ALONG_COLUMNS,
            new='"right of" if right > 0 else "left of"',
            says="Left and right are swapped. If the second digit's column is the larger one, the second lies "
            "further right, and so the *first* is left of it.",
            cost=0.3,
        ),
        Mistake(
            "place-of-the-second-alone",
            old=DOWN_AND_RIGHT,
            new="down = second_at[0]\n    right = second_at[1]",
            also=("down = first_at[0]\n    right = first_at[1]",),
            says="Only one digit's own place is looked at. Where one lies from the other is what lies between the two.",
            cost=0.5,
        ),
        Mistake(
            "above-and-below-swapped",
            old=ALONG_ROWS,
            new='"below" if down > 0 else "above"',
            says="Above and below are swapped. Rows are counted downwards: the larger row is the lower one.",
            cost=0.3,
        ),
        Mistake(
            "seen-from-the-second",
            old=DOWN_AND_RIGHT,
            new="down = first_at[0] - second_at[0]\n    right = first_at[1] - second_at[1]",
            says="Every relation is turned round: it says where the second digit is, seen from the first. "
            "The caption is about the first, so ask where the first is, seen from the second.",
            cost=0.3,
        ),
        Mistake(
            "rows-for-columns",
            old=DOWN_AND_RIGHT,
            new="down = second_at[1] - first_at[1]\n    right = second_at[0] - first_at[0]",
            says="Rows and columns are swapped: a place is (row, col), so its first number says how far down, "
            "its second how far to the right.",
            cost=0.3,
        ),
        Mistake(
            "sign-forgotten",
            old=LARGER,
            new="if right > down:",
            says="The two distances are compared with their signs, so a large step to the left or upwards counts "
            "as less than a small one to the right or downwards. Compare their sizes.",
            cost=0.3,
        ),
        Mistake(
            "columns-always-decide",
            old=LARGER,
            new="if right != 0:",
            says="As soon as the columns differ at all, the relation is left or right. Digits are seldom exactly "
            "in line: the *larger* of the two distances decides.",
            cost=0.4,
        ),
        Mistake(
            "rows-always-decide",
            old=LARGER,
            new="if down == 0:",
            says="As soon as the rows differ at all, the relation is above or below. Digits are seldom exactly "
            "in line: the *larger* of the two distances decides.",
            cost=0.4,
        ),
        Mistake(
            "smaller-distance-decides",
            old=LARGER,
            new="if abs(right) < abs(down):",
            says="The smaller of the two distances decides here. Two digits side by side are far apart along "
            "the columns and nearly level along the rows.",
            cost=0.3,
        ),
        Mistake(
            "second-digit-first",
            old="for digit in (first, second))",
            new="for digit in (second, first))",
            says="The digits are named in the wrong order: the caption begins with the first.",
            cost=0.3,
        ),
        Mistake(
            "always-a",
            old=SUBJECTS,
            new='(f"a {NAMES[digit]}" for digit in (first, second))',
            says="One digit takes another article than the rest: read the captions aloud.",
            cost=0.2,
        ),
        Mistake(
            "an-before-every-vowel",
            old=SUBJECTS,
            new='(f"an {NAMES[digit]}" if NAMES[digit][0] in "aeiou" else f"a {NAMES[digit]}" for digit in (first, second))',
            says='"One" begins with a vowel on paper only: spoken it begins like "won", so it is "a one".',
            cost=0.1,
        ),
        Mistake(
            "article-of-the-first-for-both",
            old=SUBJECTS,
            new="(('an ' if first == 8 else 'a ') + NAMES[digit] for digit in (first, second))",
            says="The second digit gets the article of the first. Each has its own.",
            cost=0.2,
        ),
        Mistake(
            "figures-for-words",
            old=SUBJECTS,
            new='("an 8" if digit == 8 else f"a {digit}" for digit in (first, second))',
            says="The digits are written as figures; NAMES holds their words, which is what the decoder says.",
            cost=0.2,
        ),
        Mistake(
            "of-missing",
            old=SENTENCE,
            new='return f"{subject} {relation.split()[0]} {other}"',
            says='It is "left of" and "right of", with "of"; only "above" and "below" are one word.',
            cost=0.2,
        ),
        Mistake(
            "of-too-often",
            old=SENTENCE,
            new='return f"{subject} {relation.split()[0]} of {other}"',
            says='It is "above" and "below", without "of"; only "left of" and "right of" have it.',
            cost=0.2,
        ),
        Mistake(
            "an-for-the-first-only",
            old='("an eight" if digit == 8 else f"a {NAMES[digit]}" for digit in (first, second))',
            new='("an eight" if first == 8 else f"a {NAMES[first]}", f"a {NAMES[second]}")',
            says='Only the first digit gets "an". An eight is an eight in the second place too.',
            cost=0.15,
        ),
        Mistake(
            "an-for-the-second-only",
            old='("an eight" if digit == 8 else f"a {NAMES[digit]}" for digit in (first, second))',
            new='(f"a {NAMES[first]}", "an eight" if second == 8 else f"a {NAMES[second]}")',
            says='Only the second digit gets "an". An eight is an eight in the first place too.',
            cost=0.15,
        ),
        Mistake(
            "capital-and-full-stop",
            old='return f"{subject} {relation} {other}"',
            new='return f"{subject} {relation} {other}.".capitalize()',
            also=(
                'return f"{subject} {relation} {other}".capitalize()',
                'return f"{subject} {relation} {other}."',
            ),
            says="The words are right; they are written as a sentence, with a capital or a "
            "full stop. A caption has neither here: each of its words is looked up in a list.",
            cost=0.15,
        ),
        Mistake(
            "no-articles",
            old='return f"{subject} {relation} {other}"',
            new='return f"{NAMES[first]} {relation} {NAMES[second]}"',
            says="The articles are missing: a three, an eight.",
            cost=0.3,
        ),
        Mistake(
            "the-for-a",
            old='return f"{subject} {relation} {other}"',
            new='return f"the {NAMES[first]} {relation} the {NAMES[second]}"',
            says='The articles are "the"; asked for are "a" and "an".',
            cost=0.2,
        ),
    ),
)


def use_image_to_state(image_to_state, params, images, layers, dstate):
    import torch

    encoder = torch.nn.Sequential(
        torch.nn.Conv2d(1, len(params["0.weight"]), 3),
        torch.nn.Flatten(),
        torch.nn.Linear(params["2.weight"].shape[1], len(params["2.weight"])),
    ).to(torch.from_numpy(params["2.weight"]).dtype)
    encoder.load_state_dict({name: torch.tensor(array) for name, array in params.items()})
    leaf = torch.tensor(images, requires_grad=True)
    given = leaf * 1  # no leaf, so that autograd lets a change in place pass, to be seen here
    state = image_to_state(encoder, given, layers)
    images[...] = given.detach().numpy()
    if not isinstance(state, torch.Tensor) or state.shape != dstate.shape:
        return state, "not known yet", np.zeros(2), np.zeros(2)
    if state.requires_grad:
        (state * torch.tensor(dstate)).sum().backward()
    memory = "in one piece" if state.is_contiguous() else "not contiguous"
    memory += "" if encoder.training else "; and the encoder was left in evaluation mode"
    zeros = np.zeros(1)
    return state, memory, *(zeros if t.grad is None else t.grad for t in (encoder[2].weight, leaf))


def draw_image_to_state(rng):
    def case(B, L, H, height, width, when=""):
        inner = 2 * (height - 2) * (width - 2)
        params = {
            "0.weight": rng.normal(0, 0.5, (2, 1, 3, 3)),
            "0.bias": rng.normal(0, 0.5, 2),
            "2.weight": rng.normal(0, 1.2 / inner**0.5, (L * H, inner)),
            "2.bias": rng.normal(0, 0.5, L * H),
        }
        images = rng.uniform(0, 1, (B, height, width))
        return Case((params, images, L, rng.normal(size=(L, B, H))), {"L": L, "B": B, "H": H}, when)

    return [
        case(4, 2, 3, 6, 5),
        case(5, 3, 2, 5, 7),
        case(3, 4, 5, 4, 6),
        case(4, 1, 3, 6, 5, "the decoder has one layer"),
        case(1, 2, 3, 5, 6, "B = 1"),
    ]


FEATURES = "features = encoder(images.unsqueeze(1))"
TANH = "state = torch.tanh(features)"
CUT = "state = state.view(len(images), layers, -1)"
TURN = "state = state.transpose(0, 1)"
STATE = "return state.contiguous()"

IMAGE_TO_STATE = Exercise(
    reference=image_to_state,
    returns=("state", "memory", "d_weight", "d_images"),
    draw=draw_image_to_state,
    use=use_image_to_state,
    mistakes=(
        Mistake(
            "channel-axis-missing",
            old=FEATURES,
            new="features = encoder(images)",
            also=("features = encoder(images.unsqueeze(0))", "features = encoder(images[None])"),
            says="The encoder takes (B, 1, height, width), pictures of one channel, and images is "
            "(B, height, width): as it stands the batch is taken for channels. Put a new axis behind the batch.",
            cost=0.3,
        ),
        Mistake(
            "channel-axis-last",
            old=FEATURES,
            new="features = encoder(images.unsqueeze(-1))",
            says="The new axis of one channel stands last. PyTorch wants channels in front of the pixels: "
            "(B, 1, height, width).",
            cost=0.3,
        ),
        Mistake(
            "pictures-flattened",
            old=FEATURES,
            new="features = encoder(images.flatten(1))",
            says="The pictures are flattened into rows of pixels. The encoder wants them as pictures, "
            "(B, 1, height, width).",
            cost=0.3,
        ),
        Mistake(
            "no-tanh",
            old=TANH,
            new="state = features",
            says="The features go into the decoder as they are. The states of a GRU lie between -1 and 1, and its "
            "first should too: squash the features.",
            cost=0.3,
        ),
        Mistake(
            "sigmoid-for-tanh",
            old=TANH,
            new="state = torch.sigmoid(features)",
            says="A sigmoid gives states from 0 to 1 only. A GRU's states lie between -1 and 1.",
            cost=0.3,
        ),
        Mistake(
            "cut-off-for-tanh",
            old=TANH,
            new="state = features.clamp(-1, 1)",
            also=("state = features.clamp(0, 1)",),
            says="What lies beyond -1 and 1 is cut off: all large features become one, and no gradient gets through "
            "there. Squash them smoothly.",
            cost=0.3,
        ),
        Mistake(
            "relu-for-tanh",
            old=TANH,
            new="state = torch.relu(features)",
            says="ReLU gives states from 0 to anything. A GRU's states lie between -1 and 1.",
            cost=0.3,
        ),
        Mistake(
            "view-for-transpose",
            old=CUT + "\n    " + TURN,
            new="state = state.view(layers, len(images), -1)",
            also=("state = state.reshape(layers, len(images), -1)",),
            says="The shape is right, but the pictures are mixed up: view cuts the same row of numbers into other "
            "pieces, so one picture's features land in another's state. Cut into (B, layers, H), which keeps "
            "each picture's numbers together, and then turn the axes round.",
            cost=0.6,
        ),
        Mistake(
            "batch-first",
            old=TURN,
            new="state = state",
            says="This is (B, layers, H). A state of torch.nn.GRU has its layers first, even with "
            "batch_first=True: (layers, B, H).",
            cost=0.3,
        ),
        Mistake(
            "layer-axis-missing",
            old=CUT + "\n    " + TURN,
            new="",
            says="The state is (B, layers * H) still. The decoder wants an axis for its layers, in front, also if "
            "there is only one: (layers, B, H).",
            cost=0.4,
        ),
        Mistake(
            "layer-axis-of-one",
            old=CUT + "\n    " + TURN,
            new="state = state.unsqueeze(0)",
            says="There is an axis for layers, but of length 1 and with the features of all layers behind it. Cut "
            "them: the first H features are the first layer's state, the next H the second's.",
            cost=0.4,
        ),
        Mistake(
            "same-state-for-every-layer",
            old=CUT + "\n    " + TURN,
            new="state = state[:, : state.shape[1] // layers].expand(layers, -1, -1)",
            also=("state = state.view(len(images), layers, -1)[:, 0].repeat(layers, 1, 1)",),
            says="Every layer starts in the first layer's state, and the other features are lost. Layer k has its "
            "own H features.",
            cost=0.5,
        ),
        Mistake(
            "layers-interleaved",
            old=CUT + "\n    " + TURN,
            new="state = state.view(len(images), -1, layers).permute(2, 0, 1)",
            says="The layers take turns: every other feature goes to the first. The first layer's H features stand "
            "together, and then the next layer's.",
            cost=0.3,
        ),
        Mistake(
            "flattened-over-the-batch",
            old=CUT + "\n    " + TURN,
            new="state = state.view(layers, 1, -1)",
            also=("state = state.flatten().view(layers, 1, -1)",),
            says="The pictures of the batch are strung together into a single state. Each has its own: "
            "(layers, B, H).",
            cost=0.5,
        ),
        Mistake(
            "cut-off-from-the-encoder",
            old=STATE,
            new="return state.contiguous().detach()",
            also=("return state.contiguous().data",),
            says="The state is right, but cut off from the encoder by detach, .data or no_grad: no gradient gets "
            "back through it, and the encoder never learns to see.",
            cost=0.4,
        ),
        Mistake(
            "not-contiguous",
            old=STATE,
            new="return state",
            says="transpose moves nothing in memory, it only changes the order of reading, and a GPU's GRU refuses such "
            "a state: ask for one that is contiguous.",
            cost=0.1,
        ),
        Mistake(
            "only-the-first-layer",
            old=TURN,
            new="state = state.transpose(0, 1)\n"
            "    state = torch.cat([state[:1], torch.zeros_like(state[1:])])",
            says="Only the first layer gets the picture; the others start from zeros. Each "
            "layer has its own H features.",
            cost=0.5,
        ),
    ),
)


def use_caption_loss(caption_loss, params, state, captions):
    import torch

    V, D = params["embed.weight"].shape
    H, L = state.shape[2], len(state)

    class Decoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(V, D)
            self.rnn = torch.nn.GRU(D, H, L, batch_first=True)
            self.out = torch.nn.Linear(H, V)

        def forward(self, words, state):
            # What is read is copied, so that autograd lets a change of it in place pass, to be seen there.
            y, state = self.rnn(self.embed(words.clone()), state)
            return self.out(y), state

    with torch.random.fork_rng(devices=[]):
        decoder = Decoder().to(torch.from_numpy(params["out.weight"]).dtype)
    decoder.load_state_dict({name: torch.tensor(array) for name, array in params.items()})
    leaf = torch.tensor(state, requires_grad=True)
    given = leaf * 1  # no leaf, so that autograd lets a change in place pass, to be seen here
    loss = caption_loss(decoder, given, torch.from_numpy(captions))
    state[...] = given.detach().numpy()
    if isinstance(loss, torch.Tensor) and loss.ndim == 0 and loss.requires_grad:
        loss.backward()
    zeros = np.zeros(1)
    of = {"state": leaf, "embedding": decoder.embed.weight, "output": decoder.out.weight}
    return loss, {name: zeros if tensor.grad is None else tensor.grad for name, tensor in of.items()}


def draw_caption_loss(rng):
    def case(B, T, V, D, H, L, lengths, when="", scale=1.0):
        params = gru_params(rng, D, H, L, 0.7)
        params |= {"embed.weight": rng.normal(size=(V, D))}
        params |= {"out.weight": scale * rng.normal(0, 1.5, (V, H)), "out.bias": rng.normal(size=V)}
        captions = np.zeros((B, T + 1), dtype=int)
        captions[:, 0] = 1
        for row, length in zip(captions, rng.permutation(lengths), strict=True):
            row[1 : length + 1] = rng.integers(3, V, length)
            row[length] = 2
        args = (params, rng.uniform(-0.9, 0.9, (L, B, H)), captions)
        return Case(args, {"B": B, "T": T, "V": V, "D": D, "H": H, "L": L}, when)

    return [
        case(4, 7, 8, 3, 5, 2, [7, 3, 5, 4]),
        case(3, 6, 9, 4, 2, 1, [6, 2, 4]),
        case(3, 5, 7, 2, 4, 1, [5, 5, 5], "no caption is padded"),
        case(1, 6, 7, 3, 4, 2, [4], "B = 1"),
        case(3, 6, 8, 3, 5, 1, [6, 4, 5], "scores lie far apart", scale=1000.0),
    ]


def gru_params(rng, D, H, L, spread):
    """Random parameters of a GRU of L layers, by torch's names."""
    shapes = {}
    for layer in range(L):
        for kind, columns in (("weight_ih", H if layer else D), ("weight_hh", H)):
            shapes[f"rnn.{kind}_l{layer}"] = (3 * H, columns)
        shapes |= {f"rnn.{kind}_l{layer}": (3 * H,) for kind in ("bias_ih", "bias_hh")}
    return {name: rng.normal(0, spread, shape) for name, shape in shapes.items()}


INPUTS = "inputs = captions[:, :-1]"
TARGETS = "targets = captions[:, 1:]"
SPLIT = INPUTS + "\n    " + TARGETS
DECODED = "logits, _ = decoder(inputs, state)"
LOSS = "loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, ignore_index=PAD)"
SUM = 'torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, ignore_index=PAD, reduction="sum")'
EACH = (
    'torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, ignore_index=PAD, reduction="none")'
)
NEGATIVE_LOG = "loss = torch.nn.functional.nll_loss({}.transpose(1, 2), targets, ignore_index=PAD)"

CAPTION_LOSS = Exercise(
    reference=caption_loss,
    returns=("loss", "gradients"),
    draw=draw_caption_loss,
    use=use_caption_loss,
    mistakes=(
        Mistake(
            "log-of-a-probability",
            old=LOSS,
            new=NEGATIVE_LOG.format("logits.softmax(2).log()"),
            also=(
                *(
                    NEGATIVE_LOG.format(f"(logits.softmax(2) + {small}).log()")
                    for small in ("1e-8", "1e-9", "1e-12")
                ),
                NEGATIVE_LOG.format("(logits.exp() / logits.exp().sum(2, keepdim=True)).log()"),
                NEGATIVE_LOG.format("(logits - logits.exp().sum(2, keepdim=True).log())"),
            ),
            says="The logarithm is taken after an exponential. Where scores lie far apart, that has become 0 or "
            "infinite by then: cross_entropy, like log_softmax, gets the logarithm without that step.",
            cost=0.25,
        ),
        Mistake(
            "decoder-sees-its-target",
            old=SPLIT,
            new="inputs = captions[:, 1:]\n    targets = captions[:, 1:]",
            says="At every step the decoder reads the very word that it is to say: inputs and targets are the same "
            "words. It learns to repeat, and knows nothing when it has to speak by itself. What it reads must be "
            "one word behind.",
            cost=0.6,
        ),
        Mistake(
            "targets-not-shifted",
            old=SPLIT,
            new="inputs = captions[:, :-1]\n    targets = captions[:, :-1]",
            also=("inputs = captions\n    targets = captions",),
            says="The decoder reads a word and is asked for the same word, START included. The target of a step is "
            "the word that *follows* its input.",
            cost=0.6,
        ),
        Mistake(
            "shifted-the-wrong-way",
            old=SPLIT,
            new="inputs = captions[:, 1:]\n    targets = captions[:, :-1]",
            says="Inputs and targets are swapped: the decoder reads a word and has to say the one before it.",
            cost=0.4,
        ),
        Mistake(
            "start-word-missing",
            old=SPLIT,
            new="inputs = captions[:, 1:-1]\n    targets = captions[:, 2:]",
            says="The first word is never asked for, since START is not among the inputs. Alone in front of a "
            "picture, START is all that the decoder has to begin with.",
            cost=0.3,
        ),
        Mistake(
            "shifted-by-two",
            old=SPLIT,
            new="inputs = captions[:, :-2]\n    targets = captions[:, 2:]",
            says="The targets are two words ahead of the inputs. They are shifted by one.",
            cost=0.3,
        ),
        Mistake(
            "padding-counted",
            old=", ignore_index=PAD",
            new="",
            says="The padding is counted like words: the decoder is taught to say PAD after PAD, and the loss of "
            "short captions looks better than it is. Leave out the targets that are PAD.",
            cost=0.5,
        ),
        Mistake(
            "mean-over-padded-length",
            old=LOSS,
            new=f"loss = {SUM} / targets.numel()",
            also=(f"loss = {EACH}.mean()",),
            says="The padding costs nothing, but it is still counted in the mean: divide by the number of real "
            "targets, not by B·T.",
            cost=0.4,
        ),
        Mistake(
            "mean-of-captions-means",
            old=LOSS,
            new=f"loss = ({EACH}.sum(1) / (targets != PAD).sum(1)).mean()",
            says="Each caption is averaged on its own and then the averages are, so a word of a short caption "
            "weighs more. Average over all words at once.",
            cost=0.3,
        ),
        Mistake(
            "divided-by-captions",
            old=LOSS,
            new=f"loss = {SUM} / len(targets)",
            says="The sum is divided by B, the number of captions. The mean is over words.",
            cost=0.3,
        ),
        Mistake(
            "loss-summed",
            old=LOSS,
            new=f"loss = {SUM}",
            says="The loss is the sum over all words; their mean is asked for.",
            cost=0.3,
        ),
        Mistake(
            "end-word-ignored",
            old="ignore_index=PAD)",
            new="ignore_index=END)",
            says="END is left out of the loss, and PAD is not. It is the other way round: saying END is how the "
            "decoder stops, so it has to learn it.",
            cost=0.4,
        ),
        Mistake(
            "end-word-not-learned",
            old=LOSS,
            new="targets = targets.masked_fill(targets == END, PAD)\n    " + LOSS,
            says="END is left out of the loss together with the padding. Then the decoder never learns to stop.",
            cost=0.3,
        ),
        Mistake(
            "softmax-before-cross-entropy",
            old="logits.transpose(1, 2)",
            new="logits.softmax(2).transpose(1, 2)",
            says="cross_entropy takes logits and applies the softmax itself: here it is applied twice, and the "
            "gradients shrink.",
            cost=0.3,
        ),
        Mistake(
            "view-for-transpose",
            old="logits.transpose(1, 2)",
            new="logits.reshape(len(logits), logits.shape[2], -1)",
            also=("logits.view(len(logits), -1, logits.shape[1])",),
            says="cross_entropy wants (B, V, T), and view gives that shape with the numbers mixed up: it "
            "cuts the same row of numbers into other pieces, and turns no axes round.",
            cost=0.3,
        ),
        Mistake(
            "axes-not-turned",
            old="logits.transpose(1, 2)",
            new="logits",
            says="cross_entropy takes axis 1 for the classes, and logits is (B, T, V): there T is on axis 1.",
            cost=0.3,
        ),
        Mistake(
            "pair-taken-for-logits",
            old=DECODED,
            new="logits = decoder(inputs, state)",
            says="The decoder returns two things, logits and a state, and both are taken for logits. Unpack them.",
            cost=0.2,
        ),
        Mistake(
            "picture-ignored",
            old=DECODED,
            new="logits, _ = decoder(inputs, None)",
            also=("logits, _ = decoder(inputs, torch.zeros_like(state))",),
            says="The state is not used: the decoder starts from zeros, as if there were no picture. It will learn "
            "to say likely captions of nothing in particular.",
            cost=0.5,
        ),
        Mistake(
            "picture-cut-off",
            old=DECODED,
            new="logits, _ = decoder(inputs, state.detach())",
            says="The loss is right, but state is detached, so no gradient reaches the encoder: the decoder learns, "
            "and the eye does not.",
            cost=0.3,
        ),
        Mistake(
            "loss-without-its-record",
            old="return loss",
            new="return loss.item()",
            also=("return loss.detach()",),
            says="The loss comes back as a mere number. Here it must keep its record, since whoever calls this "
            "function calls backward on it.",
            cost=0.4,
        ),
        Mistake(
            "masked-by-what-is-read",
            old=LOSS,
            new="real = inputs != PAD\n"
            "    loss = torch.nn.functional.cross_entropy(logits[real], targets[real])",
            says="It counts where a word is *read*, so the padding after END counts once too. "
            "What counts is where a word is wanted.",
            cost=0.3,
        ),
        Mistake(
            "state-lost-between-words",
            old=DECODED,
            new="logits = torch.cat([decoder(inputs[:, t : t + 1], state)[0] for t in "
            "range(inputs.shape[1])], dim=1)",
            says="Every word is read from the picture's state again, so the decoder forgets "
            "what it has said. Hand the state on from word to word, or give it all words "
            "at once.",
            cost=0.5,
        ),
    ),
)


def use_caption(caption, params, state, throws, longest):
    import torch

    V, D = params["embed.weight"].shape
    H, L = state.shape[2], len(state)
    seen, thrown = [], iter(throws.tolist())

    class Decoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(V, D)
            self.rnn = torch.nn.GRU(D, H, L, batch_first=True)
            self.dropout = torch.nn.Dropout(0.5)
            self.out = torch.nn.Linear(H, V)

        def forward(self, words, state):
            if len(seen) >= 50:
                raise RuntimeError(f"the decoder was called more than 50 times, for at most {longest} words")
            y, state = self.rnn(self.embed(words), state)
            seen.append((self.training, y.requires_grad))
            return self.out(self.dropout(y)), state

    def choose(logits):
        if tuple(logits.shape) != (V,):
            raise ValueError(f"choose got logits of shape {tuple(logits.shape)}, expected (V,) = ({V},)")
        probs = torch.softmax(logits.detach(), 0)
        return int((probs.cumsum(0)[:-1] <= next(thrown, 0.5)).sum())

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        decoder = Decoder().to(torch.from_numpy(params["out.weight"]).dtype)
        decoder.load_state_dict({name: torch.tensor(array) for name, array in params.items()})
        words = caption(decoder, torch.from_numpy(state), choose, longest)
    if not seen:
        return words, *["the decoder was never called"] * 2
    mode = ("training" if any(trains for trains, _ in seen) else "evaluation") + " mode"
    return words, mode, "tracked" if any(tracks for _, tracks in seen) else "not tracked"


def plain_decoder(params, layers):
    """A decoder by these parameters, without torch, which takes 0.3 ms for a step, and a draw tries thousands.

    It reads a list of words from a state (L, 1, H), and returns the last one's logits (V,) and the state then.
    """
    cells = [
        {name: params[f"rnn.{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        for layer in range(layers)
    ]

    def decoder(words, state):
        state = state.copy()
        for word in words:
            y = params["embed.weight"][[word]]
            for layer, cell in enumerate(cells):
                y = state[layer] = gru_cell(cell, y, state[layer])[0]
        return (y @ params["out.weight"].T + params["out.bias"])[0], state

    return decoder


def draw_caption(rng):
    def probabilities(logits):
        grown = np.exp(logits - logits.max())
        return grown / grown.sum()

    def chooser(throws):
        rest = iter(throws)
        return lambda logits: int((probabilities(logits).cumsum()[:-1] <= next(rest, 0.5)).sum())

    def throws_for(kinds, decoder, state):
        """The throws that make choose say words of the given kinds, None being any usual one."""
        word, throws = 1, []
        for kind in kinds:
            logits, state = decoder([word], state)
            probs = probabilities(logits)
            usual = [i for i in range(3, len(probs)) if i != word]
            weights = probs[usual] + 0.01
            word = int(rng.choice(usual, p=weights / weights.sum())) if kind is None else kind
            throws.append(probs[:word].sum() + probs[word] * rng.uniform(0.3, 0.7))
        return np.array(throws)

    def reads(first, again=False):
        """An answer that says two words, the first after reading ``first``, the second after all or one."""

        def answer(decoder, state, choose, longest):
            logits, state = decoder([first], state)
            word = choose(logits)
            return word, choose(decoder([first, word] if again else [word], state)[0])

        return answer

    def speaks(start=1, before=lambda state, picture: state, carried=True, again=False):
        """An answer that speaks to the end, from ``start`` times the picture; ``before`` makes each step's state."""

        def answer(decoder, picture, choose, longest):
            picture = start * picture
            state, words = picture, []
            for _ in range(longest):
                read = [1, *words] if again else [1, *words][-1:]
                logits, after = decoder(read, before(state, picture))
                state, word = after if carried else picture, choose(logits)
                if word == 2:
                    break
                words.append(word)
            return tuple(words)

        return answer

    # What is read shows in the first two words, and which state is handed on in the whole.
    two_words = reads(1), reads(2), reads(0), reads(1, again=True)
    whole = (
        speaks(),
        speaks(start=0),
        speaks(before=lambda state, picture: (state + picture) / 2),
        speaks(before=lambda state, picture: state + picture),
        speaks(carried=False),
        speaks(again=True),
    )

    def told_apart(answers, decoder, state, throws, longest):
        """Whether no two answers say the same."""
        said = set()
        for number, answer in enumerate(answers):
            said.add(answer(decoder, state, chooser(throws), longest))
            if len(said) == number:
                return False
        return True

    def case(V, D, H, L, longest, count, when=""):
        """count: how many words the caption has, END not among them, or None for one that is cut short."""
        # Behind END it would go on and say PAD too, so that waiting for PAD shows.
        kinds = [None] * count + [2, None, 0] + [None] * longest if count else [None] * (longest + 9)
        while True:
            params = gru_params(rng, D, H, L, 1.0)
            params |= {"embed.weight": rng.normal(0, 2, (V, D))}
            params |= {"out.weight": rng.normal(0, 1.5, (V, H)), "out.bias": rng.normal(0, 0.5, V)}
            decoder, state = plain_decoder(params, L), rng.uniform(-0.9, 0.9, (L, 1, H))
            throws = throws_for(kinds, decoder, state)
            if all(told_apart(answers, decoder, state, throws, longest) for answers in (two_words, whole)):
                return Case((params, state, throws, longest), {"V": V, "D": D, "H": H, "L": L}, when)

    return [
        case(8, 3, 4, 1, 12, 5),
        case(9, 4, 3, 2, 15, 6),
        case(7, 2, 5, 1, 4, None, "END does not come in time"),
    ]


EVAL = "    decoder.eval()\n"
FIRST = "word = START"
NO_GRAD = "    with torch.no_grad():\n"
LOOP = "for _ in range(longest):"
CALL = "logits, state = decoder(torch.tensor([[word]], device=state.device), state)"
CHOICE = "word = int(choose(logits[0, 0]))"
STOP = "            if word == END:\n                break\n"
KEEP = "            words.append(word)\n"

CAPTION = Exercise(
    reference=caption,
    returns=("words", "mode", "gradients"),
    draw=draw_caption,
    use=use_caption,
    mistakes=(
        Mistake(
            "end-word-included",
            old=STOP + KEEP,
            new=KEEP + STOP,
            says="END is among the words. It says that the caption is over and is no part of it: look before you "
            "append.",
            cost=0.2,
        ),
        Mistake(
            "end-word-not-stopped-at",
            old=STOP,
            new="",
            says="The caption goes on behind END, up to the longest. What a decoder says after END was never "
            "trained: stop there.",
            cost=0.4,
        ),
        Mistake(
            "end-word-skipped",
            old=STOP,
            new="            if word == END:\n                continue\n",
            says="END is left out of the words, but the decoder goes on talking. Leave the loop.",
            cost=0.4,
        ),
        Mistake(
            "padding-for-end",
            old="word == END",
            new="word == PAD",
            says="The loop waits for PAD. The decoder was taught to say END when it has finished, and never PAD.",
            cost=0.3,
        ),
        Mistake(
            "start-word-missing",
            old=FIRST,
            new="word = PAD",
            says="The decoder begins by reading PAD, which it has never read in training. Every caption began with "
            "START.",
            cost=0.3,
        ),
        Mistake(
            "begins-with-end",
            old=FIRST,
            new="word = END",
            says="The decoder begins by reading END, which it has never read in training. Every caption began with "
            "START.",
            cost=0.3,
        ),
        Mistake(
            "start-word-included",
            old="words = []",
            new="words = [START]",
            says="START is among the words. It is what the decoder reads first, not what it says.",
            cost=0.2,
        ),
        Mistake(
            "state-not-carried",
            old=CALL,
            new="logits, _ = decoder(torch.tensor([[word]], device=state.device), state)",
            says="Every step starts from the picture's state anew, so the decoder forgets what it has said. "
            "Hand the state on from step to step.",
            cost=0.5,
        ),
        Mistake(
            "word-without-its-axes",
            old=CALL,
            new="logits, state = decoder(torch.tensor([word], device=state.device), state)",
            also=("logits, state = decoder(torch.tensor(word, device=state.device), state)",),
            says="The decoder reads a batch of sequences, (B, T), also if it is one sequence of one word: give it "
            "words of shape (1, 1).",
            cost=0.2,
        ),
        Mistake(
            "picture-ignored",
            old=LOOP,
            new="state = torch.zeros_like(state)\n        for _ in range(longest):",
            says="The decoder starts from zeros, so it talks about no picture at all. It starts from state.",
            cost=0.5,
        ),
        Mistake(
            "picture-at-every-step",
            old=LOOP,
            new="picture = state\n        for _ in range(longest):\n            state = (state + picture) / 2",
            also=("picture = state\n        for _ in range(longest):\n            state = state + picture",),
            says="The picture's state is mixed in again before every step. It is the first state, and after that "
            "the decoder has only its own.",
            cost=0.4,
        ),
        Mistake(
            "reads-start-at-every-step",
            old=CALL,
            new="logits, state = decoder(torch.tensor([[START]], device=state.device), state)",
            says="The decoder reads START at every step and never learns what was chosen. The word just chosen is "
            "its next input.",
            cost=0.5,
        ),
        Mistake(
            "reads-the-first-word-for-ever",
            old=CALL,
            new="read = [START, *words][min(len(words), 1)]\n"
            "            logits, state = decoder(torch.tensor([[read]], device=state.device), state)",
            says="After its first word the decoder reads that word again at every step. Its input is always the "
            "word that was chosen last.",
            cost=0.4,
        ),
        Mistake(
            "everything-read-again",
            old=CALL,
            new="logits, state = decoder(torch.tensor([[START, *words]], device=state.device), state)\n"
            "            logits = logits[:, -1:]",
            says="At every step all the words so far are read again, by a state that has read them already. Carry "
            "the state *or* read from the start; with the state, one new word is enough.",
            cost=0.4,
        ),
        Mistake(
            "always-the-likeliest",
            old=CHOICE,
            new="word = int(logits[0, 0].argmax())",
            says="The likeliest word is always taken, whatever choose says. Let choose choose.",
            cost=0.4,
        ),
        Mistake(
            "probabilities-chosen-from",
            old=CHOICE,
            new="word = int(choose(logits[0, 0].softmax(0)))",
            also=("word = int(choose(logits.softmax(2)[0, 0]))",),
            says="choose is given probabilities, and it takes them for logits: a softmax of a softmax is nearly "
            "flat. Hand over the logits as they are.",
            cost=0.3,
        ),
        Mistake(
            "choose-is-given-the-batch",
            old=CHOICE,
            new="word = int(choose(logits))",
            also=("word = int(choose(logits[:, 0]))",),
            says="choose takes the logits of one step, (V,), and is given those of a batch, with an axis or two of "
            "size 1 in front.",
            cost=0.2,
        ),
        Mistake(
            "one-word-too-few",
            old=LOOP,
            new="for _ in range(longest - 1):",
            says="A caption that is cut short has one word too few: longest words are allowed.",
            cost=0.2,
        ),
        Mistake(
            "one-word-too-many",
            old=LOOP,
            new="for _ in range(longest + 1):",
            says="A caption that is cut short has one word too many: longest words are allowed.",
            cost=0.2,
        ),
        Mistake(
            "longest-ignored",
            old=LOOP,
            new="while True:",
            says="The loop ends at END alone. A decoder that never says it would talk for ever: stop after longest "
            "words at the latest.",
            cost=0.3,
        ),
        Mistake(
            "in-training-mode",
            old=EVAL,
            new="",
            says="The decoder speaks in training mode, so dropout switches units off at random while it does. "
            "Put it into evaluation mode first.",
            cost=0.3,
        ),
        Mistake(
            "gradients-tracked",
            old=NO_GRAD,
            new="    with torch.enable_grad():\n",
            says="The words are right, but autograd keeps a record of every step, for nothing. Speak under "
            "torch.no_grad().",
            cost=0.2,
        ),
    ),
)

EXERCISES = (PLACE, DESCRIBE, IMAGE_TO_STATE, CAPTION_LOSS, CAPTION)
