import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mart_mm.datasets.collate import affective_collate
from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.datasets.transforms.formatting import PackAffectiveInputs
from mart_mm.engine.hooks.failure_report import FailureReportHook
from mart_mm.errors import MediaError, TooManyFailuresError, unknown_name
from mart_mm.utils.media_writer import write_video

CLASSES = Ekman6.METAINFO['classes']


def pipeline(results: dict) -> dict:
    """Stands for the real one: fails on the files whose name says so."""
    if 'broken' in results['video_id']:
        raise MediaError(results['video_path'], 'damaged')
    results |= dict(
        imgs=np.full((2, 1, 4, 4, 3), results['rng'].integers(200), np.uint8),
        audios=np.zeros((2, 8, 128), np.float32),
        has_audio=True,
        has_text=False,
        segment_times=np.array([[0.0, 1.0], [1.0, 2.0]]),
        texts=['', ''],
        cues=[[], []],
        class_has_words=np.ones(6, bool),
    )
    return PackAffectiveInputs(max_cues=3)(results)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / 'annotations').mkdir()
    names = ['anger/a', 'anger/broken1', 'joy/b', 'fear/broken2', 'sadness/c.d']
    lines = [f'{name} {CLASSES.index(name.split("/")[0]) + 1}' for name in names]
    (tmp_path / 'annotations' / 'list.txt').write_text('\n'.join(lines))
    for name in names:
        path = tmp_path / 'videos' / f'{name}.mkv'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def dataset(folder: Path, **options: object) -> Ekman6:
    return Ekman6(
        ann_file='annotations/list.txt', data_root=str(folder), pipeline=[pipeline], **options
    )


def test_broken_video_is_replaced_in_training_and_reported(folder: Path) -> None:
    data = dataset(folder)
    sample = data[1]['data_samples']
    assert sample.video_id == 'joy/b'
    assert sample.failures == [(str(folder / 'videos' / 'anger' / 'broken1.mkv'), 'damaged')]
    assert data[4]['data_samples'].failures == []
    assert data[4]['data_samples'].video_path.endswith('c.d.mkv')


def test_broken_video_is_set_aside_in_testing(folder: Path) -> None:
    data = dataset(folder, test_mode=True)
    batch = affective_collate([data[index] for index in range(5)])
    assert [s.video_id for s in batch['data_samples']] == ['anger/a', 'joy/b', 'sadness/c.d']
    assert [s.video_id for s in batch['failed_samples']] == ['anger/broken1', 'fear/broken2']
    assert batch['inputs']['imgs'].shape == (3, 2, 3, 1, 4, 4)
    assert batch['inputs']['present']['text'].tolist() == [False] * 3
    assert len(batch['failures']) == 2
    only_broken = affective_collate([data[1]])
    assert only_broken['inputs'] == {} and len(only_broken['failed_samples']) == 1


def test_augmentation_follows_seed_epoch_and_index(folder: Path) -> None:
    def values(data: Ekman6, epoch: int) -> list[int]:
        data.set_epoch(epoch)
        return [int(data[index]['inputs']['imgs'][0, 0, 0, 0, 0]) for index in (0, 2, 4)]

    first = values(dataset(folder), 0)
    assert values(dataset(folder), 0) == first
    assert values(dataset(folder), 1) != first
    assert values(dataset(folder, seed=1), 0) != first
    tested = dataset(folder, test_mode=True)
    assert values(tested, 0) == values(tested, 5)


def test_too_many_in_a_row_stop(folder: Path) -> None:
    for path in (folder / 'videos').rglob('*.mkv'):
        path.rename(path.with_name(f'broken_{path.name}'))
    text = (folder / 'annotations' / 'list.txt').read_text()
    names = text.replace('/', '/broken_')
    (folder / 'annotations' / 'list.txt').write_text(names)
    with pytest.raises(TooManyFailuresError, match='4 videos in a row'):
        dataset(folder, max_refetch=3)[0]


def test_share_of_failures_stops_the_run(folder: Path) -> None:
    class Loader:
        dataset = dataset(folder)

    class Log:
        @staticmethod
        def warning(message: str) -> None:
            pass

    class Runner:
        train_dataloader, logger, log_dir = Loader, Log, folder

    def after(hook: FailureReportHook, *names: str) -> None:
        failures = [(str(folder / 'videos' / f'{name}.mkv'), 'damaged') for name in names]
        hook.after_train_iter(Runner, 0, dict(failures=failures))

    hook = FailureReportHook(max_failed_share=0.2)
    after(hook, 'anger/broken1', 'anger/broken1')  # one of five, twice
    with pytest.raises(TooManyFailuresError, match=r'2 of 5 videos[\s\S]+broken2'):
        after(hook, 'fear/broken2')
    assert len(json.loads((folder / 'failures.json').read_text())) == 2


def test_missing_folder_names_tree_and_command(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r'trainlist01\.txt[\s\S]+mart-mm plant --out .+nowhere'
    ):
        dataset(tmp_path / 'nowhere')[0]


def test_missing_video_file_is_a_failure_like_any_other(folder: Path) -> None:
    from mart_mm.datasets.transforms.video import SampleSegments

    (folder / 'videos' / 'anger' / 'a.mkv').unlink()
    data = Ekman6(
        ann_file='annotations/list.txt',
        data_root=str(folder),
        pipeline=[SampleSegments(num_segments=1, clip_len=1)],
        test_mode=True,
    )
    assert data[0]['data_samples'].failed == 'the file does not exist'


def test_stage_chooses_the_pipeline(folder: Path) -> None:
    def other(results: dict) -> dict:
        return pipeline(results | dict(video_id=f'pretrain {results["video_id"]}'))

    data = dataset(folder, pretrain_pipeline=[other])
    loader = torch.utils.data.DataLoader(
        data, num_workers=1, persistent_workers=True, sampler=[0], collate_fn=affective_collate
    )
    for stage, name in (('finetune', 'anger/a'), ('pretrain', 'pretrain anger/a')) * 2:
        data.set_stage(stage)
        (batch,) = loader
        assert batch['data_samples'][0].video_id == name


def test_near_names_are_offered() -> None:
    message = unknown_name('emotion class', 'angr', CLASSES)
    assert "did you mean 'anger'" in message and 'surprise' in message
    data = object.__new__(Ekman6)
    data._metainfo = dict(Ekman6.METAINFO)
    with pytest.raises(
        ValueError, match="line 3: unknown emotion class 'sadnes': did you mean 'sadness'"
    ):
        data.class_index('sadnes', 'list.txt, line 3')


def test_video_without_sound_and_words_trains_and_predicts(helpers: object, tmp_path: Path) -> None:
    """A three-frame silent video with a garbled subtitle file, through the real pipeline."""
    write_video(tmp_path / 'videos' / 'joy' / 'x.mp4', np.zeros((3, 24, 24, 3), np.uint8), 8)
    (tmp_path / 'subtitles' / 'joy').mkdir(parents=True)
    (tmp_path / 'subtitles' / 'joy' / 'x.srt').write_bytes(bytes(range(256)))
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations' / 'list.txt').write_text('joy/x 4')
    data = Ekman6(
        ann_file='annotations/list.txt',
        data_root=str(tmp_path),
        pipeline=[
            dict(type='SampleSegments', num_segments=3, clip_len=4),
            dict(type='LoadFrames'),
            dict(type='CropFrames', size=24),
            dict(type='LoadLogMel', num_frames=32),
            dict(type='LoadTranscript'),
            dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
            dict(type='PackAffectiveInputs', max_cues=4),
        ],
    )
    batch = affective_collate([data[0]])
    present = batch['inputs']['present']
    assert [bool(present[name]) for name in ('visual', 'audio', 'text')] == [True, False, False]
    model = helpers.recognizer(helpers.pretext(verify_level=3))
    total, log = model.parse_losses(model(**model.data_preprocessor(batch, True), mode='loss'))
    assert torch.isfinite(total) and log['loss_cls_audio'].item() == 0
    (sample,) = model.eval().val_step(batch)
    assert sample.pred_scores.sum().item() == pytest.approx(1, abs=1e-5)
    shutil.rmtree(tmp_path / 'subtitles')
