"""``mart-mm check`` on configs with planted mistakes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mart_mm.apis.check.names import accepted_options, check_names
from mart_mm.apis.check.run import check
from mart_mm_cli.main import main

ROOT = Path(__file__).resolve().parents[2]
Write = Callable[..., Path]
#: each method once, and each backbone of other packages
VARIED = sorted(
    path
    for path in (ROOT / 'configs').glob('*/*_planted.py')
    if 'mart_mbt' not in path.stem or path.stem == 'mart_mbt_planted'
) + sorted((ROOT / 'configs').glob('mart/backbones/*.py'))


def messages(report: object, level: str) -> list[str]:
    return [finding.message for finding in report.findings if finding.level == level]


def test_right_config_passes_with_losses_of_both_stages(
    write_config: Write, capsys: pytest.CaptureFixture
) -> None:
    path = write_config()
    before = path.read_text()
    assert main(['check', str(path)]) == 0
    said = capsys.readouterr().out
    assert 'train: 6 samples, 6 classes: anger 1, disgust 1' in said
    assert 'test: the same data as val' in said
    assert 'SenticNet6Lexicon' in said
    assert 'pretrain, 2 videos: loss' in said and 'finetune, 2 videos: loss' in said
    assert '0 errors, 0 warnings' in said
    assert path.read_text() == before


def test_all_misspelt_names_are_told_at_once(
    write_config: Write, capsys: pytest.CaptureFixture
) -> None:
    path = write_config("""
optim_wraper = dict()
model = dict(
    head=dict(tpye='x'),
    pretext=dict(visual=dict(masker=dict(type='EmotionMaskr')), audio=dict(masker=dict(r_mni=0.1))),
)
default_hooks = dict(logger=dict(type='LogerHook'))
optim_wrapper = dict(optimizer=dict(weight_decai=0.1))
""")
    assert main(['check', str(path)]) == 1
    said = capsys.readouterr().out
    for part in (
        "unknown config key 'optim_wraper': did you mean 'optim_wrapper'",
        "model.pretext.visual.masker.type: unknown model type 'EmotionMaskr': did you mean 'EmotionMasker'",
        "model.pretext.audio.masker.r_mni: unknown option of EmotionMasker 'r_mni': did you mean 'r_min'",
        "model.head.tpye: unknown option of PolarityConsistentHead 'tpye'",
        "default_hooks.logger.type: unknown hook type 'LogerHook': did you mean 'LoggerHook'",
        "optim_wrapper.optimizer.weight_decai: unknown option of AdamW 'weight_decai'",
        '6 errors',
    ):
        assert part in said, said


def test_names_inside_pipelines_are_looked_at(write_config: Write) -> None:
    report = check(
        write_config(),
        {'train_dataloader.dataset.pipeline.1.type': 'LoadFrams', 'cache': None},
        with_batch=False,
    )
    (message,) = messages(report, 'ERROR')
    assert message.startswith('train_dataloader.dataset.pipeline[1].type: unknown transform type')
    assert "did you mean 'LoadFrames'" in message


def test_missing_folder_gives_the_tree(write_config: Write, tmp_path: Path) -> None:
    report = check(write_config(data=tmp_path / 'nowhere'))
    errors = messages(report, 'ERROR')
    assert [message.partition(':')[0] for message in errors] == ['train', 'val']
    for part in (str(tmp_path / 'nowhere'), 'trainlist01.txt', 'mart-mm plant --out'):
        assert all(part in message for message in errors)
    assert not [finding for finding in report.findings if finding.part == 'batch']


def test_missing_weights_and_lexicon_are_named(write_config: Write) -> None:
    report = check(
        write_config(),
        {
            'load_from': 'no/weights.pth',
            'train_dataloader.dataset.pipeline.6.lexicon': dict(type='FileLexicon', path='no.tsv'),
        },
    )
    errors = messages(report, 'ERROR')
    assert any('load_from: no/weights.pth does not exist' in message for message in errors)
    assert any('lexicon no.tsv does not exist' in message for message in errors)


def test_weights_that_are_there_are_listed(write_config: Write, tmp_path: Path) -> None:
    torch.save({}, tmp_path / 'weights.pth')
    report = check(write_config(), {'load_from': str(tmp_path / 'weights.pth')}, with_batch=False)
    assert not report.has_errors
    assert f'load_from: {tmp_path / "weights.pth"}' in messages(report, 'ok')


def test_head_of_other_classes(write_config: Write) -> None:
    report = check(write_config(), {'model.head.polarity': [-1, 1]})
    assert any(
        '6 classes, but model.head.polarity has 2 values' in m for m in messages(report, 'ERROR')
    )


@pytest.mark.parametrize(('allowed', 'level'), [(0.1, 'ERROR'), (0.5, 'warning')])
def test_missing_videos_are_errors_where_a_run_would_stop(
    write_config: Write, planted: Path, tmp_path: Path, allowed: float, level: str
) -> None:
    data = shutil.copytree(planted, tmp_path / 'data')
    train = (data / 'annotations' / 'trainlist01.txt').read_text().split()[0]
    gone = data / 'videos' / f'{train}.mp4'
    gone.unlink()
    hooks = f"custom_hooks = [dict(type='FailureReportHook', max_failed_share={allowed})]"
    report = check(write_config(hooks, data=data), with_batch=False)
    (message,) = [m for m in messages(report, level) if 'missing' in m]
    assert '1 of 6 samples' in message and str(gone) in message


def test_class_without_samples(write_config: Write) -> None:
    splits = {f'{s}_dataloader.dataset.indices': 5 for s in ('train', 'val', 'test')}
    report = check(write_config(), splits, with_batch=False)
    assert messages(report, 'warning') == [
        'train: no sample of surprise',
        'val: no sample of surprise',
    ]


def test_step_that_fails_is_told(write_config: Write) -> None:
    path = write_config()
    pipeline = Config.fromfile(path).train_dataloader.dataset.pipeline
    without = [step for step in pipeline if step.type != 'LoadFrames']
    report = check(path, {'train_dataloader.dataset.pipeline': without})
    (error,) = [finding for finding in report.findings if finding.level == 'ERROR']
    assert error.part == 'batch' and 'KeyError' in error.message


@pytest.mark.parametrize(
    'content', ["_base_ = './none.py'", 'model = dict(', "model = dict(type='AffectiveRecognizer')"]
)
def test_config_that_cannot_train(tmp_path: Path, content: str) -> None:
    (tmp_path / 'mine.py').write_text(content)
    report = check(tmp_path / 'mine.py')
    assert report.has_errors and {finding.part for finding in report.findings} == {'config'}


@pytest.mark.parametrize('path', VARIED, ids=lambda path: path.stem)
def test_nothing_is_said_against_right_names(path: Path) -> None:
    assert (
        messages(type('Report', (), dict(findings=check_names(Config.fromfile(path)))), 'ERROR')
        == []
    )


def test_options_are_those_of_all_constructors() -> None:
    class Base:
        def __init__(self, deep: int) -> None:
            pass

    class Open(Base):
        def __init__(self, own: int, **kwargs: object) -> None:
            super().__init__(**kwargs)

    class AnyOption:
        def __init__(self, **kwargs: object) -> None:
            pass

    assert accepted_options(Open) == ['own', 'deep']
    assert accepted_options(AnyOption) is None
    assert accepted_options(lambda a, b: None) == ['a', 'b']
