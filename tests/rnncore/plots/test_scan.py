"""The picture of the scan says for every place which steps it stands for."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest

from rnncore import plots


@pytest.mark.parametrize("T", [8, 5, 2])
def test_scan_graph_ends_with_all_steps_from_the_first(T):
    assert plots.scan_graph(T) is None
    found = [text.get_text() for text in plt.gca().texts]
    last = found[-T:]
    assert last == ["1", *(f"1-{t}" for t in range(2, T + 1))]
    assert found[: T + 1] == ["steps", *map(str, range(1, T + 1))]
    assert [one for one in found if one.startswith("shift")] == [f"shift {s}" for s in (1, 2, 4) if s < T]
    arrows = [patch for patch in plt.gca().patches if hasattr(patch, "get_arrowstyle")]
    assert len(arrows) == sum(T - s for s in (1, 2, 4) if s < T)
    plt.close("all")
