"""What several pictures are checked by, and a report that is made by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from mart_mm.structures.emotion_report import (
    DROPPED_AT,
    EmotionReport,
    SegmentReport,
    WordReport,
)


@pytest.fixture
def drawn_texts(monkeypatch: pytest.MonkeyPatch) -> Callable[[Figure], list[tuple[Text, object]]]:
    """Draws a figure; gives each text that is really drawn, with its box in pixels."""
    seen: list[Text] = []
    original = Text.draw

    def draw(self: Text, renderer: object, *args: object, **kwargs: object) -> None:
        if self.get_visible() and self.get_text().strip():
            seen.append(self)
        original(self, renderer, *args, **kwargs)

    monkeypatch.setattr(Text, 'draw', draw)

    def measure(figure: Figure) -> list[tuple[Text, object]]:
        canvas = FigureCanvasAgg(figure)
        seen.clear()
        canvas.draw()  # lays out first
        renderer = canvas.get_renderer()
        found = []
        for text in dict.fromkeys(seen):
            patch = text.get_bbox_patch()
            found.append((text, (patch or text).get_window_extent(renderer)))
        return found

    return measure


@pytest.fixture
def assert_readable(drawn_texts: Callable) -> Callable[[Figure], None]:
    """No text overlaps another, and all of it is inside the picture."""

    def check(figure: Figure) -> None:
        found = drawn_texts(figure)
        assert found
        for number, (text, box) in enumerate(found):
            what = repr(text.get_text())
            assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1, f'{what} leaves the picture'
            assert box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1, f'{what} leaves the picture'
            for other, beside in found[number + 1 :]:
                apart_x = box.x1 <= beside.x0 + 1 or beside.x1 <= box.x0 + 1
                apart_y = box.y1 <= beside.y0 + 1 or beside.y1 <= box.y0 + 1
                assert apart_x or apart_y, f'{what} overlaps {other.get_text()!r}'

    return check


@pytest.fixture
def make_report() -> Callable[..., EmotionReport]:
    """A report with random content; word k has level k modulo 4."""

    def make(
        num_segments: int = 6,
        num_words: int = 20,
        *,
        classes: tuple[str, ...] = ('anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'),
        duration: float = 30.0,
        written: tuple[str, ...] = ('glad', 'grim', 'abandoned', 'joyful reunion'),
        is_verified: bool = True,
        video: str = 'a_video.mp4',
        **others: object,
    ) -> EmotionReport:
        rng = np.random.default_rng(0)
        polarity = [(-1, 0, 1)[index % 3] for index in range(len(classes))]
        edges = np.linspace(0, duration, num_segments + 1)
        segments = []
        for start, end in zip(edges[:-1], edges[1:], strict=True):
            shares = rng.dirichlet(np.ones(len(classes)))
            best = int(shares.argmax())
            segments.append(
                SegmentReport(
                    float(start), float(end), shares.tolist(), classes[best], polarity[best],
                    float(rng.uniform(0.2, 1)), 'what is said',
                )
            )  # fmt: skip
        starts = np.sort(rng.uniform(0, duration * 0.98, num_words))
        words = []
        for number, start in enumerate(starts):
            level = number % 4 if is_verified else None
            segment = int(np.searchsorted(edges, start, side='right')) - 1
            index = number % len(classes)
            words.append(
                WordReport(
                    written[number % len(written)], 'concept', float(start), float(start) + 0.3,
                    segment, polarity[index], None if number % 8 == 4 else classes[index],
                    rng.uniform(0, 1, len(classes)).tolist(), level,
                    None if level is None else DROPPED_AT[level],
                )
            )  # fmt: skip
        scores = rng.dirichlet(np.ones(len(classes)))
        best = int(scores.argmax())
        content = dict(
            video=video, duration=duration, classes=list(classes), polarity=polarity,
            emotion=classes[best], scores=scores.tolist(), sentiment=polarity[best],
            segments=segments, words=words, has_sound=True, transcript_source='sidecar',
            model=dict(name='mart_mbt', checkpoint='last.pth', sha256='0', version='1'),
        )  # fmt: skip
        return EmotionReport(**(content | others))

    return make
