"""The heat on a frame is the word's attention."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mart_mm.visualization.attention import WordAttention, draw_attention


def word(name: str, seed: int, *, tubelets: int = 2) -> WordAttention:
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(tubelets * 9)).reshape(tubelets, 3, 3)
    frames = rng.integers(0, 255, (tubelets, 24, 24, 3), dtype=np.uint8)
    return WordAttention(name, '1.2 s, E3 degree', frames, weights, [(0.0, 0.25, 0.5, 1.0)])


def test_heat_is_attention_against_an_even_spread() -> None:
    words = [word('glad', 0), word('grim', 1)]
    figure = draw_attention(words, 'v')
    panels = np.array(figure.axes[:6], dtype=object).reshape(2, 3)
    scales = set()
    for row, given in zip(panels, words, strict=True):
        np.testing.assert_array_equal(row[0].images[0].get_array(), given.frames[0])
        for axes, weights in zip(row[1:], given.weights, strict=True):
            heat = axes.images[1]
            np.testing.assert_allclose(heat.get_array(), weights * 18)
            assert tuple(heat.get_extent()) == (-0.5, 23.5, 23.5, -0.5)
            scales.add(heat.get_clim())
        boxes = [axes.patches[0] for axes in row]
        assert {(box.get_x(), box.get_y(), box.get_width(), box.get_height()) for box in boxes} == {
            (-0.5, 5.5, 12.0, 18.0)
        }
    every = np.concatenate([w.weights.ravel() * 18 for w in words])
    assert scales == {(every.min(), every.max())}


@pytest.mark.parametrize(
    'words',
    [
        [word('glad', 0)],
        [word('a phrase that is quite long, longer than its row is high', i) for i in range(3)],
        [word(name, 0, tubelets=6) for name in ('радость', 'خوشی', '$x$', 'χαρά')],
    ],
    ids=['one', 'long', 'scripts'],
)
def test_it_can_be_read(words: list[WordAttention], assert_readable: Callable) -> None:
    assert_readable(draw_attention(words, 'a_video_with_a_name.mp4: where 3 of 8 words look'))


def test_no_words_are_refused() -> None:
    with pytest.raises(ValueError, match='no words'):
        draw_attention([], 'v')
