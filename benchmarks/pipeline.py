"""Clips a second of one worker, against decord as mmaction2 uses it.

    python benchmarks/pipeline.py --videos FOLDER

The pattern: a video of 45 s, 12 segments of 16 consecutive frames, short side 128, the centre of 112
pixels. ``make_videos.py`` writes the videos into the folder where they are missing, and their frames
are packed beside them. All candidates use one thread and open the file anew; ours have warm caches,
as from the second epoch on. Where decord is not installed ours are measured alone. Before measuring,
frames are compared with a sequential decode.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import harness
import numpy as np
import torch
from make_videos import KINDS, make, name_of

from mart_mm.datasets.cache import FileCache
from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.datasets.media.backends import import_decord
from mart_mm.datasets.media.open_video import open_video
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.datasets.transforms.audio import LoadLogMel
from mart_mm.datasets.transforms.augment import CropFrames
from mart_mm.datasets.transforms.cues import FindCues
from mart_mm.datasets.transforms.formatting import PackAffectiveInputs
from mart_mm.datasets.transforms.transcript import LoadTranscript
from mart_mm.datasets.transforms.video import LoadFrames, SampleSegments
from mart_mm.lexicon.mood_map import MoodMap
from mart_mm.preparation.pack_frames import Packing, is_packed

SEGMENTS, CLIP, SHORT_SIDE, CROP = 12, 16, 128, 112
PEER = 'decord, native size, get_batch'


def choose(num_frames: int) -> np.ndarray:
    """Frame indices (S x T,) of centred clips."""
    edges = np.linspace(0, num_frames, SEGMENTS + 1).astype(int)
    starts = (edges[:-1] + edges[1:] - CLIP) // 2
    return (starts[:, None] + np.arange(CLIP)).ravel()


def centre(frames: np.ndarray) -> np.ndarray:
    """The centre of ``CROP`` pixels."""
    top, left = ((extent - CROP) // 2 for extent in frames.shape[1:3])
    return frames[:, top : top + CROP, left : left + CROP]


def by_decord(path: str) -> np.ndarray:
    """As mmaction2's DecordInit, DecordDecode, Resize and CenterCrop."""
    reader = import_decord().VideoReader(path, num_threads=1)
    frames = reader.get_batch(choose(len(reader))).asnumpy()
    height, width = frames.shape[1:3]
    scale = SHORT_SIDE / min(height, width)
    size = (round(width * scale), round(height * scale))
    scaled = [cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR) for frame in frames]
    return np.ascontiguousarray(centre(np.stack(scaled)))


def by_decord_scaled(path: str) -> np.ndarray:
    """Decord, scaled when the file is opened."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        width, height = stream.width, stream.height
    scale = SHORT_SIDE / min(width, height)
    reader = import_decord().VideoReader(
        path, width=round(width * scale), height=round(height * scale), num_threads=1
    )
    return np.ascontiguousarray(centre(reader.get_batch(choose(len(reader))).asnumpy()))


def reading(backend: str, cache: FileCache | None) -> Callable[[str], np.ndarray]:
    """Our reader."""

    def read(path: str) -> np.ndarray:
        with open_video(path, backend=backend, size=SHORT_SIDE, cache=cache) as reader:
            return np.ascontiguousarray(centre(reader.read(choose(reader.num_frames))))

    return read


def check(path: str) -> None:
    """Compare our frames with a sequential decode, at the video's size, bit for bit.

    Raises:
        AssertionError: When one differs.
    """
    with VideoReader(path) as reader:
        indices = choose(reader.num_frames)
        frames = dict(zip(indices.tolist(), reader.read(indices), strict=True))
    count = 0
    with av.open(path) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in frames:
                count += 1
                assert np.array_equal(frames[index], frame.to_ndarray(format='rgb24')), index
    assert count == len(frames)


def sampling(backend: str, cache: FileCache) -> dict[str, Callable[[str], dict]]:
    """A whole sample as the configs of 12 x 16 x 112 make it, and its frames alone."""
    shape = dict(num_segments=SEGMENTS, clip_len=CLIP, size=SHORT_SIDE, backend=backend)
    frames = [SampleSegments(**shape), LoadFrames(), CropFrames(size=CROP)]
    rest = [
        LoadLogMel(num_frames=100),
        LoadTranscript(),
        FindCues(lexicon=dict(type='SenticNet6Lexicon')),
        PackAffectiveInputs(max_cues=40),
    ]
    mood_map = MoodMap(Ekman6.METAINFO['classes'], Ekman6.METAINFO['mood_table'])

    def run(steps: list, path: str) -> dict:
        rng = np.random.default_rng(0)
        results = dict(video_id='a', video_path=path, mood_map=mood_map, cache=cache, rng=rng)
        for step in steps:
            results = step(results)
        return results

    return dict(
        frames=lambda path: run(frames, path), sample=lambda path: run([*frames, *rest], path)
    )


def measure(path: Path, cache: FileCache, runs: int) -> list[harness.Figure]:
    """All figures of a video."""
    check(str(path))
    packing = Packing(SHORT_SIDE)
    if not is_packed(path, packing):
        packing(path)
    work = {name: lambda call=call: call(str(path)) for name, call in candidates(cache).items()}
    return compare(path.stem, harness.alternate(work, runs))


def candidates(cache: FileCache) -> dict[str, Callable[[str], object]]:
    """What is measured on a video; decord where it is installed."""
    peers = dict(decord=by_decord, decord_scaled=by_decord_scaled) if import_decord() else {}
    work = peers | dict(
        ours_cold=reading('auto', None),
        ours=reading('auto', cache),
        packed=reading('packed', None),
    )
    for name, call in sampling('auto', cache).items():
        work[f'transforms_{name}'] = call
    return work


def compare(video: str, spent: dict[str, list[float]]) -> list[harness.Figure]:
    """Figures of a video, from the seconds of each candidate's runs."""
    medians = {name: statistics.median(values) for name, values in spent.items()}
    figures = []
    for name, values in spent.items():
        rates, peer, ratio = [SEGMENTS / value for value in values], None, None
        if name == 'transforms_sample':
            peer, ratio = 'its frames alone', medians['transforms_frames'] / medians[name]
        elif 'decord' in medians:
            peer = PEER
            ratio = None if name == 'decord' else medians['decord'] / medians[name]
        value, title = SEGMENTS / medians[name], f'pipeline/{video}/{name}'
        figures.append(harness.Figure(title, value, 'clips/s', peer, ratio, rates))
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--videos', type=Path, default=Path('work_dirs/benchmark_videos'))
    parser.add_argument('--runs', type=int, default=7, help='counted runs of each candidate')
    parser.add_argument('--quick', action='store_true', help='two videos of 8 s, one run')
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    folder, seconds = (args.videos / 'quick', 8) if args.quick else (args.videos, 45)
    kinds, runs = (KINDS[1:3], 1) if args.quick else (KINDS, args.runs)
    make(folder, seconds, kinds)
    cache = FileCache(str(folder / 'cache'))
    figures = []
    for kind in kinds:
        figures += measure(folder / name_of(*kind), cache, runs)
    harness.show('Reading of a video, 12 x 16 frames, one thread', figures)


if __name__ == '__main__':
    main()
