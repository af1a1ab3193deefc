"""What reports say of emotion-oriented masking, against the pretext itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import Tensor

from mart_mm.apis import MARTInferencer
from mart_mm.apis.inference.windows import Window, open_source
from mart_mm.apis.inspection import inspect
from mart_mm.datasets.collate import affective_collate
from mart_mm.models.weights import WeightsError
from mart_mm.registry import MODELS
from mart_mm.structures.emotion_report import EmotionReport

TWO = (Window(0.0, 6.0), Window(6.0, 12.0))


def batch_of(inferencer: MARTInferencer, path: Path) -> dict:
    """The two windows of a video of 12 s."""
    record = dict(video_id=path.name, video_path=str(path))
    with open_source(path) as opened:
        words = inferencer.pipeline.find_words(path, None)
        parts = [
            inferencer.pipeline(opened, window, words, record | window._asdict()) for window in TWO
        ]
    return affective_collate(parts)


def with_level(checkpoint: Path, config: Path, level: int, folder: Path) -> tuple[Path, object]:
    """A checkpoint whose words count from a level on, and its whole recogniser."""
    content = torch.load(checkpoint, weights_only=True)
    content['meta']['inference']['model']['pretext']['verify_level'] = level
    path = folder / 'level.pth'
    torch.save(content, path)
    model = Config.fromfile(config).model
    model.backbone.visual.pretrained = None
    model.pretext.verify_level = level
    recognizer = MODELS.build(model)
    recognizer.load_state_dict(content['state_dict'])
    return path, recognizer


def digits(segments: list[list[str]]) -> np.ndarray:
    return np.array([[[int(sign) for sign in row] for row in rows] for rows in segments])


def hidden_and_hints(is_masked: Tensor, scores: Tensor) -> Tensor:
    """Hidden tokens, and all that are ranked above the last of them."""
    lowest = scores.masked_fill(~is_masked, torch.inf).amin(1, keepdim=True)
    return is_masked | (scores > lowest)


@pytest.mark.parametrize('level', [0, 3])
def test_as_the_pretext_masks_at_the_end_of_pretraining(
    checkpoint: Path, mart_config: Path, videos: Path, tmp_path: Path, level: int
) -> None:
    path, whole = with_level(checkpoint, mart_config, level, tmp_path)
    inferencer = MARTInferencer(path, device='cpu', show_progress=False, masks=True)
    report = inferencer.report(videos / 'two.mp4')
    found = inspect(whole, batch_of(inferencer, videos / 'two.mp4'), 1.0)
    with_words = found.view.is_verified.flatten(0, 1).any(1)
    assert report.masks.with_words == with_words.tolist()
    if level == 0:
        assert with_words.any() and not with_words.all()
    for name, axis in (('visual', 1), ('audio', None)):
        tokens = hidden_and_hints(found.is_masked[name], whole.pretext.scores(found.view, name))
        assert 0.5 < tokens.float().mean() < 0.6  # half of the patches, and the hints
        grid = whole.backbone.streams[name].grid
        wanted = tokens.unflatten(1, grid).float().numpy()
        if axis is not None:
            wanted = wanted.mean(axis)
        shown = digits(getattr(report.masks, name))
        assert shown.shape == (len(report.segments), *grid[-2:])
        np.testing.assert_allclose(shown / 9, wanted, atol=0.5 / 9 + 1e-6)


def test_predictions_are_the_same_and_masks_are_asked_for(
    checkpoint: Path, videos: Path, tmp_path: Path
) -> None:
    without = MARTInferencer(checkpoint, device='cpu', show_progress=False)
    with_masks = MARTInferencer(checkpoint, device='cpu', show_progress=False, masks=True)
    plain, masked = (one.report(videos / 'two.mp4') for one in (without, with_masks))
    assert plain.masks is None and 'masks' not in plain.to_dict()
    for one, other in zip(plain.segments, masked.segments, strict=True):
        assert one.distribution == pytest.approx(other.distribution, abs=1e-5)
    assert [word.level for word in plain.words] == [word.level for word in masked.words]
    assert EmotionReport.load(masked.save(tmp_path / 'a.json')) == masked


def test_what_is_absent_has_no_masks(checkpoint: Path, supervised: Path, videos: Path) -> None:
    inferencer = MARTInferencer(checkpoint, device='cpu', show_progress=False, masks=True)
    silent = inferencer.report(videos / 'bare.mp4')
    assert silent.masks.audio is None and len(silent.masks.visual) == len(silent.segments)
    assert not any(silent.masks.with_words)  # nothing is said
    inferencer = MARTInferencer(supervised, device='cpu', show_progress=False, masks=True)
    assert inferencer.report(videos / 'one.mp4').masks is None


def test_why_there_are_none_is_said(
    checkpoint: Path, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    log = 'mart_mm.apis.inference.checkpoint.print_log'
    monkeypatch.setattr(log, lambda line, **_: told.append(line))
    content = torch.load(checkpoint, weights_only=True)
    state = content['state_dict']
    content['state_dict'] = {k: v for k, v in state.items() if not k.startswith('pretext.')}
    torch.save(content, tmp_path / 'a.pth')
    encoder = dict(type='BertTextEncoder', name_or_path='absent')
    content['meta']['inference']['model']['data_preprocessor']['text_encoder'] = encoder
    torch.save(content | dict(state_dict=state), tmp_path / 'b.pth')
    for name, reason in (('a', 'no weights of the pretext'), ('b', 'weights of BertTextEncoder')):
        inferencer = MARTInferencer(tmp_path / f'{name}.pth', device='cpu', masks=True)
        report = inferencer.report(videos / 'two.mp4')
        assert report.masks is None
        assert any(word.level is not None for word in report.words)  # verified all the same
        assert f'{name}.pth: reports hold no masks: ' in told[-1] and reason in told[-1]


def test_attention_of_another_model(checkpoint: Path, tmp_path: Path) -> None:
    content = torch.load(checkpoint, weights_only=True)
    del content['state_dict']['pretext.attention.audio.key.weight']
    torch.save(content, tmp_path / 'a.pth')
    with pytest.raises(WeightsError, match=r'(?s)a.pth: pretext.attention.audio.*key.weight'):
        MARTInferencer(tmp_path / 'a.pth', device='cpu', masks=True)
