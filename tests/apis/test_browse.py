"""The picture shows what the pipeline gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mmengine.config import Config

from mart_mm.apis.browse import _predict, browse, choose_indices, load_recognizer, sample_views
from mart_mm.apis.splits import build_split, find_step
from mart_mm.registry import MODELS
from mart_mm.utils.media_writer import write_video
from mart_mm.visualization.sample import SampleView, SegmentView, draw_sample
from mart_mm.visualization.words import Piece, flow, text_width
from tools.analysis.browse_dataset import main

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise']


@pytest.fixture(scope='module')
def cfg(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The tiny manifest config on three videos: one whole, one bare, one broken."""
    folder = tmp_path_factory.mktemp('browse')
    rng = np.random.default_rng(0)
    for name, sound in (('whole', rng.normal(0, 0.1, 48000).astype(np.float32)), ('bare', None)):
        pictures = rng.integers(0, 256, (24, 48, 64, 3), dtype=np.uint8)
        write_video(folder / f'{name}.mp4', pictures, 8, sound)
    (folder / 'whole.srt').write_text(
        '1\n00:00:00,000 --> 00:00:01,500\nA joyful and $angry$ day\n\n'
        '2\n00:00:01,500 --> 00:00:03,000\nWe were afraid\n'
    )
    (folder / 'broken.mp4').write_bytes(b'no video')
    rows = ['whole.mp4,joy,train', 'bare.mp4,fear,train', 'broken.mp4,fear,train']
    (folder / 'm.csv').write_text('\n'.join(['video,label,split', *rows]) + '\n')
    cfg = Config.fromfile(ROOT / 'configs' / 'mart' / 'mart_mbt_planted.py')
    pipeline = cfg.train_dataloader.dataset.pipeline
    cfg.train_dataloader.dataset = dict(
        type='ManifestDataset',
        ann_file=str(folder / 'm.csv'),
        data_root='',
        split='train',
        classes=CLASSES,
        polarity=[-1, -1, -1, 1, -1, 1],
        mood_table={name: name for name in CLASSES},
        pipeline=pipeline,
    )
    cfg.val_dataloader = None
    cfg.dump(folder / 'config.py')
    return Config.fromfile(folder / 'config.py')


def cells(figure: Figure, label: str) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_label() == label]


def words(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_the_picture_holds_the_pipelines_output(cfg: Config) -> None:
    packed = build_split(cfg, 'train').prepare_data(0)
    inputs, sample = packed['inputs'], packed['data_samples']
    figure = draw_sample(sample_views(packed, CLASSES, frames_per_segment=3)[''])
    frames, sounds, texts = (cells(figure, label) for label in ('frames', 'sound', 'words'))
    assert len(frames) == len(sounds) == len(texts) == 6
    for number in range(6):
        strip = np.asarray(frames[number].images[0].get_array())
        width = strip.shape[1] // 3
        for place, index in enumerate((0, 2, 3)):  # of 4 frames
            expected = inputs['imgs'][number, :, index].permute(1, 2, 0).numpy()
            shown = strip[:, place * width : (place + 1) * width]
            np.testing.assert_array_equal(shown, expected)
        spectrum = np.asarray(sounds[number].images[0].get_array())
        np.testing.assert_allclose(spectrum, inputs['audios'][number].numpy().T)
        shown = ''.join(word for word in words(texts[number]) if '(' not in word)
        assert shown.replace(' ', '') == sample.texts[number].replace(' ', '')
        marked = [t.get_text() for t in texts[number].texts if t.get_bbox_patch() is not None]
        assert marked == [cue['word'] for cue in sample.cues[number]]
    said = [word for axes in texts for word in words(axes)]
    joyful = next(cue for cues in sample.cues for cue in cues if cue['word'] == 'joyful')
    assert f'joy (+) {joyful["degrees"][3]:.2f}' in said
    scales = {image.get_clim() for axes in sounds for image in axes.images}
    assert scales == {(float(inputs['audios'].min()), float(inputs['audios'].max()))}
    heads = [text.get_text() for text in figure.texts]
    assert heads[:2] == ['whole.mp4: joy', 'there is: visual, audio, text']
    assert any('0.00 - 0.50 s' in word for axes in figure.axes for word in words(axes))


def test_absent_modalities_and_broken_videos_are_said(cfg: Config, tmp_path: Path) -> None:
    data_set = build_split(cfg, 'train')
    bare = sample_views(data_set.prepare_data(1), CLASSES, 3)['']
    assert bare.head == ['there is: visual, no audio, no text']
    assert all(words(axes) == ['no sound'] for axes in cells(draw_sample(bare), 'sound'))
    done = list(browse(data_set, [0, 1, 2], tmp_path, frames_per_segment=2))
    assert [bool(sample.failure) for sample in done] == [False, False, True]
    assert 'broken.mp4' in done[2].failure and 'FAILED' in done[2].line and not done[2].pictures
    assert [path.name for sample in done for path in sample.pictures] == [
        '00000_whole.mp4.png',
        '00001_bare.mp4.png',
    ]
    assert all(path.stat().st_size > 10_000 for sample in done for path in sample.pictures)
    assert 'visual+audio+text' in done[0].line and '6 segments 0.0-3.0 s' in done[0].line


def test_a_checkpoint_adds_prediction_and_levels(cfg: Config, tmp_path: Path) -> None:
    torch.save(MODELS.build(cfg.model).state_dict(), tmp_path / 'weights.pth')
    recognizer = load_recognizer(cfg, str(tmp_path / 'weights.pth'))
    data_set = build_split(cfg, 'train')
    packed = data_set.prepare_data(0)
    assert not any('level' in cue for cues in packed['data_samples'].cues for cue in cues)
    _predict(recognizer, packed)
    sample = packed['data_samples']
    view = sample_views(packed, CLASSES, 2)['']
    best = CLASSES[sample.pred_emotion]
    assert view.head[1].startswith(f'predicted: {best} {float(sample.pred_scores.max()):.2f}')
    figure = draw_sample(view)
    for cues, axes in zip(sample.cues, cells(figure, 'words'), strict=True):
        below = [text.split()[-1] for text in words(axes) if '(' in text]
        assert below == [f'E{cue["level"]}' for cue in cues]
    strongest = sample.temporal_scores.argmax(1).tolist()
    assert [segment.note.split()[1] for segment in view.segments] == [CLASSES[i] for i in strongest]


def test_two_views_give_two_pictures(cfg: Config) -> None:
    steps = cfg.train_dataloader.dataset.pipeline
    two = dict(type='TwoViews', first=steps)
    changed = cfg.copy()
    changed.train_dataloader.dataset.pipeline = [two]
    packed = build_split(changed, 'train').prepare_data(0)
    views = sample_views(packed, CLASSES, 2)
    assert list(views) == ['', '_second']
    second = packed['inputs']['second']
    np.testing.assert_array_equal(views['_second'].segments[1].sound, second['audios'][1])
    assert not np.array_equal(views[''].segments[1].frames, views['_second'].segments[1].frames)
    assert find_step([two], 'FindCues')['lexicon']['type'] == 'SenticNet6Lexicon'


def test_indices() -> None:
    assert choose_indices(100, 4) == [0, 33, 66, 99]
    assert choose_indices(3, 8) == [0, 1, 2]
    assert choose_indices(9, 4, [7, 2]) == [7, 2]
    with pytest.raises(IndexError, match='sample 9: the data set has 0 to 8'):
        choose_indices(9, 4, [9])


def test_text_stays_in_its_box() -> None:
    pieces = [Piece(f'word{i}', 'below it' if i % 7 == 0 else '') for i in range(60)]
    text = flow(pieces, 3.0, 8, 4)
    tops = sorted({top for _, _, top in text.placed})
    assert len(tops) == 5 and text.placed[-1][0].text == f'... and {text.left_out} more words'
    assert len(text.placed) - 1 + text.left_out == 60
    rows = {top: [p for p in text.placed if p[2] == top] for top in tops}
    for row in rows.values():
        for (piece, left, _), (_, following, _) in zip(row, row[1:], strict=False):
            widest = max(text_width(piece.text, 8), text_width(piece.below, 6.4))
            assert left + widest <= following
        assert row[-1][1] + text_width(row[-1][0].text, 8) <= 3.0
    assert text.height == pytest.approx(5 * (tops[1] - tops[0]))


def test_nothing_overlaps_in_a_drawn_row() -> None:
    """Measured on the drawn picture, not by the measure that placed it."""
    cues, text = [], ' '.join(f'word{i} extraordinary' for i in range(30))
    for index in range(text.count('extraordinary')):
        start = [i for i in range(len(text)) if text.startswith('extraordinary', i)][index]
        cues.append(
            dict(
                word='extraordinary', span=(start, start + 13), polarity=1, level=index % 4,
                emotion_class=index % 6, degrees=[0.5] * 6,
            )
        )  # fmt: skip
    view = SampleView('v', ['there is: text'], CLASSES, [SegmentView((0, 1), text, cues)] * 2)
    figure = draw_sample(view)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = [
        t.get_window_extent(renderer)
        for axes in cells(figure, 'words')
        for t in axes.texts
        if t.get_text()
    ]
    for index, box in enumerate(boxes):
        assert box.x1 <= figure.bbox.x1
        for other in boxes[index + 1 :]:
            apart = box.x1 <= other.x0 + 1 or other.x1 <= box.x0 + 1
            assert apart or box.y1 <= other.y0 + 1 or other.y1 <= box.y0 + 1


def test_the_tool(cfg: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / 'out')
    assert main([cfg.filename, '--indices', '0', '2', '--frames', '1', '--out', out]) == 0
    assert f'1 samples drawn in {out}, 1 failed' in capsys.readouterr().out
    assert main([cfg.filename, '--indices', '2', '--out', out]) == 1
    assert main([cfg.filename, '--split', 'val']) == 2
    assert 'has no val split, it has train' in capsys.readouterr().err
