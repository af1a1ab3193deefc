"""``mart-mm config``: what is printed is what a run reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from mart_mm_cli.main import main

ROOT = Path(__file__).resolve().parents[2]


def test_what_is_printed_is_the_config_without_bases(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    saved = tmp_path / 'new' / 'mine.py'
    options = ['train_dataloader.batch_size=3', 'model.head.temperature=0.5']
    assert (
        main(['config', 'mart-mbt-planted', '--cfg-options', *options, '--save-path', str(saved)])
        == 0
    )
    printed = capsys.readouterr().out
    assert printed == saved.read_text() and '_base_' not in printed
    expected = Config.fromfile(ROOT / 'configs' / 'mart' / 'mart_mbt_planted.py').to_dict()
    expected['train_dataloader']['batch_size'] = 3
    expected['model']['head']['temperature'] = 0.5
    assert Config.fromfile(saved).to_dict() == expected


@pytest.mark.parametrize(
    ('content', 'options', 'said'),
    [
        ("_base_ = './none.py'", [], 'none.py'),
        ('model = dict(', [], 'never closed'),
        ('x = 1', ['x.y=2'], 'x'),
    ],
)
def test_config_that_cannot_be_read_is_named(
    content: str, options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / 'mine.py'
    path.write_text(content)
    arguments = ['--cfg-options', *options] if options else []
    assert main(['config', str(path), *arguments]) == 2
    message = capsys.readouterr().err
    assert str(path) in message and said in message and 'Traceback' not in message
