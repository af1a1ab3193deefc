"""Pictures of a model show what its pretext computes."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mart_mm.apis.inspection import inspect
from mart_mm.apis.pictures import (
    OTHER_MASKERS,
    PROGRESS,
    attention_picture,
    mask_picture,
    recovery_picture,
    timeline_picture,
)
from mart_mm.apis.video_batch import VideoBatch, load_video, read_truth
from mart_mm.registry import MODELS
from tools.analysis.draw import build_parser, main

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ('anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise')
NUM_TOKENS, GRID = 18, (2, 3, 3)


@pytest.fixture
def video(helpers: SimpleNamespace) -> VideoBatch:
    """One video of three segments with one, two and three words; its second segment is planted."""
    batch = helpers.batch(num_videos=1)
    sample = batch['data_samples'][0]
    sample.segment_times = torch.tensor([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
    for segment, cues in enumerate(sample.cues):
        for place, cue in enumerate(cues):
            cue.update(
                concept=cue['word'], start=segment + 0.2 * place, end=segment + 0.2 * place + 0.1
            )
    word = dict(kind='true', concept='word010', start=1.0, end=1.1)
    degree = [[0.0] * 6, [0.0] * 3 + [0.8, 0.0, 0.0], [0.0] * 6]
    plan = dict(emotion=3, degree=degree, patches=[[], [[0.0, 0.0, 0.5, 0.5]], []], words=[word])
    return VideoBatch(batch, CLASSES, plan)


def hidden(figure: object, row: int, frames: np.ndarray) -> np.ndarray:
    """Bool (S, 3, 3): patches that differ in a row of the picture from the frames."""
    cells = np.array(figure.axes, dtype=object).reshape(-1, len(frames))
    found = np.zeros((len(frames), 3, 3), bool)
    for s, axes in enumerate(cells[row]):
        shown = np.asarray(axes.images[0].get_array())
        for y in range(3):
            for x in range(3):
                patch = np.s_[8 * y : 8 * y + 8, 8 * x : 8 * x + 8]
                found[s, y, x] = (shown[patch] != frames[s][patch]).mean() > 0.5
    return found


def test_masks_are_the_words_top_tokens_under_the_hints(
    helpers: SimpleNamespace, video: VideoBatch
) -> None:
    masker = dict(type='EmotionMasker', r_min=0.2, r_max=0.5, ramp=1.0, reveal_ratio=0.25)
    pretext = helpers.pretext()
    pretext['visual']['masker'] = masker
    recognizer = helpers.recognizer(pretext).eval()
    figure = mask_picture(recognizer, video, progress=[0.25, 1.0], others=['random', 'attention'])
    frames = video.frames[:, 0]
    names = [axes.get_ylabel().replace('\n', ' ') for axes in figure.axes[::3]]
    assert names[0] == 'frame' and names[1].startswith('MART at 25% of pretraining')

    found = inspect(recognizer, video.batch)
    attention = found.view.aware['visual'].attention.numpy()  # (S, K, N)
    for row, ratio in ((1, 0.275), (2, 0.5)):
        top, hints = math.ceil(ratio * NUM_TOKENS), int(0.25 * ratio * NUM_TOKENS)
        for s in range(3):
            relevance = attention[s, : s + 1].mean(0)  # one, two, three words
            order = np.argsort(-relevance, kind='stable')
            expected = np.zeros(NUM_TOKENS, bool)
            expected[order[hints : hints + top]] = True
            shown = hidden(figure, row, frames)[s]
            np.testing.assert_array_equal(shown, expected.reshape(GRID)[0])
            cell = figure.axes[3 * row + s]
            expected_hints = [token for token in order[:hints] if token < 9]
            yellow = [p for p in cell.patches if p.get_edgecolor()[:3] == pytest.approx((0.941, 0.894, 0.259), abs=1e-2)]  # fmt: skip  # noqa: E501
            places = {(round((p.get_y() + 0.5) / 8), round((p.get_x() + 0.5) / 8)) for p in yellow}
            assert places == {divmod(int(token), 3) for token in expected_hints}
    own = found.view.output.visual_attention.numpy()
    for s in range(3):
        expected = np.zeros(NUM_TOKENS, bool)
        expected[np.argsort(-own[s], kind='stable')[:9]] = True
        np.testing.assert_array_equal(hidden(figure, 4, frames)[s], expected.reshape(GRID)[0])
    again = mask_picture(recognizer, video, progress=[1.0], others=['random'])
    np.testing.assert_array_equal(hidden(again, 2, frames), hidden(figure, 3, frames))
    planted = [axes.patches for axes in figure.axes[:3]]
    assert [len(patches) for patches in planted] == [0, 1, 0]


def test_recovery_is_the_mean_of_the_streams(helpers: SimpleNamespace, video: VideoBatch) -> None:
    recognizer = helpers.recognizer(helpers.pretext())
    figure = recovery_picture(recognizer, video)
    found = inspect(recognizer, video.batch)
    torch.testing.assert_close(found.target, found.view.distribution)
    assert found.recovered.sum(-1) == pytest.approx(1, abs=1e-5)
    for index, name in enumerate(CLASSES):
        axes = next(axes for axes in figure.axes if axes.get_label() == name)
        drawn = axes.lines[0].get_ydata()
        np.testing.assert_allclose(drawn, found.recovered[0, :, index], rtol=1e-5)
        target = [line[0, 1] for line in axes.collections[0].get_segments()]
        np.testing.assert_allclose(target, found.target[0, :, index], rtol=1e-5)


def test_attention_is_of_the_words_that_reached_the_level(
    helpers: SimpleNamespace, video: VideoBatch
) -> None:
    recognizer = helpers.recognizer(helpers.pretext())
    found = inspect(recognizer, video.batch)
    attention = found.view.aware['visual'].attention
    cues = [
        (s, k, cue) for s, cues in enumerate(found.samples[0].cues) for k, cue in enumerate(cues)
    ]
    for level in range(4):
        wanted = [entry for entry in cues if entry[2]['level'] >= level]
        if not wanted:
            with pytest.raises(ValueError, match=f'none of 6 words reached level {level}'):
                attention_picture(recognizer, video, level=level)
            continue
        figure = attention_picture(recognizer, video, level=level)
        rows = np.array(figure.axes[: 3 * len(wanted)], dtype=object).reshape(-1, 3)
        for row, (s, k, cue) in zip(rows, wanted, strict=True):
            name = row[0].get_ylabel().replace('\n', ' ')
            assert name.startswith(cue['word'])
            assert ('planted' in name) == (cue['word'] == 'word010')
            heat = np.stack([axes.images[1].get_array() for axes in row[1:]])
            np.testing.assert_allclose(heat.ravel() / NUM_TOKENS, attention[s, k], rtol=1e-5)
            np.testing.assert_array_equal(row[2].images[0].get_array(), video.frames[s, 2].mean(-1))
    assert len(attention_picture(recognizer, video, level=0, max_words=2).axes) == 6 + 1


def test_timeline_has_both_curves(helpers: SimpleNamespace, video: VideoBatch) -> None:
    recognizer = helpers.recognizer(helpers.pretext())
    figure = timeline_picture(recognizer, video)
    panels = {axes.get_ylabel(): axes for axes in figure.axes}
    assert set(panels) == {'temporal CAM', 'recovered', 'words', 'planted degree'}
    said = [text.get_text() for text in panels['words'].texts]
    assert [text for text in said if text.endswith(' *')] == ['word010 *']


def test_other_pretexts_are_refused(helpers: SimpleNamespace, video: VideoBatch) -> None:
    with pytest.raises(TypeError, match='pretext is none'):
        mask_picture(helpers.recognizer(None), video)
    with pytest.raises(ValueError, match="did you mean 'tube'"):
        mask_picture(helpers.recognizer(helpers.pretext()), video, others=['tubes'])
    without = helpers.pretext()
    for name in ('visual', 'audio'):
        without[name] = dict(without[name], targets=without[name]['targets'][:1])
    with pytest.raises(ValueError, match='recovers the classes'):
        recovery_picture(helpers.recognizer(without), video)
    sound_only = helpers.recognizer(helpers.pretext(visual=None))
    with pytest.raises(ValueError, match='masks no frames'):
        mask_picture(sound_only, video)


@pytest.fixture(scope='module')
def trained(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A config of the planted videos, and random weights of it."""
    folder = tmp_path_factory.mktemp('trained')
    cfg = Config.fromfile(ROOT / 'configs' / 'mart' / 'mart_mbt_planted.py')
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.data_root = str(planted)
    cfg.dump(folder / 'config.py')
    torch.save(MODELS.build(cfg.model).state_dict(), folder / 'weights.pth')
    return folder / 'config.py', folder / 'weights.pth'


def test_a_video_is_found_by_name_or_is_the_first_whole_one(
    trained: tuple[Path, Path], planted: Path
) -> None:
    cfg, truth = Config.fromfile(trained[0]), read_truth(planted / 'truth.json')
    first = load_video(cfg, split='train', truth=truth)
    assert first.plan['blemish'] is None and first.plan is truth[first.video_id]
    assert first.frames.shape == (6, 4, 48, 48, 3)
    names = sorted(name for name, plan in truth.items() if plan['split'] == 'test')
    assert load_video(cfg, video_id=names[-1]).video_id == names[-1]
    assert load_video(cfg, video_id=names[-1]).truth is None
    with pytest.raises(ValueError, match='unknown video of test'):
        load_video(cfg, video_id='no_such.mp4')
    with pytest.raises(ValueError, match='no truth of planted videos'):
        read_truth(planted / 'manifest.json')


def test_the_tool_draws_a_video(
    trained: tuple[Path, Path], planted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = [*map(str, trained), '--truth', str(planted / 'truth.json')]
    for command, own in (
        ('masks', ['--progress', '1.0', '--others', 'frame', 'tube']),
        ('recovery', ['--progress', '0.5']),
        ('attention', ['--level', '0', '--max-words', '2']),
    ):
        out = tmp_path / f'{command}.png'
        assert main([command, *common, *own, '--out', str(out)]) == 0
        assert out.stat().st_size > 5000 and str(out) in capsys.readouterr().out
    assert main(['masks', *common, '--video', 'none']) == 2
    assert 'unknown video of test' in capsys.readouterr().err


def test_the_tools_choices_are_those_of_the_package() -> None:
    args = build_parser().parse_args(['masks', 'CONFIG', 'CHECKPOINT'])
    assert tuple(args.others) == tuple(OTHER_MASKERS)
    assert tuple(args.progress) == PROGRESS
