"""Thousands of files are opened and read, whole and broken ones: memory, descriptors and threads stay."""

from __future__ import annotations

import gc
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest

from mart_mm.datasets.media.backends import import_decord
from mart_mm.datasets.media.opened import OpenedFile
from mart_mm.datasets.transforms.audio import LoadLogMel
from mart_mm.datasets.transforms.transcript import LoadTranscript
from mart_mm.datasets.transforms.video import LoadFrames, SampleSegments
from mart_mm.errors import MediaError
from tests.reliability.media_mutations import CODECS, write_film, write_mutated


def read(path: Path, backend: str) -> bool:
    """Whether a file can be read by the transforms of training."""
    results = dict(video_path=str(path), video_id=path.stem, rng=np.random.default_rng(0))
    load = SampleSegments(num_segments=4, clip_len=2, size=32, random=True, backend=backend)
    try:
        for transform in (load, LoadFrames(), LoadLogMel(num_frames=32), LoadTranscript()):
            results = transform(results)
    except MediaError:
        return False
    return True


def read_forward(path: Path) -> bool:
    """The same by the reader that inference keeps open."""
    try:
        with OpenedFile(path) as video:
            frames = video.frames(32)
            frames.read([0, frames.num_frames - 1])
            video.log_mel(16000, 128).reach(None)
    except MediaError:
        return False
    return True


def resident() -> int:
    """Bytes of memory that this process holds."""
    gc.collect()
    return int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def descriptors() -> int:
    return len(os.listdir('/proc/self/fd'))


@pytest.fixture(scope='module')
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One of each container, and twice as many that are spoilt."""
    folder = tmp_path_factory.mktemp('films')
    whole = [write_film(folder / f'film.{suffix}') for suffix in CODECS]
    return [*whole, *write_mutated(folder / 'spoilt', 2 * len(whole))]


def visits(films: list[Path]) -> Iterator[bool]:
    """Each film by each reader in turn, for ever."""
    backends = ('auto', 'decord') if import_decord() else ('auto',)
    for film in cycle(films):
        for backend in backends:
            yield read(film, backend)
        yield read_forward(film)


@pytest.mark.skipif(not Path('/proc/self/statm').exists(), reason='reads Linux /proc')
def test_memory_descriptors_and_threads_stay(
    films: list[Path], count: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    few, many = count(54, 200), count(108, 5000)
    opened = visits(films)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # pytest would keep each of them
        could = sum(islice(opened, few))
        before = resident(), descriptors(), threading.active_count()
        could += sum(islice(opened, many - few))
        after = resident(), descriptors(), threading.active_count()
    assert 0.3 * many < could < 0.9 * many  # whole and broken ones were among them
    assert after[1:] == before[1:]
    growth = after[0] / before[0] - 1
    tell(
        f'{before[0] / 1e6:.1f} MB after {few} opens, {after[0] / 1e6:.1f} MB after {many} '
        f'({growth:+.1%}), {could} of them readable; {after[1]} descriptors, {after[2]} threads'
    )
    assert growth < 0.05
