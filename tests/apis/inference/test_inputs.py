"""Files, folders and arrays as a list of videos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mart_mm.apis.inference.inputs import list_videos, transcripts_for
from mart_mm.datasets.media.video_arrays import VideoArrays

FRAMES = np.zeros((2, 8, 8, 3), np.uint8)


def _touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b'')
    return folder


def test_a_folder_is_searched_by_suffix(tmp_path: Path) -> None:
    _touch(tmp_path, 'b.mp4', 'b.srt', 'sub/a.MKV', 'sub/b.mp4', 'notes.txt', 'b.mkv')
    videos = list_videos(tmp_path)
    assert [str(video.source.relative_to(tmp_path)) for video in videos] == [
        'b.mkv', 'b.mp4', 'sub/a.MKV', 'sub/b.mp4',
    ]  # fmt: skip
    assert [video.stem for video in videos] == ['b.mkv', 'b.mp4', 'sub/a', 'sub/b']


def test_no_two_stems_are_the_same(tmp_path: Path) -> None:
    names = ['a.avi', 'a.mp4', 'a.mp4.mov', 'a.mp4_2.mp4', 'B.mp4', 'b.mov', 'c/a.mp4']
    _touch(tmp_path, *names)
    stems = [
        video.stem for video in list_videos([tmp_path, tmp_path / 'c', *[tmp_path / 'a.mp4'] * 2])
    ]
    assert len({stem.casefold() for stem in stems}) == len(names) + 3


def test_order_and_names(tmp_path: Path) -> None:
    one, other = _touch(tmp_path / '1', 'a.b.mp4'), _touch(tmp_path / '2', 'a.b.mp4')
    arrays = VideoArrays(FRAMES, 8, name='talk')
    videos = list_videos([other / 'a.b.mp4', arrays, dict(frames=FRAMES, fps=8), one / 'a.b.mp4'])
    assert [video.name for video in videos] == ['a.b.mp4', 'talk', '', 'a.b.mp4']
    stems = [video.stem for video in videos]
    assert stems[1:3] == ['talk', 'video_2'] and len(set(stems)) == 4


def test_wrong_inputs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'no video there.*\.mp4'):
        list_videos(tmp_path)
    with pytest.raises(TypeError, match='int is no input'):
        list_videos([3])
    with pytest.raises(TypeError, match='rate'):
        list_videos(dict(frames=FRAMES, rate=3))


def test_transcripts(tmp_path: Path) -> None:
    _touch(tmp_path, 'v/a.mp4', 'v/b.mp4', 't/a.srt')
    videos = list_videos(tmp_path / 'v')
    file = tmp_path / 't' / 'a.srt'
    assert transcripts_for(tmp_path / 't', videos) == [file, None]
    assert transcripts_for(file, videos[:1]) == [file]
    assert transcripts_for(None, videos) == [None, None]
    with pytest.raises(ValueError, match='one transcript for 2 videos'):
        transcripts_for(file, videos)
    with pytest.raises(FileNotFoundError, match='no such transcript'):
        transcripts_for(tmp_path / 'absent.srt', videos)
