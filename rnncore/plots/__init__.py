"""The figures of the lessons.

Every function draws one figure from plain arrays, often made by the reader's own functions, and returns
None, so that nothing but the picture lands in a notebook's output. ``graphs`` draws networks, ``cells``
what they do with a sequence, ``gradients`` what comes back, ``stability`` when that fades or explodes,
``training`` what is learned, and ``sequences`` what goes in and how well it is told apart; they all look
alike because ``style`` decides how.
"""

from rnncore.plots.captions import caption_graph, scenes, word_probabilities
from rnncore.plots.cells import (
    activation_curves,
    gate_heat_maps,
    impulse_memory,
    influence,
    state_heat_map,
)
from rnncore.plots.forecast import by_horizon, one_forecast, weather
from rnncore.plots.gradients import (
    contributions,
    error_by_step,
    gradient_norms,
    radius_and_gradient,
    reach,
    step_sizes,
)
from rnncore.plots.graphs.bidirectional import bidirectional_graph
from rnncore.plots.graphs.gru import gru_graph
from rnncore.plots.graphs.lstm import lstm_graph
from rnncore.plots.graphs.scan import scan_graph
from rnncore.plots.graphs.unrolled import backward_graph, unrolled_graph
from rnncore.plots.graphs.way_back import way_back
from rnncore.plots.memory import looks_back, memories_graph, recall_curves, state_matrices
from rnncore.plots.pytorch import autograd_graph, packed_batch, speed
from rnncore.plots.sequences import accuracies, four_sequences, padded_batch, piano_roll
from rnncore.plots.shapes import five_shapes, opinions, temperatures, tune_rolls
from rnncore.plots.speech import alignment, paths, recording
from rnncore.plots.stability import eigenvalues, repeated_factor, until_nan
from rnncore.plots.style import canvas
from rnncore.plots.training import curves, losses, next_letter
from rnncore.plots.translation import attention_map, translator_graph

__all__ = [
    "accuracies",
    "activation_curves",
    "alignment",
    "attention_map",
    "autograd_graph",
    "backward_graph",
    "bidirectional_graph",
    "by_horizon",
    "canvas",
    "caption_graph",
    "contributions",
    "curves",
    "eigenvalues",
    "error_by_step",
    "five_shapes",
    "four_sequences",
    "gate_heat_maps",
    "gradient_norms",
    "gru_graph",
    "impulse_memory",
    "influence",
    "looks_back",
    "losses",
    "lstm_graph",
    "memories_graph",
    "next_letter",
    "one_forecast",
    "opinions",
    "packed_batch",
    "padded_batch",
    "paths",
    "piano_roll",
    "radius_and_gradient",
    "reach",
    "recall_curves",
    "recording",
    "repeated_factor",
    "scan_graph",
    "scenes",
    "speed",
    "state_heat_map",
    "state_matrices",
    "step_sizes",
    "temperatures",
    "translator_graph",
    "tune_rolls",
    "unrolled_graph",
    "until_nan",
    "way_back",
    "weather",
    "word_probabilities",
]
