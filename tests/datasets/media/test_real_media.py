"""Files nobody here made, through the transforms of training and of prediction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose

from mart_mm.datasets.base import build_transforms
from mart_mm.datasets.cache import FileCache
from mart_mm.errors import MediaError
from mart_mm.lexicon.mood_map import MoodMap

CONFIG = Path(__file__).parents[3] / 'configs/_base_/pipelines/planted_6x4x48.py'
SILENT = {'demo.mp4'}
WITHOUT_PICTURES = {'jfk.flac', 'stereo_diarization.wav'}
#: seconds, as a player shows them
DURATIONS = {
    'big_buck_bunny_432_433.webm': 1.0,
    'chaplin.mp4': 9.6,
    'demo.mp4': 10.0,
    'flipping_a_pancake.mkv': 10.0,
    'nasa_13013.mp4': 13.0,
    'single_face.mp4': 2.4,
}


@pytest.fixture(scope='module')
def pipelines() -> dict[str, Compose]:
    config = Config.fromfile(CONFIG)
    return {
        kind: Compose(build_transforms(config[f'planted_{kind}_pipeline']))
        for kind in ('train', 'test')
    }


def _record(path: Path, cache: FileCache | None = None) -> dict:
    return dict(
        video_id=path.stem,
        video_path=str(path),
        gt_emotion=0,
        mood_map=MoodMap(['joy', 'fear'], dict(joy='joy', fear='fear')),
        cache=cache,
        rng=np.random.default_rng(0),
    )


@pytest.mark.parametrize('kind', ['train', 'test'])
def test_every_file_passes_or_says_what_it_lacks(shared_data, pipelines, tmp_path, kind):
    files = sorted((shared_data / 'media').iterdir())
    assert {path.name for path in files} >= set(DURATIONS) | WITHOUT_PICTURES
    for path in files:
        if path.name in WITHOUT_PICTURES:
            with pytest.raises(MediaError, match='no video stream'):
                pipelines[kind](_record(path))
            continue
        sample = pipelines[kind](_record(path))
        inputs = sample['inputs']
        assert inputs['imgs'].shape == (6, 3, 4, 48, 48) and inputs['imgs'].dtype == torch.uint8
        assert inputs['imgs'].float().std() > 5  # real pictures
        assert inputs['audios'].shape == (6, 80, 128) and inputs['audios'].isfinite().all()
        assert inputs['present']['audio'] == (path.name not in SILENT)
        end = sample['data_samples'].segment_times[-1][1]
        if path.name in DURATIONS:
            assert float(end) == pytest.approx(DURATIONS[path.name], abs=0.5)
        cache = FileCache(str(tmp_path / 'cache'))
        for _ in range(2):
            kept = pipelines[kind](_record(path, cache))
            assert torch.equal(kept['inputs']['audios'], inputs['audios'])
            assert kept['data_samples'].cues == sample['data_samples'].cues
