"""Where words look in the frames (paper Eq. 4 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mart_mm.visualization.masks import frame_boxes
from mart_mm.visualization.style import CLASS_COLOURS, finish
from mart_mm.visualization.text import text_width, wrap

_FRAME, _FONT, _NAME = 1.5, 9, 1.9


@dataclass(frozen=True, eq=False)
class WordAttention:
    """A word's attention on the frames of its segment.

    Attributes:
        word: As written.
        note: Second line, for instance its time and the level it reached.
        frames: uint8 (t, H, W, 3), a frame of each tubelet.
        weights: (t, h, w), attention on the patches; over all of a segment it sums to 1.
        boxes: (left, top, right, bottom) of planted regions as shares of the picture.
    """

    word: str
    note: str
    frames: np.ndarray
    weights: np.ndarray
    boxes: Sequence[Sequence[float]] = ()


def draw_attention(words: Sequence[WordAttention], title: str) -> Figure:
    """Draw a row per word: its first frame, then the frames under its attention.

    Attention is drawn in multiples of an even spread over the segment's patches, on one scale for all
    words: at 1 a word looks as much there as anywhere.

    Args:
        words: Those drawn, at least one, of equally many tubelets.
        title: Above the picture.

    Raises:
        ValueError: Without words.
    """
    if not words:
        raise ValueError('no words to draw the attention of: give at least one')
    columns = 1 + len(words[0].frames)
    names = [_name(word) for word in words]
    named = max(text_width(line, _FONT) for name in names for line in name.split('\n'))
    size = ((_FRAME + 0.1) * columns + named + 1.3, (_FRAME + 0.1) * len(words) + 1.1)
    figure = Figure(figsize=size, layout='compressed')
    panels = figure.subplots(len(words), columns, squeeze=False)
    heat = [word.weights * word.weights.size for word in words]
    scale = min(float(h.min()) for h in heat), max(float(h.max()) for h in heat)
    for row, word, name in zip(panels, words, names, strict=True):
        _draw_word(row, word, scale)
        row[0].set_ylabel(name, rotation=0, ha='right', va='center', ma='right', fontsize=_FONT)
    panels[0, 0].set_title('frame', fontsize=_FONT)
    for number, axes in enumerate(panels[0, 1:], start=1):
        axes.set_title(f'tubelet {number}', fontsize=_FONT)
    figure.colorbar(
        panels[0, 1].images[-1], ax=panels, label='attention, 1: evenly spread', shrink=0.9,
        aspect=10 * len(words), pad=0.03,
    )  # fmt: skip
    if any(word.boxes for word in words):
        planted = Patch(fill=False, edgecolor=CLASS_COLOURS[0], lw=2, label='planted')
        figure.legend(handles=[planted], loc='outside lower center', fontsize=_FONT, frameon=False)
    figure.suptitle('\n'.join(wrap(title, size[0] - 0.3, 11)), fontsize=11)
    return finish(figure)


def _name(word: WordAttention) -> str:
    return '\n'.join([*wrap(word.word, _NAME, _FONT), *wrap(word.note, _NAME, _FONT)])


def _draw_word(row: Sequence, word: WordAttention, scale: tuple[float, float]) -> None:
    height, width = word.frames.shape[1:3]
    row[0].imshow(word.frames[0])
    for axes, frame, weights in zip(row[1:], word.frames, word.weights, strict=True):
        # grey, so that colour means attention only
        axes.imshow(frame.mean(-1), cmap='gray', vmin=0, vmax=255)
        axes.imshow(
            weights * word.weights.size, cmap='viridis', vmin=scale[0], vmax=scale[1], alpha=0.6,
            extent=(-0.5, width - 0.5, height - 0.5, -0.5), interpolation='nearest',
        )  # fmt: skip
    for axes in row:
        axes.set_xticks([])
        axes.set_yticks([])
        frame_boxes(axes, word.boxes, (height, width))
