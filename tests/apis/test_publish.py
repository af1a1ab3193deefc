"""Published weights: what is in them, and every place that opens them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.runner.checkpoint import CheckpointLoader
from safetensors import safe_open

from mart_mm.apis.publish import publish
from mart_mm.errors import WeightsError
from mart_mm.models.weights import read_state
from mart_mm.structures.inference_card import KEY, CardError, InferenceCard
from mart_mm.weight_files.published import read_published, write_published
from mart_mm.zoo.weights import locate
from mart_mm_cli.main import main
from tools.convert.publish_model import main as publish_model

CARD = InferenceCard(
    name='tiny',
    model=dict(type='AffectiveRecognizer', backbone=dict(patch_size=(2, 16, 16))),
    pipeline=[dict(type='LoadFrames')],
    classes=['joy', 'fear'],
    polarity=[1, -1],
    mood_table={},
    segment_seconds=1.0,
    version='0',
)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """As training writes it; two of its weights are one tensor, one is not contiguous."""
    weight = torch.arange(6.0).reshape(2, 3)
    state = dict(a=weight, tied=weight, turned=weight.T, count=torch.tensor(3))
    content = dict(
        meta=dict(inference=CARD.to_dict(), cfg='print()', epoch=3),
        state_dict=state,
        optimizer=dict(state={0: torch.ones(2)}),
        message_hub={},
    )
    torch.save(content, tmp_path / 'epoch_3.pth')
    return tmp_path / 'epoch_3.pth'


def test_it_holds_weights_and_card_and_nothing_else(checkpoint: Path, tmp_path: Path) -> None:
    path = publish(checkpoint, tmp_path / 'out' / 'mart.safetensors')
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert path == tmp_path / 'out' / f'mart-{digest[:8]}.safetensors'
    expected = torch.load(checkpoint, weights_only=True)['state_dict']
    with safe_open(path, 'pt') as file:  # the library, not our reader
        assert file.metadata().keys() == {'format', KEY}
        card = json.loads(file.metadata()[KEY])
        assert set(file.keys()) == expected.keys()
        assert all(torch.equal(file.get_tensor(name), expected[name]) for name in expected)
    assert card['classes'] == ['joy', 'fear'] and card['format'] == 1
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_every_loader_opens_it(checkpoint: Path) -> None:
    path = publish(checkpoint)
    assert path.parent == checkpoint.parent and path.name.startswith('epoch_3-')
    expected = torch.load(checkpoint, weights_only=True)['state_dict']
    for state in (read_state(path), CheckpointLoader.load_checkpoint(str(path))['state_dict']):
        assert state.keys() == expected.keys()
        assert all(torch.equal(state[name], expected[name]) for name in expected)
    assert locate(str(path)) == (str(path), None)
    for _ in range(8):  # it is a checkpoint itself, and the same content gives the same file
        assert publish(path, checkpoint.parent / 'again').read_bytes() == path.read_bytes()


def test_the_hash_is_verified(checkpoint: Path, tmp_path: Path) -> None:
    path = publish(checkpoint)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf'{path.name}: its name says that its SHA-256 begins'):
        read_published(path)
    with pytest.raises(WeightsError, match='damaged or another file; get it again'):
        CheckpointLoader.load_checkpoint(str(path))
    for name in ('plain.safetensors', 'model-20240131.safetensors'):  # a date is no hash
        (tmp_path / name).write_bytes(content)
        assert read_published(tmp_path / name)['meta'][KEY]['name'] == 'tiny'


def test_averaged_weights_are_the_ones_published(
    tiny_runs: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('mart_mm.engine.hooks.plain_checkpoint.describe', lambda *_: CARD)
    ema = dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.5)
    runner = tiny_runs.train(tmp_path, 2, custom_hooks=[ema, dict(type='PlainCheckpointHook')])
    (hook,) = (hook for hook in runner.hooks if isinstance(hook, EMAHook))
    averaged = hook.ema_model.module.state_dict()['linear.weight']
    assert not torch.equal(averaged, runner.model.state_dict()['linear.weight'])
    state = read_published(publish(tmp_path / 'epoch_2.pth'))['state_dict']
    assert torch.equal(state['linear.weight'], averaged)
    assert state.keys() == runner.model.state_dict().keys()
    restarted = tiny_runs.build(
        tmp_path / 'again', load_from=str(publish(tmp_path / 'epoch_2.pth'))
    )
    restarted.load_or_resume()
    assert torch.equal(restarted.model.state_dict()['linear.weight'], averaged)


def test_what_cannot_be_published(tmp_path: Path) -> None:
    torch.save(dict(state_dict=dict(a=torch.zeros(1))), tmp_path / 'a.pth')
    with pytest.raises(CardError, match=r'a\.pth: format 1 of meta\.inference is expected'):
        publish(tmp_path / 'a.pth')
    assert [path.name for path in tmp_path.iterdir()] == ['a.pth']


def test_from_the_command_line(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, command in enumerate((lambda a: main(['publish', *a]), publish_model)):
        out = tmp_path / f'{number}' / 'mart.safetensors'
        assert command([str(checkpoint), '--out', str(out)]) == 0
        written = Path(capsys.readouterr().out.strip())
        assert written.parent == out.parent and read_published(written)['state_dict'].keys()
    assert main(['publish', str(tmp_path / 'absent.pth')]) == 2
    assert 'absent.pth does not exist' in capsys.readouterr().err


def test_names(tmp_path: Path) -> None:
    path = write_published(dict(a=torch.zeros(1)), CARD.to_dict(), tmp_path / 'v1.2')
    assert path.name.startswith('v1.2-') and path.suffix == '.safetensors'
