"""Files that other people made, through the pipelines of the configs."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
import torch
from mmengine.config import Config

from mart_mm.datasets.collate import affective_collate
from mart_mm.datasets.manifest import ManifestDataset
from mart_mm.datasets.transforms import audio

ROOT = Path(__file__).resolve().parents[2]
#: file -> (has sound, has words)
VIDEOS = {
    'nasa_13013.mp4': (True, True),
    'flipping_a_pancake.mkv': (True, False),
    'single_face.mp4': (True, False),
    'chaplin.mp4': (True, False),
    'big_buck_bunny_432_433.webm': (True, False),
    'demo.mp4': (False, False),
}


def dataset(media: Path, names: list[str], folder: Path, pipeline: list, **options) -> object:
    lines = [f'{media / name},joy,{options.get("split", "train")}' for name in names]
    (folder / 'm.csv').write_text('video,label,split\n' + '\n'.join(lines))
    options = dict(split='train') | options
    return ManifestDataset(
        ann_file=str(folder / 'm.csv'),
        data_root='',
        classes=['joy', 'sadness'],
        polarity=[1, -1],
        mood_table=dict(joy='joy', sadness='sadness'),
        pipeline=pipeline,
        **options,
    )


@pytest.mark.parametrize('name', ['mart_mbt_manifest', 'mart_mbt_manifest_tiny'])
def test_every_video_passes_training_and_testing(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    cfg = Config.fromfile(ROOT / 'configs' / 'mart' / f'{name}.py')
    for split, loader in (('train', cfg.train_dataloader), ('test', cfg.test_dataloader)):
        data = dataset(
            shared_data / 'media',
            list(VIDEOS),
            tmp_path,
            loader.dataset.pipeline,
            split=split,
            test_mode=split == 'test',
        )
        samples = [data[index] for index in range(len(data))]
        batch = affective_collate(samples)
        assert batch['failures'] == [] and len(batch['data_samples']) == len(VIDEOS)
        step = loader.dataset.pipeline
        shape = (len(VIDEOS), step[0]['num_segments'], 3, step[0]['clip_len'])
        crop = next(s['size'] for s in step if s['type'] == 'CropFrames')
        assert tuple(batch['inputs']['imgs'].shape) == (*shape, crop, crop)
        present = batch['inputs']['present']
        assert present['audio'].tolist() == [sound for sound, _ in VIDEOS.values()]
        assert present['text'].tolist() == [words for _, words in VIDEOS.values()]
        pictures = batch['inputs']['imgs'].float().flatten(2).std(-1)
        assert (pictures > 2).float().mean() > 0.9  # something is seen
        heard = batch['inputs']['audios'].flatten(1).std(1)
        assert (heard[:-1] > 0.5).all() and heard[-1] == 0


def test_sound_files_are_no_videos(shared_data: Path, tmp_path: Path) -> None:
    cfg = Config.fromfile(ROOT / 'configs' / 'mart' / 'mart_mbt_manifest_tiny.py')
    names = ['jfk.flac', 'stereo_diarization.wav', 'chaplin.mp4']
    pipeline = cfg.test_dataloader.dataset.pipeline
    data = dataset(shared_data / 'media', names, tmp_path, pipeline, split='test', test_mode=True)
    batch = affective_collate([data[index] for index in range(3)])
    assert [Path(path).name for path, _ in batch['failures']] == names[:2]
    assert [Path(s.video_path).name for s in batch['data_samples']] == names[2:]


def test_words_inside_a_video_become_cues_at_their_time(shared_data: Path, tmp_path: Path) -> None:
    """The subtitle packets, read without any code of ours, say when each word can be said."""
    path = shared_data / 'media' / 'nasa_13013.mp4'
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        said = []
        for packet in container.demux(stream):
            content = bytes(packet)
            text = content[2 : 2 + int.from_bytes(content[:2], 'big')].decode() if content else ''
            if text.strip():
                start = float(packet.pts * packet.time_base)
                said.append((start, start + float(packet.duration * packet.time_base), text))
    cfg = Config.fromfile(ROOT / 'configs' / 'mart' / 'mart_mbt_manifest.py')
    pipeline = cfg.test_dataloader.dataset.pipeline
    sample = dataset(shared_data / 'media', [path.name], tmp_path, pipeline, split='test')[0]
    sample = sample['data_samples']
    cues = [
        (cue, segment)
        for segment, cues in zip(sample.segment_times.tolist(), sample.cues, strict=True)
        for cue in cues
    ]
    assert len(cues) >= 5
    for cue, (start, end) in cues:
        assert any(
            low - 0.1 <= cue['start'] < cue['end'] <= high + 0.1
            and cue['word'] in ' '.join(text.split())
            for low, high, text in said
        ), cue
        # a word of several may reach over the border of its segment
        assert cue['start'] < end and cue['end'] > start
    # every word, except those that the last subtitle has left when the picture ends
    end_of_video, expected = sample.segment_times[-1, 1].item(), []
    for low, high, text in said:
        text = ' '.join(text.split())
        place = 0
        for word in text.split():
            first = text.index(word, place)
            place = first + len(word)
            if low + (first + place) / 2 / len(text) * (high - low) < end_of_video:
                expected.append(word)
    assert ' '.join(sample.texts).split() == expected and said[-1][1] > end_of_video


def test_second_epoch_opens_no_sound(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a whole data set with random clips: the second epoch is heard from the cache."""
    cfg = Config.fromfile(ROOT / 'configs' / 'mart' / 'mart_mbt_manifest_tiny.py')
    pipeline = cfg.train_dataloader.dataset.pipeline
    opened = []
    real = audio.read_audio
    monkeypatch.setattr(audio, 'read_audio', lambda *args: opened.append(args[0]) or real(*args))
    epochs = {}
    for cache in (dict(folder=str(tmp_path / 'cache')), None):
        data = dataset(shared_data / 'media', list(VIDEOS), tmp_path, pipeline, cache=cache)
        counts = []
        for epoch in range(2):
            data.set_epoch(epoch)
            before = len(opened)
            epochs[bool(cache), epoch] = [data[index]['inputs']['audios'] for index in range(6)]
            counts.append(len(opened) - before)
        assert counts == ([6, 0] if cache else [6, 6])
    for epoch in range(2):
        for cached, computed in zip(epochs[True, epoch], epochs[False, epoch], strict=True):
            assert torch.equal(cached, computed)
    assert not torch.equal(epochs[True, 0][0], epochs[True, 1][0])  # other clips
