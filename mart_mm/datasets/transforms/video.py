"""Segments of a video and their frames."""

from __future__ import annotations

import cv2
import numpy as np

from mart_mm.datasets.media.frame_folder import FrameFolderReader
from mart_mm.datasets.media.open_video import frame_rate, open_video
from mart_mm.datasets.media.packed_frames import PackedFramesReader
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.datasets.transforms.base import Transform
from mart_mm.errors import MediaError
from mart_mm.registry import TRANSFORMS

Reader = VideoReader | FrameFolderReader | PackedFramesReader
_ROUNDING = 1e-6  # seconds; times of frames and edges of segments are rounded differently


@TRANSFORMS.register_module()
class SampleSegments(Transform):
    """Split a video into S segments of equal duration and choose T frames in each.

    The windows chosen here cut all modalities: sound and words follow ``clip_times`` and
    ``segment_times``. A clip stays inside its segment: in a shorter segment the last frame is
    repeated, and where no frame starts it is the one on screen. Of records with ``start`` and
    ``end`` (seconds), or ``start_frame`` and ``stop_frame``, only that part is used. A folder of
    frames has the rate of the video they come from (``audio_path``), or ``fps``. Where
    ``results['opened']`` is an :class:`~mart_mm.datasets.media.opened.OpenedVideo` its frames are taken,
    and ``backend`` has no part.

    Adds ``segment_times`` (S, 2) and ``clip_times`` (S, 2) in seconds, ``frame_inds`` (S, T) and
    ``video_reader``; of records in frames ``start`` and ``end``; of records with ``frame_classes``
    ``gt_distribution`` (S, C): the frames' shares of the classes, zero where none is labelled.

    Args:
        num_segments: S.
        clip_len: T, frames per segment.
        frame_interval: Distance of neighbouring frames of a clip, in frames.
        random: Draw the clip's place in the segment; otherwise it is centred.
        size: Short side in pixels, scaled while decoding.
        backend: Of the video reader; ``'packed'`` takes the frames of tools/data/pack_frames.py.
    """

    def __init__(
        self,
        *,
        num_segments: int,
        clip_len: int,
        frame_interval: int = 1,
        random: bool = False,
        size: int | None = None,
        backend: str = 'auto',
    ) -> None:
        if min(num_segments, clip_len, frame_interval) < 1:
            raise ValueError(
                f'num_segments={num_segments}, clip_len={clip_len}, '
                f'frame_interval={frame_interval}: each must be at least 1'
            )
        self.num_segments = num_segments
        self.clip_len, self.frame_interval = clip_len, frame_interval
        self.random, self.size, self.backend = random, size, backend

    def transform(self, results: dict) -> dict:
        """Choose the windows.

        Raises:
            MediaError: When the video cannot be opened or ends before the record starts.
            ValueError: When the record ends before it starts.
        """
        reader = self._open(results)
        if 'start_frame' in results:
            self._frames_to_seconds(results, reader)
        start = float(results.get('start') or 0.0)
        end = results.get('end')
        end = reader.duration if end is None else min(float(end), reader.duration)
        self._check(results, reader, start)
        edges = np.linspace(start, end, self.num_segments + 1)
        segment_times = np.stack([edges[:-1], edges[1:]], axis=1)
        inds = np.stack(
            [self._choose(reader.times, *edge, results['rng']) for edge in segment_times]
        )
        shown_until = np.append(reader.times[1:], reader.duration)
        results['segment_times'] = segment_times
        results['frame_inds'] = inds
        results['clip_times'] = np.stack(
            [reader.times[inds[:, 0]], shown_until[inds[:, -1]]], axis=1
        )
        results['video_reader'] = reader
        if 'frame_classes' in results:
            results['gt_distribution'] = self._distribution(results, reader)
        return results

    def _open(self, results: dict) -> Reader:
        """The video, at the size at which the part of the picture that is used gets the short side."""
        size = self.size
        if size is not None and 'crop' in results:
            left, top, right, bottom = results['crop']
            size = round(size / min(right - left, bottom - top))
        results['short_side'] = self.size
        if 'opened' in results:
            return results['opened'].frames(size)
        path = results['video_path']
        fps = frame_rate(path, results.get('audio_path'), results.get('fps'))
        cache = results.get('cache')
        return open_video(path, backend=self.backend, size=size, fps=fps, cache=cache)

    @staticmethod
    def _frames_to_seconds(results: dict, reader: Reader) -> None:
        edges = frame_edges(reader)
        first, stop = results['start_frame'], min(results['stop_frame'], len(edges) - 1)
        if first >= stop:
            reader.close()
            raise MediaError(
                results['video_path'],
                f'the record starts at frame {first}, the video has {len(edges) - 1}',
            )
        results['start'], results['end'] = float(edges[first]), float(edges[stop])

    @staticmethod
    def _distribution(results: dict, reader: Reader) -> np.ndarray:
        """Shares (S, C) of the classes among the labelled frames of each segment."""
        classes = results['frame_classes']
        shares = np.zeros((len(results['segment_times']), len(results['mood_map'].classes)))
        starts = frame_edges(reader)[:-1]
        bounds = np.searchsorted(starts, results['segment_times'] - _ROUNDING)
        for share, (first, stop) in zip(shares, bounds - results['start_frame'], strict=True):
            inside = classes[first:stop]
            counts = np.bincount(inside[inside >= 0], minlength=len(share))
            share[:] = counts / max(1, counts.sum())
        return shares.astype(np.float32)

    @staticmethod
    def _check(results: dict, reader: Reader, start: float) -> None:
        end = results.get('end')
        if end is not None and float(end) <= start or start < 0:
            reader.close()
            raise ValueError(
                f'{results["video_path"]}: start={start}, end={end}: a record must start at 0 s or '
                'later and end after its start; mend the annotation'
            )
        if start >= reader.duration:
            reader.close()
            raise MediaError(
                results['video_path'],
                f'the record starts at {start:.2f} s, the video ends after {reader.duration:.2f} s',
            )

    def _choose(
        self, times: np.ndarray, start: float, end: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Frame indices (T,) of one segment; a frame belongs to the segment in which it starts."""
        first, stop = np.searchsorted(times, np.array([start, end]) - _ROUNDING)
        if first == stop:
            first, stop = max(0, stop - 1), max(1, stop)
        span = (self.clip_len - 1) * self.frame_interval + 1
        slack = max(0, int(stop - first) - span)
        offset = int(rng.integers(slack + 1)) if self.random else slack // 2
        inds = first + offset + np.arange(self.clip_len) * self.frame_interval
        return np.minimum(inds, stop - 1)


def frame_edges(reader: Reader) -> np.ndarray:
    """Seconds at which each frame of the whole video starts, and the end of the last one.

    In a folder frames may be missing; they are counted all the same.
    """
    if isinstance(reader, FrameFolderReader):
        return np.arange(reader.numbers[-1] + 1) / reader.fps
    return np.append(reader.times, reader.duration)


@TRANSFORMS.register_module()
class LoadFrames(Transform):
    """Decode the frames that were chosen: ``imgs`` uint8 (S, T, H, W, 3), RGB.

    Of records with ``crop`` only that part of the picture, its short side scaled to
    ``SampleSegments.size``.
    """

    def transform(self, results: dict) -> dict:
        """Decode.

        Raises:
            MediaError: When a frame cannot be decoded.
        """
        with results.pop('video_reader') as reader:
            inds = results['frame_inds']
            frames = reader.read(inds.ravel())
        if 'crop' in results:
            frames = self._cut(frames, results['crop'], results['short_side'])
        results['imgs'] = frames.reshape(*inds.shape, *frames.shape[1:])
        return results

    @staticmethod
    def _cut(
        frames: np.ndarray, crop: tuple[float, float, float, float], short_side: int | None
    ) -> np.ndarray:
        height, width = frames.shape[1:3]
        left, top, right, bottom = (
            round(edge * extent) for edge, extent in zip(crop, (width, height) * 2, strict=True)
        )
        frames = frames[:, top:bottom, left:right]
        if short_side is None or min(frames.shape[1:3]) == short_side:
            return frames
        scale = short_side / min(frames.shape[1:3])
        size = tuple(round(extent * scale) for extent in frames.shape[2:0:-1])
        return np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames])
