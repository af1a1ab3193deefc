"""What a run leaves; that a resumed one leaves the same is in tests/reliability/test_kills.py."""

import shutil
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
