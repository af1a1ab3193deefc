"""The strip below the picture of an overlay video: the course of the emotion, drawn once."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FuncFormatter, MultipleLocator

from mart_mm.exports.names import SENTIMENTS
from mart_mm.structures.emotion_report import EmotionReport, SegmentReport
from mart_mm.visualization.style import CLASS_COLOURS

#: RGB of the line that moves; no class has it
CURSOR = (106, 0, 200)
_INK, _GREY = '#111111', '#777777'
_DASHES = ('solid', (0, (4, 1.5)), (0, (1.2, 1.2)))  # colours repeat after eight classes
_WHOLE_SECONDS = 10  # a longer video has no ticks between them
_DPI = 100
_POINTS = 72 / _DPI  # of a pixel


class EmotionStrip:
    """The current emotion, a legend, a band of each segment's emotion and the probabilities' curves.

    Everything is drawn once but the first line, drawn once per segment, and the cursor. Sizes follow
    the shorter side of the picture. Names that do not fit end in an ellipsis; from the ninth class
    on, colours repeat and lines are dashed.

    Args:
        report: With at least one segment.
        width: Pixels, even.
        picture_height: Pixels of the picture above.
        duration: Seconds that the width of the curves stands for.

    Attributes:
        height: Pixels, even.
        plot: (left, right) pixels between which time runs.
    """

    def __init__(
        self, report: EmotionReport, width: int, picture_height: int, duration: float
    ) -> None:
        self.width, self.duration = width, duration
        self._report = report
        self._starts = [part.start for part in report.segments]
        self._font = min(48, max(11, round(min(width, picture_height) / 32)))
        self._small = max(10, round(0.8 * self._font))
        rows = self._legend_rows()
        head, line = 2 * self._font, round(1.5 * self._small)
        band, curve = max(4, self._font // 2), max(40, round(0.2 * picture_height))
        above = head + line * len(rows) + self._small // 2
        below = round(1.8 * self._small)
        self.height = above + band + curve + below
        self.height += self.height % 2
        self.plot = (round(1.8 * self._small), width - round(1.6 * self._small))
        self._moving = (above, above + band + curve)  # rows that the cursor crosses
        figure = _figure(width, self.height)
        self._draw_legend(figure, rows, head, line)
        self._draw_band(self._axes(figure, above, band))
        self._draw_curves(self._axes(figure, above + band, curve))
        self._base = _pixels(figure)
        self._base[:1] = 119  # a line between picture and strip
        self._shown: int | None = None
        self._write_head(None)

    def at(self, seconds: float) -> np.ndarray:
        """The strip at a time.

        Args:
            seconds: After the first frame.

        Returns:
            uint8 (height, width, 3), RGB.
        """
        index = self._segment_at(seconds)
        if index != self._shown:
            self._write_head(index)
            self._shown = index
        strip = self._base.copy()
        left, right = self.plot
        share = min(1.0, max(0.0, seconds / self.duration))
        half = max(1, self._font // 12)
        # from an even column on: video stores one colour for two columns
        first = 2 * round((left + share * (right - left) - half) / 2)
        top, bottom = self._moving
        strip[top:bottom, max(0, first - 2) : first + 2 * half + 2] = 255
        strip[top:bottom, max(0, first) : first + 2 * half] = CURSOR
        return strip

    def _segment_at(self, seconds: float) -> int | None:
        index = bisect_right(self._starts, seconds + 1e-6) - 1
        return index if index >= 0 and seconds < self._report.segments[index].end else None

    def _write_head(self, index: int | None) -> None:
        """The first line, about a segment or about none."""
        height = 2 * self._font - 1
        figure = _figure(self.width, height)
        if index is not None:
            self._draw_head(figure, height, self._report.segments[index])
        self._base[1 : 1 + height] = _pixels(figure)

    def _draw_head(self, figure: Figure, height: int, part: SegmentReport) -> None:
        number = self._report.classes.index(part.emotion)
        side, gap = self._font, self._font // 2
        share = f'{part.distribution[number]:.0%}'
        note = f'{share} · {SENTIMENTS[part.sentiment]}'
        room = self.width - side - 4 * gap
        if _text_width(note, self._small) > 0.55 * room:
            note = share
        note_width = _text_width(note, self._small)
        name = _fitted(part.emotion, self._font, room - note_width, 'bold')
        self._text(figure, height, 2 * gap + side, height / 2, name, self._font, weight='bold')
        left = self.width - gap - note_width
        self._text(figure, height, left, height / 2, note, self._small)
        self._swatch(figure, height, gap, (height - side) / 2, side, number)

    def _legend_rows(self) -> list[list[tuple[int, str, float]]]:
        """Class, name as shown and left edge of each entry, by rows."""
        rows: list[list[tuple[int, str, float]]] = [[]]
        gap, swatch = self._small, 1.8 * self._small
        room = self.width - gap
        left = gap / 2
        for number, label in enumerate(self._report.classes):
            name = _fitted(label, self._small, room / 2 - swatch - gap)
            extent = swatch + _text_width(name, self._small)
            if rows[-1] and left + extent > room:
                rows.append([])
                left = gap / 2
            rows[-1].append((number, name, left))
            left += extent + gap
        return rows

    def _draw_legend(self, figure: Figure, rows: list, top: int, line: int) -> None:
        for row, entries in enumerate(rows):
            middle = top + (row + 0.5) * line
            for number, name, left in entries:
                figure.add_artist(self._sample(left, middle, number))
                shift = left + 1.6 * self._small
                self._text(figure, self.height, shift, middle, name, self._small)

    def _sample(self, left: float, middle: float, number: int) -> Line2D:
        """A piece of a class's line, in pixels from the upper left."""
        xs = np.array([left, left + 1.3 * self._small]) / self.width
        ys = np.full(2, 1 - middle / self.height)
        return Line2D(xs, ys, **_line(number), linewidth=0.35 * self._small * _POINTS)

    def _draw_band(self, axes: Axes) -> None:
        axes.set_axis_off()
        for part in self._report.segments:
            number = self._report.classes.index(part.emotion)
            axes.axvspan(part.start, part.end, color=_line(number)['color'], linewidth=0)

    def _draw_curves(self, axes: Axes) -> None:
        segments = self._report.segments
        times = [time for part in segments for time in (part.start, part.end)]
        shares = np.repeat([part.distribution for part in segments], 2, axis=0)
        gaps = [
            2 * index + 2
            for index, (part, following) in enumerate(zip(segments, segments[1:], strict=False))
            if following.start - part.end > 1e-3
        ]
        times = np.insert(np.array(times, float), gaps, np.nan)
        shares = np.insert(shares.astype(float), gaps, np.nan, axis=0)
        thick = max(1.5, 0.1 * self._font) * _POINTS
        for number in range(len(self._report.classes)):
            axes.plot(times, shares[:, number], **_line(number), linewidth=thick)
        axes.set_ylim(-0.04, 1.04)
        axes.set_yticks([0, 0.5, 1], ['0', '', '1'])
        axes.grid(axis='y', color='#DDDDDD', linewidth=0.8 * _POINTS)
        axes.set_axisbelow(True)
        most = max(2, (self.plot[1] - self.plot[0]) // (5 * self._small))
        axes.xaxis.set_major_locator(MultipleLocator(_tick_step(self.duration, most)))
        axes.xaxis.set_major_formatter(FuncFormatter(_clock(self.duration)))
        axes.tick_params(labelsize=self._small * 0.9 * _POINTS, colors=_INK, length=3 * _POINTS,
                         pad=0.25 * self._small * _POINTS)  # fmt: skip
        for side in axes.spines.values():
            side.set_color(_GREY)
            side.set_linewidth(_POINTS)
        for side in ('top', 'right'):
            axes.spines[side].set_visible(False)

    def _axes(self, figure: Figure, top: int, height: int) -> Axes:
        """Axes of the plot's width, ``top`` pixels below the strip's upper edge."""
        left, right = self.plot
        bottom = self.height - top - height
        box = (left / self.width, bottom / self.height, (right - left) / self.width,
               height / self.height)  # fmt: skip
        axes = figure.add_axes(box)
        axes.set_xlim(0, self.duration)
        return axes

    def _swatch(
        self, figure: Figure, height: int, left: float, top: float, side: int, number: int
    ) -> None:
        corner = (left / self.width, 1 - (top + side) / height)
        colour = _line(number)['color']
        figure.add_artist(Rectangle(corner, side / self.width, side / height, color=colour))

    def _text(
        self, figure: Figure, height: int, left: float, middle: float, text: str, size: int,
        weight: str = 'normal',
    ) -> None:  # fmt: skip
        figure.text(
            left / self.width, 1 - middle / height, text, size=size * _POINTS, weight=weight,
            color=_INK, va='center_baseline', parse_math=False,
        )  # fmt: skip


def _line(number: int) -> dict:
    """How a class's line looks."""
    colours = len(CLASS_COLOURS)
    return dict(
        color=CLASS_COLOURS[number % colours],
        linestyle=_DASHES[number // colours % len(_DASHES)],
        solid_capstyle='butt',
    )


def _text_width(text: str, size: float, weight: str = 'normal') -> float:
    """Pixels of a text of a size in pixels."""
    font = FontProperties(size=size, weight=weight)
    return text_to_path.get_text_width_height_descent(text, font, False)[0]


def _fitted(text: str, size: float, room: float, weight: str = 'normal') -> str:
    """The text, or as much of it as fits with an ellipsis."""
    text = ' '.join(text.split())
    if _text_width(text, size, weight) <= room:
        return text
    while text and _text_width(f'{text}…', size, weight) > room:
        text = text[:-1].rstrip()
    return f'{text}…'


def _tick_step(duration: float, most: int) -> float:
    """Seconds between ticks, of which there are at most so many."""
    steps = (0.1, 0.2, 0.5) if duration < _WHOLE_SECONDS else ()
    steps = (*steps, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
    return next((step for step in steps if duration / step <= most), -(-duration // most))


def _clock(duration: float) -> object:
    def written(seconds: float, _: int) -> str:
        if duration < _WHOLE_SECONDS:
            return f'{seconds:g} s'
        whole = round(seconds)
        return f'{whole // 60}:{whole % 60:02d}'

    return written


def _figure(width: int, height: int) -> Figure:
    """Of a size in pixels; the hundredth keeps rounding from taking a pixel off."""
    return Figure(figsize=((width + 0.01) / _DPI, (height + 0.01) / _DPI), dpi=_DPI)


def _pixels(figure: Figure) -> np.ndarray:
    """uint8 (H, W, 3) of a figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
