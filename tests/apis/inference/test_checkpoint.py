"""What a checkpoint must say, and what it must not do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mart_mm.apis import MARTInferencer
from mart_mm.apis.inference.checkpoint import build_for_prediction, card_of, read_checkpoint
from mart_mm.apis.publish import publish
from mart_mm.models.weights import WeightsError
from mart_mm.structures.inference_card import CardError


@pytest.fixture
def content(checkpoint: Path) -> dict:
    return torch.load(checkpoint, weights_only=True)


def _save(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


class _Runs:
    """Its pickle calls a function."""

    def __reduce__(self) -> tuple:
        return print, ('code of a checkpoint is run',)


def test_code_is_not_run(content: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _save(content | dict(extra=_Runs()), tmp_path / 'evil.pth')
    with pytest.raises(WeightsError, match=r'evil.pth .*could run code'):
        MARTInferencer(path)
    content['meta']['inference']['pipeline'].append(dict(type='builtins.print'))
    with pytest.raises(CardError, match="'builtins.print'.*could run code"):
        MARTInferencer(_save(content, tmp_path / 'b.pth'))
    assert 'is run' not in capsys.readouterr().out


def test_foreign_files(tmp_path: Path) -> None:
    (tmp_path / 'text.pth').write_text('no checkpoint')
    with pytest.raises(WeightsError, match=r'text.pth is no checkpoint'):
        MARTInferencer(tmp_path / 'text.pth')
    path = _save(dict(weights=1), tmp_path / 'a.pth')
    with pytest.raises(WeightsError, match=r'a.pth holds no state_dict.*tools/train.py'):
        MARTInferencer(path)
    path = _save(dict(state_dict=dict(a=torch.zeros(1))), tmp_path / 'b.pth')
    with pytest.raises(CardError, match=r'b.pth.*give the config it was trained with'):
        MARTInferencer(path)
    with pytest.raises(FileNotFoundError, match=r'absent.pth does not exist'):
        MARTInferencer(tmp_path / 'absent.pth')
    with pytest.raises(ValueError, match='two checkpoints'):
        MARTInferencer(path, path)


def test_a_checkpoint_of_before_is_used_with_its_config(
    content: dict, mart_config: Path, tmp_path: Path
) -> None:
    said = content['meta'].pop('inference')
    content['meta']['dataset_meta'] = {key: said[key] for key in ('classes', 'polarity')}
    path = _save(content, tmp_path / 'a.pth')
    inferencer = MARTInferencer(mart_config, path, device='cpu')
    assert inferencer.card.classes == said['classes']
    assert inferencer.segment_seconds == pytest.approx(0.8)  # of the sound
    del content['meta']['dataset_meta']
    with pytest.raises(CardError, match='lacks classes, polarity'):
        MARTInferencer(mart_config, _save(content, tmp_path / 'b.pth'))


def test_weights_of_another_model(content: dict, tmp_path: Path) -> None:
    name = next(key for key in content['state_dict'] if key.startswith('backbone.'))
    del content['state_dict'][name]
    with pytest.raises(WeightsError, match=f'missing in the file .*{name}'):
        MARTInferencer(_save(content, tmp_path / 'a.pth'))


def test_a_model_of_features_reads_no_videos(content: dict, tmp_path: Path) -> None:
    content['meta']['inference']['pipeline'] = [
        dict(
            type='LoadFeatures', num_segments=6, dims=dict(visual=3, audio=3),
            num_tokens=dict(visual=2, audio=2),
        )
    ]  # fmt: skip
    with pytest.raises(ValueError, match='LoadFeatures.*reads no videos'):
        MARTInferencer(_save(content, tmp_path / 'a.pth'))


def test_a_lexicon_that_is_missing_is_said_at_once(content: dict, tmp_path: Path) -> None:
    for step in content['meta']['inference']['pipeline']:
        if step['type'] == 'FindCues':
            step['lexicon'] = dict(type='FileLexicon', path='absent.tsv')
    with pytest.raises(FileNotFoundError, match=r'absent.tsv does not exist'):
        MARTInferencer(_save(content, tmp_path / 'a.pth'))


def test_published_weights_give_the_same_report(
    checkpoint: Path, videos: Path, tmp_path: Path
) -> None:
    paths = (checkpoint, publish(checkpoint, tmp_path / 'mart'))
    first, second = (
        MARTInferencer(path, device='cpu', show_progress=False).report(videos / 'one.mp4')
        for path in paths
    )
    assert (first.scores, first.segments) == (second.scores, second.segments)
    assert second.model['checkpoint'] == paths[1].name != paths[0].name


def test_only_what_predicts_is_built(checkpoint: Path) -> None:
    read = read_checkpoint(checkpoint)
    recognizer = build_for_prediction(card_of(read), read)
    assert any(key.startswith('pretext.') for key in read.state)
    assert not any(key.startswith('pretext.') for key in recognizer.state_dict())
    assert not any(parameter.requires_grad for parameter in recognizer.parameters())
    with pytest.raises(TypeError, match='cannot be trained'):
        recognizer.pretext.loss(recognizer, {}, [])
