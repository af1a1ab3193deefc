"""Pictures of files show what the files hold, and other files are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.manifold import TSNE

from mart_mm.apis.extract import ModalityFeatures, SplitFeatures, save_features
from mart_mm.apis.file_pictures import confusion_picture, losses_picture, tsne_picture
from mart_mm.structures.emotion_report import EmotionReport, SegmentReport, WordReport
from tools.analysis.draw import main

CLASSES = ['fear', 'joy', 'радость']


@pytest.fixture
def features(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    is_present = np.arange(20) % 5 != 4
    segments = rng.normal(size=(20, 2, 6)).astype(np.float32)
    segments[~is_present] = 0
    content = SplitFeatures(
        np.array([f'v{i}' for i in range(20)]), rng.integers(0, 3, 20), CLASSES, [-1, 1, 1],
        dict(
            visual=ModalityFeatures(segments, segments.mean(1), is_present),
            audio=ModalityFeatures(-segments, -segments.mean(1), np.ones(20, bool)),
        ),
        {},
    )  # fmt: skip
    save_features(tmp_path / 'run.npz', content, 'last.pth')
    return tmp_path / 'run.npz'


def test_tsne_of_a_file_is_sklearns_of_its_features(features: Path) -> None:
    figure = tsne_picture([features], perplexity=4, seed=7)
    assert [axes.get_title().replace('\n', ' ') for axes in figure.axes] == [
        'run, visual: 16 videos (4 without), perplexity 4',
        'run, audio: 20 videos, perplexity 4',
    ]
    with np.load(features) as archive:
        is_present, labels = archive['has_visual'], archive['labels']
        expected = TSNE(perplexity=4, init='pca', random_state=7).fit_transform(
            archive['visual'][is_present].astype(np.float64)
        )
    for index, drawn in enumerate(figure.axes[0].collections):
        np.testing.assert_array_equal(drawn.get_offsets(), expected[labels[is_present] == index])


def test_other_files_are_refused(features: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'visual'"):
        tsne_picture([features], modalities=['visuall'])
    with pytest.raises(ValueError, match=r'run.npz, visual: perplexity=16.0'):
        tsne_picture([features], perplexity=16)
    np.savez(tmp_path / 'other.npz', x=np.zeros(3))
    with pytest.raises(ValueError, match='other.npz: labels, classes missing: write it with'):
        tsne_picture([tmp_path / 'other.npz'])
    (tmp_path / 'text.npz').write_text('no archive')
    with pytest.raises(ValueError, match='text.npz: no features'):
        tsne_picture([tmp_path / 'text.npz'])
    with np.load(features) as archive:
        np.savez(tmp_path / 'renamed.npz', **{**archive, 'classes': np.array(['a', 'b', 'c'])})
    with pytest.raises(ValueError, match='renamed.npz: classes'):
        tsne_picture([features, tmp_path / 'renamed.npz'], modalities=['audio'])
    (tmp_path / 'scores.json').write_text('{"scores": {}}')
    with pytest.raises(ValueError, match='scores.json: no scores'):
        confusion_picture(tmp_path / 'scores.json')
    with pytest.raises(ValueError, match='no vis_data/scalars.json below'):
        losses_picture(tmp_path)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A work directory of two runs; the last one's config has two stages."""
    for name, loss in (('20260101_000000', 9.0), ('20260102_000000', 2.0)):
        folder = tmp_path / 'work' / name / 'vis_data'
        folder.mkdir(parents=True)
        records = [dict(loss=loss, loss_kl_visual=loss, epoch=e, iter=4 * e) for e in range(1, 5)]
        (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, records)))
    hooks = [dict(type='StageSwitchHook', pretrain_epochs=2)]
    (folder / 'config.py').write_text(f'custom_hooks = {hooks!r}\n')
    return tmp_path / 'work'


def test_losses_are_of_the_last_run_with_its_stages(run: Path) -> None:
    figure = losses_picture(run)
    lines = {axes.get_title(): axes.lines[0].get_xydata().tolist() for axes in figure.axes}
    assert lines == {
        'loss': [[1, 2], [2, 2], [3, 2], [4, 2]],
        'loss_kl_visual': [[1, 2], [2, 2]],
    }
    ends = {axes.lines[1].get_xdata()[0] for axes in figure.axes}
    assert ends == {2}
    assert losses_picture(run, switch_epoch=3).axes[0].lines[1].get_xdata()[0] == 3


def test_the_tool(
    run: Path, features: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = dict(confusion=[[2, 1, 0], [0, 3, 0], [1, 0, 1]], emotion_acc=75.0)
    (tmp_path / 's.json').write_text(json.dumps(dict(classes=CLASSES, scores=scores)))
    word = WordReport('glad', 'glad', 0.5, 0.8, 0, 1, 'joy', [0.1, 0.9, 0.0], 3, None)
    segment = SegmentReport(0.0, 2.0, [0.2, 0.7, 0.1], 'joy', 1, 1.0, 'glad')
    report = EmotionReport(
        'v.mp4', 2.0, CLASSES, [-1, 1, 1], 'joy', [0.2, 0.7, 0.1], 1, [segment], [word], True, None
    )
    report.save(tmp_path / 'report.json')
    for command, source in (
        ('confusion', tmp_path / 's.json'),
        ('losses', run),
        ('tsne', features),
        ('report', tmp_path / 'report.json'),
        ('words', tmp_path / 'report.json'),
    ):
        out = tmp_path / 'pictures' / f'{command}.png'
        assert main([command, str(source), '--out', str(out)]) == 0
        assert out.stat().st_size > 5000 and str(out) in capsys.readouterr().out
    figure = confusion_picture(tmp_path / 's.json')
    assert figure.axes[0].get_title() == 'accuracy 75.0 %, 8 videos'
    assert main(['report', str(tmp_path / 's.json')]) == 2
    assert 's.json: format 1 of an emotion report is expected' in capsys.readouterr().err
    assert main(['tsne', str(tmp_path / 'absent.npz')]) == 2
    assert 'absent.npz' in capsys.readouterr().err
