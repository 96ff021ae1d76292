"""Tensors made by torch.zeros are float32: what is right in the lessons' own dtype is right, and so said."""

import pytest

from rnncore.check import check
from rnncore.exercises import by_name
from tests.rnncore.check.slips.test_undo import written

torch = pytest.importorskip("torch")

RIGHT = {
    "a state to start from": (
        "encode",
        """
def encode(model, ids, lengths):
    h0 = torch.zeros(1, len(ids), model.encoder.hidden_size)
    keys, _ = model.encoder(model.embed_source(ids), h0)
    return keys, keys[torch.arange(len(ids)), lengths - 1]
""",
    ),
    "weights filled in row by row": (
        "attention",
        """
def attention(query, keys, mask):
    scores = query @ keys.transpose(1, 2) / query.shape[-1] ** 0.5
    weights = torch.zeros(scores.shape)
    for b in range(len(mask)):
        weights[b][:, mask[b]] = scores[b][:, mask[b]].softmax(dim=1)
    return weights @ keys, weights
""",
    ),
    "outputs filled in step by step": (
        "decode_step",
        """
def decode_step(model, symbols, state, keys, mask):
    x = model.embed_target(symbols)
    ys, h = torch.zeros(len(symbols), symbols.shape[1], state.shape[1]), state[None]
    for t in range(symbols.shape[1]):
        y, h = model.decoder(x[:, t : t + 1], h)
        ys[:, t] = y[:, 0]
    context, weights = model.attention(ys, keys, mask)
    logits = model.output(model.mix(torch.cat([ys, context], dim=2)).tanh())
    return logits, h[0], weights
""",
    ),
    "layers beside the picture": (
        "image_to_state",
        """
def image_to_state(encoder, images, layers):
    features = torch.tanh(encoder(images.unsqueeze(1)))
    H = features.shape[1] // layers
    state = torch.zeros(layers, len(images), H)
    for layer in range(layers):
        state[layer] = features[:, layer * H : (layer + 1) * H]
    return state
""",
    ),
}


@pytest.mark.parametrize(("name", "source"), RIGHT.values(), ids=RIGHT)
def test_what_is_right_in_the_lessons_own_dtype_is_right(name, source):
    for seed in (1, 2, 3):
        verdict = check(written(name, source, torch=torch), 5, seed=seed)
        assert verdict.earned == 5, verdict


def test_it_is_said_and_a_slip_beside_it_is_found():
    name, source = RIGHT["a state to start from"]
    (remark,) = check(written(name, source, torch=torch), 5, seed=1).remarks
    assert "Judged in float32" in remark and "`keys, _ = model.encoder(" in remark
    late = written(name, source.replace("lengths - 1", "lengths - 2"), torch=torch)
    verdict = check(late, 5, seed=1)
    assert 0 < verdict.earned < 5 and verdict.mistakes
    assert any("Judged in float32" in remark for remark in verdict.remarks)


@pytest.mark.parametrize("name", [name for name, exercise in by_name().items() if exercise.use is not None])
def test_an_answer_that_always_speaks_of_a_dtype_earns_nothing(name):
    source = f"def {name}(*args):\n    raise RuntimeError('expected scalar type Double')\n"
    assert check(written(name, source), 5, seed=1).earned == 0
