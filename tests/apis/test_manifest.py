from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from mart_mm.apis.manifest import inspect_manifest, known_affect, manifest_config
from mart_mm.utils.media_writer import write_video

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / 'configs' / 'mart' / 'mart_mbt_manifest_tiny.py'


def prepare(*arguments: str) -> subprocess.CompletedProcess:
    tool = str(ROOT / 'tools' / 'data' / 'manifest' / 'prepare.py')
    return subprocess.run([sys.executable, tool, *arguments], capture_output=True, text=True)


def test_affect_of_known_labels() -> None:
    signs, moods = known_affect(['Happy', 'anger', 'tense', 'zeal', 'Neutral', 'negative'])
    assert signs == dict(Happy=1, anger=-1, tense=-1, Neutral=0, negative=-1)
    assert moods['anger'] == 'anger' and moods['joy'] == 'Happy' and moods['fear'] == 'tense'
    assert known_affect(['anger', 'hostile'])[1]['anger'] == 'anger'


def test_config_holds_what_the_manifest_says(tmp_path: Path) -> None:
    (tmp_path / 'm.csv').write_text(
        'video,label,split\na.mp4,zeal,train\nb.mp4,sadness,train\nc.mp4,zeal,val\n'
    )
    report = inspect_manifest(tmp_path / 'm.csv')
    assert report.classes == ['sadness', 'zeal']
    assert len(report.missing) == 3 and 'line 2, video: a.mp4' in report.missing[0]
    with pytest.raises(ValueError, match='--polarity zeal=1'):
        manifest_config(report, BASE, tmp_path / 'c.py', {})
    with pytest.raises(ValueError, match="unknown label 'zael': did you mean 'zeal'"):
        manifest_config(report, BASE, tmp_path / 'c.py', dict(zael=1))
    (tmp_path / 'c.py').write_text(manifest_config(report, BASE, tmp_path / 'c.py', dict(zeal=1)))
    cfg = Config.fromfile(tmp_path / 'c.py')
    assert cfg.model.head.polarity == [-1, 1]
    for loader, split in ((cfg.train_dataloader, 'train'), (cfg.test_dataloader, 'val')):
        assert loader.dataset.classes == ['sadness', 'zeal'] and loader.dataset.split == split
        assert loader.dataset.ann_file == str(tmp_path / 'm.csv')
    (tmp_path / 'm.csv').write_text('video,label,split\na.mp4,joy,train\n')
    text = manifest_config(inspect_manifest(tmp_path / 'm.csv'), BASE, tmp_path / 'c.py', {})
    (tmp_path / 'c.py').write_text(text)
    assert Config.fromfile(tmp_path / 'c.py').val_dataloader is None


def test_what_is_seldom_meant_is_said(tmp_path: Path) -> None:
    (tmp_path / 'm.csv').write_text(
        'video,label,split\na.mp4,joy,train\nb.mp4,Joy,train\nc.mp4,awe,test\n'
    )
    doubts = inspect_manifest(tmp_path / 'm.csv').doubts
    assert any("'awe' (" in line and 'line 4) has no row for training' in line for line in doubts)
    assert any("['Joy', 'joy'] differ in case only" in line for line in doubts)
    assert any('no row for validation' in line for line in doubts)
    assert any('no word of the lexicon speaks for' in line and "'awe'" in line for line in doubts)
    (tmp_path / 'm.csv').write_text('video,label,split\na.mp4,joy,train\nb.mp4,joy,val\n')
    (only,) = inspect_manifest(tmp_path / 'm.csv').doubts
    assert "all rows have the label 'joy'" in only


def test_no_checkpoint_is_chosen_by_test_rows(tmp_path: Path) -> None:
    (tmp_path / 'm.csv').write_text('video,label,split\na.mp4,joy,train\nb.mp4,fear,test\n')
    text = manifest_config(inspect_manifest(tmp_path / 'm.csv'), BASE, tmp_path / 'c.py', {})
    (tmp_path / 'c.py').write_text(text)
    assert Config.fromfile(tmp_path / 'c.py').default_hooks.checkpoint.save_best is None
    (tmp_path / 'm.csv').write_text(
        'video,label,split\na.mp4,joy,train\nb.mp4,fear,test\nc.mp4,fear,val\n'
    )
    text = manifest_config(inspect_manifest(tmp_path / 'm.csv'), BASE, tmp_path / 'c.py', {})
    (tmp_path / 'c.py').write_text(text)
    assert Config.fromfile(tmp_path / 'c.py').default_hooks.checkpoint.save_best is not None


def test_bases_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    (tmp_path / 'm.csv').write_text('video,label,split\na.mp4,joy,train\nb.mp4,fear,val\n')
    report, configs = inspect_manifest(tmp_path / 'm.csv'), ROOT / 'configs'
    for base, message in (
        ('mart/mart_mbt_ekman6.py', 'reads Ekman6, not a manifest'),
        ('features/mart_features_manifest.py', 'no column of features'),
    ):
        with pytest.raises(ValueError, match=message):
            manifest_config(report, configs / base, tmp_path / 'c.py', {})
    (tmp_path / 'f.csv').write_text('visual_features,label,split\na.npy,joy,train\n')
    with pytest.raises(ValueError, match=r'line 2: no video.*import_features\.py'):
        manifest_config(inspect_manifest(tmp_path / 'f.csv'), BASE, tmp_path / 'c.py', {})


def test_a_base_without_pretext_takes_all_epochs_as_one_stage(tmp_path: Path) -> None:
    (tmp_path / 'm.csv').write_text('video,label,split\na.mp4,joy,train\nb.mp4,fear,val\n')
    base = ROOT / 'configs' / 'supervised' / 'mbt_manifest.py'
    report = inspect_manifest(tmp_path / 'm.csv')
    (tmp_path / 'c.py').write_text(manifest_config(report, base, tmp_path / 'c.py', {}, (2, 3)))
    cfg = Config.fromfile(tmp_path / 'c.py')
    assert cfg.train_cfg.max_epochs == 5 and cfg.custom_hooks[0].pretrain_epochs == 0
    assert cfg.param_scheduler[0].periods == [5] and cfg.param_scheduler[0].restart_weights == [1.0]


def test_own_videos_train_without_code(tmp_path: Path) -> None:
    """From a table to a trained model by two commands, one file of the three missing."""
    for name in ('a', 'b'):
        write_video(tmp_path / f'{name}.mp4', np.zeros((16, 48, 64, 3), np.uint8), 8)
    rows = [dict(video=f'{name}.mp4', label=label, split='train') for name, label in
            (('a', 'calm'), ('b', 'fear'), ('lost', 'fear'))]  # fmt: skip
    (tmp_path / 'm.jsonl').write_text('\n'.join(map(json.dumps, rows)))
    out = tmp_path / 'c.py'
    failed = prepare(str(tmp_path / 'm.jsonl'), '--out', str(out), '--base', str(BASE))
    assert failed.returncode == 2 and '--polarity calm=' in failed.stderr and not out.exists()
    done = prepare(
        *(
            str(tmp_path / 'm.jsonl'),
            '--out',
            str(out),
            '--base',
            str(BASE),
            '--polarity',
            'calm=1',
        ),
        *('--epochs', '1', '1'),
    )
    assert done.returncode == 1 and 'lost.mp4 does not exist' in done.stdout
    trained = subprocess.run(
        [
            *(sys.executable, str(ROOT / 'tools' / 'train.py'), str(out)),
            *('--work-dir', str(tmp_path / 'work'), '--cfg-options', 'cache=None'),
            'train_dataloader.num_workers=0',
            'train_dataloader.persistent_workers=False',
            'custom_hooks.4.max_failed_share=0.5',
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert trained.returncode == 0, trained.stderr[-2000:]
    assert (tmp_path / 'work' / 'epoch_2.pth').exists()
    (failures,) = (tmp_path / 'work').rglob('failures.json')
    assert 'lost.mp4' in failures.read_text()
