"""Words that are crossed out are those that failed, each once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mart_mm.structures.emotion_report import EmotionReport
from mart_mm.visualization.verification import draw_verification

ROWS = ('found', 'E1 sentiment', 'E2 emotion', 'E3 degree')
NUMBERED = tuple(f'word{number:03}' for number in range(400))


def row(figure: Figure, name: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_label() == name)


def struck(figure: Figure, axes: Axes) -> list[str]:
    """Texts that a drawn line crosses, by their boxes in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    found = []
    for text in axes.texts:
        box = text.get_window_extent(canvas.get_renderer())
        for line in axes.lines:
            (x0, y0), (x1, y1) = axes.transData.transform(line.get_xydata())
            if line.get_transform() == axes.transData and y0 == pytest.approx(y1):
                inside = box.y0 < y0 < box.y1 and box.x0 - 3 <= x0 and x1 <= box.x1 + 3
                if inside and x1 - x0 > 0.8 * box.width:
                    found.append(text.get_text())
    return found


def shown(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts if text.get_text().startswith('word')]


def test_each_dropped_word_is_struck_once_where_it_failed(make_report: Callable) -> None:
    report = make_report(num_words=24, written=NUMBERED)
    figure = draw_verification(report)
    assert struck(figure, row(figure, 'found')) == []
    assert shown(row(figure, 'found')) == [word.word for word in report.words]
    for level, name in enumerate(ROWS[1:], start=1):
        tried = [word.word for word in report.words if word.level >= level - 1]
        failed = [word.word for word in report.words if word.level == level - 1]
        assert shown(row(figure, name)) == tried
        assert struck(figure, row(figure, name)) == failed and failed
        heads = [text.get_text() for text in row(figure, name).texts[-2:]]
        assert heads == [name, f'{len(tried) - len(failed)} of {len(tried)} stay']
    assert figure.texts[0].get_text() == 'a_video.mp4: 6 words verified, 18 dropped'


def test_reasons_are_the_words_side_and_the_segments(make_report: Callable) -> None:
    report = make_report(num_words=4, written=NUMBERED)
    signs = {-1: 'negative', 0: 'neutral', 1: 'positive'}
    words, segments = report.words, [report.segments[word.segment] for word in report.words]
    index = report.classes.index(words[2].emotion)
    expected = {
        'E1 sentiment': f'{signs[words[0].polarity]}, not {signs[segments[0].sentiment]}',
        'E2 emotion': f'{words[1].emotion}, not {segments[1].emotion}',
        'E3 degree': f'{words[2].emotion} {words[2].affect[index]:.2f}, '
        f'not {segments[2].distribution[index]:.2f}',
    }
    figure = draw_verification(report)
    for name, reason in expected.items():
        said = [text.get_text() for text in row(figure, name).texts[:-2]]
        assert [text for text in said if not text.startswith('word')] == [reason]


@pytest.mark.parametrize(
    'changes',
    [
        dict(num_segments=0, num_words=0),
        dict(num_segments=1, num_words=1),
        dict(num_segments=100, num_words=200, duration=3600.0, written=NUMBERED),
        dict(num_words=30, classes=tuple(f'an emotion of the name {i}' for i in range(8))),
        dict(num_words=12, is_verified=False),
        dict(num_words=20, written=('радость', 'χαρά', 'خوشی', '$money$'), video='видео.mp4'),
    ],
    ids=['empty', 'one word', 'hundreds', 'long names', 'not verified', 'scripts'],
)
def test_all_kinds_of_reports_can_be_read(
    changes: dict, make_report: Callable, assert_readable: Callable
) -> None:
    assert_readable(draw_verification(make_report(**changes)))


def test_what_does_not_fit_is_counted(make_report: Callable) -> None:
    figure = draw_verification(make_report(300, 400, duration=3600.0, written=NUMBERED))
    axes = row(figure, 'found')
    more = next(text.get_text() for text in axes.texts if text.get_text().startswith('...'))
    assert more == f'... and {400 - len(shown(axes))} more words'


def test_without_verification_there_is_one_row(make_report: Callable) -> None:
    report: EmotionReport = make_report(num_words=5, is_verified=False)
    figure = draw_verification(report)
    assert [axes.get_label() for axes in figure.axes] == ['found']
    assert 'the model verifies no words: nothing is dropped' in [
        text.get_text() for text in figure.texts
    ]
