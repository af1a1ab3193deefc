"""A report's picture shows the report, and can be read."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from mart_mm.visualization.report import draw_report
from mart_mm.visualization.style import CLASS_COLOURS, LEVEL_COLOURS, UNVERIFIED_COLOUR
from mart_mm.visualization.timeline import draw_timeline
from mart_mm.visualization.word_rows import place_words

EIGHT = ('anger', 'anticipation', 'disgust', 'fear', 'joy', 'sadness', 'surprise', 'trust')


def panel(figure: Figure, label: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_ylabel() == label)


def test_curves_degrees_and_ticks_are_those_of_the_report(make_report: Callable) -> None:
    report = make_report()
    figure = draw_report(report)
    curves = panel(figure, 'probability').lines
    for index in range(6):
        middles, values = curves[index].get_data()
        for number, segment in enumerate(report.segments):
            assert middles[number] == pytest.approx((segment.start + segment.end) / 2)
            assert values[number] == segment.distribution[index]
    own = report.classes.index(report.emotion)
    widths = [line.get_linewidth() for line in curves[:6]]
    assert [index for index, width in enumerate(widths) if width == max(widths)] == [own]
    for bar, segment in zip(panel(figure, 'degree').patches, report.segments, strict=True):
        assert (bar.get_x(), bar.get_height()) == (segment.start, segment.degree)
        assert bar.get_x() + bar.get_width() == pytest.approx(segment.end)
        assert bar.get_facecolor() == to_rgba(CLASS_COLOURS[report.classes.index(segment.emotion)])
    words = panel(figure, 'words')
    ticks = {
        (float(line[0, 0]), tuple(ticks.get_color()[0]))
        for ticks in words.collections
        for line in ticks.get_segments()
    }
    assert ticks == {
        ((word.start + word.end) / 2, to_rgba(LEVEL_COLOURS[word.level])) for word in report.words
    }
    assert figure.texts[0].get_text().startswith(f'a_video.mp4: {report.emotion} ')


def test_words_stand_at_their_times(make_report: Callable, drawn_texts: Callable) -> None:
    report = make_report(num_words=10)
    figure = draw_report(report)
    words = panel(figure, 'words')
    box = words.get_window_extent()
    boxes = {text: extent for text, extent in drawn_texts(figure) if text.axes is words}
    placed = [text for text in words.texts if text.get_text()]
    assert [text.get_text() for text in placed] == [word.word for word in report.words]
    for text, word in zip(placed, report.words, strict=True):
        middle = (word.start + word.end) / 2
        assert text.get_bbox_patch().get_facecolor() == to_rgba(LEVEL_COLOURS[word.level])
        at_edge = (
            abs(boxes[text].x0 - box.x0) < 5 or abs(boxes[text].x1 - box.x1) < 5
        )  # moved in, as little as possible
        assert text.get_position()[0] == pytest.approx(middle) or at_edge
    moved = sum(
        text.get_position()[0] != pytest.approx((word.start + word.end) / 2)
        for text, word in zip(placed, report.words, strict=True)
    )
    assert moved <= 2


def test_an_hour_with_hundreds_of_words_is_thinned_by_level(
    make_report: Callable, assert_readable: Callable
) -> None:
    report = make_report(360, 700, duration=3600.0, classes=EIGHT)
    figure = draw_report(report)
    assert_readable(figure)
    note = next(t.get_text() for t in figure.texts if 'words are written' in t.get_text())
    said = ' '.join(t.get_text() for t in figure.texts)
    shares = {
        level: tuple(map(int, re.search(rf'{name} (\d+) of (\d+)', said).groups()))
        for level, name in enumerate(('lexicon only', 'E1 sentiment', 'E2 emotion', 'E3 degree'))
    }
    assert int(note.split()[0]) == sum(written for written, _ in shares.values())
    assert all(total == 175 for _, total in shares.values())
    words = panel(figure, 'words')
    colours = [text.get_bbox_patch().get_facecolor() for text in words.texts]
    for level, (written, _) in shares.items():
        assert colours.count(to_rgba(LEVEL_COLOURS[level])) == written
    assert sum(len(ticks.get_segments()) for ticks in words.collections) == 700
    assert shares[3][0] > sum(written for written, _ in shares.values()) / 2
    assert words.get_xlabel() == 'time (h:mm:ss)'


def test_a_word_is_left_out_only_where_better_ones_take_its_room() -> None:
    rng = np.random.default_rng(1)
    cues = []
    for _ in range(120):
        start = rng.uniform(0, 100)
        cues.append(
            dict(
                label='w' * int(rng.integers(2, 14)), start=start, end=start + 1,
                level=int(rng.integers(0, 4)), weight=float(rng.random()),
            )
        )  # fmt: skip
    from mart_mm.visualization.text import text_width

    def extent(index: int) -> tuple[float, float]:
        half = text_width(cues[index]['label'], 8) / 2 + 0.04
        centre = (cues[index]['start'] + 0.5) / 10
        centre = min(max(centre, half), 10 - half)
        return centre - half, centre + half

    placed = {word.index: word for word in place_words(cues, (0, 100), 10, font=8, max_rows=3)}
    assert 20 < len(placed) < 120
    for index, word in placed.items():
        assert word.centre == pytest.approx(sum(extent(index)) / 2)
        for other, beside in placed.items():
            if other != index and beside.row == word.row:
                assert extent(index)[1] < extent(other)[0] or extent(other)[1] < extent(index)[0]

    def rank(index: int) -> tuple[float, ...]:
        return -cues[index]['level'], -cues[index]['weight']

    for index in set(range(120)) - set(placed):
        low, high = extent(index)
        rows = {
            word.row
            for other, word in placed.items()
            if rank(other) < rank(index) and extent(other)[0] < high + 0.05
            and low - 0.05 < extent(other)[1]
        }  # fmt: skip
        assert rows == {0, 1, 2}


@pytest.mark.parametrize(
    'changes',
    [
        dict(num_segments=0, num_words=0, duration=0.0),
        dict(num_segments=1, num_words=3, duration=2.0),
        dict(num_words=0),
        dict(num_words=40, classes=EIGHT),
        dict(num_words=40, is_verified=False),
        dict(num_segments=200, num_words=90, duration=7000.0),
        dict(
            classes=('an emotion with a rather long name', 'Donaudampfschifffahrtsgesellschaft' * 2),
            video='a_folder_of_videos_with_very_long_names_' * 5 + '.mp4',
            written=('a phrase that goes on and on and on and on and on and on and on',),
            warnings=['this could not be read, ' * 12] * 9,
        ),
        dict(written=('радость', 'χαρά', 'خوشی', 'glück', '$money$ _x_^2'), classes=('ärger', 'радость')),
    ],
    ids=['empty', 'one segment', 'no words', 'eight classes', 'not verified', 'long', 'names', 'scripts'],
)  # fmt: skip
def test_all_kinds_of_reports_can_be_read(
    changes: dict, make_report: Callable, assert_readable: Callable
) -> None:
    assert_readable(draw_report(make_report(**changes)))


def test_what_there_is_not_is_said(make_report: Callable) -> None:
    figure = draw_report(make_report(0, 0, duration=0.0))
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert said == ['no segments', 'no words of the lexicon']
    figure = draw_report(make_report(num_words=3, is_verified=False))
    colours = {text.get_bbox_patch().get_facecolor() for text in panel(figure, 'words').texts}
    assert colours == {to_rgba(UNVERIFIED_COLOUR)}
    names = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert 'lexicon, not verified' in names and 'E3 degree' not in names


def test_a_script_without_font_is_said(make_report: Callable) -> None:
    figure = draw_report(make_report(num_words=4, written=('glad', '\U00013000')))  # a hieroglyph
    assert any(
        '2 words are in a script that no font here has' in t.get_text() for t in figure.texts
    )


def test_dollar_signs_are_no_formula(make_report: Callable) -> None:
    figure = draw_report(make_report(classes=('a$b$', 'c'), written=('$x_1$',), video='$v$.mp4'))
    assert not any(text.get_parse_math() for text in panel(figure, 'words').texts)
    assert not any(text.get_parse_math() for text in figure.texts)


def test_planted_truth_and_two_curves(assert_readable: Callable) -> None:
    times = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
    rng = np.random.default_rng(0)
    curves = {name: rng.dirichlet(np.ones(8), 3) for name in ('temporal CAM', 'recovered')}
    cues = [
        dict(word='glad', start=0.1, end=0.4, level=3, is_true=True),
        dict(word='grim', start=1.1, end=1.4, level=0, is_true=False),
    ]
    degree = np.array([0.0, 0.5, 1.0])
    figure = draw_timeline(times, curves, EIGHT, cues, 'v', (4, degree))
    assert_readable(figure)
    planted = [axes for axes in figure.axes if axes.get_ylabel() == 'planted degree']
    assert [[bar.get_height() for bar in axes.patches] for axes in planted] == [degree.tolist()] * 2
    for name, curve in curves.items():
        axes = panel(figure, name)
        low, high = axes.get_ylim()
        assert low <= curve.min() and curve.max() <= high
        for index in range(8):
            np.testing.assert_array_equal(axes.lines[index].get_ydata(), curve[:, index])
