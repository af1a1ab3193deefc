"""A killed run that is resumed must be the run that was not killed."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope='module')
def whole(tiny_config: Path, runs: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    work_dir = tmp_path_factory.mktemp('whole')
    done = runs.run(tiny_config, work_dir)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return work_dir


def final(work_dir: Path) -> dict:
    return torch.load(work_dir / 'iter_12.pth', weights_only=True)


def assert_same(a: object, b: object, where: str) -> None:
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), where
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_same(a[key], b[key], f'{where}.{key}')
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), where
        for index, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f'{where}[{index}]')
    else:
        assert a == b, where


@pytest.mark.parametrize('kill_after', [2, 8], ids=['mid_pretrain', 'mid_finetune'])
def test_kill_and_resume_is_exact(
    whole: Path, tiny_config: Path, tmp_path: Path, runs: object, kill_after: int
) -> None:
    """kill -9 after a step of either stage; parameters, EMA, optimiser, schedules are bit-equal."""
    with (tmp_path / 'log').open('w') as log:
        run = subprocess.Popen(
            runs.command(tiny_config, tmp_path), cwd=runs.root, stdout=log, stderr=log
        )
        marker = tmp_path / 'last_checkpoint'
        wanted = f'iter_{kill_after}.pth'
        deadline = time.time() + 120
        while not (marker.exists() and marker.read_text().endswith(wanted)):
            assert run.poll() is None, (tmp_path / 'log').read_text()[-3000:]
            assert time.time() < deadline
            time.sleep(0.002)
        run.send_signal(signal.SIGKILL)
        run.wait()
    done = runs.run(tiny_config, tmp_path, '--resume')
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    expected, got = final(whole), final(tmp_path)
    for part in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'):
        assert_same(expected[part], got[part], part)
    scores = [
        {key: value for key, value in runs.scalars(folder)[-1].items() if key.startswith('affect')}
        for folder in (whole, tmp_path)
    ]
    assert scores[0] == scores[1]
    assert 'affect/emotion_acc' in scores[0]


def test_stages_and_schedules(whole: Path, runs: object) -> None:
    steps = [r for r in runs.scalars(whole) if 'loss' in r]
    assert [r['epoch'] for r in steps] == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
    assert [r['mask_progress'] for r in steps[:6]] == [0.5] * 3 + [1.0] * 3
    assert [r['verify_level'] for r in steps[:6]] == [1] * 3 + [3] * 3
    assert (whole / 'pretrained.pth').exists()


def test_broken_video_is_reported_and_does_not_end_the_run(whole: Path) -> None:
    import json

    (report,) = whole.glob('*/failures.json')
    ((path, reason),) = json.loads(report.read_text()).items()
    assert path.endswith('.mp4') and 'cannot be read as video' in reason


def test_checkpoint_is_plain(whole: Path) -> None:
    unsafe = torch.serialization.get_unsafe_globals_in_checkpoint(whole / 'iter_12.pth')
    assert unsafe == []


def test_checkpoint_needs_no_config(
    whole: Path, planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of both stages: it says what it is of, and predicts a test video from another folder."""
    from mart_mm.apis import MARTInferencer

    video = sorted((planted / 'videos').rglob('*.mp4'))[-1]
    for name in ('iter_12.pth', 'pretrained.pth'):
        shutil.copy(whole / name, tmp_path / name)
        monkeypatch.chdir(tmp_path)
        inferencer = MARTInferencer(name, device='cpu', show_progress=False)
        assert inferencer.card.classes[0] == 'anger' and inferencer.card.name == 'tiny'
        assert inferencer.segment_seconds == pytest.approx(1.0, abs=0.01)
        report = inferencer.report(video)
        assert len(report.segments) == 6 and sum(report.scores) == pytest.approx(1, abs=1e-4)
