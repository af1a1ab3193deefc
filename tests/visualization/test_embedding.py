"""t-SNE is scikit-learn's, and each point has its class."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from sklearn.manifold import TSNE

from mart_mm.visualization.embedding import draw_embedding, embed, usable_perplexity
from mart_mm.visualization.style import CLASS_COLOURS


def test_embedding_is_that_of_sklearn_and_repeats() -> None:
    features = np.random.default_rng(0).normal(size=(24, 5)).astype(np.float32)
    expected = TSNE(perplexity=5, init='pca', learning_rate='auto', random_state=3).fit_transform(
        features.astype(np.float64)
    )
    np.testing.assert_array_equal(embed(features, perplexity=5, seed=3), expected)
    np.testing.assert_array_equal(embed(features, perplexity=5, seed=3), expected)


def test_classes_far_apart_stay_apart() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 12)
    features = rng.normal(size=(36, 8)) + 50 * np.eye(8)[labels]
    points = embed(features, perplexity=usable_perplexity(36))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(1)] == labels).all()


def test_perplexity_fits_few_videos() -> None:
    assert [usable_perplexity(n) for n in (3, 4, 31, 91, 1000)] == [1.0, 1.0, 10.0, 30.0, 30.0]
    for count in (3, 5, 40):
        assert usable_perplexity(count) < count


@pytest.mark.parametrize(
    ('shape', 'perplexity', 'message'),
    [
        ((2, 4), 1.0, '3 videos or more'),
        ((8,), 1.0, '3 videos or more'),
        ((8, 2), 8.0, 'below the 8'),
    ],
)
def test_refusals(shape: tuple[int, ...], perplexity: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        embed(np.zeros(shape), perplexity=perplexity)


def test_points_have_the_colour_and_marker_of_their_class(assert_readable: Callable) -> None:
    rng = np.random.default_rng(0)
    classes = [f'class {i}' for i in range(7)] + ['радость with quite a long name, and more of it']
    panels = {
        f'features_{name} of a run with a long name, visual: 40 videos': (
            rng.normal(size=(40, 2)), rng.integers(0, 8, 40),
        )
        for name in 'abcd'
    }  # fmt: skip
    figure = draw_embedding(panels, classes, 't-SNE of something, which has a long title ' * 4)
    assert len(figure.axes) == 4
    for axes, (points, labels) in zip(figure.axes, panels.values(), strict=True):
        for index, drawn in enumerate(axes.collections):
            np.testing.assert_array_equal(drawn.get_offsets(), points[labels == index])
            assert drawn.get_facecolor()[0, :3] == pytest.approx(to_rgba(CLASS_COLOURS[index])[:3])
        shapes = {drawn.get_paths()[0].vertices.tobytes() for drawn in axes.collections}
        assert len(shapes) == 8
    assert_readable(figure)
