"""Target and recovered distribution are those given."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mart_mm.visualization.recovery import draw_recovery

CLASSES = ('anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise')


def panel(figure: Figure, name: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_label() == name)


@pytest.mark.parametrize('num_segments', [1, 6, 40])
@pytest.mark.parametrize(
    'names', [CLASSES, ('радость', 'an emotion with a rather long name ' * 3) * 4]
)
def test_what_is_drawn_is_what_was_given(
    num_segments: int, names: tuple[str, ...], assert_readable: Callable
) -> None:
    rng = np.random.default_rng(0)
    edges = np.arange(num_segments + 1) * 0.5
    times = np.stack([edges[:-1], edges[1:]], 1)
    target, recovered = rng.dirichlet(np.ones(len(names)), (2, num_segments))
    target[0, 0] = 0.0  # 0 log 0 is 0
    names = [f'{name} {number}' for number, name in enumerate(names)]
    degree = rng.random(num_segments)
    frames = rng.integers(0, 255, (num_segments, 12, 16, 3), dtype=np.uint8)
    figure = draw_recovery(times, target, recovered, names, 'a video', (1, degree), frames)
    scales = set()
    for index, name in enumerate(names):
        axes = panel(figure, name)
        lines = axes.collections[0].get_segments()
        assert [line[0, 1] for line in lines] == target[:, index].tolist()
        assert [line[:, 0].tolist() for line in lines] == times.tolist()
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), recovered[:, index])
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), times.mean(1))
        scales.add(axes.get_ylim())
    assert len(scales) == 1
    low, high = scales.pop()
    assert low <= min(target.min(), recovered.min())
    assert max(target.max(), recovered.max()) <= high
    planted = next(axes for axes in figure.axes if axes.get_ylabel() == 'planted degree')
    assert [bar.get_height() for bar in planted.patches] == degree.tolist()
    strip = np.asarray(figure.axes[0].images[0].get_array())
    np.testing.assert_array_equal(strip[:, :16], frames[0])
    np.testing.assert_array_equal(strip[:, -16:], frames[-1])
    loss = 0.0
    for p, q in zip(target.tolist(), recovered.tolist(), strict=True):
        loss += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)
    assert f'{loss / num_segments:.4f} nats' in figure.get_suptitle().replace('\n', ' ')
    assert_readable(figure)


def test_without_truth_and_frames(assert_readable: Callable) -> None:
    rng = np.random.default_rng(0)
    times = np.array([[0.0, 1.0], [1.0, 2.0]])
    target, recovered = rng.dirichlet(np.ones(2), (2, 2))
    figure = draw_recovery(times, target, recovered, ['low', 'high'], 'v')
    assert [axes.get_label() for axes in figure.axes] == ['low', 'high']
    assert_readable(figure)
