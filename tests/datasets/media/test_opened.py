"""A video that stays open gives what one opened anew gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mart_mm.datasets.media.opened import FileFrames, OpenedFile
from mart_mm.datasets.media.video_arrays import OpenedArrays, VideoArrays, resample
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError
from mart_mm.utils.media_writer import write_video

RATE = 16000


def _unsought(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[FileFrames, list[int]]:
    """Frames of a file in which nothing can be sought, and the passes over it."""
    reader, passes = VideoReader(path), []
    monkeypatch.setattr(VideoReader, 'may_seek', False)
    frames = reader.frames

    def count() -> object:
        passes.append(1)
        return frames()

    monkeypatch.setattr(reader, 'frames', count)
    return FileFrames(reader), passes


def test_one_pass_over_a_file_without_seeking(
    tmp_path: Path, barcode: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path / 'a.mp4', barcode.draw(60), 10)
    opened, passes = _unsought(tmp_path / 'a.mp4', monkeypatch)
    for part in ([0, 2, 4], [4, 7, 7, 9], [31, 30, 12], [31, 59, 59]):
        assert barcode.read(opened.read(part)) == part
    assert len(passes) == 1
    assert barcode.read(opened.read([3])) == [3]  # a step back costs another pass
    assert len(passes) == 2


def test_closing_a_reader_leaves_the_video_open(tmp_path: Path, barcode: object) -> None:
    write_video(tmp_path / 'a.mp4', barcode.draw(40), 10)
    with OpenedFile(tmp_path / 'a.mp4') as opened:
        for part in ([1, 5], [8, 30]):
            with opened.frames(None) as reader:
                assert barcode.read(reader.read(part)) == part
        assert opened.frames(None) is reader
        opened.reopen_frames()
        assert opened.frames(None) is not reader
        assert opened.log_mel(RATE, 128).reach(None) == 0


def test_arrays_are_scaled_and_timed_as_a_file(tmp_path: Path, barcode: object) -> None:
    frames = barcode.draw(24, 48, 64)
    write_video(tmp_path / 'a.mp4', frames, 8, crf=1)
    file, arrays = OpenedFile(tmp_path / 'a.mp4'), OpenedArrays(VideoArrays(frames, 8))
    for size in (None, 24):
        one, other = file.frames(size), arrays.frames(size)
        assert one.size == other.size and one.duration == pytest.approx(other.duration)
        np.testing.assert_allclose(one.times, other.times, atol=1e-9)
        pictures = [reader.read([0, 7, 23]) for reader in (one, other)]
        assert pictures[0].shape == pictures[1].shape
        difference = np.abs(pictures[0].astype(int) - pictures[1]).mean()
        assert difference < 3


def test_resampling_keeps_length_and_tone() -> None:
    time = np.arange(3 * 44100) / 44100
    stereo = np.stack([np.sin(2 * np.pi * 440 * time), np.zeros_like(time)])
    mono = resample(stereo, 44100, RATE)
    assert abs(len(mono) - 3 * RATE) <= 32
    middle = mono[RATE : 2 * RATE]
    assert np.abs(np.fft.rfft(middle)).argmax() == 440
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.01)
    assert resample(np.zeros(0), 44100, RATE).size == 0


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(frames=np.zeros((4, 8, 8, 3))), 'frames must be uint8'),
        (dict(frames=np.zeros((0, 8, 8, 3), np.uint8)), 'frames must be uint8'),
        (dict(fps=0), 'fps=0'),
        (dict(waveform=np.zeros(8, np.int16), sample_rate=8), 'waveform must be float'),
        (dict(waveform=np.zeros((8, 2)), sample_rate=8), 'transpose'),
        (dict(waveform=np.zeros(8)), 'sample_rate=None'),
    ],
)
def test_arrays_that_are_no_video(change: dict, message: str) -> None:
    good = VideoArrays(np.zeros((4, 8, 8, 3), np.uint8), 8)
    with pytest.raises(MediaError, match=message):
        OpenedArrays(good._replace(**change))
