"""What is drawn is what was given."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mart_mm.visualization.confusion import draw_confusion
from mart_mm.visualization.losses import draw_losses
from mart_mm.visualization.masks import draw_masks, hide_patches
from mart_mm.visualization.run_log import read_scalars
from mart_mm.visualization.style import LEVEL_COLOURS, save_figure
from mart_mm.visualization.timeline import draw_timeline


def texts(axes: object) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_confusion_shows_the_counts(tmp_path: Path) -> None:
    figure = draw_confusion([[3, 1], [0, 5]], ['anger', 'joy'], 'title')
    assert texts(figure.axes[0]) == ['3', '1', '0', '5']
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ['anger', 'joy']
    shares = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(shares, [[0.75, 0.25], [0, 1]])
    assert save_figure(figure, tmp_path / 'new' / 'a.png').stat().st_size > 1000


def test_losses_end_where_they_are_no_longer_computed() -> None:
    records = [
        dict(loss=2.0, loss_cls_visual=1.0, loss_kl_visual=0.5, epoch=e, iter=10 * e)
        for e in range(1, 5)
    ]
    figure = draw_losses([*records, {'affect/emotion_acc': 50.0, 'step': 4}], switch_epoch=2)
    lines = {
        axes.get_title(): axes.lines[0].get_xdata().tolist() for axes in figure.axes if axes.lines
    }
    assert lines['loss_cls_visual'] == [1, 2, 3, 4]
    assert lines['loss_kl_visual'] == [1, 2]
    assert lines['test accuracy of emotion, %'] == [4]


def test_masks_shade_hidden_patches_only() -> None:
    frame = np.full((6, 6, 3), 100, np.uint8)
    is_masked = np.zeros((3, 3), bool)
    is_masked[0, 2] = True
    hidden = hide_patches(frame, is_masked)
    for y in range(6):
        for x in range(6):
            # three quarters of a dark blue, one quarter of the picture
            expected = [25, 58, 115] if y < 2 and x >= 4 else [100, 100, 100]
            assert hidden[y, x].tolist() == expected
    figure = draw_masks(frame[None], {'late': is_masked[None]}, ['a'], [[(0.0, 0.0, 0.5, 0.5)]])
    assert figure.axes[0].patches[0].get_width() == 3


def test_timeline_colours_words_by_level() -> None:
    times = np.array([[0.0, 1.0], [1.0, 2.0]])
    curve = np.array([[0.2, 0.8], [0.6, 0.4]])
    cues = [
        dict(word='glad', start=0.1, end=0.4, level=3, is_true=True),
        dict(word='grim', start=1.1, end=1.4, level=0, is_true=False),
    ]
    figure = draw_timeline(
        times, {'cam': curve}, ['fear', 'joy'], cues, 'v', (1, np.array([0.0, 1.0]))
    )
    words = next(axes for axes in figure.axes if axes.get_ylabel() == 'words')
    assert texts(words) == ['glad *', 'grim']
    from matplotlib.colors import to_rgba

    colours = [text.get_bbox_patch().get_facecolor() for text in words.texts]
    assert colours == [to_rgba(LEVEL_COLOURS[3]), to_rgba(LEVEL_COLOURS[0])]
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), curve[:, 1])


LONG = ['an emotion with a rather long name', 'радость', '$x$', 'Donaudampfschifffahrt' * 2]


@pytest.mark.parametrize('classes', [['a', 'b'], [f'class{i}' for i in range(8)], LONG])
def test_confusion_can_be_read(classes: list[str], assert_readable: Callable) -> None:
    counts = np.full((len(classes), len(classes)), 123)
    counts[0] = 0  # a class without videos
    figure = draw_confusion(counts, classes, 'MART on the test videos of a data set')
    shares = np.asarray(figure.axes[0].images[0].get_array())
    assert (shares[0] == 0).all() and shares[1].sum() == pytest.approx(1)
    assert_readable(figure)


@pytest.mark.parametrize('count', [1, 3, 8])
def test_losses_can_be_read(count: int, assert_readable: Callable) -> None:
    names = ['loss', *(f'loss_of_a_part_{i}_visual' for i in range(count - 1))]
    records = [dict.fromkeys(names, 1.0 / e) | dict(epoch=e, iter=9 * e) for e in range(1, 7)]
    figure = draw_losses([*records, {'affect/emotion_acc': 50.0, 'step': 4}], switch_epoch=3)
    assert len(figure.axes) == count + 1
    assert_readable(figure)


def test_losses_refuse_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='none of 1 records has a loss'):
        draw_losses([{'affect/emotion_acc': 50.0, 'step': 4}])
    (tmp_path / 'scalars.json').write_text('{"loss": 1.0}\nno json\n')
    with pytest.raises(ValueError, match='scalars.json, line 2: no record'):
        read_scalars(tmp_path / 'scalars.json')


def test_masks_have_hints_and_can_be_read(assert_readable: Callable) -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (4, 24, 24, 3), dtype=np.uint8)
    masks = {
        f'{name} at 100% of pretraining: 50% hidden': rng.random((4, 3, 3)) < 0.5
        for name in ('MART', 'random', 'радость')
    }
    first = next(iter(masks))
    hint = np.zeros((4, 3, 3), bool)
    hint[2, 1, 2] = True
    boxes = [[], [(0.0, 0.0, 0.5, 0.5)], [], [(0.5, 0.5, 1.0, 1.0)]]
    labels = ['0.0-1.0 s an emotion with a long name 0.80'] * 4
    figure = draw_masks(frames, masks, labels, boxes, {first: hint}, title='v')
    cells = np.array(figure.axes, dtype=object).reshape(4, 4)
    for row, is_masked in enumerate(masks.values(), start=1):
        for s in range(4):
            shown = np.asarray(cells[row, s].images[0].get_array())
            for y in range(24):
                for x in range(24):
                    is_same = (shown[y, x] == frames[s, y, x]).all()
                    assert is_same != is_masked[s, y // 8, x // 8]
    frame = cells[1, 2].patches[0]
    assert (frame.get_x(), frame.get_y(), frame.get_width()) == (15.5, 7.5, 8.0)
    assert [len(axes.patches) for axes in cells[1]] == [0, 1, 1, 1]
    assert [len(axes.patches) for axes in cells[0]] == [0, 1, 0, 1]
    assert_readable(figure)
