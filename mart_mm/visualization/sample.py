"""What the model sees of one video: pictures, sound and words of each segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mart_mm.visualization.style import LEVEL_NAMES, class_colour, finish
from mart_mm.visualization.words import FlowingText, Piece, flow

_FRAME_INCHES, _SOUND_INCHES, _TEXT_INCHES, _LABEL_INCHES = 1.0, 2.2, 6.0, 1.25
_GAP, _HEAD_LINE, _FONT = 0.12, 0.2, 8
#: lines of text shown of a segment; what does not fit is counted
_MAX_LINES = 8
_NO_CLASS = '#E5D8B0'
_SIGNS = {-1: '(-)', 0: '(0)', 1: '(+)'}
_KEY = 'below a cue: class, (polarity), degree, and the level it reached where it was verified'


@dataclass
class SegmentView:
    """One segment.

    Attributes:
        times: (start, end) in seconds.
        text: What is said.
        cues: Its cues; ``span`` is in characters of the text.
        frames: uint8 (n, H, W, 3), those shown; None without pictures.
        sound: Log-mel (F, mel bins); None without sound.
        note: Further lines below its times.
    """

    times: tuple[float, float]
    text: str
    cues: list[dict]
    frames: np.ndarray | None = None
    sound: np.ndarray | None = None
    note: str = ''


@dataclass
class SampleView:
    """One video.

    Attributes:
        title: First line.
        head: Further lines above the segments.
        classes: Names of the emotion classes.
        segments: In order.
    """

    title: str
    head: list[str]
    classes: Sequence[str]
    segments: list[SegmentView] = field(default_factory=list)


def draw_sample(view: SampleView) -> Figure:
    """Draw a row per segment: its times, frames, log-mel, and words with the cues marked.

    A cue has the colour of its class; below it stand class, polarity and degree, and the
    verification level where it has one. All log-mels share one scale.

    Args:
        view: What is drawn.
    """
    shown = max((len(s.frames) for s in view.segments if s.frames is not None), default=1)
    texts = [_text(segment, view.classes) for segment in view.segments]
    heights = [max(_FRAME_INCHES, text.height) + _GAP for text in texts]
    head = 0.45 + _HEAD_LINE * len(view.head)
    legend = 0.5
    widths = (_LABEL_INCHES, shown * _FRAME_INCHES, _SOUND_INCHES, _TEXT_INCHES)
    lefts = np.cumsum([_GAP, *(width + _GAP for width in widths)])
    size = (float(lefts[-1]), head + sum(heights) + legend)
    figure = Figure(figsize=size)

    def place(column: int, top: float, height: float) -> object:
        """Axes of a cell, ``top`` inches below the upper edge."""
        bottom = size[1] - top - height
        box = (
            lefts[column] / size[0],
            bottom / size[1],
            widths[column] / size[0],
            height / size[1],
        )
        return figure.add_axes(box)

    _write_head(figure, view, size)
    sounds = [s.sound for s in view.segments if s.sound is not None]
    scale = (min(x.min() for x in sounds), max(x.max() for x in sounds)) if sounds else (0, 1)
    top = head
    for number, (segment, text) in enumerate(zip(view.segments, texts, strict=True)):
        inner = heights[number] - _GAP
        _write_times(place(0, top, inner), number, segment)
        _show_frames(place(1, top, _FRAME_INCHES), segment.frames, shown)
        _show_sound(place(2, top, _FRAME_INCHES), segment.sound, scale)
        axes = place(3, top, inner)
        axes.set_label('words')
        text.draw(axes, _TEXT_INCHES, inner)
        top += heights[number]
    _write_legend(figure, view, size)
    return finish(figure)


def _text(segment: SegmentView, classes: Sequence[str]) -> FlowingText:
    pieces, at = [], 0
    for cue in sorted(segment.cues, key=lambda cue: cue['span']):
        start, stop = cue['span']
        pieces += [Piece(word) for word in segment.text[at:start].split()]
        pieces.append(_cue_piece(cue, classes))
        at = stop
    pieces += [Piece(word) for word in segment.text[at:].split()]
    return flow(pieces, _TEXT_INCHES - 0.1, _FONT, _MAX_LINES)


def _cue_piece(cue: dict, classes: Sequence[str]) -> Piece:
    index = cue['emotion_class']
    if index < 0:
        below, colour = f'no class {_SIGNS[cue["polarity"]]}', _NO_CLASS
    else:
        below = f'{classes[index]} {_SIGNS[cue["polarity"]]} {cue["degrees"][index]:.2f}'
        colour = class_colour(index)
    if 'level' in cue:
        below += f' {LEVEL_NAMES[cue["level"]].split()[0] if cue["level"] else "E0"}'
    return Piece(cue['word'], below, colour)


def _write_head(figure: Figure, view: SampleView, size: tuple[float, float]) -> None:
    figure.text(_GAP / size[0], 1 - 0.1 / size[1], view.title, va='top', size=11, weight='bold',
                parse_math=False)  # fmt: skip
    for number, line in enumerate(view.head):
        below = 0.36 + _HEAD_LINE * number
        figure.text(_GAP / size[0], 1 - below / size[1], line, va='top', size=9, parse_math=False)


def _write_times(axes: object, number: int, segment: SegmentView) -> None:
    axes.set_axis_off()
    start, end = segment.times
    lines = [f'segment {number}', f'{start:.2f} - {end:.2f} s', *segment.note.splitlines()]
    axes.text(0, 1, '\n'.join(lines), va='top', size=_FONT, parse_math=False)


def _show_frames(axes: object, frames: np.ndarray | None, shown: int) -> None:
    axes.set_label('frames')
    if frames is None:
        _say(axes, 'no pictures')
        return
    axes.set_xticks([])
    axes.set_yticks([])
    axes.imshow(np.concatenate(list(frames), axis=1), aspect='auto')
    width = frames.shape[2]
    for edge in range(1, len(frames)):
        axes.axvline(edge * width - 0.5, color='white', linewidth=1.5)


def _show_sound(axes: object, sound: np.ndarray | None, scale: tuple[float, float]) -> None:
    axes.set_label('sound')
    if sound is None:
        _say(axes, 'no sound')
        return
    axes.set_xticks([])
    axes.set_yticks([])
    low, high = scale
    axes.imshow(sound.T, origin='lower', aspect='auto', cmap='magma', vmin=low, vmax=high)


def _say(axes: object, text: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor('#EEEEEE')
    axes.text(0.5, 0.5, text, ha='center', va='center', size=_FONT, transform=axes.transAxes)


def _write_legend(figure: Figure, view: SampleView, size: tuple[float, float]) -> None:
    handles = [
        Line2D([], [], color=class_colour(i), linewidth=7, label=name)
        for i, name in enumerate(view.classes)
    ]
    handles.append(Line2D([], [], color=_NO_CLASS, linewidth=7, label='no class'))
    figure.legend(
        handles=handles, ncols=len(handles), fontsize=8, loc='lower left', frameon=False,
        bbox_to_anchor=(0, 0.05 / size[1]), handlelength=1.2, columnspacing=1.2,
    )  # fmt: skip
    right, low = 1 - _GAP / size[0], 0.14 / size[1]
    figure.text(right, low, _KEY, ha='right', size=_FONT, color='#444444')
