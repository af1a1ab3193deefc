"""What is drawn is what was given."""

from pathlib import Path

import numpy as np

from mart_mm.visualization.confusion import draw_confusion
from mart_mm.visualization.losses import draw_losses
from mart_mm.visualization.masks import _hide, draw_masks
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


def test_masks_darken_hidden_patches_only() -> None:
    frame = np.full((6, 6, 3), 100, np.uint8)
    is_masked = np.zeros((3, 3), bool)
    is_masked[0, 2] = True
    hidden = _hide(frame, is_masked)
    for y in range(6):
        for x in range(6):
            assert hidden[y, x, 0] == (15 if y < 2 and x >= 4 else 100)
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
    words = figure.axes[-1]
    assert texts(words) == ['glad *', 'grim']
    from matplotlib.colors import to_rgba

    colours = [text.get_bbox_patch().get_facecolor() for text in words.texts]
    assert colours == [to_rgba(LEVEL_COLOURS[3]), to_rgba(LEVEL_COLOURS[0])]
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), curve[:, 1])
