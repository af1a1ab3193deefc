"""``mart-mm models`` and ``mart-mm env``."""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
import yaml

from mart_mm_cli.main import main

ROOT = Path(__file__).resolve().parents[2]


def listed(capsys: pytest.CaptureFixture, *arguments: str) -> list[dict]:
    assert main(['models', '--json', *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_model_of_the_index_is_listed(capsys: pytest.CaptureFixture) -> None:
    entries = listed(capsys)
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    models = [
        model
        for name in index['Import']
        for model in yaml.safe_load((ROOT / name).read_text())['Models']
    ]
    assert [entry['name'] for entry in entries] == [model['Name'] for model in models]
    assert all(Path(entry['config']).is_file() for entry in entries)
    assert all(entry['training_data'] for entry in entries)


def test_weights_are_listed_where_they_are(
    capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not any(entry['weights'] for entry in listed(capsys))
    (tmp_path / 'demo_out' / 'mart').mkdir(parents=True)
    (tmp_path / 'demo_out' / 'mart' / 'epoch_2.pth').touch()
    found = {entry['name']: entry['weights'] for entry in listed(capsys) if entry['weights']}
    assert found == {'mart_mbt_planted': 'demo_out/mart/epoch_2.pth'}


def test_table_holds_what_is_asked_for(
    capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(['models', 'mart-mbt-planted']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ['name', 'trained', 'on', 'weights', 'config']
    assert lines[1].startswith('mart_mbt_planted  Planted affect')
    assert lines[1].endswith('configs/mart/mart_mbt_planted.py')
    assert lines[-1].startswith('1 models, 1 without weights')


def test_environment(capsys: pytest.CaptureFixture) -> None:
    assert main(['env', '--json']) == 0
    found = json.loads(capsys.readouterr().out)
    assert found['versions']['torch'] == version('torch')
    assert found['versions']['mmengine'] == version('mmengine')
    assert found['machine']['processor cores'] == str(os.cpu_count())
    assert found['machine']['CUDA available'] == str(torch.cuda.is_available())
    assert 'libavcodec' in found['media']['FFmpeg in PyAV']
    assert found['media']['h264'] == 'decoder'
    assert os.environ['XDG_CACHE_HOME'] in found['caches']['lexicons']
    assert main(['env']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ['torch', version('torch')] for line in lines)
